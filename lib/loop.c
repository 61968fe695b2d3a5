/* loop.c - whether a loop is shared, and by how many; see loop.h. */
#include "loop.h"
#include <errno.h>
#include "pool_life.h"

/* What a chunk of a shared loop is to take: long against what handing it out costs (some
 * 30 ns, and 500 when it is stolen), and short against what a join would wait for it. */
#define CHUNK_NS 8000u

/* In short loops it is less. With chunks of a time c, a loop of a time t on two workers
 * spends about (t / 2c) s on going from chunk to chunk, and c / 2 on waiting for the last
 * one: least together at c = sqrt(t s). */
#define STEP_NS        60u
#define LEAST_CHUNK_NS 1000u

/* What is in one corner of the range must not end up in a single chunk: so there are as
 * many as can be had for a hundredth of the loop's time, and so many for a worker when
 * that is not known. */
#define STEPS_SHARE  100
#define CHUNKS       128
#define LEAST_CHUNKS 8
#define MOST_CHUNKS  4096

/* What a caller alone runs between two looks at the clock, */
#define ALONE_CHUNK_NS 4000u
/* and how many times as much as it has seen so far: of a loop that is known to be small,
 * and of others, where the cost may be still to come. */
#define KNOWN_GROWTH 64
#define OTHER_GROWTH 1

/* What a loop costs alone is less than what it costs shared, when it is so short that
 * fetching its data counts. So of loops that barely pay for sharing, less than so many
 * times, one in so many begins alone, to find out whether they really do. */
#define BARELY       4
#define ALONE_SAMPLE 16

/* Loops that are known to be tiny (launch.h) are timed one time in so many. */
#define TINY_SAMPLE 16

/* A loop that cannot be shared takes a slot in the pool, for what is nested in it, if it
 * takes longer than so many times what the slot costs. */
#define SMALL_ALONE_NS 2000u

/* Time of a chunk that may be the clock's own, and the call's. */
#define CLOCK_NS 60u

#define PROGRESS_MS 100u

/* A call on its way. */
struct launch {
    const struct fl_loop_call *call;
    struct filch_pool *pool; /* NULL: there is no memory for one */
    uint64_t hash;           /* of the loop, among the costs */
    double ticks_per_item;   /* expected; 0: not known */
    double price;            /* in ticks: what it must take to be shared */
    uint32_t lanes;
    bool is_divisible; /* among workers */
    bool is_small;     /* its time is known not to pay for sharing */
    size_t at;         /* what lies below has been run, */
    uint64_t spent;    /* in so many ticks */
    struct fl_progress progress;
};

static uint32_t limit_lanes(uint32_t workers, const filch_opts *opts)
{
    return opts && opts->max_workers ? FL_MIN(opts->max_workers, workers) : workers;
}

uint32_t fl_loop_lanes(const struct fl_worker *worker, const filch_opts *opts)
{
    return limit_lanes(worker_parallelism(worker), opts);
}

static size_t grain_of(const struct fl_loop_call *call)
{
    return FL_MAX(call->grain, 1);
}

/* Whether its progress is to be told. */
static bool is_told(const struct fl_loop_call *call)
{
    return call->opts && call->opts->progress;
}

static const filch_cancel *cancel_of(const struct fl_loop_call *call)
{
    return call->opts ? call->opts->cancel : NULL;
}

static double expected_ticks(const struct launch *launch)
{
    return launch->ticks_per_item * (double)(launch->call->end - launch->at);
}

/* The caller has chosen the grain such that there is one for each worker: these are tasks
 * rather than items, and each worker gets its own at once. */
static bool is_task_list(const struct launch *launch)
{
    const struct fl_loop_call *call = launch->call;

    return call->grain > 0 && (call->end - call->begin) / call->grain <= launch->lanes;
}

/* What the rest must take to be shared. */
static double price_of(const struct launch *launch)
{
    struct filch_pool *pool = launch->pool;
    struct fl_launch *known = &pool->launch;
    double ticks = expected_ticks(launch);

    if (!launch->is_divisible)
        return (double)fl_ticks_of_ns(SMALL_ALONE_NS);
    if (launch_is_distrusted(known, ticks))
        return (double)fl_load_relaxed(&known->distrust_below); /* a hint */
    return (double)launch_price(known, &pool->lot);
}

