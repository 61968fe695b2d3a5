/* idlers.c - threads without work: whatever comes while they fall asleep wakes one.
 *
 * Job: an owner pushes a task and leaves it to whoever comes, or lets others in who passed
 * by a public one because its loop had all the workers it may have. It is run by an idle
 * worker, who looks around and falls asleep meanwhile ("lost wake-up"). Compiled with the
 * real idle.c, join.c, worker.c, park.c and inject.c.
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
#include "join.c"
#include "worker.c"
#include "no_launch.h"

enum { OWNER = 0, WORKERS = 3 };

static struct fl_worker workers[WORKERS];
static struct filch_pool pool;
static uint16_t victims[WORKERS][WORKERS - 1];
static struct fl_task task;
static struct fl_latch latch;

/* --- stand-ins -------------------------------------------------------------------- */

int fl_enter(const filch_opts *opts, int (*inside)(struct fl_worker *worker, void *arg),
             void *arg)
{
    (void)opts;
    return inside(&workers[OWNER], arg);
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    (void)worker, (void)served, (void)down_to;
}

void fl_bind_look(struct fl_worker *worker, uint64_t now)
{
    (void)worker, (void)now;
}

/* --- the pool --------------------------------------------------------------------- */

static void run_task(filch_worker *w, filch_job *job)
{
    (void)w, (void)job;
    latch_count_down(&latch, 1);
}

static void setup_mode(bool is_asymmetric, unsigned count)
{
    unsigned i, k, ring;

    memset(workers, 0, sizeof workers);
    memset(&pool, 0, sizeof pool);
    pool.slot = workers;
    pool.slots = pool.thread_slots = pool.workers = count;
    pool.is_asymmetric = is_asymmetric;
    fl_inject_init(&pool.inject);
    latch = (struct fl_latch){.remaining = 1};
    model_spin_lock(&pool.lot.lock);
    model_name(&pool.lot.hungry, "lot.hungry");
    model_name(&pool.lot.lock, "lot.lock");
    model_name(&pool.inject.count, "queued");
    model_name(&pool.inject.open_count, "open");
    model_name(&latch.remaining, "remaining");
    task = (struct fl_task){.job.run = run_task, .latch = &latch};
    for (i = 0; i < count; i++) {
        workers[i].pool = &pool;
        workers[i].index = i;
        workers[i].random = i + 1;
        for (k = 0; k < count - 1; k++)
            victims[i][k] = (uint16_t)((i + k + 1) % count);
        workers[i].victims = victims[i];
        for (ring = 0; ring <= FL_ELSEWHERE; ring++)
            workers[i].victim_ring_end[ring] = count - 1;
        deque_init(&workers[i].deque, is_asymmetric);
        model_spin_lock(&workers[i].deque.lock);
        model_name(&workers[i].is_closed, "closed %u", i);
        model_name(&workers[i].parker.state, "parker %u", i);
        model_name(&workers[i].serving, "serving %u", i);
        model_name(&workers[i].deque.hot.gate, "gate %u", i);
        model_name(&workers[i].deque.hot.tail, "tail %u", i);
        model_name(&workers[i].deque.hot.limit, "limit %u", i);
        model_name(&workers[i].deque.lock, "lock %u", i);
        model_name(&workers[i].deque.bottom, "bottom %u", i);
        model_name(&workers[i].deque.top, "top %u", i);
        model_sole_writer(&workers[i].serving, sizeof workers[i].serving, (int)i);
        model_sole_writer(&workers[i].deque.hot.tail, sizeof(int64_t), (int)i);
    }
}

static void setup_asymmetric(void)
{
    setup_mode(true, 2);
    workers[OWNER].deque.hot.gate = FILCH_RING_SLOTS - 1; /* nobody was hungry */
}

/* Somebody was. */
static void setup_hungry(void)
{
    setup_mode(true, 2);
}

/* And there are three of them. */
static void setup_three(void)
{
    setup_mode(true, 3);
}

static void setup_three_classic(void)
{
    setup_mode(false, 3);
}

static void setup_classic(void)
{
    setup_mode(false, 2);
}

/* The owner has closed, and has something to steal. */
static void setup_closed(void)
{
    struct fl_deque *deque = &workers[OWNER].deque;

    setup_mode(true, 2);
    workers[OWNER].is_closed = 1;
    deque->hot.slot[0] = entry_of_task(&task);
    deque->hot.tail = deque->hot.limit = deque->bottom = 1;
}

/* --- bodies ----------------------------------------------------------------------- */

static void await_task(void)
{
    while (!latch_is_down(&latch, 0))
        fl_spin_hint();
}

static void open_and_wait(void)
{
    fl_worker_set_closed(&workers[OWNER], false);
    await_task();
}

static void push_and_wait(void)
{
    filch_fork(worker_hot(&workers[OWNER]), entry_of_task(&task));
    await_task();
}

/* As after a push that was shared, and taken back: the gate, which was up, is lowered. */
static void share_then_push(void)
{
    fl_worker_share(&workers[OWNER]);
    push_and_wait();
}

static void find_and_run(void)
{
    struct fl_worker *self = &workers[model_self()];
    fl_fpenv fpenv = 0;
    filch_job *entry = find_work(self, 0, &fpenv);

    fl_worker_run(self, entry, fpenv);
}

/* The same from where it goes to sleep the first time. */
static void sleep_and_run(void)
{
    struct fl_worker *self = &workers[model_self()];
    filch_job *entry;
    fl_fpenv fpenv;

    fl_lot_search_begin(&pool.lot);
    do
        park_idle(self);
    while (!(entry = take_any(self, true, &fpenv)));
    end_search(self);
    fl_worker_run(self, entry, fpenv);
}

/* It finds a long job elsewhere. */
static void search_and_go(void)
{
    fl_lot_search_begin(&pool.lot);
    end_search(&workers[model_self()]);
}

/* Rounds of looking around, each of which may read old values, are too many to be searched
 * through without a bound. */
#define CASE(name, setup, preemptions, runs, ...)                           \
    {                                                                       \
        name, setup, {__VA_ARGS__}, NULL, NULL, 0, preemptions, runs, false \
    }

static const struct model_case cases[] = {
    CASE("a push: asymmetric", setup_asymmetric, 1, 0, push_and_wait, find_and_run),
    CASE("a push: asymmetric, random", setup_asymmetric, 0, 100000, push_and_wait,
         find_and_run),
    CASE("a push when the gate has just been lowered", setup_hungry, 2, 0,
         share_then_push, sleep_and_run),
    CASE("a push when the last search ends", setup_three, 2, 0, share_then_push,
         search_and_go, sleep_and_run),
    CASE("a push when the last search ends, random", setup_three, 0, 200000,
         share_then_push, search_and_go, sleep_and_run),
    CASE("a push when the last search ends: classic", setup_three_classic, 0, 100000,
         share_then_push, search_and_go, sleep_and_run),
    CASE("a push: classic, random", setup_classic, 0, 100000, push_and_wait,
         find_and_run),
    CASE("let in again", setup_closed, 0, 0, open_and_wait, find_and_run),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
