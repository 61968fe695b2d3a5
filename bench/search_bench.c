/* search_bench.c - the first item of a value, near the end of an array, and two sorted
 * halves made one: what is gained where the plain loop waits for memory, and where it waits
 * for its own comparisons?
 *
 * Works over int64: a search in 1e7 items, and loops over searches in 10, 100 and 1,000,
 * where the answer is the time of one search; a merge of 1e7 items, whose serial loop is
 * std::merge. OpenMP and the channel pool do what one writes by hand: blocks of the array
 * that are left out when something was found before them, and, to merge, shares of the
 * result, whose beginnings in both halves are found by bisection. filch calls a comparison
 * for each item that it merges.
 */
#include "bench.h"
#include "standard.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES 5

static const struct size {
    const char *title;
    size_t items;
    size_t calls; /* in a run: the clock is read twice a run */
} sizes[SIZES] = {
    {"find, near the end of int64", 10000000, 1},
    {"find in 10", 10, 10000},
    {"find in 100", 100, 10000},
    {"find in 1,000", 1000, 2000},
    {"merge of two halves, int64", 10000000, 1},
};

#define KEY INT64_C(-1)

static int64_t *xs;
static int64_t *merged; /* NULL: a search */
static size_t count, half, found;
static size_t calls;
static bool has_result;

static void release(void)
{
    free(xs);
    free(merged);
    merged = NULL;
}

/* Ascending, in steps at random. */
static void fill_sorted(int64_t *x, size_t n, uint32_t random)
{
    int64_t value = 0;

    for (size_t i = 0; i < n; i++)
        x[i] = value += (int64_t)((random = bench_step(random)) >> 24);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct size *size = &sizes[request->work->variant];
    bool is_merge = size == &sizes[SIZES - 1];

    count = request->scale == BENCH_TINY && size->items > 200003 ? 200003 : size->items;
    calls = request->scale == BENCH_TINY ? 1 : size->calls;
    half = count / 2;
    merged = NULL;
    xs = malloc(count * sizeof *xs);
    if (xs && is_merge)
        merged = malloc(count * sizeof *merged);
    if (!xs || (is_merge && !merged)) {
        release();
        return -ENOMEM;
    }
    fill_sorted(xs, half, 7);
    fill_sorted(xs + half, count - half, 8);
    if (is_merge)
        memset(merged, 0, count * sizeof *merged);
    else
        xs[count - 1 - count / 100] = KEY;
    snprintf(input->title, sizeof input->title, "%s", size->title);
    snprintf(input->size, sizeof input->size, "%zu int64", count);
    if (size->calls > 1) {
        input->item = "search";
        input->items = (double)calls;
    }
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    if (!merged) {
        sum = (double)found;
        found = 0;
        return sum;
    }
    sum = bench_checksum(merged, count * sizeof *merged);
    memset(merged, 0, count * sizeof *merged);
    return sum;
}

/* ---- to find ------------------------------------------------------------------------- */

static __attribute__((noinline)) size_t find_in(size_t begin, size_t end)
{
    const int64_t *x = xs;

    while (begin < end && x[begin] != KEY)
        begin++;
    return begin;
}

static int find_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < calls; i++)
        found = find_in(0, count);
    has_result = true;
    return 0;
}

#define BLOCK ((size_t)8192)

static atomic_size_t lowest;

/* Block by block, unless the one was found before. */
static void find_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    (void)piece;
    (void)ctx;
    while (begin < end && begin < atomic_load_explicit(&lowest, memory_order_relaxed)) {
        size_t stop = end - begin < BLOCK ? end : begin + BLOCK;
        size_t at = find_in(begin, stop), other = atomic_load(&lowest);

        while (at < stop && at < other &&
               !atomic_compare_exchange_weak(&lowest, &other, at))
            continue;
        begin = at < stop ? end : stop;
    }
}

static int find_channel(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < calls && !err; i++) {
        atomic_store(&lowest, count);
        err = channel_pool_for(team->channel, 0, count, find_piece, NULL);
        found = atomic_load(&lowest);
    }
    has_result = true;
    return err;
}

static int find_openmp(const struct bench_team *team)
{
    for (size_t i = 0; i < calls; i++) {
        atomic_store(&lowest, count);
#pragma omp parallel for schedule(dynamic, 8) num_threads(team->workers)
        for (size_t block = 0; block < (count + BLOCK - 1) / BLOCK; block++) {
            size_t begin = block * BLOCK;

            find_piece(block, begin, count - begin < BLOCK ? count : begin + BLOCK, NULL);
        }
        found = atomic_load(&lowest);
    }
    has_result = true;
    return 0;
}

static int are_keys(const void *items, size_t items_count, bool *flags, void *ctx)
{
    const int64_t *x = items;

    (void)ctx;
    for (size_t i = 0; i < items_count; i++)
        flags[i] = x[i] == KEY;
    return 0;
}

static int find_filch(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < calls && !err; i++)
        err = filch_find_ranges(xs, count, sizeof *xs, &found, are_keys, NULL,
                                .pool = team->filch);
    has_result = true;
    return err;
}

/* ---- to merge ------------------------------------------------------------------------ */

/* How many of the first `items` merged ones come from the first half. */
static size_t share_of_first(size_t items)
{
    const int64_t *a = xs, *b = xs + half;
    size_t low = items > count - half ? items - (count - half) : 0;
    size_t high = items < half ? items : half;

    while (low < high) {
        size_t i = low + (high - low) / 2;

        if (a[i] <= b[items - i - 1])
            low = i + 1;
        else
            high = i;
    }
    return low;
}

static void merge_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    size_t i = share_of_first(begin), j = share_of_first(end);

    (void)piece;
    (void)ctx;
    standard_merge_int64(xs + i, j - i, xs + half + (begin - i), (end - j) - (begin - i),
                         merged + begin);
}

static int merge_serial(const struct bench_team *team)
{
    (void)team;
    standard_merge_int64(xs, half, xs + half, count - half, merged);
    has_result = true;
    return 0;
}

static int merge_channel(const struct bench_team *team)
{
    int err = channel_pool_for(team->channel, 0, count, merge_piece, NULL);

    has_result = true;
    return err;
}

static int merge_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
    {
        size_t threads = (size_t)omp_get_num_threads();
        size_t thread = (size_t)omp_get_thread_num();

        merge_piece(thread, count * thread / threads, count * (thread + 1) / threads,
                    NULL);
    }
    has_result = true;
    return 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    (void)ctx;
    return (x > y) - (x < y);
}

static int merge_filch(const struct bench_team *team)
{
    int err = filch_merge(xs, half, xs + half, count - half, merged, sizeof *xs, compare,
                          NULL, .pool = team->filch);

    has_result = true;
    return err;
}

#define SEARCH(work_name, size, kind)                                                   \
    {                                                                                   \
        .name = (work_name), .variant = (size), .prepare = prepare, .release = release, \
        .take_result = take_result,                                                     \
        .run = {kind##_serial, kind##_channel, kind##_openmp, kind##_filch},            \
        .is_extra = true,                                                               \
    }

const struct bench_work bench_search[BENCH_SEARCH_WORKS] = {
    SEARCH("find", 0, find),     SEARCH("find-10", 1, find), SEARCH("find-100", 2, find),
    SEARCH("find-1e3", 3, find), SEARCH("merge", 4, merge),
};
