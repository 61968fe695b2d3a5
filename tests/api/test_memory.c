/* test_memory.c - the scratch memory of each call, measured: at most what the "Memory" of
 * its header says, as a formula here; and nothing is left, also after errors.
 *
 * Headers pass over what is lost where an array in a block begins at a whole cache line:
 * up to LINES_LOST of a block.
 */
#include "scarce.h"

#define MOST_BYTES ((size_t)8960000)
#define MOST       ((size_t)140000)
#define LINE       ((size_t)64)
#define LINES_LOST 2

static _Alignas(64) char source[MOST_BYTES], in[MOST_BYTES], out[MOST_BYTES];
static size_t places[MOST];
static char names[MOST][16];
static uint64_t counts[MOST];
static double sums[MOST];
static char carry[64];
static size_t kept;
static int answer;

/* What the user's functions know: they set a token in the middle. */
struct user {
    atomic_size_t calls;
    size_t ends_at; /* calls; SIZE_MAX: never, and they are not counted */
    filch_cancel token;
};

static void call_user(void *ctx)
{
    struct user *user = ctx;

    if (user->ends_at < SIZE_MAX && atomic_fetch_add(&user->calls, 1) == user->ends_at)
        filch_cancel_set(&user->token);
}

static uint32_t number_of(const void *item)
{
    uint32_t number;

    memcpy(&number, item, sizeof number);
    return number;
}

static int compare(const void *a, const void *b, void *ctx)
{
    uint32_t x = number_of(a), y = number_of(b);

    call_user(ctx);
    return (x > y) - (x < y);
}

#define TEST(name, is_wanted)                    \
    static int name(const void *item, void *ctx) \
    {                                            \
        call_user(ctx);                          \
        return (void)item, (is_wanted);          \
    }

TEST(is_odd, number_of(item) % 2 == 1)
TEST(is_none, 0)
TEST(is_any, 1)

static int is_same(const void *a, const void *b, void *ctx)
{
    call_user(ctx);
    return number_of(a) % 8 == number_of(b) % 8;
}

static void add(void *left, const void *right, void *ctx)
{
    uint32_t sum = number_of(left) + number_of(right);

    call_user(ctx);
    memcpy(left, &sum, sizeof sum);
}

static uint32_t bins;

static int find_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                     double *weight, void *ctx)
{
    size_t i;

    call_user(ctx);
    for (i = begin; i < end; i++) {
        bin[i - begin] = (uint32_t)(i * 7919 % bins);
        if (weight)
            weight[i - begin] = 1;
    }
    return (void)w, 0;
}

/* --- calls, of n items of so many bytes ------------------------------------------- */

#define CALL(name, ...)                                             \
    static int name(size_t n, size_t bytes, const filch_opts *opts) \
    {                                                               \
        return (void)n, (void)bytes, (__VA_ARGS__);                 \
    }

#define UINT32 ((uint32_t *)(void *)in)
#define UINT64 ((uint64_t *)(void *)in)
#define DOUBLE ((double *)(void *)in)

CALL(keys_uint32, filch_sort_keys_uint32(UINT32, n, opts))
CALL(keys_double, filch_sort_keys_double(DOUBLE, n, opts))
CALL(pairs_4_4, filch_sort_pairs_uint32(UINT32, out, 4, n, opts))
CALL(pairs_4_8, filch_sort_pairs_uint32(UINT32, out, 8, n, opts))
CALL(pairs_8_8, filch_sort_pairs_double(DOUBLE, out, 8, n, opts))
CALL(argsort_uint32, filch_argsort_uint32(UINT32, n, places, opts))
CALL(argsort_double, filch_argsort_double(DOUBLE, n, places, opts))
CALL(range_uint32, filch_sort_range_uint32(UINT32, n, n / 2, n / 2 + 1, opts))
CALL(range_double, filch_sort_range_double(DOUBLE, n, 0, n / 4 + 1, opts))

/* Keys of which half are so close together that one pass does not part them. */
static int keys_crowded(size_t n, size_t bytes, const filch_opts *opts)
{
    size_t i;

    for (i = 0; i < n; i += 2)
        UINT64[i] = UINT64_C(1) << 63 | UINT64[i] % (1 << 20);
    return (void)bytes, filch_sort_keys_uint64(UINT64, n, opts);
}

