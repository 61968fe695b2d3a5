/* test_typed.c - what typed.h promises: values, error bounds, NaNs, one result whatever the
 * workers and options.
 *
 * FILCH_REPEAT in the environment repeats the comparison of bits so many times.
 */
#include "pools.h"
#include <math.h>

#define NUMBERS 200000

static float x_float[NUMBERS], y_float[NUMBERS];
static double x_double[NUMBERS], y_double[NUMBERS];
static int32_t x_int32[NUMBERS], y_int32[NUMBERS];
static int64_t x_int64[NUMBERS], y_int64[NUMBERS];
static uint64_t x_uint64[NUMBERS], y_uint64[NUMBERS];

/* Around the borders of lanes, base blocks, blocks and the tree; the rest at random. */
static const size_t borders[] = {0,    1,    2,    3,    7,     8,     9,      15,
                                 16,   17,   31,   255,  256,   257,   511,    512,
                                 769,  1023, 1024, 1025, 4095,  4096,  4097,   8191,
                                 8192, 8193, 5000, 9000, 12289, 65537, 131073, NUMBERS};
#define LENGTHS (COUNT_OF(borders) + 12)

static size_t length_of(size_t i, uint64_t *random)
{
    if (i < COUNT_OF(borders))
        return borders[i];
    return random_below(random, i % 2 ? 6000 : NUMBERS + 1);
}

#define UNIT 0x1p-53

enum kind { UNIFORM, WIDE, CANCELLING, KINDS };

static double random_number(enum kind kind, uint64_t *random)
{
    double number = (double)(int64_t)random_next(random) * 0x1p-63;

    if (kind == WIDE)
        return ldexp(number, (int)random_below(random, 60));
    if (kind == CANCELLING && random_below(random, 2))
        return random_below(random, 2) ? 1e16 : -1e16;
    return number;
}

static void fill(enum kind kind, uint64_t *random)
{
    size_t i;

    for (i = 0; i < NUMBERS; i++) {
        x_double[i] = random_number(kind, random);
        y_double[i] = random_number(kind, random);
        x_float[i] = (float)random_number(kind, random);
        y_float[i] = (float)random_number(kind, random);
        x_int32[i] = (int32_t)random_next(random);
        y_int32[i] = (int32_t)random_next(random);
        x_int64[i] = (int64_t)random_next(random);
        y_int64[i] = (int64_t)random_next(random);
        x_uint64[i] = random_next(random);
        y_uint64[i] = random_next(random);
    }
    x_int32[0] = y_int32[0] = x_int32[NUMBERS / 2] = INT32_MIN;
    x_int64[0] = y_int64[0] = x_int64[NUMBERS / 2] = INT64_MIN;
    x_uint64[0] = x_uint64[NUMBERS / 2] = UINT64_MAX;
}

/* A sum in long double with what its additions lose (Neumaier), and of absolute values. */
struct exact {
    long double sum, lost, absolute;
};

static void exact_add(struct exact *exact, long double term)
{
    long double sum = exact->sum + term;

    exact->lost += fabsl(exact->sum) >= fabsl(term) ? (exact->sum - sum) + term
                                                    : (term - sum) + exact->sum;
    exact->sum = sum;
    exact->absolute += fabsl(term);
}

/* As typed.h says; roundings of the tree over base blocks, and some more for a product. */
static void assert_bound(const char *what, size_t n, double sum,
                         const struct exact *exact, double more)
{
    long double bound =
        20 + (long double)more + (n > 256 ? ceill(log2l((long double)n / 256)) : 0);
    long double error = fabsl((exact->sum - (long double)sum) + exact->lost);

    if (!(error <= bound * (long double)UNIT * exact->absolute))
        fail_msg("%s of %zu items: %.17g, not %.17Lg: the error is %Lg u sum|x|, not %Lg",
                 what, n, sum, exact->sum + exact->lost,
                 error / ((long double)UNIT * exact->absolute), bound);
}

