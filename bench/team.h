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

/**
 * team_enter - for filch and the peers: run inside as one of their threads, so that its
 * loops need not enter, each for itself. For whatever others it is only called.
 *
 * Returns  What inside does.
 */
int team_enter(const struct bench_team *team,
               int (*inside)(const struct bench_team *team));

/** team_run - for peers: run inside(ctx) as one of their threads. There, and in all that
 * it joins and spawns, team_peer is who can join and spawn. */
void team_run(const struct bench_team *team, bench_task *inside, void *ctx);
extern const struct bench_peer *team_peer;

/**
 * team_reduce - for peers: filch_reduce, in their users' way: a result for each thread,
 * which starts as *acc, the neutral one, is; these are combined when the loop is over.
 *
 * Returns  0, -ENOMEM, or an error of a fold.
 */
int team_reduce(const struct bench_team *team, size_t count, void *acc, size_t acc_size,
                filch_reduce_body *fold, filch_combine *combine, void *ctx);

#endif
