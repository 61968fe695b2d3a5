/* test_group_table.c - the tables of a group (lib/group_table.c): how far from its home a key
 * lies, whatever the order and the choice of keys; and merges, whatever the hashes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xxhash.h>
#include "group.h"
#include "platform.h"

#define KEYS ((size_t)20000)

/* Slots that are looked at for a new key: four, where a table is as full as can be. */
#define PROBES_MOST 8

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static const filch_group_by *by_count(void)
{
    static const filch_group_by by = {.value_bytes = 8, .key_bytes = 8, .combine = add};

    return &by;
}

static size_t home_of(const struct fl_table *table, uint64_t hash)
{
    return (size_t)((hash << table->skip) >> (64 - table->log2));
}

/* How many slots lie between a key and its home, both counted. */
static size_t probes_for(const filch_emitter *emitter, uint64_t key)
{
    const struct fl_table *table = &emitter->table;
    uint64_t hash = fl_group_hash_of(emitter->shape, emitter->hash, &key, sizeof key);
    size_t at = home_of(table, hash), probes = 1;

    while (table->slots[at].hash != hash) {
        assert_non_null(table->slots[at].entry);
        at = (at + 1) & (((size_t)1 << table->log2) - 1);
        probes++;
    }
    return probes;
}

/* Emit these keys; how many slots were looked at, when each of them was new. */
static size_t emit_all(filch_emitter *emitter, const uint64_t *keys, size_t count)
{
    size_t probes = 0, i;

    for (i = 0; i < count; i++) {
        uint64_t *value = filch_emit(emitter, i, &keys[i], sizeof keys[i]);

        assert_non_null(value);
        ++*value;
        probes += probes_for(emitter, keys[i]);
    }
    return probes;
}

/* In the order of the slots, as FILCH_GROUP_ANY has them. */
static void list_keys(const filch_emitter *emitter, uint64_t *keys)
{
    const struct fl_table *table = &emitter->table;
    size_t i, count = 0;

    for (i = 0; i < (size_t)1 << table->log2; i++)
        if (table->slots[i].entry)
            memcpy(&keys[count++], fl_entry_key(table->slots[i].entry, emitter->shape),
                   8);
    assert_int_equal(count, table->count);
}

static filch_emitter *begin(struct fl_shape *shape, uint64_t salt)
{
    filch_emitter *emitter;

    fl_shape_init(shape, by_count(), NULL);
    shape->salt = salt;
    emitter = fl_emitter_make(shape);
    assert_non_null(emitter);
    return emitter;
}

/* The keys of one group, as it has them, are emitted in another one. */
static size_t probes_of_a_second_group(uint64_t salt, uint64_t second_salt)
{
    static uint64_t keys[KEYS];
    struct fl_shape shape, second_shape;
    filch_emitter *emitter = begin(&shape, salt);
    filch_emitter *second = begin(&second_shape, second_salt);
    size_t i, probes;

    for (i = 0; i < KEYS; i++)
        keys[i] = i * 2654435761u;
    (void)emit_all(emitter, keys, KEYS);
    list_keys(emitter, keys);
    probes = emit_all(second, keys, KEYS);
    fl_emitter_free(emitter);
    fl_emitter_free(second);
    assert_int_equal(shape.account.bytes + second_shape.account.bytes, 0);
    return probes;
}

static void keys_in_the_order_of_another_table_are_found_as_fast_as_others(void **state)
{
    (void)state;
    assert_in_range(probes_of_a_second_group(fl_salt(), fl_salt()), KEYS,
                    KEYS * PROBES_MOST);
    /* That is what the salt is for. */
    assert_true(probes_of_a_second_group(1, 1) > KEYS * PROBES_MOST * 4);
}

/* --- keys that somebody chose ----------------------------------------------------- */

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* What XXH3 without a seed makes that hash of. */
static uint64_t key_of_hash(uint64_t hash, uint64_t secret)
{
    uint64_t multiplier = UINT64_C(0x9FB21C651E98DF25), inverse = multiplier, x = hash;
    int i;

    for (i = 0; i < 6; i++)
        inverse *= 2 - multiplier * inverse;
    x ^= x >> 28 ^ x >> 56;
    x *= inverse;
    x ^= (x >> 35) + 8;
    x *= inverse;
    for (i = 0; i < 63; i++) /* applied 64 times it is the identity */
        x ^= rotate(x, 49) ^ rotate(x, 24);
    return rotate(x ^ secret, 32);
}

static void keys_chosen_to_collide_without_a_salt_do_not(void **state)
{
    static uint64_t keys[KEYS];
    struct fl_shape shape;
    filch_emitter *emitter = begin(&shape, fl_salt());
    const uint64_t zero = 0;
    uint64_t secret = rotate(key_of_hash(XXH3_64bits(&zero, sizeof zero), 0), 32);
    size_t i;

    (void)state;
    for (i = 0; i < KEYS; i++) {
        keys[i] = key_of_hash(i, secret);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        assert_int_equal(XXH3_64bits(&keys[i], sizeof keys[i]), i);
#endif
    }
    assert_in_range(emit_all(emitter, keys, KEYS), KEYS, KEYS * PROBES_MOST);
    fl_emitter_free(emitter);
}

