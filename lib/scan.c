/* scan.c - filch_scan and its like, with a function of the user's; see filch/scan.h.
 *
 * Tiles in a chain (chain.h). The carry into a tile is that into the tile before, op the
 * fold of that tile, on any number of workers: so each tile but the last is folded first,
 * even if its carry is there already. For where op is exact only up to rounding, another
 * bracket would have other bits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <filch/scan.h>
#include "chain.h"
#include "loop.h"
#include "options.h"
#include "overlap.h"

/* A tile, when its size is chosen: bytes, which a second-level cache holds from the fold
 * to the scan, and items, which at 2 ns each are folded in 30 us. */
#define TILE_BYTES ((size_t)131072)
#define TILE_ITEMS ((size_t)16384)

/* Bytes of items that are set aside at a time, for an exclusive scan in place. */
#define ASIDE_BYTES ((size_t)2048)

/* Of items whose type asks for so much; less where bytes is no multiple. */
#define ITEM_ALIGN ((size_t)64)

struct scan {
    const char *in;
    char *out;
    size_t count, bytes, tile, tiles;
    filch_scan_combine *combine; /* NULL: body */
    filch_scan_body *body;
    void *ctx;
    bool is_exclusive, has_carry;
    struct fl_chain chain;
    struct fl_failure failure;
    /* For items larger than a link holds: */
    char *carries; /* FL_CHAIN_LINKS of them */
    char *rooms;   /* for each lane, for three items */
};

/* What a body works with, aligned: acc, the fold of its tile, and items set aside. */
struct room {
    char *acc, *fold, *aside;
    size_t aside_items;
};

static size_t padded(size_t bytes)
{
    return (bytes + ITEM_ALIGN - 1) / ITEM_ALIGN * ITEM_ALIGN;
}

static void *carry_into(struct scan *scan, size_t tile)
{
    return scan->carries ? scan->carries + fl_chain_place(tile) * padded(scan->bytes)
                         : fl_chain_carry(&scan->chain, tile);
}

/* --- acc = acc op item, item by item ---------------------------------------------- */

/* bytes is a constant where that pays. */
static inline __attribute__((always_inline)) void combine_items(const struct scan *scan,
                                                                const char *in, char *out,
                                                                size_t count, char *acc,
                                                                size_t bytes)
{
    size_t i;

    if (!out) {
        for (i = 0; i < count; i++)
            scan->combine(acc, in + i * bytes, scan->ctx);
        return;
    }
    for (i = 0; i < count; i++) {
        scan->combine(acc, in + i * bytes, scan->ctx);
        memcpy(out + i * bytes, acc, bytes);
    }
}

/* out: NULL, in, or apart from it. */
static int run_items(const struct scan *scan, filch_worker *w, const char *in, char *out,
                     size_t count, char *acc)
{
    if (count == 0)
        return 0;
    if (scan->body)
        return scan->body(w, in, out, count, acc, scan->ctx);
    switch (scan->bytes) {
    case 4:
        combine_items(scan, in, out, count, acc, 4);
        break;
    case 8:
        combine_items(scan, in, out, count, acc, 8);
        break;
    case 16:
        combine_items(scan, in, out, count, acc, 16);
        break;
    default:
        combine_items(scan, in, out, count, acc, scan->bytes);
    }
    return 0;
}

/* --- one tile --------------------------------------------------------------------- */

/* out[0] = acc, and so on; acc goes on to what comes behind. */
static int run_exclusive(const struct scan *scan, filch_worker *w, const char *in,
                         char *out, size_t count, char *acc)
{
    int value;

    memcpy(out, acc, scan->bytes);
    value = run_items(scan, w, in, out + scan->bytes, count - 1, acc);
    return value ? value
                 : run_items(scan, w, in + (count - 1) * scan->bytes, NULL, 1, acc);
}

/* The same in place: what comes next is overwritten before it is read. */
static int run_exclusive_aside(const struct scan *scan, filch_worker *w, char *out,
                               size_t count, const struct room *room)
{
    size_t i, items;
    int value = 0;

    for (i = 0; i < count && value == 0; i += items) {
        items = FL_MIN(room->aside_items, count - i);
        memcpy(room->aside, out + i * scan->bytes, items * scan->bytes);
        value =
            run_exclusive(scan, w, room->aside, out + i * scan->bytes, items, room->acc);
    }
    return value;
}

