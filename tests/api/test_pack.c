/* test_pack.c - what pack.h promises: the results of the serial loop, for items of any
 * size, in place and not, on any number of workers, with memory and without.
 *
 * Linked with --wrap for malloc, which fails on demand.
 */
#include "pools.h"

#define MOST ((size_t)(IS_EMULATED || IS_TSAN ? 20000 : 70000))

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

/* Of the calling thread. */
static _Thread_local bool is_out_of_memory;

void *__wrap_malloc(size_t bytes)
{
    return is_out_of_memory ? NULL : __real_malloc(bytes);
}

static const size_t sizes[] = {0, 1, 2, 63, 64, 2047, 2048, 2049, 4096, 4097, 9999, MOST};
static const size_t item_bytes[] = {1, 2, 3, 4, 8, 12, 16, 200};
static const size_t grains[] = {0, 1000, 33};

/* What is wanted: of numbers, in the first bytes of an item. */
struct wanted {
    size_t bytes;
    uint64_t modulus, rest; /* below rest, modulo modulus */
    atomic_uint tested;
};

static uint64_t number_of(const void *item, size_t bytes)
{
    uint64_t number = 0;

    memcpy(&number, item, bytes < 8 ? bytes : 8);
    return number;
}

static int is_wanted(const void *item, void *ctx)
{
    struct wanted *wanted = ctx;

    atomic_fetch_add_explicit(&wanted->tested, 1, memory_order_relaxed);
    return number_of(item, wanted->bytes) % wanted->modulus < wanted->rest;
}

static int are_wanted(const void *items, size_t count, bool *flags, void *ctx)
{
    struct wanted *wanted = ctx;
    size_t i;

    atomic_fetch_add_explicit(&wanted->tested, (unsigned)count, memory_order_relaxed);
    for (i = 0; i < count; i++)
        flags[i] = number_of((const char *)items + i * wanted->bytes, wanted->bytes) %
                       wanted->modulus <
                   wanted->rest;
    return 0;
}

static int are_equal(const void *a, const void *b, void *ctx)
{
    return memcmp(a, b, ((struct wanted *)ctx)->bytes) == 0;
}

/* --- serial ------------------------------------------------------------------------- */

static size_t serial_filter(const char *in, char *out, size_t count,
                            struct wanted *wanted, bool is_not)
{
    size_t i, kept = 0;

    for (i = 0; i < count; i++)
        if ((is_wanted(in + i * wanted->bytes, wanted) != 0) != is_not)
            memcpy(out + kept++ * wanted->bytes, in + i * wanted->bytes, wanted->bytes);
    return kept;
}

static size_t serial_unique(const char *in, char *out, size_t count, size_t bytes)
{
    size_t i, kept = 0;

    for (i = 0; i < count; i++)
        if (i == 0 || memcmp(in + (i - 1) * bytes, in + i * bytes, bytes) != 0)
            memcpy(out + kept++ * bytes, in + i * bytes, bytes);
    return kept;
}

/* --- against it --------------------------------------------------------------------- */

struct arrays {
    char *in, *out, *right;
    size_t count, bytes, grain;
};

static void same(const struct arrays *arrays, const char *out, size_t kept, size_t right,
                 size_t shown, const char *what)
{
    size_t i;

    if (kept != right)
        fail_msg("%s of %zu items of %zu bytes, grain %zu: %zu kept, not %zu", what,
                 arrays->count, arrays->bytes, arrays->grain, kept, right);
    for (i = 0; i < shown; i++)
        if (memcmp(out + i * arrays->bytes, arrays->right + i * arrays->bytes,
                   arrays->bytes) != 0)
            fail_msg("%s of %zu items of %zu bytes, grain %zu: wrong at %zu", what,
                     arrays->count, arrays->bytes, arrays->grain, i);
}

