/* enter.c - callers: nested, guests, alone; and what a body may ask about its worker. */
#include <errno.h>
#include <string.h>
#include "bits.h"
#include "enter.h"
#include "escape.h"
#include "options.h"
#include "pool_life.h"
#include "serving.h"

/* --- guests ----------------------------------------------------------------------- */

/* A free guest slot, or NULL. */
static struct fl_worker *guest_enter(struct filch_pool *pool)
{
    uint32_t guests = pool->slots - pool->thread_slots;
    /* The lowest: its memory is the warmest. */
    uint32_t guest = bit_take(&pool->guests_in, guests, 0);

    if (guest == guests)
        return NULL;
    serve_caller(&pool->slot[pool->thread_slots + guest]);
    return &pool->slot[pool->thread_slots + guest];
}

static void guest_leave(struct fl_worker *guest)
{
    struct filch_pool *pool = guest->pool;

    bit_give(&pool->guests_in, guest->index - pool->thread_slots);
}

/* --- alone ------------------------------------------------------------------------ */

/* A worker without a slot. Nobody steals from it, so that loops and joins never have more
 * than one job in its deque: its ring is cut off behind two entries, and it fits the
 * stack.
 */
#define SOLO_BYTES (offsetof(struct fl_worker, deque.hot.slot) + 2 * sizeof(filch_job *))

struct solo {
    _Alignas(struct fl_worker) char bytes[SOLO_BYTES];
};

/* Out of line, because a compiler that sees the storage complains that it is not all of
 * the struct. Field by field: a memset of all of it is half of what a tiny loop costs. Its
 * counters are not set, because nobody reads them. */
__attribute__((noinline)) static struct fl_worker *
solo_init(void *storage, struct filch_pool *pool, uint32_t lanes)
{
    struct fl_worker *worker = storage;

    worker->serving = 0;
    worker->is_closed = 0;
    worker->parker.state = FL_PARKER_EMPTY;
    worker->parker.is_listed = false;
    worker->returned_tasks = NULL;
    worker->pool = pool;
    worker->index = FL_SOLO;
    worker->serves = 0;
    worker->outer = fl_current;
    worker->context = (struct fl_context){.lanes = lanes};
    worker->frames = NULL;
    worker->free_tasks = NULL;
    worker->at_once = 0;
    worker->deferred = NULL;
    worker->arena = NULL;
    worker->arena_bytes = 0;
    worker->arena_is_busy = false;
    worker->has_thread = false;
    worker->is_outside = false;
    worker->has_forked = false;
    worker->cpu = worker->bound_cpu = -1;
    deque_init(&worker->deque, false); /* the gate stays up: every fork comes to join.c */
    return worker;
}

int fl_enter_lightly(struct filch_pool *pool, uint32_t lanes,
                     int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    struct solo solo;
    struct fl_worker *worker = solo_init(&solo, pool, lanes);
    int value;

    worker->is_outside = true;
    fl_current = worker;
    value = inside(worker, arg);
    /* Scopes and reductions inside it have entered the pool. */
    FL_ASSERT(!worker->deferred && !worker->free_tasks && !worker->arena);
    fl_current = worker->outer;
    return value;
}

static int call_on(struct fl_worker *worker,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    int64_t floor = fl_load_relaxed(&worker->deque.hot.tail); /* the owner's own */
    int value;

    worker->outer = fl_current;
    fl_current = worker;
    value = inside(worker, arg);
    /* Tasks for a scope around the call, from where the pool was left and entered again. */
    fl_worker_drain(worker, floor);
    fl_current = worker->outer;
    return value;
}

static int call_solo(struct filch_pool *pool,
                     int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    struct solo solo;
    struct fl_worker *worker = solo_init(&solo, pool, 1);
    int value;

    worker->fpenv = fl_fpenv_read();
    value = call_on(worker, inside, arg);

    fl_worker_free_memory(worker);
    return value;
}

/* From now on it is on the same lane as the worker, in the same tasks. */
static void stand_in(struct fl_worker *other, const struct fl_worker *worker)
{
    other->context = worker->context;
    other->context.scope = NULL;
    other->frames = worker->frames;
}

int fl_enter_alone(struct fl_worker *worker,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    struct fl_worker *alone = fl_zalloc(sizeof *alone);
    int value;

    if (!alone)
        return call_solo(worker->pool, inside, arg);
    solo_init(alone, worker->pool, 1);
    /* A private deque whose gate nobody raises. */
    deque_init(&alone->deque, true);
    deque_lower_gate(&alone->deque);
    alone->fpenv = fl_fpenv_read();
    stand_in(alone, worker);
    value = call_on(alone, inside, arg);
    fl_worker_free_memory(alone);
    fl_free(alone);
    return value;
}

