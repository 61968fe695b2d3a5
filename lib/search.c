/* search.c - filch_find, filch_any, filch_all and filch_count_if; see filch/search.h and
 * filch/pack.h.
 *
 * A loop whose body fails at the first item that is wanted: the lowest range that fails is
 * found as that of any loop, and those above it are left out.
 */
#include <filch/search.h>
#include "items.h"
#include "loop.h"

/* Items that are tested at first: the one may be among them. Then more at a time. */
#define FIRST_TESTED ((size_t)64)

/* A body's value, when search->lowest says more. */
#define ENDED 1

struct search {
    const char *in;
    size_t count, bytes;
    struct fl_test test;
    bool wants_not;           /* the first item that is not wanted */
    struct fl_failure lowest; /* where the search ends; the test's value, or 0: found */
    size_t counted;           /* filch_count_if's */
    const filch_opts *opts;
    bool is_stopped; /* by .progress, with what find_range and count_range return */
};

/* The first flag that is as wanted; count, if there is none. */
static size_t first_flag(const bool *flags, size_t count, bool wanted)
{
    const uint64_t none = wanted ? 0 : UINT64_C(0x0101010101010101);
    uint64_t eight;
    size_t i;

    for (i = 0; count - i >= 8; i += 8) {
        memcpy(&eight, flags + i, sizeof eight);
        if (eight != none)
            break;
    }
    while (i < count && flags[i] != wanted)
        i++;
    return i;
}

/* Where in begin to end the first one is. Returns the test's own value, for items that lie
 * at *at. */
static int find_in(const struct search *search, size_t begin, size_t end, size_t *at)
{
    bool flags[FL_TESTED];
    size_t count, most = FIRST_TESTED, i;
    int value;

    if (search->test.each) {
        for (; begin < end; begin++)
            if ((search->test.each(search->in + begin * search->bytes,
                                   search->test.ctx) != 0) != search->wants_not)
                break;
        *at = begin;
        return 0;
    }
    for (; begin < end; begin += count) {
        *at = begin;
        count = FL_MIN(most, end - begin);
        value = fl_test_items(&search->test, search->in + begin * search->bytes, count,
                              search->bytes, flags);
        if (value && count == 1)
            return value;
        if (value) {
            /* One by one: is it for items behind the first one? */
            most = 1;
            count = 0;
            continue;
        }
        i = first_flag(flags, count, !search->wants_not);
        if (i < count) {
            *at = begin + i;
            return 0;
        }
        most = FL_MIN(most * 4, FL_TESTED);
    }
    *at = end;
    return 0;
}

static int find_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct search *search = ctx;
    size_t at;
    int value = find_in(search, begin, end, &at);

    (void)w;
    if (value == 0 && at == end)
        return 0;
    fl_failure_record(&search->lowest, at, value);
    return ENDED;
}

/* --- and counting ----------------------------------------------------------------- */

static int count_in(const struct search *search, size_t begin, size_t end,
                    size_t *counted)
{
    bool flags[FL_TESTED];
    size_t count;
    int value;

    for (; begin < end; begin += count) {
        count = FL_MIN(FL_TESTED, end - begin);
        value = fl_test_items(&search->test, search->in + begin * search->bytes, count,
                              search->bytes, flags);
        if (value)
            return value;
        *counted += fl_count_flags(flags, count);
    }
    return 0;
}

static int count_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct search *search = ctx;
    size_t counted = 0;
    int value = count_in(search, begin, end, &counted);

    (void)w;
    if (value) {
        fl_failure_record(&search->lowest, begin, value);
        return ENDED;
    }
    fl_add_relaxed(&search->counted, counted); /* a sum; read when the loop has ended */
    return 0;
}

/* --- the loop --------------------------------------------------------------------- */

static int call_progress(size_t done, size_t total, void *ctx)
{
    struct search *search = ctx;
    int value = search->opts->progress(done, total, search->opts->ctx);

    search->is_stopped = value == ENDED;
    return value;
}

/* What the loop returns, unless a test ended it: then 0, and lowest says where. */
static int loop_over(struct search *search, filch_body *body)
{
    filch_opts opts = {.struct_size = sizeof opts, .abi = FILCH_HOT_ABI};
    struct fl_loop_call call = {.end = search->count, .body = body, .ctx = search};
    int value;

    if (search->opts)
        opts = *search->opts;
    if (opts.progress) {
        opts.progress = call_progress;
        opts.ctx = search;
    }
    call.grain = opts.grain;
    call.identity =
        search->test.each ? (uintptr_t)search->test.each : (uintptr_t)search->test.many;
    call.opts = &opts;
    value = fl_loop(&call);
    return value == ENDED && !search->is_stopped ? 0 : value;
}

