/* bind.c - where the threads of a pool run; see bind.h. */
#include "bind.h"

/* As many as Linux can be built for. */
#define MOST_CPUS 8192

/* How long a thread stays where it moved to: callers may turn up on every CPU in turn. */
#define MOVE_AFTER_NS 1000000u

/* What is settled for automatic. */
static enum filch_bind effective_bind(const struct filch_pool *pool)
{
    if (!pool->topology.is_this_system)
        return FILCH_BIND_NONE;
    if (pool->bind == FILCH_BIND_AUTO)
        return pool->wanted >= pool->topology.cores &&
                       pool->wanted <= pool->topology.count
                   ? FILCH_BIND_CORE
                   : FILCH_BIND_NODE;
    /* Never two bound workers on one CPU. */
    if (pool->bind == FILCH_BIND_CORE && pool->wanted > pool->topology.count)
        return FILCH_BIND_NODE;
    return pool->bind;
}

/* The CPUs of the nodes that the pool's workers are placed on. */
static int node_set(struct filch_pool *pool)
{
    struct fl_topology *topology = &pool->topology;
    uint32_t used = FL_MIN(pool->wanted, topology->count), i, k;
    unsigned highest = 0;
    int err;

    for (i = 0; i < topology->count; i++)
        highest = FL_MAX(highest, topology->cpu[i].os_index);
    err = fl_cpuset_init(&pool->bind_set, highest);
    if (err)
        return err;
    for (i = 0; i < topology->count; i++)
        for (k = 0; k < used; k++)
            if (topology->cpu[k].node == topology->cpu[i].node) {
                fl_cpuset_add(&pool->bind_set, topology->cpu[i].os_index);
                break;
            }
    return 0;
}

int fl_bind_prepare(struct filch_pool *pool)
{
    pool->bind = effective_bind(pool);
    return node_set(pool);
}

/* The pool's first CPUs but for one that is left to callers, preferably the one where the
 * pool is being made. */
void fl_bind_place(struct filch_pool *pool)
{
    struct fl_topology *topology = &pool->topology;
    uint32_t used = FL_MIN(pool->wanted, topology->count), left_out = 0, i, slot;
    int here = fl_current_cpu();

    FL_ASSERT(topology->count > 0);
    for (i = 0; i < used; i++)
        if ((int)topology->cpu[i].os_index == here)
            left_out = i;
    pool->spare_cpu = (int)topology->cpu[left_out].os_index;
    pool->caller_cpu = -1;
    for (i = 0, slot = 0; slot < pool->thread_slots; i++) {
        /* Past the CPUs, which binding does not allow, they only order victims. */
        if (i % topology->count != left_out || pool->wanted > topology->count)
            pool->slot[slot++].cpu = (int)(i % topology->count);
    }
}

static void bind_to(struct fl_worker *worker, int cpu)
{
    uint64_t bits[MOST_CPUS / 64] = {0}; /* not allocated: threads move while calls run */
    struct fl_cpuset one = {sizeof bits, bits};

    if (cpu >= MOST_CPUS)
        return;
    fl_cpuset_add(&one, (unsigned)cpu);
    if (fl_bind_self(&one) == 0)
        worker->bound_cpu = cpu;
}

void fl_bind_thread(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    if (pool->bind == FILCH_BIND_CORE)
        bind_to(worker, (int)pool->topology.cpu[worker->cpu].os_index);
    else if (pool->bind == FILCH_BIND_NODE)
        fl_bind_self(&pool->bind_set);
}

void fl_bind_undo(const struct filch_pool *pool)
{
    uint64_t bits[MOST_CPUS / 64] = {0};
    struct fl_cpuset all = {sizeof bits, bits};
    uint32_t i;

    if (pool->bind == FILCH_BIND_NONE)
        return;
    for (i = 0; i < pool->topology.count; i++)
        if (pool->topology.cpu[i].os_index < MOST_CPUS)
            fl_cpuset_add(&all, pool->topology.cpu[i].os_index);
    fl_bind_self(&all);
}

void fl_bind_make_way(struct fl_worker *worker)
{
    uint64_t now = fl_now_ns();

    if (now - worker->moved_ns < MOVE_AFTER_NS)
        return;
    worker->moved_ns = now;
    /* A swap, so that no two threads get one CPU: each leaves behind what it had. Thieves
     * go on by the distances from there. */
    bind_to(worker, fl_swap_relaxed(&worker->pool->spare_cpu, worker->bound_cpu));
}
