/* process.h - what tests of a whole process share: work for any pool, counts of threads
 * and memory, and this program run again as another process, in a role.
 */
#ifndef TESTS_SYSTEM_PROCESS_H
#define TESTS_SYSTEM_PROCESS_H

#include "api/pools.h"

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- work --------------------------------------------------------------------------- */

static inline int sum_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    size_t sum = 0;

    (void)w;
    for (; begin < end; begin++)
        sum += begin;
    atomic_fetch_add((atomic_size_t *)ctx, sum);
    return 0;
}

static inline int sum_fold(filch_worker *w, size_t begin, size_t end, void *acc,
                           void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++)
        *(size_t *)acc += begin;
    return 0;
}

static inline void sum_add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

static inline int sum_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)scope;
    return sum_range(w, 0, 1000, *(void **)ctx);
}

static inline int sum_scope(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < 10; i++)
        err |= filch_spawn(w, scope, sum_task, &ctx, sizeof ctx);
    return err;
}

/* A loop, a reduction and a scope; returns how many of them were wrong. */
static inline int sum_wrongly(filch_pool *pool)
{
    atomic_size_t looped = 0, spawned = 0;
    size_t reduced = 0;

    return (filch_for(0, 1000, sum_range, &looped, .pool = pool, .grain = 1) ||
            atomic_load(&looped) != 499500) +
           (filch_reduce(0, 1000, &reduced, sizeof reduced, sum_fold, sum_add, NULL,
                         .pool = pool, .grain = 10) ||
            reduced != 499500) +
           (filch_scope(sum_scope, &spawned, .pool = pool) ||
            atomic_load(&spawned) != 4995000);
}

/* --- threads and memory ------------------------------------------------------------- */

static inline unsigned count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    unsigned count = 0;

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2; /* . and .. */
}

/* Whether no more threads than these are left. A thread that has been joined is on the
 * kernel's list for a moment longer. TSan starts one of its own. */
static inline bool are_threads_gone(unsigned left)
{
    uint64_t since = now_ns();

    while (count_threads() > left + IS_TSAN) {
        if (now_ns() - since > PATIENCE_NS)
            return false;
        sched_yield();
    }
    return true;
}

/* What malloc has handed out. Always the same under sanitizers, which have allocators of
 * their own: leaks are looked for when the program ends there. */
static inline size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* --- children ----------------------------------------------------------------------- */

/* The value of a child that a test has forked; -1 when it hung or was killed. */
static inline int value_of_child(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

/* In the child: what takes that long hangs, and ends by a signal. */
static inline void limit_own_time(void)
{
    signal(SIGALRM, SIG_DFL);
    alarm(60);
}

/* Run this program again with the role as its argument and these variables ("A=b", ends
 * with NULL) in its environment. Returns its value, -1 when it hung or was killed; its
 * stderr is put into text. */
static inline int run_role(const char *role, const char *const *variables, char *text,
                           size_t text_bytes)
{
    char *arguments[] = {(char *)(uintptr_t) "role", (char *)(uintptr_t)role, NULL};
    size_t used = 0;
    ssize_t got;
    int channel[2];
    pid_t child;

    fflush(NULL);
    if (pipe(channel))
        return -1;
    child = fork();
    if (child == 0) {
        limit_own_time();
        dup2(channel[1], STDERR_FILENO);
        close(channel[0]);
        close(channel[1]);
        for (; variables && *variables; variables++)
            putenv((char *)(uintptr_t)*variables);
        execv("/proc/self/exe", arguments);
        _exit(99);
    }
    close(channel[1]);
    while (child > 0 && (got = read(channel[0], text + used, text_bytes - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(channel[0]);
    return child > 0 ? value_of_child(child) : -1;
}

/* What a role returns that cannot do its work in this process. */
#define NOT_PERMITTED 77

/* A role ends well; or it is not permitted, and why. */
static inline void check_role(const char *role, const char *why_not)
{
    static char text[4096];
    int value = run_role(role, NULL, text, sizeof text);

    if (value == NOT_PERMITTED) {
        print_message("skipped: %s\n", why_not);
        skip();
    }
    if (value)
        fail_msg("%s: %d %s", role, value, text);
}

#endif
