/* trace.h - what happened in an execution, for people.
 *
 * Job: records each step cheaply and prints the lot when the execution failed; keeps the
 * names that tests give to addresses. Relies on heap.h to name what was allocated.
 */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct trace_step {
    int thread;
    const char *what;
    int order; /* -1: none to print */
    const void *address;
    bool is_read, is_written;
    uint64_t was, is;   /* values read and written */
    int from_thread;    /* whose store was read; -1: the initial value */
    unsigned from_step; /* of that thread */
    unsigned newer;     /* stores that were newer than the one read or written */
    unsigned step;      /* of this thread */
    const char *file;
    int line;
};

void trace_reset(void);
void trace_add(const struct trace_step *step);
void trace_print(FILE *out);

/* A name for messages; good until the next few calls. */
const char *trace_name(const void *address);

#endif
