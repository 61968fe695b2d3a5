/* heap.h - memory that comes and goes: the heap of the code under test, and frames.
 *
 * Job: allocation from an arena that gives each thread the same addresses in every
 * execution and uses none twice; what is used after its end, freed while another thread
 * may still use it, freed twice or never freed fails the execution. Relies on memory.h
 * for what happened before.
 */
#ifndef MODEL_HEAP_H
#define MODEL_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include "memory.h"

void heap_reset(void);

/* The thread uses the address, by an atomic operation or a plain access. */
void heap_use(const void *address, const char *file, int line);

/* Whether code that is compiled as is must be watched there. */
bool heap_has(const void *address);

/* "T0's block 2 + 16" for an address in a block; false: in none. */
bool heap_name(const void *address, char *text, size_t bytes);

/* After all threads and the check. */
void heap_check_leaks(void);

uint64_t heap_hash(uint64_t hash, const struct clock *least);

#endif
