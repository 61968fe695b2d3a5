/* test_quota.c - the CPU quota of control groups, on made-up file trees and a real group.
 *
 * Every test builds the files it needs under a fresh directory, which stands for the root
 * of the system; what one does not write does not exist. The last test makes a group
 * of the real system, where it may (root, cgroup v1 with the cpu controller), and removes
 * it.
 */
#define _GNU_SOURCE
#include "platform.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char root[64];

/* --- made-up systems -------------------------------------------------------------- */

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/filch-test-quota-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *stat, int type,
                        struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_parents(char *path)
{
    char *slash;

    for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
}

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", root, name);
    make_parents(path);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void assert_quota(uint64_t expected)
{
    assert_int_equal(fl_cpu_quota_milli(root), expected);
}

/* A v2 system with the process in /a/b. */
static void write_v2_system(void)
{
    write_file("proc/self/cgroup", "0::/a/b\n");
    write_file("proc/self/mountinfo",
               "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
               "31 22 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
}

/* A v1 system with the process in /a/b for the CPU, and elsewhere for memory. */
static void write_v1_system(void)
{
    write_file("proc/self/cgroup", "9:memory:/elsewhere\n"
                                   "4:cpuset:/cpuset\n"
                                   "3:cpu,cpuacct:/a/b\n"
                                   "1:name=systemd:/a/b/c\n");
    write_file("proc/self/mountinfo",
               "40 31 0:40 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
               "41 31 0:41 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 master:4 - cgroup "
               "cgroup rw,cpu,cpuacct\n"
               "42 31 0:42 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
}

static void write_v1_limit(const char *group, const char *quota, const char *period)
{
    char name[PATH_MAX];

    snprintf(name, sizeof name, "sys/fs/cgroup/cpu,cpuacct%s/cpu.cfs_quota_us", group);
    write_file(name, quota);
    snprintf(name, sizeof name, "sys/fs/cgroup/cpu,cpuacct%s/cpu.cfs_period_us", group);
    write_file(name, period);
}

/* --- version 2 -------------------------------------------------------------------- */

static void v2_quota_and_period_make_the_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
    assert_quota(1500);
}

static void v2_max_is_no_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_quota(0);
}

