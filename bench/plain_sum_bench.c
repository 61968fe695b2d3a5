/* plain_sum_bench.c - what a typed reduction does for the simplest loop of all.
 *
 * The sum of an array of doubles, and of floats, which the others add up in a plain loop:
 * without -ffast-math a compiler must keep its order, one addition after the other.
 * filch_sum adds pairwise, in a bracket of its own, with vector code. The values, some of
 * which cancel, are such that every order gives the same: whole numbers.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static double *doubles;
static float *floats;
static size_t count;

static void release(void)
{
    free(doubles);
    free(floats);
}

static int prepare(const struct bench_request *request, struct bench_input *input,
                   const char *type)
{
    count = request->scale == BENCH_TINY ? 10007 : 10000000;
    doubles = malloc(count * sizeof *doubles);
    floats = malloc(count * sizeof *floats);
    if (!doubles || !floats) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        doubles[i] = (double)(i % 1000) - 499;
        floats[i] = (float)doubles[i];
    }
    snprintf(input->title, sizeof input->title, "plain sum of %s", type);
    snprintf(input->size, sizeof input->size, "%zu %s", count, type);
    if (request->candidate == BENCH_FILCH)
        input->note = "filch_sum: pairwise, with vector code";
    return 0;
}

static int prepare_doubles(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "doubles");
}

static int prepare_floats(const struct bench_request *request, struct bench_input *input)
{
    return prepare(request, input, "floats");
}

static double sum_doubles(size_t begin, size_t end)
{
    double sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += doubles[i];
    return sum;
}

static double sum_floats(size_t begin, size_t end)
{
    double sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += (double)floats[i];
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int doubles_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = sum_doubles(0, count);
    return 0;
}

static int floats_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = sum_floats(0, count);
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

static void doubles_piece(size_t piece, size_t begin, size_t end, void *partial)
{
    ((double *)partial)[piece] = sum_doubles(begin, end);
}

static void floats_piece(size_t piece, size_t begin, size_t end, void *partial)
{
    ((double *)partial)[piece] = sum_floats(begin, end);
}

static int sum_channel(const struct bench_team *team, channel_body *body)
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

static int doubles_channel(const struct bench_team *team)
{
    return sum_channel(team, doubles_piece);
}

static int floats_channel(const struct bench_team *team)
{
    return sum_channel(team, floats_piece);
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static int doubles_openmp(const struct bench_team *team)
{
    double sum = 0;

#pragma omp parallel for num_threads(team->workers) reduction(+ : sum) schedule(static)
    for (size_t i = 0; i < count; i++)
        sum += doubles[i];
    bench_result = sum;
    return 0;
}

static int floats_openmp(const struct bench_team *team)
{
    double sum = 0;

#pragma omp parallel for num_threads(team->workers) reduction(+ : sum) schedule(static)
    for (size_t i = 0; i < count; i++)
        sum += (double)floats[i];
    bench_result = sum;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int doubles_filch(const struct bench_team *team)
{
    double sum = 0;
    int err = filch_sum(doubles, count, &sum, .pool = team->filch);

    bench_result = sum;
    return err;
}

static int floats_filch(const struct bench_team *team)
{
    double sum = 0;
    int err = filch_sum(floats, count, &sum, .pool = team->filch);

    bench_result = sum;
    return err;
}

const struct bench_work bench_plain_sum[BENCH_PLAIN_SUM_WORKS] = {
    {
        .name = "plain-sum",
        .prepare = prepare_doubles,
        .release = release,
        .run = {doubles_serial, doubles_channel, doubles_openmp, doubles_filch},
    },
    {
        .name = "plain-sum-float",
        .prepare = prepare_floats,
        .release = release,
        .run = {floats_serial, floats_channel, floats_openmp, floats_filch},
        .is_extra = true,
    },
};
