/* test_group_errors.c - each error of group.h, and that it leaves nothing behind: no memory,
 * no value.
 */
#include "groups.h"
#include "scarce.h"

#define ITEMS 12000

/* --- values that own memory ------------------------------------------------------- */

static atomic_int owned;

static void own_merge(void *left, void *right, void *ctx)
{
    (void)left, (void)ctx;
    if (*(void **)right) {
        __real_free(*(void **)right);
        atomic_fetch_sub(&owned, 1);
    }
}

static void own_destroy(void *value, void *ctx)
{
    (void)ctx;
    if (*(void **)value) {
        __real_free(*(void **)value);
        atomic_fetch_sub(&owned, 1);
    }
}

#define BY_OWNED(...)                                                   \
    FILCH_GROUP_BY(.value_bytes = sizeof(void *), .combine = own_merge, \
                   .destroy = own_destroy, __VA_ARGS__)

struct owning {
    size_t fails_at; /* the item whose body fails */
    filch_cancel *cancel;
    size_t cancels_at;
    atomic_uint *meet;
    unsigned company;
    bool ignores;
};

static int emit_owned(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                      void *ctx)
{
    const struct owning *owning = ctx;
    size_t i;

    (void)w;
    if (owning->meet) {
        atomic_fetch_add(owning->meet, 1);
        if (!wait_for(owning->meet, owning->company))
            return -1;
    }
    for (i = begin; i < end; i++) {
        uint64_t key = i % 5000;
        void **value = filch_emit(out, i, &key, sizeof key);

        if (i == owning->fails_at)
            return 77;
        if (i == owning->cancels_at)
            filch_cancel_set(owning->cancel);
        if (!value && owning->ignores)
            continue;
        if (!value)
            return -ENOMEM;
        if (!*value) {
            *value = __real_malloc(1);
            atomic_fetch_add(&owned, *value != NULL);
        }
    }
    return 0;
}

static void a_group_leaves_nothing_behind_whichever_allocation_fails(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    size_t grain = ITEMS / workers;
    filch_group_item *items;
    filch_groups *groups;
    int alive = 0, allowed, step, err = -ENOMEM;

    warm_up(*state);
    for (allowed = 0; err; allowed += step) {
        struct owning owning = {
            .fails_at = SIZE_MAX, .cancels_at = SIZE_MAX, .ignores = allowed % 2 == 1};

        step = allowed < 500 ? 1 : 7;
        groups = (void *)&owning;
        alive = atomic_load(&blocks_alive);
        atomic_store(&allocations_left, allowed);
        err = filch_group(&groups, 0, ITEMS, emit_owned, BY_OWNED(.key_bytes = 8),
                          &owning, .pool = *state, .grain = grain);
        atomic_store(&allocations_left, INT32_MAX);
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_null(groups);
            assert_int_equal(atomic_load(&owned), 0);
            assert_int_equal(atomic_load(&blocks_alive), alive);
        }
        assert_true(allowed < 5000);
    }
    assert_int_equal(filch_groups_count(groups), 5000);
    assert_int_equal(atomic_load(&owned), 5000);
    assert_true(allowed > 5);

    /* The groups stay as they are when there is no memory for the array of them. */
    for (allowed = 0, err = -ENOMEM; err; allowed++) {
        atomic_store(&allocations_left, allowed);
        items = (void *)groups;
        err =
            filch_groups_items(groups, FILCH_GROUP_BY_KEY, &items, NULL, .pool = *state);
        atomic_store(&allocations_left, INT32_MAX);
        assert_true(err == 0 || err == -ENOMEM);
        assert_int_equal(items == NULL, err != 0);
    }
    assert_in_range(allowed, 3, 20);
    assert_int_equal(items ? *(const uint64_t *)items[0].key : 1, 0);
    filch_groups_destroy(groups);
    assert_int_equal(atomic_load(&owned), 0);
    assert_int_equal(atomic_load(&blocks_alive), alive);
}

