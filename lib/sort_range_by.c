/* sort_range_by.c - filch_sort_range_by: two items of a sample bracket the range.
 *
 * What goes before the lower one, and what goes behind the upper one, is put aside,
 * stably; what is left, little more than the range, is sorted (order.h). Should the
 * sample have misled, so that the range reaches into what was put aside, that is sorted,
 * too.
 */
#include <errno.h>
#include <stdlib.h>
#include "enter.h"
#include "loop.h"
#include "options.h"
#include "sort.h"
#include "sort_by.h"

/* Items in the sample; and so many of them on either side of where the range should be:
 * four standard deviations of a median's place. */
#define SAMPLES ((size_t)1024)
#define MARGIN  ((size_t)64)

#define BLOCK_LEAST ((size_t)1024)
#define BLOCK_MOST  ((size_t)16 * 1024)

/* Before the range, around it, behind it. */
#define ZONES 3

struct range {
    struct fl_worker *worker;
    struct fl_order *order;
    char *at, *room;
    size_t n, bytes, begin, end;
    const filch_opts *opts;
    const char *low, *high; /* what brackets the range; NULL: nothing does */
    char *pivots;           /* room for both */
    unsigned char *zone;    /* of each item */
    size_t block, blocks;
    size_t (*place)[ZONES]; /* for each block: how many; then where the next goes */
    size_t start[ZONES + 1];
};

static size_t place_bytes(size_t n)
{
    return (n / BLOCK_LEAST + 1) * ZONES * sizeof(size_t);
}

static bool is_less(const struct range *range, const char *x, const char *y)
{
    return range->order->kind->is_less(range->order, x, y);
}

/* --- steps ------------------------------------------------------------------------ */

static int find_zones(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct range *range = ctx;
    size_t i;

    (void)w;
    for (; begin < end; begin++) {
        size_t last = FL_MIN((begin + 1) * range->block, range->n);
        size_t count[ZONES] = {0};

        for (i = begin * range->block; i < last; i++) {
            const char *item = range->at + i * range->bytes;
            unsigned char zone = 1;

            if (range->low && is_less(range, item, range->low))
                zone = 0;
            else if (range->high && is_less(range, range->high, item))
                zone = 2;
            range->zone[i] = zone;
            count[zone]++;
        }
        memcpy(range->place[begin], count, sizeof count);
    }
    return 0;
}

static int move_to_zones(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct range *range = ctx;
    size_t i;

    (void)w;
    for (; begin < end; begin++) {
        size_t last = FL_MIN((begin + 1) * range->block, range->n), place[ZONES];

        memcpy(place, range->place[begin], sizeof place);
        for (i = begin * range->block; i < last; i++)
            memcpy(range->room + place[range->zone[i]]++ * range->bytes,
                   range->at + i * range->bytes, range->bytes);
    }
    return 0;
}

static int move_back(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct range *range = ctx;
    size_t first = begin * range->block, last = FL_MIN(end * range->block, range->n);

    (void)w;
    memcpy(range->at + first * range->bytes, range->room + first * range->bytes,
           (last - first) * range->bytes);
    return 0;
}

static int each(struct range *range, filch_body *body, bool is_told)
{
    filch_opts opts = {.struct_size = sizeof opts, .abi = FILCH_HOT_ABI};
    struct fl_loop_call call = {.end = range->blocks,
                                .body = body,
                                .ctx = range,
                                .identity =
                                    (uintptr_t)range->order->compare + (uintptr_t)body,
                                .opts = &opts};

    if (range->opts) {
        opts.max_workers = range->opts->max_workers;
        opts.cancel = is_told ? range->opts->cancel : NULL;
    }
    return fl_loop_in(range->worker, &call);
}

/* --- all of it -------------------------------------------------------------------- */

/* How many of the sample there are, in the mean, for so many of all items. */
static size_t share(const struct range *range, size_t items)
{
    return (size_t)((double)items / (double)range->n * (double)SAMPLES);
}

/* Take a sample, one of each stretch of items, at places that are the same every time, and
 * of it what brackets the range. The room is not needed yet. */
