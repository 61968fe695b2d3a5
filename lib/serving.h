/* serving.h - whom a worker serves, and what follows for stealing from it.
 *
 * Job: isolation. Each worker says in one word whom it serves: the latch of the task that
 * it stole last. All that lies in its deque descends from that task, because a worker
 * steals only when its deque is empty. So a thread that waits for a latch may steal from
 * those who serve it, and runs nothing but descendants of what it waits for. Between the
 * look at the word and the steal the victim may have gone on to something else; the thief
 * looks again, and hands over what may be a stranger's.
 *
 * The worker also says in which floating-point environment that runs: fpenv, written
 * before serving changes. Tasks know it by their latch. Of a join, the victim's word says
 * it when serving was the same before and after the steal. When it was not, only the
 * join's waiter knows; it takes the join back from the queue and runs it.
 */
#ifndef FL_SERVING_H
#define FL_SERVING_H

#include "worker.h"

/* A worker that has been hungry for this long publishes what a busy one keeps private:
 * longer than a membarrier takes (2 us) and than most tasks, and within the 50 us that
 * filch promises. */
#define FL_FORCE_AFTER_NS 20000u

/* The clock is read every so many looks around. */
#define FL_LOOKS_PER_CLOCK 16

/* No look around takes less. */
#define FL_LOOK_NS 4u

/* How long a search has lasted, of so many looks: the clock may stand still. */
static inline uint64_t searched_ns(uint64_t since, uint64_t now, uint32_t looks)
{
    return FL_MAX(fl_ticks_since(since, now), (uint64_t)looks * FL_LOOK_NS);
}

/* --- the word ------------------------------------------------------------------------
 * An address below 2^48 (Linux gives no other without being asked), whose bits 1 and 2
 * are free because latches are aligned to 8. A number of 18 bits fills the rest. For a
 * stranger to pass for a descendant, a thief would have to pause between two instructions
 * while its victim changes masters 2^18 times and ends up with the same one. */

#define SERVING_ADDRESS UINT64_C(0x0000fffffffffff9)

static inline uint64_t serving_word(fl_served served, uint64_t number)
{
    return ((uint64_t)served & SERVING_ADDRESS) | (number >> 2 << 48) |
           ((number & 3) << 1);
}

static inline fl_served serving_whom(uint64_t serving)
{
    return (fl_served)(serving & SERVING_ADDRESS);
}

/* The waiter of whom the worker serves, when it is out of work; else NULL. Pre: the
 * worker has begun the job, and passed a fence since it published. */
static inline struct fl_parker *hungry_waiter(fl_served served)
{
    struct fl_latch *latch = served_latch(served);

    if (!served)
        return NULL;
    if (!latch)
        return join_waiter(served_join(served));
    return fl_load_relaxed(&latch->is_hungry) ? latch->waiter : NULL;
}

/* Pre: the deque is empty. */
static inline void serve(struct fl_worker *worker, fl_served served, fl_fpenv fpenv)
{
    worker->serves++;
    if (worker_fpenv(worker) != fpenv)
        fl_store_relaxed(&worker->fpenv, fpenv); /* released below */
    /* ORDER(serving): pairs with the acquires in wait.c and idle.c: who steals what is
     * pushed from here on sees, looking again, that the word has changed. */
    fl_store_release(&worker->serving, serving_word(served, worker->serves));
}

/* The calling thread becomes the guest: its floating-point environment goes with what it is
 * going to push. Pre: the deque is empty. */
static inline void serve_caller(struct fl_worker *guest)
{
    fl_fpenv fpenv = fl_fpenv_read();

    if (fpenv == worker_fpenv(guest))
        return;
    if (fpenv != guest->pool->fpenv)
        fl_store_relaxed(&guest->pool->has_fpenvs, 1u); /* released with each push */
    serve(guest, 0, fpenv);
}

/* Whoever waits for served may have looked around, asking everybody who served it to
 * share, before this worker did. */
static inline void ask_oneself(struct fl_worker *worker, fl_served served)
{
    /* ORDER(serve-dekker): serving is stored before the waiter is looked for; pairs with
     * the heavy fence in park_waiting. In classic mode the gate is always raised.
     * Without it: tests/model/serving.c, "lost wake-up". */
    fl_fence_light();
    if (hungry_waiter(served))
        deque_raise_gate(&worker->deque);
}

/* --- fences ----------------------------------------------------------------------- */

/* Pairs with the light fences of the owners; where there are none, they use seq_cst
 * ones. */
static inline void fence_against_owners(const struct filch_pool *pool)
{
    /* ORDER(gate-dekker), ORDER(serve-dekker): the callers say what for. */
    if (pool->is_asymmetric)
        fl_fence_heavy();
    else
        fl_fence_seq_cst();
}

/* --- looking around --------------------------------------------------------------- */

static inline struct fl_worker *victim(const struct filch_pool *pool, uint32_t slot)
{
    /* A hint: the slot of a guest who has just come or gone holds a valid, empty
     * deque. */
    if (slot >= pool->thread_slots &&
        !(fl_load_relaxed(&pool->guests_in) >> (slot - pool->thread_slots) & 1))
        return NULL;
    return &pool->slot[slot];
}

/* Try to take the oldest job of a victim; if starving, also one that it keeps private. */
static inline enum fl_steal steal(struct fl_worker *worker, struct fl_worker *from,
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

/* Hand over a stolen entry that this worker must not run, or not in any environment that
 * it knows of. */
static inline void hand_over_stranger(struct fl_worker *worker, filch_job *entry)
{
    /* Who pushed it has set the word before, and the steal acquired that. */
    bool has_fpenvs = fl_load_relaxed(&worker->pool->has_fpenvs);

    fl_count(&worker->counters.strangers);
    if (has_fpenvs && !entry_is_task(entry))
        entry = entry_of_bound_join(entry);
    fl_worker_hand_over(worker, worker->pool, entry);
}

/* One step of looking on: cheap for the core, then for the system. */
static inline void pause_a_little(const struct filch_pool *pool, uint32_t looks)
{
    int i;

    if (looks % 64 == 63 || pool->spin_ns == 0)
        fl_yield();
    else
        for (i = 0; i < 8; i++)
            fl_spin_hint();
}

/* Sleep until there is a permit. Counted before, so that the parks include who is asleep;
 * taken back when there was a permit already. */
static inline void park(struct fl_worker *worker)
{
    fl_count(&worker->counters.parks);
    if (!fl_parker_wait(&worker->parker))
        fl_count_add(&worker->counters.parks, UINT64_MAX);
    else
        fl_preempted_forget();
}

#endif
