/* test_sync.c - what scope.h promises of filch_sync: all tasks so far are over, and it is
 * refused where it would take what is not its own, or wait for itself. */
#include "marks.h"

/* --- in the body of the scope ----------------------------------------------------- */

static int sync_rounds(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct marks *marks = ctx;
    struct mark mark = {marks, 0};
    size_t i;

    while (mark.at < TASKS) {
        size_t until = mark.at + 1 + mark.at % 100;

        for (; mark.at < until && mark.at < TASKS; mark.at++)
            if (filch_spawn(w, scope, mark_task, &mark, sizeof mark))
                return -1;
        if (filch_sync(w, scope))
            return -2;
        /* Plain reads of plain writes. */
        for (i = 0; i < TASKS; i++)
            if (marks->hits[i] != (i < mark.at))
                return -3;
    }
    return filch_sync(w, scope);
}

static void after_a_sync_the_results_of_the_tasks_are_visible(void **state)
{
    int round;

    for (round = 0; round < 20; round++) {
        struct marks marks = {{0}, 0};

        assert_int_equal(filch_scope(sync_rounds, &marks, .pool = *state), 0);
        check_marks(&marks, TASKS);
    }
}

struct failing {
    int value;
};

static int failing_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    return ((const struct failing *)ctx)->value;
}

static int sync_errors(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct failing failing = {0};
    int i;

    (void)ctx;
    if (filch_sync(w, scope))
        return -1;
    for (i = 0; i < 50; i++) {
        failing.value = i == 20 ? 55 : i == 30 ? 66 : 0;
        if (filch_spawn(w, scope, failing_task, &failing, sizeof failing))
            return -2;
    }
    return filch_sync(w, scope) == 55 ? 0 : -3;
}

static void a_sync_returns_the_error_so_far(void **state)
{
    assert_int_equal(filch_scope(sync_errors, NULL, .pool = *state), 55);
}

struct sync_result {
    atomic_int in_task, below_task, elsewhere;
    atomic_uint arrived;
    filch_scope *scope;
    filch_worker *owner;
};

static int sync_in_nested_scope(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct sync_result *result = ctx;

    (void)scope;
    atomic_store(&result->below_task, filch_sync(w, result->scope));
    return 0;
}

static int sync_in_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct sync_result *result = ctx;

    atomic_store(&result->in_task, filch_sync(w, scope));
    return filch_scope(sync_in_nested_scope, result, .worker = w);
}

static int sync_elsewhere(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct sync_result *result = ctx;

    (void)begin;
    (void)end;
    /* Both workers are here, so one of them is not the owner. */
    atomic_fetch_add(&result->arrived, 1);
    if (!wait_for(&result->arrived, 2))
        return -1;
    if (w != result->owner)
        atomic_store(&result->elsewhere, filch_sync(w, result->scope));
    return 0;
}

static int sync_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct sync_result *result = ctx;
    int err;

    result->scope = scope;
    result->owner = w;
    err = filch_spawn(w, scope, sync_in_task, result, 0);
    err = err ? err : filch_sync(w, scope);
    if (!err && filch_lane_limit(.worker = w) > 1)
        err = filch_for(0, 2, sync_elsewhere, result, .worker = w, .grain = 1);
    return err;
}

static void a_sync_that_would_wait_for_itself_is_refused(void **state)
{
    struct sync_result result = {0};

    assert_int_equal(filch_scope(sync_body, &result, .pool = *state), 0);
    assert_int_equal(atomic_load(&result.in_task), -EDEADLK);
    assert_int_equal(atomic_load(&result.below_task), -EDEADLK);
    assert_int_equal(atomic_load(&result.elsewhere),
                     filch_pool_workers(*state) > 1 ? -EINVAL : 0);
}

/* --- anywhere but in the body itself ---------------------------------------------- */

#define TASKS_BEFORE 300 /* spawned by the body before it calls what is not its own */

struct places {
    struct marks marks;
    filch_scope *scope;
    filch_worker *owner, *branch_worker;
    atomic_uint asked, let_in, branches, arrived;
    unsigned company;
};

static int spawn_marks(filch_worker *w, filch_scope *scope, struct places *places,
                       size_t begin, size_t end)
{
    struct mark mark = {&places->marks, begin};

    for (; mark.at < end; mark.at++)
        if (filch_spawn(w, scope, mark_task, &mark, sizeof mark))
            return -1;
    return 0;
}

static void ask(filch_worker *w, struct places *places)
{
    atomic_fetch_add(&places->asked, 1);
    if (filch_sync(w, places->scope) != -EINVAL)
        atomic_fetch_add(&places->let_in, 1);
}

static int second_branch(filch_worker *w, void *ctx)
{
    struct places *places = ctx;

    places->branch_worker = w;
    atomic_fetch_add(&places->branches, 1);
    return 0;
}

static int asking_branch(filch_worker *w, void *ctx)
{
    struct places *places = ctx;
    int err = spawn_marks(w, places->scope, places, TASKS_BEFORE, TASKS);

    ask(w, places);
    return err;
}

/* The body goes on as if nothing had been: it may sync, and sees what its tasks did. */
static int sync_properly(filch_worker *w, struct places *places, size_t count)
{
    size_t i;

    if (filch_sync(w, places->scope))
        return -2;
    for (i = 0; i < count; i++)
        if (places->marks.hits[i] != 1)
            return -3;
    return 0;
}

