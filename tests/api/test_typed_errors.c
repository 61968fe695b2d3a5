/* test_typed_errors.c - the errors of typed.h, of each function for each element type: the
 * result stays as it was.
 */
#include "pools.h"

#define MANY 10000 /* more than the caller folds at once */

#define LIST(...) __VA_ARGS__

/* arrays, no_array: the function's arrays, in parentheses, as they should be and one NULL;
 * least: the fewest items that it takes. */
#define CHECK(function, element, result, least, arrays, no_array)                    \
    do {                                                                             \
        static const element item[MANY];                                             \
        const size_t too_many = SIZE_MAX / sizeof(element) + 1;                      \
        const element *const none = NULL;                                            \
        filch_cancel token = {0};                                                    \
        filch_opts small = *FILCH_OPTS(NULL, .pool = *state);                        \
        filch_opts foreign = small, cancelled = small;                               \
        result out, before;                                                          \
                                                                                     \
        small.struct_size -= 8;                                                      \
        foreign.abi++;                                                               \
        cancelled.cancel = &token;                                                   \
        filch_cancel_set(&token);                                                    \
        memset(&out, 0x5a, sizeof out);                                              \
        memcpy(&before, &out, sizeof out);                                           \
        assert_int_equal(function(LIST arrays, 2, NULL, NULL), -EINVAL);             \
        assert_int_equal(function(LIST no_array, 1, &out, NULL), -EINVAL);           \
        assert_int_equal(function(LIST arrays, too_many, &out, NULL), -EINVAL);      \
        assert_int_equal(function(LIST arrays, 2, &out, &small), -EINVAL);           \
        assert_int_equal(function(LIST arrays, MANY, &out, &foreign), -EINVAL);      \
        if (least)                                                                   \
            assert_int_equal(function(LIST arrays, 0, &out, NULL), -EINVAL);         \
        assert_int_equal(function(LIST arrays, 2, &out, &cancelled), -ECANCELED);    \
        assert_int_equal(function(LIST arrays, MANY, &out, &cancelled), -ECANCELED); \
        assert_memory_equal(&out, &before, sizeof out);                              \
        filch_cancel_clear(&token);                                                  \
        assert_int_equal(function(LIST arrays, MANY, &out, &cancelled), 0);          \
        assert_memory_not_equal(&out, &before, sizeof out);                          \
    } while (0)

#define CHECK_ONE(function, element, result, least) \
    CHECK(function, element, result, least, (item), (none))

/* Either array may be missing. */
#define CHECK_TWO(function, element, result)                             \
    do {                                                                 \
        CHECK(function, element, result, 0, (item, item), (none, item)); \
        CHECK(function, element, result, 0, (item, item), (item, none)); \
    } while (0)

static void refused_sums_change_nothing(void **state)
{
    CHECK_ONE(filch_sum_float, float, double, 0);
    CHECK_ONE(filch_sum_double, double, double, 0);
    CHECK_ONE(filch_sum_int32, int32_t, int64_t, 0);
    CHECK_ONE(filch_sum_int64, int64_t, int64_t, 0);
    CHECK_ONE(filch_sum_uint64, uint64_t, uint64_t, 0);
}

static void refused_dot_products_change_nothing(void **state)
{
    CHECK_TWO(filch_dot_float, float, double);
    CHECK_TWO(filch_dot_double, double, double);
    CHECK_TWO(filch_dot_int32, int32_t, int64_t);
    CHECK_TWO(filch_dot_int64, int64_t, int64_t);
    CHECK_TWO(filch_dot_uint64, uint64_t, uint64_t);
}

static void refused_minima_change_nothing(void **state)
{
    CHECK_ONE(filch_min_float, float, float, 1);
    CHECK_ONE(filch_min_double, double, double, 1);
    CHECK_ONE(filch_min_int32, int32_t, int32_t, 1);
    CHECK_ONE(filch_min_int64, int64_t, int64_t, 1);
    CHECK_ONE(filch_min_uint64, uint64_t, uint64_t, 1);
}

static void refused_maxima_change_nothing(void **state)
{
    CHECK_ONE(filch_max_float, float, float, 1);
    CHECK_ONE(filch_max_double, double, double, 1);
    CHECK_ONE(filch_max_int32, int32_t, int32_t, 1);
    CHECK_ONE(filch_max_int64, int64_t, int64_t, 1);
    CHECK_ONE(filch_max_uint64, uint64_t, uint64_t, 1);
}

static void refused_places_of_minima_change_nothing(void **state)
{
    CHECK_ONE(filch_argmin_float, float, size_t, 1);
    CHECK_ONE(filch_argmin_double, double, size_t, 1);
    CHECK_ONE(filch_argmin_int32, int32_t, size_t, 1);
    CHECK_ONE(filch_argmin_int64, int64_t, size_t, 1);
    CHECK_ONE(filch_argmin_uint64, uint64_t, size_t, 1);
}

