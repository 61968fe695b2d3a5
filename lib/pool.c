/* pool.c - making and ending pools: slots, threads, what they are made from.
 *
 * A pool of parallelism P has P - 1 slots with threads, and a few more for guests:
 * callers from outside, who are workers while their call lasts (enter.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <filch/filch.h>
#include "bind.h"
#include "escape.h"
#include "options.h"
#include "pool_life.h"
#include "prices.h"

/* Guests at a time that get a worker slot: there is little to gain from more callers than
 * workers, but a small pool may serve many short calls. */
#define GUESTS_LEAST 8u

/* --- slots ------------------------------------------------------------------------ */

static uint32_t guests_for(uint32_t workers)
{
    return FL_MIN(FL_MAX(workers, GUESTS_LEAST), FL_MAX_GUESTS);
}

/* Victims by distance: those of the own core first. Guests, who are not bound, count as
 * of the same node. A counting sort, so that a thousand workers start quickly. */
static void order_victims(struct filch_pool *pool, struct fl_worker *worker)
{
    uint32_t count[FL_ELSEWHERE + 1] = {0}, place[FL_ELSEWHERE + 1], i, ring;
    enum fl_distance distance;

    for (int pass = 0; pass < 2; pass++) {
        for (i = 0; i < pool->slots; i++) {
            struct fl_worker *other = &pool->slot[i];

            if (other == worker)
                continue;
            distance = worker->cpu < 0 || other->cpu < 0
                           ? FL_SAME_NODE
                           : fl_cpu_distance(&pool->topology.cpu[worker->cpu],
                                             &pool->topology.cpu[other->cpu]);
            if (pass == 0)
                count[distance]++;
            else
                worker->victims[place[distance]++] = (uint16_t)i;
        }
        for (ring = 0; pass == 0 && ring <= FL_ELSEWHERE; ring++) {
            place[ring] = ring ? worker->victim_ring_end[ring - 1] : 0;
            worker->victim_ring_end[ring] = place[ring] + count[ring];
        }
    }
}

static void slot_init(struct filch_pool *pool, uint32_t index)
{
    struct fl_worker *worker = &pool->slot[index];

    worker->pool = pool;
    worker->index = index;
    worker->random = 2654435761u * (index + 1) | 1;
    worker->serving = 0;
    worker->fpenv = pool->fpenv;
    worker->is_closed = 0;
    worker->parker.state = FL_PARKER_EMPTY;
    worker->parker.is_listed = false;
    worker->context = (struct fl_context){.lanes = 1};
    worker->frames = NULL;
    worker->arena_is_busy = false;
    worker->has_thread = false;
    worker->is_outside = false;
    worker->counters.idle_since_ns = 0; /* of a thread that fork() left behind */
    worker->cpu = worker->bound_cpu = -1;
    worker->pieces = pool->pieces + (size_t)index * FL_PIECES;
    for (uint32_t i = 0; i < FL_PIECES; i++)
        worker->pieces[i].is_busy = 0;
    worker->piece_next = 0;
    worker->victims = pool->victims + (size_t)index * (pool->slots - 1);
    deque_init(&worker->deque, pool->is_asymmetric);
}

/* --- threads ---------------------------------------------------------------------- */

static void *thread_main(void *arg)
{
    struct fl_worker *worker = arg;
    char name[16];

    fl_cancel_hold(); /* the pool joins it, and nobody else ends it */
    snprintf(name, sizeof name, "filch-%u", (unsigned)worker->index + 1);
    fl_thread_name(name);
    if (!worker->pool->inherits_scheduling)
        fl_thread_schedule_as_process();
    fl_bind_thread(worker);
    fl_prices_answer(worker);
    return fl_worker_main(worker);
}

/* As many threads as the system gives will do. */
void fl_pool_start(struct filch_pool *pool)
{
    uint32_t i;

    pool->guests_in = 0;
    pool->is_stopping = 0;
    pool->lot = (struct fl_lot){0};
    fl_inject_init(&pool->inject);
    fl_signals_get(&pool->signals);
    pool->fpenv = fl_fpenv_read();
    pool->has_fpenvs = 0;
    pool->workers = pool->wanted;
    pool->reason = pool->wanted_reason;
    for (i = 0; i < pool->slots; i++)
        slot_init(pool, i);
    fl_bind_place(pool);
    for (i = 0; i < pool->slots; i++)
        order_victims(pool, &pool->slot[i]);
    for (i = 0; i < pool->thread_slots; i++) {
        if (fl_thread_start(&pool->slot[i].thread, pool->stack_bytes, thread_main,
                            &pool->slot[i]))
            break;
        pool->slot[i].has_thread = true;
    }
    if (i < pool->thread_slots) {
        pool->workers = i + 1;
        pool->reason = "threads that could be started";
    }
}

static void pool_stop(struct filch_pool *pool)
{
    uint32_t i;

    fl_store_relaxed(&pool->is_stopping, 1u); /* the lot's lock orders it */
    fl_lot_wake_all(&pool->lot);
    for (i = 0; i < pool->thread_slots; i++)
        if (pool->slot[i].has_thread)
            fl_thread_join(pool->slot[i].thread);
}

/* --- create and destroy ----------------------------------------------------------- */

