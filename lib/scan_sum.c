/* scan_sum.c - filch_scan_sum and filch_exscan_sum; see filch/scan.h. */
#include "scan_typed.h"

typedef uint64_t fl_pair_uint64 __attribute__((vector_size(16)));
typedef uint32_t fl_four_uint32 __attribute__((vector_size(16)));

/* Lanes of two vectors, by number: those of a are 0 to 3, of b 4 to 7. */
#if defined(__clang__)
#define FL_SHUFFLE(type, a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define FL_SHUFFLE(type, a, b, i, j, k, l) __builtin_shuffle(a, b, (type){i, j, k, l})
#endif

#define IS_OF_FOUR 0

#define IS_FLOATING  1
#define TOTAL        double
#define CARRY        double
#define LANE         fl_pair
#define IS_OF_FLOATS 1
#define ELEMENT      float
#define NAME(name)   name##_float
#include "scan_sum_of.h"
#undef IS_OF_FLOATS
#undef ELEMENT
#undef NAME

#define IS_OF_FLOATS 0
#define ELEMENT      double
#define NAME(name)   name##_double
#include "scan_sum_of.h"
#undef ELEMENT
#undef NAME
#undef IS_FLOATING
#undef TOTAL
#undef CARRY
#undef LANE

#define IS_FLOATING 0
#define TOTAL       uint64_t
#define LANE        fl_pair_uint64
#define ELEMENT     int64_t
#define CARRY       int64_t
#define NAME(name)  name##_int64
#include "scan_sum_of.h"
#undef ELEMENT
#undef CARRY
#undef NAME

#define ELEMENT    uint64_t
#define CARRY      uint64_t
#define NAME(name) name##_uint64
#include "scan_sum_of.h"
#undef ELEMENT
#undef CARRY
#undef NAME
#undef TOTAL
#undef LANE
#undef IS_OF_FOUR

#define IS_OF_FOUR 1
#define TOTAL      uint32_t
#define LANE       fl_four_uint32
#define ELEMENT    int32_t
#define CARRY      int32_t
#define NAME(name) name##_int32
#include "scan_sum_of.h"