static int ask_in_join(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    int err;

    places->scope = scope;
    places->owner = w;
    err = spawn_marks(w, scope, places, 0, TASKS_BEFORE);
    err = err ? err : filch_join(w, asking_branch, places, second_branch, places);
    return err ? err : sync_properly(w, places, TASKS);
}

struct second_job {
    filch_job job;
    struct places *places;
};

static void second_run(filch_worker *w, filch_job *job)
{
    second_branch(w, ((struct second_job *)(void *)job)->places);
}

static int ask_between_fork_and_reclaim(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    struct second_job second = {.job.run = second_run, .places = places};
    int64_t place;
    int err;

    places->scope = scope;
    places->owner = w;
    err = spawn_marks(w, scope, places, 0, TASKS_BEFORE);
    place = filch_fork(w, &second.job);
    err |= spawn_marks(w, scope, places, TASKS_BEFORE, TASKS);
    ask(w, places);
    if (filch_reclaim(w, &second.job, place))
        second_branch(w, places);
    else
        filch_await(w, &second.job);
    return err ? err : sync_properly(w, places, TASKS);
}

/* A branch that another worker has taken is not seen among the tasks: a sync then does no
 * harm, and may be let in. */
static void check_asked_with_branch(filch_pool *pool, filch_scope_body *body)
{
    int round;

    for (round = 0; round < 50; round++) {
        struct places places = {0};

        assert_int_equal(filch_scope(body, &places, .pool = pool), 0);
        check_marks(&places.marks, TASKS);
        assert_int_equal(atomic_load(&places.branches), 1);
        assert_int_equal(atomic_load(&places.asked), 1);
        if (places.branch_worker == places.owner)
            assert_int_equal(atomic_load(&places.let_in), 0);
    }
}

static void a_sync_in_the_first_branch_of_a_join_is_refused(void **state)
{
    check_asked_with_branch(*state, ask_in_join);
}

static void a_sync_between_a_fork_and_its_reclaim_is_refused(void **state)
{
    check_asked_with_branch(*state, ask_between_fork_and_reclaim);
}

static int asking_item(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct places *places = ctx;
    struct mark mark = {&places->marks, TASKS_BEFORE + begin};

    /* The first ones wait for each other: the owner is not the only one who asks. */
    if (atomic_fetch_add(&places->arrived, 1) < places->company &&
        !wait_for(&places->arrived, places->company))
        return -4;
    ask(w, places);
    for (; begin < end; begin++, mark.at++)
        if (filch_spawn(w, places->scope, mark_task, &mark, sizeof mark))
            return -5;
    ask(w, places);
    return 0;
}

static int ask_in_loop(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    int err;

    places->scope = scope;
    places->company = filch_lane_limit(.worker = w);
    err = spawn_marks(w, scope, places, 0, TASKS_BEFORE);
    err = err ? err
              : filch_for(0, TASKS - TASKS_BEFORE, asking_item, places, .worker = w,
                          .grain = (TASKS - TASKS_BEFORE) / places->company);
    return err ? err : sync_properly(w, places, TASKS);
}

static int ask_in_serial_loop(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    int err;

    places->scope = scope;
    err = spawn_marks(w, scope, places, 0, TASKS_BEFORE);
    err = err ? err
              : filch_for(0, TASKS - TASKS_BEFORE, asking_item, places, .worker = w,
                          .max_workers = 1);
    return err ? err : sync_properly(w, places, TASKS);
}

static void check_asked(filch_pool *pool, filch_scope_body *body)
{
    int round;

    for (round = 0; round < 20; round++) {
        struct places places = {0};

        assert_int_equal(filch_scope(body, &places, .pool = pool), 0);
        check_marks(&places.marks, TASKS);
        assert_in_range(atomic_load(&places.asked), 1, TASKS * 2);
        assert_int_equal(atomic_load(&places.let_in), 0);
    }
}

static void a_sync_in_the_body_of_a_loop_is_refused_on_any_worker(void **state)
{
    check_asked(*state, ask_in_loop);
}

static void a_sync_in_the_body_of_a_serial_loop_is_refused(void **state)
{
    check_asked(*state, ask_in_serial_loop);
}

static int nested_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    int err = spawn_marks(w, scope, places, TASKS_BEFORE, 600);

    ask(w, places); /* for the outer scope */
    err |= spawn_marks(w, places->scope, places, 600, 800);
    ask(w, places);
    err |= filch_sync(w, scope);
    return err | spawn_marks(w, scope, places, 800, TASKS);
}

static int ask_in_nested_scope(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct places *places = ctx;
    int err;

    places->scope = scope;
    err = spawn_marks(w, scope, places, 0, TASKS_BEFORE);
    err = err ? err : filch_scope(nested_body, places, .worker = w);
    return err ? err : sync_properly(w, places, TASKS);
}

static void a_sync_of_the_outer_scope_from_a_nested_one_is_refused(void **state)
{
    check_asked(*state, ask_in_nested_scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(after_a_sync_the_results_of_the_tasks_are_visible),
        ON_POOLS(a_sync_returns_the_error_so_far),
        ON_POOLS(a_sync_that_would_wait_for_itself_is_refused),
        ON_POOLS(a_sync_in_the_first_branch_of_a_join_is_refused),
        ON_POOLS(a_sync_between_a_fork_and_its_reclaim_is_refused),
        ON_POOLS(a_sync_in_the_body_of_a_loop_is_refused_on_any_worker),
        ON_POOLS(a_sync_in_the_body_of_a_serial_loop_is_refused),
        ON_POOLS(a_sync_of_the_outer_scope_from_a_nested_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
