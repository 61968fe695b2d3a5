/* order.c - sorting many items together; see order.h.
 *
 * The array is cut into blocks that fit a cache, each sorted by one worker. Blocks that
 * follow one another in order are one run. Then runs are merged, in pairs, from the array
 * to the room and back, until there is one. A round of merges is cut into pieces of equal
 * length, wherever runs begin: how much of each run goes before the start of a piece is
 * found by bisection (co-ranking). That is done for all pieces before the first is
 * merged, and mended where a comparison that contradicts itself has led to what cannot
 * be: then pieces take every item once.
 */
#include "order.h"

#include <errno.h>
#include <string.h>
#include "loop.h"
#include "progress.h"

/* In a large block more merges find their input in a cache; many blocks, for each worker,
 * keep all busy. Items, but for BLOCK_BYTES. */
#define BLOCK_LEAST ((size_t)256)
#define BLOCK_BYTES ((size_t)4 * 1024 * 1024)
#define BLOCKS      32

/* A piece that is long pays for the bisection, which misses the cache every time. */
#define PIECE_LEAST ((size_t)1024)
#define PIECE_MOST  ((size_t)64 * 1024)
#define PIECES      64

struct work {
    struct fl_worker *worker;
    const struct fl_order *order;
    const filch_opts *opts;
    char *at, *room;
    size_t n, bytes;
    size_t block, blocks, piece, pieces; /* items in one, and their number */
    /* Tables behind the room: */
    size_t *starts; /* of runs; at the end, n */
    size_t *cuts;   /* for each piece: items of its first pair's left run before it */
    char *is_done;  /* blocks that were sorted */
    bool to_room;   /* where blocks go */
    char *from, *to;
    size_t runs;
    /* Steps of .progress, each n items: those before this loop, and those of it. */
    size_t steps_done, steps_now;
    struct fl_progress progress;
};

/* ceil(log2(n)) */
static size_t log2_of(size_t n)
{
    return n > 1 ? 64 - (size_t)__builtin_clzll((unsigned long long)n - 1) : 0;
}

static size_t block_items(size_t n, size_t bytes, size_t lanes)
{
    size_t block = FL_MIN(BLOCK_BYTES / bytes, n / (BLOCKS * lanes));

    return (FL_MAX(block, BLOCK_LEAST) + 3) & ~(size_t)3;
}

static size_t piece_items(size_t n, size_t lanes)
{
    return FL_MIN(FL_MAX(n / (PIECES * lanes), PIECE_LEAST), PIECE_MOST);
}

static size_t parts_of(size_t n, size_t part)
{
    return n / part + (n % part != 0);
}

static size_t table_bytes(size_t blocks, size_t pieces)
{
    return (blocks + 1 + pieces + 1) * sizeof(size_t) + blocks;
}

