/* topology_flat.c - the topology where hwloc is not wanted: the affinity mask alone.
 *
 * Job: fl_topology_load/_unload. Every allowed CPU counts as a core of its own, all under
 * one cache and one node: wrong about hardware threads, but never about what may be used.
 * Linked instead of topology_hwloc.c. Reads no environment, binds nothing.
 */
#include "topology.h"

int fl_topology_load(struct fl_topology *topology)
{
    return fl_topology_from_own_mask(topology);
}

void fl_topology_unload(struct fl_topology *topology)
{
    fl_free(topology->cpu);
    *topology = (struct fl_topology){0};
}