CALL(sort, filch_sort_with(in, n, bytes, compare, opts))
CALL(argsort_by, filch_argsort_by_with(in, n, bytes, places, compare, opts))
CALL(range_by, filch_sort_range_by_with(in, n, bytes, n / 2, n / 2 + 1, compare, opts))

static int strings(size_t n, size_t bytes, const filch_opts *opts)
{
    const char **string = (const char **)(void *)in;
    size_t i;

    for (i = 0; i < n; i++)
        string[i] = names[i];
    return (void)bytes, filch_sort_strings_with(string, n, opts);
}

CALL(scan_sum, filch_scan_sum_uint64(UINT64, n, (uint64_t *)(void *)out, opts))
CALL(exscan_sum, filch_exscan_sum_uint64(UINT64, n, UINT64, NULL, opts))
CALL(scan, filch_scan_with(in, out, n, bytes, NULL, add, opts))
CALL(exscan, filch_exscan_with(in, in, n, bytes, carry, add, opts))

CALL(filter, filch_filter_with(in, out, n, bytes, &kept, is_odd, opts))
CALL(filter_in_place, filch_filter_with(in, in, n, bytes, &kept, is_odd, opts))
CALL(partition, filch_partition_with(in, out, n, bytes, &kept, is_odd, opts))
CALL(unique, filch_unique_with(in, out, n, bytes, &kept, is_same, opts))
CALL(where, filch_where_with(in, places, n, bytes, &kept, is_odd, opts))
CALL(count_if, filch_count_if_with(in, n, bytes, &kept, is_odd, opts))
CALL(find, filch_find_with(in, n, bytes, &kept, is_none, opts))
CALL(any, filch_any_with(in, n, bytes, &answer, is_none, opts))
CALL(all, filch_all_with(in, n, bytes, &answer, is_any, opts))
CALL(lower,
     filch_lower_bounds_with(source, n, bytes, in, n, bytes, places, compare, opts))
CALL(upper,
     filch_upper_bounds_with(source, n, bytes, in, n, bytes, places, compare, opts))
CALL(merge, filch_merge_with(in, n / 2, in + n / 2 * bytes, n - n / 2, out, bytes,
                             compare, opts))

CALL(bins_few, bins = 100, filch_histogram_with(0, n, counts, bins, find_bins, opts))
CALL(bins_many, bins = MOST, filch_histogram_with(0, n, counts, bins, find_bins, opts))
CALL(sums_few, bins = 1000, filch_histogram_sums_with(0, n, sums, bins, find_bins, opts))
CALL(sums_many, bins = 2000, filch_histogram_sums_with(0, n, sums, bins, find_bins, opts))
CALL(of_bytes, filch_histogram_uint8((const uint8_t *)in, n, counts, opts))
CALL(of_uint32, filch_histogram_uint32(UINT32, n, counts, MOST, opts))
CALL(shuffle, filch_shuffle_with(in, n, bytes, 1, opts))

/* --- what headers say ------------------------------------------------------------- */

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

#define LIMIT(name, ...)                                                   \
    static size_t name(size_t n, size_t bytes, size_t workers)             \
    {                                                                      \
        return (void)n, (void)bytes, (void)workers, (size_t)(__VA_ARGS__); \
    }

LIMIT(none, 0)

/* sort.h; bytes: of a record */
LIMIT(records, 8192 >= n * bytes ? 0
               : n * bytes < 512 << 10
                   ? 2 * n * bytes
                   : n * bytes + n * bytes / (256 << 10) * 40 + 600000 * workers + 200000)
LIMIT(records_8, records(n, 8, workers))
LIMIT(records_16, records(n, 16, workers))
LIMIT(records_crowded, records(n, 8, workers) +
                           (n * 8 < 512 << 10 || n * 4 <= 256 << 10 ? 0 : n * 4 + n / 8))

/* sort_by.h */
LIMIT(as_array, n <= 2048 && n * bytes <= 8192 ? 0 : n * bytes + n / 20 + 200)
LIMIT(as_places, as_array(n, sizeof(size_t), workers))
LIMIT(as_range, as_array(n, bytes, workers) + (n <= 2048 ? 0 : 2 * bytes + n + n / 40))
LIMIT(as_strings, n <= 256 ? 0 : 32 * n + n / 16 + 200)

