/* test_launch.c - what loops cost and help: the table of costs, prices, back-off; and the
 * clock. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
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

/* As hundreds of loops at a dozen lengths each: nearly all find a place. */
static void hundreds_of_loops_are_remembered(void **state)
{
    struct fl_launch launch = {0};
    uintptr_t body;
    int lengths, known = 0;

    (void)state;
    for (body = 1; body <= 64; body++)
        for (lengths = 0; lengths < 11; lengths++)
            cost_note(&launch, cost_hash(0x401000 + body * 144, (size_t)64 << lengths),
                      (float)body);
    for (body = 1; body <= 64; body++)
        for (lengths = 0; lengths < 11; lengths++)
            known += cost_recall(&launch, cost_hash(0x401000 + body * 144,
                                                    (size_t)64 << lengths)) > 0;
    assert_in_range(known, 704 * 9 / 10, 704);
}

static void what_has_moved_is_updated_where_it_is(void **state)
{
    struct fl_launch launch = {0};
    uint64_t first = UINT64_C(5) << 40, second = first + (UINT64_C(1) << 30);

    (void)state;
    cost_note(&launch, first, 1);
    cost_note(&launch, second, 2); /* in the same place */
    cost_note(&launch, first, 100);
    assert_true(cost_recall(&launch, first) > 99);
    assert_true(cost_recall(&launch, second) > 1.98f &&
                cost_recall(&launch, second) <= 2);
}

/* More than fit: some are forgotten, none is taken for another. */
static void a_full_table_mixes_nothing_up(void **state)
{
    struct fl_launch launch = {0};
    uintptr_t body;
    int known = 0;

    (void)state;
    for (body = 1; body <= 10000; body++)
        cost_note(&launch, cost_hash(body * 16, 64), (float)body);
    for (body = 1; body <= 10000; body++) {
        float recalled = cost_recall(&launch, cost_hash(body * 16, 64));

        assert_true(recalled == 0 ||
                    (recalled > (float)body * 0.99f && recalled <= (float)body));
        known += recalled > 0;
    }
    assert_in_range(known, 1000, 1 << FL_COST_BITS);
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

/* --- preemption ------------------------------------------------------------------- */

static _Thread_local struct fl_usage usage; /* what the system says to the thread */
struct fl_usage __wrap_fl_thread_usage(void);

struct fl_usage __wrap_fl_thread_usage(void)
{
    return usage;
}

#define MS UINT64_C(1000000)

/* The thread loses its CPU for so long, as far as it is told. */
static void lose_cpu_ms(uint64_t ms)
{
    usage.preemptions++;
    usage.cpu_ns -= ms * MS;
}

/* Not less, but for a hundredth: the clock goes on meanwhile, and what really passes counts
 * as lost, too. */
static void assert_about(uint64_t ticks, uint64_t ms)
{
    assert_in_range(fl_ns_of_ticks(ticks), ms * MS - ms * MS / 100, 1000 * MS);
}

static void the_time_of_others_is_not_the_threads_own(void **state)
{
    uint64_t chunk = fl_ticks_of_ns(1000 * MS);

    (void)state;
    usage.cpu_ns = 100000 * MS;
    fl_preempted_forget();
    assert_int_equal(fl_preempted_ticks(chunk, 0), 0); /* it has kept its CPU */
    lose_cpu_ms(700);
    assert_about(fl_preempted_ticks(chunk, 0), 700);
    assert_int_equal(fl_preempted_ticks(chunk, 0), 0); /* once */
    /* No more than what is not explained. */
    lose_cpu_ms(700);
    assert_about(fl_preempted_ticks(chunk, 0.6 * (double)chunk), 400);
}

static void what_takes_as_long_as_expected_is_not_asked_about(void **state)
{
    uint64_t chunk = fl_ticks_of_ns(1000 * MS);

    (void)state;
    usage.cpu_ns = 100000 * MS;
    fl_preempted_forget();
    lose_cpu_ms(700);
    assert_int_equal(fl_preempted_ticks(chunk, 0.9999 * (double)chunk), 0);
    assert_int_equal(fl_preempted_ticks(fl_ticks_of_ns(MS / 10), 0), 0);
}

static void sleep_in_a_body_is_not_a_preemption(void **state)
{
    uint64_t chunk = fl_ticks_of_ns(1000 * MS);

    (void)state;
    usage.cpu_ns = 100000 * MS;
    fl_preempted_forget();
    usage.sleeps++;
    lose_cpu_ms(700);
    assert_int_equal(fl_preempted_ticks(chunk, 0), 0);
    assert_int_equal(fl_preempted_ticks(chunk, 0.1 * (double)chunk), 0);
}

/* What was lost before it first asked, or long before it began, is no loss of the work. */
static void *ask_for_the_first_time(void *losses)
{
    uint64_t *lost = losses;
    uint64_t chunk = fl_ticks_of_ns(1000 * MS);

    usage = (struct fl_usage){.preemptions = 1};
    lost[0] = fl_preempted_ticks(chunk, 0);
    lose_cpu_ms(700);
    sleep_ms(5);
    fl_preempted_begin(fl_ticks());
    lost[1] = fl_preempted_ticks(chunk, 0);
    lose_cpu_ms(700);
    fl_preempted_begin(fl_ticks()); /* it has asked just now */
    lost[2] = fl_preempted_ticks(chunk, 0);
    return NULL;
}

static void what_was_lost_before_work_is_not_lost_in_it(void **state)
{
    uint64_t lost[3];
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_for_the_first_time, lost), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(lost[0], 0);
    assert_int_equal(lost[1], 0);
}

