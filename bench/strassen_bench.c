/* strassen_bench.c - does a recursion pay that has seven branches, and moves much memory?
 *
 * Strassen's product of two square matrices: seven products of matrices of half the size,
 * down to BLOCK, where the usual three loops are. Products of up to CUT are serial, some
 * milliseconds each. The entries are small integers, so that all sums are exact, whatever
 * the order. Each product has room of its own for its factors and its result, by malloc,
 * for all candidates; the root's is made before.
 *
 * The channel pool cannot wait in a call (see fib_bench.c): it gets loops over the seven
 * products' factors, over the 49 products two levels down, and over the sums of both.
 *
 * Source: Strassen, Gaussian Elimination is not Optimal, 1969.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define BLOCK    ((size_t)64)
#define CUT      ((size_t)128)
#define PRODUCTS ((size_t)7)

/* A square matrix, or a part of one. */
struct matrix {
    double *at;
    size_t stride; /* from row to row */
};

/* A sum of two quarters, or one. */
struct factor {
    unsigned char first;
    unsigned char second;
    signed char sign; /* of the second; 0: there is none */
};

/* Quarters are numbered by rows. */
static const struct factor factors[PRODUCTS][2] = {
    {{0, 3, 1}, {0, 3, 1}},  /* (a11 + a22) (b11 + b22) */
    {{2, 3, 1}, {0, 0, 0}},  /* (a21 + a22) b11 */
    {{0, 0, 0}, {1, 3, -1}}, /* a11 (b12 - b22) */
    {{3, 0, 0}, {2, 0, -1}}, /* a22 (b21 - b11) */
    {{0, 1, 1}, {3, 0, 0}},  /* (a11 + a12) b22 */
    {{2, 0, -1}, {0, 1, 1}}, /* (a21 - a11) (b11 + b12) */
    {{1, 3, -1}, {2, 3, 1}}, /* (a12 - a22) (b21 + b22) */
};

struct multiply {
    struct matrix a;
    struct matrix b;
    struct matrix product;
    size_t n;
    double *room; /* for the seven products of half the size */
};

static double *entries[3]; /* a, b and their product */
static double *root_room;
static size_t side;
static bool has_result;

static struct matrix quarter(struct matrix whole, size_t half, size_t number)
{
    whole.at += number / 2 * half * whole.stride + number % 2 * half;
    return whole;
}

/* ---- the kernels ----------------------------------------------------------------- */

static void multiply_block(const struct multiply *job)
{
    for (size_t i = 0; i < job->n; i++) {
        double *restrict row = job->product.at + i * job->product.stride;

        for (size_t j = 0; j < BLOCK; j++)
            row[j] = 0;
        for (size_t k = 0; k < BLOCK; k++) {
            double factor = job->a.at[i * job->a.stride + k];
            const double *restrict other = job->b.at + k * job->b.stride;

            for (size_t j = 0; j < BLOCK; j++)
                row[j] += factor * other[j];
        }
    }
}

static struct matrix make_factor(struct matrix of, const struct factor *factor, size_t n,
                                 double *room)
{
    struct matrix first = quarter(of, n, factor->first);
    struct matrix second = quarter(of, n, factor->second);
    double sign = factor->sign;

    if (factor->sign == 0)
        return first;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            room[i * n + j] =
                first.at[i * first.stride + j] + sign * second.at[i * second.stride + j];
    }
    return (struct matrix){room, n};
}

/* The product of that number, but for the multiplication and its room. */
static struct multiply make_product(const struct multiply *job, size_t number)
{
    size_t n = job->n / 2;
    double *room = job->room + 3 * number * n * n;

    return (struct multiply){
        make_factor(job->a, &factors[number][0], n, room),
        make_factor(job->b, &factors[number][1], n, room + n * n),
        {room + 2 * n * n, n},
        n,
        NULL,
    };
}

static void sum_products(const struct multiply *job)
{
    size_t n = job->n / 2;
    size_t stride = job->product.stride;

    for (size_t i = 0; i < n; i++) {
        const double *m = job->room + (2 * n + i) * n; /* row i of the first product */
        double *top = job->product.at + i * stride;
        double *bottom = top + n * stride;
        size_t next = 3 * n * n;

        for (size_t j = 0; j < n; j++, m++) {
            top[j] = m[0] + m[3 * next] - m[4 * next] + m[6 * next];
            top[n + j] = m[2 * next] + m[4 * next];
            bottom[j] = m[next] + m[3 * next];
            bottom[n + j] = m[0] - m[next] + m[2 * next] + m[5 * next];
        }
    }
}

static size_t room_bytes(size_t n)
{
    return PRODUCTS * 3 * (n / 2) * (n / 2) * sizeof(double);
}

static void make_room(struct multiply *job)
{
    job->room = malloc(room_bytes(job->n));
    if (!job->room)
        abort(); /* no memory in the middle of a benchmark */
}

static void multiply(struct multiply *job)
{
    bool is_root = job->room;

    if (job->n <= BLOCK) {
        multiply_block(job);
        return;
    }
    if (!is_root)
        make_room(job);
    for (size_t i = 0; i < PRODUCTS; i++) {
        struct multiply product = make_product(job, i);

        multiply(&product);
    }
    sum_products(job);
    if (!is_root)
        free(job->room);
}

