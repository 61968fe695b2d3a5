/* sort_many.c - sorting many records, by all workers; see sort.h.
 *
 * A look whether they are in order already. Then a pass that spreads them to buckets
 * which fit a cache: a sample says which keys make a bucket (sort_map.c); blocks of the
 * array are counted, and then spread, each to its own places in all buckets, so that
 * their order is kept. Then buckets are sorted and stored, in any order. Those that are
 * too large all the same, of keys that are neither equal nor even, are spread once more,
 * between two buffers, one after the other.
 *
 * Nothing is stored before all memory is there. When the last step ends early, what was
 * not stored is stored as it is.
 */
#include "sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "loop.h"
#include "sort_work.h"

#define BUCKETS_LEAST ((size_t)16)
#define BLOCK_LEAST   ((size_t)4 * 1024)

/* Tell the user of the part's share in all items. */
static int tell(size_t done, size_t total, void *ctx)
{
    const struct fl_work *work = ctx;
    const filch_opts *opts = work->sort->opts;
    size_t share = work->due / total * done + work->due % total * done / total;

    return opts->progress(work->finished + share, work->sort->n, opts->ctx);
}

/* Which of the user's options a step knows, but for the number of workers. */
enum options { NONE, CANCEL, ALL };

/* Call body for every block or bucket of [0, count). */
static int each(struct fl_work *work, filch_body *body, size_t count, enum options known)
{
    filch_opts opts = {.max_workers = work->lanes};
    struct fl_loop_call call = {.end = count,
                                .body = body,
                                .ctx = work,
                                /* Blocks of other sizes cost something else. */
                                .identity = (uintptr_t)body + work->scale,
                                .opts = &opts};

    if (known != NONE && work->sort->opts) {
        opts = *work->sort->opts;
        opts.ctx = work;
        opts.progress = known == ALL && opts.progress ? tell : NULL;
    }
    return fl_loop_in(work->worker, &call);
}

static size_t blocks_most(const struct fl_work *work)
{
    return FL_MIN((size_t)work->lanes * 8, BLOCKS_MOST);
}

/* Cut the part into blocks, as many as keep all workers busy. */
static void cut(struct fl_work *work)
{
    size_t blocks = FL_MIN(blocks_most(work), work->part.n / BLOCK_LEAST);

    blocks = FL_MAX(blocks, 1);
    work->block = work->part.n / blocks + 1;
    work->block += -work->block % FL_SORT_BATCH;
    work->blocks = (work->part.n + work->block - 1) / work->block;
}

/* --- in order already ------------------------------------------------------------- */

/* Is it in order, or in reverse order? True, if so, and it is sorted. */
static bool is_ordered(struct fl_work *work)
{
    struct fl_sort *sort = work->sort;
    struct fl_batch room;
    unsigned order = sort->records->order(load(work, 0, FL_SORT_BATCH, room.bytes),
                                          FL_SORT_BATCH, sort->low);

    if (!sort->values && !sort->index && (order & FL_SORT_DOWN))
        order = order & FL_SORT_UP ? FL_SORT_UP : FL_SORT_DOWN;
    else
        order &= FL_SORT_UP | FL_SORT_DOWN_STRICT;
    work->order = order;
    if (!order || each(work, fl_sort_check_order, work->blocks, CANCEL))
        return false;
    if (order & FL_SORT_UP) {
        if (sort->index)
            each(work, fl_sort_store_loaded, work->blocks, NONE);
        return true;
    }
    each(work, fl_sort_load_reversed, work->blocks, NONE);
    work->part.room = 0;
    each(work, fl_sort_store_loaded, work->blocks, NONE);
    return true;
}

/* --- spreading -------------------------------------------------------------------- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 27;
}

/* What the places of a sample depend on. Nobody can foresee it, and so choose keys that
 * make a bad sample. The order of items outside of a range that is sorted depends on the
 * first map, and is to be the same every time: so is that map's sample. */
static uint64_t salt_of_sample(const struct fl_work *work)
{
    bool is_range = work->sort->first > 0 || work->sort->end < work->sort->n;

    return work->part.room == ARRAY && is_range ? 0 : fl_salt();
}

