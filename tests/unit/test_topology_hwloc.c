/* test_topology_hwloc.c - the topology as hwloc tells it, on machines that do not exist.
 *
 * HWLOC_SYNTHETIC describes a machine; with HWLOC_THISSYSTEM=1 hwloc takes it for the one
 * we run on, so that the affinity mask applies, which is made up as well
 * (made_up_system.h). Allocations and hwloc itself fail on demand: the test is
 * linked with topology.c, topology_hwloc.c and platform_cpuset.c only, and defines two
 * functions of hwloc itself.
 *
 * Every machine has a [numa]: where none is given, hwloc 2.9 adds one by a memcpy that
 * valgrind objects to.
 */
#include "made_up_system.h"

#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
#include <hwloc.h>

/* --- a made-up hwloc -------------------------------------------------------------- */

static struct {
    unsigned inits;
    bool init_fails;
    bool load_fails;
    int error; /* what errno is then set to; 0: left alone */
} hwloc;

static int fail_with_error(void)
{
    if (hwloc.error)
        errno = hwloc.error;
    return -1;
}

static void *function_of_hwloc(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    assert_non_null(function);
    return function;
}

int hwloc_topology_init(hwloc_topology_t *topology)
{
    int (*init)(hwloc_topology_t *);
    void *function = function_of_hwloc("hwloc_topology_init");

    hwloc.inits++;
    if (hwloc.init_fails)
        return fail_with_error();
    memcpy(&init, &function, sizeof init);
    return init(topology);
}

int hwloc_topology_load(hwloc_topology_t topology)
{
    int (*load)(hwloc_topology_t);
    void *function = function_of_hwloc("hwloc_topology_load");

    if (hwloc.load_fails)
        return fail_with_error();
    memcpy(&load, &function, sizeof load);
    return load(topology);
}

static void clear_environment(void)
{
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_THISSYSTEM");
}

static int set_up(void **state)
{
    (void)state;
    clear_environment();
    make_up_nothing();
    memset(&hwloc, 0, sizeof hwloc);
    return 0;
}

static int clear_and_check(void **state)
{
    clear_environment();
    return check_nothing_leaked(state);
}

static struct fl_topology load_synthetic(const char *machine)
{
    struct fl_topology topology;

    setenv("HWLOC_SYNTHETIC", machine, 1);
    assert_int_equal(fl_topology_load(&topology), 0);
    return topology;
}

/* As if we ran on it, with these CPUs allowed. */
static struct fl_topology load_as_this_system(const char *machine, const int *cpus)
{
    setenv("HWLOC_THISSYSTEM", "1", 1);
    affinity.cpus = cpus;
    return load_synthetic(machine);
}

/* The OS indexes in order of use; ends with -1. */
static void assert_order(const struct fl_topology *topology, const int *expected)
{
    unsigned i;

    for (i = 0; i < topology->count && expected[i] >= 0; i++)
        if ((int)topology->cpu[i].os_index != expected[i])
            fail_msg("place %u has CPU %u, not %d", i, topology->cpu[i].os_index,
                     expected[i]);
    assert_int_equal(i, topology->count);
    assert_int_equal(expected[i], -1);
}

/* --- order ------------------------------------------------------------------------ */

static void cores_come_first_and_second_threads_last(void **state)
{
    struct fl_topology topology =
        load_synthetic("package:2 numa:2 l3:1 core:8 pu:2"); /* 32 cores */
    unsigned i;

    (void)state;
    assert_int_equal(topology.count, 64);
    assert_int_equal(topology.cores, 32);
    assert_false(topology.is_this_system);
    for (i = 0; i < 64; i++) {
        const struct fl_cpu *cpu = &topology.cpu[i];
        unsigned core = i % 32;

        assert_int_equal(cpu->is_second_thread, i >= 32);
        assert_int_equal(cpu->os_index, 2 * core + (i >= 32));
        assert_int_equal(cpu->core, core);
        assert_int_equal(cpu->l3, core / 8);
        assert_int_equal(cpu->node, core / 8);
    }
    fl_topology_unload(&topology);
    assert_is_all_zero(&topology);
}

