/* reduce.h - fold a range to one value, the same bits on any number of workers. */
#ifndef FILCH_REDUCE_H
#define FILCH_REDUCE_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fold the items [begin, end) into *acc, which holds the identity or a fold of the items
 * just before. 0 goes on; anything else is an error that ends the reduction. Must not be
 * left by longjmp or a C++ exception, and neither may combine. */
typedef int filch_reduce_body(filch_worker *w, size_t begin, size_t end, void *acc,
                              void *ctx);

/* left = left op right, where left's items come before right's. What right owns (memory)
 * goes over to left or is freed: right is not looked at again. */
typedef void filch_combine(void *left, void *right, void *ctx);

/**
 * filch_reduce - fold [begin, end) with body into blocks, and the blocks with combine.
 *
 *     double sum = 0;
 *     filch_reduce(0, n, &sum, sizeof sum, add_items, add, data);
 *
 * Serial meaning:  body(w, begin, end, acc, ctx), for an associative combine
 *
 * acc        on entry the identity of combine, on return the result. Accumulators are
 *            copied and moved byte by byte: the identity must not own anything, and none
 *            may point into itself. Those that the body gets are aligned for a type of
 *            acc_bytes, up to 64.
 * acc_bytes  its size, at least 1
 * combine    associative; need not be commutative
 * .grain     items in a block; 0: chosen from the number of items alone
 *
 * The bracket, that is which blocks there are and the order in which they are combined,
 * is a function of end - begin and .grain. So floating-point results do not depend on the
 * number of workers or on luck.
 *
 * Returns  0; the body's value for the lowest block that returned non-zero; -EINVAL, and
 *          nothing run, for a NULL argument, begin > end, acc_bytes of 0 or options that
 *          are refused (see filch_opts); -ENOMEM, and nothing run, when there is no memory
 *          for large accumulators (those of up to 256 bytes always find room in 12 KiB of
 *          stack, unless .grain makes more than 2^48 blocks); -ECANCELED and .progress as
 *          in filch_for. Also after an error every accumulator that was started is
 *          combined into *acc, so that the caller can free what they own.
 * Threads  any, also from inside a body.
 * Cost     a reduction that took less than help costs before is its caller's alone, as a
 *          whole. O(n) work plus at most FILCH_REDUCE_BLOCKS combines when .grain is 0; no
 *          allocation, once a worker has made a reduction of that size before, if it
 *          takes at most 1 MiB and is not nested in another.
 */
#define filch_reduce(begin, end, acc, acc_bytes, body, combine, ...) \
    filch_reduce_with(begin, end, acc, acc_bytes, body, combine, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_reduce_with(size_t begin, size_t end, void *acc, size_t acc_bytes,
                                filch_reduce_body *body, filch_combine *combine,
                                const filch_opts *opts);

/* Most blocks of a reduction whose grain is chosen. */
#define FILCH_REDUCE_BLOCKS 1024

#ifdef __cplusplus
}
#endif
#endif
