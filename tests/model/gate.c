/* gate.c - the raised gate and the sleep: no wake-up is lost between a hungry worker and
 * an owner who pushes.
 *
 * Job: the owner pushes and then sits in a leaf that ends only when a thief has run the
 * job. The thieves announce that they are hungry, raise the gate, look again and sleep,
 * as park_idle does (lib/idle.c); the owner publishes, lowers the gate, looks for the
 * hungry and wakes one, as fl_worker_share does (lib/worker.c). A lost wake-up shows as
 * an execution in which nobody can go on. Compiled with the real park.c.
 */
#include "deque_under_test.h"
#include <string.h>
#include "park.h"

enum { WORKERS = 3 };

static struct fl_lot lot;
static struct fl_parker parkers[WORKERS];

/* fl_worker_share, after deque_publish, where nothing was stolen before. */
static void look_for_hungry(void)
{
    uint64_t hungry;

    if (deque.is_asymmetric)
        deque_lower_gate(&deque);
    fl_fence_seq_cst();
    hungry = fl_load_relaxed(&lot.hungry);
    if (lot_searching(hungry) == 0 && lot_sleeping(hungry) > 0)
        deque_raise_gate(&deque);
    fl_lot_wake_one(&lot);
}

static void setup_mode(bool is_asymmetric, bool is_raised)
{
    int i;

    deque_setup(is_asymmetric);
    if (!is_raised)
        deque.hot.gate = FILCH_RING_SLOTS - 1;
    memset(&lot, 0, sizeof lot);
    memset(parkers, 0, sizeof parkers);
    model_name(&lot.hungry, "lot.hungry");
    model_name(&lot.lock, "lot.lock");
    model_name(&lot.sleepers, "lot.sleepers");
    model_spin_lock(&lot.lock);
    model_spin_lock(&deque.lock); /* deque_force.c has the tries that give up */
    model_watch(&lot, sizeof lot);
    model_watch(parkers, sizeof parkers);
    for (i = 0; i < WORKERS; i++) {
        model_name(&parkers[i].state, "parker %d", i);
        model_name(&parkers[i].next_sleeper, "parker %d next", i);
        model_name(&parkers[i].is_listed, "parker %d listed", i);
    }
}

/* Without the lot, and without its fences: what the two swaps of the gate do by
 * themselves. */
static void setup_flag(void)
{
    setup_mode(true, false);
}

static void setup_asymmetric(void)
{
    setup_mode(true, false);
}

static void setup_raised(void)
{
    setup_mode(true, true);
}

static void setup_classic(void)
{
    setup_mode(false, true);
}

/* --- the owner -------------------------------------------------------------------- */

static void push_and_wait(void)
{
    push(0);
    wait_for(0);
}

static void push_push_and_wait(void)
{
    push(0);
    push(1);
    wait_for(1);
    wait_for(0);
}

/* The job of the pop may be stolen or not; what comes after it must be seen. */
static void push_pop_push_and_wait(void)
{
    push(0);
    pop(0);
    push(1);
    wait_for(1);
}

/* --- thieves ---------------------------------------------------------------------- */

static bool is_any_work(void)
{
    return deque_has_public(&deque) || deque_has_private(&deque);
}

static void fence_against_owner(void)
{
    if (deque.is_asymmetric)
        fl_fence_heavy();
    else
        fl_fence_seq_cst();
}

/* Returns whether it slept. */
static bool park_idle(struct fl_parker *parker)
{
    bool is_idle;

    fl_lot_sleep_begin(&lot, parker);
    fl_fence_seq_cst();
    deque_raise_gate(&deque);
    fence_against_owner();
    is_idle = !is_any_work();
    if (is_idle)
        fl_parker_wait(parker);
    fl_lot_sleep_cancel(&lot, parker);
    return is_idle;
}

static void end_search(void)
{
    if (!fl_lot_search_end(&lot))
        return;
    fl_fence_seq_cst();
    if (deque_raise_gate(&deque))
        fence_against_owner();
    if (is_any_work())
        fl_lot_wake_one(&lot);
}

/* One round of find_work: a look at the owner, starving or not, and a sleep. A round that
 * ends in nothing spins, so that it comes back when there is news. */
static bool find_work(filch_job **job)
{
    bool has_news;

    if (deque_has_public(&deque) && deque_steal(&deque, job) == FL_STEAL_GOT)
        return true;
    if (deque_has_public(&deque))
        return false;
    if (deque.is_asymmetric && deque_has_private(&deque))
        has_news = deque_force_publish(&deque);
    else
        has_news = park_idle(&parkers[model_self()]) || deque.is_asymmetric;
    if (!has_news && !deque_has_public(&deque))
        fl_spin_hint();
    return false;
}

static filch_job *work_once(void)
{
    filch_job *job;

    fl_lot_search_begin(&lot);
    fl_fence_seq_cst();
    deque_raise_gate(&deque);
    while (!find_work(&job))
        continue;
    end_search();
    run_stolen(job);
    return job;
}

static void work(void)
{
    work_once();
}

/* For an owner who may, or may not, get the first job back. */
static void work_until_second(void)
{
    while (work_once() != &tasks[1].job)
        continue;
}

/* Sleeps before it searches. */
static void sleep_and_work(void)
{
    filch_job *job;

    fl_lot_search_begin(&lot);
    park_idle(&parkers[model_self()]);
    while (!find_work(&job))
        continue;
    end_search();
    run_stolen(job);
}

static void work_twice(void)
{
    work();
    work();
}

/* --- the gate alone --------------------------------------------------------------- */

static void lower(void)
{
    deque_lower_gate(&deque);
    if (fl_load_relaxed(&is_hungry))
        deque_raise_gate(&deque);
}

static void raise(void)
{
    fl_store_relaxed(&is_hungry, 1u);
    deque_raise_gate(&deque);
}

static void check_raised(void)
{
    MODEL_ASSERT(deque.hot.gate == FILCH_GATE_RAISED, "a raise was wiped out unseen");
}

#define CASE(name, mode, preemptions, runs, ...)                                   \
    {                                                                              \
        name ": " #mode, setup_##mode, {__VA_ARGS__}, check_all_run_once, NULL, 0, \
            preemptions, runs, false                                               \
    }
#define EACH(name, preemptions, runs, ...)                  \
    CASE(name, asymmetric, preemptions, runs, __VA_ARGS__), \
        CASE(name, raised, preemptions, runs, __VA_ARGS__), \
        CASE(name, classic, preemptions, runs, __VA_ARGS__)

static const struct model_case cases[] = {
    {"a raise is not wiped out unseen",
     setup_flag,
     {lower, raise},
     check_raised,
     NULL,
     0,
     0,
     0,
     false},
    EACH("a push against a sleeper", 0, 0, push_and_wait, sleep_and_work),
    EACH("a push against a searcher", 0, 0, push_and_wait, work),
    /* 2 s each; minutes with one preemption more. */
    EACH("two pushes, one after the other", 2, 0, push_push_and_wait, work_twice),
    /* A thief that goes around several times reads so many old values that not even one
     * preemption can be searched through. */
    EACH("a second push", 0, 100000, push_pop_push_and_wait, work_until_second),
    EACH("two pushes, two sleepers", 0, 100000, push_push_and_wait, sleep_and_work,
         sleep_and_work),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
