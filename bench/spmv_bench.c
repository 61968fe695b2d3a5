/* spmv_bench.c - is a loop balanced whose items differ as the degrees of a web graph do?
 *
 * A sparse matrix times a vector, rows stored one after the other (CSR). The lengths of
 * the rows follow a power law: most have two or three entries, a few a tenth of all
 * columns. They lie anywhere; rows and columns are drawn with a fixed seed. Each candidate
 * has its defaults, and so nobody is told about the rows.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

static size_t *starts; /* by row, and one more: where its entries begin */
static uint32_t *columns;
static float *values;
static float *vector;
static float *product;
static size_t rows;
static bool has_result;

static float row_times_vector(size_t row)
{
    float sum = 0;

    for (size_t i = starts[row]; i < starts[row + 1]; i++)
        sum += values[i] * vector[columns[i]];
    return sum;
}

static int rows_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t row = begin; row < end; row++)
        product[row] = row_times_vector(row);
    return 0;
}

static void release(void)
{
    free(starts);
    free(columns);
    free(values);
    free(vector);
    free(product);
    starts = NULL;
    columns = NULL;
    values = vector = product = NULL;
}

/* The chance that a row is longer than x falls as x to the -1.2. */
static size_t draw_length(uint32_t *seed)
{
    double length = 2 * pow(1 - bench_random(seed), -1 / 1.2);
    double most = (double)rows / 10;

    return (size_t)(length < most ? length : most);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 500, [BENCH_QUICK] = 100000, [BENCH_FULL] = 400000};
    uint32_t seed = 2;
    size_t entries;

    rows = counts[request->scale];
    starts = calloc(rows + 1, sizeof *starts);
    vector = malloc(rows * sizeof *vector);
    product = calloc(rows, sizeof *product);
    if (!starts || !vector || !product)
        goto no_memory;
    for (size_t row = 0; row < rows; row++) {
        starts[row + 1] = starts[row] + draw_length(&seed);
        vector[row] = (float)bench_random(&seed);
    }
    entries = starts[rows];
    columns = malloc(entries * sizeof *columns);
    values = malloc(entries * sizeof *values);
    if (!columns || !values)
        goto no_memory;
    for (size_t i = 0; i < entries; i++) {
        columns[i] = (uint32_t)(bench_random(&seed) * (double)rows);
        values[i] = (float)bench_random(&seed);
    }
    snprintf(input->title, sizeof input->title, "sparse matrix x vector, power law");
    snprintf(input->size, sizeof input->size, "%zu rows, %.2g entries", rows,
             (double)entries);
    input->item = "entry";
    input->items = (double)entries;
    return 0;

no_memory:
    release();
    return -ENOMEM;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(product, rows * sizeof *product);
    for (size_t row = 0; row < rows; row++)
        product[row] = -1;
    return sum;
}

static int run(const struct bench_team *team)
{
    has_result = true;
    if (team->candidate != BENCH_OPENMP)
        return team_loop(team, rows, rows_body, NULL);
#pragma omp parallel for num_threads(team->workers)
    for (size_t row = 0; row < rows; row++)
        product[row] = row_times_vector(row);
    return 0;
}

const struct bench_work bench_spmv = {
    .name = "spmv",
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
