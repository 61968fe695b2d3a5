/* items.h - arrays of items of any size, and the user's tests on them.
 *
 * Job: what pack.c and search.c have in common. Items of the usual sizes are copied by
 * code that knows the size.
 */
#ifndef FL_ITEMS_H
#define FL_ITEMS_H

#include <errno.h>
#include <string.h>
#include <filch/pack.h>
#include "base.h"
#include "options.h"
#include "overlap.h"

/* Items that are tested at a time: their flags stay in the first-level cache, and the call
 * is paid for. */
#define FL_TESTED ((size_t)2048)

/* Up to so many items, the caller tests all at once. */
#define FL_ITEMS_ALONE ((size_t)4096)

/* A test of either kind; one of them is NULL. */
struct fl_test {
    filch_test *each;
    filch_test_body *many;
    void *ctx;
};

/* Whether items take more bytes than there can be. */
static inline bool fl_items_are_too_many(size_t count, size_t bytes)
{
    size_t all;

    return __builtin_mul_overflow(count, bytes, &all);
}

/* An array of the user's: 0 or -EINVAL. */
static inline int fl_items_check(const void *in, size_t count, size_t bytes,
                                 const filch_opts *opts)
{
    if (bytes == 0 || (count && !in) || fl_items_are_too_many(count, bytes) ||
        (opts && fl_opts_check(opts)))
        return -EINVAL;
    return 0;
}

/* Whether the caller is to do it at once. */
static inline bool fl_items_are_few(size_t count, const filch_opts *opts)
{
    return count <= FL_ITEMS_ALONE && (!opts || (!opts->grain && !opts->progress));
}

/* The flags of at most FL_TESTED items. Returns the test's own value. */
static inline int fl_test_items(const struct fl_test *test, const char *in, size_t count,
                                size_t bytes, bool *flags)
{
    size_t i;

    if (test->many)
        return test->many(in, count, flags, test->ctx);
    for (i = 0; i < count; i++)
        flags[i] = test->each(in + i * bytes, test->ctx) != 0;
    return 0;
}

/* How many flags are set. */
static inline size_t fl_count_flags(const bool *flags, size_t count)
{
    size_t i, set = 0;

    for (i = 0; count - i >= 8; i += 8) {
        uint64_t eight;

        memcpy(&eight, flags + i, sizeof eight);
        set += eight * UINT64_C(0x0101010101010101) >> 56; /* the sum of its bytes */
    }
    for (; i < count; i++)
        set += flags[i];
    return set;
}

#endif
