/* index.c - see index.h.
 *
 * Words are not copied, but point into the text. Entries and postings lie in blocks of the
 * index that made them, and stay there when another index takes them over.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 << 10)

struct posting {
    struct posting *next;
    size_t document;
};

struct entry {
    const char *word;
    uint32_t bytes;
    uint32_t hash;
    bool is_ascending; /* the list is */
    struct posting *first;
    struct posting *last;
};

/* A hash table of pointers: open addressing, linear probing, at most half full. */
struct part {
    struct entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t entry_count;
};

struct block {
    struct block *next;
    size_t unused; /* to align what follows */
};

struct index {
    struct part parts[INDEX_PARTS];
    struct block *blocks; /* of entries and postings: they go with the index */
    char *free_begin;
    size_t free_bytes;
    char padding[64]; /* the next one is another worker's */
};

/* ---- a part ---------------------------------------------------------------------- */

static size_t part_of(uint32_t hash)
{
    return hash >> 16 & (INDEX_PARTS - 1);
}

/* Where the word is, or has its place. There is an empty slot. */
static struct entry **find(const struct part *part, const char *word, size_t bytes,
                           uint32_t hash)
{
    size_t mask = part->slot_count - 1;

    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct entry *entry = part->slots[at];

        if (!entry || (entry->hash == hash && entry->bytes == bytes &&
                       memcmp(entry->word, word, bytes) == 0))
            return &part->slots[at];
    }
}

/* Make room for one more entry. */
static int part_reserve(struct part *part)
{
    struct part larger = {.slot_count = part->slot_count ? 2 * part->slot_count : 64,
                          .entry_count = part->entry_count};

    if (2 * (part->entry_count + 1) <= part->slot_count)
        return 0;
    larger.slots = calloc(larger.slot_count, sizeof(struct entry *));
    if (!larger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < part->slot_count; i++) {
        struct entry *entry = part->slots[i];

        if (entry)
            *find(&larger, entry->word, entry->bytes, entry->hash) = entry;
    }
    free(part->slots);
    *part = larger;
    return 0;
}

/* ---- map: documents into an index ------------------------------------------------ */

static void *take(struct index *index, size_t bytes)
{
    void *taken;

    if (index->free_bytes < bytes) {
        struct block *block = malloc(BLOCK_BYTES);

        if (!block)
            return NULL;
        block->next = index->blocks;
        index->blocks = block;
        index->free_begin = (char *)(block + 1);
        index->free_bytes = BLOCK_BYTES - sizeof *block;
    }
    taken = index->free_begin;
    index->free_begin += bytes;
    index->free_bytes -= bytes;
    return taken;
}

static int add_posting(struct index *index, struct entry *entry, size_t document)
{
    struct posting *posting = take(index, sizeof *posting);

    if (!posting)
        return -ENOMEM;
    *posting = (struct posting){NULL, document};
    if (!entry->last) {
        entry->first = posting;
    } else {
        entry->is_ascending &= entry->last->document < document;
        entry->last->next = posting;
    }
    entry->last = posting;
    return 0;
}

static int add_word(struct index *index, const char *word, size_t bytes, uint32_t hash,
                    size_t document)
{
    struct part *part = &index->parts[part_of(hash)];
    int err = part_reserve(part);
    struct entry **slot;

    if (err)
        return err;
    slot = find(part, word, bytes, hash);
    if (!*slot) {
        struct entry *entry = take(index, sizeof *entry);

        if (!entry)
            return -ENOMEM;
        *entry = (struct entry){word, (uint32_t)bytes, hash, true, NULL, NULL};
        err = add_posting(index, entry, document);
        if (!err) { /* no entry without a posting is ever seen */
            *slot = entry;
            part->entry_count++;
        }
        return err;
    }
    if ((*slot)->last->document == document)
        return 0;
    return add_posting(index, *slot, document);
}

