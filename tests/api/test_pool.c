/* test_pool.c - making and ending pools: each documented error, few threads, many pools.
 *
 * Linked with --wrap for what cannot be had on demand: a failing allocation (fl_zalloc),
 * a thread that does not start (pthread_create), a CPU quota (fl_cpu_quota_milli); and for
 * fl_topology_load, whose calls are counted.
 */
#include "pools.h"
#include "topology.h"

/* --- a system that runs out ------------------------------------------------------- */

static atomic_int allocations_left = INT32_MAX, blocks_alive, threads_left = INT32_MAX;
static uint64_t quota_milli = UINT64_MAX; /* UINT64_MAX: the real one */
static atomic_uint topology_loads;

void *__real_fl_zalloc(size_t bytes);
void *__wrap_fl_zalloc(size_t bytes);
void __real_fl_free(void *block);
void __wrap_fl_free(void *block);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);
int __real_fl_topology_load(struct fl_topology *topology);
int __wrap_fl_topology_load(struct fl_topology *topology);
uint64_t __real_fl_cpu_quota_milli(const char *root);
uint64_t __wrap_fl_cpu_quota_milli(const char *root);

/* The one in platform_posix.c. */
void *__wrap_fl_zalloc(size_t bytes)
{
    void *block = NULL;

    if (atomic_fetch_sub(&allocations_left, 1) > 0)
        block = __real_fl_zalloc(bytes);
    if (block)
        atomic_fetch_add(&blocks_alive, 1);
    return block;
}

void __wrap_fl_free(void *block)
{
    if (block)
        atomic_fetch_sub(&blocks_alive, 1);
    __real_fl_free(block);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg)
{
    if (atomic_fetch_sub(&threads_left, 1) <= 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, body, arg);
}

uint64_t __wrap_fl_cpu_quota_milli(const char *root)
{
    return quota_milli == UINT64_MAX ? __real_fl_cpu_quota_milli(root) : quota_milli;
}

int __wrap_fl_topology_load(struct fl_topology *topology)
{
    atomic_fetch_add(&topology_loads, 1);
    return __real_fl_topology_load(topology);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&allocations_left, INT32_MAX);
    atomic_store(&threads_left, INT32_MAX);
    quota_milli = UINT64_MAX;
    return 0;
}

/* --- work that any pool does ------------------------------------------------------ */

struct work {
    filch_pool *pool;
    atomic_uint wrong_lanes;
    atomic_uchar hits[1000];
};

static int hit(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct work *work = ctx;

    if (filch_lane(w) >= filch_lanes(w) ||
        filch_lanes(w) > filch_pool_workers(work->pool))
        atomic_fetch_add(&work->wrong_lanes, 1);
    for (; begin < end; begin++)
        atomic_fetch_add(&work->hits[begin], 1);
    return 0;
}

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++)
        *(size_t *)acc += begin;
    return 0;
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

static int count_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static int spawn_ten(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < 10; i++)
        err |= filch_spawn(w, scope, count_task, ctx, 0);
    return err;
}

/* Returns what was wrong. */
static int work_wrongly(filch_pool *pool)
{
    struct work work = {.pool = pool};
    atomic_uint tasks = 0;
    size_t sum = 0, i;
    int wrong = 0;

    wrong += filch_for(0, COUNT_OF(work.hits), hit, &work, .pool = pool, .grain = 1) != 0;
    for (i = 0; i < COUNT_OF(work.hits); i++)
        wrong += atomic_load(&work.hits[i]) != 1;
    wrong += atomic_load(&work.wrong_lanes) != 0;
    wrong += filch_reduce(0, 1000, &sum, sizeof sum, fold, add, NULL, .pool = pool) != 0;
    wrong += sum != 499500;
    wrong += filch_scope(spawn_ten, &tasks, .pool = pool) != 0;
    wrong += atomic_load(&tasks) != 10;
    return wrong;
}

/* All workers at once: its threads have begun, and bound themselves. */
static void meet_all(filch_pool *pool)
{
    struct meeting meeting = {.company = filch_pool_workers(pool)};

    assert_int_equal(
        filch_for(0, meeting.company, meet, &meeting, .pool = pool, .grain = 1), 0);
    assert_int_equal(atomic_load(&meeting.wrong), 0);
}

/* --- errors ----------------------------------------------------------------------- */

