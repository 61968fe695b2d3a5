/* calls_loop.c - loops over ranges, arrays and tiles; see calls.h. */
#include <errno.h>
#include "calls.h"

/* --- ranges ----------------------------------------------------------------------- */

static int for_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct call *call = ctx;
    unsigned lane = body_begin(call, w, true);
    size_t items = end - begin, least = call->opts.grain;
    int value;

    if (call->opts.max_chunk && items > call->opts.max_chunk)
        complain("filch_for: %zu items, of %zu at most", items, call->opts.max_chunk);
    if (least > call->count)
        least = call->count;
    if (!call->opts.max_chunk && items < least)
        complain("filch_for: %zu items of %zu in a call, grain %zu", items, call->count,
                 call->opts.grain);
    if (call->opts.max_workers == 1) {
        if (begin - call->base != call->next_item)
            complain("filch_for: a serial loop runs %zu after %zu", begin - call->base,
                     call->next_item);
        call->next_item = end - call->base;
    }
    value = run_items(call, w, begin - call->base, end - call->base);
    body_end(call, w, lane, true);
    return value;
}

void call_for(struct run *run)
{
    struct call *call = call_new(run, sizeof *call, "filch_for");
    size_t end;
    unsigned way;

    read_items(run, call, SIZE_MAX, true);
    way = read_byte(run) % 32;
    call->base = way < 16    ? 0
                 : way < 20  ? 1u + read_byte(run)
                 : way == 20 ? SIZE_MAX / 2
                 : way == 21 ? SIZE_MAX - call->count
                             : 0;
    end = call->base + call->count;
    if (way == 22)
        check_refused(call, filch_for_with(end + 1, call->base, for_body, &call->opts));
    else if (way == 23)
        check_refused(call, filch_for_with(call->base, end, NULL, &call->opts));
    else if (call->is_bad)
        check_refused(call, filch_for_with(call->base, end, for_body, &call->opts));
    else
        check_items(call, filch_for_with(call->base, end, for_body, &call->opts), NULL);
}

/* A range as large as they get, in few pieces, of which an item among the first fails. With
 * small pieces it would be a matter of luck how soon the first are run. */
void call_for_huge(struct run *run)
{
    struct call *call = call_new(run, sizeof *call, "filch_for, huge");
    int value;

    read_items(run, call, 1000, true);
    call->opts.max_chunk = 0;
    call->opts.grain = SIZE_MAX / (2 + run->depth * 50);
    call->has_more = true;
    if (!call->count || first_failing(call, NULL) == SIZE_MAX || call->is_bad) {
        call_end(call);
        return;
    }
    value = filch_for_with(0, SIZE_MAX, for_body, &call->opts);
    check_items(call, value, NULL);
    if (value == 0)
        complain("filch_for ended a huge loop with 0");
}

/* --- arrays ----------------------------------------------------------------------- */

struct map {
    struct call call;
    uint32_t *in;
    uint64_t *out; /* or in, as well */
};

static uint32_t in_of(size_t item)
{
    return (uint32_t)item * 2654435761u;
}

static int map_body(filch_worker *w, const void *in, void *out, size_t count, void *ctx)
{
    struct map *map = ctx;
    unsigned lane = body_begin(&map->call, w, true);
    size_t begin = (size_t)((const uint32_t *)in - map->in), i;
    int value = 0;

    if (count == 0)
        complain("filch_map: no items");
    if (map->out && (uint64_t *)out != map->out + begin)
        complain("filch_map: item %zu goes elsewhere", begin);
    for (i = 0; i < count && !value; i++) {
        uint32_t x = ((const uint32_t *)in)[i];

        value = run_item(&map->call, w, begin + i);
        if (map->out)
            ((uint64_t *)out)[i] = (uint64_t)x + 1;
        else
            ((uint32_t *)out)[i] = x + 1;
    }
    body_end(&map->call, w, lane, true);
    return value;
}