/* Operating systems often number all first threads, then all second ones. */
static void the_order_follows_the_machine_not_the_numbers(void **state)
{
    const int expected[] = {0, 2, 1, 3, 4, 6, 5, 7, -1};
    struct fl_topology topology =
        load_synthetic("[numa] package:2 core:2 pu:2(indexes=0,4,2,6,1,5,3,7)");

    (void)state;
    assert_order(&topology, expected);
    assert_int_equal(topology.cores, 4);
    fl_topology_unload(&topology);
}

static void of_many_threads_a_core_all_second_ones_come_before_the_third(void **state)
{
    const int expected[] = {0, 4, 1, 5, 2, 6, 3, 7, -1};
    struct fl_topology topology = load_synthetic("[numa] core:2 pu:4");
    unsigned i;

    (void)state;
    assert_order(&topology, expected);
    assert_int_equal(topology.cores, 2);
    for (i = 0; i < topology.count; i++)
        assert_int_equal(topology.cpu[i].is_second_thread, i >= 2);
    fl_topology_unload(&topology);
}

/* Writes a machine with two kinds of cores; efficiency -1: the kinds cannot be
 * compared. */
static void write_machine_with_kinds(const char *file, int of_first, int of_second)
{
    hwloc_topology_t machine = NULL;
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();

    assert_int_equal(hwloc_topology_init(&machine), 0);
    hwloc_topology_set_synthetic(machine, "[numa] core:4 pu:2");
    assert_int_equal(hwloc_topology_load(machine), 0);
    hwloc_bitmap_set_range(cpus, 0, 3);
    assert_int_equal(hwloc_cpukinds_register(machine, cpus, of_first, 0, NULL, 0), 0);
    hwloc_bitmap_zero(cpus);
    hwloc_bitmap_set_range(cpus, 4, 7);
    assert_int_equal(hwloc_cpukinds_register(machine, cpus, of_second, 0, NULL, 0), 0);
    assert_int_equal(hwloc_topology_export_xml(machine, file, 0), 0);
    hwloc_bitmap_free(cpus);
    hwloc_topology_destroy(machine);
}

static struct fl_topology load_machine_with_kinds(int of_first, int of_second)
{
    char file[] = "/tmp/filch-test-topology-XXXXXX";
    struct fl_topology topology;
    int descriptor = mkstemp(file);
    int err;

    assert_int_not_equal(descriptor, -1);
    close(descriptor);
    write_machine_with_kinds(file, of_first, of_second);
    setenv("HWLOC_XMLFILE", file, 1);
    err = fl_topology_load(&topology);
    unlink(file);
    assert_int_equal(err, 0);
    return topology;
}

static void faster_cores_come_before_slower_ones(void **state)
{
    const int expected[] = {4, 6, 0, 2, 5, 7, 1, 3, -1};
    struct fl_topology topology = load_machine_with_kinds(1, 5);

    (void)state;
    assert_order(&topology, expected);
    fl_topology_unload(&topology);
}

static void faster_cores_that_are_first_already_stay_there(void **state)
{
    const int expected[] = {0, 2, 4, 6, 1, 3, 5, 7, -1};
    struct fl_topology topology = load_machine_with_kinds(5, 1);

    (void)state;
    assert_order(&topology, expected);
    fl_topology_unload(&topology);
}

static void kinds_of_unknown_speed_change_nothing(void **state)
{
    const int expected[] = {0, 2, 4, 6, 1, 3, 5, 7, -1};
    struct fl_topology topology = load_machine_with_kinds(-1, -1);

    (void)state;
    assert_order(&topology, expected);
    fl_topology_unload(&topology);
}

/* --- distance --------------------------------------------------------------------- */

static void distances_follow_core_cache_and_node(void **state)
{
    /* First threads: 0 2 in one L3, 4 6 in the next; 8 and up on the other node. */
    struct fl_topology topology = load_synthetic("package:2 [numa] l3:2 core:2 pu:2");
    const struct fl_cpu *cpu = topology.cpu;

    (void)state;
    assert_int_equal(fl_cpu_distance(&cpu[0], &cpu[0]), FL_SAME_CORE);
    assert_int_equal(fl_cpu_distance(&cpu[0], &cpu[8]), FL_SAME_CORE);
    assert_int_equal(fl_cpu_distance(&cpu[0], &cpu[1]), FL_SAME_L3);
    assert_int_equal(fl_cpu_distance(&cpu[0], &cpu[9]), FL_SAME_L3);
    assert_int_equal(fl_cpu_distance(&cpu[1], &cpu[2]), FL_SAME_NODE);
    assert_int_equal(fl_cpu_distance(&cpu[3], &cpu[4]), FL_ELSEWHERE);
    assert_int_equal(fl_cpu_distance(&cpu[8], &cpu[15]), FL_ELSEWHERE);
    fl_topology_unload(&topology);
}

