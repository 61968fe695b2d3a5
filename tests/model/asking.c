/* asking.c - the conversation of a pool's starter with its first thread, about prices.
 *
 * Job: both come to an end, however long the other takes ("lost wake-up"), and the time of
 * waking up is read when it has been written ("woken": a data race on it). Compiled with
 * the real prices.c and park.c, and instrumented.
 */
#include "stand_ins.h"

#include <string.h>
#include "serving.h"
#undef FL_LOOKS_PER_CLOCK
#define FL_LOOKS_PER_CLOCK 1 /* a look in vain is not repeated here */
#include "prices.c"

static struct filch_pool pool;
static struct fl_worker worker;

static void setup_tick(uint64_t ns)
{
    memset(&pool, 0, sizeof pool);
    memset(&worker, 0, sizeof worker);
    memset(clock_now, 0, sizeof clock_now);
    clock_tick = ns;
    worker.pool = &pool;
    fl_prices_guess(&pool.launch);
    fl_prices_ask(&pool.launch);
    pool.launch.sleeping = 0;
    model_watch(&pool.launch.woken_at, sizeof pool.launch.woken_at);
    model_name(&pool.launch.woken_at, "woken at");
    model_name(&pool.launch.ask, "ask");
    model_name(&pool.launch.answer, "answer");
    model_name(&worker.parker.state, "parker");
}

static void setup(void)
{
    setup_tick(FALL_ASLEEP_NS);
}

/* Nobody has the patience for a second look. */
static void setup_impatient(void)
{
    setup_tick(2 * PATIENCE_NS);
}

static void answer(void)
{
    fl_prices_answer(&worker);
}

static void measure(void)
{
    fl_prices_measure(&pool.launch, &worker.parker);
}

static void check_measured(void)
{
    MODEL_ASSERT(pool.launch.ask == NOTHING, "still asking");
    MODEL_ASSERT(pool.launch.sleeping > 0, "not measured");
}

static void check_over(void)
{
    MODEL_ASSERT(pool.launch.ask == NOTHING, "still asking");
}

static const struct model_case cases[] = {
    {"a patient conversation",
     setup,
     {answer, measure},
     check_measured,
     NULL,
     1,
     0,
     0,
     false},
    {"an impatient one",
     setup_impatient,
     {answer, measure},
     check_over,
     NULL,
     0,
     0,
     0,
     false},
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
