/* calls_task.c - scopes and their tasks, joins, forks, and slots of memory; see calls.h. */
#include <errno.h>
#include <string.h>
#include "calls.h"

#define MOST_TASKS 1000

/* --- scopes ----------------------------------------------------------------------- */

struct tasks {
    struct call call;
    filch_scope *scope;
    bool is_tree; /* each task spawns two */
    size_t ctx_bytes;
    size_t sync_at;
    int body_value;
};

struct task {
    struct tasks *tasks;
    size_t item;
    char ballast[100];
};

static int task_body(filch_worker *w, filch_scope *scope, void *ctx);

static void spawn(filch_worker *w, struct tasks *tasks, size_t item)
{
    struct task task = {tasks, item, ""}, *stays = NULL;
    int err;

    if (!tasks->ctx_bytes) {
        stays = run_alloc(sizeof *stays);
        *stays = task;
    }
    err =
        filch_spawn(w, tasks->scope, task_body, stays ? stays : &task, tasks->ctx_bytes);
    memset(&task, 0xff, sizeof task);
    if (err)
        complain("filch_spawn returned %d", err);
}

static int task_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct task *task = ctx;
    struct tasks *tasks = task->tasks;
    size_t item = task->item, child;
    int value;

    body_begin(&tasks->call, w, false);
    if (scope != tasks->scope)
        complain("a task is in another scope");
    for (child = 2 * item + 1; tasks->is_tree && child <= 2 * item + 2; child++)
        if (child < tasks->call.count)
            spawn(w, tasks, child);
    if (item % 16 == 7 && filch_sync(w, scope) != -EDEADLK)
        complain("filch_sync in a task did not return -EDEADLK");
    value = run_item(&tasks->call, w, item);
    body_end(&tasks->call, w, 0, false);
    return value;
}

static void check_sync(struct tasks *tasks, filch_worker *w, size_t spawned)
{
    size_t first = first_failing(&tasks->call, NULL), i;
    int want = first < spawned ? value_of(&tasks->call, first) : 0;
    int value = filch_sync(w, tasks->scope);

    if (value != want)
        complain("filch_sync after %zu tasks returned %d, not %d", spawned, value, want);
    for (i = 0; i < spawned && !want; i++)
        if (tasks->call.seen[i] != 1)
            complain("filch_sync returned, and task %zu of %zu has not run", i, spawned);
}

static int scope_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct tasks *tasks = ctx;
    size_t i;

    body_begin(&tasks->call, w, false);
    tasks->scope = scope;
    if (filch_spawn(NULL, scope, task_body, NULL, 0) != -EINVAL ||
        filch_spawn(w, NULL, task_body, NULL, 0) != -EINVAL ||
        filch_spawn(w, scope, NULL, NULL, 0) != -EINVAL ||
        filch_spawn(w, scope, task_body, NULL, 1) != -EINVAL)
        complain("filch_spawn takes wrong arguments");
    if (tasks->is_tree && tasks->call.count)
        spawn(w, tasks, 0);
    for (i = 0; i < tasks->call.count && !tasks->is_tree; i++) {
        spawn(w, tasks, i);
        if (i == tasks->sync_at)
            check_sync(tasks, w, i + 1);
    }
    body_end(&tasks->call, w, 0, false);
    return tasks->body_value;
}

/* A scope knows few options: no limit but one worker, no token and no progress. */
static void fit_options(const struct run *run, struct call *call)
{
    unsigned workers = filch_pool_workers(call->pool);

    if (call->is_bad && call->opts.struct_size == sizeof call->opts &&
        call->opts.abi == FILCH_HOT_ABI)
        call->is_bad = false, call->opts.max_chunk = 0;
    if (call->opts.max_workers > 1 && call->opts.max_workers < workers) {
        /* Inside, the caller may be one for whom that is no limit. */
        call->is_bad = call->is_bad || !run->w;
        call->opts.max_workers = run->w ? 0 : call->opts.max_workers;
    }
    call->opts.progress = NULL;
}

static void run_tasks(struct tasks *tasks)
{
    struct call *call = &tasks->call;
    int value = filch_scope_with(scope_body, &call->opts);

    if (call->is_bad) {
        check_refused(call, value);
        return;
    }
    if (tasks->body_value) {
        if (value != tasks->body_value)
            complain("a scope's body returned %d, the scope %d", tasks->body_value,
                     value);
        call_end(call);
        return;
    }
    check_items(call, value, NULL);
}

