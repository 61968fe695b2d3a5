/* inject.c - the queue for jobs that change hands: nothing is lost, nothing comes twice.
 *
 * Job: puts against takes of both kinds, whose counts, looked at without the mutex, are
 * hints. Every entry is taken once ("taken twice", "lost"), by whom it is for ("not for
 * this one"), who sees what was written before the put ("payload": a data race on it); who
 * sleeps after a look at a count is woken ("lost wake-up"). Compiled with the real
 * inject.c and park.c; going to sleep is as in lib/idle.c and lib/wait.c.
 */
#include <string.h>
#include "checker_atomics.h"
#include "inject.h"
#include "park.h"

enum { TASKS = 2 };

static struct fl_inject queue;
static struct fl_latch latches[TASKS]; /* of each task */
static struct fl_task tasks[TASKS];
static filch_job join;
static int payload;
static int payloads[TASKS]; /* plain: the putter's, then the taker's */
static int takes[TASKS + 1], takers[TASKS + 1]; /* for the check; the last the join's */
static struct fl_parker parker;
static uint32_t is_hungry;

static void setup(void)
{
    int i;

    fl_inject_init(&queue);
    memset(&parker, 0, sizeof parker);
    memset(tasks, 0, sizeof tasks);
    memset(takes, 0, sizeof takes);
    memset(takers, 0, sizeof takers);
    memset(&join, 0, sizeof join);
    payload = 0;
    is_hungry = 0;
    model_watch(&queue, sizeof queue);
    model_watch(tasks, sizeof tasks);
    model_watch(&join, sizeof join);
    model_name(&queue.count, "count");
    model_name(&queue.open_count, "open count");
    model_name(&queue.mutex, "mutex");
    model_name(&queue.first, "first");
    model_name(&queue.last, "last");
    model_name(&join, "join");
    model_name(&payload, "join's payload");
    model_name(&parker.state, "parker");
    model_name(&is_hungry, "hungry");
    for (i = 0; i < TASKS; i++) {
        payloads[i] = 0;
        tasks[i].latch = &latches[i];
        model_name(&tasks[i].job.next, "task %d's next", i);
        model_name(&payloads[i], "task %d's payload", i);
    }
}

static void setup_bound(void)
{
    setup();
    tasks[0].is_bound = true;
}

/* --- puts and takes --------------------------------------------------------------- */

static void put(int i)
{
    MODEL_WRITE(payloads[i], 1);
    fl_inject_put(&queue, entry_of_task(&tasks[i]));
}

static void put_join(void)
{
    MODEL_WRITE(payload, 1);
    fl_inject_put(&queue, &join);
}

static void take(filch_job *entry)
{
    int i;

    if (!entry_is_task(entry)) {
        MODEL_ASSERT(entry == &join, "not an entry");
        MODEL_ASSERT(takes[TASKS]++ == 0, "taken twice");
        takers[TASKS] = model_self();
        MODEL_ASSERT(MODEL_READ(payload) == 1, "wrong payload");
        return;
    }
    i = (int)(entry_task(entry) - tasks);
    MODEL_ASSERT(i >= 0 && i < TASKS, "not an entry");
    MODEL_ASSERT(takes[i]++ == 0, "taken twice");
    takers[i] = model_self();
    MODEL_ASSERT(MODEL_READ(payloads[i]) == 1, "wrong payload");
}

static filch_job *await_any(void)
{
    filch_job *entry;

    while (!(entry = fl_inject_take_any(&queue)))
        fl_yield();
    return entry;
}

static filch_job *await_for(fl_served served)
{
    filch_job *entry;

    while (!(entry = fl_inject_take_for(&queue, served)))
        fl_yield();
    MODEL_ASSERT(served_by_entry(entry) == served, "not for this one");
    return entry;
}

/* --- bodies ----------------------------------------------------------------------- */

static void put_0(void)
{
    put(0);
}

