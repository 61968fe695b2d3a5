/* shim.h - Google Benchmark, from C.
 *
 * Benchmarks are C files; only shim.cc is C++. The flow: bench_register each benchmark,
 * then bench_run, which measures them all, hands each one's figures to a visitor, and
 * forgets the registrations.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_state;

/* A benchmark. It is called several times, with growing numbers of iterations. */
typedef void bench_fn(struct bench_state *state, void *arg);

/** bench_keep_running - the head of the timed loop: while (bench_keep_running(state))
 * ... */
bool bench_keep_running(struct bench_state *state);

/** bench_pause, bench_resume - leave what lies between out of the time. Inside the
 * loop. */
void bench_pause(struct bench_state *state);
void bench_resume(struct bench_state *state);

/** bench_iterations - how often the loop ran. After the loop. */
int64_t bench_iterations(const struct bench_state *state);

/** bench_set_items - how many items all iterations together processed. After the loop. */
void bench_set_items(struct bench_state *state, int64_t items);

/** bench_set_counter - a figure to report beside the times. After the loop. */
void bench_set_counter(struct bench_state *state, const char *name, double value);

/** bench_skip_with_error - the benchmark has failed. The loop, if it follows, ends at
 * once. */
void bench_skip_with_error(struct bench_state *state, const char *message);

/* How to measure; 0 means chosen. */
struct bench_plan {
    double min_seconds; /* iterations are added until one repetition takes that long */
    int64_t iterations; /* exactly so many, whatever min_seconds says */
    int repetitions;    /* chosen: 1 */
};

/** bench_register - add a benchmark to the next bench_run. The name is copied. */
void bench_register(const char *name, bench_fn *fn, void *arg,
                    const struct bench_plan *plan);

struct bench_counter {
    const char *name;
    double value;
};

/* The figures of one benchmark; the pointers are good until the visitor returns. Seconds
 * are wall-clock time of one iteration. */
struct bench_figures {
    const char *name;
    const char
        *error; /* NULL, or the message of bench_skip_with_error; then no figures */
    double median_seconds;
    double min_seconds;
    int64_t iterations; /* in one repetition */
    int repetitions;
    const struct bench_counter *counters; /* of the last repetition, sorted by name */
    size_t counter_count;
};

typedef void bench_visit(const struct bench_figures *figures, void *ctx);

/** bench_run - measure what is registered, visit the figures in order of registration,
 * forget the registrations. Returns how many benchmarks failed. */
size_t bench_run(bench_visit *visit, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
