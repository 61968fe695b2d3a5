/* start_bench.c - what does it cost to get others to work at all?
 *
 *   empty-loop      two items that do next to nothing, the same loop many times over
 *   meet            two items that wait for each other (meeting.h), many times over
 *   oversubscribed  a loop of about a millisecond with four threads for each worker asked for,
 *                   ten times over
 *
 * Threads that have slept are latency.c's question.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "meeting.h"
#include "team.h"

enum variant { EMPTY, MEET, OVERSUBSCRIBED };

#define MOST_ITEMS 20000

static uint32_t values[MOST_ITEMS];
static size_t count;
static uint32_t cost; /* of an item, in steps */
static size_t loops;
static bool has_result;

static void work(size_t i)
{
    uint32_t value = values[i];

    for (uint32_t step = 0; step < cost; step++)
        value = bench_step(value);
    values[i] = value;
}

static int work_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        work(i);
    return 0;
}

static void start_anew(void)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (uint32_t)i;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const struct shape {
        const char *title;
        size_t count;
        uint32_t cost;
        size_t light_loops; /* for serial and filch */
        size_t loops;
    } shapes[] = {
        [EMPTY] = {"an empty loop", 2, 1, 10000, 1000},
        [MEET] = {"two items that meet", 2, 0, 100, 100},
        [OVERSUBSCRIBED] = {"four threads a worker", MOST_ITEMS, 30, 10, 10},
    };
    const struct shape *shape = &shapes[request->work->variant];
    bool is_light =
        request->candidate == BENCH_SERIAL || request->candidate == BENCH_FILCH;

    count = shape->count;
    cost = shape->cost;
    loops = is_light ? shape->light_loops : shape->loops;
    if (request->scale == BENCH_TINY) {
        count = count < 100 ? count : 100;
        loops = 3;
    }
    start_anew();
    snprintf(input->title, sizeof input->title, "%s", shape->title);
    snprintf(input->size, sizeof input->size, "%zu items", count);
    if (request->work->variant == MEET && request->candidate == BENCH_SERIAL)
        input->note = "has nobody to meet";
    input->item = "loop";
    input->items = (double)loops;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(values, count * sizeof values[0]);
    start_anew();
    return sum;
}

static int run_loop(const struct bench_team *team)
{
    if (team->candidate != BENCH_OPENMP)
        return team_loop(team, count, work_body, NULL);
#pragma omp parallel for num_threads(team->workers)
    for (size_t i = 0; i < count; i++)
        work(i);
    return 0;
}

static int run(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < loops && !err; i++)
        err = run_loop(team);
    has_result = true;
    return err;
}

static int run_meet(const struct bench_team *team)
{
    size_t held = 0;
    int err = 0;

    while (held < loops && !err) {
        err = meeting_hold(team, NULL);
        held += !err;
    }
    bench_result = (double)held;
    return err;
}

const struct bench_work bench_start[BENCH_START_WORKS] = {
    {.name = "empty-loop",
     .variant = EMPTY,
     .is_extra = true,
     .prepare = prepare,
     .run = BENCH_EVERYBODY(run),
     .take_result = take_result},
    {.name = "meet",
     .variant = MEET,
     .is_together = true,
     .prepare = prepare,
     .run = BENCH_EVERYBODY(run_meet)},
    {.name = "oversubscribed",
     .variant = OVERSUBSCRIBED,
     .is_together = true,
     .threads_per_worker = 4,
     .prepare = prepare,
     .run = BENCH_EVERYBODY(run),
     .take_result = take_result},
};
