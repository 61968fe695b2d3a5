/* sort.c - sorting records, few by their caller, many by all workers (sort_many.c); see
 * sort.h.
 *
 * Few: loaded, sorted in the cache (sort_small_of.h), stored.
 */
#include "sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "enter.h"
#include "options.h"
#include "sort_work.h"

/* From so many bytes of records on they are sorted together. */
#define SHARED_BYTES ((size_t)512 * 1024)

/* As many bytes of records, and as much room for them, are on the stack. */
#define STACK_BYTES ((size_t)8 * 1024)

/* Scratch memory of that size gets large pages. */
#define LARGE_PAGES_BYTES ((size_t)8 * 1024 * 1024)

void *fl_sort_memory(size_t count, size_t bytes)
{
    void *memory;

    if (count > (SIZE_MAX / 2) / bytes)
        return NULL;
    bytes = (count * bytes + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    memory = aligned_alloc(FL_CACHE_LINE, FL_MAX(bytes, FL_CACHE_LINE));
    /* A thousand buckets are in as many pages, if those are small. */
    if (memory && bytes >= LARGE_PAGES_BYTES)
        fl_hint_large(memory, bytes);
    return memory;
}

/* The records of the whole array in one piece; a and b: room for them. */
static void sort_few(const struct fl_sort *sort, void *a, void *b)
{
    const struct fl_records *records = sort->records;
    const void *loaded = sort->load(sort, 0, sort->n, a);
    void *sorted;

    if (sort->n > 64) {
        unsigned order = records->order(loaded, sort->n, sort->low);

        if (order & FL_SORT_UP) {
            if (sort->index)
                sort->store(sort, loaded, 0, sort->n);
            return;
        }
        if (order & FL_SORT_DOWN_STRICT) {
            if (loaded != a)
                memcpy(a, loaded, sort->n * records->bytes);
            records->reverse(a, sort->n);
            sort->store(sort, a, 0, sort->n);
            return;
        }
    }
    /* Where the array itself is records, it is sorted where it is. */
    sorted = records->sort((void *)(uintptr_t)loaded, b, sort->n, sort->low);
    sort->store(sort, sorted, 0, sort->n);
}

static int run_few(struct fl_sort *sort)
{
    _Alignas(FL_CACHE_LINE) char on_stack[2 * STACK_BYTES];
    size_t bytes = sort->n * sort->records->bytes;
    char *memory = on_stack;

    bytes = (bytes + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    if (bytes > STACK_BYTES) {
        memory = fl_sort_memory(2, bytes);
        if (!memory)
            return -ENOMEM;
    }
    sort_few(sort, memory, memory + bytes);
    if (memory != on_stack)
        free(memory);
    return 0;
}

int fl_sort_run(struct fl_sort *sort)
{
    const filch_opts *opts = sort->opts;

    if (sort->first == sort->end)
        return 0;
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    fl_sort_choose(sort);
    if (sort->n < SHARED_BYTES / sort->records->bytes)
        return run_few(sort);
    return fl_enter(opts, fl_sort_many, sort);
}
