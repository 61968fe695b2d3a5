/* together.c - how many run a loop that is shared, and at what pace; see plan.h. */
#include "plan.h"

/* What a chunk of a shared loop is to take: long against what handing it out costs (some
 * 30 ns, and 500 when it is stolen), and short against what a join would wait for it. */
#define CHUNK_NS 8000u

/* In short loops it is less. With chunks of a time c, a loop of a time t on two workers
 * spends about (t / 2c) s on going from chunk to chunk, and c / 2 on waiting for the last
 * one: least together at c = sqrt(t s). But two chunks that are not worth a theft, whose
 * price is known (launch.h), might as well be one. */
#define STEP_NS 60u

/* What is in one corner of the range must not end up in a single chunk: so there are as
 * many as can be had for a hundredth of the loop's time, and so many for a worker when
 * that is not known. */
#define STEPS_SHARE  100
#define CHUNKS       128
#define LEAST_CHUNKS 8
#define MOST_CHUNKS  4096

/* How many workers what is left pays for, the caller included. */
static uint32_t parts_for(const struct fl_plan *plan, size_t count)
{
    double expected = expected_ticks(plan), pays;
    uint32_t most = (uint32_t)FL_MIN(plan->lanes, count / grain_of(plan->call));

    most = FL_MAX(most, 1);
    if (expected <= 0 || is_task_list(plan))
        return most;
    if (expected < plan->price)
        return 1;
    pays = expected / plan->price;
    return pays + 1 < (double)most ? (uint32_t)pays + 1 : most;
}

/* Between 0.7 and 1.1 times the square root. */
static uint64_t root_of(uint64_t square)
{
    int bits = 64 - __builtin_clzll((unsigned long long)square | 1);

    return bits % 2 ? UINT64_C(1) << bits / 2 : UINT64_C(3) << (bits / 2 - 1) >> 1;
}

static void set_pace(struct fl_loop *loop, const struct fl_plan *plan)
{
    uint64_t usual = fl_ticks_of_ns(CHUNK_NS), share;
    size_t chunks;
    double expected = is_task_list(plan) ? 0 : expected_ticks(plan);

    share = root_of((uint64_t)FL_MIN(expected, 1e12) * fl_ticks_of_ns(STEP_NS));
    loop->chunk_time = expected > 0
                           ? FL_MIN(FL_MAX(share, plan->pool->launch.spinning / 2), usual)
                           : usual;
    chunks = CHUNKS;
    if (expected > 0) {
        double paid = expected / STEPS_SHARE / (double)fl_ticks_of_ns(STEP_NS);

        chunks = (size_t)FL_MIN(paid / plan->lanes, (double)MOST_CHUNKS);
        chunks = FL_MAX(chunks, LEAST_CHUNKS);
    }
    loop->most = FL_MAX((loop->end - loop->begin) / plan->lanes / chunks, 1);
    loop->ticks_per_item = expected > 0 ? plan->ticks_per_item : 0;
    /* Smaller at first: the cost may lie just here. */
    loop->chunk = 1;
    if (expected > 0) {
        double items = (double)loop->chunk_time / 2 / loop->ticks_per_item;

        loop->chunk = items < (double)loop->most ? FL_MAX((size_t)items, 1) : loop->most;
    }
}

/* How much the caller gets done before the others have come. Who spins begins after about
 * an eighth of the price of help: in loops of 7 and 16 us a sixteenth left their callers
 * waiting at the end. */
static size_t head_start(const struct fl_plan *plan, size_t count, uint32_t parts)
{
    const struct fl_launch *known = &plan->pool->launch;
    double ticks = launch_must_wake(&plan->pool->lot) ? (double)known->sleeping
                                                      : (double)known->spinning / 8;
    double items = plan->ticks_per_item > 0 ? ticks / plan->ticks_per_item : 0;
    size_t most = count / 4, start = items < (double)most ? (size_t)items : most;

    /* The parts of the others are not to fall below the grain. */
    return (count - start) / parts >= grain_of(plan->call) + FL_SPLIT_ALIGN ? start : 0;
}

int fl_plan_run_together(struct fl_worker *worker, struct fl_plan *plan)
{
    const struct fl_loop_call *call = plan->call;
    struct fl_launch *launch = &plan->pool->launch;
    bool is_comparable = plan->at == call->begin && plan->ticks_per_item > 0 &&
                         !is_task_list(plan) && !launch_must_wake(&plan->pool->lot);
    uint64_t then = fl_ticks(), spent;
    struct fl_loop loop;
    int value;

    loop.body = call->body;
    loop.ctx = call->ctx;
    loop.cancel = cancel_of(call);
    loop.watch = NULL;
    if (is_told(call)) {
        fl_progress_share(&plan->progress, &loop.latch, &loop.failure, call->begin);
        loop.watch = &plan->progress.watch;
    }
    loop.origin = call->begin;
    loop.begin = plan->at;
    loop.end = call->end;
    loop.grain = grain_of(call);
    loop.max_chunk = call->max_chunk;
    loop.lanes = plan->lanes;
    loop.is_limited = plan->lanes < worker_parallelism(worker);
    loop.parts = parts_for(plan, loop.end - loop.begin);
    loop.head_start = loop.parts > 1 && !is_task_list(plan)
                          ? head_start(plan, loop.end - loop.begin, loop.parts)
                          : 0;
    set_pace(&loop, plan);
    value = fl_split_run(worker, &loop);
    spent = plan->spent + loop.spent;
    if (is_comparable && loop.parts > 1 && value == 0)
        fl_launch_compare(launch, expected_ticks(plan), fl_ticks_since(then, fl_ticks()));
    /* See BARELY: then only a loop alone says that it costs more than was thought. */
    if (value == 0 &&
        (plan->ticks_per_item <= 0 || plan->at > call->begin ||
         !barely_pays(plan, (double)spent) ||
         (double)spent < plan->ticks_per_item * (double)(call->end - call->begin)))
        fl_plan_note_cost(plan, spent);
    return value;
}