static void options_out_of_range_are_refused(void **state)
{
    const filch_pool_options good = *FILCH_POOL_OPTIONS(.workers = 2);
    filch_pool_options bad[9];
    filch_pool *pool;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++)
        bad[i] = good;
    bad[0].struct_size = 0;
    bad[1].struct_size = sizeof good + 8;
    bad[2].abi = FILCH_HOT_ABI + 1;
    bad[3].abi = 0;
    bad[4].workers = FILCH_MAX_WORKERS + 1;
    bad[5].bind = -1;
    bad[6].bind = FILCH_BIND_NONE + 1;
    bad[7].spin_us = -2;
    bad[8].spin_us = INT32_MAX;
    for (i = 0; i < COUNT_OF(bad); i++) {
        pool = (filch_pool *)(uintptr_t)64;
        assert_int_equal(filch_pool_create(&pool, &bad[i]), -EINVAL);
        assert_null(pool);
    }
    assert_int_equal(filch_pool_create(NULL, &good), -EINVAL);
    assert_int_equal(filch_pool_create(NULL, NULL), -EINVAL);
    filch_pool_destroy(NULL);
    assert_int_equal(atomic_load(&blocks_alive), 0);
}

static void each_failing_allocation_is_reported_and_leaks_nothing(void **state)
{
    filch_pool *pool;
    int allowed, err = -ENOMEM;

    (void)state;
    for (allowed = 0; err; allowed++) {
        pool = (filch_pool *)(uintptr_t)64;
        atomic_store(&allocations_left, allowed);
        err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2));
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_null(pool);
            assert_int_equal(atomic_load(&blocks_alive), 0);
        }
    }
    assert_true(allowed > 5);
    assert_int_equal(work_wrongly(pool), 0);
    filch_pool_destroy(pool);
    assert_int_equal(atomic_load(&blocks_alive), 0);
}

/* Comes before the default pool is made. */
static void without_memory_for_a_default_pool_the_caller_works_alone(void **state)
{
    filch_local *local;
    filch_stats stats = {.struct_size = sizeof stats};

    (void)state;
    atomic_store(&allocations_left, 0);
    assert_null(filch_pool_default());
    assert_int_equal(filch_pool_workers(NULL), 1);
    assert_non_null(filch_pool_reason(NULL));
    assert_int_equal(filch_lane_limit(), 1);
    assert_int_equal(work_wrongly(NULL), 0);
    assert_int_equal(filch_stats_get(NULL, &stats), 0);
    assert_int_equal(filch_local_create(&local, NULL, 8, NULL, NULL), -ENOMEM);
    assert_null(local);
    assert_int_equal(atomic_load(&blocks_alive), 0);
}

/* Looking at the machine takes a thousand times as long as a small loop. */
static void
calls_without_memory_for_a_default_pool_do_not_look_at_the_machine_again(void **state)
{
    unsigned looks;
    int i;

    (void)state;
    for (i = 0; i <= 5; i++) { /* making the pool takes more */
        atomic_store(&allocations_left, i);
        assert_null(filch_pool_default());
        looks = atomic_load(&topology_loads);
        atomic_store(&allocations_left, 0);
        assert_null(filch_pool_default());
        assert_int_equal(work_wrongly(NULL), 0);
        assert_int_equal(atomic_load(&topology_loads), looks);
    }
    assert_true(looks > 0);
    assert_int_equal(atomic_load(&blocks_alive), 0);
}

struct first_users {
    pthread_barrier_t all_in;
    filch_pool *_Atomic pool;
    atomic_uint wrong;
};

static void *use_default_pool(void *arg)
{
    struct first_users *users = arg;
    filch_pool *expected = NULL, *pool;

    pthread_barrier_wait(&users->all_in);
    pool = filch_pool_default();
    /* The first one writes its own, the others compare. */
    if (!pool || (!atomic_compare_exchange_strong(&users->pool, &expected, pool) &&
                  expected != pool))
        atomic_fetch_add(&users->wrong, 1);
    return NULL;
}

/* Comes next: now there is memory. */
static void threads_that_ask_at_once_get_one_default_pool(void **state)
{
    struct first_users users = {0};

    (void)state;
    assert_int_equal(pthread_barrier_init(&users.all_in, NULL, 16), 0);
    run_threads(16, use_default_pool, &users);
    pthread_barrier_destroy(&users.all_in);
    assert_int_equal(atomic_load(&users.wrong), 0);
    assert_ptr_equal(atomic_load(&users.pool), filch_pool_default());
    /* Its threads were started once. */
    assert_int_equal(INT32_MAX - atomic_load(&threads_left),
                     16 + filch_pool_workers(NULL) - 1);
    assert_string_equal(filch_pool_reason(NULL), filch_pool_reason(filch_pool_default()));
    assert_int_equal(work_wrongly(NULL), 0);
    assert_null(filch_worker_current());
    meet_all(NULL); /* no block of theirs comes or goes in the tests below */
}

