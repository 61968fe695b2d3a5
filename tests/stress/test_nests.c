/* test_nests.c - random nests of every parallel call, from several threads at once, checked.
 *
 *     stress_nests [--seed N] [--nest N] [--workers N]
 *
 * A nest is a tree of calls that a number describes. It is run in parallel, and again by
 * an oracle that knows nothing of filch; checksum and error must be the same. On the way
 * every body checks that its lane is its own, and that its thread was idle or waiting for
 * what the body descends from. FILCH_STRESS_SECONDS (3) is the length of the whole.
 * --seed repeats a run, --nest runs one nest over and over. FILCH_FENCES, where not set,
 * changes from pool to pool. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <filch/filch.h>

#define FOREIGN_THREADS 4
#define STALL_SECONDS   60
#define MOST_WORKERS    8
#define MOST_CHILDREN   16
#define MOST_ITEMS      2000
#define MOST_FORKS      5

/* --- the description of a nest */

enum kind {
    LEAF,
    LEAF_LOOP,
    LEAF_REDUCE,
    LOOP,
    REDUCE,
    JOIN,
    FORKS,
    SCOPE,
    CHAIN,
    FAR,
    KINDS
};

static const char *const kind_names[KINDS] = {
    "leaf", "leaf loop", "leaf reduction", "loop",           "reduction",
    "join", "fork",      "scope",          "chain of tasks", "far-off spawns",
};

struct plan {
    enum kind kind;
    size_t count;
    size_t fails_at; /* an item; SIZE_MAX: none does */
    int fails_with;
    bool is_caught; /* an error becomes a part of the checksum */
    int body_fails_with;
    size_t sync_at;
    size_t grain;
    uint32_t max_workers;
    unsigned variant;
};

struct result {
    uint64_t sum; /* when there is no error */
    int err;
};

/* Steele, Lea, Flood: splitmix64's mixer, OOPSLA 2014. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = mix(*state);
    return *state % below;
}

static struct plan plan_of(uint64_t seed, unsigned depth)
{
    static const size_t grains[] = {0, 0, 0, 1, 2, 7, 64};
    static const uint32_t limits[] = {0, 0, 0, 0, 1, 2, 3, 5};
    uint64_t state = seed;
    struct plan plan = {.fails_at = SIZE_MAX, .sync_at = SIZE_MAX};

    if (depth == 0)
        plan.kind = (enum kind)(draw(&state, 4) ? LEAF : LEAF_LOOP + draw(&state, 2));
    else
        plan.kind = (enum kind)(LOOP + draw(&state, KINDS - LOOP));
    switch (plan.kind) {
    case LEAF_LOOP:
    case LEAF_REDUCE:
        plan.count = draw(&state, MOST_ITEMS);
        break;
    case JOIN:
        plan.count = 2;
        break;
    case FORKS:
        plan.count = 1 + draw(&state, MOST_FORKS);
        break;
    default:
        plan.count = draw(&state, depth > 2 ? 5 : MOST_CHILDREN);
        break;
    }
    if (plan.kind != LEAF && plan.count && draw(&state, 5) == 0) {
        plan.fails_at = draw(&state, plan.count);
        plan.fails_with = (int)draw(&state, 2000) - 1000;
        if (plan.fails_with == 0)
            plan.fails_with = INT32_MIN;
    }
    if (plan.kind == SCOPE && draw(&state, 12) == 0)
        plan.body_fails_with = 1 + (int)draw(&state, 1000);
    if (plan.kind == SCOPE && plan.count && draw(&state, 2))
        plan.sync_at = draw(&state, plan.count);
    plan.is_caught = draw(&state, 4) > 0;
    plan.grain = grains[draw(&state, sizeof grains / sizeof *grains)];
    plan.max_workers = limits[draw(&state, sizeof limits / sizeof *limits)];
    plan.variant = (unsigned)draw(&state, 1024);
    return plan;
}

static uint64_t child_seed(uint64_t seed, size_t i)
{
    return mix(seed ^ mix(i + 1));
}

/* Chains and far-off spawns have no order of errors but the one that they fail with. */
static bool hides_errors(enum kind kind)
{
    return kind == CHAIN || kind == FAR;
}

static struct result hide_error(struct result result)
{
    if (result.err)
        result = (struct result){.sum = mix((uint64_t)(int64_t)result.err)};
    return result;
}

static uint64_t leaf(uint64_t seed, unsigned variant)
{
    uint64_t sum = seed;
    unsigned i;

    for (i = 0; i < 1u << variant % 11; i++)
        sum = mix(sum);
    return sum;
}

