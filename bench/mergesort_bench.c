/* mergesort_bench.c - does a recursion pay that has a second one inside?
 *
 * Merge sort of random 32-bit numbers, to and from a second array. Both halves are sorted
 * at the same time; then they are merged at the same time too: where the middle of the
 * longer one belongs in the other is found by binary search, and both sides of that are
 * independent. Up to NUMBERS_CUT, sorting and merging are serial, for all candidates.
 *
 * The channel pool cannot wait in a call (see fib_bench.c): it gets a loop over the
 * pieces that are sorted serially, then one for each level of merges, each of which is
 * cut as the others cut theirs.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "team.h"

/* Two sorted arrays, into a third. */
struct merge {
    const uint32_t *a;
    const uint32_t *b;
    size_t a_count;
    size_t b_count;
    uint32_t *out;
};

static void merge(const struct merge *merge)
{
    const uint32_t *a = merge->a;
    const uint32_t *b = merge->b;
    const uint32_t *a_end = a + merge->a_count;
    const uint32_t *b_end = b + merge->b_count;
    uint32_t *out = merge->out;

    while (a < a_end && b < b_end) {
        bool is_b = *b < *a;

        *out++ = is_b ? *b : *a;
        a += !is_b;
        b += is_b;
    }
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    out += a_end - a;
    memcpy(out, b, (size_t)(b_end - b) * sizeof *b);
}

/* How many numbers of a sorted array are less. */
static size_t count_less(const uint32_t *at, size_t n, uint32_t number)
{
    size_t begin = 0;

    while (begin < n) {
        size_t middle = begin + (n - begin) / 2;

        if (at[middle] < number)
            begin = middle + 1;
        else
            n = middle;
    }
    return begin;
}

static bool is_large(const struct merge *merge)
{
    return merge->a_count + merge->b_count > NUMBERS_CUT;
}

/* In two that are independent. */
static void split(const struct merge *whole, struct merge *low, struct merge *high)
{
    struct merge ordered = *whole;

    if (ordered.a_count < ordered.b_count)
        ordered = (struct merge){whole->b, whole->a, whole->b_count, whole->a_count,
                                 whole->out};
    *low = *high = ordered;
    low->a_count /= 2;
    low->b_count = count_less(ordered.b, ordered.b_count, ordered.a[low->a_count]);
    high->a += low->a_count;
    high->b += low->b_count;
    high->a_count -= low->a_count;
    high->b_count -= low->b_count;
    high->out += low->a_count + low->b_count;
}

/* at, and room for as many; the result is in either. */
struct sort {
    uint32_t *at;
    uint32_t *room;
    size_t n;
    bool is_to_room;
};

static void halve(const struct sort *sort, struct sort *left, struct sort *right)
{
    size_t half = sort->n / 2;

    *left = (struct sort){sort->at, sort->room, half, !sort->is_to_room};
    *right = (struct sort){sort->at + half, sort->room + half, sort->n - half,
                           !sort->is_to_room};
}

static struct merge merge_of(const struct sort *sort)
{
    const uint32_t *from = sort->is_to_room ? sort->at : sort->room;
    size_t half = sort->n / 2;

    return (struct merge){from, from + half, half, sort->n - half,
                          sort->is_to_room ? sort->room : sort->at};
}

static void sort_serial(const struct sort *sort)
{
    struct sort left;
    struct sort right;
    struct merge both;

    if (sort->n <= NUMBERS_SMALL) {
        numbers_sort_small(sort->at, sort->n);
        if (sort->is_to_room)
            memcpy(sort->room, sort->at, sort->n * sizeof *sort->at);
        return;
    }
    halve(sort, &left, &right);
    sort_serial(&left);
    sort_serial(&right);
    both = merge_of(sort);
    merge(&both);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = numbers_prepare(request, input);

    snprintf(input->title, sizeof input->title, "merge sort, merged in parallel");
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no forks: a loop over the serial sorts, and one for each level";
    return err;
}

static struct sort whole(void)
{
    return (struct sort){numbers, numbers_room, numbers_count, false};
}

static int run_serial(const struct bench_team *team)
{
    struct sort all = whole();

    (void)team;
    sort_serial(&all);
    numbers_are_sorted = true;
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

/* A level of the recursion: its sorts, or its merges in small parts. */
struct level {
    struct sort *sorts;
    struct merge *merges;
    size_t sort_count;
    size_t merge_count;
};

static void note_sorts(struct level *level, const struct sort *sort, unsigned depth)
{
    struct sort left;
    struct sort right;

    if (depth == 0 || sort->n <= NUMBERS_CUT) {
        level->sorts[level->sort_count++] = *sort;
        return;
    }
    halve(sort, &left, &right);
    note_sorts(level, &left, depth - 1);
    note_sorts(level, &right, depth - 1);
}

static void note_merges(struct level *level, const struct merge *merge)
{
    struct merge low;
    struct merge high;

    if (!is_large(merge)) {
        level->merges[level->merge_count++] = *merge;
        return;
    }
    split(merge, &low, &high);
    note_merges(level, &low);
    note_merges(level, &high);
}

static void sorts_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    const struct level *level = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++)
        sort_serial(&level->sorts[i]);
}

