/* test_scan.c - what scan.h promises of the scans of arrays of numbers: the results of the
 * serial loop, and for floats the same bits on any number of workers.
 */
#include "pools.h"
#include <math.h>

#define TILE ((size_t)32768) /* of scan_typed.h */
#define MOST (9 * TILE + 11)

static const unsigned worker_counts[] = {1, 2, 3, 4, 8};
static const size_t sizes[] = {
    0,   1,  2,  3,  4,   5,    6,        7,    8,        9,        10,
    15,  16, 17, 31, 100, 1000, TILE - 1, TILE, TILE + 1, 2 * TILE, 3 * TILE + 5,
    MOST};

/* --- integers: what the serial loop gives ----------------------------------------- */

/* EXCLUSIVE, INCLUSIVE: of the type. next: the result behind item, in `carry`. */
#define CHECK_INTEGERS(type, wide, inclusive, exclusive, start, next)                    \
    do {                                                                                 \
        typedef type number;                                                             \
        number *x = malloc(MOST * sizeof *x), *out = malloc(MOST * sizeof *x);           \
        number *own = malloc(MOST * sizeof *x);                                          \
        uint64_t random = seed;                                                          \
        size_t s, i;                                                                     \
                                                                                         \
        assert_non_null(x);                                                              \
        assert_non_null(out);                                                            \
        assert_non_null(own);                                                            \
        for (i = 0; i < MOST; i++)                                                       \
            x[i] = (type)random_next(&random);                                           \
        for (s = 0; s < COUNT_OF(sizes); s++) {                                          \
            size_t n = sizes[s];                                                         \
            type carry = (start), from = (type)random_next(&random), total = from;       \
                                                                                         \
            memset(out, 0x55, MOST * sizeof *x);                                         \
            memcpy(own, x, MOST * sizeof *x);                                            \
            assert_int_equal(inclusive(x, n, out, .pool = *state), 0);                   \
            assert_int_equal(inclusive(own, n, own, .pool = *state), 0);                 \
            for (i = 0; i < n; i++) {                                                    \
                type item = x[i];                                                        \
                                                                                         \
                carry = (type)(next);                                                    \
                if (out[i] != carry || own[i] != carry)                                  \
                    fail_msg(#inclusive " of " #type ", %zu items: %lld and, in place, " \
                                        "%lld at %zu, not %lld",                         \
                             n, (long long)out[i], (long long)own[i], i,                 \
                             (long long)carry);                                          \
            }                                                                            \
            for (; i < n + 9 && i < MOST; i++)                                           \
                if (own[i] != x[i])                                                      \
                    fail_msg(#inclusive " of %zu items wrote behind them", n);           \
            memcpy(own, x, MOST * sizeof *x);                                            \
            assert_int_equal(exclusive(x, n, out, &total, .pool = *state), 0);           \
            carry = from;                                                                \
            assert_int_equal(exclusive(own, n, own, &carry, .pool = *state), 0);         \
            assert_true(carry == total);                                                 \
            carry = from;                                                                \
            for (i = 0; i < n; i++) {                                                    \
                type item = x[i];                                                        \
                                                                                         \
                if (out[i] != carry || own[i] != carry)                                  \
                    fail_msg(#exclusive " of " #type ", %zu items: %lld and, in place, " \
                                        "%lld at %zu, not %lld",                         \
                             n, (long long)out[i], (long long)own[i], i,                 \
                             (long long)carry);                                          \
                carry = (type)(next);                                                    \
            }                                                                            \
            assert_true(carry == total);                                                 \
            assert_int_equal(exclusive(x, n, out, NULL, .pool = *state), 0);             \
            assert_true(n == 0 || out[0] == (start));                                    \
        }                                                                                \
        free(x);                                                                         \
        free(out);                                                                       \
        free(own);                                                                       \
    } while (0)

#define SUM(wide) ((wide)carry + (wide)item)
#define LEAST     (item < carry ? item : carry)
#define GREATEST  (item > carry ? item : carry)

static void sums_of_integers_are_those_of_the_serial_loop(void **state)
{
    uint64_t seed = seed_print();

    CHECK_INTEGERS(int32_t, uint32_t, filch_scan_sum, filch_exscan_sum, 0, SUM(uint32_t));
    CHECK_INTEGERS(int64_t, uint64_t, filch_scan_sum, filch_exscan_sum, 0, SUM(uint64_t));
    CHECK_INTEGERS(uint64_t, uint64_t, filch_scan_sum, filch_exscan_sum, 0,
                   SUM(uint64_t));
}

static void extremes_of_integers_are_those_of_the_serial_loop(void **state)
{
    uint64_t seed = seed_print();

    CHECK_INTEGERS(int32_t, , filch_scan_min, filch_exscan_min, INT32_MAX, LEAST);
    CHECK_INTEGERS(int64_t, , filch_scan_min, filch_exscan_min, INT64_MAX, LEAST);
    CHECK_INTEGERS(uint64_t, , filch_scan_min, filch_exscan_min, UINT64_MAX, LEAST);
    CHECK_INTEGERS(int32_t, , filch_scan_max, filch_exscan_max, INT32_MIN, GREATEST);
    CHECK_INTEGERS(int64_t, , filch_scan_max, filch_exscan_max, INT64_MIN, GREATEST);
    CHECK_INTEGERS(uint64_t, , filch_scan_max, filch_exscan_max, 0, GREATEST);
}

/* --- floats ----------------------------------------------------------------------- */

static double doubles[MOST], double_out[MOST], double_first[MOST];
static float floats[MOST], float_out[MOST], float_first[MOST];

/* Large and small ones of both signs, some zero: any other order gives other bits. */
static void fill_numbers(uint64_t seed)
{
    size_t i;

    for (i = 0; i < MOST; i++) {
        double number = (double)(int64_t)random_next(&seed) * 1e-19;
        int shift = (int)random_below(&seed, 40);

        doubles[i] =
            random_below(&seed, 10) ? number * (double)(UINT64_C(1) << shift) : -0.0;
        floats[i] = (float)doubles[i];
    }
}

static void same_bits(const void *a, const void *b, size_t bytes, size_t n,
                      unsigned workers, const char *what)
{
    if (memcmp(a, b, bytes) != 0)
        fail_msg("%s of %zu items has other bits on %u workers", what, n, workers);
}

static void sums_have_the_same_bits_on_any_number_of_workers(void **state)
{
    size_t p, s;

    (void)state;
    fill_numbers(seed_print());
    for (s = 0; s < COUNT_OF(sizes); s++) {
        size_t n = sizes[s];
        double total = 1e10, first_total = 1e10;

        /* The first results do not depend on how many there are. */
        assert_int_equal(filch_scan_sum(doubles, n, double_first, .max_workers = 1), 0);
        assert_int_equal(filch_scan_sum(floats, n, float_first, .max_workers = 1), 0);
        if (n > 0) {
            assert_int_equal(filch_scan_sum(doubles, n - 1, double_out), 0);
            same_bits(double_first, double_out, (n - 1) * sizeof *doubles, n, 0,
                      "a part");
            assert_int_equal(filch_scan_sum(floats, n - 1, float_out), 0);
            same_bits(float_first, float_out, (n - 1) * sizeof *floats, n, 0, "a part");
        }
        assert_int_equal(
            filch_exscan_sum(doubles, n, double_out, &first_total, .max_workers = 1), 0);
        for (p = 0; p < COUNT_OF(worker_counts); p++) {
            unsigned workers = worker_counts[p];
            filch_pool *pool;
            int round;

            assert_int_equal(
                filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers)), 0);
            for (round = 0; round < 5; round++) {
                memcpy(double_out, doubles, sizeof doubles);
                memcpy(float_out, floats, sizeof floats);
                assert_int_equal(filch_scan_sum(double_out, n, double_out, .pool = pool),
                                 0);
                assert_int_equal(filch_scan_sum(float_out, n, float_out, .pool = pool),
                                 0);
                same_bits(double_first, double_out, n * sizeof *doubles, n, workers,
                          "a scan of doubles");
                same_bits(float_first, float_out, n * sizeof *floats, n, workers,
                          "a scan of floats");
                total = 0;
                assert_int_equal(
                    filch_exscan_sum(doubles, n, double_out, &total, .pool = pool), 0);
                if (n > 1) /* each an item later */
                    same_bits(double_first, double_out + 1, (n - 1) * sizeof *doubles, n,
                              workers, "an exclusive scan");
                if (n > 0)
                    same_bits(double_first + n - 1, &total, sizeof total, n, workers,
                              "the total");
                total = 1e10;
                assert_int_equal(
                    filch_exscan_sum(doubles, n, double_out, &total, .pool = pool), 0);
                same_bits(&first_total, &total, sizeof total, n, workers, "a total");
            }
            filch_pool_destroy(pool);
        }
    }
}

