/* loop.h - parallel loops over index ranges and arrays. */
#ifndef FILCH_LOOP_H
#define FILCH_LOOP_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The body of a loop gets a range, so that the compiler can vectorise its inner loop.
 * 0 goes on; anything else is an error that ends the loop. */
typedef int filch_body(filch_worker *w, size_t begin, size_t end, void *ctx);

/**
 * filch_for - run body over sub-ranges that together cover [begin, end) exactly once.
 *
 *     filch_for(0, n, scale_rows, &args);
 *     filch_for(0, n, scale_rows, &args, .grain = 64, .max_workers = 2);
 *
 * Serial meaning:  body(w, begin, end, ctx)
 *
 * body         called concurrently; must not leave by longjmp or a C++ exception, nor be
 *              cancelled (see filch.h)
 * .grain       fewest items in one call, where the range allows (items, not bytes); 0:
 *              one. How many more come is found out by time: about 8 us for a call, less
 *              in short loops
 * .max_chunk   most items in one call; 1, with .grain = 1: single items
 *
 * The caller begins alone, and shares the loop when its time pays for that: filch
 * remembers what loops of that body took before. A loop of a few microseconds costs some
 * 20 ns more than its body, and wakes nobody. So bodies must not wait for each other:
 * unless .grain leaves no more than one grain to each worker, which then gets it at once.
 * And where one function is the body of quite different loops (an interpreter's, say), give
 * .grain: with it, even what took less than 1 us before is looked at after the first grain.
 *
 * A small loop that its caller runs alone is in no slot of the pool: loops, reductions and
 * scopes nested in it enter the pool, but filch_fork and filch_join on its w run both
 * branches at once; that is noticed, and the next loops of the body take a slot.
 *
 * Loops over the same range give the same items to the same workers from call to call, as
 * far as they are balanced.
 *
 * Returns  0 when every item was run; the body's value for the lowest range that returned
 *          non-zero (ranges above it may be skipped), which is what the serial loop
 *          returns; -EINVAL, and nothing run, for a NULL body, begin > end or options that
 *          are refused (see filch_opts); -ECANCELED when .cancel was set before all was
 *          run; the value of .progress when that is not 0. All writes made by the bodies
 *          are visible to the caller.
 * Threads  any, also from inside a body; several at once.
 * Cost     O(n) work, O(log(n / grain)) deep, no allocation; some 20 ns for what is not
 *          shared, about 1 us for what is.
 * Source   lazy binary splitting: Tzannes, Caragea, Barua, Vishkin, PPoPP 2010.
 */
#define filch_for(begin, end, body, ...) \
    filch_for_with(begin, end, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_for_with(size_t begin, size_t end, filch_body *body,
                             const filch_opts *opts);

/* The body of a map: count elements from in to out. Must not be left by longjmp or a C++
 * exception. */
typedef int filch_map_body(filch_worker *w, const void *in, void *out, size_t count,
                           void *ctx);

/**
 * filch_map - out[i] = f(in[i]) for count elements, in pieces of consecutive elements.
 *
 *     filch_map(in, sizeof *in, out, sizeof *out, n, to_grey, NULL);
 *
 * Serial meaning:  body(w, in, out, count, ctx)
 *
 * in, out  arrays of count elements of in_bytes and out_bytes each; they may be the same
 *          when the element sizes are equal
 * Arrays   Arrays that are only read may overlap. One that is written may not overlap
 *          another one, unless the function says that both may be the same. A typed array
 *          (double *, size_t *) is aligned for its type; one of void * may lie at any
 *          address. Else -EINVAL. Where an array has no items, its address may be
 *          anything
 *
 * Returns  as filch_for; -EINVAL also for an element size of 0, a NULL array with
 *          count > 0, arrays that overlap, or a size that overflows.
 */
#define filch_map(in, in_bytes, out, out_bytes, count, body, ...) \
    filch_map_with(in, in_bytes, out, out_bytes, count, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_map_with(const void *in, size_t in_bytes, void *out, size_t out_bytes,
                             size_t count, filch_map_body *body, const filch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
