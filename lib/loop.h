/* loop.h - how every loop is split and launched: the one place for grain and lanes.
 *
 * Job: run a range in pieces that any worker of the call may take. Algorithms fill in an
 * fl_loop and call fl_loop_run; they know nothing of deques.
 */
#ifndef FL_LOOP_H
#define FL_LOOP_H

#include <filch/loop.h>
#include "enter.h"

#define FL_LANE_WORDS (FILCH_MAX_WORKERS / 64)

struct fl_loop {
    struct fl_latch latch; /* counts items */
    struct fl_failure failure;
    filch_body *body;
    void *ctx;
    size_t origin; /* splits are multiples of FL_SPLIT_ALIGN items away from it */
    size_t grain;
    uint32_t lanes;
    bool is_limited; /* fewer lanes than workers */
    /* Bit i: lane i is taken. As many words as there are lanes for are in use. */
    uint64_t lanes_taken[FL_LANE_WORDS];
};

/* Where ranges are long, they are cut at multiples of this many items from the beginning,
 * so that vector code keeps its alignment and neighbours share no cache line. */
#define FL_SPLIT_ALIGN 64

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
 * any thread. */
int fl_loop(const struct fl_loop_call *call);

/* The same, from inside a call (fl_enter). */
int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call);

#endif
