/* topology.c - what both makers of a topology share.
 *
 * Job: the distance of two CPUs, and the plain topology of a mask of which nothing is
 * known. Relies on platform.h only.
 */
#include "topology.h"
#include "base.h"

#include <errno.h>

enum fl_distance fl_cpu_distance(const struct fl_cpu *a, const struct fl_cpu *b)
{
    if (a->core == b->core)
        return FL_SAME_CORE;
    if (a->l3 == b->l3)
        return FL_SAME_L3;
    if (a->node == b->node)
        return FL_SAME_NODE;
    return FL_ELSEWHERE;
}

/* The first ones: which, nobody needs to know, since nobody is bound to them. */
static int from_cpus_online(struct fl_topology *topology)
{
    unsigned count = fl_cpus_online();
    unsigned cpu;

    topology->cpu = fl_zalloc(count * sizeof *topology->cpu);
    if (!topology->cpu)
        return -ENOMEM;
    for (cpu = 0; cpu < count; cpu++)
        topology->cpu[cpu] = (struct fl_cpu){.os_index = cpu, .core = cpu};
    topology->count = count;
    topology->cores = count;
    topology->is_mask_refused = true;
    return 0;
}

int fl_topology_from_mask(struct fl_topology *topology, const struct fl_cpuset *mask)
{
    unsigned limit = fl_cpuset_limit(mask);
    unsigned count = fl_cpuset_count(mask);
    unsigned next = 0;
    unsigned cpu;

    *topology = (struct fl_topology){0};
    if (count == 0)
        return -EINVAL;
    topology->cpu = fl_zalloc(count * sizeof *topology->cpu);
    if (!topology->cpu)
        return -ENOMEM;
    for (cpu = 0; cpu < limit; cpu++) {
        if (!fl_cpuset_has(mask, cpu))
            continue;
        topology->cpu[next].os_index = cpu;
        topology->cpu[next].core = next;
        next++;
    }
    FL_ASSERT(next == count);
    topology->count = count;
    topology->cores = count;
    topology->is_this_system = true;
    return 0;
}

int fl_topology_from_own_mask(struct fl_topology *topology)
{
    struct fl_cpuset mask;
    int err;

    *topology = (struct fl_topology){0};
    err = fl_cpuset_allowed(&mask);
    if (err)
        return err == -ENOMEM ? err : from_cpus_online(topology);
    err = fl_topology_from_mask(topology, &mask);
    fl_cpuset_free(&mask);
    return err;
}