static void v2_smaller_limit_of_the_parent_counts(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    write_file("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    assert_quota(500);
}

static void v2_smaller_limit_of_the_child_counts(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "30000 100000\n");
    write_file("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    assert_quota(300);
}

static void v2_parent_counts_where_the_child_has_no_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    write_file("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    assert_quota(500);
}

/* In a container with a namespace of its own the limit is in the mounted directory. */
static void v2_limit_at_the_mount_point_counts(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/\n");
    write_file("sys/fs/cgroup/cpu.max", "250000 100000\n");
    assert_quota(2500);
}

static void v2_files_above_the_mount_point_are_not_read(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cpu.max", "10000 100000\n");
    assert_quota(0);
}

static void v2_other_groups_do_not_count(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/c/cpu.max", "10000 100000\n");
    write_file("sys/fs/cgroup/b/cpu.max", "10000 100000\n");
    assert_quota(0);
}

static void v2_group_names_may_have_colons_and_commas(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/a:1,cpu/b c\n");
    write_file("sys/fs/cgroup/a:1,cpu/b c/cpu.max", "70000 100000\n");
    assert_quota(700);
}

/* --- version 1 -------------------------------------------------------------------- */

static void v1_quota_and_period_make_the_limit(void **state)
{
    (void)state;
    write_v1_system();
    write_v1_limit("/a/b", "75000\n", "50000\n");
    assert_quota(1500);
}

static void v1_quota_of_minus_one_is_no_limit(void **state)
{
    (void)state;
    write_v1_system();
    write_v1_limit("/a/b", "-1\n", "100000\n");
    assert_quota(0);
}

static void v1_quota_of_zero_is_no_limit(void **state)
{
    (void)state;
    write_v1_system();
    write_v1_limit("/a/b", "0\n", "100000\n");
    assert_quota(0);
}

static void v1_smaller_limit_of_the_parent_counts(void **state)
{
    (void)state;
    write_v1_system();
    write_v1_limit("/a/b", "400000\n", "100000\n");
    write_v1_limit("/a", "50000\n", "100000\n");
    write_v1_limit("", "-1\n", "100000\n");
    assert_quota(500);
}

static void v1_limits_of_other_controllers_groups_do_not_count(void **state)
{
    (void)state;
    write_v1_system();
    write_v1_limit("/elsewhere", "10000\n", "100000\n");
    write_v1_limit("/cpuset", "20000\n", "100000\n");
    write_v1_limit("/a/b/c", "30000\n", "100000\n");
    assert_quota(0);
}

static void v1_half_of_a_limit_is_none(void **state)
{
    (void)state;
    write_v1_system();
    write_file("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "50000\n");
    assert_quota(0);
}

/* --- both ------------------------------------------------------------------------- */

static void half_one_and_one_and_a_half_cpus_are_told_by_both_versions(void **state)
{
    static const struct {
        const char *v2, *v1;
        uint64_t milli;
    } limits[] = {
        {"50000 100000\n", "50000\n", 500},
        {"100000 100000\n", "100000\n", 1000},
        {"150000 100000\n", "150000\n", 1500},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        write_v2_system();
        write_file("sys/fs/cgroup/a/b/cpu.max", limits[i].v2);
        assert_quota(limits[i].milli);
        write_v1_system();
        write_v1_limit("/a/b", limits[i].v1, "100000\n");
        assert_quota(limits[i].milli);
    }
}

/* --- what is mounted where -------------------------------------------------------- */

/* A container without a cgroup namespace: /proc/self/cgroup has the path on the host, and
 * only the container's own directory is mounted. */
static void the_root_of_the_mount_is_cut_off_the_group(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "3:cpu,cpuacct:/docker/abc/job\n");
    write_file("proc/self/mountinfo",
               "41 31 0:41 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup "
               "rw,cpu,cpuacct\n");
    write_v1_limit("/job", "300000\n", "100000\n");
    assert_quota(3000);
    write_v1_limit("", "200000\n", "100000\n");
    assert_quota(2000);
}

static void a_process_in_the_root_of_the_mount_has_its_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/docker/abc\n");
    write_file("proc/self/mountinfo",
               "41 31 0:41 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_quota(2000);
}

static void a_mount_of_somebody_elses_group_does_not_count(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/docker/abc\n");
    write_file("proc/self/mountinfo",
               "41 31 0:41 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    write_file("sys/fs/cgroupc/cpu.max", "200000 100000\n");
    assert_quota(0);
}

/* After unshare --cgroup without a new mount, as the kernel shows it. */
static void a_mount_from_above_the_namespace_counts_at_its_mount_point(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/job\n");
    write_file("proc/self/mountinfo",
               "41 31 0:41 /../.. /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n");
    write_file("sys/fs/cgroup/job/cpu.max", "100000 100000\n"); /* another of that name */
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_quota(2000);
}

static void a_group_outside_of_the_namespace_is_not_looked_for(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/../job\n");
    write_file("sys/fs/job/cpu.max", "100000 100000\n");
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_quota(0);
}

static void escapes_in_mount_points_are_undone(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "0::/x\\y\n");
    write_file("proc/self/mountinfo",
               "31 22 0:27 /x\\134y /my\\040groups\\011\\04 rw - cgroup2 cgroup2 rw\n");
    write_file("my groups\t\\04/cpu.max", "60000 100000\n");
    assert_quota(600);
}

static void an_empty_mount_source_shifts_nothing(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/mountinfo", "31 22 0:27 / /sys/fs/cgroup rw - cgroup2  rw\n");
    write_file("sys/fs/cgroup/a/cpu.max", "60000 100000\n");
    assert_quota(600);
}

static void write_hybrid_system(void)
{
    write_file("proc/self/cgroup", "3:cpu,cpuacct:/a/b\n"
                                   "0::/u/v\n");
    write_file("proc/self/mountinfo",
               "41 31 0:41 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
               "rw,cpu,cpuacct\n"
               "42 31 0:42 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
}

static void a_hybrid_system_has_its_limit_in_version_1(void **state)
{
    (void)state;
    write_hybrid_system();
    write_v1_limit("/a", "120000\n", "100000\n");
    write_file("sys/fs/cgroup/unified/u/v/cgroup.procs", "1\n");
    assert_quota(1200);
}

static void the_smaller_of_both_versions_counts(void **state)
{
    (void)state;
    write_hybrid_system();
    write_v1_limit("/a", "120000\n", "100000\n");
    write_file("sys/fs/cgroup/unified/u/v/cpu.max", "110000 100000\n");
    assert_quota(1100);
    write_v1_limit("/a", "90000\n", "100000\n");
    assert_quota(900);
}

/* --- what makes no sense ---------------------------------------------------------- */

static void without_any_file_there_is_no_limit(void **state)
{
    (void)state;
    assert_quota(0);
    write_file("proc/self/cgroup", "0::/a/b\n");
    assert_quota(0);
}

static void without_a_group_there_is_no_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("proc/self/cgroup", "");
    write_file("sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_quota(0);
}

static void garbage_in_a_limit_is_no_limit(void **state)
{
    const char *const garbage[] = {
        "",      "\n",          "100000",     "100000\n",  "100000 \n",
        "x y\n", "-5 100000\n", "100000 0\n", "0 0\n",     "100000 -100000\n",
        " ",     "+1 100000\n", "0x10 100\n", "max max\n", "100000\t100000\n",
    };
    size_t i;

    (void)state;
    write_v2_system();
    for (i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        write_file("sys/fs/cgroup/a/b/cpu.max", garbage[i]);
        if (fl_cpu_quota_milli(root) != 0)
            fail_msg("\"%s\" gives %llu, not 0", garbage[i],
                     (unsigned long long)fl_cpu_quota_milli(root));
    }
}

static void garbage_below_leaves_the_limit_above(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "garbage\n");
    write_file("sys/fs/cgroup/a/cpu.max", "80000 100000\n");
    assert_quota(800);
}

static void garbage_between_good_lines_is_skipped(void **state)
{
    (void)state;
    write_file("proc/self/cgroup", "\n:\n::\n0\n0:\n0::\n0::relative\n7:cpu\n7:cpu:\n"
                                   "0::/a\n"
                                   "::::\n");
    write_file("proc/self/mountinfo",
               "\n \n - \n1 2 3 - cgroup2 x rw\n1 2 3 4 5 6\n1 2 3 4 5 - cgroup2\n"
               "1 2 3 / relative rw - cgroup2 x rw\n"
               "1 2 3 relative / rw - cgroup2 x rw\n"
               "31 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
               "31 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2");
    write_file("sys/fs/cgroup/a/cpu.max", "90000 100000\n");
    assert_quota(900);
}

static void a_path_too_long_to_be_one_is_no_limit(void **state)
{
    static char line[3 * PATH_MAX];
    size_t length;

    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/cpu.max", "90000 100000\n");
    /* As long as it fits alone, and longer. */
    for (length = PATH_MAX - 2; length < 2 * PATH_MAX; length += PATH_MAX / 2) {
        strcpy(line, "0::/");
        memset(line + 4, 'x', length);
        strcpy(line + 4 + length, "\n");
        write_file("proc/self/cgroup", line);
        assert_quota(0);
    }
}

static void huge_quotas_do_not_overflow(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "1000000000000000 1\n");
    assert_quota(1000000000000000000);
    write_file("sys/fs/cgroup/a/b/cpu.max", "18446744073709551617 100000\n");
    assert_quota(0);
    write_file("sys/fs/cgroup/a/b/cpu.max",
               "100000000000000000000000000000000000000000 100000\n");
    assert_quota(0);
    write_file("sys/fs/cgroup/a/b/cpu.max", "100000 18446744073709551617\n");
    assert_quota(0);
}

