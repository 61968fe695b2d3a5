/* test_nests.c - random nests of every parallel call, from several threads at once,
 * checked.
 *
 *     stress_nests [--seed N] [--nest N] [--workers N]
 *
 * A nest is a tree of calls that a number describes. It is run in parallel, and again by
 * an oracle that knows nothing of filch; checksum and error must be the same. On the way
 * every body checks that its lane is its own, and that its thread was idle or waiting for
 * what the body descends from. FILCH_STRESS_SECONDS (3) is the length of the whole.
 * --seed repeats a run, --nest runs one nest over and over. FILCH_FENCES, where not set,
 * changes from pool to pool.
 *
 * plan.h has the nests and the oracle, nest.h the calls, watch.h who does what; here are
 * the threads that call, the watchdog and the run. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "nest.h"

#define FOREIGN_THREADS 4
#define STALL_SECONDS   60

/* --- the threads that call */

struct caller {
    pthread_t thread;
    uint64_t seed;
    _Atomic uint64_t nest, done;
    uint64_t nests;
};

static struct caller callers[FOREIGN_THREADS];
static _Atomic bool is_time_up;
static uint64_t only_nest;
static bool is_only_nest;

/* Enters the pool first, now and then. */
struct top {
    uint64_t seed;
    unsigned depth;
    struct result result;
};

static int top_body(filch_worker *w, void *ctx)
{
    struct top *top = ctx;

    top->result = run_nest(w, NULL, top->seed, top->depth);
    return 7;
}

static void check_nest(uint64_t seed)
{
    unsigned depth = (unsigned)(mix(seed ^ 1) % 4);
    struct top top = {seed, depth, {0, 0}};
    struct result expected;

    if (mix(seed ^ 2) & 1)
        top.result = run_nest(NULL, NULL, seed, depth);
    else if (filch_run(top_body, &top, .pool = pool) != 7)
        fail("filch_run lost its body's value");
    expected = oracle(seed, depth);
    if (top.result.err != expected.err ||
        (!expected.err && top.result.sum != expected.sum))
        fail("nest %" PRIu64 " (depth %u): got %016" PRIx64
             " and error %d, not %016" PRIx64 " and %d; alone: --nest %" PRIu64,
             seed, depth, top.result.sum, top.result.err, expected.sum, expected.err,
             seed);
}

static void *caller_main(void *arg)
{
    struct caller *caller = arg;
    uint64_t state = caller->seed;

    while (!atomic_load_explicit(&is_time_up, memory_order_relaxed)) {
        state = mix(state);
        atomic_store(&caller->nest, is_only_nest ? only_nest : state);
        check_nest(is_only_nest ? only_nest : state);
        atomic_fetch_add(&caller->done, 1);
    }
    if (filch_worker_current())
        fail("a worker is left behind outside");
    return NULL;
}

/* --- the watchdog */

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print_stats(void)
{
    filch_stats stats = {.struct_size = sizeof stats};

    if (filch_stats_get(pool, &stats))
        return;
    fprintf(stderr,
            "  tasks %" PRIu64 ", steals %" PRIu64 " got %" PRIu64 " empty %" PRIu64
            " lost, strangers %" PRIu64 ", publishes %" PRIu64 ", forced %" PRIu64
            ", parks %" PRIu64 ", wakes %" PRIu64 ", overflows %" PRIu64 "\n",
            stats.tasks, stats.steals_got, stats.steals_empty, stats.steals_lost,
            stats.strangers, stats.publishes, stats.forced, stats.parks, stats.wakes,
            stats.overflows);
}

__attribute__((noreturn)) static void stalled(const char *what)
{
    unsigned i;

    fprintf(stderr, "stress: %s for %d s. --seed %" PRIu64 ", %u workers, %s fences\n",
            what, STALL_SECONDS, run_seed, pool_workers,
            pool_is_classic ? "classic" : "default");
    for (i = 0; i < FOREIGN_THREADS; i++)
        fprintf(stderr, "  caller %u: nest %" PRIu64 " after %" PRIu64 " others\n", i,
                (uint64_t)atomic_load(&callers[i].nest),
                (uint64_t)atomic_load(&callers[i].done));
    print_doing();
    print_stats();
    abort();
}

static pthread_mutex_t watch_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_over;
static _Atomic unsigned phase; /* pools made and ended so far */

