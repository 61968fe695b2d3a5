/* test_scratch.c - each error of histogram.h and of shuffles: nothing is changed, and no
 * memory left.
 */
#include "scarce.h"

#define NUMBERS 200000
#define FEW     10     /* bins: thousands of items in each */
#define MANY    300000 /* and more than are worth a copy for each worker */

static uint32_t numbers[NUMBERS];
static uint64_t counts[MANY];
static double sums[MANY];

struct finding {
    size_t fails_at;
    filch_cancel *cancel;
    uint32_t bins;
};

static int find_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                     double *weight, void *ctx)
{
    const struct finding *finding = ctx;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        bin[i - begin] = (uint32_t)(i * 7919 % finding->bins);
        if (weight)
            weight[i - begin] = 1;
        if (i == finding->fails_at)
            return 55;
        if (finding->cancel)
            filch_cancel_set(finding->cancel);
    }
    return 0;
}

static bool is_zero(const void *array, size_t bytes)
{
    const unsigned char *at = array;

    while (bytes > 0 && at[bytes - 1] == 0)
        bytes--;
    return bytes == 0;
}

/* Each function on the same pool: 0 for counts in copies, 1 by ranges, 2 sums in
 * stretches, 3 by ranges. */
static int histogram(int way, struct finding *finding, const filch_opts *opts)
{
    filch_opts own = *opts;

    finding->bins = way % 2 ? MANY : FEW;
    own.ctx = finding;
    return way < 2
               ? filch_histogram_with(0, NUMBERS, counts, finding->bins, find_bins, &own)
               : filch_histogram_sums_with(0, NUMBERS, sums, finding->bins, find_bins,
                                           &own);
}

static void histograms_without_memory_change_nothing(void **state)
{
    const filch_opts *opts = FILCH_OPTS(NULL, .pool = *state);
    int way, allowed, err, alive;

    warm_up(*state);
    alive = atomic_load(&blocks_alive);
    for (way = 0; way < 6; way++) {
        struct finding finding = {.fails_at = SIZE_MAX};

        memset(counts, 0, sizeof counts);
        memset(sums, 0, sizeof sums);
        for (allowed = 0, err = -ENOMEM; err; allowed++) {
            atomic_store(&allocations_left, allowed);
            err = way < 4 ? histogram(way, &finding, opts)
                  : way == 4
                      ? filch_histogram_uint8((const uint8_t *)numbers, NUMBERS, counts,
                                              opts)
                      : filch_histogram_uint32(numbers, NUMBERS, counts, MANY, opts);
            atomic_store(&allocations_left, INT32_MAX);
            if (err) {
                assert_int_equal(err, -ENOMEM);
                assert_true(is_zero(counts, sizeof counts));
                assert_true(is_zero(sums, sizeof sums));
            }
            assert_int_equal(atomic_load(&blocks_alive), alive);
            assert_true(allowed < 100);
        }
        assert_true(allowed > 1);
    }
}

static void histograms_that_are_ended_change_nothing(void **state)
{
    filch_cancel token = {0};
    const filch_opts *opts =
        FILCH_OPTS(NULL, .pool = *state, .cancel = &token, .max_chunk = 1000);
    int way, alive;

    warm_up(*state);
    alive = atomic_load(&blocks_alive);
    memset(counts, 0, sizeof counts);
    memset(sums, 0, sizeof sums);
    for (way = 0; way < 4; way++) {
        struct finding failing = {.fails_at = NUMBERS / 3};
        struct finding ending = {.fails_at = SIZE_MAX, .cancel = &token};

        assert_int_equal(histogram(way, &failing, opts), 55);
        assert_int_equal(histogram(way, &ending, opts), -ECANCELED);
        assert_int_equal(histogram(way, &failing, opts), -ECANCELED);
        filch_cancel_clear(&token);
    }
    filch_cancel_set(&token);
    assert_int_equal(filch_histogram_uint8((const uint8_t *)numbers, 10, counts, opts),
                     -ECANCELED);
    assert_int_equal(filch_histogram_uint32(numbers, 10, counts, MANY, opts), -ECANCELED);
    assert_true(is_zero(counts, sizeof counts));
    assert_true(is_zero(sums, sizeof sums));
    assert_int_equal(atomic_load(&blocks_alive), alive);
}

