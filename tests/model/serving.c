/* serving.c - waiting in isolation: a waiter runs what descends from its job, and nothing
 * else, and is woken for it.
 *
 * Job: one worker waits for a job or a latch, the other has its task, pushes more for it,
 * and sits in a leaf until that has been run: a waiter that misses it shows as an
 * execution in which nobody can go on ("lost wake-up"). Or the other goes on to a
 * stranger's task while the waiter is about to steal from it ("a stranger was run"). The
 * real wait.c, worker.c, serving.h, inject.c and park.c, with filch_fork_slow and
 * filch_reclaim_slow as in join.c; a stand-in for the clock and the counters.
 */
#include "stand_ins.h"

/* A round of looking that finds something new is followed by another one. */
#undef fl_yield
#define fl_yield() model_pause(__FILE__, __LINE__)

#include <string.h>
#include "serving.h"

/* Always long enough: the clock stands still. */
#undef FL_FORCE_AFTER_NS
#define FL_FORCE_AFTER_NS 0u || true

#include "wait.c"
#include "worker.c"
#include "no_launch.h"

enum { WAITER = 0, BUSY = 1, WORKERS = 2 };

static struct fl_worker workers[WORKERS];
static struct filch_pool pool;
static uint16_t victims[WORKERS][WORKERS - 1];

/* --- stand-ins -------------------------------------------------------------------- */

int64_t filch_fork_slow(filch_worker *w, filch_job *job, int64_t index)
{
    (void)job;
    MODEL_ASSERT(deque_has_room(&worker_of(w)->deque, index), "the ring is too small");
    fl_worker_share(worker_of(w));
    return index;
}

int filch_reclaim_slow(filch_worker *w, filch_job *job, int64_t index)
{
    (void)job;
    return deque_pop_slow(&worker_of(w)->deque, index);
}

void filch_await(filch_worker *w, filch_job *job)
{
    fl_worker_wait(worker_of(w), (fl_served)job, 0);
}

/* --- tasks ------------------------------------------------------------------------ */

static filch_job awaited, stranger; /* what the busy worker has stolen */
static filch_job child, strange_child;
static struct fl_latch latch;
static struct fl_task task, subtask; /* counted by the latch */
static int payload;                  /* plain: the pusher's, then the runner's */

static void run_child(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    MODEL_ASSERT(MODEL_READ(payload) == 1, "wrong payload");
    MODEL_WRITE(payload, 2);
}

/* A long leaf: it ends when the waiter has run what was pushed. */
static void run_awaited(filch_worker *w, filch_job *job)
{
    int64_t place;

    (void)job;
    MODEL_WRITE(payload, 1);
    place = filch_fork(w, &child);
    while (!join_is_done(&child))
        fl_spin_hint();
    MODEL_ASSERT(MODEL_READ(payload) == 2, "not run");
    MODEL_ASSERT(!filch_reclaim(w, &child, place), "run twice");
}

static void run_nothing(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
}

static void run_strange_child(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    MODEL_ASSERT(model_self() != WAITER, "a stranger was run");
}

static void run_stranger(filch_worker *w, filch_job *job)
{
    int64_t place = filch_fork(w, &strange_child);

    (void)job;
    if (!filch_reclaim(w, &strange_child, place))
        filch_await(w, &strange_child);
}

static void run_task(filch_worker *w, filch_job *job)
{
    int64_t place;

    (void)job;
    MODEL_WRITE(payload, 1);
    place = filch_fork(w, entry_of_task(&subtask));
    while (!latch_is_down(&latch, 1))
        fl_spin_hint();
    MODEL_ASSERT(MODEL_READ(payload) == 2, "not run");
    MODEL_ASSERT(!filch_reclaim(w, entry_of_task(&subtask), place), "run twice");
    if (latch_count_down(&latch, 1) == 0)
        fl_parker_notify(&workers[WAITER].parker);
}

static void run_subtask(filch_worker *w, filch_job *job)
{
    run_child(w, job);
    latch_count_down(&latch, 1);
}

/* --- set-up ----------------------------------------------------------------------- */