static void merges_body(size_t piece, size_t begin, size_t end, void *ctx)
{
    const struct level *level = ctx;

    (void)piece;
    for (size_t i = begin; i < end; i++)
        merge(&level->merges[i]);
}

static int run_level(const struct bench_team *team, struct level *level, unsigned depth,
                     bool is_last)
{
    struct sort all = whole();

    level->sort_count = level->merge_count = 0;
    note_sorts(level, &all, depth);
    if (is_last)
        return channel_pool_for(team->channel, 0, level->sort_count, sorts_body, level);
    for (size_t i = 0; i < level->sort_count; i++) {
        struct merge both = merge_of(&level->sorts[i]);

        if (level->sorts[i].n > NUMBERS_CUT) /* else it was sorted by the last level */
            note_merges(level, &both);
    }
    return channel_pool_for(team->channel, 0, level->merge_count, merges_body, level);
}

static int run_channel(const struct bench_team *team)
{
    /* Halves of what is above the cut-off have at least half of it; of a merge's parts,
     * the smaller has at least a quarter. */
    size_t most = 4 * (numbers_count / NUMBERS_CUT) + 4;
    struct level level = {.sorts = malloc(most * sizeof *level.sorts),
                          .merges = malloc(2 * most * sizeof *level.merges)};
    unsigned depth = 0;
    int err = level.sorts && level.merges ? 0 : -ENOMEM;

    while ((numbers_count - 1) >> depth >=
           NUMBERS_CUT) /* the largest sort of the level has more */
        depth++;
    for (unsigned i = depth + 1; i-- > 0 && !err;)
        err = run_level(team, &level, i, i == depth);
    numbers_are_sorted = !err;
    free(level.sorts);
    free(level.merges);
    return err;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

static void merge_openmp(const struct merge *whole)
{
    struct merge low;
    struct merge high;

    if (!is_large(whole)) {
        merge(whole);
        return;
    }
    split(whole, &low, &high);
#pragma omp task shared(high)
    merge_openmp(&high);
    merge_openmp(&low);
#pragma omp taskwait
}

static void sort_openmp(const struct sort *sort)
{
    struct sort left;
    struct sort right;
    struct merge both;

    if (sort->n <= NUMBERS_CUT) {
        sort_serial(sort);
        return;
    }
    halve(sort, &left, &right);
#pragma omp task shared(right)
    sort_openmp(&right);
    sort_openmp(&left);
#pragma omp taskwait
    both = merge_of(sort);
    merge_openmp(&both);
}

static int run_openmp(const struct bench_team *team)
{
    struct sort all = whole();

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    sort_openmp(&all);
    numbers_are_sorted = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int merge_filch(filch_worker *w, void *ctx)
{
    struct merge low;
    struct merge high;

    if (!is_large(ctx)) {
        merge(ctx);
        return 0;
    }
    split(ctx, &low, &high);
    return filch_join(w, merge_filch, &low, merge_filch, &high);
}

static int sort_filch(filch_worker *w, void *ctx)
{
    const struct sort *sort = ctx;
    struct sort left;
    struct sort right;
    struct merge both;
    int err;

    if (sort->n <= NUMBERS_CUT) {
        sort_serial(sort);
        return 0;
    }
    halve(sort, &left, &right);
    err = filch_join(w, sort_filch, &left, sort_filch, &right);
    both = merge_of(sort);
    return err ? err : merge_filch(w, &both);
}

static int run_filch(const struct bench_team *team)
{
    struct sort all = whole();

    numbers_are_sorted = true;
    return filch_run(sort_filch, &all, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void merge_peer(void *ctx)
{
    struct merge low;
    struct merge high;

    if (!is_large(ctx)) {
        merge(ctx);
        return;
    }
    split(ctx, &low, &high);
    team_peer->join(merge_peer, &low, merge_peer, &high);
}

static void sort_peer(void *ctx)
{
    const struct sort *sort = ctx;
    struct sort left;
    struct sort right;
    struct merge both;

    if (sort->n <= NUMBERS_CUT) {
        sort_serial(sort);
        return;
    }
    halve(sort, &left, &right);
    team_peer->join(sort_peer, &left, sort_peer, &right);
    both = merge_of(sort);
    merge_peer(&both);
}

static int run_peer(const struct bench_team *team)
{
    struct sort all = whole();

    numbers_are_sorted = true;
    team_run(team, sort_peer, &all);
    return 0;
}

const struct bench_work bench_mergesort = {
    .name = "mergesort",
    .prepare = prepare,
    .release = numbers_release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = numbers_take_result,
};