static uint64_t contribution(uint64_t sum, size_t i)
{
    return mix(sum ^ (i * 31 + 7));
}

/* An affine map, for a fold in which the order matters; and how many are in it. */
struct fold {
    uint64_t scale, offset, items;
};

static const struct fold fold_identity = {1, 0, 0};

static void fold_add(struct fold *left, const struct fold *right)
{
    left->offset = left->offset * right->scale + right->offset;
    left->scale *= right->scale;
    left->items += right->items;
}

static struct fold fold_of(uint64_t sum, size_t i)
{
    return (struct fold){contribution(sum, i) | 1, mix(sum + i), 1};
}

static uint64_t fold_sum(const struct fold *fold)
{
    return mix(fold->scale) ^ fold->offset;
}

/* --- the oracle */

static struct result oracle(uint64_t seed, unsigned depth)
{
    struct plan plan = plan_of(seed, depth);
    struct fold fold = fold_identity;
    struct result all = {0, 0};
    size_t i;

    if (plan.kind == LEAF)
        return (struct result){leaf(seed, plan.variant), 0};
    for (i = 0; i < plan.count && !all.err; i++) {
        struct result one = {0, 0};
        struct fold right;

        if (i == plan.fails_at)
            one.err = plan.fails_with;
        else if (plan.kind == LEAF_LOOP || plan.kind == LEAF_REDUCE)
            one.sum = mix(seed + i);
        else
            one = oracle(child_seed(seed, i), depth - 1);
        if (hides_errors(plan.kind) && i != plan.fails_at)
            one = hide_error(one);
        all.err = one.err;
        all.sum += contribution(one.sum, i);
        right = fold_of(one.sum, i);
        fold_add(&fold, &right);
    }
    if (plan.kind == REDUCE || plan.kind == LEAF_REDUCE)
        all.sum = fold_sum(&fold);
    if (plan.body_fails_with)
        all.err = plan.body_fails_with;
    return plan.is_caught ? hide_error(all) : all;
}

/* --- what everybody is doing, for the watchdog and for isolation */

struct call {
    const struct call *parent;
    enum kind kind;
    unsigned depth;
    uint64_t seed;
};

struct doing {
    _Atomic uint64_t seed; /* of the innermost call */
    _Atomic int kind;
    _Atomic unsigned depth;
    _Atomic int is_waiting;
    _Atomic long thread;
};

#define MOST_DOING 4096

static struct doing doing[MOST_DOING];
static _Atomic unsigned doing_count;

static _Thread_local struct doing *mine;
static _Thread_local const struct call *innermost;

static filch_pool *pool;
static unsigned pool_workers;
static bool pool_is_classic;
static uint64_t run_seed;

static void report(const char *format, va_list args)
{
    flockfile(stderr);
    fprintf(stderr, "stress: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n  repeat with --seed %" PRIu64 " (%u workers, %s fences)\n",
            run_seed, pool_workers, pool_is_classic ? "classic" : "default");
    funlockfile(stderr);
}

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(format, args);
    va_end(args);
    abort();
}

static void tell(const struct call *call, int is_waiting)
{
    if (!mine) {
        unsigned i = atomic_fetch_add(&doing_count, 1);

        mine = &doing[i % MOST_DOING];
        atomic_store(&mine->thread, (long)gettid());
    }
    atomic_store_explicit(&mine->seed, call ? call->seed : 0, memory_order_relaxed);
    atomic_store_explicit(&mine->kind, call ? (int)call->kind : -1, memory_order_relaxed);
    atomic_store_explicit(&mine->depth, call ? call->depth : 0, memory_order_relaxed);
    atomic_store_explicit(&mine->is_waiting, is_waiting, memory_order_relaxed);
}

static bool descends(const struct call *call, const struct call *from)
{
    for (; call; call = call->parent)
        if (call == from)
            return true;
    return false;
}

/* A body of call begins on this thread, which must have been waiting for an ancestor of
 * it, if for anything. */
static const struct call *body_begin(const struct call *call, bool is_far)
{
    const struct call *outer = innermost;

    if (outer && !is_far && !descends(call, outer))
        fail("isolation: a %s (nest %" PRIu64 ") runs on a thread that waits for a %s"
             " (%" PRIu64 ")",
             kind_names[call->kind], call->seed, kind_names[outer->kind], outer->seed);
    innermost = call;
    tell(call, 0);
    return outer;
}

/* Back to the call around, or into the wait for it. */
static void body_end(const struct call *outer)
{
    innermost = outer;
    tell(outer, outer != NULL);
}

/* --- the nest in parallel */

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

