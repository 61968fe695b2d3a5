/* saxpy_bench.c - what does it cost to start a loop, and from which length on does it pay?
 *
 * y = a * x + y over n floats, the same loop many times over; the answer is the time of
 * one loop, and for short ones filch's time less serial's is what a loop costs. Four
 * states that the cost depends on:
 *
 *   saxpy-n         called from outside the pool
 *   saxpy-in-n      called inside it, with the worker at hand; the peers likewise
 *   saxpy-asleep-n  from outside, and the other threads sleep as soon as they may
 *   saxpy-spin-n    from outside, and the other threads never sleep
 *
 * All numbers are small integers, so that results are exact; and y starts anew after every
 * run, so that they stay so.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

enum state { OUTSIDE, INSIDE, ASLEEP, SPINNING };

#define SIZES 8

static const struct size {
    const char *text;
    size_t items;
    size_t loops; /* in a run: the clock is read twice a run */
} sizes[SIZES] = {
    {"1", 1, 10000},      {"10", 10, 10000},    {"100", 100, 10000},
    {"1e3", 1000, 5000},  {"1e4", 10000, 1000}, {"1e5", 100000, 100},
    {"1e6", 1000000, 10}, {"1e7", 10000000, 2},
};

/* The candidates that take microseconds for the shortest loop have fewer in a run. */
#define HEAVY_LOOPS ((size_t)1000)

static float *xs;
static float *ys;
static size_t count;
static size_t loops;
static bool has_result;

struct saxpy {
    const float *x;
    float *y;
    float a;
};

/* Serial calls it as the others do, from outside: what is measured is who calls it. */
static __attribute__((noinline)) int saxpy_body(filch_worker *w, size_t begin, size_t end,
                                                void *ctx)
{
    const struct saxpy *saxpy = ctx;
    const float *restrict x = saxpy->x;
    float *restrict y = saxpy->y;
    float a = saxpy->a;

    (void)w;
    for (size_t i = begin; i < end; i++)
        y[i] += a * x[i];
    return 0;
}

static void start_anew(void)
{
    for (size_t i = 0; i < count; i++)
        ys[i] = (float)(i % 5);
}

static void release(void)
{
    free(xs);
    free(ys);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const char *const states[] = {[OUTSIDE] = "",
                                         [INSIDE] = " inside",
                                         [ASLEEP] = " asleep",
                                         [SPINNING] = " spinning"};
    const struct size *size = &sizes[request->work->variant % SIZES];
    enum state state = (enum state)(request->work->variant / SIZES);
    bool is_light =
        request->candidate == BENCH_SERIAL || request->candidate == BENCH_FILCH;

    count = size->items;
    loops = size->loops;
    if (!is_light && loops > HEAVY_LOOPS)
        loops = HEAVY_LOOPS;
    if (request->scale == BENCH_TINY) {
        loops = 3;
        if (count > 10007)
            count = 10007;
    }
    xs = malloc(count * sizeof *xs);
    ys = malloc(count * sizeof *ys);
    if (!xs || !ys) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        xs[i] = (float)(i % 7 + 1);
    start_anew();
    snprintf(input->title, sizeof input->title, "saxpy%s, %s floats", states[state],
             size->text);
    snprintf(input->size, sizeof input->size, "%zu floats", count);
    input->item = "loop";
    input->items = (double)loops;
    return 0;
}

/* Counts that are not the same for all candidates do no harm: every process compares with
 * its own serial run. */
static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(ys, count * sizeof *ys);
    start_anew();
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    struct saxpy saxpy = {xs, ys, 1};

    (void)team;
    for (size_t i = 0; i < loops; i++)
        saxpy_body(NULL, 0, count, &saxpy);
    has_result = true;
    return 0;
}

/* The channel pool and the peers. */
static int run_others(const struct bench_team *team)
{
    struct saxpy saxpy = {xs, ys, 1};
    int err = 0;

    for (size_t i = 0; i < loops && !err; i++)
        err = team_loop(team, count, saxpy_body, &saxpy);
    has_result = true;
    return err;
}

