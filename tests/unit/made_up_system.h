/* made_up_system.h - what the two topology tests share: an affinity mask, an allocator and
 * rights that the test decides about. The program's own definitions come before those of the
 * library; such a test is linked with the files under test only.
 */
#ifndef TESTS_UNIT_MADE_UP_SYSTEM_H
#define TESTS_UNIT_MADE_UP_SYSTEM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include "topology.h"

static struct {
    const int *cpus; /* ends with -1; NULL: the real mask */
    int error;       /* of sched_getaffinity; 0: none */
} affinity;

int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask);
int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask)
{
    const int *cpu;

    if (affinity.error) {
        errno = affinity.error;
        return -1;
    }
    memset(mask, 0, bytes);
    if (!affinity.cpus)
        return syscall(SYS_sched_getaffinity, pid, bytes, mask) < 0 ? -1 : 0;
    for (cpu = affinity.cpus; *cpu >= 0; cpu++)
        CPU_SET_S((size_t)*cpu, bytes, mask);
    return 0;
}

static int allocations_until_failure = INT_MAX;
static int blocks_alive;

void *fl_zalloc(size_t bytes)
{
    if (allocations_until_failure-- <= 0)
        return NULL;
    blocks_alive++;
    return calloc(1, bytes + 1);
}

void fl_free(void *block)
{
    blocks_alive -= block != NULL;
    free(block);
}

static bool is_privileged;

bool fl_is_privileged(void)
{
    return is_privileged;
}

/* As the real one: before each test. */
static void make_up_nothing(void)
{
    memset(&affinity, 0, sizeof affinity);
    allocations_until_failure = INT_MAX;
    blocks_alive = 0;
    is_privileged = false;
}

/* After each test. */
static int check_nothing_leaked(void **state)
{
    (void)state;
    if (blocks_alive != 0)
        print_error("%d blocks are still allocated\n", blocks_alive);
    return blocks_alive;
}

static void assert_is_all_zero(const struct fl_topology *topology)
{
    assert_int_equal(topology->count, 0);
    assert_int_equal(topology->cores, 0);
    assert_false(topology->is_this_system);
    assert_false(topology->is_mask_refused);
    assert_null(topology->cpu);
}

#endif
