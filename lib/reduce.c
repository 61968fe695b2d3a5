/* reduce.c - reductions with a fixed bracket, over the loop layer.
 *
 * The range is cut into blocks, each folded by the body from the identity. The blocks are
 * the leaves of a binary tree: a node over [low, high) is cut at low + the largest power
 * of two below its size. So a node is named by where its right half begins, and the
 * sibling of any block is found by bit arithmetic. Whoever finishes the second half of a
 * node combines the two, always left op right, and goes on upwards. Neither depends on
 * who that is, and so the bits of the result do not.
 *
 * Without company, or without memory for all blocks, the same tree is walked depth first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <filch/reduce.h>
#include "loop.h"
#include "options.h"

/* Accumulators up to this size live on the stack while a block is folded into them. */
#define SMALL_ACC_BYTES 1024

/* Accumulators that a walk down the tree takes at most from the stack. */
#define SERIAL_ACC_BYTES (12 * 1024)

/* Of accumulators whose type asks for so much; less where acc_bytes is no multiple. */
#define ACC_ALIGN 64

/* What a worker keeps for its next reduction. */
#define ARENA_BYTES_KEPT ((size_t)1024 * 1024)

/* Few items are likely to be heavy ones, and are not bundled; from here on they are. */
#define BLOCKS_LEAST    128
#define ITEMS_PER_BLOCK 64

struct reduction {
    size_t begin, end;
    size_t block; /* items */
    size_t blocks;
    void *acc;
    size_t acc_bytes;
    filch_reduce_body *body;
    filch_combine *combine;
    void *ctx;
    const filch_opts *opts;
    struct fl_loop_call loop; /* over the blocks, when shared */
    /* When shared: */
    char *accs; /* one per block; a node's lies at its leftmost block */
    uint32_t
        *arrivals; /* of node [.., middle, ..) at middle; of block i done at i below 0 */
    uint8_t *is_done; /* block i has been folded */
};

/* aligned_alloc wants a whole number of them. */
static size_t padded(size_t bytes)
{
    return (bytes + ACC_ALIGN - 1) / ACC_ALIGN * ACC_ALIGN;
}

static size_t block_items(size_t count, const filch_opts *opts)
{
    size_t blocks;

    if (opts && opts->grain)
        return opts->grain;
    blocks = FL_MIN(FL_MAX(count / ITEMS_PER_BLOCK, BLOCKS_LEAST), FILCH_REDUCE_BLOCKS);
    if (count / blocks < (size_t)2 * FL_SPLIT_ALIGN)
        return count / blocks + (count % blocks != 0);
    /* Whole multiples, for vector code. */
    return (count / blocks + FL_SPLIT_ALIGN) / FL_SPLIT_ALIGN * FL_SPLIT_ALIGN;
}

static int fold_block(struct reduction *reduction, filch_worker *w, size_t block,
                      void *acc)
{
    const filch_cancel *cancel = reduction->opts ? reduction->opts->cancel : NULL;
    size_t begin = reduction->begin + block * reduction->block;
    size_t end = reduction->end - begin < reduction->block ? reduction->end
                                                           : begin + reduction->block;

    if (cancel && filch_cancel_is_set(cancel))
        return -ECANCELED;
    return reduction->body(w, begin, end, acc, reduction->ctx);
}

/* --- one after the other ---------------------------------------------------------- */

/* Fold blocks [low, high) into acc, which holds the identity. spare: room for an
 * accumulator per level below. After a failure the rest is skipped. */
static int fold_serial(struct reduction *reduction, filch_worker *w, size_t low,
                       size_t high, char *acc, char *spare)
{
    size_t middle, half = 1;
    int value;

    if (high - low == 1)
        return fold_block(reduction, w, low, acc);
    while (half < high - low - half)
        half *= 2;
    middle = low + half;
    memcpy(spare, acc, reduction->acc_bytes);
    value = fold_serial(reduction, w, low, middle, acc, spare + reduction->acc_bytes);
    if (value)
        return value;
    value = fold_serial(reduction, w, middle, high, spare, spare + reduction->acc_bytes);
    reduction->combine(acc, spare, reduction->ctx);
    return value;
}

