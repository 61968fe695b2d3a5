/* test_options.c - what wins when options, environment and machine disagree. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "options.h"

static int clear_environment(void **state)
{
    (void)state;
    unsetenv("FILCH_NUM_THREADS");
    unsetenv("FILCH_BIND");
    unsetenv("FILCH_SPIN_US");
    unsetenv("FILCH_STACKSIZE");
    unsetenv("FILCH_FENCES");
    unsetenv("FILCH_DISPLAY");
    return 0;
}

/* A machine of 6 CPUs with so much quota. */
static struct fl_config resolve(const filch_pool_options *options, uint64_t quota_milli)
{
    struct fl_topology topology = {.count = 6, .cores = 6};
    struct fl_config config;

    memset(&config, 0x55, sizeof config);
    fl_config_resolve(&config, options, &topology, quota_milli);
    return config;
}

static void check_workers(const filch_pool_options *options, uint64_t quota_milli,
                          unsigned workers, const char *reason)
{
    struct fl_config config = resolve(options, quota_milli);

    assert_int_equal(config.workers, workers);
    assert_string_equal(config.reason, reason);
}

static void a_refused_mask_is_the_reason_where_it_would_be(void **state)
{
    struct fl_topology topology = {.count = 6, .cores = 6, .is_mask_refused = true};
    struct fl_config config;

    (void)state;
    fl_config_resolve(&config, NULL, &topology, 0);
    assert_int_equal(config.workers, 6);
    assert_string_equal(config.reason, "affinity mask refused");
    fl_config_resolve(&config, NULL, &topology, 3000);
    assert_string_equal(config.reason, "CPU quota");
    fl_config_resolve(&config, FILCH_POOL_OPTIONS(.workers = 2), &topology, 0);
    assert_string_equal(config.reason, "options");
}

/* --- workers ---------------------------------------------------------------------- */

static void the_mask_and_the_quota_choose_the_smaller_number(void **state)
{
    (void)state;
    check_workers(NULL, 0, 6, "affinity mask");
    check_workers(FILCH_POOL_OPTIONS(.bind = FILCH_BIND_NONE), 0, 6, "affinity mask");
    check_workers(NULL, 6000, 6, "affinity mask");
    check_workers(NULL, 100000, 6, "affinity mask");
    check_workers(NULL, 5999, 5, "CPU quota");
    check_workers(NULL, 3000, 3, "CPU quota");
    check_workers(NULL, 2500, 2, "CPU quota");
    check_workers(NULL, 1999, 1, "CPU quota");
    check_workers(NULL, 1500, 1, "CPU quota");
    check_workers(NULL, 1000, 1, "CPU quota");
    check_workers(NULL, 500, 1, "CPU quota");
    check_workers(NULL, 100, 1, "CPU quota");
}

static void an_explicit_number_wins_over_the_machine(void **state)
{
    (void)state;
    setenv("FILCH_NUM_THREADS", "9", 1);
    check_workers(NULL, 0, 9, "FILCH_NUM_THREADS");
    check_workers(NULL, 2000, 9, "FILCH_NUM_THREADS");
    check_workers(FILCH_POOL_OPTIONS(.workers = 0), 2000, 9, "FILCH_NUM_THREADS");
}

static void options_win_over_the_environment(void **state)
{
    struct fl_config config;

    (void)state;
    setenv("FILCH_NUM_THREADS", "9", 1);
    setenv("FILCH_BIND", "node", 1);
    setenv("FILCH_SPIN_US", "7", 1);
    setenv("FILCH_STACKSIZE", "1M", 1);
    config = resolve(FILCH_POOL_OPTIONS(.workers = 3, .bind = FILCH_BIND_NONE,
                                        .spin_us = 11, .stack_bytes = 65536),
                     2000);
    assert_int_equal(config.workers, 3);
    assert_string_equal(config.reason, "options");
    assert_int_equal(config.bind, FILCH_BIND_NONE);
    assert_int_equal(config.spin_ns, 11000);
    assert_int_equal(config.stack_bytes, 65536);
}

