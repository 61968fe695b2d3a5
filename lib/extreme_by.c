/* extreme_by.c - filch_argmin_by and filch_argmax_by; see filch/search.h. */
#include <filch/reduce.h>
#include <filch/search.h>
#include "items.h"

struct extreme {
    const char *in;
    size_t bytes;
    filch_compare *compare;
    bool is_greatest;
    filch_opts opts; /* as the user gave them */
};

/* Whether item i takes the place of item best, which has a lower index. */
static bool is_better(const struct extreme *extreme, size_t i, size_t best)
{
    int order = extreme->compare(extreme->in + i * extreme->bytes,
                                 extreme->in + best * extreme->bytes, extreme->opts.ctx);

    return extreme->is_greatest ? order > 0 : order < 0;
}

/* acc: an index; SIZE_MAX: none yet. */
static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    const struct extreme *extreme = ctx;
    size_t best = *(size_t *)acc == SIZE_MAX ? begin : *(size_t *)acc, i;

    (void)w;
    for (i = begin; i < end; i++)
        if (i != best && is_better(extreme, i, best))
            best = i;
    *(size_t *)acc = best;
    return 0;
}

static void combine(void *left, void *right, void *ctx)
{
    size_t *best = left, *other = right;

    if (*best == SIZE_MAX || (*other != SIZE_MAX && is_better(ctx, *other, *best)))
        *best = *other;
}

static int call_progress(size_t done, size_t total, void *ctx)
{
    const struct extreme *extreme = ctx;

    return extreme->opts.progress(done, total, extreme->opts.ctx);
}

static int find_extreme(struct extreme *extreme, size_t count, size_t *at,
                        const filch_opts *user)
{
    filch_opts none = {.struct_size = sizeof none, .abi = FILCH_HOT_ABI}, opts;
    size_t best = SIZE_MAX;
    int value = fl_items_check(extreme->in, count, extreme->bytes, user);

    if (value || count == 0 || !extreme->compare || !at)
        return -EINVAL;
    opts = extreme->opts = user ? *user : none;
    opts.ctx = extreme;
    opts.max_chunk = 0; /* of loops' bodies; below the grain it would be an error */
    if (opts.progress)
        opts.progress = call_progress;
    if (!fl_items_are_few(count, &opts))
        value = filch_reduce_with(0, count, &best, sizeof best, fold, combine, &opts);
    else if (fl_opts_are_cancelled(&opts))
        value = -ECANCELED;
    else
        value = fold(NULL, 0, count, &best, extreme);
    if (value == 0)
        *at = best;
    return value;
}

int filch_argmin_by_with(const void *in, size_t count, size_t bytes, size_t *at,
                         filch_compare *compare, const filch_opts *opts)
{
    struct extreme extreme = {in, bytes, compare, false, {0}};

    return find_extreme(&extreme, count, at, opts);
}

int filch_argmax_by_with(const void *in, size_t count, size_t bytes, size_t *at,
                         filch_compare *compare, const filch_opts *opts)
{
    struct extreme extreme = {in, bytes, compare, true, {0}};

    return find_extreme(&extreme, count, at, opts);
}