/* Every caller must get on, not just one of them. */
static void *watchdog_main(void *arg)
{
    uint64_t done[FOREIGN_THREADS] = {0};
    double since[FOREIGN_THREADS];
    unsigned i, last_phase = 0;

    (void)arg;
    for (i = 0; i < FOREIGN_THREADS; i++)
        since[i] = now_s();
    while (!atomic_load(&is_over)) {
        struct timespec tick = {0, 50000000};
        bool is_next = atomic_load(&phase) != last_phase;

        nanosleep(&tick, NULL);
        last_phase = atomic_load(&phase);
        for (i = 0; i < FOREIGN_THREADS; i++) {
            uint64_t now_done = atomic_load(&callers[i].done);

            if (now_done != done[i] || is_next)
                since[i] = now_s();
            done[i] = now_done;
            if (now_s() - since[i] > STALL_SECONDS) {
                pthread_mutex_lock(&watch_mutex);
                stalled("no progress");
            }
        }
    }
    return NULL;
}

/* --- the run */

/* One pool, four callers. Returns how many nests were checked. */
static uint64_t run_pool(unsigned workers, uint64_t seed, double seconds)
{
    static const int spins[] = {0, 0, -1, 1, 200};
    uint64_t state = seed, nests = 0;
    unsigned i;
    int err;

    err = filch_pool_create(
        &pool, FILCH_POOL_OPTIONS(.workers = workers, .spin_us = spins[draw(&state, 5)],
                                  .bind = (int)draw(&state, FILCH_BIND_NONE + 1)));
    if (err)
        fail("filch_pool_create returned %d", err);
    pool_workers = filch_pool_workers(pool);
    atomic_store(&is_time_up, false);
    for (i = 0; i < FOREIGN_THREADS; i++) {
        atomic_store(&callers[i].done, 0);
        callers[i].seed = mix(seed + i);
        if (pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]))
            fail("no thread to call from");
    }
    while (seconds > 0) {
        double slice = seconds < 0.1 ? seconds : 0.1;
        struct timespec rest = {0, (long)(slice * 1e9)};

        nanosleep(&rest, NULL);
        seconds -= slice;
    }
    atomic_store(&is_time_up, true);
    for (i = 0; i < FOREIGN_THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        nests += atomic_load(&callers[i].done);
    }
    if (getenv("FILCH_STRESS_VERBOSE")) {
        fprintf(stderr, "%u workers, %s fences: %" PRIu64 " nests\n", workers,
                pool_is_classic ? "classic" : "default", nests);
        print_stats();
    }
    filch_pool_destroy(pool);
    return nests;
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1, 2, 3, 8};
    const char *length = getenv("FILCH_STRESS_SECONDS");
    const char *fences = getenv("FILCH_FENCES");
    double seconds = length && atof(length) > 0 ? atof(length) : 3;
    unsigned only_workers = 0, rounds, i;
    uint64_t nests = 0;
    pthread_t watchdog;

    run_seed = mix((uint64_t)time(NULL) * 1000003 + (uint64_t)getpid()) % 1000000000;
    for (i = 1; i + 1 < (unsigned)argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 0);

        if (strcmp(argv[i], "--seed") == 0)
            run_seed = number;
        else if (strcmp(argv[i], "--workers") == 0 && number <= MOST_WORKERS)
            only_workers = (unsigned)number;
        else if (strcmp(argv[i], "--nest") == 0) {
            only_nest = number;
            is_only_nest = true;
        } else
            break;
    }
    if (i < (unsigned)argc) {
        fprintf(stderr, "usage: %s [--seed N] [--nest N] [--workers 1..8]\n", argv[0]);
        return 2;
    }
    printf("stress: --seed %" PRIu64 ", %g s\n", run_seed, seconds);
    fflush(stdout);
    if (pthread_create(&watchdog, NULL, watchdog_main, NULL))
        return 1;
    /* Each size in each fence mode, at least once, and 2 s at most in one pool. */
    rounds = 8 * (unsigned)(1 + seconds / 16);
    for (i = 0; i < rounds; i++) {
        pool_is_classic = fences ? strcmp(fences, "classic") == 0 : i / 4 % 2 == 1;
        if (!fences && pool_is_classic)
            setenv("FILCH_FENCES", "classic", 1);
        else if (!fences)
            unsetenv("FILCH_FENCES");
        nests += run_pool(only_workers ? only_workers : sizes[i % 4],
                          mix(run_seed * 64 + i), seconds / rounds);
        atomic_fetch_add(&phase, 1);
    }
    atomic_store(&is_over, true);
    pthread_join(watchdog, NULL);
    printf("stress: %" PRIu64 " nests as the oracle says\n", nests);
    return 0;
}
