/* meeting.h - a loop of two items, each of which waits until the other one runs too: over
 * as soon as two threads are at work. */
#ifndef BENCH_MEETING_H
#define BENCH_MEETING_H

#include "team.h"

/** meeting_clock_ns - the clock that meetings are timed by. */
int64_t meeting_clock_ns(void);

/**
 * meeting_hold - hold one, on a team of any candidate. One worker meets nobody: then no
 * item waits.
 *
 * begun_ns  out: when the item that began last began; or NULL.
 *
 * Returns   0; -ETIMEDOUT when no second thread came within 10 s; or what team_loop says.
 */
int meeting_hold(const struct bench_team *team, int64_t *begun_ns);

#endif
