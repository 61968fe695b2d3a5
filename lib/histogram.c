/* histogram.c - counting by bins: copies of the bins for each lane, or items brought to
 * the range of bins that they belong to.
 *
 * Which one it is depends on how many items there are for each bin. The result does not:
 * numbers of items are exact, and weights are added in an order that stands in the
 * header.
 */
#include <errno.h>
#include <string.h>
#include <filch/histogram.h>
#include "loop.h"
#include "options.h"
#include "platform.h"
#include "spread.h"

/* Items of an array that the caller counts at once; and so many, if there are several
 * times as many bins, which take longer to add up. */
#define FEW_ITEMS    2048
#define FEW_OF_MANY  ((size_t)1 << 17)
#define BINS_PER_FEW 8

/* Copies of so few bins are always worth it; and others, if all copies together have no
 * more bins than so many for each item. */
#define FEW_BINS      ((size_t)32768)
#define BINS_PER_ITEM 2

/* Sums in so few bins are made in stretches of items. */
#define FEW_SUMS       ((size_t)1024)
#define STRETCHES_MOST 64
#define STRETCH_LEAST  4096

#define ITEMS FILCH_HISTOGRAM_ITEMS

struct histogram {
    size_t begin, end;
    size_t bins;
    uint64_t *counts; /* or */
    double *sums;
    filch_bin_body *body; /* or */
    const uint32_t *numbers;
    const uint8_t *bytes;
    const filch_opts *opts;
    void *ctx;
    bool is_wide;  /* copies: of 64 bits a bin */
    void **copies; /* for each lane that has one */
    size_t lanes;
    unsigned shift; /* ranges: how many bits say which bin of a range */
    uint32_t *bin;  /* of the items, range by range */
    double *weight; /* likewise */
    size_t *begins; /* of the ranges in these */
    size_t stretch; /* items; */
    double *stretch_sums;
};

/* --- what bins items are in ------------------------------------------------------- */

/* Bins of items [begin, end), at most ITEMS, in `room` or where they are anyway. */
static int find_bins(const struct histogram *h, filch_worker *w, size_t begin, size_t end,
                     uint32_t *room, double *weight, const uint32_t **bin)
{
    FL_ASSERT(h->body || !weight);
    *bin = room;
    if (h->body)
        return h->body(w, begin, end, room, weight, h->ctx);
    *bin = h->numbers + begin;
    return 0;
}

/* --- copies ----------------------------------------------------------------------- */

static void add_narrow(uint32_t *copy, const uint32_t *bin, size_t count, size_t bins)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (bin[i] < bins)
            copy[bin[i]]++;
}

static void add_wide(uint64_t *copy, const uint32_t *bin, size_t count, size_t bins)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (bin[i] < bins)
            copy[bin[i]]++;
}

/* Bytes one after the other are often the same: counted in one place, each would wait for
 * the one before. */
#define WAYS          8
#define BYTES_AT_ONCE ((size_t)1 << 20)
/* Fewer are added at once: to clear and to add up the places takes as long as these, and
 * a loop that begins with small chunks would take each item for that expensive. */
#define BYTES_FOR_WAYS 1024

static void add_bytes(uint64_t *counts, const uint8_t *x, size_t count)
{
    uint32_t way[WAYS][256];
    size_t at, i, j, stop;

    for (i = 0; i < count && count < BYTES_FOR_WAYS; i++)
        counts[x[i]]++;
    for (at = i; at < count; at = stop) {
        stop = FL_MIN(count, at + BYTES_AT_ONCE);
        memset(way, 0, sizeof way);
        for (i = at; i + WAYS <= stop; i += WAYS) {
            uint64_t word;

            memcpy(&word, x + i, sizeof word);
            for (j = 0; j < WAYS; j++)
                way[j][word >> 8 * j & 255]++;
        }
        for (; i < stop; i++)
            way[0][x[i]]++;
        for (i = 0; i < 256; i++)
            for (j = 0; j < WAYS; j++)
                counts[i] += way[j][i];
    }
}

static int count_range(filch_worker *w, size_t begin, size_t end, void *arg)
{
    struct histogram *h = arg;
    void **copy = &h->copies[filch_lane(w)];
    uint32_t room[ITEMS];
    const uint32_t *bin;
    size_t at, count;
    int err;

    if (!*copy)
        *copy = fl_zalloc(h->bins * (h->is_wide ? sizeof(uint64_t) : sizeof(uint32_t)));
    if (!*copy)
        return -ENOMEM;
    if (h->bytes) {
        add_bytes(*copy, h->bytes + begin, end - begin);
        return 0;
    }
    for (at = begin; at < end; at += count) {
        count = h->body ? FL_MIN(end - at, ITEMS) : end - at;
        err = find_bins(h, w, at, at + count, room, NULL, &bin);
        if (err)
            return err;
        if (h->is_wide)
            add_wide(*copy, bin, count, h->bins);
        else
            add_narrow(*copy, bin, count, h->bins);
    }
    return 0;
}

