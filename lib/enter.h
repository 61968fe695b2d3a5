/* enter.h - how a call gets its worker.
 *
 * Job: the one way into a pool, for every public call: nested in the caller's own worker,
 * as a guest in a free slot, or alone (solo) when there is none. Relies on process.c.
 */
#ifndef FL_ENTER_H
#define FL_ENTER_H

#include <filch/pool.h>
#include "worker.h"

/* Call inside(worker, arg) on the calling thread, as a worker of the pool that opts
 * names, and return its value. Pre: opts were checked (NULL is fine). */
int fl_enter(const filch_opts *opts, int (*inside)(struct fl_worker *worker, void *arg),
             void *arg);

/* Where that is: the caller's worker in that pool, if it is in the environment that the
 * worker's deque runs in; or NULL, and the pool to enter (NULL too: no memory for one). */
struct fl_worker *fl_enter_where(const filch_opts *opts, struct filch_pool **pool);

/* The same for what is small: in no slot of the pool, so that nobody takes part, and
 * calls nested in it enter the pool anew. */
int fl_enter_lightly(struct filch_pool *pool, uint32_t lanes,
                     int (*inside)(struct fl_worker *worker, void *arg), void *arg);

/* The same from inside a call, on a worker of its own from which nobody steals. Without
 * memory for its ring, forks and tasks run at once. */
int fl_enter_alone(struct fl_worker *worker,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg);

/* For calls that can be limited to one worker, but to no other number: call inside on
 * this worker or alone, as opts say; -EINVAL for another limit that would count. */
int fl_enter_whole(struct fl_worker *worker, const filch_opts *opts,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg);

#endif
