/* test_tiles.c - what tiles.h promises of rectangles, boxes, sizes and errors. */
#include "pools.h"

#define ITEMS_MOST 4000000

/* --- coverage --------------------------------------------------------------------- */

/* What a loop was told to cover. A rectangle is a box with one plane. */
struct cover {
    size_t begin[3], end[3];
    size_t tile[3]; /* exact sizes; 0: any */
    size_t items_most;
    unsigned char *hits;
    atomic_size_t calls;
    atomic_uint wrong;
};

static size_t extent(const struct cover *cover, int i)
{
    return cover->end[i] - cover->begin[i];
}

static size_t volume(const struct cover *cover)
{
    return extent(cover, 0) * extent(cover, 1) * extent(cover, 2);
}

/* Not empty, inside, and of the size that was asked for. */
static bool is_good_range(const struct cover *cover, int i, size_t begin, size_t end)
{
    size_t tile = cover->tile[i];

    if (begin >= end || begin < cover->begin[i] || end > cover->end[i])
        return false;
    return tile == 0 ||
           ((begin - cover->begin[i]) % tile == 0 &&
            (end == cover->end[i] ? end - begin <= tile : end - begin == tile));
}

/* Plain increments: a second call for an item is also a race. */
static int cover_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    struct cover *cover = ctx;
    size_t plane, row, column;

    atomic_fetch_add(&cover->calls, 1);
    if (!w || !is_good_range(cover, 0, tile->plane_begin, tile->plane_end) ||
        !is_good_range(cover, 1, tile->row_begin, tile->row_end) ||
        !is_good_range(cover, 2, tile->column_begin, tile->column_end)) {
        atomic_fetch_add(&cover->wrong, 1);
        return 0;
    }
    if ((tile->plane_end - tile->plane_begin) * (tile->row_end - tile->row_begin) *
            (tile->column_end - tile->column_begin) >
        cover->items_most)
        atomic_fetch_add(&cover->wrong, 1);
    for (plane = tile->plane_begin; cover->hits && plane < tile->plane_end; plane++)
        for (row = tile->row_begin; row < tile->row_end; row++)
            for (column = tile->column_begin; column < tile->column_end; column++)
                cover->hits[((plane - cover->begin[0]) * extent(cover, 1) + row -
                             cover->begin[1]) *
                                extent(cover, 2) +
                            column - cover->begin[2]]++;
    return 0;
}

static int cover_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    filch_tile_3d box = {
        0, 1, tile->row_begin, tile->row_end, tile->column_begin, tile->column_end};

    return cover_3d(w, &box, ctx);
}

static int run_cover(struct cover *cover, bool is_flat, const filch_opts *opts)
{
    atomic_store(&cover->calls, 0);
    atomic_store(&cover->wrong, 0);
    if (is_flat)
        return filch_for_2d_with(cover->begin[1], cover->end[1], cover->begin[2],
                                 cover->end[2], cover_2d, opts);
    return filch_for_3d_with(cover->begin[0], cover->end[0], cover->begin[1],
                             cover->end[1], cover->begin[2], cover->end[2], cover_3d,
                             opts);
}

static void check_cover(const struct cover *cover)
{
    size_t i, count = volume(cover);

    for (i = 0; i < count; i++)
        if (cover->hits[i] != 1)
            fail_msg("item %zu of %zu x %zu x %zu in tiles of %zu x %zu x %zu was run %u "
                     "times",
                     i, extent(cover, 0), extent(cover, 1), extent(cover, 2),
                     cover->tile[0], cover->tile[1], cover->tile[2], cover->hits[i]);
    assert_int_equal(cover->hits[count], 0);
    if (atomic_load(&cover->wrong))
        fail_msg("%u tiles of %zu x %zu x %zu, at most %zu items, are wrong",
                 atomic_load(&cover->wrong), extent(cover, 0), extent(cover, 1),
                 extent(cover, 2), cover->items_most);
}

/* Mostly small; sometimes 1 or 0. */
static size_t random_extent(uint64_t *random, size_t most)
{
    switch (random_below(random, 8)) {
    case 0:
        return 1;
    case 1:
        return random_below(random, 3);
    default:
        return 1 + random_below(random, most);
    }
}

