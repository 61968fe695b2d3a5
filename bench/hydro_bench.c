/* hydro_bench.c - do hundreds of tiny loops a step pay, whose bodies come at many sizes?
 *
 * A shock runs through eleven layers of gas: Lagrangian hydrodynamics in one dimension, with
 * an artificial viscosity (von Neumann, Richtmyer 1950) and an energy that is predicted and
 * corrected, layer by layer, as in codes with a material for each region. Some layers take
 * more corrections than others. So a step is about 130 loops of 0.1 to 10 us, each body at
 * eleven lengths.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define LAYERS 11

/* What lives in zones, and at their edges (one more than zones). */
enum field {
    PRESSURE,
    VISCOSITY,
    ENERGY,
    DENSITY,
    DENSITY_BEFORE,
    MASS,
    GUESS,    /* of the energy */
    HALF_WAY, /* the pressure there */
    SOUND,    /* its speed */
    VELOCITY, /* of edges */
    PLACE,    /* of edges */
    FIELDS
};

static const unsigned corrections[LAYERS] = {2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 16};

static struct layer {
    size_t begin, end; /* zones */
    double gamma;
} layers[LAYERS];

static double *field[FIELDS];
static size_t zones, steps;
static const double time_step = 0.02;
static bool has_result;

static void release(void)
{
    for (int f = 0; f < FIELDS; f++)
        free(field[f]);
}

/* Hot and dense gas at the left end. */
static void start_anew(void)
{
    for (size_t i = 0; i <= zones; i++) {
        double density = i < zones / 8 ? 1 : 0.125;

        field[PLACE][i] = (double)i;
        field[VELOCITY][i] = 0;
        if (i == zones)
            break;
        field[DENSITY][i] = field[DENSITY_BEFORE][i] = field[MASS][i] = density;
        field[ENERGY][i] = i < zones / 8 ? 2.5 : 2;
        field[VISCOSITY][i] = 0;
        field[SOUND][i] = 1;
    }
    for (int i = 0; i < LAYERS; i++)
        for (size_t k = layers[i].begin; k < layers[i].end; k++)
            field[PRESSURE][k] =
                (layers[i].gamma - 1) * field[DENSITY][k] * field[ENERGY][k];
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 2, [BENCH_QUICK] = 50, [BENCH_FULL] = 200};
    size_t unit = request->scale == BENCH_TINY ? 4 : 64;

    steps = counts[request->scale];
    zones = 0;
    for (size_t i = 0; i < LAYERS; i++) {
        size_t k = i * 7 % LAYERS + 1; /* large and small ones in turn */

        layers[i] = (struct layer){zones, zones + unit * k * k, 1.2 + 0.05 * (double)i};
        zones = layers[i].end;
    }
    memset(field, 0, sizeof field);
    for (int f = 0; f < FIELDS; f++) {
        field[f] = malloc((zones + 1) * sizeof *field[f]);
        if (!field[f]) {
            release();
            return -ENOMEM;
        }
    }
    start_anew();
    snprintf(input->title, sizeof input->title, "shock through eleven layers");
    snprintf(input->size, sizeof input->size, "%zu zones, %zu steps", zones, steps);
    input->item = "step";
    input->items = (double)steps;
    return 0;
}

static double take_result(void)
{
    double sum = NAN;

    if (has_result) {
        sum = bench_checksum(field[ENERGY], zones * sizeof(double)) +
              bench_checksum(field[PLACE], zones * sizeof(double));
        start_anew();
    }
    has_result = false;
    return sum;
}

/* ---- all zones, or edges --------------------------------------------------------- */

/* The ends stay where they are. */
static int accelerate(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const double *restrict p = field[PRESSURE], *restrict q = field[VISCOSITY],
                           *restrict mass = field[MASS];
    double *restrict velocity = field[VELOCITY];

    (void)w, (void)ctx;
    for (size_t i = begin + 1; i < end + 1; i++)
        velocity[i] +=
            time_step * 2 * (p[i - 1] + q[i - 1] - p[i] - q[i]) / (mass[i - 1] + mass[i]);
    return 0;
}

