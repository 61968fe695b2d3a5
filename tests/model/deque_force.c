/* deque_force.c - forced publishing against the owner's private push and pop.
 *
 * Job: a thief makes private jobs public while the owner goes on without a fence. Every
 * job is run once ("run twice", "lost"), and whoever runs it sees its argument
 * ("payload": a data race on it). Asymmetric mode only. The gate is down, so that the
 * owner publishes nothing by itself until the ring seems full.
 */
#include "deque_under_test.h"

static void look_for_hungry(void)
{
    deque_lower_gate(&deque);
}

static void setup(void)
{
    deque_setup(true);
    deque.hot.gate = FILCH_RING_SLOTS - 1;
}

/* --- owners ----------------------------------------------------------------------- */

/* A forcer may read tail before the first pop and again after the last one, whose value
 * it had already then: the jobs below are other ones, and come with the pop's store. */
static void push_pop_push_push_pop_pop(void)
{
    push_pop();
    push(1);
    push(2);
    pop(2);
    pop(1);
}

/* Long leaves: without a thief, the owner waits for ever. */
static void push_and_wait(void)
{
    push(0);
    wait_for(0);
}

static void push_push_pop_and_wait(void)
{
    push(0);
    push(1);
    pop(1);
    wait_for(0);
}

/* --- thieves ---------------------------------------------------------------------- */

static void force(void)
{
    deque_force_publish(&deque);
}

static void force_steal(void)
{
    deque_force_publish(&deque);
    steal_once();
}

static void force_steal_steal(void)
{
    force_steal();
    steal_once();
}

static void force_steal_twice(void)
{
    force_steal();
    force_steal();
}

static void steal(void)
{
    steal_once();
}

/* As a starving thief: until there is something. */
static void starve(unsigned jobs)
{
    while (jobs) {
        enum fl_steal result = steal_once();

        if (result == FL_STEAL_GOT)
            jobs--;
        else if (result == FL_STEAL_EMPTY &&
                 !(deque_has_private(&deque) && deque_force_publish(&deque)))
            fl_spin_hint();
    }
}

static void starve_for_1(void)
{
    starve(1);
}

#if FILCH_CAPACITY > 2
static void starve_for_2(void)
{
    starve(2);
}

static void push_push_and_wait(void)
{
    push(0);
    push(1);
    wait_for(1);
    wait_for(0);
}
#endif

#define CASE(name, owner, ...)                                                      \
    {                                                                               \
        name, setup, {owner, __VA_ARGS__}, check_all_run_once, NULL, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("against a pop", push_pop, force_steal),
    CASE("against two pops", push_push_pop_pop, force_steal_steal),
    CASE("against a pop, twice", push_pop_push_pop, force_steal_twice),
    CASE("against a retracted tail", push_pop_push_push_pop_pop, force_steal),
    CASE("against a retracted tail and a stranger's steal", push_pop_push_push_pop_pop,
         force, steal),
    CASE("against a pop and a stranger's steal", push_pop, force_steal, steal),
    CASE("against two pops and a stranger's steals", push_push_pop_pop, force, steal),
    CASE("by two forcers", push_pop, force_steal, force),
    CASE("by two forcers, against two pops", push_push_pop_pop, force_steal, force),
    CASE("nothing is lost in a long leaf", push_and_wait, starve_for_1),
    CASE("nothing is lost beside a pop", push_push_pop_and_wait, starve_for_1),
#if FILCH_CAPACITY > 2 /* both have room */
    CASE("two are not lost in a long leaf", push_push_and_wait, starve_for_2),
    {"two are not lost between two thieves",
     setup,
     {push_push_and_wait, starve_for_1, starve_for_1},
     check_all_run_once,
     NULL,
     0,
     3, /* 12 s without a bound */
     0,
     false},
#endif
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
