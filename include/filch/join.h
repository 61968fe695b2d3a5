/* join.h - fork-join: two branches, the second of which another worker may take. */
#ifndef FILCH_JOIN_H
#define FILCH_JOIN_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A branch. 0 goes on; anything else is the error that the join returns. Must not be left
 * by longjmp or a C++ exception. */
typedef int filch_task(filch_worker *w, void *ctx);

/* Out of line, and cold: keep them off the path that nobody disturbs. */
FILCH_API FILCH_COLD int64_t filch_fork_slow(filch_worker *w, filch_job *job,
                                             int64_t index);
FILCH_API FILCH_COLD int filch_reclaim_slow(filch_worker *w, filch_job *job,
                                            int64_t index);

/* The private half of filch_fork: whether somebody is hungry, or the ring full, is for
 * the caller to look at, in gate. Returns the job's place. */
static inline int64_t filch_push(filch_worker *w, filch_job *entry)
{
    int64_t index = FILCH_LOAD_RELAXED(&w->tail); /* only the owner writes it */

    FILCH_STORE_RELAXED(&w->slot[index & (FILCH_RING_SLOTS - 1)], entry);
    /* ORDER(deque-private): pairs with the acquire of tail in deque_force_publish.
     * Whoever sees index + 1 sees the slot and all of *entry. Weakened:
     * tests/model/deque_force.c, "payload". */
    FILCH_STORE_RELEASE(&w->tail, index + 1);
    /* ORDER(gate-dekker): tail is stored before gate is read; pairs with the heavy fence
     * between the raise of the gate and the last look at tail in park_idle in idle.c.
     * Without it: tests/model/gate.c, "lost wake-up". */
    FILCH_FENCE_LIGHT();
    return index;
}

/**
 * filch_fork - offer a job to the other workers.
 *
 * The floating-point environment of a job that another worker takes is that of the call
 * around the forker (filch_run, a loop, a scope, a stolen job), see pool.h: not one to
 * which the body has gone since.
 *
 * job      in the caller's frame, with job->run set; usually the first member of a struct
 *          that holds the branch's arguments and result. Neither job->run, nor what the
 *          caller does until it takes the job back, may be left by longjmp or a C++
 *          exception. The job must stay until filch_reclaim returned non-zero or
 *          filch_await returned, which happens before the function that forked returns to
 *          filch. After filch_await job->run is gone: set it again before another fork.
 *
 * Returns  the job's place, for filch_reclaim.
 * Threads  w's own: inside a body, a task or filch_run.
 * Cost     two stores, one load, one compare: no fence, no locked instruction.
 *
 *     struct node { filch_job job; int n; long result; } right = { .n = n - 2 };
 *     right.job.run = node_run;
 *     int64_t place = filch_fork(w, &right.job);
 *     long left = fib(w, n - 1);
 *     if (filch_reclaim(w, &right.job, place))
 *         return left + fib(w, n - 2);  // nobody took it: call directly
 *     filch_await(w, &right.job);       // somebody called node_run(theirs, &right.job)
 *     return left + right.result;
 */
static inline int64_t filch_fork(filch_worker *w, filch_job *job)
{
    filch_job *entry;
    int64_t index;

    FILCH_FRAME_ADDRESS(entry, job);
    index = filch_push(w, entry);
    if (FILCH_UNLIKELY(index >= FILCH_LOAD_RELAXED(&w->gate)))
        return filch_fork_slow(w, job, index);
    return index;
}

/* The newest job again, where nobody has asked for it: the fast half of filch_reclaim. */
static inline int filch_reclaim_fast(filch_worker *w, int64_t place)
{
    /* Keeps the compiler from holding place + 1 in a register of its own over the branch:
     * a push and a pop less in the caller. */
    __asm__("" : "+r"(place));
    /* Something else lies above the job (a task spawned into an outer scope), or it was
     * never pushed (the ring was full). */
    if (FILCH_UNLIKELY(FILCH_LOAD_RELAXED(&w->tail) != place + 1))
        return 0;
    /* ORDER(deque-retract): pairs with the acquire of tail in deque_force_publish: a
     * forcer that publishes up to here has seen all that the owner did before. Weakened:
     * tests/model/deque_force.c, "payload". */
    FILCH_STORE_RELEASE(&w->tail, place);
    /* ORDER(pop-dekker): tail is stored before limit is read; pairs with the heavy fence
     * between limit and the second read of tail in deque_force_publish.
     * Without it: tests/model/deque_force.c, "run twice". */
    FILCH_FENCE_LIGHT();
    return place >= FILCH_LOAD_RELAXED(&w->limit);
}

/**
 * filch_reclaim - take a forked job back, newest first.
 *
 * place    what filch_fork returned for this job.
 *
 * Returns  non-zero when nobody took the job: the caller runs the branch itself (it calls
 *          its own function; job->run is not called by filch). 0 when another worker has
 *          it: call filch_await. Forks are reclaimed in reverse order, by w's own thread.
 * Cost     one store, two loads, two compares when the job is still private.
 */
static inline int filch_reclaim(filch_worker *w, filch_job *job, int64_t place)
{
    if (FILCH_LIKELY(filch_reclaim_fast(w, place)))
        return 1;
    return filch_reclaim_slow(w, job, place);
}

/**
 * filch_await - wait for a job that filch_reclaim did not get back.
 *
 * While it waits, the thread runs only work that this very job created.
 * On return the job has run, and its writes are visible.
 */
FILCH_API FILCH_COLD void filch_await(filch_worker *w, filch_job *job);

/* The second branch of filch_join, in the frame of the first. */
struct filch_join_branch {
    filch_job job;
    filch_task *task;
    void *ctx;
    int err;
};

FILCH_API void filch_join_run(filch_worker *w, filch_job *job);
FILCH_API FILCH_COLD int filch_join_slow(filch_worker *w, struct filch_join_branch *right,
                                         int64_t place, int err);
FILCH_API int filch_join_outside(filch_task *a, void *actx, filch_task *b, void *bctx);

/**
 * filch_join - run two branches, perhaps at the same time.
 *
 * Serial meaning:  err = a(w, actx); if (!err) err = b(w, bctx); return err;
 *
 * w        the caller's worker; NULL from outside a pool: the default pool is used, and
 *          the branches get their worker as an argument.
 *
 * Returns  a's value if it is not 0, otherwise b's. When a fails, b may have run or not.
 *          The default pool not being there is no error: the branches run on the caller.
 * Threads  w's own, or any with NULL.
 * Cost     as filch_fork and filch_reclaim, and inlined where a and b are known.
 */
static inline int filch_join(filch_worker *w, filch_task *a, void *actx, filch_task *b,
                             void *bctx)
{
    struct filch_join_branch right;
    int64_t place;
    int err;

    if (FILCH_UNLIKELY(!w))
        return filch_join_outside(a, actx, b, bctx);
    right.job.run = filch_join_run;
    right.task = b;
    right.ctx = bctx;
    place = filch_fork(w, &right.job);
    err = a(w, actx);
    /* All that is rare is behind one call, at the end, and bctx is read again: so nothing
     * but w and place has to be kept over the branch. */
    if (FILCH_LIKELY(filch_reclaim_fast(w, place)))
        return err ? err : b(w, right.ctx);
    return filch_join_slow(w, &right, place, err);
}

#ifdef __cplusplus
}
#endif
#endif