static void sums_are_as_close_as_is_said_and_never_fall(void **state)
{
    long double sum = 0, of_absolutes = 0;
    uint64_t seed = seed_print();
    size_t i;

    fill_numbers(seed);
    assert_int_equal(filch_scan_sum(doubles, MOST, double_out, .pool = *state), 0);
    assert_int_equal(filch_scan_sum(floats, MOST, float_out, .pool = *state), 0);
    for (i = 0; i < MOST; i++) {
        size_t parts = i / TILE + (i < TILE ? i : TILE) / 8 + 4;
        long double bound;

        sum += (long double)doubles[i];
        of_absolutes += fabsl((long double)doubles[i]);
        bound = (long double)parts * 0x1p-53L * of_absolutes;
        if (fabsl((long double)double_out[i] - sum) > bound)
            fail_msg("result %zu is off by %Lg, more than %Lg", i,
                     fabsl((long double)double_out[i] - sum), bound);
    }
    for (i = 0; i < MOST; i++)
        doubles[i] = fabs(doubles[i]);
    assert_int_equal(filch_scan_sum(doubles, MOST, double_out, .pool = *state), 0);
    for (i = 1; i < MOST; i++)
        if (!(double_out[i] >= double_out[i - 1]))
            fail_msg("result %zu is below the one before", i);
}

