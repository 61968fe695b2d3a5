/* scope.c - scopes: tasks that may outlive their spawner.
 *
 * A task lies in its spawner's deque until the spawner's worker drains it (at the end of
 * the scope, of the task that spawned it, or when a job below it is reclaimed) or a thief
 * takes it. The scope counts what is outstanding: its body, and every task spawned and
 * not ended. Its owner, who runs most of what it spawns itself, has some of the count in
 * advance, and settles before it waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <filch/scope.h>
#include "enter.h"
#include "escape.h"
#include "options.h"
#include "pool_life.h"

/* Contexts up to this size come with tasks that are kept for the next spawn. */
#define SMALL_CTX_BYTES 64

/* The owner of a scope counts this many tasks at a time, */
#define BATCH 64

/* and numbers so many, one after the other, by itself. */
#define STEP (UINT64_C(1) << 16)

/* Tasks that find no room run at once, inside each other to this depth at most: a chain
 * of them must not eat up the stack. */
#define AT_ONCE_DEPTH 32

struct filch_scope {
    /* Counts the body, the tasks, and what the owner has in advance. */
    struct fl_latch latch;
    struct fl_failure failure;
    uint64_t step; /* a multiple of STEP: see next_number */
    struct fl_worker *owner;
    int64_t floor; /* of the owner's deque, below what the scope put there */
    /* The owner's own: what it spawns, and runs itself, needs no atomic operation. */
    uint64_t advance; /* counted by the latch, and no task's yet */
    uint64_t number;  /* of its last task */
    bool is_waiting;  /* for the latch, which so counts tasks alone */
};

struct fl_spawned {
    struct fl_task task;
    filch_scope *scope;
    filch_scope_body *body;
    void *ctx;
    uint64_t number;
    struct fl_spawned *next_spare;
    struct fl_worker *home; /* who keeps it for the next spawn; NULL: nobody */
    _Alignas(max_align_t) char copy[];
};

/* A running task, on its worker's stack. */
struct fl_task_frame {
    const filch_scope *scope;
    struct fl_task_frame *outer;
};

/* --- memory ----------------------------------------------------------------------- */

/* The worker's spare tasks, and those that others have sent back to it. */
static struct fl_spawned *spares_take(struct fl_worker *worker)
{
    struct fl_spawned *spares = worker->free_tasks;

    if (!spares &&
        fl_load_relaxed(&worker->returned_tasks)) /* a hint: the swap decides */
        /* ORDER(spare-task): pairs with the CAS in spawned_free: the links are seen, and
         * nobody uses the tasks any more. All are taken at once, so none can come back
         * between a look at the list and its change. */
        spares = fl_swap_acquire(&worker->returned_tasks, (struct fl_spawned *)NULL);
    worker->free_tasks = NULL;
    return spares;
}

/* is_kept: the worker is there for as long as the task, which can so be sent back to it. */
static struct fl_spawned *spawned_alloc(struct fl_worker *worker, size_t ctx_bytes,
                                        bool is_kept)
{
    struct fl_spawned *spawned;

    if (ctx_bytes > SMALL_CTX_BYTES || !is_kept) {
        if (ctx_bytes > SIZE_MAX - sizeof *spawned)
            return NULL;
        spawned = malloc(sizeof *spawned + ctx_bytes);
        if (spawned)
            spawned->home = NULL;
        return spawned;
    }
    spawned = spares_take(worker);
    if (spawned) {
        worker->free_tasks = spawned->next_spare;
        return spawned;
    }
    spawned = malloc(sizeof *spawned + SMALL_CTX_BYTES);
    if (spawned)
        spawned->home = worker;
    return spawned;
}

/* A small one goes back to whose it is: a worker that spawns, and whose tasks others run,
 * needs it again. It keeps as many as it ever had outstanding at a time, which its ring
 * limits. */
