/* random.c - a random number below a limit, and the shuffle, over the spreading of
 * items to buckets (spread.h).
 *
 * Buckets depend on the number of elements alone. The bucket of an element is a
 * function of the seed and its index; the order within a bucket of the seed and the
 * bucket. The two use streams of their own, and so do the programs that use the same
 * seed.
 */
#include <errno.h>
#include <string.h>
#include <filch/random.h>
#include "loop.h"
#include "options.h"
#include "platform.h"
#include "spread.h"

/* Elements of one bucket, about: eight bytes each, they and their copy fit a core's
 * cache. */
#define BUCKET_ITEMS ((size_t)16384)
#define FEW_ITEMS    (2 * BUCKET_ITEMS)

/* Elements that are swapped by way of the stack in pieces of so many bytes. */
#define PIECE_BYTES 64

/* Streams of the shuffle, at the far end of those of a seed. */
#define STREAM_OF_BUCKETS (UINT64_MAX - FL_BUCKETS_MOST)
#define SEED_OF_PLACES    UINT64_C(0x73687566666c6521)

struct shuffle {
    char *base, *copy; /* as it was; bucket by bucket */
    size_t bytes;
    uint64_t seed;
    unsigned bits; /* of the number of buckets */
    const size_t *begins;
};

__extension__ typedef unsigned __int128 uint128;

uint64_t filch_random_below(filch_random *random, uint64_t limit)
{
    uint128 product = (uint128)filch_random_next(random) * limit;

    if ((uint64_t)product < limit) {
        uint64_t least = limit ? -limit % limit : 0; /* 2^64 modulo limit */

        while ((uint64_t)product < least)
            product = (uint128)filch_random_next(random) * limit;
    }
    return (uint64_t)(product >> 64);
}

/* --- buckets ---------------------------------------------------------------------- */

/* Eight elements share the 128 bits of a counter, 16 bits each. */
#define SHARING 8

/* The buckets of elements [begin, begin + SHARING); begin is a multiple of that. */
static inline void find_buckets(const struct shuffle *s, size_t begin, uint32_t *bucket)
{
    uint64_t number = begin / SHARING, seed = s->seed ^ SEED_OF_PLACES;
    uint32_t word[4] = {(uint32_t)number, (uint32_t)(number >> 32), 0, 0};
    int i;

    filch_philox(word, (uint32_t)seed, (uint32_t)(seed >> 32));
    for (i = 0; i < SHARING; i++)
        bucket[i] = (word[i / 2] >> 16 * (i % 2) & 0xffff) >> (16 - s->bits);
}

static int count_places(filch_worker *w, size_t begin, size_t end, size_t *count,
                        void *arg)
{
    const struct shuffle *s = arg;
    uint32_t bucket[SHARING];
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        if (i == begin || i % SHARING == 0)
            find_buckets(s, i / SHARING * SHARING, bucket);
        count[bucket[i % SHARING]]++;
    }
    return 0;
}

static inline void copy_item(char *to, const char *from, size_t bytes)
{
    if (bytes == 4)
        memcpy(to, from, 4);
    else if (bytes == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, bytes);
}

static int place_items(filch_worker *w, size_t begin, size_t end, size_t *next, void *arg)
{
    const struct shuffle *s = arg;
    uint32_t bucket[SHARING];
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        if (i == begin || i % SHARING == 0)
            find_buckets(s, i / SHARING * SHARING, bucket);
        copy_item(s->copy + next[bucket[i % SHARING]]++ * s->bytes,
                  s->base + i * s->bytes, s->bytes);
    }
    return 0;
}

/* --- within a bucket -------------------------------------------------------------- */

/* What a bucket's order is made of: the 32-bit halves of its stream, the lower one first. */
struct draws {
    filch_random random;
    uint64_t bits;
    bool has_upper;
};

/* A place below limit, all alike: as filch_random_below, of half as many bits where that
 * is enough. */
static inline size_t draw_place(struct draws *draws, size_t limit)
{
    uint64_t product;

    if (FILCH_UNLIKELY(limit > UINT32_MAX))
        return (size_t)filch_random_below(&draws->random, limit);
    do {
        draws->bits =
            draws->has_upper ? draws->bits >> 32 : filch_random_next(&draws->random);
        draws->has_upper = !draws->has_upper;
        product = (draws->bits & UINT32_MAX) * limit;
        /* 2^32 modulo limit is below limit: most draws need no division. */
    } while (FILCH_UNLIKELY((uint32_t)product < limit) &&
             (uint32_t)product < -(uint32_t)limit % (uint32_t)limit);
    return (size_t)(product >> 32);
}

