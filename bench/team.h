/* team.h - the threads of a candidate, and its loops. */
#ifndef BENCH_TEAM_H
#define BENCH_TEAM_H

#include "bench.h"

extern const char *const team_candidate_names[BENCH_CANDIDATES];

/** team_is_built - whether this program has the candidate: peers may be missing. */
bool team_is_built(enum bench_candidate candidate);

/** team_create - threads for the candidate; OpenMP makes its own. spin_us: see
 * filch_pool_options. Returns 0 or a negative errno. */
int team_create(struct bench_team *team, enum bench_candidate candidate, unsigned workers,
                int32_t spin_us);
void team_destroy(struct bench_team *team);

/**
 * team_loop - body over [0, count), by whichever candidate the team is of; with nothing
 * but the defaults: equal shares for OpenMP, pieces for the channel pool, and what the
 * others choose. The body gets no worker from others than filch.
 *
 * Returns  0 or a negative errno. Threads: any.
 */
int team_loop(const struct bench_team *team, size_t count, filch_body *body, void *ctx);

#endif
