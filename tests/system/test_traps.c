/* test_traps.c - exceptions of floating point that the caller has let trap: they trap in
 * bodies wherever these run, and filch's own arithmetic raises none.
 */
#include "process.h"

#include <fenv.h>

#define WORKERS 3

/* All but inexact ones. */
#define TRAPS (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW)

static void unmask(void)
{
    if (feenableexcept(TRAPS) == -1) {
        print_message("no exception traps on this processor\n");
        skip();
    }
}

static void mask(void)
{
    feclearexcept(FE_ALL_EXCEPT);
    fedisableexcept(TRAPS);
}

/* How the child that runs body ended. */
static int status_of(void (*body)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* --- bodies ------------------------------------------------------------------------- */

static volatile double zero;
static _Thread_local volatile double result;

/* All at the same time, each on a worker of its own; the caller's does nothing. */
struct divide {
    atomic_uint arrived;
    pthread_t caller;
};

static int divide(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct divide *all = ctx;

    (void)w, (void)begin, (void)end;
    atomic_fetch_add(&all->arrived, 1);
    if (!wait_for(&all->arrived, WORKERS))
        return 1;
    if (!pthread_equal(pthread_self(), all->caller))
        result = 1 / zero;
    return 0;
}

static void divide_by_zero(void)
{
    struct divide all = {.caller = pthread_self()};
    filch_pool *pool;

    signal(SIGFPE, SIG_DFL); /* a sanitizer's would end it otherwise */
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = WORKERS)))
        _exit(2);
    feenableexcept(TRAPS);
    if (filch_for(0, WORKERS, divide, &all, .pool = pool, .grain = 1, .max_chunk = 1))
        _exit(3);
    _exit(4);
}

static void test_a_division_by_zero_traps_on_a_pools_thread(void **state)
{
    int status;

    (void)state;
    unmask();
    mask();
    status = status_of(divide_by_zero);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGFPE);
}

static void divide_masked(void)
{
    struct divide all = {.caller = pthread_self()};
    filch_pool *pool;

    feenableexcept(TRAPS); /* of who makes the pool: not the call's */
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = WORKERS)))
        _exit(2);
    mask();
    _exit(filch_for(0, WORKERS, divide, &all, .pool = pool, .grain = 1, .max_chunk = 1));
}

static void test_it_does_not_trap_where_only_the_pools_maker_lets_it(void **state)
{
    (void)state;
    unmask();
    mask();
    assert_int_equal(status_of(divide_masked), 0);
}

static int nothing(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)begin, (void)end, (void)ctx;
    return 0;
}

/* Loops of all lengths, known and not, cost more than was thought and less. */
static void test_filchs_own_arithmetic_does_not_trap(void **state)
{
    filch_pool *pool;
    unsigned bits, round, wrong = 0;
    uint64_t deadline;

    (void)state;
    unmask();
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = WORKERS)), 0);
    for (round = 0; round < 20; round++) {
        for (bits = 0; bits < 64; bits++)
            wrong += filch_for(0, (size_t)1 << bits, nothing, NULL, .pool = pool) != 0;
        wrong += filch_for(0, SIZE_MAX, nothing, NULL, .pool = pool) != 0;
        wrong += (unsigned)sum_wrongly(pool);
    }
    deadline = now_ns() + 100000000;
    while (now_ns() < deadline)
        wrong += (unsigned)sum_wrongly(pool);
    mask();
    filch_pool_destroy(pool);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_division_by_zero_traps_on_a_pools_thread),
        cmocka_unit_test(test_it_does_not_trap_where_only_the_pools_maker_lets_it),
        cmocka_unit_test(test_filchs_own_arithmetic_does_not_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
