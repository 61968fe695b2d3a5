/* test_pack_calls.c - calls of pack.h and search.h: errors, which leave everything as it
 * was; tests that fail; tokens and progress; calls inside each other.
 */
#include "pools.h"

#define ITEMS ((size_t)200000)

static int64_t numbers[ITEMS], results[2 * ITEMS];
static size_t places[ITEMS];

static int is_odd(const void *item, void *ctx)
{
    (void)ctx;
    return *(const int64_t *)item % 2 != 0;
}

static int are_odd(const void *items, size_t count, bool *flags, void *ctx)
{
    const int64_t *item = items;
    size_t i;

    (void)ctx;
    for (i = 0; i < count; i++)
        flags[i] = item[i] % 2 != 0;
    return 0;
}

static int compare(const void *a, const void *b, void *ctx)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    (void)ctx;
    return x < y ? -1 : x > y;
}

static int are_equal(const void *a, const void *b, void *ctx)
{
    return compare(a, b, ctx) == 0;
}

static void fill(void)
{
    size_t i;

    for (i = 0; i < ITEMS; i++)
        numbers[i] = (int64_t)i;
}

/* --- errors ------------------------------------------------------------------------- */

/* Options that are refused, and such as are cancelled. */
struct options {
    filch_opts good, small, bounded, cancelled;
    filch_cancel token;
};

static void set_options(struct options *options, filch_pool *pool)
{
    options->good = *FILCH_OPTS(NULL, .pool = pool);
    options->small = options->bounded = options->cancelled = options->good;
    options->small.struct_size -= 8;
    options->bounded.grain = 5;
    options->bounded.max_chunk = 4;
    options->token = (filch_cancel){0};
    options->cancelled.cancel = &options->token;
    filch_cancel_set(&options->token);
}

/* function(in, out, count, bytes, &kept, test, opts) */
#define CHECK_PACK(function, out_type, test, is_in_place)                                \
    do {                                                                                 \
        typedef out_type kind;                                                           \
        int64_t x[4] = {1, 1, 2, 2};                                                     \
        kind *out = (kind *)(void *)results, *none = NULL;                               \
        struct options o;                                                                \
        size_t kept = 77;                                                                \
                                                                                         \
        set_options(&o, *state);                                                         \
        results[0] = 5;                                                                  \
        assert_int_equal(function(NULL, out, 4, 8, &kept, test, &o.good), -EINVAL);      \
        assert_int_equal(function(x, none, 4, 8, &kept, test, &o.good), -EINVAL);        \
        assert_int_equal(function(x, out, 4, 0, &kept, test, &o.good), -EINVAL);         \
        assert_int_equal(function(x, out, 4, 8, NULL, test, &o.good), -EINVAL);          \
        assert_int_equal(function(x, out, SIZE_MAX / 8 + 1, 8, &kept, test, &o.good),    \
                         -EINVAL);                                                       \
        assert_int_equal(function(x, out, SIZE_MAX, SIZE_MAX, &kept, test, NULL),        \
                         -EINVAL);                                                       \
        assert_int_equal(function(results, out + 1, 3, 8, &kept, test, NULL), -EINVAL);  \
        assert_int_equal(function(results + 1, out, 3, 8, &kept, test, NULL), -EINVAL);  \
        if (!(is_in_place))                                                              \
            assert_int_equal(function(results, out, 3, 8, &kept, test, NULL), -EINVAL);  \
        assert_int_equal(function(x, out, 4, 8, &kept, test, &o.small), -EINVAL);        \
        assert_int_equal(function(x, out, 4, 8, &kept, test, &o.bounded), -EINVAL);      \
        assert_int_equal(function(x, out, 4, 8, &kept, test, &o.cancelled), -ECANCELED); \
        assert_int_equal(function(numbers, out, ITEMS, 8, &kept, test, &o.cancelled),    \
                         -ECANCELED);                                                    \
        assert_int_equal(results[0], 5);                                                 \
        assert_int_equal(kept, 77);                                                      \
        assert_int_equal(function(x, out, 4, 8, &kept, test, NULL), 0);                  \
        assert_int_equal(kept, 2);                                                       \
        assert_int_equal(function(NULL, none, 0, 8, &kept, test, NULL), 0);              \
        assert_int_equal(kept, 0);                                                       \
    } while (0)

