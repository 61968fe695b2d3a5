/* test_inject.c - the queue for entries that change hands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "inject.h"

/* Tasks 0 to 7 of two latches, turn about, and two joins. */
struct fixture {
    struct fl_inject queue;
    struct fl_latch latch[2];
    struct fl_task task[8];
    filch_job join[2];
};

static int make_fixture(void **state)
{
    static struct fixture fixture;
    int i;

    fixture = (struct fixture){.latch = {{0}}};
    fl_inject_init(&fixture.queue);
    for (i = 0; i < 8; i++)
        fixture.task[i].latch = &fixture.latch[i % 2];
    *state = &fixture;
    return 0;
}

static int free_fixture(void **state)
{
    struct fixture *fixture = *state;

    fl_inject_destroy(&fixture->queue);
    return 0;
}

static filch_job *entry(struct fixture *fixture, int i)
{
    return entry_of_task(&fixture->task[i]);
}

static void put(struct fixture *fixture, int i)
{
    fl_inject_put(&fixture->queue, entry(fixture, i));
}

static void put_bound(struct fixture *fixture, int i)
{
    fixture->task[i].is_bound = true;
    put(fixture, i);
}

static void check_counts(struct fixture *fixture, unsigned count, unsigned open_count)
{
    assert_int_equal(fixture->queue.count, count);
    assert_int_equal(fixture->queue.open_count, open_count);
}

static void an_empty_queue_gives_nothing(void **state)
{
    struct fixture *fixture = *state;
    fl_served served = served_by_latch(&fixture->latch[0]);

    assert_null(fl_inject_take_any(&fixture->queue));
    assert_null(fl_inject_take_for(&fixture->queue, served));
    assert_false(fl_inject_has_for(&fixture->queue, served));
    check_counts(fixture, 0, 0);
}

static void entries_come_out_in_the_order_they_went_in(void **state)
{
    struct fixture *fixture = *state;
    int i, round;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < 8; i++)
            put(fixture, i);
        check_counts(fixture, 8, 8);
        for (i = 0; i < 8; i++)
            assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, i));
        assert_null(fl_inject_take_any(&fixture->queue));
        check_counts(fixture, 0, 0);
    }
}

static void bound_entries_are_not_for_everybody(void **state)
{
    struct fixture *fixture = *state;

    put_bound(fixture, 0);
    check_counts(fixture, 1, 0);
    assert_null(fl_inject_take_any(&fixture->queue));
    put(fixture, 1);
    put_bound(fixture, 2);
    put(fixture, 3);
    check_counts(fixture, 4, 2);
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 1));
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 3));
    assert_null(fl_inject_take_any(&fixture->queue));
    check_counts(fixture, 2, 0);
}

static void a_waiter_gets_the_oldest_entry_of_its_latch_bound_or_not(void **state)
{
    struct fixture *fixture = *state;
    fl_served even = served_by_latch(&fixture->latch[0]);
    fl_served odd = served_by_latch(&fixture->latch[1]);
    int i;

    for (i = 0; i < 8; i++)
        i % 4 < 2 ? put(fixture, i) : put_bound(fixture, i);
    check_counts(fixture, 8, 4);
    for (i = 1; i < 8; i += 2) {
        assert_true(fl_inject_has_for(&fixture->queue, odd));
        assert_ptr_equal(fl_inject_take_for(&fixture->queue, odd), entry(fixture, i));
    }
    assert_false(fl_inject_has_for(&fixture->queue, odd));
    assert_null(fl_inject_take_for(&fixture->queue, odd));
    check_counts(fixture, 4, 2);
    for (i = 0; i < 8; i += 2)
        assert_ptr_equal(fl_inject_take_for(&fixture->queue, even), entry(fixture, i));
    check_counts(fixture, 0, 0);
}

static void a_join_is_for_everybody_and_for_its_waiter(void **state)
{
    struct fixture *fixture = *state;
    fl_served first = (fl_served)&fixture->join[0];
    fl_served second = (fl_served)&fixture->join[1];

    fl_inject_put(&fixture->queue, &fixture->join[0]);
    put(fixture, 0);
    fl_inject_put(&fixture->queue, &fixture->join[1]);
    check_counts(fixture, 3, 3);
    assert_true(fl_inject_has_for(&fixture->queue, second));
    assert_ptr_equal(fl_inject_take_for(&fixture->queue, second), &fixture->join[1]);
    assert_false(fl_inject_has_for(&fixture->queue, second));
    assert_true(fl_inject_has_for(&fixture->queue, first));
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), &fixture->join[0]);
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 0));
    check_counts(fixture, 0, 0);
}

static void the_queue_goes_on_after_its_last_entry_was_taken(void **state)
{
    struct fixture *fixture = *state;
    fl_served odd = served_by_latch(&fixture->latch[1]);

    put(fixture, 0);
    put(fixture, 1);
    assert_ptr_equal(fl_inject_take_for(&fixture->queue, odd), entry(fixture, 1));
    put(fixture, 2);
    put(fixture, 3);
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 0));
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 2));
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 3));
    put(fixture, 4);
    assert_ptr_equal(fl_inject_take_any(&fixture->queue), entry(fixture, 4));
    check_counts(fixture, 0, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_fixture, free_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_queue_gives_nothing),
        TEST(entries_come_out_in_the_order_they_went_in),
        TEST(bound_entries_are_not_for_everybody),
        TEST(a_waiter_gets_the_oldest_entry_of_its_latch_bound_or_not),
        TEST(a_join_is_for_everybody_and_for_its_waiter),
        TEST(the_queue_goes_on_after_its_last_entry_was_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
