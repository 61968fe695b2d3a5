/* histogram.c - counting by bins: copies of the bins for each lane, or items brought to
 * the range of bins that they belong to (histogram_spread.c).
 *
 * Which one it is depends on how many items there are for each bin. The result does not:
 * numbers of items are exact.
 */
#include <errno.h>
#include <string.h>
#include "histogram.h"
#include "options.h"
#include "overlap.h"

/* Items of an array that the caller counts at once; and so many, if there are several
 * times as many bins, which take longer to add up. */
#define FEW_ITEMS    2048
#define FEW_OF_MANY  ((size_t)1 << 17)
#define BINS_PER_FEW 8

/* Copies of so few bins are always worth it; and others, if all copies together have no
 * more bins than so many for each item. */
#define FEW_BINS      ((size_t)32768)
#define BINS_PER_ITEM 2

/* Room for so many carries, at first. */
#define CARRIES_LEAST 64

/* --- copies ----------------------------------------------------------------------- */

/* 256 more items of a bin. */
__attribute__((noinline)) static int carry(struct fl_bins *copy, uint32_t bin)
{
    if (copy->carries == copy->room) {
        size_t room = copy->room ? 2 * copy->room : CARRIES_LEAST;
        uint32_t *larger = fl_zalloc(room * sizeof *larger);

        if (!larger)
            return -ENOMEM;
        if (copy->carried)
            memcpy(larger, copy->carried, copy->carries * sizeof *larger);
        fl_free(copy->carried);
        copy->carried = larger;
        copy->room = room;
    }
    copy->carried[copy->carries++] = bin;
    return 0;
}

static int add_to_copy(struct fl_bins *copy, const uint32_t *bin, size_t count,
                       size_t bins)
{
    uint8_t *low = copy->bin;
    size_t i;

    for (i = 0; i < count; i++) {
        uint32_t at = bin[i];

        if (at < bins && FILCH_UNLIKELY(++low[at] == 0) && carry(copy, at))
            return -ENOMEM;
    }
    return 0;
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
    struct fl_histogram *h = arg;
    struct fl_bins *copy = &h->copies[filch_lane(w)];
    uint32_t room[FILCH_HISTOGRAM_ITEMS];
    const uint32_t *bin;
    size_t at, count;
    int err;

    if (!copy->bin)
        copy->bin = fl_zalloc(h->bytes ? 256 * sizeof(uint64_t) : h->bins);
    if (!copy->bin)
        return -ENOMEM;
    if (h->bytes) {
        add_bytes(copy->bin, h->bytes + begin, end - begin);
        return 0;
    }
    for (at = begin; at < end; at += count) {
        count = h->body ? FL_MIN(end - at, FILCH_HISTOGRAM_ITEMS) : end - at;
        err = fl_find_bins(h, w, at, at + count, room, NULL, &bin);
        if (!err)
            err = add_to_copy(copy, bin, count, h->bins);
        if (err)
            return err;
    }
    return 0;
}

/* Add the copies of bins [begin, end) to the counts. */
static int add_copies(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct fl_histogram *h = arg;
    uint64_t *counts = h->counts;
    size_t lane, i;

    (void)w;
    for (lane = 0; lane < h->lanes; lane++) {
        const uint64_t *whole = h->copies[lane].bin;
        const uint8_t *low = h->copies[lane].bin;

        if (!low)
            continue;
        for (i = begin; i < end && h->bytes; i++)
            counts[i] += whole[i];
        for (i = begin; i < end && !h->bytes; i++)
            counts[i] += low[i];
    }
    return 0;
}

static void add_carried(struct fl_histogram *h)
{
    size_t lane, i;

    for (lane = 0; lane < h->lanes; lane++)
        for (i = 0; i < h->copies[lane].carries; i++)
            h->counts[h->copies[lane].carried[i]] += 256;
}

