/* test_placement.c - on which CPUs a pool's workers are placed, and in which order they
 * look for victims, on machines that hwloc makes up.
 *
 * Linked with --wrap for pthread_create, which fails on demand: workers are placed before
 * threads are started, and so a pool of a thousand needs none.
 */
#include "pools.h"
#include "worker.h"

#include <hwloc.h>
#include <unistd.h>

static bool are_threads_refused;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg)
{
    return are_threads_refused ? EAGAIN
                               : __real_pthread_create(thread, attributes, body, arg);
}

static filch_pool *pool_on(const char *variable, const char *machine, unsigned workers)
{
    filch_pool *pool;

    unsetenv("FILCH_NUM_THREADS");
    setenv(variable, machine, 1);
    are_threads_refused = true;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers)), 0);
    are_threads_refused = false;
    unsetenv(variable);
    return pool;
}

static unsigned os_index_of(const filch_pool *pool, unsigned slot)
{
    return pool->topology.cpu[pool->slot[slot].cpu].os_index;
}

/* One CPU of the first `workers` in the order of use is left to callers; the threads have
 * the others, in that order. */
static void assert_places(const filch_pool *pool, unsigned workers)
{
    unsigned slot, place = 0, left_out = 0;

    assert_int_equal(pool->thread_slots, workers - 1);
    for (slot = 0; slot < pool->thread_slots; slot++, place++) {
        if (pool->topology.cpu[place].os_index == (unsigned)pool->spare_cpu) {
            left_out++;
            place++;
        }
        assert_int_equal(pool->slot[slot].cpu, place);
    }
    assert_in_range(left_out + (pool->topology.cpu[workers - 1].os_index ==
                                (unsigned)pool->spare_cpu),
                    1, 1);
    for (; slot < pool->slots; slot++)
        assert_int_equal(pool->slot[slot].cpu, -1); /* guests */
}

/* Of a machine with threads_a_core and cores_a_node, numbered along its tree, whose nodes
 * are its L3 too. */
static int distance(const filch_pool *pool, unsigned a, unsigned b, unsigned threads,
                    unsigned cores)
{
    unsigned cpu_a, cpu_b;

    if (pool->slot[a].cpu < 0 || pool->slot[b].cpu < 0)
        return FL_SAME_NODE;
    cpu_a = os_index_of(pool, a);
    cpu_b = os_index_of(pool, b);
    return cpu_a / threads == cpu_b / threads                       ? FL_SAME_CORE
           : cpu_a / (threads * cores) == cpu_b / (threads * cores) ? FL_SAME_L3
                                                                    : FL_ELSEWHERE;
}

/* All others, once each, nearest first, and the rings end where distances change. */
static void assert_victims(const filch_pool *pool, unsigned threads, unsigned cores)
{
    unsigned slot, i;

    for (slot = 0; slot < pool->slots; slot++) {
        const struct fl_worker *worker = &pool->slot[slot];
        unsigned count[FL_ELSEWHERE + 1] = {0}, end = 0, ring;
        int before = FL_SAME_CORE;
        uint8_t *is_seen = calloc(pool->slots, 1);

        assert_non_null(is_seen);
        for (i = 0; i < pool->slots - 1; i++) {
            int far = distance(pool, slot, worker->victims[i], threads, cores);

            if (worker->victims[i] == slot || is_seen[worker->victims[i]]++)
                fail_msg("worker %u has victim %u twice", slot, worker->victims[i]);
            if (far < before)
                fail_msg("worker %u has victim %u too late", slot, worker->victims[i]);
            before = far;
            count[far]++;
        }
        free(is_seen);
        for (ring = 0; ring <= FL_ELSEWHERE; ring++) {
            end += count[ring];
            assert_int_equal(worker->victim_ring_end[ring], end);
        }
    }
}

