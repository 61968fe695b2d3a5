/* groups.h - what the tests of group.h share: kinds of keys, and the serial oracle. */
#ifndef TESTS_API_GROUPS_H
#define TESTS_API_GROUPS_H

#include "pools.h"

#define KEY_BYTES_MOST 3000

/* What is known of the pairs of one key. */
struct tally {
    uint64_t count, sum; /* pairs; of their numbers */
};

static inline void add_tallies(void *left, void *right, void *ctx)
{
    struct tally *a = left;
    const struct tally *b = right;

    (void)ctx;
    a->count += b->count;
    a->sum += b->sum;
}

#define BY_TALLY(...)                                                           \
    FILCH_GROUP_BY(.value_bytes = sizeof(struct tally), .combine = add_tallies, \
                   __VA_ARGS__)

/* Write the key of pair `number` and return its length. */
typedef size_t key_maker(uint64_t number, unsigned char *key);

static inline size_t key_equal(uint64_t number, unsigned char *key)
{
    (void)number;
    memset(key, 's', 8);
    return 8;
}

static inline size_t key_different(uint64_t number, unsigned char *key)
{
    uint64_t mixed = random_next(&number);

    memcpy(key, &mixed, 8);
    return 8;
}

/* Few, of any length from 0 on, each a beginning of the next. */
static inline size_t key_beginning(uint64_t number, unsigned char *key)
{
    memset(key, 'a', 40);
    return (size_t)random_below(&number, 40);
}

/* All bytes are zero: only the length differs. */
static inline size_t key_zeros(uint64_t number, unsigned char *key)
{
    memset(key, 0, 300);
    return (size_t)random_below(&number, 300);
}

/* Long ones, of which the last bytes differ. */
static inline size_t key_long(uint64_t number, unsigned char *key)
{
    size_t bytes = KEY_BYTES_MOST - number % 3;

    memset(key, 'l', bytes);
    key[bytes - 1] = (unsigned char)random_below(&number, 200);
    return bytes;
}

/* Words: few are frequent, many occur once or twice. */
static inline size_t key_word(uint64_t number, unsigned char *key)
{
    uint64_t rank = random_next(&number);

    rank = random_next(&number) >> (rank % 44 + 20);
    return (size_t)sprintf((char *)key, "w%llx", (unsigned long long)rank);
}

static inline size_t key_byte(uint64_t number, unsigned char *key)
{
    key[0] = (unsigned char)random_next(&number);
    return 1;
}

/* Item i emits i % 3 pairs, and these have the numbers 4 i, 4 i + 1. */
static inline size_t pairs_of(size_t item)
{
    return item % 3;
}

struct emitting {
    key_maker *make;
    atomic_uint *meet; /* NULL, or how many bodies have begun: all wait for */
    unsigned company;
};

static inline int emit_items(filch_worker *w, size_t begin, size_t end,
                             filch_emitter *out, void *ctx)
{
    struct emitting *emitting = ctx;
    unsigned char key[KEY_BYTES_MOST];
    size_t i, j;

    (void)w;
    if (emitting->meet) {
        atomic_fetch_add(emitting->meet, 1);
        if (!wait_for(emitting->meet, emitting->company))
            return -1;
    }
    for (i = begin; i < end; i++)
        for (j = 0; j < pairs_of(i); j++) {
            size_t bytes = emitting->make(4 * i + j, key);
            struct tally *tally = filch_emit(out, i, key, bytes);

            if (!tally)
                return -ENOMEM;
            tally->count++;
            tally->sum += 4 * i + j;
        }
    return 0;
}

/* --- the oracle ------------------------------------------------------------------- */

struct expected {
    unsigned char *key;
    size_t bytes;
    uint64_t number; /* of the first pair */
    struct tally tally;
};

static inline int compare_keys(const void *left, const void *right)
{
    const struct expected *a = left, *b = right;
    int order = memcmp(a->key, b->key, a->bytes < b->bytes ? a->bytes : b->bytes);

    if (order)
        return order;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static inline int compare_numbers(const void *left, const void *right)
{
    const struct expected *a = left, *b = right;

    return a->number < b->number ? -1 : a->number > b->number;
}

/* The groups of items [0, items) by key; *count of them. Free with oracle_free. */
static inline struct expected *oracle(key_maker *make, size_t items, size_t *count)
{
    struct expected *all = calloc(2 * items + 1, sizeof *all);
    unsigned char key[KEY_BYTES_MOST];
    size_t pairs = 0, i, j;

    assert_non_null(all);
    for (i = 0; i < items; i++)
        for (j = 0; j < pairs_of(i); j++) {
            struct expected *one = &all[pairs++];

            one->number = 4 * i + j;
            one->bytes = make(one->number, key);
            one->key = malloc(one->bytes + 1);
            assert_non_null(one->key);
            memcpy(one->key, key, one->bytes);
            one->tally = (struct tally){1, one->number};
        }
    qsort(all, pairs, sizeof *all, compare_keys);
    *count = 0;
    for (i = 0; i < pairs; i++) {
        struct expected *last = *count ? &all[*count - 1] : NULL;

        if (last && last->bytes == all[i].bytes &&
            memcmp(last->key, all[i].key, last->bytes) == 0) {
            last->tally.count++;
            last->tally.sum += all[i].number;
            free(all[i].key);
        } else {
            all[(*count)++] = all[i];
        }
    }
    return all;
}

static inline void oracle_free(struct expected *all, size_t count)
{
    while (count > 0)
        free(all[--count].key);
    free(all);
}

/* Fails the test unless the item is what is expected. */
static inline void check_item(const filch_group_item *item,
                              const struct expected *expected, size_t at)
{
    const struct tally *tally = item->value;

    if (item->key_bytes != expected->bytes ||
        memcmp(item->key, expected->key, expected->bytes) != 0)
        fail_msg("place %zu: a key of %zu bytes, not that of %zu", at, item->key_bytes,
                 expected->bytes);
    if (item->first != expected->number / 4 || tally->count != expected->tally.count ||
        tally->sum != expected->tally.sum)
        fail_msg("place %zu: first %zu, count %llu, sum %llu; not %llu, %llu, %llu", at,
                 item->first, (unsigned long long)tally->count,
                 (unsigned long long)tally->sum,
                 (unsigned long long)(expected->number / 4),
                 (unsigned long long)expected->tally.count,
                 (unsigned long long)expected->tally.sum);
}

/* Fails the test unless the groups are those of the oracle: in both orders, and looked
 * up. Changes the order of expected. */
static inline void check_groups(filch_groups *groups, struct expected *expected,
                                size_t count, filch_pool *pool)
{
    filch_group_item *items;
    size_t i;

    assert_int_equal(filch_groups_count(groups), count);
    qsort(expected, count, sizeof *expected, compare_keys);
    assert_int_equal(
        filch_groups_items(groups, FILCH_GROUP_BY_KEY, &items, NULL, .pool = pool), 0);
    for (i = 0; i < count; i++) {
        check_item(&items[i], &expected[i], i);
        assert_ptr_equal(filch_groups_find(groups, expected[i].key, expected[i].bytes),
                         items[i].value);
    }
    qsort(expected, count, sizeof *expected, compare_numbers);
    assert_int_equal(
        filch_groups_items(groups, FILCH_GROUP_BY_FIRST, &items, NULL, .pool = pool), 0);
    for (i = 0; i < count; i++)
        check_item(&items[i], &expected[i], i);
}

#endif
