/* stats.h - what the workers of a pool have done so far. */
#ifndef FILCH_STATS_H
#define FILCH_STATS_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_stats - counters since the pool was made, summed over its workers.
 *
 * A job that its forker reclaims is in none of them: counting it would cost more than
 * forking it.
 */
typedef struct filch_stats {
    size_t struct_size;    /* in: sizeof(filch_stats) */
    uint64_t tasks;        /* run: stolen jobs, spawned tasks, pieces of loops */
    uint64_t steals_got;   /* tries to steal that brought a job, */
    uint64_t steals_empty; /* found nothing public, */
    uint64_t steals_lost;  /* or lost the race for it */
    uint64_t
        strangers; /* stolen and handed over: not the thief's to run (isolation), or of
                              a floating-point environment that the thief does not know */
    uint64_t publishes; /* a worker made its private jobs public, being asked */
    uint64_t forced;    /* a thief did it for a worker in a long body */
    uint64_t parks;     /* a thread went to sleep */
    uint64_t wakes;     /* a thread was woken */
    uint64_t overflows; /* the ring or a free list was exhausted: run inline */
    uint64_t busy_ns;   /* in calls and stolen work, summed over threads */
    uint64_t idle_ns;   /* the pool's threads looking for work or asleep */
    /* Threads that found their affinity mask changed by somebody else, or started (again,
     * after a fork) with another one than the pool was made for. They stay where they were
     * put. Each looks when it runs something, at most every 10 ms. */
    uint64_t masks_changed;
} filch_stats;

/**
 * filch_stats_get - read the counters. NULL means the default pool.
 *
 * Exact when the pool is at rest; a snapshot in motion otherwise.
 *
 * Returns  0; -EINVAL, and nothing written, for NULL stats or a foreign struct_size. All
 *          counters are 0 when there is no memory for a default pool.
 */
FILCH_API int filch_stats_get(filch_pool *pool, filch_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
