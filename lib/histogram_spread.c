/* histogram_spread.c - many bins, and sums; see histogram.h.
 *
 * Items are brought to the range of bins that they belong to, in their order, and then
 * each range is one worker's. Weights in few bins are summed in stretches of items, which
 * depend on their number alone.
 */
#include <errno.h>
#include "histogram.h"
#include "spread.h"

/* Sums in so few bins are made in stretches of items. */
#define FEW_SUMS       ((size_t)1024)
#define STRETCHES_MOST 64
#define STRETCH_LEAST  4096

#define ITEMS FILCH_HISTOGRAM_ITEMS

/* --- ranges of bins --------------------------------------------------------------- */

static int count_ranges(filch_worker *w, size_t begin, size_t end, size_t *count,
                        void *arg)
{
    const struct fl_histogram *h = arg;
    uint32_t room[ITEMS];
    double weight[ITEMS];
    const uint32_t *bin;
    size_t at, i, items;
    int err;

    for (at = begin; at < end; at += items) {
        items = FL_MIN(end - at, ITEMS);
        err = fl_find_bins(h, w, at, at + items, room, h->sums ? weight : NULL, &bin);
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
    const struct fl_histogram *h = arg;
    uint32_t room[ITEMS];
    double weight[ITEMS];
    const uint32_t *bin;
    size_t all = h->end - h->begin, at, i, items;
    int err;

    for (at = begin; at < end; at += items) {
        items = FL_MIN(end - at, ITEMS);
        err = fl_find_bins(h, w, at, at + items, room, h->sums ? weight : NULL, &bin);
        if (err)
            return err;
        for (i = 0; i < items; i++) {
            size_t *to = &next[FL_MIN(bin[i], h->bins - 1) >> h->shift];

            /* The latter if the body said something else when items were counted. */
            if (bin[i] >= h->bins || *to >= all)
                continue;
            if (h->sums)
                h->weight[*to] = weight[i];
            h->bin[(*to)++] = bin[i];
        }
    }
    return 0;
}

static int add_ranges(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct fl_histogram *h = arg;
    size_t i, stop = h->begins[end];

    (void)w;
    for (i = h->begins[begin]; i < stop && h->sums; i++)
        h->sums[h->bin[i]] += h->weight[i];
    for (i = h->begins[begin]; i < stop && !h->sums; i++)
        h->counts[h->bin[i]]++;
    return 0;
}

int fl_count_by_ranges(struct fl_worker *worker, struct fl_histogram *h)
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
    const struct fl_histogram *h = arg;
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

static int sum_in_stretches(struct fl_worker *worker, struct fl_histogram *h)
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

int fl_sum_by_bins(struct fl_worker *worker, struct fl_histogram *h)
{
    return h->bins <= FEW_SUMS ? sum_in_stretches(worker, h)
                               : fl_count_by_ranges(worker, h);
}
