/* kmeans_bench.c - does a loop whose threads each add up a few sums scale, again and again,
 * with a serial step between?
 *
 * k-means: each point goes to the nearest of some centres, each centre to the middle of its
 * points; a fixed number of rounds. Points lie in clouds, drawn with a fixed seed. Places
 * are whole numbers, and so results exact: whoever works has sums of its own, and the order
 * in which these are added does not matter. filch is filch_group, with the number of the
 * centre as key.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define DIMENSIONS 8
#define CENTRES    16
#define ROUNDS     10
#define WIDE       4096 /* places are in [0, WIDE): differences and their squares are exact */

struct point {
    int16_t at[DIMENSIONS];
};

/* What the points of each centre add up to. */
struct sums {
    int64_t at[CENTRES][DIMENSIONS];
    int64_t points[CENTRES];
};

/* The same as an array, for OpenMP. */
#define SUMS (sizeof(struct sums) / sizeof(int64_t))

static struct point *points;
static size_t count;
static struct point centres[CENTRES];
static uint8_t *nearest; /* by point: its centre in the last round */
static bool has_result;

static unsigned find_nearest(const struct point *point)
{
    int32_t least = INT32_MAX;
    unsigned found = 0;

    for (unsigned centre = 0; centre < CENTRES; centre++) {
        int32_t distance = 0;

#ifndef __clang__ /* gcc unrolls before it looks for vectors, and then finds none */
#pragma GCC unroll 1
#endif
        for (int i = 0; i < DIMENSIONS; i++) {
            int16_t step = (int16_t)(point->at[i] - centres[centre].at[i]);

            distance += step * step;
        }
        found = distance < least ? centre : found;
        least = distance < least ? distance : least;
    }
    return found;
}

static void assign(struct sums *sums, size_t point)
{
    unsigned centre = find_nearest(&points[point]);

    nearest[point] = (uint8_t)centre;
    for (int i = 0; i < DIMENSIONS; i++)
        sums->at[centre][i] += points[point].at[i];
    sums->points[centre]++;
}

static void assign_all(struct sums *sums, size_t begin, size_t end)
{
    for (size_t point = begin; point < end; point++)
        assign(sums, point);
}

static void add(struct sums *to, const struct sums *from)
{
    for (int centre = 0; centre < CENTRES; centre++) {
        for (int i = 0; i < DIMENSIONS; i++)
            to->at[centre][i] += from->at[centre][i];
        to->points[centre] += from->points[centre];
    }
}

/* A centre without points stays. */
static void move_centres(const struct sums *sums)
{
    for (int centre = 0; centre < CENTRES; centre++) {
        if (sums->points[centre] == 0)
            continue;
        for (int i = 0; i < DIMENSIONS; i++)
            centres[centre].at[i] = (int16_t)(sums->at[centre][i] / sums->points[centre]);
    }
}

/* ---- the input ------------------------------------------------------------------- */

static void release(void)
{
    free(points);
    free(nearest);
}

static void forget(void)
{
    for (size_t centre = 0; centre < CENTRES; centre++)
        centres[centre] = points[centre * (count / CENTRES)];
    memset(nearest, CENTRES, (count + 3) / 4 * 4);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 501, [BENCH_QUICK] = 20000, [BENCH_FULL] = 400000};
    struct point middles[CENTRES];
    uint32_t draw = 8;

    count = counts[request->scale] * request->factor;
    points = malloc(count * sizeof *points);
    nearest = malloc(count + 3);
    if (!points || !nearest) {
        release();
        return -ENOMEM;
    }
    for (size_t centre = 0; centre < CENTRES; centre++) {
        for (int i = 0; i < DIMENSIONS; i++)
            middles[centre].at[i] = (int16_t)(bench_random(&draw) * WIDE * 3 / 4);
    }
    for (size_t point = 0; point < count; point++) {
        size_t middle = (size_t)(bench_random(&draw) * CENTRES);

        for (int i = 0; i < DIMENSIONS; i++)
            points[point].at[i] =
                (int16_t)(middles[middle].at[i] + bench_random(&draw) * WIDE / 4);
    }
    forget();
    snprintf(input->title, sizeof input->title, "k-means");
    snprintf(input->size, sizeof input->size, "%zu points, %d centres", count, CENTRES);
    input->item = "round";
    input->items = ROUNDS;
    return 0;
}

