/* calls.c - reading calls, their options and items; the pools; the whole. See calls.h. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"
#include "../stress/plan.h"

/* What bytes may ask for. One line for each operation. */
static const struct {
    operation *run;
    unsigned weight;
    bool is_outside; /* not in a body */
} operations[] = {
    {call_for, 5, false},        {call_for_huge, 1, false}, {call_map, 2, false},
    {call_for_2d, 3, false},     {call_for_3d, 2, false},   {call_reduce, 4, false},
    {call_sum_bits, 2, false},   {call_typed, 4, false},    {call_scope, 3, false},
    {call_spawn_tree, 2, false}, {call_join, 2, false},     {call_fork, 2, false},
    {call_run_pool, 1, false},   {call_local, 2, false},    {call_pool, 1, true},
    {call_callers, 1, true},     {call_pack, 4, false},     {call_sort, 2, false},
    {call_sort_by, 2, false},    {call_keyed, 3, false},
};

#define OPERATIONS (sizeof operations / sizeof *operations)

/* --- complaints ------------------------------------------------------------------- */

static char complaint[512];
static atomic_bool has_complaint;

void complain(const char *format, ...)
{
    va_list args;

    if (atomic_exchange(&has_complaint, true))
        return;
    va_start(args, format);
    vsnprintf(complaint, sizeof complaint, format, args);
    va_end(args);
    /* At once: the run may hang because of it. */
    fprintf(stderr, "wrong: %s\n", complaint);
}

/* --- reading ---------------------------------------------------------------------- */

uint8_t read_byte(struct run *run)
{
    return run->input.at < run->input.end ? *run->input.at++ : 0;
}

size_t read_below(struct run *run, size_t below)
{
    size_t number = read_byte(run);

    if (below > 256)
        number = number << 8 | read_byte(run);
    return number % below;
}

bool read_chance(struct run *run, unsigned of)
{
    return read_byte(run) % of == of - 1;
}

size_t read_count(struct run *run, size_t most)
{
    static const size_t at_depth[] = {20000, 1000, 200, 50};
    static const size_t sizes[] = {4, 20, 64, 100, 300, 1000, 4000, 20000};
    size_t size = sizes[read_byte(run) % (sizeof sizes / sizeof *sizes)];

    if (size > at_depth[run->depth])
        size = at_depth[run->depth];
    return read_below(run, (size < most ? size : most) + 1);
}

/* --- pools ------------------------------------------------------------------------ */

#define POOLS 4

static struct {
    filch_pool *pool;
    unsigned workers;
} pools[POOLS];

static void make_pool(int i, const filch_pool_options *options)
{
    int err = filch_pool_create(&pools[i].pool, options);

    if (err)
        complain("filch_pool_create returned %d", err);
    pools[i].workers = filch_pool_workers(pools[i].pool);
    if (!err && pools[i].workers != options->workers)
        complain("a pool of %u workers has %u", options->workers, pools[i].workers);
}

static void make_pools(void)
{
    static const unsigned workers[POOLS] = {1, 2, 3, MOST_WORKERS};
    int i;

    for (i = 0; i < POOLS; i++)
        if (!pools[i].pool)
            make_pool(i, FILCH_POOL_OPTIONS(.workers = workers[i]));
}

void end_calls(void)
{
    int i;

    for (i = 0; i < POOLS; i++) {
        filch_pool_destroy(pools[i].pool);
        pools[i].pool = NULL;
    }
}

filch_pool *read_pool(struct run *run)
{
    return pools[read_byte(run) % POOLS].pool;
}

void renew_pool(struct run *run)
{
    static const int32_t spins[] = {0, -1, 10, 1000};
    int i = read_byte(run) % POOLS;
    unsigned choices = read_byte(run);

    filch_pool_destroy(pools[i].pool);
    make_pool(i, FILCH_POOL_OPTIONS(.workers = 1 + read_byte(run) % MOST_WORKERS,
                                    .bind = (int32_t)(choices % 4),
                                    .spin_us = spins[choices / 4 % 4],
                                    .stack_bytes = choices & 16 ? 256 * 1024 : 0));
}

/* --- making a call ---------------------------------------------------------------- */

struct block {
    struct block *next;
    max_align_t memory[];
};