/* From the copy back to the array, inside out: element i goes to a random place up to its
 * own, and what was there to its own. */
static int shuffle_buckets(filch_worker *w, size_t begin, size_t end, void *arg)
{
    const struct shuffle *s = arg;
    size_t bucket, i, count;

    (void)w;
    for (bucket = begin; bucket < end; bucket++) {
        struct draws draws = {
            .random = filch_random_stream(s->seed, STREAM_OF_BUCKETS + bucket)};
        char *to = s->base + s->begins[bucket] * s->bytes;
        const char *from = s->copy + s->begins[bucket] * s->bytes;

        count = s->begins[bucket + 1] - s->begins[bucket];
        for (i = 0; i < count; i++) {
            size_t place = i ? draw_place(&draws, i + 1) : 0;

            if (place != i)
                copy_item(to + i * s->bytes, to + place * s->bytes, s->bytes);
            copy_item(to + place * s->bytes, from + i * s->bytes, s->bytes);
        }
    }
    return 0;
}

/* Of a size that the compiler knows. */
static inline void swap_few(char *a, char *b, size_t bytes)
{
    char piece[PIECE_BYTES];

    memcpy(piece, a, bytes);
    memcpy(a, b, bytes);
    memcpy(b, piece, bytes);
}

static inline void swap_items(char *a, char *b, size_t bytes)
{
    size_t count;

    if (bytes == 8) {
        swap_few(a, b, 8);
    } else if (bytes == 4) {
        swap_few(a, b, 4);
    } else {
        for (; bytes > 0; bytes -= count, a += count, b += count) {
            count = FL_MIN(bytes, PIECE_BYTES);
            swap_few(a, b, count);
        }
    }
}

/* The same order, of a single bucket, without a copy. */
static void shuffle_alone(const struct shuffle *s, size_t count)
{
    struct draws draws = {.random = filch_random_stream(s->seed, STREAM_OF_BUCKETS)};
    size_t i, place;

    for (i = 1; i < count; i++) {
        place = draw_place(&draws, i + 1);
        if (place != i)
            swap_items(s->base + i * s->bytes, s->base + place * s->bytes, s->bytes);
    }
}

/* --- the call --------------------------------------------------------------------- */

struct shuffle_call {
    struct shuffle *shuffle;
    size_t count;
    const filch_opts *opts;
};

static int shuffle_inside(struct fl_worker *worker, void *arg)
{
    struct shuffle_call *call = arg;
    struct shuffle *s = call->shuffle;
    struct fl_spread spread = {.end = call->count,
                               .buckets = (size_t)1 << s->bits,
                               .count = count_places,
                               .place = place_items,
                               .ctx = s};
    filch_opts quiet = call->opts ? *call->opts : (filch_opts){0};
    int err = fl_spread(worker, &spread, call->opts);

    if (err)
        return err;
    quiet.cancel = NULL; /* to the end, once it has begun to change the array */
    quiet.progress = NULL;
    s->begins = spread.begins;
    err = fl_spread_loop(worker, spread.buckets, shuffle_buckets, s, &quiet);
    fl_spread_end(&spread);
    return err;
}

int filch_shuffle_with(void *base, size_t count, size_t bytes, uint64_t seed,
                       const filch_opts *opts)
{
    struct shuffle shuffle = {.base = base, .bytes = bytes, .seed = seed};
    struct shuffle_call call = {&shuffle, count, opts};
    int err;

    if ((!base && count) || bytes == 0 || count > SIZE_MAX / bytes || fl_opts_check(opts))
        return -EINVAL;
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    if (count <= FEW_ITEMS) {
        shuffle_alone(&shuffle, count);
        return 0;
    }
    while ((size_t)1 << shuffle.bits < FL_BUCKETS_MOST &&
           count >> shuffle.bits > BUCKET_ITEMS)
        shuffle.bits++;
    shuffle.copy = fl_zalloc(count * bytes);
    if (!shuffle.copy)
        return -ENOMEM;
    err = fl_enter(opts, shuffle_inside, &call);
    fl_free(shuffle.copy);
    return err;
}
