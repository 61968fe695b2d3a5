/* calls_group.c - grouping by key, histograms and shuffles against serial loops; see
 * calls.h. */
#include <errno.h>
#include <string.h>
#include "calls.h"

#define MOST_KEYS   2000
#define MOST_BINS   3000
#define BODY_FAILED 500

enum keyed_kind { GROUP, COUNTS, SUMS, NUMBERS, SHUFFLE, KEYED };

struct keyed {
    struct call call;
    enum keyed_kind kind;
    size_t n, keys, fails_at; /* SIZE_MAX: no item */
    uint64_t seed;
    bool has_lengths; /* keys of several */
    filch_groups *groups;
    uint64_t *counts;
    double *sums;
    uint32_t *numbers;
};

static uint32_t key_of(const struct keyed *keyed, size_t item)
{
    uint64_t z = (keyed->seed + item) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)((z >> 32) % keyed->keys);
}

/* At least four, so that keys differ in these. */
static size_t key_bytes(const struct keyed *keyed, uint32_t key)
{
    return keyed->has_lengths ? 4 + key % 60 : 8;
}

/* --- groups ----------------------------------------------------------------------- */

static int emit(filch_worker *w, size_t begin, size_t end, filch_emitter *out, void *ctx)
{
    struct keyed *keyed = ctx;
    unsigned lane = body_begin(&keyed->call, w, true);
    unsigned char bytes[64] = {0};
    int value = 0;

    for (; begin < end && !value; begin++) {
        uint32_t key = key_of(keyed, begin);
        uint64_t *sum;

        memcpy(bytes, &key, sizeof key);
        sum = filch_emit(out, begin, bytes, key_bytes(keyed, key));
        if (sum)
            *sum += begin + 1;
        value = begin == keyed->fails_at ? BODY_FAILED : sum ? 0 : -ENOMEM;
    }
    body_end(&keyed->call, w, lane, true);
    return value;
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

/* Keys in the order of their first items, their sums and their places. */
static void check_groups(struct keyed *keyed)
{
    const filch_opts *opts = FILCH_OPTS(NULL, .pool = keyed->call.opts.pool,
                                        .worker = keyed->call.opts.worker);
    uint64_t *sums = run_alloc(keyed->keys * sizeof *sums);
    size_t i, seen = 0, count = filch_groups_count(keyed->groups);
    filch_group_item *items;

    for (i = 0; i < keyed->n; i++)
        sums[key_of(keyed, i)] += i + 1;
    if (filch_groups_items_with(keyed->groups, FILCH_GROUP_BY_FIRST, &items, opts)) {
        complain("groups: no array of %zu keys", count);
        return;
    }
    for (i = 0; i < keyed->n; i++) {
        uint32_t key = key_of(keyed, i), found;
        const filch_group_item *item = &items[seen];

        if (sums[key] == 0)
            continue;
        if (seen++ == count) {
            complain("groups: a key is not there");
            return;
        }
        memcpy(&found, item->key, sizeof found);
        if (found != key || item->key_bytes != key_bytes(keyed, key) ||
            item->first != i || *(uint64_t *)item->value != sums[key] ||
            filch_groups_find(keyed->groups, item->key, item->key_bytes) != item->value)
            complain("groups: key %u of %zu bytes, first at %zu; it is %u, first at %zu",
                     (unsigned)found, item->key_bytes, item->first, (unsigned)key, i);
        sums[key] = 0;
    }
    if (seen != count)
        complain("groups: %zu keys, not %zu", count, seen);
}

/* --- histograms ------------------------------------------------------------------- */

static int find_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                     double *weight, void *ctx)
{
    struct keyed *keyed = ctx;
    unsigned lane = body_begin(&keyed->call, w, true);
    size_t i;
    int value = 0;

    if (begin >= end || end > keyed->n || end - begin > FILCH_HISTOGRAM_ITEMS)
        complain("bins of [%zu, %zu) are asked for", begin, end);
    if ((weight != NULL) != (keyed->kind == SUMS))
        complain("weights are asked for, or not");
    for (i = begin; i < end && !value; i++) {
        bin[i - begin] = key_of(keyed, i);
        if (weight)
            weight[i - begin] = (double)(i + 1); /* any order has the same sum */
        value = i == keyed->fails_at ? BODY_FAILED : 0;
    }
    body_end(&keyed->call, w, lane, true);
    return value;
}

/* The last tenth of the keys has no bins. */
static size_t bins_of(const struct keyed *keyed)
{
    return keyed->keys - keyed->keys / 10;
}

static void check_bins(struct keyed *keyed, int value)
{
    uint64_t *right = run_alloc(keyed->keys * sizeof *right);
    size_t i;

    for (i = 0; i < keyed->n && value == 0; i++)
        right[key_of(keyed, i)] += keyed->kind == SUMS ? i + 1 : 1;
    for (i = 0; i < bins_of(keyed); i++) {
        double is = keyed->kind == SUMS ? keyed->sums[i] : (double)keyed->counts[i];

        if (is < (double)(right[i] + i) || is > (double)(right[i] + i))
            complain("bin %zu of %zu has %g, not %g; returned %d", i, bins_of(keyed), is,
                     (double)(right[i] + i), value);
    }
}

