/* pool.h - pools of workers, the options that every call takes, and what a body may ask
 * its worker.
 *
 * Floating-point environment. All that a call runs has that of the thread that makes the
 * call, as it was then, whichever thread runs it: bodies of loops, branches of joins, tasks
 * of scopes. It is the rounding mode, flushing of denormals (FTZ and DAZ on x86-64, FZ on
 * aarch64), the precision of the x87, and which exceptions trap; x86-64, aarch64 and
 * riscv64 are known, elsewhere threads keep their own. So results do not depend on who
 * works, and after the call the other threads have the one that they had before.
 *
 * A body may change its environment, and restores it before it returns. One that does not
 * changes that of whatever its thread runs next for the same call. Later calls do not see
 * it, but for those of the thread that made the call, as after a serial loop. A call nested
 * in a body hands on what the body has changed to. filch_fork,
 * filch_join with a worker and filch_spawn are no such calls: their branches and tasks
 * have the environment of the call around them when another thread runs them (a task:
 * always). To hand on another one, make them inside filch_run or filch_scope.
 *
 * Not handed on: the flags of exceptions that have occurred, which are raised in the
 * thread that ran the operation and may stay up there; errno; the locale of uselocale().
 * filch's own arithmetic rounds, so with FE_INEXACT unmasked a call may trap; it raises
 * no other exception. */
#ifndef FILCH_POOL_H
#define FILCH_POOL_H

#include <filch/cancel.h>
#include <filch/hot.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_pool filch_pool;

/* Where the threads of a pool run. */
enum filch_bind {
    FILCH_BIND_AUTO, /* core, when the pool covers every core it may use; else node */
    FILCH_BIND_CORE, /* one core each */
    FILCH_BIND_NODE, /* the NUMA nodes that the pool uses */
    FILCH_BIND_NONE  /* wherever the system likes */
};

/**
 * filch_pool_options - how to make a pool; 0 means chosen, for each.
 *
 * workers      threads at work together, the caller included: workers - 1 are started.
 *              Chosen: FILCH_NUM_THREADS, or as many as the affinity mask and the CPU
 *              quota allow. An explicit number may exceed the CPUs (at most
 *              FILCH_MAX_WORKERS).
 * bind         see enum filch_bind. Chosen: FILCH_BIND, or auto. The caller's own
 *              affinity is never changed. Who changes the masks of the threads later
 *              (taskset, a cpuset) has the last word: they stay where they are put, and
 *              filch_stats counts them (masks_changed). Bind the main thread before a
 *              pool is made, if at all: its CPU is left to it then
 * spin_us      how long a thread without work looks on before it sleeps, in microseconds,
 *              at most 10 seconds; -1: not at all. Chosen: FILCH_SPIN_US (where 0 means
 *              not at all), or 50, which is about what waking takes; 0 with more workers
 *              than CPUs.
 * stack_bytes  of each thread, raised to the least that a thread needs: what the system
 *              asks for, thread-local memory included, and 96 KiB: 64 for a call of filch
 *              that a body makes, 32 for the body and for handlers of signals. Chosen:
 *              FILCH_STACKSIZE, or the stack limit of the process.
 * inherit_scheduling  1: the threads have the scheduling class, priority and nice value of
 *              the thread that makes the pool (or starts it again, after a fork). 0: those
 *              of the process, that is of its main thread, when they start; but SCHED_OTHER
 *              where it has a real-time class. Without the right to leave SCHED_IDLE or to
 *              lower a nice value (CAP_SYS_NICE, RLIMIT_NICE), they keep what they inherit
 *              of these.
 *
 * A program that runs with more rights than its user (set-user-ID, set-group-ID, file
 * capabilities: where getauxval(AT_SECURE) is set) ignores all FILCH_ variables. It does not
 * call hwloc either, which obeys variables of its own and loads plug-ins that they name: each
 * CPU of the affinity mask then counts as a core.
 */
typedef struct filch_pool_options {
    size_t struct_size;
    uint32_t abi;
    uint32_t workers;
    int32_t bind;
    int32_t spin_us;
    size_t stack_bytes;
    uint32_t inherit_scheduling;
} filch_pool_options;

