/* passes.h - what one writes by hand where the place of an item depends on all before it:
 * each thread measures its share of an array, the measures are added up, and each goes over
 * its share again.
 */
#ifndef BENCH_PASSES_H
#define BENCH_PASSES_H

#include "bench.h"

#include <stdint.h>

struct passes {
    size_t count;
    /* What items [begin, end) add to the place of those behind them. */
    uint64_t (*measure)(size_t begin, size_t end);
    /* before, and behind: what all items before begin, and before end, add up to. */
    void (*place)(size_t begin, size_t end, uint64_t before, uint64_t behind);
};

/** passes_channel, passes_openmp - both passes; *total is what all items add up to.
 *
 * Returns  0, or -ENOMEM
 */
int passes_channel(const struct bench_team *team, const struct passes *passes,
                   uint64_t *total);
int passes_openmp(const struct bench_team *team, const struct passes *passes,
                  uint64_t *total);

#endif