static void a_sleep_that_is_told_counts_for_nothing(void **state)
{
    (void)state;
    usage.cpu_ns = 100000 * MS;
    lose_cpu_ms(700);
    fl_preempted_forget();
    assert_int_equal(fl_preempted_ticks(fl_ticks_of_ns(1000 * MS), 0), 0);
}

/* --- back-off --------------------------------------------------------------------- */

static void a_lost_cpu_is_held_against_shorter_loops(void **state)
{
    struct fl_launch launch = {0};
    uint64_t ms = fl_ticks_of_ns(MS);

    (void)state;
    assert_false(launch_is_backing_off(&launch, 0));
    fl_launch_was_preempted(&launch, fl_ticks_of_ns(MS / 10)); /* no time slice */
    assert_false(launch_is_backing_off(&launch, 0));
    fl_launch_was_preempted(&launch, 1000 * ms);
    assert_true(launch_is_backing_off(&launch, 0));
    assert_true(launch_is_backing_off(&launch, 9999.0 * (double)ms));
    assert_false(launch_is_backing_off(&launch, 10001.0 * (double)ms));
}

static void a_small_loss_does_not_end_the_back_off_from_a_large_one(void **state)
{
    struct fl_launch launch = {0};
    uint64_t ms = fl_ticks_of_ns(MS);

    (void)state;
    fl_launch_was_preempted(&launch, 1000 * ms);
    fl_launch_was_preempted(&launch, ms);
    sleep_ms(20);
    assert_true(launch_is_backing_off(&launch, 9999.0 * (double)ms));
}

static void back_off_passes(void **state)
{
    struct fl_launch launch = {0};

    (void)state;
    fl_launch_was_preempted(&launch, fl_ticks_of_ns(MS / 2));
    assert_true(launch.back_off_until > 0);
    sleep_ms(10);
    assert_false(launch_is_backing_off(&launch, 0));
}

static void back_off_is_over_where_the_clock_was_put_back(void **state)
{
    struct fl_launch launch = {0};

    (void)state;
    fl_launch_was_preempted(&launch, fl_ticks_of_ns(1000 * MS));
    assert_true(launch_is_backing_off(&launch, 0));
    assert_true(launch.back_off_until <= fl_ticks() + fl_ticks_of_ns(1000 * MS));
    launch.back_off_until += fl_ticks_of_ns(3600000 * MS);
    assert_false(launch_is_backing_off(&launch, 0));
}

/* --- a price that is adapted ------------------------------------------------------ */

static void loops_that_lose_raise_the_price_and_those_that_win_lower_it(void **state)
{
    struct fl_launch launch = {.spinning = fl_ticks_of_ns(1000 * MS)};
    uint64_t ticks = launch.spinning, before;
    int loops;

    (void)state;
    /* The half-life counts in milliseconds of this test, too: the price is an hour's. */
    assert_int_equal(launch_spinning(&launch), ticks);
    fl_launch_compare(&launch, (double)ticks, ticks + 1);
    before = launch.raise;
    assert_int_equal(before, ticks / 4);
    for (loops = 0; loops < 100; loops++)
        fl_launch_compare(&launch, (double)ticks, ticks + 1);
    assert_true(launch.raise > before);
    assert_true(launch.raise <= 32 * ticks);
    before = launch.raise;
    fl_launch_compare(&launch, (double)ticks, ticks - 1);
    assert_true(launch.raise < before);
    for (loops = 0; loops < 2000; loops++)
        fl_launch_compare(&launch, (double)ticks, ticks - 1);
    assert_int_equal(launch_spinning(&launch), ticks);
}

static void long_loops_say_nothing_about_the_price(void **state)
{
    struct fl_launch launch = {.spinning = fl_ticks_of_ns(1000)};

    (void)state;
    fl_launch_compare(&launch, (double)(launch.spinning * 100), launch.spinning * 200);
    assert_int_equal(launch_spinning(&launch), launch.spinning);
}

static void a_raise_is_forgotten(void **state)
{
    struct fl_launch launch = {.spinning = fl_ticks_of_ns(1000)};

    (void)state;
    fl_launch_compare(&launch, (double)launch.spinning, launch.spinning * 2);
    assert_true(launch.raise > 0);
    sleep_ms(100);
    assert_int_equal(launch_spinning(&launch), launch.spinning);
}

/* --- loops of a pool that backs off ----------------------------------------------- */

#define ITEMS 100000

struct watched {
    filch_pool *pool;
    pthread_t caller;
    uint64_t first_ns; /* what the first item takes */
    uint64_t lost_ms;  /* of others, in the first item */
    size_t items;
    int others; /* calls on other threads than the caller's */
};

