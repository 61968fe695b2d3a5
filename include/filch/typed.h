/* typed.h - sums, dot products, extremes and moments of arrays of numbers.
 *
 * For arrays of float, double, int32_t, int64_t and uint64_t, const or not:
 *
 *     double sum;
 *     err = filch_sum(x, n, &sum);
 *     err = filch_sum(x, n, &sum, .pool = mine, .max_workers = 2);
 *
 * In C the name chooses the function of the element type by _Generic. In C++ it is
 * overloaded, with a const filch_opts pointer as its last argument, which may be left out.
 * The functions behind it (filch_sum_double, ...) take NULL for no options.
 *
 * What holds for all of them:
 *
 * x, y      arrays of n elements; may be NULL when n is 0
 * Arrays    Arrays that are only read may overlap. One that is written may not overlap
 *           another one, unless the function says that both may be the same. A typed
 *           array (double *, size_t *) is aligned for its type; one of void * may lie at
 *           any address. Else -EINVAL. Where an array has no items, its address may be
 *           anything
 * out       written on success only
 * .grain    items in a block, rounded up to a power of two and to 4096 at least; 0: chosen
 *           from n. It decides how the work is shared out, and not about the result.
 * .ctx      for .progress, which counts blocks; may be named, and is not the first argument
 *
 * Bits      a function of n and the items alone: not of the number of workers, of the
 *           options or of luck, and the same with gcc and clang
 * Returns   0; -EINVAL, and nothing done, for a NULL out, an array with n > 0 that is NULL,
 *           misaligned or larger than memory, or options that are refused (see filch_opts);
 *           -ECANCELED after filch_cancel_set on .cancel; the value of .progress when that is
 *           not 0
 * Threads   any, also from inside a body
 * Cost      O(n) work. Up to 4096 items are folded by the caller at once, without a pool:
 *           a sum of 16 takes about 10 ns, call included.
 */
#ifndef FILCH_TYPED_H
#define FILCH_TYPED_H

#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * filch_sum - the sum of the n items of x.
 *
 * Serial meaning:  sum = 0; for (i = 0; i < n; i++) sum += x[i];
 *
 * out    double for float and double; int64_t for int32_t and int64_t; uint64_t for
 *        uint64_t
 *
 * Floats are added as doubles. Integers wrap around, modulo 2^64. 0 when n is 0.
 *
 * Error  of floating-point sums: at most about (20 + log2(n / 256)) u (|x[0]| + |x[1]| +
 *        ...), where u is 2^-53 and the logarithm is 0 for n < 256. The serial loop has n
 *        in the place of the parenthesis. It is so as long as no partial sum overflows,
 *        and those are other ones than in the serial loop.
 * Source pairwise summation: Higham, SIAM J. Sci. Comput. 14, 1993; over blocks of 256
 *        items, each in 16 lanes.
 */
FILCH_API int filch_sum_float(const float *x, size_t n, double *out,
                              const filch_opts *opts);
FILCH_API int filch_sum_double(const double *x, size_t n, double *out,
                               const filch_opts *opts);
