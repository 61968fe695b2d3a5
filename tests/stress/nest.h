/* nest.h - a nest of plan.h in parallel, with all calls of filch.
 */
#ifndef TESTS_STRESS_NEST_H
#define TESTS_STRESS_NEST_H

#include "watch.h"

#define MOST_WORKERS 8

/* w: the caller's worker, NULL outside of the pool. parent: the call around, or NULL.
 * Aborts when a lane is not the body's own, when an item is run twice or not at all, or
 * when filch's answers do not fit together; the result is for the caller to compare. */
struct result run_nest(filch_worker *w, const struct call *parent, uint64_t seed,
                       unsigned depth);

#endif
