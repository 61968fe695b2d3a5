/* bench.h - what a benchmark file offers to main.c, and what it gets from it.
 *
 * A work is one computation with several candidates over the same kernels: serial, channel
 * pool (channel.h), OpenMP, filch, and other libraries (peers/peers.h). main.c
 * makes the team that the candidate needs (team.h), runs the serial candidate for the
 * expected result, and compares after every iteration.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <filch/filch.h>

#include "channel.h"
#include "peers/peers.h"

enum bench_candidate {
    BENCH_SERIAL,
    BENCH_CHANNEL,
    BENCH_OPENMP,
    BENCH_FILCH,
    BENCH_TBB,
    BENCH_RAYON,
    BENCH_CANDIDATES
};

/* How large the input is: for a test of the results, a first look, a measurement. */
enum bench_scale { BENCH_TINY, BENCH_QUICK, BENCH_FULL };

/* What the user asked for. */
struct bench_request {
    const struct bench_work *work;
    enum bench_scale scale;
    size_t factor; /* how many times as much work; 1 unless the work has_factor */
    enum bench_candidate candidate;
    const char *const *texts; /* files, for works that read text */
    size_t text_count;
    const char *image;     /* a file, for works on a picture; NULL: one is made */
    const char *image_out; /* where it goes to; or NULL */
};

/* What was made of it; printed with the result. */
struct bench_input {
    char title[48];   /* the row: "dot product" */
    char size[32];    /* "1e7 doubles" */
    const char *item; /* what times are divided by: "call"; NULL: nothing, a whole run */
    double items;     /* in a run */
    const char
        *note; /* where this candidate does something else than the others; or NULL */
};

/* Who works. */
struct bench_team {
    enum bench_candidate candidate;
    unsigned workers;             /* for OpenMP: num_threads */
    struct channel_pool *channel; /* of that many workers; NULL for other candidates */
    filch_pool *filch;            /* the same */
    filch_worker *worker;         /* of it, who calls; NULL: none */
    const struct bench_peer *peer;
    void *peer_team; /* the peer's threads; NULL for other candidates */
};

struct bench_work {
    const char *name; /* for the command line */
    size_t variant;   /* which of its file's works, for those files that have many */

    /* Not measured unless asked for by name: one of many sizes, or slow. */
    bool is_extra;
    bool reads_text;  /* --text */
    bool has_factor;  /* --factor: its size can grow, and its work in proportion */
    bool is_together; /* with one worker it would say nothing: only measured with all */

    /* Make the input; it stays until release (NULL: there is nothing to release).
     * Candidates get the same one, unless a work says why not. Returns 0 or a negative
     * errno, and then needs no release. */
    int (*prepare)(const struct bench_request *request, struct bench_input *input);
    void (*release)(void);

    /* How long everybody is left without work before each run, untimed. */
    unsigned rest_us;
    unsigned threads_per_worker; /* 0: one, as asked for */
    int32_t spin_us;             /* of filch's pool, see filch_pool_options */

    /* Compute; what is timed. A result that is a number goes into bench_result. Returns 0
     * or a negative errno. NULL: the work has no such candidate. */
    int (*run[BENCH_CANDIDATES])(const struct bench_team *team);

    /* NULL, or for results that are no number: a checksum of the last run's, which it
     * forgets: called again without a run it returns something that equals no result. */
    double (*take_result)(void);
    double tolerance; /* relative, for sums whose bracket differs; 0: exact */
};

extern double bench_result;

/* The unit of cost where a kernel is to cost something: a step of a random generator, and
 * a shift, without which a compiler makes one step of many. */
static inline uint32_t bench_step(uint32_t value)
{
    value = value * 1664525 + 1013904223;
    return value ^ value >> 13;
}

/* A number in [0, 1), and a next seed: the same on every machine. */
static inline double bench_random(uint32_t *seed)
{
    *seed = bench_step(*seed);
    return (double)(*seed >> 8) / (1 << 24);
}

