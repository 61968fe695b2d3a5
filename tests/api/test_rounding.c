/* test_rounding.c - how far floating-point sums, running sums and moments are off.
 *
 * Against items that are made to lose as much as the stated bounds allow, and at the ends of
 * the range of numbers. What is right is known in integers, as no floating-point type is
 * exact everywhere: long doubles of valgrind and of some processors are doubles.
 */
#include "pools.h"
#include <float.h>
#include <math.h>

__extension__ typedef __int128 wide;

#define TILE  ((size_t)32768) /* of running sums */
#define MOST  ((IS_EMULATED ? 6 : 24) * TILE + 7)
#define BLOCK ((size_t)1024) /* of moments */

static double doubles[MOST], double_out[MOST];
static float floats[MOST], float_out[MOST];
static int64_t integers[MOST]; /* the same numbers, in units of 2^-56 */

static const int64_t one = INT64_C(1) << 56;

static wide absolute(wide number)
{
    return number < 0 ? -number : number;
}

/* --- running sums ----------------------------------------------------------------- */

static void set_items(size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        doubles[i] = (double)integers[i] * 0x1p-56;
        floats[i] = (float)doubles[i];
    }
}

/* Is out off by at most parts u of sum? All are positive. */
static void check(const char *what, size_t n, size_t i, double out, int64_t sum,
                  size_t parts, bool is_float)
{
    wide off = absolute((wide)(int64_t)(out * 0x1p56) - sum);
    wide most = (wide)sum * (int64_t)parts; /* in units of 2^-56 u */

    if (is_float)
        most += (wide)sum << 29; /* 2^-24: the rounding to float */
    if (off > (most >> 53) + 1)
        fail_msg("%s, item %zu of %zu: %a, off by %g u of the sum, more than %zu", what,
                 i, n, out, (double)(off << 53) / (double)sum, parts);
}

/* carry: what comes before the first item. */
static void check_scans(filch_pool *pool, size_t n, int64_t carry)
{
    double total = (double)carry * 0x1p-56, total_float = total;
    int64_t sum = carry;
    size_t i;

    set_items(n);
    if (carry == 0) {
        assert_int_equal(filch_scan_sum(doubles, n, double_out, .pool = pool), 0);
        assert_int_equal(filch_scan_sum(floats, n, float_out, .pool = pool), 0);
        for (sum = 0, i = 0; i < n; i++) {
            size_t parts = i / TILE + (i < TILE ? i : TILE) / 8 + 4;

            sum += integers[i];
            check("doubles", n, i, double_out[i], sum, parts, false);
            check("floats", n, i, (double)float_out[i], sum, parts, true);
        }
    }
    assert_int_equal(filch_exscan_sum(doubles, n, double_out, &total, .pool = pool), 0);
    assert_int_equal(filch_exscan_sum(floats, n, float_out, &total_float, .pool = pool),
                     0);
    for (sum = carry, i = 0; i < n; i++) {
        size_t parts = i / TILE + (i < TILE ? i : TILE) / 8 + 4;

        check("doubles before", n, i, double_out[i], sum, parts, false);
        check("floats before", n, i, (double)float_out[i], sum, parts, true);
        sum += integers[i];
    }
    check("the total of doubles", n, n, total, sum,
          n / TILE + (n < TILE ? n : TILE) / 8 + 4, false);
    check("the total of floats", n, n, total_float, sum,
          n / TILE + (n < TILE ? n : TILE) / 8 + 4, false);
}

static const size_t lengths[] = {1,
                                 2,
                                 7,
                                 8,
                                 9,
                                 15,
                                 16,
                                 17,
                                 1000,
                                 TILE - 8,
                                 TILE - 1,
                                 TILE,
                                 TILE + 1,
                                 TILE + 8,
                                 2 * TILE - 1,
                                 2 * TILE,
                                 2 * TILE + 9,
                                 4 * TILE + 5};

/* 1, and behind it eights that add up to half a unit of its last place: each is rounded
 * away. */
static void running_sums_that_lose_every_item_keep_their_bound(void **state)
{
    size_t l, i;

    for (i = 0; i < MOST; i++)
        integers[i] = i == 0 ? one : 1;
    for (l = 0; l < COUNT_OF(lengths); l++)
        check_scans(*state, lengths[l], 0);
    /* They do lose all that the bound allows, but for what happens once: TILE items of
     * 2^-56, which are TILE / 8 units of rounding. */
    assert_true(double_out[TILE] == 1);
}

