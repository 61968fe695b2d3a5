/* idle.c - a pool's thread: it looks for work, runs it, and sleeps when there is none.
 *
 * At the bottom of its stack a thread may run anything. How it goes to sleep without
 * missing work that is just being published is in PARKING.md.
 */
#include "bind.h"
#include "serving.h"

/* --- finding work ----------------------------------------------------------------- */

static uint32_t random_below(struct fl_worker *worker, uint32_t bound)
{
    /* Marsaglia's xorshift32: any cheap generator without pattern will do. */
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 17;
    worker->random ^= worker->random << 5;
    return (uint32_t)((uint64_t)worker->random * bound >> 32);
}

/* From one victim, anything or nothing; and the environment of a join. */
static filch_job *steal_any(struct fl_worker *worker, struct fl_worker *from,
                            bool is_starving, fl_fpenv *fpenv)
{
    filch_job *entry;
    /* ORDER(serving): pairs with the release in serve. */
    uint64_t serving = fl_load_acquire(&from->serving);

    *fpenv = fl_load_relaxed(&from->fpenv); /* the second look decides */
    if (steal(worker, from, is_starving, &entry) != FL_STEAL_GOT)
        return NULL;
    /* As in steal_for. Without it: tests/model/fpenv.c, "another environment". */
    if (fl_load_relaxed(&from->serving) == serving || entry_is_task(entry))
        return entry;
    *fpenv = worker->pool->fpenv;
    if (!fl_load_relaxed(&worker->pool->has_fpenvs)) /* see hand_over_stranger */
        return entry;
    hand_over_stranger(worker, entry);
    return NULL;
}

/* Anything, for a worker at the bottom of its stack: nearest victims first, from a random
 * one within each ring. NULL: there was nothing. */
