/* crowd_bench.c - do callers from many threads share a pool well?
 *
 *   crowd          eight threads, not of the pool, each run a series of loops at once
 *   crowd-in-turn  one thread runs the same loops one after the other, each by all workers
 *
 * Serial is one thread for all. The threads are there before the clock runs.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

#define THREADS 8

static const size_t lengths[] = {10, 1000, 100, 10000, 30, 300, 3000};
#define LENGTHS (sizeof lengths / sizeof lengths[0])
#define LONGEST 10000

/* A caller, and what it computes. */
static struct caller {
    pthread_t thread;
    uint32_t *values;
    int err;
} callers[THREADS];

static unsigned started; /* threads */
static unsigned rounds;  /* through the lengths */
static bool has_result;

/* What the threads wait for. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_called = PTHREAD_COND_INITIALIZER;
static pthread_cond_t is_done = PTHREAD_COND_INITIALIZER;
static const struct bench_team *team_now; /* NULL: the threads end */
static unsigned calls;                    /* so far */
static unsigned working;                  /* threads that are at it */

static __attribute__((noinline)) int values_body(filch_worker *w, size_t begin,
                                                 size_t end, void *ctx)
{
    uint32_t *values = ctx;

    (void)w;
    for (size_t i = begin; i < end; i++) {
        for (int step = 0; step < 16; step++)
            values[i] = bench_step(values[i]);
    }
    return 0;
}

static int run_series(const struct bench_team *team, const struct caller *caller)
{
    int err = 0;

    for (size_t i = 0; i < rounds * LENGTHS && !err; i++)
        err = team_loop(team, lengths[i % LENGTHS], values_body, caller->values);
    return err;
}

static void *caller_main(void *arg)
{
    struct caller *caller = arg;
    const struct bench_team *team;
    unsigned calls_seen = 0;

    for (;;) {
        pthread_mutex_lock(&lock);
        while (calls == calls_seen)
            pthread_cond_wait(&is_called, &lock);
        calls_seen = calls;
        team = team_now;
        pthread_mutex_unlock(&lock);
        if (!team)
            return NULL;
        caller->err = run_series(team, caller);
        pthread_mutex_lock(&lock);
        if (--working == 0)
            pthread_cond_signal(&is_done);
        pthread_mutex_unlock(&lock);
    }
}

/* Let the threads go; wait for them, unless they end. */
static void call_threads(const struct bench_team *team)
{
    pthread_mutex_lock(&lock);
    team_now = team;
    calls++;
    working = started;
    pthread_cond_broadcast(&is_called);
    while (team && working > 0)
        pthread_cond_wait(&is_done, &lock);
    pthread_mutex_unlock(&lock);
}

static void release(void)
{
    call_threads(NULL);
    for (unsigned i = 0; i < started; i++)
        pthread_join(callers[i].thread, NULL);
    started = 0;
    calls = 0;
    for (unsigned i = 0; i < THREADS; i++)
        free(callers[i].values);
}

static void start_anew(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        for (size_t j = 0; j < LONGEST; j++)
            callers[i].values[j] = (uint32_t)((size_t)i * LONGEST + j);
    }
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const unsigned rounds_of[] = {
        [BENCH_TINY] = 1, [BENCH_QUICK] = 5, [BENCH_FULL] = 10};
    bool is_in_turn = request->work->variant;
    bool has_memory = true;
    int err = 0;

    rounds = rounds_of[request->scale];
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i].values = malloc(LONGEST * sizeof *callers[i].values);
        has_memory &= callers[i].values != NULL;
    }
    if (!has_memory)
        err = -ENOMEM;
    for (; !err && !is_in_turn && started < THREADS; started += !err)
        err = -pthread_create(&callers[started].thread, NULL, caller_main,
                              &callers[started]);
    if (err) {
        release();
        return err;
    }
    start_anew();
    snprintf(input->title, sizeof input->title,
             is_in_turn ? "8 series of loops, in turn" : "8 series of loops at once");
    snprintf(input->size, sizeof input->size, "%zu loops", THREADS * LENGTHS * rounds);
    return 0;
}

static double take_result(void)
{
    double sum = 0;

    if (!has_result)
        return NAN;
    has_result = false;
    for (unsigned i = 0; i < THREADS; i++)
        sum = sum / 2 + bench_checksum(callers[i].values, LONGEST * sizeof(uint32_t));
    start_anew();
    return sum;
}

static int run_in_turn(const struct bench_team *team)
{
    int err = 0;

    for (unsigned i = 0; i < THREADS && !err; i++)
        err = run_series(team, &callers[i]);
    has_result = true;
    return err;
}

static int run_at_once(const struct bench_team *team)
{
    int err = 0;

    call_threads(team);
    for (unsigned i = 0; i < THREADS; i++)
        err = callers[i].err ? callers[i].err : err;
    has_result = true;
    return err;
}

const struct bench_work bench_crowd[BENCH_CROWD_WORKS] = {
    {.name = "crowd",
     .variant = 0,
     .is_extra = true,
     .prepare = prepare,
     .release = release,
     .run = {run_in_turn, run_at_once, run_at_once, run_at_once, run_at_once,
             run_at_once},
     .take_result = take_result},
    {.name = "crowd-in-turn",
     .variant = 1,
     .is_extra = true,
     .prepare = prepare,
     .release = release,
     .run = {run_in_turn, run_in_turn, run_in_turn, run_in_turn, run_in_turn,
             run_in_turn},
     .take_result = take_result},
};
