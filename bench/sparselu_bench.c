/* sparselu_bench.c - do many small tasks pay, a few hundred between two barriers?
 *
 * The LU factors, without pivots, of a matrix of blocks, most of which are empty at
 * first. A step for each block of the diagonal: it is factored; then the blocks of its
 * row and column, a task each, and all wait; then a task for each block that has both one
 * of these to its left and one above, and all wait. Blocks that were empty are allocated
 * then. A task is some microseconds; none is cut off, the blocks are the cut-off. The
 * channel pool has a loop over the tasks of each phase.
 *
 * Source: sparselu in the Barcelona OpenMP Tasks Suite, Duran and others, ICPP 2009: its
 * pattern; the entries are doubles here, and the diagonal is heavy.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define MOST_BLOCKS ((size_t)64) /* in a row */
#define SIDE        ((size_t)20) /* of a block */

struct block {
    double at[SIDE][SIDE]; /* [row][column] */
};

struct task {
    void (*run)(const struct task *task);
    const struct block *left;
    const struct block *top;
    struct block **inner; /* what is computed */
};

static struct block *matrix[MOST_BLOCKS][MOST_BLOCKS]; /* NULL: all zeros */
static struct task tasks[MOST_BLOCKS * MOST_BLOCKS];   /* of a phase */
static size_t blocks;
static bool has_result;

/* ---- the kernels ----------------------------------------------------------------- */

static void factor_diagonal(struct block *diagonal)
{
    for (size_t k = 0; k < SIDE; k++) {
        for (size_t i = k + 1; i < SIDE; i++) {
            diagonal->at[i][k] /= diagonal->at[k][k];
            for (size_t j = k + 1; j < SIDE; j++)
                diagonal->at[i][j] -= diagonal->at[i][k] * diagonal->at[k][j];
        }
    }
}

/* A block right of the diagonal (left). */
static void solve_row(const struct task *task)
{
    struct block *inner = *task->inner;

    for (size_t k = 0; k < SIDE; k++) {
        for (size_t i = k + 1; i < SIDE; i++) {
            for (size_t j = 0; j < SIDE; j++)
                inner->at[i][j] -= task->left->at[i][k] * inner->at[k][j];
        }
    }
}

/* A block below the diagonal (top). */
static void solve_column(const struct task *task)
{
    struct block *inner = *task->inner;

    for (size_t i = 0; i < SIDE; i++) {
        for (size_t k = 0; k < SIDE; k++) {
            inner->at[i][k] /= task->top->at[k][k];
            for (size_t j = k + 1; j < SIDE; j++)
                inner->at[i][j] -= inner->at[i][k] * task->top->at[k][j];
        }
    }
}

static void update_inner(const struct task *task)
{
    struct block *restrict inner = *task->inner;
    const struct block *restrict left = task->left;
    const struct block *restrict top = task->top;

    if (!inner) {
        *task->inner = inner = calloc(1, sizeof *inner);
        if (!inner)
            abort(); /* no memory in the middle of a benchmark */
    }
    for (size_t i = 0; i < SIDE; i++) {
        for (size_t k = 0; k < SIDE; k++) {
            for (size_t j = 0; j < SIDE; j++)
                inner->at[i][j] -= left->at[i][k] * top->at[k][j];
        }
    }
}

/* ---- the tasks of a step: how many ----------------------------------------------- */

static size_t note_row_and_column(size_t step)
{
    const struct block *diagonal = matrix[step][step];
    size_t count = 0;

    for (size_t i = step + 1; i < blocks; i++) {
        if (matrix[step][i])
            tasks[count++] = (struct task){solve_row, diagonal, NULL, &matrix[step][i]};
        if (matrix[i][step])
            tasks[count++] =
                (struct task){solve_column, NULL, diagonal, &matrix[i][step]};
    }
    return count;
}

static size_t note_inner(size_t step)
{
    size_t count = 0;

    for (size_t i = step + 1; i < blocks; i++) {
        for (size_t j = step + 1; j < blocks; j++) {
            if (matrix[i][step] && matrix[step][j])
                tasks[count++] = (struct task){update_inner, matrix[i][step],
                                               matrix[step][j], &matrix[i][j]};
        }
    }
    return count;
}

/* ---- input and result ------------------------------------------------------------ */

static bool is_empty(size_t row, size_t column)
{
    size_t least = row < column ? row : column;
    size_t distance = row + column - 2 * least;

    return distance > 1 && (least % 3 != 0 || row % 2 == 1 || column % 2 == 1);
}

static void release(void)
{
    for (size_t i = 0; i < blocks * blocks; i++) {
        free(matrix[i / blocks][i % blocks]);
        matrix[i / blocks][i % blocks] = NULL;
    }
}

