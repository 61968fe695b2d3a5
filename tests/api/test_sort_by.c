/* test_sort_by.c - what sort_by.h promises of filch_sort and filch_argsort_by.
 *
 * The oracle is qsort, of pointers to the items: those that are equal in the order of
 * their places.
 */
#include "pools.h"

/* --- items -------------------------------------------------------------------------- */

enum pattern {
    RANDOM,
    ASCENDING,
    ALMOST_ASCENDING,
    DESCENDING,
    DESCENDING_TWICE,
    EQUAL,
    TWO,
    SIXTEEN,
    ORGAN_PIPE,
    SAWTOOTH,
    RUNS,
    PATTERNS
};

/* The two lowest bits of a key do not count: so equal items of any size differ. */
static uint32_t key_of(const void *item, size_t bytes)
{
    uint32_t key = 0;

    memcpy(&key, item, bytes < 4 ? bytes : 4);
    return key & ~3u;
}

/* ctx: the size of an item. */
static int by_key(const void *a, const void *b, void *ctx)
{
    uint32_t x = key_of(a, *(size_t *)ctx), y = key_of(b, *(size_t *)ctx);

    return (x > y) - (x < y);
}

static void fill(char *x, size_t n, size_t bytes, enum pattern pattern, uint64_t *random)
{
    size_t i, j, run = 0, value = 0;

    for (i = 0; i < n; i++) {
        uint64_t r = random_next(random);
        uint32_t key = 0;

        switch (pattern) {
        case RANDOM:
            value = r >> 32;
            break;
        case ASCENDING:
            value = i;
            break;
        case ALMOST_ASCENDING:
            value = i + 1 == n ? n / 3 : i;
            break;
        case DESCENDING:
            value = n - i;
            break;
        case DESCENDING_TWICE:
            value = (n - i) / 2;
            break;
        case EQUAL:
            value = 9;
            break;
        case TWO:
            value = r >> 63;
            break;
        case SIXTEEN:
            value = r >> 60;
            break;
        case ORGAN_PIPE:
            value = i < n / 2 ? i : n - i;
            break;
        case SAWTOOTH:
            value = i % 1000;
            break;
        case RUNS:
        case PATTERNS:
            if (run-- == 0)
                run = r % 700, value = (r >> 20) % 100000;
            value += r >> 62;
            break;
        }
        key = (uint32_t)(value << 2 | (r & 3));
        for (j = 0; j < bytes; j++)
            x[i * bytes + j] = (char)(i >> (j % 4 * 8));
        memcpy(x + i * bytes, &key, bytes < 4 ? bytes : 4);
    }
}

/* --- oracle ------------------------------------------------------------------------- */

static filch_compare *oracle_compare;
static void *oracle_ctx;

static int by_item_and_place(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    int order = oracle_compare(*a, *b, oracle_ctx);

    return order ? order : (*a > *b) - (*a < *b);
}

/* Pointers to the items of x, in order. To be freed. */
static const char **ordered(const char *x, size_t n, size_t bytes, filch_compare *compare,
                            void *ctx)
{
    const char **sorted = malloc((n + 1) * sizeof *sorted);
    size_t i;

    for (i = 0; i < n; i++)
        sorted[i] = x + i * bytes;
    oracle_compare = compare;
    oracle_ctx = ctx;
    qsort(sorted, n, sizeof *sorted, by_item_and_place);
    return sorted;
}

/* Sort n items, filled in such a way, on each pool, in both ways. */
static void check_pattern(size_t n, size_t bytes, enum pattern pattern,
                          filch_pool **pools, size_t pool_count, uint64_t *random)
{
    char *x = malloc(n * bytes + 1), *y = malloc(n * bytes + 1);
    size_t *index = malloc((n + 1) * sizeof *index), i, p;
    const char **sorted;

    fill(x, n, bytes, pattern, random);
    sorted = ordered(x, n, bytes, by_key, &bytes);
    for (p = 0; p < pool_count; p++) {
        memcpy(y, x, n * bytes);
        assert_int_equal(filch_sort(y, n, bytes, by_key, &bytes, .pool = pools[p]), 0);
        for (i = 0; i < n; i++)
            assert_memory_equal(y + i * bytes, sorted[i], bytes);
        memset(index, 0xff, n * sizeof *index);
        assert_int_equal(
            filch_argsort_by(x, n, bytes, index, by_key, &bytes, .pool = pools[p]), 0);
        for (i = 0; i < n; i++)
            assert_ptr_equal(x + index[i] * bytes, sorted[i]);
    }
    free(x);
    free(y);
    free(index);
    free(sorted);
}

