/* quicksort_bench.c - does recursion pay whose halves are never equal?
 *
 * Quicksort of random 32-bit numbers: Hoare's partition around the median of three, then
 * both parts at the same time. Parts of up to NUMBERS_CUT are sorted serially. The first
 * partitions are serial, and bound how much faster anybody gets. For the channel pool
 * each part above the cut-off is a job, and none waits for another: there is nothing to
 * do after both parts.
 */
#include "bench.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "numbers.h"
#include "team.h"

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;

    *a = *b;
    *b = kept;
}

/* For n >= 3: returns where the second part begins, in [1, n - 1]; none of the first part
 * is larger than any of the second. */
static size_t partition(uint32_t *at, size_t n)
{
    size_t middle = n / 2;
    size_t i = 0;
    size_t j = n - 1;
    uint32_t pivot;

    if (at[middle] < at[0])
        swap(&at[middle], &at[0]);
    if (at[n - 1] < at[middle])
        swap(&at[n - 1], &at[middle]);
    if (at[middle] < at[0])
        swap(&at[middle], &at[0]);
    pivot = at[middle];
    for (;;) {
        while (at[++i] < pivot)
            ;
        while (at[--j] > pivot)
            ;
        if (i >= j)
            return i;
        swap(&at[i], &at[j]);
    }
}

static void sort(uint32_t *at, size_t n)
{
    while (n > NUMBERS_SMALL) {
        size_t first = partition(at, n);

        sort(at, first);
        at += first;
        n -= first;
    }
    numbers_sort_small(at, n);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = numbers_prepare(request, input);

    snprintf(input->title, sizeof input->title, "quicksort");
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no call waits: a job for each part";
    return err;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    sort(numbers, numbers_count);
    numbers_are_sorted = true;
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct sorting {
    struct channel_pool *pool;
    struct oneshot done;
    atomic_size_t jobs; /* not ended */
};

struct part {
    struct channel_job job;
    struct sorting *sorting;
    uint32_t *at;
    size_t n;
};

static void part_run(struct channel_job *job);

static int send_part(struct sorting *sorting, uint32_t *at, size_t n)
{
    struct part *part = malloc(sizeof *part);
    int err;

    if (!part)
        return -ENOMEM;
    *part = (struct part){{part_run}, sorting, at, n};
    atomic_fetch_add(&sorting->jobs, 1);
    err = channel_pool_send(sorting->pool, &part->job);
    if (err)
        free(part);
    return err;
}

static void part_run(struct channel_job *job)
{
    struct part *part = (struct part *)job;
    struct sorting *sorting = part->sorting;
    uint32_t *at = part->at;
    size_t n = part->n;

    free(part);
    while (n > NUMBERS_CUT) {
        size_t first = partition(at, n);

        if (send_part(sorting, at + first, n - first))
            abort(); /* no memory in the middle of a benchmark */
        n = first;
    }
    sort(at, n);
    if (atomic_fetch_sub(&sorting->jobs, 1) == 1)
        oneshot_send(&sorting->done, NULL);
}

static int run_channel(const struct bench_team *team)
{
    struct sorting sorting = {.pool = team->channel};
    int err;

    atomic_init(&sorting.jobs, 0);
    oneshot_init(&sorting.done);
    err = send_part(&sorting, numbers, numbers_count);
    if (err)
        return err;
    oneshot_receive(&sorting.done);
    numbers_are_sorted = true;
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

/* Nobody waits for a part: the end of the parallel region does. */
static void sort_openmp(uint32_t *at, size_t n)
{
    while (n > NUMBERS_CUT) {
        size_t first = partition(at, n);

#pragma omp task
        sort_openmp(at + first, n - first);
        n = first;
    }
    sort(at, n);
}

static int run_openmp(const struct bench_team *team)
{
#pragma omp parallel num_threads(team->workers)
#pragma omp single
    sort_openmp(numbers, numbers_count);
    numbers_are_sorted = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

struct range {
    uint32_t *at;
    size_t n;
};

static int sort_filch(filch_worker *w, void *ctx)
{
    const struct range *range = ctx;
    struct range left = *range;
    struct range right;

    if (range->n <= NUMBERS_CUT) {
        sort(range->at, range->n);
        return 0;
    }
    left.n = partition(range->at, range->n);
    right.at = range->at + left.n;
    right.n = range->n - left.n;
    return filch_join(w, sort_filch, &left, sort_filch, &right);
}

static int run_filch(const struct bench_team *team)
{
    struct range all = {numbers, numbers_count};

    numbers_are_sorted = true;
    return filch_run(sort_filch, &all, .pool = team->filch);
}

/* ---- peers ----------------------------------------------------------------------- */

static void sort_peer(void *ctx)
{
    const struct range *range = ctx;
    struct range left = *range;
    struct range right;

    if (range->n <= NUMBERS_CUT) {
        sort(range->at, range->n);
        return;
    }
    left.n = partition(range->at, range->n);
    right.at = range->at + left.n;
    right.n = range->n - left.n;
    team_peer->join(sort_peer, &left, sort_peer, &right);
}

static int run_peer(const struct bench_team *team)
{
    struct range all = {numbers, numbers_count};

    numbers_are_sorted = true;
    team_run(team, sort_peer, &all);
    return 0;
}

const struct bench_work bench_quicksort = {
    .name = "quicksort",
    .prepare = prepare,
    .release = numbers_release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = numbers_take_result,
};
