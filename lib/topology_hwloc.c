/* topology_hwloc.c - the topology as hwloc tells it.
 *
 * Job: fl_topology_load/_unload: ask hwloc once, copy what matters into plain arrays, let
 * go of hwloc. Relies on hwloc 2.4 or later (kinds of CPUs). Linked instead of
 * topology_flat.c. Never binds the caller, not even for a moment, and keeps no hwloc
 * object.
 *
 * hwloc numbers hardware threads (PUs) along its tree, so that walking them in that order
 * visits cores, caches and nodes one after the other. All searches here start at a PU and
 * go up: the cost is the number of PUs times the depth of the tree, plus a sort.
 */
#include "topology.h"
#include "base.h"

#include <errno.h>
#include <stdlib.h>
#include <hwloc.h>

/* A PU that may be used, with what it is sorted by. */
struct candidate {
    struct fl_cpu cpu;
    unsigned thread; /* 0 for the first usable thread of its core */
    int speed;       /* rank of its kind, higher is faster; all equal where unknown */
};

struct candidates {
    struct candidate *item;
    unsigned count;
};

/* How many dense ids of each level are given out. */
struct ids {
    unsigned cores;
    unsigned l3s;
    unsigned nodes;
    hwloc_obj_t last_core;
};

/* hwloc leaves errno alone in some of its failures. */
static int error_of_hwloc(void)
{
    return errno > 0 ? -errno : -ENOMEM;
}

/* --- loading ---------------------------------------------------------------------- */

static unsigned long load_flags(void)
{
    unsigned long flags = 0;

#if HWLOC_API_VERSION >= 0x00020500
    /* Else hwloc may visit every CPU to ask it with cpuid. */
    flags |= HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;
#endif
#if HWLOC_API_VERSION >= 0x00020800
    flags |= HWLOC_TOPOLOGY_FLAG_NO_DISTANCES | HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS;
#endif
    return flags;
}

/* Only what an answer is drawn from: I/O discovery alone costs more than all the rest.
 * Groups stay because a node that spans part of a package hangs on one; without it hwloc
 * would hang the node on the whole package. */
static int choose_what_to_load(hwloc_topology_t hwloc)
{
    if (hwloc_topology_set_all_types_filter(hwloc, HWLOC_TYPE_FILTER_KEEP_NONE) ||
        hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_PACKAGE,
                                       HWLOC_TYPE_FILTER_KEEP_ALL) ||
        hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_L3CACHE,
                                       HWLOC_TYPE_FILTER_KEEP_ALL) ||
        hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_CORE,
                                       HWLOC_TYPE_FILTER_KEEP_ALL) ||
        hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_GROUP,
                                       HWLOC_TYPE_FILTER_KEEP_STRUCTURE) ||
        hwloc_topology_set_flags(hwloc, load_flags()))
        return error_of_hwloc();
    return 0;
}

static int load_hwloc(hwloc_topology_t *out)
{
    hwloc_topology_t hwloc;
    int err;

    *out = NULL;
    errno = 0;
    if (hwloc_topology_init(&hwloc))
        return error_of_hwloc();
    err = choose_what_to_load(hwloc);
    if (err)
        goto destroy;
    errno = 0;
    if (hwloc_topology_load(hwloc)) {
        err = error_of_hwloc();
        goto destroy;
    }
    *out = hwloc;
    return 0;

destroy:
    hwloc_topology_destroy(hwloc);
    return err;
}

/* --- where a PU is ---------------------------------------------------------------- */

/* Dense ids in the order of first visits, kept in the object itself; 0 is "none yet". */
static unsigned id_of(hwloc_obj_t object, unsigned *next_id)
{
    if (!object->userdata) {
        *next_id += 1;
        object->userdata = (void *)(uintptr_t)*next_id;
    }
    return (unsigned)(uintptr_t)object->userdata - 1;
}

/* Threads of a core are neighbours in the walk. Not id_of: a core that has an L3 group of
 * its own (below) would need two ids. */
static unsigned core_id(hwloc_topology_t hwloc, hwloc_obj_t pu, struct ids *ids)
{
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_CORE, pu);

    if (!core)
        core = pu;
    if (core != ids->last_core) {
        ids->last_core = core;
        ids->cores++;
    }
    return ids->cores - 1;
}

/* The smallest part of the machine around a PU that has memory of its own; the machine
 * where hwloc knows of no memory. */
static hwloc_obj_t memory_around(hwloc_obj_t pu)
{
    hwloc_obj_t object = pu;

    while (object->memory_arity == 0 && object->parent)
        object = object->parent;
    return object;
}

/* What shares an L3; where there is no such cache, the smaller of package and node. */
static hwloc_obj_t l3_around(hwloc_topology_t hwloc, hwloc_obj_t pu)
{
    hwloc_obj_t l3 = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_L3CACHE, pu);
    hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, pu);
    hwloc_obj_t around;

    if (l3)
        return l3;
    around = memory_around(pu);
    return package && package->depth > around->depth ? package : around;
}

/* The first of several memories in one place (DRAM and HBM) stands for the place. */
static unsigned node_id(hwloc_obj_t pu, struct ids *ids)
{
    hwloc_obj_t place = memory_around(pu);

    return place->memory_arity ? id_of(place->memory_first_child, &ids->nodes) : 0;
}

static struct fl_cpu describe(hwloc_topology_t hwloc, hwloc_obj_t pu, struct ids *ids)
{
    return (struct fl_cpu){
        .os_index = pu->os_index,
        .core = core_id(hwloc, pu, ids),
        .l3 = id_of(l3_around(hwloc, pu), &ids->l3s),
        .node = node_id(pu, ids),
    };
}

