/* test_scope_pools.c - scopes and other pools, and scopes with a limit: tasks that are
 * spawned on a worker of another pool, .max_workers of filch_scope and filch_run. */
#include "marks.h"

/* --- tasks from another pool ------------------------------------------------------ */

/* The scope's body, on pool a, calls a path to where the tasks are spawned. */
struct crossing {
    struct marks marks;
    filch_pool *a, *b;
    filch_scope *scope;
    atomic_size_t next;
    atomic_uint trees;
    int (*path)(filch_worker *w, struct crossing *crossing);
};

#define BATCH 100
#define DEPTH 7

struct tree {
    atomic_uint *trees;
    int depth;
};

/* Two more of itself, for which it does not wait. */
static int tree_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct tree *tree = ctx;
    int err = 0;

    atomic_fetch_add(tree->trees, 1);
    if (tree->depth-- > 0) {
        err = filch_spawn(w, scope, tree_task, tree, sizeof *tree);
        err = err ? err : filch_spawn(w, scope, tree_task, tree, sizeof *tree);
    }
    return err;
}

static int spawn_batch(filch_worker *w, void *ctx)
{
    struct crossing *crossing = ctx;
    size_t begin = atomic_fetch_add(&crossing->next, BATCH), i;
    struct tree tree = {&crossing->trees, DEPTH};

    for (i = begin; i < begin + BATCH; i++) {
        struct mark mark = {&crossing->marks, i};

        if (filch_spawn(w, crossing->scope, mark_task, &mark, sizeof mark))
            return -1;
    }
    return filch_spawn(w, crossing->scope, tree_task, &tree, sizeof tree);
}

static int spawn_batch_in_loop(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    return spawn_batch(w, ctx);
}

static int by_run(filch_worker *w, struct crossing *crossing)
{
    int err = spawn_batch(w, crossing);

    err = err ? err : filch_run(spawn_batch, crossing, .pool = crossing->b);
    return err ? err : spawn_batch(w, crossing);
}

static int by_serial_loop(filch_worker *w, struct crossing *crossing)
{
    int err = spawn_batch(w, crossing);

    err = err ? err
              : filch_for(0, 2, spawn_batch_in_loop, crossing, .pool = crossing->b,
                          .max_workers = 1);
    return err ? err : spawn_batch(w, crossing);
}

static int by_loop(filch_worker *w, struct crossing *crossing)
{
    int err = spawn_batch(w, crossing);

    err = err ? err
              : filch_for(0, 4, spawn_batch_in_loop, crossing, .pool = crossing->b,
                          .grain = 1);
    return err ? err : spawn_batch(w, crossing);
}

static int back_into_a(filch_worker *w, void *ctx)
{
    struct crossing *crossing = ctx;

    (void)w;
    return filch_run(spawn_batch, crossing, .pool = crossing->a);
}

static int there_and_back(filch_worker *w, struct crossing *crossing)
{
    int err = spawn_batch(w, crossing);

    err = err ? err : filch_run(back_into_a, crossing, .pool = crossing->b);
    return err ? err : spawn_batch(w, crossing);
}

static int crossing_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct crossing *crossing = ctx;

    crossing->scope = scope;
    return crossing->path(w, crossing);
}

static void check_path(filch_pool *pool,
                       int (*path)(filch_worker *w, struct crossing *crossing))
{
    static const unsigned others[] = {1, 2, 4};
    size_t i, count;
    int round;

    for (i = 0; i < COUNT_OF(others); i++) {
        filch_pool *other;

        assert_int_equal(
            filch_pool_create(&other, FILCH_POOL_OPTIONS(.workers = others[i])), 0);
        for (round = 0; round < 20; round++) {
            struct crossing crossing = {.a = pool, .b = other, .path = path};

            assert_int_equal(filch_scope(crossing_body, &crossing, .pool = pool), 0);
            count = atomic_load(&crossing.next);
            assert_in_range(count, 3 * BATCH, TASKS);
            check_marks(&crossing.marks, count);
            assert_int_equal(atomic_load(&crossing.trees),
                             count / BATCH * ((2u << DEPTH) - 1));
        }
        filch_pool_destroy(other);
    }
}

static void tasks_spawned_in_a_run_on_another_pool_all_run(void **state)
{
    check_path(*state, by_run);
}

static void tasks_spawned_in_a_serial_loop_on_another_pool_all_run(void **state)
{
    check_path(*state, by_serial_loop);
}

static void tasks_spawned_in_a_loop_on_another_pool_all_run(void **state)
{
    check_path(*state, by_loop);
}

static void tasks_spawned_where_the_pool_was_left_and_entered_again_all_run(void **state)
{
    check_path(*state, there_and_back);
}

/* --- limits ----------------------------------------------------------------------- */

#define SLEEPERS 30 /* of a millisecond: time enough for others to come, if they may */

struct limited {
    pthread_t caller;
    atomic_uint ran, elsewhere;
};

