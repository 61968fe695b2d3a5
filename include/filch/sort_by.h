/* sort_by.h - sorting arrays of anything by a comparison of the user's, and strings.
 *
 *     static int by_name(const void *a, const void *b, void *ctx)
 *     {
 *         const struct person *x = a, *y = b;
 *
 *         return (void)ctx, strcmp(x->name, y->name);
 *     }
 *     err = filch_sort(people, n, sizeof *people, by_name, NULL);
 *
 * What holds for all of them:
 *
 * Stable    items of which none comes before the other stay in the order in which they
 *           were. There is no variant without: with a comparison that is called, none was
 *           faster.
 * Result    a function of the array and the comparison alone: the same on any number of
 *           workers, with any options
 * Arrays    Arrays that are only read may overlap. One that is written may not overlap
 *           another one, unless the function says that both may be the same. A typed
 *           array (double *, size_t *) is aligned for its type; one of void * may lie at
 *           any address. Else -EINVAL. Where an array has no items, its address may be
 *           anything
 * compare   below 0, 0 or above, as a comes before b, is equal, or comes behind. Called
 *           concurrently, with items of the array or copies of them at other places (at
 *           multiples of 64 bytes, where an item's type asks for more); must not be left by
 *           longjmp or a C++ exception, nor change what it compares. Where it contradicts
 *           itself, or says another thing every time, the array holds the items that it
 *           held, each once, in some order; nothing else happens
 * .ctx      for .progress, too. .progress counts comparisons, more or less; it begins
 *           again for each part of a sort of strings or of a range. .grain has no say
 *
 * Returns   0; -EINVAL for a NULL argument that is needed, items of no bytes, an array
 *           larger than memory or options that are refused (see filch_opts); -ENOMEM
 *           without scratch memory; -ECANCELED after filch_cancel_set on .cancel; the
 *           value of .progress when that is not 0.
 *           After -EINVAL and -ENOMEM nothing was changed. After the other errors an
 *           array that was to be sorted holds the items that it held, each once, in any
 *           order.
 * Threads   any, also from inside a body. Nobody else may use the arrays meanwhile.
 * Cost      O(n log n) work: about log2(n) comparisons for each item at most, and as many
 *           moves of it (large items: see filch_argsort_by); O(n) where the array is in
 *           order, or strictly in reverse order, and less than the most where long parts
 *           of it are. What items of 8 bytes point to, if they do, is fetched before they
 *           are compared: some are looked at for that, and where there are gaps in them to
 *           which nobody has written, Valgrind and MSan say so. On p workers O(n log n / p + log^2 n) deep, but for pieces of up
 *           to 64 K items. Up to 2,048 items are sorted by the caller, without a pool.
 * Memory    as much as the array, 0.2 KB, and a byte for every 20 items; up to 8 KB (and
 *           2,048 items), or of one item: none. On the stack: up to 12 KB.
 * Source    merges cut by co-ranking: Siebert, Traeff, EuroMPI 2013; from both ends at
 *           once, without branches: van den Hoven, quadsort; Bergdoll, Peters, driftsort,
 *           2024.
 */
#ifndef FILCH_SORT_BY_H
#define FILCH_SORT_BY_H

#include <filch/search.h> /* filch_compare */
#include <filch/typed.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_sort - sort the n items of base, of bytes each.
 *
 *     err = filch_sort(x, n, sizeof *x, by_weight, &weights, .pool = mine);
 *
 * Serial meaning:  qsort(base, n, bytes, compare), with ctx, and stable
 *
 * base     filch does not ask for alignment, a comparison may; may be NULL when n is 0
 */
