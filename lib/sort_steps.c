/* sort_steps.c - the steps of a sort of many records: bodies of loops over blocks of the
 * array and over buckets; see sort_work.h. Each writes to places of its own.
 */
#include "sort_work.h"

#include <string.h>

bool fl_has_avx2(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

/* Whether all blocks go on as they begin; order: what is expected. */
int fl_sort_check_order(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    size_t i = block_begin(work, begin), last = block_begin(work, end), n;
    unsigned order = work->order;
    struct fl_batch room;

    (void)w;
    for (; i < last; i += n) {
        n = FL_MIN(FL_SORT_BATCH, work->part.n - i);
        /* And the first of the next. */
        order &= work->sort->records->order(
            load(work, i, FL_MIN(n + 1, work->part.n - i), room.bytes),
            FL_MIN(n + 1, work->part.n - i), work->sort->low);
        if (!order)
            return 1;
    }
    return 0;
}

int fl_sort_store_loaded(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    size_t i = block_begin(work, begin), last = block_begin(work, end), n;
    struct fl_batch room;

    (void)w;
    for (; i < last; i += n) {
        n = FL_MIN(FL_SORT_BATCH, last - i);
        work->sort->store(work->sort, load(work, i, n, room.bytes), i, n);
    }
    return 0;
}

int fl_sort_load_reversed(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    const struct fl_records *records = work->sort->records;
    size_t i = block_begin(work, begin), last = block_begin(work, end), n;
    struct fl_batch room;

    (void)w;
    for (; i < last; i += n) {
        char *to;

        n = FL_MIN(FL_SORT_BATCH, last - i);
        to = record_at(work, 0, work->part.n - i - n);
        memcpy(to, load(work, i, n, room.bytes), n * records->bytes);
        records->reverse(to, n);
    }
    return 0;
}

int fl_sort_count(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    struct fl_batch room;

    (void)w;
    for (; begin < end; begin++) {
        size_t i = block_begin(work, begin), last = block_begin(work, begin + 1), n;
        size_t *count = work->counts + begin * work->map->buckets;

        memset(count, 0, work->map->buckets * sizeof *count);
        for (; i < last; i += n) {
            n = FL_MIN(FL_SORT_BATCH, last - i);
            work->sort->records->count(load(work, i, n, room.bytes), n, work->sort->low,
                                       work->map, count);
        }
    }
    return 0;
}

int fl_sort_spread(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    const struct fl_records *records = work->sort->records;
    size_t buckets = work->map->buckets, base = work->to == 1 ? work->part.base : 0;
    char *own = work->lane + filch_lane(w) * work->lane_bytes;
    size_t most = FL_MAP_BUCKETS(BUCKETS_MOST);
    size_t *at = (size_t *)(void *)own, *first = at + most;
    void *lines = first + most;
    bool is_large = work->part.n > LARGE_BYTES / records->bytes;
    struct fl_batch room;

    for (; begin < end; begin++) {
        size_t i = block_begin(work, begin), last = block_begin(work, begin + 1), n;

        for (n = 0; n < buckets; n++)
            at[n] = first[n] = work->counts[begin * buckets + n] - base;
        for (; i < last; i += n) {
            n = FL_MIN(FL_SORT_BATCH, last - i);
            records->spread(load(work, i, n, room.bytes), n, work->sort->low, work->map,
                            work->room[work->to], at, first, lines, is_large);
        }
        records->flush(buckets, work->room[work->to], at, first, lines);
    }
    return 0;
}

int fl_sort_extent(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct fl_work *work = ctx;
    size_t i, last, n;

    (void)w;
    for (; begin < end; begin++) {
        uint64_t *extent = work->extents[begin];

        extent[0] = UINT64_MAX;
        extent[1] = 0;
        i = block_begin(work, begin);
        last = block_begin(work, begin + 1);
        n = last - i;
        work->sort->records->extent(load(work, i, n, NULL), n, work->sort->low,
                                    &extent[0], &extent[1]);
    }
    return 0;
}

int fl_sort_buckets(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct fl_work *work = ctx;
    const struct fl_sort *sort = work->sort;
    void *own = work->lane + filch_lane(w) * work->lane_bytes;

    for (; begin < end; begin++) {
        size_t first = work->starts[begin], n = work->starts[begin + 1] - first;
        void *records = record_at(work, work->to, first);

        if (n == 0 || (n > bucket_most(work) && is_wanted(work, first, n)))
            continue;
        /* Of an array that was almost in order, most buckets are. */
        if (n > 1 && is_wanted(work, first, n) &&
            !(sort->records->order(records, n, sort->low) & FL_SORT_UP))
            records = sort->records->sort(records, own, n, sort->low);
        sort->store(sort, records, first, n);
        work->is_done[begin] = 1;
    }
    return 0;
}

/* What was not, when the loop ended early: as it is. */
int fl_sort_store_rest(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;

    (void)w;
    for (; begin < end; begin++) {
        size_t first = work->starts[begin], n = work->starts[begin + 1] - first;

        if (!work->is_done[begin])
            work->sort->store(work->sort, record_at(work, work->to, first), first, n);
    }
    return 0;
}

int fl_sort_store_block(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_work *work = ctx;
    size_t i = block_begin(work, begin), n = block_begin(work, end) - i;

    (void)w;
    work->sort->store(work->sort, load(work, i, n, NULL), work->part.begin + i, n);
    return 0;
}
