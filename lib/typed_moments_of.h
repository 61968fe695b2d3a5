/* typed_moments_of.h - the moments for one type of elements; a part of typed_moments.c.
 *
 * ELEMENT and NAME as in typed.h, and
 *
 *     IS_WIDE  1 if squares of items can overflow or underflow: those of doubles alone
 */

#define fl_two_of NAME(fl_two_of)

/* Two items as they lie in the array. */
typedef ELEMENT fl_two_of __attribute__((vector_size(2 * sizeof(ELEMENT)),
                                         aligned(sizeof(ELEMENT)), may_alias));

/* scale: a power of two. The compiler drops a multiplication by 1. */
FL_ALWAYS_INLINE fl_pair NAME(two_items)(const ELEMENT *x, size_t i, double scale)
{
    return __builtin_convertvector(*(const fl_two_of *)(x + i), fl_pair) * scale;
}

FL_ALWAYS_INLINE double NAME(add_lanes)(const fl_pair *lane)
{
    fl_pair sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);

    return sum[0] + sum[1];
}

FL_ALWAYS_INLINE double NAME(mean)(const ELEMENT *x, size_t count, double scale)
{
    fl_pair lane[LANE_PAIRS] = {{0}};
    double rest = 0;
    size_t i, k;

    for (i = 0; count - i >= LANES; i += LANES)
#pragma GCC unroll 4
        for (k = 0; k < LANE_PAIRS; k++)
            lane[k] += NAME(two_items)(x, i + 2 * k, scale);
    for (; i < count; i++)
        rest += (double)x[i] * scale;
    return (NAME(add_lanes)(lane) + rest) / (double)count;
}

FL_ALWAYS_INLINE struct deviations NAME(deviate)(const ELEMENT *x, size_t count,
                                                 double mean, double scale)
{
    fl_pair deviations[LANE_PAIRS] = {{0}}, squares[LANE_PAIRS] = {{0}};
    struct deviations all = {0, 0};
    size_t i, k;

    for (i = 0; count - i >= LANES; i += LANES)
#pragma GCC unroll 4
        for (k = 0; k < LANE_PAIRS; k++) {
            fl_pair d = NAME(two_items)(x, i + 2 * k, scale) - mean;

            deviations[k] += d;
            squares[k] += d * d;
        }
    for (; i < count; i++) {
        double d = (double)x[i] * scale - mean;

        all.sum += d;
        all.squares += d * d;
    }
    all.sum += NAME(add_lanes)(deviations);
    all.squares += NAME(add_lanes)(squares);
    return all;
}

FL_KERNEL double NAME(mean_base)(const ELEMENT *x, size_t count)
{
    return NAME(mean)(x, count, 1);
}

#if IS_WIDE

/* With items that are multiplied by scale, so that no square is out of range. What is too
 * large for a double becomes infinite at the end, what is too small is rounded. */
__attribute__((noinline)) static struct filch_moments
NAME(moments_scaled)(const ELEMENT *x, size_t count, double scale)
{
    double mean = NAME(mean)(x, count, scale);
    struct deviations all = NAME(deviate)(x, count, mean, scale);
    struct filch_moments moments = corrected(count, mean, &all);

    moments.mean /= scale;
    moments.m2 = moments.m2 / scale / scale;
    return moments;
}

static struct filch_moments NAME(moments_out_of_range)(const ELEMENT *x, size_t count,
                                                       double squares)
{
    uint64_t item, bits = 0;
    size_t i;

    if (!(squares < SQUARES_LEAST)) /* or a NaN */
        return NAME(moments_scaled)(x, count, 1 / SCALE);
    for (i = 0; i < count; i++) {
        memcpy(&item, x + i, sizeof item);
        bits |= item << 1;
    }
    if (bits == 0) /* zeros of either sign: common, and in need of no second try */
        return (struct filch_moments){.count = count};
    return NAME(moments_scaled)(x, count, SCALE);
}

#endif

FL_KERNEL struct filch_moments NAME(moments_base)(const ELEMENT *x, size_t count)
{
    double mean = NAME(mean_base)(x, count);
    struct deviations all = NAME(deviate)(x, count, mean, 1);

#if IS_WIDE
    if (FILCH_UNLIKELY(are_out_of_range(mean, all.squares)))
        return NAME(moments_out_of_range)(x, count, all.squares);
#endif
    return corrected(count, mean, &all);
}

/* The tree over the base blocks, as that of sums in typed_sum_of.h. */
static int NAME(moments_leaf)(filch_worker *w, size_t begin, size_t end, void *acc,
                              void *ctx)
{
    const struct fl_typed *typed = ctx;
    const ELEMENT *x = typed->x;
    struct filch_moments pending[FL_PENDING];
    size_t depth = 0, blocks = 0, bits;

    (void)w;
    for (; begin < end; begin += FL_MIN(BASE, end - begin)) {
        pending[depth++] = NAME(moments_base)(x + begin, FL_MIN(BASE, end - begin));
        for (bits = blocks++; bits & 1; bits >>= 1, depth--)
            combine(&pending[depth - 2], &pending[depth - 1], NULL);
    }
    for (; depth > 1; depth--)
        combine(&pending[depth - 2], &pending[depth - 1], NULL);
    combine(acc, &pending[0], NULL);
    return 0;
}

int NAME(filch_moments)(const ELEMENT *x, size_t n, struct filch_moments *out,
                        const filch_opts *opts)
{
    struct filch_moments moments = {0};
    struct fl_typed typed = {.x = x,
                             .count = n,
                             .most = SIZE_MAX / sizeof *x,
                             .align = _Alignof(ELEMENT),
                             .acc = &moments,
                             .acc_bytes = sizeof moments,
                             .leaf = NAME(moments_leaf),
                             .combine = combine,
                             .opts = opts};
    int err = fl_typed_check(&typed, out);

    if (!err)
        err = fl_typed_fold(&typed);
    if (!err)
        *out = moments;
    return err;
}

#undef fl_two_of