static void put_1(void)
{
    put(1);
}

static void put_both(void)
{
    put(0);
    put(1);
}

static void put_task_and_join(void)
{
    put(0);
    put_join();
}

/* Takes what is there, if anything. */
static void try_any(void)
{
    filch_job *entry = fl_inject_take_any(&queue);

    if (entry)
        take(entry);
}

static void take_any(void)
{
    take(await_any());
}

static void take_both_in_order(void)
{
    filch_job *first = await_any(), *second = await_any();

    MODEL_ASSERT(first == entry_of_task(&tasks[0]), "not the oldest");
    take(first);
    take(second);
}

static void take_two(void)
{
    take_any();
    take_any();
}

static void take_for_0(void)
{
    take(await_for(served_by_latch(&latches[0])));
}

static void take_for_1(void)
{
    take(await_for(served_by_latch(&latches[1])));
}

static void take_join(void)
{
    take(await_for((fl_served)&join));
}

static void try_any_but_bound(void)
{
    filch_job *entry = fl_inject_take_any(&queue);

    MODEL_ASSERT(entry != entry_of_task(&tasks[0]), "not for this one");
    if (entry)
        take(entry);
}

/* --- sleeping after a look at the count ------------------------------------------- */

static void put_and_wake(void)
{
    put(0);
    fl_fence_seq_cst();
    if (fl_load_relaxed(&is_hungry))
        fl_parker_notify(&parker);
}

static void sleep_for_0(void)
{
    fl_served served = served_by_latch(&latches[0]);
    filch_job *entry;

    fl_store_relaxed(&is_hungry, 1u);
    while (!(entry = fl_inject_take_for(&queue, served))) {
        fl_fence_seq_cst();
        if (!fl_inject_has_for(&queue, served))
            fl_parker_wait(&parker);
    }
    take(entry);
}

/* --- the end ---------------------------------------------------------------------- */

static void check_empty(void)
{
    MODEL_ASSERT(!queue.first && queue.last == &queue.first, "lost");
    MODEL_ASSERT(queue.count == 0 && queue.open_count == 0, "the counts are wrong");
    fl_inject_destroy(&queue);
    model_outcome("%d %d %d", takers[0], takers[1], takers[2]);
}

/* What is left can be taken now. */
static void check_rest(void)
{
    filch_job *entry;
    int i;

    while ((entry = fl_inject_take_any(&queue)) ||
           (entry = fl_inject_take_for(&queue, served_by_latch(&latches[0]))))
        take(entry);
    for (i = 0; i < TASKS; i++)
        MODEL_ASSERT(takes[i] == (payloads[i] != 0), "lost");
    check_empty();
}

#define CASE(name, setup, check, ...)                           \
    {                                                           \
        name, setup, {__VA_ARGS__}, check, NULL, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("one put, one take", setup, check_empty, put_0, take_any),
    CASE("one put, two tries", setup, check_rest, put_0, try_any, try_any),
    CASE("two puts, in order", setup, check_empty, put_both, take_both_in_order),
    CASE("two putters", setup, check_empty, put_0, put_1, take_two),
    CASE("two takers", setup, check_empty, put_both, take_any, take_any),
    CASE("two putters, two takers", setup, check_empty, put_0, put_1, take_any, take_any),
    CASE("each its own", setup, check_empty, put_both, take_for_0, take_for_1),
    CASE("a task and a join", setup, check_empty, put_task_and_join, take_for_0,
         take_join),
    CASE("a bound task is not anyone's", setup_bound, check_rest, put_both,
         try_any_but_bound, take_for_0),
    CASE("a put against a sleeper", setup, check_empty, put_and_wake, sleep_for_0),
    CASE("a bound put against a sleeper", setup_bound, check_empty, put_and_wake,
         sleep_for_0),
    CASE("a put against a sleeper and a thief", setup, check_empty, put_and_wake,
         sleep_for_0, put_1, take_for_1),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