static struct tasks *read_tasks(struct run *run, bool is_tree)
{
    static const size_t sizes[] = {offsetof(struct task, ballast), sizeof(struct task), 0,
                                   offsetof(struct task, ballast)};
    struct tasks *tasks = call_new(run, sizeof *tasks, "filch_scope");

    read_items(run, &tasks->call, MOST_TASKS, false);
    fit_options(run, &tasks->call);
    tasks->is_tree = is_tree;
    tasks->ctx_bytes = sizes[read_byte(run) % 4];
    tasks->sync_at = SIZE_MAX;
    return tasks;
}

void call_scope(struct run *run)
{
    struct tasks *tasks = read_tasks(run, false);

    if (tasks->call.count && read_chance(run, 2))
        tasks->sync_at = read_below(run, tasks->call.count);
    if (read_chance(run, 8))
        tasks->body_value = -3;
    run_tasks(tasks);
}

/* What is spawned where is a matter of luck, and so is which of two errors comes first. */
void call_spawn_tree(struct run *run)
{
    struct tasks *tasks = read_tasks(run, true);
    struct call *call = &tasks->call;

    call->name = "a tree of tasks";
    call->fails_at[1] = call->fails_at[2] = SIZE_MAX;
    if (call->fails_at[0] != SIZE_MAX) {
        int value;

        if (call->is_bad)
            return;
        value = filch_scope_with(scope_body, &call->opts);
        call_end(call);
        if (value != value_of(call, call->fails_at[0]))
            complain("a tree of %zu tasks, of which %zu fails, returned %d", call->count,
                     call->fails_at[0], value);
        return;
    }
    run_tasks(tasks);
}

/* --- joins and forks -------------------------------------------------------------- */

struct branches {
    struct call call;
    bool forks;
};

/* Items [begin, end), cut in the middle down to one. */
struct branch {
    filch_job job;
    struct branches *branches;
    size_t begin, end;
    int value;
};

static int branch_body(filch_worker *w, void *ctx);

static void fork_body(filch_worker *w, filch_job *job)
{
    struct branch *branch = (struct branch *)(void *)job; /* its first member */

    branch->value = branch_body(w, branch);
}

static int fork_both(filch_worker *w, struct branch *left, struct branch *right)
{
    int64_t place;

    right->job.run = fork_body;
    place = filch_fork(w, &right->job);
    left->value = branch_body(w, left);
    if (filch_reclaim(w, &right->job, place))
        right->value = branch_body(w, right);
    else
        filch_await(w, &right->job);
    return left->value ? left->value : right->value;
}

static int branch_body(filch_worker *w, void *ctx)
{
    struct branch *branch = ctx;
    struct branches *branches = branch->branches;
    /* Field by field: the job is the library's, while it runs. */
    struct branch left = {.branches = branches, .begin = branch->begin};
    struct branch right = {.branches = branches, .end = branch->end};
    int value;

    body_begin(&branches->call, w, false);
    if (branch->end - branch->begin == 1) {
        value = run_item(&branches->call, w, branch->begin);
    } else {
        left.end = right.begin = branch->begin + (branch->end - branch->begin) / 2;
        value = branches->forks ? fork_both(w, &left, &right)
                                : filch_join(w, branch_body, &left, branch_body, &right);
    }
    body_end(&branches->call, w, 0, false);
    return value;
}

/* The worker is at hand, or the pool is entered for one; a join does so by itself, too,
 * with the default pool. */
static void call_branches(struct run *run, bool forks)
{
    struct branches *branches =
        call_new(run, sizeof *branches, forks ? "filch_fork" : "filch_join");
    struct call *call = &branches->call;
    struct branch all = {.branches = branches};
    int value;

    read_items(run, call, MOST_TASKS, false);
    fit_options(run, call);
    branches->forks = forks;
    all.end = call->count;
    if (!call->count) {
        call_end(call);
        return;
    }
    if (call->is_bad) {
        check_refused(call, filch_run_with(branch_body, &call->opts));
        return;
    }
    call->opts.ctx = &all;
    if (run->w && read_chance(run, 2)) {
        call->opts.max_workers = 0;
        call->pool = run->pool;
        value = branch_body(run->w, &all);
    } else if (!run->w && !forks && call->count > 1 && read_chance(run, 4)) {
        struct branch left = all, right = all;

        call->opts.max_workers = 0;
        left.end = right.begin = 1;
        call->pool = NULL;
        value = filch_join(NULL, branch_body, &left, branch_body, &right);
    } else {
        value = filch_run_with(branch_body, &call->opts);
    }
    check_items(call, value, NULL);
}

