/* heat_bench.c - do thousands of loops in a row pay, each over a grid that fits a cache?
 *
 * Heat in a square plate: each time step makes every inner point the mean of itself (half)
 * and its four neighbours (an eighth each), and needs the step before. The edge keeps its
 * temperature. A step takes one thread about ten microseconds; its items are the rows.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

#define SIDE  ((size_t)130) /* of the grid, with the edge */
#define INNER (SIDE - 2)

struct step {
    const double *now;
    double *next;
};

static double *grids[2];
static size_t steps;
static const double *last; /* where the result is; NULL: there is none */

static void step_row(const struct step *step, size_t row)
{
    const double *restrict now = step->now + row * SIDE;
    double *restrict next = step->next + row * SIDE;

    for (size_t i = SIDE + 1; i < 2 * SIDE - 1; i++)
        next[i] = 0.5 * now[i] +
                  0.125 * (now[i - 1] + now[i + 1] + now[i - SIDE] + now[i + SIDE]);
}

static int rows_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (size_t row = begin; row < end; row++)
        step_row(ctx, row);
    return 0;
}

static void start_anew(void)
{
    for (size_t i = 0; i < SIDE * SIDE; i++)
        grids[0][i] = grids[1][i] = (double)(i * 37 % 100);
}

static void release(void)
{
    free(grids[0]);
    free(grids[1]);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 5, [BENCH_QUICK] = 1000, [BENCH_FULL] = 5000};

    steps = counts[request->scale];
    grids[0] = malloc(SIDE * SIDE * sizeof(double));
    grids[1] = malloc(SIDE * SIDE * sizeof(double));
    if (!grids[0] || !grids[1]) {
        release();
        return -ENOMEM;
    }
    start_anew();
    snprintf(input->title, sizeof input->title, "heat in a plate");
    snprintf(input->size, sizeof input->size, "%zu x %zu, %zu steps", INNER, INNER,
             steps);
    input->item = "step";
    input->items = (double)steps;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!last)
        return NAN;
    sum = bench_checksum(last, SIDE * SIDE * sizeof *last);
    last = NULL;
    start_anew();
    return sum;
}

static struct step step_of(size_t number)
{
    return (struct step){grids[number % 2], grids[1 - number % 2]};
}

static int run(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < steps && !err; i++) {
        struct step step = step_of(i);

        err = team_loop(team, INNER, rows_body, &step);
    }
    last = grids[steps % 2];
    return err;
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
    for (size_t i = 0; i < steps; i++) {
        struct step step = step_of(i);

#pragma omp for schedule(static)
        for (size_t row = 0; row < INNER; row++)
            step_row(&step, row);
    }
    last = grids[steps % 2];
    return 0;
}

static int run_inside(const struct bench_team *team)
{
    return team_enter(team, run);
}

const struct bench_work bench_heat = {
    .name = "heat",
    .prepare = prepare,
    .release = release,
    .run = BENCH_CHAIN(run, run_openmp, run_inside),
    .take_result = take_result,
};
