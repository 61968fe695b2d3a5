/* team.c - see team.h. */
#include "team.h"

#include <errno.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *const team_candidate_names[BENCH_CANDIDATES] = {
    [BENCH_SERIAL] = "serial", [BENCH_CHANNEL] = "channel", [BENCH_OPENMP] = "openmp",
    [BENCH_FILCH] = "filch",   [BENCH_TBB] = "tbb",         [BENCH_RAYON] = "rayon",
};

static const struct bench_peer *const peers[BENCH_CANDIDATES] = {
    [BENCH_SERIAL] = NULL, /* in no program is the list empty */
#ifdef BENCH_HAS_TBB
    [BENCH_TBB] = &bench_peer_tbb,
#endif
#ifdef BENCH_HAS_RAYON
    [BENCH_RAYON] = &bench_peer_rayon,
#endif
};

bool team_is_built(enum bench_candidate candidate)
{
    return candidate < BENCH_TBB || peers[candidate];
}

int team_create(struct bench_team *team, enum bench_candidate candidate, unsigned workers,
                int32_t spin_us)
{
    *team = (struct bench_team){
        .candidate = candidate, .workers = workers, .peer = peers[candidate]};
    if (candidate == BENCH_CHANNEL)
        return channel_pool_create(&team->channel, workers);
    if (candidate == BENCH_FILCH)
        return filch_pool_create(
            &team->filch, FILCH_POOL_OPTIONS(.workers = workers, .spin_us = spin_us));
    if (team->peer) {
        team->peer_team = team->peer->create(workers);
        return team->peer_team ? 0 : -EAGAIN;
    }
    return 0;
}

void team_destroy(struct bench_team *team)
{
    channel_pool_destroy(team->channel);
    filch_pool_destroy(team->filch);
    if (team->peer_team)
        team->peer->destroy(team->peer_team);
}

/* ---- loops ----------------------------------------------------------------------- */

struct loop {
    filch_body *body;
    void *ctx;
    atomic_int err; /* of any body */
};

static void run_part(size_t begin, size_t end, void *ctx)
{
    struct loop *loop = ctx;
    int err = loop->body(NULL, begin, end, loop->ctx);

    if (err)
        atomic_store(&loop->err, err);
}

static void run_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    (void)piece;
    run_part(begin, end, ctx);
}

/* What schedule(static) does, for a body that takes ranges. */
static void run_openmp(unsigned workers, size_t count, struct loop *loop)
{
#pragma omp parallel num_threads(workers)
    {
        size_t threads = (size_t)omp_get_num_threads();
        size_t thread = (size_t)omp_get_thread_num();
        size_t begin = count / threads * thread + count % threads * thread / threads;
        size_t next = thread + 1;
        size_t end = count / threads * next + count % threads * next / threads;

        if (begin < end)
            run_part(begin, end, loop);
    }
}

int team_loop(const struct bench_team *team, size_t count, filch_body *body, void *ctx)
{
    struct loop loop = {body, ctx, 0};
    int err;

    switch (team->candidate) {
    case BENCH_CHANNEL:
        err = channel_pool_for(team->channel, 0, count, run_piece, &loop);
        return err ? err : atomic_load(&loop.err);
    case BENCH_OPENMP:
        run_openmp(team->workers, count, &loop);
        return atomic_load(&loop.err);
    case BENCH_FILCH:
        return team->worker ? filch_for(0, count, body, ctx, .worker = team->worker)
                            : filch_for(0, count, body, ctx, .pool = team->filch);
    case BENCH_TBB:
    case BENCH_RAYON:
        team->peer->loop(team->peer_team, count, 0, run_part, &loop);
        return atomic_load(&loop.err);
    default:
        return body(NULL, 0, count, ctx);
    }
}

/* ---- peers ----------------------------------------------------------------------- */

const struct bench_peer *team_peer;

void team_run(const struct bench_team *team, bench_task *inside, void *ctx)
{
    team_peer = team->peer;
    team->peer->enter(team->peer_team, inside, ctx);
}

struct entry {
    struct bench_team team;
    int (*inside)(const struct bench_team *team);
    int err;
};

static void run_entry(void *ctx)
{
    struct entry *entry = ctx;

    entry->err = entry->inside(&entry->team);
}

static int enter_filch(filch_worker *w, void *ctx)
{
    struct entry *entry = ctx;

    entry->team.worker = w;
    return entry->inside(&entry->team);
}

int team_enter(const struct bench_team *team,
               int (*inside)(const struct bench_team *team))
{
    struct entry entry = {*team, inside, 0};

    if (team->filch)
        return filch_run(enter_filch, &entry, .pool = team->filch);
    if (!team->peer)
        return inside(team);
    entry.team.peer_team = NULL; /* its loops are inside */
    team_run(team, run_entry, &entry);
    return entry.err;
}

struct reduction {
    const struct bench_peer *peer;
    filch_reduce_body *fold;
    void *ctx;
    char *results;
    size_t stride;
};

static int fold_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct reduction *reduction = ctx;
    void *acc = reduction->results + reduction->peer->thread() * reduction->stride;

    return reduction->fold(w, begin, end, acc, reduction->ctx);
}

int team_reduce(const struct bench_team *team, size_t count, void *acc, size_t acc_size,
                filch_reduce_body *fold, filch_combine *combine, void *ctx)
{
    /* No two in a line of the cache. */
    size_t stride = (acc_size + 63) / 64 * 64 + 64;
    struct reduction reduction = {
        .peer = team->peer, .fold = fold, .ctx = ctx, .stride = stride};
    int err;

    reduction.results = malloc(team->workers * stride);
    if (!reduction.results)
        return -ENOMEM;
    for (size_t i = 0; i < team->workers; i++)
        memcpy(reduction.results + i * stride, acc, acc_size);
    err = team_loop(team, count, fold_body, &reduction);
    for (size_t i = 0; i < team->workers; i++)
        combine(acc, reduction.results + i * stride, ctx);
    free(reduction.results);
    return err;
}
