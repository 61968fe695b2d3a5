/* test_stats.c - what the counters say after work that is known. */
#include "pools.h"

#define MS UINT64_C(1000000)

/* Long enough for every thread of a pool to fall asleep, on a busy machine too. */
#define REST_US 100000

static filch_stats stats_of(filch_pool *pool)
{
    filch_stats stats = {.struct_size = sizeof stats};

    assert_int_equal(filch_stats_get(pool, &stats), 0);
    assert_int_equal(stats.struct_size, sizeof stats);
    return stats;
}

/* --- reading ---------------------------------------------------------------------- */

static void foreign_sizes_are_refused(void **state)
{
    static const size_t sizes[] = {0, sizeof(filch_stats) - 8, sizeof(filch_stats) + 8,
                                   SIZE_MAX};
    filch_stats stats, before;
    size_t i;

    assert_int_equal(filch_stats_get(*state, NULL), -EINVAL);
    for (i = 0; i < COUNT_OF(sizes); i++) {
        memset(&stats, 0x5a, sizeof stats);
        stats.struct_size = sizes[i];
        before = stats;
        assert_int_equal(filch_stats_get(*state, &stats), -EINVAL);
        assert_memory_equal(&stats, &before, sizeof stats);
    }
}

static int spawn_tasks(filch_worker *w, filch_scope *scope, void *ctx);

static void without_a_pool_the_default_one_is_meant(void **state)
{
    unsigned tasks = 10;
    uint64_t before;

    (void)state;
    before = stats_of(NULL).tasks;
    assert_int_equal(filch_scope(spawn_tasks, &tasks), 0);
    assert_int_equal(stats_of(NULL).tasks - before, 10);
    assert_int_equal(stats_of(filch_pool_default()).tasks - before, 10);
}

/* --- work ------------------------------------------------------------------------- */

static int small_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    (void)ctx;
    return 0;
}

static int spawn_tasks(filch_worker *w, filch_scope *scope, void *ctx)
{
    unsigned i;
    int err = 0;

    for (i = 0; i < *(unsigned *)ctx; i++)
        err |= filch_spawn(w, scope, small_task, NULL, 0);
    return err;
}

static void every_spawned_task_is_counted_once(void **state)
{
    static const unsigned counts[] = {1, 10, 1000};
    filch_stats before, after;
    size_t i;
    int round;

    for (round = 0; round < 20; round++)
        for (i = 0; i < COUNT_OF(counts); i++) {
            unsigned count = counts[i];

            before = stats_of(*state);
            assert_int_equal(filch_scope(spawn_tasks, &count, .pool = *state), 0);
            after = stats_of(*state);
            assert_int_equal(after.tasks - before.tasks, counts[i]);
            assert_int_equal(after.overflows - before.overflows, 0);
        }
}

/* All workers at once in a loop with an item for each. */
static void meet_all(filch_pool *pool, long then_sleep_us)
{
    unsigned workers = filch_pool_workers(pool);
    struct meeting meeting = {.company = workers, .sleep_us = then_sleep_us};

    assert_int_equal(filch_for(0, workers, meet, &meeting, .pool = pool, .grain = 1), 0);
    assert_int_equal(atomic_load(&meeting.wrong), 0);
}

static void pieces_that_others_took_are_steals_and_tasks(void **state)
{
    unsigned others = filch_pool_workers(*state) - 1;
    filch_stats before, after;
    int round;

    for (round = 0; round < 20; round++) {
        before = stats_of(*state);
        meet_all(*state, 0);
        after = stats_of(*state);
        assert_in_range(after.steals_got - before.steals_got, others, 2 * others);
        assert_in_range(after.tasks - before.tasks, others, 2 * others);
        /* Somebody had made them public, and no thief without work could do without. */
        if (others)
            assert_in_range(after.publishes + after.forced - before.publishes -
                                before.forced,
                            1, 4 * others);
        assert_int_equal(after.overflows, 0);
        assert_int_equal(after.strangers, 0);
    }
}

struct forks {
    unsigned count, runs;
    filch_job *job;
    int64_t *place;
};

