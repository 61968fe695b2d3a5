/* test_room.c - scopes where tasks find no room: callers for whom the pool has no worker
 * slot free, and full deques. Every task runs once with its own copy of the context, and
 * chains of tasks do not eat up the stack. */
#include "marks.h"

#define CHAIN 100000

struct chain {
    atomic_size_t *links;
    size_t left;
};

/* The next one is spawned by the one before. */
static int chain_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct chain *chain = ctx;

    atomic_fetch_add(chain->links, 1);
    if (chain->left-- == 0)
        return 0;
    return filch_spawn(w, scope, chain_task, chain, sizeof *chain);
}

/* --- no worker slot --------------------------------------------------------------- */

#define GUESTS 8 /* of a pool of up to 8 workers */

struct guests {
    filch_pool *pool;
    atomic_uint in, released, wrong;
};

static int stay(filch_worker *w, void *ctx)
{
    struct guests *guests = ctx;

    (void)w;
    atomic_fetch_add(&guests->in, 1);
    return wait_for(&guests->released, 1) ? 0 : -1;
}

static void *be_guest(void *arg)
{
    struct guests *guests = arg;

    if (filch_run(stay, guests, .pool = guests->pool))
        atomic_fetch_add(&guests->wrong, 1);
    return NULL;
}

/* Call test while threads inside bodies have all the slots. */
static void without_slots(filch_pool *pool, void (*test)(filch_pool *pool))
{
    struct guests guests = {.pool = pool};
    pthread_t thread[GUESTS];
    int i;

    for (i = 0; i < GUESTS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, be_guest, &guests), 0);
    assert_true(wait_for(&guests.in, GUESTS));
    test(pool);
    atomic_store(&guests.released, 1);
    for (i = 0; i < GUESTS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&guests.wrong), 0);
}

struct tree {
    atomic_uint *leaves;
    size_t bytes;
    int depth;
};

/* More than a worker keeps for the next task. */
struct large_tree {
    struct tree tree;
    char rest[1000];
};

/* Changes its copy, and spawns two more with it, for which it does not wait. */
static int tree_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct tree *tree = ctx;
    int err;

    if (tree->depth-- == 0) {
        atomic_fetch_add(tree->leaves, 1);
        return 0;
    }
    err = filch_spawn(w, scope, tree_task, tree, tree->bytes);
    return err ? err : filch_spawn(w, scope, tree_task, tree, tree->bytes);
}

/* The caller works alone: nobody can take a task from it. */
static int lane_limit(filch_worker *w, void *ctx)
{
    (void)ctx;
    return (int)filch_lane_limit(.worker = w);
}

static void grow_trees(filch_pool *pool)
{
    int depth;

    assert_int_equal(filch_run(lane_limit, NULL, .pool = pool), 1);
    for (depth = 0; depth <= 13; depth++) {
        atomic_uint leaves = 0;
        struct large_tree large = {.tree = {&leaves, sizeof large.tree, depth}};

        assert_int_equal(filch_scope(tree_task, &large, .pool = pool), 0);
        assert_int_equal(atomic_load(&leaves), 1u << depth);
        large.tree.bytes = sizeof large;
        large.tree.depth = depth;
        assert_int_equal(filch_scope(tree_task, &large, .pool = pool), 0);
        assert_int_equal(atomic_load(&leaves), 2u << depth);
    }
}

static void without_a_worker_slot_each_task_has_its_own_copy(void **state)
{
    without_slots(*state, grow_trees);
}

static void run_chain(filch_pool *pool)
{
    atomic_size_t links = 0;
    struct chain chain = {&links, CHAIN};

    assert_int_equal(filch_run(lane_limit, NULL, .pool = pool), 1);
    assert_int_equal(filch_scope(chain_task, &chain, .pool = pool), 0);
    assert_int_equal(atomic_load(&links), CHAIN + 1);
}

static void without_a_worker_slot_a_chain_needs_no_more_stack_than_a_task(void **state)
{
    without_slots(*state, run_chain);
}

static int sync_halfway(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct mark mark = {ctx, 0};
    int err = 0;

    for (; mark.at < TASKS; mark.at++) {
        err |= filch_spawn(w, scope, mark_task, &mark, sizeof mark);
        if (mark.at == TASKS / 2)
            err |= filch_sync(w, scope);
    }
    return err;
}

static void run_marks(filch_pool *pool)
{
    struct marks marks = {{0}, 0};

    assert_int_equal(filch_scope(sync_halfway, &marks, .pool = pool), 0);
    check_marks(&marks, TASKS);
}

static void without_a_worker_slot_every_task_runs_once(void **state)
{
    without_slots(*state, run_marks);
}

/* --- a full deque ----------------------------------------------------------------- */

/* The other workers are held in tasks until the body is over, so that its deque is full
 * when the chain begins. */
struct full {
    filch_worker *owner;
    unsigned others;
    size_t count;
    atomic_uint held, is_over, wrong;
    atomic_size_t links;
    unsigned char hits[2 * FILCH_RING_SLOTS];
};

struct hit {
    struct full *full;
    size_t at;
};

static int hit_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct hit *hit = ctx;
    struct full *full = hit->full;

    (void)scope;
    full->hits[hit->at]++;
    if (w != full->owner && !atomic_load(&full->is_over)) {
        atomic_fetch_add(&full->held, 1);
        if (!wait_for(&full->is_over, 1))
            atomic_fetch_add(&full->wrong, 1);
    }
    return 0;
}