static void only_whole_numbers_in_range_are_taken(void **state)
{
    static const char *const wrong[] = {"",
                                        " ",
                                        "0",
                                        "-1",
                                        "+4",
                                        " 4",
                                        "4 ",
                                        "4x",
                                        "4k",
                                        "4.0",
                                        "x",
                                        "4097",
                                        "99999",
                                        "0x4",
                                        "4,3",
                                        "1e1",
                                        "4\n",
                                        "18446744073709551617",
                                        "99999999999999999999999999"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("FILCH_NUM_THREADS", wrong[i], 1);
        check_workers(NULL, 0, 6, "affinity mask");
    }
    setenv("FILCH_NUM_THREADS", "1", 1);
    check_workers(NULL, 0, 1, "FILCH_NUM_THREADS");
    setenv("FILCH_NUM_THREADS", "004", 1);
    check_workers(NULL, 0, 4, "FILCH_NUM_THREADS");
    setenv("FILCH_NUM_THREADS", "4096", 1);
    check_workers(NULL, 0, 4096, "FILCH_NUM_THREADS");
}

/* --- the other variables ---------------------------------------------------------- */

static void the_binding_has_four_names(void **state)
{
    static const struct {
        const char *name;
        int bind;
    } names[] = {
        {"auto", FILCH_BIND_AUTO}, {"core", FILCH_BIND_CORE},  {"node", FILCH_BIND_NODE},
        {"none", FILCH_BIND_NONE}, {"", FILCH_BIND_AUTO},      {"Core", FILCH_BIND_AUTO},
        {"cor", FILCH_BIND_AUTO},  {"cores", FILCH_BIND_AUTO}, {"1", FILCH_BIND_AUTO}};
    size_t i;

    (void)state;
    assert_int_equal(resolve(NULL, 0).bind, FILCH_BIND_AUTO);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("FILCH_BIND", names[i].name, 1);
        assert_int_equal(resolve(NULL, 0).bind, names[i].bind);
    }
}

static void the_time_to_spin_is_in_microseconds(void **state)
{
    uint64_t chosen = resolve(NULL, 0).spin_ns;

    (void)state;
    assert_in_range(chosen, 1000, 1000000);
    setenv("FILCH_SPIN_US", "123", 1);
    assert_int_equal(resolve(NULL, 0).spin_ns, 123000);
    setenv("FILCH_SPIN_US", "0", 1);
    assert_int_equal(resolve(NULL, 0).spin_ns, 0);
    setenv("FILCH_SPIN_US", "10000000", 1);
    assert_int_equal(resolve(NULL, 0).spin_ns, UINT64_C(10000000000));
    setenv("FILCH_SPIN_US", "10000001", 1);
    assert_int_equal(resolve(NULL, 0).spin_ns, chosen);
    setenv("FILCH_SPIN_US", "-1", 1);
    assert_int_equal(resolve(NULL, 0).spin_ns, chosen);
    assert_int_equal(resolve(FILCH_POOL_OPTIONS(.spin_us = -1), 0).spin_ns, 0);
    setenv("FILCH_SPIN_US", "5", 1);
    assert_int_equal(resolve(FILCH_POOL_OPTIONS(.spin_us = -1), 0).spin_ns, 0);
}

static void with_more_workers_than_cpus_nobody_spins_unless_told_to(void **state)
{
    (void)state;
    assert_int_equal(resolve(FILCH_POOL_OPTIONS(.workers = 7), 0).spin_ns, 0);
    assert_true(resolve(FILCH_POOL_OPTIONS(.workers = 6), 0).spin_ns > 0);
    assert_int_equal(resolve(FILCH_POOL_OPTIONS(.workers = 7, .spin_us = 2), 0).spin_ns,
                     2000);
    setenv("FILCH_SPIN_US", "3", 1);
    assert_int_equal(resolve(FILCH_POOL_OPTIONS(.workers = 7), 0).spin_ns, 3000);
}

static void the_stack_size_takes_a_suffix(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } sizes[] = {{"100000", 100000},
                 {"64k", 65536},
                 {"64K", 65536},
                 {"3m", 3 << 20},
                 {"3M", 3 << 20},
                 {"1g", 1 << 30},
                 {"1G", 1 << 30},
                 {"", 0},
                 {"0", 0},
                 {"k", 0},
                 {"64kk", 0},
                 {"64kB", 0},
                 {"64 k", 0},
                 {"64t", 0},
                 {"-64k", 0},
                 {"9223372036854775808", 0},
                 {"17179869184G", 0},
                 {"18014398509481984k", 0},
                 {"99999999999999999999", 0}};
    size_t i;

    (void)state;
    assert_int_equal(resolve(NULL, 0).stack_bytes, 0);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t bytes;

        setenv("FILCH_STACKSIZE", sizes[i].text, 1);
        bytes = resolve(NULL, 0).stack_bytes;
        if (bytes != sizes[i].bytes)
            fail_msg("\"%s\" is %zu, not %zu", sizes[i].text, bytes, sizes[i].bytes);
    }
}