static void a_local_without_memory_leaks_nothing(void **state)
{
    filch_pool *pool = filch_pool_default();
    int before = atomic_load(&blocks_alive), allowed, err = -ENOMEM;
    filch_local *local;

    (void)state;
    for (allowed = 0; err; allowed++) {
        local = (filch_local *)(uintptr_t)64;
        atomic_store(&allocations_left, allowed);
        err = filch_local_create(&local, pool, 100, NULL, NULL);
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_null(local);
            assert_int_equal(atomic_load(&blocks_alive), before);
        }
    }
    assert_true(allowed > 2);
    filch_local_destroy(local, NULL, NULL);
    assert_int_equal(atomic_load(&blocks_alive), before);
}

static int count_slot(void *slot, void *ctx)
{
    (void)slot;
    ++*(int *)ctx;
    return 0;
}

static void count_init(void *slot, void *ctx)
{
    count_slot(slot, ctx);
}

static void a_slot_that_needs_memory_and_gets_none_is_not_made(void **state)
{
    int made = 0, visited = 0;
    filch_local *local;

    (void)state;
    assert_int_equal(filch_local_create(&local, NULL, 8, count_init, &made), 0);
    atomic_store(&allocations_left, 0);
    assert_null(filch_local_get(local, NULL));
    assert_int_equal(filch_local_each(local, count_slot, &visited), 0);
    assert_int_equal(made, 0);
    assert_int_equal(visited, 0);
    atomic_store(&allocations_left, INT32_MAX);
    assert_non_null(filch_local_get(local, NULL));
    assert_int_equal(filch_local_each(local, count_slot, &visited), 0);
    assert_int_equal(made, 1);
    assert_int_equal(visited, 1);
    filch_local_destroy(local, NULL, NULL);
}

/* --- how many workers ------------------------------------------------------------- */

static void a_pool_works_with_the_threads_that_could_be_started(void **state)
{
    int threads, before = atomic_load(&blocks_alive);

    (void)state;
    for (threads = 0; threads <= 7; threads++) {
        filch_pool *pool;

        atomic_store(&threads_left, threads);
        assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 8)), 0);
        assert_int_equal(filch_pool_workers(pool), threads + 1);
        assert_string_equal(filch_pool_reason(pool),
                            threads < 7 ? "threads that could be started" : "options");
        assert_int_equal(filch_lane_limit(.pool = pool), threads + 1);
        assert_int_equal(work_wrongly(pool), 0);
        meet_all(pool);
        filch_pool_destroy(pool);
        assert_int_equal(atomic_load(&blocks_alive), before);
    }
}

/* The whole CPUs of the quota count, and at least one. */
static void a_quota_of_one_cpu_makes_one_worker(void **state)
{
    static const uint64_t quotas[] = {1, 500, 1000, 1500, 1999};
    filch_pool *pool;
    size_t i;

    (void)state;
    unsetenv("FILCH_NUM_THREADS");
    for (i = 0; i < COUNT_OF(quotas); i++) {
        quota_milli = 0;
        assert_int_equal(filch_pool_create(&pool, NULL), 0);
        assert_string_equal(filch_pool_reason(pool), "affinity mask");
        if (filch_pool_workers(pool) == 1) {
            filch_pool_destroy(pool);
            skip(); /* there is nothing to limit */
        }
        filch_pool_destroy(pool);
        quota_milli = quotas[i];
        assert_int_equal(filch_pool_create(&pool, NULL), 0);
        assert_int_equal(filch_pool_workers(pool), 1);
        assert_string_equal(filch_pool_reason(pool), "CPU quota");
        assert_int_equal(work_wrongly(pool), 0);
        filch_pool_destroy(pool);
    }
}

static void an_explicit_number_may_exceed_the_cpus_by_far(void **state)
{
    filch_pool *pool;

    (void)state;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 200)), 0);
    assert_int_equal(filch_pool_workers(pool), 200);
    assert_string_equal(filch_pool_reason(pool), "options");
    assert_int_equal(work_wrongly(pool), 0);
    meet_all(pool);
    filch_pool_destroy(pool);
}

/* --- options that work ------------------------------------------------------------ */

