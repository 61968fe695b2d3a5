/* typed.h - how the typed reductions (filch/typed.h) are shared out and bracketed.
 *
 * Job: the checks, the choice of blocks and the call of filch_reduce for all of them. The
 * templates (typed_sum_of.h, typed_extreme_of.h, typed_moments_of.h) hold what differs: how
 * one block is folded and two results are combined. Each is included once per element type,
 * with
 *
 *     ELEMENT      the type
 *     NAME(f)      f with the suffix of the type
 *     IS_FLOATING  1 for float and double
 *
 * The bracket of floating-point sums is fixed by the source: lanes, base blocks and the
 * tree over them. A node of the tree is cut at the largest power of two of base blocks
 * below its size, as in reduce.c. So when the blocks of filch_reduce are powers of two as
 * well, its tree continues that of a leaf, and the result is the same wherever the border
 * between the two lies.
 *
 * The files are compiled with -ffp-contract=off: a compiler that contracts a * b + c where
 * the machine can gives other bits than one that does not. And with -O3, as gcc vectorises
 * only there.
 */
#ifndef FL_TYPED_H
#define FL_TYPED_H

#include <filch/reduce.h>
#include "base.h"

/* Fewest items in a block of filch_reduce. A sum of so many doubles takes about 0.3 us
 * from the cache: too little to share with anybody. */
#define FL_TYPED_BLOCK ((size_t)4096)

struct fl_typed {
    const void *x, *y; /* y: NULL but for dot */
    size_t count;
    size_t most;  /* elements in any array */
    size_t align; /* of x and y */
    void *acc;    /* the identity; when 0 is returned, the result */
    size_t acc_bytes;
    filch_reduce_body *leaf; /* ctx: this struct */
    filch_combine *combine;
    const filch_opts *opts;
};

/* 0 or -EINVAL: are out, x, y and opts what filch/typed.h asks for? */
int fl_typed_check(const struct fl_typed *typed, const void *out);

/* Fold all items into acc. Pre: fl_typed_check returned 0. */
int fl_typed_fold(struct fl_typed *typed);

/* --- for the templates ------------------------------------------------------------ */

/* Two doubles at once, on any machine: where there are no such registers, the compiler
 * takes them one by one. The lanes of a base block are such pairs by name, since compilers
 * find them in an array of 16 doubles by luck only. */
typedef double fl_pair __attribute__((vector_size(16)));

#define FL_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Out of line, so that a test can look at its instructions; tests/consumer/kernels.sh. */
#define FL_KERNEL __attribute__((noinline)) static

/* A level of the pairwise tree is pending at most; base blocks have 256 items or more. */
#define FL_PENDING (64 - 8)

#endif
