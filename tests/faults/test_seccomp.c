/* test_seccomp.c - in a sandbox that forbids system calls, every result is right.
 *
 * Each scenario runs in a process of its own, under a filter that answers the forbidden calls
 * with ENOSYS, or with EPERM.
 */
#define _DEFAULT_SOURCE /* NSIG */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <filch/filch.h>
#include "scenarios.h"

#define MOST_CALLS       16
#define PATIENCE_SECONDS 60

enum { WRONG = 1, CANNOT_FORBID = 77 };

static const struct sandbox {
    const char *name;
    int calls[MOST_CALLS]; /* ends with 0 (read, which nobody forbids) */
} sandboxes[] = {
    {"no membarrier", {SYS_membarrier}},
    {"no affinity to be asked for", {SYS_sched_getaffinity}},
    {"no affinity to be set", {SYS_sched_setaffinity}},
    {"no affinity at all", {SYS_sched_getaffinity, SYS_sched_setaffinity}},
    {"no file to be opened", {SYS_openat}},
    {"no limits and no usage", {SYS_prlimit64, SYS_getrusage}},
    {"no CPU to be told", {SYS_getcpu}},
    {"no classes, no priorities",
     {SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_getpriority, SYS_setpriority}},
    {"no names, no yields", {SYS_prctl, SYS_sched_yield}},
    {"nothing that can be done without",
     {SYS_membarrier, SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_openat,
      SYS_prlimit64, SYS_getrusage, SYS_getcpu, SYS_prctl, SYS_sched_yield,
      SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_getpriority, SYS_setpriority}},
};

static bool forbid(const int *calls, uint32_t answer)
{
    struct sock_filter filter[2 * MOST_CALLS + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    unsigned short length = 1;
    struct sock_fprog program = {.filter = filter};

    for (; *calls; calls++) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                        (uint32_t)*calls, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = length;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int run_forbidden(const struct scenario *scenario, const struct sandbox *sandbox,
                         int error)
{
    int status, i;
    pid_t child = fork();

    if (child == 0) {
        for (i = 1; i < NSIG; i++) /* not cmocka's handlers */
            signal(i, SIG_DFL);
        alarm(PATIENCE_SECONDS);
        if (!forbid(sandbox->calls, SECCOMP_RET_ERRNO | (uint32_t)error))
            _exit(CANNOT_FORBID);
        _exit(scenario->run() ? WRONG : 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void every_result_is_right_in(void **state)
{
    static const int errors[] = {ENOSYS, EPERM};
    const struct sandbox *sandbox = *state;
    size_t i, j;
    int status;

    for (i = 0; i < scenario_count; i++) {
        for (j = 0; j < sizeof errors / sizeof errors[0]; j++) {
            status = run_forbidden(&scenarios[i], sandbox, errors[j]);
            if (status == CANNOT_FORBID)
                skip(); /* a sandbox around this one */
            if (status)
                fail_msg("%s, %s, error %d: %s %d", sandbox->name, scenarios[i].name,
                         errors[j], status < 0 ? "signal" : "status", abs(status));
        }
    }
}

/* The line that was wrong, 0 for none. A thread that binds itself ends the process. */
static int use_pools_without_a_mask(void)
{
    static const int asked[] = {SYS_sched_getaffinity, 0};
    static const int set[] = {SYS_sched_setaffinity, 0};
    filch_pool *pool;
    const char *reason;

    unsetenv("FILCH_NUM_THREADS");
    unsetenv("FILCH_BIND");
    alarm(PATIENCE_SECONDS);
    if (!forbid(asked, SECCOMP_RET_ERRNO | EPERM) ||
        !forbid(set, SECCOMP_RET_KILL_PROCESS))
        return CANNOT_FORBID;
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.bind = FILCH_BIND_CORE)))
        return __LINE__;
    reason = filch_pool_reason(pool);
    if (strcmp(reason, "affinity mask refused") != 0 && strcmp(reason, "CPU quota") != 0)
        return __LINE__;
    filch_pool_destroy(pool);
    if (!filch_pool_default() || strcmp(filch_pool_reason(NULL), reason) != 0)
        return __LINE__;
    return filch_pool_workers(NULL) <= (unsigned)sysconf(_SC_NPROCESSORS_ONLN) ? 0
                                                                               : __LINE__;
}

static void without_an_affinity_mask_pools_are_made_and_nobody_is_bound(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(use_pools_without_a_mask());
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_FORBID)
        skip(); /* a sandbox around this one */
    assert_int_equal(status, 0);
}

int main(void)
{
    struct CMUnitTest tests[sizeof sandboxes / sizeof sandboxes[0] + 1];
    size_t count = 0;

    for (; count < sizeof sandboxes / sizeof sandboxes[0]; count++)
        tests[count] = (struct CMUnitTest){
            .name = sandboxes[count].name,
            .test_func = every_result_is_right_in,
            .initial_state = (void *)(uintptr_t)&sandboxes[count],
        };
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(
        without_an_affinity_mask_pools_are_made_and_nobody_is_bound);
    return _cmocka_run_group_tests("sandboxes", tests, count, NULL, NULL);
}
