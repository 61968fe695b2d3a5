/* park.c - parkers and the lot; see park.h for the job and PARKING.md for the protocol.
 */
#include "park.h"

#define SLEEPER  ((uint64_t)1)
#define SEARCHER ((uint64_t)1 << 32)

/* --- the parker ------------------------------------------------------------------- */

/* Until somebody wakes the owner, or for no reason. True when it is time to wake up. */
static bool sleep(struct fl_parker *parker)
{
    if (parker->wake_at_ns)
        return fl_futex_wait_until(&parker->state, FL_PARKER_ASLEEP, parker->wake_at_ns);
    fl_futex_wait(&parker->state, FL_PARKER_ASLEEP);
    return false;
}

bool fl_parker_wait(struct fl_parker *parker)
{
    bool slept = false, is_over = false;

    /* ORDER(permit): pairs with the swap in fl_parker_notify. Of the two swaps the later one
     * reads the earlier one: either the owner finds the permit, and sees what it is
     * about, or the notifier finds the owner asleep. Weakened: tests/model/park.c,
     * "payload" and "lost wake-up". */
    if (fl_swap_acq_rel(&parker->state, FL_PARKER_ASLEEP) != FL_PARKER_NOTIFIED) {
        slept = true;
        while (fl_load_relaxed(&parker->state) == FL_PARKER_ASLEEP && !is_over)
            is_over = sleep(parker);
    }
    /* ORDER(permit): as above, for the notifier that woke us. Weakened:
     * tests/model/park.c, "payload". */
    fl_swap_acquire(&parker->state, FL_PARKER_EMPTY);
    return slept;
}

bool fl_parker_notify(struct fl_parker *parker)
{
    /* ORDER(permit): pairs with the swaps in fl_parker_wait. Weakened: tests/model/park.c,
     * "payload". */
    if (fl_swap_acq_rel(&parker->state, FL_PARKER_NOTIFIED) != FL_PARKER_ASLEEP)
        return false;
    fl_futex_wake(&parker->state, 1);
    return true;
}

/* --- the lot ---------------------------------------------------------------------- */

static void lot_lock(struct fl_lot *lot)
{
    int tries;

    /* ORDER(lot-lock): pairs with the release in lot_unlock: the list is plain memory.
     * Weakened: tests/model/park.c, "data race". */
    for (tries = 1; fl_load_relaxed(&lot->lock) || fl_swap_acquire(&lot->lock, 1u);
         tries++) {
        if (tries % 64 == 0)
            fl_yield();
        else
            fl_spin_hint();
    }
}

static void lot_unlock(struct fl_lot *lot)
{
    /* ORDER(lot-lock): pairs with the acquire in lot_lock. */
    fl_store_release(&lot->lock, 0u);
}

void fl_lot_search_begin(struct fl_lot *lot)
{
    /* A count; park_idle in idle.c has the fence that makes it count before a sleep. */
    fl_add_relaxed(&lot->hungry, SEARCHER);
}

bool fl_lot_search_end(struct fl_lot *lot)
{
    uint64_t before = fl_add_relaxed(&lot->hungry, -SEARCHER);

    return lot_searching(before) == 1 && lot_sleeping(before) > 0;
}

void fl_lot_sleep_begin(struct fl_lot *lot, struct fl_parker *parker)
{
    lot_lock(lot);
    parker->next_sleeper = lot->sleepers;
    parker->is_listed = true;
    lot->sleepers = parker;
    fl_add_relaxed(&lot->hungry, SLEEPER - SEARCHER);
    lot_unlock(lot);
}

void fl_lot_sleep_cancel(struct fl_lot *lot, struct fl_parker *parker)
{
    struct fl_parker **link;

    lot_lock(lot);
    if (parker->is_listed) {
        for (link = &lot->sleepers; *link != parker; link = &(*link)->next_sleeper)
            continue;
        *link = parker->next_sleeper;
        parker->is_listed = false;
        fl_add_relaxed(&lot->hungry, SEARCHER - SLEEPER);
    }
    lot_unlock(lot);
}

/* Take the newest sleeper off the list: the one whose caches are warmest. */
static struct fl_parker *lot_pop(struct fl_lot *lot)
{
    struct fl_parker *parker = lot->sleepers;

    if (parker) {
        lot->sleepers = parker->next_sleeper;
        parker->is_listed = false;
        fl_add_relaxed(&lot->hungry, SEARCHER - SLEEPER);
    }
    return parker;
}

bool fl_lot_wake_one(struct fl_lot *lot)
{
    uint64_t hungry = fl_load_relaxed(&lot->hungry); /* ordered by the caller's fence */
    struct fl_parker *parker;

    if (lot_sleeping(hungry) == 0 || lot_searching(hungry) > 0)
        return false;
    lot_lock(lot);
    parker = lot_pop(lot);
    lot_unlock(lot);
    return parker && fl_parker_notify(parker);
}

void fl_lot_wake_all(struct fl_lot *lot)
{
    struct fl_parker *parker;

    lot_lock(lot);
    while ((parker = lot_pop(lot)))
        fl_parker_notify(parker);
    lot_unlock(lot);
}
