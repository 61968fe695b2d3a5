/* sort.h - sorting arrays of numbers, alone or with values beside them, and their places.
 *
 * For arrays of int32_t, int64_t, uint32_t, uint64_t, float and double:
 *
 *     err = filch_sort_keys(x, n);
 *     err = filch_sort_keys(x, n, .pool = mine, .max_workers = 2);
 *     err = filch_sort_pairs(keys, values, n);
 *
 * In C the name chooses the function of the element type by _Generic. In C++ it is
 * overloaded, with a const filch_opts pointer as its last argument, which may be left out.
 * The functions behind it (filch_sort_keys_double, ...) take NULL for no options.
 *
 * What holds for all of them:
 *
 * Order     ascending. Floating-point keys: minus infinity, negative numbers, -0, 0,
 *           positive numbers, infinity, NaNs. Those come last: the ones without a sign, by
 *           rising bits, before the ones with it, by falling bits. -0 goes before 0. No
 *           bit of any key is changed.
 * Stable    items with equal keys stay in the order in which they were.
 * Result    a function of the arrays alone: the same on any number of workers, with any
 *           options, and on processors with and without vector code
 * x, keys   an array of n; may be NULL when n is 0
 * Arrays    Arrays that are only read may overlap. One that is written may not overlap
 *           another one, unless the function says that both may be the same. A typed
 *           array (double *, size_t *) is aligned for its type; one of void * may lie at
 *           any address. Else -EINVAL. Where an array has no items, its address may be
 *           anything
 * .ctx      for .progress, which counts items in the last and longest of three steps; may
 *           be named, and is not the first argument. .grain has no say.
 *
 * Returns   0; -EINVAL for a NULL or misaligned array with n > 0, an array larger than
 *           memory or options that are refused (see filch_opts); -ENOMEM without scratch
 *           memory; -ECANCELED after filch_cancel_set on .cancel; the value of .progress
 *           when that is not 0.
 *           After -EINVAL and -ENOMEM nothing was changed. After the other errors an array
 *           that was to be sorted holds the items that it held, each once, in any order
 *           (values beside their keys); one of places means nothing.
 * Threads   any, also from inside a body. Nobody else may use the arrays meanwhile.
 * Cost      O(n b) work for keys that differ in b bits at most, whatever they are: two or
 *           three passes, if most keys differ in their upper bits. On p workers O(n b / p)
 *           deep, and some 100 us more for a sample and the places of buckets, which one
 *           worker makes. O(n), a reading of the array, where it is in order already, and
 *           two where it is in reverse order. The sample is another one in each call and
 *           cannot be foreseen: nobody can choose keys for it. Below 512 KB of records (see Memory) all is
 *           done by the caller, without a pool.
 * Memory    up to 8 KB of records: none. Then a record for each item, and below 512 KB
 *           another one: a key alone has its size; with a value or its place, and both of
 *           32 bits (places: up to 2^32 items), 8 bytes; else 16. From 512 KB on also 0.2
 *           MB, 0.6 MB for each worker and 40 bytes for every 256 KB; and, where over 256
 *           KB of records lie so close to one another that one pass does not part them,
 *           and they are not equal, as much again as the most of such. On the stack: up to
 *           45 KB.
 */
#ifndef FILCH_SORT_H
#define FILCH_SORT_H

#include <filch/typed.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_sort_keys - sort the n items of x.
 *
 * Serial meaning:  qsort(x, n, sizeof *x, by_value)
 *
 * Source  radix sort, the first pass by buckets of equal shares of a sample: Wassenberg,
 *         Sanders, Euro-Par 2011 (buffered buckets); Frazer, McKellar, JACM 17, 1970
 *         (samples).
 */
