/* fib_bench.c - what does one fork and join cost, when nothing is cut off?
 *
 * Two works, which differ in filch's candidate: fork and reclaim, inline; and filch_join,
 * which passes arguments and results through memory.
 *
 * fib(n) with two branches at every call; the answer is nanoseconds per call. Serial and
 * filch compute a large fib; those who need ten or a hundred times as long for each call,
 * a smaller one. What cut-off by hand gets is cutoff_bench.c's question.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static unsigned fib_n;

static uint64_t fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    /* By scale. */
    static const unsigned light[] = {18, 32, 35};
    static const unsigned medium[] = {18, 28, 31};
    static const unsigned heavy[] = {14, 22, 25};
    static const unsigned *const sizes[BENCH_CANDIDATES] = {
        [BENCH_SERIAL] = light, [BENCH_FILCH] = light, [BENCH_CHANNEL] = heavy,
        [BENCH_OPENMP] = heavy, [BENCH_TBB] = medium,  [BENCH_RAYON] = medium};

    fib_n = sizes[request->candidate][request->scale];
    snprintf(input->title, sizeof input->title, "fib, a task at every call");
    snprintf(input->size, sizeof input->size, "n = %u", fib_n);
    if (request->candidate == BENCH_CHANNEL)
        input->note = "no call waits: the branch that ends last goes on as its parent";
    input->item = "call";
    input->items = 2 * (double)fib(fib_n + 1) - 1;
    return 0;
}

static int prepare_join(const struct bench_request *request, struct bench_input *input)
{
    int err = prepare(request, input);

    snprintf(input->title, sizeof input->title, "fib, by filch_join");
    return err;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    bench_result = (double)fib(fib_n);
    return 0;
}

/* ---- channel pool ----
 * A worker must not wait for a job in its own channel, so a call does not wait: the
 * branch that ends last adds up and goes on as its parent. One branch is a job, the other
 * is run directly. */

struct call {
    struct channel_job job;
    struct call *parent;
    struct channel_pool *pool;
    struct oneshot *reply; /* of the root */
    unsigned n;
    atomic_uint branches_left;
    _Atomic uint64_t sum;
};

static struct call *call_new(struct call *parent, unsigned n);

static void call_finish(struct call *call, uint64_t value)
{
    for (;;) {
        struct call *parent = call->parent;

        if (!parent) {
            atomic_store_explicit(&call->sum, value, memory_order_relaxed);
            oneshot_send(call->reply, NULL);
            return;
        }
        free(call);
        /* The last one to count down sees what the first one added. */
        atomic_fetch_add_explicit(&parent->sum, value, memory_order_relaxed);
        if (atomic_fetch_sub_explicit(&parent->branches_left, 1, memory_order_acq_rel) >
            1)
            return;
        call = parent;
        value = atomic_load_explicit(&call->sum, memory_order_relaxed);
    }
}

static void call_run(struct channel_job *job)
{
    struct call *call = (struct call *)job;

    while (call->n >= 2) {
        struct call *left = call_new(call, call->n - 1);
        struct call *right = call_new(call, call->n - 2);

        if (!left || !right || channel_pool_send(call->pool, &right->job))
            abort(); /* no memory in the middle of a benchmark */
        call = left;
    }
    call_finish(call, call->n);
}

static struct call *call_new(struct call *parent, unsigned n)
{
    struct call *call = malloc(sizeof *call);

    if (!call)
        return NULL;
    call->job.run = call_run;
    call->parent = parent;
    call->pool = parent->pool;
    call->n = n;
    atomic_init(&call->branches_left, 2);
    atomic_init(&call->sum, 0);
    return call;
}

static int run_channel(const struct bench_team *team)
{
    struct oneshot reply;
    struct call root = {
        .job.run = call_run, .pool = team->channel, .reply = &reply, .n = fib_n};
    int err;

    atomic_init(&root.branches_left, 2);
    atomic_init(&root.sum, 0);
    oneshot_init(&reply);
    err = channel_pool_send(team->channel, &root.job);
    if (err)
        return err;
    oneshot_receive(&reply);
    bench_result = (double)atomic_load_explicit(&root.sum, memory_order_relaxed);
    return 0;
}

/* ---- OpenMP ---------------------------------------------------------------------- */

/* inline: so gcc unrolls the recursion by some levels, which it does for the serial
 * function, being small, without a word. */
static inline uint64_t fib_openmp(unsigned n)
{
    uint64_t left;
    uint64_t right;

    if (n < 2)
        return n;
#pragma omp task shared(right)
    right = fib_openmp(n - 2);
    left = fib_openmp(n - 1);
#pragma omp taskwait
    return left + right;
}

static int run_openmp(const struct bench_team *team)
{
    uint64_t sum = 0;

#pragma omp parallel num_threads(team->workers)
#pragma omp single
    sum = fib_openmp(fib_n);
    bench_result = (double)sum;
    return 0;
}

/* ---- peers ----------------------------------------------------------------------- */

static int run_peer(const struct bench_team *team)
{
    bench_result = (double)team->peer->fib(team->peer_team, fib_n);
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

struct branch {
    filch_job job;
    unsigned n;
    uint64_t sum;
};

static void branch_run(filch_worker *w, filch_job *job);

/* inline: see OpenMP's. */
static inline uint64_t fib_filch(filch_worker *w, unsigned n)
{
    struct branch right;
    uint64_t left;
    int64_t place;

    if (n < 2)
        return n;
    right.job.run = branch_run;
    right.n = n - 2;
    place = filch_fork(w, &right.job);
    left = fib_filch(w, n - 1);
    if (filch_reclaim(w, &right.job, place))
        return left + fib_filch(w, right.n);
    filch_await(w, &right.job);
    return left + right.sum;
}

static void branch_run(filch_worker *w, filch_job *job)
{
    struct branch *branch = (struct branch *)job;

    branch->sum = fib_filch(w, branch->n);
}

static int enter(filch_worker *w, void *ctx)
{
    (void)ctx;
    bench_result = (double)fib_filch(w, fib_n);
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    return filch_run(enter, NULL, .pool = team->filch);
}

/* ---- filch_join ------------------------------------------------------------------ */

struct argument {
    unsigned n;
    uint64_t sum;
};

static inline int fib_join(filch_worker *w, void *ctx)
{
    struct argument *call = ctx;
    struct argument left;
    struct argument right;

    if (call->n < 2) {
        call->sum = call->n;
        return 0;
    }
    left.n = call->n - 1;
    right.n = call->n - 2;
    filch_join(w, fib_join, &left, fib_join, &right); /* no call fails */
    call->sum = left.sum + right.sum;
    return 0;
}

static int run_filch_join(const struct bench_team *team)
{
    struct argument root = {.n = fib_n};
    int err = filch_run(fib_join, &root, .pool = team->filch);

    bench_result = (double)root.sum;
    return err;
}

const struct bench_work bench_fib = {
    .name = "fib",
    .prepare = prepare,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
};

const struct bench_work bench_fib_join = {
    .name = "fib-join",
    .prepare = prepare_join,
    .run = {run_serial, run_channel, run_openmp, run_filch_join, run_peer, run_peer},
};