static int map_to(struct map *map, size_t out_bytes)
{
    void *out = map->out ? (void *)map->out : (void *)map->in;

    return filch_map_with(map->in, sizeof *map->in, out, out_bytes, map->call.count,
                          map_body, &map->call.opts);
}

static void check_map(const struct map *map)
{
    size_t i;

    for (i = 0; i < map->call.count; i++) {
        uint64_t was = in_of(i), is = map->out ? map->out[i] : map->in[i];
        uint64_t want = !map->out           ? (uint32_t)(was + map->call.seen[i])
                        : map->call.seen[i] ? was + 1
                                            : 0;

        if (is != want)
            complain("filch_map: item %zu became %llu, not %llu", i,
                     (unsigned long long)is, (unsigned long long)want);
    }
}

void call_map(struct run *run)
{
    struct map *map = call_new(run, sizeof *map, "filch_map");
    unsigned way;
    size_t i;

    read_items(run, &map->call, SIZE_MAX, true);
    map->in = run_alloc((map->call.count + 1) * sizeof *map->in);
    for (i = 0; i < map->call.count; i++)
        map->in[i] = in_of(i);
    way = read_byte(run) % 16;
    if (way % 2)
        map->out = run_alloc((map->call.count + 1) * sizeof *map->out);
    if (way == 2)
        check_refused(&map->call, map_to(map, 0));
    else if (way == 4 && map->call.count > 1)
        check_refused(&map->call, map_to(map, SIZE_MAX / 2 + 1));
    else if (map->call.is_bad)
        check_refused(&map->call, map_to(map, map->out ? 8 : 4));
    else
        check_items(&map->call, map_to(map, map->out ? 8 : 4), NULL);
    check_map(map);
}

/* --- tiles ------------------------------------------------------------------------ */

/* A box; a rectangle is one of a single plane. Item i is at
 * (i / columns / rows, i / columns % rows, i % columns). */
struct box {
    struct call call;
    size_t size[3], begin[3];
    size_t tile[3]; /* 0: chosen */
};

/* Where an item's tile stands in the order of tiles, in one dimension after the other. */
static void place_of(const struct box *box, size_t item, size_t place[3])
{
    size_t at[3] = {item / box->size[2] / box->size[1],
                    item / box->size[2] % box->size[1], item % box->size[2]};
    int d;

    for (d = 0; d < 3; d++)
        place[d] = at[d] / box->tile[d];
}

/* Whether a's tile comes before b's; in the same tile, whether a comes before b. */
static bool is_in_tile_before(const struct call *call, size_t a, size_t b)
{
    const struct box *box = (const struct box *)call; /* its first member */
    size_t place_a[3], place_b[3];
    int d;

    place_of(box, a, place_a);
    place_of(box, b, place_b);
    for (d = 0; d < 3; d++)
        if (place_a[d] != place_b[d])
            return place_a[d] < place_b[d];
    return a < b;
}

/* Of chosen tiles it is not known which come before another: it is known of none. */
static bool is_none_before(const struct call *call, size_t a, size_t b)
{
    (void)call;
    (void)a;
    (void)b;
    return false;
}

static void check_tile(const struct box *box, const size_t begin[3], const size_t end[3])
{
    int d;

    for (d = 0; d < 3; d++) {
        size_t at = begin[d] - box->begin[d], left = box->size[d] - at;
        size_t tile = box->tile[d];

        if (begin[d] >= end[d] || at >= box->size[d] || end[d] - begin[d] > left) {
            complain("%s: a tile outside, or empty", box->call.name);
            return;
        }
        if (tile && (at % tile || end[d] - begin[d] != (left < tile ? left : tile)))
            complain("%s: a tile of %zu at %zu of %zu, not of %zu", box->call.name,
                     end[d] - begin[d], at, box->size[d], tile);
    }
}

