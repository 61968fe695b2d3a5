/* random.h - random numbers by their index, and a shuffle: the same on any number of
 * workers.
 *
 * A generator with a state gives numbers one after the other, so that what an item gets
 * depends on who came before it. Here number `index` of a seed is a function of the two:
 *
 *     for (size_t i = begin; i < end; i++)
 *         x[i] = filch_random_double(seed, i);
 *
 * has the same result in any order, in the body of any loop. An item that needs more
 * than one number has a generator of its own:
 *
 *     filch_random r = filch_random_stream(seed, i);
 *
 *     do
 *         x = filch_random_next(&r), y = filch_random_next(&r);
 *     while (...);
 *
 * Not for secrets: the numbers can be computed backwards.
 *
 * Source   Philox4x32-10: Salmon, Moraes, Dror, Shaw, SC 2011. It passes BigCrush.
 */
#ifndef FILCH_RANDOM_H
#define FILCH_RANDOM_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** filch_philox - ten rounds of Philox4x32: 128 random bits in the place of counter. */
static inline void filch_philox(uint32_t counter[4], uint32_t key0, uint32_t key1)
{
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3];
    int round;

    for (round = 0; round < 10; round++) {
        uint64_t left = (uint64_t)a * 0xd2511f53u, right = (uint64_t)c * 0xcd9e8d57u;

        a = (uint32_t)(right >> 32) ^ b ^ key0;
        b = (uint32_t)right;
        c = (uint32_t)(left >> 32) ^ d ^ key1;
        d = (uint32_t)left;
        key0 += 0x9e3779b9u;
        key1 += 0xbb67ae85u;
    }
    counter[0] = a;
    counter[1] = b;
    counter[2] = c;
    counter[3] = d;
}

/* The numbers of an item: up to 2^65 of them, and of up to 2^64 items of a seed. */
typedef struct filch_random {
    uint64_t seed, stream;
    uint64_t block;   /* which 128 bits come next */
    uint64_t kept[2]; /* of the last ones: */
    uint32_t left;    /* so many are to be given out */
} filch_random;

/** filch_random_stream - the generator of an item, at its first number. */
static inline filch_random filch_random_stream(uint64_t seed, uint64_t item)
{
    filch_random random = {seed, item, 0, {0, 0}, 0};

    return random;
}

/** filch_random_next - 64 random bits. */
static inline uint64_t filch_random_next(filch_random *random)
{
    if (random->left == 0) {
        uint32_t word[4];

        word[0] = (uint32_t)random->block;
        word[1] = (uint32_t)(random->block >> 32);
        word[2] = (uint32_t)random->stream;
        word[3] = (uint32_t)(random->stream >> 32);
        filch_philox(word, (uint32_t)random->seed, (uint32_t)(random->seed >> 32));
        random->kept[0] = word[0] | (uint64_t)word[1] << 32;
        random->kept[1] = word[2] | (uint64_t)word[3] << 32;
        random->block++;
        random->left = 2;
    }
    return random->kept[2 - random->left--];
}

/** filch_random_bits - 64 random bits: the first number of an item's stream. */
static inline uint64_t filch_random_bits(uint64_t seed, uint64_t item)
{
    filch_random random = filch_random_stream(seed, item);

    return filch_random_next(&random);
}

/** filch_random_unit - of 64 random bits, a number from 0 to below 1: a multiple of
 * 2^-53. */
static inline double filch_random_unit(uint64_t bits)
{
    return (double)(bits >> 11) * (1.0 / 9007199254740992.0);
}

/** filch_random_double - from 0 to below 1, all multiples of 2^-53 alike: the first
 * number of an item's stream. */
static inline double filch_random_double(uint64_t seed, uint64_t item)
{
    return filch_random_unit(filch_random_bits(seed, item));
}

/**
 * filch_random_below - from 0 to below limit, all numbers alike. 0 when limit is 0.
 *
 * Cost    one filch_random_next, or more where limit is not far below 2^64
 * Source  Lemire, ACM TOMACS 29, 2019.
 */
FILCH_API uint64_t filch_random_below(filch_random *random, uint64_t limit);

/**
 * filch_shuffle - bring count elements into a random order, each of them equally likely.
 *
 *     err = filch_shuffle(cards, 52, sizeof *cards, seed);
 *     err = filch_shuffle(rows, n, sizeof *rows, seed, .pool = mine);
 *
 * base    an array of count elements of bytes each, at least 1. They are copied byte by
 *         byte. May be NULL when count is 0
 * .ctx    for .progress, which counts blocks of elements; may be named, and is not the
 *         first argument. .grain and .max_chunk have no meaning here
 *
 * Result   a function of count and seed: of the same ones always the same order, on any
 *          number of workers and for elements of any size. As good as 64 bits of seed
 *          can make it: there are more orders of 21 elements
 * Returns  0; -EINVAL, and nothing done, for a NULL array with count > 0, bytes of 0, an
 *          array larger than memory or options that are refused (see filch_opts); -ENOMEM
 *          without scratch memory; -ECANCELED after filch_cancel_set on .cancel; the
 *          value of .progress when that is not 0. After an error the array is as it
 *          was.
 * Threads  any, also from inside a body. Nobody else may use the array meanwhile.
 * Cost     O(count) work, O(count / p + count / 1024) deep on p workers. Up to 32,768
 *          elements are shuffled by the caller at once, without scratch memory; then not
 *          cancelled
 * Memory   as much as the array takes, and up to 2.2 MB; see above
 * Source   Rao, Sankhya 23, 1961, and Sandelius, JRSS B 24, 1962: each element goes to a
 *          random bucket; each bucket is shuffled.
 */
#define filch_shuffle(base, count, bytes, ...) \
    filch_shuffle_with(base, count, bytes, FILCH_SEED_AND_OPTS(__VA_ARGS__))
FILCH_API int filch_shuffle_with(void *base, size_t count, size_t bytes, uint64_t seed,
                                 const filch_opts *opts);

/* The seed, and the options behind it, if any: see typed.h. */
#define FILCH_SEED(seed, ...)   seed
#define FILCH_BEHIND(seed, ...) __VA_ARGS__
#define FILCH_SEED_AND_OPTS(...)                                                       \
    FILCH_SEED(__VA_ARGS__, ), (&(const filch_opts){.struct_size = sizeof(filch_opts), \
                                                    .abi = FILCH_HOT_ABI,              \
                                                    FILCH_BEHIND(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
