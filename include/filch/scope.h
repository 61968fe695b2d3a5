/* scope.h - a scope: any number of tasks, spawned from anywhere below it, waited for at
 * its end. */
#ifndef FILCH_SCOPE_H
#define FILCH_SCOPE_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_scope filch_scope;

/* A scope's body, and a task of it. ctx of a task is its own copy. 0 goes on; anything
 * else is an error. Must not be left by longjmp or a C++ exception. */
typedef int filch_scope_body(filch_worker *w, filch_scope *scope, void *ctx);

/**
 * filch_scope - run body, then wait for all tasks that were spawned into the scope.
 *
 *     static int walk(filch_worker *w, filch_scope *scope, void *ctx)
 *     {
 *         struct folder *folder = ctx;    // a copy
 *         ...
 *         filch_spawn(w, scope, walk, &subfolder, sizeof subfolder);  // and go on
 *         return 0;
 *     }
 *
 *     err = filch_scope(walk, &root, .pool = mine);
 *
 * Returns  0; else the body's own value if it is not 0; else the value of the failing
 *          task that was spawned first. After a failure, tasks not yet started may be
 *          skipped. -EINVAL, and nothing run, for a NULL body, options that are refused,
 *          or .max_workers other than 0, 1 (all on the caller) or at least the pool's
 *          workers (any is right inside a scope or run that has one worker). All writes
 *          made by the tasks are visible to the caller.
 * Threads  any, also from inside a body or task.
 */
#define filch_scope(body, ...) filch_scope_with(body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_scope_with(filch_scope_body *body, const filch_opts *opts);

/**
 * filch_spawn - add a task to a scope.
 *
 * Serial meaning:  task(w, scope, copy of ctx)
 *
 * w          the caller's worker
 * scope      the scope whose body or task is running, or one around it. Its end waits for
 *            the task, also when the spawner has long returned.
 * ctx        ctx_bytes from here are copied into the task; the task gets the copy,
 *            aligned as by malloc, and the spawner's memory may change at once. Size 0:
 *            ctx itself is handed on, and must outlive the task.
 *
 * The task runs in the floating-point environment of the scope's caller, unless
 * a task before it left another one behind in its thread (see pool.h).
 *
 * Returns  0; -EINVAL for a NULL worker, scope or task, or a NULL ctx with a size. It
 *          never fails for lack of memory: the task then runs at once, inside the call,
 *          and a context of over 64 bytes is the spawner's own. It may do so when the
 *          deque is full, too.
 * Cost     one locked instruction for 64 tasks that the scope's own worker spawns and runs;
 *          else two for each, and one when it ends. A worker keeps its tasks for the next
 *          spawns, so no allocation for ctx_bytes <= 64 once there have been as many at a
 *          time; malloc above that.
 */
FILCH_API int filch_spawn(filch_worker *w, filch_scope *scope, filch_scope_body *task,
                          const void *ctx, size_t ctx_bytes);

/**
 * filch_sync - wait, in the scope's body, for all tasks spawned so far.
 *
 * Returns  0, or the value that filch_scope would return for the tasks so far; -EDEADLK
 *          from inside a task of the scope, which would wait for itself; -EINVAL for
 *          NULL, and in a loop or a nested scope that the body calls. Not to be called in
 *          a branch of a join, or between a fork and its reclaim: -EINVAL where that
 *          shows.
 */
FILCH_API int filch_sync(filch_worker *w, filch_scope *scope);

#ifdef __cplusplus
}
#endif
#endif
