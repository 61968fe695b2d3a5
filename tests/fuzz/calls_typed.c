/* calls_typed.c - the reductions of typed.h against serial loops; see calls.h.
 *
 * Integers and extremes must be equal; sums and moments of floats must have the bits of
 * the same call on one worker, and sums be within the bound that typed.h states.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "calls.h"
#include "../stress/plan.h"

#define MOST_ITEMS_TYPED 70000

static struct {
    float of_float[MOST_ITEMS_TYPED];
    double of_double[MOST_ITEMS_TYPED];
    int32_t of_int32[MOST_ITEMS_TYPED];
    int64_t of_int64[MOST_ITEMS_TYPED];
    uint64_t of_uint64[MOST_ITEMS_TYPED];
    bool is_filled;
} items;

/* Of all magnitudes; many equal ones; some NaNs, which sums begin behind. */
#define FIRST_WITHOUT_NAN 10000

static void fill_items(void)
{
    size_t i;

    for (i = 0; i < MOST_ITEMS_TYPED; i++) {
        uint64_t bits = mix(i);
        int64_t whole = i % 3 ? (int64_t)bits : (int64_t)(bits % 32) - 16;
        double number = (double)whole / (double)(UINT64_C(1) << bits % 60);

        items.of_int32[i] = (int32_t)whole;
        items.of_int64[i] = whole;
        items.of_uint64[i] = (uint64_t)whole;
        if (i < FIRST_WITHOUT_NAN && bits % 50 == 0)
            number = (double)NAN;
        items.of_double[i] = number;
        items.of_float[i] = (float)number;
    }
    items.is_filled = true;
}

enum fold_kind { SUM, DOT, MIN, MAX, ARGMIN, ARGMAX, MOMENTS, FOLDS };

union outcome {
    double real;
    int64_t whole;
    uint64_t natural;
    size_t at;
    float of_float;
    double of_double;
    int32_t of_int32;
    int64_t of_int64;
    uint64_t of_uint64;
    struct filch_moments moments;
};

/* call_TYPE: the function of that kind. */
#define CALL(type, element)                                                         \
    static int call_##type(enum fold_kind kind, const element *x, const element *y, \
                           size_t n, union outcome *out, const filch_opts *opts)    \
    {                                                                               \
        switch (kind) {                                                             \
        case SUM:                                                                   \
            return filch_sum_##type(x, n, out ? (void *)out : NULL, opts);          \
        case DOT:                                                                   \
            return filch_dot_##type(x, y, n, out ? (void *)out : NULL, opts);       \
        case MIN:                                                                   \
            return filch_min_##type(x, n, out ? &out->of_##type : NULL, opts);      \
        case MAX:                                                                   \
            return filch_max_##type(x, n, out ? &out->of_##type : NULL, opts);      \
        case ARGMIN:                                                                \
            return filch_argmin_##type(x, n, out ? &out->at : NULL, opts);          \
        case ARGMAX:                                                                \
            return filch_argmax_##type(x, n, out ? &out->at : NULL, opts);          \
        default:                                                                    \
            return filch_moments_##type(x, n, out ? &out->moments : NULL, opts);    \
        }                                                                           \
    }

/* extreme_TYPE: where the first extreme item is, as the serial loop finds it. A NaN is
 * passed over: it is neither less nor greater. */
#define EXTREME(type, element)                                                        \
    static size_t extreme_##type(const element *x, size_t n, bool is_max)             \
    {                                                                                 \
        size_t at = 0, i;                                                             \
                                                                                      \
        for (i = 1; i < n; i++)                                                       \
            if (x[at] != x[at] ? x[i] == x[i] : is_max ? x[i] > x[at] : x[i] < x[at]) \
                at = i;                                                               \
        return x[at] == x[at] ? at : 0;                                               \
    }

#define CHECK_EXTREME(type, element)                                                  \
    static void check_extreme_##type(enum fold_kind kind, const element *x, size_t n, \
                                     const union outcome *result)                     \
    {                                                                                 \
        size_t at = extreme_##type(x, n, kind == MAX || kind == ARGMAX);              \
                                                                                      \
        if (kind >= ARGMIN ? result->at != at                                         \
                           : result->of_##type != x[at] && x[at] == x[at])            \
            complain("typed " #type ", kind %d: item %zu of %zu is not the extreme",  \
                     (int)kind, at, n);                                               \
    }

/* run_TYPE: a call whose result is known, or that of one worker is. */
#define RUN(type, element, check_sum)                                                 \
    CALL(type, element)                                                               \
    EXTREME(type, element)                                                            \
    CHECK_EXTREME(type, element)                                                      \
    static int run_##type(enum fold_kind kind, size_t from, size_t n, size_t shift,   \
                          union outcome *out, const filch_opts *opts)                 \
    {                                                                                 \
        const element *x = items.of_##type + from, *y = x + shift;                    \
        int err = call_##type(kind, x, y, n, out, opts);                              \
        union outcome alone;                                                          \
                                                                                      \
        if (err || !out)                                                              \
            return err;                                                               \
        memset(&alone, 0x77, sizeof alone);                                           \
        call_##type(kind, x, y, n, &alone,                                            \
                    FILCH_OPTS(NULL, .max_workers = 1, .grain = 4096));               \
        if (memcmp(&alone, out, sizeof alone) != 0)                                   \
            complain("typed " #type ", kind %d, %zu items from %zu: other bits than " \
                     "on one worker",                                                 \
                     (int)kind, n, from);                                             \
        if (kind >= MIN && kind <= ARGMAX)                                            \
            check_extreme_##type(kind, x, n, out);                                    \
        else if (kind < MIN)                                                          \
            check_sum(kind, x, y, n, out);                                            \
        return 0;                                                                     \
    }

