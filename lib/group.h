/* group.h - tables of keys and values: one for each worker, merged by parts.
 *
 * Job: an arena for entries (key, value, where first seen), and a hash table of pointers
 * to them. Knows nothing of loops: a table is one worker's at a time.
 *
 * A table is one array, probed one after the other, where the upper bits of the hash say
 * where to begin. So the array is in the order of hashes, nearly: growing reads one and
 * writes the other from end to end, and the keys of a part of all hashes are a stretch of
 * every table, which one worker can merge without looking at the rest.
 *
 * That needs hashes without a pattern: keys that come in the order of their hashes fill
 * one end of a table that grows, and equal hashes fill one place. So each call has a salt,
 * and nobody can choose keys by their hashes. A hash of the user's is mixed with the salt;
 * if it is equal for many keys, it is given up for filch's own.
 */
#ifndef FL_GROUP_H
#define FL_GROUP_H

#include <filch/group.h>
#include "base.h"

typedef uint64_t fl_group_hash(const void *key, size_t key_bytes, void *ctx);

/* A key and its value, in the arena of the worker who met it first. Where keys have
 * different lengths the key's is next; then, at offsets that the shape says, value and
 * key. */
struct fl_entry {
    uint64_t first; /* item that emitted it; */
    uint64_t stamp; /* among those of one item: ascending. Or FL_MERGED */
};

/* The value has gone over to an equal key's. */
#define FL_MERGED UINT64_MAX

/* What is allocated, by all workers together. */
struct fl_account {
    size_t bytes, most; /* now; at any time */
    size_t limit;
};

/* What all entries of a call have in common. */
struct fl_shape {
    filch_group_by by;
    void *ctx;
    uint64_t salt; /* of the hashes of this call */
    size_t align;  /* of entries and values: a power of two */
    size_t value_offset, key_offset;
    struct fl_account account;
};

struct fl_slot {
    uint64_t hash;
    struct fl_entry *entry; /* NULL: free */
};

struct fl_table {
    struct fl_slot *slots;
    unsigned skip;       /* upper bits of the hash, which are the same for all */
    unsigned log2;       /* of the number of slots; at least 1 */
    size_t count, limit; /* of entries */
};

struct fl_block {
    struct fl_block *next;
    size_t bytes, used; /* both with this head */
};

struct filch_emitter {
    struct fl_shape *shape;
    fl_group_hash *hash; /* the user's; NULL: none, or it was given up */
    struct fl_table table;
    struct fl_block *blocks; /* the newest first */
    uint64_t stamps;
    int err;
};

/* Pre: by is well formed. Sets the salt to 0; the caller chooses another one. */
void fl_shape_init(struct fl_shape *shape, const filch_group_by *by, void *ctx);

/* Memory, all zero, at a cache line's begin; NULL: none, or more than allowed. */
void *fl_account_take(struct fl_account *account, size_t bytes);
void fl_account_give(struct fl_account *account, void *memory, size_t bytes);

/* Room for so many entries; 0 or -ENOMEM. Pre: the table is zero, but for skip. */
int fl_table_make(struct fl_table *table, struct fl_shape *shape, size_t entries);
void fl_table_free(struct fl_table *table, struct fl_shape *shape);

/* NULL: there is no such key. */
struct fl_entry *fl_table_find(const struct fl_table *table, const struct fl_shape *shape,
                               uint64_t hash, const void *key, size_t key_bytes);

/* Move what belongs to a part into another table: of the hashes, cut into 2^bits parts.
 * 0 or -ENOMEM; then some are in both. */
int fl_table_merge(struct fl_table *into, const struct fl_table *from, size_t part,
                   unsigned bits, struct fl_shape *shape);

/* A new key's entry, zero but for key and identity; NULL: there is no memory. */
struct fl_entry *fl_entry_add(filch_emitter *emitter, const void *key, size_t key_bytes);

/* A worker's; NULL: there is no memory. */
filch_emitter *fl_emitter_make(struct fl_shape *shape);

/* Destroy the values that have not gone elsewhere, and free all. */
void fl_emitter_free(filch_emitter *emitter);

/* Give up the user's hash. */
void fl_emitter_use_own_hash(filch_emitter *emitter);

/* Where a key is looked for. given: the user's hash, or NULL. */
uint64_t fl_group_hash_of(const struct fl_shape *shape, fl_group_hash *given,
                          const void *key, size_t key_bytes);

static inline void *fl_entry_value(const struct fl_entry *entry,
                                   const struct fl_shape *shape)
{
    return (char *)(uintptr_t)entry + shape->value_offset;
}

static inline unsigned char *fl_entry_key(const struct fl_entry *entry,
                                          const struct fl_shape *shape)
{
    return (unsigned char *)(uintptr_t)entry + shape->key_offset;
}

static inline size_t fl_entry_key_bytes(const struct fl_entry *entry,
                                        const struct fl_shape *shape)
{
    return shape->by.key_bytes ? shape->by.key_bytes : *(const size_t *)(entry + 1);
}

/* --- the result: group.c, group_items.c ------------------------------------------- */

#define FL_FEW_LANES 8

struct filch_groups {
    struct fl_shape shape;
    filch_emitter **emitters; /* for each lane, or NULL: theirs are the entries */
    size_t lanes;
    filch_emitter *few[FL_FEW_LANES]; /* emitters, where these are enough */
    struct fl_table *parts;           /* 2^part_bits, by the upper bits of the hash */
    unsigned part_bits;
    struct fl_table whole; /* the part, where there is one */
    size_t count;
    filch_group_item *items; /* NULL: none yet */
};

#endif
