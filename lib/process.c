/* process.c - pools in the life of the process: the default pool, fork, the end.
 *
 * After fork() the child has the memory of a pool but none of its threads: a pool knows
 * the fork it was started after, and is started again, from scratch, by the first call
 * that finds another number.
 */
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <filch/filch.h>
#include "bind.h"
#include "pool_life.h"

/* Guards the default pool and the starting again of pools; held across fork(). */
static pthread_mutex_t life_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Who holds it. */
static struct {
    uintptr_t owner; /* thread, or 0 */
    uint32_t nested; /* times more, in a handler of fork() */
    int cancel;      /* the owner's state of cancellation */
    pid_t parent;    /* which process forks */
} life;

static filch_pool *default_pool; /* NULL, or: */
/* Not allocated, because a caller may come when the process is ending, with the address
 * of the pool in hand; see destroy_default_pool. */
static struct filch_pool default_storage;
static bool has_failed; /* there was no memory for it */

/* The number of forks, and whether a thread is forking now: no pool has that bit. */
#define FORKING UINT32_C(0x80000000)
static uint32_t fork_generation;

/* --- the life mutex --------------------------------------------------------------- */

/* Stale values do no harm: a thread sees at least what it wrote itself, and nobody else
 * writes its number. */
static bool is_life_mine(void)
{
    return fl_load_relaxed(&life.owner) == (uintptr_t)pthread_self();
}

static bool is_forking(void)
{
    return fl_load_relaxed(&fork_generation) & FORKING; /* the mutex's, or a look only */
}

static void notice_child(void);

/* Making and starting pools takes calls that are cancellation points: who was cancelled
 * there would leave the mutex locked. */
void fl_life_lock(void)
{
    int cancel;

    if (is_life_mine())
        notice_child();
    /* A handler of fork() that is older than ours runs while we hold the mutex. */
    if (is_life_mine() && is_forking()) {
        life.nested++;
        return;
    }
    cancel = fl_cancel_hold();
    pthread_mutex_lock(&life_mutex);
    life.cancel = cancel;
    fl_store_relaxed(&life.owner, (uintptr_t)pthread_self()); /* the mutex's */
}

void fl_life_unlock(void)
{
    int cancel = life.cancel;

    if (life.nested > 0) {
        life.nested--;
        return;
    }
    fl_store_relaxed(&life.owner, (uintptr_t)0); /* the mutex's */
    pthread_mutex_unlock(&life_mutex);
    fl_cancel_release(cancel);
}

/* --- fork ------------------------------------------------------------------------- */

static void before_fork(void)
{
    fl_life_lock();
    life.parent = getpid();
    fl_store_relaxed(&fork_generation, fl_fork_generation() | FORKING); /* the mutex's */
}

static void after_fork_parent(void)
{
    if (life.nested == 0) /* else a handler of fork() has forked */
        fl_store_relaxed(&fork_generation, fl_fork_generation()); /* the mutex's */
    fl_life_unlock();
}

/* What a thread of the parent held at the moment is nobody's now. */
static void forget_locks(struct filch_pool *pool)
{
    uint32_t i;

    pool->lot.lock = 0;
    fl_inject_init(&pool->inject);
    for (i = 0; !pool->is_over && i < pool->slots; i++)
        pool->slot[i].deque.lock = 0;
}

/* Forked inside a body that runs on the pool: calls nested in it may go on, alone. Its
 * worker is in use, so the pool is not started again, and lets no guests in. */
static void keep_inhabited(struct filch_pool *pool, uint32_t generation)
{
    pool->inhabited = generation;
    pool->guests_in = UINT64_MAX;
    forget_locks(pool);
}

static void begin_child(void)
{
    uint32_t generation = (fork_generation & ~FORKING) + 1; /* there is one thread */
    struct fl_worker *worker;

    pthread_mutex_init(&life_mutex, NULL);
    life.nested = 0;
    fl_store_relaxed(&life.owner, (uintptr_t)0);    /* the only thread's */
    fl_store_relaxed(&fork_generation, generation); /* the same */
    fl_salt_forget();
    for (worker = fl_current; worker; worker = worker->outer) {
        if (worker->pool)
            keep_inhabited(worker->pool, generation);
        if (worker->has_thread) { /* the child's only thread is no longer a pool's */
            fl_signals_set(&worker->pool->signals);
            fl_bind_undo(worker);
        }
    }
    fl_cancel_release(life.cancel);
}

