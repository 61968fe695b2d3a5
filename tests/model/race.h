/* race.h - data races on plain variables.
 *
 * Job: two accesses to a variable, one of them a write, of which neither happened before
 * the other, fail the execution, whatever order they ran in. Happens-before is
 * memory.h's.
 */
#ifndef MODEL_RACE_H
#define MODEL_RACE_H

#include "memory.h"

void race_reset(void);

/* As model_plain, and not in the trace: for what is used as a whole, as a mutex is. */
void race_access(const void *address, bool is_write, const char *file, int line);

/* Words that are emptied and filled again, see model_recycled: a thread loads any word,
 * succeeds in a compare-and-swap, stores to any word. */
void race_load(const void *address);
void race_take(void);
void race_refill(const void *address, const char *file, int line);

uint64_t race_hash(uint64_t hash, const struct clock *least);

#endif
