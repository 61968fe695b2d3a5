/* sort_by_bench.c - how fast is an array sorted by a comparison that is called?
 *
 *   sort-compare  random 32-bit integers
 *   sort-records  records of 16 bytes, by a random key of 64 bits
 *   sort-strings  names of files, by strcmp: three words of some thousands each
 *   sort-pointers pointers to records of 128 bytes, by their keys
 *
 * and many arrays of 10, 100 and 1,000 integers or strings, where the answer is the time of
 * one.
 *
 * Serial is the C library's qsort. OpenMP has no sort: it gets a merge sort of tasks, whose
 * parts of up to CUT items qsort sorts, and whose merges are cut in two as those of
 * mergesort_bench.c are. filch: filch_sort; of
 * strings, filch_sort_strings.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { COMPARE, RECORDS, STRINGS, POINTERS };

static const struct variant {
    const char *title;
    enum kind kind;
    size_t items; /* of an array */
    size_t sorts; /* arrays in a run: the clock is read twice a run */
} variants[BENCH_SORT_BY_WORKS] = {
    {"32-bit integers, compared", COMPARE, 10000000, 1},
    {"16-byte records, compared", RECORDS, 10000000, 1},
    {"strings", STRINGS, 1000000, 1},
    {"pointers, compared by records", POINTERS, 1000000, 1},
    {"10 integers, compared", COMPARE, 10, 10000},
    {"100 integers, compared", COMPARE, 100, 2000},
    {"1,000 integers, compared", COMPARE, 1000, 500},
    {"10 strings", STRINGS, 10, 10000},
    {"100 strings", STRINGS, 100, 2000},
    {"1,000 strings", STRINGS, 1000, 500},
};

#define CUT ((size_t)4096)

#define WORDS       4096
#define NAME_LENGTH 32

struct record {
    uint64_t key;
    uint64_t value;
};

/* What pointers point to. */
#define FAR_BYTES 128

static enum kind kind;
static size_t length; /* of an array */
static size_t count;  /* of all */
static size_t bytes;  /* of an item */
static char *unsorted;
static char *items;
static char *room;  /* for as many */
static char *names; /* that strings, and other pointers, point to */
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

static int by_far_key(const void *left, const void *right)
{
    const void *const *a = left;
    const void *const *b = right;

    return by_key(*a, *b);
}

typedef int compare_function(const void *left, const void *right);

static compare_function *const compare_of[] = {by_number, by_key, by_name, by_far_key};

#define FOR_FILCH(name)                                                         \
    static int name##_for_filch(const void *left, const void *right, void *ctx) \
    {                                                                           \
        (void)ctx;                                                              \
        return name(left, right);                                               \
    }

FOR_FILCH(by_number)
FOR_FILCH(by_key)
FOR_FILCH(by_far_key)

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
    size_t letters = 2 + (size_t)(bench_random(&seed) * 8);

    for (size_t i = 0; i < letters; i++) {
        double at = bench_random(&seed);

        to[i] = (char)('a' + (int)(at * at * 26));
    }
    return letters;
}

static void make_name(char *to, uint32_t *seed)
{
    for (int i = 0; i < 3; i++) {
        *to++ = '/';
        to += append_word(to, (uint32_t)(bench_random(seed) * WORDS));
    }
    *to = '\0';
}

static size_t far_bytes(void)
{
    return kind == STRINGS ? NAME_LENGTH : kind == POINTERS ? FAR_BYTES : 0;
}

