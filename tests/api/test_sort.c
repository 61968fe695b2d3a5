/* test_sort.c - what sort.h promises, for all types of keys, against qsort.
 *
 * With the vector code of the processor and without: the library asks fl_has_avx2, which
 * is replaced here. So is aligned_alloc, to have no memory.
 */
#include "pools.h"
#include <math.h>

#define FL_LEAST(a, b) ((a) < (b) ? (a) : (b))

/* --- what is replaced --------------------------------------------------------------- */

static atomic_bool is_plain;            /* no vectors */
static atomic_int allocations, failing; /* the failing-th of them; 0: none */

bool __real_fl_has_avx2(void);
bool __wrap_fl_has_avx2(void);
bool __wrap_fl_has_avx2(void)
{
    return !atomic_load(&is_plain) && __real_fl_has_avx2();
}

/* A step of a sort of many keys, which is to be cancelled in the middle of. */
static filch_cancel *_Atomic cancelled_by_step;
static atomic_int steps;

filch_body __real_fl_sort_count, __wrap_fl_sort_count;
int __wrap_fl_sort_count(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    filch_cancel *token = atomic_load(&cancelled_by_step);

    if (token && atomic_fetch_sub(&steps, 1) == 1)
        filch_cancel_set(token);
    return __real_fl_sort_count(w, begin, end, ctx);
}

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    if (atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&failing))
        return NULL;
    return __real_aligned_alloc(align, bytes);
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

/* Not shared: the pool has no say. */
static void few_keys_of_all_patterns_are_sorted(void **state)
{
    size_t sizes[100], count = 0, n;
    filch_pool *pool = NULL;
    int plain;

    (void)state;
    for (n = 0; n < 70; n++)
        sizes[count++] = n;
    for (n = 90; n < 4000; n += n / 4)
        sizes[count++] = n;
    for (plain = 0; plain < 2; plain++) {
        atomic_store(&is_plain, plain != 0);
        check_types(sizes, count, &pool, 1);
    }
    atomic_store(&is_plain, false);
}

static void more_keys_than_fit_the_stack_are_sorted(void **state)
{
    static const size_t sizes[] = {4096, 20011, 100003};
    filch_pool *pool = NULL;

    (void)state;
    check_types(sizes, COUNT_OF(sizes), &pool, 1);
}

/* Every way to share: buckets even and not, too large ones, keys in order. */
static void many_keys_of_all_patterns_are_sorted(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    static const size_t sizes[] = {65537, 140001};
    filch_pool *pool[COUNT_OF(workers)];
    size_t p, count = COUNT_OF(workers);

    (void)state;
    for (p = 0; p < count; p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = workers[p])), 0);
    check_types(IS_TSAN || IS_EMULATED ? sizes : sizes + 1, 1, pool, count);
    for (p = 0; p < count; p++)
        filch_pool_destroy(pool[p]);
}

#define MANY ((size_t)1000000)

static void a_million_keys_are_sorted(void **state)
{
    uint32_t *x = malloc(MANY * sizeof *x), *y = malloc(MANY * sizeof *y);
    uint64_t random = seed_print();
    size_t *count = calloc(65536, sizeof *count), i, at = 0, value;
    int round;

    for (round = 0; round < 2; round++) {
        memset(count, 0, 65536 * sizeof *count);
        for (i = 0; i < MANY; i++) {
            value = round ? random_next(&random) >> 48
                          : random_next(&random) >> 48 & random_next(&random) >> 48;
            count[value]++;
            x[i] = (uint32_t)(value * 65537);
        }
        assert_int_equal(filch_sort_keys(x, MANY, .pool = *state), 0);
        for (at = value = 0; value < 65536; at += count[value++])
            for (i = 0; i < count[value]; i++)
                assert_int_equal(x[at + i], value * 65537);
    }
    free(x);
    free(y);
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

/* --- options ------------------------------------------------------------------------- */

static uint64_t many[MANY / 4], sorted[MANY / 4];
#define SOME (MANY / 4)

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Half of them in two small ranges, so that there are buckets to be spread again. */
static void fill_some(void)
{
    uint64_t random = seed_print();
    size_t i;

    for (i = 0; i < SOME; i++) {
        many[i] = random_next(&random);
        if (i % 2)
            many[i] = (UINT64_C(1) << (i % 4 == 1 ? 40 : 60)) + many[i] % 100000;
    }
    memcpy(sorted, many, sizeof many);
    qsort(sorted, SOME, sizeof *sorted, by_value);
}

/* Each as often as it was. */
static void check_items(uint64_t *x)
{
    qsort(x, SOME, sizeof *x, by_value);
    assert_memory_equal(x, sorted, sizeof sorted);
}

/* Each allocation in turn, until all succeed. */
static void without_memory_nothing_is_changed(void **state)
{
    uint64_t *x = malloc(sizeof many);
    uint64_t *values = malloc(sizeof many), *index = malloc(sizeof many);
    int at, err = -ENOMEM, failures = 0;
    size_t i;

    fill_some();
    for (at = 1; err; at++) {
        memcpy(x, many, sizeof many);
        for (i = 0; i < SOME; i++)
            values[i] = ~many[i];
        atomic_store(&allocations, 0);
        atomic_store(&failing, at);
        err = filch_sort_pairs(x, values, SOME, .pool = *state);
        atomic_store(&failing, 0);
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_memory_equal(x, many, sizeof many);
            failures++;
        }
        for (i = 0; i < SOME; i++)
            assert_int_equal(values[i], ~x[i]);
    }
    assert_memory_equal(x, sorted, sizeof sorted);
    assert_int_equal(failures, 3); /* the third is for what is spread again */
    memcpy(x, many, sizeof many);
    atomic_store(&allocations, 0);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort_keys(x, SOME, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_keys(x, 10000, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_argsort(x, 10000, (size_t *)index, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_range(x, SOME, 0, 10, .pool = *state), -ENOMEM);
    assert_memory_equal(x, many, sizeof many);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_keys(x, 1000, .pool = *state), 0); /* needs none */
    atomic_store(&failing, 0);
    free(x);
    free(values);
    free(index);
}

struct stop {
    filch_cancel cancel;
    size_t after, calls;
};

static int stop_progress(size_t done, size_t total, void *ctx)
{
    struct stop *stop = ctx;

    (void)done;
    (void)total;
    return ++stop->calls > stop->after ? 7 : 0;
}

#define ROUNDS 20

static void *set_token(void *arg)
{
    struct stop *stop = arg;

    sleep_us((long)stop->after);
    filch_cancel_set(&stop->cancel);
    return NULL;
}

static void a_cancelled_sort_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    size_t round, ended = 0;

    fill_some();
    for (round = 0; round < ROUNDS; round++) {
        struct stop stop = {.after = round * (IS_TSAN || IS_ASAN ? 4000 : 300)};
        pthread_t thread;
        int err;

        memcpy(x, many, sizeof many);
        assert_int_equal(pthread_create(&thread, NULL, set_token, &stop), 0);
        err = filch_sort_keys(x, SOME, .pool = *state, .cancel = &stop.cancel);
        pthread_join(thread, NULL);
        assert_true(err == 0 || err == -ECANCELED);
        ended += err != 0;
        if (err)
            check_items(x);
        else
            assert_memory_equal(x, sorted, sizeof sorted);
    }
    print_message("%zu of %d ended early\n", ended, ROUNDS);
    free(x);
}

