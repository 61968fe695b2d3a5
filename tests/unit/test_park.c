/* test_park.c - permits, and the list and counts of the lot. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <pthread.h>
#include <time.h>
#include <cmocka.h>
#include "park.h"

static void check_counts(const struct fl_lot *lot, unsigned searching, unsigned sleeping)
{
    assert_int_equal(lot_searching(lot->hungry), searching);
    assert_int_equal(lot_sleeping(lot->hungry), sleeping);
}

/* --- the parker ------------------------------------------------------------------- */

static void a_permit_given_before_is_taken_without_sleeping(void **state)
{
    struct fl_parker parker = {0};

    (void)state;
    assert_false(fl_parker_notify(&parker));
    assert_false(fl_parker_wait(&parker));
    assert_int_equal(parker.state, FL_PARKER_EMPTY);
}

static void two_permits_are_one(void **state)
{
    struct fl_parker parker = {0};

    (void)state;
    assert_false(fl_parker_notify(&parker));
    assert_false(fl_parker_notify(&parker));
    assert_int_equal(parker.state, FL_PARKER_NOTIFIED);
    assert_false(fl_parker_wait(&parker));
    assert_int_equal(parker.state, FL_PARKER_EMPTY);
}

struct sleeper {
    struct fl_parker parker;
    uint32_t rounds, done;
    uint32_t slept;
};

static void *sleep_rounds(void *arg)
{
    struct sleeper *sleeper = arg;
    uint32_t i;

    for (i = 0; i < sleeper->rounds; i++) {
        if (fl_parker_wait(&sleeper->parker))
            sleeper->slept++;
        fl_store_release(&sleeper->done, i + 1);
    }
    return NULL;
}

static void wait_until(uint32_t *word, uint32_t value)
{
    while (fl_load_acquire(word) != value)
        fl_yield();
}

static void a_sleeper_is_woken_and_says_so(void **state)
{
    struct sleeper sleeper = {.rounds = 20};
    pthread_t thread;
    uint32_t i;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, sleep_rounds, &sleeper), 0);
    for (i = 0; i < sleeper.rounds; i++) {
        wait_until(&sleeper.parker.state, FL_PARKER_ASLEEP);
        assert_true(fl_parker_notify(&sleeper.parker));
        wait_until(&sleeper.done, i + 1);
    }
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.slept, sleeper.rounds);
}

static void no_permit_is_lost(void **state)
{
    struct sleeper sleeper = {.rounds = 20000};
    pthread_t thread;
    uint32_t i;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, sleep_rounds, &sleeper), 0);
    for (i = 0; i < sleeper.rounds; i++) {
        fl_parker_notify(&sleeper.parker);
        wait_until(&sleeper.done, i + 1);
    }
    pthread_join(thread, NULL);
    assert_int_equal(sleeper.done, sleeper.rounds);
    assert_int_equal(sleeper.parker.state, FL_PARKER_EMPTY);
}

/* --- the lot ---------------------------------------------------------------------- */

static void begin_sleep(struct fl_lot *lot, struct fl_parker *parker)
{
    fl_lot_search_begin(lot);
    fl_lot_sleep_begin(lot, parker);
}

static bool take_permit(struct fl_parker *parker)
{
    bool has = parker->state == FL_PARKER_NOTIFIED;

    parker->state = FL_PARKER_EMPTY;
    return has;
}

static void searchers_and_sleepers_are_counted(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker = {0};

    (void)state;
    check_counts(&lot, 0, 0);
    fl_lot_search_begin(&lot);
    check_counts(&lot, 1, 0);
    fl_lot_search_begin(&lot);
    check_counts(&lot, 2, 0);
    fl_lot_sleep_begin(&lot, &parker);
    check_counts(&lot, 1, 1);
    fl_lot_sleep_cancel(&lot, &parker);
    check_counts(&lot, 2, 0);
    assert_false(fl_lot_search_end(&lot));
    assert_false(fl_lot_search_end(&lot));
    check_counts(&lot, 0, 0);
}

