/* test_join.c - what join.h promises: errors, fork and reclaim, deep trees, full rings,
 * callers without a slot. */
#include "pools.h"

/* --- errors ----------------------------------------------------------------------- */

struct branch {
    int value;
    atomic_uint runs;
};

static int branch_run(filch_worker *w, void *ctx)
{
    struct branch *branch = ctx;

    atomic_fetch_add(&branch->runs, w != NULL);
    return branch->value;
}

struct pair {
    struct branch a, b;
    int value;
};

static int join_pair(filch_worker *w, void *ctx)
{
    struct pair *pair = ctx;

    pair->value = filch_join(w, branch_run, &pair->a, branch_run, &pair->b);
    return 0;
}

static void a_join_returns_the_error_of_its_first_branch_first(void **state)
{
    static const int values[] = {0, 5, -7, INT32_MIN};
    size_t a, b;
    int round;

    for (a = 0; a < COUNT_OF(values); a++)
        for (b = 0; b < COUNT_OF(values); b++)
            for (round = 0; round < 50; round++) {
                struct pair pair = {.a = {values[a], 0}, .b = {values[b], 0}};

                assert_int_equal(filch_run(join_pair, &pair, .pool = *state), 0);
                assert_int_equal(pair.value, values[a] ? values[a] : values[b]);
                assert_int_equal(atomic_load(&pair.a.runs), 1);
                if (values[a])
                    assert_in_range(atomic_load(&pair.b.runs), 0, 1);
                else
                    assert_int_equal(atomic_load(&pair.b.runs), 1);
            }
}

static void outside_a_pool_a_join_uses_the_default_pool(void **state)
{
    struct branch a = {0, 0}, b = {0, 0};

    (void)state;
    assert_int_equal(filch_join(NULL, branch_run, &a, branch_run, &b), 0);
    assert_int_equal(atomic_load(&a.runs), 1);
    assert_int_equal(atomic_load(&b.runs), 1);
    b.value = -3;
    assert_int_equal(filch_join(NULL, branch_run, &a, branch_run, &b), -3);
    a.value = 8;
    assert_int_equal(filch_join(NULL, branch_run, &a, branch_run, &b), 8);
}

static int answer(filch_worker *w, void *ctx)
{
    return filch_worker_current() == w ? *(int *)ctx : -1;
}

static void run_returns_the_value_of_its_body(void **state)
{
    int value = 12345;

    assert_int_equal(filch_run(answer, &value, .pool = *state), 12345);
    assert_null(filch_worker_current());
}

static int count_run(filch_worker *w, void *ctx)
{
    (void)w;
    return ++*(int *)ctx;
}

static void a_run_with_wrong_arguments_runs_nothing(void **state)
{
    int runs = 0;
    filch_opts opts = *FILCH_OPTS(&runs, .pool = *state);

    assert_int_equal(filch_run(NULL, &runs, .pool = *state), -EINVAL);
    opts.struct_size -= 8;
    assert_int_equal(filch_run_with(count_run, &opts), -EINVAL);
    opts.struct_size += 8;
    opts.abi = 77;
    assert_int_equal(filch_run_with(count_run, &opts), -EINVAL);
    opts.abi = FILCH_HOT_ABI;
    for (opts.max_workers = 2; opts.max_workers < filch_pool_workers(*state);
         opts.max_workers++)
        assert_int_equal(filch_run_with(count_run, &opts), -EINVAL);
    assert_int_equal(runs, 0);
    assert_int_equal(filch_run_with(count_run, &opts), 1);
}

/* --- trees ------------------------------------------------------------------------ */

struct fib {
    filch_job job;
    int n;
    long result;
};

static long fib_fork(filch_worker *w, int n);

static void fib_run(filch_worker *w, filch_job *job)
{
    struct fib *fib = (struct fib *)(void *)job; /* the first member */

    fib->result = fib_fork(w, fib->n);
}

static long fib_fork(filch_worker *w, int n)
{
    struct fib right = {.job.run = fib_run, .n = n - 2};
    int64_t place;
    long left;

    if (n < 2)
        return n;
    place = filch_fork(w, &right.job);
    left = fib_fork(w, n - 1);
    if (filch_reclaim(w, &right.job, place))
        return left + fib_fork(w, n - 2);
    filch_await(w, &right.job);
    return left + right.result;
}

