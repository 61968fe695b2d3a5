/* index.h - inverted indexes of a text: for each word the documents in which it occurs.
 *
 * Documents are the pieces of the text. Words count as they are written. One thread at a
 * time adds to an index, others to others; every index lies in parts by the hash of the
 * word, and so the same part of all can be merged while other threads merge other parts.
 */
#ifndef BENCH_INDEX_H
#define BENCH_INDEX_H

#include "text.h"

#define INDEX_PARTS 64 /* many for each worker; a power of two, below 2^16 */

struct index;

struct index_set {
    const struct text *text;
    struct index *indexes;
    size_t count;
};

/** index_set_create - count empty indexes of the text, which must stay as it is. Returns 0
 * or -ENOMEM, and then the set is empty. */
int index_set_create(struct index_set *set, const struct text *text, size_t count);

/** index_set_free - also an empty one, and again. */
void index_set_free(struct index_set *set);

/** index_add_document - all words of a document, which no index has yet. Fastest in
 * ascending order. Returns 0 or -ENOMEM. */
int index_add_document(struct index_set *set, size_t index, size_t document);

/** index_merge_part - move that part of all indexes to the first, documents in ascending
 * order. Once for each part in [0, INDEX_PARTS). Returns 0 or -ENOMEM. */
int index_merge_part(struct index_set *set, size_t number);

/** index_checksum - of the first index: all words, in any order, and their documents, in
 * theirs. */
uint64_t index_checksum(const struct index_set *set);

#endif