/* Add the copies of bins [begin, end) to the counts. */
static int add_copies(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct histogram *h = arg;
    size_t lane, i;

    (void)w;
    for (lane = 0; lane < h->lanes; lane++) {
        const uint32_t *narrow = h->copies[lane];
        const uint64_t *wide = h->copies[lane];

        if (!h->copies[lane])
            continue;
        for (i = begin; i < end && h->is_wide; i++)
            h->counts[i] += wide[i];
        for (i = begin; i < end && !h->is_wide; i++)
            h->counts[i] += narrow[i];
    }
    return 0;
}

static int count_in_copies(struct fl_worker *worker, struct histogram *h)
{
    filch_opts quiet = h->opts ? *h->opts : (filch_opts){0};
    struct fl_loop_call call = {.begin = h->begin,
                                .end = h->end,
                                .body = count_range,
                                .ctx = h,
                                .identity = h->body    ? (uintptr_t)h->body
                                            : h->bytes ? (uintptr_t)add_bytes
                                                       : (uintptr_t)add_wide,
                                .grain = quiet.grain,
                                .max_chunk = quiet.max_chunk,
                                .opts = h->opts};
    struct fl_loop_call adding = {
        .end = h->bins, .body = add_copies, .ctx = h, .opts = &quiet};
    size_t lane;
    int err;

    h->is_wide = h->bytes || h->end - h->begin > UINT32_MAX;
    h->copies = fl_zalloc(h->lanes * sizeof *h->copies);
    if (!h->copies)
        return -ENOMEM;
    err = fl_loop_in(worker, &call);
    quiet.progress = NULL;
    quiet.cancel = NULL; /* to the end, once it has begun to change the counts */
    if (!err)
        err = fl_loop_in(worker, &adding);
    for (lane = 0; lane < h->lanes; lane++)
        fl_free(h->copies[lane]);
    fl_free(h->copies);
    return err;
}

/* --- ranges of bins --------------------------------------------------------------- */

static int count_ranges(filch_worker *w, size_t begin, size_t end, size_t *count,
                        void *arg)
{
    const struct histogram *h = arg;
    uint32_t room[ITEMS];
    double weight[ITEMS];
    const uint32_t *bin;
    size_t at, i, items;
    int err;

    for (at = begin; at < end; at += items) {
        items = FL_MIN(end - at, ITEMS);
        err = find_bins(h, w, at, at + items, room, h->sums ? weight : NULL, &bin);
        if (err)
            return err;
        for (i = 0; i < items; i++)
            if (bin[i] < h->bins)
                count[bin[i] >> h->shift]++;
    }
    return 0;
}

static int place_items(filch_worker *w, size_t begin, size_t end, size_t *next, void *arg)
{
    const struct histogram *h = arg;
    uint32_t room[ITEMS];
    double weight[ITEMS];
    const uint32_t *bin;
    size_t at, i, items;
    int err;

    for (at = begin; at < end; at += items) {
        items = FL_MIN(end - at, ITEMS);
        err = find_bins(h, w, at, at + items, room, h->sums ? weight : NULL, &bin);
        if (err)
            return err;
        for (i = 0; i < items; i++) {
            if (bin[i] >= h->bins)
                continue;
            if (h->sums)
                h->weight[next[bin[i] >> h->shift]] = weight[i];
            h->bin[next[bin[i] >> h->shift]++] = bin[i];
        }
    }
    return 0;
}

static int add_ranges(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct histogram *h = arg;
    size_t i, stop = h->begins[end];

    (void)w;
    for (i = h->begins[begin]; i < stop && h->sums; i++)
        h->sums[h->bin[i]] += h->weight[i];
    for (i = h->begins[begin]; i < stop && !h->sums; i++)
        h->counts[h->bin[i]]++;
    return 0;
}

static int count_by_ranges(struct fl_worker *worker, struct histogram *h)
{
    struct fl_spread spread = {.begin = h->begin,
                               .end = h->end,
                               .count = count_ranges,
                               .place = place_items,
                               .ctx = h,
                               .grain = h->opts ? h->opts->grain : 0};
    filch_opts quiet = h->opts ? *h->opts : (filch_opts){0};
    size_t items = h->end - h->begin;
    int err = -ENOMEM;

    while ((h->bins - 1) >> h->shift >= FL_BUCKETS_MOST)
        h->shift++;
    spread.buckets = ((h->bins - 1) >> h->shift) + 1;
    if (items > SIZE_MAX / 2 / sizeof(double))
        return -ENOMEM;
    h->bin = fl_zalloc(items * sizeof *h->bin);
    h->weight = h->sums ? fl_zalloc(items * sizeof *h->weight) : NULL;
    if (h->bin && (h->weight || !h->sums))
        err = fl_spread(worker, &spread, h->opts);
    if (!err) {
        quiet.cancel = NULL;
        quiet.progress = NULL;
        h->begins = spread.begins;
        err = fl_spread_loop(worker, spread.buckets, add_ranges, h, &quiet);
        fl_spread_end(&spread);
    }
    fl_free(h->weight);
    fl_free(h->bin);
    return err;
}

