/* test_sort.c - what sort.h promises of orders, for all types of keys, against qsort.
 *
 * Few keys with the vector code of the processor and without: the library asks
 * fl_has_avx2, which is replaced here. What calls promise beside: test_sort_calls.c.
 */
#include "pools.h"
#include <math.h>

#define IS_SLOW (IS_TSAN || IS_EMULATED)

#define FL_LEAST(a, b) ((a) < (b) ? (a) : (b))

static atomic_bool is_plain; /* no vectors */

bool __real_fl_has_avx2(void);
bool __wrap_fl_has_avx2(void);
bool __wrap_fl_has_avx2(void)
{
    return !atomic_load(&is_plain) && __real_fl_has_avx2();
}

/* --- keys ---------------------------------------------------------------------------- */

enum pattern {
    BITS_OF_ALL_KINDS,
    EDGES,
    ASCENDING,
    ALMOST_ASCENDING,
    DESCENDING,
    DESCENDING_TWICE,
    ALMOST_DESCENDING,
    EQUAL,
    TWO,
    SIXTEEN,
    ORGAN_PIPE,
    SAWTOOTH,
    KILLER,
    POWERS,
    CLUSTERS,
    CLUSTERS_IN_CLUSTERS,
    SPREAD,
    PATTERNS
};

static size_t turn; /* of pools */

#define IS_FLOATING 1

#define ELEMENT    float
#define BITS       uint32_t
#define NAME(name) name##_float
#include "sort_of.h"

#define ELEMENT    double
#define BITS       uint64_t
#define NAME(name) name##_double
#include "sort_of.h"

#undef IS_FLOATING
#define IS_FLOATING 0

#define ELEMENT    int32_t
#define BITS       uint32_t
#define NAME(name) name##_int32
#include "sort_of.h"

#define ELEMENT    int64_t
#define BITS       uint64_t
#define NAME(name) name##_int64
#include "sort_of.h"

#define ELEMENT    uint32_t
#define BITS       uint32_t
#define NAME(name) name##_uint32
#include "sort_of.h"

#define ELEMENT    uint64_t
#define BITS       uint64_t
#define NAME(name) name##_uint64
#include "sort_of.h"

static void check_types(const size_t *sizes, size_t count, filch_pool **pools,
                        size_t pool_count)
{
    check_all_float(sizes, count, pools, pool_count);
    check_all_double(sizes, count, pools, pool_count);
    check_all_int32(sizes, count, pools, pool_count);
    check_all_int64(sizes, count, pools, pool_count);
    check_all_uint32(sizes, count, pools, pool_count);
    check_all_uint64(sizes, count, pools, pool_count);
}

/* Around the sizes where vector code ends (48), insertion (20), what has no look at the
 * order (64), and what lies on the stack (8 KB). Not shared: no pool is made. */
static void few_keys_of_all_patterns_are_sorted(void **state)
{
    static const size_t more[] = {63, 64, 65, 66, 130, 513, 1025, 2049, 5003};
    size_t sizes[64], few = 0, i;
    filch_pool *pool = NULL;

    (void)state;
    while (few < 52) {
        sizes[few] = few;
        few++;
    }
    for (i = 0; i < COUNT_OF(more); i++)
        sizes[few + i] = more[i];
    check_types(sizes, few + COUNT_OF(more), &pool, 1);
    /* Neighbours that are mended may be few, too. */
    atomic_store(&is_plain, true);
    sizes[few] = 130;
    check_types(sizes, few + 1, &pool, 1);
    atomic_store(&is_plain, false);
}

/* In three passes, the most there are. What one thread does is slow to watch. */
static void as_many_keys_as_one_thread_sorts_are_sorted(void **state)
{
    static const size_t size = IS_SLOW ? 5003 : 70001;
    filch_pool *pool = NULL;

    (void)state;
    check_all_uint32(&size, 1, &pool, 1);
}

/* Every way to share: buckets even and not, too large ones, keys in order. All of that
 * knows records, of which there are three kinds: a type or two of each size will do. */
static void many_keys_of_all_patterns_are_sorted(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    static const size_t size = 65537, small_keys = IS_SLOW ? 65537 : 140001;
    filch_pool *pool[COUNT_OF(workers)];
    size_t p, count = COUNT_OF(workers);

    (void)state;
    for (p = 0; p < count; p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = workers[p])), 0);
    check_all_float(&small_keys, 1, pool, count);
    check_all_uint64(&size, 1, pool, count);
    if (!IS_SLOW) {
        check_all_uint32(&small_keys, 1, pool, count);
        check_all_double(&size, 1, pool, count);
    }
    for (p = 0; p < count; p++)
        filch_pool_destroy(pool[p]);
}

#define MANY ((size_t)1000000)

static void a_million_keys_are_sorted(void **state)
{
    uint32_t *x = malloc(MANY * sizeof *x);
    uint64_t random = seed_print();
    size_t *count = calloc(65536, sizeof *count), i, at = 0, value;
    int round;

    for (round = 0; round < 2; round++) {
        memset(count, 0, 65536 * sizeof *count);
        for (i = 0; i < MANY; i++) {
            value = round ? random_next(&random) >> 48
                          : random_next(&random) >> 48 & random_next(&random) >> 32;
            count[value]++;
            x[i] = (uint32_t)(value * 65537);
        }
        assert_int_equal(filch_sort_keys(x, MANY, .pool = *state), 0);
        for (at = value = 0; value < 65536; at += count[value++])
            for (i = 0; i < count[value]; i++)
                assert_int_equal(x[at + i], value * 65537);
    }
    free(x);
    free(count);
}

/* They are written past the caches. */
static void more_keys_than_caches_hold_are_sorted(void **state)
{
    const size_t n = 2200000;
    uint64_t *x = malloc(n * sizeof *x);
    uint64_t random = seed_print(), sum = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        x[i] = random_next(&random);
        sum += x[i] * (x[i] >> 32 | 1);
    }
    assert_int_equal(filch_sort_keys(x, n, .pool = *state), 0);
    for (i = 0; i < n; i++) {
        assert_true(i == 0 || x[i - 1] <= x[i]);
        sum -= x[i] * (x[i] >> 32 | 1);
    }
    assert_int_equal(sum, 0);
    free(x);
}

static void the_place_of_each_million_of_equal_keys_is_kept(void **state)
{
    int32_t *x = malloc(MANY * sizeof *x);
    size_t *index = malloc(MANY * sizeof *index), i;
    uint64_t random = seed_print();

    for (i = 0; i < MANY; i++)
        x[i] = (int32_t)(random_next(&random) % 7) - 3;
    assert_int_equal(filch_argsort(x, MANY, index, .pool = *state), 0);
    for (i = 1; i < MANY; i++)
        assert_true(x[index[i - 1]] < x[index[i]] ||
                    (x[index[i - 1]] == x[index[i]] && index[i - 1] < index[i]));
    free(x);
    free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_keys_of_all_patterns_are_sorted),
        cmocka_unit_test(as_many_keys_as_one_thread_sorts_are_sorted),
        cmocka_unit_test(many_keys_of_all_patterns_are_sorted),
        ON_POOL(a_million_keys_are_sorted, 1),
        ON_POOL(a_million_keys_are_sorted, 3),
        ON_POOL(more_keys_than_caches_hold_are_sorted, 3),
        ON_POOL(the_place_of_each_million_of_equal_keys_is_kept, 1),
        ON_POOL(the_place_of_each_million_of_equal_keys_is_kept, 4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
