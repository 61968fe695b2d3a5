/* test_spawn_order.c - of several failing tasks the one counts that was spawned first,
 * whoever spawned it, and however many there were. */
#include "marks.h"

/* As many as a scope's owner numbers by itself, as in lib/scope.c, and more. */
#define STEP (1u << 16)
#define MANY (STEP + 100)

enum { BY_THE_OWNER = 1, BY_ANOTHER };

struct order {
    int first; /* who spawns its failing task first */
    atomic_uint is_spawned, wrong;
};

static int fail_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w, (void)scope;
    return *(int *)ctx;
}

/* In turn: who is not the first waits until that one has spawned. */
static int spawn_in_turn(filch_worker *w, filch_scope *scope, struct order *order,
                         int who)
{
    int err;

    if (who != order->first && !wait_for(&order->is_spawned, 1))
        atomic_fetch_add(&order->wrong, 1);
    err = filch_spawn(w, scope, fail_task, &who, sizeof who);
    atomic_store(&order->is_spawned, 1);
    return err;
}

static int another_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    return spawn_in_turn(w, scope, *(struct order **)ctx, BY_ANOTHER);
}

static int spawn_both(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct order *order = ctx;
    int err = filch_spawn(w, scope, another_task, &order, sizeof order);

    return err ? err : spawn_in_turn(w, scope, order, BY_THE_OWNER);
}

static void the_first_spawned_counts_whoever_spawned_it(void **state)
{
    int round;

    for (round = 0; round < 100; round++) {
        struct order order = {.first = round % 2 ? BY_THE_OWNER : BY_ANOTHER};

        assert_int_equal(filch_scope(spawn_both, &order, .pool = *state), order.first);
        assert_int_equal(order.wrong, 0);
    }
}

static int fail_late(filch_worker *w, filch_scope *scope, void *ctx)
{
    unsigned number = *(unsigned *)ctx;

    (void)w, (void)scope;
    return number >= STEP - 50 ? (int)number : 0;
}

static int spawn_many(filch_worker *w, filch_scope *scope, void *ctx)
{
    unsigned i;
    int err = 0;

    (void)ctx;
    for (i = 0; i < MANY && !err; i++)
        err = filch_spawn(w, scope, fail_late, &i, sizeof i);
    return err;
}

static void the_first_of_many_counts(void **state)
{
    assert_int_equal(filch_scope(spawn_many, NULL, .pool = *state), STEP - 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Somebody must run a task while the body waits for it. */
        ON_POOL(the_first_spawned_counts_whoever_spawned_it, 2),
        ON_POOL(the_first_spawned_counts_whoever_spawned_it, 4),
        ON_POOLS(the_first_of_many_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
