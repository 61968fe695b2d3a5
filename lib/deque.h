/* deque.h - the deque of a worker: Chase-Lev with a private tail.
 *
 *     slots      [ top ........ bottom ........ tail )
 *                  public: thieves   private: owner only
 *
 * Job: the owner pushes and pops at the tail, thieves take at the top. The newest jobs
 * are private, so pushing and popping them costs no fence and no locked instruction; they
 * become public when somebody is hungry. filch_fork and filch_reclaim (filch/join.h) are
 * the inline push and pop; this file has all else.
 *
 * Roles     owner: push, pop, publish, lower the gate. Thief: steal, force a publish,
 *           raise the gate. Any number of thieves at once.
 * Progress  the private push and pop are wait-free, steal is lock-free (a thief that
 *           loses its CAS lost it to one that got the job). Publish, forced publish and
 *           the pop of a public job take a lock, which is held for a few instructions
 *           (forced: for one membarrier).
 * Never     allocates, blocks in the system (but for a yield on the lock), or looks into
 *           a job.
 *
 * Two modes. Asymmetric: as above. Classic (no membarrier): the gate stays raised, so
 * every push publishes, and every pop is the classic take; the lock is then not needed.
 *
 * Papers    Chase and Lev, Dynamic circular work-stealing deque, SPAA 2005.
 *           Le, Pop, Cohen and Zappa Nardelli, Correct and efficient work-stealing for
 *           weak memory models, PPoPP 2013 (the orders).
 *           van Dijk and van de Pol, Lace: non-blocking split deque for work-stealing,
 *           MuCoCoS 2014 (a private and a public part).
 */
#ifndef FL_DEQUE_H
#define FL_DEQUE_H

#include <filch/join.h>
#include "base.h"
#include "atomics.h"

#define FL_DEQUE_MASK (FILCH_RING_SLOTS - 1)

/* Indices only grow, but for the owner's, and 63 bits do not wrap. */
struct fl_deque {
    _Alignas(64) int64_t top; /* thieves advance it by CAS; the owner for the last job */
    /* [top, bottom) may be stolen. Written under the lock. */
    _Alignas(64) int64_t bottom;
    uint32_t lock;
    bool is_asymmetric; /* constant */
    /* Last: a worker that never keeps more than one job is allocated without the rest of
     * the ring (see solo_init in enter.c). */
    _Alignas(64) filch_worker hot;
};

enum fl_steal { FL_STEAL_GOT, FL_STEAL_EMPTY, FL_STEAL_LOST };

static inline void deque_init(struct fl_deque *deque, bool is_asymmetric)
{
    deque->top = deque->bottom = 0;
    deque->lock = 0;
    deque->is_asymmetric = is_asymmetric;
    deque->hot.tail = deque->hot.limit = 0;
    /* Raised: the owner finds out at its first push whether anyone is hungry. */
    deque->hot.gate = FILCH_GATE_RAISED;
}

/* --- the lock --------------------------------------------------------------------- */

static inline bool deque_try_lock(struct fl_deque *deque)
{
    /* ORDER(deque-lock): pairs with the release in deque_unlock: who holds the lock sees
     * the bottom and limit of the last holder.
     * Weakened: tests/model/deque_force.c, "run twice". */
    return fl_load_relaxed(&deque->lock) == 0 && fl_swap_acquire(&deque->lock, 1u) == 0;
}

static inline void deque_lock(struct fl_deque *deque)
{
    int tries;

    for (tries = 1; !deque_try_lock(deque); tries++) {
        /* A forcer that lost its CPU inside membarrier may hold it for long. */
        if (tries % 64 == 0)
            fl_yield();
        else
            fl_spin_hint();
    }
}

static inline void deque_unlock(struct fl_deque *deque)
{
    /* ORDER(deque-lock): pairs with the acquire in deque_try_lock. */
    fl_store_release(&deque->lock, 0u);
}

/* --- the owner -------------------------------------------------------------------- */

/* Whether the job after the one just pushed at index still has a slot. A push writes its
 * slot before it asks, so one slot is always kept free. */
