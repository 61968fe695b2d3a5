/* test_group_hash.c - the hashes of group.h: a user's own, and that no order of keys is that of
 * another call's.
 */
#include "groups.h"

#define ITEMS (IS_EMULATED ? 6000 : 20000)

/* A hash that knows how often it was asked. */
struct counted {
    struct emitting emitting;
    atomic_size_t hashes;
    uint64_t alike_below; /* numbers in a key below that have the same hash */
};

static uint64_t hash_counted(const void *key, size_t bytes, void *ctx)
{
    struct counted *counted = ctx;
    uint64_t number = 0;

    memcpy(&number, key, bytes < 8 ? bytes : 8);
    atomic_fetch_add(&counted->hashes, 1);
    return number < counted->alike_below ? 77 : number;
}

/* The pair's number: no two are equal. */
static size_t key_number(uint64_t number, unsigned char *key)
{
    memcpy(key, &number, 8);
    return 8;
}

static void a_hash_gets_the_context_of_the_call(void **state)
{
    struct counted counted = {.emitting = {.make = key_number}};
    filch_groups *groups;
    uint64_t key = 4;

    assert_int_equal(filch_group(&groups, 0, 3000, emit_items,
                                 BY_TALLY(.hash = hash_counted), &counted, .pool = *state,
                                 .max_chunk = 50),
                     0);
    assert_int_equal(atomic_load(&counted.hashes),
                     3000); /* a pair for each item, about */
    assert_non_null(filch_groups_find(groups, &key, sizeof key));
    assert_int_equal(atomic_load(&counted.hashes), 3001);
    filch_groups_destroy(groups);
}

/* Each worker asks for the hash of some keys before it sees that. */
#define ASKED 17

static void a_hash_that_is_equal_for_all_keys_is_not_asked_for_long(void **state)
{
    struct counted counted = {.emitting = {.make = key_number},
                              .alike_below = UINT64_MAX};
    size_t count, workers = filch_pool_workers(*state);
    struct expected *expected = oracle(key_number, ITEMS, &count);
    filch_groups *groups;

    assert_int_equal(filch_group(&groups, 0, ITEMS, emit_items,
                                 BY_TALLY(.hash = hash_counted), &counted, .pool = *state,
                                 .max_chunk = 50),
                     0);
    assert_in_range(atomic_load(&counted.hashes), 1, workers * ASKED);
    check_groups(groups, expected, count, *state);
    filch_groups_destroy(groups);
    oracle_free(expected, count);
}

static void a_hash_that_one_worker_gives_up_is_given_up_by_all(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    size_t count, grain = ITEMS / workers;
    struct expected *expected = oracle(key_number, grain * workers, &count);
    atomic_uint begun = 0;
    /* The first range's are alike; another worker has each of the others. */
    struct counted counted = {.emitting = {key_number, &begun, workers},
                              .alike_below = 4 * grain};
    filch_groups *groups;

    assert_int_equal(filch_group(&groups, 0, grain * workers, emit_items,
                                 BY_TALLY(.hash = hash_counted), &counted, .pool = *state,
                                 .grain = grain),
                     0);
    /* About a pair for each item. */
    assert_in_range(atomic_load(&counted.hashes), (grain - 2) * (workers - 1),
                    (grain + 2) * (workers - 1) + ASKED);
    check_groups(groups, expected, count, *state);
    filch_groups_destroy(groups);
    oracle_free(expected, count);
}

/* Else what one group has in that order could be what another one takes long for. */
static void any_order_is_another_one_in_each_call(void **state)
{
    struct emitting emitting = {.make = key_number};
    filch_group_item *items[2];
    filch_groups *groups[2];
    size_t i, j, equal = 0, count;

    for (i = 0; i < 2; i++) {
        assert_int_equal(filch_group(&groups[i], 0, 3000, emit_items,
                                     BY_TALLY(.key_bytes = 8), &emitting, .pool = *state),
                         0);
        assert_int_equal(filch_groups_items(groups[i], FILCH_GROUP_ANY, &items[i], NULL,
                                            .pool = *state),
                         0);
    }
    count = filch_groups_count(groups[0]);
    for (j = 0; j < count; j++)
        equal += memcmp(items[0][j].key, items[1][j].key, 8) == 0;
    assert_in_range(equal, 0, count / 10);
    for (i = 0; i < 2; i++)
        filch_groups_destroy(groups[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_hash_gets_the_context_of_the_call),
        ON_POOLS(a_hash_that_is_equal_for_all_keys_is_not_asked_for_long),
        ON_POOLS(a_hash_that_one_worker_gives_up_is_given_up_by_all),
        ON_POOLS(any_order_is_another_one_in_each_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
