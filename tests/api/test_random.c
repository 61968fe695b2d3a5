/* test_random.c - what random.h promises: the published numbers, streams that are told
 * apart, and one order for each seed.
 */
#include "pools.h"

#define MOST (IS_EMULATED ? 70000 : 300000)

/* --- numbers ---------------------------------------------------------------------- */

/* Of the authors' library, Random123: its file of known answers, kat_vectors. */
static void philox_gives_the_published_numbers(void **state)
{
    static const uint32_t answers[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(answers); i++) {
        uint32_t counter[4];

        memcpy(counter, answers[i], sizeof counter);
        filch_philox(counter, answers[i][4], answers[i][5]);
        assert_memory_equal(counter, answers[i] + 6, sizeof counter);
    }
}

/* A stream is made of the published function as the header says. */
static void streams_are_made_of_philox(void **state)
{
    const uint64_t seed = UINT64_C(0x299f31d0a4093822);
    filch_random random = filch_random_stream(seed, UINT64_C(0x0370734413198a2e));
    uint64_t i;

    (void)state;
    random.block = UINT64_C(0x85a308d3243f6a88);
    assert_true(filch_random_next(&random) == UINT64_C(0x94fdccebd16cfe09));
    assert_true(filch_random_next(&random) == UINT64_C(0x24126ea15001e420));
    for (i = 0; i < 1000; i++) {
        filch_random other = filch_random_stream(seed, i);
        uint64_t first = filch_random_next(&other);

        assert_true(first == filch_random_bits(seed, i));
        assert_true(filch_random_unit(first) == filch_random_double(seed, i));
        assert_true(first != filch_random_next(&other));
        assert_true(first != filch_random_bits(seed + 1, i));
        assert_true(first != filch_random_bits(seed, i + 1));
    }
    assert_true(filch_random_unit(0) == 0);
    assert_true(filch_random_unit(UINT64_MAX) < 1);
}

static void numbers_below_a_limit_are_below_it_and_all_alike(void **state)
{
    static const uint64_t limits[] = {1, 2, 3, 10, UINT64_C(1) << 63, UINT64_MAX};
    filch_random random = filch_random_stream(1, 2);
    unsigned hits[7] = {0};
    size_t i, j, threes = 0;

    (void)state;
    for (i = 0; i < COUNT_OF(limits); i++)
        for (j = 0; j < 1000; j++)
            assert_true(filch_random_below(&random, limits[i]) < limits[i]);
    assert_true(filch_random_below(&random, 0) == 0);
    for (i = 0; i < 70000; i++)
        hits[filch_random_below(&random, 7)]++;
    for (i = 0; i < 7; i++)
        assert_in_range(hits[i], 9500, 10500); /* five standard deviations */
    /* Where 2^64 is no multiple: without rejection, every second would be one of 3. */
    for (i = 0; i < 30000; i++)
        threes += filch_random_below(&random, UINT64_C(3) << 62) % 3 == 0;
    assert_in_range(threes, 9500, 10500);
}

/* --- shuffles --------------------------------------------------------------------- */

static uint32_t array[MOST], again[MOST];

static void number(uint32_t *to, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        to[i] = (uint32_t)i;
}

static void a_shuffle_of_a_seed_is_the_same_on_any_number_of_workers(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 52, 32768, 32769, 65537, MOST};
    static unsigned char seen[MOST];
    size_t i, j;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        size_t moved = 0;

        number(array, sizes[i]);
        number(again, sizes[i]);
        assert_int_equal(filch_shuffle(array, sizes[i], 4, 42, .max_workers = 1), 0);
        assert_int_equal(filch_shuffle(again, sizes[i], 4, 42, .pool = *state), 0);
        assert_memory_equal(array, again, sizes[i] * sizeof *array);
        memset(seen, 0, sizeof seen);
        for (j = 0; j < sizes[i]; j++) {
            assert_true(array[j] < sizes[i] && !seen[array[j]]);
            seen[array[j]] = 1;
            moved += array[j] != j;
        }
        if (sizes[i] >= 52)
            assert_true(moved >= sizes[i] - 10);
        number(again, sizes[i]);
        assert_int_equal(filch_shuffle(again, sizes[i], 4, 43, .pool = *state), 0);
        if (sizes[i] >= 52)
            assert_memory_not_equal(array, again, sizes[i] * sizeof *array);
    }
}

/* The order depends on count and seed, not on what is shuffled. */
static void elements_of_any_size_go_to_the_same_places(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 7, 8, 12, 16, 100};
    size_t i, j, k, counts[] = {200, 40000};

    for (k = 0; k < COUNT_OF(counts); k++)
        for (i = 0; i < COUNT_OF(sizes); i++) {
            size_t count = counts[k], bytes = sizes[i];
            unsigned char *items = calloc(count, bytes);

            assert_non_null(items);
            number(array, count);
            for (j = 0; j < count * bytes; j++)
                items[j] = (unsigned char)(j / bytes * 7 + j % bytes);
            assert_int_equal(filch_shuffle(array, count, 4, 9, .pool = *state), 0);
            assert_int_equal(filch_shuffle(items, count, bytes, 9, .pool = *state), 0);
            for (j = 0; j < count * bytes; j++)
                assert_int_equal(items[j],
                                 (unsigned char)(array[j / bytes] * 7 + j % bytes));
            free(items);
        }
}

/* Of four elements all 24 orders, about as often; and of many, each place gets elements
 * from everywhere: the mean place that one comes from is the middle. */
static void all_orders_are_alike(void **state)
{
    unsigned hits[256] = {0}, orders = 0;
    uint64_t seed;
    size_t i;

    for (seed = 0; seed < 24000; seed++) {
        unsigned char four[4] = {0, 1, 2, 3};

        assert_int_equal(filch_shuffle(four, 4, 1, seed), 0);
        hits[four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6]++;
    }
    for (i = 0; i < 256; i++) {
        if (hits[i] == 0)
            continue;
        orders++;
        assert_in_range(hits[i], 840, 1160); /* five standard deviations */
    }
    assert_int_equal(orders, 24);
    for (seed = 0; seed < 3; seed++) {
        const double middle = MOST / 2.0;
        double sum = 0, products = 0;

        number(array, MOST);
        assert_int_equal(filch_shuffle(array, MOST, 4, seed, .pool = *state), 0);
        for (i = 0; i < MOST / 2; i++)
            sum += array[i];
        for (i = 1; i < MOST; i++)
            products += array[i] > array[i - 1];
        /* Deviations: of the mean of so many, MOST / sqrt(12 * MOST); of ascents,
         * sqrt(MOST / 12). */
        assert_true(sum / middle > middle - 1000 && sum / middle < middle + 1000);
        assert_true(products > middle - 1000 && products < middle + 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(streams_are_made_of_philox),
        cmocka_unit_test(numbers_below_a_limit_are_below_it_and_all_alike),
        ON_POOLS(a_shuffle_of_a_seed_is_the_same_on_any_number_of_workers),
        ON_POOLS(elements_of_any_size_go_to_the_same_places),
        ON_POOLS(all_orders_are_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
