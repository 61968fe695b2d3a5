/* scan_typed.h - how the typed scans (filch/scan.h) are shared out and bracketed.
 *
 * Job: the checks and the loop over tiles for all of them. The templates (scan_sum_of.h,
 * scan_extreme_of.h) hold what differs: how a tile is folded and how it is scanned from a
 * carry. Each is included once per element type.
 *
 * A tile has the same number of items whatever the length of the array, and inside it the
 * bracket is fixed by the source. The carry into a tile is that into the tile before,
 * combined with the fold of that tile; who scans a tile at once, because nobody else is
 * there and the carry is known, gets the same bits. So each result is a function of the
 * items up to there.
 */
#ifndef FL_SCAN_TYPED_H
#define FL_SCAN_TYPED_H

#include <errno.h>
#include <string.h>
#include <filch/scan.h>
#include "chain.h"
#include "loop.h"
#include "options.h"
#include "overlap.h"
#include "stream.h"
#include "typed.h"

/* Items: 128 or 256 KiB, which a second-level cache holds from the fold to the scan. Passing
 * on and the first misses of a tile cost about a microsecond, a tile about 20. */
#define FL_SCAN_TILE ((size_t)32768)

struct fl_scan {
    const void *x;
    void *out;
    size_t count;
    bool is_exclusive, is_streamed;
    const filch_opts *opts;
    struct fl_chain *chain;
};

/* 0 or -EINVAL: are x, out and opts what filch/scan.h asks for? Inline: of a scan of ten
 * items it is half. */
static inline int fl_scan_check(const void *x, size_t count, const void *out,
                                size_t element_bytes, const filch_opts *opts)
{
    if (opts && fl_opts_check(opts))
        return -EINVAL;
    if (count == 0)
        return 0;
    if (!x || !out || ((uintptr_t)x | (uintptr_t)out) % element_bytes != 0 ||
        count > SIZE_MAX / element_bytes)
        return -EINVAL;
    if (x != out && fl_overlap(x, out, count * element_bytes, count * element_bytes))
        return -EINVAL;
    return 0;
}

/* Run body over the tiles, of which there are several; the carry into the first one, of so
 * many bytes, is there, and afterwards the one behind the last. */
int fl_scan_run(struct fl_scan *scan, filch_body *body, void *carry, size_t carry_bytes);

static inline size_t fl_scan_tile_end(const struct fl_scan *scan, size_t begin)
{
    return scan->count - begin < FL_SCAN_TILE ? scan->count : begin + FL_SCAN_TILE;
}

#endif
