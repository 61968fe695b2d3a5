/* sort_bench.c - how fast are numbers sorted?
 *
 *   sort-uint32                  random 32-bit integers
 *   sort-double                  random doubles in [0, 1)
 *   sort-10, sort-100, sort-1e3  so many random 32-bit integers: the time of one sort,
 *                                where each sorts some of its own
 *
 * Serial is std::sort. What each library offers for it: filch_sort_keys,
 * tbb::parallel_sort, Rayon's par_sort_unstable. OpenMP and the channel pool have none.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standard.h"

static const struct kind {
    const char *title;
    bool is_double;
    size_t keys;  /* in one sort; 0: what the scale says */
    size_t sorts; /* in a run: the clock is read twice a run */
} kinds[BENCH_SORT_WORKS] = {
    {"sort of 32-bit integers", false, 0, 1},
    {"sort of doubles", true, 0, 1},
    {"sort of 10 integers", false, 10, 10000},
    {"sort of 100 integers", false, 100, 2000},
    {"sort of 1,000 integers", false, 1000, 500},
};

static const struct kind *kind;
static void *unsorted;
static void *keys;
static size_t each; /* keys in a sort */
static size_t count;
static bool has_result;

static size_t bytes(void)
{
    return count * (kind->is_double ? sizeof(double) : sizeof(uint32_t));
}

static void release(void)
{
    free(unsorted);
    free(keys);
    unsorted = keys = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 200000, [BENCH_QUICK] = 2000000, [BENCH_FULL] = 10000000};
    uint32_t seed = 1;
    size_t sorts;

    kind = &kinds[request->work->variant];
    each = kind->keys ? kind->keys : counts[request->scale];
    sorts = request->scale == BENCH_TINY ? 1 : kind->sorts;
    count = each * sorts;
    unsorted = malloc(bytes());
    keys = malloc(bytes());
    if (!unsorted || !keys) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (!kind->is_double) {
            seed = bench_step(seed);
            ((uint32_t *)unsorted)[i] = seed;
        } else {
            /* All 53 bits: three steps give 24 each. */
            double low = bench_random(&seed) / (1 << 24);

            ((double *)unsorted)[i] = fmod(bench_random(&seed) + low, 1);
        }
    }
    memcpy(keys, unsorted, bytes());
    snprintf(input->title, sizeof input->title, "%s", kind->title);
    snprintf(input->size, sizeof input->size, "%.2g", (double)each);
    if (kind->keys) {
        input->item = "sort";
        input->items = (double)sorts;
    }
    if (request->candidate == BENCH_SERIAL)
        input->note = "std::sort";
    return 0;
}

static double take_result(void)
{
    double sum = has_result ? bench_checksum(keys, bytes()) : NAN;

    if (has_result)
        memcpy(keys, unsorted, bytes());
    has_result = false;
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    uint32_t *integers = keys;

    (void)team;
    if (kind->is_double)
        standard_sort_double(keys, count);
    for (size_t i = 0; !kind->is_double && i < count; i += each)
        standard_sort_uint32(integers + i, each);
    has_result = true;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    uint32_t *integers = keys;
    int err = 0;

    if (kind->is_double)
        err = filch_sort_keys((double *)keys, count, .pool = team->filch);
    for (size_t i = 0; !kind->is_double && i < count && !err; i += each)
        err = filch_sort_keys(integers + i, each, .pool = team->filch);
    has_result = true;
    return err;
}

static int run_peer(const struct bench_team *team)
{
    uint32_t *integers = keys;

    if (kind->is_double)
        team->peer->sort_double(team->peer_team, keys, count);
    for (size_t i = 0; !kind->is_double && i < count; i += each)
        team->peer->sort_uint32(team->peer_team, integers + i, each);
    has_result = true;
    return 0;
}

#define SORT(work_name, kind, ...)                                                      \
    {                                                                                   \
        .name = (work_name), .variant = (kind), .prepare = prepare, .release = release, \
        .take_result = take_result,                                                     \
        .run = {run_serial, NULL, NULL, run_filch, run_peer, run_peer}, __VA_ARGS__     \
    }

const struct bench_work bench_sort[BENCH_SORT_WORKS] = {
    SORT("sort-uint32", 0, .is_extra = false), SORT("sort-double", 1, .is_extra = true),
    SORT("sort-10", 2, .is_extra = true),      SORT("sort-100", 3, .is_extra = true),
    SORT("sort-1e3", 4, .is_extra = true),
};