static void floating_point_sums_keep_the_bound_that_is_stated(void **state)
{
    uint64_t random = seed_print();
    int kind;
    size_t l, i;

    for (kind = 0; kind < KINDS; kind++) {
        fill((enum kind)kind, &random);
        for (l = 0; l < LENGTHS; l++) {
            size_t n = length_of(l, &random);
            struct exact sum = {0}, dot = {0}, sum_f = {0}, dot_f = {0};
            double value = -1;

            for (i = 0; i < n; i++) {
                exact_add(&sum, x_double[i]);
                exact_add(&dot, (long double)x_double[i] * y_double[i]);
                exact_add(&sum_f, x_float[i]);
                exact_add(&dot_f, (long double)x_float[i] * y_float[i]);
            }
            assert_int_equal(filch_sum(x_double, n, &value, .pool = *state), 0);
            assert_bound("sum of doubles", n, value, &sum, 0);
            assert_int_equal(filch_dot(x_double, y_double, n, &value, .pool = *state), 0);
            assert_bound("product of doubles", n, value, &dot, 1.01);
            assert_int_equal(filch_sum(x_float, n, &value, .pool = *state), 0);
            assert_bound("sum of floats", n, value, &sum_f, 0);
            assert_int_equal(filch_dot(x_float, y_float, n, &value, .pool = *state), 0);
            assert_bound("product of floats", n, value, &dot_f, 0.01);
        }
    }
}

static void a_million_equal_numbers_lose_next_to_nothing(void **state)
{
    static double tenth[1000000];
    struct exact exact = {0};
    double sum;
    size_t i;

    for (i = 0; i < COUNT_OF(tenth); i++) {
        tenth[i] = 0.1;
        exact_add(&exact, 0.1);
    }
    assert_int_equal(filch_sum(tenth, COUNT_OF(tenth), &sum, .pool = *state), 0);
    assert_bound("sum of tenths", COUNT_OF(tenth), sum, &exact, 0);
}

static void infinities_and_nans_go_through_a_sum(void **state)
{
    double sum;
    size_t n = 9001;
    uint64_t random = seed_print();

    fill(UNIFORM, &random);
    x_double[4500] = INFINITY;
    assert_int_equal(filch_sum(x_double, n, &sum, .pool = *state), 0);
    assert_true(isinf(sum) && sum > 0);
    x_double[8999] = -INFINITY;
    assert_int_equal(filch_sum(x_double, n, &sum, .pool = *state), 0);
    assert_true(isnan(sum));
    x_double[8999] = 0;
    y_double[4500] = 0;
    assert_int_equal(filch_dot(x_double, y_double, n, &sum, .pool = *state), 0);
    assert_true(isnan(sum));
}

/* --- integers --------------------------------------------------------------------- */

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 wide_unsigned;