/* --- sorting ------------------------------------------------------------------------ */

static void few_items_of_all_sizes_and_patterns_are_sorted(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 8, 11, 16, 24, 32, 40, 129, 200};
    uint64_t random = seed_print();
    filch_pool *pool = NULL;
    size_t s, n;
    int pattern;

    (void)state;
    for (s = 0; s < COUNT_OF(sizes); s++)
        for (pattern = 0; pattern < PATTERNS; pattern++)
            for (n = 0; n < 2048; n += n < 70 ? 1 : n / 2)
                check_pattern(n, sizes[s], (enum pattern)pattern, &pool, 1, &random);
}

static void many_items_are_sorted_in_the_same_way_by_any_number_of_workers(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    static const size_t sizes[] = {4, 8, 12, 16, 24, 32};
    uint64_t random = seed_print();
    filch_pool *pool[COUNT_OF(workers)];
    size_t s, p, count = IS_TSAN ? 2 : COUNT_OF(workers);
    int pattern;

    (void)state;
    for (p = 0; p < count; p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = workers[p])), 0);
    for (s = 0; s < COUNT_OF(sizes); s++)
        for (pattern = 0; pattern < PATTERNS; pattern++) {
            check_pattern(2049, sizes[s], (enum pattern)pattern, pool, count, &random);
            check_pattern(random_below(&random, 30000) + 3000, sizes[s],
                          (enum pattern)pattern, pool, count, &random);
        }
    for (p = 0; p < count; p++)
        filch_pool_destroy(pool[p]);
}

/* The two lowest bits do not count. */
static int by_word(const void *left, const void *right, void *ctx)
{
    uint64_t a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    (void)ctx;
    return (a >> 2 > b >> 2) - (a >> 2 < b >> 2);
}

static int by_string(const void *left, const void *right, void *ctx)
{
    const char *const *a = left, *const *b = right;

    (void)ctx;
    return strcmp(*a, *b);
}

/* Words that look like pointers are fetched, wherever they point to: nowhere, here. */
static void numbers_that_look_like_pointers_are_sorted(void **state)
{
    static const size_t counts[] = {2, 31, 64, 65, 2000, 2049, 70000};
    uint64_t random = seed_print();
    size_t c, i;

    for (c = 0; c < COUNT_OF(counts); c++) {
        size_t n = counts[c];
        uint64_t *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
        const char **sorted;

        for (i = 0; i < n; i++)
            x[i] = y[i] = (UINT64_C(1) << 40) + random_below(&random, 4 * n);
        sorted = ordered((char *)x, n, sizeof *x, by_word, NULL);
        assert_int_equal(filch_sort(y, n, sizeof *y, by_word, NULL, .pool = *state), 0);
        for (i = 0; i < n; i++)
            assert_memory_equal(&y[i], sorted[i], sizeof *y);
        free(sorted);
        free(y);
        free(x);
    }
}

static void pointers_to_strings_are_sorted_by_them_and_stably(void **state)
{
    static const size_t counts[] = {3, 40, 1000, 2049, 30000};
    static char names[30000][8];
    uint64_t random = seed_print();
    size_t c, i;

    for (i = 0; i < COUNT_OF(names); i++)
        snprintf(names[i], sizeof names[i], "%d", (int)random_below(&random, 9999));
    for (c = 0; c < COUNT_OF(counts); c++) {
        size_t n = counts[c];
        const char **x = malloc(n * sizeof *x);

        for (i = 0; i < n; i++)
            x[i] = names[i];
        assert_int_equal(filch_sort(x, n, sizeof *x, by_string, NULL, .pool = *state), 0);
        for (i = 1; i < n; i++) {
            int order = strcmp(x[i - 1], x[i]);

            assert_true(order < 0 || (order == 0 && x[i - 1] < x[i]));
        }
        free(x);
    }
}

#define MANY ((size_t)1000000)

static int by_number(const void *left, const void *right, void *ctx)
{
    const uint32_t *a = left, *b = right;

    (void)ctx;
    return (*a > *b) - (*a < *b);
}

static void a_million_items_are_sorted(void **state)
{
    uint32_t *x = malloc(MANY * sizeof *x);
    size_t *count = calloc(65536, sizeof *count), i, at = 0, value;
    uint64_t random = seed_print();

    for (i = 0; i < MANY; i++) {
        value = random_next(&random) >> 48;
        count[value]++;
        x[i] = (uint32_t)(value * 65537);
    }
    assert_int_equal(filch_sort(x, MANY, sizeof *x, by_number, NULL, .pool = *state), 0);
    for (value = 0; value < 65536; at += count[value++])
        for (i = 0; i < count[value]; i++)
            assert_int_equal(x[at + i], value * 65537);
    free(x);
    free(count);
}

