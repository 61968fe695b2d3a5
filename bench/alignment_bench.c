/* alignment_bench.c - do tasks pay that are one for each pair, and differ in size?
 *
 * The scores of the best alignments of all pairs of some chains of 20 letters, like
 * proteins, end to end, with gaps that cost more to open than to extend. Chains are drawn
 * with lengths from SHORTEST to LONGEST, and a pair takes time in proportion to the
 * product of two: some microseconds to a tenth of a millisecond. A pair is a task for
 * all; nothing is cut off. The scores of letters are drawn too: no measured table is
 * needed to compare times.
 *
 * Source: Gotoh, An Improved Algorithm for Matching Biological Sequences, 1982.
 */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define MOST_SEQUENCES ((size_t)60)
#define MOST_PAIRS     (MOST_SEQUENCES * (MOST_SEQUENCES - 1) / 2)
#define SHORTEST       40
#define LONGEST        240
#define LETTERS        20
#define GAP_OPEN       10
#define GAP_EXTEND     1
#define NEVER          (INT_MIN / 2) /* a score: less than any, and can become less */

struct sequence {
    size_t length;
    unsigned char letters[LONGEST];
};

static struct sequence sequences[MOST_SEQUENCES];
static int letter_scores[LETTERS][LETTERS];
static size_t count;
static int scores[MOST_PAIRS];
static bool has_result;

static inline int larger(int a, int b)
{
    return a > b ? a : b;
}

static int align(const struct sequence *a, const struct sequence *b)
{
    int best[LONGEST + 1];  /* of what is until here of b, with the letters of a so far */
    int gap_a[LONGEST + 1]; /* the same, where a letter of a is last, in a gap of b */

    best[0] = 0;
    for (size_t j = 1; j <= b->length; j++) {
        best[j] = -GAP_OPEN - (int)j * GAP_EXTEND;
        gap_a[j] = NEVER;
    }
    for (size_t i = 1; i <= a->length; i++) {
        const int *letter = letter_scores[a->letters[i - 1]];
        int before = best[0];
        int gap_b = NEVER;

        best[0] = -GAP_OPEN - (int)i * GAP_EXTEND;
        for (size_t j = 1; j <= b->length; j++) {
            int matched = before + letter[b->letters[j - 1]];

            gap_b = larger(gap_b, best[j - 1] - GAP_OPEN) - GAP_EXTEND;
            gap_a[j] = larger(gap_a[j], best[j] - GAP_OPEN) - GAP_EXTEND;
            before = best[j];
            best[j] = larger(matched, larger(gap_a[j], gap_b));
        }
    }
    return best[b->length];
}

static size_t pair_count(void)
{
    return count * (count - 1) / 2;
}

/* Where the score of a pair is, for i < j. */
static int *score_of(size_t i, size_t j)
{
    return &scores[j * (j - 1) / 2 + i];
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 6, [BENCH_QUICK] = 30, [BENCH_FULL] = MOST_SEQUENCES};
    uint32_t seed = 1;

    count = counts[request->scale];
    for (size_t i = 0; i < LETTERS; i++) {
        for (size_t j = 0; j < i; j++)
            letter_scores[i][j] = letter_scores[j][i] =
                (int)(bench_random(&seed) * 6) - 4;
        letter_scores[i][i] = 4 + (int)(bench_random(&seed) * 6);
    }
    for (size_t i = 0; i < count; i++) {
        sequences[i].length =
            SHORTEST + (size_t)(bench_random(&seed) * (LONGEST - SHORTEST + 1));
        for (size_t j = 0; j < sequences[i].length; j++)
            sequences[i].letters[j] = (unsigned char)(bench_random(&seed) * LETTERS);
    }
    snprintf(input->title, sizeof input->title, "sequence alignment, all pairs");
    snprintf(input->size, sizeof input->size, "%zu sequences", count);
    input->item = "pair";
    input->items = (double)pair_count();
    return 0;
}

static double take_result(void)
{
    double sum;

    if (!has_result)
        return NAN;
    has_result = false;
    sum = bench_checksum(scores, pair_count() * sizeof scores[0]);
    memset(scores, 0, sizeof scores);
    return sum;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    for (size_t j = 1; j < count; j++) {
        for (size_t i = 0; i < j; i++)
            *score_of(i, j) = align(&sequences[i], &sequences[j]);
    }
    has_result = true;
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct pair_job {
    struct channel_job job;
    size_t i, j;
    atomic_size_t *left;
    struct oneshot *done;
};

static void pair_run(struct channel_job *job)
{
    struct pair_job *pair = (struct pair_job *)job;

    *score_of(pair->i, pair->j) = align(&sequences[pair->i], &sequences[pair->j]);
    if (atomic_fetch_sub(pair->left, 1) == 1)
        oneshot_send(pair->done, NULL);
}

static int run_channel(const struct bench_team *team)
{
    static struct pair_job pairs[MOST_PAIRS];
    struct pair_job *pair = pairs;
    struct oneshot done;
    atomic_size_t left;

    atomic_init(&left, pair_count());
    oneshot_init(&done);
    for (size_t j = 1; j < count; j++) {
        for (size_t i = 0; i < j; i++, pair++) {
            *pair = (struct pair_job){{pair_run}, i, j, &left, &done};
            if (channel_pool_send(team->channel, &pair->job))
                abort(); /* no memory in the middle of a benchmark */
        }
    }
    oneshot_receive(&done);
    has_result = true;
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    for (size_t j = 1; j < count; j++) {
        for (size_t i = 0; i < j; i++) {
#pragma omp task firstprivate(i, j)
            *score_of(i, j) = align(&sequences[i], &sequences[j]);
        }
    }
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

struct pair {
    size_t i, j;
};

static int align_pair(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct pair *pair = ctx;

    (void)w, (void)scope;
    *score_of(pair->i, pair->j) = align(&sequences[pair->i], &sequences[pair->j]);
    return 0;
}

static int spawn_pairs(filch_worker *w, filch_scope *scope, void *ctx)
{
    int err = 0;

    (void)ctx;
    for (size_t j = 1; j < count; j++) {
        for (size_t i = 0; i < j && !err; i++)
            err = filch_spawn(w, scope, align_pair, &(struct pair){i, j},
                              sizeof(struct pair));
    }
    return err;
}

static int run_filch(const struct bench_team *team)
{
    has_result = true;
    return filch_scope(spawn_pairs, NULL, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void pair_peer(void *ctx)
{
    align_pair(NULL, NULL, ctx);
}

static void spawn_peer(void *scope, void *ctx)
{
    struct pair *pair = ctx;

    for (size_t j = 1; j < count; j++) {
        for (size_t i = 0; i < j; i++, pair++) {
            *pair = (struct pair){i, j};
            team_peer->spawn(scope, pair_peer, pair);
        }
    }
}

static int inside_peer(const struct bench_team *team)
{
    static struct pair pairs[MOST_PAIRS];

    (void)team;
    team_peer->scope(spawn_peer, pairs);
    return 0;
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_enter(team, inside_peer);
}

const struct bench_work bench_alignment = {
    .name = "alignment",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
