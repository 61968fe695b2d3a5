/* sort_map.c - which key goes to which bucket, from a sample; see struct fl_map in sort.h.
 */
#include "sort.h"

#include <string.h>

/* log2 of FL_MAP_CELLS. */
#define CELL_BITS 9

/* A bucket is to have so many keys of the sample. */
#define SHARE ((size_t)FL_MAP_SAMPLES)

/* And no more cells than such a share of all, however few keys of the sample they have: a
 * sample that misses most keys costs one pass, and the next ones get three bits further. */
#define WIDEST_SHARE ((size_t)8)

static unsigned bit_width(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

/* Log2 of how many buckets a cell of so many keys in the sample is divided into: the
 * nearest power of two. */
static unsigned divisions(size_t count, unsigned most)
{
    unsigned log = 0;

    while (log < most && count * 10 > (SHARE << log) * 14)
        log++;
    return log;
}

/* Where keys lie evenly, a bucket's number is a shift away. */
static bool make_even(struct fl_map *map, const size_t *count, size_t cells,
                      size_t samples)
{
    size_t cell, buckets = samples / SHARE;
    unsigned shift = map->shift;

    for (cell = 0; cell < cells; cell++)
        if (count[cell] > 2 * (samples / cells) + SHARE)
            return false;
    while (shift > 0 && map->span >> shift < buckets / 2)
        shift--;
    while (map->span >> shift >= 2 * buckets)
        shift++;
    map->even_shift = shift;
    map->buckets = (size_t)(map->span >> shift) + 1;
    return true;
}

void fl_map_make(struct fl_map *map, const uint64_t *sample, size_t buckets,
                 const uint64_t *extent)
{
    size_t samples = buckets * SHARE, count[FL_MAP_CELLS] = {0};
    size_t i, cell, cells, widest, next = 0;
    size_t joined = 0,
           pending = 0; /* of the bucket next: cells, and keys of the sample */
    uint64_t least = extent ? extent[0] : sample[SHARE];
    uint64_t most = extent ? extent[1] : sample[samples - 1 - SHARE];

    map->least = least;
    map->span = most - least;
    map->shift = bit_width(map->span) > CELL_BITS ? bit_width(map->span) - CELL_BITS : 0;
    map->even_shift = 64;
    cells = (size_t)(map->span >> map->shift) + 1;
    for (i = 0; i < samples; i++)
        count[(FL_MIN(FL_MAX(sample[i], least), most) - least) >> map->shift]++;
    if (make_even(map, count, cells, samples))
        return;
    widest = FL_MAX(cells / WIDEST_SHARE, 1);
    for (cell = 0; cell < cells; cell++) {
        unsigned log = divisions(count[cell], map->shift);

        if (joined && (log || pending + count[cell] > SHARE || joined == widest)) {
            next++;
            joined = pending = 0;
        }
        map->cell[cell] = (uint32_t)(next << 6 | (map->shift - log));
        if (log) {
            next += (size_t)1 << log;
        } else {
            joined++;
            pending += count[cell];
        }
    }
    map->buckets = next + (joined > 0);
}
