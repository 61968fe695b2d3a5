/* order_kinds.c - sorting and merging items of every kind; see order.h and order_of.h. */
#include "order.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* yes where mask is all ones, no where it is 0. */
ALWAYS_INLINE const char *pick(size_t mask, const char *yes, const char *no)
{
    return (const char *)((uintptr_t)no + (((uintptr_t)yes - (uintptr_t)no) & mask));
}

/* For sizes that are not known a call of memcpy takes longer than moving some words. */
ALWAYS_INLINE void move_any(char *to, const char *from, size_t bytes)
{
    size_t i;

    if (bytes > 128) {
        memcpy(to, from, bytes);
    } else if (bytes >= 8) {
        for (i = 0; i < bytes - 8; i += 8)
            memcpy(to + i, from + i, 8);
        memcpy(to + bytes - 8, from + bytes - 8, 8); /* once more, some of them */
    } else {
        for (i = 0; i < bytes; i++)
            to[i] = from[i];
    }
}

/* Items whose neighbourhood is fetched before they are compared: what comes from memory
 * takes as long as some ten comparisons. */
#define FL_ORDER_AHEAD ((size_t)16)

#define KIND(name)                                                             \
    const struct fl_order_kind fl_order_##name = {is_less_##name, sort_##name, \
                                                  merge_##name};

#define BY_COMPARE(order, x, y) ((order)->compare(x, y, (order)->ctx) < 0)

#define NAME(f)              f##_any
#define SIZE                 (order->bytes)
#define MOVE(to, from)       move_any(to, from, order->bytes)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

#define NAME(f)              f##_4
#define SIZE                 ((size_t)4)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

#define NAME(f)              f##_8
#define SIZE                 ((size_t)8)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

#define NAME(f)              f##_16
#define SIZE                 ((size_t)16)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

#define NAME(f)              f##_24
#define SIZE                 ((size_t)24)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

#define NAME(f)              f##_32
#define SIZE                 ((size_t)32)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#include "order_of.h"

/* Wherever it points to, or whatever it is: a wrong address does no harm. */
ALWAYS_INLINE void fetch_pointer(const char *at)
{
    uintptr_t pointer;

    memcpy(&pointer, at, sizeof pointer);
    __builtin_prefetch((const void *)pointer);
}

#define NAME(f)              f##_pointers
#define SIZE                 sizeof(uintptr_t)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) BY_COMPARE(order, x, y)
#define FETCH(order, x)      ((void)(order), fetch_pointer(x))
#include "order_of.h"

/* The item at the place that is noted here. */
ALWAYS_INLINE const char *item_at(const struct fl_order *order, const char *place)
{
    size_t index;

    memcpy(&index, place, sizeof index);
    return order->base + index * order->base_bytes;
}

#define NAME(f)         f##_places
#define SIZE            sizeof(size_t)
#define MOVE(to, from)  memcpy(to, from, SIZE)
#define FETCH(order, x) __builtin_prefetch(item_at(order, x))
#define IS_LESS(order, x, y) \
    ((order)->compare(item_at(order, x), item_at(order, y), (order)->ctx) < 0)
#include "order_of.h"

ALWAYS_INLINE uint64_t key_at(const char *word)
{
    uint64_t key;

    memcpy(&key, word + offsetof(struct fl_word, key), sizeof key);
    return key;
}

#define NAME(f)              f##_words
#define SIZE                 sizeof(struct fl_word)
#define MOVE(to, from)       memcpy(to, from, SIZE)
#define IS_LESS(order, x, y) ((void)(order), key_at(x) < key_at(y))
#include "order_of.h"

KIND(any)
KIND(4)
KIND(8)
KIND(16)
KIND(24)
KIND(32)
KIND(pointers)
KIND(places)
KIND(words)

const struct fl_order_kind *fl_order_kind_of(size_t bytes)
{
    switch (bytes) {
    case 4:
        return &fl_order_4;
    case 8:
        return &fl_order_8;
    case 16:
        return &fl_order_16;
    case 24:
        return &fl_order_24;
    case 32:
        return &fl_order_32;
    default:
        return &fl_order_any;
    }
}