/* Ids in order of use: places 0 and 1 are the pair in question. */
static void assert_distances(const char *machine, unsigned far, enum fl_distance near_is,
                             enum fl_distance far_is)
{
    struct fl_topology topology = load_synthetic(machine);

    assert_int_equal(fl_cpu_distance(&topology.cpu[0], &topology.cpu[1]), near_is);
    assert_int_equal(fl_cpu_distance(&topology.cpu[0], &topology.cpu[far]), far_is);
    fl_topology_unload(&topology);
}

static void without_l3_the_package_stands_for_it(void **state)
{
    (void)state;
    assert_distances("[numa] package:2 core:2 pu:1", 2, FL_SAME_L3, FL_SAME_NODE);
}

static void without_l3_a_node_smaller_than_the_package_stands_for_it(void **state)
{
    (void)state;
    assert_distances("package:1 numa:2 core:2 pu:1", 2, FL_SAME_L3, FL_ELSEWHERE);
}

static void without_l3_and_package_the_node_stands_for_it(void **state)
{
    (void)state;
    assert_distances("numa:2 core:2 pu:1", 2, FL_SAME_L3, FL_ELSEWHERE);
}

static void without_any_of_them_the_machine_stands_for_it(void **state)
{
    (void)state;
    assert_distances("[numa] core:4 pu:1", 3, FL_SAME_L3, FL_SAME_L3);
}

static void cores_that_are_nodes_are_elsewhere_to_each_other(void **state)
{
    (void)state;
    assert_distances("package:2 core:2 [numa] pu:2", 3, FL_ELSEWHERE, FL_ELSEWHERE);
}

static void without_cores_every_thread_counts_as_one(void **state)
{
    struct fl_topology topology = load_synthetic("[numa] pu:3");

    (void)state;
    assert_int_equal(topology.count, 3);
    assert_int_equal(topology.cores, 3);
    assert_int_equal(fl_cpu_distance(&topology.cpu[0], &topology.cpu[1]), FL_SAME_L3);
    fl_topology_unload(&topology);
}

/* --- the affinity mask ------------------------------------------------------------ */

static void a_mask_of_one_cpu_makes_a_list_of_one(void **state)
{
    const int cpus[] = {5, -1};
    struct fl_topology topology = load_as_this_system("[numa] core:4 pu:2", cpus);

    (void)state;
    assert_true(topology.is_this_system);
    assert_order(&topology, cpus);
    assert_int_equal(topology.cores, 1);
    assert_false(topology.cpu[0].is_second_thread); /* its sibling may not be used */
    fl_topology_unload(&topology);
}

static void a_mask_with_holes_is_kept_to(void **state)
{
    /* Cores 0 and 3 whole, of core 1 the second thread, of core 2 nothing. */
    const int cpus[] = {0, 1, 3, 6, 7, -1};
    const int expected[] = {0, 3, 6, 1, 7, -1};
    struct fl_topology topology = load_as_this_system("[numa] core:4 pu:2", cpus);
    unsigned i;

    (void)state;
    assert_order(&topology, expected);
    assert_int_equal(topology.cores, 3);
    for (i = 0; i < topology.count; i++) {
        assert_int_equal(topology.cpu[i].is_second_thread, i >= 3);
        assert_int_equal(topology.cpu[i].core, i % 3 + (i == 4));
    }
    fl_topology_unload(&topology);
}

static void ids_have_no_gap_where_the_mask_has(void **state)
{
    const int cpus[] = {9, 14, -1};
    struct fl_topology topology =
        load_as_this_system("package:4 [numa] l3:2 core:2 pu:1", cpus);
    unsigned i;

    (void)state;
    assert_order(&topology, cpus);
    for (i = 0; i < 2; i++) {
        assert_int_equal(topology.cpu[i].core, i);
        assert_int_equal(topology.cpu[i].l3, i);
        assert_int_equal(topology.cpu[i].node, i);
    }
    fl_topology_unload(&topology);
}

