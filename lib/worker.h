/* worker.h - a worker: its deque, what it serves, and how it finds work and waits.
 *
 * Job: the loop of a pool's thread, stealing, sharing, and isolated waiting. What a pool
 * is made of stands here too, because thieves walk it; making and ending pools is
 * pool.c's. Knows no algorithm: tasks come with the function that runs them.
 */
#ifndef FL_WORKER_H
#define FL_WORKER_H

#include "counters.h"
#include "deque.h"
#include "inject.h"
#include "launch.h"
#include "park.h"
#include "platform.h"
#include "topology.h"

/* Where the lowest failure of a loop or scope is kept; see failure_record. */
struct fl_failure {
    uint64_t at; /* UINT64_MAX: none */
    uint32_t lock;
    int value;
};

/* What a waiter does now and then while it waits. */
struct fl_watch {
    void (*look)(struct fl_watch *watch); /* not before: */
    uint64_t next_ns;                     /* UINT64_MAX: never again */
};

/* What filch_lane, filch_lanes and filch_cancelled answer from: the innermost call. */
struct fl_context {
    struct fl_loop *loop; /* NULL outside a loop */
    uint32_t lane, lanes;
    const struct filch_scope *scope; /* whose very body runs, or NULL */
    struct fl_failure *failure;      /* of the innermost loop or scope, or NULL */
    uint64_t at;                     /* where the running body stands in it */
    const filch_cancel *cancel;      /* the token of the innermost loop, or NULL */
    struct fl_watch *watch;          /* while it waits for its own loop, or NULL */
    bool is_draining; /* the caller of the running task pops what it leaves behind */
};

struct filch_pool;

/* Pieces that a worker can have on offer at a time, over all the loops it is in: 64
 * halvings of the longest range, for a few loops in each other. With none free a range is
 * not split further. */
#define FL_PIECES 256

/* Half a range on offer, in its splitter's worker; free again when the thief has copied
 * it. */
struct fl_piece {
    _Alignas(64) struct fl_task task;
    struct fl_loop *loop;
    size_t begin, end;
    bool is_rights; /* begin and end count rights to a part of the loop */
    uint32_t is_busy;
};

struct fl_worker {
    /* Read by thieves. */
    _Alignas(64) uint64_t serving; /* whom, and a number that changes with each change */
    fl_fpenv fpenv;                /* in which all runs that lies in the deque */
    uint32_t is_closed;            /* its loop has all the workers it may have */
    struct fl_parker parker;

    /* scope.c's: spare tasks on their way back to free_tasks, from who ran them. */
    _Alignas(64) struct fl_spawned *returned_tasks;

    /* The owner's. */
    _Alignas(64) struct filch_pool *pool;
    uint32_t index;          /* slot in the pool; FL_SOLO for a caller without one */
    uint32_t random;         /* state of the victim generator */
    bool was_stolen_from;    /* since it last shared what it has */
    bool was_invited;        /* what it ran came from who had found that help pays */
    uint64_t serves;         /* how often it changed whom it serves */
    struct fl_worker *outer; /* the caller's worker in another pool, from inside a call */
    struct fl_context context;
    struct fl_task_frame
        *frames; /* scope.c's: the tasks that are running, innermost first */
    struct fl_spawned *free_tasks; /* scope.c's: spare ones */
    uint32_t at_once;              /* scope.c's: tasks running inside their spawners */
    struct fl_spawned *deferred;   /* scope.c's: tasks without room, of a worker alone */
    uint32_t piece_next;           /* loop.c's: where to look for a free piece */
    struct fl_piece *pieces;
    void *arena; /* reduce.c's: memory that is kept from call to call */
    size_t arena_bytes;
    bool arena_is_busy;

    /* Set up by the pool. */
    fl_thread thread;
    bool has_thread;
    bool is_outside;   /* a caller in no slot: calls nested in it enter the pool */
    bool has_forked;   /* without a slot, in vain */
    int cpu;           /* index in the pool's topology, -1: not known */
    int bound_cpu;     /* bind.h's: the system's number, -1: not to one */
    uint64_t moved_ns; /* and when that changed last */
    uint64_t
        given_mask;     /* bind.h's: the mask that the thread was given, as a hash; 0: not
                            known, or somebody has changed it */
    uint64_t looked_ns; /* when it was last looked at */
    uint16_t *victims;  /* all other slots, nearest first */
    uint32_t victim_ring_end[FL_ELSEWHERE + 1];

    struct fl_counters counters;
    struct fl_deque deque; /* last, see fl_deque */
};

#define FL_SOLO       UINT32_MAX
#define FL_MAX_GUESTS 64