static void find_pivots(struct range *range)
{
    size_t stride = range->n / SAMPLES, more = range->n % SAMPLES;
    size_t bytes = range->bytes, i;
    size_t low = share(range, range->begin), high = share(range, range->end - 1) + 1;

    for (i = 0; i < SAMPLES; i++) {
        size_t off = (size_t)((i + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % stride;

        off += i * stride + i * more / SAMPLES;
        memcpy(range->room + i * bytes, range->at + off * bytes, bytes);
    }
    range->order->kind->sort(range->order, range->room, range->room + SAMPLES * bytes,
                             SAMPLES, false);
    if (low > MARGIN) {
        memcpy(range->pivots, range->room + (low - MARGIN) * bytes, bytes);
        range->low = range->pivots;
    }
    if (high + MARGIN < SAMPLES) {
        memcpy(range->pivots + bytes, range->room + (high + MARGIN) * bytes, bytes);
        range->high = range->pivots + bytes;
    }
}

/* From numbers to places: zone by zone, block by block. */
static void place_blocks(struct range *range)
{
    size_t next = 0, zone, i;

    for (zone = 0; zone < ZONES; zone++) {
        range->start[zone] = next;
        for (i = 0; i < range->blocks; i++) {
            size_t count = range->place[i][zone];

            range->place[i][zone] = next;
            next += count;
        }
    }
    range->start[ZONES] = next;
}

static int sort_zone(struct range *range, size_t zone)
{
    size_t first = range->start[zone], n = range->start[zone + 1] - first;
    char *at = range->at + first * range->bytes;

    if (n == 0 || range->start[zone + 1] <= range->begin || first >= range->end)
        return 0;
    /* What lies between two that are equal is, and in order. */
    if (zone == 1 && range->low && range->high &&
        !is_less(range, range->low, range->high))
        return 0;
    if (n > FL_ORDER_FEW)
        return fl_order_together(range->worker, range->order, at, range->room, n,
                                 range->opts);
    range->order->kind->sort(range->order, at, range->room, n, false);
    return 0;
}

static int sort_inside(struct fl_worker *worker, void *arg)
{
    struct range *range = arg;
    size_t zone;
    int err;

    range->worker = worker;
    find_pivots(range);
    err = each(range, find_zones, true);
    if (err)
        return err;
    place_blocks(range);
    each(range, move_to_zones, false);
    each(range, move_back, false);
    for (zone = 0; zone < ZONES && !err; zone++)
        err = sort_zone(range, zone);
    return err;
}

static int sort_part(struct range *range)
{
    size_t room = fl_order_room(range->n, range->bytes);
    size_t places = place_bytes(range->n), total;
    char *memory;
    int err;

    if (room > SIZE_MAX / 4 || range->n > SIZE_MAX / 8 - places)
        return -ENOMEM;
    room = (room + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    total = room + 2 * range->bytes;
    total = (total + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    memory = fl_sort_memory(1, total + places + range->n);
    if (!memory)
        return -ENOMEM;
    fl_sort_by_look(range->order, range->at, range->n);
    range->room = memory;
    range->pivots = memory + room;
    range->place = (size_t(*)[ZONES])(void *)(memory + total);
    range->zone = (unsigned char *)memory + total + places;
    range->block = FL_MIN(FL_MAX(range->n / 128, BLOCK_LEAST), BLOCK_MOST);
    range->blocks = (range->n + range->block - 1) / range->block;
    err = fl_enter(range->opts, sort_inside, range);
    free(memory);
    return err;
}

int filch_sort_range_by_with(void *base, size_t n, size_t bytes, size_t begin, size_t end,
                             filch_compare *compare, const filch_opts *opts)
{
    struct fl_order order = {0};
    struct range range = {.order = &order,
                          .at = base,
                          .n = n,
                          .bytes = bytes,
                          .begin = begin,
                          .end = end,
                          .opts = opts};
    int err;

    if (begin > end || end > n)
        return -EINVAL;
    err = fl_sort_by_check(&order, base, n, bytes, compare, opts);
    if (err || begin == end)
        return err;
    if (n <= FL_ORDER_FEW || end - begin > n / 2)
        return filch_sort_with(base, n, bytes, compare, opts);
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    err = sort_part(&range);
    return !err && fl_opts_are_cancelled(opts) ? -ECANCELED : err;
}
