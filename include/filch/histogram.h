/* histogram.h - how many items there are of each kind, and how much they weigh.
 *
 * For arrays of bytes, or of 32-bit numbers that are kinds themselves:
 *
 *     uint64_t counts[256] = {0};
 *     err = filch_histogram_uint8(pixels, n, counts, NULL);
 *
 * For everything else a body says the bin of each item:
 *
 *     static int find_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
 *                          double *weight, void *ctx)
 *     {
 *         const struct points *p = ctx;
 *
 *         for (size_t i = begin; i < end; i++)       (512 rows of 512)
 *             bin[i - begin] = 512 * (uint32_t)(512 * p->y[i]) + (uint32_t)(512 * p->x[i]);
 *         return (void)w, (void)weight, 0;
 *     }
 *     err = filch_histogram(0, n, counts, 512 * 512, find_bins, &points);
 *
 * What holds for all of them:
 *
 * counts, sums  an array of bins, to which is added: set it to zero first. May be NULL
 *               when there are no bins. A body may not read it
 * Arrays        Arrays that are only read may overlap. One that is written may not
 *               overlap another one, unless the function says that both may be the same.
 *               A typed array (double *, size_t *) is aligned for its type; one of void *
 *               may lie at any address. Else -EINVAL. Where an array has no items, its
 *               address may be anything
 * bins          at most 2^32. An item whose bin is not below that is left out
 * .grain        items, where several workers take part; 0: chosen
 * .progress     counts items; or blocks of them, where these are brought to their bins
 *
 * Result   counts: that of the serial loop. Sums: a function of the items, the number
 *          of bins and .grain alone. Both the same bits on any number of workers
 * Returns  0; -EINVAL, and nothing run, for a NULL argument that is needed, begin >
 *          end, more than 2^32 bins, arrays that overlap, are misaligned or larger
 *          than memory, or options that are refused (see filch_opts); -ENOMEM without
 *          scratch memory; -ECANCELED after filch_cancel_set on .cancel; the value of
 *          .progress, or a body's for the lowest items where it was not 0. After any
 *          error counts and sums are as they were.
 * Threads  any, also from inside a body. Nobody else may use the arrays meanwhile.
 * Cost     O(n + p bins) work on p workers, O(n / p + bins) deep.
 *          Workers never write to the same bins. Up to 2,048 items of arrays are counted
 *          by the caller at once; and up to an eighth as many as there are bins, but not
 *          more than 131,072
 * Memory   what the caller counts at once: none. Up to 32,768 bins, or at most two for
 *          each item that a worker gets: a byte for each bin and worker (bytes: 2 KiB for
 *          each worker), 0.4 KB for each worker, and up to 12 bytes for every 256 items;
 *          else 4 for each item, and up to 2.2 MB. Sums in up to 1,024 bins: 8 for each
 *          bin, up to 64 times; else 12 for each item, and up to 2.2 MB
 */
#ifndef FILCH_HISTOGRAM_H
#define FILCH_HISTOGRAM_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Say the bins of items [begin, end), at most FILCH_HISTOGRAM_ITEMS of them: bin[0] of
 * item begin, and so on. weight: the same for weights; NULL where there are none. 0
 * goes on; anything else is an error that ends the call. May be called twice for the
 * same items, and must say the same then. Must not be left by longjmp or a C++
 * exception. */
typedef int filch_bin_body(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                           double *weight, void *ctx);

#define FILCH_HISTOGRAM_ITEMS 1024

/**
 * filch_histogram - count items by the bin that a body says.
 *
 * Serial meaning:  for (i = begin; i < end; i++) if (bin(i) < bins) counts[bin(i)]++;
 */
#define filch_histogram(begin, end, counts, bins, body, ...) \
    filch_histogram_with(begin, end, counts, bins, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_histogram_with(size_t begin, size_t end, uint64_t *counts,
                                   size_t bins, filch_bin_body *body,
                                   const filch_opts *opts);

/**
 * filch_histogram_sums - add up the weights of items by the bin that a body says.
 *
 * Serial meaning:  for (i = begin; i < end; i++)
 *                      if (bin(i) < bins) sums[bin(i)] += weight(i);
 *
 * In more than 1,024 bins the sums have the bits of that loop. In fewer, up to 64
 * stretches of items are summed each for itself, from 0, and then in their order.
 */
#define filch_histogram_sums(begin, end, sums, bins, body, ...) \
    filch_histogram_sums_with(begin, end, sums, bins, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_histogram_sums_with(size_t begin, size_t end, double *sums,
                                        size_t bins, filch_bin_body *body,
                                        const filch_opts *opts);

/**
 * filch_histogram_uint8 - count the bytes of an array.
 *
 * Serial meaning:  for (i = 0; i < n; i++) counts[x[i]]++;
 *
 * counts   256 of them
 * opts     NULL: none; else FILCH_OPTS(NULL, .pool = mine), say
 */
FILCH_API int filch_histogram_uint8(const uint8_t *x, size_t n, uint64_t *counts,
                                    const filch_opts *opts);

/**
 * filch_histogram_uint32 - count the numbers of an array that are below bins.
 *
 * Serial meaning:  for (i = 0; i < n; i++) if (x[i] < bins) counts[x[i]]++;
 *
 * opts     as for filch_histogram_uint8
 */
FILCH_API int filch_histogram_uint32(const uint32_t *x, size_t n, uint64_t *counts,
                                     size_t bins, const filch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