static int check(const struct search *search, const void *out)
{
    if (!out || (!search->test.each && !search->test.many))
        return -EINVAL;
    return fl_items_check(search->in, search->count, search->bytes, search->opts);
}

/* Where the first one is; count, if there is none. */
static int find(struct search *search, size_t *at)
{
    int value;

    *at = search->count;
    if (search->count == 0)
        return 0;
    if (fl_items_are_few(search->count, search->opts))
        return fl_opts_are_cancelled(search->opts)
                   ? -ECANCELED
                   : find_in(search, 0, search->count, at);
    failure_init(&search->lowest);
    value = loop_over(search, find_range);
    if (value || search->lowest.at == UINT64_MAX)
        return value;
    *at = (size_t)search->lowest.at;
    return search->lowest.value;
}

/* --- the calls -------------------------------------------------------------------- */

static struct search search_of(const void *in, size_t count, size_t bytes,
                               filch_test *each, filch_test_body *many,
                               const filch_opts *opts)
{
    return (struct search){.in = in,
                           .count = count,
                           .bytes = bytes,
                           .test = {each, many, opts ? opts->ctx : NULL},
                           .opts = opts};
}

static int find_at(struct search search, size_t *at)
{
    size_t found;
    int value = check(&search, at);

    if (value == 0)
        value = find(&search, &found);
    if (value == 0)
        *at = found;
    return value;
}

static int ask(struct search search, bool is_all, int *answer)
{
    size_t found;
    int value = check(&search, answer);

    search.wants_not = is_all;
    if (value == 0)
        value = find(&search, &found);
    if (value == 0)
        *answer = (found < search.count) != is_all;
    return value;
}

static int count_if(struct search search, size_t *kept)
{
    int value = check(&search, kept);

    if (value)
        return value;
    if (search.count && fl_items_are_few(search.count, search.opts)) {
        value = fl_opts_are_cancelled(search.opts)
                    ? -ECANCELED
                    : count_in(&search, 0, search.count, &search.counted);
    } else if (search.count) {
        failure_init(&search.lowest);
        value = loop_over(&search, count_range);
        if (value == 0)
            value = search.lowest.value;
    }
    if (value == 0)
        *kept = search.counted;
    return value;
}

int filch_find_with(const void *in, size_t count, size_t bytes, size_t *at,
                    filch_test *test, const filch_opts *opts)
{
    return find_at(search_of(in, count, bytes, test, NULL, opts), at);
}

int filch_find_ranges_with(const void *in, size_t count, size_t bytes, size_t *at,
                           filch_test_body *test, const filch_opts *opts)
{
    return find_at(search_of(in, count, bytes, NULL, test, opts), at);
}

int filch_any_with(const void *in, size_t count, size_t bytes, int *answer,
                   filch_test *test, const filch_opts *opts)
{
    return ask(search_of(in, count, bytes, test, NULL, opts), false, answer);
}

int filch_any_ranges_with(const void *in, size_t count, size_t bytes, int *answer,
                          filch_test_body *test, const filch_opts *opts)
{
    return ask(search_of(in, count, bytes, NULL, test, opts), false, answer);
}

int filch_all_with(const void *in, size_t count, size_t bytes, int *answer,
                   filch_test *test, const filch_opts *opts)
{
    return ask(search_of(in, count, bytes, test, NULL, opts), true, answer);
}

int filch_all_ranges_with(const void *in, size_t count, size_t bytes, int *answer,
                          filch_test_body *test, const filch_opts *opts)
{
    return ask(search_of(in, count, bytes, NULL, test, opts), true, answer);
}

int filch_count_if_with(const void *in, size_t count, size_t bytes, size_t *kept,
                        filch_test *test, const filch_opts *opts)
{
    return count_if(search_of(in, count, bytes, test, NULL, opts), kept);
}

int filch_count_if_ranges_with(const void *in, size_t count, size_t bytes, size_t *kept,
                               filch_test_body *test, const filch_opts *opts)
{
    return count_if(search_of(in, count, bytes, NULL, test, opts), kept);
}