/* --- shuffles --------------------------------------------------------------------- */

/* As on one worker; nothing was moved after an error. */
static void check_shuffle(struct keyed *keyed, int value)
{
    uint32_t *right = run_alloc(keyed->n * sizeof *right + 1);
    size_t i;

    for (i = 0; i < keyed->n; i++)
        right[i] = (uint32_t)i;
    if (value == 0 && filch_shuffle(right, keyed->n, sizeof *right, keyed->seed,
                                    .worker = keyed->call.opts.worker,
                                    .pool = keyed->call.opts.pool, .max_workers = 1))
        complain("a shuffle by one worker fails");
    for (i = 0; i < keyed->n; i++)
        if (keyed->numbers[i] != right[i])
            complain("shuffle: item %zu of %zu is %u, not %u; returned %d", i, keyed->n,
                     (unsigned)keyed->numbers[i], (unsigned)right[i], value);
}

/* --- all of them ------------------------------------------------------------------ */

static int run_keyed(struct keyed *keyed)
{
    const filch_opts *opts = &keyed->call.opts;
    size_t bins = bins_of(keyed), i;

    for (i = 0; i < bins; i++) {
        keyed->counts[i] = i;
        keyed->sums[i] = (double)i;
    }
    for (i = 0; i < keyed->n; i++)
        keyed->numbers[i] = keyed->kind == SHUFFLE ? (uint32_t)i : key_of(keyed, i);
    switch (keyed->kind) {
    case GROUP:
        return filch_group_with(&keyed->groups, 0, keyed->n, emit,
                                FILCH_GROUP_BY(.value_bytes = 8, .combine = add,
                                               .key_bytes = keyed->has_lengths ? 0 : 8),
                                opts);
    case COUNTS:
        return filch_histogram_with(0, keyed->n, keyed->counts, bins, find_bins, opts);
    case SUMS:
        return filch_histogram_sums_with(0, keyed->n, keyed->sums, bins, find_bins, opts);
    case NUMBERS:
        return filch_histogram_uint32(keyed->numbers, keyed->n, keyed->counts, bins,
                                      opts);
    default:
        return filch_shuffle_with(keyed->numbers, keyed->n, sizeof *keyed->numbers,
                                  keyed->seed, opts);
    }
}

void call_keyed(struct run *run)
{
    struct keyed *keyed = call_new(run, sizeof *keyed, "a group or the like");
    struct call *call = &keyed->call;
    bool can_fail, is_right;
    int value;

    keyed->kind = (enum keyed_kind)(read_byte(run) % KEYED);
    can_fail = keyed->kind < NUMBERS && read_chance(run, 8);
    keyed->n = read_count(run, SIZE_MAX);
    if (run->depth == 0 && read_chance(run, 4))
        keyed->n += 40000; /* a shuffle by several */
    keyed->keys = 1 + read_below(run, keyed->kind == GROUP ? MOST_KEYS : MOST_BINS);
    keyed->seed = read_byte(run);
    keyed->has_lengths = read_chance(run, 2);
    keyed->fails_at = can_fail && keyed->n ? read_below(run, keyed->n) : SIZE_MAX;
    if (read_chance(run, 16)) {
        filch_cancel_set(&call->token);
        call->opts.cancel = &call->token;
    }
    keyed->counts = run_alloc(keyed->keys * sizeof *keyed->counts);
    keyed->sums = run_alloc(keyed->keys * sizeof *keyed->sums);
    keyed->numbers = run_alloc(keyed->n * sizeof *keyed->numbers + 1);
    value = run_keyed(keyed);
    call_end(call);
    if (call->is_bad)
        is_right = value == -EINVAL;
    else if (call->opts.cancel)
        is_right = value == -ECANCELED || (value == 0 && keyed->n == 0);
    else if (call->is_ended && keyed->fails_at < keyed->n)
        is_right = value == PROGRESS_VALUE || value == BODY_FAILED;
    else if (call->is_ended)
        is_right = value == PROGRESS_VALUE;
    else
        is_right = value == (keyed->fails_at < keyed->n ? BODY_FAILED : 0);
    if (!is_right)
        complain("a group or the like, kind %d, %zu items, %zu fails: %d",
                 (int)keyed->kind, keyed->n, keyed->fails_at, value);
    if (keyed->kind == SHUFFLE)
        check_shuffle(keyed, value);
    else if (keyed->kind != GROUP)
        check_bins(keyed, value);
    else if (value == 0)
        check_groups(keyed);
    else if (keyed->groups)
        complain("groups after %d", value);
    filch_groups_destroy(keyed->groups);
}
