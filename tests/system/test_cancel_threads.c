/* test_cancel_threads.c - threads that are cancelled (pthread_cancel) before, in and after calls.
 *
 * A call is no cancellation point: it returns, and the thread ends at the next one. Nothing
 * is left locked behind it. Each test of a first call runs in a process of its own: this
 * program again, in a role.
 */
#include "process.h"

struct victim {
    filch_pool *pool;
    pthread_t caller;
    bool has_returned; /* from its calls */
    int wrong;
};

/* Until here nothing was a cancellation point. */
static void *end_cancelled(struct victim *victim)
{
    victim->has_returned = true;
    pthread_testcancel();
    victim->wrong++; /* it was not cancelled */
    return NULL;
}

static void *call_cancelled(void *arg)
{
    struct victim *victim = arg;

    pthread_cancel(pthread_self());
    victim->wrong += sum_wrongly(victim->pool);
    return end_cancelled(victim);
}

static void *create_cancelled(void *arg)
{
    struct victim *victim = arg;

    pthread_cancel(pthread_self());
    victim->wrong +=
        filch_pool_create(&victim->pool, FILCH_POOL_OPTIONS(.workers = 3)) != 0;
    return end_cancelled(victim);
}

static void *destroy_cancelled(void *arg)
{
    struct victim *victim = arg;

    pthread_cancel(pthread_self());
    filch_pool_destroy(victim->pool);
    return end_cancelled(victim);
}

static void *be_cancelled_after_a_call(void *arg)
{
    struct victim *victim = arg;

    victim->wrong += sum_wrongly(victim->pool);
    pthread_cancel(pthread_self());
    return end_cancelled(victim);
}

static int cancel_caller_and_nest(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct victim *victim = ctx;

    (void)w;
    (void)begin, (void)end;
    if (pthread_equal(pthread_self(), victim->caller))
        pthread_cancel(pthread_self());
    return sum_wrongly(victim->pool);
}

static void *be_cancelled_in_a_body(void *arg)
{
    struct victim *victim = arg;

    victim->caller = pthread_self();
    victim->wrong += filch_for(0, 4, cancel_caller_and_nest, victim, .pool = victim->pool,
                               .grain = 1) != 0;
    return end_cancelled(victim);
}

/* How many things were wrong: its calls did not return, or others cannot go on. */
static int end_wrongly(void *(*body)(void *), struct victim *victim)
{
    pthread_t thread;
    void *value;

    if (pthread_create(&thread, NULL, body, victim) || pthread_join(thread, &value))
        return 1;
    return (value != PTHREAD_CANCELED) + !victim->has_returned + victim->wrong;
}

static int fork_wrongly(void)
{
    pid_t child;

    if (IS_TSAN || IS_ASAN) /* see test_fork.c */
        return 0;
    child = fork();
    if (child == 0) {
        limit_own_time();
        _exit(sum_wrongly(NULL));
    }
    return value_of_child(child) != 0;
}

static int others_wrongly(void)
{
    filch_pool *pool;
    int wrong = sum_wrongly(NULL);

    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)))
        return wrong + 1;
    wrong += sum_wrongly(pool);
    filch_pool_destroy(pool);
    return wrong + fork_wrongly();
}

/* --- tests ---------------------------------------------------------------------------- */

static char text[8192];

static void a_thread_cancelled_in_its_first_call_returns_from_it(void **state)
{
    (void)state;
    assert_int_equal(run_role("call", NULL, text, sizeof text), 0);
}

static void a_thread_cancelled_while_it_makes_a_pool_gets_the_pool(void **state)
{
    (void)state;
    assert_int_equal(run_role("create", NULL, text, sizeof text), 0);
}

static void a_thread_cancelled_while_it_destroys_a_pool_leaves_no_thread(void **state)
{
    struct victim victim = {0};

    (void)state;
    assert_int_equal(sum_wrongly(NULL), 0);
    assert_int_equal(filch_pool_create(&victim.pool, FILCH_POOL_OPTIONS(.workers = 4)),
                     0);
    assert_int_equal(end_wrongly(destroy_cancelled, &victim), 0);
    assert_true(are_threads_gone(filch_pool_workers(NULL)));
    assert_int_equal(others_wrongly(), 0);
}

