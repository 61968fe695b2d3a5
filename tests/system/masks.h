/* masks.h - affinity masks of a whole process, read and changed from outside as taskset -a
 * does, and loops in which all workers of a pool gather.
 */
#ifndef TESTS_SYSTEM_MASKS_H
#define TESTS_SYSTEM_MASKS_H

#include "process.h"

/* --- masks -------------------------------------------------------------------------- */

static inline cpu_set_t mask_of(pid_t thread)
{
    cpu_set_t mask;

    CPU_ZERO(&mask);
    sched_getaffinity(thread, sizeof mask, &mask);
    return mask;
}

/* The nth CPU of a mask, alone. */
static inline cpu_set_t nth_of(const cpu_set_t *mask, int nth)
{
    cpu_set_t one;
    size_t cpu;

    CPU_ZERO(&one);
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, mask) && nth-- == 0)
            CPU_SET(cpu, &one);
    return one;
}

static inline bool is_inside(const cpu_set_t *part, const cpu_set_t *whole)
{
    cpu_set_t both;

    CPU_AND(&both, part, whole);
    return CPU_COUNT(part) > 0 && CPU_EQUAL(&both, part);
}

static inline bool is_filch_thread(pid_t thread)
{
    char path[64], name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%ld/comm", (long)thread);
    file = fopen(path, "r");
    if (!file)
        return false;
    if (!fgets(name, sizeof name, file))
        name[0] = '\0';
    fclose(file);
    return strncmp(name, "filch-", 6) == 0;
}

/* Calls f with each thread of the process, or each of filch's, the main thread first;
 * returns for how many it was false. */
static inline int count_threads_not(bool (*f)(pid_t thread, const cpu_set_t *mask),
                                    const cpu_set_t *mask, bool is_of_filch_only)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int count = 0;

    while (folder && (entry = readdir(folder))) {
        pid_t thread = (pid_t)atol(entry->d_name);

        if (thread > 0 && (!is_of_filch_only || is_filch_thread(thread)))
            count += !f(thread, mask);
    }
    if (folder)
        closedir(folder);
    return folder ? count : -1;
}

static inline bool set_mask(pid_t thread, const cpu_set_t *mask)
{
    return sched_setaffinity(thread, sizeof *mask, mask) == 0;
}

static inline bool has_mask(pid_t thread, const cpu_set_t *mask)
{
    cpu_set_t found = mask_of(thread);

    return CPU_EQUAL(&found, mask);
}

static inline bool has_mask_inside(pid_t thread, const cpu_set_t *mask)
{
    cpu_set_t found = mask_of(thread);

    return is_inside(&found, mask);
}

/* What taskset -a does. */
static inline bool set_all_masks(const cpu_set_t *mask)
{
    return count_threads_not(set_mask, mask, false) == 0;
}

/* How many of filch's threads have another mask, or one that is not inside. */
static inline int threads_without(const cpu_set_t *mask)
{
    return count_threads_not(has_mask, mask, true);
}

static inline int threads_outside(const cpu_set_t *mask)
{
    return count_threads_not(has_mask_inside, mask, true);
}

/* --- loops in which all gather -------------------------------------------------------- */

struct gathering {
    unsigned company;
    atomic_uint arrived, wrong;
    /* NULL, or what each thread but the caller's does then. */
    void (*then)(struct gathering *gathering);
    pthread_t caller;
    void *arg;
};

static inline int gather(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct gathering *gathering = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&gathering->arrived, 1);
    if (!wait_for(&gathering->arrived, gathering->company))
        atomic_fetch_add(&gathering->wrong, 1);
    if (gathering->then && !pthread_equal(pthread_self(), gathering->caller))
        gathering->then(gathering);
    return 0;
}

/* Each worker runs one item. Returns how much was wrong. */
static inline unsigned
gather_wrongly(filch_pool *pool, void (*then)(struct gathering *gathering), void *arg)
{
    struct gathering gathering = {.company = filch_pool_workers(pool),
                                  .then = then,
                                  .caller = pthread_self(),
                                  .arg = arg};

    if (filch_for(0, gathering.company, gather, &gathering, .pool = pool, .grain = 1))
        atomic_fetch_add(&gathering.wrong, 1);
    return atomic_load(&gathering.wrong);
}

/* None of its threads is seen any more. */
static inline void destroy_wholly(filch_pool *pool)
{
    filch_pool_destroy(pool);
    assert_true(are_threads_gone(1));
}

static inline uint64_t masks_changed(filch_pool *pool)
{
    filch_stats stats = {.struct_size = sizeof stats};

    return filch_stats_get(pool, &stats) ? UINT64_MAX : stats.masks_changed;
}

#endif
