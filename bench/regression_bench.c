/* regression_bench.c - does a reduction of five sums at once keep up with memory?
 *
 * A line through pairs of bytes (x, y): slope, intercept and correlation, from the sums of
 * x, y, x x, y y and x y. The sums are whole numbers, so every order of adding gives the
 * same. The pairs lie about a line, with noise; drawn with a fixed seed.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

struct pair {
    uint8_t x;
    uint8_t y;
};

struct sums {
    uint64_t x, y, xx, yy, xy;
};

/* Pairs whose sums are made in 32 bits, which vectors have more of: at most 2^16. */
#define STRIP ((size_t)4096)

static struct pair *pairs;
static size_t count;
static struct line {
    struct sums sums;
    double slope, intercept, correlation;
} result;
static bool has_result;

static void add(struct sums *left, const struct sums *right)
{
    left->x += right->x;
    left->y += right->y;
    left->xx += right->xx;
    left->yy += right->yy;
    left->xy += right->xy;
}

static void add_strip(struct sums *sums, size_t begin, size_t end)
{
    uint32_t sum_x = 0, sum_y = 0, sum_xx = 0, sum_yy = 0, sum_xy = 0;

    for (size_t i = begin; i < end; i++) {
        uint16_t x = pairs[i].x;
        uint16_t y = pairs[i].y;

        sum_x += x;
        sum_y += y;
        sum_xx += (uint16_t)(x * x);
        sum_yy += (uint16_t)(y * y);
        sum_xy += (uint16_t)(x * y);
    }
    add(sums, &(struct sums){sum_x, sum_y, sum_xx, sum_yy, sum_xy});
}

static void add_pairs(struct sums *sums, size_t begin, size_t end)
{
    for (size_t at = begin; at < end; at += STRIP)
        add_strip(sums, at, end - at < STRIP ? end : at + STRIP);
}

/* The line from the sums. */
static void finish(const struct sums *sums)
{
    double n = (double)count;
    double xx = n * (double)sums->xx - (double)sums->x * (double)sums->x;
    double yy = n * (double)sums->yy - (double)sums->y * (double)sums->y;
    double xy = n * (double)sums->xy - (double)sums->x * (double)sums->y;

    result.sums = *sums;
    result.slope = xy / xx;
    result.intercept = ((double)sums->y - result.slope * (double)sums->x) / n;
    result.correlation = xy / sqrt(xx * yy);
    has_result = true;
}

/* ---- the input ------------------------------------------------------------------- */

static void release(void)
{
    free(pairs);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 10007, [BENCH_QUICK] = 2000000, [BENCH_FULL] = 50000000};
    uint32_t draw = 6;

    count = counts[request->scale] * request->factor;
    pairs = malloc(count * sizeof *pairs);
    if (!pairs)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        draw = bench_step(draw);
        pairs[i].x = (uint8_t)(draw >> 24);
        pairs[i].y = (uint8_t)(40 + pairs[i].x / 2 + (draw >> 8) % 64);
    }
    snprintf(input->title, sizeof input->title, "linear regression");
    snprintf(input->size, sizeof input->size, "%.3g pairs of bytes", (double)count);
    return 0;
}

static double take_result(void)
{
    double sum = has_result ? bench_checksum(&result, sizeof result) : NAN;

    has_result = false;
    result = (struct line){{0}, 0, 0, 0};
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(const struct bench_team *team)
{
    struct sums sums = {0};

    (void)team;
    add_pairs(&sums, 0, count);
    finish(&sums);
    return 0;
}

/* ---- channel pool: sums for each piece ------------------------------------------- */

static void add_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct sums sums = {0}; /* not in the array: neighbours share its cache lines */

    add_pairs(&sums, begin, end);
    ((struct sums *)ctx)[piece] = sums;
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = channel_pool_pieces(team->channel);
    struct sums *partial = calloc(pieces, sizeof *partial);
    struct sums sums = {0};
    int err;

    if (!partial)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, count, add_piece, partial);
    for (size_t i = 0; i < pieces; i++)
        add(&sums, &partial[i]);
    free(partial);
    finish(&sums);
    return err;
}

/* ---- OpenMP: a reduction of a struct, equal shares ------------------------------- */

#pragma omp declare reduction(add                       \
                              : struct sums             \
                              : add(&omp_out, &omp_in)) \
    initializer(omp_priv = (struct sums){0})

static int run_openmp(const struct bench_team *team)
{
    struct sums sums = {0};

#pragma omp parallel for num_threads(team->workers) reduction(add : sums) schedule(static)
    for (size_t at = 0; at < count; at += STRIP)
        add_strip(&sums, at, count - at < STRIP ? count : at + STRIP);
    finish(&sums);
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    add_pairs(acc, begin, end);
    return 0;
}

static void combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    add(left, right);
}

static int run_filch(const struct bench_team *team)
{
    struct sums sums = {0};
    int err = filch_reduce(0, count, &sums, sizeof sums, fold, combine, NULL,
                           .pool = team->filch);

    finish(&sums);
    return err;
}

static int run_peer(const struct bench_team *team)
{
    struct sums sums = {0};
    int err = team_reduce(team, count, &sums, sizeof sums, fold, combine, NULL);

    finish(&sums);
    return err;
}

const struct bench_work bench_regression = {
    .name = "regression",
    .has_factor = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
