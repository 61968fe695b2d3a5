/* test_affinity.c - which CPUs a pool's threads run on, and that callers keep theirs.
 *
 * Linked with --wrap for fl_topology_load, so that a larger machine can be made up, for
 * fl_cpuset_read, which then allows all of it, and for fl_bind_self, which then only notes
 * what each thread asks for. What happens when somebody changes masks while a pool works
 * is in tests/system/test_masks.c.
 */
#include "pools.h"
#include "topology.h"

#include <unistd.h>

/* --- a made-up machine ------------------------------------------------------------ */

#define MOST_CPUS 64

static struct {
    unsigned cpus;  /* 0: the real machine */
    unsigned nodes; /* of equal size */
    unsigned first; /* os_index of the first CPU; each third number is one */
    atomic_uint binds;
    cpu_set_t bound[MOST_CPUS];
} machine;

int __real_fl_topology_load(struct fl_topology *topology);
int __wrap_fl_topology_load(struct fl_topology *topology);
int __real_fl_bind_self(const struct fl_cpuset *set);
int __wrap_fl_bind_self(const struct fl_cpuset *set);

static bool are_moves_refused; /* on the real machine: by a cpuset, say */

int __real_fl_cpuset_read(struct fl_cpuset *set, enum fl_whose whose);
int __wrap_fl_cpuset_read(struct fl_cpuset *set, enum fl_whose whose);

static unsigned os_index_of(unsigned cpu)
{
    return machine.first + 3 * cpu;
}

int __wrap_fl_topology_load(struct fl_topology *topology)
{
    unsigned i;

    if (machine.cpus == 0)
        return __real_fl_topology_load(topology);
    *topology =
        (struct fl_topology){.count = machine.cpus,
                             .cores = machine.cpus,
                             .is_this_system = true,
                             .cpu = fl_zalloc(machine.cpus * sizeof(struct fl_cpu))};
    if (!topology->cpu)
        return -ENOMEM;
    for (i = 0; i < machine.cpus; i++)
        topology->cpu[i] = (struct fl_cpu){.os_index = os_index_of(i),
                                           .core = i,
                                           .l3 = i * machine.nodes / machine.cpus,
                                           .node = i * machine.nodes / machine.cpus};
    return 0;
}

int __wrap_fl_cpuset_read(struct fl_cpuset *set, enum fl_whose whose)
{
    unsigned i;

    if (machine.cpus == 0)
        return __real_fl_cpuset_read(set, whose);
    memset(set->bits, 0, set->bytes);
    for (i = 0; i < machine.cpus; i++)
        fl_cpuset_add(set, os_index_of(i));
    return 0;
}

int __wrap_fl_bind_self(const struct fl_cpuset *set)
{
    unsigned number, cpu;

    if (machine.cpus == 0)
        return are_moves_refused ? -EINVAL : __real_fl_bind_self(set);
    number = atomic_fetch_add(&machine.binds, 1);
    if (number >= MOST_CPUS)
        return 0;
    CPU_ZERO(&machine.bound[number]);
    for (cpu = 0; cpu < fl_cpuset_limit(set) && cpu < CPU_SETSIZE; cpu++)
        if (fl_cpuset_has(set, cpu))
            CPU_SET(cpu, &machine.bound[number]);
    return 0;
}

/* --- who runs where --------------------------------------------------------------- */

struct roll {
    cpu_set_t callers; /* what the caller's mask must be */
    pthread_t caller;
    unsigned company;
    atomic_uint arrived, others, wrong;
    cpu_set_t mask[MOST_CPUS]; /* of the threads that are not the caller */
};

static int call_roll(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct roll *roll = ctx;
    cpu_set_t mask;

    (void)w;
    (void)begin;
    (void)end;
    if (sched_getaffinity(0, sizeof mask, &mask))
        atomic_fetch_add(&roll->wrong, 1);
    else if (!pthread_equal(pthread_self(), roll->caller))
        roll->mask[atomic_fetch_add(&roll->others, 1) % MOST_CPUS] = mask;
    else if (!CPU_EQUAL(&mask, &roll->callers))
        atomic_fetch_add(&roll->wrong, 1);
    atomic_fetch_add(&roll->arrived, 1);
    if (!wait_for(&roll->arrived, roll->company))
        atomic_fetch_add(&roll->wrong, 1);
    return 0;
}

