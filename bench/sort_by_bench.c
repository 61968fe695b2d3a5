/* sort_by_bench.c - how fast is an array sorted by a comparison that is called?
 *
 *   sort-compare  random 32-bit integers
 *   sort-records  records of 16 bytes, by a random key of 64 bits
 *   sort-strings  names of files, by strcmp: three words of some thousands each
 *
 * Serial is the C library's qsort. OpenMP has no sort: it gets a merge sort of tasks, whose
 * parts of up to CUT items qsort sorts, and whose merges are cut in two as those of
 * mergesort_bench.c are. filch: filch_sort, and filch_sort_strings.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum variant { COMPARE, RECORDS, STRINGS };

#define CUT ((size_t)4096)

#define WORDS       4096
#define NAME_LENGTH 32

struct record {
    uint64_t key;
    uint64_t value;
};

static enum variant variant;
static size_t count;
static size_t bytes; /* of an item */
static char *unsorted;
static char *items;
static char *room;  /* for as many */
static char *names; /* that strings point to */
static bool has_result;

/* ---- comparisons ----------------------------------------------------------------- */

static int by_number(const void *left, const void *right)
{
    const uint32_t *a = left;
    const uint32_t *b = right;

    return (*a > *b) - (*a < *b);
}

static int by_key(const void *left, const void *right)
{
    const struct record *a = left;
    const struct record *b = right;

    return (a->key > b->key) - (a->key < b->key);
}

static int by_name(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

typedef int compare_function(const void *left, const void *right);

static compare_function *const compare_of[] = {by_number, by_key, by_name};

static int by_number_for_filch(const void *left, const void *right, void *ctx)
{
    (void)ctx;
    return by_number(left, right);
}

static int by_key_for_filch(const void *left, const void *right, void *ctx)
{
    (void)ctx;
    return by_key(left, right);
}

/* ---- input ----------------------------------------------------------------------- */

static void release(void)
{
    free(unsorted);
    free(items);
    free(room);
    free(names);
    unsorted = items = room = names = NULL;
}

/* A word of 2 to 9 letters, the same for each number. */
static size_t append_word(char *to, uint32_t number)
{
    uint32_t seed = number + 1;
    size_t length = 2 + (size_t)(bench_random(&seed) * 8);

    for (size_t i = 0; i < length; i++) {
        double at = bench_random(&seed);

        to[i] = (char)('a' + (int)(at * at * 26));
    }
    return length;
}

static void make_name(char *to, uint32_t *seed)
{
    for (int i = 0; i < 3; i++) {
        *to++ = '/';
        to += append_word(to, (uint32_t)(bench_random(seed) * WORDS));
    }
    *to = '\0';
}

static void make_item(size_t i, uint32_t *seed)
{
    char *item = unsorted + i * bytes;
    char *name = names + i * NAME_LENGTH;
    struct record record;

    *seed = bench_step(*seed);
    switch (variant) {
    case COMPARE:
        memcpy(item, seed, bytes);
        break;
    case RECORDS:
        record.key = *seed;
        *seed = bench_step(*seed);
        record.key = record.key << 32 | *seed;
        record.value = i;
        memcpy(item, &record, bytes);
        break;
    case STRINGS:
        make_name(name, seed);
        memcpy(item, &name, bytes);
        break;
    }
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 20000, [BENCH_QUICK] = 1000000, [BENCH_FULL] = 10000000};
    static const char *const what[] = {"32-bit integers, compared",
                                       "16-byte records, compared", "strings"};
    uint32_t seed = 1;

    variant = (enum variant)request->work->variant;
    bytes = variant == COMPARE   ? sizeof(uint32_t)
            : variant == RECORDS ? sizeof(struct record)
                                 : sizeof(char *);
    count = counts[request->scale] / (variant == STRINGS ? 10 : 1);
    unsorted = malloc(count * bytes);
    items = malloc(count * bytes);
    room = malloc(count * bytes);
    names = malloc(variant == STRINGS ? count * NAME_LENGTH : 1);
    if (!unsorted || !items || !room || !names) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        make_item(i, &seed);
    memcpy(items, unsorted, count * bytes);
    memset(room, 0, count * bytes);
    snprintf(input->title, sizeof input->title, "sort of %s", what[variant]);
    snprintf(input->size, sizeof input->size, "%.2g", (double)count);
    if (request->candidate == BENCH_SERIAL)
        input->note = "qsort";
    if (request->candidate == BENCH_OPENMP)
        input->note = "merge sort of tasks, over qsort";
    return 0;
}