struct fib_call {
    int n;
    long result;
};

static int fib_fork_run(filch_worker *w, void *ctx)
{
    struct fib_call *call = ctx;

    call->result = fib_fork(w, call->n);
    return 0;
}

static int fib_join(filch_worker *w, void *ctx)
{
    struct fib_call *call = ctx;
    struct fib_call left = {call->n - 1, 0}, right = {call->n - 2, 0};

    if (call->n < 2) {
        call->result = call->n;
        return 0;
    }
    if (filch_join(w, fib_join, &left, fib_join, &right))
        return -1;
    call->result = left.result + right.result;
    return 0;
}

static void a_tree_of_forks_computes_what_a_serial_one_does(void **state)
{
    static const long expected[] = {0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
    struct fib_call call;
    int round;

    for (call.n = 0; call.n < (int)COUNT_OF(expected); call.n++) {
        assert_int_equal(filch_run(fib_fork_run, &call, .pool = *state), 0);
        assert_int_equal(call.result, expected[call.n]);
        assert_int_equal(filch_run(fib_join, &call, .pool = *state), 0);
        assert_int_equal(call.result, expected[call.n]);
    }
    for (round = 0; round < 5; round++) {
        call.n = IS_TSAN ? 18 : 24;
        assert_int_equal(filch_run(fib_fork_run, &call, .pool = *state), 0);
        assert_int_equal(call.result, IS_TSAN ? 2584 : 46368);
        call.result = 0;
        assert_int_equal(filch_run(fib_join, &call, .pool = *state), 0);
        assert_int_equal(call.result, IS_TSAN ? 2584 : 46368);
    }
}

/* Fails at one leaf of the tree; leaves are numbered from the left. */
struct leaves {
    size_t begin, end, failing;
};

static int find_failing(filch_worker *w, void *ctx)
{
    struct leaves *leaves = ctx, left = *leaves, right = *leaves;

    if (leaves->end - leaves->begin == 1)
        return leaves->begin >= leaves->failing ? (int)leaves->begin + 1 : 0;
    left.end = right.begin = leaves->begin + (leaves->end - leaves->begin) / 2;
    return filch_join(w, find_failing, &left, find_failing, &right);
}

static void the_leftmost_error_of_a_tree_comes_out(void **state)
{
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 300; round++) {
        struct leaves leaves = {0, 1 + random_below(&random, 500), 0};

        leaves.failing = random_below(&random, leaves.end);
        assert_int_equal(filch_run(find_failing, &leaves, .pool = *state),
                         leaves.failing + 1);
    }
}

/* --- deep, and more forks than a ring has slots ----------------------------------- */

/* Deeper than the ring is long, by far. ASan makes the frames several times as large. */
#define LEVELS (IS_ASAN ? 8000 : 20000)

struct level {
    atomic_size_t *leaves;
    unsigned below;
};

static int leaf(filch_worker *w, void *ctx)
{
    const struct level *level = ctx;

    (void)w;
    /* Now and then there is time to steal what lies above, far from the leaf. */
    if (atomic_fetch_add(level->leaves, 1) % 2000 == 999)
        sleep_us(100);
    return 0;
}

static int go_left(filch_worker *w, void *ctx)
{
    struct level next = *(struct level *)ctx;

    if (next.below-- == 0)
        return 0;
    return filch_join(w, go_left, &next, leaf, &next);
}

static int go_right(filch_worker *w, void *ctx)
{
    struct level next = *(struct level *)ctx;

    if (next.below-- == 0)
        return 0;
    return filch_join(w, leaf, &next, go_right, &next);
}

struct deep {
    filch_pool *pool;
    filch_task *task;
    int value;
    size_t leaves;
};

static void *deep_thread(void *arg)
{
    struct deep *deep = arg;
    atomic_size_t leaves = 0;
    struct level level = {&leaves, LEVELS};

    deep->value = filch_run(deep->task, &level, .pool = deep->pool);
    deep->leaves = atomic_load(&leaves);
    return NULL;
}