static void spawned_free(struct fl_worker *worker, struct fl_spawned *spawned)
{
    struct fl_worker *home = spawned->home;

    if (!home) {
        free(spawned);
        return;
    }
    if (home == worker) {
        spawned->next_spare = worker->free_tasks;
        worker->free_tasks = spawned;
        return;
    }
    spawned->next_spare = fl_load_relaxed(&home->returned_tasks); /* the CAS decides */
    /* ORDER(spare-task): pairs with the swap in spares_take. */
    while (!fl_cas_acq_rel(&home->returned_tasks, &spawned->next_spare, spawned))
        continue;
}

void fl_worker_free_memory(struct fl_worker *worker)
{
    struct fl_spawned *spawned;

    while ((spawned = spares_take(worker))) {
        worker->free_tasks = spawned->next_spare;
        free(spawned);
    }
    free(worker->arena);
    worker->arena = NULL;
    worker->arena_bytes = 0;
}

/* --- counting --------------------------------------------------------------------- */

static bool has_advance(const struct fl_worker *worker, const filch_scope *scope)
{
    return worker == scope->owner && !scope->is_waiting;
}

/* Of a task to be spawned, larger than those of all that were spawned before it; 0 is the
 * body's. The owner counts within a step, which any other spawner's task ends. */
static uint64_t next_number(const struct fl_worker *worker, filch_scope *scope)
{
    uint64_t step;

    if (worker != scope->owner)
        return fl_add_relaxed(&scope->step, STEP) + STEP;
    step = fl_load_relaxed(&scope->step); /* who spawned before us has told us, somehow */
    if (scope->number >= step && scope->number - step < STEP - 1)
        return ++scope->number;
    if (scope->number >= step) /* this step is used up */
        step = fl_add_relaxed(&scope->step, STEP) + STEP;
    return scope->number = step + 1;
}

/* One more to wait for. The spawner holds the scope open, so the count is not near 0. */
static void count_up(const struct fl_worker *worker, filch_scope *scope)
{
    if (!has_advance(worker, scope)) {
        fl_add_relaxed(&scope->latch.remaining, 1);
        return;
    }
    if (scope->advance == 0) {
        fl_add_relaxed(&scope->latch.remaining, BATCH);
        scope->advance = BATCH;
    }
    scope->advance--;
}

/* One less. The last touch of the scope, unless it is the worker's. */
static void count_down(struct fl_worker *worker, filch_scope *scope)
{
    struct fl_parker *waiter = scope->latch.waiter;

    if (has_advance(worker, scope)) {
        scope->advance++;
        return;
    }
    /* 1: filch_sync may be waiting, in the body, which is the one that is left. */
    if (latch_count_down(&scope->latch, 1) <= 1 && waiter != &worker->parker &&
        fl_parker_notify(waiter))
        fl_count(&worker->counters.wakes);
}

/* --- running ---------------------------------------------------------------------- */

/* Call a task's body, in a context of its own. */
static void call(struct fl_worker *worker, filch_scope *scope, filch_scope_body *body,
                 void *ctx, uint64_t number)
{
    struct fl_context context = worker->context;
    struct fl_task_frame frame = {scope, worker->frames};
    int64_t floor = fl_load_relaxed(&worker->deque.hot.tail); /* the owner's own */
    int value;

    if (failure_is_below(&scope->failure, number))
        return;
    worker->frames = &frame;
    worker->context = (struct fl_context){
        .lanes = 1, .failure = &scope->failure, .at = number, .is_draining = false};
    FL_CALL_USER(worker, value = body(worker_hot(worker), scope, ctx));
    if (value)
        fl_failure_record(&scope->failure, number, value);
    /* What the task left behind. When its caller is popping tasks anyway it goes on to
     * these: a chain of tasks, each spawned by the one before, needs no more stack. */
    if (!context.is_draining) {
        worker->context.is_draining = true;
        fl_worker_drain(worker, floor);
    }
    worker->context = context;
    worker->frames = frame.outer;
}

static void spawned_run(filch_worker *hot, filch_job *job)
{
    struct fl_worker *worker = worker_of(hot);
    struct fl_spawned *spawned = FL_CONTAINER_OF(job, struct fl_spawned, task.job);
    filch_scope *scope = spawned->scope;

    call(worker, scope, spawned->body, spawned->ctx, spawned->number);
    spawned_free(worker, spawned);
    count_down(worker, scope);
}

