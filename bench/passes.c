/* passes.c - two passes over an array by hand; see passes.h. */
#include "passes.h"

#include <errno.h>
#include <omp.h>
#include <string.h>

#include "team.h"

#define MOST_PIECES 4096

struct shares {
    const struct passes *passes;
    uint64_t before[MOST_PIECES + 1]; /* of each piece, first what it has itself */
};

/* What comes before each, and at the end all of it. */
static void add_up(struct shares *shares, size_t pieces)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < pieces; i++) {
        uint64_t own = shares->before[i];

        shares->before[i] = sum;
        sum += own;
    }
    shares->before[pieces] = sum;
}

static void measure_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct shares *shares = ctx;

    shares->before[piece] = shares->passes->measure(begin, end);
}

static void place_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    struct shares *shares = ctx;

    shares->passes->place(begin, end, shares->before[piece], shares->before[piece + 1]);
}

int passes_channel(const struct bench_team *team, const struct passes *passes,
                   uint64_t *total)
{
    static struct shares shares;
    size_t pieces = channel_pool_pieces(team->channel);
    int err;

    if (pieces > MOST_PIECES)
        return -ENOMEM;
    shares.passes = passes;
    memset(shares.before, 0, sizeof *shares.before * pieces); /* few items make fewer */
    err = channel_pool_for(team->channel, 0, passes->count, measure_piece, &shares);
    add_up(&shares, pieces);
    *total = shares.before[pieces];
    return err ? err
               : channel_pool_for(team->channel, 0, passes->count, place_piece, &shares);
}

int passes_openmp(const struct bench_team *team, const struct passes *passes,
                  uint64_t *total)
{
    static struct shares shares;
    size_t count = passes->count;

    if (team->workers > MOST_PIECES)
        return -ENOMEM;
    shares.passes = passes;
#pragma omp parallel num_threads(team->workers)
    {
        size_t threads = (size_t)omp_get_num_threads();
        size_t thread = (size_t)omp_get_thread_num();
        size_t begin = count * thread / threads, end = count * (thread + 1) / threads;

        measure_piece(thread, begin, end, &shares);
#pragma omp barrier
#pragma omp single
        {
            add_up(&shares, threads);
            *total = shares.before[threads];
        }
        place_piece(thread, begin, end, &shares);
    }
    return 0;
}
