/* test_sort_range_by.c - what sort_by.h promises of filch_sort_range_by.
 *
 * The oracle is qsort by key and place. aligned_alloc is replaced, to have no memory.
 */
#include "pools.h"

static atomic_int failing; /* so many allocations from now on; 0: none */

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    if (atomic_load(&failing) && atomic_fetch_sub(&failing, 1) == 1)
        return NULL;
    return __real_aligned_alloc(align, bytes);
}

struct item {
    uint32_t key, place;
};

static int by_key(const void *left, const void *right, void *ctx)
{
    const struct item *a = left, *b = right;

    if (ctx)
        atomic_fetch_add((atomic_size_t *)ctx, 1);
    return (a->key > b->key) - (a->key < b->key);
}

static int by_key_and_place(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    int order = by_key(a, b, NULL);

    return order ? order : (a->place > b->place) - (a->place < b->place);
}

enum pattern {
    RANDOM,
    FEW_KEYS,
    TWO_KEYS,
    EQUAL,
    ASCENDING,
    DESCENDING,
    HIDDEN,
    PATTERNS
};

static void fill(struct item *x, size_t n, enum pattern pattern, uint64_t *random)
{
    size_t i;

    for (i = 0; i < n; i++) {
        uint64_t r = random_next(random);
        uint32_t keys[PATTERNS] = {
            [RANDOM] = (uint32_t)r,
            [FEW_KEYS] = (uint32_t)(r % 20),
            [TWO_KEYS] = (uint32_t)(r % 2),
            [EQUAL] = 7,
            [ASCENDING] = (uint32_t)i,
            [DESCENDING] = (uint32_t)(n - i),
            /* Least ones that hardly any sample shows. */
            [HIDDEN] = i % 500 == 77 ? 0 : (uint32_t)(r | 1),
        };

        x[i] = (struct item){keys[pattern], (uint32_t)i};
    }
}

/* Each item once? */
static void check_items(const struct item *x, size_t n)
{
    char *seen = calloc(n + 1, 1);
    size_t i;

    for (i = 0; i < n; i++) {
        assert_in_range(x[i].place, 0, n - 1);
        assert_int_equal(seen[x[i].place]++, 0);
    }
    free(seen);
}

static void check_range(const struct item *x, const struct item *sorted, struct item *y,
                        size_t n, size_t begin, size_t end, filch_pool *pool)
{
    size_t i;

    memcpy(y, x, n * sizeof *x);
    assert_int_equal(
        filch_sort_range_by(y, n, sizeof *y, begin, end, by_key, NULL, .pool = pool), 0);
    check_items(y, n);
    if (begin == end)
        return;
    for (i = 0; i < begin; i++)
        assert_true(y[i].key <= sorted[begin].key);
    for (i = end; i < n; i++)
        assert_true(y[i].key >= sorted[end - 1].key);
    assert_memory_equal(y + begin, sorted + begin, (end - begin) * sizeof *y);
}

static void ranges_of_all_patterns_are_sorted(void **state)
{
    static const size_t counts[] = {0, 1, 10, 2048, 2049, 5000, 30011};
    uint64_t random = seed_print();
    int pattern;
    size_t c, round;

    for (c = 0; c < COUNT_OF(counts); c++)
        for (pattern = 0; pattern < PATTERNS; pattern++) {
            size_t n = counts[c];
            struct item *x = malloc((n + 1) * sizeof *x);
            struct item *y = malloc((n + 1) * sizeof *y);
            struct item *sorted = malloc((n + 1) * sizeof *sorted);

            fill(x, n, (enum pattern)pattern, &random);
            memcpy(sorted, x, n * sizeof *x);
            qsort(sorted, n, sizeof *sorted, by_key_and_place);
            check_range(x, sorted, y, n, 0, n, *state);
            check_range(x, sorted, y, n, 0, n / 100, *state);
            check_range(x, sorted, y, n, n / 2, n / 2 + (n > 0), *state);
            check_range(x, sorted, y, n, n - n / 100, n, *state);
            for (round = 0; round < 4; round++) {
                size_t begin = random_below(&random, n + 1);
                size_t end = begin + random_below(&random, n - begin + 1);

                check_range(x, sorted, y, n, begin, end, *state);
            }
            free(x);
            free(y);
            free(sorted);
        }
}

#define MANY 200000

static void a_median_costs_less_than_a_sort(void **state)
{
    struct item *x = malloc(MANY * sizeof *x);
    uint64_t random = seed_print();
    atomic_size_t count = 0;

    fill(x, MANY, RANDOM, &random);
    assert_int_equal(filch_sort_range_by(x, MANY, sizeof *x, MANY / 2, MANY / 2 + 1,
                                         by_key, &count, .pool = *state),
                     0);
    check_items(x, MANY);
    assert_in_range(count, 0, 5 * MANY);
    free(x);
}

