/* group_items.c - the keys and values of a filch_group in an array, in an order.
 *
 * Ordered ones are sorted as pairs of an entry and 64 bits that say most of where it
 * goes: the item that emitted it first, or the first eight bytes of the key. The array
 * is cut into runs, each sorted by one worker; then runs are merged in pairs, where
 * every piece of the result is one worker's, who finds by bisection what goes into it
 * (Odeh, Green, Mwassi, Shmueli, Birk, IPDPSW 2012).
 */
#include <errno.h>
#include <string.h>
#include "group.h"
#include "loop.h"
#include "options.h"
#include "platform.h"

#define RUN_LEAST 2048 /* pairs: fewer are not worth a worker */
#define RUNS_MOST 256
#define PIECE     4096 /* of a merge */
#define FEW       16   /* keys: sorted by insertion; or set without a loop */

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
    struct pair *from, *to;
    size_t run; /* items in a run, but for the last */
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
static bool key_precedes(const struct fl_entry *a, const struct fl_entry *b,
                         const struct fl_shape *shape)
{
    size_t a_bytes = fl_entry_key_bytes(a, shape), b_bytes = fl_entry_key_bytes(b, shape);
    size_t common = FL_MIN(a_bytes, b_bytes);
    int order = 0;

    if (common > 8)
        order =
            memcmp(fl_entry_key(a, shape) + 8, fl_entry_key(b, shape) + 8, common - 8);
    return order ? order < 0 : a_bytes < b_bytes;
}

static inline bool precedes(const struct order_call *call, const struct pair *a,
                            const struct pair *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (call->order == FILCH_GROUP_BY_FIRST)
        return a->entry->stamp < b->entry->stamp;
    return key_precedes(a->entry, b->entry, &call->groups->shape);
}

/* --- sorting ---------------------------------------------------------------------- */

/* Merge [a, a_end) and [b, b_end) to out, which may be where b begins less the length
 * of a: what is written there has been read. */
static void merge_pairs(const struct order_call *call, const struct pair *a,
                        const struct pair *a_end, const struct pair *b,
                        const struct pair *b_end, struct pair *out)
{
    while (a < a_end && b < b_end)
        *out++ = precedes(call, b, a) ? *b++ : *a++;
    while (a < a_end)
        *out++ = *a++;
    while (b < b_end)
        *out++ = *b++;
}

static void insert_pairs(const struct order_call *call, struct pair *pair, size_t count)
{
    size_t i, at;

    for (i = 1; i < count; i++) {
        struct pair moved = pair[i];

        for (at = i; at > 0 && precedes(call, &moved, &pair[at - 1]); at--)
            pair[at] = pair[at - 1];
        pair[at] = moved;
    }
}

/* spare: room for half of them. */
static void sort_pairs(const struct order_call *call, struct pair *pair, size_t count,
                       struct pair *spare)
{
    size_t half = count / 2;

    if (count <= FEW) {
        insert_pairs(call, pair, count);
        return;
    }
    sort_pairs(call, pair, half, spare);
    sort_pairs(call, pair + half, count - half, spare);
    if (!precedes(call, &pair[half], &pair[half - 1]))
        return;
    memcpy(spare, pair, half * sizeof *pair);
    merge_pairs(call, spare, spare + half, pair + half, pair + count, pair);
}

static int sort_runs(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct order_call *call = arg;
    size_t run, at, count = call->groups->count;

    (void)w;
    for (run = begin; run < end; run++) {
        at = run * call->run;
        sort_pairs(call, call->from + at, FL_MIN(call->run, count - at), call->to + at);
    }
    return 0;
}

/* How many of the first `out` of a and b merged come from a. */
static size_t share_of(const struct order_call *call, const struct pair *a,
                       size_t a_count, const struct pair *b, size_t b_count, size_t out)
{
    size_t low = out > b_count ? out - b_count : 0, high = FL_MIN(out, a_count);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (precedes(call, &b[out - middle - 1], &a[middle]))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Pieces [begin, end) of a round, in which runs of call->run are merged in pairs. */
static int merge_pieces(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct order_call *call = arg;
    size_t count = call->groups->count, piece;

    (void)w;
    for (piece = begin; piece < end; piece++) {
        size_t at = piece * PIECE, stop = FL_MIN(at + PIECE, count), next;

        for (; at < stop; at = next) {
            size_t left = at / (2 * call->run) * (2 * call->run);
            size_t a_count = FL_MIN(call->run, count - left);
            size_t b_count = FL_MIN(call->run, count - left - a_count);
            const struct pair *a = call->from + left, *b = a + a_count;
            size_t a_from, a_to;

            next = FL_MIN(stop, left + a_count + b_count);
            a_from = share_of(call, a, a_count, b, b_count, at - left);
            a_to = share_of(call, a, a_count, b, b_count, next - left);
            merge_pairs(call, a + a_from, a + a_to, b + (at - left - a_from),
                        b + (next - left - a_to), call->to + at);
        }
    }
    return 0;
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
                call->from[at] = (struct pair){
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

/* Few keys in any order: to find a worker for them would take longer. */
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
        set_item(call->groups, call->from[i].entry, &call->groups->items[i]);
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

static int sort_all(struct fl_worker *worker, struct order_call *call)
{
    size_t count = call->groups->count;
    size_t runs = (size_t)4 * FL_MIN(fl_loop_lanes(worker, call->opts), RUNS_MOST / 4);
    int err;

    call->run = FL_MAX(count / runs + 1, RUN_LEAST);
    err = loop(worker, call, sort_runs, (count + call->run - 1) / call->run, 1);
    for (; call->run < count && !err; call->run *= 2) {
        struct pair *from = call->from;

        err = loop(worker, call, merge_pieces, (count + PIECE - 1) / PIECE, 1);
        call->from = call->to;
        call->to = from;
    }
    return err;
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
    err = sort_all(worker, call);
    return err ? err : loop(worker, call, set_items, call->groups->count, 0);
}

int filch_groups_items_with(filch_groups *groups, enum filch_group_order order,
                            filch_group_item **items, const filch_opts *opts)
{
    struct order_call call = {.groups = groups, .order = order, .opts = opts};
    struct fl_account *account;
    size_t items_bytes, pairs_bytes, begins_bytes;
    struct pair *pairs = NULL;
    int err = -ENOMEM;

    if (!items)
        return -EINVAL;
    *items = NULL;
    if (!groups || (unsigned)order > FILCH_GROUP_BY_KEY || fl_opts_check(opts))
        return -EINVAL;
    account = &groups->shape.account;
    items_bytes = FL_MAX(groups->count, 1) * sizeof *groups->items;
    pairs_bytes = 2 * FL_MAX(groups->count, 1) * sizeof *pairs;
    begins_bytes = groups->part_bits ? sizeof *call.begins << groups->part_bits : 0;
    fl_account_give(account, groups->items, items_bytes);
    groups->items = fl_account_take(account, items_bytes);
    call.begins = begins_bytes ? fl_account_take(account, begins_bytes) : &call.only_part;
    if (order != FILCH_GROUP_ANY) {
        pairs = fl_account_take(account, pairs_bytes);
        call.from = pairs;
        call.to = pairs ? pairs + groups->count : NULL;
    }
    if (groups->items && call.begins && (order == FILCH_GROUP_ANY || pairs))
        err = needs_no_loop(&call) ? collect_parts(NULL, 0, 1, &call)
                                   : fl_enter(opts, order_inside, &call);
    fl_account_give(account, pairs, pairs_bytes);
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