static void a_group_keeps_to_its_memory_and_says_how_much_it_was(void **state)
{
    struct owning owning = {.fails_at = SIZE_MAX, .cancels_at = SIZE_MAX};
    size_t bytes, most, all;
    filch_groups *groups;

    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned, BY_OWNED(.key_bytes = 8),
                                 &owning, .pool = *state),
                     0);
    bytes = filch_groups_bytes(groups, &most);
    assert_in_range(bytes, 5000 * (32 + 26), most);
    assert_int_equal(filch_groups_bytes(groups, NULL), bytes);
    filch_groups_destroy(groups);
    all = (size_t)filch_pool_workers(*state) * most * 2;
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned,
                                 BY_OWNED(.key_bytes = 8, .most_bytes = all), &owning,
                                 .pool = *state),
                     0);
    assert_true(filch_groups_bytes(groups, &most) <= all && most <= all);
    filch_groups_destroy(groups);
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned,
                                 BY_OWNED(.key_bytes = 8, .most_bytes = 100000), &owning,
                                 .pool = *state),
                     -ENOMEM);
    assert_null(groups);
    assert_int_equal(atomic_load(&owned), 0);
}

/* --- errors of filch_group -------------------------------------------------------- */

static void refused_groups_run_nothing(void **state)
{
    struct owning owning = {.fails_at = 0, .cancels_at = SIZE_MAX};
    filch_opts foreign = *FILCH_OPTS(&owning, .pool = *state);
    filch_group_by older = *BY_OWNED(.key_bytes = 8), other = older;
    filch_group_item *items;
    filch_groups *groups;

    foreign.abi++;
    older.struct_size -= 8;
    other.abi++;
#define REFUSED(out, begin, end, body, by, opts)                                      \
    do {                                                                              \
        groups = (void *)&owning;                                                     \
        assert_int_equal(filch_group_with(out, begin, end, body, by, opts), -EINVAL); \
        if ((out) != NULL)                                                            \
            assert_null(groups);                                                      \
    } while (0)
    REFUSED(NULL, 0, 1, emit_owned, BY_OWNED(.key_bytes = 8), NULL);
    REFUSED(&groups, 0, 1, NULL, BY_OWNED(.key_bytes = 8), NULL);
    REFUSED(&groups, 2, 1, emit_owned, BY_OWNED(.key_bytes = 8), NULL);
    REFUSED(&groups, 0, 1, emit_owned, NULL, NULL);
    REFUSED(&groups, 0, 1, emit_owned, &older, NULL);
    REFUSED(&groups, 0, 1, emit_owned, &other, NULL);
    REFUSED(&groups, 0, 1, emit_owned, FILCH_GROUP_BY(.value_bytes = 8), NULL);
    REFUSED(&groups, 0, 1, emit_owned, BY_OWNED(.key_bytes = 8), &foreign);
    /* That a key is not of the length that all have shows in the call alone. */
    owning.fails_at = SIZE_MAX;
    owning.ignores = true;
    REFUSED(&groups, 0, 1, emit_owned, BY_OWNED(.key_bytes = 7),
            FILCH_OPTS(&owning, .pool = *state));
#undef REFUSED
    older = *BY_OWNED(.key_bytes = 8);
    older.value_bytes = SIZE_MAX / 2;
    assert_int_equal(filch_group(&groups, 0, 1, emit_owned, &older, &owning), -ENOMEM);
    assert_int_equal(
        filch_group(&groups, 0, 10, emit_owned, BY_OWNED(.key_bytes = 8), &owning), 0);
    assert_int_equal(filch_groups_items_with(groups, FILCH_GROUP_ANY, NULL, NULL),
                     -EINVAL);
    assert_int_equal(filch_groups_items_with(NULL, FILCH_GROUP_ANY, &items, NULL),
                     -EINVAL);
    assert_int_equal(
        filch_groups_items_with(groups, (enum filch_group_order)3, &items, NULL),
        -EINVAL);
    assert_int_equal(filch_groups_items_with(groups, FILCH_GROUP_ANY, &items, &foreign),
                     -EINVAL);
    filch_groups_destroy(groups);
    filch_groups_destroy(NULL);
    assert_int_equal(atomic_load(&owned), 0);
}

static uint64_t hash_nothing(const void *key, size_t bytes, void *ctx)
{
    return (void)key, (void)bytes, (void)ctx, 0;
}

static int emit_too_long(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                         void *ctx)
{
    (void)w, (void)end, (void)ctx;
    return filch_emit(out, begin, "", SIZE_MAX / 2) ? 1 : 0;
}