static filch_job *take_any(struct fl_worker *worker, bool is_starving, fl_fpenv *fpenv)
{
    struct filch_pool *pool = worker->pool;
    filch_job *entry = fl_inject_take_any(&pool->inject);
    uint32_t begin = 0, ring;

    *fpenv = pool->fpenv; /* open joins in the queue have no other */
    for (ring = 0; !entry && ring <= FL_ELSEWHERE; ring++) {
        uint32_t count = worker->victim_ring_end[ring] - begin, i, start;

        start = count > 1 ? random_below(worker, count) : 0;
        for (i = 0; !entry && i < count; i++) {
            uint32_t k = start + i < count ? start + i : start + i - count;
            struct fl_worker *from = victim(pool, worker->victims[begin + k]);

            if (from && !fl_load_relaxed(&from->is_closed)) /* a hint */
                entry = steal_any(worker, from, is_starving, fpenv);
        }
        begin = worker->victim_ring_end[ring];
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

/* Returns whether any was down. */
static bool raise_all_gates(struct filch_pool *pool)
{
    bool was_down = false;
    uint32_t i;

    for (i = 0; i < pool->slots; i++)
        was_down |= deque_raise_gate(&pool->slot[i].deque);
    return was_down;
}

/* --- idling ----------------------------------------------------------------------- */

/* Pre: counted as searching. Sleeps unless there is work after all, and returns whether
 * it did. Post: as before. */
static bool park_idle(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    fl_store_relaxed(&worker->parker.sleeps_for, (uintptr_t)0);
    worker->parker.wake_at_ns = 0;
    fl_lot_sleep_begin(&pool->lot, &worker->parker);
    /* ORDER(sleep-dekker): listed as a sleeper before the gates and deques are looked at;
     * pairs with the fence in fl_worker_share. Without it: tests/model/park.c,
     * "lost wake-up". */
    fl_fence_seq_cst();
    raise_all_gates(pool);
    /* ORDER(gate-dekker): the gates are up before the tails are looked at; pairs with the
     * light fence in filch_fork: an owner whose job is not seen here sees the gate.
     * Without it: tests/model/gate.c, "lost wake-up". */
    fence_against_owners(pool);
    if (is_any_work(worker)) {
        fl_lot_sleep_cancel(&pool->lot, &worker->parker);
        return false;
    }
    park(worker);
    /* Woken by whoever took us off the list; a permit from an older call is no such
     * thing. */
    fl_lot_sleep_cancel(&pool->lot, &worker->parker);
    return true;
}

/* A search is over. When it was the last, what was published under its eyes, and left to
 * it, is now for somebody else to find. */
static void end_search(struct fl_worker *worker)
{
    if (!fl_lot_search_end(&worker->pool->lot))
        return;
    /* ORDER(sleep-dekker): not counted as searching any more before the last look around;
     * pairs with the fence in fl_worker_share. Without it: tests/model/park.c,
     * "lost wake-up". */
    fl_fence_seq_cst();
    /* An owner whose gate was down saw a search, and left those who sleep to it.
     * ORDER(gate-dekker): as in park_idle. Without it: tests/model/idlers.c,
     * "lost wake-up". */
    if (raise_all_gates(worker->pool))
        fence_against_owners(worker->pool);
    if (is_any_work(worker))
        fl_worker_wake_one(worker);
}

/* Where the clock stands still or went back; else the price of help comes first. */
#define MOST_LOOKS_AWAY 10000

/* Who has run next to nothing took less off its victim than being stolen from costs it,
 * with a raised gate and a job that is waited for: it looks away for a moment. Counted as
 * searching, so that nobody is woken instead. */
static void look_away_until(uint64_t moment)
{
    int looks;

    for (looks = 0; looks < MOST_LOOKS_AWAY && fl_now_ns() < moment; looks++)
        fl_spin_hint();
}

/* When to look for the next entry, after one that took so long; 0: at once. In scopes of
 * equal tasks, on two workers, thefts begin to pay from about twice what a word takes to
 * the other core and back, which is a twelfth of the price of help (prices.c). Without
 * this, tasks of 30 ns take seven times as long as on one worker. */
static uint64_t back_to_work_at(const struct fl_worker *worker, uint64_t now,
                                uint64_t passed_ns)
{
    uint64_t price_ns = fl_ns_of_ticks(worker->pool->launch.spinning);

    return passed_ns < price_ns / 7 && !worker->was_invited ? now + price_ns : 0;
}

/* Somebody else wants the CPU: next time it may be in the middle of a chunk. */
static void lost_cpu(struct filch_pool *pool, uint64_t passed_ns)
{
    fl_launch_was_preempted(&pool->launch,
                            fl_preempted_ticks(fl_ticks_of_ns(passed_ns), 0));
}

/* The next entry to run, from a moment on; NULL when the pool is being stopped. */
static filch_job *find_work(struct fl_worker *worker, uint64_t from_ns, fl_fpenv *fpenv)
{
    struct filch_pool *pool = worker->pool;
    uint64_t since = 0, now = 0, then;
    filch_job *entry;
    uint32_t looks, begun = 0;

    fl_lot_search_begin(&pool->lot);
    /* ORDER(sleep-dekker): counted as searching before the gates are looked at. */
    fl_fence_seq_cst();
    if (FILCH_UNLIKELY(from_ns > 0))
        look_away_until(from_ns);
    for (looks = 0; !fl_load_relaxed(&pool->is_stopping); looks++) {
        if (looks % FL_LOOKS_PER_CLOCK == 0 || pool->spin_ns == 0) {
            then = now;
            now = fl_now_ns();
            if (then > 0 && FILCH_UNLIKELY(fl_ticks_since(then, now) > FL_SUSPICIOUS_NS))
                lost_cpu(pool, now - then);
            since = since ? since : now;
            raise_all_gates(pool); /* what an owner has lowered: must_stay_up */
        }
        entry = take_any(
            worker, searched_ns(since, now, looks - begun) > FL_FORCE_AFTER_NS, fpenv);
        if (entry) {
            end_search(worker);
            return entry;
        }
        /* Who does not sleep, because there is private work to wait for, stays hungry:
         * the starving take it. */
        if (searched_ns(since, now, looks - begun) >= pool->spin_ns &&
            park_idle(worker)) {
            since = now = 0;
            begun = looks;
        }
        pause_a_little(pool, looks);
    }
    fl_lot_search_end(&pool->lot);
    return NULL;
}

/* The reader of the counters adds what has passed since; see stats.c. */
static void begin_idle(struct fl_worker *worker, uint64_t now)
{
    fl_store_relaxed(&worker->counters.idle_since_ns, now); /* its one writer */
}

static void end_idle(struct fl_worker *worker, uint64_t passed_ns)
{
    fl_store_relaxed(&worker->counters.idle_since_ns, UINT64_C(0)); /* its one writer */
    fl_count_add(&worker->counters.idle_ns, passed_ns);
}

void *fl_worker_main(void *arg)
{
    struct fl_worker *worker = arg;
    uint64_t then = fl_now_ns(), now, from = 0;
    filch_job *entry;
    fl_fpenv fpenv;

    fl_current = worker;
    begin_idle(worker, then);
    while ((entry = find_work(worker, from, &fpenv))) {
        now = fl_now_ns();
        end_idle(worker, fl_ticks_since(then, now));
        if (bind_needs_look(worker, now))
            fl_bind_look(worker, now);
        worker->was_invited = false;
        fl_worker_run(worker, entry, fpenv);
        then = fl_now_ns();
        now = fl_ticks_since(now, then);
        fl_count_add(&worker->counters.busy_ns, now);
        begin_idle(worker, then);
        from = back_to_work_at(worker, then, now);
    }
    end_idle(worker, fl_ns_since(then));
    fl_current = NULL;
    return NULL;
}
