/* fft_bench.c - does a recursion pay whose two halves are joined by a loop?
 *
 * The Fourier transform of complex numbers, radix 2, from one array to another: the even
 * and the odd ones at the same time, then a loop over the butterflies, which is parallel
 * too. Transforms of up to CUT numbers are serial, and so are BUTTERFLIES of a loop. Each
 * number is computed by the same operations in all candidates, so that they agree bit by
 * bit.
 *
 * The channel pool cannot wait in a call (see fib_bench.c): it gets a loop over the
 * serial transforms, then one for each level of butterflies.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define CUT         ((size_t)4096) /* some 100 microseconds */
#define BUTTERFLIES ((size_t)4096) /* some 10 microseconds */
#define PI          3.14159265358979323846

struct complex {
    double real;
    double imaginary;
};

static struct complex *input_numbers;
static struct complex *output;
static struct complex *roots; /* of unity: half of those of count */
static size_t count;          /* a power of two */
static bool has_result;

/* From n numbers, stride apart, to n that are not. */
struct transform {
    const struct complex *from;
    struct complex *to;
    size_t n;
    size_t stride;
};

/* Butterflies [begin, end) of the n / 2 that make one transform of two halves. */
static void join_halves(struct complex *to, size_t n, size_t begin, size_t end)
{
    struct complex *low = to;
    struct complex *high = to + n / 2;
    size_t step = count / n;

    for (size_t k = begin; k < end; k++) {
        struct complex root = roots[k * step];
        struct complex turned = {
            root.real * high[k].real - root.imaginary * high[k].imaginary,
            root.real * high[k].imaginary + root.imaginary * high[k].real};

        high[k].real = low[k].real - turned.real;
        high[k].imaginary = low[k].imaginary - turned.imaginary;
        low[k].real += turned.real;
        low[k].imaginary += turned.imaginary;
    }
}

static struct transform evens_of(const struct transform *all)
{
    return (struct transform){all->from, all->to, all->n / 2, 2 * all->stride};
}

static struct transform odds_of(const struct transform *all)
{
    return (struct transform){all->from + all->stride, all->to + all->n / 2, all->n / 2,
                              2 * all->stride};
}

static void transform(const struct transform *all)
{
    struct transform evens = evens_of(all);
    struct transform odds = odds_of(all);

    if (all->n == 1) {
        *all->to = *all->from;
        return;
    }
    transform(&evens);
    transform(&odds);
    join_halves(all->to, all->n, 0, all->n / 2);
}

static struct transform whole(void)
{
    return (struct transform){input_numbers, output, count, 1};
}

static void release(void)
{
    free(input_numbers);
    free(output);
    free(roots);
    input_numbers = output = roots = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const unsigned exponents[] = {
        [BENCH_TINY] = 14, [BENCH_QUICK] = 17, [BENCH_FULL] = 20};
    uint32_t seed = 1;

    count = (size_t)1 << exponents[request->scale];
    input_numbers = malloc(count * sizeof *input_numbers);
    output = calloc(count, sizeof *output);
    roots = malloc(count / 2 * sizeof *roots);
    if (!input_numbers || !output || !roots) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        input_numbers[i].real = bench_random(&seed) - 0.5;
        input_numbers[i].imaginary = bench_random(&seed) - 0.5;
    }
    for (size_t i = 0; i < count / 2; i++) {
        double angle = -2 * PI * (double)i / (double)count;

        roots[i] = (struct complex){cos(angle), sin(angle)};
    }
    snprintf(input->title, sizeof input->title, "Fourier transform, radix 2");
    snprintf(input->size, sizeof input->size, "2^%u numbers", exponents[request->scale]);
    if (request->candidate == BENCH_CHANNEL)
        input->note =
            "no forks: a loop over the serial transforms, and one for each level";
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(output, count * sizeof *output);
    memset(output, 0, count * sizeof *output);
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    struct transform all = whole();

    (void)team;
    transform(&all);
    has_result = true;
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

