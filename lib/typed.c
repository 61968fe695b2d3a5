/* typed.c - what all typed reductions have in common; see typed.h. */
#include "typed.h"

#include <errno.h>
#include "options.h"
#include "overlap.h"

int fl_typed_check(const struct fl_typed *typed, const void *out)
{
    if (!out || (typed->count && !typed->x) || typed->count > typed->most ||
        (typed->count && (fl_is_misaligned(typed->x, typed->align) ||
                          fl_is_misaligned(typed->y, typed->align))) ||
        fl_opts_check(typed->opts))
        return -EINVAL;
    return 0;
}

/* A function of the number of items and the user's grain. */
static size_t block_items(const struct fl_typed *typed)
{
    size_t grain = typed->opts ? typed->opts->grain : 0;
    size_t block = FL_TYPED_BLOCK;

    if (!grain)
        grain = typed->count / FILCH_REDUCE_BLOCKS +
                (typed->count % FILCH_REDUCE_BLOCKS != 0);
    while (block < grain && block < typed->count)
        block *= 2;
    return block;
}

static int call_progress(size_t done, size_t total, void *ctx)
{
    const struct fl_typed *typed = ctx;

    return typed->opts->progress(done, total, typed->opts->ctx);
}

/* Out of line, for the sake of calls that do without. */
__attribute__((noinline)) static int fold_shared(struct fl_typed *typed, size_t block)
{
    filch_opts opts = {.struct_size = sizeof opts, .abi = FILCH_HOT_ABI};

    if (typed->opts)
        opts = *typed->opts;
    opts.ctx = typed;
    opts.grain = block;
    opts.max_chunk = 0; /* of loops' bodies; below the grain it would be an error */
    if (opts.progress)
        opts.progress = call_progress;
    return filch_reduce_with(0, typed->count, typed->acc, typed->acc_bytes, typed->leaf,
                             typed->combine, &opts);
}

int fl_typed_fold(struct fl_typed *typed)
{
    const filch_opts *opts = typed->opts;
    size_t block = FL_TYPED_BLOCK;

    if (typed->count == 0)
        return 0;
    if (typed->count > block) {
        block = block_items(typed);
        if (typed->count > block)
            return fold_shared(typed, block);
    }
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    return typed->leaf(NULL, 0, typed->count, typed->acc, typed);
}