/* Random boxes and options; the sizes of tiles are given in some dimensions, all, none. */
static void cover_at_random(filch_pool *pool, bool is_flat, unsigned rounds)
{
    struct cover cover = {.hits = malloc(ITEMS_MOST + 1), .items_most = SIZE_MAX};
    uint64_t random = seed_print();
    unsigned round;
    int i;

    assert_non_null(cover.hits);
    for (round = 0; round < rounds; round++) {
        filch_opts opts = *FILCH_OPTS(&cover, .pool = pool);

        for (i = 0; i < 3; i++) {
            cover.begin[i] = random_below(&random, 2) ? random_below(&random, 1000) : 0;
            if (random_below(&random, 10) == 0)
                cover.begin[i] = SIZE_MAX - 1000;
            cover.end[i] = cover.begin[i] + random_extent(&random, is_flat ? 300 : 40);
            cover.tile[i] = random_below(&random, 2) ? 1 + random_below(&random, 50) : 0;
        }
        if (is_flat) {
            cover.begin[0] = cover.tile[0] = 0;
            cover.end[0] = 1;
        }
        memcpy(opts.tile, is_flat ? &cover.tile[1] : cover.tile,
               is_flat ? 2 * sizeof *opts.tile : sizeof opts.tile);
        opts.grain = random_below(&random, 2) ? random_below(&random, 100) : 0;
        opts.max_workers =
            random_below(&random, 4) == 0 ? 1 + (uint32_t)random_below(&random, 3) : 0;
        if (random_below(&random, 3) == 0)
            opts.max_chunk = opts.grain + 1 + random_below(&random, 100);
        memset(cover.hits, 0, volume(&cover) + 1);
        assert_int_equal(run_cover(&cover, is_flat, &opts), 0);
        check_cover(&cover);
    }
    free(cover.hits);
}

static void every_item_of_a_rectangle_is_run_exactly_once(void **state)
{
    cover_at_random(*state, true, 300);
}

static void every_item_of_a_box_is_run_exactly_once(void **state)
{
    cover_at_random(*state, false, 300);
}

/* Long enough for strips that are several rows and planes high. */
static void large_rectangles_and_boxes_are_covered(void **state)
{
    static const size_t extents[][3] = {
        {1, 1999, 2000}, {1, 17, 200003}, {1, 3, 1000001}, {1, 1, 3999999},
        {1, 3999999, 1}, {7, 11, 40001},  {3, 1000, 1001}, {150, 150, 150},
    };
    struct cover cover = {.hits = malloc(ITEMS_MOST + 1), .items_most = SIZE_MAX};
    size_t i, grain;

    assert_non_null(cover.hits);
    for (i = 0; i < COUNT_OF(extents); i++)
        for (grain = 0; grain <= 1000; grain += 1000) {
            memcpy(cover.end, extents[i], sizeof cover.end);
            memset(cover.hits, 0, volume(&cover) + 1);
            assert_int_equal(
                run_cover(&cover, extents[i][0] == 1,
                          FILCH_OPTS(&cover, .pool = *state, .grain = grain)),
                0);
            check_cover(&cover);
        }
    free(cover.hits);
}

static void an_empty_extent_runs_nothing(void **state)
{
    struct cover cover = {.items_most = SIZE_MAX};
    unsigned empty;
    int i;

    for (empty = 1; empty < 8; empty++) {
        for (i = 0; i < 3; i++) {
            cover.begin[i] = 7;
            cover.end[i] = empty >> i & 1 ? 7 : SIZE_MAX;
        }
        assert_int_equal(run_cover(&cover, false, FILCH_OPTS(&cover, .pool = *state)), 0);
        assert_int_equal(atomic_load(&cover.calls), 0);
        if (empty < 2)
            continue; /* of planes alone */
        assert_int_equal(run_cover(&cover, true, FILCH_OPTS(&cover, .pool = *state)), 0);
        assert_int_equal(atomic_load(&cover.calls), 0);
    }
}

/* --- sizes ------------------------------------------------------------------------ */