static void the_mask_does_not_apply_to_another_system(void **state)
{
    const int cpus[] = {1, -1};
    struct fl_topology topology;

    (void)state;
    affinity.cpus = cpus;
    topology = load_synthetic("[numa] core:4 pu:2");
    assert_int_equal(topology.count, 8);
    assert_false(topology.is_this_system);
    fl_topology_unload(&topology);
}

static void a_mask_hwloc_knows_nothing_of_is_used_alone(void **state)
{
    const int cpus[] = {100, 102, -1};
    struct fl_topology topology = load_as_this_system("[numa] core:4 pu:2", cpus);

    (void)state;
    assert_order(&topology, cpus);
    assert_int_equal(topology.cores, 2);
    assert_true(topology.is_this_system);
    fl_topology_unload(&topology);
}

static void a_load_leaves_the_callers_mask_alone(void **state)
{
    struct fl_topology topology;
    cpu_set_t before;
    cpu_set_t after;
    unsigned i;

    (void)state;
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        skip(); /* more CPUs than this set holds */
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_true(topology.is_this_system);
    assert_in_range(topology.count, 1, (unsigned)CPU_COUNT(&before));
    for (i = 0; i < topology.count; i++)
        assert_true(CPU_ISSET(topology.cpu[i].os_index, &before));
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_memory_equal(&after, &before, sizeof before);
    fl_topology_unload(&topology);
}

/* --- size ------------------------------------------------------------------------- */

/* The bound is far above what it takes (tens of milliseconds, most of them hwloc's own),
 * also under valgrind, and far below what a search over all CPUs for each CPU's parts
 * would. */
static void a_machine_of_1024_cores_loads_fast(void **state)
{
    struct timespec start;
    struct timespec end;
    struct fl_topology topology;
    unsigned i;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &start);
    topology = load_synthetic("[numa] core:1024 pu:1");
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(topology.count, 1024);
    assert_int_equal(topology.cores, 1024);
    for (i = 0; i < topology.count; i++)
        assert_int_equal(topology.cpu[i].os_index, i);
    assert_in_range(end.tv_sec - start.tv_sec, 0, 20);
    fl_topology_unload(&topology);
}

/* --- failures --------------------------------------------------------------------- */

static void failures_of_hwloc_are_reported_with_its_errno(void **state)
{
    struct fl_topology topology;

    (void)state;
    hwloc.error = EIO;
    hwloc.load_fails = true;
    assert_int_equal(fl_topology_load(&topology), -EIO);
    assert_is_all_zero(&topology);
    hwloc.init_fails = true;
    assert_int_equal(fl_topology_load(&topology), -EIO);
    assert_is_all_zero(&topology);
}

static void failures_of_hwloc_without_errno_count_as_lack_of_memory(void **state)
{
    struct fl_topology topology;

    (void)state;
    errno = EDOM; /* of somebody else */
    hwloc.load_fails = true;
    assert_int_equal(fl_topology_load(&topology), -ENOMEM);
    hwloc.init_fails = true;
    errno = EDOM;
    assert_int_equal(fl_topology_load(&topology), -ENOMEM);
}

/* hwloc then describes this system instead. */
static void a_machine_that_hwloc_cannot_parse_does_no_harm(void **state)
{
    struct fl_topology topology;

    (void)state;
    topology = load_synthetic("garbage");
    assert_in_range(topology.count, 1, UINT_MAX);
    fl_topology_unload(&topology);
    clear_environment();
    setenv("HWLOC_XMLFILE", "/nonexistent/machine.xml", 1);
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_in_range(topology.count, 1, UINT_MAX);
    fl_topology_unload(&topology);
}

/* A call of hwloc would read variables and load plug-ins. */
static void a_privileged_process_has_the_mask_and_does_not_call_hwloc(void **state)
{
    const int cpus[] = {2, 700, -1};
    struct fl_topology topology;

    (void)state;
    is_privileged = true;
    topology = load_as_this_system("[numa] core:4 pu:2", cpus);
    assert_order(&topology, cpus);
    assert_true(topology.is_this_system);
    assert_int_equal(topology.cores, 2);
    assert_int_equal(hwloc.inits, 0);
    fl_topology_unload(&topology);
}

