/* typed_moments.c - filch_moments; see filch/typed.h.
 *
 * Each base block by the corrected two-pass algorithm: its mean first, then the deviations
 * from it, whose sum (0, but for the rounding of the mean) mends both. Two blocks are
 * combined as Chan, Golub and LeVeque do: Updating formulae and a pairwise algorithm for
 * computing sample variances, 1979.
 */
#include <filch/typed.h>
#include "typed.h"

/* Items that are read twice: 8 KiB of doubles, a fraction of any first-level cache, and
 * enough to make up for the divisions of combining. */
#define BASE ((size_t)1024)

/* Two sums in each, and the mean: as many as there are registers for on x86-64. */
#define LANE_PAIRS 4
#define LANES      ((size_t)2 * LANE_PAIRS)

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
    a->mean += delta * share;
    a->m2 += b->m2 + delta * delta * ((double)a->count * share);
    a->count += b->count;
}

#define ELEMENT    float
#define NAME(name) name##_float
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME

#define ELEMENT    double
#define NAME(name) name##_double
#include "typed_moments_of.h"
#undef ELEMENT
#undef NAME

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
