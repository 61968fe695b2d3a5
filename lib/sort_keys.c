/* sort_keys.c - the functions of filch/sort.h: their arguments. */
#include "sort.h"

#include <errno.h>
#include "options.h"
#include "overlap.h"

#define SIGNED_32   ((struct fl_code){0, UINT32_C(1) << 31, 0})
#define SIGNED_64   ((struct fl_code){0, UINT64_C(1) << 63, 0})
#define UNSIGNED    ((struct fl_code){0, 0, 0})
#define FLOATING_32 ((struct fl_code){0x7fffffff, UINT32_C(1) << 31, 0x7fffff})
#define FLOATING_64 \
    ((struct fl_code){INT64_MAX, UINT64_C(1) << 63, UINT64_C(0xfffffffffffff)})

/* Is it no array of n items of so many bytes? They begin at a multiple of align. */
static bool is_wrong(const void *array, size_t n, size_t bytes, size_t align)
{
    return n > SIZE_MAX / bytes || (n && (!array || (uintptr_t)array % align));
}

static int sort(struct fl_sort *sort, size_t align)
{
    size_t n = sort->n, bytes = sort->key_bytes;

    if (is_wrong(sort->keys, n, bytes, align) || fl_opts_check(sort->opts) ||
        sort->first > sort->end || sort->end > n)
        return -EINVAL;
    return fl_sort_run(sort);
}

static int sort_keys(void *keys, size_t n, size_t bytes, size_t align,
                     struct fl_code code, size_t first, size_t end,
                     const filch_opts *opts)
{
    struct fl_sort call = {.keys = keys,
                           .key_bytes = bytes,
                           .code = code,
                           .n = n,
                           .first = first,
                           .end = end,
                           .opts = opts};

    return sort(&call, align);
}

static int sort_pairs(void *keys, void *values, size_t value_bytes, size_t n,
                      size_t bytes, size_t align, struct fl_code code,
                      const filch_opts *opts)
{
    struct fl_sort call = {.keys = keys,
                           .values = values,
                           .key_bytes = bytes,
                           .value_bytes = value_bytes,
                           .code = code,
                           .n = n,
                           .end = n,
                           .opts = opts};

    if ((value_bytes != 4 && value_bytes != 8) || is_wrong(values, n, value_bytes, 1) ||
        n > SIZE_MAX / bytes ||
        (n && fl_overlap(keys, values, n * bytes, n * value_bytes)))
        return -EINVAL;
    return sort(&call, align);
}

static int argsort(const void *keys, size_t n, size_t *index, size_t bytes, size_t align,
                   struct fl_code code, const filch_opts *opts)
{
    struct fl_sort call = {.keys = (void *)(uintptr_t)keys,
                           .index = index,
                           .key_bytes = bytes,
                           .code = code,
                           .n = n,
                           .end = n,
                           .opts = opts};

    if (is_wrong(index, n, sizeof *index, sizeof *index) || n > SIZE_MAX / bytes ||
        (n && fl_overlap(keys, index, n * bytes, n * sizeof *index)))
        return -EINVAL;
    return sort(&call, align);
}

#define FUNCTIONS(type, element, code)                                                   \
    int filch_sort_keys_##type(element x[], size_t n, const filch_opts *opts)            \
    {                                                                                    \
        return sort_keys(x, n, sizeof *x, _Alignof(element), code, 0, n, opts);          \
    }                                                                                    \
    int filch_sort_range_##type(element x[], size_t n, size_t begin, size_t end,         \
                                const filch_opts *opts)                                  \
    {                                                                                    \
        return sort_keys(x, n, sizeof *x, _Alignof(element), code, begin, end, opts);    \
    }                                                                                    \
    int filch_sort_pairs_##type(element keys[], void *values, size_t value_bytes,        \
                                size_t n, const filch_opts *opts)                        \
    {                                                                                    \
        return sort_pairs(keys, values, value_bytes, n, sizeof *keys, _Alignof(element), \
                          code, opts);                                                   \
    }                                                                                    \
    int filch_argsort_##type(const element x[], size_t n, size_t *index,                 \
                             const filch_opts *opts)                                     \
    {                                                                                    \
        return argsort(x, n, index, sizeof *x, _Alignof(element), code, opts);           \
    }

FUNCTIONS(int32, int32_t, SIGNED_32)
FUNCTIONS(int64, int64_t, SIGNED_64)
FUNCTIONS(uint32, uint32_t, UNSIGNED)
FUNCTIONS(uint64, uint64_t, UNSIGNED)
FUNCTIONS(float, float, FLOATING_32)
FUNCTIONS(double, double, FLOATING_64)
