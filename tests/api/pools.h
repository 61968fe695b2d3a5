/* pools.h - what the API tests share: every test once for each number of workers.
 *
 * ON_POOLS(test) stands in a list of tests for `test` on pools of 1, 2, 3, 4 and 8
 * workers; *state is the pool. Bodies run on any thread, where a check must not jump out:
 * they count what is wrong, and the test checks the count when all have ended.
 *
 * FILCH_SEED in the environment repeats a random test.
 */
#ifndef TESTS_API_POOLS_H
#define TESTS_API_POOLS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <filch/filch.h>

#if defined(__SANITIZE_THREAD__)
#define IS_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define IS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN 1
#elif __has_feature(address_sanitizer)
#define IS_ASAN 1
#endif
#endif
#ifndef IS_TSAN
#define IS_TSAN 0
#endif
#ifndef IS_ASAN
#define IS_ASAN 0
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* How long a body waits for another to show up before it counts that as wrong. */
#define PATIENCE_NS UINT64_C(20000000000)

static inline int make_pool(void **state)
{
    unsigned workers = (unsigned)(uintptr_t)*state;
    filch_pool *pool;
    int err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers));

    *state = pool;
    if (err || filch_pool_workers(pool) != workers) {
        print_error("no pool of %u workers: %d\n", workers, err);
        return -1;
    }
    return 0;
}

static inline int end_pool(void **state)
{
    filch_pool_destroy(*state);
    return 0;
}

#define ON_POOL(test, count)                                   \
    {                                                          \
#test ", workers: " #count, test, make_pool, end_pool, \
            (void *)(uintptr_t)(count)                         \
    }
#define ON_POOLS(test)                                                      \
    ON_POOL(test, 1), ON_POOL(test, 2), ON_POOL(test, 3), ON_POOL(test, 4), \
        ON_POOL(test, 8)

/* --- random numbers --------------------------------------------------------------- */

static inline uint64_t seed_print(void)
{
    const char *text = getenv("FILCH_SEED");
    struct timespec now;
    uint64_t seed;

    clock_gettime(CLOCK_REALTIME, &now);
    seed = text ? strtoull(text, NULL, 10)
                : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    print_message("FILCH_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* splitmix64: any seed will do, 0 included. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *state, uint64_t bound)
{
    return random_next(state) % bound;
}

/* --- time ------------------------------------------------------------------------- */

static inline uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void sleep_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&time, NULL);
}

/* Wait until *count has reached least. False: it did not within PATIENCE_NS. */
static inline bool wait_for(atomic_uint *count, unsigned least)
{
    uint64_t since = now_ns();

    while (atomic_load(count) < least) {
        if (now_ns() - since > PATIENCE_NS)
            return false;
        sched_yield();
    }
    return true;
}

static inline void raise_to(atomic_uint *most, unsigned value)
{
    unsigned seen = atomic_load(most);

    while (seen < value && !atomic_compare_exchange_weak(most, &seen, value))
        continue;
}

/* A loop whose bodies all run at once, each on a worker of its own. */
struct meeting {
    atomic_uint arrived, wrong;
    unsigned company;
    long sleep_us; /* afterwards */
};

static inline int meet(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct meeting *meeting = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&meeting->arrived, 1);
    if (!wait_for(&meeting->arrived, meeting->company))
        atomic_fetch_add(&meeting->wrong, 1);
    sleep_us(meeting->sleep_us);
    return 0;
}

/* --- threads ---------------------------------------------------------------------- */

/* Call body(arg) on so many threads at once, and wait for them. */
static inline void run_threads(unsigned count, void *(*body)(void *), void *arg)
{
    pthread_t thread[64];
    unsigned i;

    assert_true(count <= COUNT_OF(thread));
    for (i = 0; i < count; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, body, arg), 0);
    for (i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
}

#endif
