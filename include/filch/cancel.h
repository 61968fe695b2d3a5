/* cancel.h - ending loops early from outside, and watching them. */
#ifndef FILCH_CANCEL_H
#define FILCH_CANCEL_H

#include <filch/hot.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_cancel - a token that ends every loop it was given to (.cancel = &token).
 *
 *     static filch_cancel stop;
 *
 *     static void on_interrupt(int signal) { filch_cancel_set(&stop); }
 *     ...
 *     err = filch_for(0, n, body, &args, .cancel = &stop);
 *     if (err == -ECANCELED) ...
 *
 * Zero-initialised; one token may be used for any number of loops, one after the other or
 * at once. A loop looks at it between two calls of its body, and a body by
 * filch_cancelled. A loop whose items were all run already returns 0 in spite of it.
 */
typedef struct filch_cancel {
    uint32_t is_set; /* the library's */
} filch_cancel;

/** filch_cancel_set - set the token. From any thread, and from a signal handler. */
FILCH_API void filch_cancel_set(filch_cancel *token);

/** filch_cancel_clear - make it usable again. No loop with it may be running. */
FILCH_API void filch_cancel_clear(filch_cancel *token);

/** filch_cancel_is_set - whether it was set since. */
FILCH_API int filch_cancel_is_set(const filch_cancel *token);

/**
 * filch_progress - called on the thread that called the loop, now and then.
 *
 * done   items of the loop that were run, of total; both count what filch_for counts
 *        (filch_reduce: blocks; filch_for_2d and filch_for_3d: tiles, or columns of a few
 *        rows where tiles are chosen)
 * ctx    the loop's
 *
 * Returns  0 to go on; anything else cancels the loop, which returns it (unless its first
 *          range had failed by then, or .cancel had ended it: the value of that). Then it
 *          is not called again for this loop. Must not be left by longjmp or a C++
 *          exception
 */
typedef int filch_progress(size_t done, size_t total, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