#define filch_sort(base, n, bytes, compare, ...) \
    filch_sort_with(base, n, bytes, compare, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_sort_with(void *base, size_t n, size_t bytes, filch_compare *compare,
                              const filch_opts *opts);

/**
 * filch_argsort_by - where those items of base are that a sort would bring to 0, 1, ...
 *
 *     err = filch_argsort_by(x, n, sizeof *x, index, by_weight, &weights);
 *
 * Serial meaning:  index = 0, 1, ... n - 1, sorted stably by comparing base[index[i]]
 *
 * base     stays as it is; its items are not moved, so it pays for large ones (from some
 *          hundreds of bytes on), and compare sees the items themselves
 * index    an array of n. After -ECANCELED or a value of .progress it means nothing
 *
 * Returns  -EINVAL also for an index that overlaps base or is misaligned.
 * Memory   as for an array of n size_t
 */
#define filch_argsort_by(base, n, bytes, index, compare, ...) \
    filch_argsort_by_with(base, n, bytes, index, compare, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_argsort_by_with(const void *base, size_t n, size_t bytes,
                                    size_t *index, filch_compare *compare,
                                    const filch_opts *opts);

/**
 * filch_sort_range_by - bring the items of base to places [begin, end) that filch_sort
 * would bring there; lesser ones before them, others behind.
 *
 *     filch_sort_range_by(x, n, sizeof *x, 0, k, compare, NULL);   the k least, in order
 *     filch_sort_range_by(x, n, sizeof *x, n / 2, n / 2 + 1, compare, NULL);   a median
 *
 * Serial meaning:  filch_sort; but items outside of the range are in any order on their
 *                  side of it. Nothing is done for an empty range
 *
 * Returns  -EINVAL also unless begin <= end <= n.
 * Cost     O(n) work: two comparisons for each item at most, and a sort of the range and
 *          of an eighth of the items besides; of more where many are equal, and of all
 *          that somebody chose to mislead the sample, which is the same every time
 * Memory   as filch_sort; for a range of at most half of more than 2,048 items also 41
 *          bytes for every 40 items, and two items
 * Source   Floyd, Rivest, CACM 18, 1975 (a sample brackets the range)
 */
#define filch_sort_range_by(base, n, bytes, begin, end, compare, ...) \
    filch_sort_range_by_with(base, n, bytes, begin, end, compare, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_sort_range_by_with(void *base, size_t n, size_t bytes, size_t begin,
                                       size_t end, filch_compare *compare,
                                       const filch_opts *opts);

/**
 * filch_sort_strings - sort the n strings of x in the order of strcmp.
 *
 *     err = filch_sort_strings(words, n);
 *     err = filch_sort_strings(words, n, .pool = mine, .max_workers = 2);
 *
 * Serial meaning:  a stable qsort(x, n, sizeof *x, by_strcmp)
 *
 * x        pointers, none of them NULL, to strings that end with '\0'. The pointers are
 *          moved, the strings only read: those that are equal stay in their order. In C
 *          the macro takes char ** as well as const char **
 * .ctx     may be named, and is not the first argument
 *
 * Returns  -EINVAL also for an x that is not aligned; after any error x is as it was
 * Cost     O(n log n) comparisons of integers for each 8 characters that are needed to
 *          tell strings apart. Where most strings share 16 and more, these are compared
 *          with one of them, chosen at random, many at a time: once, as a rule; O(log n)
 *          times where each string begins the next one. On p workers a p-th of it is the
 *          longest chain, but for groups of up to 4,096 strings that share their
 *          beginnings, each of which is one worker's
 * Memory   up to 256 strings: none. Then 32 bytes for each, 0.2 KB, and a byte for every
 *          16
 * Source   caching characters: Ng, Kakehi, CPM 2007 (cache-efficient radix sort); groups
 *          by their next ones: Bentley, Sedgewick, SODA 1997
 */
FILCH_API int filch_sort_strings_with(const char **x, size_t n, const filch_opts *opts);

#ifdef __cplusplus
}

static inline int filch_sort_strings(const char **x, size_t n,
                                     const filch_opts *opts = nullptr)
{
    return filch_sort_strings_with(x, n, opts);
}

#else

#define FILCH_STRINGS(x) \
    _Generic((x),                           \
        char **: (const char **)(void *)(x), \
        const char **: (const char **)(void *)(x))

/* The last argument and the options behind it are one: see typed.h. */
#define filch_sort_strings(x, ...) \
    filch_sort_strings_with(FILCH_STRINGS(x), FILCH_OUT_AND_OPTS(__VA_ARGS__))

#endif
#endif
