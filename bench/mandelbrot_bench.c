/* mandelbrot_bench.c - is a loop balanced whose rows differ in cost by a factor of
 * hundreds, and none of whose halves costs what the other does?
 *
 * The picture is the upper half of the Mandelbrot set: the first rows leave the set at
 * once, the last ones, on the real axis, stay in it up to the limit. (The whole set is
 * symmetric: two equal shares would balance it by luck.)
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

static uint16_t *picture;
static size_t width;
static size_t height;
static bool has_result;

#define LIMIT 1000 /* steps after which a point counts as inside */

static uint16_t steps_of(double cr, double ci)
{
    double r = 0;
    double i = 0;
    uint16_t steps = 0;

    for (; steps < LIMIT; steps++) {
        double rr = r * r;
        double ii = i * i;

        if (rr + ii > 4)
            break;
        i = 2 * r * i + ci;
        r = rr - ii + cr;
    }
    return steps;
}

static void draw_rows(size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++) {
        double ci = 1.2 * (double)(height - 1 - row) / (double)height;

        for (size_t column = 0; column < width; column++) {
            double cr = -2 + 2.5 * (double)column / (double)width;

            picture[row * width + column] = steps_of(cr, ci);
        }
    }
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t heights[] = {
        [BENCH_TINY] = 30, [BENCH_QUICK] = 150, [BENCH_FULL] = 300};

    width = 2 * heights[request->scale];
    height = heights[request->scale] * request->factor;
    picture = calloc(width * height, sizeof *picture);
    if (!picture)
        return -ENOMEM;
    snprintf(input->title, sizeof input->title, "Mandelbrot rows");
    snprintf(input->size, sizeof input->size, "%zu x %zu points", width, height);
    return 0;
}

static void release(void)
{
    free(picture);
}

/* FNV-1a over the points, cut to what a double holds; and wipes the picture, so that a
 * row that the next run leaves out shows. */
static double take_result(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (!has_result)
        return NAN;
    has_result = false;
    for (size_t i = 0; i < width * height; i++) {
        hash = (hash ^ picture[i]) * UINT64_C(0x100000001b3);
        picture[i] = UINT16_MAX;
    }
    return (double)(hash >> 12);
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    draw_rows(0, height);
    has_result = true;
    return 0;
}

static void draw_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    (void)piece, (void)ctx;
    draw_rows(begin, end);
}

static int run_channel(const struct bench_team *team)
{
    has_result = true;
    return channel_pool_for(team->channel, 0, height, draw_piece, NULL);
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel for num_threads(team->workers) schedule(dynamic)
    for (size_t row = 0; row < height; row++)
        draw_rows(row, row + 1);
    has_result = true;
    return 0;
}

static int draw_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    draw_rows(begin, end);
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_for(0, height, draw_body, NULL, .pool = team->filch);
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_loop(team, height, draw_body, NULL);
}

const struct bench_work bench_mandelbrot = {
    .name = "mandelbrot",
    .has_factor = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
