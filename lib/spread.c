/* spread.c - see spread.h. */
#include "spread.h"

#include <errno.h>
#include <string.h>
#include "platform.h"

#define BLOCK_LEAST 8192
#define BLOCKS_MOST 256

static int count_blocks(filch_worker *w, size_t begin, size_t end, void *arg)
{
    struct fl_spread *spread = arg;
    size_t block;
    int err = 0;

    for (block = begin; block < end && !err; block++) {
        size_t at = spread->begin + block * spread->block;

        err = spread->count(w, at, at + FL_MIN(spread->block, spread->end - at),
                            spread->next + block * spread->buckets, spread->ctx);
    }
    return err;
}

static int place_blocks(filch_worker *w, size_t begin, size_t end, void *arg)
{
    struct fl_spread *spread = arg;
    size_t block;
    int err = 0;

    for (block = begin; block < end && !err; block++) {
        size_t at = spread->begin + block * spread->block;

        err = spread->place(w, at, at + FL_MIN(spread->block, spread->end - at),
                            spread->next + block * spread->buckets, spread->ctx);
    }
    return err;
}

/* From how many to where: bucket by bucket, in each of them block by block. Both arrays are
 * read as they lie. */
static void sum_up(struct fl_spread *spread)
{
    size_t buckets = spread->buckets, *begins = spread->begins, bucket, i, sum = 0;

    for (i = 0; i < spread->blocks * buckets; i++)
        begins[i % buckets] += spread->next[i];
    for (bucket = 0; bucket < buckets; bucket++) {
        size_t count = begins[bucket];

        begins[bucket] = sum;
        sum += count;
    }
    for (i = 0; i < spread->blocks * buckets; i++) {
        size_t count = spread->next[i];

        spread->next[i] = begins[i % buckets];
        begins[i % buckets] += count;
    }
    /* Each is now where the next one begins. */
    memmove(begins + 1, begins, buckets * sizeof *begins);
    begins[0] = 0;
}

int fl_spread_loop(struct fl_worker *worker, size_t count, filch_body *body, void *ctx,
                   const filch_opts *opts)
{
    /* One at a time: each is long enough, and between two of them a loop can be ended. */
    struct fl_loop_call call = {
        .end = count, .body = body, .ctx = ctx, .grain = 1, .max_chunk = 1, .opts = opts};

    return fl_loop_in(worker, &call);
}

int fl_spread(struct fl_worker *worker, struct fl_spread *spread, const filch_opts *opts)
{
    filch_opts quiet = opts ? *opts : (filch_opts){0};
    size_t items = spread->end - spread->begin;
    int err;

    FL_ASSERT(spread->buckets <= FL_BUCKETS_MOST);
    spread->block = FL_MAX(FL_MAX(items / BLOCKS_MOST + 1, BLOCK_LEAST), spread->grain);
    spread->blocks = items / spread->block + (items % spread->block != 0);
    spread->next = fl_zalloc(spread->blocks * spread->buckets * sizeof *spread->next);
    spread->begins = fl_zalloc((spread->buckets + 1) * sizeof *spread->begins);
    if (!spread->next || !spread->begins) {
        fl_spread_end(spread);
        return -ENOMEM;
    }
    err = fl_spread_loop(worker, spread->blocks, count_blocks, spread, opts);
    if (!err) {
        sum_up(spread);
        quiet.progress = NULL;
        err = fl_spread_loop(worker, spread->blocks, place_blocks, spread, &quiet);
    }
    if (err)
        fl_spread_end(spread);
    return err;
}

void fl_spread_end(struct fl_spread *spread)
{
    fl_free(spread->next);
    fl_free(spread->begins);
    spread->next = NULL;
    spread->begins = NULL;
}
