/* components_bench.c - is a triangle of dot products balanced, as every first step of an
 * analysis of principal components has one?
 *
 * The covariances of the rows of a matrix, from their means and from their dot products,
 * for each pair of rows once: the last row has as many as there are rows, the first one.
 * Numbers are small and whole, drawn with a fixed seed, and results exact: means are left
 * as sums, covariances as n sums of x y - (sum of x) (sum of y).
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

static int16_t *matrix;
static size_t rows;
static size_t columns;
static int64_t *sums;        /* of the rows */
static int64_t *covariances; /* of rows x rows; only those up to the diagonal */
static bool has_result;

static void sum_row(size_t row)
{
    const int16_t *x = matrix + row * columns;
    int32_t sum = 0;

    for (size_t i = 0; i < columns; i++)
        sum += x[i];
    sums[row] = sum;
}

/* Numbers of 8 bits: a product has 16, and there are fewer than 2^15. */
static int64_t dot(size_t row, size_t other)
{
    const int16_t *x = matrix + row * columns;
    const int16_t *y = matrix + other * columns;
    int32_t sum = 0;

    for (size_t i = 0; i < columns; i++)
        sum += x[i] * y[i];
    return sum;
}

static void covary_row(size_t row)
{
    int64_t *to = covariances + row * rows;

    for (size_t other = 0; other <= row; other++)
        to[other] = (int64_t)columns * dot(row, other) - sums[row] * sums[other];
}

static int sum_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t row = begin; row < end; row++)
        sum_row(row);
    return 0;
}

static int covary_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t row = begin; row < end; row++)
        covary_row(row);
    return 0;
}

static int run(const struct bench_team *team)
{
    int err = team_loop(team, rows, sum_body, NULL);

    has_result = true;
    return err ? err : team_loop(team, rows, covary_body, NULL);
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
    {
#pragma omp for schedule(static)
        for (size_t row = 0; row < rows; row++)
            sum_row(row);
#pragma omp for schedule(dynamic)
        for (size_t row = 0; row < rows; row++)
            covary_row(row);
    }
    has_result = true;
    return 0;
}

static int run_inside(const struct bench_team *team)
{
    return team_enter(team, run);
}

static void release(void)
{
    free(matrix);
    free(sums);
    free(covariances);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t row_counts[] = {
        [BENCH_TINY] = 20, [BENCH_QUICK] = 256, [BENCH_FULL] = 768};
    uint32_t draw = 7;

    rows = row_counts[request->scale];
    columns = request->scale == BENCH_TINY ? 37 : 1024;
    matrix = malloc(rows * columns * sizeof *matrix);
    sums = calloc(rows, sizeof *sums);
    covariances = calloc(rows * rows, sizeof *covariances);
    if (!matrix || !sums || !covariances) {
        release();
        return -ENOMEM;
    }
    /* A row resembles the one before, so that rows covary. */
    for (size_t i = 0; i < rows * columns; i++) {
        draw = bench_step(draw);
        matrix[i] = (int16_t)(draw >> 25);
        if (i >= columns)
            matrix[i] = (int16_t)(matrix[i] + matrix[i - columns] / 2);
    }
    snprintf(input->title, sizeof input->title, "principal components: covariances");
    snprintf(input->size, sizeof input->size, "%zu x %zu numbers", rows, columns);
    return 0;
}

static double take_result(void)
{
    size_t bytes = rows * rows * sizeof *covariances;
    double sum = has_result ? bench_checksum(covariances, bytes) : NAN;

    has_result = false;
    memset(sums, 0, rows * sizeof *sums);
    memset(covariances, 0, bytes);
    return sum;
}

const struct bench_work bench_components = {
    .name = "components",
    .prepare = prepare,
    .release = release,
    .run = BENCH_CHAIN(run, run_openmp, run_inside),
    .take_result = take_result,
};
