/* bind.h - where the threads of a pool run.
 *
 * Job: give each thread of a pool that covers all cores a core of its own, and the
 * threads of a smaller pool the nodes that it uses. One CPU is left to callers, who are
 * never bound; a thread on whose CPU a caller turns up moves to the one that is free.
 * Relies on topology.h for the CPUs and their order. Never binds more than the calling
 * thread.
 *
 * Somebody else may change the masks of threads at any time (taskset, a control group's
 * cpuset), and has the last word. A thread is bound only within what its starter may use at
 * that time; it moves, and a child of fork() is given its maker's CPUs, only while the mask
 * is still the one that was set here. A main thread that has just the mask of a pool's
 * thread looks like that, too: if it was bound to that CPU after the pool was made, the
 * thread stays there. One exception cannot be closed: a change that comes
 * between reading the mask and setting it, a microsecond later, is overwritten.
 */
#ifndef FL_BIND_H
#define FL_BIND_H

#include "worker.h"

/* How often a thread that has work looks whether its mask was changed: some 0.3 us each. */
#define FL_LOOK_AFTER_NS 10000000u

/* Settle how the pool's threads are bound. Pre: its topology is loaded, bind and wanted
 * are set. 0 or -ENOMEM; pool->bind_set is the caller's to free. */
int fl_bind_prepare(struct filch_pool *pool);

/* Give each thread slot its CPU, before the calling thread starts the threads. */
void fl_bind_place(struct filch_pool *pool);

/* Bind the calling thread, which is the worker's and has just started. Best effort: a
 * thread that cannot be bound works all the same. */
void fl_bind_thread(struct fl_worker *worker);

/* In a child of fork() whose only thread was the worker's: let it run wherever the starter
 * of the pool's threads might. Allocates nothing: a child of fork() may not. */
void fl_bind_undo(const struct fl_worker *worker);

/* A caller, who has work to share, says which CPU it is on. */
static inline void bind_note_caller(const struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    if (pool->bind == FILCH_BIND_CORE && !worker->has_thread)
        fl_store_relaxed(&pool->caller_cpu, fl_current_cpu()); /* a hint */
}

static inline bool bind_is_in_the_way(const struct fl_worker *worker)
{
    const struct filch_pool *pool = worker->pool;

    return worker->bound_cpu >= 0 && pool->bind == FILCH_BIND_CORE &&
           fl_load_relaxed(&pool->caller_cpu) == worker->bound_cpu; /* a hint */
}

static inline bool bind_needs_look(const struct fl_worker *worker, uint64_t now)
{
    return worker->given_mask &&
           (bind_is_in_the_way(worker) || now - worker->looked_ns >= FL_LOOK_AFTER_NS);
}

/* Look whether somebody has changed the mask of the calling thread, which is the worker's;
 * if not, take it off the CPU that a caller is on. */
void fl_bind_look(struct fl_worker *worker, uint64_t now);

#endif
