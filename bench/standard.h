/* standard.h - what C++'s standard library has and C's has not, for serial candidates. */
#ifndef BENCH_STANDARD_H
#define BENCH_STANDARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* std::sort. */
void standard_sort_uint32(uint32_t *x, size_t n);
void standard_sort_double(double *x, size_t n);

/* std::merge. */
void standard_merge_int64(const int64_t *a, size_t a_count, const int64_t *b,
                          size_t b_count, int64_t *out);

#ifdef __cplusplus
}
#endif
#endif
