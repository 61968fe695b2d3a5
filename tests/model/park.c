/* park.c - permits and the lot: who sleeps is woken, and sees what it was woken for.
 *
 * Job: a permit hands plain data over ("payload": a data race on it), once and to its
 * owner only, though futex waits return for no reason. Sleepers and publishers, 1 and 2
 * of each: an item that is published is taken ("lost wake-up": an execution in which all
 * sleep), and the lot's list and count are whole at the end. Compiled with the real
 * park.c; work, and the steps around going to sleep, are as in lib/idle.c and
 * fl_worker_share, with a counter for the deques.
 */
#include <string.h>
#include "checker_atomics.h"
#include "park.h"

enum { WORKERS = MODEL_THREADS };

static struct fl_lot lot;
static struct fl_parker parkers[WORKERS];
static uint64_t work; /* items to take */
static uint32_t is_stopping;
static uint32_t posted[2]; /* by notifier: relaxed, for the permit orders them */
static int payload[2];     /* plain */

static void setup(void)
{
    int i;

    memset(&lot, 0, sizeof lot);
    memset(parkers, 0, sizeof parkers);
    work = 0;
    is_stopping = 0;
    model_name(&lot.hungry, "lot.hungry");
    model_name(&lot.lock, "lot.lock");
    model_name(&lot.sleepers, "lot.sleepers");
    model_name(&work, "work");
    model_name(&is_stopping, "stopping");
    model_spin_lock(&lot.lock);
    model_watch(&lot, sizeof lot);
    model_watch(parkers, sizeof parkers);
    for (i = 0; i < WORKERS; i++) {
        model_name(&parkers[i].state, "parker %d", i);
        model_name(&parkers[i].next_sleeper, "parker %d next", i);
        model_name(&parkers[i].is_listed, "parker %d listed", i);
    }
    for (i = 0; i < 2; i++) {
        posted[i] = 0;
        payload[i] = 0;
        model_name(&posted[i], "posted %d", i);
        model_name(&payload[i], "payload %d", i);
    }
}

/* --- a permit --------------------------------------------------------------------- */

static void notify(int i)
{
    MODEL_WRITE(payload[i], 1);
    fl_store_release(&posted[i], 1u);
    fl_parker_notify(&parkers[0]);
}

static void notify_0(void)
{
    notify(0);
}

static void notify_1(void)
{
    notify(1);
}

/* Looks at nothing but the permit. */
static void wait_once(void)
{
    fl_parker_wait(&parkers[0]);
    MODEL_ASSERT(MODEL_READ(payload[0]) == 1, "woken without a permit");
}

/* One permit may stand for both notifiers; none of the two may be missed. */
static void wait_for_both(void)
{
    while (!fl_load_acquire(&posted[0]) || !fl_load_acquire(&posted[1]))
        fl_parker_wait(&parkers[0]);
    MODEL_ASSERT(MODEL_READ(payload[0]) + MODEL_READ(payload[1]) == 2, "lost");
}

/* A permit is used up: the second wait is for the second one. */
static void wait_twice(void)
{
    wait_once();
    fl_store_release(&posted[1], 1u);
    fl_parker_wait(&parkers[0]);
    MODEL_ASSERT(MODEL_READ(payload[0]) == 2, "woken without a permit");
}

static void notify_twice(void)
{
    notify(0);
    while (!fl_load_acquire(&posted[1]))
        fl_spin_hint();
    MODEL_WRITE(payload[0], 2);
    fl_parker_notify(&parkers[0]);
}

/* --- the lot ---------------------------------------------------------------------- */

static bool is_any_work(void)
{
    return fl_load_relaxed(&work) > 0 || fl_load_relaxed(&is_stopping);
}

static bool take(void)
{
    uint64_t left = fl_load_relaxed(&work);

    while (left > 0)
        if (fl_cas_acq_rel(&work, &left, left - 1))
            return true;
    return false;
}

/* Returns whether it slept. */
static bool park_idle(struct fl_parker *parker)
{
    fl_lot_sleep_begin(&lot, parker);
    fl_fence_seq_cst();
    if (is_any_work()) {
        fl_lot_sleep_cancel(&lot, parker);
        return false;
    }
    fl_parker_wait(parker);
    fl_lot_sleep_cancel(&lot, parker);
    return true;
}

static void end_search(void)
{
    if (!fl_lot_search_end(&lot))
        return;
    fl_fence_seq_cst();
    if (is_any_work())
        fl_lot_wake_one(&lot);
}

static void work_once(void)
{
    fl_lot_search_begin(&lot);
    while (!take())
        if (!park_idle(&parkers[model_self()]) && !is_any_work())
            fl_spin_hint();
    end_search();
}

static void work_twice(void)
{
    work_once();
    work_once();
}

static void work_until_stopped(void)
{
    fl_lot_search_begin(&lot);
    while (!fl_load_relaxed(&is_stopping))
        park_idle(&parkers[model_self()]);
    fl_lot_search_end(&lot);
}

static void publish(void)
{
    fl_add_acq_rel(&work, 1);
    fl_fence_seq_cst();
    fl_lot_wake_one(&lot);
}

static void publish_twice(void)
{
    publish();
    publish();
}

/* As pool.c ends a pool: no fence, for the lock orders it. */
static void stop(void)
{
    fl_store_relaxed(&is_stopping, 1u);
    fl_lot_wake_all(&lot);
}

/* A sleeper that is woken, or changes its mind, while others come and go. */
static void sleep_and_cancel(void)
{
    fl_lot_search_begin(&lot);
    fl_lot_sleep_begin(&lot, &parkers[model_self()]);
    fl_lot_sleep_cancel(&lot, &parkers[model_self()]);
    fl_lot_search_end(&lot);
}

static void check_lot(void)
{
    MODEL_ASSERT(lot.hungry == 0, "the lot's count is wrong");
    MODEL_ASSERT(!lot.sleepers, "the lot's list is wrong");
    MODEL_ASSERT(work == 0, "lost");
}

#define CASE(name, preemptions, check, ...)                               \
    {                                                                     \
        name, setup, {__VA_ARGS__}, check, NULL, 1, preemptions, 0, false \
    }

static const struct model_case cases[] = {
    CASE("a permit brings what was written before it", 0, NULL, wait_once, notify_0),
    CASE("a permit is used up", 0, NULL, wait_twice, notify_twice),
    CASE("a permit for two notifiers", 0, NULL, wait_for_both, notify_0, notify_1),
    CASE("one publisher, one sleeper", 0, check_lot, work_once, publish),
    CASE("two publishers, one sleeper", 2, check_lot, work_twice, publish, publish),
    CASE("one publisher, two sleepers", 2, check_lot, work_once, work_once,
         publish_twice),
    CASE("two publishers, two sleepers, few preemptions", 1, check_lot, work_once,
         work_once, publish, publish),
    /* Not to be searched through in minutes; random. */
    {"two publishers, two sleepers",
     setup,
     {work_once, work_once, publish, publish},
     check_lot,
     NULL,
     1,
     0,
     200000,
     false},
    CASE("a stop, one sleeper", 0, check_lot, work_until_stopped, stop),
    CASE("a stop, two sleepers", 2, check_lot, work_until_stopped, work_until_stopped,
         stop),
    CASE("sleepers come and go", 2, check_lot, sleep_and_cancel, sleep_and_cancel,
         sleep_and_cancel),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
