/* worker.c - finding work, sharing it, waiting for it; see worker.h.
 *
 * Isolation. Each worker says in one word whom it serves: the latch of the task that it
 * stole last. All that lies in its deque descends from that task, because a worker steals
 * only when its deque is empty. So a thread that waits for a latch may steal from those
 * who serve it, and runs nothing but descendants of what it waits for. Between the look
 * at the word and the steal the victim may have gone on to something else; the thief
 * looks again, and hands over what may be a stranger's.
 */
#include "worker.h"

/* A worker that has been hungry for this long publishes what a busy one keeps private:
 * longer than a membarrier takes (2 us) and than most tasks, and within the 50 us that
 * filch promises. */
#define FORCE_AFTER_NS 20000u

/* The clock is read every so many looks around. */
#define LOOKS_PER_CLOCK 16

_Thread_local struct fl_worker *fl_current;

/* --- failures
 * ---------------------------------------------------------------------------- */

void fl_failure_record(struct fl_failure *failure, uint64_t at, int value)
{
    /* ORDER(failure-lock): pairs with the release below; the value is plain memory, and
     * its reader is ordered by the latch. */
    while (fl_swap_acquire(&failure->lock, 1u))
        fl_yield();
    if (at < failure->at) {
        failure->value = value;
        fl_store_relaxed(&failure->at, at);
    }
    /* ORDER(failure-lock): pairs with the acquire above. */
    fl_store_release(&failure->lock, 0u);
}

/* --- whom a worker serves
 * ---------------------------------------------------------------- * The word: an address
 * below 2^48 (Linux gives no other without being asked), whose bits 1 and 2 are free
 * because latches are aligned to 8. A number of 18 bits fills the rest. For a stranger to
 * pass for a descendant, a thief would have to pause between two instructions while its
 * victim changes masters 2^18 times and ends up with the same one. */

#define SERVING_ADDRESS UINT64_C(0x0000fffffffffff9)

static uint64_t serving_word(fl_served served, uint64_t number)
{
    return ((uint64_t)served & SERVING_ADDRESS) | (number >> 2 << 48) |
           ((number & 3) << 1);
}

static fl_served serving_whom(uint64_t serving)
{
    return (fl_served)(serving & SERVING_ADDRESS);
}

/* The waiter of whom the worker serves, when it is out of work; else NULL. Pre: the
 * worker has begun the job, and passed a fence since it published. */
static struct fl_parker *hungry_waiter(fl_served served)
{
    struct fl_latch *latch = served_latch(served);

    if (!served)
        return NULL;
    if (!latch)
        return join_waiter(served_join(served));
    return fl_load_relaxed(&latch->is_hungry) ? latch->waiter : NULL;
}

static void serve(struct fl_worker *worker, fl_served served)
{
    worker->serves++;
    /* ORDER(serving): pairs with the acquire in steal_for: who steals what is pushed from
     * here on sees, looking again, that the word has changed. */
    fl_store_release(&worker->serving, serving_word(served, worker->serves));
}

/* Whoever waits for served may have looked around, asking everybody who served it to
 * share, before this worker did. */
static void ask_oneself(struct fl_worker *worker, fl_served served)
{
    /* ORDER(serve-dekker): serving is stored before the waiter is looked for; pairs with
     * the heavy fence in park_waiting. In classic mode the gate is always raised. */
    fl_fence_light();
    if (hungry_waiter(served))
        deque_raise_gate(&worker->deque);
}

/* --- fences
 * ------------------------------------------------------------------------------ */

/* Pairs with the light fences of the owners; where there are none, they use seq_cst ones.
 */
static void fence_against_owners(const struct filch_pool *pool)
{
    /* ORDER(gate-dekker), ORDER(serve-dekker): the callers say what for. */
    if (pool->is_asymmetric)
        fl_fence_heavy();
    else
        fl_fence_seq_cst();
}

/* --- sharing
 * ----------------------------------------------------------------------------- */

static void wake_one(struct fl_worker *worker)
{
    if (lot_wake_one(&worker->pool->lot))
        fl_count(&worker->counters.wakes);
}

/* Wake the one who waits for what the worker does, or else an idle worker. */
static void feed(struct fl_worker *worker)
{
    struct fl_parker *waiter =
        hungry_waiter(serving_whom(fl_load_relaxed(&worker->serving)));

    if (waiter && parker_notify(waiter))
        fl_count(&worker->counters.wakes);
    else
        wake_one(worker);
}

