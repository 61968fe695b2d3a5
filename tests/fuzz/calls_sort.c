/* calls_sort.c - the sorts of sort.h; see calls.h.
 *
 * Places and values tell where a key was. So what comes out is right when keys are those
 * of the places, and pairs of a key and its place rise from each item to the next.
 */
#include <errno.h>
#include <string.h>
#include "calls.h"

/* More than the caller sorts at once. */
#define SHARED 70000

enum sort_kind { KEYS, PAIRS, PLACES, RANGE, SORTS };

struct sort_call {
    struct call call;
    enum sort_kind kind;
    size_t n, begin, end;
    uint64_t seed;
    unsigned shift; /* of random bits: few are left, and many keys are equal */
    void *before, *after;
    size_t *place;
};

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Is there anything to do? */
static bool is_any(const struct sort_call *sort)
{
    return sort->kind == RANGE ? sort->begin < sort->end : sort->n > 0;
}

/* Must item i not be below the one before it? */
static bool is_sorted_at(const struct sort_call *sort, size_t i)
{
    return sort->kind != RANGE || (is_any(sort) && i >= sort->begin && i <= sort->end);
}

#define SORT(type, element)                                                              \
    static int do_##type(struct sort_call *sort)                                         \
    {                                                                                    \
        typedef element number;                                                          \
        number *before = sort->before, *after = sort->after;                             \
        size_t n = sort->n, i;                                                           \
                                                                                         \
        for (i = 0; i < n; i++)                                                          \
            before[i] = (element)(int64_t)(mix(sort->seed + i) >> sort->shift);          \
        memcpy(after, before, n * sizeof *after);                                        \
        for (i = 0; i < n; i++)                                                          \
            sort->place[i] = i;                                                          \
        if (sort->kind == KEYS)                                                          \
            return filch_sort_keys_##type(after, n, &sort->call.opts);                   \
        if (sort->kind == PAIRS) {                                                       \
            char *anywhere = (char *)sort->place + sort->shift % 8;                      \
            int value;                                                                   \
                                                                                         \
            memmove(anywhere, sort->place, 8 * n);                                       \
            value = filch_sort_pairs_##type(after, anywhere, 8, n, &sort->call.opts);    \
            memmove(sort->place, anywhere, 8 * n);                                       \
            return value;                                                                \
        }                                                                                \
        if (sort->kind == PLACES)                                                        \
            return filch_argsort_##type(after, n, sort->place, &sort->call.opts);        \
        return filch_sort_range_##type(after, n, sort->begin, sort->end,                 \
                                       &sort->call.opts);                                \
    }                                                                                    \
                                                                                         \
    static void check_##type(const struct sort_call *sort, int value)                    \
    {                                                                                    \
        const element *before = sort->before, *after = sort->after;                      \
        const size_t *place = sort->place;                                               \
        bool has_places = sort->kind == PAIRS || (sort->kind == PLACES && value == 0);   \
        size_t n = sort->n, i;                                                           \
        uint64_t sum = 0;                                                                \
                                                                                         \
        for (i = 0; i < n; i++) {                                                        \
            sum += mix((uint64_t)(int64_t)after[i]) - mix((uint64_t)(int64_t)before[i]); \
            if (has_places && (place[i] >= n ||                                          \
                               (sort->kind == PAIRS && before[place[i]] != after[i])))   \
                complain(#type ": item %zu of %zu has place %zu", i, n, place[i]);       \
            if (value || i == 0)                                                         \
                continue;                                                                \
            if (has_places && !(before[place[i - 1]] < before[place[i]] ||               \
                                (before[place[i - 1]] == before[place[i]] &&             \
                                 place[i - 1] < place[i])))                              \
                complain(#type ": place %zu of %zu is not in order", i, n);              \
            if (sort->kind != PLACES && after[i - 1] > after[i] &&                       \
                is_sorted_at(sort, i))                                                   \
                complain(#type ": item %zu of %zu is not in order", i, n);               \
        }                                                                                \
        if (sum != 0)                                                                    \
            complain(#type ": of %zu items some are gone", n);                           \
    }

SORT(int32, int32_t)
SORT(int64, int64_t)
SORT(uint32, uint32_t)
SORT(uint64, uint64_t)
SORT(float, float)
SORT(double, double)

void call_sort(struct run *run)
{
    static int (*const sorts[])(struct sort_call *) = {do_int32,  do_int64, do_uint32,
                                                       do_uint64, do_float, do_double};
    static void (*const checks[])(const struct sort_call *, int) = {
        check_int32, check_int64, check_uint32, check_uint64, check_float, check_double};
    struct sort_call *sort = call_new(run, sizeof *sort, "a sort");
    struct call *call = &sort->call;
    unsigned type = read_byte(run) % 6;
    int value, want = 0;

    sort->kind = (enum sort_kind)(read_byte(run) % SORTS);
    sort->n = read_count(run, 5000);
    sort->seed = (uint64_t)read_byte(run) << 32;
    sort->shift = read_byte(run) % 64;
    if (run->depth == 0 && read_chance(run, 16))
        sort->n += SHARED;
    sort->begin = read_below(run, 65536) % (sort->n + 1);
    sort->end = sort->begin + read_below(run, 65536) % (sort->n - sort->begin + 1);
    if (read_chance(run, 16)) {
        filch_cancel_set(&call->token);
        call->opts.cancel = &call->token;
    }
    sort->before = run_alloc(8 * sort->n + 8);
    sort->after = run_alloc(8 * sort->n + 8);
    sort->place = run_alloc(8 * sort->n + 8);
    value = sorts[type](sort);
    call_end(call);
    if (call->is_bad)
        want = -EINVAL;
    else if (call->is_ended)
        want = PROGRESS_VALUE;
    else if (call->opts.cancel && is_any(sort))
        want = -ECANCELED;
    if (value != want)
        complain("a sort, kind %d, type %u, %zu items: %d, not %d", (int)sort->kind, type,
                 sort->n, value, want);
    checks[type](sort, value);
}
