/* sites.c - see sites.h. */
#define _GNU_SOURCE
#include "sites.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#ifdef HAS_HWLOC
#include <hwloc.h>
#endif

static const char *const names[SITES] = {
    [SITE_MALLOC] = "malloc",
    [SITE_CALLOC] = "calloc",
    [SITE_ALIGNED_ALLOC] = "aligned_alloc",
    [SITE_THREAD_CREATE] = "pthread_create",
    [SITE_ATTR_INIT] = "pthread_attr_init",
    [SITE_ATTR_STACK] = "pthread_attr_setstacksize",
    [SITE_FOPEN] = "fopen",
    [SITE_GETLINE] = "getline",
    [SITE_FGETS] = "fgets",
    [SITE_GET_AFFINITY] = "sched_getaffinity",
    [SITE_SET_AFFINITY] = "sched_setaffinity",
    [SITE_GET_CPU] = "sched_getcpu",
    [SITE_SYSCONF] = "sysconf",
    [SITE_GETRLIMIT] = "getrlimit",
    [SITE_GETRUSAGE] = "getrusage",
    [SITE_GET_CLASS] = "sched_getscheduler",
    [SITE_SET_CLASS] = "sched_setscheduler",
    [SITE_GET_NICE] = "getpriority",
    [SITE_SET_NICE] = "setpriority",
    [SITE_FUTEX_WAIT] = "futex wait",
    [SITE_FUTEX_WAKE] = "futex wake",
    [SITE_MEMBARRIER_REGISTER] = "membarrier register",
    [SITE_MEMBARRIER] = "membarrier",
    [SITE_HWLOC_INIT] = "hwloc_topology_init",
    [SITE_HWLOC_FILTER] = "hwloc_topology_set_type_filter",
    [SITE_HWLOC_FILTER_ALL] = "hwloc_topology_set_all_types_filter",
    [SITE_HWLOC_FLAGS] = "hwloc_topology_set_flags",
    [SITE_HWLOC_LOAD] = "hwloc_topology_load",
    [SITE_HWLOC_BITMAP] = "hwloc_bitmap_alloc",
    [SITE_HWLOC_DEPTH] = "hwloc_get_type_depth",
    [SITE_HWLOC_COUNT] = "hwloc_get_nbobjs_by_depth",
    [SITE_HWLOC_KINDS] = "hwloc_cpukinds_get_nr",
    [SITE_HWLOC_KIND] = "hwloc_cpukinds_get_info",
    [SITE_HWLOC_SYSTEM] = "hwloc_topology_is_thissystem",
};

static struct {
    atomic_bool is_armed;
    enum site site;
    long at;
    bool is_forever;
    atomic_long calls[SITES], failed, blocks;
} sites;

const char *site_name(enum site site)
{
    return names[site];
}

void sites_arm(enum site site, long at, bool is_forever)
{
    int i;

    for (i = 0; i < SITES; i++)
        atomic_store(&sites.calls[i], 0);
    atomic_store(&sites.failed, 0);
    sites.site = site;
    sites.at = at;
    sites.is_forever = is_forever;
    atomic_store(&sites.is_armed, true);
}

void sites_disarm(void)
{
    atomic_store(&sites.is_armed, false);
}

long site_calls(enum site site)
{
    return atomic_load(&sites.calls[site]);
}

long sites_failed(void)
{
    return atomic_load(&sites.failed);
}

long sites_blocks(void)
{
    return atomic_load(&sites.blocks);
}

/* Whether this call is to fail; errno is then what it says. */
static bool fails(enum site site, int error)
{
    long call;

    if (!atomic_load(&sites.is_armed))
        return false;
    call = atomic_fetch_add(&sites.calls[site], 1);
    if (site != sites.site || sites.at < 0 ||
        (sites.is_forever ? call < sites.at : call != sites.at))
        return false;
    atomic_fetch_add(&sites.failed, 1);
    errno = error;
    return true;
}

/* --- memory ----------------------------------------------------------------------- */

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add(&sites.blocks, 1);
    return block;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    return fails(SITE_MALLOC, ENOMEM) ? NULL : counted(__real_malloc(bytes));
}

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails(SITE_CALLOC, ENOMEM) ? NULL : counted(__real_calloc(count, bytes));
}

void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(SITE_ALIGNED_ALLOC, ENOMEM)
               ? NULL
               : counted(__real_aligned_alloc(alignment, bytes));
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
    if (block)
        atomic_fetch_sub(&sites.blocks, 1);
    __real_free(block);
}

/* getline allocates: what it gives counts once it is freed. Optimised code calls what is
 * behind it. */
static ssize_t read_line(char **line, size_t *capacity, int end, FILE *file)
{
    bool is_new = *line == NULL;
    ssize_t length;

    if (fails(SITE_GETLINE, ENOMEM))
        return -1;
    length = getdelim(line, capacity, end, file);
    if (is_new && *line)
        atomic_fetch_add(&sites.blocks, 1);
    return length;
}

ssize_t __wrap_getline(char **line, size_t *capacity, FILE *file);
ssize_t __wrap_getline(char **line, size_t *capacity, FILE *file)
{
    return read_line(line, capacity, '\n', file);
}

ssize_t __wrap___getdelim(char **line, size_t *capacity, int end, FILE *file);
ssize_t __wrap___getdelim(char **line, size_t *capacity, int end, FILE *file)
{
    return read_line(line, capacity, end, file);
}

/* --- the rest, each as its manual page says ----------------------------------------- */

/* A function, its arguments with and without types, and what it returns when it fails.
 * error: for errno, or, of POSIX threads, what is returned. */
#define WRAP(type, function, typed, names, site, failure, error)         \
    type __real_##function typed;                                        \
    type __wrap_##function typed;                                        \
    type __wrap_##function typed                                         \
    {                                                                    \
        return fails(site, error) ? (failure) : __real_##function names; \
    }

WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
      void *arg),
     (thread, attributes, run, arg), SITE_THREAD_CREATE, EAGAIN, 0)
WRAP(int, pthread_attr_init, (pthread_attr_t * attributes), (attributes), SITE_ATTR_INIT,
     ENOMEM, 0)
WRAP(int, pthread_attr_setstacksize, (pthread_attr_t * attributes, size_t bytes),
     (attributes, bytes), SITE_ATTR_STACK, EINVAL, 0)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), SITE_FOPEN, NULL,
     EMFILE)
WRAP(char *, fgets, (char *text, int bytes, FILE *file), (text, bytes, file), SITE_FGETS,
     NULL, EIO)
WRAP(int, sched_getaffinity, (pid_t pid, size_t bytes, cpu_set_t *mask),
     (pid, bytes, mask), SITE_GET_AFFINITY, -1, EPERM)
WRAP(int, sched_setaffinity, (pid_t pid, size_t bytes, const cpu_set_t *mask),
     (pid, bytes, mask), SITE_SET_AFFINITY, -1, EPERM)
WRAP(int, sched_getcpu, (void), (), SITE_GET_CPU, -1, ENOSYS)
WRAP(long, sysconf, (int name), (name), SITE_SYSCONF, -1, EINVAL)
WRAP(int, getrlimit, (__rlimit_resource_t resource, struct rlimit *limit),
     (resource, limit), SITE_GETRLIMIT, -1, EPERM)
WRAP(int, getrusage, (__rusage_who_t who, struct rusage *usage), (who, usage),
     SITE_GETRUSAGE, -1, EPERM)
WRAP(int, getpriority, (__priority_which_t which, id_t who), (which, who), SITE_GET_NICE,
     -1, ESRCH)
WRAP(int, setpriority, (__priority_which_t which, id_t who, int nice), (which, who, nice),
     SITE_SET_NICE, -1, EACCES)

#ifdef HAS_HWLOC
WRAP(int, hwloc_topology_init, (hwloc_topology_t * topology), (topology), SITE_HWLOC_INIT,
     -1, ENOMEM)
WRAP(int, hwloc_topology_set_type_filter,
     (hwloc_topology_t topology, hwloc_obj_type_t type, enum hwloc_type_filter_e filter),
     (topology, type, filter), SITE_HWLOC_FILTER, -1, EINVAL)
WRAP(int, hwloc_topology_set_all_types_filter,
     (hwloc_topology_t topology, enum hwloc_type_filter_e filter), (topology, filter),
     SITE_HWLOC_FILTER_ALL, -1, EINVAL)
WRAP(int, hwloc_topology_set_flags, (hwloc_topology_t topology, unsigned long flags),
     (topology, flags), SITE_HWLOC_FLAGS, -1, EINVAL)
WRAP(int, hwloc_topology_load, (hwloc_topology_t topology), (topology), SITE_HWLOC_LOAD,
     -1, ENOMEM)
WRAP(hwloc_bitmap_t, hwloc_bitmap_alloc, (void), (), SITE_HWLOC_BITMAP, NULL, ENOMEM)
WRAP(int, hwloc_get_type_depth, (hwloc_topology_t topology, hwloc_obj_type_t type),
     (topology, type), SITE_HWLOC_DEPTH, HWLOC_TYPE_DEPTH_UNKNOWN, 0)
WRAP(unsigned, hwloc_get_nbobjs_by_depth, (hwloc_topology_t topology, int depth),
     (topology, depth), SITE_HWLOC_COUNT, 0, 0)
WRAP(int, hwloc_cpukinds_get_nr, (hwloc_topology_t topology, unsigned long flags),
     (topology, flags), SITE_HWLOC_KINDS, -1, EINVAL)
WRAP(int, hwloc_cpukinds_get_info,
     (hwloc_topology_t topology, unsigned kind, hwloc_bitmap_t cpus, int *efficiency,
      unsigned *count, struct hwloc_info_s **infos, unsigned long flags),
     (topology, kind, cpus, efficiency, count, infos, flags), SITE_HWLOC_KIND, -1, ENOENT)
WRAP(int, hwloc_topology_is_thissystem, (hwloc_topology_t topology), (topology),
     SITE_HWLOC_SYSTEM, 0, 0)
#endif

/* --- system calls ------------------------------------------------------------------- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    uintptr_t argument[6];
    va_list arguments;
    int command, i;
    long value;

    va_start(arguments, number);
    for (i = 0; i < 6; i++)
        argument[i] = va_arg(arguments, uintptr_t);
    va_end(arguments);
    if (number == SYS_futex) {
        command = (int)argument[1] & FUTEX_CMD_MASK;
        if (command == FUTEX_WAKE) { /* never in vain: only what it says may be wrong */
            value = __real_syscall(number, argument[0], argument[1], argument[2]);
            return fails(SITE_FUTEX_WAKE, EFAULT) ? -1 : value;
        }
        if (fails(SITE_FUTEX_WAIT, EINTR)) /* a signal: for no reason */
            return -1;
    } else if (number == SYS_sched_getscheduler
                   ? fails(SITE_GET_CLASS, ENOSYS)
                   : number == SYS_sched_setscheduler && fails(SITE_SET_CLASS, EPERM)) {
        return -1;
    } else if (number == SYS_membarrier) {
        command = (int)argument[0];
        if (command == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
                ? fails(SITE_MEMBARRIER_REGISTER, EPERM)
                : fails(SITE_MEMBARRIER, ENOMEM) && !sites.is_forever)
            return -1;
    }
    return __real_syscall(number, argument[0], argument[1], argument[2], argument[3],
                          argument[4], argument[5]);
}