struct filch_pool {
    struct fl_lot lot;
    struct fl_launch launch; /* not allocated: see destroy_default_pool in process.c */
    struct fl_inject inject;
    _Alignas(64) uint64_t guests_in; /* bit g: guest slot g is taken */
    uint32_t is_stopping;
    uint32_t has_fpenvs; /* calls came with others than fpenv */
    int caller_cpu;      /* bind.h's: where a caller was last seen, */
    int spare_cpu;       /* and which one no thread is bound to */

    /* Constant while calls run. */
    _Alignas(64) struct fl_worker *slot; /* the threads' first, then the guests' */
    uint32_t thread_slots;
    uint32_t slots;
    uint32_t
        workers; /* what runs together: the threads that could be started, and a caller */
    bool is_asymmetric;
    uint64_t spin_ns;
    enum filch_bind bind;
    fl_fpenv fpenv;      /* of who started the pool */
    uint32_t generation; /* of forks; see process.c */
    uint32_t inhabited;  /* in which a body goes on that the parent was in; 0: none */
    bool is_over;        /* the default pool's, at exit */
    fl_signals signals;  /* what the starter of the threads had blocked */
    /* pool.c's own. */
    size_t stack_bytes;
    bool inherits_scheduling;
    uint32_t wanted; /* workers, before threads failed to start */
    const char *wanted_reason;
    const char *reason; /* for workers */
    struct fl_topology topology;
    struct fl_cpuset bind_set; /* with FILCH_BIND_NODE */
    /* bind.h's: what who started the threads might use; empty: not known. */
    struct fl_mask allowed;
    uint64_t inherited_mask; /* what the threads start with, as a hash, */
    uint64_t made_for_mask;  /* and what `allowed` was when the pool was made */
    bool is_displayed;       /* FILCH_DISPLAY */
    uint32_t changes_told;
    struct fl_piece *pieces; /* of all slots */
    uint16_t *victims;       /* of all slots */
};

/* Whether more than one job can lie in the worker's deque; see SOLO_BYTES in enter.c. */
static inline bool worker_has_ring(const struct fl_worker *worker)
{
    return worker->index != FL_SOLO || worker->deque.is_asymmetric;
}

/* How many workers the caller's calls may use. */
static inline uint32_t worker_parallelism(const struct fl_worker *worker)
{
    return worker->index == FL_SOLO ? 1 : worker->pool->workers;
}

static inline struct fl_worker *worker_of(const filch_worker *hot)
{
    return FL_CONTAINER_OF(hot, struct fl_worker, deque.hot);
}

/* Of its own worker, for who runs on it. */
static inline fl_fpenv worker_fpenv(const struct fl_worker *worker)
{
    return fl_load_relaxed(&worker->fpenv); /* only the owner writes it */
}

static inline filch_worker *worker_hot(struct fl_worker *worker)
{
    return &worker->deque.hot;
}

/* The calling thread's worker, innermost pool. */
extern _Thread_local struct fl_worker *fl_current
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The main function of a pool's thread; arg is its struct fl_worker. */
void *fl_worker_main(void *arg);

/* Run an entry that was stolen, injected or taken back: sets whom the worker serves. A
 * join runs in this environment; a task's is in its latch. */
void fl_worker_run(struct fl_worker *worker, filch_job *entry, fl_fpenv join_fpenv);

/* The owner's gate is raised: make what is private public, and wake whom it is for. */
void fl_worker_share(struct fl_worker *worker);

/* Wake an idle worker, unless one is looking around already. Pre: a full fence since the
 * work was published. */
void fl_worker_wake_one(struct fl_worker *worker);

/* Hand an entry over to a pool (see inject.h), and wake whom it is for. The worker may be
 * another pool's. */
void fl_worker_hand_over(struct fl_worker *worker, struct filch_pool *pool,
                         filch_job *entry);

/* Run what served created until its latch is set: down to a count, or a join done. */
void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to);

/* Pop and run the entries above floor, newest first. False: the worker's deque is empty
 * because thieves took the rest, and everything older than floor too. */
bool fl_worker_drain(struct fl_worker *worker, int64_t floor);

/* Let idle workers in again, or keep them out; see is_closed. */
void fl_worker_set_closed(struct fl_worker *worker, bool is_closed);

/* --- failures --------------------------------------------------------------------- */

static inline void failure_init(struct fl_failure *failure)
{
    failure->at = UINT64_MAX;
    failure->lock = 0;
    failure->value = 0;
}

/* The lowest place wins. */
void fl_failure_record(struct fl_failure *failure, uint64_t at, int value);

/* Whether what stands at a place is made unnecessary by a failure below it. */
static inline bool failure_is_below(const struct fl_failure *failure, uint64_t at)
{
    return fl_load_relaxed(&failure->at) < at; /* a hint: at worst too much is run */
}

#endif
