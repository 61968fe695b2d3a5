/* test_search.c - what search.h promises: the results of the serial loop, and searches that
 * end early.
 */
#include "pools.h"

#define MOST ((size_t)50000)

static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 1000, 4096, 4097, MOST};

/* --- finding ------------------------------------------------------------------------ */

static uint32_t numbers[MOST];

struct asked {
    uint32_t least; /* wanted is what is at least so large */
    atomic_uint tested, highest;
};

static int is_large(const void *item, void *ctx)
{
    struct asked *asked = ctx;

    atomic_fetch_add_explicit(&asked->tested, 1, memory_order_relaxed);
    return *(const uint32_t *)item >= asked->least ? -7 : 0;
}

static int are_large(const void *items, size_t count, bool *flags, void *ctx)
{
    struct asked *asked = ctx;
    const uint32_t *item = items;
    size_t i;

    atomic_fetch_add_explicit(&asked->tested, (unsigned)count, memory_order_relaxed);
    for (i = 0; i < count; i++)
        flags[i] = item[i] >= asked->least;
    return 0;
}

static int is_small(const void *item, void *ctx)
{
    return !is_large(item, ctx);
}

static int are_small(const void *items, size_t count, bool *flags, void *ctx)
{
    size_t i;

    are_large(items, count, flags, ctx);
    for (i = 0; i < count; i++)
        flags[i] = !flags[i];
    return 0;
}

static void check_find(filch_pool *pool, size_t count, size_t grain, struct asked *asked)
{
    const filch_opts *opts = FILCH_OPTS(asked, .pool = pool, .grain = grain);
    size_t first = 0, at;
    int answer;

    while (first < count && numbers[first] < asked->least)
        first++;
    assert_int_equal(filch_find_with(numbers, count, 4, &at, is_large, opts), 0);
    if (at != first)
        fail_msg("%zu, not %zu of %zu, grain %zu", at, first, count, grain);
    assert_int_equal(filch_find_ranges_with(numbers, count, 4, &at, are_large, opts), 0);
    if (at != first)
        fail_msg("by ranges %zu, not %zu of %zu, grain %zu", at, first, count, grain);
    assert_int_equal(filch_any_with(numbers, count, 4, &answer, is_large, opts), 0);
    assert_int_equal(answer, first < count);
    assert_int_equal(filch_any_ranges_with(numbers, count, 4, &answer, are_large, opts),
                     0);
    assert_int_equal(answer, first < count);
    assert_int_equal(filch_all_with(numbers, count, 4, &answer, is_small, opts), 0);
    assert_int_equal(answer, first == count);
    assert_int_equal(filch_all_ranges_with(numbers, count, 4, &answer, are_small, opts),
                     0);
    assert_int_equal(answer, first == count);
}

static void the_first_is_found(void **state)
{
    uint64_t random = seed_print();
    size_t s, i;
    int round;

    for (s = 0; s < COUNT_OF(sizes); s++)
        for (round = 0; round < 30; round++) {
            struct asked asked = {.least = UINT32_MAX / 2};
            /* None, one, a few, or many. */
            uint64_t wanted = (uint64_t)(round % 4) * (uint64_t)(round % 4) * 3;

            for (i = 0; i < sizes[s]; i++)
                numbers[i] = (uint32_t)random_below(&random, UINT32_MAX / 2);
            for (i = 0; sizes[s] > 0 && i < (wanted == 3 ? 1 : wanted); i++)
                numbers[random_below(&random, sizes[s])] |= UINT32_C(0x80000000);
            check_find(*state, sizes[s], (size_t)(round % 3) * 40, &asked);
        }
}

