/* inject.h - the queue for jobs that did not come through a deque.
 *
 * Job: hold entries that a waiter stole but must not run (strangers), and pieces of a
 * loop that has all the workers it may have. Idle workers take them; and so does whoever
 * waits for one, because otherwise two waiters could each hold out for what the other
 * gave away. Bound entries are left to those. Relies on a mutex: it is off every fast path. Never allocates: entries link
 * themselves.
 */
#ifndef FL_INJECT_H
#define FL_INJECT_H

#include <pthread.h>
#include "job.h"

struct fl_inject {
    _Alignas(64) uint32_t count; /* of entries; read without the mutex as a hint */
    uint32_t open_count;         /* of those that anyone may take */
    pthread_mutex_t mutex;
    filch_job *first, **last; /* linked through job.next */
};

void fl_inject_init(struct fl_inject *queue);
void fl_inject_destroy(struct fl_inject *queue);

/* The caller then fences and wakes: an idle worker, and for a task its latch's waiter. A
 * join is bound by the mark of entry_of_bound_join. */
void fl_inject_put(struct fl_inject *queue, filch_job *entry);

/* The oldest entry that anyone may take, or NULL. */
filch_job *fl_inject_take_any(struct fl_inject *queue);

/* The oldest entry that counts for a latch, or NULL; without a mark. */
filch_job *fl_inject_take_for(struct fl_inject *queue, fl_served served);

/* Whether there is one. */
bool fl_inject_has_for(struct fl_inject *queue, fl_served served);

#endif
