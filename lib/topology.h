/* topology.h - the CPUs a pool may use, in the order in which to use them, and how far
 * apart they are.
 *
 * Job: turn what the machine and the affinity mask say into plain arrays. Two makers:
 * hwloc (topology_hwloc.c) or the affinity mask alone (topology_flat.c); one is linked.
 * No type of hwloc leaves its file. Never binds anything.
 */
#ifndef FL_TOPOLOGY_H
#define FL_TOPOLOGY_H

#include "platform.h"

/* One CPU (hardware thread). The numbers of core, cache and node are dense ids,
 * comparable within one topology only. */
struct fl_cpu {
    unsigned os_index;
    unsigned core;
    unsigned l3;
    unsigned node;
    bool is_second_thread; /* an earlier CPU of the list is on the same core */
};

struct fl_topology {
    unsigned count;       /* >= 1 after a successful load */
    unsigned cores;       /* distinct cores among them */
    bool is_this_system;  /* false for a synthetic or loaded topology: bind nothing */
    bool is_mask_refused; /* the CPUs are those of the machine; is_this_system is false */
    /* Order of use: the first hardware thread of every core, core by core within an L3,
     * L3 by L3 within a node; then the second threads in the same order. Cores of a
     * faster kind come before slower ones where the machine tells kinds apart. */
    struct fl_cpu *cpu;
};

/* Distance of two CPUs, to order victims by. */
enum fl_distance { FL_SAME_CORE, FL_SAME_L3, FL_SAME_NODE, FL_ELSEWHERE };

/* Post: on success *topology owns memory, for fl_topology_unload; on failure it is all
 * zero. Uses the calling thread's affinity mask. Environment as hwloc's: HWLOC_SYNTHETIC,
 * HWLOC_XMLFILE (with hwloc; there the mask is not applied unless it is this system). A
 * privileged process has the mask alone: hwloc obeys its environment. Where the system
 * refuses the mask, all CPUs are taken and none may be bound to. */
int fl_topology_load(struct fl_topology *topology);
void fl_topology_unload(struct fl_topology *topology);

/* Shared by the two makers. */
enum fl_distance fl_cpu_distance(const struct fl_cpu *a, const struct fl_cpu *b);

/* Every CPU of the mask its own core, one L3, one node. -EINVAL for an empty mask. */
int fl_topology_from_mask(struct fl_topology *topology, const struct fl_cpuset *mask);
/* The same for the mask of the calling thread; for all CPUs online where it is refused. */
int fl_topology_from_own_mask(struct fl_topology *topology);

#endif