/* Write the results of a tile; acc holds the carry into it, if there is one, and then that
 * behind it. */
static int run_tile(const struct scan *scan, filch_worker *w, size_t tile,
                    const struct room *room)
{
    size_t begin = tile * scan->tile, bytes = scan->bytes;
    size_t count = FL_MIN(scan->tile, scan->count - begin);
    const char *in = scan->in + begin * bytes;
    char *out = scan->out + begin * bytes;

    if (scan->is_exclusive)
        return in == out ? run_exclusive_aside(scan, w, out, count, room)
                         : run_exclusive(scan, w, in, out, count, room->acc);
    if (tile > 0 || scan->has_carry)
        return run_items(scan, w, in, out, count, room->acc);
    memcpy(room->acc, in, bytes);
    if (in != out)
        memcpy(out, in, bytes);
    return run_items(scan, w, in + bytes, out + bytes, count - 1, room->acc);
}

static int fold_tile(const struct scan *scan, filch_worker *w, size_t tile, char *fold)
{
    size_t begin = tile * scan->tile, bytes = scan->bytes;
    const char *in = scan->in + begin * bytes;

    memcpy(fold, in, bytes);
    return run_items(scan, w, in + bytes, NULL, scan->tile - 1, fold);
}

/* The next one, whatever its number. */
static int one_tile(struct scan *scan, filch_worker *w, const struct room *room)
{
    struct fl_chain *chain = &scan->chain;
    size_t tile = fl_chain_claim(chain);
    bool is_last = tile + 1 == scan->tiles;
    char *carry = carry_into(scan, tile), *next = carry_into(scan, tile + 1);
    int value = is_last ? 0 : fold_tile(scan, w, tile, room->fold);

    if (!fl_chain_wait(chain, tile)) {
        fl_chain_pass(chain, tile); /* an earlier one failed */
        return 0;
    }
    memcpy(room->acc, carry, scan->bytes);
    if (!value && !is_last) {
        if (tile > 0 || scan->has_carry) {
            memcpy(room->aside, carry, scan->bytes);
            value = run_items(scan, w, room->fold, NULL, 1, room->aside);
            memcpy(next, room->aside, scan->bytes);
        } else {
            memcpy(next, room->fold, scan->bytes);
        }
    }
    if (!value) {
        if (!is_last)
            fl_chain_pass(chain, tile);
        value = run_tile(scan, w, tile, room);
        if (is_last) {
            memcpy(next, room->acc, scan->bytes);
            fl_chain_pass(chain, tile);
        }
    } else {
        fl_chain_fail(chain, tile);
    }
    if (value)
        fl_failure_record(&scan->failure, tile, value);
    return value;
}

static int some_tiles(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct scan *scan = ctx;
    _Alignas(64) char acc[FL_CARRY_BYTES], fold[FL_CARRY_BYTES], aside[ASIDE_BYTES];
    struct room room = {acc, fold, aside, ASIDE_BYTES / FL_MIN(scan->bytes, ASIDE_BYTES)};
    int value = 0;

    if (scan->rooms) {
        room.acc = scan->rooms + (size_t)3 * filch_lane(w) * padded(scan->bytes);
        room.fold = room.acc + padded(scan->bytes);
        if (scan->bytes > ASIDE_BYTES) {
            room.aside = room.fold + padded(scan->bytes);
            room.aside_items = 1;
        }
    }
    for (; begin < end && value == 0; begin++)
        value = one_tile(scan, w, &room);
    return value;
}

/* --- the call --------------------------------------------------------------------- */

static size_t tile_items(const struct scan *scan, const filch_opts *opts)
{
    size_t chosen = FL_MIN(FL_MAX(TILE_BYTES / scan->bytes, 1), TILE_ITEMS);

    return FL_MIN(opts && opts->grain ? opts->grain : chosen, scan->count);
}

