/* overlap.h - whether two arrays have bytes in common, and whether one is aligned. */
#ifndef FL_OVERLAP_H
#define FL_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool fl_overlap(const void *a, const void *b, size_t a_bytes,
                              size_t b_bytes)
{
    uintptr_t low = (uintptr_t)a, high = (uintptr_t)b;

    return low < high ? high - low < a_bytes : low - high < b_bytes;
}

/* align: a power of two. */
static inline bool fl_is_misaligned(const void *array, size_t align)
{
    return ((uintptr_t)array & (align - 1)) != 0;
}

#endif