static void a_key_that_no_memory_has_is_reported(void **state)
{
    filch_groups *groups = (void *)state;

    assert_int_equal(filch_group(&groups, 0, 1, emit_too_long,
                                 FILCH_GROUP_BY(.hash = hash_nothing), NULL,
                                 .pool = *state),
                     -ENOMEM);
    assert_null(groups);
}

static void a_group_that_is_ended_leaves_nothing_behind(void **state)
{
    filch_cancel token = {0};
    struct owning failing = {.fails_at = 3000, .cancels_at = SIZE_MAX};
    struct owning ending = {.fails_at = SIZE_MAX, .cancel = &token, .cancels_at = 100};
    filch_group_item *items;
    filch_groups *groups;
    int alive;

    warm_up(*state);
    alive = atomic_load(&blocks_alive);
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned, BY_OWNED(.key_bytes = 8),
                                 &failing, .pool = *state, .max_chunk = 64),
                     77);
    assert_null(groups);
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned, BY_OWNED(.key_bytes = 8),
                                 &ending, .pool = *state, .max_chunk = 64,
                                 .cancel = &token),
                     -ECANCELED);
    assert_null(groups);
    assert_int_equal(atomic_load(&owned), 0);
    assert_int_equal(atomic_load(&blocks_alive), alive);

    filch_cancel_clear(&token);
    ending.cancels_at = SIZE_MAX;
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_owned, BY_OWNED(.key_bytes = 8),
                                 &ending, .pool = *state, .cancel = &token),
                     0);
    filch_cancel_set(&token);
    assert_int_equal(filch_groups_items(groups, FILCH_GROUP_BY_KEY, &items, NULL,
                                        .pool = *state, .cancel = &token),
                     -ECANCELED);
    assert_null(items);
    filch_groups_destroy(groups);
    assert_int_equal(atomic_load(&owned), 0);
}

#define LINE  ((size_t)64) /* of which a block may lose two for its alignment */
#define KEYS  ((size_t)30000)
#define PAIRS ((size_t)140000)

static int emit_keys(filch_worker *w, size_t begin, size_t end, filch_emitter *emitter,
                     void *ctx)
{
    size_t i;

    for (i = begin; i < end; i++) {
        uint64_t key = i % KEYS, *count = filch_emit(emitter, i, &key, sizeof key);

        if (!count)
            return -ENOMEM;
        ++*count;
    }
    return (void)w, (void)ctx, 0;
}

