/* test_launch.c - what loops cost and help: the table of costs, prices, distrust; and the
 * clock. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <filch/filch.h>
#include "worker.h"

static int calibrate(void **state)
{
    (void)state;
    fl_clock_calibrate();
    return 0;
}

static void sleep_ms(long ms)
{
    struct timespec time = {0, ms * 1000000};

    nanosleep(&time, NULL);
}

/* --- the clock -------------------------------------------------------------------- */

static void ticks_pass_as_the_systems_clock_says(void **state)
{
    uint64_t ticks = fl_ticks(), ns = fl_now_ns();

    (void)state;
    sleep_ms(20);
    ns = fl_now_ns() - ns;
    ticks = fl_ns_of_ticks(fl_ticks_since(ticks, fl_ticks()));
    /* Read a little later: not less, but for a hundredth. */
    assert_true(ticks > ns - ns / 100);
    assert_in_range(fl_ns_of_ticks(fl_ticks_of_ns(1000000)), 999000, 1001000);
}

static void a_clock_that_is_behind_has_not_run(void **state)
{
    (void)state;
    assert_int_equal(fl_ticks_since(100, 90), 0);
    assert_int_equal(fl_ticks_since(90, 100), 10);
}

/* --- costs ------------------------------------------------------------------------ */

static void what_was_noted_is_recalled_to_a_hundredth(void **state)
{
    static const float costs[] = {0.01f, 1, 3.7f, 1000, 12345678};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        struct fl_launch launch = {0};
        uint64_t hash = cost_hash(0x401234, 1000);
        float recalled;

        assert_true(cost_recall(&launch, hash) == 0);
        cost_note(&launch, hash, costs[i]);
        recalled = cost_recall(&launch, hash);
        assert_true(recalled > costs[i] * 0.99f && recalled <= costs[i]);
    }
}

static void costs_rise_at_once_and_fall_slowly(void **state)
{
    struct fl_launch launch = {0};
    uint64_t hash = cost_hash(0x401234, 1000);
    int notes;

    (void)state;
    cost_note(&launch, hash, 1);
    cost_note(&launch, hash, 1000);
    assert_true(cost_recall(&launch, hash) > 990);
    cost_note(&launch, hash, 1);
    assert_true(cost_recall(&launch, hash) > 740);
    for (notes = 0; notes < 40; notes++)
        cost_note(&launch, hash, 1);
    assert_true(cost_recall(&launch, hash) < 1.01f);
}

static void other_bodies_and_other_lengths_are_not_known(void **state)
{
    struct fl_launch launch = {0};

    (void)state;
    cost_note(&launch, cost_hash(0x401234, 1000), 5);
    assert_true(cost_recall(&launch, cost_hash(0x401234, 1000)) > 0);
    assert_true(cost_recall(&launch, cost_hash(0x401234, 1023)) > 0); /* about as long */
    assert_true(cost_recall(&launch, cost_hash(0x401234, 10)) == 0);
    assert_true(cost_recall(&launch, cost_hash(0x401234, 100000)) == 0);
    assert_true(cost_recall(&launch, cost_hash(0x401240, 1000)) == 0);
    assert_true(cost_recall(&launch, cost_hash(0x401234, 0)) == 0);
    assert_true(cost_recall(&launch, cost_hash(0x401234, SIZE_MAX)) == 0);
}

/* More than fit: some are forgotten, none is taken for another. */
static void a_full_table_mixes_nothing_up(void **state)
{
    struct fl_launch launch = {0};
    uintptr_t body;
    int known = 0;

    (void)state;
    for (body = 1; body <= 1000; body++)
        cost_note(&launch, cost_hash(body * 16, 64), (float)body);
    for (body = 1; body <= 1000; body++) {
        float recalled = cost_recall(&launch, cost_hash(body * 16, 64));

        assert_true(recalled == 0 ||
                    (recalled > (float)body * 0.99f && recalled <= (float)body));
        known += recalled > 0;
    }
    assert_in_range(known, 100, 1 << FL_COST_BITS);
}

/* --- prices ----------------------------------------------------------------------- */

