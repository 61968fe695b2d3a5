/* sort_work.h - a sort of many records in the making: what its steps (sort_steps.c) and
 * their order (sort_many.c) share.
 */
#ifndef FL_SORT_WORK_H
#define FL_SORT_WORK_H

#include <filch/loop.h>
#include "platform.h"
#include "sort.h"

/* A bucket and the room to sort it fit the second cache with some to spare. */
#define BUCKET_MOST_BYTES ((size_t)256 * 1024)
#define BUCKET_BYTES      ((size_t)32 * 1024)

/* What is longer than that is out of the caches before it is read again. */
#define LARGE_BYTES ((size_t)16 * 1024 * 1024)

/* Blocks and buckets of a pass; a map may have some more. */
#define BLOCKS_MOST  64
#define BUCKETS_MOST ((size_t)1024)

/* Records that a pass spreads: of a bucket, or all. In scratch memory they are at the
 * places of the sorted array: room 0 holds all, room 1 those from `base` on. */
struct fl_part {
    size_t begin, n;
    size_t base;
    int room;      /* which holds them; ARRAY: not loaded yet */
    bool is_equal; /* all keys are, as is known */
};

#define ARRAY 2

struct fl_work {
    struct fl_sort *sort;
    struct fl_worker *worker;
    uint32_t lanes;
    char *room[2];
    char *lane; /* for each: room for a bucket, and lines */
    size_t lane_bytes;
    struct fl_map *map;
    size_t *counts;   /* of the buckets, for each block; then where they go */
    size_t *starts;   /* of buckets */
    uint8_t *is_done; /* buckets that were stored */
    uint64_t *sample;
    struct fl_part *parts; /* that are left to do */
    size_t part_count;
    size_t finished, due; /* records that were stored, and that this pass will store */
    /* This pass: */
    struct fl_part part;
    size_t blocks, block;             /* how many, and records in one */
    int to;                           /* room */
    unsigned scale;                   /* log2 of how much there is to do */
    unsigned order;                   /* FL_SORT_UP, ... */
    uint64_t extents[BLOCKS_MOST][2]; /* least and most */
};

/* The whole sort, from inside a call; sort: struct fl_sort. */
int fl_sort_many(struct fl_worker *worker, void *sort);

/* Where the record of a place is, in a room for this part. */
static inline char *record_at(const struct fl_work *work, int room, size_t place)
{
    size_t base = room == 1 ? work->part.base : 0;

    return work->room[room] + (place - base) * work->sort->records->bytes;
}

/* n records of the part, from its i-th on. batch: for those of the array. */
static inline const void *load(const struct fl_work *work, size_t i, size_t n,
                               void *batch)
{
    const struct fl_part *part = &work->part;

    if (part->room == ARRAY)
        return work->sort->load(work->sort, part->begin + i, n, batch);
    return record_at(work, part->room, part->begin + i);
}

static inline size_t block_begin(const struct fl_work *work, size_t block)
{
    return FL_MIN(block * work->block, work->part.n);
}

static inline size_t bucket_most(const struct fl_work *work)
{
    return BUCKET_MOST_BYTES / work->sort->records->bytes;
}

/* Is a bucket to be sorted? All of a part that is spread once more are: in whatever order
 * it was left, that would depend on a sample. */
static inline bool is_wanted(const struct fl_work *work, size_t begin, size_t n)
{
    return work->part.room != ARRAY ||
           (begin < work->sort->end && begin + n > work->sort->first);
}

/* Room for a batch of records, and one more. */
struct fl_batch {
    _Alignas(FL_CACHE_LINE) char bytes[(FL_SORT_BATCH + 1) * sizeof(struct fl_pair)];
};

/* Bodies of loops over blocks of the part; ctx: struct fl_work. */
filch_body fl_sort_check_order;   /* 0: keys go on in work->order; 1: they do not */
filch_body fl_sort_store_loaded;  /* from wherever the part is, to the same places */
filch_body fl_sort_load_reversed; /* to room 0 */
filch_body fl_sort_count;
filch_body fl_sort_spread; /* to room work->to */
filch_body fl_sort_extent;
filch_body fl_sort_store_block; /* of a part that was loaded, to its places */

/* And over buckets. */
filch_body fl_sort_buckets;    /* sort and store those that fit, and are wanted */
filch_body fl_sort_store_rest; /* store what is not done, as it is */

#endif
