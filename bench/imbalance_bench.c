/* imbalance_bench.c - is a loop balanced whose cost lies where nobody knows?
 *
 *   triangular           item i costs i units
 *   front, middle, back  nearly all of the cost lies in one per cent of the items: the
 *                        first, those in the middle, the last
 *
 * filch is given no grain. OpenMP has the schedule that suits the work best, which its
 * user would have to find out, as we did by trying nine with both runtimes (static,
 * dynamic and guided, chunks of 1 to 256): guided for the triangle; portions of 256 items
 * where the cost is in one place, which guided may hand out as one piece.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

enum shape { TRIANGULAR, FRONT, MIDDLE, BACK };

static uint32_t *steps; /* by item: what it costs */
static uint32_t *out;
static size_t count;
static bool has_result;

static __attribute__((noinline)) int work_body(filch_worker *w, size_t begin, size_t end,
                                               void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        uint32_t value = (uint32_t)i;

        for (uint32_t step = 0; step < steps[i]; step++)
            value = bench_step(value);
        out[i] = value;
    }
    return 0;
}

static void release(void)
{
    free(steps);
    free(out);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const char *const titles[] = {[TRIANGULAR] = "triangular cost",
                                         [FRONT] = "cost in the first 1%",
                                         [MIDDLE] = "cost in 1% in the middle",
                                         [BACK] = "cost in the last 1%"};
    static const size_t counts[][2] = {[BENCH_TINY] = {300, 1000},
                                       [BENCH_QUICK] = {3000, 100000},
                                       [BENCH_FULL] = {5500, 100000}};
    static const uint32_t costs[] = {
        [BENCH_TINY] = 1000, [BENCH_QUICK] = 4500, [BENCH_FULL] = 15000};
    enum shape shape = (enum shape)request->work->variant;
    size_t first;

    count = counts[request->scale][shape != TRIANGULAR] * request->factor;
    steps = malloc(count * sizeof *steps);
    out = calloc(count, sizeof *out);
    if (!steps || !out) {
        release();
        return -ENOMEM;
    }
    first = shape == FRONT    ? 0
            : shape == MIDDLE ? count / 2 - count / 200
                              : count - count / 100;
    for (size_t i = 0; i < count; i++) {
        bool is_heavy = i >= first && i < first + count / 100;

        steps[i] = shape == TRIANGULAR ? (uint32_t)i
                   : is_heavy          ? costs[request->scale]
                                       : 1;
    }
    snprintf(input->title, sizeof input->title, "%s", titles[shape]);
    snprintf(input->size, sizeof input->size, "%zu items", count);
    if (request->candidate == BENCH_OPENMP)
        input->note = shape == TRIANGULAR ? "schedule(guided), its best"
                                          : "schedule(dynamic, 256), its best";
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(out, count * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = 0;
    return sum;
}

static int run(const struct bench_team *team)
{
    has_result = true;
    return team_loop(team, count, work_body, NULL);
}

static int run_openmp_guided(const struct bench_team *team)
{
#pragma omp parallel for num_threads(team->workers) schedule(guided)
    for (size_t i = 0; i < count; i++)
        work_body(NULL, i, i + 1, NULL);
    has_result = true;
    return 0;
}

static int run_openmp_dynamic(const struct bench_team *team)
{
#pragma omp parallel for num_threads(team->workers) schedule(dynamic, 256)
    for (size_t i = 0; i < count; i++)
        work_body(NULL, i, i + 1, NULL);
    has_result = true;
    return 0;
}

#define IMBALANCE(work_name, shape, openmp)                                           \
    {                                                                                 \
        .name = (work_name), .variant = (shape), .has_factor = (shape) != TRIANGULAR, \
        .prepare = prepare, .release = release, .take_result = take_result,           \
        .run = {run, run, openmp, run, run, run},                                     \
    }

const struct bench_work bench_imbalance[BENCH_IMBALANCE_WORKS] = {
    IMBALANCE("triangular", TRIANGULAR, run_openmp_guided),
    IMBALANCE("front", FRONT, run_openmp_dynamic),
    IMBALANCE("middle", MIDDLE, run_openmp_dynamic),
    IMBALANCE("back", BACK, run_openmp_dynamic),
};