/* Run a task inside its spawner, who holds the scope open; in the environment of the
 * scope all the same. Without memory for a copy of a
 * large context, the task gets the spawner's. */
static void run_at_once(struct fl_worker *worker, filch_scope *scope,
                        filch_scope_body *body, const void *ctx, size_t ctx_bytes,
                        uint64_t number)
{
    _Alignas(max_align_t) char small[SMALL_CTX_BYTES];
    void *copy = NULL;
    fl_fpenv before = fl_fpenv_switch(scope->latch.fpenv);

    if (ctx_bytes)
        copy = ctx_bytes <= sizeof small ? small : malloc(ctx_bytes);
    if (copy)
        memcpy(copy, ctx, ctx_bytes);
    call(worker, scope, body, copy ? copy : (void *)(uintptr_t)ctx, number);
    if (copy != small)
        free(copy);
    fl_fpenv_switch(before);
}

/* The ring is full. Later, idle workers take the task, or who waits at the end of the
 * scope does. */
static void spawn_overflow(struct fl_worker *worker, struct fl_spawned *spawned)
{
    if (worker->at_once < AT_ONCE_DEPTH) {
        fl_fpenv before = fl_fpenv_switch(spawned->scope->latch.fpenv);

        worker->at_once++;
        spawned_run(worker_hot(worker), &spawned->task.job);
        worker->at_once--;
        fl_fpenv_switch(before);
    } else if (spawned->scope->owner->index == FL_SOLO) { /* the worker itself */
        spawned->next_spare = worker->deferred;
        worker->deferred = spawned;
    } else {
        fl_worker_hand_over(worker, worker->pool, entry_of_task(&spawned->task));
    }
}

/* Whether the task may lie in the worker's deque, all of which runs in one environment. A
 * worker without a ring keeps nothing there. */
static bool is_of_one_fpenv(const struct fl_worker *worker, const filch_scope *scope)
{
    return !worker_has_ring(worker) || worker_fpenv(worker) == scope->latch.fpenv;
}

int filch_spawn(filch_worker *w, filch_scope *scope, filch_scope_body *task,
                const void *ctx, size_t ctx_bytes)
{
    struct fl_spawned *spawned = NULL;
    struct fl_worker *worker;
    uint64_t number;
    bool is_local;

    if (!w || !scope || !task || (ctx_bytes && !ctx))
        return -EINVAL;
    worker = worker_of(w);
    number = next_number(worker, scope);
    /* Workers of another pool do not serve the scope's latch: its own pool gets the task.
     * Unless the scope's worker is alone, and so does not wait for others. */
    is_local = (worker == scope->owner ||
                (worker->pool == scope->owner->pool && scope->owner->index != FL_SOLO)) &&
               is_of_one_fpenv(worker, scope);
    /* And a worker alone may be gone before its tasks for a scope around it have run. */
    if (is_local || scope->owner->index != FL_SOLO)
        spawned = spawned_alloc(worker, ctx_bytes,
                                is_local &&
                                    (worker == scope->owner || worker->index != FL_SOLO));
    if (!spawned) {
        fl_count(&worker->counters.overflows);
        run_at_once(worker, scope, task, ctx, ctx_bytes, number);
        return 0;
    }
    spawned->task.job.run = spawned_run;
    spawned->task.latch = &scope->latch;
    spawned->task.is_bound = false;
    spawned->scope = scope;
    spawned->body = task;
    spawned->number = number;
    spawned->ctx = ctx_bytes ? spawned->copy : (void *)(uintptr_t)ctx;
    if (ctx_bytes)
        memcpy(spawned->copy, ctx, ctx_bytes);
    count_up(worker, scope);
    if (!is_local)
        fl_worker_hand_over(worker, scope->owner->pool, entry_of_task(&spawned->task));
    else if (filch_fork(w, entry_of_task(&spawned->task)) == FILCH_NOT_PUSHED)
        spawn_overflow(worker, spawned);
    return 0;
}

/* --- the scope -------------------------------------------------------------------- */

