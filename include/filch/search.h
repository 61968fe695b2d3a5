/* search.h - finding items of an array, and merging sorted ones.
 *
 *     static int is_negative(const void *item, void *ctx)
 *     {
 *         return (void)ctx, *(const double *)item < 0;
 *     }
 *     err = filch_find(x, n, sizeof *x, &at, is_negative, NULL);
 *     if (!err && at < n) ...
 *
 * Where the least or greatest number of an array is, say filch_argmin and filch_argmax of
 * typed.h.
 *
 * What holds for all of them:
 *
 * in       an array of count items of bytes each, at least 1, at any address; may be NULL
 *          when count is 0. So are the others
 * Arrays   Arrays that are only read may overlap. One that is written may not overlap
 *          another one, unless the function says that both may be the same. A typed array
 *          (double *, size_t *) is aligned for its type; one of void * may lie at any
 *          address. Else -EINVAL. Where an array has no items, its address may be
 *          anything
 * .grain   fewest items that a worker takes at a time, as in filch_for; likewise
 *          .max_chunk, where there is no test
 *
 * Result   that of the serial loop, on any number of workers; written on success only
 * Returns  0; -EINVAL, and nothing done, for a NULL argument that is needed, arrays that
 *          overlap, are misaligned or larger than memory, or options that are refused (see
 *          filch_opts); -ECANCELED after filch_cancel_set on .cancel; the value of
 *          .progress when that is not 0
 * Threads  any, also from inside a body
 * Cost     O(n) work, for the items that are looked at, and O(log n) deep, but for chunks,
 *          as filch_for; of filch_argmin_by and filch_argmax_by as filch_reduce. Up to
 *          4,096 items by the caller at once, without a pool, if .grain is 0
 * Memory   none; of filch_argmin_by and filch_argmax_by as in filch_reduce
 */
#ifndef FILCH_SEARCH_H
#define FILCH_SEARCH_H

#include <filch/pack.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_find - the first item that a test wants.
 *
 * Serial meaning:  for (i = 0; i < count && !test(in[i]); i++) continue; *at = i;
 *
 * at       the lowest index; count, if there is none
 * test     see pack.h. Called for each item below that which is found; and for some above,
 *          in what a worker had begun by then: 8 us' worth of items, as a rule. With
 *          _ranges, up to 2,048 items are tested at a time, and when the test fails for
 *          these, they are tested again one by one
 *
 * Returns  also the value of a filch_test_body that was not 0 for items below any that is
 *          found: the serial loop's
 */
#define filch_find(in, count, bytes, at, test, ...) \
    filch_find_with(in, count, bytes, at, test, FILCH_OPTS(__VA_ARGS__))