/* --- sums in few bins ------------------------------------------------------------- */

static int sum_stretches(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct histogram *h = arg;
    size_t stretch, at, stop, items, i;
    uint32_t bin[ITEMS];
    double weight[ITEMS];
    int err;

    for (stretch = begin; stretch < end; stretch++) {
        double *sums = h->stretch_sums + stretch * h->bins;

        at = h->begin + stretch * h->stretch;
        stop = at + FL_MIN(h->stretch, h->end - at);
        for (; at < stop; at += items) {
            items = FL_MIN(stop - at, ITEMS);
            err = h->body(w, at, at + items, bin, weight, h->ctx);
            if (err)
                return err;
            for (i = 0; i < items; i++)
                if (bin[i] < h->bins)
                    sums[bin[i]] += weight[i];
        }
    }
    return 0;
}

static int sum_in_stretches(struct fl_worker *worker, struct histogram *h)
{
    size_t items = h->end - h->begin, grain = h->opts ? h->opts->grain : 0, count, i;
    int err;

    h->stretch = FL_MAX(FL_MAX(items / STRETCHES_MOST + 1, STRETCH_LEAST), grain);
    count = items / h->stretch + (items % h->stretch != 0);
    h->stretch_sums = fl_zalloc(count * h->bins * sizeof *h->stretch_sums);
    if (!h->stretch_sums)
        return -ENOMEM;
    err = fl_spread_loop(worker, count, sum_stretches, h, h->opts);
    for (i = 0; i < count * h->bins && !err; i++)
        h->sums[i % h->bins] += h->stretch_sums[i];
    fl_free(h->stretch_sums);
    return err;
}

/* --- the calls -------------------------------------------------------------------- */

static int histogram_inside(struct fl_worker *worker, void *arg)
{
    struct histogram *h = arg;
    size_t items = h->end - h->begin, copies;

    h->lanes = fl_loop_lanes(worker, h->opts);
    if (h->sums)
        return h->bins <= FEW_SUMS ? sum_in_stretches(worker, h)
                                   : count_by_ranges(worker, h);
    copies = items / h->lanes >= SIZE_MAX / BINS_PER_ITEM
                 ? SIZE_MAX
                 : items / h->lanes * BINS_PER_ITEM;
    return h->bins <= FEW_BINS || h->bins <= copies ? count_in_copies(worker, h)
                                                    : count_by_ranges(worker, h);
}

static int histogram(struct histogram *h, const filch_opts *opts)
{
    if (h->begin > h->end || (uint64_t)h->bins > UINT64_C(1) << 32 ||
        (h->bins && !h->counts && !h->sums) || fl_opts_check(opts))
        return -EINVAL;
    if (h->begin == h->end || h->bins == 0)
        return 0;
    if (opts && opts->cancel && filch_cancel_is_set(opts->cancel))
        return -ECANCELED;
    h->opts = opts;
    h->ctx = opts ? opts->ctx : NULL;
    return fl_enter(opts, histogram_inside, h);
}

int filch_histogram_with(size_t begin, size_t end, uint64_t *counts, size_t bins,
                         filch_bin_body *body, const filch_opts *opts)
{
    struct histogram h = {
        .begin = begin, .end = end, .counts = counts, .bins = bins, .body = body};

    return body ? histogram(&h, opts) : -EINVAL;
}

int filch_histogram_sums_with(size_t begin, size_t end, double *sums, size_t bins,
                              filch_bin_body *body, const filch_opts *opts)
{
    struct histogram h = {
        .begin = begin, .end = end, .sums = sums, .bins = bins, .body = body};

    return body ? histogram(&h, opts) : -EINVAL;
}

/* Whether the caller counts at once: then no error can be in the way. */
static bool is_few(size_t n, size_t bins, const filch_opts *opts)
{
    size_t few = FL_MAX(FEW_ITEMS, FL_MIN(bins / BINS_PER_FEW, FEW_OF_MANY));

    return n <= few && !(opts && (opts->cancel || opts->progress)) &&
           !fl_opts_check(opts);
}

int filch_histogram_uint8(const uint8_t *x, size_t n, uint64_t *counts,
                          const filch_opts *opts)
{
    struct histogram h = {.end = n, .counts = counts, .bins = 256, .bytes = x};
    size_t i;

    if ((!x && n) || !counts)
        return -EINVAL;
    if (!is_few(n, 256, opts))
        return histogram(&h, opts);
    for (i = 0; i < n; i++)
        counts[x[i]]++;
    return 0;
}

int filch_histogram_uint32(const uint32_t *x, size_t n, uint64_t *counts, size_t bins,
                           const filch_opts *opts)
{
    struct histogram h = {.end = n, .counts = counts, .bins = bins, .numbers = x};

    if ((!x && n) || (!counts && bins) || n > SIZE_MAX / sizeof *x ||
        (uint64_t)bins > UINT64_C(1) << 32)
        return -EINVAL;
    if (!is_few(n, bins, opts))
        return histogram(&h, opts);
    add_wide(counts, x, n, bins);
    return 0;
}
