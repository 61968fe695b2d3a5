/* blur_bench.c - do two loops over the rows of a picture scale, with a pass over memory
 * between them?
 *
 * A Gaussian blur (sigma 3, 8 pixels to each side) of red, green and blue, first along the
 * rows, then along the columns. Beyond an edge the picture goes on with its edge pixels.
 * All arithmetic is on integers, so results are the same bits: weights add up to 2^16, and
 * between the passes a colour has 8 bits below the point.
 *
 * The picture is the user's (--image), or circles made from a formula. The blurred one can
 * be written to a file (--image-out).
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "team.h"

#define RADIUS ((size_t)8)
#define TAPS   (2 * RADIUS + 1)
#define SIGMA  3.0
#define STRIP  ((size_t)96) /* bytes of a row whose sums are made together */

static uint32_t weights[TAPS];
static struct image picture;
static uint8_t *wide;     /* the picture, with RADIUS pixels more at both ends of a row */
static uint16_t *between; /* blurred along the rows */
static uint8_t *blurred;
static const char *out_path; /* or NULL: written already, or not asked for */
static bool has_result;

/* Strips, and not a sum at a time, for compilers that make vector code of inner loops only. */
static void blur_along_strip(const uint8_t *from, uint16_t *to, size_t bytes)
{
    uint32_t sums[STRIP];

    for (size_t i = 0; i < bytes; i++)
        sums[i] = 1 << 7;
    for (size_t tap = 0; tap < TAPS; tap++) {
        for (size_t i = 0; i < bytes; i++)
            sums[i] += weights[tap] * from[3 * tap + i];
    }
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint16_t)(sums[i] >> 8);
}

static void blur_along(size_t row)
{
    size_t bytes = 3 * picture.width;
    const uint8_t *from = wide + row * (bytes + 6 * RADIUS);
    uint16_t *to = between + row * bytes;

    for (size_t begin = 0; begin < bytes; begin += STRIP)
        blur_along_strip(from + begin, to + begin,
                         bytes - begin < STRIP ? bytes - begin : STRIP);
}

static void blur_down_strip(size_t row, size_t begin, size_t bytes)
{
    uint32_t sums[STRIP];

    for (size_t i = 0; i < bytes; i++)
        sums[i] = 1 << 23;
    for (size_t tap = 0; tap < TAPS; tap++) {
        size_t at = row + tap < RADIUS ? 0 : row + tap - RADIUS;
        const uint16_t *from;

        if (at > picture.height - 1)
            at = picture.height - 1;
        from = between + at * 3 * picture.width + begin;
        for (size_t i = 0; i < bytes; i++)
            sums[i] += weights[tap] * from[i];
    }
    for (size_t i = 0; i < bytes; i++)
        blurred[row * 3 * picture.width + begin + i] = (uint8_t)(sums[i] >> 24);
}

static void blur_down(size_t row)
{
    size_t bytes = 3 * picture.width;

    for (size_t begin = 0; begin < bytes; begin += STRIP)
        blur_down_strip(row, begin, bytes - begin < STRIP ? bytes - begin : STRIP);
}

static int along_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t row = begin; row < end; row++)
        blur_along(row);
    return 0;
}

static int down_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t row = begin; row < end; row++)
        blur_down(row);
    return 0;
}

static void run_openmp(unsigned workers)
{
#pragma omp parallel for num_threads(workers)
    for (size_t row = 0; row < picture.height; row++)
        blur_along(row);
#pragma omp parallel for num_threads(workers)
    for (size_t row = 0; row < picture.height; row++)
        blur_down(row);
}

static int run(const struct bench_team *team)
{
    int err = 0;

    has_result = true;
    if (team->candidate == BENCH_OPENMP) {
        run_openmp(team->workers);
        return 0;
    }
    err = team_loop(team, picture.height, along_body, NULL);
    return err ? err : team_loop(team, picture.height, down_body, NULL);
}

/* ---- the input ------------------------------------------------------------------- */

static double bell(size_t tap)
{
    double distance = (double)tap - (double)RADIUS;

    return exp(-distance * distance / (2 * SIGMA * SIGMA));
}

static void make_weights(void)
{
    double sum = 0;
    uint32_t rest = 1 << 16;

    for (size_t tap = 0; tap < TAPS; tap++)
        sum += bell(tap);
    for (size_t tap = 0; tap < TAPS; tap++) {
        weights[tap] = (uint32_t)(65536 * bell(tap) / sum);
        rest -= weights[tap];
    }
    weights[RADIUS] += rest;
}

/* Rings with hard edges about three centres, a colour each. */
static int make_picture(size_t width, size_t height)
{
    picture = (struct image){width, height, malloc(3 * width * height)};
    if (!picture.pixels)
        return -ENOMEM;
    for (size_t i = 0; i < 3 * width * height; i++) {
        size_t x = i / 3 % width;
        size_t y = i / 3 / width + i % 3 * 100;

        picture.pixels[i] = (x * x + y * y) / 10000 % 2 ? 230 : 20;
    }
    return 0;
}

static void widen(void)
{
    size_t bytes = 3 * picture.width;

    for (size_t row = 0; row < picture.height; row++) {
        const uint8_t *from = picture.pixels + row * bytes;
        uint8_t *to = wide + row * (bytes + 6 * RADIUS);

        memcpy(to + 3 * RADIUS, from, bytes);
        for (size_t i = 0; i < RADIUS; i++) {
            memcpy(to + 3 * i, from, 3);
            memcpy(to + 3 * RADIUS + bytes + 3 * i, from + bytes - 3, 3);
        }
    }
}

static void release(void)
{
    free(picture.pixels);
    free(wide);
    free(between);
    free(blurred);
    wide = blurred = NULL;
    between = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t heights[] = {
        [BENCH_TINY] = 27, [BENCH_QUICK] = 360, [BENCH_FULL] = 1080};
    size_t height = heights[request->scale];
    size_t bytes;
    int err = request->image ? image_read(request->image, &picture)
                             : make_picture(height * 16 / 9, height);

    if (err)
        return err;
    bytes = 3 * picture.width * picture.height;
    wide = malloc(bytes + 6 * RADIUS * picture.height);
    between = malloc(bytes * sizeof *between);
    blurred = calloc(bytes, 1);
    if (!wide || !between || !blurred) {
        release();
        return -ENOMEM;
    }
    widen();
    make_weights();
    out_path = request->image_out;
    snprintf(input->title, sizeof input->title, "Gaussian blur");
    snprintf(input->size, sizeof input->size, "%zu x %zu pixels", picture.width,
             picture.height);
    return 0;
}

static double take_result(void)
{
    size_t bytes = 3 * picture.width * picture.height;
    struct image out = {picture.width, picture.height, blurred};
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    if (out_path) {
        int err = image_write(out_path, &out);

        if (err) {
            fprintf(stderr, "%s: %s\n", out_path, strerror(-err));
            return NAN; /* no result: the user wanted the picture */
        }
        out_path = NULL;
    }
    sum = bench_checksum(blurred, bytes / 4 * 4);
    for (size_t i = bytes / 4 * 4; i < bytes; i++)
        sum += (double)((i % 4 + 1) * blurred[i]);
    memset(blurred, 0, bytes);
    return sum;
}

const struct bench_work bench_blur = {
    .name = "blur",
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