static void setup_mode(bool is_asymmetric)
{
    unsigned i, s;

    memset(workers, 0, sizeof workers);
    memset(&pool, 0, sizeof pool);
    pool.slot = workers;
    pool.slots = pool.thread_slots = pool.workers = WORKERS;
    pool.is_asymmetric = is_asymmetric;
    fl_inject_init(&pool.inject);
    awaited.run = run_awaited;
    stranger.run = run_stranger;
    child.run = run_child;
    strange_child.run = run_strange_child;
    latch = (struct fl_latch){.remaining = 2, .waiter = &workers[WAITER].parker};
    task = (struct fl_task){.job.run = run_task, .latch = &latch};
    subtask = (struct fl_task){.job.run = run_subtask, .latch = &latch};
    payload = 0;
    model_name(&payload, "payload");
    model_name(&awaited, "awaited job");
    model_name(&stranger, "stranger");
    model_name(&child, "child");
    model_name(&strange_child, "strange child");
    model_name(&latch.remaining, "remaining");
    model_name(&latch.is_hungry, "latch hungry");
    model_name(&pool.lot.hungry, "lot.hungry");
    model_name(&pool.lot.lock, "lot.lock");
    model_name(&pool.inject.count, "queued");
    model_name(&pool.inject.open_count, "open");
    model_name(&pool.inject.mutex, "queue's mutex");
    model_watch(&pool.inject, sizeof pool.inject);
    model_spin_lock(&pool.lot.lock);
    for (i = 0; i < WORKERS; i++) {
        struct fl_worker *worker = &workers[i];

        worker->pool = &pool;
        worker->index = i;
        victims[i][0] = (uint16_t)!i;
        worker->victims = victims[i];
        deque_init(&worker->deque, is_asymmetric);
        /* As after a first push when nobody was hungry. */
        if (is_asymmetric)
            worker->deque.hot.gate = FILCH_RING_SLOTS - 1;
        model_spin_lock(&worker->deque.lock);
        model_sole_writer(&worker->serving, sizeof worker->serving, (int)i);
        model_sole_writer(&worker->deque.hot.tail, sizeof(int64_t), (int)i);
        model_name(&worker->parker.state, "parker %u", i);
        model_name(&worker->serving, "serving %u", i);
        model_name(&worker->deque.top, "top %u", i);
        model_name(&worker->deque.bottom, "bottom %u", i);
        model_name(&worker->deque.lock, "lock %u", i);
        model_name(&worker->deque.hot.tail, "tail %u", i);
        model_name(&worker->deque.hot.limit, "limit %u", i);
        model_name(&worker->deque.hot.gate, "gate %u", i);
        for (s = 0; s < FILCH_RING_SLOTS; s++)
            model_sole_writer(&worker->deque.hot.slot[s], sizeof(filch_job *), (int)i);
    }
}

static void setup_asymmetric(void)
{
    setup_mode(true);
}

static void setup_classic(void)
{
    setup_mode(false);
}

/* --- the two workers -------------------------------------------------------------- */

static void wait_for_job(void)
{
    fl_worker_wait(&workers[WAITER], (fl_served)&awaited, 0);
}

static void wait_for_latch(void)
{
    fl_worker_wait(&workers[WAITER], served_by_latch(&latch), 0);
}

/* One round of the wait alone: short enough for all executions. */
static void look_once(void)
{
    fl_fpenv fpenv;
    filch_job *entry = take_for(&workers[WAITER], (fl_served)&awaited, true, &fpenv);

    if (entry)
        fl_worker_run(&workers[WAITER], entry, fpenv);
}

static void run_awaited_job(void)
{
    fl_worker_run(&workers[BUSY], &awaited, 0);
}

static void run_counted_task(void)
{
    fl_worker_run(&workers[BUSY], entry_of_task(&task), 0);
}

static void setup_short(bool is_asymmetric)
{
    setup_mode(is_asymmetric);
    awaited.run = run_nothing;
}

static void setup_short_asymmetric(void)
{
    setup_short(true);
}

static void setup_short_classic(void)
{
    setup_short(false);
}

static void run_awaited_then_stranger(void)
{
    fl_worker_run(&workers[BUSY], &awaited, 0);
    fl_worker_run(&workers[BUSY], &stranger, 0);
}

static void hand_over(void)
{
    fl_worker_hand_over(&workers[WAITER], &pool, &strange_child);
}

/* As find_work and park_idle in idle.c, where all work comes by the queue. */
static void work_from_queue(void)
{
    struct fl_parker *self = &workers[BUSY].parker;
    filch_job *entry;

    fl_lot_search_begin(&pool.lot);
    while (!(entry = fl_inject_take_any(&pool.inject))) {
        fl_lot_sleep_begin(&pool.lot, self);
        fl_fence_seq_cst();
        if (fl_load_relaxed(&pool.inject.open_count) == 0)
            fl_parker_wait(self);
        fl_lot_sleep_cancel(&pool.lot, self);
    }
    fl_lot_search_end(&pool.lot);
    fl_worker_run(&workers[BUSY], entry, 0);
}

static void check_idle(void)
{
    unsigned i;

    MODEL_ASSERT(!pool.inject.first, "lost");
    for (i = 0; i < WORKERS; i++)
        MODEL_ASSERT(workers[i].deque.top >= workers[i].deque.bottom, "lost");
}

/* A waiter goes around so often, and reads so many old values, that one preemption is all
 * that can be searched through in seconds, and only with the shorter task. */
#define CASE(name, mode, setup, preemptions, runs, ...)                      \
    {                                                                        \
        name ": " #mode, setup##_##mode, {__VA_ARGS__}, check_idle, NULL, 0, \
            preemptions, runs, false                                         \
    }
#define BOTH(name, setup, preemptions, runs, ...)                  \
    CASE(name, asymmetric, setup, preemptions, runs, __VA_ARGS__), \
        CASE(name, classic, setup, preemptions, runs, __VA_ARGS__)

static const struct model_case cases[] = {
    BOTH("a task feeds its waiter", setup, 1, 0, wait_for_latch, run_counted_task),
    BOTH("a task feeds its waiter, random", setup, 0, 200000, wait_for_latch,
         run_counted_task),
    BOTH("a job feeds its waiter", setup, 0, 200000, wait_for_job, run_awaited_job),
    BOTH("a handed-over job is found", setup, 0, 0, hand_over, work_from_queue),
    BOTH("a stranger, one look", setup_short, 0, 0, look_once, run_awaited_then_stranger),
    BOTH("a stranger", setup_short, 0, 200000, wait_for_job, run_awaited_then_stranger),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
