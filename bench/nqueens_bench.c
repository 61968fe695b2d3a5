/* nqueens_bench.c - can a search be written with a task at every level, without thinking
 * of a cut-off, and still win?
 *
 * All solutions of n queens, by placing one a row on a board that is checked against the
 * rows above. At every safe place OpenMP makes a task of the rows below, filch a job of
 * the rest of the row, and the peers join both. The channel pool cannot (see
 * fib_bench.c); it gets what its author would write: the safe places of the first two
 * rows as a list, and a loop over it. Serial makes no copies of the board; filch only
 * where something is stolen, the others at every safe place.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define MAX_QUEENS 16

struct board {
    signed char column[MAX_QUEENS]; /* of the queen in each row */
};

static int queens;

static bool is_safe(const struct board *board, int row, int column)
{
    for (int above = 0; above < row; above++) {
        int distance = board->column[above] - column;

        if (distance == 0 || distance == row - above || distance == above - row)
            return false;
    }
    return true;
}

/* Solutions with the rows above row as they are. */
static uint64_t solve(struct board *board, int row)
{
    uint64_t solutions = 0;

    if (row == queens)
        return 1;
    for (int column = 0; column < queens; column++) {
        if (is_safe(board, row, column)) {
            board->column[row] = (signed char)column;
            solutions += solve(board, row + 1);
        }
    }
    return solutions;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const int sizes[] = {[BENCH_TINY] = 7, [BENCH_QUICK] = 11, [BENCH_FULL] = 12};

    queens = sizes[request->scale];
    snprintf(input->title, sizeof input->title, "n queens, a task at every level");
    snprintf(input->size, sizeof input->size, "n = %d", queens);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no task at every level: a list of the first two rows' safe places";
    return 0;
}

static int run_serial(const struct bench_team *team)
{
    struct board board;

    (void)team;
    bench_result = (double)solve(&board, 0);
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct openings {
    struct board board[MAX_QUEENS * MAX_QUEENS]; /* two queens each */
    uint64_t solutions[MAX_QUEENS * MAX_QUEENS];
};

static void solve_openings(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct openings *openings = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++)
        openings->solutions[i] = solve(&openings->board[i], 2);
}

static int run_channel(const struct bench_team *team)
{
    struct openings openings;
    size_t count = 0;
    uint64_t solutions = 0;
    int err;

    for (int i = 0; i < queens * queens; i++) {
        struct board *board = &openings.board[count];

        board->column[0] = (signed char)(i / queens);
        board->column[1] = (signed char)(i % queens);
        count += is_safe(board, 1, i % queens);
    }
    err = channel_pool_for(team->channel, 0, count, solve_openings, &openings);
    for (size_t i = 0; i < count && !err; i++)
        solutions += openings.solutions[i];
    bench_result = (double)solutions;
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static uint64_t solve_openmp(const struct board *board, int row);

/* With one more queen. */
static uint64_t solve_below(const struct board *board, int row, int column)
{
    struct board child = *board;

    child.column[row] = (signed char)column;
    return solve_openmp(&child, row + 1);
}

/* A task for each safe place, but for the last one, which the parent goes on with. */
static uint64_t solve_openmp(const struct board *board, int row)
{
    uint64_t solutions[MAX_QUEENS];
    uint64_t sum;
    int children = 0;
    int last = -1;

    if (row == queens)
        return 1;
    for (int column = 0; column < queens; column++) {
        if (!is_safe(board, row, column))
            continue;
        if (last >= 0) {
#pragma omp task shared(solutions) firstprivate(children, last)
            solutions[children] = solve_below(board, row, last);
            children++;
        }
        last = column;
    }
    sum = last < 0 ? 0 : solve_below(board, row, last);
#pragma omp taskwait
    for (int i = 0; i < children; i++)
        sum += solutions[i];
    return sum;
}

static int run_openmp(const struct bench_team *team)
{
    const struct board board = {{0}};
    uint64_t solutions = 0;

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    solutions = solve_openmp(&board, 0);
    bench_result = (double)solutions;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

/* The rest of a row, which a thief may take while the forker goes on with the rows below:
 * the columns in the same order as in the serial search, one fork for each safe place.
 * The board is the forker's, and only who steals copies it: until the reclaim, the forker
 * changes no row above this one. */
struct rest {
    filch_job job;
    struct board *board;
    int row, column;
    uint64_t solutions;
};

static void rest_run(filch_worker *w, filch_job *job);

static uint64_t solve_filch(filch_worker *w, struct board *board, int row, int column)
{
    uint64_t solutions = 0;

    if (row == queens)
        return 1;
    for (; column < queens; column++) {
        if (is_safe(board, row, column)) {
            struct rest rest;
            int64_t place;

            rest.job.run = rest_run;
            rest.board = board;
            rest.row = row;
            rest.column = column + 1;
            place = filch_fork(w, &rest.job);
            board->column[row] = (signed char)column;
            solutions += solve_filch(w, board, row + 1, 0);
            if (!filch_reclaim(w, &rest.job, place)) {
                filch_await(w, &rest.job);
                return solutions + rest.solutions;
            }
        }
    }
    return solutions;
}

static void rest_run(filch_worker *w, filch_job *job)
{
    struct rest *rest = (struct rest *)job;
    struct board board;

    memcpy(board.column, rest->board->column, (size_t)rest->row);
    rest->solutions = solve_filch(w, &board, rest->row, rest->column);
}

static int enter(filch_worker *w, void *ctx)
{
    struct board board;

    (void)ctx;
    bench_result = (double)solve_filch(w, &board, 0, 0);
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    return filch_run(enter, NULL, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

/* A row from a column on, with the rows below; and where its result goes. */
struct row {
    const struct board *board; /* with the rows above */
    int row, column;
    uint64_t solutions;
};

static void solve_peer(void *ctx);

/* With the queen where it is safe. */
static void place_peer(void *ctx)
{
    struct row *row = ctx;
    struct board board = *row->board;
    struct row below = {&board, row->row + 1, 0, 0};

    board.column[row->row] = (signed char)row->column;
    solve_peer(&below);
    row->solutions = below.solutions;
}

static void solve_peer(void *ctx)
{
    struct row *row = ctx;
    struct row here = *row;
    struct row rest;

    row->solutions = here.row == queens;
    if (here.row == queens)
        return;
    while (here.column < queens && !is_safe(here.board, here.row, here.column))
        here.column++;
    if (here.column == queens)
        return;
    rest = here;
    rest.column++;
    team_peer->join(place_peer, &here, solve_peer, &rest);
    row->solutions = here.solutions + rest.solutions;
}

static int run_peer(const struct bench_team *team)
{
    const struct board board = {{0}};
    struct row first = {&board, 0, 0, 0};

    team_run(team, solve_peer, &first);
    bench_result = (double)first.solutions;
    return 0;
}

const struct bench_work bench_nqueens = {
    .name = "nqueens",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
};
