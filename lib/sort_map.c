/* sort_map.c - which key goes to which bucket, from a sample; see struct fl_map in sort.h.
 */
#include "sort.h"

#include <string.h>

/* log2 of FL_MAP_CELLS. */
#define CELL_BITS 9

/* A bucket is to have so many keys of the sample. */
#define SHARE ((size_t)FL_MAP_SAMPLES)

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
    size_t i, cell, cells, next = 0, pending = 0;
    uint64_t least = extent ? extent[0] : sample[SHARE];
    uint64_t most = extent ? extent[1] : sample[samples - 1 - SHARE];
    bool is_open = false; /* more cells may join the bucket next */

    map->least = least;
    map->span = most - least;
    map->shift = bit_width(map->span) > CELL_BITS ? bit_width(map->span) - CELL_BITS : 0;
    map->even_shift = 64;
    cells = (size_t)(map->span >> map->shift) + 1;
    for (i = 0; i < samples; i++)
        count[(FL_MIN(FL_MAX(sample[i], least), most) - least) >> map->shift]++;
    if (make_even(map, count, cells, samples))
        return;
    for (cell = 0; cell < cells; cell++) {
        unsigned log = divisions(count[cell], map->shift);

        if (is_open && (log || pending + count[cell] > SHARE)) {
            next++;
            is_open = false;
            pending = 0;
        }
        map->cell[cell] = (uint32_t)(next << 6 | (map->shift - log));
        if (log) {
            next += (size_t)1 << log;
        } else {
            is_open = true;
            pending += count[cell];
        }
    }
    map->buckets = next + is_open;
}