/* Then tiles that add up to half a unit: each is rounded away from the carry. */
static void running_sums_that_lose_every_tile_keep_their_bound(void **state)
{
    size_t i;

    for (i = 0; i < MOST; i++)
        integers[i] = i < TILE ? (i == 0 ? one : 1) : i % TILE == 5 ? 8 : 0;
    check_scans(*state, MOST, 0);
    assert_true(double_out[MOST - 1] == 1);
}

static void a_carry_from_outside_is_in_the_bound(void **state)
{
    size_t l, i;

    for (i = 0; i < MOST;
         i++) /* the carry loses each tile, or each result of the first */
        integers[i] = i % TILE == 0 ? 8 : 0;
    check_scans(*state, MOST, one);
    assert_true(double_out[MOST - 1] == 1);
    for (i = 0; i < MOST; i++)
        integers[i] = i == 0 ? one / 4 : 1;
    for (l = 0; l < COUNT_OF(lengths); l++)
        check_scans(*state, lengths[l], one / 2);
}

static void running_sums_of_random_items_keep_their_bound(void **state)
{
    uint64_t seed = seed_print();
    size_t l, i;

    for (i = 0; i < MOST; i++) /* wide, and such as floats hold */
        integers[i] = (int64_t)(random_next(&seed) >> 40)
                      << (random_next(&seed) % (i < 16 ? 30 : 14));
    for (l = 0; l < COUNT_OF(lengths); l++)
        check_scans(*state, lengths[l], l % 2 ? one : 0);
}

/* --- sums ------------------------------------------------------------------------- */

/* 1, and 2^-53 in the place of each addition that its sum goes through, which that takes
 * for a tie and rounds away: in its lane of 16, in the tree over lanes, in that over blocks
 * of 256. Returns how many. */
static size_t lose_all(size_t blocks)
{
    static const size_t of_lanes[] = {1, 2, 4, 8};
    size_t lost = 0, i;

    memset(doubles, 0, blocks * 256 * sizeof *doubles);
    doubles[0] = 1;
    for (i = 16; i < 256; i += 16, lost++)
        doubles[i] = 0x1p-53;
    for (i = 0; i < COUNT_OF(of_lanes); i++, lost++)
        doubles[of_lanes[i]] = 0x1p-53;
    for (i = 1; i < blocks; i *= 2, lost++)
        doubles[i * 256] = 0x1p-53;
    return lost;
}

static void a_sum_loses_what_its_bound_allows_and_no_more(void **state)
{
    size_t blocks, levels = 0, i;

    for (blocks = 1; blocks * 256 <= MOST; blocks *= 2, levels++) {
        size_t n = blocks * 256, lost = lose_all(blocks);
        double sum = 0, dot = 0, sum_f = 0, dot_f = 0;

        for (i = 0; i < n; i++)
            floats[i] = (float)doubles[i];
        assert_int_equal(filch_sum(doubles, n, &sum, .pool = *state), 0);
        assert_int_equal(filch_sum(floats, n, &sum_f, .pool = *state), 0);
        for (i = 0; i < n; i++)
            double_out[i] = float_out[i] = 1;
        assert_int_equal(filch_dot(doubles, double_out, n, &dot, .pool = *state), 0);
        assert_int_equal(filch_dot(floats, float_out, n, &dot_f, .pool = *state), 0);
        assert_true(sum == 1 && dot == 1 && sum_f == 1 && dot_f == 1);
        assert_int_equal(lost, 19 + levels); /* (20 + log2(n / 256)) u is the bound */
    }
}

/* --- moments ---------------------------------------------------------------------- */