static void sleepers_have_another_price(void **state)
{
    struct fl_launch launch = {.spinning = 10, .sleeping = 1000};
    struct fl_lot lot = {0};

    (void)state;
    assert_int_equal(launch_price(&launch, &lot), 10);
    fl_lot_search_begin(&lot);
    assert_int_equal(launch_price(&launch, &lot), 10);
    lot.hungry = 1; /* asleep */
    assert_int_equal(launch_price(&launch, &lot), 1000);
    fl_lot_search_begin(&lot);
    assert_int_equal(launch_price(&launch, &lot), 10);
}

static void a_pool_measures_its_prices(void **state)
{
    filch_pool *pool;

    (void)state;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_true(fl_ns_of_ticks(pool->launch.spinning) >= 1990);
    assert_in_range(fl_ns_of_ticks(pool->launch.sleeping), 100, 101000);
    assert_int_equal(pool->launch.ask, 0); /* the conversation is over */
    filch_pool_destroy(pool);
}

static void many_small_loops_pay_together(void **state)
{
    struct fl_launch launch = {.sleeping = fl_ticks_of_ns(50000)};
    double loop = (double)fl_ticks_of_ns(10000);
    int loops = 1;

    (void)state;
    while (!fl_launch_missed_enough(&launch, loop, 1000000000))
        loops++;
    assert_in_range(loops, 10, 11); /* of which two workers save half */
}

static void loops_far_apart_do_not_pay_together(void **state)
{
    struct fl_launch launch = {.sleeping = fl_ticks_of_ns(50000)};
    double loop = (double)fl_ticks_of_ns(10000);
    int loops;

    (void)state;
    for (loops = 0; loops < 30; loops++) {
        assert_false(fl_launch_missed_enough(&launch, loop, 1000));
        sleep_ms(1);
    }
    /* Nor where who is woken does not stay awake. */
    for (loops = 0; loops < 30; loops++)
        assert_false(fl_launch_missed_enough(&launch, loop, 0));
}

/* --- distrust --------------------------------------------------------------------- */

static uint64_t preempted;
uint64_t __wrap_fl_times_preempted(void);

uint64_t __wrap_fl_times_preempted(void)
{
    return preempted;
}

static void a_lost_cpu_is_held_against_short_loops(void **state)
{
    struct fl_launch launch = {0};
    uint64_t ms = fl_ticks_of_ns(1000000);

    (void)state;
    assert_false(launch_is_distrusted(&launch, 0));
    preempted++;
    fl_launch_suspect(&launch, 1000 * ms, 0);
    assert_true(launch_is_distrusted(&launch, 0));
    assert_true(launch_is_distrusted(&launch, 9999.0 * (double)ms));
    assert_false(launch_is_distrusted(&launch, 10001.0 * (double)ms));
}

static void long_chunks_are_not_suspicious_by_themselves(void **state)
{
    struct fl_launch launch = {0};
    uint64_t ms = fl_ticks_of_ns(1000000);

    (void)state;
    fl_launch_suspect(&launch, 1000 * ms, 0); /* the thread has kept its CPU */
    assert_false(launch_is_distrusted(&launch, 0));
    preempted++;
    fl_launch_suspect(&launch, 1000 * ms, 999.9 * (double)ms); /* it was to take long */
    assert_false(launch_is_distrusted(&launch, 0));
}

static void distrust_passes(void **state)
{
    struct fl_launch launch = {0};

    (void)state;
    preempted++;
    fl_launch_suspect(&launch, fl_ticks_of_ns(500000), 0);
    assert_true(launch.distrust_until > 0);
    sleep_ms(10);
    assert_false(launch_is_distrusted(&launch, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_pass_as_the_systems_clock_says),
        cmocka_unit_test(a_clock_that_is_behind_has_not_run),
        cmocka_unit_test(what_was_noted_is_recalled_to_a_hundredth),
        cmocka_unit_test(costs_rise_at_once_and_fall_slowly),
        cmocka_unit_test(other_bodies_and_other_lengths_are_not_known),
        cmocka_unit_test(a_full_table_mixes_nothing_up),
        cmocka_unit_test(sleepers_have_another_price),
        cmocka_unit_test(a_pool_measures_its_prices),
        cmocka_unit_test(many_small_loops_pay_together),
        cmocka_unit_test(loops_far_apart_do_not_pay_together),
        cmocka_unit_test(a_lost_cpu_is_held_against_short_loops),
        cmocka_unit_test(long_chunks_are_not_suspicious_by_themselves),
        cmocka_unit_test(distrust_passes),
    };

    return cmocka_run_group_tests(tests, calibrate, NULL);
}