static void given_tiles_are_a_call_each(void **state)
{
    struct cover cover = {.begin = {0, 3, 1000},
                          .end = {5, 80, 1100},
                          .tile = {2, 10, 33},
                          .items_most = SIZE_MAX};

    assert_int_equal(
        run_cover(&cover, false, FILCH_OPTS(&cover, .pool = *state, .tile = {2, 10, 33})),
        0);
    assert_int_equal(atomic_load(&cover.wrong), 0);
    assert_int_equal(atomic_load(&cover.calls), 3 * 8 * 4);
    cover.end[0] = 1;
    cover.tile[0] = 0;
    assert_int_equal(
        run_cover(&cover, true, FILCH_OPTS(&cover, .pool = *state, .tile = {10, 33})), 0);
    assert_int_equal(atomic_load(&cover.wrong), 0);
    assert_int_equal(atomic_load(&cover.calls), 8 * 4);
    /* Larger than the rectangle. */
    cover.tile[1] = cover.tile[2] = SIZE_MAX;
    assert_int_equal(
        run_cover(&cover, true,
                  FILCH_OPTS(&cover, .pool = *state, .tile = {SIZE_MAX, SIZE_MAX})),
        0);
    assert_int_equal(atomic_load(&cover.wrong), 0);
    assert_int_equal(atomic_load(&cover.calls), 1);
}

static void a_serial_loop_over_chosen_tiles_is_one_call(void **state)
{
    struct cover cover = {.begin = {1, 2, 3}, .end = {100, 1000, 1001}};

    cover.items_most = SIZE_MAX;
    assert_int_equal(
        run_cover(&cover, false, FILCH_OPTS(&cover, .pool = *state, .max_workers = 1)),
        0);
    assert_int_equal(atomic_load(&cover.calls), 1);
    cover.begin[0] = 0;
    cover.end[0] = 1;
    assert_int_equal(
        run_cover(&cover, true, FILCH_OPTS(&cover, .pool = *state, .max_workers = 1)), 0);
    assert_int_equal(atomic_load(&cover.calls), 1);
    assert_int_equal(atomic_load(&cover.wrong), 0);
}

static void no_chosen_tile_is_larger_than_max_chunk(void **state)
{
    struct cover cover = {.end = {1, 700, 3000}};

    for (cover.items_most = 5; cover.items_most < 9000; cover.items_most *= 11) {
        assert_int_equal(
            run_cover(&cover, true,
                      FILCH_OPTS(&cover, .pool = *state, .max_chunk = cover.items_most)),
            0);
        assert_int_equal(atomic_load(&cover.wrong), 0);
    }
}

/* --- extents that are hard to count ------------------------------------------------ */

static void more_tiles_than_can_be_counted_are_refused(void **state)
{
    static const struct {
        size_t extent[3], tile[3];
    } cases[] = {
        {{1, SIZE_MAX, SIZE_MAX}, {1, 1, 1}},
        {{1, SIZE_MAX, SIZE_MAX}, {1, SIZE_MAX / 2, 1}},
        {{1, SIZE_MAX, SIZE_MAX}, {0, 0, 0}},
        {{1, SIZE_MAX / 2 + 1, 2}, {1, 1, 1}},
        {{SIZE_MAX / 2 + 1, 2, SIZE_MAX}, {1, 1, SIZE_MAX}},
        {{(size_t)1 << 22, (size_t)1 << 22, (size_t)1 << 22}, {1, 1, 1}},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(cases); i++) {
        struct cover cover = {.items_most = SIZE_MAX};
        filch_opts opts = *FILCH_OPTS(&cover, .pool = *state);

        memcpy(cover.end, cases[i].extent, sizeof cover.end);
        memcpy(opts.tile, cases[i].tile, sizeof opts.tile);
        assert_int_equal(run_cover(&cover, false, &opts), -EINVAL);
        if (cover.end[0] == 1) {
            memcpy(opts.tile, &cases[i].tile[1], 2 * sizeof *opts.tile);
            opts.tile[2] = 0;
            assert_int_equal(run_cover(&cover, true, &opts), -EINVAL);
        }
        assert_int_equal(atomic_load(&cover.calls), 0);
    }
}

