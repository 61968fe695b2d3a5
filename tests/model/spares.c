/* spares.c - memory of tasks that others have run goes home, and is used again.
 *
 * Job: a worker spawns, others run and send the task's memory back: it is used again by
 * nobody who may not yet ("in a task": a data race on what is in it), none is lost
 * ("leaked") and none is there twice. Compiled with the real scope.c, and instrumented, so
 * that the links of its lists are looked at.
 */
#include "stand_ins.h"

#include <string.h>
#include "scope.c"

enum { HOME = 0, TASKS = 3 };

static struct fl_worker workers[MODEL_THREADS];
static struct fl_spawned *handed[TASKS]; /* the deque's part */
static int in_use;                       /* tasks at a time, of the home's making */

/* --- stand-ins -------------------------------------------------------------------- */

_Thread_local struct fl_worker *fl_current;

void fl_failure_record(struct fl_failure *failure, uint64_t at, int value)
{
    (void)failure, (void)at, (void)value;
}

bool fl_worker_drain(struct fl_worker *worker, int64_t floor)
{
    (void)worker, (void)floor;
    return true;
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    (void)worker, (void)served, (void)down_to;
}

void fl_worker_hand_over(struct fl_worker *worker, struct filch_pool *pool,
                         filch_job *entry)
{
    (void)worker, (void)pool, (void)entry;
}

int64_t filch_fork_slow(filch_worker *w, filch_job *job, int64_t index)
{
    (void)w, (void)job;
    return index;
}

int fl_enter(const filch_opts *opts, int (*inside)(struct fl_worker *worker, void *arg),
             void *arg)
{
    (void)opts, (void)inside, (void)arg;
    return 0;
}

int fl_enter_alone(struct fl_worker *worker,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    return inside(worker, arg);
}

int fl_enter_whole(struct fl_worker *worker, const filch_opts *opts,
                   int (*inside)(struct fl_worker *worker, void *arg), void *arg)
{
    (void)opts;
    return inside(worker, arg);
}

/* --- bodies ----------------------------------------------------------------------- */

static void setup(void)
{
    int i;

    memset(workers, 0, sizeof workers);
    in_use = 0;
    model_name(&workers[HOME].returned_tasks, "returned");
    for (i = 0; i < TASKS; i++) {
        handed[i] = NULL;
        model_name(&handed[i], "handed %d", i);
    }
}

/* A task with i in it. */
static void spawn(int i)
{
    struct fl_spawned *spawned = spawned_alloc(&workers[HOME], sizeof i, true);

    MODEL_ASSERT(spawned && spawned->home == &workers[HOME], "no task");
    spawned->number = (uint64_t)i;
    fl_store_release(&handed[i], spawned);
}

static void run_task(int i)
{
    struct fl_spawned *spawned;

    while (!(spawned = fl_load_acquire(&handed[i])))
        fl_yield();
    MODEL_ASSERT(spawned->number == (uint64_t)i, "another task");
    spawned_free(&workers[model_self()], spawned);
}

static void spawn_three(void)
{
    spawn(0);
    spawn(1);
    spawn(2);
}

/* One that it runs itself between them. */
static void spawn_and_run(void)
{
    spawn(0);
    spawn(1);
    run_task(1);
    spawn(2);
}

static void run_first(void)
{
    run_task(0);
}

static void run_second(void)
{
    run_task(1);
}

static void run_third(void)
{
    run_task(2);
}

static void run_first_and_last(void)
{
    run_task(0);
    run_task(2);
}

static void check_all_home(void)
{
    fl_worker_free_memory(&workers[HOME]);
    MODEL_ASSERT(!workers[HOME].free_tasks && !workers[HOME].returned_tasks, "left over");
}

#define CASE(name, ...)                                                  \
    {                                                                    \
        name, setup, {__VA_ARGS__}, check_all_home, NULL, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("three tasks, one runner", spawn_and_run, run_first_and_last),
    CASE("three tasks, two runners", spawn_three, run_first_and_last, run_second),
    CASE("three tasks, three runners", spawn_three, run_first, run_second, run_third),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