void fl_worker_share(struct fl_worker *worker)
{
    if (deque_publish(&worker->deque))
        fl_count(&worker->counters.publishes);
    if (worker->deque.is_asymmetric)
        deque_lower_gate(&worker->deque);
    /* ORDER(sleep-dekker): the jobs are public, and the gate is down, before the hungry
     * are looked for; pairs with the fences in park_idle and park_waiting. */
    fl_fence_seq_cst();
    if (lot_is_hungry(&worker->pool->lot))
        deque_raise_gate(&worker->deque);
    feed(worker);
}

void fl_worker_hand_over(struct fl_worker *worker, filch_job *entry)
{
    struct fl_latch *latch = served_latch(served_by_entry(entry));
    struct fl_parker *waiter = latch ? latch->waiter : NULL;

    /* Once it is in the queue, the entry may be run and the latch be gone. A join's
     * waiter needs no wake: it sleeps only when its job has been begun. */
    inject_put(&worker->pool->inject, entry);
    /* ORDER(sleep-dekker): as in fl_worker_share. */
    fl_fence_seq_cst();
    if (waiter && parker_notify(waiter))
        fl_count(&worker->counters.wakes);
    wake_one(worker);
}

void fl_worker_set_closed(struct fl_worker *worker, bool is_closed)
{
    if (fl_load_relaxed(&worker->is_closed) == is_closed)
        return;
    fl_store_relaxed(&worker->is_closed, is_closed); /* a hint: thieves without a lane */
    if (is_closed)
        return;
    /* ORDER(sleep-dekker): as in fl_worker_share, for workers that fell asleep because
     * everybody was closed. */
    fl_fence_seq_cst();
    wake_one(worker);
}

/* --- running
 * ----------------------------------------------------------------------------- */

void fl_worker_run(struct fl_worker *worker, filch_job *entry)
{
    struct fl_context context = worker->context;
    fl_served before = serving_whom(fl_load_relaxed(&worker->serving));
    fl_served served = served_by_entry(entry);
    filch_worker *hot = worker_hot(worker);

    fl_count(&worker->counters.tasks);
    worker->context.is_draining = false;
    serve(worker, served);
    if (entry_is_task(entry)) {
        struct fl_task *task = entry_task(entry);

        ask_oneself(worker, served);
        task->job.run(hot, &task->job);
        serve(worker, before);
    } else {
        filch_job_fn *function = join_begin(entry, &worker->parker);
        struct fl_parker *waiter;

        /* A branch of a join is outside the loop around it: the lane is the forker's. */
        worker->context.loop = NULL;
        worker->context.lane = 0;
        worker->context.lanes = 1;
        worker->context.failure = NULL;
        function(hot, entry);
        serve(worker, before);
        waiter = join_finish(entry);
        if (waiter && parker_notify(waiter))
            fl_count(&worker->counters.wakes);
    }
    worker->context = context;
    ask_oneself(worker, before);
}

bool fl_worker_drain(struct fl_worker *worker, int64_t floor)
{
    struct fl_deque *deque = &worker->deque;
    int64_t index;

    while ((index = fl_load_relaxed(&deque->hot.tail) - 1) >= floor) {
        filch_job *entry = fl_load_relaxed(&deque->hot.slot[index & FL_DEQUE_MASK]);

        if (!filch_reclaim(&deque->hot, entry, index))
            return false;
        FL_ASSERT(entry_is_task(entry));
        fl_count(&worker->counters.tasks);
        entry_task(entry)->job.run(&deque->hot, &entry_task(entry)->job);
    }
    return true;
}

/* --- finding work
 * ------------------------------------------------------------------------ */

static struct fl_worker *victim(const struct filch_pool *pool, uint32_t slot)
{
    /* A hint: the slot of a guest who has just come or gone holds a valid, empty deque.
     */
    if (slot >= pool->thread_slots &&
        !(fl_load_relaxed(&pool->guests_in) >> (slot - pool->thread_slots) & 1))
        return NULL;
    return &pool->slot[slot];
}

static uint32_t random_below(struct fl_worker *worker, uint32_t bound)
{
    /* Marsaglia's xorshift32: any cheap generator without pattern will do. */
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 17;
    worker->random ^= worker->random << 5;
    return (uint32_t)((uint64_t)worker->random * bound >> 32);
}