int fl_enter_whole(struct fl_worker *worker, const filch_opts *opts,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    uint32_t limit = opts ? opts->max_workers : 0;

    if (limit == 0 || limit >= worker_parallelism(worker))
        return inside(worker, arg);
    return limit == 1 ? fl_enter_alone(worker, inside, arg) : -EINVAL;
}

/* --- the way in ------------------------------------------------------------------- */

static int enter_from_outside(struct filch_pool *pool,
                              int (*inside)(struct fl_worker *worker, void *arg),
                              void *arg)
{
    const struct fl_worker *outer = fl_current;
    struct fl_worker *worker = NULL;
    uint64_t since;
    int value;

    if (pool) {
        fl_pool_revive(pool);
        worker = guest_enter(pool);
    }
    if (!worker)
        return call_solo(pool, inside, arg);
    since = fl_now_ns();
    /* A nested call in another environment: see fl_enter_where. */
    if (outer && outer->pool == pool && !outer->is_outside)
        stand_in(worker, outer);
    value = call_on(worker, inside, arg);
    worker->context = (struct fl_context){.lanes = 1};
    worker->frames = NULL;
    fl_count_add(&worker->counters.busy_ns, fl_ns_since(since));
    guest_leave(worker);
    return value;
}

struct fl_worker *fl_enter_where(const filch_opts *opts, struct filch_pool **pool)
{
    struct fl_worker *worker =
        opts && opts->worker ? worker_of(opts->worker) : fl_current;

    *pool = opts && opts->pool ? opts->pool
            : worker           ? worker->pool
                               : filch_pool_default();
    if (!worker || worker->pool != *pool || worker->is_outside)
        return NULL;
    /* What a worker keeps in its deque runs in one environment, wherever it is run: a body
     * that has gone to another one enters the pool anew. Nobody steals from a worker
     * alone. */
    if (worker->index != FL_SOLO && worker_fpenv(worker) != fl_fpenv_read())
        return NULL;
    return worker;
}

int fl_enter(const filch_opts *opts, int (*inside)(struct fl_worker *worker, void *arg),
             void *arg)
{
    struct filch_pool *pool;
    struct fl_worker *worker = fl_enter_where(opts, &pool);

    return worker ? inside(worker, arg) : enter_from_outside(pool, inside, arg);
}

struct run {
    filch_run_body *body;
    const filch_opts *opts;
};

static int run_body(struct fl_worker *worker, void *arg)
{
    const struct run *run = arg;
    int value;

    FL_CALL_USER(
        worker, value = run->body(worker_hot(worker), run->opts ? run->opts->ctx : NULL));
    return value;
}

static int run_inside(struct fl_worker *worker, void *arg)
{
    const struct run *run = arg;

    return fl_enter_whole(worker, run->opts, run_body, arg);
}

int filch_run_with(filch_run_body *body, const filch_opts *opts)
{
    struct run run = {body, opts};

    FL_CHECK_ESCAPES();
    if (!body || fl_opts_check(opts))
        return -EINVAL;
    return fl_enter(opts, run_inside, &run);
}

/* --- questions in a body ---------------------------------------------------------- */

unsigned filch_lane(const filch_worker *w)
{
    return w ? worker_of(w)->context.lane : 0;
}

unsigned filch_lanes(const filch_worker *w)
{
    return w ? worker_of(w)->context.lanes : 1;
}

unsigned filch_lane_limit_with(const filch_opts *opts)
{
    const struct fl_worker *worker;
    uint32_t workers;

    if (fl_opts_check(opts))
        return 0;
    worker = opts && opts->worker ? worker_of(opts->worker) : fl_current;
    /* Calls nested in one that took no slot enter the pool. */
    workers = opts && opts->pool   ? filch_pool_workers(opts->pool)
              : !worker            ? filch_pool_workers(NULL)
              : worker->is_outside ? filch_pool_workers(worker->pool)
                                   : worker_parallelism(worker);
    return opts && opts->max_workers ? FL_MIN(opts->max_workers, workers) : workers;
}

int filch_cancelled(const filch_worker *w)
{
    const struct fl_context *context;

    if (!w)
        return 0;
    context = &worker_of(w)->context;
    return (context->failure && failure_is_below(context->failure, context->at)) ||
           (context->cancel && filch_cancel_is_set(context->cancel));
}

filch_worker *filch_worker_current(void)
{
    return fl_current ? worker_hot(fl_current) : NULL;
}
