/* bench.h - what a benchmark file offers to main.c, and what it gets from it.
 *
 * A work is one computation with four candidates over the same kernels: serial, channel
 * pool (channel.h), OpenMP, filch. main.c makes the team that the candidate needs, runs
 * the serial candidate for the expected result, and compares after every iteration.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>

#include <filch/filch.h>

#include "channel.h"

enum bench_candidate {
    BENCH_SERIAL,
    BENCH_CHANNEL,
    BENCH_OPENMP,
    BENCH_FILCH,
    BENCH_CANDIDATES
};

/* How large the input is: for a test of the results, a first look, a measurement. */
enum bench_scale { BENCH_TINY, BENCH_QUICK, BENCH_FULL };

/* What the user asked for. */
struct bench_request {
    enum bench_scale scale;
    enum bench_candidate candidate;
    const char *const *texts; /* files, for the word count */
    size_t text_count;
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
    unsigned workers;             /* for OpenMP: num_threads */
    struct channel_pool *channel; /* of that many workers; NULL for other candidates */
    filch_pool *filch;            /* the same */
};

struct bench_work {
    const char *name; /* for the command line */

    /* Make the input; it stays until release (NULL: there is nothing to release).
     * Candidates get the same one, unless a work says why not. Returns 0 or a negative
     * errno, and then needs no release. */
    int (*prepare)(const struct bench_request *request, struct bench_input *input);
    void (*release)(void);

    /* Compute; what is timed. A result that is a number goes into bench_result. Returns 0
     * or a negative errno. */
    int (*run[BENCH_CANDIDATES])(const struct bench_team *team);

    /* NULL, or for results that are no number: a checksum of the last run's, which it
     * forgets: called again without a run it returns something that equals no result. */
    double (*take_result)(void);
    double tolerance; /* relative, for sums whose bracket differs; 0: exact */
};

extern double bench_result;

extern const struct bench_work bench_wordcount;
extern const struct bench_work bench_sum;
extern const struct bench_work bench_dot;
extern const struct bench_work bench_mandelbrot;
extern const struct bench_work bench_fib;
extern const struct bench_work bench_fib_join;
extern const struct bench_work bench_cutoff;
extern const struct bench_work bench_nqueens;

#endif
