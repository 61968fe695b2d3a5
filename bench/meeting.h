/* meeting.h - a loop of two items that wait for each other: over when two threads are at
 * work at the same time.
 *
 * That both have begun is not enough. A thread that is woken on its caller's CPU begins
 * soon, in the caller's place: nothing runs in parallel, until the system moves one of them
 * away. So they exchange a word a few times, which takes the wink of an eye on two CPUs.
 */
#ifndef BENCH_MEETING_H
#define BENCH_MEETING_H

#include "team.h"

/** meeting_clock_ns - the clock that meetings are timed by. */
int64_t meeting_clock_ns(void);

/**
 * meeting_hold - hold one, on a team of any candidate. One worker meets nobody: then no
 * item waits.
 *
 * both_ns   out: when both were at work; or NULL.
 *
 * Returns   0; -ETIMEDOUT when no second thread came within 10 s, or one took both items;
 *           or what team_loop says.
 */
int meeting_hold(const struct bench_team *team, int64_t *both_ns);

#endif
