/* test_scan_items.c - what scan.h promises of scans with a function of the user's: the
 * order of the items, one bracket, errors, and that nobody waits for ever.
 */
#include "pools.h"

#define ITEMS 60000

static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 1000, 16384, 16385, ITEMS};
static const size_t grains[] = {0, 1000, 7};

/* --- ops that do not commute, over items of many sizes ------------------------------ */

/* A map x -> scale * x + add, modulo 2^32; with as many bytes behind it as are wanted. */
struct map {
    uint32_t scale, add;
};

#define MOST_BYTES 5000

static void then(void *left, const void *right, void *ctx)
{
    size_t bytes = *(const size_t *)ctx;
    struct map a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    a.add = a.add * b.scale + b.add;
    a.scale *= b.scale;
    memcpy(left, &a, sizeof a);
    if (bytes > sizeof a) /* at the other end: which item came last */
        ((char *)left)[bytes - 1] = ((const char *)right)[bytes - 1];
}

static void fill_maps(char *items, size_t count, size_t bytes, uint64_t *random)
{
    size_t i;

    memset(items, 0, count * bytes);
    for (i = 0; i < count; i++) {
        struct map map = {(uint32_t)random_next(random) | 1,
                          (uint32_t)random_next(random)};

        memcpy(items + i * bytes, &map, sizeof map);
        if (bytes > sizeof map)
            items[i * bytes + bytes - 1] = (char)i;
    }
}

static void serial_scan(const char *in, char *out, size_t count, size_t bytes,
                        char *carry, bool has_carry, bool is_exclusive)
{
    size_t i = 0;

    if (!has_carry && count > 0) {
        memcpy(carry, in, bytes);
        memcpy(out, in, bytes);
        i = 1;
    }
    for (; i < count; i++) {
        if (is_exclusive)
            memcpy(out + i * bytes, carry, bytes);
        then(carry, in + i * bytes, &bytes);
        if (!is_exclusive)
            memcpy(out + i * bytes, carry, bytes);
    }
}

static void same_items(const char *right, const char *out, size_t count, size_t bytes,
                       size_t grain, const char *what)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (memcmp(right + i * bytes, out + i * bytes, bytes) != 0)
            fail_msg("%s: %zu items of %zu bytes, grain %zu: wrong at %zu", what, count,
                     bytes, grain, i);
}

static void check_size(filch_pool *pool, size_t count, size_t bytes, size_t grain,
                       uint64_t *random)
{
    char *odd_in = malloc(count * bytes + 1), *odd_out = malloc(count * bytes + 1);
    char *in = odd_in + 1, *out = odd_out + 1; /* items of any alignment */
    char *right = malloc(count * bytes + 1);
    char carry[MOST_BYTES] = {0}, right_carry[MOST_BYTES];
    const filch_opts *opts = FILCH_OPTS(&bytes, .pool = pool, .grain = grain);

    fill_maps(in, count, bytes, random);
    fill_maps(carry, 1, bytes, random);
    memcpy(right_carry, carry, bytes);

    serial_scan(in, right, count, bytes, right_carry, true, true);
    assert_int_equal(filch_exscan_with(in, out, count, bytes, carry, then, opts), 0);
    same_items(right, out, count, bytes, grain, "exclusive");
    same_items(right_carry, carry, 1, bytes, grain, "its carry");

    serial_scan(in, right, count, bytes, right_carry, true, false);
    assert_int_equal(filch_scan_with(in, out, count, bytes, carry, then, opts), 0);
    same_items(right, out, count, bytes, grain, "inclusive, with a carry");
    same_items(right_carry, carry, 1, bytes, grain, "its carry");

    serial_scan(in, right, count, bytes, right_carry, false, false);
    memcpy(out, in, count * bytes);
    assert_int_equal(filch_scan_with(out, out, count, bytes, NULL, then, opts), 0);
    same_items(right, out, count, bytes, grain, "inclusive, in place");

    memcpy(right_carry, carry, bytes);
    serial_scan(in, right, count, bytes, right_carry, true, true);
    memcpy(out, in, count * bytes);
    assert_int_equal(filch_exscan_with(out, out, count, bytes, carry, then, opts), 0);
    same_items(right, out, count, bytes, grain, "exclusive, in place");
    same_items(right_carry, carry, 1, bytes, grain, "its carry");
    free(odd_in);
    free(odd_out);
    free(right);
}

static void maps_are_composed_in_order(void **state)
{
    static const size_t item_bytes[] = {8, 9, 16, 48, 49, 64, 200, 2048, MOST_BYTES};
    uint64_t random = seed_print();
    size_t b, s, g;

    for (b = 0; b < COUNT_OF(item_bytes); b++)
        for (s = 0; s < COUNT_OF(sizes); s++)
            for (g = 0; g < COUNT_OF(grains); g++)
                if (item_bytes[b] <= 16 ? grains[g] != 7 || sizes[s] <= 1000
                                        : sizes[s] <= 1000)
                    check_size(*state, sizes[s], item_bytes[b], grains[g], &random);
}

