/* sort_records.c - the functions of all kinds of records; see sort.h. */
#include "sort.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <filch/hot.h>
#include "platform.h"

#define FL_ALWAYS_INLINE static inline __attribute__((always_inline))

#define LINE_BYTES ((size_t)FL_CACHE_LINE)

/* Digits: as many values as counters fit a third of the nearest cache, and passes. */
#define DIGIT_MOST 11
#define PASSES     3

/* Up to so many, insertion is as fast as anything without vectors. */
#define INSERT_MOST 20

/* And ranking with them. */
#define RANK_MOST 48

typedef int32_t lanes_32 __attribute__((vector_size(32)));
typedef int64_t lanes_64 __attribute__((vector_size(32)));

/* A whole line. is_large: past the caches, since it will be long until it is read. */
FL_ALWAYS_INLINE void write_line(void *to, const void *line, bool is_large)
{
#ifdef __SSE2__
    if (is_large) {
        const __m128i *from = line;
        __m128i *into = to;

        _mm_stream_si128(into, _mm_load_si128(from));
        _mm_stream_si128(into + 1, _mm_load_si128(from + 1));
        _mm_stream_si128(into + 2, _mm_load_si128(from + 2));
        _mm_stream_si128(into + 3, _mm_load_si128(from + 3));
        return;
    }
#endif
    (void)is_large;
    memcpy(to, line, LINE_BYTES);
}

/* What was written past the caches is seen before what is written from now on. */
static void written_lines(void)
{
#ifdef __SSE2__
    _mm_sfence();
#endif
}

/* How many passes sort n records by so many bits with the least work. A pass takes about
 * as long for three values of its digit, to clear and to add up, as for a record. */
static unsigned passes_for(size_t n, unsigned bits)
{
    unsigned passes = (bits + DIGIT_MOST - 1) / DIGIT_MOST;

    while (passes < PASSES &&
           (passes + 1) * (n + ((size_t)1 << (bits + passes) / (passes + 1)) / 3) <
               passes * (n + ((size_t)1 << (bits + passes - 1) / passes) / 3))
        passes++;
    return passes;
}

#define RECORD     uint32_t
#define WORD       uint32_t
#define LANES      lanes_32
#define LANE       int32_t
#define KEY(r)     (r)
#define NAME(name) name##_32
#include "sort_small_of.h"
#include "sort_rank_of.h"
#include "sort_spread_of.h"
#undef RECORD
#undef WORD
#undef LANES
#undef LANE
#undef KEY
#undef NAME

#define RECORD     uint64_t
#define WORD       uint64_t
#define LANES      lanes_64
#define LANE       int64_t
#define KEY(r)     ((r) >> low)
#define NAME(name) name##_64
#include "sort_small_of.h"
#include "sort_rank_of.h"
#include "sort_spread_of.h"
#undef RECORD
#undef KEY
#undef NAME

#define RECORD     struct fl_pair
#define KEY(r)     ((r).key)
#define NAME(name) name##_pair
#include "sort_small_of.h"
#include "sort_rank_of.h"
#include "sort_spread_of.h"
