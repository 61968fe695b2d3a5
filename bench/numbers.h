/* numbers.h - what is sorted: random 32-bit numbers, the same for each sort. */
#ifndef BENCH_NUMBERS_H
#define BENCH_NUMBERS_H

#include "bench.h"

/* Parts of up to so many are sorted serially, by all: some 200 microseconds. */
#define NUMBERS_CUT 4096

/* Parts of up to so many are sorted by insertion. */
#define NUMBERS_SMALL 24

extern uint32_t *numbers;      /* unsorted before each run, sorted after it */
extern uint32_t *numbers_room; /* for as many */
extern size_t numbers_count;
extern bool numbers_are_sorted; /* set by each run */

/** numbers_prepare - see prepare of bench_work; without the title. */
int numbers_prepare(const struct bench_request *request, struct bench_input *input);
void numbers_release(void);

/** numbers_take_result - see take_result of bench_work; undoes the sort. */
double numbers_take_result(void);

/** numbers_sort_small - by insertion. */
void numbers_sort_small(uint32_t *at, size_t n);

#endif
