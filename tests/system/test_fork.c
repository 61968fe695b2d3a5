/* test_fork.c - fork() while pools are at work: the child starts threads of its own.
 *
 * A child does not check with cmocka, which would go on with the other tests in it: it
 * ends with the number of things that were wrong.
 *
 * Not built with TSan, which allows no threads after the fork of a process that has some.
 * The allocator of ASan may be locked in the child for ever when another thread was using
 * it: a fork in the middle of calls is skipped there.
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

/* The calls are right, and the pool of three has threads for them. */
static int work_in_child(filch_pool *pool)
{
    struct meeting meeting = {.company = 3};
    filch_pool *fresh;
    int wrong = sum_wrongly(pool) + sum_wrongly(NULL) + sum_wrongly(pool);

    wrong += filch_for(0, 3, meet, &meeting, .pool = pool, .grain = 1) != 0;
    wrong += atomic_load(&meeting.wrong) != 0;
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

/* The fork is made by one of the pool's own threads. */
struct thread_fork {
    filch_pool *pool, *other;
    filch_worker *caller;
    int (*in_child)(filch_worker *w, struct thread_fork *call);
    atomic_uint arrived, forks;
    int value;
};

static int fork_on_thread(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct thread_fork *call = ctx;
    pid_t child;

    (void)begin;
    (void)end;
    atomic_fetch_add(&call->arrived, 1);
    if (!wait_for(&call->arrived, 2))
        return -1;
    if (w == call->caller)
        return 0;
    child = fork();
    if (child == 0) {
        limit_own_time();
        _exit(call->in_child(w, call));
    }
    call->value = value_of_child(child);
    atomic_fetch_add(&call->forks, 1);
    return 0;
}

static int loop_that_forks(filch_worker *w, void *ctx)
{
    struct thread_fork *call = ctx;

    call->caller = w;
    return filch_for(0, 2, fork_on_thread, call, .worker = w, .grain = 1);
}

static void assert_child_is_right(int (*in_child)(filch_worker *w,
                                                  struct thread_fork *call))
{
    struct thread_fork call = {.in_child = in_child};

    if (IS_ASAN)
        skip(); /* see above */
    assert_int_equal(filch_pool_create(&call.pool, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_int_equal(filch_pool_create(&call.other, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    assert_int_equal(sum_wrongly(call.other) + sum_wrongly(NULL), 0);
    assert_int_equal(filch_run(loop_that_forks, &call, .pool = call.pool), 0);
    assert_int_equal(atomic_load(&call.forks), 1);
    assert_int_equal(call.value, 0);
    assert_int_equal(sum_wrongly(call.pool) + sum_wrongly(call.other), 0);
    filch_pool_destroy(call.other);
    filch_pool_destroy(call.pool);
}

/* Asking starts nothing on a pool whose worker is in use: the loops after it are right. */
static int ask_and_loop(filch_worker *w, struct thread_fork *call)
{
    int wrong = filch_pool_workers(call->pool) > 2;

    wrong += filch_lane_limit(.pool = call->pool) > 2;
    wrong += filch_worker_current() != w;
    wrong += sum_wrongly(call->pool);
    wrong += filch_pool_workers(call->pool) > 2;
    wrong += sum_wrongly(call->pool);
    return wrong + (count_threads() != 1);
}

static void a_child_forked_in_a_body_may_ask_about_the_pool_and_loop_on_it(void **state)
{
    (void)state;
    assert_child_is_right(ask_and_loop);
}

static void *call_often(void *pool)
{
    uintptr_t wrong = 0;
    int round;

    for (round = 0; round < 300; round++)
        wrong += (uintptr_t)sum_wrongly(pool);
    return (void *)wrong;
}

/* Its call does not start again the pool that the body's own calls go on in. */
static int call_beside_another_thread(filch_worker *w, struct thread_fork *call)
{
    pthread_t thread;
    void *value;
    int wrong;

    (void)w;
    if (pthread_create(&thread, NULL, call_often, call->pool))
        return 1;
    wrong = call_often(call->pool) != NULL;
    wrong += pthread_join(thread, &value) || value;
    return wrong + !are_threads_gone(1);
}

static void
a_child_forked_in_a_body_may_call_the_pool_from_another_thread_too(void **state)
{
    (void)state;
    assert_child_is_right(call_beside_another_thread);
}

/* The other pools have as many threads as before, which the child itself starts. */
static int use_other_pools(filch_worker *w, struct thread_fork *call)
{
    struct meeting meeting = {.company = 3};
    filch_pool *default_pool =
        filch_pool_default(); /* not meant by NULL: this is a body */
    int wrong = sum_wrongly(call->other) + sum_wrongly(default_pool);

    (void)w;
    wrong += filch_pool_workers(call->other) != 3;
    wrong += filch_for(0, 3, meet, &meeting, .pool = call->other, .grain = 1) != 0;
    wrong += atomic_load(&meeting.wrong) != 0;
    wrong += count_threads() != 1 + 2 + filch_pool_workers(default_pool) - 1;
    return wrong + sum_wrongly(call->pool);
}

static void a_child_forked_in_a_body_has_other_pools_with_threads(void **state)
{
    (void)state;
    assert_child_is_right(use_other_pools);
}

static int enter_another_and_fork(filch_worker *w, void *ctx)
{
    struct thread_fork *call = ctx;
    pid_t child = fork();

    (void)w;
    if (child == 0) {
        int wrong;

        limit_own_time();
        wrong = filch_pool_workers(call->pool) > 2;
        wrong += sum_wrongly(call->other) + sum_wrongly(call->pool);
        _exit(wrong + (count_threads() != 1));
    }
    return value_of_child(child);
}

static int enter_another(filch_worker *w, void *ctx)
{
    struct thread_fork *call = ctx;

    (void)w;
    return filch_run(enter_another_and_fork, call, .pool = call->other);
}

static void a_child_forked_inside_two_pools_may_make_calls_on_both(void **state)
{
    struct thread_fork call = {0};

    (void)state;
    if (IS_ASAN)
        skip(); /* see above */
    assert_int_equal(filch_pool_create(&call.pool, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_int_equal(filch_pool_create(&call.other, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    assert_int_equal(filch_run(enter_another, &call, .pool = call.pool), 0);
    filch_pool_destroy(call.other);
    filch_pool_destroy(call.pool);
}

static volatile sig_atomic_t terms;

static void count_term(int number)
{
    (void)number;
    terms++;
}

/* A pool's threads have nearly all signals blocked; the child's only thread does not. */
static int check_signals(filch_worker *w, struct thread_fork *call)
{
    sigset_t blocked;
    int wrong = 0, number;

    (void)w;
    (void)call;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (number = 1; number < SIGRTMIN; number++)
        wrong += sigismember(&blocked, number) != (number == SIGUSR1);
    signal(SIGTERM, count_term);
    kill(getpid(), SIGTERM);
    return wrong + (terms != 1);
}

static void a_child_forked_in_a_body_gets_the_signals_of_the_pools_maker(void **state)
{
    sigset_t usr1, before;

    (void)state;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &usr1, &before);
    assert_child_is_right(check_signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_forked_in_the_middle_of_calls_has_pools_that_work),
        cmocka_unit_test(a_child_may_exit_without_having_used_a_pool),
        cmocka_unit_test(a_child_may_exit_with_pools_that_work),
        cmocka_unit_test(a_child_may_destroy_a_pool_it_never_used),
        cmocka_unit_test(a_body_may_fork_and_its_child_may_make_calls),
        cmocka_unit_test(a_child_forked_in_a_body_may_ask_about_the_pool_and_loop_on_it),
        cmocka_unit_test(
            a_child_forked_in_a_body_may_call_the_pool_from_another_thread_too),
        cmocka_unit_test(a_child_forked_in_a_body_has_other_pools_with_threads),
        cmocka_unit_test(a_child_forked_inside_two_pools_may_make_calls_on_both),
        cmocka_unit_test(a_child_forked_in_a_body_gets_the_signals_of_the_pools_maker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
