/* group.c - filch_group: map into a table for each lane, then merge these by parts.
 *
 * Each part of the hashes is merged from all tables by one worker, into a table of the
 * part's own; entries stay where they are, in the arenas of the lanes. Few keys are
 * merged by the caller, into the largest of the tables; and those of one lane are the
 * result.
 */
#include <errno.h>
#include "group.h"
#include "loop.h"
#include "options.h"
#include "platform.h"

/* Fewer keys than this are not worth a loop. */
#define KEYS_TO_SHARE 4096

/* A part has about so many: its table fits a core's own cache. And there are so many for
 * each worker, so that they end together. */
#define KEYS_OF_PART    8192
#define PARTS_OF_WORKER 8
#define PART_BITS_MOST  14

struct group_call {
    struct filch_groups *groups;
    filch_group_body *body;
    struct fl_loop_call map;
    const filch_opts *opts;
};

/* --- what keys and values are ----------------------------------------------------- */

static int check_by(const filch_group_by *by)
{
    if (!by || by->struct_size != sizeof *by || by->abi != FILCH_HOT_ABI ||
        (by->value_bytes && !by->combine))
        return -EINVAL;
    return by->value_bytes > SIZE_MAX / 4 || by->key_bytes > SIZE_MAX / 4 ? -ENOMEM : 0;
}

/* --- map -------------------------------------------------------------------------- */

static int map_range(filch_worker *w, size_t begin, size_t end, void *arg)
{
    struct group_call *call = arg;
    filch_emitter **emitter = &call->groups->emitters[filch_lane(w)];
    int value;

    if (!*emitter)
        *emitter = fl_emitter_make(&call->groups->shape);
    if (!*emitter)
        return -ENOMEM;
    value = call->body(w, begin, end, *emitter, call->groups->shape.ctx);
    return value ? value : (*emitter)->err;
}

/* --- merge ------------------------------------------------------------------------ */

static int make_parts(struct filch_groups *groups, unsigned bits)
{
    size_t i, parts = (size_t)1 << bits;

    groups->parts =
        fl_account_take(&groups->shape.account, parts * sizeof *groups->parts);
    if (!groups->parts)
        return -ENOMEM;
    groups->part_bits = bits;
    for (i = 0; i < parts; i++)
        groups->parts[i].skip = bits;
    return 0;
}

/* The lane with the most keys. */
static size_t largest(const struct filch_groups *groups)
{
    size_t lane, found = 0, most = 0;

    for (lane = 0; lane < groups->lanes; lane++)
        if (groups->emitters[lane] && groups->emitters[lane]->table.count >= most) {
            most = groups->emitters[lane]->table.count;
            found = lane;
        }
    return found;
}

/* All into the table of the largest lane, which becomes the only part. */
static int merge_alone(struct filch_groups *groups)
{
    size_t lane, found = largest(groups);
    struct fl_table *table;

    table = groups->parts = &groups->whole;
    if (!groups->emitters[found])
        return fl_table_make(table, &groups->shape, 1); /* there was no item */
    *table = groups->emitters[found]->table;
    groups->emitters[found]->table = (struct fl_table){0};
    for (lane = 0; lane < groups->lanes; lane++) {
        if (lane == found || !groups->emitters[lane])
            continue;
        if (fl_table_merge(table, &groups->emitters[lane]->table, 0, 0, &groups->shape))
            return -ENOMEM;
        fl_table_free(&groups->emitters[lane]->table, &groups->shape);
    }
    return 0;
}

static int merge_parts(filch_worker *w, size_t begin, size_t end, void *arg)
{
    struct filch_groups *groups = arg;
    size_t part, lane, most = groups->emitters[largest(groups)]->table.count;
    size_t expected = most >> groups->part_bits;

    (void)w;
    for (part = begin; part < end; part++) {
        struct fl_table *table = &groups->parts[part];

        /* A quarter more, for what others have besides, and for parts that are larger. */
        if (fl_table_make(table, &groups->shape, expected + expected / 4 + 1))
            return -ENOMEM;
        for (lane = 0; lane < groups->lanes; lane++)
            if (groups->emitters[lane] &&
                fl_table_merge(table, &groups->emitters[lane]->table, part,
                               groups->part_bits, &groups->shape))
                return -ENOMEM;
    }
    return 0;
}

static int merge_together(struct fl_worker *worker, struct group_call *call, size_t keys,
                          uint32_t workers)
{
    struct filch_groups *groups = call->groups;
    size_t wanted = FL_MAX(keys / KEYS_OF_PART, (size_t)workers * PARTS_OF_WORKER), lane;
    struct fl_loop_call loop = {.body = merge_parts, .ctx = groups, .grain = 1};
    filch_opts opts = call->opts ? *call->opts : (filch_opts){0};
    unsigned bits = 1;
    int err;

    while (bits < PART_BITS_MOST && (size_t)1 << bits < wanted)
        bits++;
    if (make_parts(groups, bits))
        return -ENOMEM;
    opts.progress = NULL; /* it was told of all items */
    loop.opts = &opts;
    loop.end = (size_t)1 << bits;
    err = fl_loop_in(worker, &loop);
    for (lane = 0; lane < groups->lanes && !err; lane++)
        if (groups->emitters[lane])
            fl_table_free(&groups->emitters[lane]->table, &groups->shape);
    return err;
}

