/* test_injected.c - every call of the library to the system fails, one after the other.
 *
 * Each scenario runs once to count its calls, and then once for each call of each site that
 * fails, alone and with all later ones; each time in a process of its own that never used
 * the library before. It must end with the right result or a documented error, in time, and
 * leave no memory, thread or file behind.
 *
 * Of the sites that are called very often (waits) only the first calls, and some later ones.
 * FILCH_FAULT_CALLS in the environment says how many.
 */
#define _DEFAULT_SOURCE /* usleep */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "scenarios.h"
#include "sites.h"

#define USUAL_CALLS      12
#define PATIENCE_SECONDS 20

/* How a process ended. */
enum { FINE = 0, WRONG = 100, MEMORY_LEFT, THREAD_LEFT, FILE_LEFT };

struct outcome {
    long calls[SITES];
    long failed;
    int line;
};

static long entries(const char *folder)
{
    DIR *directory = opendir(folder);
    long count = 0;

    if (!directory)
        return -1;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* A thread that was joined may be seen for a moment. */
static bool threads_are(long count)
{
    int i;

    for (i = 0; i < 200 && entries("/proc/self/task") != count; i++)
        usleep(5000);
    return entries("/proc/self/task") == count;
}

/* For scripts/coverage: what a child has run counts, too. */
#ifdef COUNTS_LINES
void __gcov_dump(void);
#else
static void __gcov_dump(void)
{
}
#endif

static int try_in_child(const struct scenario *scenario, enum site site, long at,
                        bool is_forever, struct outcome *outcome)
{
    long threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
    long blocks = sites_blocks();
    int i;

    for (i = 1; i < NSIG; i++) /* not cmocka's handlers */
        signal(i, SIG_DFL);
    alarm(PATIENCE_SECONDS);
    sites_arm(site, at, is_forever);
    outcome->line = scenario->run();
    sites_disarm();
    outcome->failed = sites_failed();
    for (i = 0; i < SITES; i++)
        outcome->calls[i] = site_calls((enum site)i);
    if (outcome->line)
        return WRONG;
    if (scenario->leaves_default_pool)
        return FINE;
    if (!threads_are(threads))
        return THREAD_LEFT;
    if (sites_blocks() != blocks)
        return MEMORY_LEFT;
    return entries("/proc/self/fd") == files ? FINE : FILE_LEFT;
}

/* Fails the test with what went wrong. */
static void try_call(const struct scenario *scenario, enum site site, long at,
                     bool is_forever, struct outcome *outcome)
{
    static const char *const what[] = {"a wrong result", "memory is left",
                                       "a thread is left", "a file is left open"};
    int pipes[2], status, code;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        code = try_in_child(scenario, site, at, is_forever, outcome);
        if (write(pipes[1], outcome, sizeof *outcome) != (ssize_t)sizeof *outcome)
            code = 1;
        __gcov_dump();
        _exit(code);
    }
    close(pipes[1]);
    *outcome = (struct outcome){.line = 0};
    (void)!read(pipes[0], outcome, sizeof *outcome);
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status == 0)
        return;
    code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    fail_msg("%s; %s, call %ld%s fails: %s, line %d, status 0x%x", scenario->name,
             site_name(site), at, is_forever ? " and later" : "",
             code >= WRONG && code <= FILE_LEFT ? what[code - WRONG] : "it died",
             outcome->line, (unsigned)status);
}

static long most_calls(void)
{
    const char *text = getenv("FILCH_FAULT_CALLS");

    return text ? atol(text) : USUAL_CALLS;
}

static long tried, failed;

/* Every call up to `most` of them, then wider and wider apart. */
static void try_site(const struct scenario *scenario, enum site site, long calls)
{
    struct outcome outcome;
    long at, most = most_calls();

    for (at = 0; at < calls; at += at < most ? 1 : at / 2) {
        try_call(scenario, site, at, false, &outcome);
        failed += outcome.failed;
        try_call(scenario, site, at, true, &outcome);
        failed += outcome.failed;
        tried += 2;
    }
}

static void every_call_may_fail(void **state)
{
    const struct scenario *scenario = *state;
    struct outcome calm;
    int site;

    tried = failed = 0;
    try_call(scenario, SITE_MALLOC, -1, false, &calm);
    for (site = 0; site < SITES; site++)
        try_site(scenario, (enum site)site, calm.calls[site]);
    assert_true(failed > 0);
    print_message("%s: %ld runs, %ld calls failed\n", scenario->name, tried, failed);
}

/* Else a site that is not wrapped any more would go unseen. */
static void every_site_is_called_by_some_scenario(void **state)
{
    long calls[SITES] = {0};
    struct outcome calm;
    size_t i;
    int site;

    (void)state;
    for (i = 0; i < scenario_count; i++) {
        try_call(&scenarios[i], SITE_MALLOC, -1, false, &calm);
        for (site = 0; site < SITES; site++)
            calls[site] += calm.calls[site];
    }
    for (site = 0; site < SITES; site++)
        if (site < SITE_HWLOC_INIT &&
            site != SITE_GETRUSAGE && /* only who lost its CPU */
            calls[site] == 0)
            fail_msg("no call: %s", site_name((enum site)site));
#ifdef HAS_HWLOC
    for (site = SITE_HWLOC_INIT; site < SITES; site++)
        if (calls[site] == 0 && site != SITE_HWLOC_KIND) /* if there are kinds of cores */
            fail_msg("no call: %s", site_name((enum site)site));
#endif
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[16];
    size_t count = 0;

    for (; count < scenario_count; count++)
        tests[count] = (struct CMUnitTest){
            .name = scenarios[count].name,
            .test_func = every_call_may_fail,
            .initial_state = (void *)(uintptr_t)&scenarios[count],
        };
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(every_site_is_called_by_some_scenario);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("faults", tests, count, NULL, NULL);
}