static void fences_are_automatic_unless_they_are_to_be_classic(void **state)
{
    (void)state;
    assert_false(resolve(NULL, 0).is_classic);
    setenv("FILCH_FENCES", "auto", 1);
    assert_false(resolve(NULL, 0).is_classic);
    setenv("FILCH_FENCES", "classic", 1);
    assert_true(resolve(NULL, 0).is_classic);
    setenv("FILCH_FENCES", "classical", 1);
    assert_false(resolve(NULL, 0).is_classic);
}

/* --- reports ---------------------------------------------------------------------- */

/* Resolve three times with stderr in a file; returns its text. */
static const char *captured_stderr(void)
{
    static char text[4096];
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO), i;
    size_t length;

    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    for (i = 0; i < 3; i++)
        resolve(NULL, 0);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static int lines_with(const char *text, const char *what)
{
    int lines = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        lines++;
    return lines;
}

/* One test, because a variable is reported once in a process. */
static void malformed_variables_are_reported_once_when_asked_to(void **state)
{
    const char *text;

    (void)state;
    setenv("FILCH_NUM_THREADS", "many", 1);
    setenv("FILCH_BIND", "loosely", 1);
    setenv("FILCH_SPIN_US", "1ms", 1);
    setenv("FILCH_STACKSIZE", "large", 1);
    assert_string_equal(captured_stderr(), "");
    setenv("FILCH_DISPLAY", "0", 1);
    assert_string_equal(captured_stderr(), "");
    setenv("FILCH_DISPLAY", "1", 1);
    text = captured_stderr();
    assert_int_equal(lines_with(text, "\n"), 4);
    assert_int_equal(lines_with(text, "filch: FILCH_NUM_THREADS=\"many\" ignored"), 1);
    assert_int_equal(lines_with(text, "filch: FILCH_BIND=\"loosely\" ignored"), 1);
    assert_int_equal(lines_with(text, "filch: FILCH_SPIN_US=\"1ms\" ignored"), 1);
    assert_int_equal(lines_with(text, "filch: FILCH_STACKSIZE=\"large\" ignored"), 1);
}

/* --- checks ----------------------------------------------------------------------- */

static void pool_options_out_of_range_are_refused(void **state)
{
    filch_pool_options options = *FILCH_POOL_OPTIONS(.workers = 0);

    (void)state;
    assert_int_equal(fl_pool_options_check(NULL), 0);
    assert_int_equal(fl_pool_options_check(&options), 0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.workers = 4096)), 0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.workers = 4097)), -EINVAL);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.bind = 3)), 0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.bind = 4)), -EINVAL);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.bind = -1)), -EINVAL);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.spin_us = -1)), 0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.spin_us = -2)), -EINVAL);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.spin_us = 10000000)), 0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.spin_us = 10000001)),
                     -EINVAL);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.inherit_scheduling = 1)),
                     0);
    assert_int_equal(fl_pool_options_check(FILCH_POOL_OPTIONS(.inherit_scheduling = 2)),
                     -EINVAL);
    options.struct_size++;
    assert_int_equal(fl_pool_options_check(&options), -EINVAL);
    options.struct_size--;
    options.abi++;
    assert_int_equal(fl_pool_options_check(&options), -EINVAL);
}

static void call_options_of_another_abi_are_refused(void **state)
{
    filch_opts opts = *FILCH_OPTS(NULL);

    (void)state;
    assert_int_equal(fl_opts_check(NULL), 0);
    assert_int_equal(fl_opts_check(&opts), 0);
    opts.struct_size = 0;
    assert_int_equal(fl_opts_check(&opts), -EINVAL);
    opts.struct_size = sizeof opts;
    opts.abi = 0;
    assert_int_equal(fl_opts_check(&opts), -EINVAL);
}

#define TEST(test) cmocka_unit_test_setup(test, clear_environment)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_mask_and_the_quota_choose_the_smaller_number),
        TEST(a_refused_mask_is_the_reason_where_it_would_be),
        TEST(an_explicit_number_wins_over_the_machine),
        TEST(options_win_over_the_environment),
        TEST(only_whole_numbers_in_range_are_taken),
        TEST(the_binding_has_four_names),
        TEST(the_time_to_spin_is_in_microseconds),
        TEST(with_more_workers_than_cpus_nobody_spins_unless_told_to),
        TEST(the_stack_size_takes_a_suffix),
        TEST(fences_are_automatic_unless_they_are_to_be_classic),
        TEST(malformed_variables_are_reported_once_when_asked_to),
        TEST(pool_options_out_of_range_are_refused),
        TEST(call_options_of_another_abi_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