struct serial_call {
    struct reduction *reduction;
    char *spare;
};

static int serial_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct serial_call *call = ctx;

    return fold_serial(call->reduction, w, begin, end, call->reduction->acc, call->spare);
}

/* Levels of the tree over so many blocks. */
static size_t depth_of(size_t blocks)
{
    return blocks > 1 ? (size_t)(64 - __builtin_clzll((unsigned long long)blocks - 1))
                      : 0;
}

static int reduce_alone(struct fl_worker *worker, struct reduction *reduction)
{
    size_t bytes = depth_of(reduction->blocks) * reduction->acc_bytes;
    _Alignas(ACC_ALIGN) char small[SERIAL_ACC_BYTES];
    struct serial_call serial = {reduction, small};
    filch_opts alone = {.max_workers = 1}; /* the tree in one call */
    struct fl_loop_call call = reduction->loop;
    int value;

    call.body = serial_body;
    call.ctx = &serial;
    call.opts = &alone;
    if (bytes > sizeof small) {
        serial.spare = aligned_alloc(ACC_ALIGN, padded(bytes));
        if (!serial.spare)
            return -ENOMEM;
    }
    value = fl_loop_in(worker, &call);
    if (serial.spare != small)
        free(serial.spare);
    return value;
}

/* --- together --------------------------------------------------------------------- */

static char *acc_of(struct reduction *reduction, size_t block)
{
    return reduction->accs + block * reduction->acc_bytes;
}

/* A block is folded: combine upwards as far as the other halves are there. */
static void climb(struct reduction *reduction, size_t block)
{
    size_t left, middle, half;

    for (half = 1; half < reduction->blocks; half *= 2) {
        left = block & ~half;
        middle = left + half;
        block = left;
        if (middle >= reduction->blocks)
            continue; /* no right half at this level */
        /* ORDER(reduce-node): release by the first to arrive; pairs with the acquire,
         * ORDER(reduce-node), of the second, who sees what the first folded. */
        if (fl_add_acq_rel(&reduction->arrivals[middle], 1u) == 0)
            return;
        reduction->combine(acc_of(reduction, left), acc_of(reduction, middle),
                           reduction->ctx);
    }
}

static int shared_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct reduction *reduction = ctx;
    _Alignas(ACC_ALIGN) char local[SMALL_ACC_BYTES];
    bool is_small = reduction->acc_bytes <= sizeof local;
    size_t block;
    int value;

    for (block = begin; block < end; block++) {
        /* Small ones on the stack: neighbours in the array share cache lines. */
        char *acc = is_small ? local : acc_of(reduction, block);

        memcpy(acc, reduction->acc, reduction->acc_bytes);
        value = fold_block(reduction, w, block, acc);
        if (is_small)
            memcpy(acc_of(reduction, block), acc, reduction->acc_bytes);
        reduction->is_done[block] = 1;
        climb(reduction, block);
        if (value)
            return value;
    }
    return 0;
}

/* After a failure: combine what was started into the leftmost block of [low, high).
 * Returns whether there was anything. */
static bool gather(struct reduction *reduction, size_t low, size_t high)
{
    size_t half = 1, middle;
    bool is_left, is_right;

    if (high - low == 1)
        return reduction->is_done[low];
    while (half < high - low - half)
        half *= 2;
    middle = low + half;
    if (reduction->arrivals[middle] == 2)
        return true; /* combined on the way */
    is_left = gather(reduction, low, middle);
    is_right = gather(reduction, middle, high);
    if (is_left && is_right)
        reduction->combine(acc_of(reduction, low), acc_of(reduction, middle),
                           reduction->ctx);
    else if (is_right)
        memcpy(acc_of(reduction, low), acc_of(reduction, middle), reduction->acc_bytes);
    return is_left || is_right;
}

