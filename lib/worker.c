/* worker.c - running entries, and sharing work with those who have none; see worker.h. */
#include "bind.h"
#include "escape.h"
#include "serving.h"

_Thread_local struct fl_worker *fl_current;

/* --- failures --------------------------------------------------------------------- */

void fl_failure_record(struct fl_failure *failure, uint64_t at, int value)
{
    /* ORDER(failure-lock): pairs with the release below; the value is plain memory, and
     * its reader is ordered by the latch. */
    while (fl_swap_acquire(&failure->lock, 1u))
        fl_yield();
    if (at < fl_load_relaxed(&failure->at)) { /* the lock's */
        failure->value = value;
        fl_store_relaxed(&failure->at, at);
    }
    /* ORDER(failure-lock): pairs with the acquire above. */
    fl_store_release(&failure->lock, 0u);
}

/* --- sharing ---------------------------------------------------------------------- */

void fl_worker_wake_one(struct fl_worker *worker)
{
    if (fl_lot_wake_one(&worker->pool->lot))
        fl_count(&worker->counters.wakes);
}

/* Wake the one who waits for what the worker does, or else an idle worker. */
static void feed(struct fl_worker *worker)
{
    fl_served served = serving_whom(fl_load_relaxed(&worker->serving)); /* its own */
    struct fl_parker *waiter = hungry_waiter(served);

    if (waiter && fl_parker_notify(waiter)) {
        fl_count(&worker->counters.wakes);
        /* It may have taken a job of ours before, and sleep for a latch further in: then
         * it leaves this one to others. What it sleeps for comes with ORDER(permit). */
        if (fl_load_relaxed(&waiter->sleeps_for) == served)
            return;
    }
    fl_worker_wake_one(worker);
}

/* Whether the gate is to stay up for those who are without work. For sleepers it must,
 * unless somebody searches, who raises it for all: now and then, and when the search ends.
 * Those who search get it up in between for as long as they come and take something: a job
 * that its owner runs faster than they come would only be published in vain, each time. */
static bool must_stay_up(struct fl_worker *worker)
{
    uint64_t hungry = fl_load_relaxed(&worker->pool->lot.hungry); /* see the fence */
    bool was_stolen_from = worker->was_stolen_from;

    worker->was_stolen_from = false;
    return lot_searching(hungry) > 0 ? was_stolen_from : lot_sleeping(hungry) > 0;
}

void fl_worker_share(struct fl_worker *worker)
{
    bind_note_caller(worker);
    if (deque_publish(&worker->deque))
        fl_count(&worker->counters.publishes);
    if (worker->deque.is_asymmetric)
        deque_lower_gate(&worker->deque);
    /* ORDER(sleep-dekker): the jobs are public, and the gate is down, before the hungry
     * are looked for; pairs with the fences in park_idle and park_waiting. Without it:
     * tests/model/serving.c, "lost wake-up". */
    fl_fence_seq_cst();
    if (must_stay_up(worker))
        deque_raise_gate(&worker->deque);
    feed(worker);
}

void fl_worker_hand_over(struct fl_worker *worker, struct filch_pool *pool,
                         filch_job *entry)
{
    struct fl_latch *latch = served_latch(served_by_entry(entry));
    struct fl_parker *waiter = latch ? latch->waiter : NULL;

    /* Once it is in the queue, the entry may be run and the latch be gone. A join's
     * waiter needs no wake: it sleeps only when its job has been begun. */
    fl_inject_put(&pool->inject, entry);
    /* ORDER(sleep-dekker): as in fl_worker_share. Without it: tests/model/serving.c,
     * "lost wake-up". */
    fl_fence_seq_cst();
    if (waiter && fl_parker_notify(waiter))
        fl_count(&worker->counters.wakes);
    if (fl_lot_wake_one(&pool->lot))
        fl_count(&worker->counters.wakes);
}

void fl_worker_set_closed(struct fl_worker *worker, bool is_closed)
{
    if (fl_load_relaxed(&worker->is_closed) == is_closed)
        return;
    fl_store_relaxed(&worker->is_closed, is_closed); /* a hint: thieves without a lane */
    if (is_closed)
        return;
    /* ORDER(sleep-dekker): as in fl_worker_share, for workers that fell asleep because
     * everybody was closed. */
    fl_fence_seq_cst();
    fl_worker_wake_one(worker);
}

/* --- running ---------------------------------------------------------------------- */

void fl_worker_run(struct fl_worker *worker, filch_job *entry, fl_fpenv join_fpenv)
{
    struct fl_context context = worker->context;
    fl_served before = serving_whom(fl_load_relaxed(&worker->serving));
    fl_served served = served_by_entry(entry);
    struct fl_latch *latch = served_latch(served);
    fl_fpenv fpenv_before = worker_fpenv(worker),
             fpenv = latch ? latch->fpenv : join_fpenv;
    /* Not always fpenv_before: a body that waits may have changed its own. */
    fl_fpenv fpenv_here = fl_fpenv_switch(fpenv);
    filch_worker *hot = worker_hot(worker);
    int64_t floor = fl_load_relaxed(&hot->tail); /* the owner's own */

    fl_count(&worker->counters.tasks);
    worker->context.is_draining = false;
    worker->context.scope = NULL;
    worker->context.watch = NULL;
    serve(worker, served, fpenv);
    if (entry_is_task(entry)) {
        struct fl_task *task = entry_task(entry);

        ask_oneself(worker, served);
        task->job.run(hot, &task->job);
        serve(worker, before, fpenv_before);
    } else {
        filch_job_fn *function = join_begin(entry, &worker->parker);
        struct fl_parker *waiter;

        /* A branch of a join is outside the loop around it: the lane is the forker's. */
        worker->context.loop = NULL;
        worker->context.lane = 0;
        worker->context.lanes = 1;
        worker->context.failure = NULL;
        worker->context.cancel = NULL;
        FL_CALL_USER(worker, function(hot, entry));
        /* Tasks that the branch spawned into a scope around it. */
        fl_worker_drain(worker, floor);
        serve(worker, before, fpenv_before);
        waiter = join_finish(entry);
        if (waiter && fl_parker_notify(waiter))
            fl_count(&worker->counters.wakes);
    }
    fl_fpenv_switch(fpenv_here); /* and if the body left another one behind */
    worker->context = context;
    ask_oneself(worker, before);
}

static bool drain(struct fl_worker *worker, int64_t floor)
{
    struct fl_deque *deque = &worker->deque;
    int64_t index;

    while ((index = fl_load_relaxed(&deque->hot.tail) - 1) >= floor) {
        filch_job *entry = fl_load_relaxed(&deque->hot.slot[index & FL_DEQUE_MASK]);

        if (!filch_reclaim(&deque->hot, entry, index))
            return false;
        FL_ASSERT(entry_is_task(entry));
        fl_count(&worker->counters.tasks);
        entry_task(entry)->job.run(&deque->hot, &entry_task(entry)->job);
    }
    return true;
}

bool fl_worker_drain(struct fl_worker *worker, int64_t floor)
{
    fl_fpenv before;
    bool is_drained;

    if (fl_load_relaxed(&worker->deque.hot.tail) <= floor) /* the owner's own */
        return true;
    before = fl_fpenv_switch(worker_fpenv(worker)); /* a body may have changed its own */
    is_drained = drain(worker, floor);
    fl_fpenv_switch(before);
    return is_drained;
}