static void add_counts(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static void groups_say_how_much_memory_they_take(void **state)
{
    const filch_group_by *by =
        FILCH_GROUP_BY(.value_bytes = 8, .key_bytes = 8, .combine = add_counts);
    size_t workers = filch_pool_workers(*state), before, taken, lost, said, most;
    filch_group_item *items;
    filch_groups *groups;

    warm_up(*state);
    before = most_again();
    assert_int_equal(filch_group(&groups, 0, PAIRS, emit_keys, by, NULL, .pool = *state),
                     0);
    assert_int_equal(filch_groups_count(groups), KEYS);
    taken = heap_most - before;
    lost = 2 * LINE * heap_most_blocks;
    said = filch_groups_bytes(groups, &most);
    assert_in_range(taken, 0,
                    workers * (KEYS * (16 + 8 + 8 + 51) + (1 << 20)) + KEYS * 51 + lost);
    /* It is said when memory is asked for, which may not have been there at once. */
    assert_in_range(taken, most / 2, most + lost);
    assert_in_range(heap_bytes - before, said, said + lost);

    before = most_again();
    assert_int_equal(
        filch_groups_items(groups, FILCH_GROUP_BY_KEY, &items, NULL, .pool = *state), 0);
    assert_in_range(heap_most - before, 32 * KEYS, 64 * KEYS + lost);
    assert_in_range(heap_bytes - before, 32 * KEYS, 32 * KEYS + lost);
    filch_groups_destroy(groups);
}

/* --- memory while tables grow ----------------------------------------------------- */

/* Pairs whose keys differ for each worker; and for all of them, unless they share. */
struct growing {
    atomic_uint begun;
    unsigned company;
    size_t keys; /* that there are in all */
};

static int emit_growing(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                        void *ctx)
{
    struct growing *growing = ctx;
    size_t i;

    atomic_fetch_add(&growing->begun, 1);
    if (!wait_for(&growing->begun, growing->company))
        return -1;
    for (i = begin; i < end; i++) {
        uint64_t key = i % growing->keys, *count = filch_emit(out, i, &key, sizeof key);

        if (!count)
            return -ENOMEM;
        ++*count;
    }
    return (void)w, 0;
}

/* The most that a group takes of which each worker meets so many keys, of which there are
 * `result` in all; by what the header says. */
static size_t growing_limit(size_t keys, size_t result, size_t workers)
{
    size_t used = keys * (16 + 8 + 8), last = used + 512 < 1 << 20 ? used + 512 : 1 << 20;
    size_t merging = workers > 1 ? keys * 51 * workers + result * 64 : 0;
    size_t growing = keys * 77 * workers, table = merging > growing ? merging : growing;

    return workers * (used + last + 8192) + table;
}

/* is_shared: all workers have the same keys. is_grown: a table has just grown. */
static void measure_growth(filch_pool *pool, size_t keys, bool is_shared, bool is_grown)
{
    const filch_group_by *by =
        FILCH_GROUP_BY(.value_bytes = 8, .key_bytes = 8, .combine = add_counts);
    filch_group_by limited = *by;
    size_t workers = filch_pool_workers(pool), before, taken, lost, limit, most;
    struct growing growing = {.company = (unsigned)workers,
                              .keys = is_shared ? keys : keys * workers};
    filch_groups *groups;

    warm_up(pool);
    before = most_again();
    assert_int_equal(filch_group(&groups, 0, keys * workers, emit_growing, by, &growing,
                                 .pool = pool, .grain = keys),
                     0);
    assert_int_equal(filch_groups_count(groups), growing.keys);
    filch_groups_bytes(groups, &most);
    filch_groups_destroy(groups);
    taken = heap_most - before;
    lost = 2 * LINE * (heap_most_blocks - heap_end);
    limit = growing_limit(keys, growing.keys, workers);
    if (taken > limit + lost)
        fail_msg("%zu keys for each worker, %zu in all: %zu bytes instead of %zu", keys,
                 growing.keys, taken, limit);
    if (is_grown) /* both tables were there */
        assert_true(taken >= keys * (16 + 8 + 8 + 76));

    /* So much is enough: parts differ a little from call to call. Less than both tables
     * is an error, and no more is taken. */
    limited.most_bytes = workers == 1 ? most : most + most / 4;
    growing.begun = 0;
    assert_int_equal(filch_group(&groups, 0, keys * workers, emit_growing, &limited,
                                 &growing, .pool = pool, .grain = keys),
                     0);
    filch_groups_destroy(groups);
    if (is_grown) {
        limited.most_bytes = keys * (16 + 8 + 8 + 76) - 100;
        growing.company = 0; /* whoever has no memory does not come */
        before = most_again();
        assert_int_equal(filch_group(&groups, 0, keys * workers, emit_growing, &limited,
                                     &growing, .pool = pool, .grain = keys),
                         -ENOMEM);
        lost = 2 * LINE * (heap_most_blocks - heap_end);
        assert_in_range(heap_most - before, 0, limited.most_bytes + 1024 + lost);
    }
}

static void groups_take_no_more_than_is_said_while_tables_grow(void **state)
{
    unsigned log2;

    for (log2 = 6; log2 <= (IS_EMULATED || IS_TSAN ? 12 : 16); log2 += 2) {
        size_t most = ((size_t)1 << log2) / 8 * 5;
        int is_shared;

        for (is_shared = 0; is_shared < 2; is_shared++) {
            measure_growth(*state, most - 1, is_shared, false);
            measure_growth(*state, most, is_shared, false);
            measure_growth(*state, most + 1, is_shared, true);
            measure_growth(*state, most * 3 / 2, is_shared, false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_group_leaves_nothing_behind_whichever_allocation_fails),
        ON_POOLS(a_group_keeps_to_its_memory_and_says_how_much_it_was),
        ON_POOLS(refused_groups_run_nothing),
        ON_POOLS(a_key_that_no_memory_has_is_reported),
        ON_POOLS(a_group_that_is_ended_leaves_nothing_behind),
        ON_POOLS(groups_say_how_much_memory_they_take),
        ON_POOLS(groups_take_no_more_than_is_said_while_tables_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