FILCH_API int filch_sort_keys_int32(int32_t *x, size_t n, const filch_opts *opts);
FILCH_API int filch_sort_keys_int64(int64_t *x, size_t n, const filch_opts *opts);
FILCH_API int filch_sort_keys_uint32(uint32_t *x, size_t n, const filch_opts *opts);
FILCH_API int filch_sort_keys_uint64(uint64_t *x, size_t n, const filch_opts *opts);
FILCH_API int filch_sort_keys_float(float *x, size_t n, const filch_opts *opts);
FILCH_API int filch_sort_keys_double(double *x, size_t n, const filch_opts *opts);

/**
 * filch_sort_pairs - sort the n items of keys, and those of values as they go.
 *
 * Serial meaning:  a stable sort of pairs (keys[i], values[i]) by their keys
 *
 * values       an array of n items of any type of 4 or 8 bytes: numbers, pointers, places,
 *              pairs of halves; at any address
 * value_bytes  the size of one; the macro takes it from the type
 *
 * Returns  -EINVAL also for values of another size, and for arrays that overlap.
 */
FILCH_API int filch_sort_pairs_int32(int32_t *keys, void *values, size_t value_bytes,
                                     size_t n, const filch_opts *opts);
FILCH_API int filch_sort_pairs_int64(int64_t *keys, void *values, size_t value_bytes,
                                     size_t n, const filch_opts *opts);
FILCH_API int filch_sort_pairs_uint32(uint32_t *keys, void *values, size_t value_bytes,
                                      size_t n, const filch_opts *opts);
FILCH_API int filch_sort_pairs_uint64(uint64_t *keys, void *values, size_t value_bytes,
                                      size_t n, const filch_opts *opts);
FILCH_API int filch_sort_pairs_float(float *keys, void *values, size_t value_bytes,
                                     size_t n, const filch_opts *opts);
FILCH_API int filch_sort_pairs_double(double *keys, void *values, size_t value_bytes,
                                      size_t n, const filch_opts *opts);

/**
 * filch_argsort - where the items of x are that a sort would bring to places 0, 1, ...
 *
 * Serial meaning:  index = 0, 1, ... n - 1, sorted stably by x[index[i]]
 *
 * x      stays as it is
 * index  an array of n, written only
 *
 * Returns  -EINVAL also for arrays that overlap.
 */
FILCH_API int filch_argsort_int32(const int32_t *x, size_t n, size_t *index,
                                  const filch_opts *opts);
FILCH_API int filch_argsort_int64(const int64_t *x, size_t n, size_t *index,
                                  const filch_opts *opts);
FILCH_API int filch_argsort_uint32(const uint32_t *x, size_t n, size_t *index,
                                   const filch_opts *opts);
FILCH_API int filch_argsort_uint64(const uint64_t *x, size_t n, size_t *index,
                                   const filch_opts *opts);
FILCH_API int filch_argsort_float(const float *x, size_t n, size_t *index,
                                  const filch_opts *opts);
FILCH_API int filch_argsort_double(const double *x, size_t n, size_t *index,
                                   const filch_opts *opts);

/**
 * filch_sort_range - bring the items of x to places [begin, end) that a sort would bring
 * there; lesser ones before them, others behind.
 *
 *     filch_sort_range(x, n, 0, k)                   the k least ones, in order
 *     filch_sort_range(x, n, n / 2, n / 2 + 1)       the median: x[n / 2] afterwards
 *     filch_sort_range(x, n, n - k, n)               the k greatest ones
 *
 * Serial meaning:  filch_sort_keys; but items outside of the range are in any order (the
 *                  same every time), on their side of it. Nothing is done for an empty range
 *
 * Returns  -EINVAL also unless begin <= end <= n.
 * Cost     O(n) work and a sort of about n / 1000 items more than the range, for n keys
 *          that one pass spreads evenly. Else the parts that the pass left at the ends of
 *          the range are sorted as wholes. At most about twice that of a sort, for keys
 *          that somebody chose for its first sample, which is the same every time
 */