static void the_tiniest_quota_is_still_a_limit(void **state)
{
    (void)state;
    write_v2_system();
    write_file("sys/fs/cgroup/a/b/cpu.max", "1 1000000\n");
    assert_quota(1);
}

/* --- the real system -------------------------------------------------------------- */

static char real_group[64];

static int name_real_group(void **state)
{
    (void)state;
    snprintf(real_group, sizeof real_group, "/sys/fs/cgroup/cpu/filch-test-%ld",
             (long)getpid());
    return 0;
}

/* A group with a process that has just ended may be busy for a moment. */
static int remove_real_group(void **state)
{
    int tries;

    (void)state;
    for (tries = 0; rmdir(real_group) != 0 && errno == EBUSY && tries < 1000; tries++)
        usleep(1000);
    return access(real_group, F_OK) == 0 ? -1 : 0;
}

static bool write_to_real_group(const char *name, const char *text)
{
    char path[128];
    FILE *file;
    bool is_written;

    snprintf(path, sizeof path, "%s/%s", real_group, name);
    file = fopen(path, "we");
    if (!file)
        return false;
    is_written = fputs(text, file) >= 0;
    return fclose(file) == 0 && is_written;
}

static void assert_quota_in_real_group(uint64_t expected)
{
    uint64_t limit = 0;
    int channel[2];
    pid_t child;

    assert_int_equal(pipe(channel), 0);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (!write_to_real_group("cgroup.procs", "0"))
            _exit(1);
        limit = fl_cpu_quota_milli("");
        _exit(write(channel[1], &limit, sizeof limit) != sizeof limit);
    }
    close(channel[1]);
    if (read(channel[0], &limit, sizeof limit) != sizeof limit)
        limit = UINT64_MAX; /* a failure below */
    close(channel[0]);
    waitpid(child, NULL, 0);
    assert_int_equal(limit, expected);
}

