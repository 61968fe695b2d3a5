/* no_launch.h - for tests of the real wait.c, idle.c or split.c without the real launch.c:
 * nobody loses its CPU here, and no time passes. */
#ifndef MODEL_NO_LAUNCH_H
#define MODEL_NO_LAUNCH_H

#include "launch.h"

uint64_t fl_preempted_ticks(uint64_t ticks, double expected)
{
    (void)ticks, (void)expected;
    return 0;
}

void fl_preempted_begin(uint64_t now)
{
    (void)now;
}

void fl_preempted_forget(void)
{
}

void fl_launch_was_preempted(struct fl_launch *launch, uint64_t ticks)
{
    (void)launch, (void)ticks;
}

#endif
