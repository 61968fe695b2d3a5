/* escape.c - finding bodies that did not come back, or end their pool; see escape.h. */
#define _GNU_SOURCE
#include "escape.h"

#ifdef FL_ASSERTIONS

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The innermost call of a user's function on this thread, and the frame that made it. The
 * mark itself is not looked at from outside: its frame may be gone. */
static _Thread_local const struct fl_mark *innermost
    __attribute__((tls_model("initial-exec")));
static _Thread_local const void *innermost_frame
    __attribute__((tls_model("initial-exec")));

static void say_so_and_abort(void)
{
    fputs("filch: a body, task or branch was left by longjmp, an exception or the end of "
          "its thread\n",
          stderr);
    abort();
}

/* Whether a branch of a join lies above where the deque ended: nobody waits for it. Not
 * found where a thief has it. */
static bool is_branch_left(const struct fl_mark *mark)
{
    filch_worker *hot;
    int64_t index, least;

    if (!mark->worker || !worker_has_ring(mark->worker))
        return false;
    hot = worker_hot(mark->worker);
    least = FL_MAX(mark->tail, fl_load_relaxed(&mark->worker->deque.top)); /* at least */
    for (index = fl_load_relaxed(&hot->tail) - 1; index >= least; index--)
        if (!entry_is_task(fl_load_relaxed(&hot->slot[index & FL_DEQUE_MASK])))
            return true; /* its own slots */
    return false;
}

void fl_mark_begin(struct fl_mark *mark, struct fl_worker *worker, const void *frame)
{
    mark->outer = innermost;
    mark->outer_frame = innermost_frame;
    mark->worker = worker;
    mark->tail = worker ? fl_load_relaxed(&worker->deque.hot.tail) : 0; /* its own */
    mark->is_over = false;
    innermost = mark;
    innermost_frame = frame;
}

void fl_mark_end(struct fl_mark *mark)
{
    mark->is_over = true;
    if (innermost != mark || is_branch_left(mark))
        say_so_and_abort();
    innermost = mark->outer;
    innermost_frame = mark->outer_frame;
}

void fl_mark_clean_up(struct fl_mark *mark)
{
    if (!mark->is_over)
        say_so_and_abort();
}

/* Not on the stack of a coroutine, whose frames may lie anywhere. */
static bool are_on_own_stack(const void *one, const void *other)
{
    pthread_attr_t attributes;
    void *start;
    size_t bytes;
    bool are;
    int cancel = fl_cancel_hold(); /* for the main thread a file is read */
    int err = pthread_getattr_np(pthread_self(), &attributes);

    fl_cancel_release(cancel);
    if (err)
        return false;
    are = pthread_attr_getstack(&attributes, &start, &bytes) == 0 &&
          (uintptr_t)one - (uintptr_t)start < bytes &&
          (uintptr_t)other - (uintptr_t)start < bytes;
    pthread_attr_destroy(&attributes);
    return are;
}

/* Stacks grow downwards: what a body calls has its frame below the body's caller's. */
void fl_check_escapes(const void *frame)
{
    if (innermost && (uintptr_t)frame >= (uintptr_t)innermost_frame &&
        are_on_own_stack(frame, innermost_frame))
        say_so_and_abort();
}

void fl_check_destroy(const struct filch_pool *pool)
{
    const struct fl_worker *worker;

    for (worker = fl_current; worker; worker = worker->outer) {
        if (worker->pool != pool)
            continue;
        fputs("filch: a body, task or branch destroys the pool that it runs on\n",
              stderr);
        abort();
    }
}

#endif
