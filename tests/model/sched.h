/* sched.h - the threads of a case, and which of them goes on.
 *
 * Job: runs one execution: starts the bodies, switches between them, blocks and wakes
 * them, notices when nobody can go on. Relies on search.h for who goes on, on fiber.h for
 * the switch. Knows no memory model: ops.c asks it for a turn and then does the
 * operation.
 */
#ifndef MODEL_SCHED_H
#define MODEL_SCHED_H

#include "model.h"

/* How an execution ended. */
enum sched_end { SCHED_DONE, SCHED_SEEN_BEFORE, SCHED_FAILED };

enum sched_end sched_run(const struct model_case *test);

/* What failed, after SCHED_FAILED. */
const char *sched_failure(void);

/* From a thread: let others go first, if the search wants so. */
void sched_point(void);

/* What the thread has done so far, as a hash: its state, as bodies are deterministic. */
void sched_note(uint64_t what);

/* The thread has read the word, from this store: what a spin waits for. */
void sched_note_read(unsigned word, uint64_t store);

/* From a thread that spins: returns when one of the words that it has read has news. */
void sched_spin(void);

/* From a thread after a round: spin, unless it read a store in it that it had not read
 * before. */
void sched_pause(void);

/* From a thread that takes a lock: returns when it is free. */
void sched_lock(unsigned word);

/* From a thread: sleep until woken. False: for no reason. */
bool sched_sleep(const void *address);

/* Wake up to count sleepers, of more any. Returns how many. */
int sched_wake(const void *address, int count);

/* Whether something may still fail for no reason; and it has. */
bool sched_has_spurious(void);
void sched_use_spurious(void);

/* How many sleep there. */
unsigned sched_sleepers(const void *address);

#endif