static int box_body(filch_worker *w, struct box *box, const size_t begin[3],
                    const size_t end[3])
{
    unsigned lane = body_begin(&box->call, w, true);
    size_t p, r, c;
    int value = 0;

    check_tile(box, begin, end);
    for (p = begin[0]; p < end[0] && !value; p++)
        for (r = begin[1]; r < end[1] && !value; r++)
            for (c = begin[2]; c < end[2] && !value; c++)
                value =
                    run_item(&box->call, w,
                             ((p - box->begin[0]) * box->size[1] + r - box->begin[1]) *
                                     box->size[2] +
                                 c - box->begin[2]);
    body_end(&box->call, w, lane, true);
    return value;
}

static int body_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    const size_t begin[3] = {0, tile->row_begin, tile->column_begin};
    const size_t end[3] = {1, tile->row_end, tile->column_end};

    return box_body(w, ctx, begin, end);
}

static int body_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    const size_t begin[3] = {tile->plane_begin, tile->row_begin, tile->column_begin};
    const size_t end[3] = {tile->plane_end, tile->row_end, tile->column_end};

    return box_body(w, ctx, begin, end);
}

static int run_box(struct box *box, bool is_3d)
{
    size_t end[3];
    int d;

    for (d = 0; d < 3; d++)
        end[d] = box->begin[d] + box->size[d];
    return is_3d ? filch_for_3d_with(box->begin[0], end[0], box->begin[1], end[1],
                                     box->begin[2], end[2], body_3d, &box->call.opts)
                 : filch_for_2d_with(box->begin[1], end[1], box->begin[2], end[2],
                                     body_2d, &box->call.opts);
}

/* As many rows and columns as give no more items than were read. */
static void read_box(struct run *run, struct box *box, bool is_3d)
{
    static const size_t tiles[] = {0, 0, 1, 2, 3, 8, 64, SIZE_MAX};
    struct call *call = &box->call;
    size_t left = call->count, d, i;
    bool is_chosen = false;

    box->size[0] = 1;
    box->tile[0] = 1;
    for (d = is_3d ? 0 : 1; d < 3; d++) {
        box->size[d] = d == 2 ? left : read_below(run, left < 200 ? left + 1 : 200);
        left = box->size[d] ? left / box->size[d] : 0;
        box->begin[d] = read_chance(run, 4) ? read_byte(run) : 0;
        box->tile[d] = tiles[read_byte(run) % 8];
        call->opts.tile[is_3d ? d : d - 1] = box->tile[d];
        is_chosen = is_chosen || !box->tile[d];
    }
    call->count = box->size[0] * box->size[1] * box->size[2];
    for (i = 0; i < MOST_FAILURES; i++)
        if (call->fails_at[i] >= call->count || (is_chosen && i))
            call->fails_at[i] = SIZE_MAX;
}

static void call_box(struct run *run, bool is_3d)
{
    struct box *box = call_new(run, sizeof *box, is_3d ? "filch_for_3d" : "filch_for_2d");
    bool is_given;
    unsigned way;

    read_items(run, &box->call, SIZE_MAX, true);
    read_box(run, box, is_3d);
    is_given = box->tile[0] && box->tile[1] && box->tile[2];
    way = read_byte(run) % 32;
    if (way == 1 && box->begin[1]) {
        box->size[1] = SIZE_MAX; /* the end is one below the begin */
        check_refused(&box->call, run_box(box, is_3d));
    } else if (way == 2) {
        box->begin[1] = box->begin[2] = 0;
        box->size[1] = box->size[2] = SIZE_MAX / 2;
        box->call.opts.tile[0] = box->call.opts.tile[1] = box->call.opts.tile[2] = 1;
        if (!is_3d || box->size[0])
            check_refused(&box->call, run_box(box, is_3d));
        else
            call_end(&box->call);
    } else if (box->call.is_bad) {
        check_refused(&box->call, run_box(box, is_3d));
    } else {
        check_items(&box->call, run_box(box, is_3d),
                    is_given ? is_in_tile_before : is_none_before);
    }
}

void call_for_2d(struct run *run)
{
    call_box(run, false);
}

void call_for_3d(struct run *run)
{
    call_box(run, true);
}
