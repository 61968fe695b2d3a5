/* test_signals.c - a storm of signals during calls: the results are right, and what the
 * kernel interrupts goes on by itself.
 *
 * The handler comes back by way of whoever is hit; the library's threads block signals,
 * so callers that wait in it are. Without SA_RESTART their system calls give EINTR.
 */
#include "process.h"

#include <sys/time.h>

#define ROUNDS (IS_EMULATED || IS_TSAN ? 20 : 200)

static atomic_uint alarms;

static void on_alarm(int signal)
{
    (void)signal;
    atomic_fetch_add(&alarms, 1);
}

static void storm_begin(int flags, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};
    struct itimerval often = {{0, 150}, {0, 150}};

    atomic_store(&alarms, 0);
    assert_int_equal(sigaction(SIGALRM, &action, before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void storm_end(const struct sigaction *before)
{
    static const struct itimerval never;

    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, before, NULL), 0);
}

/* --- joins, and bodies that let their caller sleep -------------------------------- */

static int count_leaves(filch_worker *w, void *ctx)
{
    unsigned depth = ((unsigned *)ctx)[0];
    unsigned left[2] = {depth - 1, 0}, right[2] = {depth - 1, 0};
    int err;

    if (depth == 0) {
        ((unsigned *)ctx)[1] = 1;
        return 0;
    }
    err = filch_join(w, count_leaves, left, count_leaves, right);
    ((unsigned *)ctx)[1] = left[1] + right[1];
    return err;
}

static int joins_wrongly(filch_pool *pool)
{
    unsigned tree[2] = {10, 0};

    return filch_run(count_leaves, tree, .pool = pool) || tree[1] != 1024;
}

/* The last body is long: who is done before it sleeps, and is hit there. */
static int dawdle(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (; begin < end; begin++) {
        uint64_t until = now_ns() + (begin == 3 ? 3000000 : 0);

        while (now_ns() < until)
            ;
        atomic_fetch_add((atomic_uint *)ctx, 1);
    }
    return 0;
}

static int sleeps_wrongly(filch_pool *pool)
{
    atomic_uint ran = 0;

    return filch_for(0, 4, dawdle, &ran, .pool = pool, .grain = 1) ||
           atomic_load(&ran) != 4;
}

static atomic_uint wrong;

static void *call_often(void *pool)
{
    int round;

    for (round = 0; round < ROUNDS; round++)
        if (sum_wrongly(pool) || joins_wrongly(pool) || sleeps_wrongly(pool))
            atomic_fetch_add(&wrong, 1);
    return NULL;
}

static void calls_are_right_in_a_storm(filch_pool *pool, int flags)
{
    struct sigaction before;

    atomic_store(&wrong, 0);
    storm_begin(flags, &before);
    call_often(pool);
    storm_end(&before);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&alarms) > 10);
}

static void calls_are_right_in_a_storm_of_signals(void **state)
{
    calls_are_right_in_a_storm(*state, SA_RESTART);
}

static void calls_are_right_where_the_storm_interrupts_system_calls(void **state)
{
    calls_are_right_in_a_storm(*state, 0);
}

static void pools_may_come_and_go_in_a_storm(void **state)
{
    struct sigaction before;
    unsigned failed = 0;
    filch_pool *pool;
    int round;

    (void)state;
    storm_begin(0, &before);
    for (round = 0; round < ROUNDS; round++) {
        if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3))) {
            failed++;
            continue;
        }
        failed += sum_wrongly(pool) != 0 || filch_pool_workers(pool) != 3;
        filch_pool_destroy(pool);
    }
    storm_end(&before);
    assert_int_equal(failed, 0);
    assert_true(are_threads_gone(1));
}

/* --- a collector that stops the world ----------------------------------------------- */

/* As Boehm's collector does: SIGPWR to each thread, whose handler says that it is there,
 * and waits for SIGXCPU. */
static struct {
    pthread_t thread[8];
    atomic_uint known, stopped, restarted, arrived, is_over;
} world;

static void stop_here(int signal)
{
    sigset_t others;
    int kept = errno;

    (void)signal;
    atomic_fetch_add(&world.stopped, 1);
    sigfillset(&others);
    sigdelset(&others, SIGXCPU);
    sigsuspend(&others);
    errno = kept;
}

static void go_on(int signal)
{
    (void)signal;
    atomic_fetch_add(&world.restarted, 1);
}

static bool stop_the_world(unsigned threads)
{
    unsigned i;

    atomic_store(&world.stopped, 0);
    atomic_store(&world.restarted, 0);
    for (i = 0; i < threads; i++)
        pthread_kill(world.thread[i], SIGPWR);
    if (!wait_for(&world.stopped, threads))
        return false;
    for (i = 0; i < threads; i++)
        pthread_kill(world.thread[i], SIGXCPU);
    return wait_for(&world.restarted, threads);
}

/* The caller collects while the pool's threads compute. */
static int be_collected(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    pthread_t caller = *(pthread_t *)ctx;
    unsigned threads = filch_lanes(w) - 1, round;
    int err = 0;

    (void)begin;
    (void)end;
    if (!pthread_equal(pthread_self(), caller))
        world.thread[atomic_fetch_add(&world.known, 1)] = pthread_self();
    atomic_fetch_add(&world.arrived, 1);
    if (!wait_for(&world.arrived, threads + 1))
        return -1;
    if (!pthread_equal(pthread_self(), caller))
        return wait_for(&world.is_over, 1) ? 0 : -1;
    for (round = 0; !err && round < 20; round++)
        err = !stop_the_world(threads);
    atomic_store(&world.is_over, 1);
    return err;
}

static void a_collector_stops_the_threads_of_a_pool_and_lets_them_go_on(void **state)
{
    struct sigaction stop = {.sa_handler = stop_here, .sa_flags = SA_RESTART};
    struct sigaction go = {.sa_handler = go_on, .sa_flags = SA_RESTART};
    struct sigaction stop_before, go_before;
    pthread_t caller = pthread_self();
    filch_pool *pool = *state;
    unsigned workers = filch_pool_workers(pool), round;
    int value;
    bool stopped = true;

    if (IS_TSAN)
        skip(); /* it holds a signal back until the thread calls the C library */
    sigfillset(&stop.sa_mask);
    memset(&world, 0, sizeof world);
    assert_int_equal(sigaction(SIGPWR, &stop, &stop_before), 0);
    assert_int_equal(sigaction(SIGXCPU, &go, &go_before), 0);
    value = filch_for(0, workers, be_collected, &caller, .pool = pool, .grain = 1);
    for (round = 0; stopped && round < 20; round++) /* they look for work, or sleep */
        stopped = stop_the_world(workers - 1) && sum_wrongly(pool) == 0;
    sigaction(SIGPWR, &stop_before, NULL);
    sigaction(SIGXCPU, &go_before, NULL);
    assert_int_equal(value, 0);
    assert_true(stopped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOL(calls_are_right_in_a_storm_of_signals, 2),
        ON_POOL(calls_are_right_in_a_storm_of_signals, 4),
        ON_POOL(calls_are_right_where_the_storm_interrupts_system_calls, 2),
        ON_POOL(calls_are_right_where_the_storm_interrupts_system_calls, 4),
        cmocka_unit_test(pools_may_come_and_go_in_a_storm),
        ON_POOL(a_collector_stops_the_threads_of_a_pool_and_lets_them_go_on, 2),
        ON_POOL(a_collector_stops_the_threads_of_a_pool_and_lets_them_go_on, 4),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
