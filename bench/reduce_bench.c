/* reduce_bench.c - does a reduction over an array use all the cores, or all the memory
 * bandwidth, whichever ends first?
 *
 * Works over 1e7 numbers: the sum of f(x) = 1 / (1 + x * x), which computes; a dot product,
 * which mostly reads; and plain sums, of doubles and of floats. Results may differ from
 * serial in the last digits, because every candidate adds up in another order; filch alone
 * has the same bits at any number of workers.
 *
 * The kernels say that the order need not be kept (omp simd). A plain sum is what
 * filch_sum is for, which has a bracket of its own; there serial is the loop as one writes
 * it, whose order the compiler does keep. Its numbers are whole, some cancel, and every
 * order gives the same.
 */
#include "bench.h"

#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

static double *xs;
static double *ys;
static float *floats;
static size_t count;

static void release(void)
{
    free(xs);
    free(ys);
    free(floats);
}

static int prepare(const struct bench_request *request, struct bench_input *input,
                   const char *title, const char *type)
{
    count = (request->scale == BENCH_TINY ? 10007 : 10000000) * request->factor;
    xs = malloc(count * sizeof *xs);
    ys = malloc(count * sizeof *ys);
    floats = malloc(count * sizeof *floats);
    if (!xs || !ys || !floats) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        xs[i] = (double)(i % 1000) / 1000;
        ys[i] = (double)(i % 777) / 777;
        floats[i] = (float)(i % 1000) - 499;
    }
    snprintf(input->title, sizeof input->title, "%s", title);
    snprintf(input->size, sizeof input->size, "%zu %s", count, type);
    return 0;
}

static int sum_prepare(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "sum of 1/(1+x*x)", "doubles");
}

static int dot_prepare(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "dot product", "doubles");
}

static const char *note_of(enum bench_candidate candidate)
{
    return candidate == BENCH_SERIAL  ? "one addition after the other"
           : candidate == BENCH_FILCH ? "filch_sum: pairwise, with vector code"
                                      : NULL;
}

static int plain_prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = prepare(request, input, "plain sum of doubles", "doubles");

    for (size_t i = 0; !err && i < count; i++)
        xs[i] = (double)floats[i];
    input->note = note_of(request->candidate);
    return err;
}

static int floats_prepare(const struct bench_request *request, struct bench_input *input)
{
    input->note = note_of(request->candidate);
    return prepare(request, input, "plain sum of floats", "floats");
}

/* ---- kernels: what a candidate folds a piece with ---------------------------------- */

typedef double kernel(size_t begin, size_t end);

static inline double cheap(double x)
{
    return 1 / (1 + x * x);
}

static double sum_of(size_t begin, size_t end)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; i++)
        sum += cheap(xs[i]);
    return sum;
}

static double dot_of(size_t begin, size_t end)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; i++)
        sum += xs[i] * ys[i];
    return sum;
}

static double plain_of(size_t begin, size_t end)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; i++)
        sum += xs[i];
    return sum;
}

static double floats_of(size_t begin, size_t end)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; i++)
        sum += (double)floats[i];
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(kernel *fold)
{
    bench_result = fold(0, count);
    return 0;
}

/* ---- channel pool: a partial sum for each piece ---------------------------------- */

struct partials {
    kernel *fold;
    double *sum;
};

static void fold_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct partials *partials = ctx;

    partials->sum[piece] = partials->fold(begin, end);
}

static int run_channel(const struct bench_team *team, kernel *fold)
{
    size_t pieces = channel_pool_pieces(team->channel);
    struct partials partials = {fold, calloc(pieces, sizeof *partials.sum)};
    int err;

    if (!partials.sum)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, count, fold_piece, &partials);
    bench_result = 0;
    for (size_t i = 0; i < pieces; i++)
        bench_result += partials.sum[i];
    free(partials.sum);
    return err;
}

/* ---- filch ----------------------------------------------------------------------- */

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(double *)right;
}

static int fold_block(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    kernel *const *fold = ctx;

    (void)w;
    *(double *)acc += (*fold)(begin, end);
    return 0;
}