#define CHECK_EQUAL(type, element, value, n)                                         \
    do {                                                                             \
        static element item[100000];                                                 \
        struct filch_moments m = {.count = 1};                                       \
                                                                                     \
        for (size_t i = 0; i < (n); i++)                                             \
            item[i] = (value);                                                       \
        assert_int_equal(                                                            \
            filch_moments_##type(item, n, &m, FILCH_OPTS(NULL, .pool = *state)), 0); \
        if (m.count != (n) || m.mean != (double)(value) || !(m.m2 == 0))             \
            fail_msg("%zu times " #type " %a: mean %a, m2 %a", (size_t)(n),          \
                     (double)(value), m.mean, m.m2);                                 \
    } while (0)

static void equal_items_have_no_variance_at_any_size(void **state)
{
    static const size_t counts[] = {1,    2,    3,    7,    8,    9,    1023,
                                    1024, 1025, 1380, 1781, 2048, 4097, 100000};
    static const double values[] = {0.0,
                                    -0.0,
                                    0.1,
                                    1,
                                    -DBL_MAX,
                                    DBL_MAX,
                                    0x1p1023,
                                    7.2e165,
                                    1e200,
                                    -1e300,
                                    3e-150,
                                    0x1.80f024a3bdee1p-487,
                                    0x1.fffffffffffffp-451,
                                    0x1p-537,
                                    1e-300,
                                    DBL_MIN,
                                    0x1p-1074,
                                    -0x3p-1074,
                                    0x0.fffffffffffffp-1022};
    size_t c, v;

    for (c = 0; c < COUNT_OF(counts); c++) {
        for (v = 0; v < COUNT_OF(values); v++)
            CHECK_EQUAL(double, double, values[v], counts[c]);
        CHECK_EQUAL(float, float, FLT_MAX, counts[c]);
        CHECK_EQUAL(float, float, 0x1p-149f, counts[c]);
        CHECK_EQUAL(float, float, 0.1f, counts[c]);
        CHECK_EQUAL(int32, int32_t, INT32_MIN, counts[c]);
        CHECK_EQUAL(int64, int64_t, INT64_MAX, counts[c]);
        CHECK_EQUAL(int64, int64_t, INT64_MIN + 1, counts[c]);
        CHECK_EQUAL(uint64, uint64_t, UINT64_MAX - 4097, counts[c]);
    }
}

/* A power of two as a factor changes no digit, as long as results are normal numbers. */
static void moments_are_the_same_at_any_size_of_numbers(void **state)
{
    static const int exponents[] = {-490, -480, -460, -440, -300,
                                    300,  440,  460,  480,  500};
    static const size_t counts[] = {2, 5, 1000, 1024, 3000, 40000};
    static double item[40000];
    uint64_t seed = seed_print();
    size_t e, c, i;

    for (i = 0; i < COUNT_OF(item); i++) /* wide: some squares are 2^120 times others */
        item[i] = ldexp((double)(int64_t)random_next(&seed) * 0x1p-63,
                        -(int)(random_next(&seed) % 60));
    for (c = 0; c < COUNT_OF(counts); c++) {
        struct filch_moments m, scaled;

        assert_int_equal(filch_moments(item, counts[c], &m, .pool = *state), 0);
        for (e = 0; e < COUNT_OF(exponents); e++) {
            for (i = 0; i < counts[c]; i++)
                doubles[i] = ldexp(item[i], exponents[e]);
            assert_int_equal(filch_moments(doubles, counts[c], &scaled, .pool = *state),
                             0);
            if (scaled.mean != ldexp(m.mean, exponents[e]) ||
                scaled.m2 != ldexp(m.m2, 2 * exponents[e]))
                fail_msg("%zu items times 2^%d: mean %a, not %a; m2 %a, not %a",
                         counts[c], exponents[e], scaled.mean,
                         ldexp(m.mean, exponents[e]), scaled.m2,
                         ldexp(m.m2, 2 * exponents[e]));
        }
    }
}

static void a_mean_is_right_where_squares_are_out_of_range(void **state)
{
    static const size_t counts[] = {2, 1000, 1024, 3000, 40000};
    struct filch_moments m, scaled;
    size_t c, i;

    for (c = 0; c < COUNT_OF(counts); c++) {
        size_t n = counts[c];

        for (i = 0; i < n; i++)
            doubles[i] = 1 + (double)(i % 1021) * 0x1p-11;
        assert_int_equal(filch_moments(doubles, n, &m, .pool = *state), 0);
        for (i = 0; i < n; i++)
            doubles[i] *= 0x1p1023;
        assert_int_equal(filch_moments(doubles, n, &scaled, .pool = *state), 0);
        assert_true(scaled.mean == m.mean * 0x1p1023);
        assert_true(scaled.m2 == HUGE_VAL);
        for (i = 0; i < n; i++) /* opposite signs, beside each other and in blocks */
            doubles[i] = i % 2 ? DBL_MAX : -DBL_MAX;
        assert_int_equal(filch_moments(doubles, n, &scaled, .pool = *state), 0);
        assert_true(scaled.mean == 0 && scaled.m2 == HUGE_VAL);
    }
    for (i = 0; i < 32 * BLOCK; i++)
        doubles[i] = i < 16 * BLOCK ? DBL_MAX : -DBL_MAX;
    assert_int_equal(filch_moments(doubles, 32 * BLOCK, &scaled, .pool = *state), 0);
    assert_true(scaled.mean == 0 && scaled.m2 == HUGE_VAL);
}

static void squares_below_the_least_number_add_up(void **state)
{
    struct filch_moments m;
    size_t i;

    for (i = 0; i < BLOCK; i++) /* 1024 of 2^-1080 are 2^-1070 */
        doubles[i] = i % 2 ? 0x1p-540 : -0x1p-540;
    assert_int_equal(filch_moments(doubles, BLOCK, &m, .pool = *state), 0);
    assert_true(m.mean == 0 && m.m2 == 0x1p-1070);
    for (i = 0; i < BLOCK; i++) /* a single one is nothing */
        doubles[i] = i % 2 ? 0x1p-1074 : 0;
    assert_int_equal(filch_moments(doubles, BLOCK, &m, .pool = *state), 0);
    assert_true(m.mean == 0 && m.m2 == 0); /* the mean: a tie between 0 and 2^-1074 */
}

/* Squares of 1, and behind it in the same lane some that are a little less than half a unit
 * of its last place. */
static void squares_that_are_lost_keep_the_bound_of_moments(void **state)
{
    const int64_t small = 0x16a09e6; /* 2^24 sqrt(2), less a little, in units of 2^-51 */
    const double unit = 0x1p-51;
    wide right = 0;
    struct filch_moments m;
    size_t i;

    for (i = 0; i < BLOCK; i++) {
        int64_t item = i < 8 ? INT64_C(1) << 51 : small;

        doubles[i] = (double)(i % 2 ? -item : item) * unit;
        right += (wide)item * item; /* in units of 2^-102 */
    }
    assert_int_equal(filch_moments(doubles, BLOCK, &m, .pool = *state), 0);
    assert_true(m.mean == 0);
    right -= (wide)(m.m2 * 0x1p49) << 53;
    assert_true((double)right * 0x1p-102 / m.m2 < 140 * 0x1p-53);
    assert_true((double)right * 0x1p-102 / m.m2 > 120 * 0x1p-53); /* they are lost */
}

static void moments_far_from_zero_keep_their_bound(void **state)
{
    static const size_t counts[] = {1000,      1024,      1025,      5000,
                                    16 * 1024, 40 * 1024, 64 * 1024, MOST / 1024 * 1024};
    static const int shifts[] = {21, 30, 40};
    uint64_t seed = seed_print();
    size_t c, k, i;

    for (c = 0; c < COUNT_OF(counts); c++) {
        for (k = 0; k < COUNT_OF(shifts); k++) {
            size_t n = counts[c];
            wide sum = 0, squares = 0, right, off;
            double levels = n > 1024 ? ceil(log2((double)n / 1024)) : 0, u = 0x1p-53;
            double s, e, bound;
            struct filch_moments m;

            for (i = 0; i < n; i++) { /* large ones first: means of blocks differ, too */
                integers[i] = (INT64_C(1) << shifts[k]) +
                              (int64_t)random_below(&seed, (uint64_t)1 << 23) -
                              (int64_t)((i * 5 / n) << 21);
                doubles[i] = (double)integers[i];
                sum += integers[i];
                squares += (wide)integers[i] * integers[i];
            }
            assert_int_equal(filch_moments(doubles, n, &m, .pool = *state), 0);
            right = squares * (int64_t)n - sum * sum; /* n m2 */
            s = sqrt((double)right) / (double)n;
            e = ((levels + 1) * fabs((double)sum / (double)n) + (141 + 4 * levels) * s) *
                u;
            bound = (140 + 2 * levels) * u + 2 * sqrt(levels) * e / s +
                    levels * (e / s) * (e / s);
            assert_true(m.m2 >= 0x1p52); /* an integer */
            off = absolute((wide)m.m2 * (int64_t)n - right);
            if (!((double)off <= bound * (double)right))
                fail_msg("m2 of %zu items by 2^%d is off by %g, more than %g", n,
                         shifts[k], (double)off / (double)right, bound);
            off = absolute((wide)(m.mean * 0x1p32) * (int64_t)n - (sum << 32));
            if (!((double)off * 0x1p-32 <= e * (double)n))
                fail_msg("a mean of %zu items by 2^%d is off by %g, more than %g", n,
                         shifts[k], (double)off * 0x1p-32 / (double)n, e);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(running_sums_that_lose_every_item_keep_their_bound),
        ON_POOLS(running_sums_that_lose_every_tile_keep_their_bound),
        ON_POOLS(a_carry_from_outside_is_in_the_bound),
        ON_POOLS(running_sums_of_random_items_keep_their_bound),
        ON_POOLS(a_sum_loses_what_its_bound_allows_and_no_more),
        ON_POOLS(equal_items_have_no_variance_at_any_size),
        ON_POOLS(moments_are_the_same_at_any_size_of_numbers),
        ON_POOLS(a_mean_is_right_where_squares_are_out_of_range),
        ON_POOLS(squares_below_the_least_number_add_up),
        ON_POOLS(squares_that_are_lost_keep_the_bound_of_moments),
        ON_POOLS(moments_far_from_zero_keep_their_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