static inline bool deque_has_room(struct fl_deque *deque, int64_t index)
{
    /* ORDER(deque-room): pairs with the release half of the CAS in deque_steal: a slot
     * that is written again has been read by the thief that emptied it. Weakened:
     * tests/model/deque_steal.c, "filled again". */
    return index - fl_load_acquire(&deque->top) < FILCH_RING_SLOTS - 1;
}

/* Make all private jobs public. Returns whether there were any. */
static inline bool deque_publish(struct fl_deque *deque)
{
    int64_t tail = fl_load_relaxed(&deque->hot.tail); /* only the owner writes it */
    bool is_news;

    if (deque->is_asymmetric)
        deque_lock(deque);
    is_news = tail > fl_load_relaxed(&deque->bottom);
    if (is_news) {
        fl_store_relaxed(&deque->hot.limit,
                         tail); /* the owner's own, but in a forced publish */
        /* ORDER(deque-public): pairs with the acquire of bottom in deque_steal: a thief
         * that sees the job public sees its slot and all of it. Weakened:
         * tests/model/deque_steal.c, "payload". */
        fl_store_release(&deque->bottom, tail);
    }
    if (deque->is_asymmetric)
        deque_unlock(deque);
    return is_news;
}

/* The pop of a job that may be public. Pre: the owner has stored tail = index (release)
 * and passed a light fence. True: it is the owner's. False: it was stolen, and then so
 * was everything older; the deque is empty. */
static inline bool deque_pop_slow(struct fl_deque *deque, int64_t index)
{
    int64_t bottom, top;
    bool is_ours = true;

    if (deque->is_asymmetric)
        deque_lock(deque);
    bottom = fl_load_relaxed(&deque->bottom); /* the lock's */
    if (index >= bottom) {
        /* A forcer had raised limit but left the job out. */
        fl_store_relaxed(&deque->hot.limit, bottom);
        goto unlock;
    }
    fl_store_relaxed(&deque->hot.limit, index);
    /* ORDER(deque-public): release at every store of bottom, because a release sequence
     * does not run through a later relaxed store: a thief may read this one and must
     * still see the older jobs. Weakened: tests/model/deque_steal.c, "payload". */
    fl_store_release(&deque->bottom, index);
    /* ORDER(deque-take): pairs with the fence in deque_steal: of owner and thief, one
     * sees the other's move. Without it: tests/model/deque_steal.c, "run twice". */
    fl_fence_seq_cst();
    top = fl_load_relaxed(&deque->top);
    if (top < index)
        goto unlock;
    /* The last job, or one that is gone. Either way the deque is empty now, and the owner
     * goes on at the old bottom, which top has reached: the indices below may still be in
     * a thief's hand. ORDER(deque-top): pairs with the CAS in deque_steal: one of the two
     * gets the job. With a store in its place: tests/model/deque_steal.c, "run twice". */
    is_ours = top == index && fl_cas_seq_cst(&deque->top, &top, index + 1);
    fl_store_relaxed(&deque->hot.limit, bottom);
    /* ORDER(deque-retract): as in filch_reclaim. */
    fl_store_release(&deque->hot.tail, bottom);
    /* ORDER(deque-public): as above. */
    fl_store_release(&deque->bottom, bottom);
unlock:
    if (deque->is_asymmetric)
        deque_unlock(deque);
    return is_ours;
}

/* --- thieves ---------------------------------------------------------------------- */

/* Take the oldest public job. */
static inline enum fl_steal deque_steal(struct fl_deque *deque, filch_job **job)
{
    int64_t top, bottom;

    /* ORDER(deque-top): pairs with the CAS here and in deque_pop_slow: who sees top moved
     * sees what the mover saw of bottom. */
    top = fl_load_acquire(&deque->top);
    /* ORDER(deque-take): pairs with the fence in deque_pop_slow.
     * Without it: tests/model/deque_steal.c, "run twice". */
    fl_fence_seq_cst();
    /* ORDER(deque-public): pairs with the release stores of bottom. Weakened:
     * tests/model/deque_steal.c, "payload". */
    bottom = fl_load_acquire(&deque->bottom);
    if (top >= bottom)
        return FL_STEAL_EMPTY;
    /* Before the CAS: after it the owner may write the slot again. */
    *job = fl_load_relaxed(&deque->hot.slot[top & FL_DEQUE_MASK]);
    /* ORDER(deque-top): seq_cst as in Le et al.
     * ORDER(deque-room): release, for the reader in deque_has_room. Weakened:
     * tests/model/deque_steal.c, "filled again". */
    if (!fl_cas_seq_cst(&deque->top, &top, top + 1))
        return FL_STEAL_LOST;
    return FL_STEAL_GOT;
}