/* All workers of the pool are in the loop together. Returns how much was wrong. */
static unsigned get_roll_wrongly(struct roll *roll, filch_pool *pool)
{
    memset(roll, 0, sizeof *roll);
    roll->company = filch_pool_workers(pool);
    roll->caller = pthread_self();
    if (sched_getaffinity(0, sizeof roll->callers, &roll->callers) ||
        filch_for(0, roll->company, call_roll, roll, .pool = pool, .grain = 1))
        atomic_fetch_add(&roll->wrong, 1);
    return atomic_load(&roll->wrong) + (atomic_load(&roll->others) != roll->company - 1);
}

static void get_roll(struct roll *roll, filch_pool *pool)
{
    assert_int_equal(get_roll_wrongly(roll, pool), 0);
}

static bool is_subset(const cpu_set_t *part, const cpu_set_t *whole)
{
    cpu_set_t both;

    CPU_AND(&both, part, whole);
    return CPU_EQUAL(&both, part);
}

static void assert_mask_is(const cpu_set_t *expected)
{
    cpu_set_t mask;

    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    assert_memory_equal(&mask, expected, sizeof mask);
}

static const char *const binds[] = {"", "auto", "core", "node", "none"};

/* Once for every binding and number of workers, with a caller that has this mask. */
static void check_masks(const cpu_set_t *inherited)
{
    static const unsigned counts[] = {1, 2, 3, 4, 8};
    struct roll roll;
    filch_pool *pool;
    size_t bind, count;
    unsigned i, k;

    for (bind = 0; bind < COUNT_OF(binds); bind++)
        for (count = 0; count < COUNT_OF(counts); count++) {
            setenv("FILCH_BIND", binds[bind], 1);
            assert_int_equal(
                filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = counts[count])),
                0);
            assert_mask_is(inherited);
            get_roll(&roll, pool);
            assert_mask_is(inherited);
            for (i = 0; i + 1 < roll.company; i++) {
                assert_true(is_subset(&roll.mask[i], inherited));
                if (strcmp(binds[bind], "none") == 0)
                    assert_true(CPU_EQUAL(&roll.mask[i], inherited));
            }
            /* With a CPU for everybody no two share one to which they are bound. */
            for (i = 0; i + 1 < roll.company; i++)
                for (k = 0; k < i; k++)
                    if (counts[count] <= (unsigned)CPU_COUNT(inherited) &&
                        CPU_COUNT(&roll.mask[i]) == 1)
                        assert_false(CPU_EQUAL(&roll.mask[i], &roll.mask[k]));
            filch_pool_destroy(pool);
            assert_mask_is(inherited);
        }
    unsetenv("FILCH_BIND");
}

static int reset_machine(void **state)
{
    (void)state;
    unsetenv("FILCH_BIND");
    unsetenv("FILCH_NUM_THREADS");
    machine.cpus = 0;
    return 0;
}

static void the_caller_keeps_its_mask_and_threads_stay_inside_it(void **state)
{
    cpu_set_t mask;

    (void)state;
    if (sched_getaffinity(0, sizeof mask, &mask) != 0)
        skip(); /* more CPUs than this set holds */
    check_masks(&mask);
}

static unsigned first_cpu_of(const cpu_set_t *set)
{
    unsigned cpu;

    for (cpu = 0; !CPU_ISSET(cpu, set); cpu++)
        continue;
    return cpu;
}

/* Leave the calling thread one CPU of those it has, the nth. */
static void restrict_to(unsigned nth, cpu_set_t *mask)
{
    cpu_set_t left;

    assert_int_equal(sched_getaffinity(0, sizeof left, &left), 0);
    while (nth-- > 0 && CPU_COUNT(&left) > 1)
        CPU_CLR(first_cpu_of(&left), &left);
    CPU_ZERO(mask);
    CPU_SET(first_cpu_of(&left), mask);
    assert_int_equal(sched_setaffinity(0, sizeof *mask, mask), 0);
}