static void note(struct limited *limited)
{
    atomic_fetch_add(&limited->ran, 1);
    if (!pthread_equal(pthread_self(), limited->caller))
        atomic_fetch_add(&limited->elsewhere, 1);
}

static int sleeping_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    note(ctx);
    sleep_us(1000);
    return 0;
}

static int spawn_sleepers(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    note(ctx);
    for (i = 0; i < SLEEPERS; i++)
        err |= filch_spawn(w, scope, sleeping_task, ctx, 0);
    sleep_us(1000);
    return err;
}

static int sleeping_item(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (; begin < end; begin++) {
        note(ctx);
        sleep_us(1000);
    }
    return 0;
}

static int sleeping_branch(filch_worker *w, void *ctx)
{
    return sleeping_item(w, 0, 1, ctx);
}

/* All kinds of calls that could bring others in. */
static int run_sleepers(filch_worker *w, void *ctx)
{
    int i, err = 0;

    note(ctx);
    for (i = 0; i < 4; i++)
        err |= filch_join(w, sleeping_branch, ctx, sleeping_branch, ctx);
    err |= filch_for(0, 10, sleeping_item, ctx, .worker = w, .grain = 1);
    return err | filch_scope(spawn_sleepers, ctx, .worker = w);
}

static int scope_with_limit(struct limited *limited, filch_pool *pool, unsigned most)
{
    return filch_scope(spawn_sleepers, limited, .pool = pool, .max_workers = most);
}

static int run_with_limit(struct limited *limited, filch_pool *pool, unsigned most)
{
    return filch_run(run_sleepers, limited, .pool = pool, .max_workers = most);
}

typedef int call_with_limit(struct limited *limited, filch_pool *pool, unsigned most);

static const struct {
    call_with_limit *call;
    unsigned notes;
} kinds[] = {{scope_with_limit, 1 + SLEEPERS},
             {run_with_limit, 1 + 4 * 2 + 10 + 1 + SLEEPERS}};

static void with_max_workers_1_all_is_on_the_calling_thread(void **state)
{
    size_t k;

    for (k = 0; k < COUNT_OF(kinds); k++) {
        struct limited limited = {.caller = pthread_self()};

        assert_int_equal(kinds[k].call(&limited, *state, 1), 0);
        assert_int_equal(atomic_load(&limited.ran), kinds[k].notes);
        assert_int_equal(atomic_load(&limited.elsewhere), 0);
    }
}

static int limit_inside(filch_worker *w, void *ctx)
{
    int err = filch_scope(spawn_sleepers, ctx, .worker = w, .max_workers = 1);

    return err ? err : filch_run(run_sleepers, ctx, .worker = w, .max_workers = 1);
}

static void with_max_workers_1_a_nested_call_stays_on_its_thread(void **state)
{
    struct limited limited = {.caller = pthread_self()};

    assert_int_equal(filch_run(limit_inside, &limited, .pool = *state), 0);
    assert_int_equal(atomic_load(&limited.ran), kinds[0].notes + kinds[1].notes);
    assert_int_equal(atomic_load(&limited.elsewhere), 0);
}

static void a_limit_between_1_and_the_workers_is_refused(void **state)
{
    unsigned workers = filch_pool_workers(*state), most;
    size_t k;

    for (k = 0; k < COUNT_OF(kinds); k++)
        for (most = 2; most < workers; most++) {
            struct limited limited = {.caller = pthread_self()};

            assert_int_equal(kinds[k].call(&limited, *state, most), -EINVAL);
            assert_int_equal(atomic_load(&limited.ran), 0);
        }
}

static void a_limit_of_the_workers_or_more_is_none(void **state)
{
    unsigned workers = filch_pool_workers(*state), more;
    size_t k;

    for (k = 0; k < COUNT_OF(kinds); k++)
        for (more = 0; more < 2; more++) {
            struct limited limited = {.caller = pthread_self()};

            assert_int_equal(kinds[k].call(&limited, *state, workers + more), 0);
            assert_int_equal(atomic_load(&limited.ran), kinds[k].notes);
            if (workers > 1)
                assert_in_range(atomic_load(&limited.elsewhere), 1, kinds[k].notes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(tasks_spawned_in_a_run_on_another_pool_all_run),
        ON_POOLS(tasks_spawned_in_a_serial_loop_on_another_pool_all_run),
        ON_POOLS(tasks_spawned_in_a_loop_on_another_pool_all_run),
        ON_POOLS(tasks_spawned_where_the_pool_was_left_and_entered_again_all_run),
        ON_POOLS(with_max_workers_1_all_is_on_the_calling_thread),
        ON_POOLS(with_max_workers_1_a_nested_call_stays_on_its_thread),
        ON_POOL(a_limit_between_1_and_the_workers_is_refused, 3),
        ON_POOL(a_limit_between_1_and_the_workers_is_refused, 4),
        ON_POOL(a_limit_between_1_and_the_workers_is_refused, 8),
        ON_POOLS(a_limit_of_the_workers_or_more_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
