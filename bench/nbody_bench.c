/* nbody_bench.c - does a loop of few, equal and long items scale, with a short one between?
 *
 * Bodies that attract each other: for each the sum over all others, then a loop that moves
 * them; some steps of it. Distances are softened, so that near passes stay harmless.
 * Places, masses and speeds are drawn with a fixed seed.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define STEPS    2
#define TIME     0.01
#define SOFTENED 0.01

struct body {
    double at[3];
    double speed[3];
    double pull[3];
    double mass;
};

static struct body *bodies;
static struct body *first; /* as they were at the beginning */
static size_t count;
static bool has_result;

static void pull(struct body *body)
{
    double sum[3] = {0, 0, 0};

    for (size_t i = 0; i < count; i++) {
        double x = bodies[i].at[0] - body->at[0];
        double y = bodies[i].at[1] - body->at[1];
        double z = bodies[i].at[2] - body->at[2];
        double square = x * x + y * y + z * z + SOFTENED;
        double force = bodies[i].mass / (square * sqrt(square));

        sum[0] += force * x;
        sum[1] += force * y;
        sum[2] += force * z;
    }
    memcpy(body->pull, sum, sizeof sum);
}

static void move(struct body *body)
{
    for (int i = 0; i < 3; i++) {
        body->speed[i] += TIME * body->pull[i];
        body->at[i] += TIME * body->speed[i];
    }
}

static int pull_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        pull(&bodies[i]);
    return 0;
}

static int move_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        move(&bodies[i]);
    return 0;
}

static void release(void)
{
    free(bodies);
    free(first);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 50, [BENCH_QUICK] = 1000, [BENCH_FULL] = 2500};
    uint32_t seed = 3;

    count = counts[request->scale];
    bodies = calloc(count, sizeof *bodies);
    first = calloc(count, sizeof *first);
    if (!bodies || !first) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        for (int axis = 0; axis < 3; axis++) {
            first[i].at[axis] = bench_random(&seed);
            first[i].speed[axis] = bench_random(&seed) - 0.5;
        }
        first[i].mass = bench_random(&seed) / (double)count;
    }
    memcpy(bodies, first, count * sizeof *bodies);
    snprintf(input->title, sizeof input->title, "n-body, direct sum");
    snprintf(input->size, sizeof input->size, "%zu bodies", count);
    input->item = "pair";
    input->items = (double)count * (double)count * STEPS;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(bodies, count * sizeof *bodies);
    memcpy(bodies, first, count * sizeof *bodies);
    return sum;
}

static void step_openmp(unsigned workers)
{
#pragma omp parallel num_threads(workers)
    {
#pragma omp for
        for (size_t i = 0; i < count; i++)
            pull(&bodies[i]);
#pragma omp for
        for (size_t i = 0; i < count; i++)
            move(&bodies[i]);
    }
}

static int run(const struct bench_team *team)
{
    int err = 0;

    for (int step = 0; step < STEPS && !err; step++) {
        if (team->candidate == BENCH_OPENMP) {
            step_openmp(team->workers);
            continue;
        }
        err = team_loop(team, count, pull_body, NULL);
        if (!err)
            err = team_loop(team, count, move_body, NULL);
    }
    has_result = true;
    return err;
}

const struct bench_work bench_nbody = {
    .name = "nbody",
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
