/* sorted.c - filch_lower_bounds, filch_upper_bounds and filch_merge; see filch/search.h.
 *
 * A comparison that contradicts itself leads to wrong results, and to no others: all that
 * is read and written lies in the arrays, whatever it says.
 */
#include <filch/search.h>
#include "items.h"
#include "loop.h"
#include "order.h"

/* Fewest items that are merged in one go, some 30 us: finding where they come from takes
 * 2 log n comparisons of items that are in no cache. */
#define MERGED_LEAST ((size_t)16384)

/* --- bounds ----------------------------------------------------------------------- */

struct bounds {
    const char *in, *keys;
    size_t count, bytes, key_bytes;
    char *at; /* size_t, at any address */
    filch_compare *compare;
    void *ctx;
    bool is_upper;
};

static size_t bound_of(const struct bounds *bounds, const char *key)
{
    size_t low = 0, left = bounds->count;

    while (left > 0) {
        size_t half = left / 2;
        int order =
            bounds->compare(bounds->in + (low + half) * bounds->bytes, key, bounds->ctx);

        if (order < 0 || (order == 0 && bounds->is_upper)) {
            low += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return low;
}

static int find_bounds(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct bounds *bounds = ctx;
    size_t k;

    (void)w;
    for (k = begin; k < end; k++) {
        size_t bound = bound_of(bounds, bounds->keys + k * bounds->key_bytes);

        memcpy(bounds->at + k * sizeof bound, &bound, sizeof bound);
    }
    return 0;
}

static int run(struct fl_loop_call *call, bool is_few, size_t least)
{
    const filch_opts *opts = call->opts;

    if (is_few)
        return fl_opts_are_cancelled(opts) ? -ECANCELED
                                           : call->body(NULL, 0, call->end, call->ctx);
    call->grain = opts && opts->grain ? opts->grain : least;
    if (opts && opts->max_chunk) {
        call->max_chunk = opts->max_chunk;
        call->grain = FL_MIN(call->grain, call->max_chunk);
    }
    return fl_loop(call);
}

static int find_all_bounds(struct bounds *bounds, size_t key_count,
                           const filch_opts *opts)
{
    struct fl_loop_call call = {.end = key_count,
                                .body = find_bounds,
                                .ctx = bounds,
                                .identity = (uintptr_t)bounds->compare,
                                .opts = opts};

    if (fl_items_check(bounds->in, bounds->count, bounds->bytes, opts) ||
        fl_items_check(bounds->keys, key_count, bounds->key_bytes, opts) ||
        fl_items_check(bounds->at, key_count, sizeof(size_t), opts) || !bounds->compare)
        return -EINVAL;
    if (key_count == 0)
        return 0;
    if (fl_is_misaligned(bounds->at, _Alignof(size_t)) ||
        (bounds->count &&
         fl_overlap(bounds->in, bounds->at, bounds->count * bounds->bytes,
                    key_count * sizeof(size_t))) ||
        fl_overlap(bounds->keys, bounds->at, key_count * bounds->key_bytes,
                   key_count * sizeof(size_t)))
        return -EINVAL;
    bounds->ctx = opts ? opts->ctx : NULL;
    /* Each is a search of its own: few are fewer than elsewhere. */
    return run(&call, fl_items_are_few(key_count, opts) && key_count <= 64, 1);
}

int filch_lower_bounds_with(const void *in, size_t count, size_t bytes, const void *keys,
                            size_t key_count, size_t key_bytes, size_t *at,
                            filch_compare *compare, const filch_opts *opts)
{
    struct bounds bounds = {.in = in,
                            .keys = keys,
                            .count = count,
                            .bytes = bytes,
                            .key_bytes = key_bytes,
                            .at = (char *)at,
                            .compare = compare};

    return find_all_bounds(&bounds, key_count, opts);
}

int filch_upper_bounds_with(const void *in, size_t count, size_t bytes, const void *keys,
                            size_t key_count, size_t key_bytes, size_t *at,
                            filch_compare *compare, const filch_opts *opts)
{
    struct bounds bounds = {.in = in,
                            .keys = keys,
                            .count = count,
                            .bytes = bytes,
                            .key_bytes = key_bytes,
                            .at = (char *)at,
                            .compare = compare,
                            .is_upper = true};

    return find_all_bounds(&bounds, key_count, opts);
}

/* --- merging ---------------------------------------------------------------------- */

struct merge {
    const char *a, *b;
    char *out;
    size_t a_count, b_count, bytes;
    struct fl_order order;
};

/* Whether item i of a goes before item j of b. */
static bool is_a_first(const struct merge *merge, size_t i, size_t j)
{
    return !merge->order.kind->is_less(&merge->order, merge->b + j * merge->bytes,
                                       merge->a + i * merge->bytes);
}

/* How many of the first `count` merged items come from a. */
static size_t share_of_a(const struct merge *merge, size_t count)
{
    size_t low = count > merge->b_count ? count - merge->b_count : 0;
    size_t high = FL_MIN(count, merge->a_count);

    while (low < high) {
        size_t i = low + (high - low) / 2;

        if (is_a_first(merge, i, count - i - 1))
            low = i + 1;
        else
            high = i;
    }
    return low;
}

static int merge_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct merge *merge = ctx;
    size_t bytes = merge->bytes, i = share_of_a(merge, begin), j = begin - i;
    size_t until = share_of_a(merge, end), a_bytes, b_bytes;
    char *out = merge->out + begin * bytes;

    (void)w;
    /* Both shares grow, whatever the comparison says. */
    until = FL_MIN(FL_MAX(until, i), i + (end - begin));
    a_bytes = (until - i) * bytes;
    b_bytes = (end - begin) * bytes - a_bytes;
    if (b_bytes == 0) /* b may be NULL */
        memcpy(out, merge->a + i * bytes, a_bytes);
    else if (a_bytes == 0)
        memcpy(out, merge->b + j * bytes, b_bytes);
    else
        merge->order.kind->merge(&merge->order, merge->a + i * bytes, a_bytes,
                                 merge->b + j * bytes, b_bytes, out);
    return 0;
}

int filch_merge_with(const void *a, size_t a_count, const void *b, size_t b_count,
                     void *out, size_t bytes, filch_compare *compare,
                     const filch_opts *opts)
{
    struct merge merge = {.a = a,
                          .b = b,
                          .out = out,
                          .a_count = a_count,
                          .b_count = b_count,
                          .bytes = bytes,
                          .order = {.kind = fl_order_kind_of(bytes),
                                    .bytes = bytes,
                                    .compare = compare,
                                    .ctx = opts ? opts->ctx : NULL}};
    struct fl_loop_call call = {
        .body = merge_range, .ctx = &merge, .identity = (uintptr_t)compare, .opts = opts};

    if (fl_items_check(a, a_count, bytes, opts) ||
        fl_items_check(b, b_count, bytes, opts) || a_count > SIZE_MAX - b_count ||
        !compare)
        return -EINVAL;
    call.end = a_count + b_count;
    if (call.end == 0)
        return 0;
    if (fl_items_check(out, call.end, bytes, NULL) ||
        (a_count && fl_overlap(a, out, a_count * bytes, call.end * bytes)) ||
        (b_count && fl_overlap(b, out, b_count * bytes, call.end * bytes)))
        return -EINVAL;
    return run(&call, fl_items_are_few(call.end, opts), MERGED_LEAST);
}
