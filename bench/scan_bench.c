/* scan_bench.c - running sums of an array: is anything faster than the plain loop, which
 * memory alone holds back?
 *
 * Works over int64: 1e7 of them from one array to another, the same in place, and loops
 * over 10, 100 and 1,000, where the answer is the time of one scan. OpenMP and the channel
 * pool do what one writes by hand: each thread adds up its share, the sums are added, and
 * each thread scans its share, which travels from memory a second time. TBB has its
 * parallel_scan. filch reads the array once.
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
    size_t scans; /* in a run: the clock is read twice a run */
    bool is_in_place;
} sizes[SIZES] = {
    {"running sums of int64", 10000000, 1, false},
    {"running sums, in place", 10000000, 1, true},
    {"running sums of 10", 10, 10000, false},
    {"running sums of 100", 100, 10000, false},
    {"running sums of 1,000", 1000, 2000, false},
};

static int64_t *xs;
static int64_t *sums;
static size_t count;
static size_t scans;
static bool is_in_place;
static bool has_result;

/* Fills it anew when it was overwritten. */
static void fill(void)
{
    uint32_t random = 7;

    for (size_t i = 0; i < count; i++)
        xs[i] = (int64_t)(random = bench_step(random)) - 1000000000;
}

static void release(void)
{
    free(xs);
    if (sums != xs)
        free(sums);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct size *size = &sizes[request->work->variant];

    count = request->scale == BENCH_TINY && size->items > 200003 ? 200003 : size->items;
    scans = request->scale == BENCH_TINY ? 1 : size->scans;
    is_in_place = size->is_in_place;
    xs = malloc(count * sizeof *xs);
    sums = is_in_place ? xs : malloc(count * sizeof *sums);
    if (!xs || !sums) {
        release();
        return -ENOMEM;
    }
    fill();
    if (!is_in_place)
        memset(sums, 0, count * sizeof *sums);
    snprintf(input->title, sizeof input->title, "%s", size->title);
    snprintf(input->size, sizeof input->size, "%zu int64", count);
    if (size->scans > 1) {
        input->item = "scan";
        input->items = (double)scans;
    }
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(sums, count * sizeof *sums);
    if (is_in_place)
        fill();
    else
        memset(sums, 0, count * sizeof *sums);
    return sum;
}

/* ---- the kernels ------------------------------------------------------------------- */

static __attribute__((noinline)) void scan_from(int64_t sum, size_t begin, size_t end)
{
    const int64_t *x = xs;
    int64_t *out = sums;

    for (size_t i = begin; i < end; i++)
        out[i] = sum += x[i];
}

static uint64_t sum_of(size_t begin, size_t end)
{
    uint64_t sum = 0;

    for (size_t i = begin; i < end; i++)
        sum += (uint64_t)xs[i];
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < scans; i++)
        scan_from(0, 0, count);
    has_result = true;
    return 0;
}

/* ---- by hand: sums of the shares first ------------------------------------------------ */

static void scan_share(size_t begin, size_t end, uint64_t before, uint64_t behind)
{
    (void)behind;
    scan_from((int64_t)before, begin, end);
}

static int run_passes(const struct bench_team *team,
                      int (*run)(const struct bench_team *team,
                                 const struct passes *passes, uint64_t *total))
{
    struct passes passes = {count, sum_of, scan_share};
    uint64_t total;
    int err = 0;

    for (size_t i = 0; i < scans && !err; i++)
        err = run(team, &passes, &total);
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

/* ---- filch, and TBB ------------------------------------------------------------------- */

static int run_filch(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < scans && !err; i++)
        err = filch_scan_sum(xs, count, sums, .pool = team->filch);
    has_result = true;
    return err;
}

#ifdef BENCH_HAS_TBB
static int run_tbb(const struct bench_team *team)
{
    for (size_t i = 0; i < scans; i++)
        team->peer->scan_int64(team->peer_team, xs, sums, count);
    has_result = true;
    return 0;
}
#else
#define run_tbb NULL
#endif

#define SCAN(work_name, size, ...)                                                      \
    {                                                                                   \
        .name = (work_name), .variant = (size), .prepare = prepare, .release = release, \
        .take_result = take_result,                                                     \
        .run = {run_serial, run_channel, run_openmp, run_filch, run_tbb, NULL},         \
        __VA_ARGS__                                                                     \
    }

const struct bench_work bench_scan[BENCH_SCAN_WORKS] = {
    SCAN("scan", 0, .is_extra = false),    SCAN("scan-in-place", 1, .is_extra = true),
    SCAN("scan-10", 2, .is_extra = true),  SCAN("scan-100", 3, .is_extra = true),
    SCAN("scan-1e3", 4, .is_extra = true),
};
