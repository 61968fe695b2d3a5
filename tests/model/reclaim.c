/* reclaim.c - taking back a job with tasks above it, against a thief who forces.
 *
 * Job: an owner reclaims its second job, above which lies a task that is drained first;
 * each is run once ("run twice", "lost"), by somebody who sees its argument ("payload": a
 * data race on it). Compiled with the real join.c and worker.c.
 */
#include "stand_ins.h"

#include <string.h>
#include "join.c"
#include "worker.c"

enum { OWNER = 0, THIEF = 1, WORKERS = 2, JOBS = 3, TASK = 2 };

static struct fl_worker workers[WORKERS];
static struct filch_pool pool;
static filch_job jobs[JOBS - 1];
static struct fl_task task; /* the third, for a scope around the jobs */
static struct fl_latch latch;
static int payload[JOBS]; /* plain: the owner's, then the runner's */
static int runs[JOBS];

/* --- stand-ins -------------------------------------------------------------------- */

int fl_enter(const filch_opts *opts, int (*inside)(struct fl_worker *worker, void *arg),
             void *arg)
{
    (void)opts;
    return inside(&workers[OWNER], arg);
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    (void)worker, (void)down_to;
    while (!join_is_done(served_join(served)))
        fl_yield();
}

/* --- jobs ------------------------------------------------------------------------- */

static void run(int i)
{
    MODEL_ASSERT(runs[i]++ == 0, "run twice");
    MODEL_ASSERT(MODEL_READ(payload[i]) == 1, "wrong payload");
}

static void run_job(filch_worker *w, filch_job *job)
{
    (void)w;
    run((int)(job - jobs));
}

static void run_task(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    run(TASK);
}

static void setup(void)
{
    struct fl_worker *owner = &workers[OWNER];
    int i;

    memset(workers, 0, sizeof workers);
    memset(&pool, 0, sizeof pool);
    memset(payload, 0, sizeof payload);
    memset(runs, 0, sizeof runs);
    latch = (struct fl_latch){.remaining = 1};
    task = (struct fl_task){.job.run = run_task, .latch = &latch};
    for (i = 0; i < WORKERS; i++) {
        workers[i].pool = &pool;
        workers[i].index = (uint32_t)i;
        workers[i].context.failure = NULL;
        deque_init(&workers[i].deque, true);
        workers[i].deque.hot.gate = FILCH_RING_SLOTS - 1; /* nobody was hungry */
        model_sole_writer(&workers[i].serving, sizeof workers[i].serving, i);
        model_sole_writer(&workers[i].deque.hot.tail, sizeof(int64_t), i);
        model_spin_lock(&workers[i].deque.lock);
        model_name(&workers[i].serving, "serving %d", i);
    }
    for (i = 0; i < JOBS; i++)
        model_name(&payload[i], "payload %d", i);
    for (i = 0; i < JOBS - 1; i++) {
        jobs[i].run = run_job;
        model_name(&jobs[i].state, "job %d", i);
    }
    model_name(&owner->deque.top, "top");
    model_name(&owner->deque.bottom, "bottom");
    model_name(&owner->deque.lock, "lock");
    model_name(&owner->deque.hot.tail, "tail");
    model_name(&owner->deque.hot.limit, "limit");
    model_name(&owner->deque.hot.gate, "gate");
}

/* --- bodies ----------------------------------------------------------------------- */

static void reclaim(int i, int64_t place)
{
    if (filch_reclaim(worker_hot(&workers[OWNER]), &jobs[i], place))
        run(i);
    else
        filch_await(worker_hot(&workers[OWNER]), &jobs[i]);
}

static void fork_and_reclaim(void)
{
    filch_worker *w = worker_hot(&workers[OWNER]);
    int64_t first, second;

    MODEL_WRITE(payload[0], 1);
    first = filch_fork(w, &jobs[0]);
    MODEL_WRITE(payload[1], 1);
    second = filch_fork(w, &jobs[1]);
    MODEL_WRITE(payload[TASK], 1);
    filch_fork(w, entry_of_task(&task));
    reclaim(1, second);
    reclaim(0, first);
}

static void steal_once(bool is_forced)
{
    filch_job *entry;

    if (is_forced)
        deque_force_publish(&workers[OWNER].deque);
    if (deque_steal(&workers[OWNER].deque, &entry) == FL_STEAL_GOT)
        fl_worker_run(&workers[THIEF], entry, 0);
}

static void force_and_steal(void)
{
    steal_once(true);
}

static void force_and_steal_two(void)
{
    steal_once(true);
    steal_once(false);
}

static void check_all_ran(void)
{
    int i;

    for (i = 0; i < JOBS; i++)
        MODEL_ASSERT(runs[i] == 1, "lost");
}

#define CASE(name, preemptions, ...)                                              \
    {                                                                             \
        name, setup, {__VA_ARGS__}, check_all_ran, NULL, 0, preemptions, 0, false \
    }

static const struct model_case cases[] = {
    CASE("a task above the job, one theft", 0, fork_and_reclaim, force_and_steal),
    CASE("a task above the job, two thefts", 0, fork_and_reclaim, force_and_steal_two),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