/* The same before the loop begins, which may be one of many. */
static double price_at_first(const struct launch *launch)
{
    struct filch_pool *pool = launch->pool;
    double price = price_of(launch), ticks = expected_ticks(launch);

    if (ticks < price && ticks >= (double)pool->launch.spinning && launch->is_divisible &&
        launch_must_wake(&pool->lot) && !launch_is_distrusted(&pool->launch, ticks) &&
        fl_launch_missed_enough(&pool->launch, ticks, pool->spin_ns))
        return (double)pool->launch.spinning;
    return price;
}

static bool is_sampled(uint32_t one_in)
{
    static _Thread_local uint32_t calls __attribute__((tls_model("initial-exec")));

    return ++calls % one_in == 0;
}

static bool barely_pays(const struct launch *launch, double ticks)
{
    return ticks < BARELY * launch->price;
}

static bool find_if_small(const struct launch *launch)
{
    double ticks = expected_ticks(launch);

    return launch->ticks_per_item > 0 && !is_told(launch->call) &&
           !is_task_list(launch) &&
           (ticks < launch->price ||
            (barely_pays(launch, ticks) && is_sampled(ALONE_SAMPLE)));
}

/* worker: NULL for a caller in no slot. */
static void launch_init(struct launch *launch, const struct fl_loop_call *call,
                        struct fl_worker *worker, struct filch_pool *pool)
{
    size_t count = call->end - call->begin;
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;

    launch->call = call;
    launch->pool = pool;
    launch->at = call->begin;
    launch->spent = 0;
    launch->lanes = worker ? fl_loop_lanes(worker, call->opts)
                    : pool ? limit_lanes(pool->workers, call->opts)
                           : 1;
    launch->is_divisible = launch->lanes > 1 && count / 2 >= grain_of(call);
    launch->hash = cost_hash(identity, count);
    launch->ticks_per_item = pool ? (double)cost_recall(&pool->launch, launch->hash) : 0;
    launch->price = launch->ticks_per_item > 0 ? price_at_first(launch) : 0;
    launch->is_small = find_if_small(launch);
}

/* --- progress --------------------------------------------------------------------- */

/* Tell the user, if it is time. Returns what the user says: not 0 to cancel. */
static int progress_tell(struct fl_progress *progress, size_t done)
{
    uint64_t now_ns = fl_now_ns();
    int value;

    if (now_ns < progress->watch.next_ns)
        return 0;
    progress->watch.next_ns = now_ns + progress->every_ns;
    value = progress->function(done, progress->total, progress->ctx);
    if (value)
        progress->watch.next_ns = UINT64_MAX;
    return value;
}

/* Of a loop that is shared. */
static void progress_look(struct fl_watch *watch)
{
    struct fl_progress *progress = FL_CONTAINER_OF(watch, struct fl_progress, watch);
    struct fl_loop *loop = progress->loop;
    size_t left = (size_t)fl_load_relaxed(&loop->latch.remaining); /* a count to show */
    int value = progress_tell(progress, progress->total - left);

    if (value)
        fl_failure_record(&loop->failure, loop->origin, value);
}

static void progress_init(struct fl_progress *progress, const struct fl_loop_call *call)
{
    const filch_opts *opts = call->opts;
    uint32_t ms = opts->progress_ms ? opts->progress_ms : PROGRESS_MS;

    progress->function = opts->progress;
    progress->ctx = opts->ctx;
    progress->every_ns = (uint64_t)ms * 1000000u;
    progress->total = call->end - call->begin;
    progress->watch.look = progress_look;
    progress->watch.next_ns = fl_now_ns() + progress->every_ns;
}

/* --- alone ------------------------------------------------------------------------ */

/* The body, for [begin, end), in calls of the size that it wants. */
static int call_body(struct fl_worker *worker, const struct fl_loop_call *call,
                     size_t begin, size_t end)
{
    int value = 0;

    while (begin < end && value == 0) {
        size_t next = fl_call_end(begin, end, call->grain, call->max_chunk);

        value = call->body(worker_hot(worker), begin, next, call->ctx);
        begin = next;
    }
    return value;
}

/* So many items as come next, but none below the grain: neither these nor the last. */
static size_t not_below_grain(const struct launch *launch, size_t chunk)
{
    size_t left = launch->call->end - launch->at, grain = grain_of(launch->call);

    chunk = FL_MAX(chunk, grain);
    return left < chunk || left - chunk < grain ? left : chunk;
}

