/* pack.h - keeping some items of an array: filter, partition, unique, where, count_if.
 *
 *     static int is_even(const void *item, void *ctx)
 *     {
 *         return (void)ctx, *(const int64_t *)item % 2 == 0;
 *     }
 *     err = filch_filter(x, x, n, sizeof *x, &kept, is_even, NULL);
 *
 * or, for compilers to make vector code of, with a test for many items in a row:
 *
 *     static int are_even(const void *items, size_t count, bool *flags, void *ctx)
 *     {
 *         const int64_t *x = items;
 *
 *         for (size_t i = 0; i < count; i++)
 *             flags[i] = x[i] % 2 == 0;
 *         return (void)ctx, 0;
 *     }
 *     err = filch_filter_ranges(x, x, n, sizeof *x, &kept, are_even, NULL);
 *
 * What holds for all of them:
 *
 * in       an array of count items of bytes each, at least 1, at any address; may be NULL
 *          when count is 0
 * Arrays   Arrays that are only read may overlap. One that is written may not overlap
 *          another one, unless the function says that both may be the same. A typed array
 *          (double *, size_t *) is aligned for its type; one of void * may lie at any
 *          address. Else -EINVAL. Where an array has no items, its address may be
 *          anything
 * out      room for count items, of which some stay unused: what is in these is not known
 * kept     how many; written on success only
 * .grain   items in a tile, at most, where several workers take part; 0: chosen, from
 *          1,024 to 32,768, or as many as make 256 KiB (in place, and to partition, 128).
 *          Give a small one, where few tests take long
 * .ctx     for .progress, which counts tiles (of filch_count_if: items). .max_chunk has no
 *          meaning here
 *
 * Result   that of the serial loop, on any number of workers
 * Returns  0; -EINVAL, and nothing done, for a NULL argument that is needed, arrays that
 *          overlap, are misaligned or larger than memory, or options that are refused (see
 *          filch_opts); -ECANCELED after filch_cancel_set on .cancel; the value of
 *          .progress when that is not 0; that of a filch_test_body for the lowest items
 *          where it was not 0. After an error nothing is known of out
 * Threads  any, also from inside a body
 * Cost     each item is tested once. O(n) work; the longest chain: a tile, and a step for
 *          each tile before it. Up to 4,096 items by the caller at once, without a pool,
 *          if .grain is 0
 * Memory   32 KiB for each worker; in place, and to partition, 128 KiB and an item of what
 *          goes out; two, where an item is larger. Without, or where only one may work,
 *          the caller works alone, and needs none. The arrays travel once: a tile is
 *          tested, learns from the tile before where its items go, and is packed from the
 *          cache. filch_count_if: none
 */
#ifndef FILCH_PACK_H
#define FILCH_PACK_H

#include <stdbool.h>
#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the item is wanted: not 0. Called concurrently; must not be left by longjmp or a
 * C++ exception, and neither may the other two. */
typedef int filch_test(const void *item, void *ctx);

/* The same for count items in a row: flags[i] becomes whether item i is wanted. 0 goes on;
 * anything else is an error that ends the call. */
typedef int filch_test_body(const void *items, size_t count, bool *flags, void *ctx);

/* Whether two items are equal: not 0. */
typedef int filch_equal(const void *a, const void *b, void *ctx);

/**
 * filch_filter - the items that a test wants, in their order.
 *
 * Serial meaning:  k = 0; for (i = 0; i < count; i++) if (test(in[i])) out[k++] = in[i];
 *                  *kept = k;
 *
 * in, out  may be the same array
 */
#define filch_filter(in, out, count, bytes, kept, test, ...) \
    filch_filter_with(in, out, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
#define filch_filter_ranges(in, out, count, bytes, kept, test, ...) \
    filch_filter_ranges_with(in, out, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_filter_with(const void *in, void *out, size_t count, size_t bytes,
                                size_t *kept, filch_test *test, const filch_opts *opts);
FILCH_API int filch_filter_ranges_with(const void *in, void *out, size_t count,
                                       size_t bytes, size_t *kept, filch_test_body *test,
                                       const filch_opts *opts);

/**
 * filch_partition - first the items that a test wants, then the others, each in their order.
 *
 * Serial meaning:  filter by test to out; behind these, filter by not test
 *
 * in, out  may not be the same array
 * kept     how many are wanted; the others begin there
 *
 * Cost     the others are written twice
 */
#define filch_partition(in, out, count, bytes, kept, test, ...) \
    filch_partition_with(in, out, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
#define filch_partition_ranges(in, out, count, bytes, kept, test, ...) \
    filch_partition_ranges_with(in, out, count, bytes, kept, test,     \
                                FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_partition_with(const void *in, void *out, size_t count, size_t bytes,
                                   size_t *kept, filch_test *test,
                                   const filch_opts *opts);
FILCH_API int filch_partition_ranges_with(const void *in, void *out, size_t count,
                                          size_t bytes, size_t *kept,
                                          filch_test_body *test, const filch_opts *opts);

/**
 * filch_unique - the first of each run of equal items; of sorted ones, each that occurs.
 *
 * Serial meaning:  out[0] = in[0]; k = 1; for (i = 1; i < count; i++)
 *                  if (!equal(in[i - 1], in[i])) out[k++] = in[i];
 *
 * in, out  may be the same array
 * equal    NULL: whether all bytes are the same
 */
#define filch_unique(in, out, count, bytes, kept, equal, ...) \
    filch_unique_with(in, out, count, bytes, kept, equal, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_unique_with(const void *in, void *out, size_t count, size_t bytes,
                                size_t *kept, filch_equal *equal, const filch_opts *opts);

/**
 * filch_where - the indices of the items that a test wants, ascending.
 *
 * Serial meaning:  k = 0; for (i = 0; i < count; i++) if (test(in[i])) out[k++] = i;
 *
 * out      room for count indices
 */
#define filch_where(in, out, count, bytes, kept, test, ...) \
    filch_where_with(in, out, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
#define filch_where_ranges(in, out, count, bytes, kept, test, ...) \
    filch_where_ranges_with(in, out, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_where_with(const void *in, size_t *out, size_t count, size_t bytes,
                               size_t *kept, filch_test *test, const filch_opts *opts);
FILCH_API int filch_where_ranges_with(const void *in, size_t *out, size_t count,
                                      size_t bytes, size_t *kept, filch_test_body *test,
                                      const filch_opts *opts);

/**
 * filch_count_if - how many items a test wants.
 *
 * Serial meaning:  k = 0; for (i = 0; i < count; i++) k += test(in[i]) != 0;
 *
 * .grain   fewest items that a worker takes at a time, as in filch_for
 *
 * Cost     O(n) work, O(log n) deep, but for chunks, as filch_for
 */
#define filch_count_if(in, count, bytes, kept, test, ...) \
    filch_count_if_with(in, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
#define filch_count_if_ranges(in, count, bytes, kept, test, ...) \
    filch_count_if_ranges_with(in, count, bytes, kept, test, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_count_if_with(const void *in, size_t count, size_t bytes,
                                  size_t *kept, filch_test *test, const filch_opts *opts);
FILCH_API int filch_count_if_ranges_with(const void *in, size_t count, size_t bytes,
                                         size_t *kept, filch_test_body *test,
                                         const filch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