static void after_fork_child(void)
{
    if (is_forking()) /* else an older handler has made a call, which noticed */
        begin_child();
}

/* In the child, older handlers than ours run first. Pre: the caller holds the mutex. */
static void notice_child(void)
{
    if (is_forking() && getpid() != life.parent)
        begin_child();
}

/* Before anybody can hold life_mutex: a child that is forked meanwhile would never get
 * it. Before the constructors of the program, too, when the library is linked into it. */
__attribute__((constructor(101))) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

uint32_t fl_fork_generation(void)
{
    if (is_forking() && is_life_mine())
        notice_child();
    return fl_load_relaxed(&fork_generation) & ~FORKING; /* constant in a process */
}

void fl_pool_revive(struct filch_pool *pool)
{
    uint32_t generation;

    /* ORDER(generation): pairs with the release below: who finds the pool started again
     * sees its slots. */
    if (FILCH_LIKELY(fl_load_acquire(&pool->generation) ==
                     fl_load_relaxed(&fork_generation)))
        return;
    generation = fl_fork_generation();
    /* The same again: somebody is forking now, and all is well. */
    if (fl_load_acquire(&pool->generation) == generation || pool->inhabited == generation)
        return;
    fl_life_lock();
    if (fl_load_relaxed(&pool->generation) != generation && /* the mutex's */
        !pool->is_over) {
        fl_pool_start(pool);
        /* ORDER(generation): pairs with the acquire above. */
        fl_store_release(&pool->generation, generation);
    }
    fl_life_unlock();
}

/* --- the default pool ------------------------------------------------------------- */

filch_pool *filch_pool_default(void)
{
    /* ORDER(default-pool): pairs with the release below: a pool that is seen is
     * complete. */
    filch_pool *pool = fl_load_acquire(&default_pool);

    if (pool)
        return pool;
    fl_life_lock();
    pool = fl_load_relaxed(&default_pool); /* the mutex's */
    if (!pool && (!has_failed || fl_pool_may_begin(&default_storage))) {
        memset(&default_storage, 0, sizeof default_storage); /* an earlier try failed */
        has_failed = fl_pool_begin(&default_storage, NULL) != 0;
        if (!has_failed)
            pool = &default_storage;
        /* ORDER(default-pool): pairs with the acquire above. */
        fl_store_release(&default_pool, pool);
    }
    fl_life_unlock();
    return pool;
}

bool fl_pool_look_begin(struct filch_pool *pool)
{
    if (pool != &default_storage)
        return true;
    fl_life_lock();
    if (!pool->is_over)
        return true;
    fl_life_unlock();
    return false;
}

void fl_pool_look_end(struct filch_pool *pool)
{
    if (pool == &default_storage)
        fl_life_unlock();
}

/* Under the mutex, because another thread may be starting the pool again just now, or
 * forking. */
static bool take_out_of_life(struct filch_pool *pool)
{
    uint64_t nobody = 0;
    bool is_taken;

    fl_life_lock();
    /* ORDER(bit): pairs with the one in bit_take: of a guest and the end of the pool one
     * comes first; with the release in bit_give: what the last ones did is over. */
    is_taken = fl_cas_acq_rel(&pool->guests_in, &nobody, UINT64_MAX);
    pool->is_over |= is_taken;
    fl_life_unlock();
    return is_taken;
}

/* At exit or dlclose. Not while a call is running: the caller may be the one who exits,
 * from inside a body, and waiting for it would never end. Nor by who holds the mutex: in
 * a handler of fork(), or of a signal that came in the middle of making a pool. At exit
 * other threads go on, and may call: with all slots taken for ever, who comes from here
 * on works alone. */
__attribute__((destructor)) static void destroy_default_pool(void)
{
    filch_pool *pool = fl_load_relaxed(&default_pool); /* the mutex orders it */

    if (pool && !fl_current && !is_life_mine() && take_out_of_life(pool))
        fl_pool_end(pool);
}
