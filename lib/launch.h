/* launch.h - what a loop will take, and what help costs: whether to ask for it.
 *
 * Job: three things that a pool learns while it runs, all of them hints that decide how
 * fast a loop runs and never what it computes.
 *
 *   costs      what loops of a body, and about that long, took: a small table.
 *   prices     from how much remaining work on it pays to ask a worker that spins, or one
 *              that sleeps. Measured when the pool starts (prices.c).
 *   distrust   a worker that lost its CPU in the middle of a chunk kept its loop waiting
 *              for as long. For ten times that long, loops which that could ruin are run
 *              by their callers alone: so a neighbour on the other core costs a tenth at
 *              worst.
 *
 * Times are in ticks (clock.h). Knows no pool.
 */
#ifndef FL_LAUNCH_H
#define FL_LAUNCH_H

#include <string.h>
#include "atomics.h"
#include "clock.h"
#include "park.h"

/* A power of two: the entries' index is the top of the hash. */
#define FL_COST_BITS 8

struct fl_launch {
    /* Ticks; constant while calls run. */
    uint64_t spinning, sleeping;
    float tiny; /* a loop of less feels a look at the clock */
    /* A tag of 48 bits, and the upper half of a float: ticks an item. 0: empty. */
    uint64_t cost[1 << FL_COST_BITS];
    /* Loops of less than distrust_below ticks are not shared before distrust_until. */
    _Alignas(64) uint64_t distrust_until, distrust_below;
    /* What loops one after the other would have won by workers that spin, and when the
     * last of them came. */
    uint64_t missed, missed_at;
    /* prices.c's: a conversation. */
    uint32_t ask, answer;
    uint64_t woken_at;
};

/* --- costs ------------------------------------------------------------------------ */

/* Loops that differ much in length are different loops: what takes 10 items may be a
 * program, and what takes a million a sum. */
static inline uint64_t cost_hash(uintptr_t identity, size_t count)
{
    uint64_t length = 64 - (uint64_t)__builtin_clzll((unsigned long long)count | 1);

    /* Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, 6.4. */
    return (identity ^ length << 57) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline float cost_decode(uint64_t entry)
{
    uint32_t bits = (uint32_t)entry << 16;
    float ticks_per_item;

    memcpy(&ticks_per_item, &bits, sizeof bits);
    return ticks_per_item;
}

static inline uint64_t cost_encode(uint64_t hash, float ticks_per_item)
{
    uint32_t bits;

    memcpy(&bits, &ticks_per_item, sizeof bits);
    /* Not 0, which means that nothing is known. */
    return (hash << FL_COST_BITS & ~UINT64_C(0xffff)) | FL_MAX(bits >> 16, 1);
}

/* Ticks an item that loops of that hash took; 0: not known. */
static inline float cost_recall(const struct fl_launch *launch, uint64_t hash)
{
    /* A hint: entries are replaced at any time. */
    uint64_t entry = fl_load_relaxed(&launch->cost[hash >> (64 - FL_COST_BITS)]);

    return (entry ^ hash << FL_COST_BITS) >> 16 == 0 ? cost_decode(entry) : 0;
}

/* Falls slowly: a body that is now cheap and now expensive counts as expensive, because
 * that mistake costs less. */
static inline void cost_note(struct fl_launch *launch, uint64_t hash,
                             float ticks_per_item)
{
    float before = cost_recall(launch, hash);

    if (ticks_per_item < before * 0.75f)
        ticks_per_item = before * 0.75f;
    fl_store_relaxed(&launch->cost[hash >> (64 - FL_COST_BITS)],
                     cost_encode(hash, ticks_per_item)); /* a hint */
}

/* --- prices ----------------------------------------------------------------------- */

static inline bool launch_must_wake(const struct fl_lot *lot)
{
    uint64_t hungry = fl_load_relaxed(&lot->hungry); /* a hint */

    return lot_searching(hungry) == 0 && lot_sleeping(hungry) > 0;
}

/* From how much work on it pays to share, as things stand. */
static inline uint64_t launch_price(const struct fl_launch *launch,
                                    const struct fl_lot *lot)
{
    return launch_must_wake(lot) ? launch->sleeping : launch->spinning;
}

/* A loop that does not pay for waking somebody may be one of many, which together do.
 * Whoever is woken looks on for a while after each: so when loops that follow each other
 * closely have missed as much as waking costs, it is time to wake. Costs at most twice
 * what knowing their number would: ski rental, Karlin, Manasse, Rudolph, Sleator 1988. */
bool fl_launch_missed_enough(struct fl_launch *launch, double ticks, uint64_t spin_ns);

/* --- distrust --------------------------------------------------------------------- */

static inline bool launch_is_distrusted(const struct fl_launch *launch, double ticks)
{
    uint64_t below = fl_load_relaxed(&launch->distrust_below); /* hints, all */

    return FILCH_UNLIKELY(below > 0) && ticks < (double)below &&
           fl_ticks() < fl_load_relaxed(&launch->distrust_until);
}

/* A chunk that was expected to take so long has taken so long: when the thread lost its
 * CPU meanwhile, see to it that this does not happen too often. Only for chunks that were
 * longer than FL_SUSPICIOUS_NS. */
void fl_launch_suspect(struct fl_launch *launch, uint64_t ticks, double expected);

/* Below, it does not matter, or cannot be the system's doing: a thread that lost its CPU
 * to another one gets it back after a slice of a millisecond and more. */
#define FL_SUSPICIOUS_NS 300000u

#endif