static void a_float_sum_is_one_of_doubles_rounded(void **state)
{
    uint64_t seed = seed_print();
    size_t i;

    for (i = 0; i < MOST; i++) /* sums that doubles hold exactly */
        floats[i] = (float)(int64_t)random_below(&seed, 2000) - 700;
    for (i = 0; i < MOST; i++)
        doubles[i] = (double)floats[i] + (i > 0 ? doubles[i - 1] : 0);
    assert_int_equal(filch_scan_sum(floats, MOST, float_out, .pool = *state), 0);
    for (i = 0; i < MOST; i++)
        if (float_out[i] != (float)doubles[i])
            fail_msg("%a at %zu, not %a", (double)float_out[i], i, doubles[i]);
}

static void what_is_not_finite_shows_from_its_place_on(void **state)
{
    static const size_t at[] = {0, 3, 100, TILE, TILE + 6, 3 * TILE + 1};
    size_t a, i;

    for (a = 0; a < COUNT_OF(at); a++) {
        for (i = 0; i < MOST; i++)
            doubles[i] = 1;
        doubles[at[a]] = HUGE_VAL;
        doubles[at[a] + TILE] = -HUGE_VAL;
        assert_int_equal(filch_scan_sum(doubles, MOST, double_out, .pool = *state), 0);
        for (i = 0; i < MOST; i++)
            if (i < at[a] ? double_out[i] != (double)(i + 1)
                          : (i < at[a] + TILE ? double_out[i] != HUGE_VAL
                                              : !isnan(double_out[i])))
                fail_msg("%g at %zu, infinity at %zu", double_out[i], i, at[a]);
    }
}

#define CHECK_FLOATS(element, items, results, infinity)                               \
    do {                                                                              \
        typedef element number;                                                       \
        const number *x = (items), most = (infinity);                                 \
        number *out = (results);                                                      \
        size_t s;                                                                     \
                                                                                      \
        for (s = 0; s < COUNT_OF(sizes); s++) {                                       \
            size_t n = sizes[s];                                                      \
            number least = most, greatest = -most, carry = 1;                         \
                                                                                      \
            assert_int_equal(filch_scan_min(x, n, out, .pool = *state), 0);           \
            for (i = 0; i < n; i++) {                                                 \
                least = x[i] < least ? x[i] : least;                                  \
                if (memcmp(&out[i], &least, sizeof least) != 0)                       \
                    fail_msg("least of " #element ": %g at %zu of %zu, not %g",       \
                             (double)out[i], i, n, (double)least);                    \
            }                                                                         \
            memcpy(out, x, n * sizeof *x);                                            \
            assert_int_equal(filch_exscan_max(out, n, out, NULL, .pool = *state), 0); \
            for (i = 0; i < n; i++) {                                                 \
                if (memcmp(&out[i], &greatest, sizeof greatest) != 0)                 \
                    fail_msg("greatest of " #element ": %g at %zu of %zu, not %g",    \
                             (double)out[i], i, n, (double)greatest);                 \
                greatest = x[i] > greatest ? x[i] : greatest;                         \
            }                                                                         \
            assert_int_equal(filch_exscan_min(x, n, out, &carry, .pool = *state), 0); \
            assert_true(carry == (n > 0 && least < 1 ? least : 1));                   \
            assert_int_equal(filch_scan_max(x, n, out, .pool = *state), 0);           \
            assert_true(n == 0 || out[n - 1] == greatest);                            \
        }                                                                             \
    } while (0)