/* How many items come next, after so many that took so many ticks. */
static size_t next_chunk(const struct launch *launch, size_t items, uint64_t ticks)
{
    size_t done = launch->at - launch->call->begin;
    double rate = ticks > fl_ticks_of_ns(CLOCK_NS) ? (double)ticks / (double)items : 0;
    double fitting = (double)fl_ticks_of_ns(ALONE_CHUNK_NS) /
                     FL_MAX(FL_MAX(rate, launch->ticks_per_item), 1e-6);
    size_t off, growth = launch->is_small ? KNOWN_GROWTH : OTHER_GROWTH;
    size_t most = done > SIZE_MAX / growth ? SIZE_MAX : done * growth;
    size_t chunk = fitting < (double)most ? (size_t)fitting : most;

    chunk = FL_MIN(chunk, SIZE_MAX - done);
    /* Up to a multiple, for vector code. */
    off = (done + chunk) % FL_SPLIT_ALIGN;
    if (off < chunk)
        chunk -= off;
    if (launch->call->max_chunk && (is_told(launch->call) || cancel_of(launch->call)))
        chunk = FL_MIN(chunk, launch->call->max_chunk); /* a look after each call */
    return not_below_grain(launch, FL_MAX(chunk, 1));
}

/* Whether what is left has turned out to be worth sharing; then it is known better. */
static bool is_worth_sharing(struct launch *launch, size_t items, uint64_t ticks)
{
    const struct fl_loop_call *call = launch->call;
    size_t left = call->end - launch->at, done = launch->at - call->begin;
    double rate;

    if (!launch->is_divisible || left / 2 < grain_of(call) ||
        ticks <= fl_ticks_of_ns(CLOCK_NS))
        return false;
    rate = FL_MAX((double)ticks / (double)items, (double)launch->spent / (double)done);
    if (rate * (double)left < price_of(launch))
        return false;
    launch->ticks_per_item = rate;
    launch->price = price_of(launch);
    return true;
}

/* Range by range, with a look at the clock between them; until the end, an error, or what
 * is left is worth sharing. Returns the body's value. */
static int run_watched(struct fl_worker *worker, struct launch *launch)
{
    const struct fl_loop_call *call = launch->call;
    const filch_cancel *cancel = cancel_of(call);
    size_t chunk = not_below_grain(launch, 1);
    uint64_t then = fl_ticks(), now;

    while (launch->at < call->end) {
        size_t begin = launch->at;
        int value;

        if (cancel && filch_cancel_is_set(cancel))
            return -ECANCELED;
        value = call_body(worker, call, begin, begin + chunk);
        now = fl_ticks();
        then = fl_ticks_since(then, now);
        launch->at += chunk;
        launch->spent += then;
        if (value == 0 && is_told(call))
            value = progress_tell(&launch->progress, launch->at - call->begin);
        if (value)
            return value;
        if (is_worth_sharing(launch, chunk, then))
            return 0;
        chunk = next_chunk(launch, chunk, then);
        then = now;
    }
    return 0;
}

static void note_cost(const struct launch *launch, uint64_t ticks)
{
    double count = (double)(launch->call->end - launch->call->begin);

    if (launch->pool)
        cost_note(&launch->pool->launch, launch->hash,
                  (float)((double)FL_MAX(ticks, 1) / count));
}

/* A body that forks needs a slot, so that others can take its forks: for a while its loops
 * count as too long to go without. */
static void note_forks(struct filch_pool *pool, const struct fl_loop_call *call)
{
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;

    cost_note(&pool->launch, cost_hash(identity, call->end - call->begin), 1e15f);
}

/* On the caller alone, as the loop's only worker so far. */
static int run_alone(struct fl_worker *worker, struct launch *launch)
{
    const struct fl_loop_call *call = launch->call;
    struct fl_context context = worker->context;
    int value;

    worker->context =
        (struct fl_context){.lanes = launch->lanes, .cancel = cancel_of(call)};
    if (launch->is_divisible || cancel_of(call) || is_told(call)) {
        value = run_watched(worker, launch);
        if (value == 0 && launch->at == call->end)
            note_cost(launch, launch->spent);
    } else {
        uint64_t then = fl_ticks();

        value = call_body(worker, call, launch->at, call->end);
        launch->at = call->end;
        if (value == 0)
            note_cost(launch, launch->spent + fl_ticks_since(then, fl_ticks()));
    }
    worker->context = context;
    return value;
}

/* --- together --------------------------------------------------------------------- */