/* A map for about so many buckets, from a sample of the keys; extent: the least and the
 * greatest key where they are known, or NULL. */
static void make_map(struct fl_work *work, size_t buckets, const uint64_t *extent)
{
    const struct fl_sort *sort = work->sort;
    uint64_t salt = salt_of_sample(work);
    size_t samples = buckets * FL_MAP_SAMPLES, stratum = work->part.n / samples, i;
    _Alignas(FL_CACHE_LINE) char one[sizeof(struct fl_pair)];
    uint64_t *sample = work->sample;

    for (i = 0; i < samples; i++) {
        size_t at = i * stratum + (size_t)(mix(salt + i + 1) % stratum);

        sample[i] = sort->records->key(load(work, at, 1, one), 0, sort->low);
    }
    sample = fl_records_64.sort(sample, sample + samples, samples, 0);
    /* A few keys far from all others would make a bad map of what lies between them. A
     * sample leaves them out, but promises nothing: every other pass does without. */
    if (work->part.room == 0 &&
        sample[FL_MAP_SAMPLES] != sample[samples - 1 - FL_MAP_SAMPLES])
        extent = NULL;
    fl_map_make(work->map, sample, buckets, extent);
    FL_ASSERT(work->map->buckets <= FL_MAP_BUCKETS(buckets));
}

/* From numbers to places, in the room of that part: bucket by bucket, block by block. */
static void place_blocks(struct fl_work *work)
{
    size_t buckets = work->map->buckets, place = work->part.begin, bucket, block;

    for (bucket = 0; bucket < buckets; bucket++) {
        work->starts[bucket] = place;
        for (block = 0; block < work->blocks; block++) {
            size_t *count = &work->counts[block * buckets + bucket], kept = *count;

            *count = place;
            place += kept;
        }
    }
    work->starts[buckets] = place;
}

/* --- passes ----------------------------------------------------------------------- */

/* The part that is sorted next. */
static void take_part(struct fl_work *work, struct fl_part part)
{
    work->part = part;
    work->scale = 64 - (unsigned)__builtin_clzll(part.n * work->sort->records->bytes);
    cut(work);
}

/* The least and the greatest of the part's keys. Pre: it was loaded. */
static void find_extent(struct fl_work *work, uint64_t *extent)
{
    size_t block;

    each(work, fl_sort_extent, work->blocks, NONE);
    extent[0] = UINT64_MAX;
    extent[1] = 0;
    for (block = 0; block < work->blocks; block++) {
        extent[0] = FL_MIN(extent[0], work->extents[block][0]);
        extent[1] = FL_MAX(extent[1], work->extents[block][1]);
    }
}

/* Note buckets that are too large, to be sorted later. The first time, before anything is
 * stored: look whether memory for that is needed, and get it. */
static int note_parts(struct fl_work *work)
{
    struct fl_part whole = work->part;
    size_t bucket, i, most = 0, noted = work->part_count;
    uint64_t extent[2];
    bool is_first = whole.room == ARRAY;

    work->due = whole.n;
    for (bucket = 0; bucket < work->map->buckets; bucket++) {
        size_t first = work->starts[bucket], n = work->starts[bucket + 1] - first;

        if (n <= bucket_most(work) || !is_wanted(work, first, n))
            continue;
        work->due -= n;
        work->parts[work->part_count++] =
            (struct fl_part){first, n, is_first ? first : whole.base, work->to, false};
    }
    if (!is_first)
        return 0;
    for (i = noted; i < work->part_count; i++) {
        take_part(work, work->parts[i]);
        find_extent(work, extent);
        work->parts[i].is_equal = extent[0] == extent[1];
        if (!work->parts[i].is_equal)
            most = FL_MAX(most, work->parts[i].n);
    }
    take_part(work, whole);
    if (most) {
        work->room[1] = fl_sort_memory(most, work->sort->records->bytes);
        if (!work->room[1]) {
            work->part_count = noted;
            return -ENOMEM;
        }
    }
    return 0;
}

/* Sort the part, but for buckets that become parts of their own. After a failure it is
 * stored as it is, unless it is the whole array. */