static _Atomic(struct block *) blocks;
static _Atomic(struct call *) calls;

void *run_alloc(size_t bytes)
{
    struct block *block = calloc(1, sizeof *block + bytes);

    if (!block)
        abort();
    block->next = atomic_load(&blocks);
    while (!atomic_compare_exchange_weak(&blocks, &block->next, block))
        continue;
    return block->memory;
}

_Thread_local char this_thread;

static int progress(size_t done, size_t total, void *ctx)
{
    struct call *call = ctx;

    if (call->caller != &this_thread || atomic_load(&call->is_over))
        complain("%s: progress is told elsewhere, or too late", call->name);
    if (call->is_ended || done > total || done < call->progress_done)
        complain("%s: progress of %zu of %zu after %zu%s", call->name, done, total,
                 call->progress_done, call->is_ended ? " and its end" : "");
    call->progress_done = done;
    call->is_ended = ++call->progress_calls == call->progress_ends_at;
    return call->is_ended ? PROGRESS_VALUE : 0;
}

/* The ways to name the pool: not at all, by the worker, by name. */
static void read_pool_option(struct run *run, struct call *call)
{
    unsigned way = read_byte(run);

    call->pool = run->pool;
    if (way % 4 == 1 && run->w) {
        call->opts.worker = run->w;
    } else if (way % 4 > 1 || (way & 15) == 1) {
        call->pool = pools[way / 4 % POOLS].pool;
        call->opts.pool = call->pool;
    }
}

static void read_bad_option(struct run *run, struct call *call)
{
    call->is_bad = true;
    switch (read_byte(run) % 3) {
    case 0:
        call->opts.abi ^= 1u << read_byte(run) % 32;
        break;
    case 1:
        call->opts.struct_size += read_byte(run) % 2 ? 8 : SIZE_MAX;
        break;
    default:
        call->opts.grain = 2 + read_byte(run);
        call->opts.max_chunk = call->opts.grain - 1;
        break;
    }
}

void *call_new(struct run *run, size_t bytes, const char *name)
{
    static const size_t grains[] = {0, 0, 0, 1, 2, 7, 64, 1000, SIZE_MAX};
    static const uint32_t limits[] = {0, 0, 0, 0, 1, 2, 3, 100};
    struct call *call = run_alloc(bytes);
    unsigned lanes;

    call->name = name;
    call->depth = run->depth;
    call->caller = &this_thread;
    call->opts = *FILCH_OPTS(call);
    read_pool_option(run, call);
    call->opts.grain = grains[read_byte(run) % (sizeof grains / sizeof *grains)];
    call->opts.max_workers = limits[read_byte(run) % (sizeof limits / sizeof *limits)];
    call->workers = filch_pool_workers(call->pool);
    if (call->opts.max_workers && call->opts.max_workers < call->workers)
        call->workers = call->opts.max_workers;
    if (read_chance(run, 4) && call->opts.grain < SIZE_MAX)
        call->opts.max_chunk = call->opts.grain + 1 + read_byte(run);
    if (read_chance(run, 8)) {
        call->opts.progress = progress;
        call->opts.progress_ms = 1;
        call->progress_ends_at = read_byte(run) % 4;
    }
    /* In what runs on one worker, calls that name no pool have one lane. */
    lanes = filch_lane_limit_with(&call->opts);
    if (run->w ? lanes > call->workers : lanes != call->workers)
        complain("%s: a lane limit of %u, not %u", name, lanes, call->workers);
    call->workers = lanes;
    if (read_chance(run, 32))
        read_bad_option(run, call);
    call->fails_at[0] = call->fails_at[1] = call->fails_at[2] = SIZE_MAX;
    call->cancels_at = call->nested_at[0] = call->nested_at[1] = SIZE_MAX;
    call->next = atomic_load(&calls);
    while (!atomic_compare_exchange_weak(&calls, &call->next, call))
        continue;
    return call;
}

static void read_nested(struct run *run, struct call *call)
{
    size_t left, length;

    if (call->depth >= MOST_DEPTH || !call->count || !read_chance(run, 3))
        return;
    call->nested_at[0] = read_below(run, call->count);
    call->nested_at[1] = read_below(run, call->count);
    length = 16 + read_byte(run) % 64;
    left = (size_t)(run->input.end - run->input.at);
    if (length > left)
        length = left;
    call->nested = (struct input){run->input.at, run->input.at + length};
    run->input.at += length;
}

