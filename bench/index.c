/* index.c - see index.h.
 *
 * Words are not copied, but point into the text. Entries and postings lie in the arena
 * of the index that made them, and stay there when another index takes them over.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "postings.h"

struct entry {
    const char *word;
    uint32_t bytes;
    uint32_t hash;
    struct postings documents;
};

/* A hash table of pointers: open addressing, linear probing, at most half full. */
struct part {
    struct entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t entry_count;
};

struct index {
    struct part parts[INDEX_PARTS];
    struct arena arena; /* of entries and postings: they go with the index */
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
        struct entry *entry = arena_take(&index->arena, sizeof *entry);

        if (!entry)
            return -ENOMEM;
        *entry = (struct entry){.word = word, .bytes = (uint32_t)bytes, .hash = hash};
        err = postings_add(&entry->documents, &index->arena, document);
        if (!err) { /* no entry without a posting is ever seen */
            *slot = entry;
            part->entry_count++;
        }
        return err;
    }
    return postings_add(&(*slot)->documents, &index->arena, document);
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
    postings_append(&(*slot)->documents, &entry->documents);
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
        if (to->slots[slot])
            postings_sort(&to->slots[slot]->documents);
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

        for (size_t part = 0; part < INDEX_PARTS; part++)
            free(index->parts[part].slots);
        arena_free(&index->arena);
    }
    free(set->indexes);
    *set = (struct index_set){NULL, NULL, 0};
}

uint64_t index_checksum(const struct index_set *set)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < INDEX_PARTS; i++) {
        const struct part *part = &set->indexes[0].parts[i];

        for (size_t slot = 0; slot < part->slot_count; slot++) {
            const struct entry *entry = part->slots[slot];

            if (entry)
                sum += postings_checksum(&entry->documents, entry->hash, entry->bytes);
        }
    }
    return sum;
}