static void the_newest_sleeper_is_woken_first(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker[3] = {{0}};
    int i;

    (void)state;
    for (i = 0; i < 3; i++)
        begin_sleep(&lot, &parker[i]);
    check_counts(&lot, 0, 3);
    for (i = 2; i >= 0; i--) {
        /* Nobody really sleeps here: a permit is given, and no one woken. */
        assert_false(fl_lot_wake_one(&lot));
        check_counts(&lot, 1, (unsigned)i);
        assert_true(take_permit(&parker[i]));
        assert_false(parker[i].is_listed);
        assert_int_equal(fl_lot_search_end(&lot), i > 0);
    }
    check_counts(&lot, 0, 0);
    assert_false(fl_lot_wake_one(&lot));
}

static void nobody_is_woken_while_somebody_searches(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker = {0};

    (void)state;
    begin_sleep(&lot, &parker);
    fl_lot_search_begin(&lot);
    assert_false(fl_lot_wake_one(&lot));
    assert_false(take_permit(&parker));
    check_counts(&lot, 1, 1);
    assert_true(fl_lot_search_end(&lot));
    fl_lot_wake_one(&lot);
    assert_true(take_permit(&parker));
}

static void the_last_searcher_to_find_work_is_told_of_sleepers(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker = {0};

    (void)state;
    fl_lot_search_begin(&lot);
    fl_lot_search_begin(&lot);
    assert_false(fl_lot_search_end(&lot)); /* another one searches */
    assert_false(fl_lot_search_end(&lot)); /* nobody sleeps */
    begin_sleep(&lot, &parker);
    fl_lot_search_begin(&lot);
    assert_true(fl_lot_search_end(&lot));
}

static void a_sleeper_anywhere_in_the_list_may_cancel(void **state)
{
    int leaver, i;

    (void)state;
    for (leaver = 0; leaver < 4; leaver++) {
        struct fl_lot lot = {0};
        struct fl_parker parker[4] = {{0}};

        for (i = 0; i < 4; i++)
            begin_sleep(&lot, &parker[i]);
        fl_lot_sleep_cancel(&lot, &parker[leaver]);
        check_counts(&lot, 1, 3);
        assert_false(parker[leaver].is_listed);
        fl_lot_search_end(&lot);
        for (i = 3; i >= 0; i--) {
            if (i == leaver)
                continue;
            fl_lot_wake_one(&lot);
            assert_true(take_permit(&parker[i]));
            fl_lot_search_end(&lot);
        }
        assert_false(take_permit(&parker[leaver]));
        check_counts(&lot, 0, 0);
    }
}

static void a_cancel_that_comes_too_late_leaves_the_permit(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker = {0};

    (void)state;
    begin_sleep(&lot, &parker);
    fl_lot_wake_one(&lot);
    check_counts(&lot, 1, 0);
    fl_lot_sleep_cancel(&lot, &parker);
    check_counts(&lot, 1, 0);
    assert_true(take_permit(&parker));
}

static void all_sleepers_are_woken_at_the_end(void **state)
{
    struct fl_lot lot = {0};
    struct fl_parker parker[5] = {{0}};
    int i;

    (void)state;
    for (i = 0; i < 5; i++)
        begin_sleep(&lot, &parker[i]);
    fl_lot_search_begin(&lot); /* which keeps fl_lot_wake_one from waking, but not this */
    fl_lot_wake_all(&lot);
    for (i = 0; i < 5; i++)
        assert_true(take_permit(&parker[i]));
    check_counts(&lot, 6, 0);
    assert_null(lot.sleepers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permit_given_before_is_taken_without_sleeping),
        cmocka_unit_test(two_permits_are_one),
        cmocka_unit_test(a_sleeper_is_woken_and_says_so),
        cmocka_unit_test(no_permit_is_lost),
        cmocka_unit_test(searchers_and_sleepers_are_counted),
        cmocka_unit_test(the_newest_sleeper_is_woken_first),
        cmocka_unit_test(nobody_is_woken_while_somebody_searches),
        cmocka_unit_test(the_last_searcher_to_find_work_is_told_of_sleepers),
        cmocka_unit_test(a_sleeper_anywhere_in_the_list_may_cancel),
        cmocka_unit_test(a_cancel_that_comes_too_late_leaves_the_permit),
        cmocka_unit_test(all_sleepers_are_woken_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
