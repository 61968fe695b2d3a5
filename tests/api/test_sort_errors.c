/* test_sort_errors.c - the errors of sort.h, of each function for each type of keys: the
 * arrays stay as they were.
 */
#include "pools.h"

#define MANY 200000 /* more than the caller sorts at once */

static union {
    int32_t int32[2 * MANY];
    uint32_t uint32[2 * MANY];
    int64_t int64[MANY];
    uint64_t uint64[MANY];
    float single[2 * MANY];
    double twice[MANY];
    char bytes[8 * MANY];
} keys, keys_before;
static size_t values[MANY], values_before[MANY];

static void fill_arrays(void)
{
    uint64_t random = 3;
    size_t i;

    for (i = 0; i < MANY; i++) {
        keys.uint64[i] = random_next(&random);
        values[i] = i;
    }
    keys_before = keys;
    memcpy(values_before, values, sizeof values);
}

static void check_unchanged(void)
{
    assert_memory_equal(&keys, &keys_before, sizeof keys);
    assert_memory_equal(values, values_before, sizeof values);
}

/* How a function is called for n keys at x, where the rest is right. */
#define KEYS(function, x, n, opts)   function(x, n, opts)
#define PAIRS(function, x, n, opts)  function(x, values, 8, n, opts)
#define PLACES(function, x, n, opts) function(x, n, values, opts)
#define RANGE(function, x, n, opts)  function(x, n, 0, n, opts)

#define CHECK(call, function, element, x)                                  \
    do {                                                                   \
        typedef element number;                                            \
        const size_t too_many = SIZE_MAX / sizeof(element) + 1;            \
        number *const odd = (number *)(void *)(keys.bytes + 1);            \
        number *const none = NULL;                                         \
        filch_cancel token = {0};                                          \
        filch_opts small = *FILCH_OPTS(NULL, .pool = *state);              \
        filch_opts foreign = small, cancelled = small;                     \
                                                                           \
        small.struct_size -= 8;                                            \
        foreign.abi++;                                                     \
        cancelled.cancel = &token;                                         \
        filch_cancel_set(&token);                                          \
        fill_arrays();                                                     \
        assert_int_equal(call(function, none, 1, NULL), -EINVAL);          \
        assert_int_equal(call(function, x, too_many, NULL), -EINVAL);      \
        assert_int_equal(call(function, odd, 2, NULL), -EINVAL);           \
        assert_int_equal(call(function, x, 2, &small), -EINVAL);           \
        assert_int_equal(call(function, x, MANY, &foreign), -EINVAL);      \
        assert_int_equal(call(function, x, 2, &cancelled), -ECANCELED);    \
        assert_int_equal(call(function, x, MANY, &cancelled), -ECANCELED); \
        check_unchanged();                                                 \
        filch_cancel_clear(&token);                                        \
        assert_int_equal(call(function, none, 0, &cancelled), 0);          \
        assert_int_equal(call(function, odd, 0, NULL), 0);                 \
        check_unchanged();                                                 \
        assert_int_equal(call(function, x, MANY, &cancelled), 0);          \
        assert_true(memcmp(&keys, &keys_before, sizeof keys) != 0 ||       \
                    memcmp(values, values_before, sizeof values) != 0);    \
    } while (0)

/* As many keys as there may be: no memory has room for them twice. */
#define MOST(x) (SIZE_MAX / sizeof *(x))

static void refused_sorts_change_nothing(void **state)
{
    CHECK(KEYS, filch_sort_keys_int32, int32_t, keys.int32);
    CHECK(KEYS, filch_sort_keys_int64, int64_t, keys.int64);
    CHECK(KEYS, filch_sort_keys_uint32, uint32_t, keys.uint32);
    CHECK(KEYS, filch_sort_keys_uint64, uint64_t, keys.uint64);
    CHECK(KEYS, filch_sort_keys_float, float, keys.single);
    CHECK(KEYS, filch_sort_keys_double, double, keys.twice);
    fill_arrays();
    assert_int_equal(filch_sort_keys(keys.uint32, MOST(keys.uint32), .pool = *state),
                     -ENOMEM);
    assert_int_equal(filch_sort_keys(keys.twice, MOST(keys.twice), .pool = *state),
                     -ENOMEM);
    check_unchanged();
}

static void refused_sorts_of_pairs_change_nothing(void **state)
{
    double *nothing = NULL;
    struct {
        char bytes[16];
    } wide[3];

    CHECK(PAIRS, filch_sort_pairs_int32, int32_t, keys.int32);
    CHECK(PAIRS, filch_sort_pairs_int64, int64_t, keys.int64);
    CHECK(PAIRS, filch_sort_pairs_uint32, uint32_t, keys.uint32);
    CHECK(PAIRS, filch_sort_pairs_uint64, uint64_t, keys.uint64);
    CHECK(PAIRS, filch_sort_pairs_float, float, keys.single);
    CHECK(PAIRS, filch_sort_pairs_double, double, keys.twice);
    fill_arrays();
    assert_int_equal(filch_sort_pairs(keys.int32, nothing, 2), -EINVAL);
    assert_int_equal(filch_sort_pairs(keys.int32, wide, 2), -EINVAL);
    assert_int_equal(filch_sort_pairs_int32(keys.int32, values, 0, 2, NULL), -EINVAL);
    assert_int_equal(filch_sort_pairs(keys.int32, keys.int32 + 1, 2), -EINVAL);
    assert_int_equal(filch_sort_pairs(keys.int32 + 1, keys.int32, 2), -EINVAL);
    assert_int_equal(filch_sort_pairs(keys.int32, values, SIZE_MAX / 4), -EINVAL);
    check_unchanged();
    keys.int32[0] = keys.int32[1] = keys.int32[2] = 3;
    assert_int_equal(filch_sort_pairs(keys.int32, keys.int32 + 2, 2), 0);
    assert_int_equal(filch_sort_pairs(keys.int32 + 2, keys.int32, 2), 0);
    /* Any type of these sizes will do. */
    assert_int_equal(filch_sort_pairs(keys.int32, keys.single + 2, 2, .pool = *state), 0);
}

