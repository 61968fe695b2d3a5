/* calls_pack.c - scans, packing, searches and merges against serial loops; see calls.h. */
#include <errno.h>
#include <string.h>
#include "calls.h"
#include "../stress/plan.h"

#define MOST_ITEMS_PACKED 70000

static int64_t packed_items[MOST_ITEMS_PACKED], sorted_items[MOST_ITEMS_PACKED];

/* Equal ones in a row, and few that are large. */
static void fill_items(void)
{
    int64_t sorted = 0;
    size_t i;

    for (i = 0; i < MOST_ITEMS_PACKED; i++) {
        uint64_t bits = mix(i);

        packed_items[i] = i > 0 && bits % 3 == 0 ? packed_items[i - 1]
                          : bits % 4096 == 1     ? INT64_MAX
                                                 : (int64_t)(bits >> 32);
        sorted_items[i] = sorted += (int64_t)(bits % 5 == 0);
    }
}

static int is_even(const void *item, void *ctx)
{
    (void)ctx;
    return *(const int64_t *)item % 2 == 0;
}

static int are_even(const void *items, size_t count, bool *flags, void *ctx)
{
    size_t i;

    (void)ctx;
    for (i = 0; i < count; i++)
        flags[i] = ((const int64_t *)items)[i] % 2 == 0;
    return 0;
}

static int is_large(const void *item, void *ctx)
{
    (void)ctx;
    return *(const int64_t *)item == INT64_MAX;
}

static int compare(const void *a, const void *b, void *ctx)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    (void)ctx;
    return x < y ? -1 : x > y;
}

/* x -> scale x + add, modulo 2^32: does not commute. */
static uint64_t then(uint64_t left, uint64_t right)
{
    uint32_t scale = (uint32_t)(left >> 32) * (uint32_t)(right >> 32);
    uint32_t add = (uint32_t)left * (uint32_t)(right >> 32) + (uint32_t)right;

    return (uint64_t)scale << 32 | add;
}

static void combine(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left = then(*(uint64_t *)left, *(const uint64_t *)right);
}

enum pack_kind {
    SCAN_SUM,
    EXSCAN_MAX,
    SCAN_THEN,
    EXSCAN_THEN,
    FILTER,
    PARTITION,
    UNIQUE,
    WHERE,
    COUNT,
    FIND,
    MERGE,
    PACK_KINDS
};

/* What the call returns, and its results: in out, and a number. */
static int pack_call(enum pack_kind kind, bool by_ranges, const int64_t *in, size_t n,
                     int64_t *out, uint64_t *number, const filch_opts *opts)
{
    size_t *count = (size_t *)number;

    switch (kind) {
    case SCAN_SUM:
        return filch_scan_sum_int64(in, n, out, opts);
    case EXSCAN_MAX:
        return filch_exscan_max_int64(in, n, out, (int64_t *)number, opts);
    case SCAN_THEN:
        return filch_scan_with(in, out, n, 8, NULL, combine, opts);
    case EXSCAN_THEN:
        return filch_exscan_with(in, out, n, 8, number, combine, opts);
    case FILTER:
        return by_ranges ? filch_filter_ranges_with(in, out, n, 8, count, are_even, opts)
                         : filch_filter_with(in, out, n, 8, count, is_even, opts);
    case PARTITION:
        return filch_partition_with(in, out, n, 8, count, is_even, opts);
    case UNIQUE:
        return filch_unique_with(in, out, n, 8, count, NULL, opts);
    case WHERE:
        return filch_where_with(in, (size_t *)(void *)out, n, 8, count, is_even, opts);
    case COUNT:
        return by_ranges ? filch_count_if_ranges_with(in, n, 8, count, are_even, opts)
                         : filch_count_if_with(in, n, 8, count, is_even, opts);
    case FIND:
        return filch_find_with(in, n, 8, count, is_large, opts);
    default:
        return filch_merge_with(sorted_items, n / 3, sorted_items, n - n / 3, out, 8,
                                compare, opts);
    }
}