static double take_result(void)
{
    double sum = bench_checksum(nearest, (count + 3) / 4 * 4) +
                 bench_checksum(centres, sizeof centres);

    if (!has_result)
        sum = NAN;
    has_result = false;
    forget();
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (int round = 0; round < ROUNDS; round++) {
        struct sums sums = {0};

        assign_all(&sums, 0, count);
        move_centres(&sums);
    }
    has_result = true;
    return 0;
}

/* ---- channel pool: sums for each piece ------------------------------------------- */

static void assign_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct sums *partial = ctx;

    partial[piece] = (struct sums){0};
    assign_all(&partial[piece], begin, end);
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = channel_pool_pieces(team->channel);
    struct sums *partial = calloc(pieces, sizeof *partial);
    int err = partial ? 0 : -ENOMEM;

    for (int round = 0; round < ROUNDS && !err; round++) {
        struct sums sums = {0};

        err = channel_pool_for(team->channel, 0, count, assign_piece, partial);
        for (size_t i = 0; i < pieces; i++)
            add(&sums, &partial[i]);
        move_centres(&sums);
    }
    free(partial);
    has_result = true;
    return err;
}

/* ---- OpenMP: a reduction of an array, equal shares ------------------------------- */

static int run_openmp(const struct bench_team *team)
{
    struct sums sums = {0};
    int64_t *sum = &sums.at[0][0];

#pragma omp parallel num_threads(team->workers)
    for (int round = 0; round < ROUNDS; round++) {
#pragma omp for reduction(+ : sum[:SUMS]) schedule(static)
        for (size_t point = 0; point < count; point++)
            assign((struct sums *)sum, point);
#pragma omp single
        {
            move_centres(&sums);
            sums = (struct sums){0};
        }
    }
    has_result = true;
    return 0;
}

/* ---- filch: sums by centre ------------------------------------------------------- */

/* What the points of one centre add up to. */
struct sum {
    int64_t at[DIMENSIONS];
    int64_t points;
};

/* Points of a chunk are summed at once, and those sums emitted. */
static int assign_body(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                       void *ctx)
{
    struct sums sums = {0};

    (void)w, (void)ctx;
    assign_all(&sums, begin, end);
    for (uint32_t centre = 0; centre < CENTRES; centre++) {
        struct sum *sum = filch_emit(out, begin, &centre, sizeof centre);

        if (!sum)
            return -ENOMEM;
        for (int i = 0; i < DIMENSIONS; i++)
            sum->at[i] += sums.at[centre][i];
        sum->points += sums.points[centre];
    }
    return 0;
}

static void add_sum(void *left, void *right, void *ctx)
{
    struct sum *to = left, *from = right;

    (void)ctx;
    for (int i = 0; i < DIMENSIONS; i++)
        to->at[i] += from->at[i];
    to->points += from->points;
}

static int run_filch(const struct bench_team *team)
{
    int err = 0;

    for (int round = 0; round < ROUNDS && !err; round++) {
        filch_groups *groups;
        struct sums sums = {0};

        err = filch_group(&groups, 0, count, assign_body,
                          FILCH_GROUP_BY(.key_bytes = sizeof(uint32_t),
                                         .value_bytes = sizeof(struct sum),
                                         .combine = add_sum),
                          NULL, .pool = team->filch);
        if (err)
            return err;
        for (uint32_t centre = 0; centre < CENTRES; centre++) {
            const struct sum *sum = filch_groups_find(groups, &centre, sizeof centre);

            memcpy(sums.at[centre], sum->at, sizeof sum->at);
            sums.points[centre] = sum->points;
        }
        filch_groups_destroy(groups);
        move_centres(&sums);
    }
    has_result = true;
    return err;
}

/* ---- peers: sums for each thread ------------------------------------------------ */

static int assign_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    assign_all(acc, begin, end);
    return 0;
}

static void combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    add(left, right);
}

static int inside_peer(const struct bench_team *team)
{
    int err = 0;

    for (int round = 0; round < ROUNDS && !err; round++) {
        struct sums sums = {0};

        err = team_reduce(team, count, &sums, sizeof sums, assign_fold, combine, NULL);
        move_centres(&sums);
    }
    return err;
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, inside_peer);
}

const struct bench_work bench_kmeans = {
    .name = "k-means",
    .has_factor = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