static int run_filch(const struct bench_team *team, kernel *fold)
{
    double sum = 0;
    int err = filch_reduce(0, count, &sum, sizeof sum, fold_block, add, &fold,
                           .pool = team->filch);

    bench_result = sum;
    return err;
}

static int run_peer(const struct bench_team *team, kernel *fold)
{
    bench_result = 0;
    return team_reduce(team, count, &bench_result, sizeof bench_result, fold_block, add,
                       &fold);
}

/* ---- OpenMP: its own reduction, static shares --------------------------------------
 * Not "parallel for simd", of which clang 14 makes no vector code. */

static int run_openmp(const struct bench_team *team, kernel *fold)
{
    double sum = 0;

#pragma omp parallel num_threads(team->workers) reduction(+ : sum)
    {
        size_t threads = (size_t)omp_get_num_threads();
        size_t thread = (size_t)omp_get_thread_num();

        sum += fold(count * thread / threads, count * (thread + 1) / threads);
    }
    bench_result = sum;
    return 0;
}

/* ---- the works --------------------------------------------------------------------- */

static int sum_serial(const struct bench_team *team)
{
    (void)team;
    return run_serial(sum_of);
}

static int sum_openmp(const struct bench_team *team)
{
    return run_openmp(team, sum_of);
}

static int sum_channel(const struct bench_team *team)
{
    return run_channel(team, sum_of);
}

static int sum_filch(const struct bench_team *team)
{
    return run_filch(team, sum_of);
}

static int sum_peer(const struct bench_team *team)
{
    return run_peer(team, sum_of);
}

static int dot_serial(const struct bench_team *team)
{
    (void)team;
    return run_serial(dot_of);
}

static int dot_openmp(const struct bench_team *team)
{
    return run_openmp(team, dot_of);
}

static int dot_channel(const struct bench_team *team)
{
    return run_channel(team, dot_of);
}

static int dot_filch(const struct bench_team *team)
{
    return run_filch(team, dot_of);
}

static int dot_peer(const struct bench_team *team)
{
    return run_peer(team, dot_of);
}

static int plain_serial(const struct bench_team *team)
{
    double sum = 0;

    (void)team;
    for (size_t i = 0; i < count; i++)
        sum += xs[i];
    bench_result = sum;
    return 0;
}

static int plain_openmp(const struct bench_team *team)
{
    return run_openmp(team, plain_of);
}

static int plain_channel(const struct bench_team *team)
{
    return run_channel(team, plain_of);
}

static int plain_filch(const struct bench_team *team)
{
    double sum = 0;
    int err = filch_sum(xs, count, &sum, .pool = team->filch);

    bench_result = sum;
    return err;
}

static int floats_serial(const struct bench_team *team)
{
    double sum = 0;

    (void)team;
    for (size_t i = 0; i < count; i++)
        sum += (double)floats[i];
    bench_result = sum;
    return 0;
}

static int floats_openmp(const struct bench_team *team)
{
    return run_openmp(team, floats_of);
}

static int floats_channel(const struct bench_team *team)
{
    return run_channel(team, floats_of);
}

static int floats_filch(const struct bench_team *team)
{
    double sum = 0;
    int err = filch_sum(floats, count, &sum, .pool = team->filch);

    bench_result = sum;
    return err;
}

const struct bench_work bench_reduce[BENCH_REDUCE_WORKS] = {
    {
        .name = "sum",
        .has_factor = true,
        .prepare = sum_prepare,
        .release = release,
        .run = {sum_serial, sum_channel, sum_openmp, sum_filch, sum_peer, sum_peer},
        .tolerance = 1e-9,
    },
    {
        .name = "dot",
        .has_factor = true,
        .prepare = dot_prepare,
        .release = release,
        .run = {dot_serial, dot_channel, dot_openmp, dot_filch, dot_peer, dot_peer},
        .tolerance = 1e-9,
    },
    {
        .name = "plain-sum",
        .has_factor = true,
        .prepare = plain_prepare,
        .release = release,
        .run = {plain_serial, plain_channel, plain_openmp, plain_filch},
    },
    {
        .name = "plain-sum-float",
        .has_factor = true,
        .prepare = floats_prepare,
        .release = release,
        .run = {floats_serial, floats_channel, floats_openmp, floats_filch},
        .is_extra = true,
    },
};