/* Run what lies in the own deque, then help and wait until only so many are left. */
static void finish(struct fl_worker *worker, filch_scope *scope, uint64_t down_to)
{
    struct fl_context context = worker->context;
    struct fl_spawned *spawned;
    fl_fpenv before = fl_fpenv_switch(scope->latch.fpenv); /* not the body's, if it is
                                                              another one now */

    worker->context.is_draining = true;
    fl_worker_drain(worker, scope->floor);
    while ((spawned = worker->deferred)) {
        worker->deferred = spawned->next_spare;
        spawned_run(worker_hot(worker), &spawned->task.job);
        fl_worker_drain(worker, scope->floor);
    }
    worker->context = context;
    scope->is_waiting = true;
    if (scope->advance > 0)
        latch_count_down(&scope->latch, scope->advance);
    scope->advance = 0;
    if (!latch_is_down(&scope->latch, down_to))
        fl_worker_wait(worker, served_by_latch(&scope->latch), down_to);
    scope->is_waiting = false;
    fl_fpenv_switch(before);
}

/* Whether a fork of the scope's body, not reclaimed yet, lies among its tasks. */
static bool is_inside_fork(struct fl_worker *worker, const filch_scope *scope)
{
    filch_worker *hot = worker_hot(worker);
    int64_t top = fl_load_relaxed(&worker->deque.top); /* what is below has gone */
    int64_t index = fl_load_relaxed(&hot->tail) - 1;   /* the owner's own */

    for (; index >= FL_MAX(scope->floor, top); index--)
        if (!entry_is_task(fl_load_relaxed(&hot->slot[index & FL_DEQUE_MASK])))
            return true; /* its own slots */
    return false;
}

int filch_sync(filch_worker *w, filch_scope *scope)
{
    struct fl_worker *worker;
    const struct fl_task_frame *frame;

    FL_CHECK_ESCAPES();
    if (!w || !scope)
        return -EINVAL;
    worker = worker_of(w);
    for (frame = worker->frames; frame; frame = frame->outer)
        if (frame->scope == scope)
            return -EDEADLK;
    if (worker->context.scope != scope || is_inside_fork(worker, scope))
        return -EINVAL;
    finish(worker, scope, 1);
    return scope->failure.value;
}

struct scope_call {
    filch_scope_body *body;
    const filch_opts *opts;
};

static int scope_body(struct fl_worker *worker, void *arg)
{
    const struct scope_call *scope_call = arg;
    struct fl_context context = worker->context;
    filch_scope scope;
    int value;

    scope.latch = (struct fl_latch){
        .remaining = 1, .waiter = &worker->parker, .fpenv = worker_fpenv(worker)};
    failure_init(&scope.failure);
    scope.step = scope.number = scope.advance = 0;
    scope.is_waiting = false;
    scope.owner = worker;
    scope.floor = fl_load_relaxed(&worker->deque.hot.tail); /* the owner's own */
    worker->context.scope = &scope;
    worker->context.failure = &scope.failure;
    worker->context.at = UINT64_MAX; /* any failed task makes the body unnecessary */
    FL_CALL_USER(worker, value = scope_call->body(worker_hot(worker), &scope,
                                                  scope_call->opts ? scope_call->opts->ctx
                                                                   : NULL));
    worker->context = context;
    if (value)
        fl_failure_record(&scope.failure, 0, value);
    finish(worker, &scope, 1);
    return scope.failure.value;
}

static int scope_inside(struct fl_worker *worker, void *arg)
{
    const struct scope_call *scope_call = arg;

    /* The deque of a worker alone runs in one environment, too. */
    if (!worker_has_ring(worker) || worker_fpenv(worker) != fl_fpenv_read())
        return fl_enter_alone(worker, scope_body, arg);
    return fl_enter_whole(worker, scope_call->opts, scope_body, arg);
}

int filch_scope_with(filch_scope_body *body, const filch_opts *opts)
{
    struct scope_call scope_call = {body, opts};

    FL_CHECK_ESCAPES();
    if (!body || fl_opts_check(opts))
        return -EINVAL;
    return fl_enter(opts, scope_inside, &scope_call);
}