FILCH_API int filch_sort_range_int32(int32_t *x, size_t n, size_t begin, size_t end,
                                     const filch_opts *opts);
FILCH_API int filch_sort_range_int64(int64_t *x, size_t n, size_t begin, size_t end,
                                     const filch_opts *opts);
FILCH_API int filch_sort_range_uint32(uint32_t *x, size_t n, size_t begin, size_t end,
                                      const filch_opts *opts);
FILCH_API int filch_sort_range_uint64(uint64_t *x, size_t n, size_t begin, size_t end,
                                      const filch_opts *opts);
FILCH_API int filch_sort_range_float(float *x, size_t n, size_t begin, size_t end,
                                     const filch_opts *opts);
FILCH_API int filch_sort_range_double(double *x, size_t n, size_t begin, size_t end,
                                      const filch_opts *opts);

#ifdef __cplusplus
}

#define FILCH_OVERLOADS(type, element)                                                 \
    static inline int filch_sort_keys(element *x, size_t n,                            \
                                      const filch_opts *opts = nullptr)                \
    {                                                                                  \
        return filch_sort_keys_##type(x, n, opts);                                     \
    }                                                                                  \
    template <class value>                                                             \
    static inline int filch_sort_pairs(element *keys, value *values, size_t n,         \
                                       const filch_opts *opts = nullptr)               \
    {                                                                                  \
        return filch_sort_pairs_##type(keys, values, sizeof *values, n, opts);         \
    }                                                                                  \
    static inline int filch_argsort(const element *x, size_t n, size_t *index,         \
                                    const filch_opts *opts = nullptr)                  \
    {                                                                                  \
        return filch_argsort_##type(x, n, index, opts);                                \
    }                                                                                  \
    static inline int filch_sort_range(element *x, size_t n, size_t begin, size_t end, \
                                       const filch_opts *opts = nullptr)               \
    {                                                                                  \
        return filch_sort_range_##type(x, n, begin, end, opts);                        \
    }

FILCH_OVERLOADS(float, float)
FILCH_OVERLOADS(double, double)
FILCH_OVERLOADS(int32, int32_t)
FILCH_OVERLOADS(int64, int64_t)
FILCH_OVERLOADS(uint32, uint32_t)
FILCH_OVERLOADS(uint64, uint64_t)

#undef FILCH_OVERLOADS

#else

/* The function of that name for the items of x, which it changes. */
#define FILCH_SORTED(name, x) \
    _Generic((x),                   \
        float *: name##_float,      \
        double *: name##_double,    \
        int32_t *: name##_int32,    \
        int64_t *: name##_int64,    \
        uint32_t *: name##_uint32,  \
        uint64_t *: name##_uint64)

/* And which it does not. */
#define FILCH_SORTED_CONST(name, x) \
    _Generic((x),                          \
        float *: name##_float,             \
        const float *: name##_float,       \
        double *: name##_double,           \
        const double *: name##_double,     \
        int32_t *: name##_int32,           \
        const int32_t *: name##_int32,     \
        int64_t *: name##_int64,           \
        const int64_t *: name##_int64,     \
        uint32_t *: name##_uint32,         \
        const uint32_t *: name##_uint32,   \
        uint64_t *: name##_uint64,         \
        const uint64_t *: name##_uint64)

/* The last argument and the options behind it are one: see typed.h. */
#define filch_sort_keys(x, ...) \
    FILCH_SORTED(filch_sort_keys, x)(x, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_sort_pairs(keys, values, ...) \
    FILCH_SORTED(filch_sort_pairs, keys)    \
    (keys, values, sizeof *(values), FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_argsort(x, n, ...) \
    FILCH_SORTED_CONST(filch_argsort, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_sort_range(x, n, begin, ...) \
    FILCH_SORTED(filch_sort_range, x)      \
    (x, n, begin, FILCH_OUT_AND_OPTS(__VA_ARGS__))

#endif
#endif