/* 64 threads: first those of all 32 cores, node by node, then the second ones. */
static void two_sockets_of_two_nodes_of_eight_cores(void **state)
{
    filch_pool *pool =
        pool_on("HWLOC_SYNTHETIC", "package:2 numa:2 l3:1 core:8 pu:2", 64);
    unsigned slot, siblings = 0;

    (void)state;
    assert_int_equal(pool->topology.count, 64);
    assert_places(pool, 64);
    assert_victims(pool, 2, 8);
    /* All but the one whose sibling is the callers' have it for their first victim. */
    for (slot = 0; slot < 63; slot++)
        if (os_index_of(pool, slot) / 2 ==
            (pool->slot[pool->slot[slot].victims[0]].cpu < 0
                 ? UINT32_MAX
                 : os_index_of(pool, pool->slot[slot].victims[0]) / 2))
            siblings++;
    assert_int_equal(siblings, 62);
    filch_pool_destroy(pool);
}

/* No second thread of a core, and one node, as long as it has cores left. */
static void eight_workers_there_have_a_node_to_themselves(void **state)
{
    filch_pool *pool = pool_on("HWLOC_SYNTHETIC", "package:2 numa:2 l3:1 core:8 pu:2", 8);
    unsigned slot;

    (void)state;
    assert_places(pool, 8);
    assert_victims(pool, 2, 8);
    for (slot = 0; slot < 7; slot++) {
        assert_in_range(os_index_of(pool, slot), 0, 15);
        assert_int_equal(os_index_of(pool, slot) % 2, 0);
        assert_int_equal(pool->slot[slot].victim_ring_end[FL_SAME_CORE], 0);
        assert_int_equal(pool->slot[slot].victim_ring_end[FL_SAME_L3], 6);
    }
    filch_pool_destroy(pool);
}

/* Four slow cores, then four fast ones. */
static void write_hybrid_machine(const char *file)
{
    hwloc_topology_t machine = NULL;
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();

    assert_int_equal(hwloc_topology_init(&machine), 0);
    hwloc_topology_set_synthetic(machine, "[numa] core:8 pu:1");
    assert_int_equal(hwloc_topology_load(machine), 0);
    hwloc_bitmap_set_range(cpus, 0, 3);
    assert_int_equal(hwloc_cpukinds_register(machine, cpus, 1, 0, NULL, 0), 0);
    hwloc_bitmap_zero(cpus);
    hwloc_bitmap_set_range(cpus, 4, 7);
    assert_int_equal(hwloc_cpukinds_register(machine, cpus, 5, 0, NULL, 0), 0);
    assert_int_equal(hwloc_topology_export_xml(machine, file, 0), 0);
    hwloc_bitmap_free(cpus);
    hwloc_topology_destroy(machine);
}

static void workers_of_a_hybrid_machine_have_the_fast_cores_first(void **state)
{
    char file[] = "/tmp/filch-test-placement-XXXXXX";
    int descriptor = mkstemp(file);
    filch_pool *pool;
    unsigned workers, slot;

    (void)state;
    assert_int_not_equal(descriptor, -1);
    close(descriptor);
    write_hybrid_machine(file);
    for (workers = 2; workers <= 8; workers++) {
        pool = pool_on("HWLOC_XMLFILE", file, workers);
        assert_places(pool, workers);
        assert_victims(pool, 1, 8);
        for (slot = 0; slot < workers - 1; slot++) {
            bool is_fast = os_index_of(pool, slot) >= 4;

            /* The caller has one of them. */
            assert_true(is_fast || slot >= 3);
            assert_true(!is_fast || slot < 4);
        }
        filch_pool_destroy(pool);
    }
    unlink(file);
}

static void a_thousand_and_twenty_four_cores(void **state)
{
    filch_pool *pool =
        pool_on("HWLOC_SYNTHETIC", "package:8 [numa] l3:1 core:128 pu:1", 1024);

    (void)state;
    assert_int_equal(pool->topology.count, 1024);
    assert_places(pool, 1024);
    assert_victims(pool, 1, 128);
    filch_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sockets_of_two_nodes_of_eight_cores),
        cmocka_unit_test(eight_workers_there_have_a_node_to_themselves),
        cmocka_unit_test(workers_of_a_hybrid_machine_have_the_fast_cores_first),
        cmocka_unit_test(a_thousand_and_twenty_four_cores),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
