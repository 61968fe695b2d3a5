/* typed_sum_of.h - sum and dot product for one type of elements; a part of typed_sum.c. */

#if IS_FLOATING

#define RESULT    double
#define TOTAL     double
#define ADD       add_double
#define fl_two_of NAME(fl_two_of)

/* Two items as they lie in the array. */
typedef ELEMENT fl_two_of __attribute__((vector_size(2 * sizeof(ELEMENT)),
                                         aligned(sizeof(ELEMENT)), may_alias));

/* y: NULL for a sum, as the compiler sees. */
FL_ALWAYS_INLINE fl_pair NAME(two_terms)(const ELEMENT *x, const ELEMENT *y, size_t i)
{
    fl_pair terms = __builtin_convertvector(*(const fl_two_of *)(x + i), fl_pair);

    if (y)
        terms *= __builtin_convertvector(*(const fl_two_of *)(y + i), fl_pair);
    return terms;
}

/* Up to BASE terms: every 16th is in the same lane. The last 15 at most go to lanes that
 * are known when this is compiled, so that none of them has to be in memory. */
FL_ALWAYS_INLINE double NAME(base)(const ELEMENT *x, const ELEMENT *y, size_t count)
{
    fl_pair lane[LANE_PAIRS] = {{0}};
    size_t i, k;

    for (i = 0; count - i >= LANES; i += LANES)
#pragma GCC unroll 8
        for (k = 0; k < LANE_PAIRS; k++)
            lane[k] += NAME(two_terms)(x, y, i + 2 * k);
    if (count & 8) {
#pragma GCC unroll 4
        for (k = 0; k < 4; k++)
            lane[k] += NAME(two_terms)(x, y, i + 2 * k);
        i += 8;
    }
    if (count & 4) {
        lane[4] += NAME(two_terms)(x, y, i);
        lane[5] += NAME(two_terms)(x, y, i + 2);
        i += 4;
    }
    if (count & 2) {
        lane[6] += NAME(two_terms)(x, y, i);
        i += 2;
    }
    if (count & 1)
        lane[7][0] += y ? (double)x[i] * (double)y[i] : (double)x[i];
    lane[0] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
              ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    return lane[0][0] + lane[0][1];
}

FL_KERNEL double NAME(sum_base)(const ELEMENT *x, size_t count)
{
    return NAME(base)(x, NULL, count);
}

FL_KERNEL double NAME(dot_base)(const ELEMENT *x, const ELEMENT *y, size_t count)
{
    return NAME(base)(x, y, count);
}

/* The tree over the base blocks, from left to right: a sum is pending for each bit of the
 * number of those that are done, and equal ones are added at once. */
FL_ALWAYS_INLINE double NAME(total)(const ELEMENT *x, const ELEMENT *y, size_t count)
{
    double pending[FL_PENDING];
    size_t depth = 0, blocks = 0, begin, bits;

    for (begin = 0; begin < count; begin += BASE) {
        size_t items = FL_MIN(BASE, count - begin);
        double sum = y ? NAME(dot_base)(x + begin, y + begin, items)
                       : NAME(sum_base)(x + begin, items);

        for (bits = blocks++; bits & 1; bits >>= 1)
            sum = pending[--depth] + sum;
        pending[depth++] = sum;
    }
    for (; depth > 1; depth--)
        pending[depth - 2] += pending[depth - 1];
    return pending[0];
}

#else

#define TOTAL uint64_t
#define ADD   add_uint64

FL_KERNEL uint64_t NAME(sum_base)(const ELEMENT *x, size_t count)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += (uint64_t)x[i];
    return sum;
}

FL_KERNEL uint64_t NAME(dot_base)(const ELEMENT *x, const ELEMENT *y, size_t count)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += (uint64_t)x[i] * (uint64_t)y[i];
    return sum;
}

FL_ALWAYS_INLINE uint64_t NAME(total)(const ELEMENT *x, const ELEMENT *y, size_t count)
{
    return y ? NAME(dot_base)(x, y, count) : NAME(sum_base)(x, count);
}

#endif

static int NAME(sum_leaf)(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    const struct fl_typed *typed = ctx;
    const ELEMENT *x = typed->x;

    (void)w;
    *(TOTAL *)acc += NAME(total)(x + begin, NULL, end - begin);
    return 0;
}

static int NAME(dot_leaf)(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    const struct fl_typed *typed = ctx;
    const ELEMENT *x = typed->x, *y = typed->y;

    (void)w;
    *(TOTAL *)acc += NAME(total)(x + begin, y + begin, end - begin);
    return 0;
}

int NAME(filch_sum)(const ELEMENT *x, size_t n, RESULT *out, const filch_opts *opts)
{
    TOTAL sum = 0;
    struct fl_typed typed = {.x = x,
                             .count = n,
                             .most = SIZE_MAX / sizeof *x,
                             .align = _Alignof(ELEMENT),
                             .acc = &sum,
                             .acc_bytes = sizeof sum,
                             .leaf = NAME(sum_leaf),
                             .combine = ADD,
                             .opts = opts};
    int err = fl_typed_check(&typed, out);

    if (!err)
        err = fl_typed_fold(&typed);
    if (!err)
        *out = (RESULT)sum;
    return err;
}

int NAME(filch_dot)(const ELEMENT *x, const ELEMENT *y, size_t n, RESULT *out,
                    const filch_opts *opts)
{
    TOTAL sum = 0;
    struct fl_typed typed = {.x = x,
                             .y = y,
                             .count = n,
                             .most = SIZE_MAX / sizeof *x,
                             .align = _Alignof(ELEMENT),
                             .acc = &sum,
                             .acc_bytes = sizeof sum,
                             .leaf = NAME(dot_leaf),
                             .combine = ADD,
                             .opts = opts};
    int err = fl_typed_check(&typed, out);

    if (n && !y)
        err = -EINVAL;
    if (!err)
        err = fl_typed_fold(&typed);
    if (!err)
        *out = (RESULT)sum;
    return err;
}

#if IS_FLOATING
#undef RESULT
#undef fl_two_of
#endif
#undef TOTAL
#undef ADD
