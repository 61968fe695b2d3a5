/* latency.c - see latency.h.
 *
 * The threads are those of the candidate as it comes: a runtime that keeps them spinning
 * for longer than the rest has a short latency, and shows in the CPU time.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep, clock_gettime */
#include "latency.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "meeting.h"
#include "team.h"

#define REST_NS      5000000
#define MOST_SAMPLES 2001

static const struct extent {
    size_t samples;
    int64_t idle_ns;
} extents[] = {
    [BENCH_TINY] = {11, 20000000},
    [BENCH_QUICK] = {401, 999999999},
    [BENCH_FULL] = {MOST_SAMPLES, 999999999},
};

static void rest(int64_t ns)
{
    struct timespec time = {.tv_nsec = (long)ns};

    nanosleep(&time, NULL);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* Sorted. */
static int measure_latency(const struct bench_team *team, int64_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t called;
        int64_t both;
        int err;

        rest(REST_NS);
        called = meeting_clock_ns();
        err = meeting_hold(team, &both);
        if (err)
            return err;
        samples[i] = both - called;
    }
    qsort(samples, count, sizeof samples[0], compare);
    return 0;
}

static double cpu_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* From the end of a loop on, so that what a runtime spins before it sleeps counts. */
static double measure_idle(int64_t idle_ns)
{
    int64_t start = meeting_clock_ns();
    double used = cpu_seconds();

    rest(idle_ns);
    return (cpu_seconds() - used) / ((double)(meeting_clock_ns() - start) / 1e9);
}

static void print_percentiles(const int64_t *samples, size_t count)
{
    static const int percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99, 100};

    printf("\"percentiles_us\": {");
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        size_t place = (count - 1) * (size_t)percents[i] / 100;

        printf("%s\"%d\": %.4g", i ? ", " : "", percents[i],
               (double)samples[place] / 1e3);
    }
    printf("}");
}

static int print_one(enum bench_candidate candidate, unsigned workers,
                     const struct extent *extent)
{
    static int64_t samples[MOST_SAMPLES];
    size_t count = extent->samples;
    struct bench_team team;
    double idle;
    int err = team_create(&team, candidate, workers, 0);

    if (!err)
        err = meeting_hold(&team, NULL); /* where OpenMP makes its threads */
    if (!err)
        err = measure_latency(&team, samples, count);
    idle = measure_idle(extent->idle_ns);
    team_destroy(&team);
    if (err)
        return err;
    printf("{\"work\": \"latency\", \"candidate\": \"%s\", \"workers\": %u, "
           "\"samples\": %zu, \"idle_cpu\": %.4g, ",
           team_candidate_names[candidate], workers, count, idle);
    print_percentiles(samples, count);
    printf("}\n");
    fflush(stdout);
    return 0;
}

int latency_print(const bool candidates[BENCH_CANDIDATES], unsigned workers,
                  enum bench_scale scale)
{
    if (workers < 2) {
        fputs("--latency: with one worker there is nobody to wake\n", stderr);
        return 2;
    }
    for (int i = BENCH_SERIAL + 1; i < BENCH_CANDIDATES; i++) {
        int err = candidates[i]
                      ? print_one((enum bench_candidate)i, workers, &extents[scale])
                      : 0;

        if (err) {
            fprintf(stderr, "latency, %s: %s\n", team_candidate_names[i], strerror(-err));
            return 1;
        }
    }
    return 0;
}
