/* spread.h - every item to its bucket, the items of a bucket in their order.
 *
 * Job: two passes over the items, in blocks that depend on their number alone: the first
 * counts how many items of each block go to each bucket, the second moves them. Nobody
 * writes where another one does, and where an item goes does not depend on who moves it.
 */
#ifndef FL_SPREAD_H
#define FL_SPREAD_H

#include "loop.h"

#define FL_BUCKETS_MOST 1024

struct fl_spread {
    size_t begin, end; /* items */
    size_t buckets;    /* at most FL_BUCKETS_MOST */
    size_t grain;      /* fewest items in a block */
    /* Add to count[bucket] the items of [begin, end). Non-zero: an error. */
    int (*count)(filch_worker *w, size_t begin, size_t end, size_t *count, void *ctx);
    /* Move them: each to next[bucket]++. */
    int (*place)(filch_worker *w, size_t begin, size_t end, size_t *next, void *ctx);
    void *ctx;
    /* The spread's own: */
    size_t block, blocks;
    size_t *next;   /* for each block, of each bucket */
    size_t *begins; /* of the buckets, and the end of the last */
};

/* From inside a call. Returns 0, -ENOMEM, an error of count or place, or -ECANCELED; then
 * there is nothing to end. */
int fl_spread(struct fl_worker *worker, struct fl_spread *spread, const filch_opts *opts);
void fl_spread_end(struct fl_spread *spread);

/* A loop in the middle of such a call, whose options (but for the grain) hold. */
int fl_spread_loop(struct fl_worker *worker, size_t count, filch_body *body, void *ctx,
                   const filch_opts *opts);

#endif