static enum fl_steal steal(struct fl_worker *worker, struct fl_worker *from,
                           bool is_starving, filch_job **entry)
{
    enum fl_steal result = FL_STEAL_EMPTY;

    if (is_starving && !deque_has_public(&from->deque) && worker->pool->is_asymmetric &&
        deque_has_private(&from->deque) && deque_force_publish(&from->deque))
        fl_count(&worker->counters.forced);
    if (deque_has_public(&from->deque))
        result = deque_steal(&from->deque, entry);
    fl_count(result == FL_STEAL_GOT     ? &worker->counters.steals_got
             : result == FL_STEAL_EMPTY ? &worker->counters.steals_empty
                                        : &worker->counters.steals_lost);
    return result;
}

/* Anything, for a worker at the bottom of its stack: nearest victims first, from a random
 * one within each ring. NULL: there was nothing. */
static filch_job *take_any(struct fl_worker *worker, bool is_starving)
{
    struct filch_pool *pool = worker->pool;
    filch_job *entry = inject_take_any(&pool->inject);
    uint32_t begin = 0, ring;

    for (ring = 0; !entry && ring <= FL_ELSEWHERE; ring++) {
        uint32_t count = worker->victim_ring_end[ring] - begin, i, start;

        start = count > 1 ? random_below(worker, count) : 0;
        for (i = 0; i < count; i++) {
            uint32_t k = start + i < count ? start + i : start + i - count;
            struct fl_worker *from = victim(pool, worker->victims[begin + k]);

            if (from && !fl_load_relaxed(&from->is_closed) && /* a hint */
                steal(worker, from, is_starving, &entry) == FL_STEAL_GOT)
                break;
            entry = NULL;
        }
        begin = worker->victim_ring_end[ring];
    }
    return entry;
}

/* From one victim, a descendant of served or nothing. */
static filch_job *steal_for(struct fl_worker *worker, struct fl_worker *from,
                            fl_served served, bool is_starving)
{
    filch_job *entry;
    /* ORDER(serving): pairs with the release in serve. */
    uint64_t serving = fl_load_acquire(&from->serving);

    if (serving_whom(serving) != served)
        return NULL;
    deque_raise_gate(&from->deque);
    if (steal(worker, from, is_starving, &entry) != FL_STEAL_GOT)
        return NULL;
    /* After the CAS of the steal, which acquires what the victim released with the job.
     */
    if (fl_load_relaxed(&from->serving) == serving)
        return entry;
    fl_count(&worker->counters.strangers);
    fl_worker_hand_over(worker, entry);
    return NULL;
}

/* What a waiter for served may run. */
static filch_job *take_for(struct fl_worker *worker, fl_served served, bool is_starving)
{
    struct filch_pool *pool = worker->pool;
    filch_job *entry = inject_take_for(&pool->inject, served);
    uint32_t i;

    for (i = 0; !entry && i < pool->slots - 1; i++) {
        struct fl_worker *from = victim(pool, worker->victims[i]);

        if (from)
            entry = steal_for(worker, from, served, is_starving);
    }
    return entry;
}

/* A last look before sleeping: is there, anywhere, something to run or to make public? */
static bool is_any_work(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;
    uint32_t i;

    if (fl_load_relaxed(&pool->inject.open_count) || fl_load_relaxed(&pool->is_stopping))
        return true; /* ordered by the caller's fence */
    for (i = 0; i < pool->slots; i++) {
        struct fl_worker *from = victim(pool, i);

        if (from && from != worker && !fl_load_relaxed(&from->is_closed) &&
            (deque_has_public(&from->deque) || deque_has_private(&from->deque)))
            return true;
    }
    return false;
}

static void raise_all_gates(struct filch_pool *pool)
{
    uint32_t i;

    for (i = 0; i < pool->slots; i++)
        deque_raise_gate(&pool->slot[i].deque);
}

/* --- idling
 * ------------------------------------------------------------------------------ */

/* Pre: counted as searching. Sleeps unless there is work after all, and returns whether
 * it did. Post: as before. */
static bool park_idle(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    lot_sleep_begin(&pool->lot, &worker->parker);
    /* ORDER(sleep-dekker): listed as a sleeper before the gates and deques are looked at;
     * pairs with the fence in fl_worker_share. */
    fl_fence_seq_cst();
    raise_all_gates(pool);
    /* ORDER(gate-dekker): the gates are up before the tails are looked at; pairs with the
     * light fence in filch_fork: an owner whose job is not seen here sees the gate. */
    fence_against_owners(pool);
    if (is_any_work(worker)) {
        lot_sleep_cancel(&pool->lot, &worker->parker);
        return false;
    }
    if (parker_wait(&worker->parker))
        fl_count(&worker->counters.parks);
    /* Woken by whoever took us off the list; a permit from an older call is no such
     * thing. */
    lot_sleep_cancel(&pool->lot, &worker->parker);
    return true;
}