/* --- comparisons -------------------------------------------------------------------- */

static int count_comparison(const void *a, const void *b, void *ctx)
{
    ++*(size_t *)ctx;
    return by_number(a, b, NULL);
}

static void comparisons_are_as_few_as_documented(void **state)
{
    static uint32_t x[1 << 17];
    uint64_t random = seed_print();
    size_t n, i, count, log;

    (void)state;
    for (log = 5, n = 32; n <= COUNT_OF(x); n *= 2, log++) {
        for (i = 0; i < n; i++)
            x[i] = (uint32_t)random_next(&random);
        count = 0;
        assert_int_equal(
            filch_sort(x, n, sizeof *x, count_comparison, &count, .max_workers = 1), 0);
        assert_in_range(count, 0, n * log);
        count = 0; /* in order now */
        assert_int_equal(
            filch_sort(x, n, sizeof *x, count_comparison, &count, .max_workers = 1), 0);
        assert_in_range(count, 0, 2 * n);
        for (i = 0; i < n; i++)
            x[i] = (uint32_t)(n - i);
        count = 0;
        assert_int_equal(
            filch_sort(x, n, sizeof *x, count_comparison, &count, .max_workers = 1), 0);
        assert_in_range(count, 0, 2 * n + 10);
    }
}

/* McIlroy's adversary ("A killer adversary for quicksort", 1999): an item has no value
 * until a comparison asks for one, and then the one that helps least. */
struct adversary {
    int *value;
    int gas, solid, candidate;
    size_t count;
};

static int freeze(const void *left, const void *right, void *ctx)
{
    struct adversary *adversary = ctx;
    int a = *(const int *)left, b = *(const int *)right, *value = adversary->value;

    adversary->count++;
    if (value[a] == adversary->gas && value[b] == adversary->gas)
        value[a == adversary->candidate ? a : b] = adversary->solid++;
    if (value[a] == adversary->gas)
        adversary->candidate = a;
    else if (value[b] == adversary->gas)
        adversary->candidate = b;
    return (value[a] > value[b]) - (value[a] < value[b]);
}

static void a_killer_of_quicksorts_costs_no_more(void **state)
{
    static const int counts[] = {100, 2000, 50000};
    size_t c;
    int i;

    (void)state;
    for (c = 0; c < COUNT_OF(counts); c++) {
        int n = counts[c], *x = malloc((size_t)n * sizeof *x);
        struct adversary adversary = {.value = malloc((size_t)n * sizeof *x), .gas = n};

        for (i = 0; i < n; i++) {
            x[i] = i;
            adversary.value[i] = adversary.gas;
        }
        assert_int_equal(
            filch_sort(x, (size_t)n, sizeof *x, freeze, &adversary, .max_workers = 1), 0);
        for (i = 1; i < n; i++)
            assert_true(adversary.value[x[i - 1]] <= adversary.value[x[i]]);
        assert_in_range(adversary.count, 0, (size_t)n * 17);
        free(x);
        free(adversary.value);
    }
}

/* Items of packed structs, in the middle of a buffer. */
static void items_at_odd_addresses_are_sorted(void **state)
{
    char *memory = malloc(9000 * 8 + 1), *x = memory + 1;
    uint64_t random = seed_print();
    size_t bytes = 8, i;

    fill(x, 9000, bytes, RANDOM, &random);
    assert_int_equal(filch_sort(x, 9000, bytes, by_key, &bytes, .pool = *state), 0);
    for (i = 1; i < 9000; i++)
        assert_true(key_of(x + (i - 1) * 8, 8) <= key_of(x + i * 8, 8));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_items_of_all_sizes_and_patterns_are_sorted),
        cmocka_unit_test(many_items_are_sorted_in_the_same_way_by_any_number_of_workers),
        cmocka_unit_test(comparisons_are_as_few_as_documented),
        cmocka_unit_test(a_killer_of_quicksorts_costs_no_more),
        ON_POOLS(numbers_that_look_like_pointers_are_sorted),
        ON_POOLS(pointers_to_strings_are_sorted_by_them_and_stably),
        ON_POOLS(a_million_items_are_sorted),
        ON_POOLS(items_at_odd_addresses_are_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
