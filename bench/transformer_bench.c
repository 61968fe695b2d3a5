/* transformer_bench.c - does a chain of loops scale that lie between 10 us and 5 ms, each
 * waiting for the one before?
 *
 * The matrix-vector products of a small language model's forward pass, in its order: in
 * each of 6 layers four of 288 x 288 and three between 288 and 768, then the vocabulary's,
 * 32,000 x 288. There is no attention over earlier steps; what stands between the products
 * (norms, gates) is short and serial. The step's best word is the next step's input.
 * Weights are drawn with a fixed seed; results are exact, for each row is one sum, over
 * lanes in a fixed order.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

#define LANES     16 /* independent sums of a row, so that a compiler may use vectors */
#define LAYERS    6
#define MOST_WIDE 768
#define PER_LAYER (4 * width * width + 3 * width * hidden)

struct product {
    const float *matrix;
    const float *vector;
    float *out;
    size_t columns; /* a multiple of LANES */
};

static float *weights;
static float *words; /* the vocabulary: words x width */
static float *scores;
static size_t width;
static size_t hidden;
static size_t word_count;
static size_t steps;
static bool has_result;

static float row_times_vector(const struct product *product, size_t row)
{
    const float *restrict a = product->matrix + row * product->columns;
    const float *restrict b = product->vector;
    float lanes[LANES] = {0};
    float sum = 0;

    for (size_t i = 0; i < product->columns; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += a[i + lane] * b[i + lane];
    }
    for (size_t lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

static int rows_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct product *product = ctx;

    (void)w;
    for (size_t row = begin; row < end; row++)
        product->out[row] = row_times_vector(product, row);
    return 0;
}

/* Results of the products. All that is between two products, the threads of OpenMP do
 * each for itself. */
static float query[MOST_WIDE];
static float key[MOST_WIDE];
static float value[MOST_WIDE];
static float out[MOST_WIDE];

static int multiply(const struct bench_team *team, const float *matrix, size_t rows,
                    size_t columns, const float *vector, float *product_out)
{
    struct product product = {matrix, vector, product_out, columns};

    if (team->candidate != BENCH_OPENMP)
        return team_loop(team, rows, rows_body, &product);
#pragma omp for schedule(static) nowait
    for (size_t row = 0; row < rows; row++)
        product_out[row] = row_times_vector(&product, row);
    return 0;
}

/* For OpenMP: after products which others need, and do not wait for each other. */
static void meet(const struct bench_team *team)
{
    if (team->candidate == BENCH_OPENMP) {
#pragma omp barrier
    }
}

/* So that a chain of any length neither fades nor overflows. */
static void normalise(const float *from, float *to)
{
    float sum = 0;

    for (size_t i = 0; i < width; i++)
        sum += from[i] * from[i];
    sum = 1 / sqrtf(sum / (float)width + 1e-5F);
    for (size_t i = 0; i < width; i++)
        to[i] = from[i] * sum;
}

static int run_layer(const struct bench_team *team, const float *matrix, float *state)
{
    float vector[MOST_WIDE] = {0};
    size_t square = width * width;
    size_t slab = width * hidden;
    int err = 0;

    normalise(state, vector);
    err |= multiply(team, matrix, width, width, vector, query);
    err |= multiply(team, matrix + square, width, width, vector, key);
    err |= multiply(team, matrix + 2 * square, width, width, vector, value);
    meet(team);
    for (size_t i = 0; i < width; i++)
        vector[i] = value[i] * (query[i] * key[i] / (1 + fabsf(query[i] * key[i])));
    err |= multiply(team, matrix + 3 * square, width, width, vector, out);
    meet(team);
    for (size_t i = 0; i < width; i++)
        state[i] += out[i];
    matrix += 4 * square;
    normalise(state, vector);
    err |= multiply(team, matrix, hidden, width, vector, key);
    err |= multiply(team, matrix + slab, hidden, width, vector, value);
    meet(team);
    for (size_t i = 0; i < hidden; i++)
        vector[i] = value[i] * (key[i] / (1 + fabsf(key[i])));
    err |= multiply(team, matrix + 2 * slab, width, hidden, vector, out);
    meet(team);
    for (size_t i = 0; i < width; i++)
        state[i] += out[i];
    return err;
}

static int run(const struct bench_team *team)
{
    float state[MOST_WIDE] = {0};
    size_t word = 0;
    int err = 0;

    for (size_t step = 0; step < steps && !err; step++) {
        normalise(words + word * width, state);
        for (size_t layer = 0; layer < LAYERS; layer++)
            err |= run_layer(team, weights + layer * PER_LAYER, state);
        normalise(state, state);
        err |= multiply(team, words, word_count, width, state, scores);
        meet(team);
        word = 0;
        for (size_t i = 1; i < word_count; i++)
            word = scores[i] > scores[word] ? i : word;
    }
    return err ? -EIO : 0;
}

static int run_others(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, run);
}

static int run_openmp(const struct bench_team *team)
{
    int err = 0;

#pragma omp parallel num_threads(team->workers) reduction(| : err)
    err |= run(team);
    has_result = true;
    return err;
}

static void release(void)
{
    free(weights);
    free(words);
    free(scores);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    bool is_tiny = request->scale == BENCH_TINY;
    uint32_t seed = 4;
    double most;

    width = is_tiny ? 32 : 288;
    hidden = is_tiny ? 96 : 768;
    word_count = is_tiny ? 320 : 32000;
    steps = request->scale == BENCH_FULL ? 8 : 2;
    weights = malloc(LAYERS * PER_LAYER * sizeof *weights);
    words = malloc(word_count * width * sizeof *words);
    scores = malloc(word_count * sizeof *scores);
    if (!weights || !words || !scores) {
        release();
        return -ENOMEM;
    }
    most = 2 / sqrt((double)width);
    for (size_t i = 0; i < LAYERS * PER_LAYER; i++)
        weights[i] = (float)(most * (bench_random(&seed) - 0.5));
    for (size_t i = 0; i < word_count * width; i++)
        words[i] = (float)(most * (bench_random(&seed) - 0.5));
    snprintf(input->title, sizeof input->title, "a transformer's products");
    snprintf(input->size, sizeof input->size, "%zu, %zu, %zu; %zu steps", width, hidden,
             word_count, steps);
    input->item = "step";
    input->items = (double)steps;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(scores, word_count * sizeof *scores);
    for (size_t i = 0; i < word_count; i++)
        scores[i] = -1;
    return sum;
}

const struct bench_work bench_transformer = {
    .name = "transformer",
    .prepare = prepare,
    .release = release,
    .run = BENCH_CHAIN(run_others, run_openmp, run_others),
    .take_result = take_result,
};
