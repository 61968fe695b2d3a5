/* works.c - the list of the works, and the checksum of those whose result is an array. */
#include "bench.h"

#include <string.h>

static const struct family {
    const struct bench_work *works;
    size_t count;
} families[] = {
    {&bench_wordcount, 1},
    {bench_reduce, BENCH_REDUCE_WORKS},
    {&bench_mandelbrot, 1},
    {bench_imbalance, BENCH_IMBALANCE_WORKS},
    {bench_saxpy, BENCH_SAXPY_WORKS},
    {bench_short, BENCH_SHORT_WORKS},
    {&bench_single, 1},
    {bench_crowd, BENCH_CROWD_WORKS},
    {&bench_fib, 1},
    {&bench_fib_join, 1},
    {&bench_cutoff, 1},
    {&bench_nqueens, 1},
};

#define SINGLE_WORKS 7
#define WORKS                                                                       \
    (SINGLE_WORKS + BENCH_IMBALANCE_WORKS + BENCH_SAXPY_WORKS + BENCH_SHORT_WORKS + \
     BENCH_CROWD_WORKS + BENCH_REDUCE_WORKS)

const struct bench_work *const *bench_works(size_t *count)
{
    static const struct bench_work *all[WORKS];

    *count = 0;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (size_t j = 0; j < families[i].count; j++)
            all[(*count)++] = &families[i].works[j];
    }
    return all;
}

/* A sum, so that no word waits for the one before; the factors differ, so that words which
 * change places show. */
double bench_checksum(const void *array, size_t bytes)
{
    const char *at = array;
    uint64_t sum = 0;

    for (size_t i = 0; i < bytes / 4; i++) {
        uint32_t word;

        memcpy(&word, at + 4 * i, sizeof word);
        sum += (word + UINT64_C(1)) * (i * UINT64_C(0x9e3779b97f4a7c15) | 1);
    }
    return (double)(sum >> 12);
}
