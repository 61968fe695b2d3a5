/* bind.h - where the threads of a pool run.
 *
 * Job: give each thread of a pool that covers all cores a core of its own, and the
 * threads of a smaller pool the nodes that it uses. One CPU is left to callers, who are
 * never bound; a thread on whose CPU a caller turns up moves to the one that is free.
 * Relies on topology.h for the CPUs and their order. Never binds more than the calling
 * thread.
 */
#ifndef FL_BIND_H
#define FL_BIND_H

#include "worker.h"

/* Settle how the pool's threads are bound. Pre: its topology is loaded, bind and wanted
 * are set. 0 or -ENOMEM; pool->bind_set is the caller's to free. */
int fl_bind_prepare(struct filch_pool *pool);

/* Give each thread slot its CPU, before the threads start. */
void fl_bind_place(struct filch_pool *pool);

/* Bind the calling thread, which is the worker's. Best effort: a thread that cannot be
 * bound works all the same. */
void fl_bind_thread(struct fl_worker *worker);

/* Let the calling thread run wherever the pool's maker might, as far as the topology
 * knows. Allocates nothing: a child of fork() may not. */
void fl_bind_undo(const struct filch_pool *pool);

/* A caller, who has work to share, says which CPU it is on. */
static inline void bind_note_caller(const struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    if (pool->bind == FILCH_BIND_CORE && !worker->has_thread)
        fl_store_relaxed(&pool->caller_cpu, fl_current_cpu()); /* a hint */
}

/* Take the calling thread, which is the worker's, off the CPU that a caller is on. */
void fl_bind_make_way(struct fl_worker *worker);

static inline bool bind_is_in_the_way(const struct fl_worker *worker)
{
    const struct filch_pool *pool = worker->pool;

    return worker->bound_cpu >= 0 && pool->bind == FILCH_BIND_CORE &&
           fl_load_relaxed(&pool->caller_cpu) == worker->bound_cpu; /* a hint */
}

#endif