static void few_tiles_of_a_huge_box_are_run(void **state)
{
    struct cover cover = {.begin = {0, 1, 5},
                          .end = {SIZE_MAX, SIZE_MAX, SIZE_MAX},
                          .tile = {SIZE_MAX / 2, SIZE_MAX / 4, SIZE_MAX / 4 + 1},
                          .items_most = SIZE_MAX};
    filch_opts opts = *FILCH_OPTS(&cover, .pool = *state);

    memcpy(opts.tile, cover.tile, sizeof opts.tile);
    assert_int_equal(run_cover(&cover, false, &opts), 0);
    assert_int_equal(atomic_load(&cover.wrong), 0);
    assert_int_equal(atomic_load(&cover.calls), 3 * 5 * 4);
}

/* --- errors ----------------------------------------------------------------------- */

enum { FAIL_PLANES = 4, FAIL_ROWS = 37, FAIL_COLUMNS = 53, OFFSET = 11 };

struct failing {
    int value[FAIL_PLANES][FAIL_ROWS]
             [FAIL_COLUMNS]; /* of the item; 0: it does not fail */
    unsigned char ran[FAIL_PLANES][FAIL_ROWS][FAIL_COLUMNS];
};

static int failing_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    struct failing *failing = ctx;
    size_t plane, row, column;

    (void)w;
    for (plane = tile->plane_begin; plane < tile->plane_end; plane++)
        for (row = tile->row_begin - OFFSET; row < tile->row_end - OFFSET; row++)
            for (column = tile->column_begin; column < tile->column_end; column++) {
                failing->ran[plane][row][column]++;
                if (failing->value[plane][row][column])
                    return failing->value[plane][row][column];
            }
    return 0;
}

static int failing_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    filch_tile_3d box = {
        0, 1, tile->row_begin, tile->row_end, tile->column_begin, tile->column_end};

    return failing_3d(w, &box, ctx);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the loop over the tiles, one after the other, returns; expected: what it runs. */
static int fail_serially(struct failing *expected, size_t planes, const size_t *tile)
{
    const size_t rows = OFFSET + FAIL_ROWS, columns = FAIL_COLUMNS;
    size_t p, r, c;
    int value;

    for (p = 0; p < planes; p += tile[0])
        for (r = OFFSET; r < rows; r += tile[1])
            for (c = 0; c < columns; c += tile[2]) {
                filch_tile_3d box = {p, least(p + tile[0], planes),
                                     r, least(r + tile[1], rows),
                                     c, least(c + tile[2], columns)};

                value = failing_3d(NULL, &box, expected);
                if (value)
                    return value;
            }
    return 0;
}

static int fail_on(size_t planes, const filch_opts *opts)
{
    if (planes == 1)
        return filch_for_2d_with(OFFSET, OFFSET + FAIL_ROWS, 0, FAIL_COLUMNS, failing_2d,
                                 opts);
    return filch_for_3d_with(0, planes, OFFSET, OFFSET + FAIL_ROWS, 0, FAIL_COLUMNS,
                             failing_3d, opts);
}

static void the_error_is_that_of_the_lowest_failing_tile(void **state)
{
    static struct failing failing, expected;
    uint64_t random = seed_print();
    size_t i, round;

    for (round = 0; round < 400; round++) {
        size_t planes = round % 2 ? 1 : FAIL_PLANES;
        size_t tile[3] = {1 + random_below(&random, FAIL_PLANES),
                          1 + random_below(&random, FAIL_ROWS),
                          1 + random_below(&random, 20)};
        filch_opts opts = *FILCH_OPTS(&failing, .pool = *state);
        int serial;

        memset(&failing, 0, sizeof failing);
        for (i = random_below(&random, 6); i > 0; i--) {
            size_t plane = random_below(&random, planes);
            size_t row = random_below(&random, FAIL_ROWS);

            failing.value[plane][row][random_below(&random, FAIL_COLUMNS)] =
                (int)(random_next(&random) >> 32) | 1;
        }
        expected = failing;
        serial = fail_serially(&expected, planes, tile);
        opts.grain = random_below(&random, 2) ? random_below(&random, 9) : 0;
        memcpy(opts.tile, planes == 1 ? &tile[1] : tile,
               planes == 1 ? 2 * sizeof *tile : sizeof tile);
        assert_int_equal(fail_on(planes, &opts), serial);
        /* What the serial loop runs was run, and nothing twice. */
        for (i = 0; i < sizeof failing.ran; i++) {
            unsigned ran = (&failing.ran[0][0][0])[i];

            if (ran > 1 || ran < (&expected.ran[0][0][0])[i])
                fail_msg("item %zu was run %u times, serially %u", i, ran,
                         (&expected.ran[0][0][0])[i]);
        }
    }
}