/* The same by serial loops. Returns how many of out count. */
static size_t serial_call(enum pack_kind kind, const int64_t *in, size_t n, int64_t *out,
                          uint64_t *number)
{
    uint64_t carry = *number;
    size_t i, j = 0, kept = 0;

    switch (kind) {
    case SCAN_SUM:
        for (carry = 0, i = 0; i < n; i++)
            out[i] = (int64_t)(carry += (uint64_t)in[i]);
        return n;
    case EXSCAN_MAX:
        for (i = 0; i < n; i++) {
            out[i] = (int64_t)carry;
            carry = in[i] > (int64_t)carry ? (uint64_t)in[i] : carry;
        }
        *number = carry;
        return n;
    case SCAN_THEN:
        for (i = 0; i < n; i++)
            out[i] =
                (int64_t)(carry = i ? then(carry, (uint64_t)in[i]) : (uint64_t)in[i]);
        return n;
    case EXSCAN_THEN:
        for (i = 0; i < n; i++) {
            out[i] = (int64_t)carry;
            carry = then(carry, (uint64_t)in[i]);
        }
        *number = carry;
        return n;
    case FIND:
        for (i = 0; i < n && in[i] != INT64_MAX; i++)
            continue;
        *number = i;
        return 0;
    case MERGE:
        for (i = 0; i + j < n;)
            if (j == n - n / 3 || (i < n / 3 && sorted_items[i] <= sorted_items[j]))
                out[i + j] = sorted_items[i], i++;
            else
                out[i + j] = sorted_items[j], j++;
        return n;
    default:
        for (i = 0; i < n; i++)
            if (kind == UNIQUE ? i == 0 || in[i] != in[i - 1] : in[i] % 2 == 0)
                out[kept++] = kind == WHERE ? (int64_t)i : in[i];
        *number = kept;
        for (i = 0; kind == PARTITION && i < n; i++)
            if (in[i] % 2 != 0)
                out[kept++] = in[i];
        return kind == COUNT ? 0 : kept;
    }
}

void call_pack(struct run *run)
{
    struct call *call = call_new(run, sizeof *call, "a scan or the like");
    enum pack_kind kind = (enum pack_kind)(read_byte(run) % PACK_KINDS);
    size_t n = read_count(run, SIZE_MAX), from = read_below(run, 20000), shown;
    bool by_ranges = read_chance(run, 2);
    bool is_in_place = (kind < PARTITION || kind == UNIQUE) && read_chance(run, 2);
    uint64_t number = 3, right_number = 3;
    int64_t *out, *right;
    int value, want = 0;

    if (run->depth == 0 && read_chance(run, 2))
        n += 40000; /* more tiles than one */
    if (read_chance(run, 16)) {
        filch_cancel_set(&call->token);
        call->opts.cancel = &call->token;
    }
    from = n + from <= MOST_ITEMS_PACKED ? from : 0;
    out = run_alloc((n + 1) * sizeof *out);
    right = run_alloc((n + 1) * sizeof *right);
    if (is_in_place)
        memcpy(out, packed_items + from, n * sizeof *out);
    shown = serial_call(kind, packed_items + from, n, right, &right_number);
    value = pack_call(kind, by_ranges, is_in_place ? out : packed_items + from, n, out,
                      &number, &call->opts);
    call_end(call);
    if (call->is_bad)
        want = -EINVAL;
    else if (call->is_ended)
        want = PROGRESS_VALUE;
    else if (call->opts.cancel && n > 0)
        want = -ECANCELED;
    if (value != want)
        complain("a scan or the like, kind %d, %zu items: %d, not %d", (int)kind, n,
                 value, want);
    if (value ? number != 3 : number != right_number)
        complain("kind %d, %zu items: the number is %llu, not %llu; returned %d",
                 (int)kind, n, (unsigned long long)number,
                 (unsigned long long)right_number, value);
    if (value == 0 && memcmp(out, right, shown * sizeof *out) != 0)
        complain("kind %d, %zu items from %zu%s: wrong", (int)kind, n, from,
                 is_in_place ? ", in place" : "");
}

/* Before any call: bodies run at once. */
void pack_begin(void)
{
    if (sorted_items[MOST_ITEMS_PACKED - 1] == 0)
        fill_items();
}