static void no_run(filch_worker *w, filch_job *job)
{
    (void)w;
    (void)job;
}

static int fork_all(filch_worker *w, void *ctx)
{
    struct forks *forks = ctx;
    unsigned i;

    for (i = 0; i < forks->count; i++) {
        forks->job[i].run = no_run;
        forks->place[i] = filch_fork(w, &forks->job[i]);
    }
    while (i-- > 0)
        if (!filch_reclaim(w, &forks->job[i], forks->place[i]))
            filch_await(w, &forks->job[i]);
    return 0;
}

static void forks_beyond_the_ring_are_overflows(void **state)
{
    static filch_job job[FILCH_RING_SLOTS + 1000];
    static int64_t place[COUNT_OF(job)];
    struct forks forks = {.job = job, .place = place};
    filch_stats before, after;

    forks.count = 1000;
    before = stats_of(*state);
    assert_int_equal(filch_run(fork_all, &forks, .pool = *state), 0);
    after = stats_of(*state);
    assert_int_equal(after.overflows - before.overflows, 0);

    forks.count = COUNT_OF(job);
    before = after;
    assert_int_equal(filch_run(fork_all, &forks, .pool = *state), 0);
    after = stats_of(*state);
    /* The ring has one slot that is never full; thieves make room in it. */
    if (filch_pool_workers(*state) == 1)
        assert_int_equal(after.overflows - before.overflows, 1001);
    else
        assert_in_range(after.overflows - before.overflows + after.steals_got -
                            before.steals_got,
                        1001, COUNT_OF(job));
}

/* --- sleep and time --------------------------------------------------------------- */

static void threads_that_sleep_have_been_counted(void **state)
{
    unsigned threads = filch_pool_workers(*state) - 1;
    filch_stats stats, later;

    sleep_us(REST_US);
    stats = stats_of(*state);
    assert_in_range(stats.parks, threads, 1000);
    assert_int_equal(stats.wakes, 0);
    assert_int_equal(stats.tasks, 0);
    assert_int_equal(stats.busy_ns, 0);
    sleep_us(REST_US);
    later = stats_of(*state);
    assert_int_equal(later.parks, stats.parks);
    assert_int_equal(later.steals_empty, stats.steals_empty);
}

static void every_thread_that_comes_to_work_was_woken(void **state)
{
    unsigned threads = filch_pool_workers(*state) - 1;
    filch_stats before, after;

    sleep_us(REST_US);
    before = stats_of(*state);
    meet_all(*state, 0);
    sleep_us(REST_US);
    after = stats_of(*state);
    assert_in_range(after.wakes - before.wakes, threads, 10 * threads);
    assert_in_range(after.parks - before.parks, threads, 1000);
}

static void busy_time_is_that_of_the_bodies_and_idle_time_the_rest(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    filch_stats before, after;
    uint64_t since, took;

    before = stats_of(*state);
    since = now_ns();
    meet_all(*state, 50000);
    sleep_us(REST_US);
    after = stats_of(*state);
    took = now_ns() - since;
    assert_in_range(after.busy_ns - before.busy_ns, workers * 50 * MS, workers * took);
    /* The caller counts while its call lasts. A thread that is between two counts, or is
     * kept from its core there, may lack that moment. */
    assert_in_range(after.idle_ns - before.idle_ns,
                    (workers - 1) * (REST_US * 1000 - 10 * MS), (workers - 1) * took);
    assert_in_range(after.busy_ns + after.idle_ns - before.busy_ns - before.idle_ns, 0,
                    workers * took);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOL(foreign_sizes_are_refused, 2),
        cmocka_unit_test(without_a_pool_the_default_one_is_meant),
        ON_POOLS(every_spawned_task_is_counted_once),
        ON_POOLS(pieces_that_others_took_are_steals_and_tasks),
        ON_POOLS(forks_beyond_the_ring_are_overflows),
        ON_POOLS(threads_that_sleep_have_been_counted),
        ON_POOLS(every_thread_that_comes_to_work_was_woken),
        ON_POOLS(busy_time_is_that_of_the_bodies_and_idle_time_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
