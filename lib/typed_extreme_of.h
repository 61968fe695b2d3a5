/* typed_extreme_of.h - the least (or greatest) item for one type of elements, and its
 * place; a part of typed_extreme.c. */

#define fl_extreme NAME(fl_extreme_)
struct fl_extreme {
    ELEMENT value;
    bool is_found; /* among NaNs alone there is none */
    size_t index;
};

#if IS_FLOATING

#define fl_vector NAME(fl_vector_)
#define fl_mask   NAME(fl_mask_)
typedef ELEMENT fl_vector
    __attribute__((vector_size(16), aligned(sizeof(ELEMENT)), may_alias));
typedef MASK fl_mask
    __attribute__((vector_size(16), aligned(sizeof(ELEMENT)), may_alias));

/* Where item is not better, or a NaN, best stays. */
FL_ALWAYS_INLINE fl_vector NAME(better_)(fl_vector item, fl_vector best)
{
    fl_mask is_better = (fl_mask)BETTER(item, best);

    return (fl_vector)((is_better & (fl_mask)item) | (~is_better & (fl_mask)best));
}

/* WORST also when there are NaNs only. */
FL_KERNEL ELEMENT NAME(base_)(const ELEMENT *x, size_t count)
{
    enum { WIDTH = 16 / sizeof(ELEMENT), AT_ONCE = VECTORS * WIDTH };
    fl_vector lane[VECTORS];
    ELEMENT best;
    size_t i, k;

    for (k = 0; k < VECTORS; k++)
        lane[k] = (fl_vector){0} + WORST;
    for (i = 0; count - i >= AT_ONCE; i += AT_ONCE)
#pragma GCC unroll 4
        for (k = 0; k < VECTORS; k++)
            lane[k] = NAME(better_)(*(const fl_vector *)(x + i + k * WIDTH), lane[k]);
    lane[0] =
        NAME(better_)(NAME(better_)(lane[0], lane[2]), NAME(better_)(lane[1], lane[3]));
    best = WORST;
    for (k = 0; k < WIDTH; k++)
        best = BETTER(lane[0][k], best) ? lane[0][k] : best;
    for (; i < count; i++)
        best = BETTER(x[i], best) ? x[i] : best;
    return best;
}

#else

/* Four chains, as one would wait for each comparison where there are no vectors: before
 * SSE4.2 none are made of 64-bit integers. */
FL_KERNEL ELEMENT NAME(base_)(const ELEMENT *x, size_t count)
{
    ELEMENT best[4] = {WORST, WORST, WORST, WORST};
    size_t i, k;

    for (i = 0; count - i >= 4; i += 4)
        for (k = 0; k < 4; k++)
            best[k] = BETTER(x[i + k], best[k]) ? x[i + k] : best[k];
    for (; i < count; i++)
        best[0] = BETTER(x[i], best[0]) ? x[i] : best[0];
    for (k = 1; k < 4; k++)
        best[0] = BETTER(best[k], best[0]) ? best[k] : best[0];
    return best[0];
}

#endif

static void NAME(combine_)(void *left, void *right, void *ctx)
{
    struct fl_extreme *low = left;
    const struct fl_extreme *high = right;

    (void)ctx;
    if (high->is_found && (!low->is_found || BETTER(high->value, low->value)))
        *low = *high;
}

FL_ALWAYS_INLINE int NAME(fold_)(const struct fl_typed *typed, size_t begin, size_t end,
                                 void *acc, bool wants_index)
{
    const ELEMENT *x = typed->x;
    struct fl_extreme extreme = {.value = WORST, .index = begin};
    size_t i;

    for (i = begin; i < end; i += BASE) {
        ELEMENT value = NAME(base_)(x + i, FL_MIN(BASE, end - i));

        if (BETTER(value, extreme.value)) {
            extreme.value = value;
            extreme.is_found = true;
            extreme.index = i;
        }
    }
    /* No item is better than WORST: is there one that equals it, among NaNs? */
    if (wants_index || !extreme.is_found) {
        for (i = extreme.index; i < end && x[i] != extreme.value; i++)
            continue;
        extreme.is_found = i < end;
        extreme.index = i;
    }
    NAME(combine_)(acc, &extreme, NULL);
    return 0;
}

static int NAME(leaf_)(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    return NAME(fold_)(ctx, begin, end, acc, false);
}

static int NAME(leaf_arg)(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    return NAME(fold_)(ctx, begin, end, acc, true);
}

int NAME(filch_)(const ELEMENT *x, size_t n, ELEMENT *out, const filch_opts *opts)
{
    struct fl_extreme extreme = {0};
    struct fl_typed typed = {.x = x,
                             .count = n,
                             .most = SIZE_MAX / sizeof *x,
                             .align = _Alignof(ELEMENT),
                             .acc = &extreme,
                             .acc_bytes = sizeof extreme,
                             .leaf = NAME(leaf_),
                             .combine = NAME(combine_),
                             .opts = opts};
    int err = fl_typed_check(&typed, out);

    if (n == 0)
        err = -EINVAL;
    if (!err)
        err = fl_typed_fold(&typed);
    if (!err)
        *out = extreme.is_found ? extreme.value : x[0];
    return err;
}

int NAME(filch_arg)(const ELEMENT *x, size_t n, size_t *out, const filch_opts *opts)
{
    struct fl_extreme extreme = {0};
    struct fl_typed typed = {.x = x,
                             .count = n,
                             .most = SIZE_MAX / sizeof *x,
                             .align = _Alignof(ELEMENT),
                             .acc = &extreme,
                             .acc_bytes = sizeof extreme,
                             .leaf = NAME(leaf_arg),
                             .combine = NAME(combine_),
                             .opts = opts};
    int err = fl_typed_check(&typed, out);

    if (n == 0)
        err = -EINVAL;
    if (!err)
        err = fl_typed_fold(&typed);
    if (!err)
        *out = extreme.index; /* 0 still when none was found */
    return err;
}

#undef fl_extreme
#if IS_FLOATING
#undef fl_vector
#undef fl_mask
#endif