/* Types of 8 bytes, and of 4, may be at any address. */
static void values_may_lie_at_odd_addresses(void **state)
{
    enum { FEW = 100 };
    static const size_t counts[] = {2, FEW, MANY};
    size_t c, i;

    for (c = 0; c < COUNT_OF(counts); c++) {
        size_t n = counts[c];
        char *wide = malloc(8 * n + 4), *small = malloc(4 * n + 1);

        for (i = 0; i < n; i++) {
            uint64_t value = n - i;
            uint32_t low = (uint32_t)value;

            keys.uint32[i] = (uint32_t)(n - i);
            memcpy(wide + 4 + 8 * i, &value, sizeof value);
            memcpy(small + 1 + 4 * i, &low, sizeof low);
        }
        keys.uint32[0] = 0; /* not in reverse order */
        memset(wide + 4, 0, 8);
        memset(small + 1, 0, 4);
        keys_before = keys;
        assert_int_equal(filch_sort_pairs_uint32(keys.uint32, wide + 4, 8, n,
                                                 FILCH_OPTS(NULL, .pool = *state)),
                         0);
        keys = keys_before;
        assert_int_equal(filch_sort_pairs_uint32(keys.uint32, small + 1, 4, n,
                                                 FILCH_OPTS(NULL, .pool = *state)),
                         0);
        for (i = 0; i < n; i++) {
            uint64_t value;
            uint32_t low;

            memcpy(&value, wide + 4 + 8 * i, sizeof value);
            memcpy(&low, small + 1 + 4 * i, sizeof low);
            assert_int_equal(keys.uint32[i], i);
            assert_int_equal(value, i);
            assert_int_equal(low, i);
        }
        free(wide);
        free(small);
    }
}

static void refused_sorts_of_places_change_nothing(void **state)
{
    size_t *nowhere = NULL;

    CHECK(PLACES, filch_argsort_int32, int32_t, keys.int32);
    CHECK(PLACES, filch_argsort_int64, int64_t, keys.int64);
    CHECK(PLACES, filch_argsort_uint32, uint32_t, keys.uint32);
    CHECK(PLACES, filch_argsort_uint64, uint64_t, keys.uint64);
    CHECK(PLACES, filch_argsort_float, float, keys.single);
    CHECK(PLACES, filch_argsort_double, double, keys.twice);
    fill_arrays();
    assert_int_equal(filch_argsort(keys.int32, 2, nowhere), -EINVAL);
    assert_int_equal(filch_argsort(keys.uint64, 3, (size_t *)keys.uint64 + 2), -EINVAL);
    assert_int_equal(filch_argsort(keys.uint64 + 2, 3, (size_t *)keys.uint64), -EINVAL);
    assert_int_equal(filch_argsort(keys.int32, 2, (size_t *)(void *)(keys.bytes + 41)),
                     -EINVAL);
    assert_int_equal(filch_argsort(keys.int32, SIZE_MAX / 4, values), -EINVAL);
    check_unchanged();
}

static void refused_sorts_of_ranges_change_nothing(void **state)
{
    CHECK(RANGE, filch_sort_range_int32, int32_t, keys.int32);
    CHECK(RANGE, filch_sort_range_int64, int64_t, keys.int64);
    CHECK(RANGE, filch_sort_range_uint32, uint32_t, keys.uint32);
    CHECK(RANGE, filch_sort_range_uint64, uint64_t, keys.uint64);
    CHECK(RANGE, filch_sort_range_float, float, keys.single);
    CHECK(RANGE, filch_sort_range_double, double, keys.twice);
    fill_arrays();
    assert_int_equal(filch_sort_range(keys.int32, 5, 2, 1), -EINVAL);
    assert_int_equal(filch_sort_range(keys.int32, 5, 2, 6), -EINVAL);
    assert_int_equal(filch_sort_range(keys.int32, 5, 6, 6, .pool = *state), -EINVAL);
    assert_int_equal(filch_sort_range(keys.int32, MOST(keys.int32), 0, 1), -ENOMEM);
    check_unchanged();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(refused_sorts_change_nothing),
        ON_POOLS(refused_sorts_of_pairs_change_nothing),
        ON_POOL(values_may_lie_at_odd_addresses, 2),
        ON_POOLS(refused_sorts_of_places_change_nothing),
        ON_POOLS(refused_sorts_of_ranges_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