FILCH_API int filch_sum_int32(const int32_t *x, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_sum_int64(const int64_t *x, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_sum_uint64(const uint64_t *x, size_t n, uint64_t *out,
                               const filch_opts *opts);

/**
 * filch_dot - the sum of the n products x[i] * y[i].
 *
 * Serial meaning:  sum = 0; for (i = 0; i < n; i++) sum += x[i] * y[i];
 *
 * Types, wrapping and error as filch_sum's, with |x[i] y[i]| for |x[i]|, and one u more
 * for the products of doubles; those of floats are exact. A product below 2^-1022 is off by
 * up to 2^-1075 besides. They are not contracted to fused multiply-adds.
 */
FILCH_API int filch_dot_float(const float *x, const float *y, size_t n, double *out,
                              const filch_opts *opts);
FILCH_API int filch_dot_double(const double *x, const double *y, size_t n, double *out,
                               const filch_opts *opts);
FILCH_API int filch_dot_int32(const int32_t *x, const int32_t *y, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_dot_int64(const int64_t *x, const int64_t *y, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_dot_uint64(const uint64_t *x, const uint64_t *y, size_t n,
                               uint64_t *out, const filch_opts *opts);

/**
 * filch_min, filch_max - the least and the greatest of the n items of x.
 *
 * Serial meaning:  least = x[0]; for (i = 1; i < n; i++) least = fmin(least, x[i]);
 *
 * out    of the element type
 *
 * NaNs are passed over, unless there is nothing else: then the result is one. -0.0 and 0.0
 * are equal, and where they are the extreme, it is any one of them (the same every time).
 *
 * Returns  -EINVAL also when n is 0.
 */
FILCH_API int filch_min_float(const float *x, size_t n, float *out,
                              const filch_opts *opts);
FILCH_API int filch_min_double(const double *x, size_t n, double *out,
                               const filch_opts *opts);
FILCH_API int filch_min_int32(const int32_t *x, size_t n, int32_t *out,
                              const filch_opts *opts);
FILCH_API int filch_min_int64(const int64_t *x, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_min_uint64(const uint64_t *x, size_t n, uint64_t *out,
                               const filch_opts *opts);
FILCH_API int filch_max_float(const float *x, size_t n, float *out,
                              const filch_opts *opts);
FILCH_API int filch_max_double(const double *x, size_t n, double *out,
                               const filch_opts *opts);
FILCH_API int filch_max_int32(const int32_t *x, size_t n, int32_t *out,
                              const filch_opts *opts);
FILCH_API int filch_max_int64(const int64_t *x, size_t n, int64_t *out,
                              const filch_opts *opts);
FILCH_API int filch_max_uint64(const uint64_t *x, size_t n, uint64_t *out,
                               const filch_opts *opts);

/**
 * filch_argmin, filch_argmax - where the least and the greatest of the n items of x is.
 *
 * Serial meaning:  at = 0; for (i = 1; i < n; i++) if (x[i] < x[at]) at = i;
 *                  for an array without NaNs
 *
 * out    the lowest index of an item that equals the extreme
 *
 * NaNs are passed over; 0 when there is nothing else.
 *
 * Returns  -EINVAL also when n is 0.
 */
FILCH_API int filch_argmin_float(const float *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmin_double(const double *x, size_t n, size_t *out,
                                  const filch_opts *opts);
FILCH_API int filch_argmin_int32(const int32_t *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmin_int64(const int64_t *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmin_uint64(const uint64_t *x, size_t n, size_t *out,
                                  const filch_opts *opts);
FILCH_API int filch_argmax_float(const float *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmax_double(const double *x, size_t n, size_t *out,
                                  const filch_opts *opts);
FILCH_API int filch_argmax_int32(const int32_t *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmax_int64(const int64_t *x, size_t n, size_t *out,
                                 const filch_opts *opts);
FILCH_API int filch_argmax_uint64(const uint64_t *x, size_t n, size_t *out,
                                  const filch_opts *opts);

/* Of count items: their mean, and the sum of the squares of their deviations from it. */
struct filch_moments {
    uint64_t count;
    double mean;
    double m2;
};

/**
 * filch_moments - count, mean and squared deviations of the n items of x, in one pass.
 *
 *     struct filch_moments m;
 *     err = filch_moments(x, n, &m);
 *     printf("%g +- %g\n", m.mean, sqrt(filch_variance_sample(&m)));
 *
 * Serial meaning:  the mean first, then m2 = the sum of (x[i] - mean)^2
 *
 * Integers are converted to double. All are 0 when n is 0. With a NaN or an infinity among
 * the items, mean and m2 are NaN. Otherwise the mean is finite; m2 is not negative, and
 * infinite where it is larger than any double. When all items are equal, the mean is that
 * item and m2 is 0, both exactly.
 *
 * Error  the mean is off by at most about e = ((L + 1) |mean| + (141 + 4 L) s) u, and m2,
 *        relatively, by at most about (140 + 2 L) u + 2 sqrt(L) e / s + L (e / s)^2. Here
 *        s is the standard deviation, L = log2(n / 1024), rounded up, 0 for n < 1024, and
 *        u is 2^-53. So nothing is left of the (mean / s)^2 of a sum of squares. It is so
 *        for s > 2^-40 |mean|: else the items differ in their last bits only. Besides, the
 *        mean is off by up to 2^-1074, and m2 by 2^-1074 for each 1024 items whose own m2
 *        is below 2^-1022.
 * Cost   the array is read from memory once; each 1024 items twice from the cache (doubles
 *        that are all 0, very small or very large, or NaN, up to five times).
 * Source Chan, Golub, LeVeque, Stanford STAN-CS-79-773, 1979: pairwise, over blocks of
 *        1024 items, each by the corrected two-pass algorithm.
 */
FILCH_API int filch_moments_float(const float *x, size_t n, struct filch_moments *out,
                                  const filch_opts *opts);
FILCH_API int filch_moments_double(const double *x, size_t n, struct filch_moments *out,
                                   const filch_opts *opts);
FILCH_API int filch_moments_int32(const int32_t *x, size_t n, struct filch_moments *out,
                                  const filch_opts *opts);
FILCH_API int filch_moments_int64(const int64_t *x, size_t n, struct filch_moments *out,
                                  const filch_opts *opts);
FILCH_API int filch_moments_uint64(const uint64_t *x, size_t n, struct filch_moments *out,
                                   const filch_opts *opts);

/** filch_variance - of the items themselves: m2 / count. NaN when there are none. */
static inline double filch_variance(const struct filch_moments *m)
{
    return m->m2 / (double)m->count;
}

/** filch_variance_sample - of what the items are a sample of: m2 / (count - 1). NaN when
 * there are fewer than two. */
static inline double filch_variance_sample(const struct filch_moments *m)
{
    return m->m2 / (double)(m->count ? m->count - 1 : 0);
}

#ifdef __cplusplus
}

#define FILCH_OVERLOAD(name, type, element, result)                 \
    static inline int name(const element *x, size_t n, result *out, \
                           const filch_opts *opts = nullptr)        \
    {                                                               \
        return name##_##type(x, n, out, opts);                      \
    }
#define FILCH_OVERLOAD_DOT(type, element, result)                              \
    static inline int filch_dot(const element *x, const element *y, size_t n,  \
                                result *out, const filch_opts *opts = nullptr) \
    {                                                                          \
        return filch_dot_##type(x, y, n, out, opts);                           \
    }
#define FILCH_OVERLOADS(type, element, wide)            \
    FILCH_OVERLOAD(filch_sum, type, element, wide)      \
    FILCH_OVERLOAD_DOT(type, element, wide)             \
    FILCH_OVERLOAD(filch_min, type, element, element)   \
    FILCH_OVERLOAD(filch_max, type, element, element)   \
    FILCH_OVERLOAD(filch_argmin, type, element, size_t) \
    FILCH_OVERLOAD(filch_argmax, type, element, size_t) \
    FILCH_OVERLOAD(filch_moments, type, element, struct filch_moments)

FILCH_OVERLOADS(float, float, double)
FILCH_OVERLOADS(double, double, double)
FILCH_OVERLOADS(int32, int32_t, int64_t)
FILCH_OVERLOADS(int64, int64_t, int64_t)
FILCH_OVERLOADS(uint64, uint64_t, uint64_t)

#undef FILCH_OVERLOADS
#undef FILCH_OVERLOAD_DOT
#undef FILCH_OVERLOAD

#else

/* The function of that name for the elements of x. */
#define FILCH_TYPED(name, x) \
    _Generic((x),                   \
        float *: name##_float,      \
        const float *: name##_float, \
        double *: name##_double,    \
        const double *: name##_double, \
        int32_t *: name##_int32,    \
        const int32_t *: name##_int32, \
        int64_t *: name##_int64,    \
        const int64_t *: name##_int64, \
        uint64_t *: name##_uint64,  \
        const uint64_t *: name##_uint64)

/* out and the options behind it are one variable argument: in C11 there must be at least
 * one, and a call without options has no other. Then the function gets NULL for them: to
 * fill them in takes a third of the time of a sum of 16. */
#define FILCH_PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, picked, \
                   ...)                                                                \
    picked
#define FILCH_OUT_ALONE(out) out, NULL
#define FILCH_OUT_WITH(out, ...) \
    out, (&(const filch_opts){   \
             .struct_size = sizeof(filch_opts), .abi = FILCH_HOT_ABI, __VA_ARGS__})
#define FILCH_OUT_AND_OPTS(...)                                                \
    FILCH_PICK(__VA_ARGS__, FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH,    \
               FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, \
               FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, \
               FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, \
               FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, FILCH_OUT_WITH, \
               FILCH_OUT_ALONE, )                                              \
    (__VA_ARGS__)

#define filch_sum(x, n, ...) \
    FILCH_TYPED(filch_sum, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_dot(x, y, n, ...) \
    FILCH_TYPED(filch_dot, x)(x, y, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_min(x, n, ...) \
    FILCH_TYPED(filch_min, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_max(x, n, ...) \
    FILCH_TYPED(filch_max, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_argmin(x, n, ...) \
    FILCH_TYPED(filch_argmin, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_argmax(x, n, ...) \
    FILCH_TYPED(filch_argmax, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))
#define filch_moments(x, n, ...) \
    FILCH_TYPED(filch_moments, x)(x, n, FILCH_OUT_AND_OPTS(__VA_ARGS__))

#endif
#endif