static int move(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const double *restrict velocity = field[VELOCITY];
    double *restrict place = field[PLACE];

    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        place[i] += time_step * velocity[i];
    return 0;
}

static int compress(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const double *restrict place = field[PLACE], *restrict mass = field[MASS];
    double *restrict density = field[DENSITY], *restrict before = field[DENSITY_BEFORE];

    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        before[i] = density[i];
        density[i] = mass[i] / (place[i + 1] - place[i]);
    }
    return 0;
}

/* Where gas is being compressed. */
static int resist(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const double *restrict velocity = field[VELOCITY], *restrict density = field[DENSITY],
                           *restrict sound = field[SOUND];
    double *restrict q = field[VISCOSITY];

    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        double closing = velocity[i] - velocity[i + 1];

        closing = closing > 0 ? closing : 0;
        q[i] = density[i] * closing * (2 * closing + 0.5 * sound[i]);
    }
    return 0;
}

/* ---- the zones of a layer -------------------------------------------------------- */

static double work_on(size_t i)
{
    return 1 / field[DENSITY][i] - 1 / field[DENSITY_BEFORE][i];
}

static int predict(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const size_t first = ((const struct layer *)ctx)->begin;

    (void)w;
    for (size_t i = first + begin; i < first + end; i++)
        field[GUESS][i] =
            field[ENERGY][i] - (field[PRESSURE][i] + field[VISCOSITY][i]) * work_on(i);
    return 0;
}

/* Half way between the pressure before and the one that the guess gives. */
static int press(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct layer *layer = ctx;

    (void)w;
    for (size_t i = layer->begin + begin; i < layer->begin + end; i++)
        field[HALF_WAY][i] =
            0.5 * (field[PRESSURE][i] +
                   (layer->gamma - 1) * field[DENSITY][i] * field[GUESS][i]);
    return 0;
}

static int correct(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const size_t first = ((const struct layer *)ctx)->begin;

    (void)w;
    for (size_t i = first + begin; i < first + end; i++)
        field[GUESS][i] =
            field[ENERGY][i] - (field[HALF_WAY][i] + field[VISCOSITY][i]) * work_on(i);
    return 0;
}

static int settle(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct layer *layer = ctx;

    (void)w;
    for (size_t i = layer->begin + begin; i < layer->begin + end; i++) {
        field[ENERGY][i] = field[GUESS][i];
        field[PRESSURE][i] = (layer->gamma - 1) * field[DENSITY][i] * field[ENERGY][i];
    }
    return 0;
}

static int hear(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct layer *layer = ctx;

    (void)w;
    for (size_t i = layer->begin + begin; i < layer->begin + end; i++)
        field[SOUND][i] = sqrt(layer->gamma * field[PRESSURE][i] / field[DENSITY][i]);
    return 0;
}

/* ---- candidates ------------------------------------------------------------------ */

static int step_layer(const struct bench_team *team, int number)
{
    struct layer *layer = &layers[number];
    const size_t count = layer->end - layer->begin;
    int err = team_loop(team, count, predict, layer);

    for (unsigned i = 0; i < corrections[number] && !err; i++) {
        err = team_loop(team, count, press, layer);
        if (!err)
            err = team_loop(team, count, correct, layer);
    }
    if (!err)
        err = team_loop(team, count, settle, layer);
    if (!err)
        err = team_loop(team, count, hear, layer);
    return err;
}

static int step(const struct bench_team *team)
{
    int err = team_loop(team, zones - 1, accelerate, NULL);

    if (!err)
        err = team_loop(team, zones, move, NULL);
    if (!err)
        err = team_loop(team, zones, compress, NULL);
    if (!err)
        err = team_loop(team, zones, resist, NULL);
    for (int i = 0; i < LAYERS && !err; i++)
        err = step_layer(team, i);
    return err;
}

static int run_here(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < steps && !err; i++)
        err = step(team);
    return err;
}

static int run(const struct bench_team *team)
{
    int err = team_enter(team, run_here);

    has_result = true;
    return err;
}

const struct bench_work bench_hydro = {
    .name = "hydro",
    .is_extra = true,
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