static void refused_packing_changes_nothing(void **state)
{
    filch_test *no_test = NULL;
    filch_test_body *no_body = NULL;
    size_t none_kept;

    CHECK_PACK(filch_filter_with, int64_t, is_odd, true);
    CHECK_PACK(filch_filter_ranges_with, int64_t, are_odd, true);
    CHECK_PACK(filch_partition_with, int64_t, is_odd, false);
    CHECK_PACK(filch_partition_ranges_with, int64_t, are_odd, false);
    CHECK_PACK(filch_unique_with, int64_t, are_equal, true);
    CHECK_PACK(filch_unique_with, int64_t, NULL, true);
    CHECK_PACK(filch_where_with, size_t, is_odd, false);
    CHECK_PACK(filch_where_ranges_with, size_t, are_odd, false);
    assert_int_equal(filch_filter(numbers, results, 5, 8, &none_kept, no_test, NULL),
                     -EINVAL);
    assert_int_equal(filch_where_ranges(numbers, places, 5, 8, &none_kept, no_body, NULL),
                     -EINVAL);
    /* One item as large as memory can be is refused for its overlap. */
    assert_int_equal(filch_filter(numbers, results, 1, SIZE_MAX, &none_kept, is_odd, NULL,
                                  .pool = *state, .grain = 1),
                     -EINVAL);
}

/* function(in, count, bytes, &out, test, opts) */
#define CHECK_SEARCH(function, out_type, test, right, of_none)                         \
    do {                                                                               \
        int64_t x[4] = {2, 1, 1, 2};                                                   \
        struct options o;                                                              \
        out_type out = 77;                                                             \
                                                                                       \
        set_options(&o, *state);                                                       \
        assert_int_equal(function(NULL, 4, 8, &out, test, &o.good), -EINVAL);          \
        assert_int_equal(function(x, 4, 0, &out, test, &o.good), -EINVAL);             \
        assert_int_equal(function(x, 4, 8, NULL, test, &o.good), -EINVAL);             \
        assert_int_equal(function(x, 4, 8, &out, NULL, &o.good), -EINVAL);             \
        assert_int_equal(function(x, SIZE_MAX / 8 + 1, 8, &out, test, NULL), -EINVAL); \
        assert_int_equal(function(x, 4, 8, &out, test, &o.small), -EINVAL);            \
        assert_int_equal(function(x, 4, 8, &out, test, &o.bounded), -EINVAL);          \
        assert_int_equal(function(x, 4, 8, &out, test, &o.cancelled), -ECANCELED);     \
        assert_int_equal(function(numbers, ITEMS, 8, &out, test, &o.cancelled),        \
                         -ECANCELED);                                                  \
        assert_int_equal(out, 77);                                                     \
        assert_int_equal(function(x, 4, 8, &out, test, NULL), 0);                      \
        assert_int_equal(out, right);                                                  \
        out = 77;                                                                      \
        assert_int_equal(function(NULL, 0, 8, &out, test, NULL),                       \
                         (of_none) < 0 ? (of_none) : 0);                               \
        assert_int_equal(out, (of_none) < 0 ? 77 : (of_none));                         \
    } while (0)

static void refused_searches_change_nothing(void **state)
{
    CHECK_SEARCH(filch_count_if_with, size_t, is_odd, 2, 0);
    CHECK_SEARCH(filch_count_if_ranges_with, size_t, are_odd, 2, 0);
    CHECK_SEARCH(filch_find_with, size_t, is_odd, 1, 0);
    CHECK_SEARCH(filch_find_ranges_with, size_t, are_odd, 1, 0);
    CHECK_SEARCH(filch_any_with, int, is_odd, 1, 0);
    CHECK_SEARCH(filch_any_ranges_with, int, are_odd, 1, 0);
    CHECK_SEARCH(filch_all_with, int, is_odd, 0, 1);
    CHECK_SEARCH(filch_all_ranges_with, int, are_odd, 0, 1);
    CHECK_SEARCH(filch_argmin_by_with, size_t, compare, 1, -EINVAL);
    CHECK_SEARCH(filch_argmax_by_with, size_t, compare, 0, -EINVAL);
}

