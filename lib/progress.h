/* progress.h - telling the user how far a loop has come.
 *
 * Job: calls the loop's progress function on the loop's caller, not more often than asked,
 * and never again once it has ended the loop. Looked at between two calls of the body, and
 * by the caller while it waits (fl_watch). Knows loops only as counts of items.
 */
#ifndef FL_PROGRESS_H
#define FL_PROGRESS_H

#include <filch/loop.h>
#include "job.h"
#include "worker.h"

struct fl_progress {
    struct fl_watch
        watch; /* when to call it; shared: looks at a loop that others run, too */
    filch_progress *function;
    void *ctx;
    uint64_t every_ns;
    size_t total;
    /* Of a loop that is shared: what counts its items down, and where an end goes. */
    struct fl_latch *latch;
    struct fl_failure *failure;
    uint64_t origin; /* below all failures of its bodies */
};

/* From now on, for a loop of so many items. Pre: opts->progress. */
void fl_progress_init(struct fl_progress *progress, const filch_opts *opts, size_t total);

/* The loop is shared from now on: progress->watch looks after it. */
void fl_progress_share(struct fl_progress *progress, struct fl_latch *latch,
                       struct fl_failure *failure, uint64_t origin);

/* Tell the user, if it is time. Returns what the user says: not 0 to end the loop. */
int fl_progress_tell(struct fl_progress *progress, size_t done);

#endif
