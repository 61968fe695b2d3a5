/* calls_items.c - running items, and what every call is checked for; see calls.h. */
#include <errno.h>
#include <sched.h>
#include "calls.h"
#include "../stress/plan.h"

/* --- running it ------------------------------------------------------------------- */

unsigned body_begin(struct call *call, filch_worker *w, bool in_lane)
{
    unsigned lane = 0, lanes;

    atomic_fetch_add_explicit(&call->bodies, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&call->inside, 1, memory_order_relaxed);
    if (atomic_load_explicit(&call->is_over, memory_order_relaxed))
        complain("%s: a body runs after the call has returned", call->name);
    if (!w)
        complain("%s: a body has no worker", call->name);
    if (call->opts.max_workers == 1 && call->caller != &this_thread)
        complain("%s: one worker was asked for, and another runs", call->name);
    if (!in_lane)
        return 0;
    lane = filch_lane(w);
    lanes = filch_lanes(w);
    if (lane >= lanes || lanes > call->workers)
        complain("%s: lane %u of %u, of at most %u", call->name, lane, lanes,
                 call->workers);
    if (lane < 64 &&
        atomic_exchange_explicit(&call->lane_is_taken[lane], 1, memory_order_relaxed))
        complain("%s: lane %u is taken twice", call->name, lane);
    return lane;
}

void body_end(struct call *call, filch_worker *w, unsigned lane, bool in_lane)
{
    if (in_lane && filch_lane(w) != lane)
        complain("%s: lane %u became %u", call->name, lane, filch_lane(w));
    if (in_lane && lane < 64)
        atomic_store_explicit(&call->lane_is_taken[lane], 0, memory_order_relaxed);
    atomic_fetch_sub_explicit(&call->inside, 1, memory_order_relaxed);
}

int value_of(const struct call *call, size_t item)
{
    return call->fails_with + (int)item;
}

int run_item(struct call *call, filch_worker *w, size_t item)
{
    unsigned i;

    if (item >= call->count) {
        complain("%s: item %zu of %zu", call->name, item, call->count);
        return 0;
    }
    if (call->seen[item] < 2)
        call->seen[item]++;
    if (call->work) {
        uint64_t sum = item;

        for (i = 0; i < call->work; i++)
            sum = mix(sum);
        if (sum % 64 == 0)
            sched_yield();
    }
    if (item == call->cancels_at)
        filch_cancel_set(&call->token);
    for (i = 0; i < 2; i++)
        if (item == call->nested_at[i])
            run_nested(call, w);
    for (i = 0; i < MOST_FAILURES; i++)
        if (item == call->fails_at[i])
            return value_of(call, item);
    return 0;
}

int run_items(struct call *call, filch_worker *w, size_t begin, size_t end)
{
    size_t i;
    int value = 0;

    if (begin >= end)
        complain("%s: an empty range at %zu", call->name, begin);
    for (i = begin; i < end && i < call->count && !value; i++)
        value = run_item(call, w, i);
    return value;
}

/* --- what came of it -------------------------------------------------------------- */

void call_end(struct call *call)
{
    uint32_t inside = atomic_load(&call->inside);

    atomic_store(&call->is_over, true);
    call->bodies_at_end = atomic_load(&call->bodies);
    if (inside)
        complain("%s: %u bodies run when the call returns", call->name, inside);
}

size_t first_failing(const struct call *call, item_order *is_before)
{
    size_t first = SIZE_MAX;
    unsigned i;

    for (i = 0; i < MOST_FAILURES; i++) {
        size_t item = call->fails_at[i];

        if (item != SIZE_MAX &&
            (first == SIZE_MAX ||
             (is_before ? is_before(call, item, first) : item < first)))
            first = item;
    }
    return first;
}

void check_refused(struct call *call, int value)
{
    call_end(call);
    if (value != -EINVAL || call->bodies_at_end)
        complain("%s: a wrong argument gave %d, and %u bodies", call->name, value,
                 call->bodies_at_end);
}

/* Another end than by a failing item, where it is one that was asked for. */
static bool is_other_end(const struct call *call, int value, size_t run)
{
    if (call->is_ended && value == PROGRESS_VALUE)
        return true;
    if (value != -ECANCELED || !filch_cancel_is_set(&call->token))
        return false;
    if (call->is_cancelled_before && call->bodies_at_end)
        complain("%s: %u bodies after the token was set", call->name,
                 call->bodies_at_end);
    if (run == call->count && !call->has_more)
        complain("%s: cancelled, and all %zu items were run", call->name, run);
    return true;
}

/* Of a loop that was cancelled nobody knows which items were run, and failed. */
static bool is_expected(const struct call *call, int value, size_t first)
{
    unsigned i;

    for (i = 0; i < MOST_FAILURES && filch_cancel_is_set(&call->token); i++)
        if (call->fails_at[i] != SIZE_MAX && call->seen[call->fails_at[i]] &&
            value == value_of(call, call->fails_at[i]))
            return true;
    return value == (first == SIZE_MAX ? 0 : value_of(call, first));
}

void check_items(struct call *call, int value, item_order *is_before)
{
    size_t first = first_failing(call, is_before), run = 0, i;

    call_end(call);
    for (i = 0; i < call->count; i++) {
        run += call->seen[i] > 0;
        if (call->seen[i] > 1)
            complain("%s (depth %u): item %zu of %zu ran more than once", call->name,
                     call->depth, i, call->count);
    }
    if (value && is_other_end(call, value, run))
        return;
    /* A failure of the first range may have come before, and counts then. */
    if (call->is_ended && (first == SIZE_MAX || value != value_of(call, first)))
        complain("%s: ended by progress, and returned %d", call->name, value);
    if (call->is_cancelled_before && call->count)
        complain("%s: cancelled before, and returned %d", call->name, value);
    if (!is_expected(call, value, first))
        complain("%s (depth %u): %zu items, item %zu fails, and it returned %d",
                 call->name, call->depth, call->count, first, value);
    for (i = 0; i < call->count; i++)
        if (!call->seen[i] && !filch_cancel_is_set(&call->token) &&
            (first == SIZE_MAX || i == first ||
             (is_before ? is_before(call, i, first) : i < first)))
            complain("%s (depth %u): item %zu of %zu was not run; it returned %d",
                     call->name, call->depth, i, call->count, value);
    if (value == 0 && run < call->count)
        complain("%s: %zu of %zu items were run, and it returned 0", call->name, run,
                 call->count);
}