/* One lane has given up the user's hash: so do all, for equal keys must meet. */
static void agree_on_hash(struct filch_groups *groups)
{
    bool is_given_up = false;
    size_t lane;

    for (lane = 0; lane < groups->lanes; lane++)
        if (groups->emitters[lane] && !groups->emitters[lane]->hash)
            is_given_up = true;
    if (!is_given_up)
        return;
    for (lane = 0; lane < groups->lanes; lane++)
        if (groups->emitters[lane] && groups->emitters[lane]->hash)
            fl_emitter_use_own_hash(groups->emitters[lane]);
    groups->shape.by.hash = NULL;
}

static int merge(struct fl_worker *worker, struct group_call *call)
{
    struct filch_groups *groups = call->groups;
    size_t lane, used = 0, keys = 0, part;
    int err;

    if (groups->shape.by.hash)
        agree_on_hash(groups);
    for (lane = 0; lane < groups->lanes; lane++)
        if (groups->emitters[lane]) {
            used++;
            keys += groups->emitters[lane]->table.count;
        }
    if (used <= 1 || keys < KEYS_TO_SHARE)
        err = merge_alone(groups);
    else
        err = merge_together(worker, call, keys, fl_loop_lanes(worker, call->opts));
    if (err)
        return err;
    for (part = 0; part < (size_t)1 << groups->part_bits; part++)
        groups->count += groups->parts[part].count;
    return 0;
}

/* --- the call --------------------------------------------------------------------- */

static int group_inside(struct fl_worker *worker, void *arg)
{
    struct group_call *call = arg;
    struct filch_groups *groups = call->groups;
    size_t lanes = fl_loop_lanes(worker, call->opts);
    int err;

    groups->emitters = groups->few;
    if (lanes > FL_FEW_LANES)
        groups->emitters =
            fl_account_take(&groups->shape.account, lanes * sizeof *groups->emitters);
    if (!groups->emitters)
        return -ENOMEM;
    groups->lanes = lanes;
    groups->shape.salt = fl_salt();
    err = fl_loop_in(worker, &call->map);
    return err ? err : merge(worker, call);
}

int filch_group_with(filch_groups **out, size_t begin, size_t end, filch_group_body *body,
                     const filch_group_by *by, const filch_opts *opts)
{
    struct group_call call = {.body = body, .opts = opts};
    int err;

    if (!out)
        return -EINVAL;
    *out = NULL;
    if (!body || begin > end || fl_opts_check(opts))
        return -EINVAL;
    err = check_by(by);
    if (err)
        return err;
    call.groups = fl_zalloc(sizeof *call.groups);
    if (!call.groups)
        return -ENOMEM;
    fl_shape_init(&call.groups->shape, by, opts ? opts->ctx : NULL);
    call.map = (struct fl_loop_call){.begin = begin,
                                     .end = end,
                                     .body = map_range,
                                     .ctx = &call,
                                     .identity = (uintptr_t)body,
                                     .grain = opts ? opts->grain : 0,
                                     .max_chunk = opts ? opts->max_chunk : 0,
                                     .opts = opts};
    err = fl_loop_enter(&call.map, group_inside, &call);
    if (err)
        filch_groups_destroy(call.groups);
    else
        *out = call.groups;
    return err;
}

size_t filch_groups_count(const filch_groups *groups)
{
    return groups->count;
}

void *filch_groups_find(const filch_groups *groups, const void *key, size_t key_bytes)
{
    const struct fl_shape *shape = &groups->shape;
    const struct fl_entry *entry;
    uint64_t hash;
    size_t part;

    if (shape->by.key_bytes && shape->by.key_bytes != key_bytes)
        return NULL;
    hash = fl_group_hash_of(shape, shape->by.hash, key, key_bytes);
    part = groups->part_bits ? (size_t)(hash >> (64 - groups->part_bits)) : 0;
    entry = fl_table_find(&groups->parts[part], shape, hash, key, key_bytes);
    return entry ? fl_entry_value(entry, shape) : NULL;
}

size_t filch_groups_bytes(const filch_groups *groups, size_t *most)
{
    if (most)
        *most = groups->shape.account.most + sizeof *groups;
    return groups->shape.account.bytes + sizeof *groups;
}

void filch_groups_destroy(filch_groups *groups)
{
    struct fl_account *account;
    size_t lane, part, parts;

    if (!groups)
        return;
    account = &groups->shape.account;
    parts = (size_t)1 << groups->part_bits;
    for (part = 0; groups->parts && part < parts; part++)
        fl_table_free(&groups->parts[part], &groups->shape);
    if (groups->parts != &groups->whole)
        fl_account_give(account, groups->parts, parts * sizeof *groups->parts);
    for (lane = 0; lane < groups->lanes; lane++)
        if (groups->emitters[lane])
            fl_emitter_free(groups->emitters[lane]);
    if (groups->emitters != groups->few)
        fl_account_give(account, groups->emitters,
                        groups->lanes * sizeof *groups->emitters);
    fl_account_give(account, groups->items,
                    FL_MAX(groups->count, 1) * sizeof *groups->items);
    FL_ASSERT(account->bytes == 0);
    fl_free(groups);
}
