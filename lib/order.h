/* order.h - merge sort of items in any order, by one worker or by all.
 *
 * Job: what sorting by a comparison (filch/sort_by.h) is made of, whatever the items are.
 * The functions of one kind of item (struct fl_order_kind) are made of a template,
 * order_of.h; order.c cuts the work into pieces, and knows items by these functions only.
 *
 * Items are moved between the array and as much room, back and forth, a merge at a time,
 * and each merge moves every item of its runs once, whatever a comparison says. So one
 * that contradicts itself leads to another order, and to nothing else.
 */
#ifndef FL_ORDER_H
#define FL_ORDER_H

#include <filch/sort_by.h>
#include "base.h"
#include "worker.h"

struct fl_order_kind;

/* Which items are sorted, and how. */
struct fl_order {
    const struct fl_order_kind *kind;
    size_t bytes; /* of an item that is moved */
    filch_compare *compare;
    void *ctx;
    /* The items are places in an array that starts here, of items of so many bytes; or
     * NULL. */
    const char *base;
    size_t base_bytes;
    const filch_cancel *cancel; /* once it is set, items are moved and not compared */
};

struct fl_order_kind {
    /* Does the item at x go before that at y? */
    bool (*is_less)(const struct fl_order *order, const char *x, const char *y);
    /* Sort n items, stably. room: for as many. The result is there, or in `at`. */
    void (*sort)(const struct fl_order *order, char *at, char *room, size_t n,
                 bool to_room);
    /* Merge two runs, of a and b bytes. */
    void (*merge)(const struct fl_order *order, const char *a, size_t a_bytes,
                  const char *b, size_t b_bytes, char *to);
};

/* Items of other sizes are moved by a loop. */
extern const struct fl_order_kind fl_order_any, fl_order_4, fl_order_8, fl_order_16,
    fl_order_24, fl_order_32;
extern const struct fl_order_kind fl_order_pointers; /* what they point to is compared */
extern const struct fl_order_kind fl_order_places;   /* size_t, places in order->base */
extern const struct fl_order_kind fl_order_words;    /* struct fl_word */

/* That of items of so many bytes, of which no more is known. */
const struct fl_order_kind *fl_order_kind_of(size_t bytes);

/* Some characters of a string, and where it begins. */
struct fl_word {
    uint64_t key;
    const char *string;
};

/* From more items on all workers take part. */
#define FL_ORDER_FEW ((size_t)2048)

/* Bytes of room, tables included, to sort up to n items together. SIZE_MAX: more than
 * there can be. */
size_t fl_order_room(size_t n, size_t bytes);

/* Sort the n items at `at` together. room: fl_order_room bytes. opts: for .cancel,
 * .progress and .max_workers; may be NULL. After a failure, which is that of a loop, `at`
 * holds what it held, in some order. */
int fl_order_together(struct fl_worker *worker, const struct fl_order *order, char *at,
                      char *room, size_t n, const filch_opts *opts);

#endif
