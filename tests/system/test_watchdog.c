/* test_watchdog.c - the tests' watchdog names who waits, and what for. */
#include "process.h"

/* --- a program that hangs ---------------------------------------------------------- */

static atomic_bool never;

/* One half waits for ever; so the other's worker, done, waits for that. */
static int hang(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    (void)end;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    if (!wait_for(ctx, 2))
        return -1;
    while (begin == 1 && !atomic_load(&never))
        sleep_us(1000);
    return 0;
}

static int loop_that_hangs(void)
{
    atomic_uint arrived = 0;
    filch_pool *pool;

    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)))
        return 90;
    filch_for(0, 2, hang, &arrived, .pool = pool, .grain = 1);
    return 0;
}

static int sleep_for_ever(void)
{
    while (!atomic_load(&never))
        pause();
    return 0;
}

/* --- tests ------------------------------------------------------------------------ */

static char text[16384];

static void assert_says(const char *what)
{
    if (!strstr(text, what))
        fail_msg("not in the report: %s\n%s", what, text);
}

static void a_loop_that_hangs_is_reported_with_its_workers_and_what_is_left(void **state)
{
    static const char *const variables[] = {"FILCH_TEST_PATIENCE=2", NULL};

    (void)state;
    assert_int_equal(run_role("loop", variables, text, sizeof text), -1);
    assert_says("watchdog: no end after 2 s\n");
    assert_says(": 2 workers, ");
    assert_says("  worker 0: ");
    assert_says(" (a caller's): ");
    assert_says("(1 remaining"); /* of the two items */
    assert_says(", waits for ");
    assert_says("thread ");
}

static void without_a_pool_the_threads_are_reported(void **state)
{
    static const char *const variables[] = {"FILCH_TEST_PATIENCE=1", NULL};

    (void)state;
    assert_int_equal(run_role("sleep", variables, text, sizeof text), -1);
    assert_says("watchdog: no end after 1 s\n");
    assert_says("thread ");
    assert_null(strstr(text, "pool "));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_hangs_is_reported_with_its_workers_and_what_is_left),
        cmocka_unit_test(without_a_pool_the_threads_are_reported),
    };

    if (argc > 1 && strcmp(argv[1], "loop") == 0)
        return loop_that_hangs();
    if (argc > 1)
        return sleep_for_ever();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
