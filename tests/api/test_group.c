/* test_group.c - what group.h promises of its results: those of the serial loop, whatever
 * the keys, the hashes and the workers.
 */
#include "groups.h"

#define ITEMS (IS_EMULATED ? 6000 : 20000)

static int by_tally(filch_groups **groups, key_maker *make, size_t items,
                    const filch_group_by *by, filch_pool *pool)
{
    struct emitting emitting = {.make = make};

    return filch_group(groups, 0, items, emit_items, by, &emitting, .pool = pool,
                       .max_chunk = 50);
}

static void check(key_maker *make, size_t items, const filch_group_by *by,
                  filch_pool *pool)
{
    filch_groups *groups;
    struct expected *expected;
    size_t count;

    expected = oracle(make, items, &count);
    assert_int_equal(by_tally(&groups, make, items, by, pool), 0);
    check_groups(groups, expected, count, pool);
    filch_groups_destroy(groups);
    oracle_free(expected, count);
}

static void keys_of_any_kind_are_grouped_as_by_the_serial_loop(void **state)
{
    static key_maker *const makers[] = {key_equal, key_different, key_beginning,
                                        key_zeros, key_word,      key_byte};
    static const size_t sizes[] = {0, 1, 2, 3, 10, 1000, ITEMS};
    size_t i, j;

    for (i = 0; i < COUNT_OF(makers); i++)
        for (j = 0; j < COUNT_OF(sizes); j++)
            check(makers[i], sizes[j], BY_TALLY(.key_bytes = 0), *state);
    check(key_long, 1000, BY_TALLY(.key_bytes = 0), *state);
}

static void keys_of_one_length_need_not_be_told_it(void **state)
{
    check(key_different, ITEMS, BY_TALLY(.key_bytes = 8), *state);
    check(key_equal, ITEMS, BY_TALLY(.key_bytes = 8), *state);
    check(key_byte, ITEMS, BY_TALLY(.key_bytes = 1), *state);
}

/* --- hashes ----------------------------------------------------------------------- */

static uint64_t hash_nothing(const void *key, size_t bytes, void *ctx)
{
    return (void)key, (void)bytes, (void)ctx, 0;
}

static uint64_t hash_all_ones(const void *key, size_t bytes, void *ctx)
{
    return (void)key, (void)bytes, (void)ctx, UINT64_MAX;
}

/* Few bits that differ. */
static uint64_t hash_low_bits(const void *key, size_t bytes, void *ctx)
{
    uint64_t hash = 0;

    (void)ctx;
    memcpy(&hash, key, bytes < 3 ? bytes : 3);
    return hash;
}

/* Seven hashes. */
static uint64_t hash_to_the_end(const void *key, size_t bytes, void *ctx)
{
    return UINT64_MAX - hash_low_bits(key, bytes, ctx) % 7 * (UINT64_MAX >> 13);
}