/* ---- input and result ------------------------------------------------------------ */

static void release(void)
{
    for (int i = 0; i < 3; i++) {
        free(entries[i]);
        entries[i] = NULL;
    }
    free(root_room);
    root_room = NULL;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t sides[] = {
        [BENCH_TINY] = 256, [BENCH_QUICK] = 512, [BENCH_FULL] = 1024};
    uint32_t seed = 1;

    side = sides[request->scale];
    for (int i = 0; i < 3; i++)
        entries[i] = calloc(side * side, sizeof *entries[i]);
    root_room = calloc(1, room_bytes(side));
    if (!entries[0] || !entries[1] || !entries[2] || !root_room) {
        release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < side * side; i++) {
        entries[0][i] = floor(bench_random(&seed) * 9) - 4;
        entries[1][i] = floor(bench_random(&seed) * 9) - 4;
    }
    snprintf(input->title, sizeof input->title, "Strassen's matrix product");
    snprintf(input->size, sizeof input->size, "%zu x %zu", side, side);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no forks: a list of the products two levels down";
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(entries[2], side * side * sizeof *entries[2]);
    memset(entries[2], 0, side * side * sizeof *entries[2]);
    return sum;
}

static struct multiply whole(void)
{
    return (struct multiply){
        {entries[0], side}, {entries[1], side}, {entries[2], side}, side, root_room};
}

static int run_serial(const struct bench_team *team)
{
    struct multiply all = whole();

    (void)team;
    multiply(&all);
    has_result = true;
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct levels {
    struct multiply root;
    struct multiply below[PRODUCTS];
};

static void factors_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct levels *levels = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++) {
        levels->below[i] = make_product(&levels->root, i);
        make_room(&levels->below[i]);
    }
}

static void products_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct levels *levels = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++) {
        struct multiply product =
            make_product(&levels->below[i / PRODUCTS], i % PRODUCTS);

        multiply(&product);
    }
}

static void sums_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct levels *levels = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++) {
        sum_products(&levels->below[i]);
        free(levels->below[i].room);
    }
}

static int run_channel(const struct bench_team *team)
{
    struct levels levels = {.root = whole()};
    int err = channel_pool_for(team->channel, 0, PRODUCTS, factors_body, &levels);

    if (!err)
        err = channel_pool_for(team->channel, 0, PRODUCTS * PRODUCTS, products_body,
                               &levels);
    if (!err)
        err = channel_pool_for(team->channel, 0, PRODUCTS, sums_body, &levels);
    if (!err)
        sum_products(&levels.root);
    has_result = !err;
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static void multiply_openmp(struct multiply *job)
{
    bool is_root = job->room;

    if (job->n <= CUT) {
        multiply(job);
        return;
    }
    if (!is_root)
        make_room(job);
    for (size_t i = 0; i < PRODUCTS; i++) {
#pragma omp task firstprivate(i)
        {
            struct multiply product = make_product(job, i);

            multiply_openmp(&product);
        }
    }
#pragma omp taskwait
    sum_products(job);
    if (!is_root)
        free(job->room);
}

static int run_openmp(const struct bench_team *team)
{
    struct multiply all = whole();

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    multiply_openmp(&all);
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

struct branch {
    const struct multiply *job;
    size_t number;
};

static int multiply_filch(struct multiply *job);

static int multiply_branch(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct branch *branch = ctx;
    struct multiply product = make_product(branch->job, branch->number);

    (void)w, (void)scope;
    return multiply_filch(&product);
}

static int spawn_branches(filch_worker *w, filch_scope *scope, void *ctx)
{
    int err = 0;

    for (size_t i = 0; i < PRODUCTS && !err; i++) {
        struct branch branch = {ctx, i};

        err = filch_spawn(w, scope, multiply_branch, &branch, sizeof branch);
    }
    return err;
}

static int multiply_filch(struct multiply *job)
{
    bool is_root = job->room;
    int err;

    if (job->n <= CUT) {
        multiply(job);
        return 0;
    }
    if (!is_root)
        make_room(job);
    err = filch_scope(spawn_branches, job);
    sum_products(job);
    if (!is_root)
        free(job->room);
    return err;
}

static int enter(filch_worker *w, void *ctx)
{
    (void)w;
    return multiply_filch(ctx);
}

static int run_filch(const struct bench_team *team)
{
    struct multiply all = whole();

    has_result = true;
    return filch_run(enter, &all, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void multiply_peer(void *ctx);

static void products_part(size_t begin, size_t end, void *ctx)
{
    for (size_t i = begin; i < end; i++) {
        struct multiply product = make_product(ctx, i);

        multiply_peer(&product);
    }
}

static void multiply_peer(void *ctx)
{
    struct multiply *job = ctx;
    bool is_root = job->room;

    if (job->n <= CUT) {
        multiply(job);
        return;
    }
    if (!is_root)
        make_room(job);
    team_peer->loop(NULL, PRODUCTS, 1, products_part, job);
    sum_products(job);
    if (!is_root)
        free(job->room);
}

static int run_peer(const struct bench_team *team)
{
    struct multiply all = whole();

    has_result = true;
    team_run(team, multiply_peer, &all);
    return 0;
}

const struct bench_work bench_strassen = {
    .name = "strassen",
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
