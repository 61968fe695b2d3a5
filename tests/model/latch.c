/* latch.c - the two latches: who waits for a job is told, and may then forget it.
 *
 * Job: a join's word goes from the function to the thief's parker, perhaps to the
 * waiter's, and to 0; a counting latch goes down. The waiter sees what the job did
 * ("payload": a data race on it), is woken if it sleeps, and then uses the frame for
 * something else, or leaves it: whoever touches the latch after that is caught ("a frame
 * that is gone", "after its end", or a data race on it). Waiting is as in register_waiter and park_waiting, lib/wait.c.
 * Compiled with the real park.c and job.h.
 */
#include <string.h>
#include "checker_atomics.h"
#include "job.h"

enum { WAITER = 0, WORKERS = MODEL_THREADS, PIECES = 2 };

static struct fl_parker parkers[WORKERS];
static filch_job job;
static struct fl_latch latch;
static int payload[WORKERS]; /* plain: by who does the work, then the waiter's */
static int serves;           /* plain: the thief's before it begins, then the waiter's */
static int is_set_up; /* plain: the waiter's before it registers, then the thief's */

static void run(filch_worker *w, filch_job *ran)
{
    (void)w;
    (void)ran;
}

#define FUNCTION ((uintptr_t)run)
#define REUSED   ((uintptr_t)0x7001) /* odd, as if somebody waited */

static void setup(void)
{
    int i;

    memset(parkers, 0, sizeof parkers);
    job = (filch_job){.run = run};
    latch = (struct fl_latch){.remaining = PIECES, .waiter = &parkers[WAITER]};
    serves = is_set_up = 0;
    model_name(&job.state, "job");
    model_name(&latch.remaining, "remaining");
    model_name(&latch.waiter, "latch's waiter");
    model_name(&serves, "serves");
    model_name(&is_set_up, "set up");
    for (i = 0; i < WORKERS; i++) {
        payload[i] = 0;
        model_name(&payload[i], "payload %d", i);
        model_name(&parkers[i].state, "parker %d", i);
    }
}

/* --- a join ----------------------------------------------------------------------- */

static void thief(void)
{
    struct fl_parker *self = &parkers[model_self()], *waiter;

    MODEL_WRITE(serves, 1);
    MODEL_ASSERT(join_begin(&job, self) == run, "another function");
    MODEL_WRITE(payload[0], 1);
    waiter = join_finish(&job);
    if (!waiter)
        return;
    MODEL_ASSERT(waiter == &parkers[WAITER], "a frame that is gone was looked at");
    MODEL_ASSERT(MODEL_READ(is_set_up) == 1, "the waiter's parker is not set up");
    fl_parker_notify(waiter);
}

static void forget(void)
{
    MODEL_ASSERT(MODEL_READ(payload[0]) == 1, "not done");
    MODEL_WRITE(payload[0], 2);
    fl_store_relaxed(&job.state, REUSED);
}

static void spin_and_forget(void)
{
    while (!join_is_done(&job))
        fl_spin_hint();
    forget();
}

/* False: it must not sleep yet. */
static bool register_waiter(void)
{
    uintptr_t state = fl_load_relaxed(&job.state);

    if (state - (uintptr_t)parkers >= sizeof parkers)
        return false;
    if (state & 1)
        return true;
    if (!join_register(&job, (struct fl_parker *)state, &parkers[WAITER]))
        return false;
    MODEL_ASSERT(MODEL_READ(serves) == 1, "the thief serves nobody");
    return true;
}

static void sleep_until_done(void)
{
    MODEL_WRITE(is_set_up, 1);
    while (!join_is_done(&job)) {
        bool may_sleep = register_waiter();

        if (join_is_done(&job))
            break;
        if (may_sleep)
            fl_parker_wait(&parkers[WAITER]);
        else
            fl_spin_hint();
    }
}

static void sleep_and_forget(void)
{
    sleep_until_done();
    forget();
}

static void check_forgotten(void)
{
    MODEL_ASSERT(job.state == REUSED, "a frame that is gone was written to");
}

/* The same, and then the frame is no more. */
static void leave_frame(void)
{
    MODEL_ASSERT(MODEL_READ(payload[0]) == 1, "not done");
    MODEL_DIES(&job);
}

static void setup_frame(void)
{
    setup();
    model_lives(&job, sizeof job);
    model_lives(&latch, sizeof latch);
}

static void spin_and_leave(void)
{
    while (!join_is_done(&job))
        fl_spin_hint();
    leave_frame();
}

static void sleep_and_leave(void)
{
    sleep_until_done();
    leave_frame();
}

/* --- a counting latch ------------------------------------------------------------- */

static void count_down(void)
{
    struct fl_parker *waiter = MODEL_READ(latch.waiter);

    MODEL_WRITE(payload[model_self()], 1);
    if (latch_count_down(&latch, 1) == 0)
        fl_parker_notify(waiter);
}

static void look_at_pieces(void)
{
    MODEL_ASSERT(MODEL_READ(payload[1]) + MODEL_READ(payload[2]) == PIECES, "not done");
    MODEL_WRITE(latch.waiter, NULL);
    fl_store_relaxed(&latch.remaining, REUSED);
}

static void spin_for_pieces(void)
{
    while (!latch_is_down(&latch, 0))
        fl_spin_hint();
    look_at_pieces();
}

static void sleep_for_pieces(void)
{
    while (!latch_is_down(&latch, 0))
        fl_parker_wait(&parkers[WAITER]);
    look_at_pieces();
}

static void spin_and_leave_pieces(void)
{
    while (!latch_is_down(&latch, 0))
        fl_spin_hint();
    MODEL_DIES(&latch);
}

static void sleep_and_leave_pieces(void)
{
    while (!latch_is_down(&latch, 0))
        fl_parker_wait(&parkers[WAITER]);
    MODEL_DIES(&latch);
}

static void check_latch_forgotten(void)
{
    MODEL_ASSERT(latch.remaining == REUSED, "a frame that is gone was written to");
}

#define CASE(name, setup, check, spurious, ...)                        \
    {                                                                  \
        name, setup, {__VA_ARGS__}, check, NULL, spurious, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("a join, spinning", setup, check_forgotten, 0, spin_and_forget, thief),
    CASE("a join, asleep", setup, check_forgotten, 1, sleep_and_forget, thief),
    CASE("a join whose frame ends, spinning", setup_frame, NULL, 0, spin_and_leave,
         thief),
    CASE("a join whose frame ends, asleep", setup_frame, NULL, 1, sleep_and_leave, thief),
    CASE("a count, spinning", setup, check_latch_forgotten, 0, spin_for_pieces,
         count_down, count_down),
    CASE("a count, asleep", setup, check_latch_forgotten, 1, sleep_for_pieces, count_down,
         count_down),
    CASE("a count whose frame ends, spinning", setup_frame, NULL, 0,
         spin_and_leave_pieces, count_down, count_down),
    CASE("a count whose frame ends, asleep", setup_frame, NULL, 1, sleep_and_leave_pieces,
         count_down, count_down),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