/* Memory for one call at a time is kept with the worker. NULL: none is to be had. */
static void *arena_take(struct fl_worker *worker, size_t bytes)
{
    if (worker->arena_is_busy || bytes > ARENA_BYTES_KEPT)
        return aligned_alloc(ACC_ALIGN, padded(bytes));
    if (bytes > worker->arena_bytes) {
        void *old = worker->arena;

        /* Gone before it is freed, for a child forked by another thread just now. */
        fl_store_relaxed(&worker->arena, (void *)NULL);
        worker->arena_bytes = 0;
        free(old);
        worker->arena = aligned_alloc(ACC_ALIGN, padded(bytes));
        worker->arena_bytes = worker->arena ? bytes : 0;
    }
    worker->arena_is_busy = worker->arena != NULL;
    return worker->arena;
}

static void arena_give(struct fl_worker *worker, void *memory)
{
    if (memory == worker->arena)
        worker->arena_is_busy = false;
    else
        free(memory);
}

/* False when there is no memory for it. */
static bool reduce_shared(struct fl_worker *worker, struct reduction *reduction,
                          int *value)
{
    size_t blocks = reduction->blocks, accs, bytes;
    char *memory;

    if (blocks > (SIZE_MAX / 2) / (reduction->acc_bytes + 8))
        return false;
    accs = (blocks * reduction->acc_bytes + 15) / 16 * 16;
    bytes = accs + blocks * (sizeof *reduction->arrivals + sizeof *reduction->is_done);
    memory = arena_take(worker, bytes);
    if (!memory)
        return false;
    reduction->accs = memory;
    reduction->arrivals = (uint32_t *)(void *)(memory + accs);
    reduction->is_done = (uint8_t *)(reduction->arrivals + blocks);
    memset(memory + accs, 0, bytes - accs);
    *value = fl_loop_in(worker, &reduction->loop);
    if (!*value || gather(reduction, 0, blocks))
        memcpy(reduction->acc, reduction->accs, reduction->acc_bytes);
    arena_give(worker, memory);
    return true;
}

static int reduce_inside(struct fl_worker *worker, void *arg)
{
    struct reduction *reduction = arg;
    int value;

    bool is_watched = reduction->opts && reduction->opts->progress;

    if (reduction->blocks > 1 &&
        (is_watched || (fl_loop_lanes(worker, reduction->opts) > 1 &&
                        !fl_loop_is_small(worker, &reduction->loop))) &&
        reduce_shared(worker, reduction, &value))
        return value;
    return reduce_alone(worker, reduction);
}

int filch_reduce_with(size_t begin, size_t end, void *acc, size_t acc_bytes,
                      filch_reduce_body *body, filch_combine *combine,
                      const filch_opts *opts)
{
    struct reduction reduction = {.begin = begin,
                                  .end = end,
                                  .acc = acc,
                                  .acc_bytes = acc_bytes,
                                  .body = body,
                                  .combine = combine,
                                  .ctx = opts ? opts->ctx : NULL,
                                  .opts = opts};

    if (!acc || acc_bytes == 0 || !body || !combine || begin > end || fl_opts_check(opts))
        return -EINVAL;
    if (begin == end)
        return 0;
    if (acc_bytes > SIZE_MAX / 128) /* so that those of all levels can be counted */
        return -ENOMEM;
    reduction.block = block_items(end - begin, opts);
    reduction.blocks =
        (end - begin) / reduction.block + ((end - begin) % reduction.block != 0);
    reduction.loop = (struct fl_loop_call){.end = reduction.blocks,
                                           .body = shared_body,
                                           .ctx = &reduction,
                                           .identity = (uintptr_t)body,
                                           .grain = opts && opts->grain ? 1 : 0,
                                           .opts = opts};
    return fl_loop_enter(&reduction.loop, reduce_inside, &reduction);
}
