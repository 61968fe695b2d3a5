/* postings.c - see postings.h. */
#include "postings.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)64 << 10)

struct block {
    struct block *next;
    size_t unused; /* to align what follows */
};

void *arena_take(struct arena *arena, size_t bytes)
{
    void *taken;

    if (arena->free_bytes < bytes) {
        struct block *block = malloc(BLOCK_BYTES);

        if (!block)
            return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->free_begin = (char *)(block + 1);
        arena->free_bytes = BLOCK_BYTES - sizeof *block;
    }
    taken = arena->free_begin;
    arena->free_begin += bytes;
    arena->free_bytes -= bytes;
    return taken;
}

void arena_free(struct arena *arena)
{
    struct block *next;

    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){.blocks = NULL};
}

int postings_add(struct postings *list, struct arena *arena, size_t document)
{
    struct posting *posting;

    if (list->last && list->last->document == document)
        return 0;
    posting = arena_take(arena, sizeof *posting);
    if (!posting)
        return -ENOMEM;
    *posting = (struct posting){NULL, document};
    if (!list->last) {
        list->first = posting;
    } else {
        list->is_mixed |= list->last->document > document;
        list->last->next = posting;
    }
    list->last = posting;
    return 0;
}

void postings_append(struct postings *left, const struct postings *right)
{
    left->is_mixed |= right->is_mixed || left->last->document > right->first->document;
    left->last->next = right->first;
    left->last = right->last;
}

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

/* By merging what ascends already: few pieces, for a worker takes most documents in
 * order. */
void postings_sort(struct postings *list)
{
    struct posting *rest = list->first;
    struct posting *sorted = NULL;

    if (!list->is_mixed)
        return;
    while (rest) {
        struct posting *piece = rest;

        while (rest->next && rest->document < rest->next->document)
            rest = rest->next;
        list->last = rest;
        rest = rest->next;
        list->last->next = NULL;
        sorted = merged(sorted, piece);
    }
    list->first = sorted;
    list->is_mixed = false;
}

uint64_t postings_checksum(const struct postings *list, uint32_t hash, size_t bytes)
{
    uint64_t sum = hash + (uint64_t)bytes;

    for (const struct posting *at = list->first; at; at = at->next)
        sum = (sum ^ at->document) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    return sum ^ sum >> 32;
}
