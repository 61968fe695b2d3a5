/* test_scan_errors.c - errors of the calls of scan.h, which leave everything as it was.
 *
 * Linked with --wrap for aligned_alloc, which fails on demand.
 */
#include "pools.h"

#define ITEMS ((size_t)300000) /* several tiles */

#define LIST(...) __VA_ARGS__

void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static bool is_out_of_memory;

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return is_out_of_memory ? NULL : __real_aligned_alloc(alignment, bytes);
}

static int64_t numbers[ITEMS + 1], results[ITEMS + 1];

static void add(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(int64_t *)left += *(const int64_t *)right;
}

static int add_range(filch_worker *w, const void *in, void *out, size_t count, void *acc,
                     void *ctx)
{
    const int64_t *item = in;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = 0; i < count; i++) {
        *(int64_t *)acc += item[i];
        if (out)
            ((int64_t *)out)[i] = *(int64_t *)acc;
    }
    return 0;
}

/* --- errors of the typed ones ------------------------------------------------------- */

/* more: the carry of an exclusive one, with a comma, or nothing. */
#define CHECK(function, element, more)                                                  \
    do {                                                                                \
        typedef element number;                                                         \
        element x[4] = {1, 2, 3, 4}, before[4] = {1, 2, 3, 4}, *none = NULL;            \
        static element many[40000], many_out[40000];                                    \
        number *off = (number *)(void *)((char *)many + 1);                             \
        filch_cancel token = {0};                                                       \
        filch_opts small = *FILCH_OPTS(NULL, .pool = *state), cancelled = small;        \
                                                                                        \
        small.struct_size -= 8;                                                         \
        cancelled.cancel = &token;                                                      \
        filch_cancel_set(&token);                                                       \
        assert_int_equal(function(none, 1, x LIST more, NULL), -EINVAL);                \
        assert_int_equal(function(many, 4, none LIST more, NULL), -EINVAL);             \
        assert_int_equal(function(many, 4, off LIST more, NULL), -EINVAL);              \
        assert_int_equal(function(off, 4, x LIST more, NULL), -EINVAL);                 \
        assert_int_equal(function(x, 3, x + 1 LIST more, NULL), -EINVAL);               \
        assert_int_equal(function(x + 3, 4, x LIST more, NULL), -EINVAL);               \
        assert_int_equal(function(many, 40000, many + 39999 LIST more, NULL), -EINVAL); \
        assert_int_equal(function(many, SIZE_MAX / sizeof *x + 1, x LIST more, NULL),   \
                         -EINVAL);                                                      \
        assert_int_equal(function(many, SIZE_MAX, x LIST more, NULL), -EINVAL);         \
        assert_int_equal(function(x, 4, x LIST more, &small), -EINVAL);                 \
        assert_int_equal(function(x, 4, x LIST more, &cancelled), -ECANCELED);          \
        assert_int_equal(function(many, 40000, many_out LIST more, &cancelled),         \
                         -ECANCELED);                                                   \
        assert_memory_equal(x, before, sizeof x);                                       \
        assert_int_equal(function(none, 0, none LIST more, NULL), 0);                   \
        assert_int_equal(function(x, 2, x + 2 LIST more, NULL), 0);                     \
        filch_cancel_clear(&token);                                                     \
        assert_int_equal(function(many, 40000, many_out LIST more, &cancelled), 0);     \
    } while (0)

static void refused_sums_change_nothing(void **state)
{
    CHECK(filch_scan_sum_float, float, ());
    CHECK(filch_scan_sum_double, double, ());
    CHECK(filch_scan_sum_int32, int32_t, ());
    CHECK(filch_scan_sum_int64, int64_t, ());
    CHECK(filch_scan_sum_uint64, uint64_t, ());
    CHECK(filch_exscan_sum_float, float, (, NULL));
    CHECK(filch_exscan_sum_double, double, (, NULL));
    CHECK(filch_exscan_sum_int32, int32_t, (, NULL));
    CHECK(filch_exscan_sum_int64, int64_t, (, NULL));
    CHECK(filch_exscan_sum_uint64, uint64_t, (, NULL));
}

static void refused_minima_change_nothing(void **state)
{
    CHECK(filch_scan_min_float, float, ());
    CHECK(filch_scan_min_double, double, ());
    CHECK(filch_scan_min_int32, int32_t, ());
    CHECK(filch_scan_min_int64, int64_t, ());
    CHECK(filch_scan_min_uint64, uint64_t, ());
    CHECK(filch_exscan_min_float, float, (, NULL));
    CHECK(filch_exscan_min_double, double, (, NULL));
    CHECK(filch_exscan_min_int32, int32_t, (, NULL));
    CHECK(filch_exscan_min_int64, int64_t, (, NULL));
    CHECK(filch_exscan_min_uint64, uint64_t, (, NULL));
}