/* At each of the calls that count, in the first pass and in later ones. */
static void a_sort_that_is_cancelled_in_any_pass_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    int step, err = -ECANCELED;

    fill_some();
    for (step = 1; err; step++) {
        filch_cancel token = {0};

        memcpy(x, many, sizeof many);
        atomic_store(&steps, step);
        atomic_store(&cancelled_by_step, &token);
        err = filch_sort_keys(x, SOME, .pool = *state, .cancel = &token);
        atomic_store(&cancelled_by_step, NULL);
        assert_true(err == 0 || err == -ECANCELED);
        if (err)
            check_items(x);
    }
    assert_memory_equal(x, sorted, sizeof sorted);
    assert_true(step > 3); /* three passes or more */
    free(x);
}

static void a_sort_that_progress_ends_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    size_t round;

    fill_some();
    for (round = 0; round < 5; round++) {
        struct stop stop = {.after = round};
        int err;

        memcpy(x, many, sizeof many);
        err = filch_sort_keys(x, SOME, .pool = *state, .progress = stop_progress,
                              .progress_ms = 1, .ctx = &stop);
        assert_true(err == (stop.calls > stop.after ? 7 : 0));
        if (err)
            check_items(x);
        else
            assert_memory_equal(x, sorted, sizeof sorted);
    }
    free(x);
}

static int sort_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    uint64_t *x = malloc(sizeof many);
    int err;

    (void)begin;
    (void)end;
    memcpy(x, ctx, sizeof many);
    err = filch_sort_keys(x, SOME, .worker = w) || memcmp(x, sorted, sizeof sorted) != 0;
    free(x);
    return err;
}

static void a_sort_runs_inside_a_body(void **state)
{
    fill_some();
    assert_int_equal(filch_for(0, 6, sort_inside, many, .pool = *state, .max_chunk = 1),
                     0);
}

static void a_limit_of_workers_changes_nothing(void **state)
{
    uint64_t *x = malloc(sizeof many);
    uint32_t limit;

    fill_some();
    for (limit = 0; limit < 4; limit++) {
        memcpy(x, many, sizeof many);
        assert_int_equal(filch_sort_keys(x, SOME, .pool = *state, .max_workers = limit,
                                         .grain = 3, .max_chunk = 5),
                         0);
        assert_memory_equal(x, sorted, sizeof sorted);
    }
    free(x);
}

/* What a range leaves outside is the same every time. */
static void a_range_leaves_the_same_on_any_pool(void **state)
{
    uint64_t *x = malloc(sizeof many), *y = malloc(sizeof many);

    fill_some();
    memcpy(x, many, sizeof many);
    memcpy(y, many, sizeof many);
    assert_int_equal(filch_sort_range(x, SOME, 1000, 2000, .max_workers = 1), 0);
    assert_int_equal(filch_sort_range(y, SOME, 1000, 2000, .pool = *state), 0);
    assert_memory_equal(x, y, sizeof many);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_keys_of_all_patterns_are_sorted),
        cmocka_unit_test(more_keys_than_fit_the_stack_are_sorted),
        cmocka_unit_test(many_keys_of_all_patterns_are_sorted),
        ON_POOLS(a_million_keys_are_sorted),
        ON_POOL(more_keys_than_caches_hold_are_sorted, 1),
        ON_POOL(more_keys_than_caches_hold_are_sorted, 3),
        ON_POOLS(the_place_of_each_million_of_equal_keys_is_kept),
        ON_POOLS(without_memory_nothing_is_changed),
        ON_POOLS(a_cancelled_sort_keeps_all_items),
        ON_POOLS(a_sort_that_is_cancelled_in_any_pass_keeps_all_items),
        ON_POOLS(a_sort_that_progress_ends_keeps_all_items),
        ON_POOLS(a_sort_runs_inside_a_body),
        ON_POOLS(a_limit_of_workers_changes_nothing),
        ON_POOLS(a_range_leaves_the_same_on_any_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
