/* loop.h - how every loop is launched: by its caller alone, or together.
 *
 * Job: the one place where it is decided whether a loop is shared, by how many, and in
 * which portions. Algorithms say what they want run, and know nothing of deques.
 *
 * The caller begins alone. What loops of that body took before is remembered (launch.h):
 * one that took less than help costs is run by the caller in a few large ranges, in no
 * slot of the pool. It looks at the clock between them, and shares what is left when that
 * is more than expected. Loops that take longer, or are not known yet, are shared at once
 * (split.h), with as many workers as their time pays for.
 */
#ifndef FL_LOOP_H
#define FL_LOOP_H

#include <filch/loop.h>
#include "enter.h"
#include "split.h"

/* What an algorithm wants run. */
struct fl_loop_call {
    size_t begin, end;
    filch_body *body;
    void *ctx;
    /* Whose cost is remembered from call to call: the address of the user's function,
     * where body is an algorithm's own; 0: of body. */
    uintptr_t identity;
    size_t grain; /* fewest items in a call of the body, where the range allows; 0: 1 */
    size_t max_chunk;       /* most; 0: any number */
    const filch_opts *opts; /* checked; the rest of the options. May be NULL */
};

/* The most workers that may work on a call with these options. */
uint32_t fl_loop_lanes(const struct fl_worker *worker, const filch_opts *opts);

/* Run body over [begin, end) and return the value of the lowest failing range, or 0; from
 * any thread. -ECANCELED: opts->cancel was set before all was run. */
int fl_loop(const struct fl_loop_call *call);

/* The same, from inside a call (fl_enter). */
int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call);

/* For algorithms that do something else when a loop is not going to be shared: whether
 * that is known. */
bool fl_loop_is_small(struct fl_worker *worker, const struct fl_loop_call *call);

/* Call inside(worker, arg) as fl_enter does; in no slot when the loop is small. */
int fl_loop_enter(const struct fl_loop_call *call,
                  int (*inside)(struct fl_worker *worker, void *arg), void *arg);

#endif