static void the_only_failing_item_of_chosen_tiles_is_found(void **state)
{
    static struct failing failing;
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 200; round++) {
        size_t planes = round % 2 ? 1 : FAIL_PLANES;
        size_t plane = random_below(&random, planes);
        size_t row = random_below(&random, FAIL_ROWS);

        memset(&failing, 0, sizeof failing);
        failing.value[plane][row][random_below(&random, FAIL_COLUMNS)] = 1 + round;
        assert_int_equal(
            fail_on(planes, FILCH_OPTS(&failing, .pool = *state, .grain = 1)), 1 + round);
    }
}

static int fail_by_place(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    (void)w;
    (void)ctx;
    return -1 -
           (int)(tile->plane_begin * 10000 + tile->row_begin * 100 + tile->column_begin);
}

static void when_every_tile_fails_the_first_one_counts(void **state)
{
    int round;

    for (round = 0; round < 60; round++) {
        assert_int_equal(
            filch_for_3d(0, 9, 0, 50, 0, 50, fail_by_place, NULL, .pool = *state), -1);
        assert_int_equal(filch_for_3d(0, 9, 0, 50, 0, 50, fail_by_place, NULL,
                                      .pool = *state, .tile = {1, 2, 3}),
                         -1);
    }
}

static void wrong_arguments_run_nothing(void **state)
{
    struct cover cover = {.items_most = SIZE_MAX, .end = {1, 10, 10}};
    filch_opts opts = *FILCH_OPTS(&cover, .pool = *state);

    assert_int_equal(filch_for_2d(0, 10, 0, 10, NULL, &cover, .pool = *state), -EINVAL);
    assert_int_equal(filch_for_2d(1, 0, 0, 10, cover_2d, &cover, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_for_2d(0, 0, 10, 9, cover_2d, &cover, .pool = *state),
                     -EINVAL);
    assert_int_equal(
        filch_for_2d(0, 10, 0, 10, cover_2d, &cover, .pool = *state, .tile = {1, 1, 1}),
        -EINVAL);
    assert_int_equal(filch_for_2d(0, 10, 0, 10, cover_2d, &cover, .pool = *state,
                                  .grain = 3, .max_chunk = 2),
                     -EINVAL);
    assert_int_equal(filch_for_3d(0, 1, 0, 10, 0, 10, NULL, &cover, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_for_3d(2, 1, 0, 10, 0, 10, cover_3d, &cover, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_for_3d(0, 0, 9, 8, 0, 10, cover_3d, &cover, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_for_3d(0, 0, 0, 10, 9, 8, cover_3d, &cover, .pool = *state),
                     -EINVAL);
    opts.struct_size--;
    assert_int_equal(run_cover(&cover, true, &opts), -EINVAL);
    assert_int_equal(run_cover(&cover, false, &opts), -EINVAL);
    opts.struct_size = sizeof opts;
    opts.abi++;
    assert_int_equal(run_cover(&cover, true, &opts), -EINVAL);
    assert_int_equal(run_cover(&cover, false, &opts), -EINVAL);
    assert_int_equal(atomic_load(&cover.calls), 0);
    opts.abi--;
    assert_int_equal(run_cover(&cover, true, &opts), 0);
    assert_true(atomic_load(&cover.calls) > 0);
}

static atomic_size_t items_without_ctx;

static int null_ctx_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    if (w && !ctx)
        atomic_fetch_add(&items_without_ctx, (tile->row_end - tile->row_begin) *
                                                 (tile->column_end - tile->column_begin));
    return 0;
}

static int null_ctx_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    filch_tile_2d rectangle = {tile->row_begin, tile->row_end, tile->column_begin,
                               tile->column_end};
    size_t plane;

    for (plane = tile->plane_begin; plane < tile->plane_end; plane++)
        null_ctx_2d(w, &rectangle, ctx);
    return 0;
}

static void without_options_the_default_pool_runs_the_tiles(void **state)
{
    (void)state;
    atomic_store(&items_without_ctx, 0);
    assert_int_equal(filch_for_2d_with(3, 103, 5, 105, null_ctx_2d, NULL), 0);
    assert_int_equal(atomic_load(&items_without_ctx), 10000);
    assert_int_equal(filch_for_3d_with(1, 4, 3, 103, 5, 105, null_ctx_3d, NULL), 0);
    assert_int_equal(atomic_load(&items_without_ctx), 40000);
}

/* --- loops in loops --------------------------------------------------------------- */

struct nest {
    unsigned char hits[20][30][40];
    atomic_uint wrong;
};

struct nest_level {
    struct nest *nest;
    size_t i;
};

static int inner_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    const struct nest_level *level = ctx;
    size_t row, column;

    if (filch_lane(w) >= filch_lanes(w))
        atomic_fetch_add(&level->nest->wrong, 1);
    for (row = tile->row_begin; row < tile->row_end; row++)
        for (column = tile->column_begin; column < tile->column_end; column++)
            level->nest->hits[level->i][row][column]++;
    return 0;
}

static int outer_1d(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest_level level = {.nest = ctx};

    for (level.i = begin; level.i < end; level.i++)
        if (filch_for_2d(0, 30, 0, 40, inner_2d, &level, .worker = w, .grain = 1))
            atomic_fetch_add(&level.nest->wrong, 1);
    return 0;
}

/* The other way round: a loop over columns in each tile of planes and rows. */
static int inner_1d(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    unsigned char *hits = ctx;

    (void)w;
    for (; begin < end; begin++)
        hits[begin]++;
    return 0;
}

static int outer_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    struct nest *nest = ctx;
    size_t i, j;

    for (i = tile->row_begin; i < tile->row_end; i++)
        for (j = tile->column_begin; j < tile->column_end; j++)
            if (filch_for(0, 40, inner_1d, nest->hits[i][j], .worker = w, .grain = 1))
                atomic_fetch_add(&nest->wrong, 1);
    return 0;
}

