/* nest.c - running nests in parallel; see nest.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "nest.h"

struct nest {
    struct call call;
    struct call far_call; /* the creator of far-off tasks */
    struct plan plan;
    filch_worker *w; /* NULL outside */
    struct result slot[MOST_CHILDREN];
    atomic_uchar lane_is_busy[MOST_WORKERS];
    unsigned char *seen; /* items of a leaf loop */
    _Atomic uint64_t sum;
    _Atomic uint64_t folded;
    filch_scope *scope;
};

static struct result run_child(filch_worker *w, const struct nest *nest,
                               const struct call *creator, size_t i)
{
    struct result result = {0, 0};

    if (i == nest->plan.fails_at)
        return (struct result){0, nest->plan.fails_with};
    result = run_nest(w, creator, child_seed(nest->call.seed, i), nest->call.depth - 1);
    return hides_errors(nest->plan.kind) ? hide_error(result) : result;
}

static unsigned lane_begin(filch_worker *w, struct nest *nest)
{
    unsigned lane = filch_lane(w), lanes = filch_lanes(w), most = pool_workers;

    if (nest->plan.max_workers && nest->plan.max_workers < most)
        most = nest->plan.max_workers;
    if (lane >= lanes || lanes > most)
        fail("lane %u of %u, where there are at most %u", lane, lanes, most);
    if (atomic_exchange_explicit(&nest->lane_is_busy[lane], 1, memory_order_relaxed))
        fail("lane %u of a %s (nest %" PRIu64 ") is taken twice", lane,
             kind_names[nest->call.kind], nest->call.seed);
    return lane;
}

static void lane_end(filch_worker *w, struct nest *nest, unsigned lane)
{
    if (filch_lane(w) != lane)
        fail("lane %u became %u during a body", lane, filch_lane(w));
    atomic_store_explicit(&nest->lane_is_busy[lane], 0, memory_order_relaxed);
}

/* Loops. */

static int leaf_loop_items(filch_worker *w, size_t begin, size_t end, struct nest *nest)
{
    uint64_t sum = 0;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        nest->seen[i]++;
        if (i == nest->plan.fails_at)
            return nest->plan.fails_with;
        sum += contribution(mix(nest->call.seed + i), i);
    }
    atomic_fetch_add_explicit(&nest->sum, sum, memory_order_relaxed);
    return 0;
}

static int loop_items(filch_worker *w, size_t begin, size_t end, struct nest *nest)
{
    size_t i;

    for (i = begin; i < end; i++) {
        nest->slot[i] = run_child(w, nest, &nest->call, i);
        if (nest->slot[i].err)
            return nest->slot[i].err;
    }
    return 0;
}

static int loop_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest *nest = ctx;
    const struct call *outer = body_begin(&nest->call, false);
    unsigned lane = lane_begin(w, nest);
    int err = nest->seen ? leaf_loop_items(w, begin, end, nest)
                         : loop_items(w, begin, end, nest);

    lane_end(w, nest, lane);
    body_end(outer);
    return err;
}

static int reduce_body(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct nest *nest = ctx;
    const struct call *outer = body_begin(&nest->call, false);
    unsigned lane = lane_begin(w, nest);
    struct result one = {0, 0};
    uint64_t folded = 0;
    size_t i;

    for (i = begin; i < end && !one.err; i++) {
        struct fold right;

        if (nest->call.kind == REDUCE)
            one = run_child(w, nest, &nest->call, i);
        else if (i == nest->plan.fails_at)
            one.err = nest->plan.fails_with;
        else
            one.sum = mix(nest->call.seed + i);
        right = fold_of(one.sum, i);
        fold_add(acc, &right);
        folded++;
    }
    atomic_fetch_add_explicit(&nest->folded, folded, memory_order_relaxed);
    lane_end(w, nest, lane);
    body_end(outer);
    return one.err;
}

static void reduce_combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    fold_add(left, right);
}

/* The ways to name the pool: by the worker, by name, or, inside, not at all. */
static filch_opts *set_opts(filch_opts *opts, struct nest *nest)
{
    *opts = *FILCH_OPTS(nest, .grain = nest->plan.grain,
                        .max_workers = nest->plan.max_workers);
    /* Scopes know no limit but one worker. */
    if (nest->plan.kind >= SCOPE && opts->max_workers > 1)
        opts->max_workers = 0;
    if (!nest->w || nest->plan.variant % 3 == 0)
        opts->pool = pool;
    else if (nest->plan.variant % 3 == 1)
        opts->worker = nest->w;
    return opts;
}

static void check_seen(const struct nest *nest, int err)
{
    size_t i;

    for (i = 0; i < nest->plan.count; i++)
        if (nest->seen[i] > 1 ||
            (nest->seen[i] == 0 && (!err || i <= nest->plan.fails_at)))
            fail("nest %" PRIu64 ": item %zu of %zu ran %d times, the loop returned %d",
                 nest->call.seed, i, nest->plan.count, nest->seen[i], err);
}

