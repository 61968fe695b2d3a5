/* alone.c - a loop on its caller alone, which watches what it takes; see plan.h. */
#include <errno.h>
#include "escape.h"
#include "plan.h"

/* What a caller alone runs between two looks at the clock, */
#define ALONE_CHUNK_NS 4000u
/* and how many times as much as it has seen so far: of a loop that is known to be small,
 * and of others, where the cost may be still to come. */
#define KNOWN_GROWTH 64
#define OTHER_GROWTH 1

/* Of a loop that is known to be small, the first part is large enough that the look at the
 * clock, the call and the start of vector code cost little beside it; and small enough that
 * it is early to see that this time the loop is long. */
#define FIRST_CHUNK_NS 500u
#define FIRST_PART     8

/* The body, for [begin, end), in calls of the size that it wants. */
static int call_body(struct fl_worker *worker, const struct fl_loop_call *call,
                     size_t begin, size_t end)
{
    int value = 0;

    while (begin < end && value == 0) {
        size_t next = fl_call_end(begin, end, call->grain, call->max_chunk);

        FL_CALL_USER(worker,
                     value = call->body(worker_hot(worker), begin, next, call->ctx));
        begin = next;
    }
    return value;
}

/* So many items as come next, but none below the grain: neither these nor the last. */
static size_t not_below_grain(const struct fl_plan *plan, size_t chunk)
{
    size_t left = plan->call->end - plan->at, grain = grain_of(plan->call);

    chunk = FL_MAX(chunk, grain);
    return left < chunk || left - chunk < grain ? left : chunk;
}

/* Down to a multiple, for vector code. */
static size_t aligned_down(size_t done, size_t chunk)
{
    size_t off = (done + chunk) % FL_SPLIT_ALIGN;

    return off < chunk ? chunk - off : chunk;
}

/* How many items come first: one, where nothing is known. */
static size_t first_chunk(const struct fl_plan *plan)
{
    size_t left = plan->call->end - plan->at, chunk = 1;

    if (plan->is_small) {
        double items = (double)fl_ticks_of_ns(FIRST_CHUNK_NS) / plan->ticks_per_item;

        chunk = FL_MIN(left / FIRST_PART, items < 1e18 ? (size_t)items : SIZE_MAX);
        chunk = aligned_down(plan->at - plan->call->begin, FL_MAX(chunk, 1));
    }
    return not_below_grain(plan, chunk);
}

/* How many items come next, after so many that took so many ticks. */
static size_t next_chunk(const struct fl_plan *plan, size_t items, uint64_t ticks)
{
    size_t done = plan->at - plan->call->begin;
    double rate = ticks > fl_ticks_of_ns(CLOCK_NS) ? (double)ticks / (double)items : 0;
    double fitting = (double)fl_ticks_of_ns(ALONE_CHUNK_NS) /
                     FL_MAX(FL_MAX(rate, plan->ticks_per_item), 1e-6);
    size_t growth = plan->is_small ? KNOWN_GROWTH : OTHER_GROWTH;
    size_t most = done > SIZE_MAX / growth ? SIZE_MAX : done * growth;
    size_t chunk = fitting < (double)most ? (size_t)fitting : most;

    chunk = FL_MIN(chunk, SIZE_MAX - done);
    chunk = aligned_down(done, chunk);
    if (plan->call->max_chunk && (is_told(plan->call) || cancel_of(plan->call)))
        chunk = FL_MIN(chunk, plan->call->max_chunk); /* a look after each call */
    return not_below_grain(plan, FL_MAX(chunk, 1));
}

/* What so many items took, without the time in which somebody else had the CPU. */
static uint64_t worked(const struct fl_plan *plan, size_t items, uint64_t ticks)
{
    size_t done = plan->at - plan->call->begin;
    double rate = done > 0 ? (double)plan->spent / (double)done : plan->ticks_per_item;

    if (ticks <= fl_ticks_of_ns(FL_SUSPICIOUS_NS))
        return ticks;
    return ticks - fl_preempted_ticks(ticks, rate * (double)items);
}

/* Range by range, with a look at the clock between them; until the end, an error, or what
 * is left is worth sharing. Returns the body's value. */
static int run_watched(struct fl_worker *worker, struct fl_plan *plan)
{
    const struct fl_loop_call *call = plan->call;
    const filch_cancel *cancel = cancel_of(call);
    size_t chunk = first_chunk(plan);
    uint64_t then = fl_ticks(), now;

    fl_preempted_begin(then);
    while (plan->at < call->end) {
        size_t begin = plan->at;
        int value;

        if (cancel && filch_cancel_is_set(cancel))
            return -ECANCELED;
        value = call_body(worker, call, begin, begin + chunk);
        now = fl_ticks();
        then = worked(plan, chunk, fl_ticks_since(then, now));
        plan->at += chunk;
        plan->spent += then;
        if (value == 0 && is_told(call))
            value = fl_progress_tell(&plan->progress, plan->at - call->begin);
        if (value)
            return value;
        if (fl_plan_is_worth_sharing(plan, chunk, then))
            return 0;
        chunk = next_chunk(plan, chunk, then);
        then = now;
    }
    return 0;
}

int fl_plan_run_alone(struct fl_worker *worker, struct fl_plan *plan)
{
    const struct fl_loop_call *call = plan->call;
    struct fl_context context = worker->context;
    int value;

    worker->context =
        (struct fl_context){.lanes = plan->lanes, .cancel = cancel_of(call)};
    if (plan->is_divisible || cancel_of(call) || is_told(call)) {
        value = run_watched(worker, plan);
        if (value == 0 && plan->at == call->end)
            fl_plan_note_cost(plan, plan->spent);
    } else {
        uint64_t then = fl_ticks();

        fl_preempted_begin(then);
        value = call_body(worker, call, plan->at, call->end);
        plan->spent +=
            worked(plan, call->end - plan->at, fl_ticks_since(then, fl_ticks()));
        plan->at = call->end;
        if (value == 0)
            fl_plan_note_cost(plan, plan->spent);
    }
    worker->context = context;
    return value;
}