#define CHECK_WHOLE(name, element)                                                      \
    static void name(enum fold_kind kind, const element *x, const element *y, size_t n, \
                     const union outcome *result)                                       \
    {                                                                                   \
        uint64_t sum = 0;                                                               \
        size_t i;                                                                       \
                                                                                        \
        for (i = 0; i < n; i++)                                                         \
            sum += (uint64_t)x[i] * (kind == DOT ? (uint64_t)y[i] : 1);                 \
        if (sum != result->natural)                                                     \
            complain(#name ", kind %d: the sum of %zu items is wrong", (int)kind, n);   \
    }
CHECK_WHOLE(check_int32, int32_t)
CHECK_WHOLE(check_int64, int64_t)
CHECK_WHOLE(check_uint64, uint64_t)

/* The serial sum, compensated (Neumaier), against the bound. */
#define CHECK_REAL(name, element)                                                        \
    static void name(enum fold_kind kind, const element *x, const element *y, size_t n,  \
                     const union outcome *result)                                        \
    {                                                                                    \
        double sum = 0, lost = 0, size = 0, bound;                                       \
        size_t i;                                                                        \
                                                                                         \
        for (i = 0; i < n; i++) {                                                        \
            double term = kind == DOT ? (double)x[i] * (double)y[i] : (double)x[i];      \
            double next = sum + term;                                                    \
                                                                                         \
            lost += fabs(sum) >= fabs(term) ? (sum - next) + term : (term - next) + sum; \
            sum = next;                                                                  \
            size += fabs(term);                                                          \
        }                                                                                \
        sum += lost;                                                                     \
        bound = (22 + (n > 256 ? log2((double)n / 256) : 0)) * 0x1p-53 * size;           \
        if (sum == sum && !(fabs(result->real - sum) <= bound))                          \
            complain(#name ", kind %d: the sum of %zu items is %a, not %a", (int)kind,   \
                     n, result->real, sum);                                              \
    }
CHECK_REAL(check_float, float)
CHECK_REAL(check_double, double)

RUN(float, float, check_float)
RUN(double, double, check_double)
RUN(int32, int32_t, check_int32)
RUN(int64, int64_t, check_int64)
RUN(uint64, uint64_t, check_uint64)

static int run_wrong(struct run *run, enum fold_kind kind, union outcome *out,
                     const struct call *call)
{
    filch_opts opts = call->opts;

    switch (read_byte(run) % 3) {
    case 0:
        return call_double(kind, items.of_double, items.of_double, 10, NULL, &opts);
    case 1:
        return call_int64(kind, NULL, NULL, 10, out, &opts);
    default:
        return call_float(kind, items.of_float, items.of_float, SIZE_MAX / 2, out, &opts);
    }
}

void call_typed(struct run *run)
{
    static int (*const runs[])(enum fold_kind, size_t, size_t, size_t, union outcome *,
                               const filch_opts *) = {run_float, run_double, run_int32,
                                                      run_int64, run_uint64};
    struct call *call = call_new(run, sizeof *call, "a typed reduction");
    enum fold_kind kind = (enum fold_kind)(read_byte(run) % FOLDS);
    unsigned type = read_byte(run) % 5;
    size_t n = read_count(run, SIZE_MAX), from = read_below(run, 20000);
    size_t shift = read_byte(run);
    bool is_wrong = read_chance(run, 16);
    union outcome result;
    int value, want = 0;

    if (run->depth == 0 && read_chance(run, 4))
        n += 20000; /* more blocks than one */
    if (read_chance(run, 16)) {
        filch_cancel_set(&call->token);
        call->opts.cancel = &call->token;
    }
    memset(&result, 0x77, sizeof result);
    if (is_wrong)
        value = run_wrong(run, kind, &result, call);
    else
        value = runs[type](kind, from, n, shift, &result, &call->opts);
    call_end(call);
    if (is_wrong || call->is_bad || (n == 0 && kind >= MIN && kind <= ARGMAX))
        want = -EINVAL;
    else if (call->is_ended)
        want = PROGRESS_VALUE;
    else if (call->opts.cancel)
        want = -ECANCELED;
    if (value != want && !(n == 0 && want == -ECANCELED && value == 0))
        complain("a typed reduction, kind %d, type %u, %zu items: %d, not %d", (int)kind,
                 type, n, value, want);
    if (value && result.natural != UINT64_C(0x7777777777777777))
        complain("a typed reduction returned %d and wrote a result", value);
}

/* Before any call: bodies run at once. */
void typed_begin(void)
{
    if (!items.is_filled)
        fill_items();
}