static uint64_t steals_of(filch_pool *pool)
{
    filch_stats stats = {.struct_size = sizeof stats};

    assert_int_equal(filch_stats_get(pool, &stats), 0);
    return stats.steals_got;
}

static void check_deep(filch_pool *pool, filch_task *task)
{
    struct deep deep = {.pool = pool, .task = task};
    uint64_t steals = steals_of(pool);
    int round;

    for (round = 0; round < 5; round++) {
        run_threads(1, deep_thread, &deep);
        assert_int_equal(deep.value, 0);
        assert_int_equal(deep.leaves, LEVELS);
    }
    /* Parts of the tree were run by others, and waited for, along the way. */
    if (filch_pool_workers(pool) > 1)
        assert_true(steals_of(pool) >= steals + 5);
}

static void a_tree_of_20000_levels_to_the_left_fits_a_stack(void **state)
{
    check_deep(*state, go_left);
}

static void a_tree_of_20000_levels_to_the_right_fits_a_stack(void **state)
{
    check_deep(*state, go_right);
}

/* Many forks by one frame, reclaimed in reverse order. */
struct counted {
    filch_job job;
    int runs;
};

static void counted_run(filch_worker *w, filch_job *job)
{
    (void)w;
    ((struct counted *)(void *)job)->runs++;
}

static int fork_many(filch_worker *w, void *ctx)
{
    enum { FORKS = 3 * FILCH_RING_SLOTS + 5 };
    static struct counted counted[FORKS];
    static int64_t place[FORKS];
    int i, count = *(int *)ctx, wrong = 0;

    for (i = 0; i < count; i++) {
        counted[i] = (struct counted){.job.run = counted_run};
        place[i] = filch_fork(w, &counted[i].job);
    }
    while (i-- > 0) {
        if (filch_reclaim(w, &counted[i].job, place[i]))
            counted[i].runs++;
        else
            filch_await(w, &counted[i].job);
    }
    for (i = 0; i < count; i++)
        wrong += counted[i].runs != 1;
    return wrong;
}

static void forks_beyond_the_ring_are_run_by_their_forker(void **state)
{
    static const int counts[] = {1,
                                 FILCH_RING_SLOTS - 2,
                                 FILCH_RING_SLOTS - 1,
                                 FILCH_RING_SLOTS,
                                 FILCH_RING_SLOTS + 1,
                                 3 * FILCH_RING_SLOTS + 5};
    size_t i;
    int round;

    for (round = 0; round < 5; round++)
        for (i = 0; i < COUNT_OF(counts); i++)
            assert_int_equal(
                filch_run(fork_many, (void *)(uintptr_t)&counts[i], .pool = *state), 0);
}

/* --- tasks above a job ------------------------------------------------------------ */

struct above {
    filch_scope *scope;
    atomic_uint tasks;
    int depth;
    atomic_uint wrong;
};

static int count_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct above *above = *(struct above **)ctx;

    (void)w;
    (void)scope;
    atomic_fetch_add(&above->tasks, 1);
    return 0;
}

static int spawn_some(filch_worker *w, void *ctx)
{
    struct above *above = ctx;
    int i;

    for (i = 0; i < 3; i++)
        if (filch_spawn(w, above->scope, count_task, &above, sizeof above))
            atomic_fetch_add(&above->wrong, 1);
    return 0;
}

struct above_level {
    struct above *above;
    int depth;
};

/* Tasks of the scope around it come to lie above, between and below the jobs. */
static int spawn_and_join(filch_worker *w, void *ctx)
{
    struct above_level next = *(struct above_level *)ctx;

    spawn_some(w, next.above);
    if (next.depth-- == 0)
        return 0;
    if (filch_join(w, spawn_and_join, &next, spawn_and_join, &next))
        atomic_fetch_add(&next.above->wrong, 1);
    return spawn_some(w, next.above);
}

static int above_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct above *above = ctx;
    struct above_level level = {above, above->depth};

    above->scope = scope;
    return spawn_and_join(w, &level);
}

