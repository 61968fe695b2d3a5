/* scan.h - running sums and the like: each item combined with all before it.
 *
 * For arrays of float, double, int32_t, int64_t and uint64_t, const or not:
 *
 *     err = filch_scan_sum(x, n, out);
 *     err = filch_exscan_sum(lengths, n, offsets, &total, .pool = mine);
 *
 * The name chooses the function of the element type as in typed.h; the functions behind it
 * (filch_scan_sum_double, ...) take NULL for no options. For items of any other kind there
 * are filch_scan and filch_exscan, which take a function that combines two.
 *
 * What holds for all of them:
 *
 * in, out   (typed: x and out) arrays of as many items; they may be the same. May be NULL
 *           when there are no items. After an error or a cancellation nothing is known of
 *           out
 * Arrays    Arrays that are only read may overlap. One that is written may not overlap
 *           another one, unless the function says that both may be the same. A typed
 *           array (double *, size_t *) is aligned for its type; one of void * may lie at
 *           any address. Else -EINVAL. Where an array has no items, its address may be
 *           anything
 * carry     what comes before the first item; on return, when that is 0, this combined
 *           with all items. So an array may be scanned in stretches. Unchanged when there
 *           are no items
 * .ctx      for .progress, which counts tiles (see there); .max_chunk has no meaning here
 *
 * Bits      a function of the items, and of .grain where that has a meaning; not of the
 *           number of workers or of luck
 * Returns   0; -EINVAL, and nothing done, for a NULL argument that is needed, arrays that
 *           overlap, are misaligned or larger than memory, or options that are refused (see
 *           filch_opts); -ECANCELED after filch_cancel_set on .cancel; the value of
 *           .progress when that is not 0
 * Threads   any, also from inside a body
 * Memory    none; but for items of more than 48 bytes, 16 and 3 for each worker, each in
 *           whole lines of 64 bytes. The arrays travel once: each tile is folded when it
 *           comes from memory, waits for what the tile before passes on, and is scanned
 *           while it is in the cache. Tiles are claimed in ascending order by who runs, so
 *           nobody waits for a tile that nobody has begun
 */
#ifndef FILCH_SCAN_H
#define FILCH_SCAN_H

#include <filch/typed.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_scan_sum - out[i] = x[0] + ... + x[i].
 *
 * Serial meaning:  sum = 0; for (i = 0; i < n; i++) out[i] = sum += x[i];
 *
 * Integers wrap around in their type. Floats are added as doubles, and each result is
 * rounded to float; doubles as doubles. Either is added up in eights, those inside tiles
 * of 32768 items, and the tiles one after the other.
 *
 * Bits     out[i] is a function of x[0] to x[i] alone, and the same with gcc and clang
 * Error    of floating-point sums: out[i] is off by at most about (i / 32768 + min(i,
 *          32768) / 8 + 4) u (|x[0]| + ... + |x[i]|), where u is 2^-53; for floats, one
 *          rounding besides. The serial loop has i in the place of the parenthesis. It is
 *          so as long as no partial sum overflows, and those are other ones than in the
 *          serial loop. Out of numbers that are not negative, no result is below the one
 *          before.
 * Cost     O(n) work; up to 32768 items are scanned by the caller at once, without a pool.
 *          Of more, each is added twice, unless the caller is alone. The longest chain: 2
 *          tiles, and an addition for each tile. An out of 32 MiB or more, apart from x
 *          and at a multiple of 16 bytes, is written past the caches, where the machine can
 */
