/* checker_heap.h - the allocation of the code under test, run by the model checker.
 *
 * Job: stands in for malloc, calloc and free, which replaced/stdlib.h includes last.
 * fl_zalloc and fl_free of platform.h are heap.c's as well. Relies on heap.c.
 */
#ifndef CHECKER_HEAP_H
#define CHECKER_HEAP_H

#include <stddef.h>

/* Zeroed; or NULL, as often as model_may_run_out says. */
void *model_zalloc(size_t bytes, const char *file, int line);
void *model_malloc(size_t bytes, const char *file, int line);
void model_free(void *block, const char *file, int line);

#define malloc(bytes)       model_malloc((bytes), __FILE__, __LINE__)
#define calloc(count, size) model_zalloc((count) * (size), __FILE__, __LINE__)
#define free(block)         model_free((block), __FILE__, __LINE__)

#endif
