/* climb.c - the tree of a reduction, climbed by those who fold its blocks.
 *
 * Job: neighbours are combined once, left before right, by somebody who sees what both
 * sides have folded ("folded": a data race on what a node holds), whoever comes last. For
 * 2 to 4 blocks, each by a thread of its own, and two a thread. Compiled with the real
 * reduce.c.
 */
#include "stand_ins.h"

#include <string.h>
#include "reduce.c"

enum { BLOCKS = 4 };

/* Blocks first to last; too large for a copy on the stack, which memcpy would move. */
struct acc {
    int first, last;
    char fill[SMALL_ACC_BYTES];
};

static struct acc identity, accs[BLOCKS];
static uint32_t arrivals[BLOCKS];
static uint8_t is_done[BLOCKS];
static struct reduction reduction;
static int combined;

/* --- stand-ins for the loop layer ------------------------------------------------- */

int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    (void)worker, (void)call;
    return 0;
}

int fl_loop_enter(const struct fl_loop_call *call,
                  int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    (void)call, (void)inside, (void)arg;
    return 0;
}

uint32_t fl_loop_lanes(const struct fl_worker *worker, const filch_opts *opts)
{
    (void)worker, (void)opts;
    return 1;
}

bool fl_loop_is_small(struct fl_worker *worker, const struct fl_loop_call *call)
{
    (void)worker, (void)call;
    return true;
}

/* --- the reduction ---------------------------------------------------------------- */

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct acc *into = acc;

    (void)w, (void)ctx;
    MODEL_WRITE(into->first, (int)begin);
    MODEL_WRITE(into->last, (int)end - 1);
    return 0;
}

static void combine(void *acc, void *with, void *ctx)
{
    struct acc *left = acc, *right = with;

    (void)ctx;
    MODEL_ASSERT(MODEL_READ(left->last) + 1 == MODEL_READ(right->first),
                 "not of neighbours, or not yet");
    MODEL_WRITE(left->last, MODEL_READ(right->last));
    combined++;
}

static void setup_blocks(size_t blocks)
{
    size_t i;

    memset(arrivals, 0, sizeof arrivals);
    memset(is_done, 0, sizeof is_done);
    combined = 0;
    reduction = (struct reduction){.end = blocks,
                                   .block = 1,
                                   .blocks = blocks,
                                   .acc = &identity,
                                   .acc_bytes = sizeof identity,
                                   .body = fold,
                                   .combine = combine,
                                   .accs = (char *)accs,
                                   .arrivals = arrivals,
                                   .is_done = is_done};
    for (i = 0; i < blocks; i++) {
        memset(&accs[i], 0, sizeof accs[i]);
        model_name(&accs[i].first, "folded %zu, first", i);
        model_name(&accs[i].last, "folded %zu, last", i);
        model_name(&arrivals[i], "arrivals at %zu", i);
    }
}

static void setup_2(void)
{
    setup_blocks(2);
}

static void setup_3(void)
{
    setup_blocks(3);
}

static void setup_4(void)
{
    setup_blocks(4);
}

/* --- bodies ----------------------------------------------------------------------- */

static void fold_own(void)
{
    size_t block = (size_t)model_self();

    shared_body(NULL, block, block + 1, &reduction);
}

static void fold_two(void)
{
    size_t block = 2 * (size_t)model_self();

    shared_body(NULL, block, FL_MIN(block + 2, reduction.blocks), &reduction);
}

/* The others, in the order in which a thief may have them. */
static void fold_outer(void)
{
    shared_body(NULL, 3, 4, &reduction);
    shared_body(NULL, 0, 1, &reduction);
}

static void fold_inner(void)
{
    shared_body(NULL, 1, 3, &reduction);
}

static void check_whole(void)
{
    MODEL_ASSERT(accs[0].first == 0 && accs[0].last == (int)reduction.blocks - 1,
                 "a block is missing");
    MODEL_ASSERT(combined == (int)reduction.blocks - 1, "combined twice");
}

#define CASE(name, setup, ...)                                        \
    {                                                                 \
        name, setup, {__VA_ARGS__}, check_whole, NULL, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("two blocks", setup_2, fold_own, fold_own),
    CASE("three blocks", setup_3, fold_own, fold_own, fold_own),
    CASE("three blocks, two threads", setup_3, fold_two, fold_two),
    CASE("four blocks", setup_4, fold_own, fold_own, fold_own, fold_own),
    CASE("four blocks, two threads", setup_4, fold_two, fold_two),
    CASE("four blocks, from both ends", setup_4, fold_outer, fold_inner),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