static int watched_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct watched *watched = ctx;
    uint64_t then = fl_now_ns();

    (void)w;
    if (begin == 0) {
        lose_cpu_ms(watched->lost_ms);
        while (fl_now_ns() - then < watched->first_ns)
            continue;
    }
    if (!pthread_equal(pthread_self(), watched->caller))
        __atomic_fetch_add(&watched->others, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&watched->items, end - begin, __ATOMIC_RELAXED);
    return 0;
}

static int create_pool(void **state)
{
    static struct watched watched;

    watched = (struct watched){.caller = pthread_self()};
    *state = &watched;
    return filch_pool_create(&watched.pool, FILCH_POOL_OPTIONS(.workers = 2));
}

static int destroy_pool(void **state)
{
    struct watched *watched = *state;

    filch_pool_destroy(watched->pool);
    return 0;
}

static void back_off_for_long(struct watched *watched)
{
    fl_launch_was_preempted(&watched->pool->launch, fl_ticks_of_ns(1000 * MS));
}

/* A test that is held for longer than the back-off lasts says nothing. */
static void skip_if_it_is_over(struct watched *watched)
{
    if (!launch_is_backing_off(&watched->pool->launch, 0))
        skip();
}

static void run_watched(struct watched *watched)
{
    watched->items = 0;
    watched->others = 0;
    assert_int_equal(filch_for(0, ITEMS, watched_body, watched, .pool = watched->pool),
                     0);
    assert_int_equal(watched->items, ITEMS);
}

static void a_slow_first_item_does_not_make_a_known_loop_long(void **state)
{
    struct watched *watched = *state;
    struct fl_launch *launch = &watched->pool->launch;

    if (IS_EMULATED)
        skip(); /* there the calls of the body make it long */
    cost_note(launch, cost_hash((uintptr_t)watched_body, ITEMS),
              (float)fl_ticks_of_ns(1000) / 1000);
    back_off_for_long(watched);
    /* A hundred thousand such items would take more than the 10 s that are too many. */
    watched->first_ns = MS / 2;
    run_watched(watched);
    skip_if_it_is_over(watched);
    assert_int_equal(watched->others, 0);
}

static void a_time_slice_of_others_is_not_remembered_as_the_loops(void **state)
{
    struct watched *watched = *state;
    struct fl_launch *launch = &watched->pool->launch;
    uint64_t hash = cost_hash((uintptr_t)watched_body, ITEMS);
    float cost = (float)fl_ticks_of_ns(1000) / 1000;

    if (IS_EMULATED)
        skip(); /* as above */
    cost_note(launch, hash, cost);
    back_off_for_long(watched);
    usage.cpu_ns = 100000 * MS;
    fl_preempted_forget();
    watched->lost_ms = 20;
    watched->first_ns = 20 * MS;
    run_watched(watched);
    /* All items together, with a margin for what the machine really took away. */
    assert_true(cost_recall(launch, hash) < (float)fl_ticks_of_ns(15 * MS) / ITEMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_pass_as_the_systems_clock_says),
        cmocka_unit_test(a_clock_that_is_behind_has_not_run),
        cmocka_unit_test(what_was_noted_is_recalled_to_a_hundredth),
        cmocka_unit_test(costs_rise_at_once_and_fall_slowly),
        cmocka_unit_test(other_bodies_and_other_lengths_are_not_known),
        cmocka_unit_test(hundreds_of_loops_are_remembered),
        cmocka_unit_test(what_has_moved_is_updated_where_it_is),
        cmocka_unit_test(a_full_table_mixes_nothing_up),
        cmocka_unit_test(sleepers_have_another_price),
        cmocka_unit_test(a_pool_measures_its_prices),
        cmocka_unit_test(many_small_loops_pay_together),
        cmocka_unit_test(loops_far_apart_do_not_pay_together),
        cmocka_unit_test(the_time_of_others_is_not_the_threads_own),
        cmocka_unit_test(what_takes_as_long_as_expected_is_not_asked_about),
        cmocka_unit_test(sleep_in_a_body_is_not_a_preemption),
        cmocka_unit_test(what_was_lost_before_work_is_not_lost_in_it),
        cmocka_unit_test(a_sleep_that_is_told_counts_for_nothing),
        cmocka_unit_test(a_lost_cpu_is_held_against_shorter_loops),
        cmocka_unit_test(a_small_loss_does_not_end_the_back_off_from_a_large_one),
        cmocka_unit_test(back_off_passes),
        cmocka_unit_test(back_off_is_over_where_the_clock_was_put_back),
        cmocka_unit_test(loops_that_lose_raise_the_price_and_those_that_win_lower_it),
        cmocka_unit_test(long_loops_say_nothing_about_the_price),
        cmocka_unit_test(a_raise_is_forgotten),
        cmocka_unit_test_setup_teardown(a_slow_first_item_does_not_make_a_known_loop_long,
                                        create_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(
            a_time_slice_of_others_is_not_remembered_as_the_loops, create_pool,
            destroy_pool),
    };

    return cmocka_run_group_tests(tests, calibrate, NULL);
}
