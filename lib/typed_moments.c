/* typed_moments.c - filch_moments; see filch/typed.h.
 *
 * Each base block by the corrected two-pass algorithm: its mean first, then the deviations
 * from it, whose sum (0, but for the rounding of the mean) mends both. Two blocks are
 * combined as Chan, Golub and LeVeque do: Updating formulae and a pairwise algorithm for
 * computing sample variances, 1979.
 *
 * Equal items: each lane adds up to 128 of them, so the first mean is off by k half units
 * of their last place, k < 2^9, and so is each deviation. All sums of deviations and of
 * squares are integers below 2^53 in such units, so they are exact, and so are the mended
 * mean, the item, and m2, 0. That needs squares that neither overflow nor underflow: where
 * their sum is not in the middle of the range of doubles, the block is done again with
 * items multiplied by a power of two.
 *
 * Error, with u = 2^-53, N blocks, L = ceil(log2(N)) levels, s the standard deviation:
 *
 * 1. A block. A deviation is rounded once, its square once more; an item's square goes
 *    through 127 additions in its lane and 4 to the sum: squares and the sum of absolute
 *    deviations are off by 134 u at most. The first mean is off by 132 u of the mean
 *    absolute value: as long as s > 2^-40 |mean| that is less than s / 60, and what is
 *    subtracted adds less than 5 u. So m2 is off by 140 u, relatively, and the mended mean
 *    by u |mean| + 140 u s of that block.
 * 2. The mean of a node is that of two others, weighted, plus roundings of u |mean| and
 *    3 u |delta| share. Over the nodes of a level, with their counts as weights, the root
 *    mean square of |mean| is below |mean| + s, and that of delta share below s (as
 *    share <= 1/2). So that of the errors is e_l <= u (l + 1) |mean| + u (141 + 4 l) s.
 * 3. m2 of a node gets w delta^2, w = n_a n_b / n. That has 6 roundings, and 2 additions
 *    for each level above, which is less than what a block has. Besides it is off by
 *    w (2 |delta| e + e^2), e the sum of the errors of both means. By Cauchy's inequality
 *    w e^2 <= n_a e_a^2 + n_b e_b^2, so a level adds up to 2 sqrt(T_l n) e + n e^2 at most,
 *    where T_l is the level's share of m2; and all of them 2 sqrt(L) n s e + L n e^2, once
 *    more by Cauchy's inequality, since the T_l are m2 = n s^2 together.
 */
#include <math.h>
#include <string.h>
#include <filch/typed.h>
#include "typed.h"

/* Items that are read twice: 8 KiB of doubles, a fraction of any first-level cache, and
 * enough to make up for the divisions of combining. */
#define BASE ((size_t)1024)

/* Two sums in each, and the mean: as many as there are registers for on x86-64. */
#define LANE_PAIRS 4
#define LANES      ((size_t)2 * LANE_PAIRS)

/* Sums of squares from here to there have lost nothing that matters, neither to infinity
 * nor below the least double; and scaled ones are there. */
#define SQUARES_LEAST 0x1p-900
#define SQUARES_MOST  0x1p900
#define SCALE         0x1p600

/* From a number that is nearly the mean. */
struct deviations {
    double sum, squares;
};

/* Of which the squares, for items whose first mean that was. Deviations from a mean of this
 * size whose squares are too small for a double are 0: they are no finer than the mean. */
FL_ALWAYS_INLINE bool are_out_of_range(double mean, double squares)
{
    return !(squares >= SQUARES_LEAST && squares <= SQUARES_MOST) &&
           !(squares == 0 && fabs(mean) >= 0x1p-450);
}

/* Never negative, in whatever direction the machine rounds. */
FL_ALWAYS_INLINE struct filch_moments corrected(size_t count, double mean,
                                                const struct deviations *all)
{
    double m2 = all->squares - all->sum * all->sum / (double)count;

    return (struct filch_moments){
        .count = count, .mean = mean + all->sum / (double)count, .m2 = m2 < 0 ? 0 : m2};
}

static void combine(void *left, void *right, void *ctx)
{
    struct filch_moments *a = left;
    const struct filch_moments *b = right;
    double delta, share;

    (void)ctx;
    if (b->count == 0)
        return;
    if (a->count == 0) {
        *a = *b;
        return;
    }
    delta = b->mean - a->mean;
    share = (double)b->count / (double)(a->count + b->count);
    if (FILCH_UNLIKELY(isinf(delta))) /* of two finite means */
        a->mean = a->mean * (1 - share) + b->mean * share;
    else
        a->mean += delta * share;
    /* In an order in which nothing is out of range unless the product is. */
    a->m2 += b->m2 + delta * ((double)a->count * share) * delta;
    a->count += b->count;
}

#define IS_WIDE 0

#define ELEMENT    float
#define NAME(name) name##_float
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME

#undef IS_WIDE
#define IS_WIDE    1
#define ELEMENT    double
#define NAME(name) name##_double
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME
#undef IS_WIDE
#define IS_WIDE 0

#define ELEMENT    int32_t
#define NAME(name) name##_int32
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME

#define ELEMENT    int64_t
#define NAME(name) name##_int64
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME

#define ELEMENT    uint64_t
#define NAME(name) name##_uint64
#include "typed_moments_of.h"
