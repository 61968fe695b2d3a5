/* scarce.h - memory that ends, and how much was taken: linked with --wrap for
 * aligned_alloc, calloc, free and malloc, so that any allocation of the library can fail,
 * and what it takes and leaves is seen. What the test takes for itself is not counted
 * when it says __real_malloc and __real_free.
 */
#ifndef TESTS_API_SCARCE_H
#define TESTS_API_SCARCE_H

#include "pools.h"

/* Fails when it is at 0; and how many blocks there are. */
static atomic_int allocations_left = INT32_MAX, blocks_alive;

/* The blocks there are; how many bytes, and the most that there were since most_again. */
static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    void *block;
    size_t bytes;
} heap[8192];
static size_t heap_end, heap_bytes, heap_most, heap_most_blocks;

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_malloc(size_t bytes);
void __real_free(void *block);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_malloc(size_t bytes);
void __wrap_free(void *block);

static inline bool may_take(void)
{
    return atomic_fetch_sub(&allocations_left, 1) > 0;
}

static inline void *heap_add(void *block, size_t bytes)
{
    if (!block)
        return NULL;
    pthread_mutex_lock(&heap_lock);
    if (heap_end == COUNT_OF(heap))
        abort();
    heap[heap_end].block = block;
    heap[heap_end++].bytes = bytes;
    heap_bytes += bytes;
    if (heap_most < heap_bytes)
        heap_most = heap_bytes;
    if (heap_most_blocks < heap_end)
        heap_most_blocks = heap_end;
    atomic_store(&blocks_alive, (int)heap_end);
    pthread_mutex_unlock(&heap_lock);
    return block;
}

/* Some are of libraries', which are not wrapped. */
static inline void heap_remove(const void *block)
{
    size_t at;

    pthread_mutex_lock(&heap_lock);
    at = heap_end;
    while (at > 0 && heap[at - 1].block != block)
        at--;
    if (at > 0) {
        heap_bytes -= heap[at - 1].bytes;
        heap[at - 1] = heap[--heap_end];
        atomic_store(&blocks_alive, (int)heap_end);
    }
    pthread_mutex_unlock(&heap_lock);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    return may_take() ? heap_add(__real_aligned_alloc(align, bytes), bytes) : NULL;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return may_take() ? heap_add(__real_calloc(count, bytes), count * bytes) : NULL;
}

void *__wrap_malloc(size_t bytes)
{
    return may_take() ? heap_add(__real_malloc(bytes), bytes) : NULL;
}

void __wrap_free(void *block)
{
    if (block)
        heap_remove(block);
    __real_free(block);
}

/* From now on the most is what is above that. */
static inline size_t most_again(void)
{
    size_t bytes;

    pthread_mutex_lock(&heap_lock);
    bytes = heap_most = heap_bytes;
    heap_most_blocks = heap_end;
    pthread_mutex_unlock(&heap_lock);
    return bytes;
}

/* What a pool allocates with its first calls stays. */
static inline void warm_up(filch_pool *pool)
{
    unsigned workers = filch_pool_workers(pool), i;

    for (i = 0; i < 3; i++) {
        struct meeting meeting = {.company = workers};

        assert_int_equal(filch_for(0, workers, meet, &meeting, .pool = pool, .grain = 1),
                         0);
        assert_int_equal(atomic_load(&meeting.wrong), 0);
    }
}

#endif
