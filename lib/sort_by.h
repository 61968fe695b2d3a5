/* sort_by.h - what the calls of filch/sort_by.h have in common. */
#ifndef FL_SORT_BY_H
#define FL_SORT_BY_H

#include <string.h>
#include "order.h"

/* Say in *order how such items are sorted. 0 or -EINVAL: are these what filch/sort_by.h
 * asks for? */
int fl_sort_by_check(struct fl_order *order, const void *base, size_t n, size_t bytes,
                     filch_compare *compare, const filch_opts *opts);

/* Once there is memory for them, so there are as many as the user says: sort them as
 * pointers, if they look like some. */
void fl_sort_by_look(struct fl_order *order, const void *base, size_t n);

#endif
