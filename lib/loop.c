/* loop.c - whether a loop is shared, and by how many; see loop.h. */
#include <errno.h>
#include "escape.h"
#include "plan.h"

/* Loops that are known to be tiny (plan.h) are timed one time in so many. */
#define TINY_SAMPLE 16

uint32_t fl_loop_lanes(const struct fl_worker *worker, const filch_opts *opts)
{
    return limit_lanes(worker_parallelism(worker), opts);
}

/* --- tiny loops -------------------------------------------------------------------
 * The shortest way to the body, and the most of them take it: no look at the clock. */

static bool is_tiny(const struct fl_loop_call *call, const struct filch_pool *pool)
{
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;
    const filch_opts *opts = call->opts;
    float ticks;

    if (!pool || call->grain || call->max_chunk ||
        (opts && (opts->cancel || opts->progress)))
        return false;
    ticks = (float)(call->end - call->begin) *
            cost_recall(&pool->launch, cost_hash(identity, call->end - call->begin));
    return ticks > 0 && ticks < pool->launch.tiny && !is_sampled(TINY_SAMPLE);
}

static int run_tiny(struct fl_worker *worker, void *arg)
{
    const struct fl_loop_call *call = arg;
    int value;

    FL_CALL_USER(worker, value = call->body(worker_hot(worker), call->begin, call->end,
                                            call->ctx));

    if (FILCH_UNLIKELY(worker->has_forked))
        fl_plan_note_forks(worker->pool, call);
    return value;
}

static int run_tiny_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    struct fl_context context = worker->context;
    int value;

    worker->context = (struct fl_context){.lanes = fl_loop_lanes(worker, call->opts)};
    FL_CALL_USER(worker, value = call->body(worker_hot(worker), call->begin, call->end,
                                            call->ctx));
    worker->context = context;
    return value;
}

/* --- the way in ------------------------------------------------------------------- */

static int launch_inside(struct fl_worker *worker, void *arg)
{
    struct fl_plan *plan = arg;
    const struct fl_loop_call *call = plan->call;

    if (is_told(call))
        fl_progress_init(&plan->progress, call->opts, call->end - call->begin);
    plan->pool = worker->pool; /* there was no memory for it a moment ago, perhaps */
    /* Without a slot, it is alone after all. */
    plan->lanes = fl_loop_lanes(worker, call->opts);
    plan->is_divisible = plan->lanes > 1 && (call->end - plan->at) / 2 >= grain_of(call);
    return plan->is_divisible ? fl_plan_run_together(worker, plan)
                              : fl_plan_run_alone(worker, plan);
}

/* In no slot. */
static int launch_alone(struct fl_worker *worker, void *arg)
{
    struct fl_plan *plan = arg;
    int value = fl_plan_run_alone(worker, plan);

    if (worker->has_forked)
        fl_plan_note_forks(worker->pool, plan->call);
    return value;
}

/* Where a call goes: see fl_enter_where. After a fork, the pool that it enters is there
 * again. */
static struct fl_worker *where_to(const struct fl_loop_call *call,
                                  struct filch_pool **pool)
{
    struct fl_worker *worker = fl_enter_where(call->opts, pool);

    if (!worker && *pool)
        fl_pool_revive(*pool);
    return worker;
}

int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    const filch_cancel *cancel = cancel_of(call);
    struct fl_plan plan;
    int value;

    if (call->begin == call->end)
        return 0;
    if (is_tiny(call, worker->pool))
        return run_tiny_in(worker, call);
    if (cancel && filch_cancel_is_set(cancel))
        return -ECANCELED;
    fl_plan_init(&plan, call, worker, worker->pool);
    if (plan.is_small) {
        value = fl_plan_run_alone(worker, &plan);
        if (value || plan.at == call->end)
            return value;
    }
    return launch_inside(worker, &plan);
}

int fl_loop(const struct fl_loop_call *call)
{
    const filch_cancel *cancel = cancel_of(call);
    struct filch_pool *pool;
    struct fl_worker *worker = where_to(call, &pool);
    struct fl_plan plan;
    int value;

    FL_CHECK_ESCAPES();
    if (worker)
        return fl_loop_in(worker, call);
    if (call->begin == call->end)
        return 0;
    if (is_tiny(call, pool))
        return fl_enter_lightly(pool, limit_lanes(pool->workers, call->opts), run_tiny,
                                (void *)(uintptr_t)call);
    if (cancel && filch_cancel_is_set(cancel))
        return -ECANCELED;
    fl_plan_init(&plan, call, NULL, pool);
    if (plan.is_small) {
        value = fl_enter_lightly(pool, plan.lanes, launch_alone, &plan);
        if (value || plan.at == call->end)
            return value;
    }
    return fl_enter(call->opts, launch_inside, &plan);
}

bool fl_loop_is_small(struct fl_worker *worker, const struct fl_loop_call *call)
{
    struct fl_plan plan;

    fl_plan_init(&plan, call, worker, worker->pool);
    return plan.is_small;
}

int fl_loop_enter(const struct fl_loop_call *call,
                  int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    struct filch_pool *pool;
    struct fl_worker *worker = where_to(call, &pool);
    struct fl_plan plan;

    FL_CHECK_ESCAPES();
    if (!worker) {
        fl_plan_init(&plan, call, NULL, pool);
        if (plan.is_small)
            return fl_enter_lightly(pool, 1, inside, arg);
    }
    return fl_enter(call->opts, inside, arg);
}
