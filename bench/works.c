/* works.c - the list of the works, and the checksum of those whose result is an array. */
#include "bench.h"

#include <string.h>

/* All works, in the order of the table: one work, or an array of them. */
#define FAMILIES(ONE, MANY)                      \
    ONE(bench_wordcount)                         \
    ONE(bench_histogram)                         \
    MANY(bench_bins, BENCH_BINS_WORKS)           \
    MANY(bench_few, BENCH_FEW_WORKS)             \
    ONE(bench_regression)                        \
    ONE(bench_kmeans)                            \
    ONE(bench_match)                             \
    ONE(bench_index)                             \
    ONE(bench_components)                        \
    MANY(bench_reduce, BENCH_REDUCE_WORKS)       \
    MANY(bench_scan, BENCH_SCAN_WORKS)           \
    MANY(bench_filter, BENCH_FILTER_WORKS)       \
    MANY(bench_search, BENCH_SEARCH_WORKS)       \
    ONE(bench_blur)                              \
    ONE(bench_mandelbrot)                        \
    MANY(bench_imbalance, BENCH_IMBALANCE_WORKS) \
    MANY(bench_saxpy, BENCH_SAXPY_WORKS)         \
    MANY(bench_short, BENCH_SHORT_WORKS)         \
    ONE(bench_heat)                              \
    ONE(bench_hydro)                             \
    ONE(bench_integer_sort)                      \
    ONE(bench_options)                           \
    ONE(bench_spmv)                              \
    ONE(bench_nbody)                             \
    ONE(bench_transformer)                       \
    ONE(bench_single)                            \
    MANY(bench_crowd, BENCH_CROWD_WORKS)         \
    MANY(bench_start, BENCH_START_WORKS)         \
    MANY(bench_tasks, BENCH_TASKS_WORKS)         \
    MANY(bench_deque, BENCH_DEQUE_WORKS)         \
    ONE(bench_fib)                               \
    ONE(bench_fib_join)                          \
    ONE(bench_cutoff)                            \
    ONE(bench_nqueens)                           \
    ONE(bench_uts)                               \
    ONE(bench_quicksort)                         \
    ONE(bench_mergesort)                         \
    MANY(bench_sort, BENCH_SORT_WORKS)           \
    MANY(bench_sort_by, BENCH_SORT_BY_WORKS)     \
    ONE(bench_fft)                               \
    ONE(bench_strassen)                          \
    ONE(bench_sparselu)                          \
    ONE(bench_alignment)                         \
    ONE(bench_knapsack)

#define ONE_FAMILY(work)          {&(work), 1},
#define MANY_FAMILY(works, count) {works, count},
#define ONE_BYTES(work)           char work##_bytes[1];
#define MANY_BYTES(works, count)  char works##_bytes[count];

static const struct family {
    const struct bench_work *works;
    size_t count;
} families[] = {FAMILIES(ONE_FAMILY, MANY_FAMILY)};

/* A byte for each work: its size is their number. */
struct bytes {
    FAMILIES(ONE_BYTES, MANY_BYTES)
};

#define WORKS sizeof(struct bytes)

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
