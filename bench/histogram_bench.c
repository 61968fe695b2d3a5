/* histogram_bench.c - what do private bins for each thread cost, when their sum is small?
 *
 * How often each of the 256 values of red, green and blue occurs in a picture: the user's
 * (--image), or one that is made, of soft gradients with noise. Whoever works counts in
 * bins of its own, 3 KiB; these are added at the end.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "team.h"

#define BINS ((size_t)3 * 256)

static struct image picture;
static uint32_t result[BINS]; /* red, green, blue */
static bool has_result;

static void count_row(uint32_t *bins, size_t row)
{
    size_t bytes = 3 * picture.width;
    const uint8_t *colours = picture.pixels + row * bytes;

    for (size_t i = 0; i < bytes; i += 3) {
        bins[colours[i]]++;
        bins[256 + colours[i + 1]]++;
        bins[512 + colours[i + 2]]++;
    }
}

static void count_rows(uint32_t *bins, size_t begin, size_t end)
{
    for (size_t row = begin; row < end; row++)
        count_row(bins, row);
}

static void add_bins(const uint32_t *bins)
{
    for (size_t i = 0; i < BINS; i++)
        result[i] += bins[i];
}

/* ---- the input ------------------------------------------------------------------- */

/* A gradient for each colour, along, down and across, with noise of a sixteenth. */
static int make_picture(size_t width, size_t height)
{
    uint32_t noise = 5;
    uint8_t *at;

    picture = (struct image){width, height, malloc(3 * width * height)};
    at = picture.pixels;
    if (!at)
        return -ENOMEM;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            size_t across = x * y % (width * height);

            noise = bench_step(noise);
            *at++ = (uint8_t)(x * 240 / width + (noise >> 28));
            *at++ = (uint8_t)(y * 240 / height + (noise >> 24) % 16);
            *at++ = (uint8_t)(across * 240 / (width * height) + (noise >> 20) % 16);
        }
    }
    return 0;
}

static void release(void)
{
    free(picture.pixels);
    picture.pixels = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t heights[] = {
        [BENCH_TINY] = 27, [BENCH_QUICK] = 720, [BENCH_FULL] = 2160};
    size_t height = heights[request->scale];
    int err = request->image ? image_read(request->image, &picture)
                             : make_picture(height * 16 / 9, height);

    if (err)
        return err;
    snprintf(input->title, sizeof input->title, "histogram of a picture");
    snprintf(input->size, sizeof input->size, "%zu x %zu pixels", picture.width,
             picture.height);
    return 0;
}

static double take_result(void)
{
    double sum = has_result ? bench_checksum(result, sizeof result) : NAN;

    has_result = false;
    memset(result, 0, sizeof result);
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(const struct bench_team *team)
{
    (void)team;
    count_rows(result, 0, picture.height);
    has_result = true;
    return 0;
}

/* ---- channel pool: bins for each piece ------------------------------------------- */

static void count_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    uint32_t(*bins)[BINS] = ctx;

    count_rows(bins[piece], begin, end);
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = channel_pool_pieces(team->channel);
    uint32_t(*bins)[BINS] = calloc(pieces, sizeof *bins);
    int err;

    if (!bins)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, picture.height, count_piece, bins);
    for (size_t i = 0; i < pieces; i++)
        add_bins(bins[i]);
    free(bins);
    has_result = true;
    return err;
}

/* ---- OpenMP: a reduction of an array, equal shares ------------------------------- */

static int run_openmp(const struct bench_team *team)
{
    uint32_t *bins = result;

#pragma omp parallel for num_threads(team->workers) reduction(+ : bins[:BINS]) \
    schedule(static)
    for (size_t row = 0; row < picture.height; row++)
        count_row(bins, row);
    has_result = true;
    return 0;
}

/* ---- filch: bins for each worker ------------------------------------------------- */

static int count_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    uint32_t *bins = filch_local_get(ctx, w);

    if (!bins)
        return -ENOMEM;
    count_rows(bins, begin, end);
    return 0;
}

static int add_slot(void *slot, void *ctx)
{
    (void)ctx;
    add_bins(slot);
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    filch_local *bins;
    int err = filch_local_create(&bins, team->filch, sizeof result, NULL, NULL);

    if (err)
        return err;
    err = filch_for(0, picture.height, count_body, bins, .pool = team->filch);
    filch_local_each(bins, add_slot, NULL);
    filch_local_destroy(bins, NULL, NULL);
    has_result = true;
    return err;
}

/* ---- peers: bins for each thread ------------------------------------------------ */

static int count_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    count_rows(acc, begin, end);
    return 0;
}

static void combine(void *left, void *right, void *ctx)
{
    (void)left, (void)ctx;
    add_bins(right);
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_reduce(team, picture.height, result, sizeof result, count_fold, combine,
                       NULL);
}

const struct bench_work bench_histogram = {
    .name = "histogram",
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