/* How many workers what is left pays for, the caller included. */
static uint32_t parts_for(const struct launch *launch, size_t count)
{
    double expected = expected_ticks(launch), pays;
    uint32_t most = (uint32_t)FL_MIN(launch->lanes, count / grain_of(launch->call));

    most = FL_MAX(most, 1);
    if (expected <= 0 || is_task_list(launch))
        return most;
    if (expected < launch->price)
        return 1;
    pays = expected / launch->price;
    return pays + 1 < (double)most ? (uint32_t)pays + 1 : most;
}

/* Between 0.7 and 1.1 times the square root. */
static uint64_t root_of(uint64_t square)
{
    int bits = 64 - __builtin_clzll((unsigned long long)square | 1);

    return bits % 2 ? UINT64_C(1) << bits / 2 : UINT64_C(3) << (bits / 2 - 1) >> 1;
}

static void set_pace(struct fl_loop *loop, const struct launch *launch)
{
    uint64_t usual = fl_ticks_of_ns(CHUNK_NS), share;
    size_t chunks;
    double expected = is_task_list(launch) ? 0 : expected_ticks(launch);

    share = root_of((uint64_t)FL_MIN(expected, 1e12) * fl_ticks_of_ns(STEP_NS));
    loop->chunk_time = expected > 0
                           ? FL_MIN(FL_MAX(share, fl_ticks_of_ns(LEAST_CHUNK_NS)), usual)
                           : usual;
    chunks = CHUNKS;
    if (expected > 0) {
        double paid = expected / STEPS_SHARE / (double)fl_ticks_of_ns(STEP_NS);

        chunks = (size_t)FL_MIN(paid / launch->lanes, (double)MOST_CHUNKS);
        chunks = FL_MAX(chunks, LEAST_CHUNKS);
    }
    loop->most = FL_MAX((loop->end - loop->begin) / launch->lanes / chunks, 1);
    loop->ticks_per_item = expected > 0 ? launch->ticks_per_item : 0;
    /* Small at first: the cost may lie just here. */
    loop->chunk = 1;
    if (expected > 0) {
        double items = (double)loop->chunk_time / 4 / loop->ticks_per_item;

        loop->chunk = items < (double)loop->most ? FL_MAX((size_t)items, 1) : loop->most;
    }
}

/* How much the caller gets done before the others have come. */
static size_t head_start(const struct launch *launch, size_t count, uint32_t parts)
{
    const struct fl_launch *known = &launch->pool->launch;
    double ticks = launch_must_wake(&launch->pool->lot) ? (double)known->sleeping
                                                        : (double)known->spinning / 16;
    double items = launch->ticks_per_item > 0 ? ticks / launch->ticks_per_item : 0;
    size_t start = items < (double)(count / 4) ? (size_t)items : count / 4;

    /* The parts of the others are not to fall below the grain. */
    return (count - start) / parts >= grain_of(launch->call) + FL_SPLIT_ALIGN ? start : 0;
}

static int run_together(struct fl_worker *worker, struct launch *launch)
{
    const struct fl_loop_call *call = launch->call;
    struct fl_loop loop;
    uint64_t spent;
    int value;

    loop.body = call->body;
    loop.ctx = call->ctx;
    loop.cancel = cancel_of(call);
    loop.progress = is_told(call) ? &launch->progress : NULL;
    launch->progress.loop = &loop;
    loop.origin = call->begin;
    loop.begin = launch->at;
    loop.end = call->end;
    loop.grain = grain_of(call);
    loop.max_chunk = call->max_chunk;
    loop.lanes = launch->lanes;
    loop.is_limited = launch->lanes < worker_parallelism(worker);
    loop.parts = parts_for(launch, loop.end - loop.begin);
    loop.head_start = loop.parts > 1 && !is_task_list(launch)
                          ? head_start(launch, loop.end - loop.begin, loop.parts)
                          : 0;
    set_pace(&loop, launch);
    value = fl_split_run(worker, &loop);
    spent = launch->spent + loop.spent;
    /* See BARELY: then only a loop alone says that it costs more than was thought. */
    if (value == 0 &&
        (launch->ticks_per_item <= 0 || launch->at > call->begin ||
         !barely_pays(launch, (double)spent) ||
         (double)spent < launch->ticks_per_item * (double)(call->end - call->begin)))
        note_cost(launch, spent);
    return value;
}

/* --- tiny loops -------------------------------------------------------------------
 * The shortest way to the body, and the most of them take it: no look at the clock. */

