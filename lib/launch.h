/* launch.h - what a loop will take, and what help costs: whether to ask for it.
 *
 * Job: three things that a pool learns while it runs, all of them hints that decide how
 * fast a loop runs and never what it computes.
 *
 *   costs      what loops of a body, and about that long, took: a small table.
 *   prices     from how much remaining work on it pays to ask a worker that spins, or one
 *              that sleeps. Measured when the pool starts (prices.c).
 *   back-off   when not to ask, although it would pay. A worker that lost its CPU to
 *              another process in the middle of a chunk kept its loop waiting for a time
 *              slice. For ten times that long, shorter loops are run by their callers
 *              alone: so a neighbour on the other core costs a tenth at worst.
 *
 * Times are in ticks (clock.h). Knows no pool.
 */
#ifndef FL_LAUNCH_H
#define FL_LAUNCH_H

#include <string.h>
#include "atomics.h"
#include "clock.h"
#include "park.h"

/* A power of two: the index of an entry's first place is the top of its hash; the place
 * beside it is the second one. Programs with hundreds of loops at a dozen lengths each have
 * a thousand entries: a loop that is forgotten from call to call is shared in vain. */
#define FL_COST_BITS 11

struct fl_launch {
    /* Ticks; constant while calls run. */
    uint64_t spinning, sleeping;
    float tiny; /* a loop of less feels a look at the clock */
    /* A tag of 48 bits, and the upper half of a float: ticks an item. 0: empty. */
    uint64_t cost[1 << FL_COST_BITS];
    /* Loops of less than back_off_below ticks are not shared before back_off_until. */
    _Alignas(64) uint64_t back_off_until, back_off_below;
    /* What a worker that spins costs above what was measured, at that time. */
    uint64_t raise, raised_at;
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

static inline bool cost_is_of(uint64_t entry, uint64_t hash)
{
    return (entry ^ hash << FL_COST_BITS) >> 16 == 0;
}

/* Ticks an item that loops of that hash took; 0: not known. */
static inline float cost_recall(const struct fl_launch *launch, uint64_t hash)
{
    uint64_t place = hash >> (64 - FL_COST_BITS);
    /* Hints: entries are replaced at any time. */
    uint64_t entry = fl_load_relaxed(&launch->cost[place]);

    if (FILCH_UNLIKELY(!cost_is_of(entry, hash)))
        entry = fl_load_relaxed(&launch->cost[place ^ 1]);
    return cost_is_of(entry, hash) ? cost_decode(entry) : 0;
}

/* Falls slowly: a body that is now cheap and now expensive counts as expensive, because
 * that mistake costs less. */
static inline void cost_note(struct fl_launch *launch, uint64_t hash,
                             float ticks_per_item)
{
    uint64_t place = hash >> (64 - FL_COST_BITS);
    float before = cost_recall(launch, hash);
    uint64_t entry;

    if (ticks_per_item < before * 0.75f)
        ticks_per_item = before * 0.75f;
    /* Hints, all: of two at once, one may get lost. */
    entry = fl_load_relaxed(&launch->cost[place]);
    if (!cost_is_of(entry, hash)) {
        if (before > 0)
            place ^= 1; /* where it is */
        else if (entry)
            fl_store_relaxed(&launch->cost[place ^ 1], entry); /* the older one goes */
    }
    fl_store_relaxed(&launch->cost[place], cost_encode(hash, ticks_per_item));
}

/* --- prices ----------------------------------------------------------------------- */

static inline bool launch_must_wake(const struct fl_lot *lot)
{
    uint64_t hungry = fl_load_relaxed(&lot->hungry); /* a hint */

    return lot_searching(hungry) == 0 && lot_sleeping(hungry) > 0;
}

/* A raise of the price is forgotten by half in so long: what kept the workers busy may be
 * over, and nothing else would tell. */
#define FL_RAISE_HALF_LIFE_NS 5000000u

/* The price of a worker that spins, as short loops have found it lately: it may have no CPU
 * just now, or be far away. */
static inline uint64_t launch_spinning(const struct fl_launch *launch)
{
    uint64_t raise = fl_load_relaxed(&launch->raise), halves; /* hints */

    if (FILCH_LIKELY(raise == 0))
        return launch->spinning;
    halves = fl_ticks_since(fl_load_relaxed(&launch->raised_at), fl_ticks()) /
             fl_ticks_of_ns(FL_RAISE_HALF_LIFE_NS);
    return launch->spinning + (halves < 32 ? raise >> halves : 0);
}

/* A loop that short took so long when it was shared, with a worker that spun; alone it
 * would have taken about so long: adapt the price. */
void fl_launch_compare(struct fl_launch *launch, double alone, uint64_t shared);

/* From how much work on it pays to share, as things stand. */
static inline uint64_t launch_price(const struct fl_launch *launch,
                                    const struct fl_lot *lot)
{
    return launch_must_wake(lot) ? launch->sleeping : launch_spinning(launch);
}

/* A loop that does not pay for waking somebody may be one of many, which together do.
 * Whoever is woken looks on for a while after each: so when loops that follow each other
 * closely have missed as much as waking costs, it is time to wake. Costs at most twice
 * what knowing their number would: ski rental, Karlin, Manasse, Rudolph, Sleator 1988. */
bool fl_launch_missed_enough(struct fl_launch *launch, double ticks, uint64_t spin_ns);

/* --- back-off --------------------------------------------------------------------- */

/* A thread that loses its CPU to another one gets it back after a time slice: a
 * millisecond and more. What takes less longer than expected is not worth a question to the
 * system, which takes 0.3 us. */
#define FL_SUSPICIOUS_NS 300000u

/* Whatever was lost: the machine may have been asleep. */
#define FL_LONGEST_BACK_OFF_NS 1000000000u

/* How many of so many ticks, in which the calling thread was expected to work for so many,
 * it had no CPU, because the system gave that to another thread. 0 for what did not take
 * FL_SUSPICIOUS_NS longer than expected, and for a thread that slept since it was told
 * last. */
uint64_t fl_preempted_ticks(uint64_t ticks, double expected);

/* The calling thread begins work that may be interrupted. Now and then it asks what it lost
 * before. */
void fl_preempted_begin(uint64_t now);

/* The calling thread has slept: that is not time which others took away. */
void fl_preempted_forget(void);

/* A worker lost its CPU for so long: loops which that could ruin are not shared for a
 * while. */
void fl_launch_was_preempted(struct fl_launch *launch, uint64_t ticks);

/* Whether a loop of so many ticks is better not shared just now. */
static inline bool launch_is_backing_off(const struct fl_launch *launch, double ticks)
{
    uint64_t below = fl_load_relaxed(&launch->back_off_below); /* hints, all */

    return FILCH_UNLIKELY(below > 0) && ticks < (double)below &&
           /* Not where the clock was put back: it has been read before it stood there. */
           fl_load_relaxed(&launch->back_off_until) - fl_ticks() - 1 <
               fl_ticks_of_ns(FL_LONGEST_BACK_OFF_NS);
}

#endif
