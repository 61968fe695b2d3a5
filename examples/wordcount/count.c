/* count.c - the table behind count.h: uthash, with entries from an arena.
 *
 * Job: fast serial counting; it is also the baseline of a benchmark. What makes it fast:
 *   - one pass over the text: a word is folded to lower case into the free end of the
 * arena, where its entry will be if it is new, and hashed on the way;
 *   - no malloc for a word, and no copy of one that is known already;
 *   - keys are padded with zeros to whole machine words, and compared by those.
 * It relies on uthash reporting a lack of memory instead of exiting (HASH_NONFATAL_OOM).
 */
#include "count.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KEY_UNIT sizeof(uint64_t)

/* Keys of one length, each padded with zeros to a multiple of KEY_UNIT. Most are one
 * unit: a call of memcmp costs more than the comparison (a quarter of the whole run). */
static inline int keys_differ(const void *a, const void *b, size_t length)
{
    for (size_t at = 0; at < length; at += KEY_UNIT) {
        uint64_t left, right;

        memcpy(&left, (const char *)a + at, KEY_UNIT);
        memcpy(&right, (const char *)b + at, KEY_UNIT);
        if (left != right)
            return 1;
    }
    return 0;
}

#define HASH_NONFATAL_OOM      1
#define HASH_FUNCTION          HASH_FNV
#define HASH_KEYCMP(a, b, len) keys_differ(a, b, len)
#include <uthash.h>

/* uthash doubles its buckets when one holds this many entries. Its own 10 means about two
 * entries for each bucket, and a cache miss for each; below 7, buckets take more memory
 * than entries when there are millions of words. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 7U

/* HASH_FNV of uthash (FNV-1a, 32 bits), taken byte by byte while a word is read. */
#define FNV_BASIS 2166136261U
#define FNV_PRIME 16777619U

struct entry {
    UT_hash_handle hh;
    uint64_t count;
    char key[]; /* padded, see keys_differ */
};

struct block {
    struct block *next;
    /* entries */
};

/* Small enough for malloc to recycle it instead of mapping fresh pages each time, large
 * enough for some hundred entries. */
#define BLOCK_BYTES ((size_t)64 << 10)

struct wc_table {
    struct entry *entries; /* uthash's head */
    uint64_t words;
    bool incomplete;
    struct block *blocks;
    char *free_begin; /* of the newest block; aligned for an entry */
    char *free_end;
};

