// standard.cc - see standard.h.
#include "standard.h"

#include <algorithm>

extern "C" void standard_sort_uint32(uint32_t *x, size_t n)
{
    std::sort(x, x + n);
}

extern "C" void standard_sort_double(double *x, size_t n)
{
    std::sort(x, x + n);
}

extern "C" void standard_merge_int64(const int64_t *a, size_t a_count, const int64_t *b,
                                     size_t b_count, int64_t *out)
{
    std::merge(a, a + a_count, b, b + b_count, out);
}