#define filch_find_ranges(in, count, bytes, at, test, ...) \
    filch_find_ranges_with(in, count, bytes, at, test, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_find_with(const void *in, size_t count, size_t bytes, size_t *at,
                              filch_test *test, const filch_opts *opts);
FILCH_API int filch_find_ranges_with(const void *in, size_t count, size_t bytes,
                                     size_t *at, filch_test_body *test,
                                     const filch_opts *opts);

/**
 * filch_any, filch_all - whether a test wants any item, and whether it wants all.
 *
 * Serial meaning:  the || and the && of test(in[i]), from the first on
 *
 * answer   1 or 0; of no items, any is 0 and all is 1
 *
 * Otherwise as filch_find.
 */
#define filch_any(in, count, bytes, answer, test, ...) \
    filch_any_with(in, count, bytes, answer, test, FILCH_OPTS(__VA_ARGS__))
#define filch_any_ranges(in, count, bytes, answer, test, ...) \
    filch_any_ranges_with(in, count, bytes, answer, test, FILCH_OPTS(__VA_ARGS__))
#define filch_all(in, count, bytes, answer, test, ...) \
    filch_all_with(in, count, bytes, answer, test, FILCH_OPTS(__VA_ARGS__))
#define filch_all_ranges(in, count, bytes, answer, test, ...) \
    filch_all_ranges_with(in, count, bytes, answer, test, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_any_with(const void *in, size_t count, size_t bytes, int *answer,
                             filch_test *test, const filch_opts *opts);
FILCH_API int filch_any_ranges_with(const void *in, size_t count, size_t bytes,
                                    int *answer, filch_test_body *test,
                                    const filch_opts *opts);
FILCH_API int filch_all_with(const void *in, size_t count, size_t bytes, int *answer,
                             filch_test *test, const filch_opts *opts);
FILCH_API int filch_all_ranges_with(const void *in, size_t count, size_t bytes,
                                    int *answer, filch_test_body *test,
                                    const filch_opts *opts);

/* Below 0, 0 or above, as a comes before b, is equal, or comes behind. Called concurrently;
 * must not be left by longjmp or a C++ exception. */
typedef int filch_compare(const void *a, const void *b, void *ctx);

/**
 * filch_argmin_by, filch_argmax_by - where the least and the greatest item is, by a
 * comparison of the user's.
 *
 * Serial meaning:  at = 0; for (i = 1; i < count; i++)
 *                  if (compare(in[i], in[at]) < 0) at = i;
 *
 * at       the lowest index of an item that no other comes before (behind)
 * .grain   as in filch_reduce
 *
 * Returns  -EINVAL also when count is 0
 */
#define filch_argmin_by(in, count, bytes, at, compare, ...) \
    filch_argmin_by_with(in, count, bytes, at, compare, FILCH_OPTS(__VA_ARGS__))
#define filch_argmax_by(in, count, bytes, at, compare, ...) \
    filch_argmax_by_with(in, count, bytes, at, compare, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_argmin_by_with(const void *in, size_t count, size_t bytes, size_t *at,
                                   filch_compare *compare, const filch_opts *opts);
FILCH_API int filch_argmax_by_with(const void *in, size_t count, size_t bytes, size_t *at,
                                   filch_compare *compare, const filch_opts *opts);

/**
 * filch_lower_bounds, filch_upper_bounds - where each of many keys belongs in a sorted
 * array.
 *
 *     err = filch_lower_bounds(limits, limit_count, sizeof *limits, keys, key_count,
 *                              sizeof *keys, at, compare_limit_to_key, NULL);
 *
 * Serial meaning:  for (k = 0; k < keys_count; k++)
 *                  at[k] = number of items i with compare(in[i], keys[k]) < 0 (upper: <= 0)
 *
 * keys     key_count of them, of key_bytes each
 * at       key_count indices, 0 to count
 * compare  an item with a key, in that order. Those that come before a key must come
 *          before all that do not; else some index comes out
 *
 * Cost     O(key_count log count) work, O(log key_count + log count) deep, but for chunks;
 *          up to 64 keys by the caller at once
 */
#define filch_lower_bounds(in, count, bytes, keys, key_count, key_bytes, at, compare,  \
                           ...)                                                        \
    filch_lower_bounds_with(in, count, bytes, keys, key_count, key_bytes, at, compare, \
                            FILCH_OPTS(__VA_ARGS__))
#define filch_upper_bounds(in, count, bytes, keys, key_count, key_bytes, at, compare,  \
                           ...)                                                        \
    filch_upper_bounds_with(in, count, bytes, keys, key_count, key_bytes, at, compare, \
                            FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_lower_bounds_with(const void *in, size_t count, size_t bytes,
                                      const void *keys, size_t key_count,
                                      size_t key_bytes, size_t *at,
                                      filch_compare *compare, const filch_opts *opts);
FILCH_API int filch_upper_bounds_with(const void *in, size_t count, size_t bytes,
                                      const void *keys, size_t key_count,
                                      size_t key_bytes, size_t *at,
                                      filch_compare *compare, const filch_opts *opts);

/**
 * filch_merge - two sorted arrays to one.
 *
 * Serial meaning:  while there are items in both: the next of b if it comes before the next
 *                  of a, else that of a; then the rest
 *
 * a, b     sorted by compare. Where they are not, out gets some items of theirs
 * out      a_count + b_count items
 * .grain   0: 16,384, or .max_chunk. Give a small one, where comparisons take long
 *
 * Equal items come from a first, and keep their order: stable.
 *
 * Cost     O(n) work, and O(log n) for each piece that a worker takes
 * Source   merge path: Odeh, Green, Mwassi, Shmueli, Birk, IPDPS workshops 2012.
 */
#define filch_merge(a, a_count, b, b_count, out, bytes, compare, ...) \
    filch_merge_with(a, a_count, b, b_count, out, bytes, compare, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_merge_with(const void *a, size_t a_count, const void *b,
                               size_t b_count, void *out, size_t bytes,
                               filch_compare *compare, const filch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