static int pass(struct fl_work *work)
{
    struct fl_sort *sort = work->sort;
    size_t bytes = work->part.n * sort->records->bytes;
    size_t buckets = BUCKETS_LEAST, noted = work->part_count;
    bool is_first = work->part.room == ARRAY;
    uint64_t extent[2];
    int err;

    while (buckets < BUCKETS_MOST && bytes / buckets > BUCKET_BYTES)
        buckets *= 2;
    if (!is_first) {
        if (!work->part.is_equal)
            find_extent(work, extent);
        if (work->part.is_equal || extent[0] == extent[1]) {
            work->finished += work->part.n;
            return each(work, fl_sort_store_block, work->blocks, NONE);
        }
    }
    work->to = work->part.room == 0 ? 1 : 0;
    make_map(work, buckets, is_first ? NULL : extent);
    err = each(work, fl_sort_count, work->blocks, CANCEL);
    if (!err) {
        place_blocks(work);
        err = each(work, fl_sort_spread, work->blocks, CANCEL);
    }
    if (!err)
        err = note_parts(work);
    if (err) {
        if (!is_first)
            each(work, fl_sort_store_block, work->blocks, NONE);
        return err;
    }
    memset(work->is_done, 0, work->map->buckets);
    err = each(work, fl_sort_buckets, work->map->buckets, ALL);
    work->finished += work->due;
    if (err) {
        work->part_count = noted;
        each(work, fl_sort_store_rest, work->map->buckets, NONE);
    }
    return err;
}

static int run_passes(struct fl_work *work)
{
    struct fl_part whole = {.n = work->sort->n, .room = ARRAY};
    int err;

    take_part(work, whole);
    if (is_ordered(work))
        return 0;
    err = pass(work);
    while (work->part_count > 0) {
        take_part(work, work->parts[--work->part_count]);
        if (!err)
            err = pass(work);
        else
            each(work, fl_sort_store_block, work->blocks, NONE);
    }
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

/* The next so many bytes of memory, from a whole line on. */
static void *carve(char **at, size_t bytes)
{
    char *start = *at;

    *at += (bytes + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    return start;
}

int fl_sort_many(struct fl_worker *worker, void *arg)
{
    struct fl_sort *sort = arg;
    size_t most = FL_MAP_BUCKETS(BUCKETS_MOST);
    size_t lines = 2 * most * sizeof(size_t) + most * FL_CACHE_LINE;
    struct fl_work work = {.sort = sort, .worker = worker};
    char *memory, *at;
    size_t parts, bytes;
    int err = -ENOMEM;

    work.lanes = fl_loop_lanes(worker, sort->opts);
    work.lane_bytes = FL_MAX(BUCKET_MOST_BYTES, lines);
    parts = sort->n / bucket_most(&work) + 1;
    bytes = sizeof *work.map + blocks_most(&work) * most * sizeof *work.counts +
            (most + 1) * sizeof *work.starts + most +
            2 * BUCKETS_MOST * FL_MAP_SAMPLES * sizeof *work.sample +
            parts * sizeof *work.parts + work.lanes * work.lane_bytes;
    work.room[0] = fl_sort_memory(sort->n, sort->records->bytes);
    if (!work.room[0])
        return -ENOMEM;
    memory = fl_sort_memory(1, bytes + (size_t)8 * FL_CACHE_LINE);
    if (!memory)
        goto free_room;
    at = memory;
    work.map = carve(&at, sizeof *work.map);
    work.counts = carve(&at, blocks_most(&work) * most * sizeof *work.counts);
    work.starts = carve(&at, (most + 1) * sizeof *work.starts);
    work.is_done = carve(&at, most);
    work.sample = carve(&at, 2 * BUCKETS_MOST * FL_MAP_SAMPLES * sizeof *work.sample);
    work.parts = carve(&at, parts * sizeof *work.parts);
    work.lane = carve(&at, work.lanes * work.lane_bytes);
    err = run_passes(&work);
    free(work.room[1]);
    free(memory);
free_room:
    free(work.room[0]);
    return err;
}
