/* tasks_bench.c - what does a task cost that does next to nothing?
 *
 *   join   two calls that may run at the same time, one pair after the other
 *   spawn  many tasks, and one wait for all of them
 *
 * Serial calls the same function. OpenMP and the channel pool, which need much longer for
 * a task, have fewer of them.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

#define MOST 100000

enum variant { JOIN, SPAWN };

static uint32_t values[MOST];
static size_t count; /* even */
static bool has_result;

static __attribute__((noinline)) void work(uint32_t *value)
{
    *value = bench_step(*value);
}

static void start_anew(void)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (uint32_t)i;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    bool is_heavy =
        request->candidate == BENCH_OPENMP || request->candidate == BENCH_CHANNEL;
    bool is_join = request->work->variant == JOIN;

    count = request->scale == BENCH_TINY ? 100 : is_heavy ? 4000 : MOST;
    start_anew();
    snprintf(input->title, sizeof input->title, is_join ? "join of two" : "spawn");
    snprintf(input->size, sizeof input->size, "%zu tasks", count);
    input->item = "task";
    input->items = (double)count;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(values, count * sizeof values[0]);
    start_anew();
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < count; i++)
        work(&values[i]);
    has_result = true;
    return 0;
}

/* ---- join ------------------------------------------------------------------------ */

static int run_join_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    for (size_t i = 0; i < count; i += 2) {
#pragma omp task firstprivate(i)
        work(&values[i + 1]);
        work(&values[i]);
#pragma omp taskwait
    }
    has_result = true;
    return 0;
}

static int work_task(filch_worker *w, void *ctx)
{
    (void)w;
    work(ctx);
    return 0;
}

static int join_all(filch_worker *w, void *ctx)
{
    int err = 0;

    (void)ctx;
    for (size_t i = 0; i < count && !err; i += 2)
        err = filch_join(w, work_task, &values[i], work_task, &values[i + 1]);
    return err;
}

static int run_join_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_run(join_all, NULL, .pool = team->filch);
}

static void work_peer(void *ctx)
{
    work(ctx);
}

static int join_in_peer(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < count; i += 2)
        team_peer->join(work_peer, &values[i], work_peer, &values[i + 1]);
    return 0;
}

static int run_join_peer(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, join_in_peer);
}

/* ---- spawn ----------------------------------------------------------------------- */

struct queued {
    struct channel_job job;
    uint32_t *value;
    atomic_size_t *left;
    struct oneshot *done;
};

static void run_queued(struct channel_job *job)
{
    struct queued *queued = (struct queued *)job;

    work(queued->value);
    if (atomic_fetch_sub(queued->left, 1) == 1)
        oneshot_send(queued->done, NULL);
}

static int run_spawn_channel(const struct bench_team *team)
{
    struct queued *queue = malloc(count * sizeof *queue);
    struct oneshot done;
    atomic_size_t left;

    if (!queue)
        return -ENOMEM;
    atomic_init(&left, count);
    oneshot_init(&done);
    for (size_t i = 0; i < count; i++) {
        queue[i] = (struct queued){{run_queued}, &values[i], &left, &done};
        if (channel_pool_send(team->channel, &queue[i].job))
            abort(); /* no memory in the middle of a benchmark */
    }
    oneshot_receive(&done);
    free(queue);
    has_result = true;
    return 0;
}

static int run_spawn_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    for (size_t i = 0; i < count; i++) {
#pragma omp task firstprivate(i)
        work(&values[i]);
    }
    has_result = true;
    return 0;
}

static int work_spawned(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w, (void)scope;
    work(ctx);
    return 0;
}

static int spawn_all(filch_worker *w, filch_scope *scope, void *ctx)
{
    int err = 0;

    (void)ctx;
    for (size_t i = 0; i < count && !err; i++)
        err = filch_spawn(w, scope, work_spawned, &values[i], 0);
    return err;
}

static int run_spawn_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_scope(spawn_all, NULL, .pool = team->filch);
}

static void spawn_peer(void *scope, void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++)
        team_peer->spawn(scope, work_peer, &values[i]);
}

static int spawn_in_peer(const struct bench_team *team)
{
    (void)team;
    team_peer->scope(spawn_peer, NULL);
    return 0;
}

static int run_spawn_peer(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, spawn_in_peer);
}

const struct bench_work bench_tasks[BENCH_TASKS_WORKS] = {
    {.name = "join",
     .variant = JOIN,
     .prepare = prepare,
     .run = {[BENCH_SERIAL] = run_serial,
             [BENCH_OPENMP] = run_join_openmp,
             [BENCH_FILCH] = run_join_filch,
             [BENCH_TBB] = run_join_peer,
             [BENCH_RAYON] = run_join_peer},
     .take_result = take_result},
    {.name = "spawn",
     .variant = SPAWN,
     .prepare = prepare,
     .run = {run_serial, run_spawn_channel, run_spawn_openmp, run_spawn_filch,
             run_spawn_peer, run_spawn_peer},
     .take_result = take_result},
};