void read_items(struct run *run, struct call *call, size_t most, bool can_cancel)
{
    unsigned failures, i;

    call->count = read_count(run, most);
    call->seen = run_alloc(call->count + 1);
    failures = read_byte(run) % 8;
    call->fails_with = read_byte(run) % 2 ? 1000 : -1000000;
    for (i = 0; i < failures && failures <= MOST_FAILURES && call->count; i++)
        call->fails_at[i] = read_below(run, call->count);
    call->work = read_chance(run, 4) ? 1 + read_byte(run) % 64 : 0;
    if (call->count * call->work > 100000)
        call->work = 1;
    if (can_cancel && read_chance(run, 8)) {
        call->opts.cancel = &call->token;
        if (read_chance(run, 4)) {
            filch_cancel_set(&call->token);
            call->is_cancelled_before = true;
        } else if (call->count) {
            call->cancels_at = read_below(run, call->count);
        }
    }
    read_nested(run, call);
}

/* --- the whole -------------------------------------------------------------------- */

static void run_operation(struct run *run)
{
    unsigned weights = 0, at;
    size_t i;

    for (i = 0; i < OPERATIONS; i++)
        weights += operations[i].weight;
    at = read_byte(run) % weights;
    for (i = 0; at >= operations[i].weight; i++)
        at -= operations[i].weight;
    if (run->depth == 0 || !operations[i].is_outside)
        operations[i].run(run);
}

static void run_input(struct run *run)
{
    unsigned most = run->depth ? 2 : 64;

    while (run->input.at < run->input.end && most--)
        run_operation(run);
}

void run_nested(const struct call *call, filch_worker *w)
{
    struct run run = {call->nested, w, call->pool, call->depth + 1};

    run_input(&run);
}

const char *run_calls(const uint8_t *bytes, size_t size)
{
    struct run run = {{bytes, bytes + size}, NULL, NULL, 0};
    struct block *block;
    const struct call *call;

    atomic_store(&has_complaint, false);
    make_pools();
    typed_begin();
    pack_begin();
    run_input(&run);
    if (filch_worker_current())
        complain("the thread has a worker outside of all calls");
    for (call = atomic_exchange(&calls, NULL); call; call = call->next)
        if (atomic_load(&call->bodies) != call->bodies_at_end)
            complain("%s: bodies ran after the call had returned", call->name);
    while ((block = atomic_load(&blocks))) {
        atomic_store(&blocks, block->next);
        free(block);
    }
    return atomic_load(&has_complaint) ? complaint : NULL;
}

/* --- operations on the run itself ------------------------------------------------- */

void call_pool(struct run *run)
{
    filch_pool_options options = *FILCH_POOL_OPTIONS(.workers = 2);
    filch_pool *pool = (filch_pool *)(void *)&options; /* anything but NULL */
    int err;

    switch (read_byte(run) % 8) {
    case 1:
        options.workers = FILCH_MAX_WORKERS + 1 + read_byte(run);
        break;
    case 2:
        options.bind = read_byte(run) % 2 ? -1 : FILCH_BIND_NONE + 1;
        break;
    case 3:
        options.spin_us = -2 - read_byte(run);
        break;
    case 4:
        options.struct_size -= 1;
        break;
    case 5:
        options.abi += 1;
        break;
    default:
        renew_pool(run);
        return;
    }
    err = filch_pool_create(&pool, &options);
    if (err != -EINVAL || pool)
        complain("filch_pool_create of wrong options returned %d", err);
}

static void *caller_main(void *arg)
{
    run_input(arg);
    return NULL;
}

/* The same calls from two threads at once. */
void call_callers(struct run *run)
{
    struct run twice[2];
    pthread_t thread;

    twice[0] = *run;
    twice[0].depth = 1;
    if (twice[0].input.end - twice[0].input.at > 48)
        twice[0].input.end = twice[0].input.at + 48;
    twice[1] = twice[0];
    if (pthread_create(&thread, NULL, caller_main, &twice[1]))
        return;
    run_input(&twice[0]);
    pthread_join(thread, NULL);
    run->input.at = twice[0].input.end;
}