static void an_empty_mask_is_an_error(void **state)
{
    const int cpus[] = {-1};
    struct fl_topology topology;

    (void)state;
    setenv("HWLOC_SYNTHETIC", "[numa] core:4 pu:2", 1);
    setenv("HWLOC_THISSYSTEM", "1", 1);
    affinity.cpus = cpus;
    assert_int_equal(fl_topology_load(&topology), -EINVAL);
    assert_is_all_zero(&topology);
}

static void without_a_mask_the_whole_machine_is_taken_and_is_not_for_binding(void **state)
{
    const int expected[] = {0, 2, 4, 6, 1, 3, 5, 7, -1};
    struct fl_topology topology;

    (void)state;
    affinity.error = EPERM;
    topology = load_as_this_system("[numa] core:4 pu:2", NULL);
    assert_order(&topology, expected);
    assert_int_equal(topology.cores, 4);
    assert_true(topology.is_mask_refused);
    assert_false(topology.is_this_system);
    fl_topology_unload(&topology);
    assert_is_all_zero(&topology);
}

static void fail_each_of(int all)
{
    struct fl_topology topology;
    int allocations;

    for (allocations = 0; allocations < all; allocations++) {
        allocations_until_failure = allocations;
        assert_int_equal(fl_topology_load(&topology), -ENOMEM);
        assert_is_all_zero(&topology);
        assert_int_equal(blocks_alive, 0);
    }
    allocations_until_failure = allocations;
    assert_int_equal(fl_topology_load(&topology), 0);
    fl_topology_unload(&topology);
}

static void each_failing_allocation_is_reported_and_leaks_nothing(void **state)
{
    const int known[] = {0, 1, -1};
    const int unknown[] = {100, -1};

    (void)state;
    setenv("HWLOC_SYNTHETIC", "[numa] core:4 pu:2", 1);
    fail_each_of(2); /* candidates and the list */
    setenv("HWLOC_THISSYSTEM", "1", 1);
    affinity.cpus = known;
    fail_each_of(3); /* the mask too */
    affinity.cpus = unknown;
    fail_each_of(3); /* and the list in another place */
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, clear_and_check)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cores_come_first_and_second_threads_last),
        TEST(the_order_follows_the_machine_not_the_numbers),
        TEST(of_many_threads_a_core_all_second_ones_come_before_the_third),
        TEST(faster_cores_come_before_slower_ones),
        TEST(faster_cores_that_are_first_already_stay_there),
        TEST(kinds_of_unknown_speed_change_nothing),
        TEST(distances_follow_core_cache_and_node),
        TEST(without_l3_the_package_stands_for_it),
        TEST(without_l3_a_node_smaller_than_the_package_stands_for_it),
        TEST(without_l3_and_package_the_node_stands_for_it),
        TEST(without_any_of_them_the_machine_stands_for_it),
        TEST(cores_that_are_nodes_are_elsewhere_to_each_other),
        TEST(without_cores_every_thread_counts_as_one),
        TEST(a_mask_of_one_cpu_makes_a_list_of_one),
        TEST(a_mask_with_holes_is_kept_to),
        TEST(ids_have_no_gap_where_the_mask_has),
        TEST(the_mask_does_not_apply_to_another_system),
        TEST(a_mask_hwloc_knows_nothing_of_is_used_alone),
        TEST(a_load_leaves_the_callers_mask_alone),
        TEST(a_machine_of_1024_cores_loads_fast),
        TEST(failures_of_hwloc_are_reported_with_its_errno),
        TEST(failures_of_hwloc_without_errno_count_as_lack_of_memory),
        TEST(a_machine_that_hwloc_cannot_parse_does_no_harm),
        TEST(a_privileged_process_has_the_mask_and_does_not_call_hwloc),
        TEST(an_empty_mask_is_an_error),
        TEST(without_a_mask_the_whole_machine_is_taken_and_is_not_for_binding),
        TEST(each_failing_allocation_is_reported_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
