/* topology_flat.c - the topology where hwloc is not wanted: the affinity mask alone.
 *
 * Job: fl_topology_load/_unload. Every allowed CPU counts as a core of its own, all under
 * one cache and one node: wrong about hardware threads, but never about what may be used.
 * Linked instead of topology_hwloc.c. Reads no environment, binds nothing.
 */
#include "topology.h"

int fl_topology_load(struct fl_topology *topology)
{
    struct fl_cpuset mask;
    int err;

    *topology = (struct fl_topology){0};
    err = fl_cpuset_allowed(&mask);
    if (err)
        return err;
    err = fl_topology_from_mask(topology, &mask);
    fl_cpuset_free(&mask);
    return err;
}

void fl_topology_unload(struct fl_topology *topology)
{
    fl_free(topology->cpu);
    *topology = (struct fl_topology){0};
}
