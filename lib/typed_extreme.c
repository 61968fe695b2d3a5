/* typed_extreme.c - filch_min, filch_max, filch_argmin, filch_argmax; see filch/typed.h.
 *
 * First the extreme of each base block, and at the end the place of it in the block that
 * had the best. An item takes the place of another when it is strictly better, which a NaN
 * never is.
 */
#include <errno.h>
#include <math.h>
#include <filch/typed.h>
#include "typed.h"

/* Items to search for the place of the extreme. */
#define BASE ((size_t)256)

/* A vector has 16 bytes. Four hide the latency of comparing and choosing. */
#define VECTORS 4

#define LESS(a, b)    ((a) < (b))
#define GREATER(a, b) ((a) > (b))

/* MASK: an integer as wide as the element, what a comparison of vectors gives. WORST: what
 * no item is worse than. */
#define IS_FLOATING 1

#define ELEMENT      float
#define MASK         int32_t
#define NAME(prefix) prefix##min_float
#define BETTER       LESS
#define WORST        HUGE_VALF
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#define NAME(prefix) prefix##max_float
#define BETTER       GREATER
#define WORST        (-HUGE_VALF)
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#undef ELEMENT
#undef MASK

#define ELEMENT      double
#define MASK         int64_t
#define NAME(prefix) prefix##min_double
#define BETTER       LESS
#define WORST        HUGE_VAL
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#define NAME(prefix) prefix##max_double
#define BETTER       GREATER
#define WORST        (-HUGE_VAL)
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#undef ELEMENT
#undef MASK

#undef IS_FLOATING
#define IS_FLOATING 0

#define ELEMENT      int32_t
#define NAME(prefix) prefix##min_int32
#define BETTER       LESS
#define WORST        INT32_MAX
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#define NAME(prefix) prefix##max_int32
#define BETTER       GREATER
#define WORST        INT32_MIN
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#undef ELEMENT

#define ELEMENT      int64_t
#define NAME(prefix) prefix##min_int64
#define BETTER       LESS
#define WORST        INT64_MAX
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#define NAME(prefix) prefix##max_int64
#define BETTER       GREATER
#define WORST        INT64_MIN
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#undef ELEMENT

#define ELEMENT      uint64_t
#define NAME(prefix) prefix##min_uint64
#define BETTER       LESS
#define WORST        UINT64_MAX
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#define NAME(prefix) prefix##max_uint64
#define BETTER       GREATER
#define WORST        UINT64_C(0)
#include "typed_extreme_of.h"
#undef NAME
#undef BETTER
#undef WORST
#undef ELEMENT
