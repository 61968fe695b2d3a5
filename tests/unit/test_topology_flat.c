/* test_topology_flat.c - the topology made of the affinity mask alone.
 *
 * Runs against made-up affinity masks and an allocator that fails on demand
 * (made_up_system.h): it is linked with topology.c, topology_flat.c and platform_cpuset.c
 * only.
 */
#include "made_up_system.h"

static int set_up(void **state)
{
    (void)state;
    make_up_nothing();
    return 0;
}

/* --- loading ---------------------------------------------------------------------- */

static void the_allowed_cpus_are_listed_in_order(void **state)
{
    const int cpus[] = {0, 1, 2, 7, 700, -1};
    struct fl_topology topology;
    unsigned i;

    (void)state;
    affinity.cpus = cpus;
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_int_equal(topology.count, 5);
    assert_int_equal(topology.cores, 5);
    assert_true(topology.is_this_system);
    assert_false(topology.is_mask_refused);
    for (i = 0; i < topology.count; i++) {
        assert_int_equal(topology.cpu[i].os_index, cpus[i]);
        assert_int_equal(topology.cpu[i].core, i);
        assert_int_equal(topology.cpu[i].l3, topology.cpu[0].l3);
        assert_int_equal(topology.cpu[i].node, topology.cpu[0].node);
        assert_false(topology.cpu[i].is_second_thread);
    }
    fl_topology_unload(&topology);
    assert_is_all_zero(&topology);
}

static void one_allowed_cpu_makes_a_list_of_one(void **state)
{
    const int cpus[] = {3, -1};
    struct fl_topology topology;

    (void)state;
    affinity.cpus = cpus;
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_int_equal(topology.count, 1);
    assert_int_equal(topology.cpu[0].os_index, 3);
    fl_topology_unload(&topology);
}

static void the_real_mask_is_what_it_was_after_a_load(void **state)
{
    struct fl_topology topology;
    cpu_set_t before;
    cpu_set_t after;

    (void)state;
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        skip(); /* more CPUs than this set holds */
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_int_equal(topology.count, CPU_COUNT(&before));
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_memory_equal(&after, &before, sizeof before);
    fl_topology_unload(&topology);
}

static void different_cpus_share_cache_but_no_core(void **state)
{
    const int cpus[] = {0, 1, -1};
    struct fl_topology topology;

    (void)state;
    affinity.cpus = cpus;
    assert_int_equal(fl_topology_load(&topology), 0);
    assert_int_equal(fl_cpu_distance(&topology.cpu[0], &topology.cpu[0]), FL_SAME_CORE);
    assert_int_equal(fl_cpu_distance(&topology.cpu[0], &topology.cpu[1]), FL_SAME_L3);
    fl_topology_unload(&topology);
}

static void the_nearest_common_part_is_the_distance(void **state)
{
    const struct fl_cpu here = {.core = 1, .l3 = 1, .node = 1};
    const struct fl_cpu same_l3 = {.core = 2, .l3 = 1, .node = 1};
    const struct fl_cpu same_node = {.core = 2, .l3 = 2, .node = 1};
    const struct fl_cpu elsewhere = {.core = 2, .l3 = 2, .node = 2};

    (void)state;
    assert_int_equal(fl_cpu_distance(&here, &here), FL_SAME_CORE);
    assert_int_equal(fl_cpu_distance(&here, &same_l3), FL_SAME_L3);
    assert_int_equal(fl_cpu_distance(&here, &same_node), FL_SAME_NODE);
    assert_int_equal(fl_cpu_distance(&here, &elsewhere), FL_ELSEWHERE);
    assert_int_equal(fl_cpu_distance(&elsewhere, &here), FL_ELSEWHERE);
}

/* --- failures --------------------------------------------------------------------- */

static void an_empty_mask_is_an_error(void **state)
{
    const int cpus[] = {-1};
    struct fl_topology topology;

    (void)state;
    affinity.cpus = cpus;
    assert_int_equal(fl_topology_load(&topology), -EINVAL);
    assert_is_all_zero(&topology);
}

static void without_a_mask_the_cpus_online_are_taken_and_none_is_for_binding(void **state)
{
    const int errors[] = {EPERM, ENOSYS, EFAULT};
    struct fl_topology topology;
    struct fl_cpuset mask;
    size_t i;
    unsigned cpu;

    (void)state;
    for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        affinity.error = errors[i];
        assert_int_equal(fl_cpuset_allowed(&mask), -errors[i]);
        assert_int_equal(fl_topology_load(&topology), 0);
        assert_int_equal(topology.count, sysconf(_SC_NPROCESSORS_ONLN));
        assert_int_equal(topology.cores, topology.count);
        assert_true(topology.is_mask_refused);
        assert_false(topology.is_this_system);
        for (cpu = 0; cpu < topology.count; cpu++) {
            assert_int_equal(topology.cpu[cpu].core, cpu);
            assert_false(topology.cpu[cpu].is_second_thread);
        }
        fl_topology_unload(&topology);
        assert_is_all_zero(&topology);
        allocations_until_failure = 1; /* the mask's own memory comes first */
        assert_int_equal(fl_topology_load(&topology), -ENOMEM);
        assert_is_all_zero(&topology);
        allocations_until_failure = INT_MAX;
    }
}

static void each_failing_allocation_is_reported_and_leaks_nothing(void **state)
{
    struct fl_topology topology;
    int allocations;

    (void)state;
    for (allocations = 0; allocations < 2; allocations++) {
        allocations_until_failure = allocations;
        assert_int_equal(fl_topology_load(&topology), -ENOMEM);
        assert_is_all_zero(&topology);
        assert_int_equal(blocks_alive, 0);
    }
    allocations_until_failure = allocations;
    assert_int_equal(fl_topology_load(&topology), 0);
    fl_topology_unload(&topology);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, check_nothing_leaked)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_allowed_cpus_are_listed_in_order),
        TEST(one_allowed_cpu_makes_a_list_of_one),
        TEST(the_real_mask_is_what_it_was_after_a_load),
        TEST(different_cpus_share_cache_but_no_core),
        TEST(the_nearest_common_part_is_the_distance),
        TEST(an_empty_mask_is_an_error),
        TEST(without_a_mask_the_cpus_online_are_taken_and_none_is_for_binding),
        TEST(each_failing_allocation_is_reported_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
