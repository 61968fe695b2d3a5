/* cutoff_bench.c - with a cut-off chosen by hand, is fork-join still worth choosing well?
 *
 * fib(n) where calls below fib(CUT) are serial, some 50 microseconds each: enough for any
 * candidate to hide what a task costs. The channel pool gets the list of these calls as a
 * loop, the others fork down to them.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>

#include "team.h"

static unsigned fib_n;
static unsigned cut;

static uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    fib_n = request->scale == BENCH_TINY ? 18 : request->scale == BENCH_QUICK ? 35 : 37;
    cut = request->scale == BENCH_TINY ? 10 : 23;
    snprintf(input->title, sizeof input->title, "fib, cut off by hand");
    snprintf(input->size, sizeof input->size, "n = %u, serial at %u", fib_n, cut);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no forks: a list of the serial calls";
    return 0;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = (double)fib(fib_n);
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct leaves {
    unsigned *n;   /* of each serial call */
    size_t count;  /* noted so far */
    uint64_t *sum; /* of each piece */
};

static size_t count_leaves(unsigned n)
{
    return n <= cut ? 1 : count_leaves(n - 1) + count_leaves(n - 2);
}

static void note_leaves(struct leaves *leaves, unsigned n)
{
    if (n <= cut) {
        leaves->n[leaves->count++] = n;
        return;
    }
    note_leaves(leaves, n - 1);
    note_leaves(leaves, n - 2);
}

static void sum_leaves(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct leaves *leaves = ctx;
    uint64_t sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += fib(leaves->n[i]);
    leaves->sum[piece] = sum;
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = channel_pool_pieces(team->channel);
    struct leaves leaves = {0};
    uint64_t sum = 0;
    int err = -ENOMEM;

    leaves.n = calloc(count_leaves(fib_n), sizeof *leaves.n);
    leaves.sum = calloc(pieces, sizeof *leaves.sum);
    if (leaves.n && leaves.sum) {
        note_leaves(&leaves, fib_n);
        err = channel_pool_for(team->channel, 0, leaves.count, sum_leaves, &leaves);
        for (size_t i = 0; i < pieces; i++)
            sum += leaves.sum[i];
        bench_result = (double)sum;
    }
    free(leaves.n);
    free(leaves.sum);
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static uint64_t fib_openmp(unsigned n)
{
    uint64_t left;
    uint64_t right;

    if (n <= cut)
        return fib(n);
#pragma omp task shared(right)
    right = fib_openmp(n - 2);
    left = fib_openmp(n - 1);
#pragma omp taskwait
    return left + right;
}

static int run_openmp(const struct bench_team *team)
{
    uint64_t sum = 0;

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    sum = fib_openmp(fib_n);
    bench_result = (double)sum;
    return 0;
}

/* ---- filch: filch_join, what most people write ----------------------------------- */

struct call {
    unsigned n;
    uint64_t sum;
};

static int fib_filch(filch_worker *w, void *ctx)
{
    struct call *call = ctx;
    struct call left = {.n = call->n - 1};
    struct call right = {.n = call->n - 2};
    int err;

    if (call->n <= cut) {
        call->sum = fib(call->n);
        return 0;
    }
    err = filch_join(w, fib_filch, &left, fib_filch, &right);
    call->sum = left.sum + right.sum;
    return err;
}

static int run_filch(const struct bench_team *team)
{
    struct call root = {.n = fib_n};
    int err = filch_run(fib_filch, &root, .pool = team->filch);

    bench_result = (double)root.sum;
    return err;
}

/* ---- peers ----------------------------------------------------------------------- */

static void fib_peer(void *ctx)
{
    struct call *call = ctx;
    struct call left = {.n = call->n - 1};
    struct call right = {.n = call->n - 2};

    if (call->n <= cut) {
        call->sum = fib(call->n);
        return;
    }
    team_peer->join(fib_peer, &left, fib_peer, &right);
    call->sum = left.sum + right.sum;
}

static int run_peer(const struct bench_team *team)
{
    struct call root = {.n = fib_n};

    team_run(team, fib_peer, &root);
    bench_result = (double)root.sum;
    return 0;
}

const struct bench_work bench_cutoff = {
    .name = "cutoff",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
};