/* Most bits are alike. */
static uint64_t hash_to_few_parts(const void *key, size_t bytes, void *ctx)
{
    uint64_t low = hash_low_bits(key, bytes, ctx);

    return (low % 3 ? UINT64_C(0x0123) : low % 16) << 48 ^
           low * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

static void hashes_that_collide_change_nothing(void **state)
{
    check(key_word, 500, BY_TALLY(.hash = hash_nothing), *state);
    check(key_beginning, 2000, BY_TALLY(.hash = hash_all_ones), *state);
    check(key_word, 3000, BY_TALLY(.hash = hash_low_bits), *state);
    check(key_different, 1000, BY_TALLY(.hash = hash_to_the_end), *state);
    check(key_different, ITEMS, BY_TALLY(.hash = hash_to_few_parts), *state);
}

/* --- tables of several workers ---------------------------------------------------- */

static void tables_of_all_workers_are_merged(void **state)
{
    static key_maker *const makers[] = {key_different, key_word, key_equal, key_zeros};
    static uint64_t (*const hashes[])(const void *, size_t, void *) = {NULL,
                                                                       hash_to_few_parts};
    unsigned workers = filch_pool_workers(*state);
    size_t i, j, count, grain = ITEMS / workers;

    for (i = 0; i < COUNT_OF(makers); i++)
        for (j = 0; j < COUNT_OF(hashes); j++) {
            struct expected *expected = oracle(makers[i], grain * workers, &count);
            atomic_uint begun = 0;
            struct emitting emitting = {makers[i], &begun, workers};
            filch_groups *groups;

            assert_int_equal(filch_group(&groups, 0, grain * workers, emit_items,
                                         BY_TALLY(.hash = hashes[j]), &emitting,
                                         .pool = *state, .grain = grain),
                             0);
            assert_int_equal(atomic_load(&begun), workers);
            check_groups(groups, expected, count, *state);
            filch_groups_destroy(groups);
            oracle_free(expected, count);
        }
}

/* --- values ----------------------------------------------------------------------- */

static const uint64_t least_of_none = UINT64_MAX;

static int emit_least(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                      void *ctx)
{
    size_t i;

    (void)w, (void)ctx;
    for (i = begin; i < end; i++) {
        uint32_t key = (uint32_t)(i % 10);
        uint64_t state = i, number = random_next(&state);
        uint64_t *least = filch_emit(out, i, &key, sizeof key);

        if (!least)
            return -ENOMEM;
        if (number < *least)
            *least = number;
    }
    return 0;
}

static void keep_least(void *left, void *right, void *ctx)
{
    (void)ctx;
    if (*(uint64_t *)right < *(uint64_t *)left)
        *(uint64_t *)left = *(uint64_t *)right;
}

static void new_keys_have_the_identity(void **state)
{
    uint64_t expected[10];
    filch_groups *groups;
    uint32_t key;
    size_t i;

    memset(expected, 0xff, sizeof expected);
    for (i = 0; i < ITEMS; i++) {
        uint64_t seed = i, number = random_next(&seed);

        if (number < expected[i % 10])
            expected[i % 10] = number;
    }
    assert_int_equal(
        filch_group(&groups, 0, ITEMS, emit_least,
                    FILCH_GROUP_BY(.value_bytes = 8, .combine = keep_least,
                                   .identity = &least_of_none, .key_bytes = 4),
                    NULL, .pool = *state, .max_chunk = 100),
        0);
    for (key = 0; key < 10; key++) {
        const uint64_t *least = filch_groups_find(groups, &key, sizeof key);

        assert_non_null(least);
        assert_true(*least == expected[key]);
    }
    filch_groups_destroy(groups);
}

/* A list for each key, of nodes that lie at their items. */
struct node {
    struct node *next;
};

struct list {
    struct node *first, *last;
};

#define LISTS 2503

static struct node nodes[ITEMS];

static int emit_nodes(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                      void *ctx)
{
    size_t i;

    (void)w, (void)ctx;
    for (i = begin; i < end; i++) {
        uint64_t key = i % LISTS;
        struct list *list = filch_emit(out, i, &key, sizeof key);

        if (!list)
            return -ENOMEM;
        nodes[i].next = NULL;
        if (list->last)
            list->last->next = &nodes[i];
        else
            list->first = &nodes[i];
        list->last = &nodes[i];
    }
    return 0;
}

static void append(void *left, void *right, void *ctx)
{
    struct list *a = left;
    const struct list *b = right;

    (void)ctx;
    a->last->next = b->first;
    a->last = b->last;
}

static void lists_hold_all_that_was_emitted_for_their_key(void **state)
{
    static bool is_found[ITEMS];
    filch_group_item *items;
    filch_groups *groups;
    size_t i, found = 0;

    memset(is_found, 0, sizeof is_found);
    assert_int_equal(
        filch_group(&groups, 0, ITEMS, emit_nodes,
                    FILCH_GROUP_BY(.value_bytes = sizeof(struct list), .combine = append),
                    NULL, .pool = *state, .grain = ITEMS / filch_pool_workers(*state)),
        0);
    assert_int_equal(
        filch_groups_items(groups, FILCH_GROUP_BY_FIRST, &items, NULL, .pool = *state),
        0);
    assert_int_equal(filch_groups_count(groups), LISTS);
    for (i = 0; i < LISTS; i++) {
        const struct list *list = items[i].value;
        const struct node *node;

        assert_int_equal(items[i].first, i);
        for (node = list->first; node; node = node->next, found++) {
            size_t item = (size_t)(node - nodes);

            assert_true(item % LISTS == i && !is_found[item]);
            is_found[item] = true;
            assert_int_equal(node == list->last, node->next == NULL);
        }
    }
    assert_int_equal(found, ITEMS);
    filch_groups_destroy(groups);
}

/* Its address is of so many bytes, says the test: wrong ones are counted. */
struct aligned {
    atomic_uint wrong;
    size_t align;
};

static int emit_aligned(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                        void *ctx)
{
    struct aligned *aligned = ctx;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        const void *value = filch_emit(out, i, &i, i % 7);

        if (!value)
            return -ENOMEM;
        if ((uintptr_t)value % aligned->align)
            atomic_fetch_add(&aligned->wrong, 1);
    }
    return 0;
}

