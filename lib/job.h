/* job.h - what a deque holds, and the two latches that say a job is done.
 *
 * Job: name the two kinds of entries and latches in one place.
 *
 *   a join    a bare filch_job in its forker's frame. It is its own latch: its word
 *             holds the function, then who took it, then who waits, then 0.
 *   a task    an fl_task, counted in a latch that it shares with others (the pieces of a
 *             loop, the tasks of a scope). Marked in the entry by the lowest bit.
 *
 * A latch lives on the waiter's stack: setting it is the last touch, and whoever sets it
 * has read before whom to wake. Knows no pool and no deque.
 */
#ifndef FL_JOB_H
#define FL_JOB_H

#include <filch/hot.h>
#include "base.h"
#include "atomics.h"
#include "fpenv.h"
#include "park.h"

/* Counts what is outstanding: items of a loop, tasks of a scope. */
struct fl_latch {
    uint64_t remaining;
    uint32_t is_hungry;       /* the waiter is out of work, and may be asleep */
    struct fl_parker *waiter; /* constant */
    fl_fpenv fpenv;           /* of the call, for all that it counts; constant */
};

struct fl_task {
    filch_job job;
    struct fl_latch *latch;
    bool is_bound; /* handed over, and only for those who work on the latch already */
};

/* --- entries ---------------------------------------------------------------------- */

static inline filch_job *entry_of_task(struct fl_task *task)
{
    return (filch_job *)((uintptr_t)&task->job | 1);
}

static inline bool entry_is_task(const filch_job *entry)
{
    return (uintptr_t)entry & 1;
}

static inline struct fl_task *entry_task(filch_job *entry)
{
    return FL_CONTAINER_OF((uintptr_t)entry & ~(uintptr_t)1, struct fl_task, job);
}

/* A join that only its waiter may run, in the queue of inject.h. */
#define ENTRY_BOUND ((uintptr_t)2)

static inline filch_job *entry_of_bound_join(filch_job *join)
{
    return (filch_job *)((uintptr_t)join | ENTRY_BOUND);
}

static inline bool entry_is_bound(filch_job *entry)
{
    return entry_is_task(entry) ? entry_task(entry)->is_bound
                                : ((uintptr_t)entry & ENTRY_BOUND) != 0;
}

/* The same, without that mark. */
static inline filch_job *entry_unmarked(filch_job *entry)
{
    return (filch_job *)((uintptr_t)entry & ~ENTRY_BOUND);
}

/* --- who is served -------------------------------------------------------------------
 * The address of a latch: an fl_latch with the lowest bit set, or a join's filch_job. */

typedef uintptr_t fl_served;

static inline fl_served served_by_entry(filch_job *entry)
{
    return entry_is_task(entry) ? (fl_served)entry_task(entry)->latch | 1
                                : (fl_served)entry;
}

static inline fl_served served_by_latch(const struct fl_latch *latch)
{
    return (fl_served)latch | 1;
}

static inline struct fl_latch *served_latch(fl_served served)
{
    return served & 1 ? (struct fl_latch *)(served & ~(fl_served)1) : NULL;
}

static inline filch_job *served_join(fl_served served)
{
    return served & 1 ? NULL : (filch_job *)served;
}

/* --- the latch of a join -------------------------------------------------------------
 * function -> thief's parker -> waiter's parker | 1 -> 0, or without the third step. */

static inline bool join_is_done(const filch_job *job)
{
    /* ORDER(join-done): pairs with the swap in join_finish: who sees 0 sees what the job
     * did. Weakened: tests/model/latch.c, "payload". */
    return fl_load_acquire(&job->state) == 0;
}

/* The thief begins. Returns the function to call. */
static inline filch_job_fn *join_begin(filch_job *job, struct fl_parker *thief)
{
    /* ORDER(join-taken): pairs with the CAS in join_register. Release: a waiter that
     * registers sees what the thief published before, namely whom it serves. Weakened:
     * tests/model/serving.c, "lost wake-up"; tests/model/latch.c, "serves". */
    uintptr_t function = fl_swap_acq_rel(&job->state, (uintptr_t)thief);

    return (filch_job_fn *)function;
}

/* The waiter goes to sleep: let the thief know whom to wake, and to feed meanwhile. Pre:
 * the word held thief when last read. False: the job has been finished since. */
static inline bool join_register(filch_job *job, struct fl_parker *thief,
                                 struct fl_parker *waiter)
{
    uintptr_t expected = (uintptr_t)thief;

    /* ORDER(join-taken): pairs with the swap in join_begin; release, for the swap in
     * join_finish, of the parker. Weakened: tests/model/latch.c, "serves", "set up". */
    return fl_cas_acq_rel(&job->state, &expected, (uintptr_t)waiter | 1);
}

/* Who sleeps or searches for want of the job's work, or NULL. Only for the thief while it
 * runs the job: before join_begin the word may be any function's address. */
static inline struct fl_parker *join_waiter(const filch_job *job)
{
    uintptr_t state = fl_load_relaxed(&job->state); /* ordered by the caller's fence */

    return state & 1 ? (struct fl_parker *)(state & ~(uintptr_t)1) : NULL;
}

/* The thief is done; returns whom to notify, or NULL. The last touch of the job. */
static inline struct fl_parker *join_finish(filch_job *job)
{
    /* ORDER(join-done): release for join_is_done; acquire for a parker that came by the
     * CAS in join_register. Weakened: tests/model/latch.c, "payload", "set up". */
    uintptr_t state = fl_swap_acq_rel(&job->state, (uintptr_t)0);

    return state & 1 ? (struct fl_parker *)(state & ~(uintptr_t)1) : NULL;
}

/* --- the counting latch ----------------------------------------------------------- */

/* Returns the count that is left. Release: whoever sees the latch set sees what was
 * counted. The caller has read latch->waiter before, and touches the latch no more. */
static inline uint64_t latch_count_down(struct fl_latch *latch, uint64_t amount)
{
    /* ORDER(latch-done): pairs with the acquire in latch_is_down; acquire so that the
     * last one passes on what the others released. Weakened: tests/model/latch.c,
     * "payload". */
    return fl_sub_acq_rel(&latch->remaining, amount) - amount;
}

static inline bool latch_is_down(const struct fl_latch *latch, uint64_t to)
{
    /* ORDER(latch-done): pairs with latch_count_down. Weakened: tests/model/latch.c,
     * "payload". */
    return fl_load_acquire(&latch->remaining) <= to;
}

#endif