/* A search is over. When it was the last, what was published under its eyes, and left to
 * it, is now for somebody else to find. */
static void end_search(struct fl_worker *worker)
{
    if (!lot_search_end(&worker->pool->lot))
        return;
    /* ORDER(sleep-dekker): not counted as searching any more before the last look around;
     * pairs with the fence in fl_worker_share. */
    fl_fence_seq_cst();
    if (is_any_work(worker))
        wake_one(worker);
}

/* One step of looking on: cheap for the core, then for the system. */
static void pause_a_little(const struct filch_pool *pool, uint32_t looks)
{
    int i;

    if (looks % 64 == 63 || pool->spin_ns == 0)
        fl_yield();
    else
        for (i = 0; i < 8; i++)
            fl_spin_hint();
}

/* The next entry to run; NULL when the pool is being stopped. */
static filch_job *find_work(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;
    uint64_t since = 0, now = 0;
    filch_job *entry;
    uint32_t looks;

    lot_search_begin(&pool->lot);
    /* ORDER(sleep-dekker): counted as searching before the gates are looked at. */
    fl_fence_seq_cst();
    raise_all_gates(pool);
    for (looks = 0; !fl_load_relaxed(&pool->is_stopping); looks++) {
        entry = take_any(worker, now - since > FORCE_AFTER_NS);
        if (entry) {
            end_search(worker);
            return entry;
        }
        if (looks % LOOKS_PER_CLOCK == 0 || pool->spin_ns == 0) {
            now = fl_now_ns();
            since = since ? since : now;
        }
        /* Who does not sleep, because there is private work to wait for, stays hungry:
         * the starving take it. */
        if (now - since >= pool->spin_ns && park_idle(worker))
            since = now = 0;
        pause_a_little(pool, looks);
    }
    lot_search_end(&pool->lot);
    return NULL;
}

void *fl_worker_main(void *arg)
{
    struct fl_worker *worker = arg;
    uint64_t then = fl_now_ns(), now;
    filch_job *entry;

    fl_current = worker;
    while ((entry = find_work(worker))) {
        now = fl_now_ns();
        fl_count_add(&worker->counters.idle_ns, now - then);
        fl_worker_run(worker, entry);
        then = fl_now_ns();
        fl_count_add(&worker->counters.busy_ns, then - now);
    }
    fl_count_add(&worker->counters.idle_ns, fl_now_ns() - then);
    fl_current = NULL;
    return NULL;
}

/* --- waiting
 * ----------------------------------------------------------------------------- */

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
    bool is_any = inject_has_for(&pool->inject, served);
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
    /* ORDER(serve-dekker): registered before the serving words are looked at; pairs with
     * the light fence in ask_oneself. */
    fence_against_owners(worker->pool);
    raise_gates_for(worker, served);
    /* ORDER(gate-dekker), ORDER(sleep-dekker): registered, and the gates up, before the
     * deques and the latch are looked at. */
    fence_against_owners(worker->pool);
    if (!is_done(served, down_to) && !is_work_for(worker, served)) {
        slept = true;
        if (parker_wait(&worker->parker))
            fl_count(&worker->counters.parks);
    }
    unregister_waiter(served);
    return slept;
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    uint64_t since = 0, now = 0;
    uint32_t looks = 0;
    filch_job *entry;

    for (; !is_done(served, down_to); looks++) {
        entry = take_for(worker, served, now - since > FORCE_AFTER_NS);
        if (entry) {
            fl_worker_run(worker, entry);
            since = now = 0;
            looks = UINT32_MAX; /* 0 at the next turn */
            continue;
        }
        if (looks % LOOKS_PER_CLOCK == LOOKS_PER_CLOCK - 1 ||
            worker->pool->spin_ns == 0) {
            now = fl_now_ns();
            since = since ? since : now;
            if (now - since >= worker->pool->spin_ns &&
                park_waiting(worker, served, down_to))
                since = now = 0;
        }
        pause_a_little(worker->pool, looks);
    }
}