static struct result run_loop(struct nest *nest)
{
    unsigned char seen[MOST_ITEMS] = {0};
    struct result result = {0, 0};
    filch_opts opts;
    size_t i;

    nest->seen = nest->call.kind == LEAF_LOOP ? seen : NULL;
    result.err = filch_for_with(0, nest->plan.count, loop_body, set_opts(&opts, nest));
    if (nest->seen) {
        check_seen(nest, result.err);
        result.sum = atomic_load(&nest->sum);
        return result;
    }
    for (i = 0; i < nest->plan.count && !result.err; i++)
        result.sum += contribution(nest->slot[i].sum, i);
    return result;
}

static struct result run_reduce(struct nest *nest)
{
    struct fold fold = fold_identity;
    struct result result;
    filch_opts opts;

    result.err = filch_reduce_with(0, nest->plan.count, &fold, sizeof fold, reduce_body,
                                   reduce_combine, set_opts(&opts, nest));
    result.sum = fold_sum(&fold);
    if (fold.items != atomic_load(&nest->folded))
        fail("nest %" PRIu64 ": %" PRIu64 " items folded, %" PRIu64
             " in the result, error %d",
             nest->call.seed, (uint64_t)atomic_load(&nest->folded), fold.items,
             result.err);
    return result;
}

/* Fork-join. */

struct branch {
    filch_job job;
    struct call call;
    struct nest *nest;
    size_t i;
    int64_t place;
};

static int branch_run(filch_worker *w, struct branch *branch)
{
    struct nest *nest = branch->nest;
    const struct call *outer = body_begin(&branch->call, false);

    nest->slot[branch->i] = run_child(w, nest, &branch->call, branch->i);
    body_end(outer);
    return nest->slot[branch->i].err;
}

static int join_task(filch_worker *w, void *ctx)
{
    return branch_run(w, ctx);
}

static void fork_run(filch_worker *w, filch_job *job)
{
    branch_run(w, (struct branch *)(void *)job); /* its first member */
}

static int run_forks(filch_worker *w, struct nest *nest, struct branch *branch)
{
    size_t count = nest->plan.count, i;
    int err;

    for (i = count; i-- > 1;) {
        branch[i].job.run = fork_run;
        branch[i].place = filch_fork(w, &branch[i].job);
    }
    err = branch_run(w, &branch[0]);
    for (i = 1; i < count; i++) {
        if (filch_reclaim(w, &branch[i].job, branch[i].place)) {
            branch_run(w, &branch[i]);
        } else {
            /* What this very job created, and nothing else. */
            innermost = &branch[i].call;
            tell(innermost, 1);
            filch_await(w, &branch[i].job);
            innermost = &nest->call;
        }
        err = err ? err : nest->slot[i].err;
    }
    return err;
}

static int fork_body(filch_worker *w, void *ctx)
{
    struct nest *nest = ctx;
    struct branch branch[MOST_FORKS];
    size_t i;

    assert(nest->plan.count > (nest->call.kind == JOIN));
    for (i = 0; i < nest->plan.count; i++) {
        branch[i].call = (struct call){&nest->call, nest->call.kind, nest->call.depth,
                                       nest->call.seed};
        branch[i].nest = nest;
        branch[i].i = i;
    }
    if (nest->call.kind == JOIN)
        return filch_join(w, join_task, &branch[0], join_task, &branch[1]);
    return run_forks(w, nest, branch);
}

static struct result sum_slots(const struct nest *nest, int err)
{
    struct result result = {0, err};
    size_t i;

    for (i = 0; i < nest->plan.count && !err; i++)
        result.sum += contribution(nest->slot[i].sum, i);
    return result;
}

static struct result run_fork_join(struct nest *nest)
{
    if (nest->w)
        return sum_slots(nest, fork_body(nest->w, nest));
    return sum_slots(nest, filch_run(fork_body, nest, .pool = pool));
}

/* Scopes. */

struct task_ctx {
    struct nest *nest;
    size_t i;
    char ballast[200]; /* tasks with a large context are made another way */
};

static void spawn(filch_worker *w, struct nest *nest, size_t i, filch_scope_body *body)
{
    struct task_ctx ctx;
    size_t bytes =
        (nest->plan.variant + i) % 8 ? offsetof(struct task_ctx, ballast) : sizeof ctx;
    int err;

    ctx.nest = nest;
    ctx.i = i;
    memset(ctx.ballast, (int)(i & 127), sizeof ctx.ballast);
    err = filch_spawn(w, nest->scope, body, &ctx, bytes);
    if (err)
        fail("filch_spawn returned %d", err);
    memset(&ctx, 0xff, sizeof ctx); /* the task has its copy, or has run */
}