static void refused_maxima_change_nothing(void **state)
{
    CHECK(filch_scan_max_float, float, ());
    CHECK(filch_scan_max_double, double, ());
    CHECK(filch_scan_max_int32, int32_t, ());
    CHECK(filch_scan_max_int64, int64_t, ());
    CHECK(filch_scan_max_uint64, uint64_t, ());
    CHECK(filch_exscan_max_float, float, (, NULL));
    CHECK(filch_exscan_max_double, double, (, NULL));
    CHECK(filch_exscan_max_int32, int32_t, (, NULL));
    CHECK(filch_exscan_max_int64, int64_t, (, NULL));
    CHECK(filch_exscan_max_uint64, uint64_t, (, NULL));
}

static void a_carry_stays_what_it_is_after_an_error(void **state)
{
    filch_cancel token = {0};
    int64_t carry = 7;

    filch_cancel_set(&token);
    assert_int_equal(filch_exscan_sum(numbers, ITEMS, results, &carry, .pool = *state,
                                      .cancel = &token),
                     -ECANCELED);
    assert_int_equal(
        filch_exscan_sum(numbers, 10, results, &carry, .pool = *state, .cancel = &token),
        -ECANCELED);
    assert_int_equal(filch_exscan_sum(numbers, 10, numbers + 1, &carry), -EINVAL);
    assert_int_equal(carry, 7);
}

/* --- errors of the others ----------------------------------------------------------- */

/* with: a function, call: its combine or body, of that type. */
#define CHECK_ITEMS(with, call, none, is_exclusive)                                     \
    do {                                                                                \
        int64_t x[4] = {1, 2, 3, 4}, carry = 5, *no = NULL;                             \
        filch_cancel token = {0};                                                       \
        const filch_opts *opts = FILCH_OPTS(NULL, .pool = *state);                      \
        filch_opts small = *opts, cancelled = *opts, bounded = *opts;                   \
                                                                                        \
        small.abi++;                                                                    \
        cancelled.cancel = &token;                                                      \
        bounded.grain = 5;                                                              \
        bounded.max_chunk = 4;                                                          \
        filch_cancel_set(&token);                                                       \
        assert_int_equal(with(x, x, 4, 8, &carry, none, opts), -EINVAL);                \
        assert_int_equal(with(x, x, 4, 0, &carry, call, opts), -EINVAL);                \
        assert_int_equal(with(no, x, 4, 8, &carry, call, opts), -EINVAL);               \
        assert_int_equal(with(x, no, 4, 8, &carry, call, opts), -EINVAL);               \
        assert_int_equal(with(x, x + 1, 2, 8, &carry, call, opts), -EINVAL);            \
        assert_int_equal(with(x + 1, x, 2, 8, &carry, call, opts), -EINVAL);            \
        assert_int_equal(with(x, x, SIZE_MAX / 8 + 1, 8, &carry, call, opts), -EINVAL); \
        assert_int_equal(with(x, x, 4, 8, &carry, call, &small), -EINVAL);              \
        assert_int_equal(with(x, x, 4, 8, &carry, call, &bounded), -EINVAL);            \
        if (is_exclusive)                                                               \
            assert_int_equal(with(x, x, 4, 8, NULL, call, opts), -EINVAL);              \
        assert_int_equal(with(x, x, 4, 8, &carry, call, &cancelled), -ECANCELED);       \
        assert_int_equal(with(x, x, 1, SIZE_MAX / 4, &carry, call, opts), -ENOMEM);     \
        assert_int_equal(with(x, x, 1, SIZE_MAX, &carry, call, opts), -ENOMEM);         \
        is_out_of_memory = true;                                                        \
        assert_int_equal(with(numbers, results, 100, 49, &carry, call, opts), -ENOMEM); \
        is_out_of_memory = false;                                                       \
        for (size_t i = 0; i < 4; i++)                                                  \
            assert_int_equal(x[i], i + 1);                                              \
        assert_int_equal(carry, 5);                                                     \
        assert_int_equal(with(no, no, 0, 8, &carry, call, opts), 0);                    \
        assert_int_equal(carry, 5);                                                     \
        is_out_of_memory = true; /* small ones need none */                             \
        assert_int_equal(with(x, x, 4, 8, &carry, call, opts), 0);                      \
        is_out_of_memory = false;                                                       \
        assert_int_equal(carry, 15);                                                    \
    } while (0)

static void refused_scans_change_nothing(void **state)
{
    CHECK_ITEMS(filch_scan_with, add, NULL, false);
    CHECK_ITEMS(filch_exscan_with, add, NULL, true);
    CHECK_ITEMS(filch_scan_ranges_with, add_range, NULL, false);
    CHECK_ITEMS(filch_exscan_ranges_with, add_range, NULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(refused_sums_change_nothing),
        ON_POOLS(refused_minima_change_nothing),
        ON_POOLS(refused_maxima_change_nothing),
        ON_POOLS(a_carry_stays_what_it_is_after_an_error),
        ON_POOLS(refused_scans_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