static void make_item(size_t i, uint32_t *seed)
{
    char *item = unsorted + i * bytes;
    char *name = names + i * far_bytes();
    struct record record;

    *seed = bench_step(*seed);
    switch (kind) {
    case COMPARE:
        memcpy(item, seed, bytes);
        break;
    case RECORDS:
    case POINTERS:
        record.key = *seed;
        *seed = bench_step(*seed);
        record.key = record.key << 32 | *seed;
        record.value = i;
        memcpy(kind == POINTERS ? name : item, &record, sizeof record);
        if (kind == POINTERS)
            memcpy(item, &name, bytes);
        break;
    case STRINGS:
        make_name(name, seed);
        memcpy(item, &name, bytes);
        break;
    }
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct variant *variant = &variants[request->work->variant];
    size_t most = request->scale == BENCH_TINY    ? 20000
                  : request->scale == BENCH_QUICK ? variant->items / 10
                                                  : variant->items;
    uint32_t seed = 1;

    kind = variant->kind;
    bytes = kind == COMPARE   ? sizeof(uint32_t)
            : kind == RECORDS ? sizeof(struct record)
                              : sizeof(char *);
    length = variant->sorts > 1 || variant->items < most ? variant->items : most;
    count = length * (request->scale == BENCH_TINY ? 1 : variant->sorts);
    unsorted = malloc(count * bytes);
    items = malloc(count * bytes);
    room = malloc(count * bytes);
    names = malloc(count * far_bytes() + 1);
    if (!unsorted || !items || !room || !names) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        make_item(i, &seed);
    memcpy(items, unsorted, count * bytes);
    memset(room, 0, count * bytes);
    snprintf(input->title, sizeof input->title, "sort of %s", variant->title);
    snprintf(input->size, sizeof input->size, "%.2g", (double)length);
    if (variant->sorts > 1) {
        size_t sorts = count / length;

        input->item = "sort";
        input->items = (double)sorts;
    }
    if (request->candidate == BENCH_SERIAL)
        input->note = "qsort";
    if (request->candidate == BENCH_OPENMP)
        input->note = "merge sort of tasks, over qsort";
    return 0;
}

/* Of what a pointer points to; of a string at most what a name has room for. */
static size_t length_of(const char *at)
{
    size_t chars = 0;

    if (kind != STRINGS)
        return sizeof(struct record);
    while (chars < NAME_LENGTH && at[chars])
        chars++;
    return chars;
}

/* Of what the pointers point to: which of two equal strings comes first is open. */
static double sum_of_names(void)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        char name[NAME_LENGTH] = "";
        char *at;

        memcpy(&at, items + i * bytes, bytes);
        memcpy(name, at, length_of(at));
        sum += fmod(bench_checksum(name, sizeof name) * (double)(i % 1000 + 1), 1 << 30);
    }
    return sum;
}

static double take_result(void)
{
    double sum = NAN;

    if (has_result) {
        sum = far_bytes() > 0 ? sum_of_names() : bench_checksum(items, count * bytes);
        memcpy(items, unsorted, count * bytes);
    }
    has_result = false;
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t i = 0; i < count; i += length)
        qsort(items + i * bytes, length, bytes, compare_of[kind]);
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
    compare_function *compare = compare_of[kind];
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

        if (compare_of[kind](at + middle * bytes, item) < 0)
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
        qsort(at, n, bytes, compare_of[kind]);
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
    for (size_t i = 0; i < count; i += length) {
#pragma omp parallel num_threads(team->workers)
#pragma omp single
        sort_openmp(items + i * bytes, room + i * bytes, length, false);
    }
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static filch_compare *const compare_for_filch[] = {by_number_for_filch, by_key_for_filch,
                                                   NULL, by_far_key_for_filch};

static int sort_filch(const struct bench_team *team, char *at)
{
    if (kind == STRINGS)
        return filch_sort_strings((const char **)(void *)at, length, .pool = team->filch);
    return filch_sort(at, length, bytes, compare_for_filch[kind], NULL,
                      .pool = team->filch);
}

static int run_filch(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < count && !err; i += length)
        err = sort_filch(team, items + i * bytes);
    has_result = true;
    return err;
}

#define SORT(work_name, which)                                                           \
    {                                                                                    \
        .name = (work_name), .variant = (which), .prepare = prepare, .release = release, \
        .run = {run_serial, NULL, run_openmp, run_filch, NULL},                          \
        .take_result = take_result, .is_extra = true,                                    \
    }

const struct bench_work bench_sort_by[BENCH_SORT_BY_WORKS] = {
    SORT("sort-compare", 0),     SORT("sort-records", 1),    SORT("sort-strings", 2),
    SORT("sort-pointers", 3),    SORT("sort-compare-10", 4), SORT("sort-compare-100", 5),
    SORT("sort-compare-1e3", 6), SORT("sort-strings-10", 7), SORT("sort-strings-100", 8),
    SORT("sort-strings-1e3", 9),
};