#define CHECK_BOUNDS(function, key_count)                                                \
    do {                                                                                 \
        int64_t x[4] = {1, 2, 3, 4}, key[2] = {2, 9};                                    \
        struct options o;                                                                \
        size_t at[4] = {77, 77, 77, 77};                                                 \
                                                                                         \
        set_options(&o, *state);                                                         \
        assert_int_equal(function(NULL, 4, 8, key, 2, 8, at, compare, &o.good),          \
                         -EINVAL);                                                       \
        assert_int_equal(function(x, 4, 8, NULL, 2, 8, at, compare, &o.good), -EINVAL);  \
        assert_int_equal(function(x, 4, 8, key, 2, 8, NULL, compare, NULL), -EINVAL);    \
        assert_int_equal(function(x, 4, 8, key, 2, 8, at, NULL, NULL), -EINVAL);         \
        assert_int_equal(function(x, 4, 0, key, 2, 8, at, compare, NULL), -EINVAL);      \
        assert_int_equal(function(x, 4, 8, key, 2, 0, at, compare, NULL), -EINVAL);      \
        assert_int_equal(function(x, SIZE_MAX / 4, 8, key, 2, 8, at, compare, NULL),     \
                         -EINVAL);                                                       \
        assert_int_equal(function(x, 4, 8, key, SIZE_MAX / 4, 1, at, compare, NULL),     \
                         -EINVAL);                                                       \
        assert_int_equal(function(x, 4, 8, at, 2, 8, at + 1, compare, NULL), -EINVAL);   \
        assert_int_equal(function(at + 1, 3, 8, key, 2, 8, at, compare, NULL), -EINVAL); \
        assert_int_equal(function(x, 4, 8, key, key_count, 8, at, compare, &o.small),    \
                         -EINVAL);                                                       \
        assert_int_equal(function(x, 4, 8, key, 2, 8, at, compare, &o.cancelled),        \
                         -ECANCELED);                                                    \
        assert_int_equal(                                                                \
            function(x, 4, 8, numbers, ITEMS, 8, places, compare, &o.cancelled),         \
            -ECANCELED);                                                                 \
        assert_int_equal(at[0], 77);                                                     \
        assert_int_equal(function(x, 4, 8, NULL, 0, 8, NULL, compare, NULL), 0);         \
        assert_int_equal(function(NULL, 0, 8, key, 2, 8, at, compare, NULL), 0);         \
        assert_int_equal(at[0] + at[1], 0);                                              \
    } while (0)

static void refused_bounds_change_nothing(void **state)
{
    CHECK_BOUNDS(filch_lower_bounds_with, 2);
    CHECK_BOUNDS(filch_upper_bounds_with, 2);
}