static inline bool deque_has_public(const struct fl_deque *deque)
{
    /* A look only; deque_steal decides. */
    return fl_load_relaxed(&deque->top) < fl_load_relaxed(&deque->bottom);
}

static inline bool deque_has_private(const struct fl_deque *deque)
{
    /* A look only; deque_force_publish decides. */
    return fl_load_relaxed(&deque->hot.tail) > fl_load_relaxed(&deque->bottom);
}

/* Publish for an owner who sits in a long job and does not do it himself. Pre:
 * asymmetric. Returns whether something became public. Costs a membarrier when there is
 * private work. */
static inline bool deque_force_publish(struct fl_deque *deque)
{
    int64_t bottom, tail, tail_after, published;

    FL_ASSERT(deque->is_asymmetric);
    if (!deque_try_lock(deque))
        return false;                         /* the owner is at it, or another thief */
    bottom = fl_load_relaxed(&deque->bottom); /* the lock's */
    /* ORDER(deque-private): pairs with the release of tail in filch_fork. */
    tail = fl_load_acquire(&deque->hot.tail);
    if (tail <= bottom) {
        deque_unlock(deque);
        return false;
    }
    /* From here the owner's pops below tail come through the lock... */
    fl_store_relaxed(&deque->hot.limit, tail);
    /* ORDER(pop-dekker): pairs with the light fence in filch_reclaim: a pop that did not
     * see the limit has stored its tail before the read below. Without it:
     * tests/model/deque_force.c, "run twice". */
    fl_fence_heavy();
    /* ... and the ones that did not show in tail now: they keep their jobs.
     * ORDER(deque-retract): pairs with the release of tail in filch_reclaim. Weakened:
     * tests/model/deque_force.c, "payload". */
    tail_after = fl_load_acquire(&deque->hot.tail);
    published = FL_MAX(bottom, FL_MIN(tail, tail_after));
    fl_store_relaxed(&deque->hot.limit, published);
    /* ORDER(deque-public): pairs with the acquire of bottom in deque_steal. Weakened:
     * tests/model/deque_force.c, "payload". */
    fl_store_release(&deque->bottom, published);
    deque_unlock(deque);
    return published > bottom;
}

/* --- the gate ------------------------------------------------------------------------
 * A raised gate sends the owner's next push to the library, which publishes. Raised by
 * who is hungry, after saying so where the owner looks; lowered by the owner, who looks
 * afterwards. */

/* Returns whether it was down. */
static inline bool deque_raise_gate(struct fl_deque *deque)
{
    /* ORDER(gate-raise): pairs with the acquire in deque_lower_gate: an owner that wipes
     * out this raise sees why it was made, and raises again. A swap, so that a raise on
     * top of another's keeps the other's release sequence. Weakened:
     * tests/model/gate.c, "wiped out". */
    return fl_load_relaxed(&deque->hot.gate) != FILCH_GATE_RAISED &&
           fl_swap_release(&deque->hot.gate, FILCH_GATE_RAISED) != FILCH_GATE_RAISED;
}

/* The owner's. Pushes pass until the ring is nearly full. */
static inline void deque_lower_gate(struct fl_deque *deque)
{
    /* Relaxed: the fence that follows in fl_worker_share comes before the next push,
     * which so writes no slot that a thief has yet to read. */
    int64_t gate = fl_load_relaxed(&deque->top) + FILCH_RING_SLOTS - 1;

    /* ORDER(gate-raise): pairs with the release in deque_raise_gate. Weakened:
     * tests/model/gate.c, "wiped out". */
    fl_swap_acquire(&deque->hot.gate, gate);
}

#endif
