/* short_bench.c - do loops pay that are over in some ten microseconds?
 *
 * Heat in a rod that conducts the worse the warmer it is: every time step is a loop over
 * the places, and needs the one before. The ends keep their temperature. The names tell about how many microseconds a step takes
 * one thread; the work itself is a fixed number of places.
 *
 *   short-16, -33, -65  thousands of steps in a row
 *   paused              a step of about 100 us, after 1 ms in which the threads of all
 *                       candidates may fall asleep; the step alone is timed
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

/* Places for each microsecond of a step: gcc's code does a place in half a nanosecond. */
#define PLACES_PER_US ((size_t)2000)

static const struct length {
    size_t us;
    size_t steps[3]; /* by scale */
} lengths[BENCH_SHORT_WORKS] = {
    {16, {5, 500, 2000}},
    {33, {5, 250, 1000}},
    {65, {5, 125, 1000}},
    {100, {1, 1, 1}},
};
#define PAUSED 3

struct rod {
    const double *now;
    double *next;
};

static double *first;
static double *second;
static size_t places; /* without the two ends */
static size_t steps;
static const double *last; /* where the result is; NULL: there is none */

static inline double conducted(const double *now, size_t i)
{
    return now[i] + (now[i - 1] - 2 * now[i] + now[i + 1]) / (4 + 0.01 * now[i]);
}

static __attribute__((noinline)) int heat_body(filch_worker *w, size_t begin, size_t end,
                                               void *ctx)
{
    const struct rod *rod = ctx;
    const double *restrict now = rod->now;
    double *restrict next = rod->next;

    (void)w;
    for (size_t i = begin + 1; i < end + 1; i++)
        next[i] = conducted(now, i);
    return 0;
}

/* Between 0 and 99 degrees, and so it stays: nothing overflows or gets denormal. */
static void start_anew(void)
{
    for (size_t i = 0; i < places + 2; i++)
        first[i] = second[i] = (double)(i * 37 % 100);
}

static void release(void)
{
    free(first);
    free(second);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct length *length = &lengths[request->work->variant];

    steps = length->steps[request->scale];
    places = length->us * (request->scale == BENCH_TINY ? 100 : PLACES_PER_US);
    first = malloc((places + 2) * sizeof *first);
    second = malloc((places + 2) * sizeof *second);
    if (!first || !second) {
        release();
        return -ENOMEM;
    }
    start_anew();
    if (request->work->variant == PAUSED)
        snprintf(input->title, sizeof input->title, "heat, a step after a pause");
    else
        snprintf(input->title, sizeof input->title, "heat, steps of about %zu µs",
                 length->us);
    snprintf(input->size, sizeof input->size, "%zu places", places);
    input->item = "step";
    input->items = (double)steps;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!last)
        return NAN;
    sum = bench_checksum(last, (places + 2) * sizeof *last);
    last = NULL;
    start_anew();
    return sum;
}

static struct rod rod_of(size_t step)
{
    return step % 2 ? (struct rod){second, first} : (struct rod){first, second};
}

static int run(const struct bench_team *team)
{
    int err = 0;

    for (size_t step = 0; step < steps && !err; step++) {
        struct rod rod = rod_of(step);

        err = team_loop(team, places, heat_body, &rod);
    }
    last = rod_of(steps).now;
    return err;
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
    for (size_t step = 0; step < steps; step++) {
        struct rod rod = rod_of(step);
        const double *restrict now = rod.now;
        double *restrict next = rod.next;

#pragma omp for schedule(static)
        for (size_t i = 1; i < places + 1; i++)
            next[i] = conducted(now, i);
    }
    last = rod_of(steps).now;
    return 0;
}

static int run_inside(const struct bench_team *team)
{
    return team_enter(team, run);
}

#define HEAT .prepare = prepare, .release = release, .take_result = take_result

const struct bench_work bench_short[BENCH_SHORT_WORKS] = {
    {.name = "short-16",
     .variant = 0,
     .is_extra = true,
     .run = BENCH_CHAIN(run, run_openmp, run_inside),
     HEAT},
    {.name = "short-33",
     .variant = 1,
     .run = BENCH_CHAIN(run, run_openmp, run_inside),
     HEAT},
    {.name = "short-65",
     .variant = 2,
     .is_extra = true,
     .run = BENCH_CHAIN(run, run_openmp, run_inside),
     HEAT},
    {.name = "paused",
     .variant = PAUSED,
     .is_extra = true,
     .rest_us = 1000,
     .run = BENCH_CHAIN(run, run_openmp, run_inside),
     HEAT},
};
