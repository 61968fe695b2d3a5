/* test_fork.c - fork() while pools are at work: the child starts threads of its own.
 *
 * A child does not check with cmocka, which would go on with the other tests in it: it ends
 * with the number of things that were wrong.
 *
 * Not built with TSan, which allows no threads after the fork of a process that has some. The
 * allocator of ASan may be locked in the child for ever when another thread was using it: a
 * fork in the middle of calls is skipped there.
 */
#include "process.h"

/* --- a parent that is busy -------------------------------------------------------- */

struct parent {
    filch_pool *pool;
    atomic_bool is_over;
    atomic_uint wrong, rounds;
};

/* In the middle of calls, on both pools, when the fork comes. */
static void *keep_calling(void *arg)
{
    struct parent *parent = arg;

    while (!atomic_load(&parent->is_over)) {
        if (sum_wrongly(parent->pool) || sum_wrongly(NULL))
            atomic_fetch_add(&parent->wrong, 1);
        atomic_fetch_add(&parent->rounds, 1);
    }
    return NULL;
}

/* Pools come and go as well. */
static void *keep_making(void *arg)
{
    struct parent *parent = arg;
    filch_pool *pool;

    while (!atomic_load(&parent->is_over)) {
        if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)))
            atomic_fetch_add(&parent->wrong, 1);
        filch_pool_destroy(pool);
    }
    return NULL;
}

static int meet(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return !wait_for(ctx, 3);
}

/* The calls are right, and the pool of three has threads for them. */
static int work_in_child(filch_pool *pool)
{
    atomic_uint arrived = 0;
    filch_pool *fresh;
    int wrong = sum_wrongly(pool) + sum_wrongly(NULL) + sum_wrongly(pool);

    wrong += filch_for(0, 3, meet, &arrived, .pool = pool, .grain = 1) != 0;
    wrong += filch_pool_workers(pool) != 3 || filch_worker_current() != NULL;
    if (filch_pool_create(&fresh, FILCH_POOL_OPTIONS(.workers = 2)))
        return wrong + 1;
    wrong += sum_wrongly(fresh);
    filch_pool_destroy(fresh);
    return wrong;
}

/* The pool's threads end with it, and those of the default pool are all that is left. */
static int destroy_in_child(filch_pool *pool)
{
    filch_pool_destroy(pool);
    return !are_threads_gone(filch_pool_workers(NULL));
}

static int grandchild(filch_pool *pool)
{
    pid_t child = fork();

    if (child == 0) {
        int wrong;

        limit_own_time();
        wrong = work_in_child(pool);
        _exit(wrong + destroy_in_child(pool));
    }
    return value_of_child(child) != 0;
}

static void *fork_often(void *arg)
{
    struct parent *parent = arg;
    int round;

    for (round = 0; round < 50; round++) {
        pid_t child = fork();

        if (child == 0) {
            int wrong = 0;

            limit_own_time();
            /* The nested fork comes before, or after, the child has threads again. */
            if (round % 3 == 0)
                wrong += grandchild(parent->pool);
            if (round % 5)
                wrong += work_in_child(parent->pool);
            if (round % 3 == 1)
                wrong += grandchild(parent->pool);
            if (round % 2)
                wrong += destroy_in_child(parent->pool);
            _exit(wrong);
        }
        if (value_of_child(child) != 0)
            atomic_fetch_add(&parent->wrong, 1);
    }
    return NULL;
}

static void a_child_forked_in_the_middle_of_calls_has_pools_that_work(void **state)
{
    struct parent parent = {0};
    pthread_t caller[3], maker;
    unsigned i;

    (void)state;
    if (IS_ASAN)
        skip(); /* see above */
    assert_int_equal(sum_wrongly(NULL), 0);
    assert_int_equal(filch_pool_create(&parent.pool, FILCH_POOL_OPTIONS(.workers = 3)),
                     0);
    for (i = 0; i < COUNT_OF(caller); i++)
        assert_int_equal(pthread_create(&caller[i], NULL, keep_calling, &parent), 0);
    assert_int_equal(pthread_create(&maker, NULL, keep_making, &parent), 0);
    assert_true(wait_for(&parent.rounds, 3));
    run_threads(1, fork_often, &parent);
    atomic_store(&parent.is_over, true);
    for (i = 0; i < COUNT_OF(caller); i++)
        pthread_join(caller[i], NULL);
    pthread_join(maker, NULL);
    assert_int_equal(atomic_load(&parent.wrong), 0);
    assert_int_equal(sum_wrongly(parent.pool), 0);
    filch_pool_destroy(parent.pool);
}

