/* sha1.c - see sha1.h. */
#include "sha1.h"

#include <assert.h>
#include <string.h>

static uint32_t rotate(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static uint32_t load_big(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void store_big(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Word t of the schedule, made from those before where it is none of the first 16. */
static inline uint32_t schedule(uint32_t w[16], int t)
{
    if (t >= 16)
        w[t & 15] =
            rotate(w[(t - 3) & 15] ^ w[(t - 8) & 15] ^ w[(t - 14) & 15] ^ w[t & 15], 1);
    return w[t & 15];
}

/* Twenty rounds, which have the function of b, c, d and the constant in common. */
#define ROUNDS(first, function, constant)                                            \
    for (int t = (first); t < (first) + 20; t++) {                                   \
        uint32_t next = rotate(a, 5) + (function) + e + (constant) + schedule(w, t); \
                                                                                     \
        e = d;                                                                       \
        d = c;                                                                       \
        c = rotate(b, 30);                                                           \
        b = a;                                                                       \
        a = next;                                                                    \
    }

void sha1_short(uint8_t digest[SHA1_BYTES], const void *message, size_t bytes)
{
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                      0xc3d2e1f0};
    uint32_t a = start[0], b = start[1], c = start[2], d = start[3], e = start[4];
    uint8_t block[64] = {0};
    uint32_t w[16];

    assert(bytes <= SHA1_MOST_BYTES);
    memcpy(block, message, bytes);
    block[bytes] = 0x80;
    store_big(block + 60, (uint32_t)(8 * bytes));
    for (size_t i = 0; i < 16; i++)
        w[i] = load_big(block + 4 * i);
    ROUNDS(0, (b & c) | (~b & d), 0x5a827999)
    ROUNDS(20, b ^ c ^ d, 0x6ed9eba1)
    ROUNDS(40, (b & c) | (b & d) | (c & d), 0x8f1bbcdc)
    ROUNDS(60, b ^ c ^ d, 0xca62c1d6)
    store_big(digest, start[0] + a);
    store_big(digest + 4, start[1] + b);
    store_big(digest + 8, start[2] + c);
    store_big(digest + 12, start[3] + d);
    store_big(digest + 16, start[4] + e);
}
