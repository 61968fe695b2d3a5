/* test_environment.c - what the environment says about pools, seen from outside a
 * process. */
#include "process.h"

/* --- roles ------------------------------------------------------------------------ */

/* Make the default pool and one of one's own; return the workers of the default one. */
static int make_pools(void)
{
    const char *reason = getenv("EXPECTED_REASON");
    filch_pool *pool;
    int i;

    for (i = 0; i < 3; i++) {
        if (filch_pool_create(&pool, NULL))
            return 90;
        filch_pool_destroy(pool);
    }
    if (sum_wrongly(NULL))
        return 91;
    if (reason && strcmp(filch_pool_reason(NULL), reason) != 0)
        return 92;
    return (int)filch_pool_workers(NULL);
}

/* --- tests ------------------------------------------------------------------------ */

static char text[8192];

static int lines_with(const char *what)
{
    const char *at = text;
    int lines = 0;

    for (; (at = strstr(at, what)); at += strlen(what))
        lines++;
    return lines;
}

static void the_number_of_threads_is_that_of_the_variable(void **state)
{
    static const char *const three[] = {"FILCH_NUM_THREADS=3",
                                        "EXPECTED_REASON=FILCH_NUM_THREADS",
                                        "FILCH_DISPLAY=", NULL};
    static const char *const one[] = {"FILCH_NUM_THREADS=1",
                                      "EXPECTED_REASON=FILCH_NUM_THREADS",
                                      "FILCH_DISPLAY=", NULL};

    (void)state;
    assert_int_equal(run_role("pools", three, text, sizeof text), 3);
    assert_string_equal(text, "");
    assert_int_equal(run_role("pools", one, text, sizeof text), 1);
    assert_string_equal(text, "");
}

static void asked_to_a_pool_says_how_many_workers_it_has_and_why(void **state)
{
    static const char *const variables[] = {"FILCH_NUM_THREADS=3", "FILCH_DISPLAY=1",
                                            NULL};

    (void)state;
    assert_int_equal(run_role("pools", variables, text, sizeof text), 3);
    assert_int_equal(lines_with("filch: 3 workers (FILCH_NUM_THREADS), "), 4);
    assert_int_equal(lines_with("\n"), 4);
}

static void a_malformed_variable_is_ignored_and_reported_once_when_asked_to(void **state)
{
    static const char *const silent[] = {"FILCH_NUM_THREADS=3", "FILCH_BIND=tightly",
                                         "FILCH_SPIN_US=-1", "FILCH_DISPLAY=", NULL};
    static const char *const loud[] = {"FILCH_NUM_THREADS=3", "FILCH_BIND=tightly",
                                       "FILCH_SPIN_US=-1", "FILCH_DISPLAY=1", NULL};
    static const char *const number[] = {"FILCH_NUM_THREADS=0", "FILCH_DISPLAY=1", NULL};

    (void)state;
    assert_int_equal(run_role("pools", silent, text, sizeof text), 3);
    assert_string_equal(text, "");
    assert_int_equal(run_role("pools", loud, text, sizeof text), 3);
    assert_int_equal(lines_with("FILCH_BIND=\"tightly\" ignored"), 1);
    assert_int_equal(lines_with("FILCH_SPIN_US=\"-1\" ignored"), 1);
    assert_int_equal(lines_with("\n"), 4 + 2);
    assert_in_range(run_role("pools", number, text, sizeof text), 1, 80);
    assert_int_equal(lines_with("FILCH_NUM_THREADS=\"0\" ignored"), 1);
    assert_int_equal(lines_with("(FILCH_NUM_THREADS)"), 0);
}

/* Without hwloc, nobody reads the variable. */
static void a_topology_that_hwloc_cannot_load_leaves_pools_that_work(void **state)
{
    static const char *const no_file[] = {
        "FILCH_NUM_THREADS=3", "EXPECTED_REASON=FILCH_NUM_THREADS",
        "FILCH_DISPLAY=", "HWLOC_XMLFILE=/nowhere/topology.xml", NULL};
    static const char *const no_topology[] = {
        "FILCH_NUM_THREADS=3", "EXPECTED_REASON=FILCH_NUM_THREADS",
        "FILCH_DISPLAY=", "HWLOC_XMLFILE=/proc/self/exe", NULL};

    (void)state;
    assert_int_equal(run_role("pools", no_file, text, sizeof text), 3);
    assert_int_equal(run_role("pools", no_topology, text, sizeof text), 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_of_threads_is_that_of_the_variable),
        cmocka_unit_test(asked_to_a_pool_says_how_many_workers_it_has_and_why),
        cmocka_unit_test(a_malformed_variable_is_ignored_and_reported_once_when_asked_to),
        cmocka_unit_test(a_topology_that_hwloc_cannot_load_leaves_pools_that_work),
    };

    if (argc > 1 && strcmp(argv[1], "pools") == 0)
        return make_pools();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
