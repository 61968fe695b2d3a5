/* pool_life.h - what pool.c and process.c do for each other and for the layers above. */
#ifndef FL_POOL_LIFE_H
#define FL_POOL_LIFE_H

#include <filch/pool.h>
#include "worker.h"

/* --- pool.c ----------------------------------------------------------------------- */

/* All but the memory of *pool itself. Pre: it is all zero, and no fork can fall between:
 * fl_life_lock. */
int fl_pool_begin(struct filch_pool *pool, const filch_pool_options *options);
void fl_pool_end(struct filch_pool *pool);

/* Whether there is memory now for a pool whose beginning failed. Cheap, unlike trying
 * again, which looks at the whole machine first. */
bool fl_pool_may_begin(const struct filch_pool *failed);

/* Initialise all slots and start the threads. Pre: fl_life_lock; begun once. */
void fl_pool_start(struct filch_pool *pool);

/* --- process.c -------------------------------------------------------------------- */

/* Held across fork(). Who holds it is not cancelled. A handler of fork() that runs while
 * it is held may lock it again. */
void fl_life_lock(void);
void fl_life_unlock(void);

/* How many forks lie between this process and the first one to use filch. */
uint32_t fl_fork_generation(void);

/* Start a pool again that was started before a fork; else nothing. */
void fl_pool_revive(struct filch_pool *pool);

/* Whether the pool's slots may be looked at from outside: those of the default pool end
 * with the process, but not before fl_pool_look_end. */
bool fl_pool_look_begin(struct filch_pool *pool);
void fl_pool_look_end(struct filch_pool *pool);

/* --- scope.c ---------------------------------------------------------------------- */

/* Free what a worker keeps from call to call (spare tasks, the arena). */
void fl_worker_free_memory(struct fl_worker *worker);

#endif