static void a_pool_made_under_a_mask_of_one_cpu_stays_on_it(void **state)
{
    cpu_set_t before, one;
    filch_pool *pool;
    unsigned nth;

    (void)state;
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        skip(); /* more CPUs than this set holds */
    for (nth = 0; nth < 2; nth++) {
        restrict_to(nth, &one);
        check_masks(&one);
        assert_int_equal(filch_pool_create(&pool, NULL), 0);
        assert_int_equal(filch_pool_workers(pool), 1);
        assert_string_equal(filch_pool_reason(pool), "affinity mask");
        filch_pool_destroy(pool);
        assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    }
}

struct foreign {
    filch_pool *pool;
    unsigned company;
    atomic_uint wrong;
};

/* A caller with a mask of its own, in a pool that was made by somebody else. */
static void *foreign_thread(void *arg)
{
    struct foreign *foreign = arg;
    struct roll roll;
    cpu_set_t mask, after;
    int round;

    restrict_to(1, &mask);
    for (round = 0; round < 20; round++) {
        memset(&roll, 0, sizeof roll);
        roll.company = foreign->company;
        roll.caller = pthread_self();
        roll.callers = mask;
        if (filch_for(0, roll.company, call_roll, &roll, .pool = foreign->pool,
                      .grain = 1) ||
            atomic_load(&roll.wrong) || sched_getaffinity(0, sizeof after, &after) ||
            !CPU_EQUAL(&after, &mask))
            atomic_fetch_add(&foreign->wrong, 1);
    }
    return NULL;
}

static void a_caller_from_outside_keeps_a_mask_of_its_own(void **state)
{
    size_t bind;

    (void)state;
    for (bind = 0; bind < COUNT_OF(binds); bind++) {
        struct foreign foreign = {.company = 2};

        setenv("FILCH_BIND", binds[bind], 1);
        assert_int_equal(
            filch_pool_create(&foreign.pool, FILCH_POOL_OPTIONS(.workers = 2)), 0);
        run_threads(1, foreign_thread, &foreign);
        assert_int_equal(atomic_load(&foreign.wrong), 0);
        filch_pool_destroy(foreign.pool);
    }
}

/* --- on larger machines ----------------------------------------------------------- */

/* Make a pool on the made-up machine, with all its threads bound by the time it is gone. */
static void bind_on_machine(unsigned cpus, unsigned nodes, unsigned workers, int bind)
{
    filch_pool *pool;

    machine.cpus = cpus;
    machine.nodes = nodes;
    machine.first = 5;
    atomic_store(&machine.binds, 0);
    assert_int_equal(
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers, .bind = bind)),
        0);
    filch_pool_destroy(pool);
}

static void bound_to_cores_no_two_threads_share_one(void **state)
{
    unsigned workers, i, k;

    (void)state;
    for (workers = 1; workers <= 12; workers++) {
        bind_on_machine(12, 2, workers, FILCH_BIND_CORE);
        assert_int_equal(atomic_load(&machine.binds), workers - 1);
        for (i = 0; i + 1 < workers; i++) {
            unsigned cpu = first_cpu_of(&machine.bound[i]);

            assert_int_equal(CPU_COUNT(&machine.bound[i]), 1);
            assert_in_range(cpu, 5, os_index_of(workers - 1));
            assert_int_equal((cpu - 5) % 3, 0);
            for (k = 0; k < i; k++)
                assert_false(CPU_EQUAL(&machine.bound[i], &machine.bound[k]));
        }
    }
}

static void more_workers_than_cpus_are_never_bound_to_cores(void **state)
{
    static const int all[] = {FILCH_BIND_AUTO, FILCH_BIND_CORE, FILCH_BIND_NODE};
    size_t bind;
    unsigned i;

    (void)state;
    for (bind = 0; bind < COUNT_OF(all); bind++) {
        bind_on_machine(4, 1, 5, all[bind]);
        assert_int_equal(atomic_load(&machine.binds), 4);
        for (i = 0; i < 4; i++)
            assert_int_equal(CPU_COUNT(&machine.bound[i]), 4);
    }
}

static void automatic_binding_is_to_cores_when_the_pool_covers_them_all(void **state)
{
    unsigned workers, i;

    (void)state;
    for (workers = 2; workers <= 9; workers++) {
        bind_on_machine(8, 2, workers, FILCH_BIND_AUTO);
        for (i = 0; i + 1 < workers; i++)
            /* All cores; or of the nodes, one for up to four workers, else both. */
            assert_int_equal(CPU_COUNT(&machine.bound[i]), workers == 8   ? 1
                                                           : workers <= 4 ? 4
                                                                          : 8);
    }
}

