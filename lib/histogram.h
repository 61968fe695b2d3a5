/* histogram.h - what the two ways of counting by bins have in common: copies of the bins
 * (histogram.c), and items brought to where their bins are (histogram_spread.c).
 */
#ifndef FL_HISTOGRAM_H
#define FL_HISTOGRAM_H

#include <filch/histogram.h>
#include "loop.h"
#include "platform.h"

/* Counts of a lane. Bytes: uint64_t bin[256]. Others: how many items there are in each bin,
 * modulo 256, so that a million bins fit a core's own cache; and for each 256 items that
 * were, the bin once more. */
struct fl_bins {
    _Alignas(FL_CACHE_LINE) void *bin; /* NULL: nothing yet */
    uint32_t *carried;
    size_t carries, room;
};

struct fl_histogram {
    size_t begin, end;
    size_t bins;
    uint64_t *counts; /* or */
    double *sums;
    filch_bin_body *body; /* or */
    const uint32_t *numbers;
    const uint8_t *bytes;
    const filch_opts *opts;
    void *ctx;
    struct fl_bins *copies; /* for each lane */
    size_t lanes;
    unsigned shift;       /* ranges: how many bits say which bin of a range */
    uint32_t *bin;        /* of the items, range by range */
    double *weight;       /* likewise */
    const size_t *begins; /* of the ranges in these */
    size_t stretch;       /* items; */
    double *stretch_sums;
};

/* Bins of items [begin, end), at most FILCH_HISTOGRAM_ITEMS where a body says them; in
 * `room` or where they are anyway. */
static inline int fl_find_bins(const struct fl_histogram *h, filch_worker *w,
                               size_t begin, size_t end, uint32_t *room, double *weight,
                               const uint32_t **bin)
{
    FL_ASSERT(h->body || !weight);
    *bin = room;
    if (h->body)
        return h->body(w, begin, end, room, weight, h->ctx);
    *bin = h->numbers + begin;
    return 0;
}

/* From inside a call: counts in many bins; sums. 0 or an error, after which nothing has
 * changed. */
int fl_count_by_ranges(struct fl_worker *worker, struct fl_histogram *h);
int fl_sum_by_bins(struct fl_worker *worker, struct fl_histogram *h);

#endif
