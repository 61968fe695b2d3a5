/* test_privileged.c - a program with more rights than its user does not obey the user's
 * environment.
 *
 * The program copies itself and gives the copy the set-user-ID bit (run by root) or the
 * set-group-ID bit with another of its groups, so that the kernel sets AT_SECURE when the
 * copy is started. The unprivileged program must obey the same variables: else the tests
 * would show nothing.
 */
#include "process.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#define NOBODY       65534
#define PLUGIN_MARK  "FILCH_TEST_PLUGIN_IS_LOADED" /* set by hwloc_plugin.c */
#define NO_MORE_THAN 4096

/* --- the role ----------------------------------------------------------------------- */

/* Say on stderr what the library made of the environment. */
static int tell(void)
{
    unsigned workers = filch_pool_workers(NULL);

    fprintf(stderr, "secure %d, workers %u, reason %s, plugin %d, wrong %d\n",
            getauxval(AT_SECURE) != 0, workers, filch_pool_reason(NULL),
            getenv(PLUGIN_MARK) != NULL, sum_wrongly(NULL));
    /* Not exit(): a leak checker may not look into a privileged process. */
    _exit(0);
}

/* --- a privileged copy --------------------------------------------------------------- */

static char folder[] = "/tmp/filch-privileged-XXXXXX";
static char copy[sizeof folder + 16];

static bool copy_program(void)
{
    char block[65536];
    int from = open("/proc/self/exe", O_RDONLY);
    int to = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0755);
    ssize_t got;
    bool is_done = from >= 0 && to >= 0;

    while (is_done && (got = read(from, block, sizeof block)) != 0)
        is_done = got > 0 && write(to, block, (size_t)got) == got;
    close(from);
    close(to);
    return is_done;
}

/* A group of the process that is not its first; -1: none. */
static gid_t other_group(void)
{
    gid_t groups[NO_MORE_THAN];
    int count = getgroups(NO_MORE_THAN, groups), i;

    for (i = 0; i < count; i++)
        if (groups[i] != getgid() && groups[i] != getegid())
            return groups[i];
    return (gid_t)-1;
}

static int make_copy(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(copy, sizeof copy, "%s/program", folder);
    chmod(folder, 0755);
    if (!copy_program())
        return -1;
    if (geteuid() == 0)
        return chmod(copy, 04755);
    if (other_group() == (gid_t)-1)
        return 0; /* the tests skip */
    return chown(copy, (uid_t)-1, other_group()) || chmod(copy, 02755) ? -1 : 0;
}

static int remove_copy(void **state)
{
    (void)state;
    unlink(copy);
    rmdir(folder);
    return 0;
}

/* What a program says that is started with these variables, by a user without rights if
 * it is the privileged copy. */
static const char *told_by(const char *program, const char *const *variables)
{
    static char text[4096];
    char *arguments[] = {(char *)(uintptr_t) "role", (char *)(uintptr_t) "tell", NULL};
    size_t used = 0;
    ssize_t got;
    int channel[2];
    pid_t child;

    fflush(NULL);
    assert_int_equal(pipe(channel), 0);
    child = fork();
    if (child == 0) {
        limit_own_time();
        dup2(channel[1], STDERR_FILENO);
        close(channel[0]);
        close(channel[1]);
        for (; *variables; variables++)
            putenv((char *)(uintptr_t)*variables);
        if (program == copy && geteuid() == 0 &&
            (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
            _exit(98);
        execv(program, arguments);
        _exit(99);
    }
    close(channel[1]);
    while ((got = read(channel[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(channel[0]);
    if (value_of_child(child) != 0)
        fail_msg("%s did not run: %s", program, text);
    return text;
}

/* The same of the copy; skips the test where the copy gains no rights. */
static const char *told_by_privileged(const char *const *variables)
{
    const char *text = told_by(copy, variables);

    if (!strstr(text, "secure 1")) {
        print_message(
            "no privileged program can be made: the user is not root and has one "
            "group, or /tmp is mounted nosuid\n");
        skip();
    }
    return text;
}

#define IS_IN(what, text)                             \
    do {                                              \
        if (!strstr(text, what))                      \
            fail_msg("no \"%s\" in: %s", what, text); \
    } while (0)
#define IS_NOT_IN(what, text)                      \
    do {                                           \
        if (strstr(text, what))                    \
            fail_msg("\"%s\" in: %s", what, text); \
    } while (0)

/* --- tests ------------------------------------------------------------------------- */

static void it_ignores_the_variables_of_the_library(void **state)
{
    static const char *const variables[] = {"FILCH_NUM_THREADS=3", "FILCH_DISPLAY=1",
                                            NULL};
    const char *text = told_by("/proc/self/exe", variables);

    (void)state;
    IS_IN("filch: 3 workers", text);
    IS_IN("reason FILCH_NUM_THREADS", text);
    text = told_by_privileged(variables);
    IS_NOT_IN("filch: ", text);
    IS_NOT_IN("FILCH_NUM_THREADS", text);
    IS_IN("wrong 0", text);
}

#if HAS_HWLOC
static void it_ignores_the_machine_that_hwloc_is_told_of(void **state)
{
    char machine[64], expected[64];
    const char *const variables[] = {machine,
                                     "FILCH_NUM_THREADS=", "FILCH_DISPLAY=", NULL};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN) + 1;
    const char *text;

    (void)state;
    snprintf(machine, sizeof machine, "HWLOC_SYNTHETIC=[numa] core:%ld pu:1", cpus);
    snprintf(expected, sizeof expected, "workers %ld,", cpus);
    text = told_by("/proc/self/exe", variables);
    if (!strstr(text, "CPU quota"))
        IS_IN(expected, text);
    text = told_by_privileged(variables);
    IS_NOT_IN(expected, text);
    IS_IN("wrong 0", text);
}

static void it_loads_no_code_from_the_plugins_path_of_its_user(void **state)
{
    static const char *const variables[] = {"HWLOC_PLUGINS_PATH=" PLUGIN_FOLDER,
                                            "FILCH_DISPLAY=", NULL};
    const char *text;

    (void)state;
    if (!strstr(told_by("/proc/self/exe", variables), "plugin 1")) {
        print_message("this hwloc loads no plug-ins\n");
        skip();
    }
    text = told_by_privileged(variables);
    IS_IN("plugin 0", text);
    IS_IN("wrong 0", text);
}
#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_ignores_the_variables_of_the_library),
#if HAS_HWLOC
        cmocka_unit_test(it_ignores_the_machine_that_hwloc_is_told_of),
        cmocka_unit_test(it_loads_no_code_from_the_plugins_path_of_its_user),
#endif
    };

    if (argc > 1 && strcmp(argv[1], "tell") == 0)
        return tell();
    return cmocka_run_group_tests(tests, make_copy, remove_copy);
}
