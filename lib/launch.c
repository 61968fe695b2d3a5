/* launch.c - what pays in the long run, and backing off; see launch.h. */
#include "launch.h"

/* Time spent waiting for workers without a CPU is at most one part in so many. */
#define PREEMPTED_FACTOR 10

/* The price of a worker that spins, as it is adapted: by a quarter up after a loop that
 * took longer than its caller alone would have, by a sixteenth of the raise down after one
 * that did not. So at a standing price one loop in a few loses. */
#define RAISE_PART 4
#define LOWER_PART 16
#define MOST_RAISE 32 /* times the price that was measured */

/* What was lost before some work is not to be taken for lost in it: so a thread asks before
 * it begins, if it has not asked for this long. */
#define TOLD_LATELY_NS 1000000u

/* --- preemption ------------------------------------------------------------------- */

/* What the calling thread was told last, and when; and how long it has had no CPU, from some
 * moment on. */
static _Thread_local struct {
    struct fl_usage usage;
    uint64_t away_ns;
    uint64_t at; /* 0: it was told nothing yet */
} told;

void fl_preempted_forget(void)
{
    told.usage = fl_thread_usage();
    told.away_ns = fl_now_ns() - told.usage.cpu_ns;
    told.at = fl_ticks();
}

void fl_preempted_begin(uint64_t now)
{
    if (told.at == 0 || fl_ticks_since(told.at, now) > fl_ticks_of_ns(TOLD_LATELY_NS))
        fl_preempted_forget();
}

uint64_t fl_preempted_ticks(uint64_t ticks, double expected)
{
    struct fl_usage before = told.usage;
    uint64_t away_ns = told.away_ns, at = told.at;
    double longer = (double)ticks - expected;

    if (longer < (double)fl_ticks_of_ns(FL_SUSPICIOUS_NS))
        return 0;
    fl_preempted_forget();
    if (at == 0 || told.usage.preemptions == before.preemptions ||
        told.away_ns <= away_ns)
        return 0;
    /* Who slept was away for that, too, and it cannot be told for how long. */
    if (told.usage.sleeps != before.sleeps)
        return 0;
    return (uint64_t)FL_MIN((double)fl_ticks_of_ns(told.away_ns - away_ns), longer);
}

/* --- back-off --------------------------------------------------------------------- */

/* Hints, all: of two at once, one may get lost. */
static void back_off(struct fl_launch *launch, uint64_t ticks, uint64_t below)
{
    uint64_t now = fl_ticks(), longest = fl_ticks_of_ns(FL_LONGEST_BACK_OFF_NS);
    uint64_t left = fl_load_relaxed(&launch->back_off_until) - now;
    uint64_t until;

    ticks = FL_MIN(ticks, longest);
    if (left <= longest && left > ticks) { /* one for longer is not over */
        ticks = left;
        below = FL_MAX(below, fl_load_relaxed(&launch->back_off_below));
    }
    until = now + ticks;
    fl_store_relaxed(&launch->back_off_until, until);
    fl_store_relaxed(&launch->back_off_below, below);
}

void fl_launch_was_preempted(struct fl_launch *launch, uint64_t ticks)
{
    if (ticks >= fl_ticks_of_ns(FL_SUSPICIOUS_NS))
        back_off(launch, ticks * PREEMPTED_FACTOR, ticks * PREEMPTED_FACTOR);
}

/* --- the price of a worker that spins --------------------------------------------- */

void fl_launch_compare(struct fl_launch *launch, double alone, uint64_t shared)
{
    uint64_t raise = launch_spinning(launch) - launch->spinning;

    if (alone > (double)(launch->spinning * MOST_RAISE))
        return; /* what sharing costs is small beside it */
    if ((double)shared > alone) {
        raise += (launch->spinning + raise) / RAISE_PART;
        raise = FL_MIN(raise, launch->spinning * MOST_RAISE);
    } else {
        raise -= FL_MIN(raise, raise / LOWER_PART + 1);
    }
    /* Hints: of two callers at once, one may not count. */
    fl_store_relaxed(&launch->raise, raise);
    fl_store_relaxed(&launch->raised_at, fl_ticks());
}

/* --- many loops ------------------------------------------------------------------- */

bool fl_launch_missed_enough(struct fl_launch *launch, double ticks, uint64_t spin_ns)
{
    uint64_t now = fl_ticks(), missed = (uint64_t)(ticks / 2);

    if (spin_ns == 0) /* who is woken sleeps again at once */
        return false;
    /* Hints, all: of two callers at once, one may not count. */
    if (fl_ticks_since(fl_load_relaxed(&launch->missed_at), now) <
        fl_ticks_of_ns(spin_ns) + (uint64_t)ticks)
        missed += fl_load_relaxed(&launch->missed);
    fl_store_relaxed(&launch->missed_at, now);
    fl_store_relaxed(&launch->missed, missed);
    return missed >= launch->sleeping;
}