static void without_binding_nobody_is_bound(void **state)
{
    (void)state;
    bind_on_machine(8, 2, 8, FILCH_BIND_NONE);
    assert_int_equal(atomic_load(&machine.binds), 0);
}

/* --- making way ------------------------------------------------------------------- */

/* A caller that sits down on the CPU of one of the pool's threads. It is not the main
 * thread, whose mask stays as it was: else it might be that somebody bound the process. */
struct intruder {
    filch_pool *pool;
    bool must_stay; /* the pool's threads, where they are */
    unsigned wrong;
};

static void *sit_down(void *arg)
{
    static struct roll roll;
    struct intruder *intruder = arg;
    cpu_set_t callers, seen;
    unsigned cpu, i, rounds = 0;
    uint64_t since;
    bool is_free = false;

    intruder->wrong += get_roll_wrongly(&roll, intruder->pool);
    cpu = first_cpu_of(&roll.mask[0]);
    CPU_ZERO(&callers);
    CPU_SET(cpu, &callers);
    intruder->wrong += sched_setaffinity(0, sizeof callers, &callers) != 0;
    for (since = now_ns(); !is_free && now_ns() - since < PATIENCE_NS;) {
        intruder->wrong += get_roll_wrongly(&roll, intruder->pool);
        CPU_ZERO(&seen);
        for (i = 0; i < roll.others; i++)
            CPU_OR(&seen, &seen, &roll.mask[i]);
        intruder->wrong += (unsigned)CPU_COUNT(&seen) != roll.others; /* one each */
        is_free = !CPU_ISSET(cpu, &seen);
        if (intruder->must_stay && ++rounds == 100)
            break;
    }
    intruder->wrong += is_free == intruder->must_stay;
    return NULL;
}

static void let_somebody_sit_down(bool must_stay, uint64_t *masks_changed)
{
    struct intruder intruder = {.must_stay = must_stay};
    filch_stats stats = {.struct_size = sizeof stats};
    static struct roll roll;
    cpu_set_t mask;

    assert_int_equal(sched_getaffinity(0, sizeof mask, &mask), 0);
    if (CPU_COUNT(&mask) < 2)
        skip();
    assert_int_equal(
        filch_pool_create(&intruder.pool,
                          FILCH_POOL_OPTIONS(.bind = FILCH_BIND_CORE,
                                             .workers = (uint32_t)CPU_COUNT(&mask))),
        0);
    get_roll(&roll, intruder.pool); /* all threads are bound */
    are_moves_refused = must_stay;
    run_threads(1, sit_down, &intruder);
    are_moves_refused = false;
    assert_int_equal(filch_stats_get(intruder.pool, &stats), 0);
    *masks_changed = stats.masks_changed;
    filch_pool_destroy(intruder.pool);
    assert_int_equal(intruder.wrong, 0);
}

static void a_thread_makes_way_for_a_caller(void **state)
{
    uint64_t masks_changed;

    (void)state;
    let_somebody_sit_down(false, &masks_changed);
    assert_int_equal(masks_changed, 0);
}

/* A control group has taken the free CPU away: the kernel refuses it. */
static void a_thread_that_may_not_move_stays_and_says_so_once(void **state)
{
    uint64_t masks_changed;

    (void)state;
    let_somebody_sit_down(true, &masks_changed);
    /* Of more than one thread others may have been in the way before it sat down. */
    assert_in_range(masks_changed, 1, (unsigned)sysconf(_SC_NPROCESSORS_ONLN) - 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, reset_machine, reset_machine)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_caller_keeps_its_mask_and_threads_stay_inside_it),
        TEST(a_pool_made_under_a_mask_of_one_cpu_stays_on_it),
        TEST(a_caller_from_outside_keeps_a_mask_of_its_own),
        TEST(bound_to_cores_no_two_threads_share_one),
        TEST(more_workers_than_cpus_are_never_bound_to_cores),
        TEST(automatic_binding_is_to_cores_when_the_pool_covers_them_all),
        TEST(without_binding_nobody_is_bound),
        TEST(a_thread_makes_way_for_a_caller),
        TEST(a_thread_that_may_not_move_stays_and_says_so_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