static void combine_nothing(void *left, void *right, void *ctx)
{
    (void)left, (void)right, (void)ctx;
}

static void values_are_aligned_for_their_size(void **state)
{
    static const size_t sizes[][2] = {{1, 1},   {2, 2},  {3, 1},    {4, 4},    {8, 8},
                                      {16, 16}, {24, 8}, {48, 16},  {64, 64},  {128, 64},
                                      {96, 32}, {65, 1}, {1000, 8}, {4096, 64}};
    size_t i;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        struct aligned aligned = {.align = sizes[i][1]};
        filch_groups *groups;

        assert_int_equal(filch_group(&groups, 0, 100, emit_aligned,
                                     FILCH_GROUP_BY(.value_bytes = sizes[i][0],
                                                    .combine = combine_nothing),
                                     &aligned, .pool = *state),
                         0);
        assert_int_equal(atomic_load(&aligned.wrong), 0);
        filch_groups_destroy(groups);
    }
}

static int emit_numbers(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                        void *ctx)
{
    size_t i;

    (void)w, (void)ctx;
    for (i = begin; i < end; i++) {
        uint16_t key = (uint16_t)(i * i % 1000);

        if (!filch_emit(out, i, &key, sizeof key))
            return -ENOMEM;
    }
    return 0;
}

static void keys_without_values_are_a_set(void **state)
{
    bool is_square[1000] = {false};
    filch_group_item *items;
    filch_groups *groups;
    size_t i, squares = 0;
    uint16_t key;

    for (i = 0; i < 1000; i++) {
        squares += !is_square[i * i % 1000];
        is_square[i * i % 1000] = true;
    }
    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_numbers,
                                 FILCH_GROUP_BY(.key_bytes = 2), NULL, .pool = *state),
                     0);
    assert_int_equal(filch_groups_count(groups), squares);
    for (key = 0; key < 1000; key++)
        assert_int_equal(filch_groups_find(groups, &key, 2) != NULL, is_square[key]);
    assert_null(filch_groups_find(groups, &key, 1)); /* no key has that length */
    assert_int_equal(
        filch_groups_items(groups, FILCH_GROUP_ANY, &items, NULL, .pool = *state), 0);
    for (i = 0; i < squares; i++) {
        memcpy(&key, items[i].key, sizeof key);
        assert_true(key < 1000 && is_square[key]);
        is_square[key] = false;
    }
    filch_groups_destroy(groups);
}

/* --- nested, and within limits ---------------------------------------------------- */

static int group_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    filch_groups *groups;
    size_t i;
    int err;

    (void)w;
    for (i = begin; i < end; i++) {
        struct emitting emitting = {.make = key_byte};

        err = filch_group(&groups, 0, 3000, emit_items, BY_TALLY(.key_bytes = 1),
                          &emitting);
        if (err)
            return err;
        if (filch_groups_count(groups) != 256)
            atomic_fetch_add((atomic_uint *)ctx, 1);
        filch_groups_destroy(groups);
    }
    return 0;
}

static void groups_are_made_inside_loops_too(void **state)
{
    atomic_uint wrong = 0;

    assert_int_equal(filch_for(0, 20, group_inside, &wrong, .pool = *state, .grain = 1),
                     0);
    assert_int_equal(atomic_load(&wrong), 0);
}

static void a_limit_of_workers_changes_nothing(void **state)
{
    struct emitting emitting = {.make = key_word};
    struct expected *expected;
    filch_groups *groups;
    size_t count;
    uint32_t limit;

    expected = oracle(key_word, ITEMS, &count);
    for (limit = 1; limit <= 4; limit++) {
        assert_int_equal(filch_group(&groups, 0, ITEMS, emit_items,
                                     BY_TALLY(.key_bytes = 0), &emitting, .pool = *state,
                                     .max_workers = limit),
                         0);
        check_groups(groups, expected, count, *state);
        filch_groups_destroy(groups);
    }
    oracle_free(expected, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(keys_of_any_kind_are_grouped_as_by_the_serial_loop),
        ON_POOLS(keys_of_one_length_need_not_be_told_it),
        ON_POOLS(hashes_that_collide_change_nothing),
        ON_POOLS(tables_of_all_workers_are_merged),
        ON_POOLS(new_keys_have_the_identity),
        ON_POOLS(lists_hold_all_that_was_emitted_for_their_key),
        ON_POOLS(values_are_aligned_for_their_size),
        ON_POOLS(keys_without_values_are_a_set),
        ON_POOLS(groups_are_made_inside_loops_too),
        ON_POOLS(a_limit_of_workers_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
