/* group_table.c - see group.h.
 *
 * What makes a pair cheap: hash and pointer lie side by side, so that a probe touches one
 * line of the table and one of the entry, and nothing is allocated for a key that is
 * known. A key of up to eight bytes, and a hash of the user's, are hashed by XXH3 as if there
 * were another word behind it. That takes no longer, and multiplies the word by a number
 * that depends on the salt. One word alone would be added to the salt, and then go through
 * functions that anybody can invert.
 */
#include <errno.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "group.h"

#define LOG2_LEAST 4

/* Slots of a merge that are fetched at a time: as many lines as a core can wait for. */
#define BATCH 16

/* So many keys of one hash may be in a table before the user's hash is given up. */
#define ALIKE_MOST 16

/* --- keys ------------------------------------------------------------------------- */

static inline uint64_t word_at(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t half_at(const unsigned char *at)
{
    uint32_t half;

    memcpy(&half, at, sizeof half);
    return half;
}

/* A key of less than eight bytes: another word for each of one length. */
static inline uint64_t short_word(const unsigned char *key, size_t bytes)
{
    if (bytes >= 4)
        return (uint64_t)half_at(key + bytes - 4) << 32 | half_at(key);
    return bytes == 0
               ? 0
               : (uint64_t)key[0] << 16 | (uint64_t)key[bytes / 2] << 8 | key[bytes - 1];
}

static inline uint64_t hash_words(const struct fl_shape *shape, uint64_t first,
                                  uint64_t second, size_t bytes)
{
    uint64_t both[2] = {first, second};

    return XXH3_64bits_withSeed(both, sizeof both, shape->salt + bytes);
}

static inline uint64_t hash_of(const struct fl_shape *shape, fl_group_hash *given,
                               const void *key, size_t bytes)
{
    const unsigned char *at = key;

    if (FILCH_UNLIKELY(given != NULL))
        return hash_words(shape, given(key, bytes, shape->ctx), 0, 0);
    if (bytes == sizeof(uint64_t))
        return hash_words(shape, word_at(at), 0, sizeof(uint64_t));
    if (bytes < sizeof(uint64_t))
        return hash_words(shape, short_word(at, bytes), 0, bytes);
    if (bytes <= 2 * sizeof(uint64_t))
        return hash_words(shape, word_at(at), word_at(at + bytes - 8), bytes);
    return XXH3_64bits_withSeed(key, bytes, shape->salt);
}

uint64_t fl_group_hash_of(const struct fl_shape *shape, fl_group_hash *given,
                          const void *key, size_t key_bytes)
{
    return hash_of(shape, given, key, key_bytes);
}

/* Keys of one length. Most are short: a call of memcmp costs more than the comparison. */
static inline bool are_equal(const unsigned char *a, const unsigned char *b, size_t bytes)
{
    size_t at;

    if (bytes >= 8) {
        for (at = 0; at < bytes - 8; at += 8)
            if (word_at(a + at) != word_at(b + at))
                return false;
        return word_at(a + bytes - 8) == word_at(b + bytes - 8);
    }
    if (bytes >= 4)
        return half_at(a) == half_at(b) &&
               half_at(a + bytes - 4) == half_at(b + bytes - 4);
    return bytes == 0 ||
           (a[0] == b[0] && a[bytes / 2] == b[bytes / 2] && a[bytes - 1] == b[bytes - 1]);
}

static inline bool has_key(const struct fl_entry *entry, const struct fl_shape *shape,
                           const void *key, size_t key_bytes)
{
    return fl_entry_key_bytes(entry, shape) == key_bytes &&
           are_equal(fl_entry_key(entry, shape), key, key_bytes);
}

/* --- tables ----------------------------------------------------------------------- */

static inline size_t slots_of(const struct fl_table *table)
{
    return (size_t)1 << table->log2;
}

static inline size_t home(const struct fl_table *table, uint64_t hash)
{
    return (size_t)((hash << table->skip) >> (64 - table->log2));
}

/* Five eighths full, at most: then a key that is not there is found missing within a line
 * of slots. */
static size_t limit_of(unsigned log2)
{
    return ((size_t)1 << log2) / 8 * 5;
}

int fl_table_make(struct fl_table *table, struct fl_shape *shape, size_t entries)
{
    unsigned log2 = LOG2_LEAST;

    while (limit_of(log2) < entries) {
        if (log2 == 56)
            return -ENOMEM;
        log2++;
    }
    table->slots =
        fl_account_take(&shape->account, sizeof(struct fl_slot) << (size_t)log2);
    if (!table->slots)
        return -ENOMEM;
    table->log2 = log2;
    table->limit = limit_of(log2);
    return 0;
}

void fl_table_free(struct fl_table *table, struct fl_shape *shape)
{
    if (table->slots)
        fl_account_give(&shape->account, table->slots,
                        sizeof(struct fl_slot) << table->log2);
    *table = (struct fl_table){.skip = table->skip};
}

/* Pre: there is a free slot, and no such key. */
static void put(struct fl_table *table, uint64_t hash, struct fl_entry *entry)
{
    size_t mask = slots_of(table) - 1, at = home(table, hash);

    while (table->slots[at].entry)
        at = (at + 1) & mask;
    table->slots[at] = (struct fl_slot){hash, entry};
    table->count++;
}

/* Room for so many more. */
static int reserve(struct fl_table *table, struct fl_shape *shape, size_t more)
{
    struct fl_table larger = {.skip = table->skip};
    size_t i;

    if (table->count + more <= table->limit)
        return 0;
    if (fl_table_make(&larger, shape, FL_MAX(table->count + more, table->limit + 1)))
        return -ENOMEM;
    for (i = 0; i < slots_of(table); i++)
        if (table->slots[i].entry)
            put(&larger, table->slots[i].hash, table->slots[i].entry);
    fl_table_free(table, shape);
    *table = larger;
    return 0;
}

/* The slot of a key, or the free one where it would be. */
static inline struct fl_slot *probe(const struct fl_table *table,
                                    const struct fl_shape *shape, uint64_t hash,
                                    const void *key, size_t key_bytes)
{
    size_t mask = slots_of(table) - 1, at = home(table, hash);

    for (;; at = (at + 1) & mask) {
        struct fl_slot *slot = &table->slots[at];

        if (!slot->entry ||
            (slot->hash == hash && has_key(slot->entry, shape, key, key_bytes)))
            return slot;
    }
}

struct fl_entry *fl_table_find(const struct fl_table *table, const struct fl_shape *shape,
                               uint64_t hash, const void *key, size_t key_bytes)
{
    return probe(table, shape, hash, key, key_bytes)->entry;
}

/* --- hashes that are given up ----------------------------------------------------- */

/* Entries are at addresses that are multiples of eight: the lowest bit says that one was
 * not put where its new hash says. */
static inline struct fl_entry *mark(struct fl_entry *entry)
{
    return (struct fl_entry *)((uintptr_t)entry ^ 1);
}

static inline bool is_marked(const struct fl_entry *entry)
{
    return (uintptr_t)entry & 1;
}

/* In place, so that there is always memory for it. An entry goes to the first slot from
 * its home on where none is that has gone already; these stay, so it will be found. */
void fl_emitter_use_own_hash(filch_emitter *emitter)
{
    const struct fl_shape *shape = emitter->shape;
    struct fl_table *table = &emitter->table;
    size_t mask = slots_of(table) - 1, i, at;

    emitter->hash = NULL;
    for (i = 0; i <= mask; i++)
        if (table->slots[i].entry)
            table->slots[i].entry = mark(table->slots[i].entry);
    for (i = 0; i <= mask; i++) {
        struct fl_entry *entry = table->slots[i].entry, *next;

        if (!is_marked(entry))
            continue;
        table->slots[i].entry = NULL;
        for (; entry; entry = next) {
            uint64_t hash;

            entry = mark(entry);
            hash = fl_group_hash_of(shape, NULL, fl_entry_key(entry, shape),
                                    fl_entry_key_bytes(entry, shape));
            at = home(table, hash);
            while (table->slots[at].entry && !is_marked(table->slots[at].entry))
                at = (at + 1) & mask;
            next = table->slots[at].entry;
            table->slots[at] = (struct fl_slot){hash, entry};
        }
    }
}

/* Are there so many keys of one hash that others would take long? */
static bool is_crowded(const struct fl_table *table, uint64_t hash)
{
    size_t mask = slots_of(table) - 1, at = home(table, hash), alike = 0;

    for (; table->slots[at].entry; at = (at + 1) & mask)
        alike += table->slots[at].hash == hash;
    return alike >= ALIKE_MOST;
}

/* --- merging ---------------------------------------------------------------------- */

/* Two entries of one key: the later one goes over to the one that was first. */
static struct fl_entry *merge_entries(struct fl_entry *a, struct fl_entry *b,
                                      const struct fl_shape *shape)
{
    struct fl_entry *left = a->first <= b->first ? a : b, *right = left == a ? b : a;

    if (shape->by.value_bytes)
        shape->by.combine(fl_entry_value(left, shape), fl_entry_value(right, shape),
                          shape->ctx);
    right->stamp = FL_MERGED;
    return left;
}

static bool are_one_key(const struct fl_entry *a, const struct fl_entry *b,
                        const struct fl_shape *shape)
{
    return has_key(a, shape, fl_entry_key(b, shape), fl_entry_key_bytes(b, shape));
}

/* Pre: there is room. Looks at no entry but those of equal hashes: each is a cache miss. */
static void merge_one(struct fl_table *into, const struct fl_slot *from,
                      const struct fl_shape *shape)
{
    size_t mask = slots_of(into) - 1, at = home(into, from->hash);

    for (;; at = (at + 1) & mask) {
        struct fl_slot *slot = &into->slots[at];

        if (!slot->entry) {
            *slot = *from;
            into->count++;
            return;
        }
        if (slot->hash == from->hash && are_one_key(slot->entry, from->entry, shape)) {
            slot->entry = merge_entries(slot->entry, from->entry, shape);
            return;
        }
    }
}

/* Entries are anywhere in memory, slots are not: have a number of entries fetched, then
 * look at them. */
static void fetch(const struct fl_table *into, const struct fl_slot *from)
{
    size_t mask = slots_of(into) - 1, at = home(into, from->hash);

    while (into->slots[at].entry && into->slots[at].hash != from->hash)
        at = (at + 1) & mask;
    if (into->slots[at].entry) {
        __builtin_prefetch(into->slots[at].entry);
        __builtin_prefetch(from->entry);
    }
}

static int merge_batch(struct fl_table *into, const struct fl_slot *batch, size_t count,
                       struct fl_shape *shape)
{
    size_t i;

    if (reserve(into, shape, count))
        return -ENOMEM;
    for (i = 0; i < count; i++)
        fetch(into, &batch[i]);
    for (i = 0; i < count; i++)
        merge_one(into, &batch[i], shape);
    return 0;
}

int fl_table_merge(struct fl_table *into, const struct fl_table *from, size_t part,
                   unsigned bits, struct fl_shape *shape)
{
    size_t slots = slots_of(from), mask = slots - 1, count = 0, seen, at, home_slots;
    struct fl_slot batch[BATCH];
    uint64_t lowest = bits ? (uint64_t)part << (64 - bits) : 0;
    uint64_t highest = bits ? lowest + (UINT64_MAX >> bits) : UINT64_MAX;

    /* From the first slot where one of the part may be, to the first free slot behind the
     * last one where it would be if no other were in its way. */
    at = home(from, lowest);
    home_slots = home(from, highest) - at + 1;
    for (seen = 0; seen < slots; seen++, at = (at + 1) & mask) {
        const struct fl_slot *slot = &from->slots[at];

        if (!slot->entry) {
            if (seen >= home_slots)
                break;
        } else if (slot->hash >= lowest && slot->hash <= highest) {
            batch[count++] = *slot;
            if (count == BATCH) {
                if (merge_batch(into, batch, count, shape))
                    return -ENOMEM;
                count = 0;
            }
        }
    }
    return merge_batch(into, batch, count, shape);
}

/* --- emitting --------------------------------------------------------------------- */

static void *refuse(filch_emitter *emitter, int err)
{
    if (!emitter->err)
        emitter->err = err;
    return NULL;
}

static void *emit_new(filch_emitter *emitter, struct fl_slot *slot, uint64_t hash,
                      size_t item, const void *key, size_t key_bytes)
{
    struct fl_table *table = &emitter->table;
    struct fl_entry *entry;

    if (FILCH_UNLIKELY(emitter->hash != NULL) && is_crowded(table, hash)) {
        fl_emitter_use_own_hash(emitter);
        hash = fl_group_hash_of(emitter->shape, NULL, key, key_bytes);
        slot = NULL;
    }
    if (table->count == table->limit) {
        if (reserve(table, emitter->shape, 1))
            return refuse(emitter, -ENOMEM);
        slot = NULL;
    }
    entry = fl_entry_add(emitter, key, key_bytes);
    if (!entry)
        return refuse(emitter, -ENOMEM);
    entry->first = item;
    entry->stamp = emitter->stamps++;
    if (slot) {
        *slot = (struct fl_slot){hash, entry};
        table->count++;
    } else {
        put(table, hash, entry);
    }
    return fl_entry_value(entry, emitter->shape);
}

void *filch_emit(filch_emitter *emitter, size_t item, const void *key, size_t key_bytes)
{
    const struct fl_shape *shape = emitter->shape;
    struct fl_slot *slot;
    struct fl_entry *entry;
    uint64_t hash;

    if (FILCH_UNLIKELY(shape->by.key_bytes && shape->by.key_bytes != key_bytes))
        return refuse(emitter, -EINVAL);
    hash = hash_of(shape, emitter->hash, key, key_bytes);
    slot = probe(&emitter->table, shape, hash, key, key_bytes);
    entry = slot->entry;
    if (FILCH_UNLIKELY(!entry))
        return emit_new(emitter, slot, hash, item, key, key_bytes);
    if (FILCH_UNLIKELY(item < entry->first)) {
        entry->first = item;
        entry->stamp = emitter->stamps++;
    }
    return fl_entry_value(entry, shape);
}
