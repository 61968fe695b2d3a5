/* test_churn.c - pools that come and go leave nothing behind. */
#include "process.h"

#define ROUNDS 1000

/* The C library keeps the stacks and other things of the first few threads. */
#define WARM_UP 50

/* Far less than one pool a round. */
#define SLACK_BYTES 16384

static void a_thousand_pools_leave_no_thread_and_no_memory(void **state)
{
    unsigned threads = count_threads();
    filch_pool *pool;
    size_t before = 0, after;
    int round, rounds = IS_TSAN ? 200 : ROUNDS;

    (void)state;
    for (round = 0; round < rounds; round++) {
        if (round == WARM_UP)
            before = bytes_in_use();
        assert_int_equal(
            filch_pool_create(&pool,
                              FILCH_POOL_OPTIONS(.workers = 1 + (unsigned)round % 5)),
            0);
        /* Some end before their threads have begun. */
        if (round % 3)
            assert_int_equal(sum_wrongly(pool), 0);
        filch_pool_destroy(pool);
        if (round % 50 == 0)
            assert_true(are_threads_gone(threads));
    }
    assert_true(are_threads_gone(threads));
    after = bytes_in_use();
    assert_in_range(after, 0, before + SLACK_BYTES);
}

static void *use_a_pool(void *arg)
{
    filch_pool *pool;
    int round;

    for (round = 0; round < 50; round++) {
        if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)) ||
            sum_wrongly(pool) || sum_wrongly(NULL))
            atomic_fetch_add((atomic_uint *)arg, 1);
        filch_pool_destroy(pool);
    }
    return NULL;
}

static void threads_may_make_and_end_pools_at_once(void **state)
{
    atomic_uint wrong = 0;

    (void)state;
    run_threads(6, use_a_pool, &wrong);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(are_threads_gone(filch_pool_workers(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_pools_leave_no_thread_and_no_memory),
        cmocka_unit_test(threads_may_make_and_end_pools_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
