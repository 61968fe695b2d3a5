/* pack_items.c - flags, and packing by them; see pack.h. */
#include "pack.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Places that are left, for items to be packed without branches: each takes one, and gives
 * it back if it is not wanted. */
#define LAST ((size_t)32)

/* So far ahead of what is written, lines are fetched. */
#define FETCHED_BYTES 1024

/* --- packing, by flags ------------------------------------------------------------ */

/* Without branches, which would be mispredicted: each item is stored, and overwritten by
 * the next if it is not wanted. */
static inline __attribute__((always_inline)) void filter_items(const char *in,
                                                               const bool *flags,
                                                               size_t count, size_t bytes,
                                                               struct fl_packed *packed)
{
    char *front = packed->front;
    size_t i, kept = 0;

    for (i = 0; i < count; i++) {
        memcpy(front + kept * bytes, in + i * bytes, bytes);
        kept += flags[i];
    }
    packed->front = front + kept * bytes;
    packed->kept += kept;
}

#if defined(__x86_64__)
/* For each set of flags of four items, as bits: which halves of the four go where. */
static const uint8_t halves_of[16][8] = {
    {0},
    {0, 1},
    {2, 3},
    {0, 1, 2, 3},
    {4, 5},
    {0, 1, 4, 5},
    {2, 3, 4, 5},
    {0, 1, 2, 3, 4, 5},
    {6, 7},
    {0, 1, 6, 7},
    {2, 3, 6, 7},
    {0, 1, 2, 3, 6, 7},
    {4, 5, 6, 7},
    {0, 1, 4, 5, 6, 7},
    {2, 3, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7},
};

/* Four items of 8 bytes at a time, those that are wanted in front: twice as fast as one by
 * one. What is behind these is garbage, up to the place of the last of the four. */
__attribute__((target("avx2,popcnt"), always_inline)) static inline void
filter_fours(const char *in, const bool *flags, size_t count, struct fl_packed *packed,
             bool is_far)
{
    char *front = packed->front;
    size_t i;

    for (i = 0; count - i >= 4; i += 4) {
        __m256i four = _mm256_loadu_si256((const void *)(in + i * 8));
        uint32_t bytes, bits;

        if (is_far)
            __builtin_prefetch((const void *)((uintptr_t)front + FETCHED_BYTES), 1);
        memcpy(&bytes, flags + i, sizeof bytes);
        bits = bytes * UINT32_C(0x10204080) >> 28;
        four = _mm256_permutevar8x32_epi32(
            four, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)halves_of[bits])));
        _mm256_storeu_si256((void *)front, four);
        front += 8 * (size_t)__builtin_popcount(bits);
    }
    packed->kept += (size_t)(front - packed->front) / 8;
    packed->front = front;
    filter_items(in + i * 8, flags + i, count - i, 8, packed);
}

__attribute__((target("avx2,popcnt"))) static void
filter_eights(const char *in, const bool *flags, size_t count, struct fl_packed *packed)
{
    if (packed->is_far)
        filter_fours(in, flags, count, packed, true);
    else
        filter_fours(in, flags, count, packed, false);
}

static bool has_vectors(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}
#else
static void filter_eights(const char *in, const bool *flags, size_t count,
                          struct fl_packed *packed)
{
    filter_items(in, flags, count, 8, packed);
}

static bool has_vectors(void)
{
    return false;
}
#endif

/* In memory that overlaps, and where a copy costs more than a branch. */
static void filter_large_items(const char *in, const bool *flags, size_t count,
                               size_t bytes, struct fl_packed *packed)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (flags[i]) {
            memmove(packed->front, in + i * bytes, bytes);
            packed->front += bytes;
            packed->kept++;
        }
}

/* Others go to the back, in reverse. The two ends never cross: an item has one place. */
static inline __attribute__((always_inline)) void
partition_items(const char *in, const bool *flags, size_t count, size_t bytes,
                struct fl_packed *packed)
{
    char *front = packed->front, *back = packed->back;
    size_t i, kept = 0;

    for (i = 0; i < count; i++) {
        size_t others = i - kept;

        memcpy(front + kept * bytes, in + i * bytes, bytes);
        memcpy(back - (others + 1) * bytes, in + i * bytes, bytes);
        kept += flags[i];
    }
    packed->front = front + kept * bytes;
    packed->back = back - (count - kept) * bytes;
    packed->kept += kept;
}

static void partition_large_items(const char *in, const bool *flags, size_t count,
                                  size_t bytes, struct fl_packed *packed)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (flags[i]) {
            memcpy(packed->front, in + i * bytes, bytes);
            packed->front += bytes;
            packed->kept++;
        } else {
            packed->back -= bytes;
            memcpy(packed->back, in + i * bytes, bytes);
        }
}

static void write_indices(size_t at, const bool *flags, size_t count,
                          struct fl_packed *packed)
{
    char *front = packed->front;
    size_t i, kept = 0;

    for (i = 0; i < count; i++, at++) {
        memcpy(front + kept * sizeof at, &at, sizeof at);
        kept += flags[i];
    }
    packed->front = front + kept * sizeof at;
    packed->kept += kept;
}

