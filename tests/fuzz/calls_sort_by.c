/* calls_sort_by.c - the sorts of sort_by.h; see calls.h.
 *
 * By a comparison that is an order, and by one that is none: then each item is there once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "calls.h"

/* More than the caller sorts at once. */
#define SHARED 9000

enum sort_by_kind { ITEMS, LARGE_ITEMS, PLACES, STRINGS, SORTS };

struct item {
    uint32_t key, place;
    uint32_t more[4]; /* of large ones */
};

struct sort_by_call {
    struct call call;
    enum sort_by_kind kind;
    bool is_order;
    size_t n, bytes;
    char *items;
    size_t *places;
    char (*texts)[8];
    const char **strings;
};

static uint32_t mix(uint32_t z)
{
    z = (z ^ z >> 16) * 0x7feb352du;
    z = (z ^ z >> 15) * 0x846ca68bu;
    return z ^ z >> 16;
}

static int compare(const void *left, const void *right, void *ctx)
{
    const struct sort_by_call *sort = ctx;
    uint32_t a[2], b[2];

    memcpy(a, left, sizeof a);
    memcpy(b, right, sizeof b);
    if (a[1] >= sort->n || b[1] >= sort->n)
        complain("a comparison of what is no item");
    if (!sort->is_order)
        return (int)(mix(a[0] ^ mix(b[1])) % 3) - 1;
    return (a[0] > b[0]) - (a[0] < b[0]);
}

static int run_sort(struct sort_by_call *sort)
{
    const filch_opts *opts = &sort->call.opts;

    if (sort->kind == STRINGS)
        return filch_sort_strings_with(sort->strings, sort->n, opts);
    if (sort->kind == PLACES)
        return filch_argsort_by_with(sort->items, sort->n, sort->bytes, sort->places,
                                     compare, opts);
    return filch_sort_with(sort->items, sort->n, sort->bytes, compare, opts);
}

/* The key at that place, and where it was. */
static struct item item_at(const struct sort_by_call *sort, size_t i)
{
    struct item item = {.key = 0};

    if (sort->kind == STRINGS) {
        item.place = (uint32_t)(((const char(*)[8])sort->strings[i]) -
                                (const char(*)[8])sort->texts);
        for (i = 0; sort->texts[item.place][i]; i++)
            item.key = item.key << 2 | (uint32_t)(sort->texts[item.place][i] - 'a' + 1);
        for (; i < 7; i++)
            item.key <<= 2;
        return item;
    }
    if (sort->kind == PLACES)
        i = sort->places[i];
    memcpy(&item, sort->items + i * sort->bytes, sort->bytes);
    return item;
}

static void check(struct sort_by_call *sort, int value)
{
    bool is_sorted = value == 0 && (sort->is_order || sort->kind == STRINGS);
    char *seen = run_alloc(sort->n + 1);
    struct item last = {.key = 0};
    size_t i;

    for (i = 0; i < sort->n && (value == 0 || sort->kind != PLACES); i++) {
        struct item item;

        if (sort->kind == PLACES && sort->places[i] >= sort->n) {
            complain("place %zu of %zu", sort->places[i], sort->n);
            return;
        }
        item = item_at(sort, i);
        if (item.place >= sort->n || seen[item.place]++)
            complain("item %zu of %zu came from %u", i, sort->n, (unsigned)item.place);
        if (is_sorted && i > 0 &&
            !(last.key < item.key || (last.key == item.key && last.place < item.place)))
            complain("item %zu of %zu is not in order", i, sort->n);
        last = item;
    }
}

void call_sort_by(struct run *run)
{
    struct sort_by_call *sort = call_new(run, sizeof *sort, "a sort by a comparison");
    struct call *call = &sort->call;
    uint32_t seed, keys;
    int value, want = 0;
    size_t i, j;

    sort->kind = (enum sort_by_kind)(read_byte(run) % SORTS);
    sort->bytes = sort->kind == LARGE_ITEMS ? sizeof(struct item) : 8;
    sort->is_order = !read_chance(run, 4);
    sort->n = read_count(run, 3000);
    seed = (uint32_t)read_byte(run) << 16;
    keys = (uint32_t)read_below(run, 5000) + 1;
    if (run->depth == 0 && read_chance(run, 16))
        sort->n += SHARED;
    if (read_chance(run, 16)) {
        filch_cancel_set(&call->token);
        call->opts.cancel = &call->token;
    }
    sort->items = run_alloc(sort->n * sort->bytes + 1);
    sort->places = run_alloc((sort->n + 1) * sizeof *sort->places);
    sort->texts = run_alloc((sort->n + 1) * sizeof *sort->texts);
    sort->strings = run_alloc((sort->n + 1) * sizeof *sort->strings);
    for (i = 0; i < sort->n; i++) {
        struct item item = {mix(seed + (uint32_t)i) % keys, (uint32_t)i, {0}};

        memcpy(sort->items + i * sort->bytes, &item, sort->bytes);
        for (j = 0; j < item.key % 8; j++)
            sort->texts[i][j] = (char)('a' + (item.key >> (2 * j) & 3) % 3);
        sort->strings[i] = sort->texts[i];
    }
    value = run_sort(sort);
    call_end(call);
    if (call->is_bad)
        want = -EINVAL;
    else if (call->is_ended)
        want = PROGRESS_VALUE;
    else if (call->opts.cancel && sort->n > 0)
        want = -ECANCELED;
    if (value != want)
        complain("a sort by a comparison, kind %d, %zu items: %d, not %d",
                 (int)sort->kind, sort->n, value, want);
    check(sort, value);
}
