/* knapsack_bench.c - does a search pay whose parts cut each other short?
 *
 * The most valuable choice of items that are not too heavy together, by branch and bound:
 * items from the best price by weight down, each taken first and then left; a branch ends
 * when even a fraction of the next item, with all that is left, gets no more than the
 * best value yet, which all share. Weights and values go together, so that bounds are
 * close. Branches behind the first CUT items are serial.
 *
 * How much is searched depends on when a good choice is found: the times of all but
 * serial are noisy; they may be better than the number of workers allows, or worse than
 * serial's. The best value is always the same. For the channel pool each branch that
 * leaves one of the first items is a job, and none waits for another.
 */
#include "bench.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define MOST_ITEMS ((size_t)64)
#define CUT        ((size_t)16)

struct item {
    int64_t weight;
    int64_t value;
};

/* The items before the next one have been taken or left. */
struct branch {
    size_t next;
    int64_t room; /* for weight */
    int64_t value;
};

static struct item items[MOST_ITEMS];
static size_t count;
static int64_t capacity;
static _Atomic int64_t best;

/* Raises the best value; returns whether the branch cannot lead to a better one. Relaxed:
 * an older best value prunes less, no more. */
static bool is_over(const struct branch *branch)
{
    int64_t known = atomic_load_explicit(&best, memory_order_relaxed);
    const struct item *item = &items[branch->next];

    while (branch->value > known &&
           !atomic_compare_exchange_weak_explicit(
               &best, &known, branch->value, memory_order_relaxed, memory_order_relaxed))
        ;
    if (branch->value > known)
        known = branch->value;
    return branch->next == count ||
           branch->room * item->value < (known + 1 - branch->value) * item->weight;
}

static bool can_take(const struct branch *branch)
{
    return items[branch->next].weight <= branch->room;
}

static struct branch take(const struct branch *branch)
{
    const struct item *item = &items[branch->next];

    return (struct branch){branch->next + 1, branch->room - item->weight,
                           branch->value + item->value};
}

static struct branch leave(const struct branch *branch)
{
    return (struct branch){branch->next + 1, branch->room, branch->value};
}

static void search(const struct branch *branch)
{
    struct branch left = leave(branch);

    if (is_over(branch))
        return;
    if (can_take(branch)) {
        struct branch taken = take(branch);

        search(&taken);
    }
    search(&left);
}

static struct branch start_anew(void)
{
    atomic_store_explicit(&best, 0, memory_order_relaxed);
    return (struct branch){0, capacity, 0};
}

static void end(void)
{
    bench_result = (double)atomic_load_explicit(&best, memory_order_relaxed);
}

static int by_price(const void *a, const void *b)
{
    const struct item *left = a;
    const struct item *right = b;
    int64_t more = right->value * left->weight - left->value * right->weight;

    return (more > 0) - (more < 0);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 24, [BENCH_QUICK] = 40, [BENCH_FULL] = 44};
    uint32_t seed = 1;

    count = counts[request->scale];
    capacity = 0;
    for (size_t i = 0; i < count; i++) {
        items[i].weight = 1000 + (int64_t)(bench_random(&seed) * 9000);
        items[i].value = items[i].weight + 1000 + (int64_t)(bench_random(&seed) * 100);
        capacity += items[i].weight;
    }
    capacity /= 2;
    qsort(items, count, sizeof items[0], by_price);
    snprintf(input->title, sizeof input->title, "knapsack, branch and bound");
    snprintf(input->size, sizeof input->size, "%zu items", count);
    if (request->candidate != BENCH_SERIAL)
        input->note = "how much is searched differs from run to run";
    return 0;
}

static int run_serial(const struct bench_team *team)
{
    struct branch all = start_anew();

    (void)team;
    search(&all);
    end();
    return 0;
}

/* ---- channel pool ---------------------------------------------------------------- */

struct searching {
    struct channel_pool *pool;
    struct oneshot done;
    atomic_size_t jobs; /* not ended */
};

struct branch_job {
    struct channel_job job;
    struct searching *searching;
    struct branch branch;
};

static void branch_run(struct channel_job *job);

static int send_branch(struct searching *searching, struct branch branch)
{
    struct branch_job *job = malloc(sizeof *job);
    int err;

    if (!job)
        return -ENOMEM;
    *job = (struct branch_job){{branch_run}, searching, branch};
    atomic_fetch_add(&searching->jobs, 1);
    err = channel_pool_send(searching->pool, &job->job);
    if (err)
        free(job);
    return err;
}

static void branch_run(struct channel_job *job)
{
    struct branch_job *mine = (struct branch_job *)job;
    struct searching *searching = mine->searching;
    struct branch branch = mine->branch;

    free(mine);
    while (branch.next < CUT && !is_over(&branch)) {
        if (!can_take(&branch)) {
            branch = leave(&branch);
            continue;
        }
        if (send_branch(searching, leave(&branch)))
            abort(); /* no memory in the middle of a benchmark */
        branch = take(&branch);
    }
    search(&branch);
    if (atomic_fetch_sub(&searching->jobs, 1) == 1)
        oneshot_send(&searching->done, NULL);
}

static int run_channel(const struct bench_team *team)
{
    struct searching searching = {.pool = team->channel};
    int err;

    atomic_init(&searching.jobs, 0);
    oneshot_init(&searching.done);
    err = send_branch(&searching, start_anew());
    if (err)
        return err;
    oneshot_receive(&searching.done);
    end();
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

/* Nobody waits for a branch: the end of the parallel region does. */
static void search_openmp(struct branch branch)
{
    while (branch.next < CUT && !is_over(&branch)) {
        if (!can_take(&branch)) {
            branch = leave(&branch);
            continue;
        }
#pragma omp task
        search_openmp(leave(&branch));
        branch = take(&branch);
    }
    search(&branch);
}

static int run_openmp(const struct bench_team *team)
{
    struct branch all = start_anew();

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    search_openmp(all);
    end();
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int search_filch(filch_worker *w, void *ctx)
{
    struct branch *branch = ctx;
    struct branch taken;
    struct branch left;

    if (branch->next >= CUT) {
        search(branch);
        return 0;
    }
    if (is_over(branch))
        return 0;
    left = leave(branch);
    if (!can_take(branch))
        return search_filch(w, &left);
    taken = take(branch);
    return filch_join(w, search_filch, &taken, search_filch, &left);
}

static int run_filch(const struct bench_team *team)
{
    struct branch all = start_anew();
    int err = filch_run(search_filch, &all, .pool = team->filch);

    end();
    return err;
}

/* ---- peers ----------------------------------------------------------------------- */

static void search_peer(void *ctx)
{
    struct branch branch = *(struct branch *)ctx;

    while (branch.next < CUT && !is_over(&branch)) {
        struct branch taken;

        if (can_take(&branch)) {
            taken = take(&branch);
            branch = leave(&branch);
            team_peer->join(search_peer, &taken, search_peer, &branch);
            return;
        }
        branch = leave(&branch);
    }
    search(&branch);
}

static int run_peer(const struct bench_team *team)
{
    struct branch all = start_anew();

    team_run(team, search_peer, &all);
    end();
    return 0;
}

const struct bench_work bench_knapsack = {
    .name = "knapsack",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
};
