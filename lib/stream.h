/* stream.h - writing arrays that are larger than the caches.
 *
 * Job: vectors of 16 bytes that go to memory past the caches, where the machine can. A
 * plain store of a line that is not in the cache fetches it first: half as much again of
 * the traffic of a loop that reads one array and writes another.
 */
#ifndef FL_STREAM_H
#define FL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* What a loop writes past the caches, if it writes as much as this: more than the share of
 * a last-level cache that one core has on most machines. With less, who reads it next is
 * better off if it lies there. */
#define FL_STREAM_BYTES ((size_t)32 << 20)

typedef long long fl_bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

/* Whether an array of so many bytes is to be written so; a multiple of 16 is asked for. */
static inline bool fl_is_streamed(const void *out, size_t bytes)
{
#if defined(__SSE2__)
    return bytes >= FL_STREAM_BYTES && (uintptr_t)out % 16 == 0;
#else
    return (void)out, (void)bytes, false;
#endif
}

static inline __attribute__((always_inline)) void fl_put16(void *at, fl_bytes16 bytes,
                                                           bool is_streamed)
{
#if defined(__SSE2__)
    if (is_streamed) {
        _mm_stream_si128(at, (__m128i)bytes);
        return;
    }
#endif
    (void)is_streamed;
    *(fl_bytes16 *)at = bytes;
}

/* After streamed stores, before others are told that they are done. */
static inline void fl_stream_end(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

#endif
