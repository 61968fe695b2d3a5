/* group_items.c - the keys and values of a filch_group in an array, in an order.
 *
 * Ordered ones are sorted (order.h) as pairs of an entry and 64 bits that say most of
 * where it goes: the item that emitted it first, or the first eight bytes of the key.
 */
#include <errno.h>
#include <string.h>
#include "group.h"
#include "loop.h"
#include "options.h"
#include "order.h"
#include "platform.h"

/* So many keys are set in any order without a loop: to find a worker would take longer. */
#define FEW 16

struct pair {
    uint64_t rank;
    struct fl_entry *entry;
};

struct order_call {
    struct filch_groups *groups;
    enum filch_group_order order;
    const filch_opts *opts;
    size_t *begins;   /* of each part, among all keys; */
    size_t only_part; /* which is 0, where there is one */
    struct pair *pairs;
    char *room; /* to sort them */
};

/* --- before and after ------------------------------------------------------------- */

/* The first eight bytes, so that numbers compare as they do. */
static uint64_t prefix_of(const unsigned char *key, size_t bytes)
{
    uint64_t prefix = 0;
    size_t i;

    for (i = 0; i < 8 && i < bytes; i++)
        prefix |= (uint64_t)key[i] << (56 - 8 * i);
    return prefix;
}

/* Of two keys whose prefixes are equal. */
static int compare_keys(const struct fl_entry *a, const struct fl_entry *b,
                        const struct fl_shape *shape)
{
    size_t a_bytes = fl_entry_key_bytes(a, shape), b_bytes = fl_entry_key_bytes(b, shape);
    size_t common = FL_MIN(a_bytes, b_bytes);
    int order = 0;

    if (common > 8)
        order =
            memcmp(fl_entry_key(a, shape) + 8, fl_entry_key(b, shape) + 8, common - 8);
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_pairs(const void *left, const void *right, void *ctx)
{
    const struct order_call *call = ctx;
    const struct pair *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (call->order == FILCH_GROUP_BY_KEY)
        return compare_keys(a->entry, b->entry, &call->groups->shape);
    return (a->entry->stamp > b->entry->stamp) - (a->entry->stamp < b->entry->stamp);
}

/* --- the array -------------------------------------------------------------------- */

static void set_item(const struct filch_groups *groups, const struct fl_entry *entry,
                     filch_group_item *item)
{
    item->key = fl_entry_key(entry, &groups->shape);
    item->key_bytes = fl_entry_key_bytes(entry, &groups->shape);
    item->value = fl_entry_value(entry, &groups->shape);
    item->first = (size_t)entry->first;
}

/* What is in parts [begin, end): as pairs, or as items where there is no order. */
static int collect_parts(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct order_call *call = arg;
    const struct filch_groups *groups = call->groups;
    size_t part, i;

    (void)w;
    for (part = begin; part < end; part++) {
        const struct fl_table *table = &groups->parts[part];
        size_t at = call->begins[part];

        for (i = 0; i < (size_t)1 << table->log2; i++) {
            struct fl_entry *entry = table->slots[i].entry;

            if (!entry)
                continue;
            if (call->order == FILCH_GROUP_ANY)
                set_item(groups, entry, &groups->items[at]);
            else
                call->pairs[at] = (struct pair){
                    call->order == FILCH_GROUP_BY_FIRST
                        ? entry->first
                        : prefix_of(fl_entry_key(entry, &groups->shape),
                                    fl_entry_key_bytes(entry, &groups->shape)),
                    entry};
            at++;
        }
    }
    return 0;
}

static bool needs_no_loop(const struct order_call *call)
{
    return call->groups->part_bits == 0 && call->order == FILCH_GROUP_ANY &&
           call->groups->count <= FEW && !(call->opts && call->opts->cancel);
}

static int set_items(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct order_call *call = arg;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++)
        set_item(call->groups, call->pairs[i].entry, &call->groups->items[i]);
    return 0;
}

static int loop(struct fl_worker *worker, struct order_call *call, filch_body *body,
                size_t count, size_t grain)
{
    filch_opts opts = call->opts ? *call->opts : (filch_opts){0};
    struct fl_loop_call loop_call = {
        .end = count, .body = body, .ctx = call, .grain = grain, .opts = &opts};

    opts.progress = NULL;
    return fl_loop_in(worker, &loop_call);
}

static int sort_pairs(struct fl_worker *worker, struct order_call *call)
{
    struct fl_order order = {.kind = &fl_order_16,
                             .bytes = sizeof(struct pair),
                             .compare = compare_pairs,
                             .ctx = call,
                             .cancel = call->opts ? call->opts->cancel : NULL};
    filch_opts quiet = call->opts ? *call->opts : (filch_opts){0};
    size_t count = call->groups->count;

    quiet.progress = NULL;
    if (count > FL_ORDER_FEW)
        return fl_order_together(worker, &order, (char *)call->pairs, call->room, count,
                                 &quiet);
    fl_order_16.sort(&order, (char *)call->pairs, call->room, count, false);
    return 0;
}

static int order_inside(struct fl_worker *worker, void *arg)
{
    struct order_call *call = arg;
    size_t parts = (size_t)1 << call->groups->part_bits, part, sum = 0;
    int err;

    for (part = 0; part < parts; part++) {
        call->begins[part] = sum;
        sum += call->groups->parts[part].count;
    }
    err = loop(worker, call, collect_parts, parts, 1);
    if (err || call->order == FILCH_GROUP_ANY)
        return err;
    err = sort_pairs(worker, call);
    return err ? err : loop(worker, call, set_items, call->groups->count, 0);
}

int filch_groups_items_with(filch_groups *groups, enum filch_group_order order,
                            filch_group_item **items, const filch_opts *opts)
{
    struct order_call call = {.groups = groups, .order = order, .opts = opts};
    struct fl_account *account;
    size_t items_bytes, pairs_bytes, room_bytes, begins_bytes;
    int err = -ENOMEM;

    if (!items)
        return -EINVAL;
    *items = NULL;
    if (!groups || (unsigned)order > FILCH_GROUP_BY_KEY || fl_opts_check(opts))
        return -EINVAL;
    account = &groups->shape.account;
    items_bytes = FL_MAX(groups->count, 1) * sizeof *groups->items;
    pairs_bytes = FL_MAX(groups->count, 1) * sizeof *call.pairs;
    room_bytes = fl_order_room(groups->count, sizeof *call.pairs);
    begins_bytes = groups->part_bits ? sizeof *call.begins << groups->part_bits : 0;
    fl_account_give(account, groups->items, items_bytes);
    groups->items = fl_account_take(account, items_bytes);
    call.begins = begins_bytes ? fl_account_take(account, begins_bytes) : &call.only_part;
    if (order != FILCH_GROUP_ANY) {
        call.pairs = fl_account_take(account, pairs_bytes);
        call.room = fl_account_take(account, room_bytes);
    }
    if (groups->items && call.begins &&
        (order == FILCH_GROUP_ANY || (call.pairs && call.room)))
        err = needs_no_loop(&call) ? collect_parts(NULL, 0, 1, &call)
                                   : fl_enter(opts, order_inside, &call);
    fl_account_give(account, call.room, room_bytes);
    fl_account_give(account, call.pairs, pairs_bytes);
    if (begins_bytes)
        fl_account_give(account, call.begins, begins_bytes);
    if (err) {
        fl_account_give(account, groups->items, items_bytes);
        groups->items = NULL;
    } else {
        *items = groups->items;
    }
    return err;
}
