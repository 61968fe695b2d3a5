/* test_histogram.c - what histogram.h promises of its results: those of the serial
 * loop, the same bits on any number of workers.
 */
#include "pools.h"

#define MOST (IS_EMULATED ? 60000 : 300000)

static uint32_t numbers[MOST];
static double weights[MOST];

static uint64_t *zeros(size_t count)
{
    uint64_t *array = calloc(count + 1, sizeof *array);

    assert_non_null(array);
    return array;
}

static void check_counts(const uint64_t *counts, const uint64_t *expected, size_t bins)
{
    size_t i;

    for (i = 0; i < bins; i++)
        if (counts[i] != expected[i])
            fail_msg("bin %zu of %zu: %llu, not %llu", i, bins,
                     (unsigned long long)counts[i], (unsigned long long)expected[i]);
}

static void bytes_are_counted_as_by_the_serial_loop(void **state)
{
    static const size_t sizes[] = {0,    1,    7,    8,     9,     100,
                                   2048, 2049, 5000, 65543, 99999, MOST * 4 - 3};
    const uint8_t *bytes = (const uint8_t *)numbers;
    uint64_t seed = seed_print();
    size_t i, j, offset;
    int kind;

    for (kind = 0; kind < 3; kind++) {
        for (i = 0; i < MOST; i++)
            numbers[i] = kind == 0   ? (uint32_t)random_next(&seed)
                         : kind == 1 ? 0x41414141u
                                     : 0xff00ff00u;
        for (i = 0; i < COUNT_OF(sizes); i++)
            for (offset = 0; offset < 4; offset += 3) {
                uint64_t counts[256], expected[256];

                for (j = 0; j < 256; j++)
                    counts[j] = expected[j] = 1000 + j;
                for (j = 0; j < sizes[i]; j++)
                    expected[bytes[offset + j]]++;
                assert_int_equal(filch_histogram_uint8(bytes + offset, sizes[i], counts,
                                                       FILCH_OPTS(NULL, .pool = *state)),
                                 0);
                check_counts(counts, expected, 256);
            }
    }
}

/* How numbers lie among bins. */
enum { EVENLY, ALL_IN_ONE, HALF_OUTSIDE, AT_THE_ENDS, KINDS };

static uint32_t number_of(int kind, size_t bins, uint64_t *seed)
{
    uint64_t random = random_next(seed);

    switch (kind) {
    case ALL_IN_ONE:
        return (uint32_t)(bins / 2);
    case HALF_OUTSIDE:
        return random & 1 ? (uint32_t)(random >> 32 | 0x80000000u)
                          : (uint32_t)((random >> 1) % bins);
    case AT_THE_ENDS:
        return random % 3 == 0 ? 0 : random % 3 == 1 ? (uint32_t)(bins - 1) : UINT32_MAX;
    default:
        return (uint32_t)(random % bins);
    }
}

static int bins_of_numbers(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                           double *weight, void *ctx)
{
    (void)w;
    if (end - begin > FILCH_HISTOGRAM_ITEMS || end <= begin)
        atomic_fetch_add((atomic_uint *)ctx, 1);
    memcpy(bin, numbers + begin, (end - begin) * sizeof *bin);
    if (weight)
        memcpy(weight, weights + begin, (end - begin) * sizeof *weight);
    return 0;
}

static void numbers_are_counted_as_by_the_serial_loop(void **state)
{
    static const size_t sizes[][2] = {{1, 1},
                                      {10, 5},
                                      {1000, 256},
                                      {2049, 256},
                                      {5000, 4096},
                                      {MOST, 1},
                                      {MOST, 1000},
                                      {MOST, 32768},
                                      {MOST, 100000},
                                      {MOST, 1000000},
                                      {3000, 50000},
                                      {40000, 300000},
                                      {MOST / 3, 2100001}};
    uint64_t seed = seed_print();
    size_t i, j;
    int kind;

    for (i = 0; i < COUNT_OF(sizes); i++)
        for (kind = 0; kind < (sizes[i][1] > 300000 ? 1 : KINDS); kind++) {
            size_t n = sizes[i][0], bins = sizes[i][1];
            uint64_t *counts = zeros(bins), *expected = zeros(bins);
            atomic_uint wrong = 0;

            for (j = 0; j < n; j++) {
                numbers[j] = number_of(kind, bins, &seed);
                if (numbers[j] < bins)
                    expected[numbers[j]]++;
            }
            assert_int_equal(filch_histogram_uint32(numbers, n, counts, bins,
                                                    FILCH_OPTS(NULL, .pool = *state)),
                             0);
            check_counts(counts, expected, bins);
            memset(counts, 0, bins * sizeof *counts);
            assert_int_equal(filch_histogram(0, n, counts, bins, bins_of_numbers, &wrong,
                                             .pool = *state),
                             0);
            check_counts(counts, expected, bins);
            assert_int_equal(atomic_load(&wrong), 0);
            free(counts);
            free(expected);
        }
}

static void bins_that_are_not_there_take_nothing(void **state)
{
    uint64_t count = 0;
    double sum = 0;
    atomic_uint wrong = 0;

    assert_int_equal(
        filch_histogram(0, 10, NULL, 0, bins_of_numbers, &wrong, .pool = *state), 0);
    assert_int_equal(
        filch_histogram_sums(0, 10, NULL, 0, bins_of_numbers, &wrong, .pool = *state), 0);
    assert_int_equal(
        filch_histogram_uint32(numbers, 10, NULL, 0, FILCH_OPTS(NULL, .pool = *state)),
        0);
    assert_int_equal(
        filch_histogram(5, 5, &count, 1, bins_of_numbers, &wrong, .pool = *state), 0);
    assert_int_equal(
        filch_histogram_sums(5, 5, &sum, 1, bins_of_numbers, &wrong, .pool = *state), 0);
    assert_true(count == 0 && sum == 0 && atomic_load(&wrong) == 0);
}

