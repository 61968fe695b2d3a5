/* scan_extreme_of.h - running extremes for one type of elements; a part of
 * scan_extreme.c.
 *
 * ELEMENT, NAME, BETTER, WORST as in typed_extreme_of.h. Of items that are equal (zeros of
 * both signs) the first stays, in any bracket.
 */

#define TOTAL ELEMENT
#define CARRY ELEMENT

FL_ALWAYS_INLINE ELEMENT NAME(better_of)(ELEMENT first, ELEMENT next)
{
    return BETTER(next, first) ? next : first;
}

/* Four stretches at once, as each comparison waits for the one before. */
FL_KERNEL ELEMENT NAME(fold)(const ELEMENT *x, size_t count)
{
    size_t quarter = count / 4, i;
    ELEMENT a = WORST, b = WORST, c = WORST, d = WORST;

    for (i = 0; i < quarter; i++) {
        a = NAME(better_of)(a, x[i]);
        b = NAME(better_of)(b, x[quarter + i]);
        c = NAME(better_of)(c, x[2 * quarter + i]);
        d = NAME(better_of)(d, x[3 * quarter + i]);
    }
    a = NAME(better_of)(NAME(better_of)(a, b), NAME(better_of)(c, d));
    for (i = 4 * quarter; i < count; i++)
        a = NAME(better_of)(a, x[i]);
    return a;
}

FL_KERNEL ELEMENT NAME(scan_in)(const ELEMENT *x, ELEMENT *out, size_t count,
                                ELEMENT carry)
{
    size_t i;

    for (i = 0; i < count; i++)
        out[i] = carry = NAME(better_of)(carry, x[i]);
    return carry;
}

FL_KERNEL ELEMENT NAME(scan_ex)(const ELEMENT *x, ELEMENT *out, size_t count,
                                ELEMENT carry)
{
    size_t i;

    for (i = 0; i < count; i++) {
        ELEMENT next = NAME(better_of)(carry, x[i]);

        out[i] = carry;
        carry = next;
    }
    return carry;
}

#define fl_elements NAME(fl_elements)
typedef ELEMENT fl_elements
    __attribute__((vector_size(16), aligned(sizeof(ELEMENT)), may_alias));

FL_ALWAYS_INLINE ELEMENT NAME(stream_as)(const ELEMENT *x, ELEMENT *out, size_t count,
                                         ELEMENT carry, bool is_exclusive)
{
    enum { AT_ONCE = 16 / sizeof(ELEMENT) };
    fl_elements some = {0};
    size_t i, k;

    for (i = 0; count - i >= AT_ONCE; i += AT_ONCE) {
#pragma GCC unroll 4
        for (k = 0; k < AT_ONCE; k++) {
            ELEMENT next = NAME(better_of)(carry, x[i + k]);

            some[k] = is_exclusive ? carry : next;
            carry = next;
        }
        fl_put16(out + i, (fl_bytes16)some, true);
    }
    fl_stream_end();
    return is_exclusive ? NAME(scan_ex)(x + i, out + i, count - i, carry)
                        : NAME(scan_in)(x + i, out + i, count - i, carry);
}

FL_KERNEL ELEMENT NAME(stream_in)(const ELEMENT *x, ELEMENT *out, size_t count,
                                  ELEMENT carry)
{
    return NAME(stream_as)(x, out, count, carry, false);
}

FL_KERNEL ELEMENT NAME(stream_ex)(const ELEMENT *x, ELEMENT *out, size_t count,
                                  ELEMENT carry)
{
    return NAME(stream_as)(x, out, count, carry, true);
}

#define COMBINE(carry, fold) NAME(better_of)(carry, fold)
#define IDENTITY             WORST
#include "scan_tiles_of.h"
#undef COMBINE
#undef IDENTITY

int INCLUSIVE(const ELEMENT *x, size_t n, ELEMENT *out, const filch_opts *opts)
{
    return NAME(scan)(x, n, out, NULL, false, opts);
}

int EXCLUSIVE(const ELEMENT *x, size_t n, ELEMENT *out, ELEMENT *carry,
              const filch_opts *opts)
{
    return NAME(scan)(x, n, out, carry, true, opts);
}

#undef fl_elements
#undef TOTAL
#undef CARRY
#undef NAME
#undef BETTER
#undef WORST
#undef INCLUSIVE
#undef EXCLUSIVE
