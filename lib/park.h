/* park.h - putting workers to sleep, and waking no more of them than there is work for.
 *
 * Job: a permit to sleep on (fl_parker, one per worker), and the list and count of a
 * pool's hungry workers (fl_lot). The protocol, and why no wake-up is lost: PARKING.md
 * beside this file. Relies on platform.h for the futex. Knows no pool: who looks for
 * work, and where, is the business of idle.c and wait.c.
 */
#ifndef FL_PARK_H
#define FL_PARK_H

#include "base.h"
#include "atomics.h"

enum { FL_PARKER_EMPTY, FL_PARKER_NOTIFIED, FL_PARKER_ASLEEP };

/* Holds at most one permit. */
struct fl_parker {
    _Alignas(64) uint32_t state;
    /* What its owner sleeps for: a latch, or 0 for anything. Written by the owner before
     * it sleeps; who has woken it reads it. */
    uintptr_t sleeps_for;
    uint64_t wake_at_ns; /* 0: sleep without end. The owner's */
    /* The lot's, under its lock. */
    struct fl_parker *next_sleeper;
    bool is_listed;
};

/* Workers without work: those that search, and those that sleep (a list, newest
 * first). */
struct fl_lot {
    _Alignas(64) uint64_t hungry; /* searching << 32 | sleeping; changed together */
    _Alignas(64) uint32_t lock;
    struct fl_parker *sleepers;
};

static inline uint32_t lot_sleeping(uint64_t hungry)
{
    return (uint32_t)hungry;
}

static inline uint32_t lot_searching(uint64_t hungry)
{
    return (uint32_t)(hungry >> 32);
}

/* --- the parker ------------------------------------------------------------------- */

/* Sleep until there is a permit, or until wake_at_ns, and use the permit up. Only the
 * owner. True when it really slept. */
bool fl_parker_wait(struct fl_parker *parker);

/* Give a permit. True when the owner slept and has been woken. The last touch of whatever
 * the permit is about: the owner may be gone on its way at once. */
bool fl_parker_notify(struct fl_parker *parker);

/* --- the lot ---------------------------------------------------------------------- */

void fl_lot_search_begin(struct fl_lot *lot);

/* A searcher found work. True when it was the last one and somebody sleeps: the finder
 * then wakes one, so that the search goes on while there is work. */
bool fl_lot_search_end(struct fl_lot *lot);

/* A searcher joins the sleepers. The fence that makes this count, and the last look for
 * work, are the caller's (idle.c); after it fl_parker_wait, or fl_lot_sleep_cancel. */
void fl_lot_sleep_begin(struct fl_lot *lot, struct fl_parker *parker);

/* A sleeper that found work after all searches again. When a waker was faster, its permit
 * stays with the parker. Either way the caller is a searcher. */
void fl_lot_sleep_cancel(struct fl_lot *lot, struct fl_parker *parker);

/* Wake one sleeper, which becomes a searcher, unless somebody searches already or nobody
 * sleeps. Pre: a full fence since the work was published. Returns whether one was
 * woken. */
bool fl_lot_wake_one(struct fl_lot *lot);

/* Wake them all (shutdown). */
void fl_lot_wake_all(struct fl_lot *lot);

#endif
