/* scan_extreme.c - filch_scan_min, filch_scan_max and their exclusive ones; see
 * filch/scan.h. An item takes the place of another when it is strictly better, which a NaN
 * never is.
 */
#include <math.h>
#include "scan_typed.h"

#define LESS(a, b)    ((a) < (b))
#define GREATER(a, b) ((a) > (b))

#define ELEMENT      float
#define NAME(prefix) prefix##_min_float
#define BETTER       LESS
#define WORST        HUGE_VALF
#define INCLUSIVE    filch_scan_min_float
#define EXCLUSIVE    filch_exscan_min_float
#include "scan_extreme_of.h"
#define NAME(prefix) prefix##_max_float
#define BETTER       GREATER
#define WORST        (-HUGE_VALF)
#define INCLUSIVE    filch_scan_max_float
#define EXCLUSIVE    filch_exscan_max_float
#include "scan_extreme_of.h"
#undef ELEMENT

#define ELEMENT      double
#define NAME(prefix) prefix##_min_double
#define BETTER       LESS
#define WORST        HUGE_VAL
#define INCLUSIVE    filch_scan_min_double
#define EXCLUSIVE    filch_exscan_min_double
#include "scan_extreme_of.h"
#define NAME(prefix) prefix##_max_double
#define BETTER       GREATER
#define WORST        (-HUGE_VAL)
#define INCLUSIVE    filch_scan_max_double
#define EXCLUSIVE    filch_exscan_max_double
#include "scan_extreme_of.h"
#undef ELEMENT

#define ELEMENT      int32_t
#define NAME(prefix) prefix##_min_int32
#define BETTER       LESS
#define WORST        INT32_MAX
#define INCLUSIVE    filch_scan_min_int32
#define EXCLUSIVE    filch_exscan_min_int32
#include "scan_extreme_of.h"
#define NAME(prefix) prefix##_max_int32
#define BETTER       GREATER
#define WORST        INT32_MIN
#define INCLUSIVE    filch_scan_max_int32
#define EXCLUSIVE    filch_exscan_max_int32
#include "scan_extreme_of.h"
#undef ELEMENT

#define ELEMENT      int64_t
#define NAME(prefix) prefix##_min_int64
#define BETTER       LESS
#define WORST        INT64_MAX
#define INCLUSIVE    filch_scan_min_int64
#define EXCLUSIVE    filch_exscan_min_int64
#include "scan_extreme_of.h"
#define NAME(prefix) prefix##_max_int64
#define BETTER       GREATER
#define WORST        INT64_MIN
#define INCLUSIVE    filch_scan_max_int64
#define EXCLUSIVE    filch_exscan_max_int64
#include "scan_extreme_of.h"
#undef ELEMENT

#define ELEMENT      uint64_t
#define NAME(prefix) prefix##_min_uint64
#define BETTER       LESS
#define WORST        UINT64_MAX
#define INCLUSIVE    filch_scan_min_uint64
#define EXCLUSIVE    filch_exscan_min_uint64
#include "scan_extreme_of.h"
#define NAME(prefix) prefix##_max_uint64
#define BETTER       GREATER
#define WORST        UINT64_C(0)
#define INCLUSIVE    filch_scan_max_uint64
#define EXCLUSIVE    filch_exscan_max_uint64
#include "scan_extreme_of.h"
#undef ELEMENT
