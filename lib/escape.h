/* escape.h - calls of the user's functions, which must come back.
 *
 * Job: in builds with assertions, end the process with one clear line when a body, task
 * or branch was left by longjmp, an exception or the end of its thread (cancellation
 * included), or destroys the pool that it runs on. Other builds do nothing, at no cost.
 *
 * Each call is marked in its thread. An exception runs the mark's clean-up. longjmp runs
 * nothing: it shows when a call around it comes back and finds another mark than its own,
 * or when filch is called from a frame above the mark. A branch that was jumped out of
 * inside a body leaves its job behind in the deque. Best effort: a jump to a frame from
 * which only deeper ones call filch is found when the pool ends, or not at all.
 *
 * Coroutines (ucontext) may make calls in a body, if the calls of a thread end in the
 * reverse order of their beginning: a nested call shares the worker, its deque and its
 * context with the calls around it, so that another order breaks other builds, too.
 * Frames are compared only where both lie on the thread's own stack, because a coroutine's
 * may lie anywhere. A coroutine whose stack is an array in a frame of the same thread,
 * further out than the body, cannot be told from a jump there: builds with assertions do not
 * support it.
 */
#ifndef FL_ESCAPE_H
#define FL_ESCAPE_H

#include "worker.h"

/* The model checker's threads are coroutines. */
#if !defined(FL_ASSERTIONS) || defined(FILCH_ATOMICS_HEADER)

/* Do what calls a function of the user's, on this worker (or NULL: on none). */
#define FL_CALL_USER(worker, statement) \
    do {                                \
        statement;                      \
    } while (0)

/* Stands in the functions that users call. */
#define FL_CHECK_ESCAPES()     ((void)0)
#define FL_CHECK_DESTROY(pool) ((void)0)

#else

struct fl_mark {
    const struct fl_mark *outer;
    const void *outer_frame;
    struct fl_worker *worker;
    int64_t tail; /* of its deque */
    bool is_over;
};

void fl_mark_begin(struct fl_mark *mark, struct fl_worker *worker, const void *frame);
void fl_mark_end(struct fl_mark *mark);
void fl_mark_clean_up(struct fl_mark *mark);
void fl_check_escapes(const void *frame);
void fl_check_destroy(const struct filch_pool *pool);

#define FL_CALL_USER(user_worker, statement)                              \
    do {                                                                  \
        __attribute__((cleanup(fl_mark_clean_up))) struct fl_mark mark_;  \
                                                                          \
        fl_mark_begin(&mark_, (user_worker), __builtin_frame_address(0)); \
        statement;                                                        \
        fl_mark_end(&mark_);                                              \
    } while (0)

#define FL_CHECK_ESCAPES()     fl_check_escapes(__builtin_frame_address(0))
#define FL_CHECK_DESTROY(pool) fl_check_destroy(pool)

#endif
#endif