/* Of strings: of their characters, since which of two equal ones comes first is open. */
static double sum_of_names(void)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        char name[NAME_LENGTH] = "";
        char *at;

        memcpy(&at, items + i * bytes, bytes);
        for (size_t j = 0; j < sizeof name && at[j]; j++)
            name[j] = at[j];
        sum += fmod(bench_checksum(name, sizeof name) * (double)(i % 1000 + 1), 1 << 30);
    }
    return sum;
}

static double take_result(void)
{
    double sum = NAN;

    if (has_result) {
        sum = variant == STRINGS ? sum_of_names() : bench_checksum(items, count * bytes);
        memcpy(items, unsorted, count * bytes);
    }
    has_result = false;
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    qsort(items, count, bytes, compare_of[variant]);
    has_result = true;
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

struct merge {
    const char *a;
    const char *b;
    size_t a_count;
    size_t b_count;
    char *out;
};

static void merge_serial(const struct merge *merge)
{
    compare_function *compare = compare_of[variant];
    const char *a = merge->a;
    const char *b = merge->b;
    const char *a_end = a + merge->a_count * bytes;
    const char *b_end = b + merge->b_count * bytes;
    char *out = merge->out;

    while (a < a_end && b < b_end) {
        bool is_b = compare(b, a) < 0;

        memcpy(out, is_b ? b : a, bytes);
        out += bytes;
        a += is_b ? 0 : bytes;
        b += is_b ? bytes : 0;
    }
    memcpy(out, a, (size_t)(a_end - a));
    memcpy(out + (a_end - a), b, (size_t)(b_end - b));
}

static size_t count_less(const char *at, size_t n, const char *item)
{
    size_t begin = 0;

    while (begin < n) {
        size_t middle = begin + (n - begin) / 2;

        if (compare_of[variant](at + middle * bytes, item) < 0)
            begin = middle + 1;
        else
            n = middle;
    }
    return begin;
}

static void merge_openmp(const struct merge *whole)
{
    struct merge low = *whole;
    struct merge high;

    if (whole->a_count + whole->b_count <= CUT) {
        merge_serial(whole);
        return;
    }
    if (low.a_count < low.b_count)
        low = (struct merge){whole->b, whole->a, whole->b_count, whole->a_count,
                             whole->out};
    high = low;
    low.a_count /= 2;
    low.b_count = count_less(high.b, high.b_count, high.a + low.a_count * bytes);
    high.a += low.a_count * bytes;
    high.b += low.b_count * bytes;
    high.a_count -= low.a_count;
    high.b_count -= low.b_count;
    high.out += (low.a_count + low.b_count) * bytes;
#pragma omp task shared(high)
    merge_openmp(&high);
    merge_openmp(&low);
#pragma omp taskwait
}

static void sort_openmp(char *at, char *to, size_t n, bool is_to)
{
    size_t half = n / 2;
    size_t half_bytes = half * bytes;
    char *from = is_to ? at : to;

    if (n <= CUT) {
        qsort(at, n, bytes, compare_of[variant]);
        if (is_to)
            memcpy(to, at, n * bytes);
        return;
    }
#pragma omp task
    sort_openmp(at + half_bytes, to + half_bytes, n - half, !is_to);
    sort_openmp(at, to, half, !is_to);
#pragma omp taskwait
    merge_openmp(
        &(struct merge){from, from + half_bytes, half, n - half, is_to ? to : at});
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    sort_openmp(items, room, count, false);
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int run_filch(const struct bench_team *team)
{
    has_result = true;
    if (variant == STRINGS)
        return filch_sort_strings((const char **)(void *)items, count,
                                  .pool = team->filch);
    return filch_sort(items, count, bytes,
                      variant == COMPARE ? by_number_for_filch : by_key_for_filch, NULL,
                      .pool = team->filch);
}

#define RUN                                            \
    {                                                  \
        run_serial, NULL, run_openmp, run_filch, NULL, \
    }

const struct bench_work bench_sort_by[BENCH_SORT_BY_WORKS] = {
    {.name = "sort-compare",
     .variant = COMPARE,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
    {.name = "sort-records",
     .variant = RECORDS,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
    {.name = "sort-strings",
     .variant = STRINGS,
     .prepare = prepare,
     .release = release,
     .run = RUN,
     .take_result = take_result},
};