static int count_in_copies(struct fl_worker *worker, struct fl_histogram *h)
{
    filch_opts quiet = h->opts ? *h->opts : (filch_opts){0};
    struct fl_loop_call call = {.begin = h->begin,
                                .end = h->end,
                                .body = count_range,
                                .ctx = h,
                                .identity = h->body    ? (uintptr_t)h->body
                                            : h->bytes ? (uintptr_t)add_bytes
                                                       : (uintptr_t)add_to_copy,
                                .grain = quiet.grain,
                                .max_chunk = quiet.max_chunk,
                                .opts = h->opts};
    struct fl_loop_call adding = {
        .end = h->bins, .body = add_copies, .ctx = h, .opts = &quiet};
    size_t lane;
    int err;

    h->copies = fl_zalloc(h->lanes * sizeof *h->copies);
    if (!h->copies)
        return -ENOMEM;
    err = fl_loop_in(worker, &call);
    quiet.progress = NULL;
    quiet.cancel = NULL; /* to the end, once it has begun to change the counts */
    if (!err)
        err = fl_loop_in(worker, &adding);
    if (!err)
        add_carried(h);
    for (lane = 0; lane < h->lanes; lane++) {
        fl_free(h->copies[lane].bin);
        fl_free(h->copies[lane].carried);
    }
    fl_free(h->copies);
    return err;
}

/* --- the calls -------------------------------------------------------------------- */

static int histogram_inside(struct fl_worker *worker, void *arg)
{
    struct fl_histogram *h = arg;
    size_t items = h->end - h->begin, copies;

    h->lanes = fl_loop_lanes(worker, h->opts);
    if (h->sums)
        return fl_sum_by_bins(worker, h);
    copies = items / h->lanes >= SIZE_MAX / BINS_PER_ITEM
                 ? SIZE_MAX
                 : items / h->lanes * BINS_PER_ITEM;
    return h->bins <= FEW_BINS || h->bins <= copies ? count_in_copies(worker, h)
                                                    : fl_count_by_ranges(worker, h);
}

/* Is it no array for so many numbers, of so many bytes each? */
static bool is_wrong(const void *array, size_t count, size_t bytes)
{
    return count && (!array || (uintptr_t)array % bytes || count > SIZE_MAX / bytes);
}

static int histogram(struct fl_histogram *h, const filch_opts *opts)
{
    if (h->begin > h->end || (uint64_t)h->bins > UINT64_C(1) << 32 ||
        is_wrong(h->sums ? (const void *)h->sums : h->counts, h->bins, 8) ||
        fl_opts_check(opts))
        return -EINVAL;
    if (h->begin == h->end || h->bins == 0)
        return 0;
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    h->opts = opts;
    h->ctx = opts ? opts->ctx : NULL;
    return fl_enter(opts, histogram_inside, h);
}

int filch_histogram_with(size_t begin, size_t end, uint64_t *counts, size_t bins,
                         filch_bin_body *body, const filch_opts *opts)
{
    struct fl_histogram h = {
        .begin = begin, .end = end, .counts = counts, .bins = bins, .body = body};

    return body ? histogram(&h, opts) : -EINVAL;
}

int filch_histogram_sums_with(size_t begin, size_t end, double *sums, size_t bins,
                              filch_bin_body *body, const filch_opts *opts)
{
    struct fl_histogram h = {
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
    size_t i;

    if ((!x && n) || is_wrong(counts, 256, sizeof *counts) ||
        (n && fl_overlap(x, counts, n, 256 * sizeof *counts)))
        return -EINVAL;
    if (!is_few(n, 256, opts)) {
        struct fl_histogram h = {.end = n, .counts = counts, .bins = 256, .bytes = x};

        return histogram(&h, opts);
    }
    for (i = 0; i < n; i++)
        counts[x[i]]++;
    return 0;
}

int filch_histogram_uint32(const uint32_t *x, size_t n, uint64_t *counts, size_t bins,
                           const filch_opts *opts)
{
    if (is_wrong(x, n, sizeof *x) || is_wrong(counts, bins, sizeof *counts) ||
        (uint64_t)bins > UINT64_C(1) << 32 ||
        (n && bins && fl_overlap(x, counts, n * sizeof *x, bins * sizeof *counts)))
        return -EINVAL;
    if (!is_few(n, bins, opts)) {
        struct fl_histogram h = {.end = n, .counts = counts, .bins = bins, .numbers = x};

        return histogram(&h, opts);
    }
    add_wide(counts, x, n, bins);
    return 0;
}