/* What each byte counts as in a word; 0: it separates. */
/* clang-format off */
static const unsigned char folded[256] = {
#define SAME_8(n)  (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7
#define SAME_32(n) SAME_8(n), SAME_8((n) + 8), SAME_8((n) + 16), SAME_8((n) + 24)
    ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
    ['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
            'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
            'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    [0x80] = SAME_32(0x80), SAME_32(0xa0), SAME_32(0xc0), SAME_32(0xe0),
};
/* clang-format on */

static bool is_letter(char byte)
{
    return folded[(unsigned char)byte] != 0;
}

/* --- the arena -------------------------------------------------------------------- */

/* The longest key for which the newest block has room. */
static size_t key_room(const struct wc_table *table)
{
    size_t room = (size_t)(table->free_end - table->free_begin);
    size_t overhead = sizeof(struct entry) + KEY_UNIT;

    return room < overhead ? 0 : room - overhead;
}

/* Make room for a key of that many bytes. */
static int arena_grow(struct wc_table *table, size_t key_bytes)
{
    size_t overhead = sizeof(struct block) + sizeof(struct entry) + 2 * KEY_UNIT;
    size_t block_bytes = BLOCK_BYTES;
    struct block *block;

    if (key_bytes > UINT_MAX - 2 * KEY_UNIT) /* uthash keeps the length in an unsigned */
        return -ENOMEM;
    if (key_bytes > block_bytes - overhead)
        block_bytes = key_bytes + overhead;
    block = malloc(block_bytes);
    if (!block)
        return -ENOMEM;
    block->next = table->blocks;
    table->blocks = block;
    table->free_begin = (char *)(block + 1);
    table->free_end = (char *)block + block_bytes;
    return 0;
}

static size_t padded(unsigned length)
{
    return ((size_t)length + KEY_UNIT - 1) / KEY_UNIT * KEY_UNIT;
}

/* Keep the entry that was built at the free end of the arena. */
static void arena_keep(struct wc_table *table, unsigned length)
{
    table->free_begin += sizeof(struct entry) + padded(length);
}

static void arena_free(struct wc_table *table)
{
    struct block *next;

    for (struct block *block = table->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
}

/* --- tables ----------------------------------------------------------------------- */

/* The table's entry with the key of this one, or NULL. */
static struct entry *find(const struct wc_table *table, const struct entry *like,
                          unsigned length, unsigned hash)
{
    struct entry *found;

    HASH_FIND_BYHASHVALUE(hh, table->entries, like->key, length, hash, found);
    return found;
}

static int insert(struct wc_table *table, struct entry *entry, unsigned length,
                  unsigned hash)
{
    HASH_ADD_BYHASHVALUE(hh, table->entries, key[0], length, hash, entry);
    return entry->hh.tbl ? 0 : -ENOMEM; /* how uthash says so */
}

static int add_word(struct wc_table *table, unsigned length, unsigned hash)
{
    struct entry *entry = (struct entry *)(void *)table->free_begin;
    struct entry *found;

    memset(entry->key + length, 0, KEY_UNIT);
    table->words++;
    found = find(table, entry, length, hash);
    if (found) {
        found->count++;
        return 0;
    }
    entry->count = 1;
    arena_keep(table, length);
    return insert(table, entry, length, hash);
}

static int add_text(struct wc_table *table, const unsigned char *at,
                    const unsigned char *end)
{
    for (;;) {
        char *key = ((struct entry *)(void *)table->free_begin)->key;
        const unsigned char *word, *stop;
        unsigned char byte;
        unsigned hash = FNV_BASIS;
        size_t room = key_room(table);
        int err;

        while (at < end && !folded[*at])
            at++;
        if (at == end)
            return 0;
        word = at;
        stop = room < (size_t)(end - word) ? word + room : end;
        while (at < stop && (byte = folded[*at]) != 0) {
            *key++ = (char)byte;
            hash = (hash ^ byte) * FNV_PRIME;
            at++;
        }
        if (at == stop && at < end) { /* the block may be too short for the rest */
            while (at < end && folded[*at])
                at++;
            err = arena_grow(table, (size_t)(at - word));
            at = word;
        } else {
            err = add_word(table, (unsigned)(at - word), hash);
        }
        if (err)
            return err;
    }
}

static struct wc_table *table_new(void)
{
    struct wc_table *table = calloc(1, sizeof *table);

    if (table && arena_grow(table, 0)) {
        free(table);
        return NULL;
    }
    return table;
}

int wc_add(struct wc_table **table, const char *text, size_t bytes)
{
    const unsigned char *begin = (const unsigned char *)text;
    int err;

    if (!*table)
        *table = table_new();
    if (!*table)
        return -ENOMEM;
    err = bytes ? add_text(*table, begin, begin + bytes) : 0;
    if (err)
        (*table)->incomplete = true;
    return err;
}

/* Copied, not linked in: the block of an entry holds others that are known already, and
 * keeping all blocks of many merged tables would take as much memory as their texts. */
static int add_entry(struct wc_table *table, const struct entry *other)
{
    unsigned length = other->hh.keylen;
    struct entry *found = find(table, other, length, other->hh.hashv);

    if (found) {
        found->count += other->count;
        return 0;
    }
    if (length > key_room(table) && arena_grow(table, length))
        return -ENOMEM;
    found = (struct entry *)(void *)table->free_begin;
    found->count = other->count;
    memcpy(found->key, other->key, padded(length));
    arena_keep(table, length);
    return insert(table, found, length, other->hh.hashv);
}

static void swap(struct wc_table *a, struct wc_table *b)
{
    struct wc_table old_a = *a;

    *a = *b;
    *b = old_a;
}

int wc_merge(struct wc_table *into, struct wc_table *from)
{
    struct entry *next;
    int err = 0;

    if (!from)
        return 0;
    if (wc_distinct(into) < wc_distinct(from))
        swap(into, from);
    into->words += from->words;
    into->incomplete = into->incomplete || from->incomplete;
    for (struct entry *entry = from->entries; entry && !err; entry = next) {
        next = entry->hh.next;
        err = add_entry(into, entry);
    }
    if (err)
        into->incomplete = true;
    wc_free(from);
    return err;
}

bool wc_is_complete(const struct wc_table *table)
{
    return !table || !table->incomplete;
}

void wc_free(struct wc_table *table)
{
    if (!table)
        return;
    HASH_CLEAR(hh, table->entries);
    arena_free(table);
    free(table);
}

size_t wc_next_cut(const char *text, size_t bytes, size_t at)
{
    if (at >= bytes)
        return bytes;
    if (at > 0 && is_letter(text[at - 1])) {
        while (at < bytes && is_letter(text[at]))
            at++;
    }
    return at;
}

/* --- results ---------------------------------------------------------------------- */

uint64_t wc_words(const struct wc_table *table)
{
    return table ? table->words : 0;
}

uint64_t wc_distinct(const struct wc_table *table)
{
    return table ? HASH_COUNT(table->entries) : 0;
}

/* splitmix64's last step: every bit of x moves about half the bits of the result. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t wc_word_checksum(const struct wc_word *word)
{
    uint64_t hash = word->length;

    for (size_t at = 0; at < word->length; at += KEY_UNIT) {
        size_t left = word->length - at;
        uint64_t unit = 0;

        memcpy(&unit, word->bytes + at, left < KEY_UNIT ? left : KEY_UNIT);
        hash = scramble(hash + UINT64_C(0x9e3779b97f4a7c15)) ^ unit;
    }
    return scramble(scramble(hash) + word->count);
}

uint64_t wc_checksum(const struct wc_table *table)
{
    uint64_t sum = 0; /* in any order */

    if (!table)
        return 0;
    for (const struct entry *entry = table->entries; entry; entry = entry->hh.next)
        sum += wc_word_checksum(
            &(struct wc_word){entry->key, entry->hh.keylen, entry->count});
    return sum;
}

static bool ranks_before(const struct wc_word *a, const struct wc_word *b)
{
    int order;

    if (a->count != b->count)
        return a->count > b->count;
    order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order ? order < 0 : a->length < b->length;
}

static int compare_ranks(const void *a, const void *b)
{
    return ranks_before(a, b) ? -1 : ranks_before(b, a);
}

static int compare_ranks_reversed(const void *a, const void *b)
{
    return compare_ranks(b, a);
}

/* Let word take the place of the root of a heap whose root is the last in rank. */
static void replace_root(struct wc_word *heap, size_t count, struct wc_word word)
{
    size_t at = 0;

    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && ranks_before(&heap[child], &heap[child + 1]))
            child++;
        if (ranks_before(&heap[child], &word))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = word;
}

size_t wc_rank(struct wc_word *top, size_t count, size_t limit, struct wc_word word)
{
    if (count < limit) {
        top[count++] = word;
        if (count == limit) /* an array from last to first in rank is such a heap */
            qsort(top, count, sizeof *top, compare_ranks_reversed);
    } else if (limit > 0 && ranks_before(&word, &top[0])) {
        replace_root(top, limit, word);
    }
    return count;
}

void wc_rank_end(struct wc_word *top, size_t count)
{
    qsort(top, count, sizeof *top, compare_ranks);
}

size_t wc_top(const struct wc_table *table, struct wc_word *top, size_t limit)
{
    size_t count = 0;

    if (!table || limit == 0)
        return 0;
    for (const struct entry *entry = table->entries; entry; entry = entry->hh.next)
        count = wc_rank(top, count, limit,
                        (struct wc_word){entry->key, entry->hh.keylen, entry->count});
    wc_rank_end(top, count);
    return count;
}
