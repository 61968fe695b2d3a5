/* bins_bench.c - what do histograms cost of many items, in few bins and in many; and of
 * few items?
 *
 * Bytes of noise, which fall into 256 bins, and 32-bit numbers, into a million; and 10, 100
 * and 1,000 bytes, where the answer is the time of one histogram. Serial
 * is the loop that one writes. The others have bins for each worker, which are added at
 * the end; filch is filch_histogram_uint8 and filch_histogram_uint32.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define MANY_BINS 1000000

static const struct size {
    const char *title;
    size_t items, bins;
    size_t rounds; /* in a run: the clock is read twice a run */
} sizes[BENCH_BINS_WORKS] = {
    {"histogram of bytes", 10000000, 256, 1},
    {"histogram of numbers, 1e6 bins", 10000000, MANY_BINS, 1},
    {"histogram of 10 bytes", 10, 256, 10000},
    {"histogram of 100 bytes", 100, 256, 10000},
    {"histogram of 1,000 bytes", 1000, 256, 1000},
};

static uint8_t *bytes;
static uint32_t *numbers; /* or */
static size_t count, bins, rounds;
static uint64_t *result;
static bool has_result;

static void release(void)
{
    free(bytes);
    free(numbers);
    free(result);
    bytes = NULL;
    numbers = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct size *size = &sizes[request->work->variant];
    bool is_tiny = request->scale == BENCH_TINY, is_bytes = size->bins == 256;
    uint32_t noise = 7;

    count = is_tiny && size->items > 20007 ? 20007 : size->items;
    bins = is_tiny && size->bins > 1000 ? 1000 : size->bins;
    rounds = is_tiny ? 3 : size->rounds;
    result = calloc(bins, sizeof *result);
    if (is_bytes)
        bytes = malloc(count);
    else
        numbers = malloc(count * sizeof *numbers);
    if (!result || (is_bytes ? !bytes : !numbers)) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        noise = bench_step(noise);
        if (is_bytes)
            bytes[i] = (uint8_t)(noise >> 24);
        else
            numbers[i] = (uint32_t)((uint64_t)noise * bins >> 32);
    }
    snprintf(input->title, sizeof input->title, "%s", size->title);
    snprintf(input->size, sizeof input->size, "%zu items", count);
    if (size->rounds > 1) {
        input->item = "histogram";
        input->items = (double)rounds;
    }
    return 0;
}

static double take_result(void)
{
    double sum = has_result ? bench_checksum(result, bins * sizeof *result) : NAN;

    has_result = false;
    memset(result, 0, bins * sizeof *result);
    return sum;
}

/* ---- kernels --------------------------------------------------------------------- */

static __attribute__((noinline)) void count_items(uint64_t *counts, size_t begin,
                                                  size_t end)
{
    if (bytes)
        for (size_t i = begin; i < end; i++)
            counts[bytes[i]]++;
    else
        for (size_t i = begin; i < end; i++)
            counts[numbers[i]]++;
}

/* *counts is made for the first items. */
static int count_into(uint64_t **counts, size_t begin, size_t end)
{
    if (!*counts)
        *counts = calloc(bins, sizeof **counts);
    if (!*counts)
        return -ENOMEM;
    count_items(*counts, begin, end);
    return 0;
}

static uint64_t *added(uint64_t *into, uint64_t *from)
{
    if (!into || !from)
        return into ? into : from;
    for (size_t i = 0; i < bins; i++)
        into[i] += from[i];
    free(from);
    return into;
}

static void finish(uint64_t *total)
{
    for (size_t i = 0; total && i < bins; i++)
        result[i] += total[i];
    free(total);
    has_result = true;
}

/* ---- candidates ------------------------------------------------------------------ */

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < rounds; i++)
        count_items(result, 0, count);
    has_result = true;
    return 0;
}

static void count_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    uint64_t **counts = ctx;

    count_into(&counts[piece], begin, end);
}

static int count_channel(const struct bench_team *team)
{
    size_t pieces = channel_pool_pieces(team->channel);
    uint64_t **counts = calloc(pieces, sizeof *counts);
    uint64_t *total = NULL;
    int err;

    if (!counts)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, count, count_piece, counts);
    for (size_t i = 0; i < pieces; i++)
        total = added(total, counts[i]);
    free(counts);
    finish(total);
    return err;
}

#pragma omp declare reduction(add_bins : uint64_t * : omp_out = added(omp_out, omp_in)) \
    initializer(omp_priv = NULL)

static int count_openmp(const struct bench_team *team)
{
    const size_t pieces = team->workers;
    uint64_t *total = NULL;
    int failed = 0;

#pragma omp parallel for num_threads(team->workers) schedule(static)      \
    reduction(add_bins : total) reduction(+ : failed)
    for (size_t i = 0; i < pieces; i++)
        failed += count_into(&total, count * i / pieces, count * (i + 1) / pieces) != 0;
    finish(total);
    return failed ? -ENOMEM : 0;
}

static int count_filch(const struct bench_team *team)
{
    const filch_opts *opts = FILCH_OPTS(NULL, .pool = team->filch);

    has_result = true;
    return bytes ? filch_histogram_uint8(bytes, count, result, opts)
                 : filch_histogram_uint32(numbers, count, result, bins, opts);
}

static int count_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    return count_into(acc, begin, end);
}

static void combine(void *left, void *right, void *ctx)
{
    uint64_t **into = left;

    (void)ctx;
    *into = added(*into, *(uint64_t **)right);
}

static int count_peer(const struct bench_team *team)
{
    uint64_t *total = NULL;
    int err = team_reduce(team, count, &total, sizeof total, count_fold, combine, NULL);

    finish(total);
    return err;
}

static int run_rounds(const struct bench_team *team,
                      int (*count_once)(const struct bench_team *team))
{
    int err = 0;

    for (size_t i = 0; i < rounds && !err; i++)
        err = count_once(team);
    return err;
}

static int run_channel(const struct bench_team *team)
{
    return run_rounds(team, count_channel);
}

static int run_openmp(const struct bench_team *team)
{
    return run_rounds(team, count_openmp);
}

static int run_filch(const struct bench_team *team)
{
    return run_rounds(team, count_filch);
}

static int run_peer(const struct bench_team *team)
{
    return run_rounds(team, count_peer);
}

#define BINS_WORK(number, title)                                                      \
    {                                                                                 \
        .name = (title), .variant = (number), .prepare = prepare, .release = release, \
        .is_extra = true,                                                             \
        .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},  \
        .take_result = take_result,                                                   \
    }

const struct bench_work bench_bins[BENCH_BINS_WORKS] = {
    BINS_WORK(0, "histogram-bytes"),     BINS_WORK(1, "histogram-many"),
    BINS_WORK(2, "histogram-bytes-10"),  BINS_WORK(3, "histogram-bytes-100"),
    BINS_WORK(4, "histogram-bytes-1e3"),
};
