/* local.c - scratch memory for each worker: a padded slot per slot of the pool, and a
 * list for callers that found no slot free there. */
#include <errno.h>
#include <filch/local.h>
#include "enter.h"

struct local_slot {
    uint32_t is_used;
    char *memory;
};

/* For a caller without a worker slot. */
struct extra {
    pthread_t thread;
    struct extra *next;
    _Alignas(FL_CACHE_LINE) char memory[];
};

struct filch_local {
    size_t slot_bytes;
    void (*init)(void *slot, void *ctx);
    void *ctx;
    const struct filch_pool *pool; /* an address only */
    uint32_t slots;
    struct local_slot *slot;
    char *memory;
    pthread_mutex_t mutex; /* guards extras */
    struct extra *extras;
};

int filch_local_create(filch_local **out, filch_pool *pool, size_t slot_bytes,
                       void (*init)(void *slot, void *ctx), void *ctx)
{
    filch_local *local;
    size_t stride, i;

    if (!out)
        return -EINVAL;
    *out = NULL;
    if (slot_bytes == 0)
        return -EINVAL;
    if (slot_bytes > SIZE_MAX / 2)
        return -ENOMEM;
    if (!pool)
        pool = fl_current ? fl_current->pool : filch_pool_default();
    local = fl_zalloc(sizeof *local);
    if (!local)
        return -ENOMEM;
    local->slot_bytes = slot_bytes;
    local->init = init;
    local->ctx = ctx;
    local->pool = pool;
    local->slots = pool ? pool->slots : 0;
    stride = (slot_bytes + FL_CACHE_LINE - 1) / FL_CACHE_LINE * FL_CACHE_LINE;
    if (local->slots && stride > SIZE_MAX / 2 / local->slots)
        goto free_local;
    local->slot = fl_zalloc(FL_MAX(local->slots, 1) * sizeof *local->slot);
    if (!local->slot)
        goto free_local;
    local->memory = fl_zalloc(FL_MAX(local->slots, 1) * stride);
    if (!local->memory)
        goto free_slot;
    for (i = 0; i < local->slots; i++)
        local->slot[i].memory = local->memory + i * stride;
    pthread_mutex_init(&local->mutex, NULL);
    *out = local;
    return 0;

free_slot:
    fl_free(local->slot);
free_local:
    fl_free(local);
    return -ENOMEM;
}

/* The calling thread's; NULL: none yet. Nobody else makes it meanwhile. */
static struct extra *extra_find(filch_local *local)
{
    struct extra *extra;

    pthread_mutex_lock(&local->mutex);
    for (extra = local->extras; extra; extra = extra->next)
        if (pthread_equal(extra->thread, pthread_self()))
            break;
    pthread_mutex_unlock(&local->mutex);
    return extra;
}

static struct extra *extra_make(filch_local *local)
{
    struct extra *extra = fl_zalloc(sizeof *extra + local->slot_bytes);

    if (extra) {
        extra->thread = pthread_self();
        /* Without the mutex: the user's function may wait for others, or not come back. */
        if (local->init)
            local->init(extra->memory, local->ctx);
        pthread_mutex_lock(&local->mutex);
        extra->next = local->extras;
        local->extras = extra;
        pthread_mutex_unlock(&local->mutex);
    }
    return extra;
}

static void *extra_get(filch_local *local)
{
    struct extra *extra = extra_find(local);

    if (!extra)
        extra = extra_make(local);
    return extra ? extra->memory : NULL;
}

void *filch_local_get(filch_local *local, filch_worker *w)
{
    const struct fl_worker *worker = w ? worker_of(w) : NULL;
    struct local_slot *slot;

    if (!worker || worker->pool != local->pool ||
        worker->index >= local->slots) /* FL_SOLO is larger than any */
        return extra_get(local);
    slot = &local->slot[worker->index];
    if (!slot->is_used) {
        if (local->init)
            local->init(slot->memory, local->ctx);
        slot->is_used = 1;
    }
    return slot->memory;
}

int filch_local_each(filch_local *local, int (*visit)(void *slot, void *ctx), void *ctx)
{
    struct extra *extra;
    uint32_t i;
    int value;

    for (i = 0; i < local->slots; i++)
        if (local->slot[i].is_used && (value = visit(local->slot[i].memory, ctx)))
            return value;
    for (extra = local->extras; extra; extra = extra->next)
        if ((value = visit(extra->memory, ctx)))
            return value;
    return 0;
}

struct destroy_call {
    void (*destroy)(void *slot, void *ctx);
    void *ctx;
};

static int destroy_one(void *slot, void *ctx)
{
    struct destroy_call *call = ctx;

    call->destroy(slot, call->ctx);
    return 0;
}

void filch_local_destroy(filch_local *local, void (*destroy)(void *slot, void *ctx),
                         void *ctx)
{
    struct destroy_call call = {destroy, ctx};
    struct extra *extra;

    if (!local)
        return;
    if (destroy)
        filch_local_each(local, destroy_one, &call);
    while ((extra = local->extras)) {
        local->extras = extra->next;
        fl_free(extra);
    }
    pthread_mutex_destroy(&local->mutex);
    fl_free(local->memory);
    fl_free(local->slot);
    fl_free(local);
}
