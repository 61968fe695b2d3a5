/* reduce_bench.c - does a reduction over an array use all the cores, or all the memory
 * bandwidth, whichever ends first?
 *
 * Two works over 1e7 doubles: the sum of f(x) = 1 / (1 + x * x), which computes, and a
 * dot product, which mostly reads. Results may differ from serial in the last digits,
 * because every candidate adds up in another order; filch alone has the same bits at any
 * number of workers.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static double *xs;
static double *ys;
static size_t count;

static inline double cheap(double x)
{
    return 1 / (1 + x * x);
}

static double sum_of(size_t begin, size_t end)
{
    double sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += cheap(xs[i]);
    return sum;
}

static double dot_of(size_t begin, size_t end)
{
    double sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += xs[i] * ys[i];
    return sum;
}

static void release(void)
{
    free(xs);
    free(ys);
}

static int prepare(const struct bench_request *request, struct bench_input *input,
                   const char *title)
{
    count = request->scale == BENCH_TINY ? 10007 : 10000000;
    xs = malloc(count * sizeof *xs);
    ys = malloc(count * sizeof *ys);
    if (!xs || !ys) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        xs[i] = (double)(i % 1000) / 1000;
        ys[i] = (double)(i % 777) / 777;
    }
    snprintf(input->title, sizeof input->title, "%s", title);
    snprintf(input->size, sizeof input->size, "%zu doubles", count);
    return 0;
}

static int sum_prepare(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "sum of 1/(1+x*x)");
}

static int dot_prepare(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "dot product");
}

/* ---- serial ---------------------------------------------------------------------- */

static int sum_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = sum_of(0, count);
    return 0;
}

static int dot_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = dot_of(0, count);
    return 0;
}

/* ---- channel pool: a partial sum for each piece ---------------------------------- */

static void sum_piece(size_t piece, size_t begin, size_t end, void *partial)
{
    ((double *)partial)[piece] = sum_of(begin, end);
}

static void dot_piece(size_t piece, size_t begin, size_t end, void *partial)
{
    ((double *)partial)[piece] = dot_of(begin, end);
}

static int reduce_channel(const struct bench_team *team, channel_body *body)
{
    size_t pieces = channel_pool_pieces(team->channel);
    double *partial = calloc(pieces, sizeof *partial);
    int err;

    if (!partial)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, count, body, partial);
    bench_result = 0;
    for (size_t i = 0; i < pieces; i++)
        bench_result += partial[i];
    free(partial);
    return err;
}

static int sum_channel(const struct bench_team *team)
{
    return reduce_channel(team, sum_piece);
}

static int dot_channel(const struct bench_team *team)
{
    return reduce_channel(team, dot_piece);
}

/* ---- OpenMP: its own reduction, static shares ------------------------------------ */

static int sum_openmp(const struct bench_team *team)
{
    double sum = 0;

#pragma omp parallel for num_threads(team->workers) reduction(+ : sum) schedule(static)
    for (size_t i = 0; i < count; i++)
        sum += cheap(xs[i]);
    bench_result = sum;
    return 0;
}

static int dot_openmp(const struct bench_team *team)
{
    double sum = 0;

#pragma omp parallel for num_threads(team->workers) reduction(+ : sum) schedule(static)
    for (size_t i = 0; i < count; i++)
        sum += xs[i] * ys[i];
    bench_result = sum;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(double *)right;
}

static int sum_block(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    *(double *)acc += sum_of(begin, end);
    return 0;
}

static int dot_block(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    *(double *)acc += dot_of(begin, end);
    return 0;
}

static int reduce_filch(const struct bench_team *team, filch_reduce_body *block)
{
    double sum = 0;
    int err =
        filch_reduce(0, count, &sum, sizeof sum, block, add, NULL, .pool = team->filch);

    bench_result = sum;
    return err;
}

static int sum_filch(const struct bench_team *team)
{
    return reduce_filch(team, sum_block);
}

static int dot_filch(const struct bench_team *team)
{
    return reduce_filch(team, dot_block);
}

const struct bench_work bench_sum = {
    .name = "sum",
    .prepare = sum_prepare,
    .release = release,
    .run = {sum_serial, sum_channel, sum_openmp, sum_filch},
    .tolerance = 1e-9,
};

const struct bench_work bench_dot = {
    .name = "dot",
    .prepare = dot_prepare,
    .release = release,
    .run = {dot_serial, dot_channel, dot_openmp, dot_filch},
    .tolerance = 1e-9,
};