static void no_call_is_a_cancellation_point(void **state)
{
    struct victim victim = {.pool = *state};

    assert_int_equal(end_wrongly(call_cancelled, &victim), 0);
    assert_int_equal(sum_wrongly(*state) + others_wrongly(), 0);
}

static void a_thread_may_be_cancelled_after_a_call(void **state)
{
    struct victim victim = {.pool = *state};

    assert_int_equal(end_wrongly(be_cancelled_after_a_call, &victim), 0);
    assert_int_equal(sum_wrongly(*state) + others_wrongly(), 0);
}

static void a_thread_cancelled_in_a_body_waits_for_nested_calls_and_its_loop(void **state)
{
    struct victim victim = {.pool = *state};

    assert_int_equal(end_wrongly(be_cancelled_in_a_body, &victim), 0);
    assert_int_equal(sum_wrongly(*state) + others_wrongly(), 0);
}

struct meeting_of_victims {
    atomic_uint arrived, gone_on;
    pthread_t caller;
};

static int cancel_own_thread(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct meeting_of_victims *meeting = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&meeting->arrived, 1);
    if (!wait_for(&meeting->arrived, 2))
        return 1;
    if (pthread_equal(pthread_self(), meeting->caller))
        return 0;
    pthread_cancel(pthread_self());
    pthread_testcancel();
    atomic_fetch_add(&meeting->gone_on, 1);
    return 0;
}

static void a_pools_own_thread_is_not_cancelled(void **state)
{
    struct meeting_of_victims meeting = {.caller = pthread_self()};
    filch_pool *pool;

    (void)state;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_int_equal(
        filch_for(0, 2, cancel_own_thread, &meeting, .pool = pool, .grain = 1), 0);
    assert_int_equal(atomic_load(&meeting.gone_on), 1);
    assert_int_equal(sum_wrongly(pool), 0);
    filch_pool_destroy(pool);
}

static void wait_in_init(void *slot, void *ctx)
{
    (void)slot;
    if (atomic_fetch_add((atomic_uint *)ctx, 1) == 0)
        pthread_exit(NULL); /* as a cancelled thread leaves it */
}

static void *get_scratch(void *local)
{
    return filch_local_get(local, NULL);
}

static void a_thread_that_ends_while_it_makes_scratch_memory_leaves_no_lock(void **state)
{
    atomic_uint calls = 0;
    filch_local *local;
    pthread_t thread;
    void *memory;

    (void)state;
    if (IS_ASAN)
        skip(); /* its memory is lost */
    assert_int_equal(filch_local_create(&local, NULL, 8, wait_in_init, &calls), 0);
    assert_int_equal(pthread_create(&thread, NULL, get_scratch, local), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, get_scratch, local), 0);
    assert_int_equal(pthread_join(thread, &memory), 0);
    assert_non_null(memory);
    filch_local_destroy(local, NULL, NULL);
}

static int run(const char *role)
{
    struct victim victim = {0};
    bool is_create = strcmp(role, "create") == 0;
    int wrong = end_wrongly(is_create ? create_cancelled : call_cancelled, &victim);

    wrong += others_wrongly();
    if (is_create) {
        wrong += sum_wrongly(victim.pool);
        filch_pool_destroy(victim.pool);
    }
    return wrong;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_cancelled_in_its_first_call_returns_from_it),
        cmocka_unit_test(a_thread_cancelled_while_it_makes_a_pool_gets_the_pool),
        cmocka_unit_test(a_thread_cancelled_while_it_destroys_a_pool_leaves_no_thread),
        ON_POOLS(no_call_is_a_cancellation_point),
        ON_POOLS(a_thread_may_be_cancelled_after_a_call),
        ON_POOLS(a_thread_cancelled_in_a_body_waits_for_nested_calls_and_its_loop),
        cmocka_unit_test(a_pools_own_thread_is_not_cancelled),
        cmocka_unit_test(a_thread_that_ends_while_it_makes_scratch_memory_leaves_no_lock),
    };

    if (argc > 1)
        return run(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
