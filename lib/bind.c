/* bind.c - where the threads of a pool run; see bind.h. */
#include "bind.h"

#include <stdio.h>

/* How long a thread stays where it moved to: callers may turn up on every CPU in turn. */
#define MOVE_AFTER_NS 1000000u

/* --- where to --------------------------------------------------------------------- */

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

/* --- masks ------------------------------------------------------------------------ */

/* Never 0. Two masks with one hash would be one in 2^64. */
static uint64_t hash_of(const struct fl_mask *mask)
{
    uint64_t hash = 0;
    size_t i;

    for (i = 0; i < sizeof mask->bits / sizeof mask->bits[0]; i++) {
        hash = (hash ^ mask->bits[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash | 1;
}

/* As a hash; 0: the system does not tell. */
static uint64_t read_mask(struct fl_mask *mask, enum fl_whose whose)
{
    struct fl_cpuset set = fl_cpuset_in(mask);

    return fl_cpuset_read(&set, whose) == 0 ? hash_of(mask) : 0;
}

static bool has(const struct fl_mask *mask, unsigned cpu)
{
    const struct fl_cpuset set = fl_cpuset_in((struct fl_mask *)(uintptr_t)mask);

    return fl_cpuset_has(&set, cpu);
}

static void add(struct fl_mask *mask, unsigned cpu)
{
    struct fl_cpuset set = fl_cpuset_in(mask);

    fl_cpuset_add(&set, cpu);
}

enum verdict { OURS, UNCERTAIN, CHANGED };

/* Is the calling thread's mask, which is the worker's, still the one that it was given?
 * Uncertain when another thread, which is never bound here, has the same one: then somebody
 * may have given it to the whole process. Tools go through the threads of a process in the
 * order of their numbers, the main thread first. */
static enum verdict look_at_mask(const struct fl_worker *worker, enum fl_whose other)
{
    struct fl_mask mask;
    uint64_t found = read_mask(&mask, FL_OWN);

    if (found == 0)
        return UNCERTAIN;
    if (found != worker->given_mask)
        return CHANGED;
    found = read_mask(&mask, other);
    return found == 0 || found == worker->given_mask ? UNCERTAIN : OURS;
}

static void tell_change(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;

    fl_count(&worker->counters.masks_changed);
    if (pool->is_displayed && fl_add_relaxed(&pool->changes_told, 1) == 0) /* once */
        fprintf(stderr, "filch: affinity changed since the pool was made: threads stay "
                        "where they were put\n");
}

/* The calling thread keeps the CPUs that somebody else gave it. */
static void give_up(struct fl_worker *worker)
{
    worker->given_mask = 0;
    worker->bound_cpu = -1;
    tell_change(worker);
}

static bool bind_to(struct fl_worker *worker, struct fl_mask *mask)
{
    struct fl_cpuset set = fl_cpuset_in(mask);

    if (fl_bind_self(&set) != 0)
        return false;
    worker->given_mask = hash_of(mask);
    return true;
}

/* --- starting --------------------------------------------------------------------- */

/* The threads may use what the calling thread, which starts them, may use. When it is
 * bound here itself, as the thread of another pool, that is what its own starter might. */
static void note_allowed(struct filch_pool *pool)
{
    const struct fl_worker *worker = fl_current;

    pool->inherited_mask = read_mask(&pool->allowed, FL_OWN);
    if (pool->inherited_mask == 0)
        pool->allowed = (struct fl_mask){{0}};
    while (worker && !worker->has_thread)
        worker = worker->outer;
    if (worker && worker->given_mask && look_at_mask(worker, FL_MAIN_THREADS) == OURS)
        pool->allowed = worker->pool->allowed;
    if (pool->made_for_mask == 0)
        pool->made_for_mask = hash_of(&pool->allowed);
}

/* The pool's first CPUs but for one that is left to callers, preferably the one where the
 * pool is being made. */
void fl_bind_place(struct filch_pool *pool)
{
    struct fl_topology *topology = &pool->topology;
    uint32_t used = FL_MIN(pool->wanted, topology->count), left_out = 0, i, slot;
    int here = fl_current_cpu();

    FL_ASSERT(topology->count > 0);
    note_allowed(pool);
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

/* The CPUs of the thread by the pool's binding, as far as they are allowed now. */
static void choose_mask(const struct fl_worker *worker, struct fl_mask *mask)
{
    const struct filch_pool *pool = worker->pool;
    uint32_t i;
    bool is_any = false;

    *mask = (struct fl_mask){{0}};
    for (i = 0; i < pool->topology.count && pool->bind != FILCH_BIND_NONE; i++) {
        unsigned cpu = pool->topology.cpu[i].os_index;

        if (has(&pool->allowed, cpu) &&
            (pool->bind == FILCH_BIND_CORE ? i == (uint32_t)worker->cpu
                                           : fl_cpuset_has(&pool->bind_set, cpu))) {
            add(mask, cpu);
            is_any = true;
        }
    }
    if (!is_any)
        *mask = pool->allowed;
}

void fl_bind_thread(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;
    struct fl_mask mask;
    uint64_t found = read_mask(&mask, FL_OWN);

    worker->given_mask = 0;
    worker->looked_ns = fl_now_ns();
    if (found == 0 || pool->inherited_mask == 0)
        return;
    if (found != pool->inherited_mask) {
        give_up(worker);
        return;
    }
    choose_mask(worker, &mask);
    if (pool->bind == FILCH_BIND_NONE && hash_of(&mask) == found)
        worker->given_mask = found;
    else
        bind_to(worker, &mask);
    if (worker->given_mask && pool->bind == FILCH_BIND_CORE &&
        has(&pool->allowed, pool->topology.cpu[worker->cpu].os_index))
        worker->bound_cpu = (int)pool->topology.cpu[worker->cpu].os_index;
    if (hash_of(&pool->allowed) != pool->made_for_mask)
        tell_change(worker);
}

void fl_bind_undo(const struct fl_worker *worker)
{
    struct fl_mask mask = worker->pool->allowed;
    struct fl_cpuset set = fl_cpuset_in(&mask);

    if (worker->given_mask && look_at_mask(worker, FL_PARENTS) == OURS)
        fl_bind_self(&set);
}

/* --- running ---------------------------------------------------------------------- */

static void make_way(struct fl_worker *worker)
{
    struct filch_pool *pool = worker->pool;
    int left = worker->bound_cpu, free;
    struct fl_mask mask = {{0}};

    /* If the first one is not allowed, nobody ever takes it; if it is, so are all that are
     * left in its place. */
    if (!has(&pool->allowed, (unsigned)fl_load_relaxed(&pool->spare_cpu)))
        return;
    /* A swap, so that no two threads get one CPU: each leaves behind what it had. Thieves
     * go on by the distances from there. */
    free = fl_swap_relaxed(&pool->spare_cpu, left);
    add(&mask, (unsigned)free);
    if (bind_to(worker, &mask)) {
        worker->bound_cpu = free;
        return;
    }
    /* The system refuses a CPU that the thread might once use. */
    fl_swap_relaxed(&pool->spare_cpu, free);
    give_up(worker);
}

void fl_bind_look(struct fl_worker *worker, uint64_t now)
{
    bool is_moving =
        bind_is_in_the_way(worker) && now - worker->moved_ns >= MOVE_AFTER_NS;

    if (!is_moving && now - worker->looked_ns < FL_LOOK_AFTER_NS)
        return;
    worker->looked_ns = now;
    if (is_moving)
        worker->moved_ns =
            now; /* or not, if that is uncertain: not at once again either */
    switch (look_at_mask(worker, FL_MAIN_THREADS)) {
    case OURS:
        if (is_moving)
            make_way(worker);
        return;
    case UNCERTAIN:
        return;
    case CHANGED:
        give_up(worker);
    }
}