static void refused_merges_change_nothing(void **state)
{
    int64_t a[2] = {1, 3}, b[2] = {2, 4}, out[4] = {77};
    struct options o;

    set_options(&o, *state);
    assert_int_equal(filch_merge_with(NULL, 2, b, 2, out, 8, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, NULL, 2, out, 8, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, b, 2, NULL, 8, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, b, 2, out, 0, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, b, 2, out, 8, NULL, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, SIZE_MAX / 8, b, 2, out, 8, compare, NULL),
                     -EINVAL);
    assert_int_equal(filch_merge_with(a, SIZE_MAX, b, 2, out, 1, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(out + 2, 1, b, 2, out, 8, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(out, 0, out, 2, out, 8, compare, NULL), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, b, 2, out, 8, compare, &o.small), -EINVAL);
    assert_int_equal(filch_merge_with(a, 2, b, 2, out, 8, compare, &o.cancelled),
                     -ECANCELED);
    assert_int_equal(filch_merge_with(numbers, ITEMS, numbers, ITEMS, results, 8, compare,
                                      &o.cancelled),
                     -ECANCELED);
    assert_int_equal(out[0], 77);
    assert_int_equal(filch_merge_with(NULL, 0, NULL, 0, NULL, 8, compare, &o.good), 0);
    assert_int_equal(filch_merge_with(a, 2, NULL, 0, out, 8, compare, &o.good), 0);
    assert_int_equal(out[1], 3);
}

static void arrays_of_indices_at_an_odd_address_are_refused(void **state)
{
    int64_t x[4] = {1, 1, 2, 2}, key[2] = {2, 9};
    size_t at[4] = {77, 77, 77, 77}, *odd = (size_t *)(void *)((char *)at + 4), kept = 77;
    const filch_opts *opts = FILCH_OPTS(NULL, .pool = *state);

    assert_int_equal(filch_where_with(x, odd, 3, 8, &kept, is_odd, opts), -EINVAL);
    assert_int_equal(filch_where_ranges_with(x, odd, 3, 8, &kept, are_odd, opts),
                     -EINVAL);
    assert_int_equal(filch_lower_bounds_with(x, 4, 8, key, 2, 8, odd, compare, opts),
                     -EINVAL);
    assert_int_equal(filch_upper_bounds_with(x, 4, 8, key, 2, 8, odd, compare, opts),
                     -EINVAL);
    assert_int_equal(kept, 77);
    assert_int_equal(at[0] + at[1] + at[2] + at[3], 4 * 77);
    /* Without items nobody looks where they are. */
    assert_int_equal(filch_where_with(x, odd, 0, 8, &kept, is_odd, opts), 0);
}

/* --- tests that fail ---------------------------------------------------------------- */

/* Wanted is what is negative; the value of the lowest item of a call above 0 is its. */
static int are_negative(const void *items, size_t count, bool *flags, void *ctx)
{
    const int64_t *item = items;
    size_t i;

    (void)ctx;
    for (i = 0; i < count; i++) {
        if (item[i] > 0)
            return (int)item[i];
        flags[i] = item[i] < 0;
    }
    return 0;
}

static void the_lowest_failure_counts(void **state)
{
    uint64_t random = seed_print();
    int round, answer;
    size_t i, kept;

    for (round = 0; round < 100; round++) {
        size_t grain = random_below(&random, 3) * 500;
        size_t a = random_below(&random, ITEMS / 2);
        size_t b = a + 3000 + random_below(&random, ITEMS / 2 - 3000);
        int value = 1 + (int)random_below(&random, 1000);

        memset(numbers, 0, sizeof numbers);
        numbers[a] = value;
        numbers[b] = value + 1;
        kept = 77;
        assert_int_equal(filch_filter_ranges(numbers, results, ITEMS, 8, &kept,
                                             are_negative, NULL, .pool = *state,
                                             .grain = grain),
                         value);
        assert_int_equal(filch_partition_ranges(numbers, results, ITEMS, 8, &kept,
                                                are_negative, NULL, .pool = *state),
                         value);
        assert_int_equal(filch_where_ranges(numbers, places, ITEMS, 8, &kept,
                                            are_negative, NULL, .pool = *state),
                         value);
        assert_int_equal(filch_count_if_ranges(numbers, ITEMS, 8, &kept, are_negative,
                                               NULL, .pool = *state, .grain = grain),
                         value);
        assert_int_equal(filch_find_ranges(numbers, ITEMS, 8, &kept, are_negative, NULL,
                                           .pool = *state, .grain = grain),
                         value);
        assert_int_equal(kept, 77);
        /* One that is found before the failure is tested for. */
        numbers[a] = -1;
        assert_int_equal(filch_find_ranges(numbers, ITEMS, 8, &kept, are_negative, NULL,
                                           .pool = *state, .grain = grain),
                         0);
        assert_int_equal(kept, a);
        numbers[a + 1 + (size_t)value % 200] = value; /* in the same call, too */
        assert_int_equal(filch_find_ranges(numbers, ITEMS, 8, &kept, are_negative, NULL,
                                           .pool = *state, .grain = grain),
                         0);
        assert_int_equal(kept, a);
        assert_int_equal(filch_all_ranges(numbers, ITEMS, 8, &answer, are_negative, NULL,
                                          .pool = *state),
                         0);
        assert_int_equal(answer, 0);
    }
    /* Of few items, too. */
    for (i = 0; i < 100; i++)
        numbers[i] = 0;
    numbers[70] = 9;
    assert_int_equal(
        filch_filter_ranges(numbers, numbers, 100, 8, &kept, are_negative, NULL), 9);
    assert_int_equal(filch_count_if_ranges(numbers, 100, 8, &kept, are_negative, NULL),
                     9);
    assert_int_equal(filch_find_ranges(numbers, 100, 8, &kept, are_negative, NULL), 9);
}

/* --- tokens, progress, nesting --------------------------------------------------------- */

static int stop_at_once(size_t done, size_t total, void *ctx)
{
    (void)done;
    (void)total;
    return *(const int *)ctx;
}

static int is_odd_slowly(const void *item, void *ctx)
{
    sleep_us(20);
    return is_odd(item, ctx);
}

static void progress_may_end_each_call(void **state)
{
    int with;
    size_t kept;

    memset(numbers, 0, sizeof numbers);
    for (with = 1; with < 3; with++) {
        const filch_opts *opts = FILCH_OPTS(&with, .pool = *state, .grain = 20,
                                            .progress = stop_at_once, .progress_ms = 1);

        assert_int_equal(
            filch_filter_with(numbers, results, 20000, 8, &kept, is_odd_slowly, opts),
            with);
        assert_int_equal(
            filch_count_if_with(numbers, 20000, 8, &kept, is_odd_slowly, opts), with);
        assert_int_equal(filch_find_with(numbers, 20000, 8, &kept, is_odd_slowly, opts),
                         with);
    }
}

static int has_odd(const void *item, void *ctx)
{
    int64_t some[100];
    size_t i, kept, at, n = 100;

    (void)ctx;
    for (i = 0; i < n; i++)
        some[i] = *(const int64_t *)item + (int64_t)i;
    if (filch_filter(some, some, n, 8, &kept, is_odd, NULL, .grain = 10) != 0 ||
        kept != 50)
        return 0;
    return filch_find(some, kept, 8, &at, is_odd, NULL, .grain = 7) == 0 && at == 0;
}

static void calls_may_be_nested(void **state)
{
    size_t kept;

    fill();
    assert_int_equal(filch_filter(numbers, results, 3000, 8, &kept, has_odd, NULL,
                                  .pool = *state, .grain = 50),
                     0);
    assert_int_equal(kept, 3000);
    assert_int_equal(filch_count_if(numbers, 3000, 8, &kept, has_odd, NULL,
                                    .pool = *state, .grain = 50),
                     0);
    assert_int_equal(kept, 3000);
    assert_int_equal(
        filch_partition(numbers, results, 300, 8, &kept, has_odd, NULL, .pool = *state),
        0);
    assert_int_equal(
        filch_unique(numbers, results, 300, 8, &kept, are_equal, NULL, .pool = *state),
        0);
    assert_int_equal(kept, 300);
    assert_int_equal(
        filch_where(numbers, places, 300, 8, &kept, is_odd, NULL, .pool = *state), 0);
    assert_int_equal(kept, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(refused_packing_changes_nothing),
        ON_POOLS(refused_searches_change_nothing),
        ON_POOLS(refused_bounds_change_nothing),
        ON_POOLS(refused_merges_change_nothing),
        ON_POOLS(arrays_of_indices_at_an_odd_address_are_refused),
        ON_POOLS(the_lowest_failure_counts),
        ON_POOLS(progress_may_end_each_call),
        ON_POOLS(calls_may_be_nested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