static void extremes_pass_nans_over_and_keep_the_first_zero(void **state)
{
    uint64_t seed = seed_print();
    size_t i;
    int round;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < MOST; i++) {
            uint64_t kind = random_below(&seed, 4);

            /* Nothing but NaNs and zeros, or falling ones too. */
            doubles[i] = kind == 0   ? (double)NAN
                         : kind == 1 ? -0.0
                         : kind == 2 ? 0.0
                         : round > 0 ? (round == 1 ? -(double)i : (double)i)
                                     : 0.0;
            floats[i] = (float)doubles[i];
        }
        doubles[0] = (double)NAN;
        floats[0] = NAN;
        CHECK_FLOATS(double, doubles, double_out, HUGE_VAL);
        CHECK_FLOATS(float, floats, float_out, HUGE_VALF);
    }
}

/* --- long arrays ------------------------------------------------------------------- */

/* Results that go past the caches, and those that cannot because of where they begin. */
static void long_results_are_right_wherever_they_begin(void **state)
{
    const size_t n = ((size_t)32 << 20) / sizeof(int32_t) + 77;
    int32_t *x = malloc(n * sizeof *x), *out = malloc((n + 4) * sizeof *x);
    size_t off, i;
    uint32_t sum;

    assert_non_null(x);
    assert_non_null(out);
    for (i = 0; i < n; i++)
        x[i] = (int32_t)((uint32_t)i * 2654435761u);
    for (off = 0; off < 2; off++) {
        int32_t *at = out + off;
        int32_t most = INT32_MIN;

        assert_int_equal(filch_scan_sum(x, n, at, .pool = *state), 0);
        for (sum = 0, i = 0; i < n; i++)
            if (at[i] != (int32_t)(sum += (uint32_t)x[i]))
                fail_msg("%d at %zu, not %d", at[i], i, (int32_t)sum);
        assert_int_equal(filch_exscan_sum(x, n, at, NULL, .pool = *state), 0);
        for (sum = 0, i = 0; i < n; sum += (uint32_t)x[i++])
            if (at[i] != (int32_t)sum)
                fail_msg("%d at %zu, not %d", at[i], i, (int32_t)sum);
        assert_int_equal(filch_scan_max(x, n, at, .pool = *state), 0);
        for (i = 0; i < n; i++) {
            most = x[i] > most ? x[i] : most;
            if (at[i] != most)
                fail_msg("%d at %zu, not %d", at[i], i, most);
        }
        assert_int_equal(filch_exscan_max(x, n, at, NULL, .pool = *state), 0);
        for (most = INT32_MIN, i = 0; i < n; i++) {
            if (at[i] != most)
                fail_msg("%d at %zu, not %d", at[i], i, most);
            most = x[i] > most ? x[i] : most;
        }
    }
    free(x);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(sums_of_integers_are_those_of_the_serial_loop),
        ON_POOLS(extremes_of_integers_are_those_of_the_serial_loop),
        cmocka_unit_test(sums_have_the_same_bits_on_any_number_of_workers),
        ON_POOLS(sums_are_as_close_as_is_said_and_never_fall),
        ON_POOLS(a_float_sum_is_one_of_doubles_rounded),
        ON_POOLS(what_is_not_finite_shows_from_its_place_on),
        ON_POOLS(extremes_pass_nans_over_and_keep_the_first_zero),
        ON_POOL(long_results_are_right_wherever_they_begin, 3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