/* --- merges ----------------------------------------------------------------------- */

enum { EQUAL, LOW_BITS, LAST_PLACES, FEW_PARTS, HASHES };

static uint64_t made_up_hash(int kind, uint64_t key)
{
    switch (kind) {
    case EQUAL:
        return UINT64_MAX;
    case LOW_BITS: /* all begin in the first place */
        return key;
    case LAST_PLACES: /* and go on at the beginning */
        return UINT64_MAX - key % 7 * (UINT64_MAX >> 13);
    default:
        return (key % 3 ? UINT64_C(0x0123) : key % 16) << 48 ^
               key * UINT64_C(0x9e3779b97f4a7c15) >> 8;
    }
}

/* A table that has keys [first, end) with made-up hashes. */
static filch_emitter *fill(struct fl_shape *shape, int kind, uint64_t first, uint64_t end)
{
    filch_emitter *emitter = fl_emitter_make(shape);
    struct fl_table *table;
    uint64_t key;

    assert_non_null(emitter);
    table = &emitter->table;
    fl_table_free(table, shape);
    assert_int_equal(fl_table_make(table, shape, end - first), 0);
    for (key = first; key < end; key++) {
        uint64_t hash = made_up_hash(kind, key);
        size_t at = home_of(table, hash);
        struct fl_entry *entry = fl_entry_add(emitter, &key, sizeof key);

        assert_non_null(entry);
        entry->first = key;
        *(uint64_t *)fl_entry_value(entry, shape) = 1;
        while (table->slots[at].entry)
            at = (at + 1) & (((size_t)1 << table->log2) - 1);
        table->slots[at] = (struct fl_slot){hash, entry};
        table->count++;
    }
    return emitter;
}

/* Keys [0, 400) and [200, 600), by parts. */
static void merge_by_parts(int kind, unsigned bits)
{
    struct fl_shape shape;
    struct fl_table part[16] = {{0}};
    filch_emitter *emitter[2];
    size_t parts = (size_t)1 << bits, i, count = 0;
    uint64_t key;

    fl_shape_init(&shape, by_count(), NULL);
    emitter[0] = fill(&shape, kind, 0, 400);
    emitter[1] = fill(&shape, kind, 200, 600);
    for (i = 0; i < parts; i++) {
        part[i].skip = bits;
        assert_int_equal(fl_table_make(&part[i], &shape, 1), 0);
        assert_int_equal(fl_table_merge(&part[i], &emitter[0]->table, i, bits, &shape),
                         0);
        assert_int_equal(fl_table_merge(&part[i], &emitter[1]->table, i, bits, &shape),
                         0);
        count += part[i].count;
    }
    assert_int_equal(count, 600);
    for (key = 0; key < 600; key++) {
        uint64_t hash = made_up_hash(kind, key);
        const struct fl_entry *entry = fl_table_find(
            &part[bits ? hash >> (64 - bits) : 0], &shape, hash, &key, sizeof key);

        assert_non_null(entry);
        assert_int_equal(*(uint64_t *)fl_entry_value(entry, &shape),
                         key >= 200 && key < 400 ? 2 : 1);
    }
    for (i = 0; i < parts; i++)
        fl_table_free(&part[i], &shape);
    fl_emitter_free(emitter[0]);
    fl_emitter_free(emitter[1]);
    assert_int_equal(shape.account.bytes, 0);
}

static void parts_have_all_keys_whatever_the_hashes_are(void **state)
{
    int kind;
    unsigned bits;

    (void)state;
    for (kind = 0; kind < HASHES; kind++)
        for (bits = 0; bits <= 4; bits++)
            merge_by_parts(kind, bits);
}

/* Every key is found where the new hash says, wherever the old one had put it: also around
 * the end of the table, and in tables as full as can be. */
static void keys_are_found_after_a_hash_is_given_up(void **state)
{
    static const size_t counts[] = {1, 5, 17, 100, 1000};
    uint64_t salt;
    size_t c, i;

    (void)state;
    for (c = 0; c < sizeof counts / sizeof counts[0]; c++)
        for (salt = 1; salt <= 100; salt++) {
            struct fl_shape shape;
            filch_emitter *emitter = begin(&shape, salt);
            uint64_t key;

            for (key = 0; key < counts[c]; key++)
                assert_non_null(filch_emit(emitter, key, &key, sizeof key));
            shape.salt = salt + 1000;
            fl_emitter_use_own_hash(emitter);
            assert_int_equal(emitter->table.count, counts[c]);
            for (i = 0; i < counts[c]; i++) {
                const struct fl_entry *entry;

                key = i;
                entry = fl_table_find(&emitter->table, &shape,
                                      fl_group_hash_of(&shape, NULL, &key, sizeof key),
                                      &key, sizeof key);
                assert_non_null(entry);
                assert_memory_equal(fl_entry_key(entry, &shape), &key, sizeof key);
            }
            fl_emitter_free(emitter);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_the_order_of_another_table_are_found_as_fast_as_others),
        cmocka_unit_test(keys_chosen_to_collide_without_a_salt_do_not),
        cmocka_unit_test(keys_are_found_after_a_hash_is_given_up),
        cmocka_unit_test(parts_have_all_keys_whatever_the_hashes_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
