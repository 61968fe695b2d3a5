/* for.c - filch_for and filch_map: argument checks over the loop layer. */
#include <errno.h>
#include <filch/loop.h>
#include "loop.h"
#include "options.h"

struct for_call {
    size_t begin, end;
    filch_body *body;
    void *ctx;
    const filch_opts *opts;
};

static int for_inside(struct fl_worker *worker, void *arg)
{
    const struct for_call *call = arg;
    size_t grain = fl_loop_grain(worker, call->opts, call->end - call->begin);

    return fl_loop_run(worker, call->begin, call->end, grain, call->body, call->ctx,
                       call->opts);
}

int filch_for_with(size_t begin, size_t end, filch_body *body, const filch_opts *opts)
{
    struct for_call call = {begin, end, body, opts ? opts->ctx : NULL, opts};

    if (!body || begin > end || fl_opts_check(opts))
        return -EINVAL;
    if (begin == end)
        return 0;
    return fl_enter(opts, for_inside, &call);
}

struct map_call {
    const char *in;
    char *out;
    size_t in_bytes, out_bytes;
    filch_map_body *body;
    void *ctx;
};

static int map_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct map_call *map = ctx;

    return map->body(w, map->in + begin * map->in_bytes,
                     map->out + begin * map->out_bytes, end - begin, map->ctx);
}

int filch_map_with(const void *in, size_t in_bytes, void *out, size_t out_bytes,
                   size_t count, filch_map_body *body, const filch_opts *opts)
{
    struct map_call map = {in, out, in_bytes, out_bytes, body, opts ? opts->ctx : NULL};
    struct for_call call = {0, count, map_range, &map, opts};

    if (!body || in_bytes == 0 || out_bytes == 0 || count > SIZE_MAX / in_bytes ||
        count > SIZE_MAX / out_bytes || fl_opts_check(opts))
        return -EINVAL;
    if (count == 0)
        return 0;
    if (!in || !out)
        return -EINVAL;
    return fl_enter(opts, for_inside, &call);
}