static size_t room_bytes(size_t n, size_t bytes)
{
    return (n * bytes + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
}

size_t fl_order_room(size_t n, size_t bytes)
{
    if (n > SIZE_MAX / 2 / (bytes + 1))
        return SIZE_MAX;
    return room_bytes(n, bytes) + table_bytes(n / BLOCK_LEAST + 1, n / PIECE_LEAST + 1);
}

/* --- loops -------------------------------------------------------------------------- */

/* Of all loops in a row: each by itself may be shorter than the user's interval. */
static int tell(size_t done, size_t total, void *ctx)
{
    struct work *work = ctx;
    double items = (double)work->n * (double)work->steps_now;

    return fl_progress_tell(&work->progress,
                            work->steps_done * work->n +
                                (size_t)(items * (double)done / (double)total));
}

/* Call body for each of count parts, of so many items. is_told: with what the user's
 * options say of ending early. */
static int each(struct work *work, filch_body *body, size_t count, size_t items,
                bool is_told)
{
    filch_opts opts = {.struct_size = sizeof opts, .abi = FILCH_HOT_ABI};
    const struct fl_order *order = work->order;
    uintptr_t user = order->compare ? (uintptr_t)order->compare : (uintptr_t)order->kind;
    /* Parts of other sizes cost something else. */
    struct fl_loop_call call = {.end = count,
                                .body = body,
                                .ctx = work,
                                .identity = user + (uintptr_t)body + log2_of(items),
                                .opts = &opts};
    int err;

    if (work->opts) {
        opts.max_workers = work->opts->max_workers;
        if (is_told) {
            opts.cancel = work->opts->cancel;
            opts.progress = work->opts->progress ? tell : NULL;
            opts.progress_ms = 1;
            opts.ctx = work;
        }
    }
    err = fl_loop_in(work->worker, &call);
    /* Or the last part saw it, and moved its items only. */
    if (is_told && !err && opts.cancel && filch_cancel_is_set(opts.cancel))
        err = -ECANCELED;
    return err;
}

/* --- blocks ------------------------------------------------------------------------- */

static void fill_places(char *at, size_t begin, size_t end)
{
    for (; begin < end; begin++)
        memcpy(at + begin * sizeof begin, &begin, sizeof begin);
}

static int sort_blocks(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct work *work = ctx;

    (void)w;
    for (; begin < end; begin++) {
        size_t first = begin * work->block, n = FL_MIN(work->block, work->n - first);

        if (work->order->base)
            fill_places(work->at, first, first + n);
        work->order->kind->sort(work->order, work->at + first * work->bytes,
                                work->room + first * work->bytes, n, work->to_room);
        work->is_done[begin] = 1;
    }
    return 0;
}

/* The blocks that are in the room, back to where they were. */
static void undo_blocks(const struct work *work)
{
    size_t i;

    for (i = 0; i < work->blocks && work->to_room; i++) {
        size_t first = i * work->block, n = FL_MIN(work->block, work->n - first);

        if (work->is_done[i])
            memcpy(work->at + first * work->bytes, work->room + first * work->bytes,
                   n * work->bytes);
    }
}

/* Runs of blocks: one ends where the next item goes before its last. */
static void find_runs(struct work *work)
{
    const struct fl_order *order = work->order;
    size_t i;

    work->runs = 1;
    work->starts[0] = 0;
    for (i = 1; i < work->blocks; i++) {
        const char *next = work->from + i * work->block * work->bytes;

        if (order->kind->is_less(order, next, next - work->bytes))
            work->starts[work->runs++] = i * work->block;
    }
    work->starts[work->runs] = work->n;
}

/* --- rounds ------------------------------------------------------------------------- */

/* Two runs that are merged to one, in items; the right one may be empty. */
struct pair {
    size_t begin, middle, end;
};

/* The pair that item `at` of the output belongs to. */
static struct pair pair_at(const struct work *work, size_t at)
{
    size_t low = 0, high = (work->runs + 1) / 2;

    while (high - low > 1) {
        size_t half = low + (high - low) / 2;

        if (work->starts[2 * half] <= at)
            low = half;
        else
            high = half;
    }
    return (struct pair){work->starts[2 * low], work->starts[2 * low + 1],
                         work->starts[FL_MIN(2 * low + 2, work->runs)]};
}

static const char *item(const struct work *work, size_t i)
{
    return work->from + i * work->bytes;
}

/* How many of the first `count` items of the output come from the left run. */
static size_t share_of(const struct work *work, struct pair pair, size_t count)
{
    const struct fl_order *order = work->order;
    size_t left = pair.middle - pair.begin, right = pair.end - pair.middle;
    size_t low = count > right ? count - right : 0, high = FL_MIN(count, left);

    while (low < high) {
        size_t half = low + (high - low) / 2;

        if (order->kind->is_less(order, item(work, pair.middle + count - half - 1),
                                 item(work, pair.begin + half)))
            high = half;
        else
            low = half + 1;
    }
    return low;
}

static int find_cuts(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct work *work = ctx;

    (void)w;
    for (; begin < end; begin++) {
        size_t at = begin * work->piece;
        struct pair pair = pair_at(work, at);

        work->cuts[begin] = share_of(work, pair, at - pair.begin);
    }
    return 0;
}

/* What a piece takes from either run is not less than nothing. */
static void mend_cuts(struct work *work)
{
    size_t before = 0, share = 0, start = 0, i;

    for (i = 0; i < work->pieces; i++) {
        size_t at = i * work->piece;
        struct pair pair = pair_at(work, at);
        size_t right = pair.end - pair.middle, count = at - pair.begin;

        if (i == 0 || pair.begin != start)
            before = share = 0;
        start = pair.begin;
        work->cuts[i] = FL_MAX(work->cuts[i], share);
        work->cuts[i] = FL_MIN(work->cuts[i], share + (count - before));
        FL_ASSERT(work->cuts[i] <= pair.middle - pair.begin);
        FL_ASSERT(count - work->cuts[i] <= right);
        (void)right;
        before = count;
        share = work->cuts[i];
    }
}

static int merge_pieces(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct work *work = ctx;
    size_t at = begin * work->piece, stop = FL_MIN(end * work->piece, work->n);
    size_t share = work->cuts[begin];

    (void)w;
    while (at < stop) {
        struct pair pair = pair_at(work, at);
        size_t next = FL_MIN(stop, pair.end), until;
        size_t count = at - pair.begin;

        until = next == pair.end ? pair.middle - pair.begin : work->cuts[end];
        work->order->kind->merge(
            work->order, item(work, pair.begin + share), (until - share) * work->bytes,
            item(work, pair.middle + count - share),
            (next - at - (until - share)) * work->bytes, work->to + at * work->bytes);
        at = next;
        share = 0;
    }
    return 0;
}

/* Of `runs` runs, half as many. */
static int merge_runs(struct work *work)
{
    size_t i;
    int err;

    work->to = work->from == work->at ? work->room : work->at;
    err = each(work, find_cuts, work->pieces, work->n, false);
    if (err)
        return err;
    mend_cuts(work);
    err = each(work, merge_pieces, work->pieces, work->piece, true);
    if (err)
        return err;
    work->from = work->to;
    for (i = 0; 2 * i < work->runs; i++)
        work->starts[i] = work->starts[2 * i];
    work->runs = i;
    work->starts[i] = work->n;
    return 0;
}

/* --- all of it ---------------------------------------------------------------------- */

static int copy_back(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct work *work = ctx;
    size_t first = begin * work->piece, last = FL_MIN(end * work->piece, work->n);

    (void)w;
    memcpy(work->at + first * work->bytes, work->room + first * work->bytes,
           (last - first) * work->bytes);
    return 0;
}

int fl_order_together(struct fl_worker *worker, const struct fl_order *order, char *at,
                      char *room, size_t n, const filch_opts *opts)
{
    struct work work = {.worker = worker,
                        .order = order,
                        .opts = opts,
                        .at = at,
                        .room = room,
                        .n = n,
                        .bytes = order->bytes};
    size_t lanes = fl_loop_lanes(worker, opts), rounds;
    int err;

    work.block = block_items(n, order->bytes, lanes);
    work.piece = piece_items(n, lanes);
    work.blocks = parts_of(n, work.block);
    work.pieces = parts_of(n, work.piece);
    work.starts = (size_t *)(void *)(room + room_bytes(n, work.bytes));
    work.cuts = work.starts + work.blocks + 1;
    work.is_done = (char *)(work.cuts + work.pieces + 1);
    memset(work.is_done, 0, work.blocks);
    rounds = log2_of(work.blocks);
    work.to_room = rounds % 2;
    work.steps_now = log2_of(work.block);
    if (opts && opts->progress)
        fl_progress_init(&work.progress, opts, (work.steps_now + rounds) * n);
    err = each(&work, sort_blocks, work.blocks, work.block, true);
    if (err) {
        undo_blocks(&work);
        return err;
    }
    work.from = work.to_room ? room : at;
    work.steps_done = work.steps_now;
    work.steps_now = 1;
    for (find_runs(&work); work.runs > 1 && !err; work.steps_done++)
        err = merge_runs(&work);
    if (work.from == room)
        each(&work, copy_back, work.pieces, work.piece, false);
    return err;
}
