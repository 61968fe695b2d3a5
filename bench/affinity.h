/* affinity.h - does a loop that is run again find its data where it left them? */
#ifndef BENCH_AFFINITY_H
#define BENCH_AFFINITY_H

#include <stdbool.h>

#include "bench.h"

/**
 * affinity_print - run a balanced loop twice in a row, many times, and print how many
 * indices ran on another thread the second time; a line of JSON for each candidate.
 *
 * candidates  which of them, serial left out: it has one thread
 *
 * Returns the exit status: 0 or 1.
 */
int affinity_print(const bool candidates[BENCH_CANDIDATES], unsigned workers);

#endif