#define FILCH_MAX_WORKERS 4096u

#define FILCH_POOL_OPTIONS(...)   \
    (&(const filch_pool_options){ \
        .struct_size = sizeof(filch_pool_options), .abi = FILCH_HOT_ABI, __VA_ARGS__})

/**
 * filch_pool_create - start a pool of one's own.
 *
 * Signals: the threads block all but those of faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
 * SIGTRAP, SIGSYS), SIGPROF, and SIGPWR and SIGXCPU, by which garbage collectors stop
 * threads and let them go on; these two are blocked as well where who makes the pool
 * blocks them. So SIGXCPU for too much CPU time may find one of the threads. A run-time
 * that stops threads by other signals unblocks them (pthread_sigmask) in a body, where it
 * gets to know the thread; filch never changes a thread's mask later.
 *
 * Clocks: results do not depend on CLOCK_MONOTONIC, and no thread waits for it alone. The
 * processor's counter is not read where the thread that makes the first pool of the process
 * may not read it (PR_SET_TSC); a thread that forbids it to itself later must not call
 * filch.
 *
 * A child after fork() starts them again with its first call; a child that was forked
 * inside a body must not return from it, and the calls of all its threads on that pool run
 * on their callers alone. Handlers of pthread_atfork() may make calls, before the fork and
 * after it, but for one case: of a fork inside a body, a handler in the child that was
 * registered before filch was loaded.
 * When a thread of the pool ran the body, the child has the signal mask and the CPUs of
 * who made the pool (or started it again), unless somebody has changed the thread's since.
 * Threads that are started again run on the CPUs that the calling thread then has. posix_spawn() and vfork() in a body know
 * nothing of that: a program that they start has those of the thread that runs the body.
 *
 * Cancellation: the threads are never cancelled (pthread_cancel). For callers, see filch.h.
 *
 *     filch_pool *pool;
 *     int err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 4));
 *
 * options  NULL: all chosen.
 *
 * Returns  0; -EINVAL for an option out of range, a foreign struct_size or ABI number, or
 *          a NULL out; -ENOMEM, or another error of the system's. *out is NULL on
 *          failure. When the system gives fewer threads than asked for, none included,
 *          the pool works with those: see filch_pool_workers.
 * Threads  any.
 */
FILCH_API int filch_pool_create(filch_pool **out, const filch_pool_options *options);

/**
 * filch_pool_destroy - stop the threads and free the pool.
 *
 * No call on the pool may be running: a body that destroys its own pool is undefined, and
 * ends the process with one line on stderr where the library has assertions. NULL is
 * allowed. In a child after fork(), where the threads do not exist, it frees the memory.
 */
FILCH_API void filch_pool_destroy(filch_pool *pool);

/**
 * filch_pool_default - the pool of the calls that name none, made on first use.
 *
 * It is destroyed when the library is unloaded or the process exits, unless a call runs on
 * it then. Threads that go on during an exit may make calls, which run on their callers.
 *
 * Returns  NULL when there is no memory for it; loops then run on their caller, and a later
 *          call makes it once there is.
 * Stack    the call that makes a pool looks at the machine, and needs 128 KiB; calls that
 *          use one, 64 KiB besides what their bodies need; and calls in bodies of calls,
 *          64 KiB each.
 */
FILCH_API filch_pool *filch_pool_default(void);

/** filch_pool_workers - threads that work together in the pool, the caller included (at
 * least 1). NULL means the default pool. */
FILCH_API unsigned filch_pool_workers(filch_pool *pool);

/** filch_pool_reason - why the pool has that many workers: "FILCH_NUM_THREADS",
 * "options", "affinity mask", "CPU quota" or "threads that could be started"; or "affinity
 * mask refused", where the system does not tell the mask: then it has a worker for each CPU
 * of the machine, and binds none. NULL means the default pool, and "no memory for a pool"
 * when there is none. Static storage. */
FILCH_API const char *filch_pool_reason(filch_pool *pool);

