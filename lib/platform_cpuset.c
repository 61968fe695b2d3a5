/* platform_cpuset.c - sets of CPUs, and the affinity of the calling thread.
 *
 * Job: the CPU part of platform.h over sched_getaffinity and sched_setaffinity. Sets are
 * allocated, since a fixed cpu_set_t ends at CPU 1023. Never binds another thread.
 */
#define _GNU_SOURCE
#include "platform.h"
#include "base.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

enum {
    FIRST_GUESS_CPUS = 1024,
    /* Linux is built for 8192 at most today; this only ends the search on a broken
       kernel. */
    MOST_CPUS = 1 << 20,
};

static int cpuset_alloc(struct fl_cpuset *set, size_t cpus)
{
    set->bytes = 0;
    set->bits = fl_zalloc(CPU_ALLOC_SIZE(cpus));
    if (!set->bits)
        return -ENOMEM;
    set->bytes = CPU_ALLOC_SIZE(cpus);
    return 0;
}

int fl_cpuset_init(struct fl_cpuset *set, unsigned highest_cpu)
{
    return cpuset_alloc(set, (size_t)highest_cpu + 1);
}

int fl_cpuset_allowed(struct fl_cpuset *set)
{
    size_t cpus;
    int err;

    for (cpus = FIRST_GUESS_CPUS; cpus <= MOST_CPUS; cpus *= 2) {
        err = cpuset_alloc(set, cpus);
        if (err)
            return err;
        if (sched_getaffinity(0, set->bytes, set->bits) == 0)
            return 0;
        err = -errno;
        fl_cpuset_free(set);
        if (err != -EINVAL) /* EINVAL: the kernel's masks are longer */
            return err;
    }
    return -EINVAL;
}

int fl_cpuset_read(struct fl_cpuset *set, enum fl_whose whose)
{
    pid_t pid = whose == FL_OWN ? 0 : whose == FL_MAIN_THREADS ? getpid() : getppid();

    return sched_getaffinity(pid, set->bytes, set->bits) == 0 ? 0 : -errno;
}

void fl_cpuset_free(struct fl_cpuset *set)
{
    fl_free(set->bits);
    set->bits = NULL;
    set->bytes = 0;
}

void fl_cpuset_add(struct fl_cpuset *set, unsigned cpu)
{
    cpu_set_t *bits = set->bits;

    FL_ASSERT(cpu < fl_cpuset_limit(set)); /* CPU_SET_S would drop it in silence */
    CPU_SET_S(cpu, set->bytes, bits);
}

bool fl_cpuset_has(const struct fl_cpuset *set, unsigned cpu)
{
    const cpu_set_t *bits = set->bits;

    return CPU_ISSET_S(cpu, set->bytes, bits) != 0;
}

unsigned fl_cpuset_count(const struct fl_cpuset *set)
{
    return (unsigned)CPU_COUNT_S(set->bytes, (cpu_set_t *)set->bits);
}

unsigned fl_cpuset_limit(const struct fl_cpuset *set)
{
    return (unsigned)(set->bytes * 8);
}

int fl_bind_self(const struct fl_cpuset *set)
{
    return sched_setaffinity(0, set->bytes, set->bits) == 0 ? 0 : -errno;
}

unsigned fl_cpus_online(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > MOST_CPUS ? MOST_CPUS : (unsigned)count;
}

int fl_current_cpu(void)
{
    return sched_getcpu();
}