/* Nobody goes on long after it: what was begun is ended, in pieces of 8 us as a rule. */
static void a_search_ends_early(void **state)
{
    struct asked asked = {.least = 1};
    unsigned workers = filch_pool_workers(*state);
    size_t at;
    int round, answer;

    memset(numbers, 0, sizeof numbers);
    numbers[100] = 1;
    for (round = 0; round < 50; round++)
        assert_int_equal(
            filch_find(numbers, MOST, 4, &at, is_large, &asked, .pool = *state), 0);
    assert_int_equal(at, 100);
    if (atomic_load(&asked.tested) >= 50 * MOST / 4)
        fail_msg("%u of %zu tests, for 50 times 101", atomic_load(&asked.tested),
                 50 * MOST);
    if (workers == 1)
        assert_true(atomic_load(&asked.tested) <= 50 * 101);
    atomic_store(&asked.tested, 0);
    assert_int_equal(filch_find(numbers, 4000, 4, &at, is_large, &asked), 0);
    assert_int_equal(atomic_load(&asked.tested), 101);
    atomic_store(&asked.tested, 0);
    asked.least = 0;
    assert_int_equal(filch_any_ranges(numbers, MOST, 4, &answer, are_large, &asked,
                                      .pool = *state, .max_workers = 1),
                     0);
    assert_int_equal(answer, 1);
    assert_true(atomic_load(&asked.tested) <= 64);
    assert_int_equal(filch_any(numbers, 10, 4, &answer, is_large, &asked), 0);
    assert_int_equal(answer, 1);
    assert_true(atomic_load(&asked.tested) <= 65);
    assert_int_equal(filch_all(numbers, MOST, 4, &answer, is_small, &asked,
                               .pool = *state, .max_workers = 1),
                     0);
    assert_int_equal(answer, 0);
    assert_true(atomic_load(&asked.tested) <= 66);
}

/* --- the extreme, by a comparison --------------------------------------------------- */

/* Of the lower digits only, so that there are many equal ones. */
static int compare_digits(const void *a, const void *b, void *ctx)
{
    uint32_t modulus = *(const uint32_t *)ctx;
    uint32_t x = *(const uint32_t *)a % modulus, y = *(const uint32_t *)b % modulus;

    return x < y ? -1 : x > y;
}

static void the_first_extreme_is_found(void **state)
{
    static const uint32_t moduli[] = {1, 7, 1000, UINT32_MAX};
    uint64_t random = seed_print();
    size_t s, m, i;

    for (i = 0; i < MOST; i++)
        numbers[i] = (uint32_t)random_next(&random);
    for (s = 1; s < COUNT_OF(sizes); s++)
        for (m = 0; m < COUNT_OF(moduli); m++) {
            uint32_t modulus = moduli[m];
            size_t least = 0, greatest = 0, at;

            for (i = 1; i < sizes[s]; i++) {
                if (numbers[i] % modulus < numbers[least] % modulus)
                    least = i;
                if (numbers[i] % modulus > numbers[greatest] % modulus)
                    greatest = i;
            }
            assert_int_equal(filch_argmin_by(numbers, sizes[s], 4, &at, compare_digits,
                                             &modulus, .pool = *state),
                             0);
            assert_int_equal(at, least);
            assert_int_equal(filch_argmax_by(numbers, sizes[s], 4, &at, compare_digits,
                                             &modulus, .pool = *state, .grain = 100),
                             0);
            assert_int_equal(at, greatest);
        }
}

struct slow {
    atomic_uint calls;
    unsigned told;
};

static int compare_slowly(const void *a, const void *b, void *ctx)
{
    struct slow *slow = ctx;

    if (atomic_fetch_add(&slow->calls, 1) % 100 == 0)
        sleep_us(300);
    return (*(const uint32_t *)a > *(const uint32_t *)b) -
           (*(const uint32_t *)a < *(const uint32_t *)b);
}

static int end_second(size_t done, size_t total, void *ctx)
{
    struct slow *slow = ctx;

    return done > total ? -1 : ++slow->told == 2 ? 78 : 0;
}

