/* scan_sum_of.h - running sums for one type of elements; a part of scan_sum.c.
 *
 * ELEMENT, NAME, IS_FLOATING as in typed.h, and
 *
 *     TOTAL       what is added up in: double, uint64_t or uint32_t
 *     LANE        vectors of two: fl_pair or fl_pair_uint64; of four: fl_four_uint32
 *     IS_OF_FOUR  the latter
 *
 * Eight items are added up at a time, as a tree in registers; their sum is then carried
 * on. Floats: p = x[0] + ... + x[j] inside the eight, r the sum of the tile's items before
 * them, in eights, and carry that of all tiles before: an item's result is carry + (r + p).
 * The last one of a tile is the carry of the next.
 *
 * Error: an item goes through 3 additions in its eight and, if this is eight k of the tile,
 * k >= 0, through those of the eights behind it to r: one for each (that of the first eight
 * to 0 is exact). A result of item j of the first tile has so 3 + j / 8 at most, and one
 * more for a carry from outside. An item of a whole tile goes through 3 + 4095, one for
 * each tile behind it and its own, and one in carry + (r + p): in tile t, 4099 + t at most.
 * So with u = 2^-53 the result of item i is off by (i / 32768 + min(i, 32768) / 8 + 4) u
 * of the sum of absolute values, but for terms of u^2. tests/api/test_rounding.c has items
 * that lose as much.
 */

#define EIGHT ((size_t)8)

/* Items that are left, for eight of them to be added up so. One by one is faster for the
 * last few; the bracket of floats is eights, though. */
#if IS_FLOATING
#define FEWEST EIGHT
#else
#define FEWEST ((size_t)16)
#endif

#define fl_elements NAME(fl_elements)
typedef ELEMENT fl_elements
    __attribute__((vector_size(16), aligned(sizeof(ELEMENT)), may_alias));

#if IS_OF_FOUR

struct NAME(eight) {
    LANE v[2];
};

FL_ALWAYS_INLINE void NAME(load)(struct NAME(eight) * e, const ELEMENT *x)
{
    e->v[0] = (LANE) * (const fl_elements *)x;
    e->v[1] = (LANE) * (const fl_elements *)(x + 4);
}

FL_ALWAYS_INLINE LANE NAME(sums)(LANE v)
{
    const LANE none = {0};

    v += FL_SHUFFLE(LANE, none, v, 0, 4, 5, 6);
    return v + FL_SHUFFLE(LANE, none, v, 0, 0, 4, 5);
}

/* Running sums of the eight, behind those that came before, which last is all of. */
FL_ALWAYS_INLINE void NAME(run)(struct NAME(eight) * e, LANE *last)
{
    const LANE none = {0};
    LANE all;

    e->v[0] = NAME(sums)(e->v[0]);
    e->v[1] = NAME(sums)(e->v[1]);
    e->v[1] += FL_SHUFFLE(LANE, none, e->v[0], 7, 7, 7, 7);
    all = FL_SHUFFLE(LANE, none, e->v[1], 7, 7, 7, 7);
    e->v[0] += *last;
    e->v[1] += *last;
    *last += all; /* one addition behind the last one */
}

/* Each result an item later. */
FL_ALWAYS_INLINE void NAME(shift)(struct NAME(eight) * e, LANE before)
{
    e->v[1] = FL_SHUFFLE(LANE, e->v[0], e->v[1], 3, 4, 5, 6);
    e->v[0] = FL_SHUFFLE(LANE, before, e->v[0], 3, 4, 5, 6);
}

FL_ALWAYS_INLINE void NAME(store)(ELEMENT *out, const struct NAME(eight) * e,
                                  bool is_streamed)
{
    fl_put16(out, (fl_bytes16)e->v[0], is_streamed);
    fl_put16(out + 4, (fl_bytes16)e->v[1], is_streamed);
}

#else

struct NAME(eight) {
    LANE v[4];
};

#if IS_OF_FLOATS
#define fl_half NAME(fl_half)
/* Two items as they lie in the array. */
typedef ELEMENT fl_half
    __attribute__((vector_size(8), aligned(sizeof(ELEMENT)), may_alias));
