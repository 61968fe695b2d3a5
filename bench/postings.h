/* postings.h - in which documents a word occurs: lists of numbers, in blocks that are one
 * thread's. */
#ifndef BENCH_POSTINGS_H
#define BENCH_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that is given back as a whole. One for each thread; all zero: empty. */
struct arena {
    struct block *blocks;
    char *free_begin;
    size_t free_bytes;
    char padding[64]; /* the next one is another thread's */
};

struct posting {
    struct posting *next;
    size_t document;
};

/* A list. All zero: empty. */
struct postings {
    struct posting *first;
    struct posting *last;
    bool is_mixed; /* not in ascending order */
};

/** arena_take - bytes, a multiple of 8, for any type. NULL: there is no memory. */
void *arena_take(struct arena *arena, size_t bytes);

void arena_free(struct arena *arena);

/** postings_add - one document more, unless it is the last one anyway. Fastest in
 * ascending order. Returns 0 or -ENOMEM. */
int postings_add(struct postings *list, struct arena *arena, size_t document);

/** postings_append - all of right behind left; neither is empty. */
void postings_append(struct postings *left, const struct postings *right);

/** postings_sort - into ascending order. */
void postings_sort(struct postings *list);

/** postings_checksum - of a word with that hash, and its documents in their order. */
uint64_t postings_checksum(const struct postings *list, uint32_t hash, size_t bytes);

#endif
