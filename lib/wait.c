/* wait.c - waiting for a latch: only work that descends from it is run meanwhile.
 *
 * See serving.h for why that can be told, and PARKING.md for going to sleep.
 */
#include "serving.h"

/* --- finding work ----------------------------------------------------------------- */

/* From one victim, a descendant of served or nothing; and the environment of a join. */
static filch_job *steal_for(struct fl_worker *worker, struct fl_worker *from,
                            fl_served served, bool is_starving, fl_fpenv *fpenv)
{
    filch_job *entry;
    /* ORDER(serving): pairs with the release in serve. */
    uint64_t serving = fl_load_acquire(&from->serving);

    if (serving_whom(serving) != served)
        return NULL;
    *fpenv = fl_load_relaxed(&from->fpenv); /* the second look decides */
    deque_raise_gate(&from->deque);
    if (steal(worker, from, is_starving, &entry) != FL_STEAL_GOT)
        return NULL;
    /* After the CAS of the steal, which acquires what the victim released with the job.
     * Without this look: tests/model/serving.c, "a stranger was run". */
    if (fl_load_relaxed(&from->serving) == serving)
        return entry;
    hand_over_stranger(worker, entry);
    return NULL;
}

/* What a waiter for served may run. */
static filch_job *take_for(struct fl_worker *worker, fl_served served, bool is_starving,
                           fl_fpenv *fpenv)
{
    struct filch_pool *pool = worker->pool;
    filch_job *entry = fl_inject_take_for(&pool->inject, served);
    uint32_t i;

    *fpenv = worker_fpenv(worker); /* of a join of its own, which it takes back */
    for (i = 0; !entry && i < pool->slots - 1; i++) {
        struct fl_worker *from = victim(pool, worker->victims[i]);

        if (from)
            entry = steal_for(worker, from, served, is_starving, fpenv);
    }
    return entry;
}

/* --- waiting ---------------------------------------------------------------------- */

static bool is_done(fl_served served, uint64_t down_to)
{
    struct fl_latch *latch = served_latch(served);

    return latch ? latch_is_down(latch, down_to) : join_is_done(served_join(served));
}

/* Make it known that the waiter is out of work. False: it must not sleep yet, because the
 * thief of its job has not begun, and so does not know whom to wake. */
static bool register_waiter(struct fl_worker *worker, fl_served served)
{
    struct fl_latch *latch = served_latch(served);
    struct filch_pool *pool = worker->pool;
    uintptr_t state, slots = (uintptr_t)pool->slot;

    if (latch) {
        fl_store_relaxed(&latch->is_hungry, 1u); /* ordered by the caller's fence */
        return true;
    }
    state = fl_load_relaxed(&served_join(served)->state);
    /* A thief's parker lies among the pool's workers, where no function does. */
    if (state - slots >= pool->slots * sizeof *pool->slot)
        return false;
    return (state & 1) ||
           join_register(served_join(served), (struct fl_parker *)state, &worker->parker);
}

static void unregister_waiter(fl_served served)
{
    struct fl_latch *latch = served_latch(served);

    if (latch)
        fl_store_relaxed(&latch->is_hungry, 0u); /* a hint from here on */
}

/* Whether somebody who serves the latch has, or gets, something to share. */
static bool is_work_for(struct fl_worker *worker, fl_served served)
{
    struct filch_pool *pool = worker->pool;
    bool is_any = fl_inject_has_for(&pool->inject, served);
    uint32_t i;

    for (i = 0; i < pool->slots - 1; i++) {
        struct fl_worker *from = victim(pool, worker->victims[i]);

        if (from && serving_whom(fl_load_relaxed(&from->serving)) == served)
            is_any |= deque_has_public(&from->deque) || deque_has_private(&from->deque);
    }
    return is_any;
}

static void raise_gates_for(struct fl_worker *worker, fl_served served)
{
    struct filch_pool *pool = worker->pool;
    uint32_t i;

    for (i = 0; i < pool->slots - 1; i++) {
        struct fl_worker *from = victim(pool, worker->victims[i]);

        if (from && serving_whom(fl_load_relaxed(&from->serving)) == served)
            deque_raise_gate(&from->deque);
    }
}

/* Sleeps unless there is work, or nothing left to wait for; returns whether it did. */
static bool park_waiting(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    bool slept = false;

    if (!register_waiter(worker, served)) {
        fl_yield();
        return false;
    }
    /* Goes with the permit's swaps to whoever wakes us. */
    fl_store_relaxed(&worker->parker.sleeps_for, served);
    worker->parker.wake_at_ns =
        worker->context.watch ? worker->context.watch->next_ns : 0;
    /* ORDER(serve-dekker): registered before the serving words are looked at; pairs with
     * the light fence in ask_oneself. Without it: tests/model/serving.c, "lost wake-up". */
    fence_against_owners(worker->pool);
    raise_gates_for(worker, served);
    /* ORDER(gate-dekker), ORDER(sleep-dekker): registered, and the gates up, before the
     * deques and the latch are looked at. Without it: tests/model/serving.c,
     * "lost wake-up". */
    fence_against_owners(worker->pool);
    if (!is_done(served, down_to) && !is_work_for(worker, served)) {
        slept = true;
        park(worker);
    }
    unregister_waiter(served);
    return slept;
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    uint64_t since = 0, now = 0;
    uint32_t looks = 0, begun = 0;
    filch_job *entry;
    fl_fpenv fpenv;

    for (; !is_done(served, down_to); looks++) {
        entry =
            take_for(worker, served,
                     searched_ns(since, now, looks - begun) > FL_FORCE_AFTER_NS, &fpenv);
        if (entry) {
            fl_worker_run(worker, entry, fpenv);
            since = now = 0;
            looks = UINT32_MAX; /* 0 at the next turn */
            begun = 0;
            continue;
        }
        if (looks % FL_LOOKS_PER_CLOCK == FL_LOOKS_PER_CLOCK - 1 ||
            worker->pool->spin_ns == 0) {
            now = fl_now_ns();
            since = since ? since : now;
            if (worker->context.watch && now >= worker->context.watch->next_ns)
                worker->context.watch->look(worker->context.watch);
            if (searched_ns(since, now, looks - begun) >= worker->pool->spin_ns &&
                park_waiting(worker, served, down_to)) {
                since = now = 0;
                begun = looks;
            }
        }
        pause_a_little(worker->pool, looks);
    }
}
