/* for.c - filch_for and filch_map: argument checks over the loop layer. */
#include <errno.h>
#include <filch/loop.h>
#include "loop.h"
#include "options.h"
#include "overlap.h"

int filch_for_with(size_t begin, size_t end, filch_body *body, const filch_opts *opts)
{
    struct fl_loop_call call = {.begin = begin, .end = end, .body = body, .opts = opts};

    if (!body || begin > end || fl_opts_check(opts))
        return -EINVAL;
    if (opts) {
        call.ctx = opts->ctx;
        call.grain = opts->grain;
        call.max_chunk = opts->max_chunk;
    }
    return fl_loop(&call);
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
    struct fl_loop_call call = {
        .end = count, .body = map_range, .ctx = &map, .opts = opts};

    if (!body || in_bytes == 0 || out_bytes == 0 || count > SIZE_MAX / in_bytes ||
        count > SIZE_MAX / out_bytes || fl_opts_check(opts))
        return -EINVAL;
    if (count == 0)
        return 0;
    if (!in || !out ||
        ((in != out || in_bytes != out_bytes) &&
         fl_overlap(in, out, count * in_bytes, count * out_bytes)))
        return -EINVAL;
    call.identity = (uintptr_t)body;
    if (opts) {
        call.grain = opts->grain;
        call.max_chunk = opts->max_chunk;
    }
    return fl_loop(&call);
}