#endif

FL_ALWAYS_INLINE void NAME(load)(struct NAME(eight) * e, const ELEMENT *x)
{
    size_t k;

#pragma GCC unroll 4
    for (k = 0; k < 4; k++)
#if IS_OF_FLOATS
        e->v[k] = __builtin_convertvector(*(const fl_half *)(x + 2 * k), LANE);
#else
        e->v[k] = (LANE) * (const fl_elements *)(x + 2 * k);
#endif
}

/* Running sums of the eight, behind those that came before, which last is all of. */
FL_ALWAYS_INLINE void NAME(run)(struct NAME(eight) * e, LANE *last)
{
    LANE all;
    size_t k;

#pragma GCC unroll 4
    for (k = 0; k < 4; k++)
        e->v[k] += (LANE){0, e->v[k][0]};
    e->v[1] += (LANE){e->v[0][1], e->v[0][1]};
    e->v[3] += (LANE){e->v[2][1], e->v[2][1]};
    e->v[2] += (LANE){e->v[1][1], e->v[1][1]};
    e->v[3] += (LANE){e->v[1][1], e->v[1][1]};
    all = (LANE){e->v[3][1], e->v[3][1]};
#pragma GCC unroll 4
    for (k = 0; k < 4; k++)
        e->v[k] += *last;
    *last += all; /* one addition behind the last one */
}

/* Each result an item later. */
FL_ALWAYS_INLINE void NAME(shift)(struct NAME(eight) * e, LANE before)
{
    e->v[3] = (LANE){e->v[2][1], e->v[3][0]};
    e->v[2] = (LANE){e->v[1][1], e->v[2][0]};
    e->v[1] = (LANE){e->v[0][1], e->v[1][0]};
    e->v[0] = (LANE){before[1], e->v[0][0]};
}

FL_ALWAYS_INLINE void NAME(store)(ELEMENT *out, const struct NAME(eight) * e,
                                  bool is_streamed)
{
#if IS_OF_FLOATS
    fl_half a = __builtin_convertvector(e->v[0], fl_half);
    fl_half b = __builtin_convertvector(e->v[1], fl_half);
    fl_half c = __builtin_convertvector(e->v[2], fl_half);
    fl_half d = __builtin_convertvector(e->v[3], fl_half);

    fl_put16(out, (fl_bytes16)(fl_elements){a[0], a[1], b[0], b[1]}, is_streamed);
    fl_put16(out + 4, (fl_bytes16)(fl_elements){c[0], c[1], d[0], d[1]}, is_streamed);
#else
    fl_put16(out, (fl_bytes16)e->v[0], is_streamed);
    fl_put16(out + 2, (fl_bytes16)e->v[1], is_streamed);
    fl_put16(out + 4, (fl_bytes16)e->v[2], is_streamed);
    fl_put16(out + 6, (fl_bytes16)e->v[3], is_streamed);
#endif
}

#endif

/* The sum of a tile, from 0. */
FL_KERNEL TOTAL NAME(fold)(const ELEMENT *x, size_t count)
{
#if IS_FLOATING
    TOTAL r = 0, p[EIGHT] = {0};
    size_t i, k;

    for (i = 0; count - i >= EIGHT; i += EIGHT)
        r += (((TOTAL)x[i + 6] + (TOTAL)x[i + 7]) + ((TOTAL)x[i + 4] + (TOTAL)x[i + 5])) +
             (((TOTAL)x[i + 2] + (TOTAL)x[i + 3]) + ((TOTAL)x[i] + (TOTAL)x[i + 1]));
    if (i == count)
        return r;
    for (k = 0; i + k < count; k++)
        p[k] = (TOTAL)x[i + k];
    return r + (((p[6] + p[7]) + (p[4] + p[5])) + ((p[2] + p[3]) + (p[0] + p[1])));
#else
    TOTAL sum = 0;
    size_t i;

    for (i = 0; i < count; i++)
        sum += (TOTAL)x[i];
    return sum;
#endif
}

