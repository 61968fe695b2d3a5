/* fpenv.c - a stolen branch runs in the floating-point environment of whoever forked it.
 *
 * Job: a guest works in one environment, forks there, and comes back in another one, where
 * it forks again, while a thread without work steals from it, and a waiter for the second
 * call does. A branch that runs in the environment of the other call shows as "another
 * environment". The real idle.c, wait.c, worker.c, serving.h, inject.c and park.c, with
 * filch_fork_slow and filch_reclaim_slow as in join.c, and the entry of a guest as in
 * enter.c.
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

#include "idle.c"
#include "wait.c"
#include "worker.c"
#include "no_launch.h"

enum { GUEST = 0, THIEF = 1, WORKERS = 2, CALLS = 2 };

static struct fl_worker workers[WORKERS];
static struct filch_pool pool;
static uint16_t victims[WORKERS][WORKERS - 1];
static filch_job branch[CALLS]; /* branch i, in environment i + 1 */
static filch_job other;
static struct fl_latch latch;
static struct fl_task task; /* in environment 2, in a deque as in environment 1 */
static unsigned runs[CALLS];

/* --- stand-ins -------------------------------------------------------------------- */

void fl_bind_look(struct fl_worker *worker, uint64_t now)
{
    (void)worker, (void)now;
}

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

/* --- the guest -------------------------------------------------------------------- */

static void run_branch(filch_worker *w, filch_job *job)
{
    fl_fpenv expected = job == &branch[0] ? 1 : 2;

    MODEL_ASSERT(fl_fpenv_read() == expected, "another environment");
    MODEL_ASSERT(worker_fpenv(worker_of(w)) == expected,
                 "another environment to hand on");
    runs[expected - 1]++;
}

static void call(unsigned i)
{
    struct fl_worker *worker = &workers[GUEST];
    int64_t place;

    fl_fpenv_write(i + 1);
    serve_caller(worker);
    branch[i].run = run_branch;
    place = filch_fork(worker_hot(worker), &branch[i]);
    if (filch_reclaim(worker_hot(worker), &branch[i], place))
        run_branch(worker_hot(worker), &branch[i]);
    else
        fl_worker_wait(worker, (fl_served)&branch[i], 0);
    MODEL_ASSERT(fl_fpenv_read() == i + 1, "the guest's environment");
}

static void call_twice(void)
{
    call(0);
    call(1);
}

/* As a job that it stole, in environment 2 on a thread in environment 1. */
static void run_other(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    call(1);
}

static void call_then_run_other(void)
{
    call(0);
    fl_store_relaxed(&pool.has_fpenvs, 1u); /* by the guest from whom it comes */
    fl_worker_run(&workers[GUEST], &other, 2);
    MODEL_ASSERT(fl_fpenv_read() == 1, "the guest's environment");
    MODEL_ASSERT(worker_fpenv(&workers[GUEST]) == 1, "what the guest hands on");
}

static void await_task(void)
{
    call(0);
    filch_fork(worker_hot(&workers[GUEST]), entry_of_task(&task));
    while (!latch_is_down(&latch, 0))
        fl_spin_hint();
}

static void run_task(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    MODEL_ASSERT(fl_fpenv_read() == 2, "another environment than the latch's");
    latch_count_down(&latch, 1);
}

/* --- thieves ---------------------------------------------------------------------- */

static void look(bool is_starving)
{
    struct fl_worker *self = &workers[THIEF];
    fl_fpenv fpenv;
    filch_job *entry = take_any(self, is_starving, &fpenv);

    if (entry)
        fl_worker_run(self, entry, fpenv);
    MODEL_ASSERT(fl_fpenv_read() == 0, "the thief's environment");
}

static void look_once(void)
{
    look(false);
}

static void look_twice(void)
{
    look_once();
    look_once();
}

static void look_until_the_task(void)
{
    while (!latch_is_down(&latch, 0)) {
        look(true);
        fl_yield();
    }
}

