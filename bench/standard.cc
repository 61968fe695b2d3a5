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
