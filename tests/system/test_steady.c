/* test_steady.c - after warming up, calls allocate nothing.
 *
 * The program's own malloc and its relatives, below, come before those of the C library,
 * for the library under test too. Not built with sanitizers, which do the same.
 */
#include "process.h"

/* --- counting --------------------------------------------------------------------- */

static atomic_uint allocations, frees;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

void *malloc(size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, bytes);
}

void free(void *block)
{
    if (block)
        atomic_fetch_add(&frees, 1);
    __libc_free(block);
}

/* --- calls ------------------------------------------------------------------------ */

/* More than a worker might keep for no reason, and less than a ring has slots. */
#define TASKS 2000

struct call {
    filch_pool *pool;
    atomic_uint arrived, wrong, spawned;
    unsigned company; /* so many bodies wait for each other */
    atomic_size_t sum;
};

static void wait_for_company(struct call *call)
{
    if (atomic_fetch_add(&call->arrived, 1) < call->company &&
        !wait_for(&call->arrived, call->company))
        atomic_fetch_add(&call->wrong, 1);
}

/* With company, a grain for each worker, and so all in the loop at once. */
static size_t grain_for(const struct call *call, size_t items)
{
    return call->company ? items / call->company : 1;
}

static int loop_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct call *call = ctx;

    wait_for_company(call);
    return sum_range(w, begin, end, &call->sum);
}

static int call_loop(struct call *call)
{
    return filch_for(0, 1000, loop_body, call, .pool = call->pool,
                     .grain = grain_for(call, 1000)) ||
           atomic_load(&call->sum) != 499500;
}

/* Only the caller needs memory. */
static int call_reduction(struct call *call)
{
    size_t sum = 0;

    return filch_reduce(0, 10000, &sum, sizeof sum, sum_fold, sum_add, NULL,
                        .pool = call->pool) ||
           sum != 49995000;
}

struct branch {
    struct call *call;
    int depth;
};

static int join_branch(filch_worker *w, void *ctx)
{
    struct branch *branch = ctx, below = {branch->call, branch->depth - 1};

    if (branch->depth > 0)
        return filch_join(w, join_branch, &below, join_branch, &below);
    wait_for_company(branch->call);
    atomic_fetch_add(&branch->call->sum, 1);
    return 0;
}

static int call_joins(struct call *call)
{
    struct branch branch = {call, 8};

    return filch_run(join_branch, &branch, .pool = call->pool) ||
           atomic_load(&call->sum) != 256;
}

/* As large as is promised to be without an allocation. */
struct context {
    struct call *call;
    char rest[64 - sizeof(struct call *)];
};

static int count_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct call *call = ((struct context *)ctx)->call;

    (void)w;
    (void)scope;
    /* While warming up no task ends before all are there: never are more of them alive. */
    if (call->company && !wait_for(&call->spawned, TASKS))
        atomic_fetch_add(&call->wrong, 1);
    wait_for_company(call);
    atomic_fetch_add(&call->sum, 1);
    return 0;
}

static int spawn_tasks(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct context context = {.call = ctx};
    int i, err = 0;

    for (i = 0; i < TASKS; i++) {
        err |= filch_spawn(w, scope, count_task, &context, sizeof context);
        atomic_fetch_add(&context.call->spawned, 1);
    }
    return err;
}

static int call_scope(struct call *call)
{
    return filch_scope(spawn_tasks, call, .pool = call->pool) ||
           atomic_load(&call->sum) != TASKS;
}

/* Scopes and reductions on each worker, in the bodies of a loop. */
static int nest_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct call *call = ctx;
    atomic_size_t spawned = 0;
    size_t sum = 0;

    (void)begin;
    wait_for_company(call);
    if (filch_scope(sum_scope, &spawned, .worker = w) ||
        atomic_load(&spawned) != 4995000 ||
        filch_reduce(0, 1000, &sum, sizeof sum, sum_fold, sum_add, NULL, .worker = w) ||
        sum != 499500)
        atomic_fetch_add(&call->wrong, 1);
    atomic_fetch_add(&call->sum, end - begin);
    return 0;
}

static int call_nest(struct call *call)
{
    return filch_for(0, 50, nest_body, call, .pool = call->pool,
                     .grain = grain_for(call, 50)) ||
           atomic_load(&call->sum) != 50;
}

static void run_rounds(filch_pool *pool, int (*run)(struct call *call), int rounds,
                       unsigned company)
{
    for (; rounds > 0; rounds--) {
        struct call call = {.pool = pool, .company = company};

        assert_int_equal(run(&call), 0);
        assert_int_equal(atomic_load(&call.wrong), 0);
    }
}

/* While warming up every worker has to take part. A small reduction is shared only when
 * the system has kept it waiting, and then each worker gets the memory for that, once: so
 * it may come later, but not again and again. */
static void assert_is_steady(filch_pool *pool, int (*run)(struct call *call))
{
    unsigned before, got = 1, freed = 1, tries;

    run_rounds(pool, run, 5, filch_pool_workers(pool));
    for (tries = 0; tries <= filch_pool_workers(pool) && got + freed > 0; tries++) {
        before = atomic_load(&allocations);
        freed = atomic_load(&frees);
        run_rounds(pool, run, 100, 0);
        got = atomic_load(&allocations) - before;
        freed = atomic_load(&frees) - freed;
    }
    assert_int_equal(got, 0);
    assert_int_equal(freed, 0);
}

/* --- tests ------------------------------------------------------------------------ */

static void loops_allocate_nothing(void **state)
{
    assert_is_steady(*state, call_loop);
}

static void reductions_allocate_nothing(void **state)
{
    assert_is_steady(*state, call_reduction);
}

static void joins_allocate_nothing(void **state)
{
    assert_is_steady(*state, call_joins);
}

static void scopes_with_small_contexts_allocate_nothing(void **state)
{
    assert_is_steady(*state, call_scope);
}

static void nested_calls_allocate_nothing(void **state)
{
    assert_is_steady(*state, call_nest);
}

static void the_counters_of_this_test_count(void **state)
{
    unsigned before = atomic_load(&allocations), freed = atomic_load(&frees);
    filch_pool *pool;

    (void)state;
    assert_int_equal(filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 1)), 0);
    filch_pool_destroy(pool);
    assert_in_range(atomic_load(&allocations) - before, 4, 1000000);
    assert_in_range(atomic_load(&frees) - freed, 4, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counters_of_this_test_count),
        ON_POOLS(loops_allocate_nothing),
        ON_POOLS(reductions_allocate_nothing),
        ON_POOLS(joins_allocate_nothing),
        ON_POOLS(scopes_with_small_contexts_allocate_nothing),
        ON_POOLS(nested_calls_allocate_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