/* --- a parent at rest ------------------------------------------------------------- */

/* Threads that have just been started may still be in the allocator; see above. */
static pid_t fork_at_rest(void)
{
    if (IS_ASAN)
        sleep_us(100000);
    fflush(NULL);
    return fork();
}

/* By way of exit(): with the destructors, and in a sanitized build the search for leaks. */
static void a_child_may_exit_without_having_used_a_pool(void **state)
{
    pid_t child;

    (void)state;
    assert_int_equal(sum_wrongly(NULL), 0);
    child = fork_at_rest();
    if (child == 0) {
        limit_own_time();
        exit(7);
    }
    assert_int_equal(value_of_child(child), 7);
}

static void a_child_may_exit_with_pools_that_work(void **state)
{
    static filch_pool *pool;
    pid_t child;

    (void)state;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    assert_int_equal(sum_wrongly(pool) + sum_wrongly(NULL), 0);
    child = fork_at_rest();
    if (child == 0) {
        limit_own_time();
        exit(work_in_child(pool));
    }
    assert_int_equal(value_of_child(child), 0);
    assert_int_equal(sum_wrongly(pool), 0);
    filch_pool_destroy(pool);
    pool = NULL;
}

static void a_child_may_destroy_a_pool_it_never_used(void **state)
{
    filch_pool *pool;
    pid_t child;
    int round;

    (void)state;
    for (round = 0; round < 20; round++) {
        assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 4)), 0);
        /* Sometimes the threads have hardly begun. */
        if (round % 2)
            assert_int_equal(sum_wrongly(pool), 0);
        child = fork_at_rest();
        if (child == 0) {
            limit_own_time();
            filch_pool_destroy(pool);
            _exit(count_threads() != 1);
        }
        assert_int_equal(value_of_child(child), 0);
        filch_pool_destroy(pool);
    }
}

/* --- a fork in a body ------------------------------------------------------------- */

struct body_fork {
    filch_pool *pool, *other;
    atomic_uint wrong, forks;
};

/* The child has the forker only: nested calls go on alone, other pools have threads. */
static int fork_in_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct body_fork *call = ctx;
    atomic_size_t sum = 0;
    pid_t child;

    (void)begin;
    (void)end;
    child = fork();
    if (child == 0) {
        int wrong;

        limit_own_time();
        wrong = filch_for(0, 1000, sum_range, &sum, .worker = w, .grain = 1) ||
                atomic_load(&sum) != 499500;
        wrong += sum_wrongly(call->pool); /* nested, too: it is the body's own */
        wrong += sum_wrongly(call->other);
        _exit(wrong);
    }
    atomic_fetch_add(&call->forks, 1);
    if (value_of_child(child) != 0)
        atomic_fetch_add(&call->wrong, 1);
    return 0;
}

static void a_body_may_fork_and_its_child_may_make_calls(void **state)
{
    struct body_fork call = {0};

    (void)state;
    if (IS_ASAN)
        skip(); /* see above */
    assert_int_equal(filch_pool_create(&call.pool, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    assert_int_equal(filch_pool_create(&call.other, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_int_equal(sum_wrongly(call.other), 0);
    assert_int_equal(filch_for(0, 12, fork_in_body, &call, .pool = call.pool, .grain = 1),
                     0);
    assert_int_equal(atomic_load(&call.forks), 12);
    assert_int_equal(atomic_load(&call.wrong), 0);
    assert_int_equal(sum_wrongly(call.pool) + sum_wrongly(call.other), 0);
    filch_pool_destroy(call.other);
    filch_pool_destroy(call.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_forked_in_the_middle_of_calls_has_pools_that_work),
        cmocka_unit_test(a_child_may_exit_without_having_used_a_pool),
        cmocka_unit_test(a_child_may_exit_with_pools_that_work),
        cmocka_unit_test(a_child_may_destroy_a_pool_it_never_used),
        cmocka_unit_test(a_body_may_fork_and_its_child_may_make_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
