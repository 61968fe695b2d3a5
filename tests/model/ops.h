/* ops.h - what every operation of the code under test does, for ops.c and posix.c.
 *
 * Job: the word of an address, what is read noted for the trace and for spins, the end of
 * a step.
 */
#ifndef MODEL_OPS_H
#define MODEL_OPS_H

#include "memory.h"
#include "trace.h"

/* The thread has read the store; `newer` stores were newer. */
void ops_note_read(struct trace_step *step, unsigned word, const struct store *store,
                   unsigned newer);

/* The step is over. kind: which operation on what, for the thread's history. */
void ops_finish(struct trace_step *step, uint64_t kind);

#endif