/* scan.h, pack.h */
LIMIT(carries, bytes <= 48 ? 0 : (16 + 3 * workers) * whole_lines(bytes))
LIMIT(flags, ((32 << 10) + 1) * workers)
LIMIT(rooms, (bytes > 128 << 10 ? 2 * bytes : (128 << 10) + bytes) * workers)

/* histogram.h, random.h */
#define SPREAD 2200000
LIMIT(copies, n / 256 * 12 + workers * (bytes + 400)) /* bytes: bins */
LIMIT(copies_few, copies(n, 100, workers))
LIMIT(copies_of_bytes, n <= 2048 ? 0 : workers * (2048 + 400))
LIMIT(by_ranges, MOST > 2 * (n / workers) ? 4 * n + SPREAD : copies(n, MOST, workers))
LIMIT(stretches, 64 * 1000 * 8)
LIMIT(weights_by_ranges, 12 * n + SPREAD)
LIMIT(copy, n <= 32768 ? 0 : n * bytes + SPREAD)

static const struct row {
    const char *name;
    size_t bytes;
    int (*call)(size_t n, size_t bytes, const filch_opts *opts);
    size_t (*limit)(size_t n, size_t bytes, size_t workers);
} rows[] = {
    {"sort_keys uint32", 4, keys_uint32, records},
    {"sort_keys double", 8, keys_double, records},
    {"sort_keys, crowded", 8, keys_crowded, records_crowded},
    {"sort_pairs 4, 4", 4, pairs_4_4, records_8},
    {"sort_pairs 4, 8", 4, pairs_4_8, records_16},
    {"sort_pairs 8, 8", 8, pairs_8_8, records_16},
    {"argsort uint32", 4, argsort_uint32, records_8},
    {"argsort double", 8, argsort_double, records_16},
    {"sort_range uint32", 4, range_uint32, records},
    {"sort_range double", 8, range_double, records},
    {"sort", 4, sort, as_array},
    {"sort", 16, sort, as_array},
    {"sort", 60, sort, as_array},
    {"argsort_by", 60, argsort_by, as_places},
    {"sort_range_by", 4, range_by, as_range},
    {"sort_range_by", 60, range_by, as_range},
    {"sort_strings", 8, strings, as_strings},
    {"scan_sum", 8, scan_sum, none},
    {"exscan_sum in place", 8, exscan_sum, none},
    {"scan", 8, scan, carries},
    {"scan", 49, scan, carries},
    {"scan", 64, scan, carries},
    {"exscan in place", 48, exscan, carries},
    {"exscan in place", 60, exscan, carries},
    {"filter", 8, filter, flags},
    {"filter", 60, filter, flags},
    {"filter", 200000, filter, flags},
    {"filter in place", 16, filter_in_place, rooms},
    {"filter in place", 200000, filter_in_place, rooms},
    {"partition", 60, partition, rooms},
    {"unique", 60, unique, flags},
    {"where", 4, where, flags},
    {"where", 60, where, flags},
    {"count_if", 60, count_if, none},
    {"find", 60, find, none},
    {"any", 4, any, none},
    {"all", 4, all, none},
    {"lower_bounds", 4, lower, none},
    {"upper_bounds", 60, upper, none},
    {"merge", 4, merge, none},
    {"merge", 60, merge, none},
    {"histogram, few bins", 4, bins_few, copies_few},
    {"histogram, many bins", 4, bins_many, by_ranges},
    {"histogram_sums, few bins", 4, sums_few, stretches},
    {"histogram_sums, many bins", 4, sums_many, weights_by_ranges},
    {"histogram_uint8", 1, of_bytes, copies_of_bytes},
    {"histogram_uint32", 4, of_uint32, by_ranges},
    {"shuffle", 4, shuffle, copy},
    {"shuffle", 60, shuffle, copy},
};

static const size_t sizes[] = {1, 50, 1000, 1025, 2049, 4097, 40000, MOST};

/* --- the tests -------------------------------------------------------------------- */

