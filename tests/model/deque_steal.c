/* deque_steal.c - the owner's push and pop of public jobs against thieves.
 *
 * Job: every job is run once, by the owner or by one thief ("run twice", "lost"), who
 * sees its argument ("payload": a data race on it); the owner sees the result; a slot is
 * not filled again before it has been read ("filled again"). Both modes; rings of 2 and 4
 * slots (FILCH_CAPACITY), so that indices wrap and pushes find no room. Never forces a
 * publish: deque_force.c does.
 */
#include "deque_under_test.h"

/* As fl_worker_share: nobody is hungry here, so later pushes stay private until the ring
 * seems full. They fill slots that nothing but a relaxed load of top, in
 * deque_lower_gate, says are empty: fl_worker_share's fence makes it count. Where the
 * gate stays up, each push asks deque_has_room, and must do without. */
static void look_for_hungry(void)
{
    if (deque.is_asymmetric) {
        deque_lower_gate(&deque);
        fl_fence_seq_cst();
    }
}

static void setup_asymmetric(void)
{
    deque_setup(true);
}

static void setup_classic(void)
{
    deque_setup(false);
}

/* --- owners ----------------------------------------------------------------------- */

static void push_pop_three_times(void)
{
    push_pop_push_pop();
    push(2);
    pop(2);
}

static void push_more_than_fit(void)
{
    int i;

    for (i = 0; i < FILCH_RING_SLOTS; i++)
        push(i);
    for (i = FILCH_RING_SLOTS - 1; i >= 0; i--)
        pop(i);
}

/* The last one comes around to the slot of the first, of whose thief nothing but top has
 * been heard. */
static void push_around(void)
{
    int i;

    for (i = 0; i <= FILCH_RING_SLOTS; i++)
        push(i);
    for (i = FILCH_RING_SLOTS; i >= 0; i--)
        pop(i);
}

/* --- thieves ---------------------------------------------------------------------- */

static void steal_1(void)
{
    steal_once();
}

static void steal_2(void)
{
    steal_once();
    steal_once();
}

static void steal_3(void)
{
    steal_2();
    steal_once();
}

/* The look may have been at a bottom that is no more, as may the steal's own. */
static void look_and_steal_2(void)
{
    if (deque_has_public(&deque))
        steal_once();
    if (deque_has_public(&deque))
        steal_once();
}

#define CASE(name, mode, owner, ...)                                                   \
    {                                                                                  \
        name ": " #mode, setup_##mode, {owner, __VA_ARGS__}, check_all_run_once, NULL, \
            0, 0, 0, false                                                             \
    }
#define BOTH(name, ...) \
    CASE(name, asymmetric, __VA_ARGS__), CASE(name, classic, __VA_ARGS__)

static const struct model_case cases[] = {
    BOTH("last job, one thief", push_pop, steal_1),
    BOTH("last job, two thieves", push_pop, steal_1, steal_1),
    BOTH("two jobs, one thief", push_push_pop_pop, steal_2),
    BOTH("two jobs, two thieves", push_push_pop_pop, steal_2, steal_1),
    BOTH("one after the other, one thief", push_pop_push_pop, steal_2),
    BOTH("one after the other, two thieves", push_pop_push_pop, steal_2, steal_1),
    BOTH("a thief that looks at an old bottom", push_pop_push_pop, look_and_steal_2),
    BOTH("three in turn, one thief", push_pop_three_times, steal_3),
    BOTH("more than fit, one thief", push_more_than_fit, steal_2),
    BOTH("around the ring, one thief", push_around, steal_2),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