static bool is_tiny(const struct fl_loop_call *call, const struct filch_pool *pool)
{
    uintptr_t identity = call->identity ? call->identity : (uintptr_t)call->body;
    const filch_opts *opts = call->opts;
    float ticks;

    if (!pool || call->grain || call->max_chunk ||
        (opts && (opts->cancel || opts->progress)))
        return false;
    ticks = (float)(call->end - call->begin) *
            cost_recall(&pool->launch, cost_hash(identity, call->end - call->begin));
    return ticks > 0 && ticks < pool->launch.tiny && !is_sampled(TINY_SAMPLE);
}

static int run_tiny(struct fl_worker *worker, void *arg)
{
    const struct fl_loop_call *call = arg;
    int value = call->body(worker_hot(worker), call->begin, call->end, call->ctx);

    if (FILCH_UNLIKELY(worker->has_forked))
        note_forks(worker->pool, call);
    return value;
}

static int run_tiny_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    struct fl_context context = worker->context;
    int value;

    worker->context = (struct fl_context){.lanes = fl_loop_lanes(worker, call->opts)};
    value = call->body(worker_hot(worker), call->begin, call->end, call->ctx);
    worker->context = context;
    return value;
}

/* --- the way in ------------------------------------------------------------------- */

static int launch_inside(struct fl_worker *worker, void *arg)
{
    struct launch *launch = arg;
    const struct fl_loop_call *call = launch->call;

    if (is_told(call))
        progress_init(&launch->progress, call);
    /* Without a slot, it is alone after all. */
    launch->lanes = fl_loop_lanes(worker, call->opts);
    launch->is_divisible =
        launch->lanes > 1 && (call->end - launch->at) / 2 >= grain_of(call);
    return launch->is_divisible ? run_together(worker, launch)
                                : run_alone(worker, launch);
}

/* In no slot. */
static int launch_alone(struct fl_worker *worker, void *arg)
{
    struct launch *launch = arg;
    int value = run_alone(worker, launch);

    if (worker->has_forked)
        note_forks(worker->pool, launch->call);
    return value;
}

/* Where a call goes: see fl_enter_where. After a fork, the pool that it enters is there
 * again. */
static struct fl_worker *where_to(const struct fl_loop_call *call,
                                  struct filch_pool **pool)
{
    struct fl_worker *worker = fl_enter_where(call->opts, pool);

    if (!worker && *pool)
        fl_pool_revive(*pool);
    return worker;
}

int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    const filch_cancel *cancel = cancel_of(call);
    struct launch launch;
    int value;

    if (call->begin == call->end)
        return 0;
    if (is_tiny(call, worker->pool))
        return run_tiny_in(worker, call);
    if (cancel && filch_cancel_is_set(cancel))
        return -ECANCELED;
    launch_init(&launch, call, worker, worker->pool);
    if (launch.is_small) {
        value = run_alone(worker, &launch);
        if (value || launch.at == call->end)
            return value;
    }
    return launch_inside(worker, &launch);
}

int fl_loop(const struct fl_loop_call *call)
{
    const filch_cancel *cancel = cancel_of(call);
    struct filch_pool *pool;
    struct fl_worker *worker = where_to(call, &pool);
    struct launch launch;
    int value;

    if (worker)
        return fl_loop_in(worker, call);
    if (call->begin == call->end)
        return 0;
    if (is_tiny(call, pool))
        return fl_enter_lightly(pool, limit_lanes(pool->workers, call->opts), run_tiny,
                                (void *)(uintptr_t)call);
    if (cancel && filch_cancel_is_set(cancel))
        return -ECANCELED;
    launch_init(&launch, call, NULL, pool);
    if (launch.is_small) {
        value = fl_enter_lightly(pool, launch.lanes, launch_alone, &launch);
        if (value || launch.at == call->end)
            return value;
    }
    return fl_enter(call->opts, launch_inside, &launch);
}

bool fl_loop_is_small(struct fl_worker *worker, const struct fl_loop_call *call)
{
    struct launch launch;

    launch_init(&launch, call, worker, worker->pool);
    return launch.is_small;
}

int fl_loop_enter(const struct fl_loop_call *call,
                  int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    struct filch_pool *pool;
    struct fl_worker *worker = where_to(call, &pool);
    struct launch launch;

    if (!worker) {
        launch_init(&launch, call, NULL, pool);
        if (launch.is_small)
            return fl_enter_lightly(pool, 1, inside, arg);
    }
    return fl_enter(call->opts, inside, arg);
}