/* The serial transforms in the order of their outputs: the bits of a number say, from the
 * highest, whether it is of evens or odds. */
static void transforms_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    size_t leaves = count / CUT;

    (void)piece, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        size_t first = 0;

        for (size_t bit = 1; bit < leaves; bit *= 2)
            first = 2 * first + (i & bit ? 1 : 0);
        transform(
            &(struct transform){input_numbers + first, output + i * CUT, CUT, leaves});
    }
}

/* The butterflies of all transforms of n numbers. */
static void butterflies_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    size_t n = *(const size_t *)ctx;

    (void)piece;
    while (begin < end) {
        size_t from = begin % (n / 2);
        size_t to = end - begin < n / 2 - from ? from + (end - begin) : n / 2;

        join_halves(output + begin / (n / 2) * n, n, from, to);
        begin += to - from;
    }
}

static int run_channel(const struct bench_team *team)
{
    int err = channel_pool_for(team->channel, 0, count / CUT, transforms_body, NULL);

    for (size_t n = 2 * CUT; n <= count && !err; n *= 2)
        err = channel_pool_for(team->channel, 0, count / 2, butterflies_body, &n);
    has_result = !err;
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static void transform_openmp(const struct transform *all)
{
    struct transform evens = evens_of(all);
    struct transform odds = odds_of(all);
    struct complex *to = all->to;
    size_t n = all->n;

    if (n <= CUT) {
        transform(all);
        return;
    }
#pragma omp task shared(odds)
    transform_openmp(&odds);
    transform_openmp(&evens);
#pragma omp taskwait
    for (size_t k = 0; k < n / 2; k += BUTTERFLIES) {
        size_t end = n / 2 - k < BUTTERFLIES ? n / 2 : k + BUTTERFLIES;

#pragma omp task if (n / 2 > BUTTERFLIES)
        join_halves(to, n, k, end);
    }
#pragma omp taskwait
}

static int run_openmp(const struct bench_team *team)
{
    struct transform all = whole();

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    transform_openmp(&all);
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int join_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct transform *all = ctx;

    (void)w;
    join_halves(all->to, all->n, begin, end);
    return 0;
}

static int transform_filch(filch_worker *w, void *ctx)
{
    struct transform *all = ctx;
    struct transform evens = evens_of(all);
    struct transform odds = odds_of(all);
    int err;

    if (all->n <= CUT) {
        transform(all);
        return 0;
    }
    err = filch_join(w, transform_filch, &evens, transform_filch, &odds);
    return err ? err : filch_for(0, all->n / 2, join_body, all, .grain = BUTTERFLIES);
}

static int run_filch(const struct bench_team *team)
{
    struct transform all = whole();

    has_result = true;
    return filch_run(transform_filch, &all, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void join_blocks(size_t begin, size_t end, void *ctx)
{
    const struct transform *all = ctx;
    size_t last = end * BUTTERFLIES;

    join_halves(all->to, all->n, begin * BUTTERFLIES,
                last < all->n / 2 ? last : all->n / 2);
}

static void transform_peer(void *ctx)
{
    struct transform *all = ctx;
    struct transform evens = evens_of(all);
    struct transform odds = odds_of(all);
    size_t blocks = (all->n / 2 + BUTTERFLIES - 1) / BUTTERFLIES;

    if (all->n <= CUT) {
        transform(all);
        return;
    }
    team_peer->join(transform_peer, &evens, transform_peer, &odds);
    if (blocks == 1)
        join_blocks(0, 1, all);
    else
        team_peer->loop(NULL, blocks, 0, join_blocks, all);
}

static int run_peer(const struct bench_team *team)
{
    struct transform all = whole();

    has_result = true;
    team_run(team, transform_peer, &all);
    return 0;
}

const struct bench_work bench_fft = {
    .name = "fft",
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