/* --- sums ------------------------------------------------------------------------- */

static void make_weights(size_t n, size_t bins, uint64_t seed)
{
    size_t i;

    for (i = 0; i < n; i++) {
        numbers[i] = number_of((int)(i % KINDS), bins, &seed);
        weights[i] = (double)(int64_t)random_next(&seed) *
                     (double)(UINT64_C(1) << random_below(&seed, 60));
    }
}

static void sums_in_many_bins_have_the_bits_of_the_serial_loop(void **state)
{
    static const size_t sizes[][2] = {
        {1, 1025}, {10000, 1025}, {MOST, 5000}, {MOST, 500000}};
    size_t i, j;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        size_t n = sizes[i][0], bins = sizes[i][1];
        double *sums = (double *)zeros(bins), *expected = (double *)zeros(bins);
        atomic_uint wrong = 0;

        make_weights(n, bins, i);
        for (j = 0; j < n; j++)
            if (numbers[j] < bins)
                expected[numbers[j]] += weights[j];
        assert_int_equal(filch_histogram_sums(0, n, sums, bins, bins_of_numbers, &wrong,
                                              .pool = *state),
                         0);
        assert_memory_equal(sums, expected, bins * sizeof *sums);
        free(sums);
        free(expected);
    }
}

/* The stretches of the header, written down again. */
static void sums_in_few_bins_are_made_of_64_stretches(void **state)
{
    static const size_t sizes[][2] = {{1, 1},     {4096, 7},    {4097, 256},
                                      {50000, 1}, {MOST, 1000}, {MOST, 1024}};
    size_t i, j;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        size_t n = sizes[i][0], bins = sizes[i][1], at, stop;
        size_t stretch = n / 64 + 1 > 4096 ? n / 64 + 1 : 4096;
        double *sums = (double *)zeros(bins), *expected = (double *)zeros(bins);
        atomic_uint wrong = 0;

        make_weights(n, bins, i);
        for (at = 0; at < n; at = stop) {
            double *part = (double *)zeros(bins);

            stop = at + stretch < n ? at + stretch : n;
            for (j = at; j < stop; j++)
                if (numbers[j] < bins)
                    part[numbers[j]] += weights[j];
            for (j = 0; j < bins; j++)
                expected[j] += part[j];
            free(part);
        }
        assert_int_equal(filch_histogram_sums(0, n, sums, bins, bins_of_numbers, &wrong,
                                              .pool = *state),
                         0);
        assert_memory_equal(sums, expected, bins * sizeof *sums);
        free(sums);
        free(expected);
    }
}

/* Another bin at each call. */
static int changing_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                         double *weight, void *ctx)
{
    uint32_t call = atomic_fetch_add((atomic_uint *)ctx, 1);
    size_t i;

    (void)w;
    for (i = 0; i < end - begin; i++) {
        bin[i] = call % 3 == 0 ? 999999 : (uint32_t)((begin + i) * call % 1000001);
        if (weight)
            weight[i] = 1;
    }
    return 0;
}

static void a_body_that_contradicts_itself_writes_nowhere_else(void **state)
{
    const size_t n = 30000, bins = 1000000;
    uint64_t *counts = zeros(bins), sum = 0;
    double *sums = (double *)zeros(bins);
    atomic_uint calls = 0;
    size_t i;

    /* Without .max_workers those who share would add to one bin at a time. */
    assert_int_equal(filch_histogram(0, n, counts, bins, changing_bins, &calls,
                                     .pool = *state, .max_workers = 1),
                     0);
    assert_int_equal(filch_histogram_sums(0, n, sums, bins, changing_bins, &calls,
                                          .pool = *state, .max_workers = 1),
                     0);
    for (i = 0; i < bins; i++)
        sum += counts[i];
    assert_in_range(sum, 0, n);
    free(counts);
    free(sums);
}

static int count_progress(size_t done, size_t total, void *ctx)
{
    (void)ctx;
    return done > total;
}

static void options_of_a_loop_change_nothing(void **state)
{
    uint64_t *counts = zeros(1000), *expected = zeros(1000);
    size_t i, grain;

    for (i = 0; i < MOST; i++) {
        numbers[i] = (uint32_t)(i * i % 1000);
        expected[numbers[i]]++;
    }
    for (grain = 1; grain < 2 * MOST; grain *= 37) {
        memset(counts, 0, 1000 * sizeof *counts);
        assert_int_equal(filch_histogram_uint32(
                             numbers, MOST, counts, 1000,
                             FILCH_OPTS(NULL, .pool = *state, .grain = grain,
                                        .max_workers = 2, .progress = count_progress)),
                         0);
        check_counts(counts, expected, 1000);
    }
    free(counts);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(bytes_are_counted_as_by_the_serial_loop),
        ON_POOLS(numbers_are_counted_as_by_the_serial_loop),
        ON_POOLS(bins_that_are_not_there_take_nothing),
        ON_POOLS(sums_in_many_bins_have_the_bits_of_the_serial_loop),
        ON_POOLS(sums_in_few_bins_are_made_of_64_stretches),
        ON_POOLS(a_body_that_contradicts_itself_writes_nowhere_else),
        ON_POOLS(options_of_a_loop_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