static void progress_has_the_callers_context_and_ends_a_search(void **state)
{
    struct slow slow = {.told = 0};
    size_t at = 12345;

    assert_int_equal(filch_argmin_by(numbers, MOST, 4, &at, compare_slowly, &slow,
                                     .pool = *state, .grain = 100, .progress = end_second,
                                     .progress_ms = 1),
                     78);
    assert_int_equal(slow.told, 2);
    assert_int_equal(at, 12345);
}

/* --- bounds ------------------------------------------------------------------------- */

static int compare_to_key(const void *item, const void *key, void *ctx)
{
    uint32_t x = *(const uint32_t *)item;
    uint64_t y = *(const uint64_t *)key;

    (void)ctx;
    return x < y ? -1 : x > y;
}

static void each_key_gets_its_bounds(void **state)
{
    static uint64_t keys[2000];
    static size_t lower[2000], upper[2000];
    uint64_t random = seed_print();
    size_t s, k, i;

    for (s = 0; s < COUNT_OF(sizes); s++) {
        size_t count = sizes[s], below = 0, to;
        size_t key_count = s % 2 ? COUNT_OF(keys) : 50;

        numbers[0] = 5;
        for (i = 1; i < count; i++)
            numbers[i] = numbers[i - 1] + (uint32_t)random_below(&random, 3);
        for (k = 0; k < key_count; k++) /* ascending, so that the check is linear */
            keys[k] = k * (count + 12) / key_count;
        assert_int_equal(filch_lower_bounds(numbers, count, 4, keys, key_count, 8, lower,
                                            compare_to_key, NULL, .pool = *state),
                         0);
        assert_int_equal(filch_upper_bounds(numbers, count, 4, keys, key_count, 8, upper,
                                            compare_to_key, NULL, .pool = *state,
                                            .grain = 1, .max_chunk = 7),
                         0);
        for (k = 0; k < key_count; k++) {
            while (below < count && numbers[below] < keys[k])
                below++;
            for (to = below; to < count && numbers[to] == keys[k];)
                to++;
            if (lower[k] != below || upper[k] != to)
                fail_msg("%llu among %zu: %zu to %zu, not %zu to %zu",
                         (unsigned long long)keys[k], count, lower[k], upper[k], below,
                         to);
        }
    }
}

/* --- merging ------------------------------------------------------------------------ */

/* A key, and where it comes from. */
struct record {
    uint32_t key, from;
};

static struct record left[MOST], right[MOST], merged[2 * MOST];

static int compare_records(const void *a, const void *b, void *ctx)
{
    const struct record *x = a, *y = b;

    (void)ctx;
    return x->key < y->key ? -1 : x->key > y->key;
}

static void fill_records(struct record *records, size_t count, uint32_t from,
                         uint64_t steps, uint64_t *random)
{
    uint32_t key = (uint32_t)random_below(random, 5);
    size_t i;

    for (i = 0; i < count; i++) {
        records[i] = (struct record){key, from + (uint32_t)i};
        key += (uint32_t)random_below(random, steps);
    }
}

static void merged_items_are_in_order_and_equal_ones_from_a_first(void **state)
{
    static const uint64_t steps[] = {1, 2, 3, 100};
    uint64_t random = seed_print();
    size_t s, t, g, k;

    for (s = 0; s < COUNT_OF(sizes); s++)
        for (t = 0; t < COUNT_OF(sizes); t++)
            for (g = 0; g < COUNT_OF(steps); g++) {
                size_t i = 0, j = 0, count = sizes[s] + sizes[t];

                fill_records(left, sizes[s], 0, steps[g], &random);
                fill_records(right, sizes[t], 1000000, steps[(g + t) % 4], &random);
                memset(merged, 0xff, sizeof merged);
                assert_int_equal(filch_merge(left, sizes[s], right, sizes[t], merged,
                                             sizeof *left, compare_records, NULL,
                                             .pool = *state, .grain = g % 2 ? 600 : 0),
                                 0);
                for (k = 0; k < count; k++) {
                    bool is_left =
                        i < sizes[s] && (j == sizes[t] || left[i].key <= right[j].key);
                    const struct record *next = is_left ? &left[i++] : &right[j++];

                    if (memcmp(next, &merged[k], sizeof *next) != 0)
                        fail_msg("%zu and %zu items: wrong at %zu", sizes[s], sizes[t],
                                 k);
                }
                assert_true(count == 2 * MOST || merged[count].key == UINT32_MAX);
            }
}