/* For works whose one function serves every candidate: it gives all but OpenMP to
 * team_loop. */
#define BENCH_EVERYBODY(run)         \
    {                                \
        run, run, run, run, run, run \
    }

/* The same for chains of loops, but for OpenMP, whose threads stay together for all of
 * it, and for filch and the peers, whose caller enters their threads once (team_enter). */
#define BENCH_CHAIN(run, run_openmp, run_inside)                 \
    {                                                            \
        run, run, run_openmp, run_inside, run_inside, run_inside \
    }

/** bench_checksum - a hash of an array of bytes (a multiple of 4), cut to what a double
 * holds exactly; for take_result. */
double bench_checksum(const void *array, size_t bytes);

/** bench_works - all works, in the order of the table. */
const struct bench_work *const *bench_works(size_t *count);

#define BENCH_SAXPY_WORKS     23
#define BENCH_REDUCE_WORKS    4
#define BENCH_SCAN_WORKS      5
#define BENCH_FILTER_WORKS    5
#define BENCH_SEARCH_WORKS    5
#define BENCH_IMBALANCE_WORKS 4
#define BENCH_SHORT_WORKS     4
#define BENCH_CROWD_WORKS     2
#define BENCH_DEQUE_WORKS     2
#define BENCH_TASKS_WORKS     2
#define BENCH_START_WORKS     3
#define BENCH_SORT_WORKS      5
#define BENCH_SORT_BY_WORKS   10
#define BENCH_BINS_WORKS      5
#define BENCH_FEW_WORKS       6

extern const struct bench_work bench_wordcount;
extern const struct bench_work bench_histogram;
extern const struct bench_work bench_bins[BENCH_BINS_WORKS];
extern const struct bench_work bench_few[BENCH_FEW_WORKS];
extern const struct bench_work bench_regression;
extern const struct bench_work bench_kmeans;
extern const struct bench_work bench_match;
extern const struct bench_work bench_index;
extern const struct bench_work bench_components;
extern const struct bench_work bench_reduce[BENCH_REDUCE_WORKS];
extern const struct bench_work bench_scan[BENCH_SCAN_WORKS];
extern const struct bench_work bench_filter[BENCH_FILTER_WORKS];
extern const struct bench_work bench_search[BENCH_SEARCH_WORKS];
extern const struct bench_work bench_mandelbrot;
extern const struct bench_work bench_fib;
extern const struct bench_work bench_fib_join;
extern const struct bench_work bench_cutoff;
extern const struct bench_work bench_nqueens;
extern const struct bench_work bench_uts;
extern const struct bench_work bench_quicksort;
extern const struct bench_work bench_mergesort;
extern const struct bench_work bench_sort[BENCH_SORT_WORKS];
extern const struct bench_work bench_sort_by[BENCH_SORT_BY_WORKS];
extern const struct bench_work bench_fft;
extern const struct bench_work bench_strassen;
extern const struct bench_work bench_sparselu;
extern const struct bench_work bench_alignment;
extern const struct bench_work bench_knapsack;
extern const struct bench_work bench_saxpy[BENCH_SAXPY_WORKS];
extern const struct bench_work bench_imbalance[BENCH_IMBALANCE_WORKS];
extern const struct bench_work bench_single;
extern const struct bench_work bench_short[BENCH_SHORT_WORKS];
extern const struct bench_work bench_crowd[BENCH_CROWD_WORKS];
extern const struct bench_work bench_deque[BENCH_DEQUE_WORKS];
extern const struct bench_work bench_tasks[BENCH_TASKS_WORKS];
extern const struct bench_work bench_start[BENCH_START_WORKS];
extern const struct bench_work bench_blur;
extern const struct bench_work bench_options;
extern const struct bench_work bench_spmv;
extern const struct bench_work bench_heat;
extern const struct bench_work bench_hydro;
extern const struct bench_work bench_integer_sort;
extern const struct bench_work bench_nbody;
extern const struct bench_work bench_transformer;

#endif
