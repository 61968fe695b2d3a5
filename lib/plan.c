/* plan.c - what is known of a loop's cost, and what that decides; see plan.h. */
#include "plan.h"

/* A loop that cannot be shared takes a slot in the pool, for what is nested in it, if it
 * takes longer than so many times what the slot costs. */
#define SMALL_ALONE_NS 2000u

/* Of loops that barely pay, one in so many begins alone, to find out whether they do. */
#define ALONE_SAMPLE 16

/* What the rest of a loop takes is told from a part of it. One part in so many of what
 * sharing needs is enough: the first item alone may have waited for memory, and a thousand
 * items do not take a thousand times that. */
#define EVIDENCE 64

/* What the rest must take to be shared. */
static double price_of(const struct fl_plan *plan)
{
    struct filch_pool *pool = plan->pool;
    struct fl_launch *known = &pool->launch;
    double ticks = expected_ticks(plan);

    if (!plan->is_divisible)
        return (double)fl_ticks_of_ns(SMALL_ALONE_NS);
    FL_ASSERT(pool); /* else there is nobody to divide it among */
    if (launch_is_backing_off(known, ticks))
        return (double)fl_load_relaxed(&known->back_off_below); /* a hint */
    return (double)launch_price(known, &pool->lot);
}

/* The same before the loop begins, which may be one of many. */
static double price_at_first(const struct fl_plan *plan)
{
    struct filch_pool *pool = plan->pool;
    double price = price_of(plan), ticks = expected_ticks(plan);

    if (plan->is_divisible && ticks < price &&
        ticks >= (double)launch_spinning(&pool->launch) && launch_must_wake(&pool->lot) &&
        !launch_is_backing_off(&pool->launch, ticks) &&
        fl_launch_missed_enough(&pool->launch, ticks, pool->spin_ns))
        return (double)launch_spinning(&pool->launch);
    return price;
}

static bool find_if_small(const struct fl_plan *plan)
{
    double ticks = expected_ticks(plan);

    return plan->ticks_per_item > 0 && !is_told(plan->call) && !is_task_list(plan) &&
           (ticks < plan->price ||
            (barely_pays(plan, ticks) && is_sampled(ALONE_SAMPLE)));
}

void fl_plan_init(struct fl_plan *plan, const struct fl_loop_call *call,
                  const struct fl_worker *worker, struct filch_pool *pool)
{
    size_t count = call->end - call->begin;
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;

    plan->call = call;
    plan->pool = pool;
    plan->at = call->begin;
    plan->spent = 0;
    plan->lanes = worker ? fl_loop_lanes(worker, call->opts)
                  : pool ? limit_lanes(pool->workers, call->opts)
                         : 1;
    plan->is_divisible = plan->lanes > 1 && count / 2 >= grain_of(call);
    plan->hash = cost_hash(identity, count);
    plan->ticks_per_item = pool ? (double)cost_recall(&pool->launch, plan->hash) : 0;
    plan->price = plan->ticks_per_item > 0 ? price_at_first(plan) : 0;
    plan->is_small = find_if_small(plan);
}

bool fl_plan_is_worth_sharing(struct fl_plan *plan, size_t items, uint64_t ticks)
{
    const struct fl_loop_call *call = plan->call;
    size_t left = call->end - plan->at, done = plan->at - call->begin;
    double rate, price = price_of(plan);

    if (!plan->is_divisible || left / 2 < grain_of(call) ||
        ticks <= fl_ticks_of_ns(CLOCK_NS) || (double)plan->spent * EVIDENCE < price)
        return false;
    rate = FL_MAX((double)ticks / (double)items, (double)plan->spent / (double)done);
    if (rate * (double)left < price)
        return false;
    plan->ticks_per_item = rate;
    plan->price = price_of(plan);
    return true;
}

void fl_plan_note_cost(const struct fl_plan *plan, uint64_t ticks)
{
    double count = (double)(plan->call->end - plan->call->begin);

    if (plan->pool)
        cost_note(&plan->pool->launch, plan->hash,
                  (float)((double)FL_MAX(ticks, 1) / count));
}

void fl_plan_note_forks(struct filch_pool *pool, const struct fl_loop_call *call)
{
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;

    cost_note(&pool->launch, cost_hash(identity, call->end - call->begin), 1e15f);
}