static struct result run_nest(filch_worker *w, const struct call *parent, uint64_t seed,
                              unsigned depth);

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
    size_t i;
    int err;

    for (i = nest->plan.count; i-- > 1;) {
        branch[i].job.run = fork_run;
        branch[i].place = filch_fork(w, &branch[i].job);
    }
    err = branch_run(w, &branch[0]);
    for (i = 1; i < nest->plan.count; i++) {
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

static struct result run_nest(filch_worker *w, const struct call *parent, uint64_t seed,
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

/* --- the threads that call */

struct caller {
    pthread_t thread;
    uint64_t seed;
    _Atomic uint64_t nest, done;
    uint64_t nests;
};

static struct caller callers[FOREIGN_THREADS];
static _Atomic bool is_time_up;
static uint64_t only_nest;
static bool is_only_nest;

/* Enters the pool first, now and then. */
struct top {
    uint64_t seed;
    unsigned depth;
    struct result result;
};

static int top_body(filch_worker *w, void *ctx)
{
    struct top *top = ctx;

    top->result = run_nest(w, NULL, top->seed, top->depth);
    return 7;
}

static void check_nest(uint64_t seed)
{
    unsigned depth = (unsigned)(mix(seed ^ 1) % 4);
    struct top top = {seed, depth, {0, 0}};
    struct result expected;

    if (mix(seed ^ 2) & 1)
        top.result = run_nest(NULL, NULL, seed, depth);
    else if (filch_run(top_body, &top, .pool = pool) != 7)
        fail("filch_run lost its body's value");
    expected = oracle(seed, depth);
    if (top.result.err != expected.err ||
        (!expected.err && top.result.sum != expected.sum))
        fail("nest %" PRIu64 " (depth %u): got %016" PRIx64
             " and error %d, not %016" PRIx64 " and %d; alone: --nest %" PRIu64,
             seed, depth, top.result.sum, top.result.err, expected.sum, expected.err,
             seed);
}

static void *caller_main(void *arg)
{
    struct caller *caller = arg;
    uint64_t state = caller->seed;

    while (!atomic_load_explicit(&is_time_up, memory_order_relaxed)) {
        state = mix(state);
        atomic_store(&caller->nest, is_only_nest ? only_nest : state);
        check_nest(is_only_nest ? only_nest : state);
        atomic_fetch_add(&caller->done, 1);
    }
    if (filch_worker_current())
        fail("a worker is left behind outside");
    return NULL;
}

/* --- the watchdog */

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print_stats(void)
{
    filch_stats stats = {.struct_size = sizeof stats};

    if (filch_stats_get(pool, &stats))
        return;
    fprintf(stderr,
            "  tasks %" PRIu64 ", steals %" PRIu64 " got %" PRIu64 " empty %" PRIu64
            " lost, strangers %" PRIu64 ", publishes %" PRIu64 ", forced %" PRIu64
            ", parks %" PRIu64 ", wakes %" PRIu64 ", overflows %" PRIu64 "\n",
            stats.tasks, stats.steals_got, stats.steals_empty, stats.steals_lost,
            stats.strangers, stats.publishes, stats.forced, stats.parks, stats.wakes,
            stats.overflows);
}

__attribute__((noreturn)) static void stalled(const char *what)
{
    unsigned i, count = atomic_load(&doing_count);

    fprintf(stderr, "stress: %s for %d s. --seed %" PRIu64 ", %u workers, %s fences\n",
            what, STALL_SECONDS, run_seed, pool_workers,
            pool_is_classic ? "classic" : "default");
    for (i = 0; i < FOREIGN_THREADS; i++)
        fprintf(stderr, "  caller %u: nest %" PRIu64 " after %" PRIu64 " others\n", i,
                (uint64_t)atomic_load(&callers[i].nest),
                (uint64_t)atomic_load(&callers[i].done));
    for (i = 0; i < count && i < MOST_DOING; i++) {
        int kind = atomic_load(&doing[i].kind);

        if (kind >= 0)
            fprintf(stderr, "  thread %ld: %s a %s, depth %u, nest %" PRIu64 "\n",
                    atomic_load(&doing[i].thread),
                    atomic_load(&doing[i].is_waiting) ? "waits for" : "runs",
                    kind_names[kind], atomic_load(&doing[i].depth),
                    (uint64_t)atomic_load(&doing[i].seed));
    }
    print_stats();
    abort();
}

static pthread_mutex_t watch_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_over;
static _Atomic unsigned phase; /* pools made and ended so far */

/* Every caller must get on, not just one of them. */
static void *watchdog_main(void *arg)
{
    uint64_t done[FOREIGN_THREADS] = {0};
    double since[FOREIGN_THREADS];
    unsigned i, last_phase = 0;

    (void)arg;
    for (i = 0; i < FOREIGN_THREADS; i++)
        since[i] = now_s();
    while (!atomic_load(&is_over)) {
        struct timespec tick = {0, 50000000};
        bool is_next = atomic_load(&phase) != last_phase;

        nanosleep(&tick, NULL);
        last_phase = atomic_load(&phase);
        for (i = 0; i < FOREIGN_THREADS; i++) {
            uint64_t now_done = atomic_load(&callers[i].done);

            if (now_done != done[i] || is_next)
                since[i] = now_s();
            done[i] = now_done;
            if (now_s() - since[i] > STALL_SECONDS) {
                pthread_mutex_lock(&watch_mutex);
                stalled("no progress");
            }
        }
    }
    return NULL;
}

/* --- the run */

/* One pool, four callers. Returns how many nests were checked. */
static uint64_t run_pool(unsigned workers, uint64_t seed, double seconds)
{
    static const int spins[] = {0, 0, -1, 1, 200};
    uint64_t state = seed, nests = 0;
    unsigned i;
    int err;

    err = filch_pool_create(
        &pool, FILCH_POOL_OPTIONS(.workers = workers, .spin_us = spins[draw(&state, 5)],
                                  .bind = (int)draw(&state, FILCH_BIND_NONE + 1)));
    if (err)
        fail("filch_pool_create returned %d", err);
    pool_workers = filch_pool_workers(pool);
    atomic_store(&is_time_up, false);
    for (i = 0; i < FOREIGN_THREADS; i++) {
        atomic_store(&callers[i].done, 0);
        callers[i].seed = mix(seed + i);
        if (pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]))
            fail("no thread to call from");
    }
    while (seconds > 0) {
        double slice = seconds < 0.1 ? seconds : 0.1;
        struct timespec rest = {0, (long)(slice * 1e9)};

        nanosleep(&rest, NULL);
        seconds -= slice;
    }
    atomic_store(&is_time_up, true);
    for (i = 0; i < FOREIGN_THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        nests += atomic_load(&callers[i].done);
    }
    if (getenv("FILCH_STRESS_VERBOSE")) {
        fprintf(stderr, "%u workers, %s fences: %" PRIu64 " nests\n", workers,
                pool_is_classic ? "classic" : "default", nests);
        print_stats();
    }
    filch_pool_destroy(pool);
    return nests;
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {1, 2, 3, 8};
    const char *length = getenv("FILCH_STRESS_SECONDS");
    const char *fences = getenv("FILCH_FENCES");
    double seconds = length && atof(length) > 0 ? atof(length) : 3;
    unsigned only_workers = 0, rounds, i;
    uint64_t nests = 0;
    pthread_t watchdog;

    run_seed = mix((uint64_t)time(NULL) * 1000003 + (uint64_t)getpid()) % 1000000000;
    for (i = 1; i + 1 < (unsigned)argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 0);

        if (strcmp(argv[i], "--seed") == 0)
            run_seed = number;
        else if (strcmp(argv[i], "--workers") == 0 && number <= MOST_WORKERS)
            only_workers = (unsigned)number;
        else if (strcmp(argv[i], "--nest") == 0) {
            only_nest = number;
            is_only_nest = true;
        } else
            break;
    }
    if (i < (unsigned)argc) {
        fprintf(stderr, "usage: %s [--seed N] [--nest N] [--workers 1..8]\n", argv[0]);
        return 2;
    }
    printf("stress: --seed %" PRIu64 ", %g s\n", run_seed, seconds);
    fflush(stdout);
    if (pthread_create(&watchdog, NULL, watchdog_main, NULL))
        return 1;
    /* Each size in each fence mode, at least once, and 2 s at most in one pool. */
    rounds = 8 * (unsigned)(1 + seconds / 16);
    for (i = 0; i < rounds; i++) {
        pool_is_classic = fences ? strcmp(fences, "classic") == 0 : i / 4 % 2 == 1;
        if (!fences && pool_is_classic)
            setenv("FILCH_FENCES", "classic", 1);
        else if (!fences)
            unsetenv("FILCH_FENCES");
        nests += run_pool(only_workers ? only_workers : sizes[i % 4],
                          mix(run_seed * 64 + i), seconds / rounds);
        atomic_fetch_add(&phase, 1);
    }
    atomic_store(&is_over, true);
    pthread_join(watchdog, NULL);
    printf("stress: %" PRIu64 " nests as the oracle says\n", nests);
    return 0;
}