void call_join(struct run *run)
{
    call_branches(run, false);
}

void call_fork(struct run *run)
{
    call_branches(run, true);
}

static int pool_body(filch_worker *w, void *ctx)
{
    struct call *call = ctx;
    unsigned lane = body_begin(call, w, false);

    if (filch_worker_current() != w)
        complain("filch_run: another worker is the current one");
    run_items(call, w, 0, call->count);
    body_end(call, w, lane, false);
    return 31;
}

void call_run_pool(struct run *run)
{
    struct call *call = call_new(run, sizeof *call, "filch_run");
    int value;

    read_items(run, call, 10, false);
    fit_options(run, call);
    if (!call->count) {
        check_refused(call, filch_run_with(NULL, &call->opts));
        return;
    }
    value = filch_run_with(pool_body, &call->opts);
    if (call->is_bad) {
        check_refused(call, value);
        return;
    }
    call_end(call);
    if (value != 31 || call->bodies_at_end != 1)
        complain("filch_run returned %d, after %u bodies", value, call->bodies_at_end);
}

/* --- slots ------------------------------------------------------------------------ */

struct slots {
    struct call call;
    filch_local *local;
    atomic_uint made;
    unsigned ended;
    size_t items;
};

struct slot {
    struct slots *slots;
    size_t items;
};

static void slot_init(void *memory, void *ctx)
{
    struct slots *slots = ctx;
    struct slot *slot = memory;

    atomic_fetch_add(&slots->made, 1);
    slot->slots = slots;
    slot->items = 0;
}

static int slot_visit(void *memory, void *ctx)
{
    struct slots *slots = ctx;
    const struct slot *slot = memory;

    if (slot->slots != slots)
        complain("filch_local_each visits a slot that was not made");
    slots->items += slot->items;
    return 0;
}

static void slot_end(void *memory, void *ctx)
{
    (void)memory;
    ((struct slots *)ctx)->ended++;
}

static int slot_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct slots *slots = ctx;
    unsigned lane = body_begin(&slots->call, w, true);
    struct slot *slot = filch_local_get(slots->local, w);
    int value = run_items(&slots->call, w, begin, end);

    if (slot != filch_local_get(slots->local, w))
        complain("filch_local_get gives another slot to the same body");
    slot->items += end - begin;
    body_end(&slots->call, w, lane, true);
    return value;
}

void call_local(struct run *run)
{
    struct slots *slots = call_new(run, sizeof *slots, "a loop with slots");
    struct call *call = &slots->call;
    filch_pool *pool = read_chance(run, 4) ? read_pool(run) : call->pool;
    size_t bytes = sizeof(struct slot) + read_byte(run) * 2u, i;
    int value;

    read_items(run, call, SIZE_MAX, false);
    for (i = 0; i < MOST_FAILURES; i++)
        call->fails_at[i] = SIZE_MAX;
    if (filch_local_create(NULL, pool, bytes, NULL, NULL) != -EINVAL ||
        filch_local_create(&slots->local, pool, 0, NULL, NULL) != -EINVAL || slots->local)
        complain("filch_local_create takes wrong arguments");
    value = filch_local_create(&slots->local, pool, bytes, slot_init, slots);
    if (value) {
        complain("filch_local_create returned %d", value);
        return;
    }
    value = filch_for_with(0, call->count, slot_body, &call->opts);
    if (call->is_bad)
        check_refused(call, value);
    else
        check_items(call, value, NULL);
    filch_local_each(slots->local, slot_visit, slots);
    filch_local_destroy(slots->local, slot_end, slots);
    if (!value && slots->items != call->count)
        complain("slots hold %zu items of %zu", slots->items, call->count);
    if (slots->ended != atomic_load(&slots->made))
        complain("%u slots were made, %u ended", slots->made, slots->ended);
}
