/* integer_sort_bench.c - do loops of half a millisecond pay, when there are few of them?
 *
 * A million keys of 16 bits are ranked ten times, as the integer sort of the NAS Parallel
 * Benchmarks does (Bailey et al. 1991): each worker counts its keys in bins of its own, the
 * bins are added up, and a running sum makes a rank of each count. Two keys change before each
 * ranking. The whole takes some ten milliseconds: a time slice that another process takes
 * away from one of the workers is a large part of that.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define RANKINGS ((size_t)10)
#define BINS     ((size_t)1 << 16)
#define STRETCH  ((size_t)1024) /* bins in an item of the loops over bins */
#define PROBES   ((size_t)64)   /* ranks that are noted after a ranking */

static uint16_t *keys;
static uint16_t changed[2 * RANKINGS]; /* the first keys, as they were */
static size_t count;
static size_t slots;     /* copies of the bins */
static uint32_t *copies; /* slots of them */
static uint32_t *ranks;  /* how many keys are less than this one, or equal */
static uint32_t sums[BINS / STRETCH];
static uint32_t *results; /* some ranks after each ranking */
static bool has_result;

static void release(void)
{
    free(keys);
    free(copies);
    free(ranks);
    free(results);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    uint32_t seed = 314159265;

    count = request->scale == BENCH_TINY ? 20011 : (size_t)1 << 20;
    keys = malloc(count * sizeof *keys);
    copies = NULL;
    slots = 0;
    ranks = malloc(BINS * sizeof *ranks);
    results = calloc(RANKINGS * PROBES, sizeof *results);
    if (!keys || !ranks || !results) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        /* The mean of four numbers: most keys lie in the middle. */
        double sum = bench_random(&seed);

        sum += bench_random(&seed);
        sum += bench_random(&seed);
        sum += bench_random(&seed);
        keys[i] = (uint16_t)(sum / 4 * (double)BINS);
    }
    memcpy(changed, keys, sizeof changed);
    snprintf(input->title, sizeof input->title, "integer sort, ten rankings");
    snprintf(input->size, sizeof input->size, "%zu keys", count);
    input->item = "ranking";
    input->items = (double)RANKINGS;
    return 0;
}

static double take_result(void)
{
    double sum = NAN;

    if (has_result) {
        sum = bench_checksum(results, RANKINGS * PROBES * sizeof *results);
        memcpy(keys, changed, sizeof changed);
    }
    has_result = false;
    return sum;
}

/* ---- kernels --------------------------------------------------------------------- */

static __attribute__((noinline)) void count_keys(uint32_t *bins, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        bins[keys[i]]++;
}

/* filch: by items, in the bins of the worker's lane. */
static int count_lane(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)ctx;
    count_keys(copies + filch_lane(w) * BINS, begin, end);
    return 0;
}

/* The others: an item is the share of a worker. */
static int count_share(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t share = begin; share < end; share++)
        count_keys(copies + share * BINS, count * share / slots,
                   count * (share + 1) / slots);
    return 0;
}

static int add_copies(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t stretch = begin; stretch < end; stretch++) {
        uint32_t *total = ranks + stretch * STRETCH, sum = 0;

        memset(total, 0, STRETCH * sizeof *total);
        for (size_t slot = 0; slot < slots; slot++) {
            uint32_t *copy = copies + slot * BINS + stretch * STRETCH;

            for (size_t i = 0; i < STRETCH; i++)
                total[i] += copy[i];
            memset(copy, 0, STRETCH * sizeof *copy);
        }
        for (size_t i = 0; i < STRETCH; i++)
            sum += total[i];
        sums[stretch] = sum;
    }
    return 0;
}

static int rank_bins(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t stretch = begin; stretch < end; stretch++) {
        uint32_t *total = ranks + stretch * STRETCH, sum = sums[stretch];

        for (size_t i = 0; i < STRETCH; i++)
            total[i] = sum += total[i];
    }
    return 0;
}

/* ---- candidates ------------------------------------------------------------------ */

static int rank_once(const struct bench_team *team, size_t ranking)
{
    uint32_t before = 0, here;
    int err;

    keys[ranking] = (uint16_t)ranking;
    keys[ranking + RANKINGS] = (uint16_t)(BINS - 1 - ranking);
    err = team->candidate == BENCH_FILCH ? team_loop(team, count, count_lane, NULL)
                                         : team_loop(team, slots, count_share, NULL);
    if (!err)
        err = team_loop(team, BINS / STRETCH, add_copies, NULL);
    for (size_t stretch = 0; stretch < BINS / STRETCH; stretch++) {
        here = sums[stretch];
        sums[stretch] = before;
        before += here;
    }
    if (!err)
        err = team_loop(team, BINS / STRETCH, rank_bins, NULL);
    for (size_t i = 0; i < PROBES; i++)
        results[ranking * PROBES + i] = ranks[(ranking * PROBES + i) * 641 % BINS];
    return err;
}

static int run_here(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < RANKINGS && !err; i++)
        err = rank_once(team, i);
    return err;
}

static int run(const struct bench_team *team)
{
    size_t needed = team->candidate == BENCH_SERIAL ? 1 : team->workers;
    int err;

    if (needed != slots) { /* serial computes what is expected, before the others */
        free(copies);
        copies = calloc(needed * BINS, sizeof *copies);
        slots = copies ? needed : 0;
    }
    if (!copies)
        return -ENOMEM;
    err = team_enter(team, run_here);
    has_result = true;
    return err;
}

const struct bench_work bench_integer_sort = {
    .name = "integer-sort",
    .is_extra = true,
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