/* Only those blocks that are there at first; false: no memory. */
static bool start_anew(void)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < blocks * blocks; i++) {
        struct block **block = &matrix[i / blocks][i % blocks];

        if (is_empty(i / blocks, i % blocks)) {
            free(*block);
            *block = NULL;
            continue;
        }
        if (!*block)
            *block = malloc(sizeof **block);
        if (!*block)
            return false;
        for (size_t j = 0; j < SIDE * SIDE; j++)
            (*block)->at[j / SIDE][j % SIDE] = 4 * bench_random(&seed) - 2;
        for (size_t j = 0; j < SIDE && i / blocks == i % blocks; j++)
            (*block)->at[j][j] += 2 * (double)(blocks * SIDE);
    }
    return true;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 10, [BENCH_QUICK] = 30, [BENCH_FULL] = MOST_BLOCKS};

    blocks = counts[request->scale];
    if (!start_anew()) {
        release();
        return -ENOMEM;
    }
    snprintf(input->title, sizeof input->title, "sparse LU, a task for each block");
    snprintf(input->size, sizeof input->size, "%zu^2 blocks of %zu^2", blocks, SIDE);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no tasks: a loop over the blocks of each phase";
    return 0;
}

static double take_result(void)
{
    double sum = 0;

    if (!has_result)
        return NAN;
    has_result = false;
    /* What differs in place, or in being there, shows by the factors. */
    for (size_t i = 0; i < blocks * blocks; i++) {
        const struct block *block = matrix[i / blocks][i % blocks];

        if (block)
            sum += (double)(i + 1) * fmod(bench_checksum(block, sizeof *block), 1 << 30);
    }
    if (!start_anew())
        abort(); /* no memory in the middle of a benchmark */
    return sum;
}

/* ---- serial and channel pool ----------------------------------------------------- */

static void tasks_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    (void)piece, (void)ctx;
    for (size_t i = begin; i < end; i++)
        tasks[i].run(&tasks[i]);
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t step = 0; step < blocks; step++) {
        factor_diagonal(matrix[step][step]);
        tasks_body(0, 0, note_row_and_column(step), NULL);
        tasks_body(0, 0, note_inner(step), NULL);
    }
    has_result = true;
    return 0;
}

static int run_channel(const struct bench_team *team)
{
    int err = 0;

    for (size_t step = 0; step < blocks && !err; step++) {
        factor_diagonal(matrix[step][step]);
        err = channel_pool_for(team->channel, 0, note_row_and_column(step), tasks_body,
                               NULL);
        if (!err)
            err = channel_pool_for(team->channel, 0, note_inner(step), tasks_body, NULL);
    }
    has_result = !err;
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static void run_phase_openmp(size_t count)
{
    for (size_t i = 0; i < count; i++) {
#pragma omp task firstprivate(i)
        tasks[i].run(&tasks[i]);
    }
#pragma omp taskwait
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    for (size_t step = 0; step < blocks; step++) {
        factor_diagonal(matrix[step][step]);
        run_phase_openmp(note_row_and_column(step));
        run_phase_openmp(note_inner(step));
    }
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int run_spawned(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct task *task = ctx;

    (void)w, (void)scope;
    task->run(task);
    return 0;
}

static int run_phase_filch(filch_worker *w, filch_scope *scope, size_t count)
{
    int err = 0;

    for (size_t i = 0; i < count && !err; i++)
        err = filch_spawn(w, scope, run_spawned, &tasks[i], 0);
    return err ? err : filch_sync(w, scope);
}

static int run_steps(filch_worker *w, filch_scope *scope, void *ctx)
{
    int err = 0;

    (void)ctx;
    for (size_t step = 0; step < blocks && !err; step++) {
        factor_diagonal(matrix[step][step]);
        err = run_phase_filch(w, scope, note_row_and_column(step));
        if (!err)
            err = run_phase_filch(w, scope, note_inner(step));
    }
    return err;
}

static int run_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_scope(run_steps, NULL, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void task_peer(void *ctx)
{
    run_spawned(NULL, NULL, ctx);
}

static void spawn_phase(void *scope, void *ctx)
{
    const size_t *count = ctx;

    for (size_t i = 0; i < *count; i++)
        team_peer->spawn(scope, task_peer, &tasks[i]);
}

static int inside_peer(const struct bench_team *team)
{
    (void)team;
    for (size_t step = 0; step < blocks; step++) {
        size_t count;

        factor_diagonal(matrix[step][step]);
        count = note_row_and_column(step);
        team_peer->scope(spawn_phase, &count);
        count = note_inner(step);
        team_peer->scope(spawn_phase, &count);
    }
    return 0;
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, inside_peer);
}

const struct bench_work bench_sparselu = {
    .name = "sparselu",
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