/* Of few items the sample is a large part. Not all are a multiple of its number. */
static void ranges_of_few_items_cost_less_than_a_sort(void **state)
{
    static const size_t sizes[] = {3071, 4095, 8000};
    static struct item x[8000];
    uint64_t random = seed_print();
    size_t s, way;

    for (s = 0; s < COUNT_OF(sizes); s++)
        for (way = 0; way < 3; way++) {
            size_t n = sizes[s], begin = way == 0 ? 0 : way == 1 ? n / 2 : n - 10;
            atomic_size_t count = 0;

            fill(x, n, RANDOM, &random);
            assert_int_equal(filch_sort_range_by(x, n, sizeof *x, begin, begin + 10,
                                                 by_key, &count, .pool = *state),
                             0);
            check_items(x, n);
            assert_in_range(count, 0, 8 * n);
        }
}

static int lie(const void *left, const void *right, void *ctx)
{
    const struct item *a = left, *b = right;

    return (int)((a->key * 7 + b->place + (uint32_t)(*(unsigned *)ctx)) % 3) - 1;
}

static void a_comparison_that_contradicts_itself_loses_no_item(void **state)
{
    struct item *x = malloc(MANY / 10 * sizeof *x);
    uint64_t random = seed_print();
    unsigned way;

    for (way = 0; way < 3; way++) {
        fill(x, MANY / 10, RANDOM, &random);
        assert_int_equal(filch_sort_range_by(x, MANY / 10, sizeof *x, 700, 1900, lie,
                                             &way, .pool = *state),
                         0);
        check_items(x, MANY / 10);
    }
    free(x);
}

struct stop {
    atomic_size_t left;
    filch_cancel cancel;
};

static int stop_later(const void *left, const void *right, void *ctx)
{
    struct stop *stop = ctx;

    if (atomic_fetch_sub(&stop->left, 1) == 1)
        filch_cancel_set(&stop->cancel);
    return by_key(left, right, NULL);
}

static void a_cancelled_sort_keeps_each_item(void **state)
{
    struct item *x = malloc(MANY / 10 * sizeof *x);
    uint64_t random = seed_print();
    size_t after;

    for (after = 1; after < MANY; after *= 3) {
        struct stop stop = {.left = after};
        int err;

        fill(x, MANY / 10, RANDOM, &random);
        err = filch_sort_range_by(x, MANY / 10, sizeof *x, 700, 1900, stop_later, &stop,
                                  .pool = *state, .cancel = &stop.cancel);
        assert_int_equal(err, filch_cancel_is_set(&stop.cancel) ? -ECANCELED : 0);
        check_items(x, MANY / 10);
    }
    free(x);
}

static void refused_sorts_change_nothing(void **state)
{
    static struct item x[3000], y[3000];
    uint64_t random = seed_print();
    filch_opts foreign = {.struct_size = 1};
    filch_cancel cancel = {0};
    struct item *nowhere = NULL;

    fill(x, 3000, RANDOM, &random);
    memcpy(y, x, sizeof x);
    assert_int_equal(filch_sort_range_by(x, 9, 8, 2, 1, by_key, NULL), -EINVAL);
    assert_int_equal(filch_sort_range_by(x, 9, 8, 2, 10, by_key, NULL), -EINVAL);
    assert_int_equal(filch_sort_range_by(x, 9, 0, 0, 1, by_key, NULL), -EINVAL);
    assert_int_equal(filch_sort_range_by(x, 9, 8, 0, 1, NULL, NULL), -EINVAL);
    assert_int_equal(filch_sort_range_by(nowhere, 9, 8, 0, 1, by_key, NULL), -EINVAL);
    assert_int_equal(filch_sort_range_by(x, SIZE_MAX / 8, 8, 0, 1, by_key, NULL),
                     -EINVAL);
    assert_int_equal(filch_sort_range_by_with(x, 9, 8, 0, 1, by_key, &foreign), -EINVAL);
    assert_int_equal(filch_sort_range_by(x, SIZE_MAX / 16, 8, 0, 1, by_key, NULL),
                     -ENOMEM);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort_range_by(x, 3000, 8, 0, 10, by_key, NULL, .pool = *state),
                     -ENOMEM);
    atomic_store(&failing, 0);
    filch_cancel_set(&cancel);
    assert_int_equal(
        filch_sort_range_by(x, 3000, 8, 0, 10, by_key, NULL, .cancel = &cancel),
        -ECANCELED);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(filch_sort_range_by(nowhere, 0, 8, 0, 0, by_key, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(ranges_of_all_patterns_are_sorted),
        ON_POOLS(a_median_costs_less_than_a_sort),
        ON_POOLS(ranges_of_few_items_cost_less_than_a_sort),
        ON_POOLS(a_comparison_that_contradicts_itself_loses_no_item),
        ON_POOLS(a_cancelled_sort_keeps_each_item),
        ON_POOLS(refused_sorts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