/* The key is in the first bytes, the place behind it, if there is room. */
static int compare_firsts(const void *a, const void *b, void *ctx)
{
    uint32_t x, y;

    (void)ctx;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void items_of_any_size_are_merged(void **state)
{
    static const size_t item_bytes[] = {4, 12, 16, 40};
    const size_t a = 3000, b = 4000;
    char *in = calloc(a + b, 40), *out = calloc(a + b, 40);
    size_t s, i, j, k;

    assert_non_null(in);
    assert_non_null(out);
    for (s = 0; s < COUNT_OF(item_bytes); s++) {
        size_t bytes = item_bytes[s];
        char *second = in + a * bytes;

        for (k = 0; k < a + b; k++) {
            uint32_t item[] = {(uint32_t)(k < a ? k / 3 : (k - a) / 5), (uint32_t)k};

            memcpy(in + k * bytes, item, bytes < sizeof item ? bytes : sizeof item);
        }
        assert_int_equal(filch_merge(in, a, second, b, out, bytes, compare_firsts, NULL,
                                     .pool = *state, .grain = 300),
                         0);
        for (i = j = k = 0; k < a + b; k++) {
            bool is_first = i < a && (j == b || i / 3 <= j / 5);
            const char *next = is_first ? in + i++ * bytes : second + j++ * bytes;

            if (memcmp(next, out + k * bytes, bytes) != 0)
                fail_msg("items of %zu bytes: wrong at %zu", bytes, k);
        }
    }
    free(in);
    free(out);
}

static int compare_anyhow(const void *a, const void *b, void *ctx)
{
    (void)a;
    (void)b;
    return (int)(atomic_fetch_add((atomic_uint *)ctx, 1) * 2654435761u >> 16) % 3 - 1;
}

/* Under the address sanitizer, that nothing outside is touched. */
static void a_comparison_that_contradicts_itself_does_no_harm(void **state)
{
    struct record *a = calloc(MOST, sizeof *a), *b = calloc(MOST, sizeof *b);
    struct record *out = malloc(2 * MOST * sizeof *out);
    size_t *at = malloc(MOST * sizeof *at), i;
    atomic_uint calls = 0;

    assert_int_equal(filch_merge(a, MOST, b, MOST, out, sizeof *a, compare_anyhow, &calls,
                                 .pool = *state),
                     0);
    assert_int_equal(filch_lower_bounds(a, MOST, sizeof *a, b, MOST, sizeof *b, at,
                                        compare_anyhow, &calls, .pool = *state),
                     0);
    for (i = 0; i < MOST; i++)
        assert_true(at[i] <= MOST);
    assert_int_equal(
        filch_argmax_by(a, MOST, sizeof *a, at, compare_anyhow, &calls, .pool = *state),
        0);
    assert_true(at[0] < MOST);
    free(a);
    free(b);
    free(out);
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(the_first_is_found),
        ON_POOLS(a_search_ends_early),
        ON_POOLS(the_first_extreme_is_found),
        ON_POOLS(progress_has_the_callers_context_and_ends_a_search),
        ON_POOLS(each_key_gets_its_bounds),
        ON_POOLS(merged_items_are_in_order_and_equal_ones_from_a_first),
        ON_POOLS(items_of_any_size_are_merged),
        ON_POOLS(a_comparison_that_contradicts_itself_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