static void refused_histograms_change_nothing(void **state)
{
    struct finding finding = {.fails_at = 0, .bins = 10};
    filch_opts foreign = *FILCH_OPTS(&finding, .pool = *state);
    const size_t too_many = ((size_t)1 << 32) + 1;
    const uint8_t *no_bytes = NULL;
    void *odd = (char *)counts + 1;

    foreign.struct_size++;
    memset(counts, 0, sizeof counts);
    memset(sums, 0, sizeof sums);
    assert_int_equal(filch_histogram(0, 5, counts, 10, NULL, &finding), -EINVAL);
    assert_int_equal(filch_histogram(6, 5, counts, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram(0, 5, NULL, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram(0, 5, counts, too_many, find_bins, &finding),
                     -EINVAL);
    assert_int_equal(filch_histogram_with(0, 5, counts, 10, find_bins, &foreign),
                     -EINVAL);
    assert_int_equal(filch_histogram_sums(0, 5, sums, 10, NULL, &finding), -EINVAL);
    assert_int_equal(filch_histogram_sums(6, 5, sums, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram_sums(0, 5, NULL, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram_sums(0, 5, sums, too_many, find_bins, &finding),
                     -EINVAL);
    assert_int_equal(filch_histogram_sums_with(0, 5, sums, 10, find_bins, &foreign),
                     -EINVAL);
    assert_int_equal(filch_histogram_uint8(no_bytes, 1, counts, NULL), -EINVAL);
    assert_int_equal(filch_histogram_uint8((const uint8_t *)numbers, 1, NULL, NULL),
                     -EINVAL);
    assert_int_equal(filch_histogram_uint8((const uint8_t *)numbers, 1, counts, &foreign),
                     -EINVAL);
    assert_int_equal(filch_histogram_uint32(NULL, 1, counts, 10, NULL), -EINVAL);
    assert_int_equal(filch_histogram_uint32(numbers, 1, NULL, 10, NULL), -EINVAL);
    assert_int_equal(filch_histogram(0, 5, odd, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram_sums(0, 5, odd, 10, find_bins, &finding), -EINVAL);
    assert_int_equal(filch_histogram_uint8((const uint8_t *)numbers, 1, odd, NULL),
                     -EINVAL);
    assert_int_equal(filch_histogram_uint32(odd, 1, counts, 10, NULL), -EINVAL);
    assert_int_equal(filch_histogram_uint32(numbers, 1, odd, 10, NULL), -EINVAL);
    assert_int_equal(filch_histogram_uint32(numbers, SIZE_MAX / 2, counts, 10, NULL),
                     -EINVAL);
    assert_int_equal(filch_histogram_uint32(numbers, 1, counts, too_many, NULL), -EINVAL);
    assert_int_equal(filch_histogram_uint32(numbers, 1, counts, 10, &foreign), -EINVAL);
    assert_true(is_zero(counts, sizeof counts));
    assert_true(is_zero(sums, sizeof sums));
}

static int refuse_progress(size_t done, size_t total, void *ctx)
{
    return (void)done, (void)total, (void)ctx, 66;
}

static void shuffles_that_fail_leave_the_array_as_it_was(void **state)
{
    int allowed, err = -ENOMEM, alive;
    filch_cancel token = {0};
    filch_opts foreign = *FILCH_OPTS(NULL, .pool = *state);
    uint32_t i;

    foreign.abi++;
    warm_up(*state);
    alive = atomic_load(&blocks_alive);
    for (i = 0; i < NUMBERS; i++)
        numbers[i] = i;
    assert_int_equal(filch_shuffle(NULL, 1, 4, 1), -EINVAL);
    assert_int_equal(filch_shuffle(numbers, 2, 0, 1), -EINVAL);
    assert_int_equal(filch_shuffle(numbers, SIZE_MAX / 2, 4, 1), -EINVAL);
    assert_int_equal(filch_shuffle_with(numbers, 2, 4, 1, &foreign), -EINVAL);
    filch_cancel_set(&token);
    assert_int_equal(filch_shuffle(numbers, 9, 4, 1, .cancel = &token), -ECANCELED);
    assert_int_equal(
        filch_shuffle(numbers, NUMBERS, 4, 1, .pool = *state, .cancel = &token),
        -ECANCELED);
    err = filch_shuffle(numbers, NUMBERS, 4, 1, .pool = *state,
                        .progress = refuse_progress, .progress_ms = 1);
    assert_true(err == 0 || err == 66);
    for (i = 0; i < NUMBERS && err == 0; i++)
        numbers[i] = i;
    for (allowed = 0, err = -ENOMEM; err; allowed++) {
        for (i = 0; i < NUMBERS; i++)
            if (numbers[i] != i)
                fail_msg("place %u: %u", (unsigned)i, (unsigned)numbers[i]);
        atomic_store(&allocations_left, allowed);
        err = filch_shuffle(numbers, NUMBERS, 4, 1, .pool = *state);
        atomic_store(&allocations_left, INT32_MAX);
        assert_true(err == 0 || err == -ENOMEM);
        assert_int_equal(atomic_load(&blocks_alive), alive);
    }
    assert_true(allowed > 2);
}

static void an_array_of_counts_that_overlaps_the_input_is_refused(void **state)
{
    const filch_opts *opts = FILCH_OPTS(NULL, .pool = *state);
    uint64_t *count = counts + 8;
    const uint8_t *byte = (uint8_t *)count;
    const uint32_t *number = (uint32_t *)(void *)count;

    memset(counts, 0, sizeof counts);
    assert_int_equal(filch_histogram_uint8(byte, 1, count, opts), -EINVAL);
    assert_int_equal(filch_histogram_uint8(byte - 8, 9, count, opts), -EINVAL);
    assert_int_equal(filch_histogram_uint8(byte + 8 * 256 - 1, 9, count, opts), -EINVAL);
    assert_int_equal(filch_histogram_uint32(number, 1, count, 10, opts), -EINVAL);
    assert_int_equal(filch_histogram_uint32(number - 4, 5, count, 10, opts), -EINVAL);
    assert_int_equal(filch_histogram_uint32(number + 19, 5, count, 10, opts), -EINVAL);
    assert_true(is_zero(counts, sizeof counts));
    assert_int_equal(filch_histogram_uint8(byte - 8, 8, count, opts), 0);
    assert_int_equal(filch_histogram_uint32(number - 4, 4, count, 10, opts), 0);
    assert_int_equal(filch_histogram_uint32(number + 20, 4, count, 10, opts), 0);
    assert_int_equal(count[0], 8 + 4 + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(histograms_without_memory_change_nothing),
        ON_POOLS(histograms_that_are_ended_change_nothing),
        ON_POOLS(refused_histograms_change_nothing),
        ON_POOLS(an_array_of_counts_that_overlaps_the_input_is_refused),
        ON_POOLS(shuffles_that_fail_leave_the_array_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