/* For items larger than a link holds, and so many lanes. 0, or -ENOMEM. */
static int make_room(struct scan *scan, unsigned lanes)
{
    size_t places = FL_CHAIN_LINKS + (size_t)3 * lanes;

    if (scan->bytes > SIZE_MAX / places - ITEM_ALIGN)
        return -ENOMEM;
    scan->carries = aligned_alloc(ITEM_ALIGN, places * padded(scan->bytes));
    if (!scan->carries)
        return -ENOMEM;
    scan->rooms = scan->carries + FL_CHAIN_LINKS * padded(scan->bytes);
    return 0;
}

/* in, out, count, bytes, is_exclusive and the user's function are there. */
static int run(struct scan *scan, void *carry, const filch_opts *opts)
{
    struct fl_loop_call call = {.body = some_tiles, .ctx = scan, .opts = opts};
    filch_opts alone = {.struct_size = sizeof alone, .abi = FILCH_HOT_ABI};
    size_t all = scan->count * scan->bytes;
    int value = 0;

    if ((!scan->combine && !scan->body) || scan->bytes == 0 ||
        (scan->is_exclusive && !carry) || scan->count > SIZE_MAX / scan->bytes ||
        fl_opts_check(opts))
        return -EINVAL;
    if (scan->count == 0)
        return 0;
    if (!scan->in || !scan->out ||
        (scan->in != scan->out && fl_overlap(scan->in, scan->out, all, all)))
        return -EINVAL;
    scan->ctx = opts ? opts->ctx : NULL;
    scan->has_carry = carry != NULL;
    scan->tile = tile_items(scan, opts);
    scan->tiles = (scan->count - 1) / scan->tile + 1;
    if (scan->bytes > FL_CARRY_BYTES) {
        unsigned lanes = filch_lane_limit_with(opts);

        value = make_room(scan, lanes);
        if (value)
            return value;
        if (lanes == 1) { /* the default pool, if it cannot be made now, may be later */
            if (opts)
                alone = *opts;
            alone.max_workers = 1;
            call.opts = &alone;
        }
    }
    fl_chain_init(&scan->chain);
    failure_init(&scan->failure);
    if (carry)
        memcpy(carry_into(scan, 0), carry, scan->bytes);
    call.end = scan->tiles;
    call.identity = scan->body ? (uintptr_t)scan->body : (uintptr_t)scan->combine;
    call.grain = opts && opts->grain ? 1 : 0;
    value = fl_loop(&call);
    if (scan->failure.at != UINT64_MAX)
        value = scan->failure.value;
    else if (value == 0 && carry)
        memcpy(carry, carry_into(scan, scan->tiles), scan->bytes);
    free(scan->carries);
    return value;
}

/* Field by field: to clear the links as well is work for nothing. */
static void init(struct scan *scan, const void *in, void *out, size_t count, size_t bytes,
                 bool is_exclusive)
{
    scan->in = in;
    scan->out = out;
    scan->count = count;
    scan->bytes = bytes;
    scan->combine = NULL;
    scan->body = NULL;
    scan->is_exclusive = is_exclusive;
    scan->carries = scan->rooms = NULL;
}

int filch_scan_with(const void *in, void *out, size_t count, size_t bytes, void *carry,
                    filch_scan_combine *combine, const filch_opts *opts)
{
    struct scan scan;

    init(&scan, in, out, count, bytes, false);
    scan.combine = combine;
    return run(&scan, carry, opts);
}

int filch_exscan_with(const void *in, void *out, size_t count, size_t bytes, void *carry,
                      filch_scan_combine *combine, const filch_opts *opts)
{
    struct scan scan;

    init(&scan, in, out, count, bytes, true);
    scan.combine = combine;
    return run(&scan, carry, opts);
}

int filch_scan_ranges_with(const void *in, void *out, size_t count, size_t bytes,
                           void *carry, filch_scan_body *body, const filch_opts *opts)
{
    struct scan scan;

    init(&scan, in, out, count, bytes, false);
    scan.body = body;
    return run(&scan, carry, opts);
}

int filch_exscan_ranges_with(const void *in, void *out, size_t count, size_t bytes,
                             void *carry, filch_scan_body *body, const filch_opts *opts)
{
    struct scan scan;

    init(&scan, in, out, count, bytes, true);
    scan.body = body;
    return run(&scan, carry, opts);
}
