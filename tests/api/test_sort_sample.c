/* test_sort_sample.c - which keys are in the sample of a sort of many keys cannot be foreseen,
 * and does not show in the result.
 *
 * fl_map_make is replaced, to count passes over the array; fl_salt, to choose the samples.
 */
#include "pools.h"
#include "sort.h"

static atomic_size_t passes;
static _Atomic uint64_t chosen_salt; /* 0: as it is */

void __real_fl_map_make(struct fl_map *map, const uint64_t *sample, size_t buckets,
                        const uint64_t *extent);
void __wrap_fl_map_make(struct fl_map *map, const uint64_t *sample, size_t buckets,
                        const uint64_t *extent);
void __wrap_fl_map_make(struct fl_map *map, const uint64_t *sample, size_t buckets,
                        const uint64_t *extent)
{
    atomic_fetch_add(&passes, 1);
    __real_fl_map_make(map, sample, buckets, extent);
}

uint64_t __real_fl_salt(void);
uint64_t __wrap_fl_salt(void);
uint64_t __wrap_fl_salt(void)
{
    uint64_t salt = atomic_load(&chosen_salt);

    return salt ? salt : __real_fl_salt();
}

/* --- keys that were chosen for a sample ------------------------------------------- */

#define KEYS    ((size_t)100000)
#define BUCKETS ((size_t)32) /* in each of their passes */
#define SAMPLES (BUCKETS * FL_MAP_SAMPLES)

static uint64_t crafted[KEYS], random_keys[KEYS], sorted[KEYS], x[KEYS], y[KEYS];

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* What mixes the number of a sample and its salt, in the library. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 27;
}

/* Those of places at[0] to at[n - 1] that are in a sample without a salt have keys all
 * over [least, least + span), but for the middle. Others, whose places are left in `at`,
 * belong there. Returns how many. */
static size_t craft(size_t *at, size_t n, uint64_t least, uint64_t span)
{
    size_t stratum = n / SAMPLES, left = 0, sample = 0, i;

    for (i = 0; i < n; i++) {
        if (sample < SAMPLES &&
            i == sample * stratum + (size_t)(mix(sample + 1) % stratum)) {
            uint64_t key = span / SAMPLES * sample;

            if (key > span / 2 - span / 16 && key < span / 2 + span / 16)
                key = span / 4 + sample;
            crafted[at[i]] = least + key;
            sample++;
        } else {
            at[left++] = at[i];
        }
    }
    assert_int_equal(sample, SAMPLES);
    return left;
}

/* Two passes see a few keys that are far apart; all others are close to one another. */
static int fill(void **state)
{
    static size_t at[KEYS];
    uint64_t seed = seed_print(), middle = UINT64_C(1) << 63;
    size_t i, n;

    for (i = 0; i < KEYS; i++) {
        at[i] = i;
        random_keys[i] = random_next(&seed);
    }
    n = craft(at, KEYS, 0, UINT64_MAX);
    n = craft(at, n, middle, UINT64_C(1) << 40);
    for (i = 0; i < n; i++)
        crafted[at[i]] = middle + (UINT64_C(1) << 39) + random_below(&seed, 1 << 20);
    memcpy(sorted, crafted, sizeof sorted);
    qsort(sorted, KEYS, sizeof *sorted, by_value);
    return (void)state, 0;
}

static void check_sorted(size_t begin, size_t end)
{
    assert_memory_equal(x + begin, sorted + begin, (end - begin) * sizeof *x);
}

static void keys_chosen_for_a_sample_are_sorted_in_one_pass(void **state)
{
    memcpy(x, crafted, sizeof x);
    atomic_store(&passes, 0);
    assert_int_equal(filch_sort_keys(x, KEYS, .pool = *state), 0);
    assert_int_equal(atomic_load(&passes), 1);
    check_sorted(0, KEYS);
}

/* The sample of its first pass is the same every time, for items outside of the range are
 * in an order that is. */
static void a_range_of_keys_chosen_for_a_sample_takes_two_passes(void **state)
{
    memcpy(x, crafted, sizeof x);
    atomic_store(&passes, 0);
    assert_int_equal(filch_sort_range(x, KEYS, KEYS / 2, KEYS / 2 + 1, .pool = *state),
                     0);
    assert_int_equal(atomic_load(&passes), 2);
    check_sorted(KEYS / 2, KEYS / 2 + 1);
}

/* --- results ---------------------------------------------------------------------- */

static void sort_with(const uint64_t *keys, uint64_t *to, bool is_range, uint64_t salt,
                      filch_pool *pool)
{
    memcpy(to, keys, KEYS * sizeof *to);
    atomic_store(&chosen_salt, salt);
    if (is_range)
        assert_int_equal(filch_sort_range(to, KEYS, KEYS / 2, KEYS / 2 + 1, .pool = pool),
                         0);
    else
        assert_int_equal(filch_sort_keys(to, KEYS, .pool = pool), 0);
    atomic_store(&chosen_salt, 0);
}

static void no_result_depends_on_the_sample(void **state)
{
    static const uint64_t *const arrays[] = {crafted, random_keys};
    size_t i;

    for (i = 0; i < 4; i++) {
        sort_with(arrays[i / 2], x, i % 2, 1, *state);
        sort_with(arrays[i / 2], y, i % 2, UINT64_C(0x123456789abcdef1), *state);
        assert_memory_equal(x, y, sizeof x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(keys_chosen_for_a_sample_are_sorted_in_one_pass),
        ON_POOLS(a_range_of_keys_chosen_for_a_sample_takes_two_passes),
        ON_POOLS(no_result_depends_on_the_sample),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
