/* test_greedy.c - no task waits on a busy worker while another one is idle.
 *
 * Leaves sleep instead of computing, so that eight workers can be seen at work together
 * on two cores. The bounds on time are the promise itself. Another process that takes the
 * cores for a moment breaks them as well, so each must hold in the best of a few tries.
 */
#include "pools.h"

#define WORKERS 8
#define TRIES   8

#define MS UINT64_C(1000000)

static void sleep_until(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        continue;
}

/* --- as many leaves as workers ---------------------------------------------------- */

#define LEAF_US  100000
#define BOUND_NS (150 * MS)

static int leaf_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    sleep_us(LEAF_US);
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static int spawn_leaves(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < WORKERS; i++)
        err |= filch_spawn(w, scope, leaf_task, ctx, 0);
    return err;
}

static int leaves_by_scope(filch_pool *pool, atomic_uint *ended)
{
    return filch_scope(spawn_leaves, ended, .pool = pool);
}

static int leaf_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (; begin < end; begin++) {
        sleep_us(LEAF_US);
        atomic_fetch_add((atomic_uint *)ctx, 1);
    }
    return 0;
}

static int leaves_by_loop(filch_pool *pool, atomic_uint *ended)
{
    return filch_for(0, WORKERS, leaf_body, ended, .pool = pool, .grain = 1);
}

/* A tree whose leaves sleep. */
struct tree {
    filch_job job;
    unsigned leaves;
    atomic_uint *ended;
};

static void tree_fork(filch_worker *w, unsigned leaves, atomic_uint *ended);

static void tree_run(filch_worker *w, filch_job *job)
{
    struct tree *tree = (struct tree *)(void *)job; /* the first member */

    tree_fork(w, tree->leaves, tree->ended);
}

static void tree_fork(filch_worker *w, unsigned leaves, atomic_uint *ended)
{
    struct tree right = {
        .job.run = tree_run, .leaves = leaves - leaves / 2, .ended = ended};
    int64_t place;

    if (leaves == 1) {
        sleep_us(LEAF_US);
        atomic_fetch_add(ended, 1);
        return;
    }
    place = filch_fork(w, &right.job);
    tree_fork(w, leaves / 2, ended);
    if (filch_reclaim(w, &right.job, place))
        tree_fork(w, right.leaves, ended);
    else
        filch_await(w, &right.job);
}

static int tree_body(filch_worker *w, void *ctx)
{
    tree_fork(w, WORKERS, ctx);
    return 0;
}

static int leaves_by_fork(filch_pool *pool, atomic_uint *ended)
{
    return filch_run(tree_body, ended, .pool = pool);
}

static void assert_leaves_sleep_together(filch_pool *pool,
                                         int (*run)(filch_pool *pool, atomic_uint *ended))
{
    uint64_t best = UINT64_MAX, since, took;
    int i;

    for (i = 0; i < TRIES && best >= BOUND_NS; i++) {
        atomic_uint ended = 0;

        since = now_ns();
        assert_int_equal(run(pool, &ended), 0);
        took = now_ns() - since;
        assert_int_equal(atomic_load(&ended), WORKERS);
        best = took < best ? took : best;
    }
    assert_in_range(best, LEAF_US * 1000, BOUND_NS - 1);
}

static void eight_tasks_of_one_spawner_sleep_together(void **state)
{
    assert_leaves_sleep_together(*state, leaves_by_scope);
}

static void eight_items_of_a_loop_sleep_together(void **state)
{
    assert_leaves_sleep_together(*state, leaves_by_loop);
}

static void eight_leaves_of_a_tree_sleep_together(void **state)
{
    assert_leaves_sleep_together(*state, leaves_by_fork);
}

/* --- workers that become free one after the other --------------------------------- */

/* All but one worker are busy until moments that lie apart. Meanwhile the last one makes
 * a task for each of them, and sits in a long leaf itself. Each task is so long that it
 * takes the worker which became free, so the nth task starts when the nth worker is free. */
#define OTHERS     (WORKERS - 1)
#define FIRST_FREE (100 * MS)
#define APART      (20 * MS)
#define LONG_LEAF  (500 * MS)
#define LATEST     (1 * MS)

struct busy {
    uint64_t origin;
    atomic_uint busy, frees, starts;
    uint64_t free_ns[OTHERS], start_ns[OTHERS];
    int (*offer)(filch_worker *w, filch_scope *scope, struct busy *busy);
    bool is_late; /* the tasks were made when the first worker was free already */
};

static int busy_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct busy *busy = ctx;
    unsigned number = atomic_fetch_add(&busy->busy, 1);

    (void)w;
    (void)scope;
    sleep_until(busy->origin + FIRST_FREE + number * APART);
    busy->free_ns[atomic_fetch_add(&busy->frees, 1)] = now_ns();
    return 0;
}

