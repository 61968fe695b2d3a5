/* sort_bench.c - how fast are numbers sorted?
 *
 *   sort-uint32  random 32-bit integers
 *   sort-double  random doubles in [0, 1)
 *   sort-small   random 32-bit integers, a hundred at a time: what does a call cost?
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

enum variant { UINT32, DOUBLE, SMALL };

#define SMALL_COUNT 100

static enum variant variant;
static void *unsorted;
static void *keys;
static size_t count;
static bool has_result;

static size_t bytes(void)
{
    return count * (variant == DOUBLE ? sizeof(double) : sizeof(uint32_t));
}

/* Integers in one call. */
static size_t each(void)
{
    return variant == SMALL ? SMALL_COUNT : count;
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

    variant = (enum variant)request->work->variant;
    count = counts[request->scale];
    unsorted = malloc(bytes());
    keys = malloc(bytes());
    if (!unsorted || !keys) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (variant != DOUBLE) {
            seed = bench_step(seed);
            ((uint32_t *)unsorted)[i] = seed;
        } else {
            /* All 53 bits: three steps give 24 each. */
            double low = bench_random(&seed) / (1 << 24);

            ((double *)unsorted)[i] = fmod(bench_random(&seed) + low, 1);
        }
    }
    memcpy(keys, unsorted, bytes());
    snprintf(input->title, sizeof input->title, "sort of %s",
             variant == DOUBLE   ? "doubles"
             : variant == UINT32 ? "32-bit integers"
                                 : "100 integers, many times");
    snprintf(input->size, sizeof input->size, "%.2g", (double)count);
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
    uint32_t *numbers = keys;

    (void)team;
    if (variant == DOUBLE)
        standard_sort_double(keys, count);
    for (size_t i = 0; variant != DOUBLE && i < count; i += each())
        standard_sort_uint32(numbers + i, each());
    has_result = true;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    uint32_t *numbers = keys;
    int err = 0;

    if (variant == DOUBLE)
        err = filch_sort_keys((double *)keys, count, .pool = team->filch);
    for (size_t i = 0; variant != DOUBLE && i < count && !err; i += each())
        err = filch_sort_keys(numbers + i, each(), .pool = team->filch);
    has_result = true;
    return err;
}

static int run_peer(const struct bench_team *team)
{
    uint32_t *numbers = keys;

    if (variant == DOUBLE)
        team->peer->sort_double(team->peer_team, keys, count);
    for (size_t i = 0; variant != DOUBLE && i < count; i += each())
        team->peer->sort_uint32(team->peer_team, numbers + i, each());
    has_result = true;
    return 0;
}

#define RUN                                                   \
    {                                                         \
        run_serial, NULL, NULL, run_filch, run_peer, run_peer \
    }

const struct bench_work bench_sort[BENCH_SORT_WORKS] = {
    {.name = "sort-uint32",
     .variant = UINT32,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
    {.name = "sort-double",
     .variant = DOUBLE,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
    {.name = "sort-small",
     .variant = SMALL,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
};
