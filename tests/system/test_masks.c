/* test_masks.c - somebody changes the affinity masks of the process while a pool works.
 *
 * As taskset -a does. That a thread still makes way for a caller is in
 * tests/api/test_affinity.c; children of fork() are in test_fork_masks.c.
 */
#include "masks.h"

static cpu_set_t all; /* what the process may use */

static int restore_all(void **state)
{
    (void)state;
    return set_all_masks(&all) ? 0 : -1;
}

static void skip_on_one_cpu(void)
{
    if (CPU_COUNT(&all) < 2) {
        print_message("one CPU: there is nothing to change\n");
        skip();
    }
}

static filch_pool *make_bound(int bind)
{
    filch_pool *pool;

    assert_int_equal(
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = (uint32_t)CPU_COUNT(&all),
                                                    .bind = bind)),
        0);
    assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
    return pool;
}

/* --- they stay ---------------------------------------------------------------------- */

/* On each CPU, whoever was there: a thread of the pool that was, moved away from the caller,
 * whose CPU it is now too. */
static void threads_stay_where_somebody_puts_the_process(void **state)
{
    static const int binds[] = {FILCH_BIND_CORE, FILCH_BIND_NODE, FILCH_BIND_NONE};
    size_t bind;
    int nth, round;

    (void)state;
    skip_on_one_cpu();
    for (bind = 0; bind < COUNT_OF(binds); bind++)
        for (nth = 0; nth < 2; nth++) {
            filch_pool *pool = make_bound(binds[bind]);
            cpu_set_t one = nth_of(&all, nth);

            assert_true(set_all_masks(&one));
            for (round = 0; round < 30; round++) {
                assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
                assert_int_equal(sum_wrongly(pool), 0);
                assert_int_equal(threads_without(&one), 0);
                usleep(2000); /* they move once in a millisecond at most */
            }
            assert_true(set_all_masks(&all));
            assert_int_equal(sum_wrongly(pool), 0);
            destroy_wholly(pool);
        }
}

/* One after the other: who was moved once must not come back either. */
static void threads_follow_the_process_from_cpu_to_cpu(void **state)
{
    filch_pool *pool;
    int nth, round;

    (void)state;
    skip_on_one_cpu();
    pool = make_bound(FILCH_BIND_CORE);
    for (nth = 0; nth < 6; nth++) {
        cpu_set_t one = nth_of(&all, nth % 2);

        assert_true(set_all_masks(&one));
        for (round = 0; round < 10; round++) {
            assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
            assert_int_equal(threads_without(&one), 0);
            usleep(2000);
        }
    }
    destroy_wholly(pool);
}

/* --- and it is told ----------------------------------------------------------------- */

/* Work until all threads of the pool have seen that their masks are others. */
static bool is_told(filch_pool *pool, uint64_t threads)
{
    uint64_t since = now_ns();

    while (masks_changed(pool) != threads) {
        if (now_ns() - since > PATIENCE_NS || gather_wrongly(pool, NULL, NULL))
            return false;
        usleep(1000);
    }
    return true;
}

static void statistics_tell_that_masks_were_changed(void **state)
{
    static const int binds[] = {FILCH_BIND_CORE, FILCH_BIND_NODE, FILCH_BIND_NONE};
    cpu_set_t one = nth_of(&all, 1);
    size_t bind;

    (void)state;
    skip_on_one_cpu();
    for (bind = 0; bind < COUNT_OF(binds); bind++) {
        filch_pool *pool = make_bound(binds[bind]);
        uint64_t threads = filch_pool_workers(pool) - 1;

        assert_int_equal(masks_changed(pool), 0);
        /* More for those on a core, less for the others. */
        assert_true(set_all_masks(binds[bind] == FILCH_BIND_CORE ? &all : &one));
        assert_true(is_told(pool, threads));
        /* Once for each thread, however often they are changed. */
        assert_true(set_all_masks(&one));
        usleep(20000);
        assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
        assert_int_equal(masks_changed(pool), threads);
        assert_true(set_all_masks(&all));
        destroy_wholly(pool);
    }
}

static void a_pool_that_nobody_touches_tells_nothing(void **state)
{
    filch_pool *pool = make_bound(FILCH_BIND_AUTO);
    int round;

    (void)state;
    for (round = 0; round < 20; round++) {
        assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
        usleep(2000);
    }
    assert_int_equal(masks_changed(pool), 0);
    destroy_wholly(pool);
}

static void a_pool_made_on_one_cpu_goes_on_when_it_gets_more(void **state)
{
    cpu_set_t one = nth_of(&all, 0);
    filch_pool *pool;

    (void)state;
    skip_on_one_cpu();
    assert_true(set_mask(0, &one));
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
    assert_int_equal(threads_without(&one), 0);
    assert_true(set_all_masks(&all));
    assert_true(is_told(pool, 2));
    assert_int_equal(threads_without(&all), 0);
    assert_int_equal(sum_wrongly(pool), 0);
    destroy_wholly(pool);
}

/* The role: its stderr has what the display tells. */
static int change_masks(void)
{
    filch_pool *pool = make_bound(FILCH_BIND_CORE);
    bool is_right = set_all_masks(&all) && is_told(pool, filch_pool_workers(pool) - 1);

    destroy_wholly(pool);
    return is_right ? 0 : 1;
}

static void the_display_tells_it_once_a_pool(void **state)
{
    static const char *const loud[] = {"FILCH_DISPLAY=1", NULL};
    static const char *const silent[] = {"FILCH_DISPLAY=", NULL};
    static char text[4096];
    const char *line;

    (void)state;
    skip_on_one_cpu();
    assert_int_equal(run_role("change", loud, text, sizeof text), 0);
    line = strstr(text, "filch: affinity changed");
    assert_non_null(line);
    assert_null(strstr(line + 1, "filch: affinity changed"));
    assert_int_equal(run_role("change", silent, text, sizeof text), 0);
    assert_string_equal(text, "");
}

#define TEST(test) cmocka_unit_test_teardown(test, restore_all)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_stay_where_somebody_puts_the_process),
        TEST(threads_follow_the_process_from_cpu_to_cpu),
        TEST(statistics_tell_that_masks_were_changed),
        TEST(a_pool_that_nobody_touches_tells_nothing),
        TEST(a_pool_made_on_one_cpu_goes_on_when_it_gets_more),
        TEST(the_display_tells_it_once_a_pool),
    };

    all = mask_of(0);
    if (argc > 1 && strcmp(argv[1], "change") == 0)
        return change_masks();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