#define CHECK_INTEGERS(type, n)                                                         \
    do {                                                                                \
        wide sum = 0;                                                                   \
        uint64_t dot = 0;                                                               \
                                                                                        \
        for (i = 0; i < (n); i++) {                                                     \
            sum += x_##type[i];                                                         \
            dot += (uint64_t)((wide_unsigned)x_##type[i] * (wide_unsigned)y_##type[i]); \
        }                                                                               \
        result_##type = 1;                                                              \
        assert_int_equal(filch_sum(x_##type, n, &result_##type, .pool = *state), 0);    \
        assert_true((uint64_t)result_##type == (uint64_t)sum);                          \
        assert_int_equal(                                                               \
            filch_dot(x_##type, y_##type, n, &result_##type, .pool = *state), 0);       \
        assert_true((uint64_t)result_##type == dot);                                    \
    } while (0)

static void integers_are_added_modulo_2_to_the_64(void **state)
{
    uint64_t random = seed_print();
    int64_t result_int32, result_int64;
    uint64_t result_uint64;
    size_t l, i;

    fill(UNIFORM, &random);
    for (l = 0; l < LENGTHS; l++) {
        size_t n = length_of(l, &random);

        CHECK_INTEGERS(int32, n);
        CHECK_INTEGERS(int64, n);
        CHECK_INTEGERS(uint64, n);
    }
}

/* --- extremes --------------------------------------------------------------------- */

/* Against the serial loops: NaNs are passed over, the first of equal ones counts. */
#define CHECK_EXTREMES(type, element, n)                                                \
    do {                                                                                \
        size_t least = 0, greatest = 0, at_least = SIZE_MAX, at_greatest = SIZE_MAX;    \
        element low, high;                                                              \
                                                                                        \
        for (i = 1; i < (n); i++) {                                                     \
            if (x_##type[i] < x_##type[least] || is_nan((double)x_##type[least]))       \
                least = is_nan((double)x_##type[i]) ? least : i;                        \
            if (x_##type[i] > x_##type[greatest] || is_nan((double)x_##type[greatest])) \
                greatest = is_nan((double)x_##type[i]) ? greatest : i;                  \
        }                                                                               \
        assert_int_equal(filch_argmin(x_##type, n, &at_least, .pool = *state), 0);      \
        assert_int_equal(filch_argmax(x_##type, n, &at_greatest, .pool = *state), 0);   \
        assert_int_equal(filch_min(x_##type, n, &low, .pool = *state), 0);              \
        assert_int_equal(filch_max(x_##type, n, &high, .pool = *state), 0);             \
        if (at_least != least || at_greatest != greatest)                               \
            fail_msg("extremes of %zu " #type ": at %zu and %zu, not %zu and %zu", n,   \
                     at_least, at_greatest, least, greatest);                           \
        assert_true(low == x_##type[least] ||                                           \
                    (is_nan((double)low) && is_nan((double)x_##type[least])));          \
        assert_true(high == x_##type[greatest] ||                                       \
                    (is_nan((double)high) && is_nan((double)x_##type[greatest])));      \
    } while (0)

static bool is_nan(double number)
{
    return isnan(number);
}

static void check_all_extremes(void **state, size_t n)
{
    size_t i;

    CHECK_EXTREMES(float, float, n);
    CHECK_EXTREMES(double, double, n);
    CHECK_EXTREMES(int32, int32_t, n);
    CHECK_EXTREMES(int64, int64_t, n);
    CHECK_EXTREMES(uint64, uint64_t, n);
}

static void extremes_are_those_of_the_serial_loop(void **state)
{
    uint64_t random = seed_print();
    size_t l, i;

    fill(WIDE, &random);
    for (l = 1; l < LENGTHS; l++)
        check_all_extremes(state, 1 + length_of(l, &random) % NUMBERS);
    /* NaNs here and there, and from the beginning. */
    for (i = 0; i < NUMBERS; i++)
        if (i < 5000 || random_below(&random, 3) == 0)
            x_double[i] = x_float[i] = NAN;
    for (l = 1; l < LENGTHS; l++)
        check_all_extremes(state, 1 + length_of(l, &random) % NUMBERS);
}

static void the_first_of_equal_extremes_is_found(void **state)
{
    uint64_t random = seed_print();
    size_t l, i;

    for (i = 0; i < NUMBERS; i++) {
        x_double[i] = (double)random_below(&random, 3) - 1;
        if (x_double[i] == 0 && random_below(&random, 2))
            x_double[i] = -0.0;
        x_float[i] = (float)x_double[i];
        x_int32[i] = random_below(&random, 2) ? INT32_MIN : INT32_MAX;
        x_int64[i] = random_below(&random, 2) ? INT64_MIN : INT64_MAX;
        x_uint64[i] = random_below(&random, 2) ? 0 : UINT64_MAX;
    }
    for (l = 1; l < LENGTHS; l++)
        check_all_extremes(state, 1 + length_of(l, &random) % NUMBERS);
}

/* The values that a search begins with, and NaNs that are no better. */
static void the_worst_of_all_values_are_extremes_too(void **state)
{
    uint64_t random = seed_print();
    int sign;
    size_t l, i;

    for (sign = -1; sign <= 1; sign++) {
        for (i = 0; i < NUMBERS; i++) {
            bool is_nan_here = sign == 0 || (i < 4097 && i != 300) || i % 5 == 0;

            x_double[i] = x_float[i] = is_nan_here ? NAN : (float)sign * INFINITY;
            x_int32[i] = sign < 0 ? INT32_MIN : INT32_MAX;
            x_int64[i] = sign < 0 ? INT64_MIN : INT64_MAX;
            x_uint64[i] = sign < 0 ? 0 : UINT64_MAX;
        }
        for (l = 1; l < LENGTHS; l++)
            check_all_extremes(state, 1 + length_of(l, &random) % NUMBERS);
    }
}

static void a_lone_extreme_is_found_at_any_place(void **state)
{
    uint64_t random = seed_print();
    size_t i, at;
    double value;

    for (i = 0; i < NUMBERS; i++)
        x_double[i] = -0.0;
    for (i = 0; i < 2000; i++) {
        size_t place = i < 600 ? i : random_below(&random, NUMBERS);
        size_t n = place + 1 + random_below(&random, NUMBERS - place);

        x_double[place] = -1e-310;
        assert_int_equal(filch_argmin(x_double, n, &at, .pool = *state), 0);
        assert_int_equal(at, place);
        assert_int_equal(filch_min(x_double, n, &value, .pool = *state), 0);
        assert_true(value == -1e-310);
        x_double[place] = -0.0;
    }
}

/* --- moments ---------------------------------------------------------------------- */

#define CHECK_MOMENTS(type, n)                                                        \
    do {                                                                              \
        struct exact sum = {0}, squares = {0};                                        \
        struct filch_moments m = {.count = 1};                                        \
        long double mean, deviation, bound;                                           \
                                                                                      \
        for (i = 0; i < (n); i++)                                                     \
            exact_add(&sum, (long double)(double)x_##type[i]);                        \
        mean = (n) ? (sum.sum + sum.lost) / (long double)(n) : 0;                     \
        for (i = 0; i < (n); i++)                                                     \
            exact_add(&squares, ((long double)(double)x_##type[i] - mean) *           \
                                    ((long double)(double)x_##type[i] - mean));       \
        assert_int_equal(filch_moments(x_##type, n, &m, .pool = *state), 0);          \
        assert_int_equal(m.count, n);                                                 \
        deviation = (n) ? sqrtl(squares.sum / (long double)(n)) : 0;                  \
        bound = (80 + ((n) > 1024 ? log2l((long double)(n) / 1024) : 0)) * UNIT;      \
        if (!(fabsl((long double)m.m2 - squares.sum) <=                               \
              bound * (squares.sum + fabsl(mean) * deviation * (long double)(n))))    \
            fail_msg("m2 of %zu " #type ": %.17g, not %.17Lg", (size_t)(n), m.m2,     \
                     squares.sum);                                                    \
        if (!(fabsl((long double)m.mean - mean) * (long double)(n) <=                 \
              bound * sum.absolute))                                                  \
            fail_msg("mean of %zu " #type ": %.17g, not %.17Lg", (size_t)(n), m.mean, \
                     mean);                                                           \
    } while (0)

static void moments_are_those_of_two_passes(void **state)
{
    uint64_t random = seed_print();
    int kind;
    size_t l, i;

    for (kind = 0; kind <= KINDS; kind++) {
        fill(kind == KINDS ? UNIFORM : (enum kind)kind, &random);
        /* Far from 0: the squares alone would leave no digit. */
        for (i = 0; i < NUMBERS && kind == KINDS; i++) {
            x_double[i] += 1e9;
            x_float[i] += 1000;
            x_int32[i] = INT32_MAX - (x_int32[i] & 0xff);
            x_int64[i] = (INT64_C(1) << 40) + (x_int64[i] & 0xff);
        }
        for (l = 0; l < LENGTHS; l++) {
            size_t n = length_of(l, &random);

            CHECK_MOMENTS(float, n);
            CHECK_MOMENTS(double, n);
            CHECK_MOMENTS(int32, n);
            CHECK_MOMENTS(int64, n);
            CHECK_MOMENTS(uint64, n);
        }
    }
}

static void equal_items_have_no_variance(void **state)
{
    size_t l, i;
    uint64_t random = seed_print();
    struct filch_moments m;

    for (i = 0; i < NUMBERS; i++)
        x_double[i] = 0.1;
    for (l = 1; l < LENGTHS; l++) {
        size_t n = length_of(l, &random);

        if (n == 0)
            continue;
        assert_int_equal(filch_moments(x_double, n, &m, .pool = *state), 0);
        assert_true(m.mean == 0.1);
        assert_true(m.m2 == 0);
    }
}

static void variances_divide_by_count_and_by_one_less(void **state)
{
    static const int32_t item[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct filch_moments m = {0};

    assert_true(isnan(filch_variance(&m)) && isnan(filch_variance_sample(&m)));
    assert_int_equal(filch_moments(item, 1, &m, .pool = *state), 0);
    assert_true(filch_variance(&m) == 0 && isnan(filch_variance_sample(&m)));
    assert_int_equal(filch_moments(item, 8, &m, .pool = *state), 0);
    assert_true(m.mean == 5 && filch_variance(&m) == 4);
    assert_true(filch_variance_sample(&m) == 32.0 / 7);
    x_double[0] = INFINITY;
    x_double[1] = 1;
    assert_int_equal(filch_moments(x_double, 2, &m, .pool = *state), 0);
    assert_true(isnan(m.mean) && isnan(m.m2) && m.count == 2);
}

/* --- the same bits ---------------------------------------------------------------- */

struct results {
    double sum, dot;
    int64_t integer, integer_dot;
    double extreme[2];
    size_t index[2];
    struct filch_moments moments;
};

#define RESULTS 5

#define GET(type, element, which, total, product)                                       \
    do {                                                                                \
        element low = 0, high = 0;                                                      \
                                                                                        \
        assert_int_equal(filch_sum_##type(x_##type, n, &result[which].total, opts), 0); \
        assert_int_equal(                                                               \
            filch_dot_##type(x_##type, y_##type, n, &result[which].product, opts), 0);  \
        assert_int_equal(filch_min_##type(x_##type, n, &low, opts), 0);                 \
        assert_int_equal(filch_max_##type(x_##type, n, &high, opts), 0);                \
        result[which].extreme[0] = (double)low;                                         \
        result[which].extreme[1] = (double)high;                                        \
        assert_int_equal(                                                               \
            filch_argmin_##type(x_##type, n, &result[which].index[0], opts), 0);        \
        assert_int_equal(                                                               \
            filch_argmax_##type(x_##type, n, &result[which].index[1], opts), 0);        \
        assert_int_equal(                                                               \
            filch_moments_##type(x_##type, n, &result[which].moments, opts), 0);        \
    } while (0)

static void get_results(struct results *result, size_t n, const filch_opts *opts)
{
    uint64_t sum, dot;

    memset(result, 0, RESULTS * sizeof *result);
    GET(float, float, 0, sum, dot);
    GET(double, double, 1, sum, dot);
    GET(int32, int32_t, 2, integer, integer_dot);
    GET(int64, int64_t, 3, integer, integer_dot);
    assert_int_equal(filch_sum_uint64(x_uint64, n, &sum, opts), 0);
    assert_int_equal(filch_dot_uint64(x_uint64, y_uint64, n, &dot, opts), 0);
    result[4].integer = (int64_t)sum;
    result[4].integer_dot = (int64_t)dot;
    assert_int_equal(filch_argmin_uint64(x_uint64, n, &result[4].index[0], opts), 0);
    assert_int_equal(filch_argmax_uint64(x_uint64, n, &result[4].index[1], opts), 0);
    assert_int_equal(filch_moments_uint64(x_uint64, n, &result[4].moments, opts), 0);
}

static void the_bits_are_the_same_on_1_to_64_workers_and_for_all_options(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 5, 8, 16, 64};
    static const size_t grains[] = {0, 1, 4097, 20000, 65536, SIZE_MAX};
    static const size_t sizes[] = {1, 300, 4096, 4097, 12289, 70001, NUMBERS};
    const char *text = getenv("FILCH_REPEAT");
    int rounds = text ? atoi(text) : 2, round;
    struct results expected[RESULTS], result[RESULTS];
    uint64_t random = seed_print();
    filch_pool *pool[COUNT_OF(workers)];
    size_t p, s, g;

    (void)state;
    fill(WIDE, &random);
    for (p = 0; p < COUNT_OF(workers); p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = workers[p])), 0);
    for (s = 0; s < COUNT_OF(sizes); s++) {
        get_results(expected, sizes[s], FILCH_OPTS(NULL, .pool = pool[0]));
        for (p = 0; p < COUNT_OF(workers); p++)
            for (g = 0; g < COUNT_OF(grains); g++)
                for (round = 0; round < rounds; round++) {
                    get_results(result, sizes[s],
                                FILCH_OPTS(NULL, .pool = pool[p], .grain = grains[g],
                                           .max_workers = (uint32_t)round % 4,
                                           .max_chunk = grains[g] <= 1));
                    if (memcmp(result, expected, sizeof result) != 0)
                        fail_msg("%zu items, grain %zu, %u workers, round %d: other bits",
                                 sizes[s], grains[g], workers[p], round);
                }
    }
    for (p = 0; p < COUNT_OF(workers); p++)
        filch_pool_destroy(pool[p]);
}

/* The order of the additions, written down once more: what no compiler may change. */
static void the_bracket_is_the_one_of_the_source(void **state)
{
    uint64_t random = seed_print();
    size_t n = 3 * 256, block, i, k;
    double part[3], sum;

    fill(WIDE, &random);
    for (block = 0; block < 3; block++) {
        double lane[16] = {0};

        for (i = 0; i < 256; i++)
            lane[i % 16] += x_double[block * 256 + i];
        for (k = 0; k < 2; k++)
            lane[k] = ((lane[k] + lane[k + 8]) + (lane[k + 4] + lane[k + 12])) +
                      ((lane[k + 2] + lane[k + 10]) + (lane[k + 6] + lane[k + 14]));
        part[block] = lane[0] + lane[1];
    }
    part[0] += part[1];
    part[0] += part[2];
    assert_int_equal(filch_sum(x_double, n, &sum, .pool = *state), 0);
    assert_memory_equal(&sum, &part[0], sizeof sum);
}

/* --- arguments -------------------------------------------------------------------- */

static void wrong_arguments_change_nothing(void **state)
{
    double sum = 42, least = 42;
    size_t at = 42;
    struct filch_moments m = {42, 42, 42};
    filch_opts foreign = *FILCH_OPTS(NULL, .pool = *state);
    double *none = NULL;
    size_t too_many = SIZE_MAX / sizeof *none + 1;

    foreign.struct_size -= 8;
    assert_int_equal(filch_sum(none, 1, &sum), -EINVAL);
    assert_int_equal(filch_sum(x_double, too_many, &sum), -EINVAL);
    assert_int_equal(filch_sum(x_double, 1, NULL), -EINVAL);
    assert_int_equal(filch_sum_double(x_double, 1, &sum, &foreign), -EINVAL);
    assert_int_equal(filch_dot(none, x_double, 1, &sum), -EINVAL);
    assert_int_equal(filch_dot(x_double, none, 1, &sum), -EINVAL);
    assert_int_equal(filch_dot(x_double, x_double, too_many, &sum), -EINVAL);
    assert_int_equal(filch_dot(x_double, x_double, 1, NULL), -EINVAL);
    assert_int_equal(filch_min(x_double, 0, &least), -EINVAL);
    assert_int_equal(filch_max(x_double, 0, &least), -EINVAL);
    assert_int_equal(filch_min(none, 1, &least), -EINVAL);
    assert_int_equal(filch_max(x_double, 1, NULL), -EINVAL);
    assert_int_equal(filch_argmin(x_double, 0, &at), -EINVAL);
    assert_int_equal(filch_argmax(none, 0, &at), -EINVAL);
    assert_int_equal(filch_argmax(x_double, too_many, &at), -EINVAL);
    assert_int_equal(filch_argmin(x_double, 1, NULL), -EINVAL);
    assert_int_equal(filch_moments(none, 1, &m), -EINVAL);
    assert_int_equal(filch_moments(x_double, too_many, &m), -EINVAL);
    assert_int_equal(filch_moments(x_double, 1, NULL), -EINVAL);
    assert_true(sum == 42 && least == 42 && at == 42);
    assert_true(m.count == 42 && m.mean == 42 && m.m2 == 42);
}

static void nothing_sums_up_to_nothing(void **state)
{
    double *none = NULL, sum = 42, dot = 42;
    uint64_t *none_either = NULL, total = 42;
    struct filch_moments m = {42, 42, 42};

    assert_int_equal(filch_sum(none, 0, &sum, .pool = *state), 0);
    assert_int_equal(filch_dot(none, none, 0, &dot, .pool = *state), 0);
    assert_int_equal(filch_sum(none_either, 0, &total), 0);
    assert_int_equal(filch_moments(none, 0, &m, .pool = *state), 0);
    assert_true(sum == 0 && dot == 0 && total == 0);
    assert_true(m.count == 0 && m.mean == 0 && m.m2 == 0);
}

static int no_more(size_t done, size_t total, void *ctx)
{
    (void)done;
    (void)total;
    return *(int *)ctx;
}

static void a_cancelled_reduction_changes_nothing(void **state)
{
    filch_cancel cancel = {0};
    double sum = 42;
    size_t at = 42;

    assert_int_equal(filch_sum(x_double, 100, &sum, .pool = *state, .cancel = &cancel),
                     0);
    sum = 42;
    filch_cancel_set(&cancel);
    assert_int_equal(filch_sum(x_double, 100, &sum, .pool = *state, .cancel = &cancel),
                     -ECANCELED);
    assert_int_equal(
        filch_sum(x_double, NUMBERS, &sum, .pool = *state, .cancel = &cancel),
        -ECANCELED);
    assert_int_equal(
        filch_argmax(x_int32, NUMBERS, &at, .pool = *state, .cancel = &cancel),
        -ECANCELED);
    assert_true(sum == 42 && at == 42);
}

/* Whether it is called is a matter of time; when it is, it gets the ctx of the options. */
static void progress_gets_the_context_of_the_options(void **state)
{
    int value = 7, tries, err = 0;
    double sum = 42;

    for (tries = 0; tries < 50 && err == 0; tries++) {
        sum = 42;
        err = filch_sum(x_double, NUMBERS, &sum, .pool = *state, .progress = no_more,
                        .progress_ms = 1, .ctx = &value);
    }
    if (err)
        assert_true(err == 7 && sum == 42);
}

static int sum_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    int64_t sum;

    (void)begin;
    (void)end;
    if (filch_sum(x_int32, NUMBERS, &sum, .worker = w) || sum != *(int64_t *)ctx)
        return 1;
    return 0;
}

static void a_sum_runs_inside_a_body(void **state)
{
    int64_t sum;
    uint64_t random = seed_print();

    fill(UNIFORM, &random);
    assert_int_equal(filch_sum(x_int32, NUMBERS, &sum), 0);
    assert_int_equal(filch_for(0, 50, sum_inside, &sum, .pool = *state, .max_chunk = 1),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(floating_point_sums_keep_the_bound_that_is_stated),
        ON_POOLS(a_million_equal_numbers_lose_next_to_nothing),
        ON_POOLS(infinities_and_nans_go_through_a_sum),
        ON_POOLS(integers_are_added_modulo_2_to_the_64),
        ON_POOLS(extremes_are_those_of_the_serial_loop),
        ON_POOLS(the_first_of_equal_extremes_is_found),
        ON_POOLS(the_worst_of_all_values_are_extremes_too),
        ON_POOLS(a_lone_extreme_is_found_at_any_place),
        ON_POOLS(moments_are_those_of_two_passes),
        ON_POOLS(equal_items_have_no_variance),
        ON_POOLS(variances_divide_by_count_and_by_one_less),
        cmocka_unit_test(the_bits_are_the_same_on_1_to_64_workers_and_for_all_options),
        ON_POOLS(the_bracket_is_the_one_of_the_source),
        ON_POOLS(wrong_arguments_change_nothing),
        ON_POOLS(nothing_sums_up_to_nothing),
        ON_POOLS(a_cancelled_reduction_changes_nothing),
        ON_POOLS(progress_gets_the_context_of_the_options),
        ON_POOLS(a_sum_runs_inside_a_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
