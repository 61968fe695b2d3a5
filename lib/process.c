/* process.c - pools in the life of the process: the default pool, fork, the end.
 *
 * After fork() the child has the memory of a pool but none of its threads: a pool knows
 * the fork it was started after, and is started again, from scratch, by the first call
 * that finds another number.
 */
#include <string.h>
#include <filch/filch.h>
#include "bind.h"
#include "pool_life.h"

/* Guards the default pool and the starting again of pools; held across fork(). */
static pthread_mutex_t life_mutex = PTHREAD_MUTEX_INITIALIZER;
static filch_pool *default_pool; /* NULL, or: */
/* Not allocated, because a caller may come when the process is ending, with the address
 * of the pool in hand; see destroy_default_pool. */
static struct filch_pool default_storage;
static bool has_failed; /* there was no memory for it */
static uint32_t fork_generation;

/* --- fork ------------------------------------------------------------------------- */

static void before_fork(void)
{
    pthread_mutex_lock(&life_mutex);
}

static void after_fork_parent(void)
{
    pthread_mutex_unlock(&life_mutex);
}

/* What a thread of the parent held at the moment is nobody's now. */
static void forget_locks(struct filch_pool *pool)
{
    uint32_t i;

    pool->lot.lock = 0;
    fl_inject_init(&pool->inject);
    for (i = 0; pool->slot && i < pool->slots; i++) /* none: it has ended, at exit */
        pool->slot[i].deque.lock = 0;
}

static void after_fork_child(void)
{
    struct fl_worker *worker;

    pthread_mutex_init(&life_mutex, NULL);
    fl_store_relaxed(&fork_generation,
                     fork_generation + 1); /* the child has one thread */
    fl_salt_forget();
    /* Forked inside a body: calls nested in it may go on, alone. */
    for (worker = fl_current; worker; worker = worker->outer) {
        if (worker->pool)
            forget_locks(worker->pool);
        if (worker->has_thread) { /* the child's only thread is no longer a pool's */
            fl_signals_set(&worker->pool->signals);
            fl_bind_undo(worker);
        }
    }
}

/* Before anybody can hold life_mutex: a child that is forked meanwhile would never get
 * it. */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void fl_life_lock(void)
{
    pthread_mutex_lock(&life_mutex);
}

void fl_life_unlock(void)
{
    pthread_mutex_unlock(&life_mutex);
}

uint32_t fl_fork_generation(void)
{
    return fl_load_relaxed(&fork_generation); /* of this process, and constant in it */
}

void fl_pool_revive(struct filch_pool *pool)
{
    const struct fl_worker *worker;
    uint32_t generation;

    /* ORDER(generation): pairs with the release below: who finds the pool started again
     * sees its slots. */
    if (FILCH_LIKELY(fl_load_acquire(&pool->generation) ==
                     fl_load_relaxed(&fork_generation)))
        return;
    /* Forked inside a body that runs on the pool: its worker is in use. */
    for (worker = fl_current; worker; worker = worker->outer)
        if (worker->pool == pool)
            return;
    pthread_mutex_lock(&life_mutex);
    generation = fl_load_relaxed(&fork_generation);
    if (fl_load_relaxed(&pool->generation) != generation && /* the mutex's */
        fl_load_relaxed(&pool->slot)) {
        fl_pool_start(pool);
        /* ORDER(generation): pairs with the acquire above. */
        fl_store_release(&pool->generation, generation);
    }
    pthread_mutex_unlock(&life_mutex);
}

/* --- the default pool ------------------------------------------------------------- */

filch_pool *filch_pool_default(void)
{
    /* ORDER(default-pool): pairs with the release below: a pool that is seen is
     * complete. */
    filch_pool *pool = fl_load_acquire(&default_pool);

    if (pool)
        return pool;
    pthread_mutex_lock(&life_mutex);
    pool = fl_load_relaxed(&default_pool); /* the mutex's */
    if (!pool && (!has_failed || fl_pool_may_begin(&default_storage))) {
        memset(&default_storage, 0, sizeof default_storage); /* an earlier try failed */
        has_failed = fl_pool_begin(&default_storage, NULL) != 0;
        if (!has_failed)
            pool = &default_storage;
        /* ORDER(default-pool): pairs with the acquire above. */
        fl_store_release(&default_pool, pool);
    }
    pthread_mutex_unlock(&life_mutex);
    return pool;
}

/* At exit or dlclose. Not while a call is running: the caller may be the one who exits,
 * from inside a body, and waiting for it would never end. At exit other threads go on,
 * and may call: with all slots taken for ever, who comes from here on works alone. */
__attribute__((destructor)) static void destroy_default_pool(void)
{
    filch_pool *pool = fl_load_relaxed(&default_pool); /* a call of ours, or nobody's */
    uint64_t nobody = 0;

    /* ORDER(bit): pairs with the one in bit_take: of a guest and the end of the pool one
     * comes first; with the release in bit_give: what the last ones did is over. */
    if (!pool || fl_current || !fl_cas_acq_rel(&pool->guests_in, &nobody, UINT64_MAX))
        return;
    fl_pool_end(pool);
    fl_store_relaxed(&pool->slot, (struct fl_worker *)NULL); /* for late questions */
}