static void a_real_group_limits_the_process_in_it(void **state)
{
    uint64_t outside = fl_cpu_quota_milli("");

    (void)state;
    if (outside != 0 && outside < 1000)
        skip(); /* the kernel allows no group more than those around it */
    if (mkdir(real_group, 0700) != 0 ||
        !write_to_real_group("cpu.cfs_period_us", "100000") ||
        !write_to_real_group("cpu.cfs_quota_us", "100000"))
        skip();
    assert_quota_in_real_group(1000);
    assert_int_equal(fl_cpu_quota_milli(""), outside);
    assert_true(write_to_real_group("cpu.cfs_quota_us", "-1"));
    assert_quota_in_real_group(outside);
}

#define ON_MADE_UP_ROOT(test) \
    cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_MADE_UP_ROOT(v2_quota_and_period_make_the_limit),
        ON_MADE_UP_ROOT(v2_max_is_no_limit),
        ON_MADE_UP_ROOT(v2_smaller_limit_of_the_parent_counts),
        ON_MADE_UP_ROOT(v2_smaller_limit_of_the_child_counts),
        ON_MADE_UP_ROOT(v2_parent_counts_where_the_child_has_no_limit),
        ON_MADE_UP_ROOT(v2_limit_at_the_mount_point_counts),
        ON_MADE_UP_ROOT(v2_files_above_the_mount_point_are_not_read),
        ON_MADE_UP_ROOT(v2_other_groups_do_not_count),
        ON_MADE_UP_ROOT(v2_group_names_may_have_colons_and_commas),
        ON_MADE_UP_ROOT(v1_quota_and_period_make_the_limit),
        ON_MADE_UP_ROOT(v1_quota_of_minus_one_is_no_limit),
        ON_MADE_UP_ROOT(v1_quota_of_zero_is_no_limit),
        ON_MADE_UP_ROOT(v1_smaller_limit_of_the_parent_counts),
        ON_MADE_UP_ROOT(v1_limits_of_other_controllers_groups_do_not_count),
        ON_MADE_UP_ROOT(v1_half_of_a_limit_is_none),
        ON_MADE_UP_ROOT(half_one_and_one_and_a_half_cpus_are_told_by_both_versions),
        ON_MADE_UP_ROOT(the_root_of_the_mount_is_cut_off_the_group),
        ON_MADE_UP_ROOT(a_process_in_the_root_of_the_mount_has_its_limit),
        ON_MADE_UP_ROOT(a_mount_of_somebody_elses_group_does_not_count),
        ON_MADE_UP_ROOT(a_mount_from_above_the_namespace_counts_at_its_mount_point),
        ON_MADE_UP_ROOT(a_group_outside_of_the_namespace_is_not_looked_for),
        ON_MADE_UP_ROOT(escapes_in_mount_points_are_undone),
        ON_MADE_UP_ROOT(an_empty_mount_source_shifts_nothing),
        ON_MADE_UP_ROOT(a_hybrid_system_has_its_limit_in_version_1),
        ON_MADE_UP_ROOT(the_smaller_of_both_versions_counts),
        ON_MADE_UP_ROOT(without_any_file_there_is_no_limit),
        ON_MADE_UP_ROOT(without_a_group_there_is_no_limit),
        ON_MADE_UP_ROOT(garbage_in_a_limit_is_no_limit),
        ON_MADE_UP_ROOT(garbage_below_leaves_the_limit_above),
        ON_MADE_UP_ROOT(garbage_between_good_lines_is_skipped),
        ON_MADE_UP_ROOT(a_path_too_long_to_be_one_is_no_limit),
        ON_MADE_UP_ROOT(huge_quotas_do_not_overflow),
        ON_MADE_UP_ROOT(the_tiniest_quota_is_still_a_limit),
        cmocka_unit_test_setup_teardown(a_real_group_limits_the_process_in_it,
                                        name_real_group, remove_real_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
