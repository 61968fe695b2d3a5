/* tiles.h - parallel loops over two and three dimensions. */
#ifndef FILCH_TILES_H
#define FILCH_TILES_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows [row_begin, row_end) of columns [column_begin, column_end); never empty. */
typedef struct filch_tile_2d {
    size_t row_begin, row_end;
    size_t column_begin, column_end;
} filch_tile_2d;

typedef struct filch_tile_3d {
    size_t plane_begin, plane_end;
    size_t row_begin, row_end;
    size_t column_begin, column_end;
} filch_tile_3d;

/* The bodies get a tile. 0 goes on; anything else is an error that ends the loop. */
typedef int filch_body_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx);
typedef int filch_body_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx);

/**
 * filch_for_2d - run body over tiles that together cover a rectangle exactly once.
 *
 *     filch_for_2d(0, height, 0, width, blur, &image);
 *     filch_for_2d(0, n, 0, n, multiply_block, &matrices, .tile = {64, 64});
 *
 * Serial meaning:  body(w, &(filch_tile_2d){row_begin, row_end, column_begin,
 *                  column_end}, ctx)
 *
 * Columns are the inner dimension: items that are neighbours in a row should be
 * neighbours in memory.
 *
 * body        called concurrently; must not leave by longjmp or a C++ exception
 * .tile       {rows, columns} of each tile, exactly; at the ends of the rectangle what is
 *             left. 0: chosen for that dimension, by time, as filch_for chooses: long
 *             pieces of a few rows, for the cache, or down to one item if items are
 *             heavy
 * .grain      fewest tiles that a worker runs one after the other, where there are so
 *             many. With a dimension that is chosen: items, in up to three tiles that
 *             follow on each other
 * .max_chunk  most of them
 *
 * Returns  0 when every item was run; the body's value for the lowest tile that returned
 *          non-zero (tiles above it may be skipped), in the order row of tiles by row of
 *          tiles, from the left; -EINVAL, and nothing run, for a NULL body, a begin above
 *          its end, as many tiles as SIZE_MAX or more, a third size in .tile, or options
 *          that are refused; -ECANCELED and .progress as in filch_for. With .tile given,
 *          the body's value is that of the serial loop over the tiles; where sizes are
 *          chosen, which items share a tile with the one that failed is a matter of luck.
 * Threads  any, also from inside a body; several at once.
 * Cost     as filch_for, plus a few nanoseconds for each tile; no allocation.
 */
#define filch_for_2d(row_begin, row_end, column_begin, column_end, body, ...) \
    filch_for_2d_with(row_begin, row_end, column_begin, column_end, body,     \
                      FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_for_2d_with(size_t row_begin, size_t row_end, size_t column_begin,
                                size_t column_end, filch_body_2d *body,
                                const filch_opts *opts);

/**
 * filch_for_3d - the same for a box of planes, rows and columns.
 *
 *     filch_for_3d(1, depth - 1, 1, height - 1, 1, width - 1, smooth, &volume);
 *
 * .tile    {planes, rows, columns}
 * .grain   with a dimension that is chosen: items, in up to five tiles
 *
 * Returns  as filch_for_2d (.tile may have its third size); the order of tiles is plane by
 *          plane, then row by row.
 */
#define filch_for_3d(plane_begin, plane_end, row_begin, row_end, column_begin,  \
                     column_end, body, ...)                                     \
    filch_for_3d_with(plane_begin, plane_end, row_begin, row_end, column_begin, \
                      column_end, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_for_3d_with(size_t plane_begin, size_t plane_end, size_t row_begin,
                                size_t row_end, size_t column_begin, size_t column_end,
                                filch_body_3d *body, const filch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