static int fill(void **state)
{
    uint64_t seed = seed_print();
    size_t i;

    for (i = 0; i < MOST_BYTES; i += 8) {
        uint64_t bits = random_next(&seed);

        memcpy(source + i, &bits, 8);
    }
    for (i = 0; i < MOST; i++)
        snprintf(names[i], sizeof names[i], "name-of-%u",
                 (unsigned)random_below(&seed, 3000));
    return (void)state, 0;
}

static int call_row(const struct row *row, size_t n, const filch_opts *opts)
{
    memcpy(in, source, n * row->bytes);
    return row->call(n, row->bytes, opts);
}

/* Call test(row, n, pool) for each row, and each n for which there is room; for every
 * other one, and not the most, where all takes many times as long. */
static void each(void (*test)(const struct row *row, size_t n, filch_pool *pool),
                 filch_pool *pool)
{
    size_t r, s, step = IS_TSAN || IS_EMULATED ? 2 : 1;

    warm_up(pool);
    for (r = 0; r < COUNT_OF(rows); r++)
        for (s = 0; s < COUNT_OF(sizes); s += step)
            if (sizes[s] <= MOST_BYTES / rows[r].bytes)
                test(&rows[r], sizes[s], pool);
}

static void measure(const struct row *row, size_t n, filch_pool *pool)
{
    struct user user = {.ends_at = SIZE_MAX};
    size_t before = most_again(), most, limit;

    assert_int_equal(
        call_row(row, n,
                 FILCH_OPTS(&user, .pool = pool, .grain = row->bytes > 128 << 10)),
        0);
    most = heap_most - before;
    limit = row->limit(n, row->bytes, filch_pool_workers(pool));
    if (limit)
        limit += LINES_LOST * LINE * (heap_most_blocks - heap_end);
    if (most > limit)
        fail_msg("%s, %zu items of %zu bytes: %zu bytes instead of %zu", row->name, n,
                 row->bytes, most, limit);
    assert_int_equal(heap_bytes, before);
}

static void calls_take_no_more_memory_than_their_headers_say(void **state)
{
    each(measure, *state);
}

static void run_short(const struct row *row, size_t n, filch_pool *pool)
{
    struct user user = {.ends_at = SIZE_MAX};
    size_t before = heap_bytes;
    int allowed, err;

    for (allowed = 0; allowed < 20; allowed++) {
        atomic_store(&allocations_left, allowed);
        err = call_row(row, n, FILCH_OPTS(&user, .pool = pool));
        if (err != -ENOMEM)
            assert_int_equal(err, 0);
        if (heap_bytes != before)
            fail_msg("%s, %zu items, allocation %d fails: %zu bytes are left", row->name,
                     n, allowed, heap_bytes - before);
        if (atomic_exchange(&allocations_left, INT32_MAX) >= 0)
            break;
    }
    assert_int_equal(err, 0);
}

static void calls_without_memory_leave_none_behind(void **state)
{
    each(run_short, *state);
}

static int refuse(size_t done, size_t total, void *ctx)
{
    return (void)done, (void)total, (void)ctx, 66;
}

static void end_early(const struct row *row, size_t n, filch_pool *pool)
{
    struct user user = {.ends_at = n / 2};
    const filch_opts *opts = FILCH_OPTS(&user, .pool = pool, .cancel = &user.token);
    size_t before = heap_bytes;
    int err = call_row(row, n, opts);

    if (err)
        assert_int_equal(err, -ECANCELED);
    assert_int_equal(heap_bytes, before);
    filch_cancel_set(&user.token);
    assert_int_equal(call_row(row, n, opts), -ECANCELED);
    assert_int_equal(heap_bytes, before);
    err = call_row(row, n,
                   FILCH_OPTS(&user, .pool = pool, .progress = refuse, .progress_ms = 1));
    if (err)
        assert_int_equal(err, 66);
    assert_int_equal(heap_bytes, before);
}

static void calls_that_are_ended_leave_no_memory_behind(void **state)
{
    each(end_early, *state);
}

#define ON_THREE_POOLS(test) ON_POOL(test, 1), ON_POOL(test, 2), ON_POOL(test, 4)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_THREE_POOLS(calls_take_no_more_memory_than_their_headers_say),
        ON_THREE_POOLS(calls_without_memory_leave_none_behind),
        ON_THREE_POOLS(calls_that_are_ended_leave_no_memory_behind),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
