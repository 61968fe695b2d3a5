/* deque_under_test.h - one deque, its jobs, and the library's slow paths around it.
 *
 * Job: what the tests of the deque and gate.c share: jobs that notice when they are run
 * twice, or before their forker's writes have arrived; an owner and a thief in a few
 * words; filch_fork_slow and filch_reclaim_slow as join.c and worker.c have them. Relies
 * on thread 0 being the owner.
 */
#ifndef DEQUE_UNDER_TEST_H
#define DEQUE_UNDER_TEST_H

#include "deque.h"

enum { OWNER = 0, JOBS = 5 };

struct task {
    filch_job job;
    int argument; /* plain: the forker's, then the runner's */
    int result;   /* plain: the runner's, then the forker's */
    uint32_t is_done;
    int runs, ran_by; /* for the check, not for threads */
    int64_t place;
};

static struct fl_deque deque;
static struct task tasks[JOBS];
static unsigned forked;    /* the check's count */
static uint32_t is_hungry; /* a stand-in for the lot, where a test has none */

static inline void deque_setup(bool is_asymmetric)
{
    int i;

    deque_init(&deque, is_asymmetric);
    forked = 0;
    is_hungry = 0;
    for (i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){.place = FILCH_NOT_PUSHED};
        model_name(&tasks[i], "job %d", i);
        model_name(&tasks[i].argument, "job %d payload", i);
        model_name(&tasks[i].result, "job %d result", i);
        model_name(&tasks[i].is_done, "job %d done", i);
    }
    for (i = 0; i < FILCH_RING_SLOTS; i++) {
        deque.hot.slot[i] = NULL;
        model_name(&deque.hot.slot[i], "slot[%d]", i);
        model_sole_writer(&deque.hot.slot[i], sizeof deque.hot.slot[i], OWNER);
        model_recycled(&deque.hot.slot[i]);
    }
    model_name(&deque.top, "top");
    model_name(&deque.bottom, "bottom");
    model_name(&deque.lock, "lock");
    model_name(&deque.hot.tail, "tail");
    model_name(&deque.hot.limit, "limit");
    model_name(&deque.hot.gate, "gate");
    model_name(&is_hungry, "hungry");
    model_sole_writer(&deque.hot.tail, sizeof deque.hot.tail, OWNER);
}

/* --- the library around the deque, as in join.c and worker.c ---------------------- */

/* What fl_worker_share does after it has published. */
static void look_for_hungry(void);

int64_t filch_fork_slow(filch_worker *w, filch_job *job, int64_t index)
{
    if (!deque_has_room(&deque, index)) {
        if (filch_reclaim(w, job, index))
            return FILCH_NOT_PUSHED;
        return index; /* stolen meanwhile, so there is room */
    }
    deque_publish(&deque);
    look_for_hungry();
    return index;
}

int filch_reclaim_slow(filch_worker *w, filch_job *job, int64_t index)
{
    int64_t tail = fl_load_relaxed(&w->tail);

    (void)job;
    if (index == FILCH_NOT_PUSHED)
        return 1;
    if (tail != index) {
        /* These tests reclaim all that they fork: what is above was stolen, and so was
         * this. */
        MODEL_ASSERT(tail > index, "tail is below a job that is to be reclaimed");
        MODEL_ASSERT(!filch_reclaim(w, NULL, tail - 1), "a job above the reclaimed one");
        return 0;
    }
    return deque_pop_slow(&deque, index);
}

/* --- owner and thief -------------------------------------------------------------- */

static inline void run_task(struct task *task)
{
    MODEL_ASSERT(task->runs++ == 0, "run twice");
    task->ran_by = model_self();
    MODEL_ASSERT(MODEL_READ(task->argument) == 10 + (int)(task - tasks),
                 "wrong argument");
    MODEL_WRITE(task->result, 20 + (int)(task - tasks));
}

static inline void push(int i)
{
    forked++;
    MODEL_WRITE(tasks[i].argument, 10 + i);
    tasks[i].place = filch_fork(&deque.hot, &tasks[i].job);
}

/* Reclaim, and run or wait. */
static inline void pop(int i)
{
    if (filch_reclaim(&deque.hot, &tasks[i].job, tasks[i].place)) {
        run_task(&tasks[i]);
        return;
    }
    while (!fl_load_acquire(&tasks[i].is_done))
        fl_spin_hint();
    MODEL_ASSERT(MODEL_READ(tasks[i].result) == 20 + i, "wrong result");
}

/* As the owner in a long leaf: only a thief can run a job that was pushed. */
static inline void wait_for(int i)
{
    if (tasks[i].place == FILCH_NOT_PUSHED) {
        run_task(&tasks[i]);
        return;
    }
    while (!fl_load_acquire(&tasks[i].is_done))
        fl_spin_hint();
    MODEL_ASSERT(MODEL_READ(tasks[i].result) == 20 + i, "wrong result");
}

static inline void run_stolen(filch_job *job)
{
    struct task *task = FL_CONTAINER_OF(job, struct task, job);

    MODEL_ASSERT(job, "an empty slot was stolen");
    run_task(task);
    fl_store_release(&task->is_done, 1u);
}

/* One attempt. */
static inline enum fl_steal steal_once(void)
{
    filch_job *job;
    enum fl_steal result = deque_steal(&deque, &job);

    if (result == FL_STEAL_GOT)
        run_stolen(job);
    return result;
}

/* Owners that more than one test has. */

static inline void push_pop(void)
{
    push(0);
    pop(0);
}

static inline void push_push_pop_pop(void)
{
    push(0);
    push(1);
    pop(1);
    pop(0);
}

/* The second push may use a slot, or an index, that was used before. */
static inline void push_pop_push_pop(void)
{
    push_pop();
    push(1);
    pop(1);
}

static inline char ran_by(int i)
{
    return (char)('0' + tasks[i].ran_by);
}

static inline void check_all_run_once(void)
{
    unsigned i;

    for (i = 0; i < JOBS; i++)
        MODEL_ASSERT(tasks[i].runs == (i < forked), i < forked ? "lost" : "never forked");
    MODEL_ASSERT(deque.top >= deque.bottom && deque.hot.tail <= deque.bottom,
                 "the deque is not empty");
    /* Who ran which: what --compare compares. */
    model_outcome(
        "%.*s", (int)forked,
        (const char[]){ran_by(0), ran_by(1), ran_by(2), ran_by(3), ran_by(4), 0});
}

#endif