int index_add_document(struct index_set *set, size_t index, size_t document)
{
    size_t bytes;
    const char *at = text_piece(set->text, document, &bytes);
    const char *end = at + bytes;
    const char *word;
    uint32_t hash;
    int err = 0;

    while (!err && (word = text_word(&at, end, &hash)))
        err = add_word(&set->indexes[index], word, (size_t)(at - word), hash, document);
    return err;
}

/* ---- reduce: parts of the same number into the first index's ---------------------- */

static struct posting *merged(struct posting *a, struct posting *b)
{
    struct posting *first = NULL;
    struct posting **to = &first;

    while (a && b) {
        struct posting **less = a->document < b->document ? &a : &b;

        *to = *less;
        to = &(*less)->next;
        *less = *to;
    }
    *to = a ? a : b;
    return first;
}

/* Sort by merging what ascends already: few pieces, for a worker takes most documents in
 * order. */
static void sort_postings(struct entry *entry)
{
    struct posting *rest = entry->first;
    struct posting *sorted = NULL;

    while (rest) {
        struct posting *piece = rest;

        while (rest->next && rest->document < rest->next->document)
            rest = rest->next;
        entry->last = rest;
        rest = rest->next;
        entry->last->next = NULL;
        sorted = merged(sorted, piece);
    }
    entry->first = sorted;
    entry->is_ascending = true;
}

static int add_entry(struct part *to, struct entry *entry)
{
    int err = part_reserve(to);
    struct entry **slot;

    if (err)
        return err;
    slot = find(to, entry->word, entry->bytes, entry->hash);
    if (!*slot) {
        *slot = entry;
        to->entry_count++;
        return 0;
    }
    (*slot)->is_ascending &=
        entry->is_ascending && (*slot)->last->document < entry->first->document;
    (*slot)->last->next = entry->first;
    (*slot)->last = entry->last;
    return 0;
}

int index_merge_part(struct index_set *set, size_t number)
{
    struct part *to = &set->indexes[0].parts[number];
    int err = 0;

    for (size_t i = 1; i < set->count; i++) {
        const struct part *from = &set->indexes[i].parts[number];

        for (size_t slot = 0; slot < from->slot_count && !err; slot++) {
            if (from->slots[slot])
                err = add_entry(to, from->slots[slot]);
        }
    }
    for (size_t slot = 0; slot < to->slot_count; slot++) {
        if (to->slots[slot] && !to->slots[slot]->is_ascending)
            sort_postings(to->slots[slot]);
    }
    return err;
}

/* ---- sets ------------------------------------------------------------------------ */

int index_set_create(struct index_set *set, const struct text *text, size_t count)
{
    *set = (struct index_set){text, calloc(count, sizeof *set->indexes), count};
    if (!set->indexes)
        set->count = 0;
    return set->indexes ? 0 : -ENOMEM;
}

void index_set_free(struct index_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct index *index = &set->indexes[i];
        struct block *next;

        for (size_t part = 0; part < INDEX_PARTS; part++)
            free(index->parts[part].slots);
        for (struct block *block = index->blocks; block; block = next) {
            next = block->next;
            free(block);
        }
    }
    free(set->indexes);
    *set = (struct index_set){NULL, NULL, 0};
}

/* A word and its list; the order of the list shows. */
static uint64_t entry_checksum(const struct entry *entry)
{
    uint64_t sum = entry->hash + (uint64_t)entry->bytes;

    for (const struct posting *at = entry->first; at; at = at->next)
        sum = (sum ^ at->document) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    return sum ^ sum >> 32;
}

uint64_t index_checksum(const struct index_set *set)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < INDEX_PARTS; i++) {
        const struct part *part = &set->indexes[0].parts[i];

        for (size_t slot = 0; slot < part->slot_count; slot++)
            sum += part->slots[slot] ? entry_checksum(part->slots[slot]) : 0;
    }
    return sum;
}
