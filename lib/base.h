/* base.h - assertions, and small helpers without a better home.
 *
 * FL_ASSERT is for filch's own bugs, and on where the build asks for it (FL_ASSERTIONS, by
 * the option FILCH_ASSERTIONS): what a caller may get wrong returns an error instead.
 */
#ifndef FL_BASE_H
#define FL_BASE_H

#ifdef FL_ASSERTIONS
#undef NDEBUG /* asked for, in whatever build */
#endif
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef FL_ASSERTIONS
#define FL_ASSERT(condition) assert(condition)
#else
#define FL_ASSERT(condition) ((void)0)
#endif

#define FL_CONTAINER_OF(pointer, type, member) \
    ((type *)((char *)(pointer)-offsetof(type, member)))

#define FL_MIN(a, b) ((a) < (b) ? (a) : (b))
#define FL_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