/* A waiter for the guest's second job: it takes that one's branches alone. */
static void look_for_other(void)
{
    struct fl_worker *self = &workers[THIEF];
    fl_fpenv fpenv;
    filch_job *entry = take_for(self, (fl_served)&other, false, &fpenv);

    if (entry)
        fl_worker_run(self, entry, fpenv);
}

/* --- set-up ----------------------------------------------------------------------- */

static void setup_mode(bool is_asymmetric)
{
    unsigned i, s, ring;

    memset(workers, 0, sizeof workers);
    memset(&pool, 0, sizeof pool);
    memset(runs, 0, sizeof runs);
    memset(fpenv_of, 0, sizeof fpenv_of);
    pool.slot = workers;
    pool.slots = pool.thread_slots = pool.workers = WORKERS;
    pool.is_asymmetric = is_asymmetric;
    pool.fpenv = 1;
    fl_inject_init(&pool.inject);
    other.run = run_other;
    latch =
        (struct fl_latch){.remaining = 1, .waiter = &workers[GUEST].parker, .fpenv = 2};
    task = (struct fl_task){.job.run = run_task, .latch = &latch};
    model_name(&pool.has_fpenvs, "has fpenvs");
    model_name(&pool.lot.hungry, "lot.hungry");
    model_name(&pool.lot.lock, "lot.lock");
    model_name(&pool.inject.count, "queued");
    model_name(&pool.inject.open_count, "open");
    model_name(&pool.inject.mutex, "queue's mutex");
    model_name(&branch[0], "first branch");
    model_name(&branch[1], "second branch");
    model_watch(&pool.inject, sizeof pool.inject);
    model_spin_lock(&pool.lot.lock);
    model_sole_writer(&pool.has_fpenvs, sizeof pool.has_fpenvs, GUEST);
    for (i = 0; i < WORKERS; i++) {
        struct fl_worker *worker = &workers[i];

        worker->pool = &pool;
        worker->index = i;
        worker->fpenv = pool.fpenv;
        victims[i][0] = (uint16_t)!i;
        worker->victims = victims[i];
        for (ring = 0; ring <= FL_ELSEWHERE; ring++)
            worker->victim_ring_end[ring] = WORKERS - 1;
        deque_init(&worker->deque, is_asymmetric);
        model_spin_lock(&worker->deque.lock);
        model_sole_writer(&worker->serving, sizeof worker->serving, (int)i);
        model_sole_writer(&worker->fpenv, sizeof worker->fpenv, (int)i);
        model_sole_writer(&worker->deque.hot.tail, sizeof(int64_t), (int)i);
        model_name(&worker->parker.state, "parker %u", i);
        model_name(&worker->serving, "serving %u", i);
        model_name(&worker->fpenv, "fpenv %u", i);
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

static void check(void)
{
    MODEL_ASSERT(runs[0] == 1 && runs[1] == 1, "not run once each");
    MODEL_ASSERT(!pool.inject.first, "lost");
}

#define CASE(name, mode, check, preemptions, runs, ...)                                  \
    {                                                                                    \
        name ": " #mode, setup_##mode, {__VA_ARGS__}, check, NULL, 0, preemptions, runs, \
            false                                                                        \
    }
#define BOTH(name, check, preemptions, runs, ...)                  \
    CASE(name, asymmetric, check, preemptions, runs, __VA_ARGS__), \
        CASE(name, classic, check, preemptions, runs, __VA_ARGS__)

static const struct model_case cases[] = {
    BOTH("two calls", check, 2, 0, call_twice, look_once),
    BOTH("two calls, two looks, random", check, 0, 50000, call_twice, look_twice),
    BOTH("a job in between", check, 2, 0, call_then_run_other, look_once),
    BOTH("a waiter", check, 2, 0, call_then_run_other, look_for_other),
    BOTH("a task, random", NULL, 0, 50000, await_task, look_until_the_task),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
