/* calls_fold.c - reductions: values in the order of the items, the same bits every time,
 * and every accumulator in the result; see calls.h. */
#include <errno.h>
#include <string.h>
#include "calls.h"
#include "../stress/plan.h"

/* --- a fold in which the order matters -------------------------------------------- */

/* Large ones do not fit on the stack of the library. */
struct acc {
    struct fold fold;
    char ballast[400];
};

struct reduction {
    struct call call;
    size_t acc_bytes;
    _Atomic uint64_t folded;
};

static int reduce_body(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct reduction *reduction = ctx;
    struct call *call = &reduction->call;
    unsigned lane = body_begin(call, w, true);
    size_t grain = call->opts.grain, i;
    int value = 0;

    if (begin >= end || end - call->base > call->count)
        complain("filch_reduce: a block [%zu, %zu) of %zu", begin, end, call->count);
    if (grain && end - call->base != call->count && end - begin != grain)
        complain("filch_reduce: a block of %zu, grain %zu", end - begin, grain);
    for (i = begin - call->base; i < end - call->base && !value; i++) {
        struct fold right = fold_of(i, i);

        fold_add(acc, &right);
        atomic_fetch_add_explicit(&reduction->folded, 1, memory_order_relaxed);
        value = run_item(call, w, i);
    }
    body_end(call, w, lane, true);
    return value;
}

static void reduce_combine(void *left, void *right, void *ctx)
{
    const struct reduction *reduction = ctx;

    if (atomic_load_explicit(&reduction->call.is_over, memory_order_relaxed))
        complain("filch_reduce: accumulators are combined after the return");
    fold_add(left, right);
}

static int run_reduction(struct reduction *reduction, void *acc)
{
    return filch_reduce_with(
        reduction->call.base, reduction->call.base + reduction->call.count, acc,
        reduction->acc_bytes, reduce_body, reduce_combine, &reduction->call.opts);
}

static void check_fold(const struct reduction *reduction, const struct fold *fold)
{
    struct fold serial = fold_identity;
    size_t i;

    for (i = 0; i < reduction->call.count; i++) {
        struct fold right = fold_of(i, i);

        fold_add(&serial, &right);
    }
    if (fold_sum(&serial) != fold_sum(fold))
        complain("filch_reduce: %zu items, grain %zu: not in their order",
                 reduction->call.count, reduction->call.opts.grain);
}

void call_reduce(struct run *run)
{
    struct reduction *reduction = call_new(run, sizeof *reduction, "filch_reduce");
    struct acc acc = {.fold = fold_identity};
    unsigned way;
    int value;

    read_items(run, &reduction->call, SIZE_MAX, true);
    way = read_byte(run) % 32;
    reduction->acc_bytes = way & 1 ? sizeof acc : sizeof acc.fold;
    reduction->call.base = way & 2 ? read_byte(run) : 0;
    if (way == 4 || way == 8 || reduction->call.is_bad) {
        if (way == 4)
            reduction->acc_bytes = 0;
        value = run_reduction(reduction, way == 8 ? NULL : &acc);
        check_refused(&reduction->call, value);
        return;
    }
    value = run_reduction(reduction, &acc);
    check_items(&reduction->call, value, NULL);
    if (acc.fold.items != atomic_load(&reduction->folded))
        complain("filch_reduce: %llu items folded, %llu in the result, which is %d",
                 (unsigned long long)reduction->folded,
                 (unsigned long long)acc.fold.items, value);
    if (!value)
        check_fold(reduction, &acc.fold);
}

/* --- the same bits ---------------------------------------------------------------- */

static double number(size_t i)
{
    uint64_t bits = mix(i);

    return (double)(int64_t)bits / (double)(UINT64_C(1) << bits % 40);
}

static int sum_body(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct call *call = ctx;
    unsigned lane = body_begin(call, w, true);
    double sum;
    size_t i;

    memcpy(&sum, acc, sizeof sum);
    for (i = begin; i < end; i++) {
        sum += number(i);
        call->seen[i]++;
    }
    memcpy(acc, &sum, sizeof sum);
    body_end(call, w, lane, true);
    return 0;
}

static void sum_combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(const double *)right;
}

void call_sum_bits(struct run *run)
{
    struct call *call = call_new(run, sizeof *call, "a sum by filch_reduce");
    struct call *again = run_alloc(sizeof *again);
    double sum = 0, serial = 0;
    int value;

    call->count = read_count(run, SIZE_MAX);
    call->seen = run_alloc(call->count + 1);
    call->progress_ends_at = 0;
    if (call->is_bad) {
        call_end(call);
        return;
    }
    again->name = "the same on one worker";
    again->count = call->count;
    again->seen = run_alloc(call->count + 1);
    again->workers = 1;
    again->caller = call->caller;
    value = filch_reduce_with(0, call->count, &sum, sizeof sum, sum_body, sum_combine,
                              &call->opts);
    check_items(call, value, NULL);
    value = filch_reduce(0, call->count, &serial, sizeof serial, sum_body, sum_combine,
                         again, .grain = call->opts.grain, .max_workers = 1);
    check_items(again, value, NULL);
    if (memcmp(&sum, &serial, sizeof sum) != 0)
        complain("%zu numbers, grain %zu: the sum is %a, on one worker %a", call->count,
                 call->opts.grain, sum, serial);
}
