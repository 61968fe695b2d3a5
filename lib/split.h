/* split.h - running a range together: splitting, lanes, and the pace of each worker.
 *
 * Job: a loop that is shared, from the moment when its caller has decided to share it
 * (loop.c) until all its items are counted.
 *
 * Hand-out. The range is cut into as many parts as workers are asked, one after the other
 * in memory. What is put on offer first are rights to a part, and who takes one claims the
 * part that goes with its place in the pool, if that is still free: so loops over the same
 * range give the same indices to the same workers, as long as they are balanced.
 *
 * Splitting. A part is halved as it is run: the upper half goes on offer, the lower one is
 * halved again, down to a chunk. So the owner runs in ascending order, and thieves take
 * the largest piece that is left. A thief copies its piece and frees the splitter's slot,
 * so nobody waits for anybody but the caller, at the end, for the items to be counted.
 *
 * Pace. A chunk is as many items as take the loop's target time, found out by each worker
 * as it goes: the first are small, and grow while they take less.
 *
 * Source: lazy binary splitting: Tzannes, Caragea, Barua, Vishkin, PPoPP 2010; here halves
 * are cheap enough (a private push) to be put on offer always. Hand-out by position: Acar,
 * Blelloch, Blumofe, The data locality of work stealing, SPAA 2000.
 */
#ifndef FL_SPLIT_H
#define FL_SPLIT_H

#include <filch/loop.h>
#include "worker.h"

/* Where ranges are long, they are cut at multiples of this many items from the beginning,
 * so that vector code keeps its alignment and neighbours share no cache line. */
#define FL_SPLIT_ALIGN 64

#define FL_LANE_WORDS (FILCH_MAX_WORKERS / 64)

struct fl_loop {
    /* Constant while the loop runs. */
    filch_body *body;
    void *ctx;
    const filch_cancel *cancel; /* or NULL */
    struct fl_watch *watch;     /* what its caller looks after, or NULL */
    size_t origin;              /* cuts are counted from there */
    size_t begin, end;          /* what is shared */
    size_t grain, max_chunk;
    double ticks_per_item; /* expected; 0: nobody knows */
    uint32_t lanes;
    uint32_t parts;      /* begin to end is handed out in so many, */
    size_t head_start;   /* the first of which is larger by so many items */
    bool is_limited;     /* fewer lanes than workers */
    uint64_t chunk_time; /* ticks that a chunk is to take, */
    size_t most;         /* and items that it may have */

    struct fl_failure failure;
    struct fl_latch latch; /* counts items */

    /* Hints. */
    _Alignas(64) size_t chunk; /* as large as somebody's was just now */
    uint64_t spent;            /* ticks, of all workers, in chunks */

    /* Bit i: taken. As many words as there are lanes for are in use. */
    _Alignas(64) uint64_t lanes_taken[FL_LANE_WORDS];
    uint64_t parts_taken[FL_LANE_WORDS];
};

/* Where a call of the body ends that begins at `at`: at most max_chunk items further (0:
 * any number), and such that the last one does not fall below the grain. */
static inline size_t fl_call_end(size_t at, size_t end, size_t grain, size_t max_chunk)
{
    size_t left = end - at;

    if (max_chunk == 0 || left <= max_chunk)
        return end;
    if (left - max_chunk < grain && left / 2 >= grain)
        return end - grain;
    return at + max_chunk;
}

/* Run loop->begin to loop->end, with whoever comes, on the caller's worker. Pre: the loop
 * is filled in up to failure, and chunk too. Returns the value of the lowest failing
 * range, or 0. */
int fl_split_run(struct fl_worker *worker, struct fl_loop *loop);

#endif
