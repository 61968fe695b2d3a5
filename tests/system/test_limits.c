/* test_limits.c - a process that may have few threads, or few CPUs. */
#include "process.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* --- roles, which return how many things were wrong ------------------------------- */

/* A user with no other processes, who may have so many threads. The superuser is not
 * bound by limits. */
static int with_few_threads(rlim_t threads)
{
    struct rlimit limit = {threads, threads};
    rlim_t expected = IS_TSAN && threads > 1 ? threads - 1 : threads; /* it has one too */
    filch_pool *pool;
    int wrong = 0;

    if (setrlimit(RLIMIT_NPROC, &limit) || setresuid(61234, 61234, 61234))
        return 99;
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 8)))
        return 98;
    wrong += filch_pool_workers(pool) != expected;
    wrong += strcmp(filch_pool_reason(pool), "threads that could be started") != 0;
    wrong += sum_wrongly(pool) != 0;
    filch_pool_destroy(pool);
    wrong += !are_threads_gone(1);
    /* The search for leaks would want a thread. */
    _exit(wrong);
}

static int with_few_cpus(unsigned expected, const char *reason)
{
    int wrong = 0;

    wrong += filch_pool_workers(NULL) != expected;
    wrong += strcmp(filch_pool_reason(NULL), reason) != 0;
    wrong += sum_wrongly(NULL) != 0;
    return wrong + !are_threads_gone(expected);
}

static int with_one_cpu(void)
{
    cpu_set_t mask;
    size_t cpu = 0;

    if (sched_getaffinity(0, sizeof mask, &mask))
        return 99;
    while (!CPU_ISSET(cpu, &mask))
        cpu++;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    if (sched_setaffinity(0, sizeof mask, &mask))
        return 99;
    return with_few_cpus(1, "affinity mask");
}

static bool write_to(const char *folder, const char *name, const char *content)
{
    char path[256];
    FILE *file;
    bool is_written;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    if (!file)
        return false;
    is_written = fputs(content, file) >= 0;
    return fclose(file) == 0 && is_written;
}

static int in_group(const char *group)
{
    if (!write_to(group, "cgroup.procs", "0"))
        return 99;
    return with_few_cpus(1, "CPU quota");
}

static int run(const char *role)
{
    unsetenv("FILCH_NUM_THREADS");
    if (strncmp(role, "threads ", 8) == 0)
        return with_few_threads((rlim_t)atoi(role + 8));
    if (strncmp(role, "group ", 6) == 0)
        return in_group(role + 6);
    return with_one_cpu();
}

/* --- tests ------------------------------------------------------------------------ */

static char text[8192];

static void a_pool_gets_by_with_the_threads_the_user_may_have(void **state)
{
    char role[32];
    int threads;

    (void)state;
    if (geteuid() != 0)
        skip(); /* nobody else can become a user without processes */
    for (threads = 1; threads <= 4; threads++) {
        snprintf(role, sizeof role, "threads %d", threads);
        assert_int_equal(run_role(role, NULL, text, sizeof text), 0);
    }
}

static void on_one_cpu_the_pool_has_one_worker(void **state)
{
    (void)state;
    assert_int_equal(run_role("cpu", NULL, text, sizeof text), 0);
}

/* Control groups of both versions, where the test may make one. */
static bool make_group(char *path, size_t path_bytes, const char *quota_us)
{
    char maximum[32];

    snprintf(maximum, sizeof maximum, "%s 100000", quota_us);
    snprintf(path, path_bytes, "/sys/fs/cgroup/cpu/filch-limits-%ld", (long)getpid());
    if (mkdir(path, 0700) == 0) {
        if (write_to(path, "cpu.cfs_period_us", "100000") &&
            write_to(path, "cpu.cfs_quota_us", quota_us))
            return true;
        rmdir(path);
    }
    snprintf(path, path_bytes, "/sys/fs/cgroup/filch-limits-%ld", (long)getpid());
    if (mkdir(path, 0700) == 0) {
        if (write_to(path, "cpu.max", maximum))
            return true;
        rmdir(path);
    }
    return false;
}

static void check_group(const char *quota_us)
{
    uint64_t since = now_ns();
    char path[128], role[160];
    cpu_set_t mask;
    int value;

    if (sched_getaffinity(0, sizeof mask, &mask) || CPU_COUNT(&mask) < 2)
        skip(); /* the mask is the reason then */
    if (!make_group(path, sizeof path, quota_us))
        skip();
    snprintf(role, sizeof role, "group %s", path);
    value = run_role(role, NULL, text, sizeof text);
    /* A group with a process that has just ended may be busy for a moment. */
    while (rmdir(path) && errno == EBUSY && now_ns() - since < PATIENCE_NS)
        sleep_us(1000);
    assert_int_equal(value, 0);
}

static void in_a_group_with_a_quota_of_half_a_cpu_the_pool_has_one_worker(void **state)
{
    (void)state;
    check_group("50000");
}

static void in_a_group_with_a_quota_of_one_cpu_the_pool_has_one_worker(void **state)
{
    (void)state;
    check_group("100000");
}

/* What it may use of a second CPU is not enough for a worker. */
static void
in_a_group_with_a_quota_of_one_and_a_half_the_pool_has_one_worker(void **state)
{
    (void)state;
    check_group("150000");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_gets_by_with_the_threads_the_user_may_have),
        cmocka_unit_test(on_one_cpu_the_pool_has_one_worker),
        cmocka_unit_test(in_a_group_with_a_quota_of_half_a_cpu_the_pool_has_one_worker),
        cmocka_unit_test(in_a_group_with_a_quota_of_one_cpu_the_pool_has_one_worker),
        cmocka_unit_test(
            in_a_group_with_a_quota_of_one_and_a_half_the_pool_has_one_worker),
    };

    if (argc > 1)
        return run(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
