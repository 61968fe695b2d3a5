/* single_bench.c - what does it cost to hand out a loop one item at a time?
 *
 * A million cheap items, and the body gets one of them in each call. Serial calls it as
 * often, directly: filch's time less serial's is what handing out an item costs. OpenMP
 * hands out single items too (dynamic, 1), and so do the peers, by their own means; the
 * channel pool does not, it would need a job for each.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

static uint32_t *out;
static size_t count;
static bool has_result;

static __attribute__((noinline)) int item_body(filch_worker *w, size_t begin, size_t end,
                                               void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        out[i] = (uint32_t)i * 1664525 + 1013904223;
    return 0;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    count = (request->scale == BENCH_TINY ? 10007 : 1000000) * request->factor;
    out = calloc(count, sizeof *out);
    if (!out)
        return -ENOMEM;
    snprintf(input->title, sizeof input->title, "one item in each call");
    snprintf(input->size, sizeof input->size, "%zu items", count);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "hands out pieces, in which every item is a call";
    input->item = "item";
    input->items = (double)count;
    return 0;
}

static void release(void)
{
    free(out);
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

static int singly_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    for (size_t i = begin; i < end; i++)
        item_body(w, i, i + 1, ctx);
    return 0;
}

static int run_in_pieces(const struct bench_team *team)
{
    has_result = true;
    return team_loop(team, count, singly_body, NULL);
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel for num_threads(team->workers) schedule(dynamic, 1)
    for (size_t i = 0; i < count; i++)
        item_body(NULL, i, i + 1, NULL);
    has_result = true;
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_for(0, count, item_body, NULL, .pool = team->filch, .grain = 1,
                     .max_chunk = 1);
}

static void item_part(size_t begin, size_t end, void *ctx)
{
    item_body(NULL, begin, end, ctx);
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    team->peer->loop(team->peer_team, count, 1, item_part, NULL);
    return 0;
}

const struct bench_work bench_single = {
    .name = "single",
    .has_factor = true,
    .is_extra = true,
    .prepare = prepare,
    .release = release,
    .run = {run_in_pieces, run_in_pieces, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
