/* launch.c - what pays in the long run, and losing trust; see launch.h. */
#include "launch.h"

/* Time spent waiting for workers without a CPU is at most one part in so many. */
#define DISTRUST_FACTOR 10

void fl_launch_suspect(struct fl_launch *launch, uint64_t ticks, double expected)
{
    static _Thread_local uint64_t lost_before;
    uint64_t lost = fl_times_preempted(), now;

    if (lost == lost_before)
        return;
    lost_before = lost;
    if ((double)ticks - expected < (double)fl_ticks_of_ns(FL_SUSPICIOUS_NS))
        return;
    ticks = (uint64_t)((double)ticks - expected) * DISTRUST_FACTOR;
    now = fl_ticks();
    /* Hints; of two at once, one may get lost. */
    if (now + ticks > fl_load_relaxed(&launch->distrust_until))
        fl_store_relaxed(&launch->distrust_until, now + ticks);
    fl_store_relaxed(&launch->distrust_below, ticks);
}

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