/* --- which PUs, and in which order ------------------------------------------------ */

/* mask NULL: the topology is of another system, no mask applies. */
static int find_candidates(hwloc_topology_t hwloc, const struct fl_cpuset *mask,
                           struct candidates *found)
{
    hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(hwloc);
    int depth = hwloc_get_type_depth(hwloc, HWLOC_OBJ_PU);
    unsigned pus = hwloc_get_nbobjs_by_depth(hwloc, depth);
    struct ids ids = {0};
    unsigned i;

    found->count = 0;
    found->item = fl_zalloc(pus * sizeof *found->item);
    if (!found->item)
        return -ENOMEM;
    for (i = 0; i < pus; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_depth(hwloc, depth, i);
        struct candidate *candidate = &found->item[found->count];

        if (!hwloc_bitmap_isset(allowed, pu->os_index))
            continue;
        if (mask && !fl_cpuset_has(mask, pu->os_index))
            continue;
        candidate->cpu = describe(hwloc, pu, &ids);
        if (found->count > 0 && candidate[-1].cpu.core == candidate->cpu.core)
            candidate->thread = candidate[-1].thread + 1;
        candidate->cpu.is_second_thread = candidate->thread > 0;
        found->count++;
    }
    return 0;
}

/* hwloc's "efficiency" counts the other way round than the word suggests: higher is
 * faster. It is -1 for all kinds if it is unknown for one. */
static int rank_by_kind(hwloc_topology_t hwloc, struct candidates *found)
{
    hwloc_bitmap_t members = hwloc_bitmap_alloc();
    int kinds = hwloc_cpukinds_get_nr(hwloc, 0);
    int kind;
    unsigned i;

    if (!members)
        return -ENOMEM;
    for (kind = 0; kind < kinds; kind++) {
        int speed = -1;

        if (hwloc_cpukinds_get_info(hwloc, (unsigned)kind, members, &speed, NULL, NULL,
                                    0) ||
            speed < 0)
            break;
        for (i = 0; i < found->count; i++)
            if (hwloc_bitmap_isset(members, found->item[i].cpu.os_index))
                found->item[i].speed = speed;
    }
    hwloc_bitmap_free(members);
    return 0;
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;

    if (a->thread != b->thread)
        return compare(a->thread, b->thread);
    if (a->speed != b->speed)
        return a->speed > b->speed ? -1 : 1;
    if (a->cpu.node != b->cpu.node)
        return compare(a->cpu.node, b->cpu.node);
    if (a->cpu.l3 != b->cpu.l3)
        return compare(a->cpu.l3, b->cpu.l3);
    return compare(a->cpu.core, b->cpu.core); /* never equal: the thread would differ */
}

static int copy_in_order(struct fl_topology *topology, struct candidates *found)
{
    unsigned i;

    topology->cpu = fl_zalloc(found->count * sizeof *topology->cpu);
    if (!topology->cpu)
        return -ENOMEM;
    qsort(found->item, found->count, sizeof *found->item, compare_candidates);
    topology->count = found->count;
    for (i = 0; i < found->count; i++) {
        topology->cpu[i] = found->item[i].cpu;
        topology->cores += !found->item[i].cpu.is_second_thread;
    }
    return 0;
}

/* mask NULL as above. Leaves count 0 when no PU is left. */
static int fill(struct fl_topology *topology, hwloc_topology_t hwloc,
                const struct fl_cpuset *mask)
{
    struct candidates found;
    int err;

    err = find_candidates(hwloc, mask, &found);
    if (err)
        return err;
    if (found.count == 0)
        goto free_candidates;
    err = rank_by_kind(hwloc, &found);
    if (err)
        goto free_candidates;
    err = copy_in_order(topology, &found);
    topology->is_this_system = mask != NULL;

free_candidates:
    fl_free(found.item);
    return err;
}

static int fill_this_system(struct fl_topology *topology, hwloc_topology_t hwloc)
{
    struct fl_cpuset mask;
    int err;

    err = fl_cpuset_allowed(&mask);
    if (err == -ENOMEM)
        return err;
    if (err) { /* refused: what hwloc knows of, which keeps to the control group */
        topology->is_mask_refused = true;
        return fill(topology, hwloc, NULL);
    }
    err = fill(topology, hwloc, &mask);
    /* hwloc knows none of our CPUs (a stale HWLOC_XMLFILE, say): the mask is what
     * counts. */
    if (!err && topology->count == 0)
        err = fl_topology_from_mask(topology, &mask);
    fl_cpuset_free(&mask);
    return err;
}

int fl_topology_load(struct fl_topology *topology)
{
    hwloc_topology_t hwloc;
    int err;

    /* hwloc loads code from HWLOC_PLUGINS_PATH and reads the files that other variables
     * name, and no flag stops it. */
    if (fl_is_privileged())
        return fl_topology_from_own_mask(topology);
    *topology = (struct fl_topology){0};
    err = load_hwloc(&hwloc);
    if (err)
        return err;
    if (hwloc_topology_is_thissystem(hwloc))
        err = fill_this_system(topology, hwloc);
    else
        err = fill(topology, hwloc, NULL);
    hwloc_topology_destroy(hwloc);
    if (!err && topology->count == 0)
        err = -ENODEV;
    if (err)
        fl_topology_unload(topology);
    return err;
}

void fl_topology_unload(struct fl_topology *topology)
{
    fl_free(topology->cpu);
    *topology = (struct fl_topology){0};
}
