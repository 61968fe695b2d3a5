/* scarce.h - memory that ends: linked with --wrap, so that any allocation of the library
 * (fl_zalloc) can fail, and what is left is seen.
 */
#ifndef TESTS_API_SCARCE_H
#define TESTS_API_SCARCE_H

#include "pools.h"

/* Fails when it is at 0; and how many blocks there are. */
static atomic_int allocations_left = INT32_MAX, blocks_alive;

void *__real_fl_zalloc(size_t bytes);
void *__wrap_fl_zalloc(size_t bytes);
void __real_fl_free(void *block);
void __wrap_fl_free(void *block);

/* The one in platform_posix.c. */
void *__wrap_fl_zalloc(size_t bytes)
{
    void *block = NULL;

    if (atomic_fetch_sub(&allocations_left, 1) > 0)
        block = __real_fl_zalloc(bytes);
    if (block)
        atomic_fetch_add(&blocks_alive, 1);
    return block;
}

void __wrap_fl_free(void *block)
{
    if (block)
        atomic_fetch_sub(&blocks_alive, 1);
    __real_fl_free(block);
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