/**
 * filch_opts - the options that every parallel call takes, by name, after the context:
 *
 *     filch_for(0, n, body, &args, .grain = 64, .pool = mine);
 *
 * The context comes first and cannot be left out; NULL, where there is none.
 *
 * Options that are refused: foreign ones, whose struct_size or abi is not this header's,
 * and a max_chunk below grain. A call with them returns -EINVAL and runs nothing.
 *
 * ctx          handed to every body (the argument before the options)
 * pool         NULL: the default pool; inside a body, the pool of that body
 * worker       the caller's (innermost) worker, where known: saves a thread-local look-up
 * grain        fewest items in one call of a loop's body, where the range allows;
 *              0: chosen, by time
 * max_chunk    most items in one call of a loop's body; 0: any number. Not below grain
 * tile         filch_for_2d and filch_for_3d: the tile's size, per dimension; 0: chosen
 * cancel       a token that ends the loop early, with -ECANCELED; see filch_cancel
 * progress     called on the calling thread while a loop runs, between two calls of its
 *              body and while it waits for others; see filch_progress
 * progress_ms  at most so often; 0: every 100 ms
 * max_workers  most threads in this call at a time, the caller included; 0: all;
 *              1: serial. Calls nested in it have a limit of their own. filch_scope and
 *              filch_run know no other limits than these two, and of the other options
 *              only pool and worker.
 */
typedef struct filch_opts {
    size_t struct_size;
    uint32_t abi;
    uint32_t max_workers;
    void *ctx;
    filch_pool *pool;
    filch_worker *worker;
    size_t grain;
    size_t max_chunk;
    filch_cancel *cancel;
    filch_progress *progress;
    uint32_t progress_ms;
    size_t tile[3];
} filch_opts;

#define FILCH_OPTS(...)   \
    (&(const filch_opts){ \
        .struct_size = sizeof(filch_opts), .abi = FILCH_HOT_ABI, .ctx = __VA_ARGS__})

/* What filch_run runs. Must not be left by longjmp or a C++ exception. */
typedef int filch_run_body(filch_worker *w, void *ctx);

/**
 * filch_run - enter a pool: run body on the calling thread, as a worker of the pool.
 *
 *     filch_run(body, ctx, .pool = mine);
 *
 * The way from outside to filch_fork and filch_join with a worker in hand.
 *
 * Returns  body's value; -EINVAL, and nothing run, for a NULL body, options that are
 *          refused, or .max_workers other than 0, 1 (all on the caller) or at least the
 *          pool's workers (any is right inside a scope or run that has one worker).
 */
#define filch_run(body, ...) filch_run_with(body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_run_with(filch_run_body *body, const filch_opts *opts);

/**
 * filch_lane - the number of the calling worker in the innermost parallel loop.
 *
 * Dense, in [0, filch_lanes(w)), exclusive while a body runs: no other body of the same
 * loop runs on that lane until this one returns, whatever it waits for in between. So
 * scratch memory can be indexed by it. 0 outside a loop, and for NULL.
 *
 * For the loop's body itself. A branch of a join and a task are outside the loop when
 * another worker runs them: read the lane in the body, and hand it on.
 */
FILCH_API unsigned filch_lane(const filch_worker *w);

/** filch_lanes - the limit of filch_lane in the innermost loop; 1 outside, and for
 * NULL. */
FILCH_API unsigned filch_lanes(const filch_worker *w);

/** filch_lane_limit - the limit that filch_lane will have in a call with these options,
 * known before the call: min(filch_pool_workers, max_workers). 0 for options that a call
 * would refuse. */
#define filch_lane_limit(...) filch_lane_limit_with(FILCH_OPTS(NULL, __VA_ARGS__))
FILCH_API unsigned filch_lane_limit_with(const filch_opts *opts);

/** filch_cancelled - whether an error, or the loop's .cancel, has made the rest of the
 * innermost loop or scope of w unnecessary. A long body asks now and then, and may return
 * early with any value. 0 for NULL. */
FILCH_API int filch_cancelled(const filch_worker *w);

/** filch_worker_current - the calling thread's worker, or NULL outside a pool. */
FILCH_API filch_worker *filch_worker_current(void);

/** filch_version - "major.minor.patch" of the library that is running. */
FILCH_API const char *filch_version(void);

#ifdef __cplusplus
}
#endif
#endif
