/* tiles.c - loops over rectangles and boxes, as loops over numbered units.
 *
 * The box is laid out in units, numbered plane by plane, row by row, from the left; a
 * one-dimensional loop (loop.h) runs over the numbers. A range of numbers is as few boxes
 * as possible: what is left of a row of units, whole rows, whole planes, whole rows, the
 * start of a row. Where the caller gives a tile's size in a dimension, a unit has it, and
 * units are not put together in that dimension. Elsewhere a unit is one column of a
 * strip: a few rows (of a few planes) high, so that a piece of a long row is a rectangle
 * and a stencil finds its neighbours in the cache; the loop finds out how many columns
 * are worth a call.
 *
 * Two dimensions are three with a single plane.
 */
#include <errno.h>
#include <filch/tiles.h>
#include "loop.h"
#include "options.h"

enum { PLANES, ROWS, COLUMNS, DIMENSIONS };

/* Strips are made higher only as long as there are so many units: with fewer items each
 * may be heavy, and has to be shared on its own. */
#define UNITS_LEAST ((size_t)1 << 16)

/* A chunk of light items, a nanosecond each, is about 8 K of them. 16 items high and 512
 * columns long it is long for vector code, and a stencil reads an eighth more rows than
 * it writes. */
#define UNIT_ITEMS  16
#define CHUNK_ITEMS 8192
#define CHUNK_WIDTH (CHUNK_ITEMS / UNIT_ITEMS)
#define UNIT_PLANES 4

struct grid {
    size_t begin[DIMENSIONS], end[DIMENSIONS];
    size_t unit[DIMENSIONS];   /* items in a unit */
    size_t units[DIMENSIONS];  /* in the box */
    bool is_exact[DIMENSIONS]; /* unit was given */
    filch_body_2d *body_2d;    /* or */
    filch_body_3d *body_3d;
    void *ctx;
};

static size_t extent(const struct grid *grid, int dimension)
{
    return grid->end[dimension] - grid->begin[dimension];
}

