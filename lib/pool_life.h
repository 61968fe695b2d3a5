/* pool_life.h - what pool.c does for the other files of its layer and above. */
#ifndef FL_POOL_LIFE_H
#define FL_POOL_LIFE_H

#include "worker.h"

/* Start a pool again that was started before a fork; else nothing. */
void fl_pool_revive(struct filch_pool *pool);

/* Free what a worker keeps from call to call (spare tasks, the arena). */
void fl_worker_free_memory(struct fl_worker *worker);

#endif