static void add_words(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(uint32_t *)left += *(const uint32_t *)right;
}

static void items_of_four_bytes_are_added_up(void **state)
{
    uint32_t *x = malloc(ITEMS * sizeof *x), *out = malloc(ITEMS * sizeof *x);
    uint32_t sum = 0, carry = 9;
    size_t i;

    assert_non_null(x);
    assert_non_null(out);
    for (i = 0; i < ITEMS; i++)
        x[i] = (uint32_t)i * 2654435761u;
    assert_int_equal(filch_scan(x, out, ITEMS, 4, NULL, add_words, NULL, .pool = *state),
                     0);
    for (i = 0; i < ITEMS; i++)
        if (out[i] != (sum += x[i]))
            fail_msg("%u at %zu, not %u", out[i], i, sum);
    assert_int_equal(
        filch_exscan(x, x, ITEMS, 4, &carry, add_words, NULL, .pool = *state), 0);
    for (i = 0; i + 1 < ITEMS; i++)
        if (x[i + 1] != out[i] + 9)
            fail_msg("%u at %zu, not %u", x[i + 1], i + 1, out[i] + 9);
    assert_true(x[0] == 9 && carry == sum + 9);
    free(x);
    free(out);
}

/* --- bodies over ranges ------------------------------------------------------------- */

/* 2 x 2 matrices modulo 2^64. */
struct matrix {
    uint64_t a, b, c, d;
};

static struct matrix matrices[ITEMS], products[ITEMS];

static struct matrix times(struct matrix x, struct matrix y)
{
    return (struct matrix){x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d,
                           x.c * y.a + x.d * y.c, x.c * y.b + x.d * y.d};
}

static int multiply(filch_worker *w, const void *in, void *out, size_t count, void *acc,
                    void *ctx)
{
    const struct matrix *item = in;
    struct matrix *result = out, product = *(struct matrix *)acc;
    size_t i;

    if (filch_worker_current() != w || count == 0 || (uintptr_t)acc % 32 != 0)
        atomic_fetch_add((atomic_uint *)ctx, 1);
    for (i = 0; i < count; i++) {
        product = times(product, item[i]);
        if (result)
            result[i] = product;
    }
    *(struct matrix *)acc = product;
    return 0;
}

static void matrices_are_multiplied_in_order(void **state)
{
    uint64_t random = seed_print();
    atomic_uint wrong = 0;
    size_t s, i;

    for (i = 0; i < ITEMS; i++)
        matrices[i] = (struct matrix){random_next(&random), random_next(&random),
                                      random_next(&random), random_next(&random)};
    for (s = 0; s < COUNT_OF(sizes); s++) {
        struct matrix product = {1, 0, 0, 1}, carry = {1, 2, 3, 4}, after = carry;

        assert_int_equal(filch_scan_ranges(matrices, products, sizes[s], sizeof *matrices,
                                           NULL, multiply, &wrong, .pool = *state),
                         0);
        for (i = 0; i < sizes[s]; i++) {
            product = times(product, matrices[i]);
            if (memcmp(&product, &products[i], sizeof product) != 0)
                fail_msg("product %zu of %zu is wrong", i, sizes[s]);
        }
        memcpy(products, matrices, sizeof products);
        assert_int_equal(filch_exscan_ranges(products, products, sizes[s],
                                             sizeof *matrices, &carry, multiply, &wrong,
                                             .pool = *state, .grain = 500),
                         0);
        for (i = 0; i < sizes[s]; i++) {
            if (memcmp(&after, &products[i], sizeof after) != 0)
                fail_msg("what comes before %zu of %zu is wrong", i, sizes[s]);
            after = times(after, matrices[i]);
        }
        assert_memory_equal(&after, &carry, sizeof after);
    }
    assert_int_equal(atomic_load(&wrong), 0);
}

/* --- one bracket -------------------------------------------------------------------- */

static double numbers[ITEMS], sums[ITEMS], first_sums[ITEMS];

static void add(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(const double *)right;
}