static int run_openmp(const struct bench_team *team)
{
    const float *restrict x = xs;
    float *restrict y = ys;
    float a = 1;

    for (size_t loop = 0; loop < loops; loop++) {
#pragma omp parallel for num_threads(team->workers) schedule(static)
        for (size_t i = 0; i < count; i++)
            y[i] += a * x[i];
    }
    has_result = true;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    struct saxpy saxpy = {xs, ys, 1};
    int err = 0;

    for (size_t i = 0; i < loops && !err; i++)
        err = filch_for(0, count, saxpy_body, &saxpy, .pool = team->filch);
    has_result = true;
    return err;
}

/* ---- inside ---------------------------------------------------------------------- */

static int inside_filch(filch_worker *w, void *ctx)
{
    int err = 0;

    for (size_t i = 0; i < loops && !err; i++)
        err = filch_for(0, count, saxpy_body, ctx, .worker = w);
    return err;
}

static int run_in_filch(const struct bench_team *team)
{
    struct saxpy saxpy = {xs, ys, 1};

    has_result = true;
    return filch_run(inside_filch, &saxpy, .pool = team->filch);
}

static int run_in_peer(const struct bench_team *team)
{
    return team_enter(team, run_others);
}

/* ---- works ----------------------------------------------------------------------- */

#define SAXPY(work_name, state, size, ...)                                        \
    {                                                                             \
        .name = work_name, .variant = (state)*SIZES + (size), .prepare = prepare, \
        .release = release, .take_result = take_result, __VA_ARGS__               \
    }
#define OUTSIDE_RUNS \
    .run = {run_serial, run_others, run_openmp, run_filch, run_others, run_others}
#define INSIDE_RUNS                                         \
    .is_extra = true, .run = {[BENCH_SERIAL] = run_serial,  \
                              [BENCH_FILCH] = run_in_filch, \
                              [BENCH_TBB] = run_in_peer,    \
                              [BENCH_RAYON] = run_in_peer}
#define STATE_RUNS(us)                 \
    .is_extra = true, .spin_us = (us), \
    .run = {[BENCH_SERIAL] = run_serial, [BENCH_FILCH] = run_filch}

/* Long enough for any run. */
#define ALWAYS_US 10000000

const struct bench_work bench_saxpy[BENCH_SAXPY_WORKS] = {
    SAXPY("saxpy-1", OUTSIDE, 0, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-10", OUTSIDE, 1, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-100", OUTSIDE, 2, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-1e3", OUTSIDE, 3, OUTSIDE_RUNS),
    SAXPY("saxpy-1e4", OUTSIDE, 4, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-1e5", OUTSIDE, 5, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-1e6", OUTSIDE, 6, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-1e7", OUTSIDE, 7, OUTSIDE_RUNS, .is_extra = true),
    SAXPY("saxpy-in-1", INSIDE, 0, INSIDE_RUNS),
    SAXPY("saxpy-in-10", INSIDE, 1, INSIDE_RUNS),
    SAXPY("saxpy-in-100", INSIDE, 2, INSIDE_RUNS),
    SAXPY("saxpy-in-1e3", INSIDE, 3, INSIDE_RUNS),
    SAXPY("saxpy-in-1e4", INSIDE, 4, INSIDE_RUNS),
    SAXPY("saxpy-asleep-1", ASLEEP, 0, STATE_RUNS(-1)),
    SAXPY("saxpy-asleep-10", ASLEEP, 1, STATE_RUNS(-1)),
    SAXPY("saxpy-asleep-100", ASLEEP, 2, STATE_RUNS(-1)),
    SAXPY("saxpy-asleep-1e3", ASLEEP, 3, STATE_RUNS(-1)),
    SAXPY("saxpy-asleep-1e4", ASLEEP, 4, STATE_RUNS(-1)),
    SAXPY("saxpy-spin-1", SPINNING, 0, STATE_RUNS(ALWAYS_US)),
    SAXPY("saxpy-spin-10", SPINNING, 1, STATE_RUNS(ALWAYS_US)),
    SAXPY("saxpy-spin-100", SPINNING, 2, STATE_RUNS(ALWAYS_US)),
    SAXPY("saxpy-spin-1e3", SPINNING, 3, STATE_RUNS(ALWAYS_US)),
    SAXPY("saxpy-spin-1e4", SPINNING, 4, STATE_RUNS(ALWAYS_US)),
};