static void refused_places_of_maxima_change_nothing(void **state)
{
    CHECK_ONE(filch_argmax_float, float, size_t, 1);
    CHECK_ONE(filch_argmax_double, double, size_t, 1);
    CHECK_ONE(filch_argmax_int32, int32_t, size_t, 1);
    CHECK_ONE(filch_argmax_int64, int64_t, size_t, 1);
    CHECK_ONE(filch_argmax_uint64, uint64_t, size_t, 1);
}

static void refused_moments_change_nothing(void **state)
{
    CHECK_ONE(filch_moments_float, float, struct filch_moments, 0);
    CHECK_ONE(filch_moments_double, double, struct filch_moments, 0);
    CHECK_ONE(filch_moments_int32, int32_t, struct filch_moments, 0);
    CHECK_ONE(filch_moments_int64, int64_t, struct filch_moments, 0);
    CHECK_ONE(filch_moments_uint64, uint64_t, struct filch_moments, 0);
}

/* arrays, odd: the function's arrays, in parentheses, as they should be and one of them at
 * an address that is no multiple of an element's size. */
#define CHECK_ODD_IN(function, element, result, arrays, odd)                             \
    do {                                                                                 \
        static element item[MANY + 1];                                                   \
        const element *off = (const element *)(void *)((char *)item + sizeof *item / 2); \
        const filch_opts *opts = FILCH_OPTS(NULL, .pool = *state);                       \
        result out, before;                                                              \
                                                                                         \
        memset(&out, 0x5a, sizeof out);                                                  \
        memcpy(&before, &out, sizeof out);                                               \
        assert_int_equal(function(LIST odd, 1, &out, opts), -EINVAL);                    \
        assert_int_equal(function(LIST odd, MANY, &out, opts), -EINVAL);                 \
        assert_memory_equal(&out, &before, sizeof out);                                  \
        assert_int_equal(function(LIST arrays, MANY, &out, opts), 0);                    \
        (void)off;                                                                       \
    } while (0)

#define CHECK_ODD(function, element, result) \
    CHECK_ODD_IN(function, element, result, (item), (off))

#define CHECK_ODD_OF_TWO(function, element, result)                             \
    do {                                                                        \
        CHECK_ODD_IN(function, element, result, (item, item), (off, item));     \
        CHECK_ODD_IN(function, element, result, (item, item + 1), (item, off)); \
    } while (0)

#define CHECK_ODD_OF_ALL(type, element, total)                          \
    do {                                                                \
        CHECK_ODD(filch_sum_##type, element, total);                    \
        CHECK_ODD_OF_TWO(filch_dot_##type, element, total);             \
        CHECK_ODD(filch_min_##type, element, element);                  \
        CHECK_ODD(filch_max_##type, element, element);                  \
        CHECK_ODD(filch_argmin_##type, element, size_t);                \
        CHECK_ODD(filch_argmax_##type, element, size_t);                \
        CHECK_ODD(filch_moments_##type, element, struct filch_moments); \
    } while (0)

static void arrays_that_are_not_aligned_are_refused(void **state)
{
    CHECK_ODD_OF_ALL(float, float, double);
    CHECK_ODD_OF_ALL(double, double, double);
    CHECK_ODD_OF_ALL(int32, int32_t, int64_t);
    CHECK_ODD_OF_ALL(int64, int64_t, int64_t);
    CHECK_ODD_OF_ALL(uint64, uint64_t, uint64_t);
}

static void nobody_looks_where_an_empty_array_is(void **state)
{
    static double item[2];
    const double *off = (const double *)(void *)((char *)item + 1);
    struct filch_moments moments = {.count = 5};
    double sum = 5;

    assert_int_equal(filch_sum(off, 0, &sum, .pool = *state), 0);
    assert_true(sum == 0);
    sum = 5;
    assert_int_equal(filch_dot(off, off, 0, &sum, .pool = *state), 0);
    assert_true(sum == 0);
    assert_int_equal(filch_moments(off, 0, &moments, .pool = *state), 0);
    assert_int_equal(moments.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(refused_sums_change_nothing),
        ON_POOLS(refused_dot_products_change_nothing),
        ON_POOLS(refused_minima_change_nothing),
        ON_POOLS(refused_maxima_change_nothing),
        ON_POOLS(refused_places_of_minima_change_nothing),
        ON_POOLS(refused_places_of_maxima_change_nothing),
        ON_POOLS(refused_moments_change_nothing),
        ON_POOLS(arrays_that_are_not_aligned_are_refused),
        ON_POOLS(nobody_looks_where_an_empty_array_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
