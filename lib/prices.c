/* prices.c - what help costs: measured once, when a pool starts, with its first thread.
 *
 * The starter wakes the thread as a sharer would wake a sleeper, and then writes a word
 * that it looks at as a thread without work looks around. Not through the deques, so that
 * the counters of a new pool are all 0.
 */
#include "prices.h"
#include "serving.h"

/* Without a measurement: what was seen on several machines. */
#define SPINNING_NS 300u
#define SLEEPING_NS 50000u

/* A look at the clock takes 10 ns. */
#define TINY_NS 1000u

/* A thread that takes longer has no CPU just now, which says nothing about waking. */
#define PATIENCE_NS 1000000u

/* From who has announced its sleep to who sleeps. */
#define FALL_ASLEEP_NS 20000u

/* Where the clock stands still. */
#define FALL_ASLEEP_LOOKS 4000

/* A word's way to a spinning worker and back is one of several: the sharer's publication,
 * the thief's steal, the loop's data, and at its end the count, most with a fence. So help
 * pays from so many times that way on, measured with loops of 1 to 5 us. */
#define SPINNING_TIMES 12

/* And not below this, however close the thread was just then. */
#define LEAST_SPINNING_NS 2000u

/* Nor above this, whatever the system was busy with. */
#define MOST_SLEEPING_NS 100000u

/* Where the clock stands still. Looks take nanoseconds, yields a third of a microsecond. */
#define MOST_LOOKS  1000000
#define MOST_YIELDS 4000

#define ROUNDS 5

/* launch->ask */
enum { NOTHING, SLEEP, FIRST_ROUND };

/* Look on until *word is value. False: it took too long. */
static bool wait_for(const uint32_t *word, uint32_t value)
{
    uint64_t since = fl_now_ns();
    int looks;

    /* ORDER(prices): pairs with the release below: the time of waking up is seen. */
    for (looks = 1; fl_load_acquire(word) != value; looks++) {
        if (looks == MOST_LOOKS ||
            (looks % FL_LOOKS_PER_CLOCK == 0 && fl_ns_since(since) > PATIENCE_NS))
            return false;
        fl_spin_hint();
    }
    return true;
}

/* --- the thread's side ------------------------------------------------------------ */

void fl_prices_answer(struct fl_worker *worker)
{
    struct fl_launch *launch = &worker->pool->launch;
    uint64_t since;
    uint32_t round = FIRST_ROUND, looks, ask;

    if (worker->index != 0 || fl_load_relaxed(&launch->ask) != SLEEP) /* the starter's */
        return;
    worker->parker.wake_at_ns = 0;
    fl_parker_wait(&worker->parker);
    launch->woken_at = fl_ticks();
    /* ORDER(prices): pairs with the acquire in wait_for. */
    fl_store_release(&launch->answer, (uint32_t)SLEEP);
    since = fl_now_ns();
    /* Whatever the clock does, the starter ends it. */
    for (looks = 0; (ask = fl_load_relaxed(&launch->ask)) != NOTHING; looks++) {
        if (ask == round)
            fl_store_relaxed(&launch->answer, round++); /* a sign of life, no more */
        if (looks % FL_LOOKS_PER_CLOCK == 0 && fl_ns_since(since) > PATIENCE_NS)
            return;
        pause_a_little(worker->pool, looks);
    }
}

/* --- the starter's side ----------------------------------------------------------- */

void fl_prices_guess(struct fl_launch *launch)
{
    launch->spinning = fl_ticks_of_ns(SPINNING_NS) * SPINNING_TIMES;
    launch->sleeping = fl_ticks_of_ns(SLEEPING_NS);
    launch->tiny = (float)fl_ticks_of_ns(TINY_NS);
}

void fl_prices_ask(struct fl_launch *launch)
{
    launch->answer = NOTHING;
    launch->ask = SLEEP; /* its thread is not there yet */
}

/* What is left of a loop takes (r + t) / 2 with a worker that begins after a time t, and
 * the caller waits for the system call that wakes it: help pays from t and that call on. */
static bool measure_sleeping(struct fl_launch *launch, struct fl_parker *parker)
{
    uint64_t began, called, since = fl_now_ns();
    int looks;

    for (looks = 0; fl_load_relaxed(&parker->state) != FL_PARKER_ASLEEP; looks++) {
        if (looks == MOST_YIELDS || fl_ns_since(since) > PATIENCE_NS) /* looks only */
            return false;
        fl_yield(); /* the thread may be waiting for just this CPU */
    }
    since = fl_now_ns();
    for (looks = 0; looks < FALL_ASLEEP_LOOKS && fl_ns_since(since) < FALL_ASLEEP_NS;
         looks++)
        fl_spin_hint();
    began = fl_ticks();
    fl_parker_notify(parker);
    called = fl_ticks();
    if (!wait_for(&launch->answer, SLEEP))
        return false;
    launch->sleeping =
        FL_MIN(fl_ticks_since(began, launch->woken_at) + fl_ticks_since(began, called),
               fl_ticks_of_ns(MOST_SLEEPING_NS));
    return true;
}

static bool measure_spinning(struct fl_launch *launch)
{
    uint64_t began, took, shortest = UINT64_MAX, longest = 0, all = 0;
    uint32_t round;

    for (round = FIRST_ROUND; round < FIRST_ROUND + ROUNDS; round++) {
        began = fl_ticks();
        fl_store_relaxed(&launch->ask, round); /* the same */
        if (!wait_for(&launch->answer, round))
            return false;
        took = fl_ticks_since(began, fl_ticks());
        all += took;
        shortest = FL_MIN(shortest, took);
        longest = FL_MAX(longest, took);
    }
    launch->spinning = FL_MAX((all - shortest - longest) / (ROUNDS - 2) * SPINNING_TIMES,
                              fl_ticks_of_ns(LEAST_SPINNING_NS));
    launch->spinning = FL_MIN(launch->spinning, fl_ticks_of_ns(MOST_SLEEPING_NS));
    return true;
}

void fl_prices_measure(struct fl_launch *launch, struct fl_parker *parker)
{
    bool slept = measure_sleeping(launch, parker);

    if (slept)
        measure_spinning(launch);
    fl_store_relaxed(&launch->ask, (uint32_t)NOTHING);
    if (!slept)
        fl_parker_notify(parker); /* it may be on its way to sleep */
}
