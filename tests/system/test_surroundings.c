/* test_surroundings.c - a process without /proc and /sys, on a disk it may not write to,
 * with small stacks, little address space, a mask with holes, or too many workers.
 *
 * Each surrounding is a process of its own (a role), which returns how many things were
 * wrong, or NOT_PERMITTED.
 */
#include "process.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define NOT_PERMITTED 77

static int pools_wrongly(void)
{
    filch_pool *pool;
    int wrong;

    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)))
        return 90;
    wrong = sum_wrongly(pool) + sum_wrongly(NULL);
    wrong += filch_pool_workers(pool) != 3 || filch_pool_workers(NULL) < 1;
    filch_pool_destroy(pool);
    return wrong;
}

/* --- roles ------------------------------------------------------------------------ */

static int with_own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int without_proc_and_sys(void)
{
    if (!with_own_mounts() || mount("none", "/proc", "tmpfs", 0, NULL) ||
        mount("none", "/sys", "tmpfs", 0, NULL))
        return NOT_PERMITTED;
    if (access("/proc/self", F_OK) == 0 || access("/sys/devices", F_OK) == 0)
        return 99;
    return pools_wrongly();
}

static int on_read_only_disk(void)
{
    if (!with_own_mounts() || mount("none", "/tmp", "tmpfs", MS_RDONLY, NULL) ||
        mount("/", "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
        return NOT_PERMITTED;
    if (access("/", W_OK) == 0 || access("/tmp", W_OK) == 0)
        return 99;
    return pools_wrongly();
}

/* The pool's threads get the soft limit for their stack. */
static int with_small_stacks(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit))
        return 99;
    limit.rlim_cur = 64 * 1024;
    if (setrlimit(RLIMIT_STACK, &limit))
        return 99;
    return pools_wrongly();
}

static int with_little_address_space(void)
{
    struct rlimit limit = {0};
    filch_pool *pool;
    int err, wrong = 0;
    rlim_t megabytes;

    /* From enough for nothing to enough for all: an error, or a pool that works. */
    for (megabytes = 4; megabytes <= 512; megabytes += megabytes / 4) {
        limit.rlim_cur = megabytes << 20;
        limit.rlim_max = RLIM_INFINITY;
        if (setrlimit(RLIMIT_AS, &limit))
            return 99;
        pool = NULL;
        err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 16));
        if (err) {
            wrong += err != -ENOMEM && err != -EAGAIN;
            continue;
        }
        wrong += filch_pool_workers(pool) < 1 || filch_pool_workers(pool) > 16;
        wrong += sum_wrongly(pool) != 0;
        filch_pool_destroy(pool);
    }
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_AS, &limit))
        return 99;
    return wrong + pools_wrongly() + !are_threads_gone(filch_pool_workers(NULL));
}

/* Every other CPU of those allowed. */
static int with_holes(void)
{
    cpu_set_t mask, holes;
    size_t cpu;
    int nth = 0;

    if (sched_getaffinity(0, sizeof mask, &mask))
        return 99;
    CPU_ZERO(&holes);
    for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &mask) && nth++ % 2)
            CPU_SET(cpu, &holes);
    if (nth < 2)
        return NOT_PERMITTED;
    if (sched_setaffinity(0, sizeof holes, &holes))
        return 99;
    if (filch_pool_workers(NULL) > (unsigned)CPU_COUNT(&holes))
        return 98;
    return pools_wrongly();
}

static int with_too_many_workers(void)
{
    unsigned workers = 4 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    struct meeting meeting = {.company = workers};
    filch_pool *pool;
    int round, wrong = 0;

    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers)))
        return 90;
    for (round = 0; round < 50; round++)
        wrong += sum_wrongly(pool);
    wrong += filch_for(0, workers, meet, &meeting, .pool = pool, .grain = 1) != 0;
    wrong += atomic_load(&meeting.wrong) != 0;
    filch_pool_destroy(pool);
    return wrong;
}

static const struct {
    const char *name;
    int (*run)(void);
} roles[] = {
    {"without /proc and /sys", without_proc_and_sys},
    {"read-only disk", on_read_only_disk},
    {"small stacks", with_small_stacks},
    {"little address space", with_little_address_space},
    {"holes", with_holes},
    {"too many workers", with_too_many_workers},
};

/* --- tests ------------------------------------------------------------------------ */

static char text[8192];

static void assert_right_in(const char *role)
{
    int value = run_role(role, NULL, text, sizeof text);

    if (value == NOT_PERMITTED) {
        print_message("%s: not permitted here\n", role);
        skip();
    }
    if (value)
        print_error("%s: %d %s\n", role, value, text);
    assert_int_equal(value, 0);
}

static void without_proc_and_sys_pools_work(void **state)
{
    (void)state;
    if (IS_ASAN || IS_TSAN || IS_EMULATED)
        skip(); /* they read /proc themselves */
    assert_right_in("without /proc and /sys");
}

static void pools_write_to_no_disk(void **state)
{
    (void)state;
    assert_right_in("read-only disk");
}

static void pools_work_with_small_stacks(void **state)
{
    (void)state;
    if (IS_ASAN || IS_TSAN || IS_EMULATED)
        skip(); /* their frames are larger */
    assert_right_in("small stacks");
}

static void with_little_address_space_a_pool_works_or_is_refused(void **state)
{
    (void)state;
    if (IS_ASAN || IS_TSAN || IS_EMULATED)
        skip(); /* they want terabytes of it */
    assert_right_in("little address space");
}

static void a_mask_with_holes_gives_a_worker_for_each_cpu_in_it(void **state)
{
    (void)state;
    assert_right_in("holes");
}

static void four_workers_a_cpu_all_take_part(void **state)
{
    (void)state;
    assert_right_in("too many workers");
}

static atomic_uint wrong;

static void *call_on_small_stack(void *arg)
{
    (void)arg;
    atomic_fetch_add(&wrong, (unsigned)sum_wrongly(NULL));
    return NULL;
}

static void call_on_stack_of(size_t bytes)
{
    pthread_attr_t attributes;
    pthread_t thread;

    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, bytes), 0);
    assert_int_equal(pthread_create(&thread, &attributes, call_on_small_stack, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_int_equal(atomic_load(&wrong), 0);
}

/* As pool.h says: the first call looks at the machine. */
static void a_caller_may_have_a_small_stack(void **state)
{
    (void)state;
    if (IS_ASAN || IS_TSAN || IS_EMULATED)
        skip(); /* their frames are larger */
    call_on_stack_of((size_t)128 * 1024);
    call_on_stack_of((size_t)32 * 1024);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_proc_and_sys_pools_work),
        cmocka_unit_test(pools_write_to_no_disk),
        cmocka_unit_test(pools_work_with_small_stacks),
        cmocka_unit_test(with_little_address_space_a_pool_works_or_is_refused),
        cmocka_unit_test(a_mask_with_holes_gives_a_worker_for_each_cpu_in_it),
        cmocka_unit_test(four_workers_a_cpu_all_take_part),
        cmocka_unit_test(a_caller_may_have_a_small_stack),
    };
    size_t i;

    for (i = 0; argc > 1 && i < COUNT_OF(roles); i++)
        if (strcmp(argv[1], roles[i].name) == 0)
            return roles[i].run();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
