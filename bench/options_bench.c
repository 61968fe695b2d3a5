/* options_bench.c - does a loop over many independent, equal and costly items scale?
 *
 * The prices of European call options by the formula of Black and Scholes: a logarithm, an
 * exponential and two error functions for each, nothing shared. Options are drawn with a
 * fixed seed.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "team.h"

struct option_terms {
    float spot;
    float strike;
    float years;
    float volatility;
};

static struct option_terms *terms;
static double *prices;
static size_t count;
static bool has_result;

#define RATE 0.03

static double normal_below(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752440);
}

static void price(size_t i)
{
    const struct option_terms *of = &terms[i];
    double years = of->years;
    double spread = of->volatility * sqrt(years);
    double d1 = (log((double)of->spot / of->strike) +
                 (RATE + 0.5 * of->volatility * of->volatility) * years) /
                spread;

    prices[i] = of->spot * normal_below(d1) -
                of->strike * exp(-RATE * years) * normal_below(d1 - spread);
}

static int price_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++)
        price(i);
    return 0;
}

static void release(void)
{
    free(terms);
    free(prices);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 1000, [BENCH_QUICK] = 200000, [BENCH_FULL] = 1000000};
    uint32_t seed = 1;

    count = counts[request->scale];
    terms = malloc(count * sizeof *terms);
    prices = calloc(count, sizeof *prices);
    if (!terms || !prices) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        terms[i].spot = (float)(50 + 100 * bench_random(&seed));
        terms[i].strike = (float)(50 + 100 * bench_random(&seed));
        terms[i].years = (float)(0.1 + 3 * bench_random(&seed));
        terms[i].volatility = (float)(0.1 + 0.5 * bench_random(&seed));
    }
    snprintf(input->title, sizeof input->title, "Black-Scholes prices");
    snprintf(input->size, sizeof input->size, "%zu options", count);
    input->item = "option";
    input->items = (double)count;
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(prices, count * sizeof *prices);
    for (size_t i = 0; i < count; i++)
        prices[i] = -1;
    return sum;
}

static int run(const struct bench_team *team)
{
    has_result = true;
    if (team->candidate != BENCH_OPENMP)
        return team_loop(team, count, price_body, NULL);
#pragma omp parallel for num_threads(team->workers)
    for (size_t i = 0; i < count; i++)
        price(i);
    return 0;
}

const struct bench_work bench_options = {
    .name = "options",
    .prepare = prepare,
    .release = release,
    .run = BENCH_EVERYBODY(run),
    .take_result = take_result,
};
