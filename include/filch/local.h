/* local.h - scratch memory for each worker, merged at the end. */
#ifndef FILCH_LOCAL_H
#define FILCH_LOCAL_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_local filch_local;

/**
 * filch_local_create - a slot of slot_bytes for every worker of a pool.
 *
 * pool     NULL: the default pool, or inside a body the pool of that body. It must
 *          outlive the filch_local.
 * init     called once for each slot before its first use, on the worker that uses it;
 *          NULL: zero bytes. It must not be left by longjmp or a C++ exception; the same
 *          holds for visit and destroy below.
 *
 * Slots are padded: no two share a cache line.
 *
 * Returns  0; -EINVAL for slot_bytes of 0 or a NULL out; -ENOMEM. *out is NULL on
 * failure.
 */
FILCH_API int filch_local_create(filch_local **out, filch_pool *pool, size_t slot_bytes,
                                 void (*init)(void *slot, void *ctx), void *ctx);

/**
 * filch_local_get - the calling worker's slot.
 *
 * Exclusive to the worker, not to the call: a body and the bodies nested in it on the
 * same worker see the same slot.
 *
 * w        a worker of the pool. A worker of another pool, a caller who takes no worker
 *          slot (of a small loop, or when none is free), and NULL get a slot of their
 *          thread's, which is allocated.
 *
 * Returns  the slot; NULL only when it would have to be allocated and there is no memory.
 */
FILCH_API void *filch_local_get(filch_local *local, filch_worker *w);

/** filch_local_each - visit each slot that was used. No body may be using them.
 *
 *  Returns 0, or the first non-zero value of visit, which ends the walk. */
FILCH_API int filch_local_each(filch_local *local, int (*visit)(void *slot, void *ctx),
                               void *ctx);

/** filch_local_destroy - free the slots, after calling destroy (may be NULL) on each that
 * was used. NULL is allowed. */
FILCH_API void filch_local_destroy(filch_local *local,
                                   void (*destroy)(void *slot, void *ctx), void *ctx);

#ifdef __cplusplus
}
#endif
#endif