/* The product, or SIZE_MAX if it is larger. */
static size_t times(size_t a, size_t b)
{
    size_t product;

    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static size_t unit_items(const struct grid *grid)
{
    return times(grid->unit[PLANES], times(grid->unit[ROWS], grid->unit[COLUMNS]));
}

/* --- choosing ----------------------------------------------------------------------- */

/* Double the unit in a chosen dimension up to most, while it stays small and units stay
 * many. */
static void grow(struct grid *grid, int dimension, size_t most, size_t items)
{
    if (grid->is_exact[dimension])
        return;
    most = FL_MIN(most, extent(grid, dimension));
    while (grid->unit[dimension] <= most / 2 && unit_items(grid) <= UNIT_ITEMS / 2 &&
           items / unit_items(grid) / 2 >= UNITS_LEAST)
        grid->unit[dimension] *= 2;
}

/* Cut the box into units. These depend on nothing but the options and the extents. False:
 * there are more than can be numbered. */
static bool lay_out(struct grid *grid, const size_t *tile, size_t max_chunk)
{
    size_t plane = times(extent(grid, ROWS), extent(grid, COLUMNS));
    size_t items = times(extent(grid, PLANES), plane);
    int i;

    for (i = 0; i < DIMENSIONS; i++) {
        grid->is_exact[i] = tile[i] != 0;
        grid->unit[i] = FL_MIN(FL_MAX(tile[i], 1), extent(grid, i));
    }
    /* Not where a chunk spans several planes or rows as it is. */
    if (!max_chunk && plane >= CHUNK_ITEMS)
        grow(grid, PLANES, UNIT_PLANES, items);
    if (!max_chunk && extent(grid, COLUMNS) >= CHUNK_WIDTH)
        grow(grid, ROWS, UNIT_ITEMS, items);
    for (i = 0; i < DIMENSIONS; i++)
        grid->units[i] =
            extent(grid, i) / grid->unit[i] + (extent(grid, i) % grid->unit[i] != 0);
    return times(grid->units[PLANES], times(grid->units[ROWS], grid->units[COLUMNS])) <
           SIZE_MAX;
}

/* --- running ------------------------------------------------------------------------ */

/* Where count units from this one on begin and end in a dimension. */
static size_t unit_begin(const struct grid *grid, int dimension, size_t unit)
{
    return grid->begin[dimension] + unit * grid->unit[dimension];
}

static size_t unit_end(const struct grid *grid, int dimension, size_t unit)
{
    return unit == grid->units[dimension] ? grid->end[dimension]
                                          : unit_begin(grid, dimension, unit);
}

/* How many units from at on, of so many that are left to run, go into one call. */
static void box_of(const struct grid *grid, const size_t *at, size_t left, size_t *count)
{
    const size_t *units = grid->units;

    count[PLANES] = count[ROWS] = count[COLUMNS] = 1;
    if (grid->is_exact[COLUMNS])
        return;
    count[COLUMNS] = FL_MIN(units[COLUMNS] - at[COLUMNS], left);
    if (grid->is_exact[ROWS] || left / units[COLUMNS] == 0 || at[COLUMNS] > 0)
        return;
    left /= units[COLUMNS];
    count[ROWS] = FL_MIN(units[ROWS] - at[ROWS], left);
    if (grid->is_exact[PLANES] || left / units[ROWS] == 0 || at[ROWS] > 0)
        return;
    count[PLANES] = left / units[ROWS];
}

static int run_box(filch_worker *w, const struct grid *grid, const filch_tile_3d *box)
{
    filch_tile_2d rectangle = {box->row_begin, box->row_end, box->column_begin,
                               box->column_end};

    return grid->body_2d ? grid->body_2d(w, &rectangle, grid->ctx)
                         : grid->body_3d(w, box, grid->ctx);
}

static int run_units(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct grid *grid = ctx;
    size_t count[DIMENSIONS];
    int value;

    for (; begin < end; begin += count[PLANES] * count[ROWS] * count[COLUMNS]) {
        size_t row = begin / grid->units[COLUMNS];
        size_t at[DIMENSIONS] = {row / grid->units[ROWS], row % grid->units[ROWS],
                                 begin % grid->units[COLUMNS]};
        filch_tile_3d box;

        box_of(grid, at, end - begin, count);
        box.plane_begin = unit_begin(grid, PLANES, at[PLANES]);
        box.plane_end = unit_end(grid, PLANES, at[PLANES] + count[PLANES]);
        box.row_begin = unit_begin(grid, ROWS, at[ROWS]);
        box.row_end = unit_end(grid, ROWS, at[ROWS] + count[ROWS]);
        box.column_begin = unit_begin(grid, COLUMNS, at[COLUMNS]);
        box.column_end = unit_end(grid, COLUMNS, at[COLUMNS] + count[COLUMNS]);
        value = run_box(w, grid, &box);
        if (value)
            return value; /* so that the lowest tile counts */
    }
    return 0;
}

/* Pre: the body is there, and opts were checked. tile: for all three dimensions. */
static int run_grid(struct grid *grid, uintptr_t body, const size_t *tile,
                    const filch_opts *opts)
{
    struct fl_loop_call call = {
        .body = run_units, .ctx = grid, .identity = body, .opts = opts};
    size_t items = 1;
    int i;

    for (i = 0; i < DIMENSIONS; i++)
        if (grid->begin[i] > grid->end[i])
            return -EINVAL;
    for (i = 0; i < DIMENSIONS; i++)
        if (grid->begin[i] == grid->end[i])
            return 0;
    if (!lay_out(grid, tile, opts ? opts->max_chunk : 0))
        return -EINVAL;
    call.end = grid->units[PLANES] * grid->units[ROWS] * grid->units[COLUMNS];
    if (!opts)
        return fl_loop(&call);
    grid->ctx = opts->ctx;
    if (!grid->is_exact[PLANES] || !grid->is_exact[ROWS] || !grid->is_exact[COLUMNS])
        items = unit_items(grid);
    call.grain = opts->grain / items + (opts->grain % items != 0);
    if (opts->max_chunk) {
        call.max_chunk = FL_MAX(opts->max_chunk / items, 1);
        call.grain = FL_MIN(call.grain, call.max_chunk);
    }
    return fl_loop(&call);
}

int filch_for_2d_with(size_t row_begin, size_t row_end, size_t column_begin,
                      size_t column_end, filch_body_2d *body, const filch_opts *opts)
{
    struct grid grid = {.begin = {0, row_begin, column_begin},
                        .end = {1, row_end, column_end},
                        .body_2d = body};
    size_t tile[DIMENSIONS] = {1, 0, 0};

    if (!body || fl_opts_check(opts))
        return -EINVAL;
    if (opts) {
        tile[ROWS] = opts->tile[0];
        tile[COLUMNS] = opts->tile[1];
        if (opts->tile[2]) /* two dimensions have no third */
            return -EINVAL;
    }
    return run_grid(&grid, (uintptr_t)body, tile, opts);
}

int filch_for_3d_with(size_t plane_begin, size_t plane_end, size_t row_begin,
                      size_t row_end, size_t column_begin, size_t column_end,
                      filch_body_3d *body, const filch_opts *opts)
{
    static const size_t chosen[DIMENSIONS];
    struct grid grid = {.begin = {plane_begin, row_begin, column_begin},
                        .end = {plane_end, row_end, column_end},
                        .body_3d = body};

    if (!body || fl_opts_check(opts))
        return -EINVAL;
    return run_grid(&grid, (uintptr_t)body, opts ? opts->tile : chosen, opts);
}