static void check_nest(struct nest *nest)
{
    size_t i;

    assert_int_equal(atomic_load(&nest->wrong), 0);
    for (i = 0; i < sizeof nest->hits; i++)
        if ((&nest->hits[0][0][0])[i] != 1)
            fail_msg("item %zu was run %u times", i, (&nest->hits[0][0][0])[i]);
    memset(nest->hits, 0, sizeof nest->hits);
}

static void loops_over_tiles_nest_in_loops_and_loops_in_them(void **state)
{
    static struct nest nest;
    int round;

    for (round = 0; round < 10; round++) {
        assert_int_equal(filch_for(0, 20, outer_1d, &nest, .pool = *state, .grain = 1),
                         0);
        check_nest(&nest);
        assert_int_equal(
            filch_for_2d(0, 20, 0, 30, outer_2d, &nest, .pool = *state, .grain = 1), 0);
        check_nest(&nest);
        assert_int_equal(
            filch_for_2d(0, 20, 0, 30, outer_2d, &nest, .pool = *state, .tile = {3, 4}),
            0);
        check_nest(&nest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(every_item_of_a_rectangle_is_run_exactly_once),
        ON_POOLS(every_item_of_a_box_is_run_exactly_once),
        ON_POOLS(large_rectangles_and_boxes_are_covered),
        ON_POOLS(an_empty_extent_runs_nothing),
        ON_POOLS(given_tiles_are_a_call_each),
        ON_POOLS(a_serial_loop_over_chosen_tiles_is_one_call),
        ON_POOLS(no_chosen_tile_is_larger_than_max_chunk),
        ON_POOLS(more_tiles_than_can_be_counted_are_refused),
        ON_POOLS(few_tiles_of_a_huge_box_are_run),
        ON_POOLS(the_error_is_that_of_the_lowest_failing_tile),
        ON_POOLS(the_only_failing_item_of_chosen_tiles_is_found),
        ON_POOLS(when_every_tile_fails_the_first_one_counts),
        ON_POOLS(wrong_arguments_run_nothing),
        cmocka_unit_test(without_options_the_default_pool_runs_the_tiles),
        ON_POOLS(loops_over_tiles_nest_in_loops_and_loops_in_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