static void tasks_for_an_outer_scope_may_be_spawned_before_a_reclaim(void **state)
{
    int depth, round;

    for (round = 0; round < 10; round++)
        for (depth = 0; depth < 7; depth++) {
            struct above above = {.depth = depth};
            unsigned inner = (1u << depth) - 1, leaves = 1u << depth;

            assert_int_equal(filch_scope(above_body, &above, .pool = *state), 0);
            assert_int_equal(atomic_load(&above.wrong), 0);
            assert_int_equal(atomic_load(&above.tasks), 6 * inner + 3 * leaves);
        }
}

/* --- callers without a slot ------------------------------------------------------- */

struct crowd {
    filch_pool *pool;
    pthread_barrier_t all_in;
    atomic_uint wrong, alone;
};

static int add_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    atomic_fetch_add((atomic_size_t *)ctx, end - begin);
    return 0;
}

static int add_to_acc(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    (void)ctx;
    *(size_t *)acc += end - begin;
    return 0;
}

static void add_accs(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

static int scope_of_ten(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct above *above = ctx;
    int i;

    for (i = 0; i < 10; i++)
        if (filch_spawn(w, scope, count_task, &above, sizeof above))
            return -1;
    if (filch_sync(w, scope) || atomic_load(&above->tasks) != 10)
        return -2;
    return filch_spawn(w, scope, count_task, &above, sizeof above);
}

static int crowd_body(filch_worker *w, void *ctx)
{
    struct crowd *crowd = ctx;
    atomic_size_t items = 0;
    size_t sum = 0;
    struct above above = {0};
    struct fib_call call = {10, 0};

    /* Nobody leaves before all have come. */
    pthread_barrier_wait(&crowd->all_in);
    if (filch_lane_limit(.worker = w) == 1)
        atomic_fetch_add(&crowd->alone, 1);
    if (filch_for(0, 1000, add_range, &items, .worker = w, .grain = 1) ||
        atomic_load(&items) != 1000 ||
        filch_reduce(0, 1000, &sum, sizeof sum, add_to_acc, add_accs, NULL,
                     .worker = w) ||
        sum != 1000 || filch_scope(scope_of_ten, &above, .worker = w) ||
        atomic_load(&above.tasks) != 11 || fib_join(w, &call) || call.result != 55 ||
        fib_fork(w, 10) != 55)
        atomic_fetch_add(&crowd->wrong, 1);
    pthread_barrier_wait(&crowd->all_in);
    return 0;
}

static void *crowd_thread(void *arg)
{
    struct crowd *crowd = arg;

    if (filch_run(crowd_body, crowd, .pool = crowd->pool))
        atomic_fetch_add(&crowd->wrong, 1);
    return NULL;
}

static void more_callers_than_slots_work_alone(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    unsigned slots = workers > 8 ? workers : 8, callers = slots + 5;
    struct crowd crowd = {.pool = *state};
    int round;

    assert_int_equal(pthread_barrier_init(&crowd.all_in, NULL, callers), 0);
    for (round = 0; round < 5; round++) {
        run_threads(callers, crowd_thread, &crowd);
        assert_int_equal(atomic_load(&crowd.wrong), 0);
        assert_int_equal(atomic_exchange(&crowd.alone, 0), workers == 1 ? callers : 5);
    }
    pthread_barrier_destroy(&crowd.all_in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_join_returns_the_error_of_its_first_branch_first),
        cmocka_unit_test(outside_a_pool_a_join_uses_the_default_pool),
        ON_POOLS(run_returns_the_value_of_its_body),
        ON_POOLS(a_run_with_wrong_arguments_runs_nothing),
        ON_POOLS(a_tree_of_forks_computes_what_a_serial_one_does),
        ON_POOLS(the_leftmost_error_of_a_tree_comes_out),
        ON_POOLS(a_tree_of_20000_levels_to_the_left_fits_a_stack),
        ON_POOLS(a_tree_of_20000_levels_to_the_right_fits_a_stack),
        ON_POOLS(forks_beyond_the_ring_are_run_by_their_forker),
        ON_POOLS(tasks_for_an_outer_scope_may_be_spawned_before_a_reclaim),
        ON_POOLS(more_callers_than_slots_work_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