static int task_body(filch_worker *w, filch_scope *scope, void *ctx_copy)
{
    const struct task_ctx *ctx = ctx_copy;
    struct nest *nest = ctx->nest;
    const struct call *outer = body_begin(&nest->call, nest->call.kind == FAR);
    size_t i = ctx->i;
    struct result one;

    if (scope != nest->scope)
        fail("a task got another scope than its own");
    if (nest->call.kind == CHAIN && i + 1 < nest->plan.count)
        spawn(w, nest, i + 1, task_body);
    if (nest->plan.variant % 16 == 0 && filch_sync(w, scope) != -EDEADLK)
        fail("filch_sync inside a task did not return -EDEADLK");
    one = run_child(w, nest, nest->call.kind == FAR ? &nest->far_call : &nest->call, i);
    nest->slot[i] = one;
    body_end(outer);
    return one.err;
}

/* Spawns into a scope outside the loop. */
static int far_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct call *call = ctx;
    struct nest *nest = (struct nest *)(uintptr_t)call->parent; /* its first member */
    const struct call *outer = body_begin(call, false);
    size_t i;

    for (i = begin; i < end; i++)
        spawn(w, nest, i, task_body);
    body_end(outer);
    return 0;
}

static int far_branch(filch_worker *w, void *ctx)
{
    return far_body(w, 0, 1, ctx);
}

static int far_rest(filch_worker *w, void *ctx)
{
    struct call *call = ctx;
    const struct nest *nest = (const struct nest *)(const void *)call->parent;
    const struct call *outer = body_begin(call, false);
    int err = filch_for(1, nest->plan.count, far_body, ctx, .worker = w,
                        .grain = nest->plan.grain, .max_workers = nest->plan.max_workers);

    body_end(outer);
    return err;
}

static int scope_spawn_all(filch_worker *w, struct nest *nest)
{
    int expected = 0;
    size_t i;

    for (i = 0; i < nest->plan.count; i++) {
        int err;
        size_t k;

        spawn(w, nest, i, task_body);
        if (i != nest->plan.sync_at)
            continue;
        err = filch_sync(w, nest->scope);
        for (k = 0; k <= i && !expected; k++)
            expected = nest->slot[k].err;
        if (err != expected)
            fail("nest %" PRIu64 ": filch_sync returned %d, not %d", nest->call.seed, err,
                 expected);
    }
    return nest->plan.body_fails_with;
}

static int scope_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct nest *nest = ctx;

    nest->scope = scope;
    nest->far_call = nest->call;
    nest->far_call.parent = &nest->call;

    if (nest->call.kind == SCOPE)
        return scope_spawn_all(w, nest);
    if (nest->plan.count == 0)
        return 0;
    if (nest->call.kind == FAR)
        return nest->plan.variant & 64
                   ? filch_join(w, far_branch, &nest->far_call, far_rest, &nest->far_call)
                   : filch_join(w, far_rest, &nest->far_call, far_branch,
                                &nest->far_call);
    spawn(w, nest, 0, task_body);
    return 0;
}

static struct result run_scope(struct nest *nest)
{
    filch_opts opts;

    return sum_slots(nest, filch_scope_with(scope_body, set_opts(&opts, nest)));
}

static struct result run_leaf(const struct nest *nest)
{
    uint64_t sum = leaf(nest->call.seed, nest->plan.variant);

    if (nest->plan.variant / 16 == 1)
        sched_yield();
    if (nest->plan.variant / 8 == 1) {
        struct timespec a_moment = {0, 20000 + 40000 * (nest->plan.variant % 8)};

        nanosleep(&a_moment, NULL);
    }
    return (struct result){sum, 0};
}

struct result run_nest(filch_worker *w, const struct call *parent, uint64_t seed,
                       unsigned depth)
{
    struct nest nest = {.plan = plan_of(seed, depth), .w = w};
    const struct call *outer = innermost;
    struct result result;
    size_t i;

    nest.call = (struct call){parent, nest.plan.kind, depth, seed};
    for (i = 0; i < MOST_CHILDREN; i++) /* skipped, until it has run */
        nest.slot[i] = (struct result){0, 0};
    innermost = &nest.call;
    tell(&nest.call, nest.call.kind != LEAF);
    switch (nest.call.kind) {
    case LEAF:
        result = run_leaf(&nest);
        break;
    case LEAF_LOOP:
    case LOOP:
        result = run_loop(&nest);
        break;
    case LEAF_REDUCE:
    case REDUCE:
        result = run_reduce(&nest);
        break;
    case JOIN:
    case FORKS:
        result = run_fork_join(&nest);
        break;
    default:
        result = run_scope(&nest);
        break;
    }
    innermost = outer;
    tell(outer, 0);
    return nest.plan.is_caught ? hide_error(result) : result;
}
