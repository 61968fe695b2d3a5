/* bits.h - handing out numbers: a bit for each, and who sets it has it.
 *
 * Job: lanes and parts of a loop, and slots for guests. A number goes from hand to hand
 * with what the last holder left: taking acquires, giving back releases.
 */
#ifndef FL_BITS_H
#define FL_BITS_H

#include "atomics.h"

/* The first free number below count, from `from` on, around the end; count when all are
 * taken. Pre: from < count. */
static inline uint32_t bit_take(uint64_t *taken, uint32_t count, uint32_t from)
{
    uint32_t words = (count + 63) / 64, i;

    /* Once more around than there are words: the first has a lower and an upper part. */
    for (i = 0; i <= words; i++) {
        uint32_t around = from / 64 + i, word = around < words ? around : around - words;
        uint64_t all = count - word * 64 < 64 ? (UINT64_C(1) << (count - word * 64)) - 1
                                              : UINT64_MAX;
        uint64_t from_here = i == 0 ? UINT64_MAX << from % 64 : UINT64_MAX, free, bit;

        while ((free = ~fl_load_relaxed(&taken[word]) & all & from_here)) {
            bit = free & -free;
            /* ORDER(bit): pairs with the release in bit_give: what the last holder left
             * behind is seen. */
            if (!(fl_or_acq_rel(&taken[word], bit) & bit))
                return word * 64 + (uint32_t)__builtin_ctzll(bit);
        }
    }
    return count;
}

static inline void bit_give(uint64_t *taken, uint32_t number)
{
    /* ORDER(bit): pairs with the acquire in bit_take. */
    fl_and_acq_rel(&taken[number / 64], ~(UINT64_C(1) << number % 64));
}

#endif