static void check_filter(filch_pool *pool, const struct arrays *arrays,
                         struct wanted *wanted)
{
    const filch_opts *opts = FILCH_OPTS(wanted, .pool = pool, .grain = arrays->grain);
    size_t count = arrays->count, bytes = arrays->bytes, kept, right, i;
    size_t *indices = (size_t *)(void *)arrays->out;

    right = serial_filter(arrays->in, arrays->right, count, wanted, false);
    atomic_store(&wanted->tested, 0);
    assert_int_equal(
        filch_filter_with(arrays->in, arrays->out, count, bytes, &kept, is_wanted, opts),
        0);
    same(arrays, arrays->out, kept, right, right, "a filter");
    assert_int_equal(atomic_load(&wanted->tested), count);
    memcpy(arrays->out, arrays->in, count * bytes);
    assert_int_equal(filch_filter_ranges_with(arrays->out, arrays->out, count, bytes,
                                              &kept, are_wanted, opts),
                     0);
    same(arrays, arrays->out, kept, right, right, "a filter in place");

    assert_int_equal(
        filch_count_if_with(arrays->in, count, bytes, &kept, is_wanted, opts), 0);
    same(arrays, NULL, kept, right, 0, "count_if");
    assert_int_equal(
        filch_count_if_ranges_with(arrays->in, count, bytes, &kept, are_wanted, opts), 0);
    same(arrays, NULL, kept, right, 0, "count_if by ranges");

    assert_int_equal(
        filch_where_with(arrays->in, indices, count, bytes, &kept, is_wanted, opts), 0);
    same(arrays, NULL, kept, right, 0, "where");
    for (i = 0; i < kept; i++)
        if (memcmp(arrays->in + indices[i] * bytes, arrays->right + i * bytes, bytes) !=
                0 ||
            (i > 0 && indices[i] <= indices[i - 1]))
            fail_msg("index %zu of %zu is wrong", i, kept);
    assert_int_equal(filch_where_ranges_with(arrays->in, indices, count, bytes, &kept,
                                             are_wanted, opts),
                     0);
    same(arrays, NULL, kept, right, 0, "where by ranges");

    serial_filter(arrays->in, arrays->right + right * bytes, count, wanted, true);
    assert_int_equal(filch_partition_with(arrays->in, arrays->out, count, bytes, &kept,
                                          is_wanted, opts),
                     0);
    same(arrays, arrays->out, kept, right, count, "a partition");
    memset(arrays->out, 0, count * bytes);
    assert_int_equal(filch_partition_ranges_with(arrays->in, arrays->out, count, bytes,
                                                 &kept, are_wanted, opts),
                     0);
    same(arrays, arrays->out, kept, right, count, "a partition by ranges");
}

static void check_unique(filch_pool *pool, const struct arrays *arrays,
                         struct wanted *wanted)
{
    const filch_opts *opts = FILCH_OPTS(wanted, .pool = pool, .grain = arrays->grain);
    size_t count = arrays->count, bytes = arrays->bytes, kept;
    size_t right = serial_unique(arrays->in, arrays->right, count, bytes);

    assert_int_equal(
        filch_unique_with(arrays->in, arrays->out, count, bytes, &kept, are_equal, opts),
        0);
    same(arrays, arrays->out, kept, right, right, "unique");
    memcpy(arrays->out, arrays->in, count * bytes);
    assert_int_equal(
        filch_unique_with(arrays->out, arrays->out, count, bytes, &kept, NULL, opts), 0);
    same(arrays, arrays->out, kept, right, right, "unique in place");
}

/* Items with random numbers; of pattern 0 up to 3 equal ones in a row, of 1 all different,
 * of 2 all equal. */
static void fill(const struct arrays *arrays, int pattern, uint64_t *random)
{
    size_t i, bytes = arrays->bytes;
    uint64_t number = 0;

    memset(arrays->in, 0, arrays->count * bytes);
    for (i = 0; i < arrays->count; i++) {
        if (pattern == 1)
            number += 1 + (i == 0 ? random_below(random, 100) : 0);
        else if (pattern == 0 && random_below(random, 3) == 0)
            number = random_next(random);
        memcpy(arrays->in + i * bytes, &number, bytes < 8 ? bytes : 8);
    }
}