FL_ALWAYS_INLINE void NAME(scan_eight)(struct NAME(eight) * e, LANE carry, LANE *last,
                                       bool is_exclusive)
{
    LANE before = *last;
    size_t k;

    NAME(run)(e, last);
    if (is_exclusive)
        NAME(shift)(e, before);
    if (!IS_FLOATING)
        return;
    for (k = 0; k < sizeof e->v / sizeof *e->v; k++)
        e->v[k] += carry;
}

#if IS_FLOATING
/* The last seven at most, with the bracket of eight. Returns the sum of the tile. */
FL_ALWAYS_INLINE TOTAL NAME(rest)(const ELEMENT *x, ELEMENT *out, size_t count,
                                  TOTAL carry, TOTAL r, bool is_exclusive)
{
    TOTAL pair = 0, pair_before = 0, before = 0, p = 0;
    size_t k;

    for (k = 0; k < count; k++) {
        TOTAL item = (TOTAL)x[k];

        if (is_exclusive)
            out[k] = (ELEMENT)(carry + (p + r));
        if (k % 2 == 0) {
            pair_before = pair;
            pair = item;
            if (k != 6)
                before = p;
        } else {
            pair = item + pair;
        }
        p = k == 6 ? (pair + pair_before) + before : k < 2 ? pair : pair + before;
        if (!is_exclusive)
            out[k] = (ELEMENT)(carry + (p + r));
    }
    return p + r;
}
#endif

/* Running sums from carry on. Returns that of all items. x and out may be the same. */
FL_ALWAYS_INLINE TOTAL NAME(scan_as)(const ELEMENT *x, ELEMENT *out, size_t count,
                                     TOTAL carry, bool is_exclusive, bool is_streamed)
{
    LANE from = (LANE){0} + carry; /* in each */
    LANE last = IS_FLOATING ? (LANE){0} : from;
    struct NAME(eight) e;
    size_t i;

    for (i = 0; count - i >= FEWEST; i += EIGHT) {
        NAME(load)(&e, x + i);
        NAME(scan_eight)(&e, from, &last, is_exclusive);
        NAME(store)(out + i, &e, is_streamed);
    }
#if IS_FLOATING
    return carry + NAME(rest)(x + i, out + i, count - i, carry, last[0], is_exclusive);
#else
    carry = last[0];
    for (; i < count; i++) {
        TOTAL next = carry + (TOTAL)x[i];

        out[i] = (ELEMENT)(is_exclusive ? carry : next);
        carry = next;
    }
    return carry;
#endif
}

FL_KERNEL TOTAL NAME(scan_in)(const ELEMENT *x, ELEMENT *out, size_t count, TOTAL carry)
{
    return NAME(scan_as)(x, out, count, carry, false, false);
}

FL_KERNEL TOTAL NAME(scan_ex)(const ELEMENT *x, ELEMENT *out, size_t count, TOTAL carry)
{
    return NAME(scan_as)(x, out, count, carry, true, false);
}

FL_KERNEL TOTAL NAME(stream_in)(const ELEMENT *x, ELEMENT *out, size_t count, TOTAL carry)
{
    carry = NAME(scan_as)(x, out, count, carry, false, true);
    fl_stream_end();
    return carry;
}

FL_KERNEL TOTAL NAME(stream_ex)(const ELEMENT *x, ELEMENT *out, size_t count, TOTAL carry)
{
    carry = NAME(scan_as)(x, out, count, carry, true, true);
    fl_stream_end();
    return carry;
}

#define COMBINE(carry, fold) ((carry) + (fold))
#define IDENTITY             0
#include "scan_tiles_of.h"
#undef COMBINE
#undef IDENTITY

int NAME(filch_scan_sum)(const ELEMENT *x, size_t n, ELEMENT *out, const filch_opts *opts)
{
    return NAME(scan)(x, n, out, NULL, false, opts);
}

int NAME(filch_exscan_sum)(const ELEMENT *x, size_t n, ELEMENT *out, CARRY *carry,
                           const filch_opts *opts)
{
    return NAME(scan)(x, n, out, carry, true, opts);
}

#undef EIGHT
#undef FEWEST
#undef fl_elements
#if IS_OF_FLOATS
#undef fl_half
#endif