static int fill_and_chain(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct full *full = ctx;
    struct chain chain = {&full->links, CHAIN};
    struct hit hit = {full, 0};
    int err = 0;

    full->owner = w;
    for (; hit.at < full->others; hit.at++)
        err |= filch_spawn(w, scope, hit_task, &hit, sizeof hit);
    if (!wait_for(&full->held, full->others))
        err = -1;
    for (; hit.at < full->count; hit.at++)
        err |= filch_spawn(w, scope, hit_task, &hit, sizeof hit);
    err |= filch_spawn(w, scope, chain_task, &chain, sizeof chain);
    atomic_store(&full->is_over, 1);
    return err;
}

static void behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task(void **state)
{
    static const size_t counts[] = {FILCH_RING_SLOTS - 2, FILCH_RING_SLOTS - 1,
                                    FILCH_RING_SLOTS, FILCH_RING_SLOTS + 1,
                                    FILCH_RING_SLOTS + 1000};
    static struct full full;
    size_t c, i;

    for (c = 0; c < COUNT_OF(counts); c++) {
        memset(&full, 0, sizeof full);
        full.others = filch_pool_workers(*state) - 1;
        full.count = counts[c] + full.others;
        assert_int_equal(filch_scope(fill_and_chain, &full, .pool = *state), 0);
        assert_int_equal(atomic_load(&full.wrong), 0);
        assert_int_equal(atomic_load(&full.links), CHAIN + 1);
        for (i = 0; i < full.count; i++)
            assert_int_equal(full.hits[i], 1);
    }
}

static void
alone_behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task(void **state)
{
    static struct full full;
    size_t i;

    memset(&full, 0, sizeof full);
    full.count = FILCH_RING_SLOTS + 1000;
    assert_int_equal(filch_scope(fill_and_chain, &full, .pool = *state, .max_workers = 1),
                     0);
    assert_int_equal(atomic_load(&full.links), CHAIN + 1);
    for (i = 0; i < full.count; i++)
        assert_int_equal(full.hits[i], 1);
}

/* --- a chain from another pool ---------------------------------------------------- */

struct elsewhere {
    filch_pool *pool;
    filch_scope *scope;
    atomic_size_t links;
};

static int begin_chain(filch_worker *w, void *ctx)
{
    struct elsewhere *elsewhere = ctx;
    struct chain chain = {&elsewhere->links, CHAIN};

    return filch_spawn(w, elsewhere->scope, chain_task, &chain, sizeof chain);
}

static int go_elsewhere(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct elsewhere *elsewhere = ctx;

    (void)w;
    elsewhere->scope = scope;
    return filch_run(begin_chain, elsewhere, .pool = elsewhere->pool);
}

static void from_another_pool_a_chain_needs_no_more_stack_than_a_task(void **state)
{
    struct elsewhere elsewhere = {0};

    assert_int_equal(filch_pool_create(&elsewhere.pool, FILCH_POOL_OPTIONS(.workers = 2)),
                     0);
    assert_int_equal(filch_scope(go_elsewhere, &elsewhere, .pool = *state), 0);
    assert_int_equal(atomic_load(&elsewhere.links), CHAIN + 1);
    filch_pool_destroy(elsewhere.pool);
}

/* --- a run alone ------------------------------------------------------------------- */

/* The worker of a run with .max_workers = 1 is gone when the run returns; the tasks that found
 * no room in its deque may run later. */
struct passing {
    filch_pool *pool;
    filch_scope *scope;
    atomic_size_t links, hits;
};

static int count_hit(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct passing *passing = *(struct passing **)ctx;

    (void)w;
    (void)scope;
    atomic_fetch_add(&passing->hits, 1);
    return 0;
}

static int fill_and_leave(filch_worker *w, void *ctx)
{
    struct passing *passing = ctx;
    struct chain chain = {&passing->links, CHAIN};
    int i, err = 0;

    for (i = 0; i < FILCH_RING_SLOTS + 1000; i++)
        err |= filch_spawn(w, passing->scope, count_hit, &passing, sizeof passing);
    return err | filch_spawn(w, passing->scope, chain_task, &chain, sizeof chain);
}

static int run_alone_twice(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct passing *passing = ctx;
    int err;

    (void)w;
    passing->scope = scope;
    err = filch_run(fill_and_leave, passing, .pool = passing->pool, .max_workers = 1);
    return err |
           filch_run(fill_and_leave, passing, .pool = passing->pool, .max_workers = 1);
}

static void tasks_outlive_the_worker_of_a_run_alone(void **state)
{
    struct passing passing = {.pool = *state};

    assert_int_equal(filch_scope(run_alone_twice, &passing, .pool = *state), 0);
    assert_int_equal(atomic_load(&passing.hits), 2 * (FILCH_RING_SLOTS + 1000));
    assert_int_equal(atomic_load(&passing.links), 2 * (CHAIN + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(without_a_worker_slot_each_task_has_its_own_copy),
        ON_POOLS(without_a_worker_slot_a_chain_needs_no_more_stack_than_a_task),
        ON_POOLS(without_a_worker_slot_every_task_runs_once),
        ON_POOL(behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task, 1),
        ON_POOL(behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task, 2),
        ON_POOL(behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task, 4),
        ON_POOLS(alone_behind_a_full_deque_a_chain_needs_no_more_stack_than_a_task),
        ON_POOLS(from_another_pool_a_chain_needs_no_more_stack_than_a_task),
        ON_POOLS(tasks_outlive_the_worker_of_a_run_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