static void check_all(filch_pool *pool, const struct arrays *arrays, uint64_t *random)
{
    struct wanted wanted = {.bytes = arrays->bytes};
    int pattern;
    uint64_t rest;

    for (pattern = 0; pattern < 3; pattern++) {
        fill(arrays, pattern, random);
        check_unique(pool, arrays, &wanted);
        wanted.modulus = 10;
        for (rest = 0; rest <= 10; rest += 5) { /* none, about half, all */
            wanted.rest = rest;
            check_filter(pool, arrays, &wanted);
        }
    }
}

/* All sizes of items; those of 8 bytes with all counts and grains. */
static void check_sizes(filch_pool *pool, size_t most)
{
    uint64_t random = seed_print();
    size_t s, b, g;

    for (b = 0; b < COUNT_OF(item_bytes); b++)
        for (s = 0; s < COUNT_OF(sizes); s++)
            for (g = 0; g < COUNT_OF(grains); g++) {
                size_t bytes = item_bytes[b], count = sizes[s];
                size_t room = count * (bytes < 8 ? 8 : bytes) + 1;
                char *odd = malloc(count * bytes + 1); /* an array at an odd address */
                struct arrays arrays = {odd + 1, malloc(room), malloc(room),
                                        count,   bytes,        grains[g]};

                if (count <= most &&
                    (bytes == 8 ? g < 2 || count < MOST
                                : count == 9999 && (g > 0 || bytes < 16)))
                    check_all(pool, &arrays, &random);
                free(odd);
                free(arrays.out);
                free(arrays.right);
            }
}

static void results_are_those_of_the_serial_loop(void **state)
{
    check_sizes(*state, MOST);
}

/* Then the caller works alone. */
static void results_are_the_same_without_memory(void **state)
{
    struct wanted wanted = {.bytes = 8, .modulus = 10, .rest = 5};
    struct arrays arrays = {
        malloc(MOST * 8), malloc(MOST * 8), malloc(MOST * 8), MOST, 8, 0};
    uint64_t random = seed_print();

    fill(&arrays, 0, &random);
    is_out_of_memory = true;
    check_filter(*state, &arrays, &wanted);
    check_unique(*state, &arrays, &wanted);
    is_out_of_memory = false;
    free(arrays.in);
    free(arrays.out);
    free(arrays.right);
}

/* Those that go past the caches. */
static void long_results_are_right(void **state)
{
    const size_t n = ((size_t)32 << 20) / 8 + 77;
    uint64_t *in = malloc(n * 8), *out = malloc(n * 8);
    struct wanted wanted = {.bytes = 8, .modulus = 3, .rest = 2};
    size_t kept, i, k = 0;

    assert_non_null(in);
    assert_non_null(out);
    for (i = 0; i < n; i++)
        in[i] = i;
    assert_int_equal(
        filch_filter_ranges(in, out, n, 8, &kept, are_wanted, &wanted, .pool = *state),
        0);
    for (i = 0; i < n; i++)
        if (i % 3 < 2 && out[k++] != i)
            fail_msg("%llu at %zu", (unsigned long long)out[k - 1], k - 1);
    assert_int_equal(kept, k);
    assert_int_equal(
        filch_partition(in, out, n, 8, &kept, is_wanted, &wanted, .pool = *state), 0);
    assert_int_equal(kept, k);
    for (i = 0; i < n; i++)
        if (i % 3 == 2 && out[k++] != i)
            fail_msg("%llu at %zu", (unsigned long long)out[k - 1], k - 1);
    free(in);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(results_are_those_of_the_serial_loop),
        ON_POOLS(results_are_the_same_without_memory),
        ON_POOL(long_results_are_right, 3),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