static void float_sums_have_the_same_bits_on_any_number_of_workers(void **state)
{
    static const unsigned worker_counts[] = {1, 2, 3, 4, 8};
    uint64_t random = seed_print();
    size_t i, p, g;
    int round;

    (void)state;
    for (i = 0; i < ITEMS; i++)
        numbers[i] = (double)(int64_t)random_next(&random) *
                     (double)(UINT64_C(1) << random_below(&random, 40));
    for (g = 0; g < COUNT_OF(grains); g++) {
        double first_carry = 1e18;

        assert_int_equal(filch_scan(numbers, first_sums, ITEMS, sizeof *numbers,
                                    &first_carry, add, NULL, .grain = grains[g],
                                    .max_workers = 1),
                         0);
        for (p = 0; p < COUNT_OF(worker_counts); p++) {
            filch_pool *pool;

            assert_int_equal(
                filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = worker_counts[p])),
                0);
            for (round = 0; round < 5; round++) {
                double carry = 1e18;

                assert_int_equal(filch_scan(numbers, sums, ITEMS, sizeof *numbers, &carry,
                                            add, NULL, .grain = grains[g], .pool = pool),
                                 0);
                assert_memory_equal(sums, first_sums, sizeof sums);
                assert_memory_equal(&carry, &first_carry, sizeof carry);
            }
            filch_pool_destroy(pool);
        }
    }
}

/* --- failures ----------------------------------------------------------------------- */

struct failing {
    size_t at[3];
    bool only_folds, only_scans;
    atomic_uint calls;
};

static int64_t whole[ITEMS], whole_out[ITEMS];

/* A sum of int64_t; item i of whole fails with i + 1. The fold of a tile, which is an item
 * too, does not, whatever it is. */
static int add_failing(filch_worker *w, const void *in, void *out, size_t count,
                       void *acc, void *ctx)
{
    struct failing *failing = ctx;
    const int64_t *item = in;
    int64_t *result = out, sum = *(int64_t *)acc;
    bool is_fold = item < whole || item >= whole + ITEMS;
    size_t i, k;

    (void)w;
    atomic_fetch_add(&failing->calls, 1);
    for (i = 0; i < count; i++) {
        for (k = 0; k < COUNT_OF(failing->at); k++)
            if (!is_fold && (size_t)item[i] == failing->at[k] &&
                !(failing->only_folds && out) && !(failing->only_scans && !out))
                return (int)item[i] + 1;
        sum += item[i];
        if (out)
            result[i] = sum;
    }
    *(int64_t *)acc = sum;
    return 0;
}

static void the_value_of_the_lowest_failing_tile_is_returned(void **state)
{
    uint64_t random = seed_print();
    int round;
    size_t i;

    for (i = 0; i < ITEMS; i++)
        whole[i] = (int64_t)i;
    for (round = 0; round < 300; round++) {
        struct failing failing = {.only_folds = round % 3 == 1,
                                  .only_scans = round % 3 == 2};
        size_t grain = 1 + random_below(&random, 2000);
        size_t lowest = ITEMS;
        int64_t carry = -1;
        int value;

        for (i = 0; i < COUNT_OF(failing.at); i++) {
            failing.at[i] =
                random_below(&random, ITEMS - grain); /* the last has no fold */
            /* The first item of the first fold is copied. */
            if (failing.at[i] % grain == 0)
                failing.at[i] += grain > 1;
            lowest = failing.at[i] < lowest ? failing.at[i] : lowest;
        }
        if (grain == 1)
            continue; /* folds of one item are copies */
        value = filch_scan_ranges(whole, whole_out, ITEMS, sizeof *whole, &carry,
                                  add_failing, &failing, .pool = *state, .grain = grain);
        if (value != (int)lowest + 1)
            fail_msg("%d, not %zu; grain %zu", value, lowest + 1, grain);
        assert_int_equal(carry, -1);
        for (i = 0; i < lowest / grain * grain; i++)
            if (whole_out[i] != (int64_t)(i * (i + 1) / 2) - 1)
                fail_msg("result %zu, below the failing tile, is wrong", i);
        /* And then all is well again. */
        failing.at[0] = failing.at[1] = failing.at[2] = ITEMS;
        assert_int_equal(filch_scan_ranges(whole, whole_out, ITEMS, sizeof *whole, NULL,
                                           add_failing, &failing, .pool = *state),
                         0);
        assert_int_equal(whole_out[ITEMS - 1], (int64_t)ITEMS * (ITEMS - 1) / 2);
    }
}

static void a_failure_ends_the_scan_soon(void **state)
{
    struct failing failing = {{5, ITEMS, ITEMS}, false, false, 0};
    size_t i;

    for (i = 0; i < ITEMS; i++)
        whole[i] = (int64_t)i;
    assert_int_equal(filch_scan_ranges(whole, whole_out, ITEMS, sizeof *whole, NULL,
                                       add_failing, &failing, .pool = *state,
                                       .grain = 10),
                     6);
    /* Three calls for each of 6000 tiles, otherwise. */
    assert_true(atomic_load(&failing.calls) < 9000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(maps_are_composed_in_order),
        ON_POOLS(items_of_four_bytes_are_added_up),
        ON_POOLS(matrices_are_multiplied_in_order),
        cmocka_unit_test(float_sums_have_the_same_bits_on_any_number_of_workers),
        ON_POOLS(the_value_of_the_lowest_failing_tile_is_returned),
        ON_POOLS(a_failure_ends_the_scan_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