/* Calls function for a size that is known here, or else large. */
#define BY_SIZE(function, large, in, flags, count, bytes, packed) \
    switch (bytes) {                                              \
    case 1:                                                       \
        function(in, flags, count, 1, packed);                    \
        break;                                                    \
    case 2:                                                       \
        function(in, flags, count, 2, packed);                    \
        break;                                                    \
    case 4:                                                       \
        function(in, flags, count, 4, packed);                    \
        break;                                                    \
    case 8:                                                       \
        function(in, flags, count, 8, packed);                    \
        break;                                                    \
    case 16:                                                      \
        function(in, flags, count, 16, packed);                   \
        break;                                                    \
    default:                                                      \
        large(in, flags, count, bytes, packed);                   \
    }

static void pack_some(const struct fl_pack *pack, size_t at, const bool *flags,
                      size_t count, struct fl_packed *packed)
{
    const char *in = pack->in + at * pack->bytes;

    switch (pack->kind) {
    case FL_WHERE:
        write_indices(at, flags, count, packed);
        break;
    case FL_PARTITION:
        BY_SIZE(partition_items, partition_large_items, in, flags, count, pack->bytes,
                packed)
        break;
    default:
        /* In place, the last of four is to be compared with the next: no garbage. */
        if (pack->bytes == 8 && has_vectors() &&
            !(pack->kind == FL_UNIQUE && pack->in == pack->out)) {
            filter_eights(in, flags, count, packed);
            break;
        }
        BY_SIZE(filter_items, filter_large_items, in, flags, count, pack->bytes, packed)
    }
}

/* Up to packed->stop, which the wanted ones do not exceed: with a branch. */
static void pack_last(const struct fl_pack *pack, size_t at, const bool *flags,
                      size_t count, struct fl_packed *packed)
{
    size_t i;

    for (i = 0; i < count && packed->front < packed->stop; i++)
        if (flags[i]) {
            size_t index = at + i;
            const char *item = pack->in + index * pack->bytes;

            memcpy(packed->front, pack->kind == FL_WHERE ? (const char *)&index : item,
                   pack->out_bytes);
            packed->front += pack->out_bytes;
            packed->kept++;
        }
}

void fl_pack_flagged(const struct fl_pack *pack, size_t begin, size_t count,
                     const bool *flags, struct fl_packed *packed)
{
    size_t i, some, left;

    if (pack->kind == FL_PARTITION) {
        pack_some(pack, begin, flags, count, packed);
        return;
    }
    for (i = 0; i < count; i += some) {
        some = count - i;
        left = (size_t)(packed->stop - packed->front);
        if (some * pack->out_bytes > left) {
            some = left / pack->out_bytes;
            if (some < LAST) {
                pack_last(pack, begin + i, flags + i, count - i, packed);
                return;
            }
        }
        pack_some(pack, begin + i, flags + i, some, packed);
    }
}

/* --- flags ------------------------------------------------------------------------ */

/* Which items differ from the one before, byte by byte. in: the second of them. */
static inline __attribute__((always_inline)) void
compare_items(const char *in, bool *flags, size_t count, size_t bytes)
{
    size_t i;

    for (i = 0; i < count; i++)
        flags[i] = memcmp(in + i * bytes - bytes, in + i * bytes, bytes) != 0;
}

/* By numbers, which compilers make vector code of. */
#define COMPARE_NUMBERS(type)                                             \
    for (i = 0; i < count; i++) {                                         \
        type before, item;                                                \
                                                                          \
        memcpy(&before, in + i * sizeof item - sizeof item, sizeof item); \
        memcpy(&item, in + i * sizeof item, sizeof item);                 \
        flags[i] = before != item;                                        \
    }

static void flag_unequal(const struct fl_pack *pack, const char *in, size_t count,
                         bool *flags)
{
    size_t i;

    if (pack->equal) {
        for (i = 0; i < count; i++)
            flags[i] = !pack->equal(in + i * pack->bytes - pack->bytes,
                                    in + i * pack->bytes, pack->test.ctx);
        return;
    }
    switch (pack->bytes) {
    case 4:
        COMPARE_NUMBERS(uint32_t) break;
    case 8:
        COMPARE_NUMBERS(uint64_t) break;
    default:
        compare_items(in, flags, count, pack->bytes);
    }
}

static int flag_items(const struct fl_pack *pack, size_t at, size_t count, bool *flags)
{
    const char *in = pack->in + at * pack->bytes;

    if (pack->kind != FL_UNIQUE)
        return fl_test_items(&pack->test, in, count, pack->bytes, flags);
    if (at == 0) {
        flags[0] = 1;
        flag_unequal(pack, in + pack->bytes, count - 1, flags + 1);
    } else {
        flag_unequal(pack, in, count, flags);
    }
    return 0;
}

int fl_pack_items(const struct fl_pack *pack, size_t begin, size_t end,
                  struct fl_packed *packed)
{
    bool flags[FL_TESTED];
    size_t at, count;
    int value;

    for (at = begin; at < end; at += count) {
        count = FL_MIN(FL_TESTED, end - at);
        value = flag_items(pack, at, count, flags);
        if (value)
            return value;
        fl_pack_flagged(pack, at, count, flags, packed);
    }
    return 0;
}

int fl_pack_flags(const struct fl_pack *pack, size_t begin, size_t end, bool *flags,
                  size_t *kept)
{
    size_t at, count;
    int value;

    *kept = 0;
    for (at = begin; at < end; at += count) {
        count = FL_MIN(FL_TESTED, end - at);
        value = flag_items(pack, at, count, flags + (at - begin));
        if (value)
            return value;
        *kept += fl_count_flags(flags + (at - begin), count);
    }
    return 0;
}