static void a_pool_may_spin_not_at_all_or_for_long(void **state)
{
    static const int32_t spins[] = {-1, 1, 100000};
    filch_pool *pool;
    size_t i;
    int round;

    (void)state;
    for (i = 0; i < COUNT_OF(spins); i++) {
        assert_int_equal(
            filch_pool_create(&pool,
                              FILCH_POOL_OPTIONS(.workers = 2, .spin_us = spins[i])),
            0);
        for (round = 0; round < 20; round++)
            assert_int_equal(work_wrongly(pool), 0);
        filch_pool_destroy(pool);
    }
}

struct stacks {
    struct meeting meeting;
    atomic_size_t least, most;
};

static int measure_stack(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct stacks *stacks = ctx;
    pthread_attr_t attributes;
    size_t bytes = 0;
    void *base;

    if (filch_lane(w) > 0 && pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &base, &bytes);
        pthread_attr_destroy(&attributes);
        if (bytes < atomic_load(&stacks->least))
            atomic_store(&stacks->least, bytes);
        if (bytes > atomic_load(&stacks->most))
            atomic_store(&stacks->most, bytes);
    }
    return meet(w, begin, end, &stacks->meeting);
}

/* More than any before: the C library keeps the stacks of threads that have ended. */
#define STACK_BYTES (24u << 20)

static void threads_have_the_stack_that_was_asked_for(void **state)
{
    struct stacks stacks = {.meeting = {.company = 2}, .least = SIZE_MAX};
    filch_pool *pool;

    (void)state;
    assert_int_equal(
        filch_pool_create(&pool,
                          FILCH_POOL_OPTIONS(.workers = 2, .stack_bytes = STACK_BYTES)),
        0);
    assert_int_equal(filch_for(0, 2, measure_stack, &stacks, .pool = pool, .grain = 1),
                     0);
    assert_int_equal(atomic_load(&stacks.meeting.wrong), 0);
    /* The sanitizers may want a little more. */
    assert_in_range(atomic_load(&stacks.least), STACK_BYTES - 65536,
                    STACK_BYTES + 4000000);
    assert_in_range(atomic_load(&stacks.most), STACK_BYTES - 65536,
                    STACK_BYTES + 4000000);
    filch_pool_destroy(pool);
}

static void the_version_is_that_of_the_header(void **state)
{
    char expected[64];

    (void)state;
    snprintf(expected, sizeof expected, "%d.%d.%d", FILCH_VERSION_MAJOR,
             FILCH_VERSION_MINOR, FILCH_VERSION_PATCH);
    assert_string_equal(filch_version(), expected);
}

/* --- several pools ---------------------------------------------------------------- */

struct users {
    filch_pool *pool[5];
    atomic_uint next, wrong;
};

static void *user_thread(void *arg)
{
    struct users *users = arg;
    unsigned number = atomic_fetch_add(&users->next, 1), round;

    for (round = 0; round < 40; round++)
        if (work_wrongly(users->pool[(number + round / 4) % COUNT_OF(users->pool)]))
            atomic_fetch_add(&users->wrong, 1);
    return NULL;
}

/* The last one of them is NULL: the default pool. */
static void pools_of_ones_own_work_beside_the_default_one(void **state)
{
    struct users users = {0};
    unsigned i;

    (void)state;
    for (i = 0; i < 4; i++)
        assert_int_equal(
            filch_pool_create(&users.pool[i], FILCH_POOL_OPTIONS(.workers = i + 1)), 0);
    run_threads(10, user_thread, &users);
    assert_int_equal(atomic_load(&users.wrong), 0);
    for (i = 0; i < 4; i++)
        filch_pool_destroy(users.pool[i]);
    assert_int_equal(work_wrongly(NULL), 0);
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_out_of_range_are_refused),
        TEST(each_failing_allocation_is_reported_and_leaks_nothing),
        TEST(without_memory_for_a_default_pool_the_caller_works_alone),
        TEST(calls_without_memory_for_a_default_pool_do_not_look_at_the_machine_again),
        TEST(threads_that_ask_at_once_get_one_default_pool),
        TEST(a_local_without_memory_leaks_nothing),
        TEST(a_slot_that_needs_memory_and_gets_none_is_not_made),
        TEST(a_pool_works_with_the_threads_that_could_be_started),
        TEST(a_quota_of_one_cpu_makes_one_worker),
        TEST(an_explicit_number_may_exceed_the_cpus_by_far),
        TEST(a_pool_may_spin_not_at_all_or_for_long),
        TEST(threads_have_the_stack_that_was_asked_for),
        TEST(the_version_is_that_of_the_header),
        TEST(pools_of_ones_own_work_beside_the_default_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