static void start_task(struct busy *busy)
{
    unsigned number = atomic_fetch_add(&busy->starts, 1);

    if (number < OTHERS)
        busy->start_ns[number] = now_ns();
    sleep_until(busy->origin + LONG_LEAF);
}

static void sit_in_leaf(struct busy *busy)
{
    busy->is_late = now_ns() >= busy->origin + FIRST_FREE;
    sleep_until(busy->origin + LONG_LEAF);
}

static int start_spawned(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    start_task(ctx);
    return 0;
}

static int offer_by_spawn(filch_worker *w, filch_scope *scope, struct busy *busy)
{
    int i, err = 0;

    for (i = 0; i < OTHERS; i++)
        err |= filch_spawn(w, scope, start_spawned, busy, 0);
    sit_in_leaf(busy);
    return err;
}

struct forked {
    filch_job job;
    struct busy *busy;
};

static void start_forked(filch_worker *w, filch_job *job)
{
    (void)w;
    start_task(((struct forked *)(void *)job)->busy);
}

static int offer_by_fork(filch_worker *w, filch_scope *scope, struct busy *busy)
{
    struct forked forked[OTHERS];
    int64_t place[OTHERS];
    int i;

    (void)scope;
    for (i = 0; i < OTHERS; i++) {
        forked[i] = (struct forked){.job.run = start_forked, .busy = busy};
        place[i] = filch_fork(w, &forked[i].job);
    }
    sit_in_leaf(busy);
    while (i-- > 0) {
        if (filch_reclaim(w, &forked[i].job, place[i]))
            start_task(busy);
        else
            filch_await(w, &forked[i].job);
    }
    return 0;
}

static int start_item(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    (void)end;
    if (begin == 0)
        sit_in_leaf(ctx);
    else
        start_task(ctx);
    return 0;
}

static int offer_by_loop(filch_worker *w, filch_scope *scope, struct busy *busy)
{
    (void)scope;
    return filch_for(0, WORKERS, start_item, busy, .worker = w, .grain = 1);
}

static int keep_busy(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct busy *busy = ctx;
    int i, err = 0;

    busy->origin = now_ns();
    for (i = 0; i < OTHERS; i++)
        err |= filch_spawn(w, scope, busy_task, busy, 0);
    if (!wait_for(&busy->busy, OTHERS))
        return -1;
    return err | busy->offer(w, scope, busy);
}

typedef int offer_tasks(filch_worker *w, filch_scope *scope, struct busy *busy);

/* Note in best how long each task has kept a free worker waiting, where that is less. */
static void try_once(filch_pool *pool, offer_tasks *offer, uint64_t *best)
{
    struct busy busy = {.offer = offer};
    int i;

    assert_int_equal(filch_scope(keep_busy, &busy, .pool = pool), 0);
    assert_int_equal(atomic_load(&busy.frees), OTHERS);
    assert_int_equal(atomic_load(&busy.starts), OTHERS);
    for (i = 0; i < OTHERS && !busy.is_late; i++) {
        uint64_t late =
            busy.start_ns[i] > busy.free_ns[i] ? busy.start_ns[i] - busy.free_ns[i] : 0;

        best[i] = late < best[i] ? late : best[i];
    }
}

/* The first task has its best try, and so has each other one. */
static void assert_no_task_starts_late(filch_pool *pool, offer_tasks *offer)
{
    uint64_t best[OTHERS], latest = UINT64_MAX;
    int i, k;

    memset(best, 0xff, sizeof best);
    for (i = 0; i < TRIES && latest >= LATEST; i++) {
        try_once(pool, offer, best);
        for (k = 0, latest = 0; k < OTHERS; k++)
            latest = best[k] > latest ? best[k] : latest;
    }
    assert_in_range(latest, 0, LATEST - 1);
}

static void who_becomes_free_gets_a_task_spawned_before_a_long_leaf(void **state)
{
    assert_no_task_starts_late(*state, offer_by_spawn);
}

static void who_becomes_free_gets_a_job_forked_before_a_long_leaf(void **state)
{
    assert_no_task_starts_late(*state, offer_by_fork);
}

static void who_becomes_free_gets_a_part_of_a_loop_behind_a_long_item(void **state)
{
    assert_no_task_starts_late(*state, offer_by_loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOL(eight_tasks_of_one_spawner_sleep_together, 8),
        ON_POOL(eight_items_of_a_loop_sleep_together, 8),
        ON_POOL(eight_leaves_of_a_tree_sleep_together, 8),
        ON_POOL(who_becomes_free_gets_a_task_spawned_before_a_long_leaf, 8),
        ON_POOL(who_becomes_free_gets_a_job_forked_before_a_long_leaf, 8),
        ON_POOL(who_becomes_free_gets_a_part_of_a_loop_behind_a_long_item, 8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
