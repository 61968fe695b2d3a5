/* filter_bench.c - keeping about half of an array, those items that are below a limit: what
 * of it can be shared, when where an item goes depends on all before it?
 *
 * Works over int64 at random: 1e7 of them, by a loop without branches (the condition is
 * mispredicted every other time, otherwise: that loop is a work of its own), and loops over
 * 10, 100 and 1,000, where the answer is the time of one filter. OpenMP and the channel
 * pool do what one writes by hand: each thread counts in its share, the counts are added,
 * and each thread copies, which reads the array a second time.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "passes.h"

#define SIZES 5

static const struct size {
    const char *title;
    size_t items;
    size_t filters; /* in a run: the clock is read twice a run */
} sizes[SIZES] = {
    {"filter, half of int64", 10000000, 1},
    {"filter, serial with a branch", 10000000, 1},
    {"filter of 10", 10, 10000},
    {"filter of 100", 100, 10000},
    {"filter of 1,000", 1000, 2000},
};

#define LIMIT INT64_C(500000)

static int64_t *xs;
static int64_t *kept;
static size_t count, kept_count;
static size_t filters;
static bool has_result;

static void release(void)
{
    free(xs);
    free(kept);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct size *size = &sizes[request->work->variant];
    uint32_t random = 7;

    count = request->scale == BENCH_TINY && size->items > 200003 ? 200003 : size->items;
    filters = request->scale == BENCH_TINY ? 1 : size->filters;
    xs = malloc(count * sizeof *xs);
    kept = calloc(count + 1, sizeof *kept); /* one is written that is not wanted */
    if (!xs || !kept) {
        release();
        return -ENOMEM;
    }
    memset(kept, 0, (count + 1) * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        xs[i] = (int64_t)(bench_random(&random) * 2 * (double)LIMIT);
    snprintf(input->title, sizeof input->title, "%s", size->title);
    snprintf(input->size, sizeof input->size, "%zu int64", count);
    if (size->filters > 1) {
        input->item = "filter";
        input->items = (double)filters;
    }
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(kept, kept_count * sizeof *kept) + (double)kept_count;
    memset(kept, 0, (count + 1) * sizeof *kept);
    return sum;
}

/* ---- the kernels ------------------------------------------------------------------- */

static __attribute__((noinline)) size_t filter_to(int64_t *out, size_t begin, size_t end)
{
    const int64_t *x = xs;
    size_t k = 0;

    for (size_t i = begin; i < end; i++) {
        out[k] = x[i];
        k += x[i] < LIMIT;
    }
    return k;
}

static uint64_t count_of(size_t begin, size_t end)
{
    uint64_t k = 0;

    for (size_t i = begin; i < end; i++)
        k += xs[i] < LIMIT;
    return k;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < filters; i++)
        kept_count = filter_to(kept, 0, count);
    has_result = true;
    return 0;
}

/* As one writes it first. */
static int run_branches(const struct bench_team *team)
{
    const int64_t *x = xs;
    int64_t *out = kept;
    size_t k = 0;

    (void)team;
    for (size_t i = 0; i < count; i++)
        if (x[i] < LIMIT)
            out[k++] = x[i];
    kept_count = k;
    has_result = true;
    return 0;
}

/* ---- by hand: counts of the shares first ---------------------------------------------- */

/* Not to where the next one writes: with a branch for the last. */
static void filter_share(size_t begin, size_t end, uint64_t before, uint64_t behind)
{
    int64_t *out = kept + before, *stop = kept + behind;
    const int64_t *x = xs;

    for (size_t i = begin; i < end && out < stop; i++) {
        *out = x[i];
        out += x[i] < LIMIT;
    }
}

static int run_passes(const struct bench_team *team,
                      int (*run)(const struct bench_team *team,
                                 const struct passes *passes, uint64_t *total))
{
    struct passes passes = {count, count_of, filter_share};
    uint64_t total = 0;
    int err = 0;

    for (size_t i = 0; i < filters && !err; i++)
        err = run(team, &passes, &total);
    kept_count = total;
    has_result = true;
    return err;
}

static int run_channel(const struct bench_team *team)
{
    return run_passes(team, passes_channel);
}

static int run_openmp(const struct bench_team *team)
{
    return run_passes(team, passes_openmp);
}

/* ---- filch ---------------------------------------------------------------------------- */

static int are_below(const void *items, size_t items_count, bool *flags, void *ctx)
{
    const int64_t *x = items;

    (void)ctx;
    for (size_t i = 0; i < items_count; i++)
        flags[i] = x[i] < LIMIT;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < filters && !err; i++)
        err = filch_filter_ranges(xs, kept, count, sizeof *xs, &kept_count, are_below,
                                  NULL, .pool = team->filch);
    has_result = true;
    return err;
}

#define FILTER(work_name, size, serial)                                                  \
    {                                                                                    \
        .name = (work_name), .variant = (size), .prepare = prepare, .release = release,  \
        .take_result = take_result, .run = {serial, run_channel, run_openmp, run_filch}, \
        .is_extra = true,                                                                \
    }

const struct bench_work bench_filter[BENCH_FILTER_WORKS] = {
    FILTER("filter", 0, run_serial),     FILTER("filter-branch", 1, run_branches),
    FILTER("filter-10", 2, run_serial),  FILTER("filter-100", 3, run_serial),
    FILTER("filter-1e3", 4, run_serial),
};