FILCH_API int filch_scan_sum_float(const float *x, size_t n, float *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_sum_double(const double *x, size_t n, double *out,
                                    const filch_opts *opts);
FILCH_API int filch_scan_sum_int32(const int32_t *x, size_t n, int32_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_sum_int64(const int64_t *x, size_t n, int64_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_sum_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                    const filch_opts *opts);

/**
 * filch_scan_min, filch_scan_max - out[i] = the least, or the greatest, of x[0] to x[i].
 *
 * Serial meaning:  least = x[0]; for (i = 0; i < n; i++) out[i] = least =
 *                  x[i] < least ? x[i] : least;
 *
 * NaNs are passed over: before the first number, out is infinity (for the greatest,
 * -infinity). -0.0 and 0.0 are equal: the first of them stays.
 *
 * Bits, errors and cost as filch_scan_sum's.
 *
 * Returns  as filch_scan_sum
 */
FILCH_API int filch_scan_min_float(const float *x, size_t n, float *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_min_double(const double *x, size_t n, double *out,
                                    const filch_opts *opts);
FILCH_API int filch_scan_min_int32(const int32_t *x, size_t n, int32_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_min_int64(const int64_t *x, size_t n, int64_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_min_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                    const filch_opts *opts);
FILCH_API int filch_scan_max_float(const float *x, size_t n, float *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_max_double(const double *x, size_t n, double *out,
                                    const filch_opts *opts);
FILCH_API int filch_scan_max_int32(const int32_t *x, size_t n, int32_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_max_int64(const int64_t *x, size_t n, int64_t *out,
                                   const filch_opts *opts);
FILCH_API int filch_scan_max_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                    const filch_opts *opts);

/**
 * filch_exscan_sum - out[i] = what all items before x[i] add up to.
 *
 *     int64_t total = 0;
 *     err = filch_exscan_sum(lengths, n, offsets, &total);
 *
 * Serial meaning:  for (i = 0; i < n; i++) { next = carry + x[i]; out[i] = carry;
 *                  carry = next; }
 *
 * carry    double for float; else of the element type. NULL: 0, and the total is not told
 *
 * Otherwise as filch_scan_sum. Error: as there, with |carry| added to the sum of absolute
 * values; for the total put n for i
 *
 * Returns  as filch_scan_sum
 */
FILCH_API int filch_exscan_sum_float(const float *x, size_t n, float *out, double *carry,
                                     const filch_opts *opts);
FILCH_API int filch_exscan_sum_double(const double *x, size_t n, double *out,
                                      double *carry, const filch_opts *opts);
FILCH_API int filch_exscan_sum_int32(const int32_t *x, size_t n, int32_t *out,
                                     int32_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_sum_int64(const int64_t *x, size_t n, int64_t *out,
                                     int64_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_sum_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                      uint64_t *carry, const filch_opts *opts);

/**
 * filch_exscan_min, filch_exscan_max - out[i] = the least, or greatest, of all before x[i].
 *
 * carry    of the element type. NULL: the greatest (least) value that there is, infinities
 *          included, which then is out[0]
 *
 * Otherwise as filch_scan_min.
 *
 * Returns  as filch_scan_sum
 */
FILCH_API int filch_exscan_min_float(const float *x, size_t n, float *out, float *carry,
                                     const filch_opts *opts);
FILCH_API int filch_exscan_min_double(const double *x, size_t n, double *out,
                                      double *carry, const filch_opts *opts);
FILCH_API int filch_exscan_min_int32(const int32_t *x, size_t n, int32_t *out,
                                     int32_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_min_int64(const int64_t *x, size_t n, int64_t *out,
                                     int64_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_min_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                      uint64_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_max_float(const float *x, size_t n, float *out, float *carry,
                                     const filch_opts *opts);
FILCH_API int filch_exscan_max_double(const double *x, size_t n, double *out,
                                      double *carry, const filch_opts *opts);
FILCH_API int filch_exscan_max_int32(const int32_t *x, size_t n, int32_t *out,
                                     int32_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_max_int64(const int64_t *x, size_t n, int64_t *out,
                                     int64_t *carry, const filch_opts *opts);
FILCH_API int filch_exscan_max_uint64(const uint64_t *x, size_t n, uint64_t *out,
                                      uint64_t *carry, const filch_opts *opts);

/* left = left op right, where left's items come before right's. Must not be left by longjmp
 * or a C++ exception, and neither may a filch_scan_body. */
typedef void filch_scan_combine(void *left, const void *right, void *ctx);

/* For each of count items, one after the other: acc = acc op item; and where out is not
 * NULL, the next item of out = acc. in and out may be the same array. 0 goes on;
 * anything else is an error that ends the scan. */
typedef int filch_scan_body(filch_worker *w, const void *in, void *out, size_t count,
                            void *acc, void *ctx);

/**
 * filch_scan - out[i] = in[0] op ... op in[i], for an op of the user's.
 *
 *     static void then(void *left, const void *right, void *ctx)    (a map after another)
 *     {
 *         struct map *a = left;
 *         const struct map *b = right;
 *
 *         *a = (struct map){.scale = a->scale * b->scale, .add = a->add * b->scale + b->add};
 *     }
 *     err = filch_scan(maps, maps, n, sizeof *maps, NULL, then, NULL);
 *
 * Serial meaning:  acc = in[0], or carry op in[0]; out[0] = acc;
 *                  for (i = 1; i < count; i++) { acc = acc op in[i]; out[i] = acc; }
 *
 * bytes    size of an item, at least 1. Items are copied byte by byte: they must not own
 *          anything or point into themselves. The combine gets left in memory aligned for
 *          a type of that size, up to 64, and right where it lies in the array
 * carry    an item, see above; NULL: nothing comes before in[0]
 * combine  associative; need not be commutative. Called concurrently
 * .grain   items in a tile; 0: chosen from bytes alone, at most 16384. Give a small one,
 *          where few items take long
 *
 * Returns  -ENOMEM also, and nothing done, without scratch memory for items of more than
 *          48 bytes
 * Cost     up to a tile count - 1 combines, by the caller; else at most 2 for each item, on
 *          any number of workers. The longest chain: 2 tiles, and a combine for each tile
 */
#define filch_scan(in, out, count, bytes, carry, combine, ...) \
    filch_scan_with(in, out, count, bytes, carry, combine, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_scan_with(const void *in, void *out, size_t count, size_t bytes,
                              void *carry, filch_scan_combine *combine,
                              const filch_opts *opts);

/**
 * filch_exscan - out[i] = carry op in[0] op ... op in[i - 1], for an op of the user's.
 *
 * Serial meaning:  for (i = 0; i < count; i++) { out[i] = carry; carry = carry op in[i]; }
 *
 * carry    must be there. On return also of the last item
 *
 * Otherwise as filch_scan.
 *
 * Returns  as filch_scan
 */
#define filch_exscan(in, out, count, bytes, carry, combine, ...) \
    filch_exscan_with(in, out, count, bytes, carry, combine, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_exscan_with(const void *in, void *out, size_t count, size_t bytes,
                                void *carry, filch_scan_combine *combine,
                                const filch_opts *opts);

/**
 * filch_scan_ranges - filch_scan, with a function for a range of items instead of one.
 *
 * body     see filch_scan_body. It is what a compiler can inline op into, and vectorise
 *          the fold of, when out is NULL
 *
 * Returns  as filch_scan; also the body's value for the lowest tile that returned non-zero
 */
#define filch_scan_ranges(in, out, count, bytes, carry, body, ...) \
    filch_scan_ranges_with(in, out, count, bytes, carry, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_scan_ranges_with(const void *in, void *out, size_t count,
                                     size_t bytes, void *carry, filch_scan_body *body,
                                     const filch_opts *opts);

/**
 * filch_exscan_ranges - filch_exscan, with a function for a range of items.
 *
 * body     as for filch_scan_ranges: acc = acc op item first, then out = acc. For what out
 *          gets an item later, filch shifts the array
 *
 * Returns  as filch_scan_ranges
 */
#define filch_exscan_ranges(in, out, count, bytes, carry, body, ...) \
    filch_exscan_ranges_with(in, out, count, bytes, carry, body, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_exscan_ranges_with(const void *in, void *out, size_t count,
                                       size_t bytes, void *carry, filch_scan_body *body,
                                       const filch_opts *opts);

#ifdef __cplusplus
}

#define FILCH_OVERLOAD_SCAN(name, type, element)                     \
    static inline int name(const element *x, size_t n, element *out, \
                           const filch_opts *opts = nullptr)         \
    {                                                                \
        return name##_##type(x, n, out, opts);                       \
    }
#define FILCH_OVERLOAD_EXSCAN(name, type, element, total)                          \
    static inline int name(const element *x, size_t n, element *out, total *carry, \
                           const filch_opts *opts = nullptr)                       \
    {                                                                              \
        return name##_##type(x, n, out, carry, opts);                              \
    }
#define FILCH_OVERLOADS_SCAN(type, element, total)                  \
    FILCH_OVERLOAD_SCAN(filch_scan_sum, type, element)              \
    FILCH_OVERLOAD_SCAN(filch_scan_min, type, element)              \
    FILCH_OVERLOAD_SCAN(filch_scan_max, type, element)              \
    FILCH_OVERLOAD_EXSCAN(filch_exscan_sum, type, element, total)   \
    FILCH_OVERLOAD_EXSCAN(filch_exscan_min, type, element, element) \
    FILCH_OVERLOAD_EXSCAN(filch_exscan_max, type, element, element)

FILCH_OVERLOADS_SCAN(float, float, double)
FILCH_OVERLOADS_SCAN(double, double, double)
FILCH_OVERLOADS_SCAN(int32, int32_t, int32_t)
FILCH_OVERLOADS_SCAN(int64, int64_t, int64_t)
FILCH_OVERLOADS_SCAN(uint64, uint64_t, uint64_t)

#undef FILCH_OVERLOADS_SCAN
#undef FILCH_OVERLOAD_EXSCAN
#undef FILCH_OVERLOAD_SCAN

#else

#define filch_scan_sum(x, n, ...) \
    FILCH_TYPED(filch_scan_sum, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_scan_min(x, n, ...) \
    FILCH_TYPED(filch_scan_min, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_scan_max(x, n, ...) \
    FILCH_TYPED(filch_scan_max, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_exscan_sum(x, n, out, ...) \
    FILCH_TYPED(filch_exscan_sum, x)(x, n, out, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_exscan_min(x, n, out, ...) \
    FILCH_TYPED(filch_exscan_min, x)(x, n, out, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_exscan_max(x, n, out, ...) \
    FILCH_TYPED(filch_exscan_max, x)(x, n, out, FILCH_OUT_AND_OPTS(__VA_ARGS__))

#endif
#endif