bool fl_pool_may_begin(const struct filch_pool *failed)
{
    /* 0 slots: it did not come to know how many. */
    size_t slots = FL_MAX(failed->slots, GUESTS_LEAST);
    void *all =
        fl_zalloc(slots * (sizeof *failed->slot + FL_PIECES * sizeof *failed->pieces +
                           (slots - 1) * sizeof *failed->victims));

    fl_free(all);
    return all != NULL;
}

static int alloc_slots(struct filch_pool *pool)
{
    pool->slot = fl_zalloc(pool->slots * sizeof *pool->slot);
    if (!pool->slot)
        return -ENOMEM;
    pool->pieces = fl_zalloc((size_t)pool->slots * FL_PIECES * sizeof *pool->pieces);
    if (!pool->pieces)
        goto free_slot;
    pool->victims =
        fl_zalloc((size_t)pool->slots * (pool->slots - 1) * sizeof *pool->victims);
    if (!pool->victims)
        goto free_pieces;
    return 0;

free_pieces:
    fl_free(pool->pieces);
free_slot:
    fl_free(pool->slot);
    return -ENOMEM;
}

static void free_slots(struct filch_pool *pool)
{
    uint32_t i;

    for (i = 0; i < pool->slots; i++)
        fl_worker_free_memory(&pool->slot[i]);
    fl_free(pool->victims);
    fl_free(pool->pieces);
    fl_free(pool->slot);
}

int fl_pool_begin(struct filch_pool *pool, const filch_pool_options *options)
{
    struct fl_config config;
    bool is_asked;
    int err;

    err = fl_topology_load(&pool->topology);
    if (err) /* hwloc may stumble over a file that it was told to read */
        err = fl_topology_from_own_mask(&pool->topology);
    if (err)
        return err;
    fl_config_resolve(&config, options, &pool->topology, fl_cpu_quota_milli(""));
    pool->wanted = config.workers;
    pool->wanted_reason = config.reason;
    pool->bind = (enum filch_bind)config.bind;
    pool->spin_ns = config.spin_ns;
    pool->is_displayed = config.is_displayed;
    pool->stack_bytes = config.stack_bytes;
    pool->inherits_scheduling = options && options->inherit_scheduling;
    pool->is_asymmetric = !config.is_classic && fl_heavy_fence_init();
    pool->thread_slots = pool->wanted - 1;
    pool->slots = pool->thread_slots + guests_for(pool->wanted);
    pool->generation = fl_fork_generation();
    err = fl_bind_prepare(pool);
    if (err)
        goto unload_topology;
    err = alloc_slots(pool);
    if (err)
        goto free_set;
    fl_clock_calibrate();
    fl_prices_guess(&pool->launch);
    /* Not where threads share CPUs. */
    is_asked = pool->thread_slots > 0 && pool->wanted <= pool->topology.count;
    if (is_asked)
        fl_prices_ask(&pool->launch);
    fl_pool_start(pool);
    if (is_asked && pool->slot[0].has_thread)
        fl_prices_measure(&pool->launch, &pool->slot[0].parker);
    fl_config_display(&config, pool->workers, pool->reason, pool->is_asymmetric);
    return 0;

free_set:
    fl_cpuset_free(&pool->bind_set);
unload_topology:
    fl_topology_unload(&pool->topology);
    return err;
}

void fl_pool_end(struct filch_pool *pool)
{
    int cancel = fl_cancel_hold(); /* joining is a cancellation point */

    /* After a fork there is nobody to join. */
    if (pool->generation == fl_fork_generation())
        pool_stop(pool);
    free_slots(pool);
    fl_inject_destroy(&pool->inject);
    fl_cpuset_free(&pool->bind_set);
    fl_topology_unload(&pool->topology);
    fl_cancel_release(cancel);
}

int filch_pool_create(filch_pool **out, const filch_pool_options *options)
{
    struct filch_pool *pool;
    int err;

    FL_CHECK_ESCAPES();
    if (!out)
        return -EINVAL;
    *out = NULL;
    err = fl_pool_options_check(options);
    if (err)
        return err;
    pool = fl_zalloc(sizeof *pool);
    if (!pool)
        return -ENOMEM;
    fl_life_lock();
    err = fl_pool_begin(pool, options);
    fl_life_unlock();
    if (err)
        fl_free(pool);
    else
        *out = pool;
    return err;
}

void filch_pool_destroy(filch_pool *pool)
{
    FL_CHECK_ESCAPES();
    if (!pool)
        return;
    FL_CHECK_DESTROY(pool);
    fl_pool_end(pool);
    fl_free(pool);
}

/* --- questions -------------------------------------------------------------------- */

unsigned filch_pool_workers(filch_pool *pool)
{
    if (!pool)
        pool = filch_pool_default();
    if (!pool)
        return 1;
    fl_pool_revive(pool);
    return pool->workers;
}

const char *filch_pool_reason(filch_pool *pool)
{
    if (!pool)
        pool = filch_pool_default();
    return pool ? pool->reason : "no memory for a pool";
}

#define TEXT(x)    #x
#define VERSION(x) TEXT(x)

const char *filch_version(void)
{
    return VERSION(FILCH_VERSION_MAJOR) "." VERSION(FILCH_VERSION_MINOR) "." VERSION(
        FILCH_VERSION_PATCH);
}
