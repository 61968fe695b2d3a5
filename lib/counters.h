/* counters.h - what a worker counts, write side.
 *
 * Job: one set per worker, on cache lines of its own, written by that worker only and
 * read by stats.c at any time. So an increment is a plain add, made of relaxed accesses.
 */
#ifndef FL_COUNTERS_H
#define FL_COUNTERS_H

#include "atomics.h"

struct fl_counters {
    _Alignas(64) uint64_t tasks;
    uint64_t steals_got, steals_empty, steals_lost;
    uint64_t strangers;
    uint64_t publishes, forced;
    uint64_t parks, wakes;
    uint64_t overflows;
    uint64_t masks_changed;
    uint64_t busy_ns, idle_ns;
    uint64_t idle_since_ns; /* not in idle_ns yet; 0: the worker is not idle */
};

static inline void fl_count_add(uint64_t *counter, uint64_t amount)
{
    fl_store_relaxed(counter, fl_load_relaxed(counter) + amount); /* its one writer */
}

static inline void fl_count(uint64_t *counter)
{
    fl_count_add(counter, 1);
}

#endif
