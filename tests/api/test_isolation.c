/* test_isolation.c - a thread that waits in a parallel call runs only what that call
 * made.
 *
 * Every kind of outer call (loop, scope, tree of joins, callers from outside) holds every
 * kind of nested call. An outer piece marks its thread, and what it owns, before the
 * nested call and looks again after it: a piece of the outer call that is run in between,
 * by the thread that waits, finds the mark.
 */
#include "pools.h"

struct outer;

/* How a piece of the outer call makes a nested one. */
typedef int nested_call(filch_worker *w, atomic_uint *runs);

struct outer {
    nested_call *nested;
    pthread_mutex_t *lock;   /* held across the nested call, or NULL */
    unsigned (*scratch)[16]; /* one line a lane, or NULL */
    unsigned pieces;
    atomic_uint arrived; /* the first ones wait for each other */
    unsigned company;
    atomic_uint runs, stamp;
    atomic_uint wrong, strangers, changed;
};

#define NESTED_RUNS 8

/* --- nested calls ----------------------------------------------------------------- */

/* Now and then a sleep: others take what is left, and there is something to wait for. */
static void be_slow(unsigned run)
{
    if (run % 8 == 3)
        sleep_us(20);
    else if (run % 2)
        sched_yield();
}

static int nested_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (; begin < end; begin++)
        be_slow(atomic_fetch_add((atomic_uint *)ctx, 1));
    return 0;
}

static int nested_loop(filch_worker *w, atomic_uint *runs)
{
    return filch_for(0, NESTED_RUNS, nested_body, runs, .worker = w, .grain = 1);
}

static int nested_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    *(size_t *)acc += end - begin;
    return nested_body(w, begin, end, ctx);
}

static void nested_add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

static int nested_reduction(filch_worker *w, atomic_uint *runs)
{
    size_t sum = 0;

    return filch_reduce(0, NESTED_RUNS, &sum, sizeof sum, nested_fold, nested_add, runs,
                        .worker = w, .grain = 1) ||
           sum != NESTED_RUNS;
}

static int nested_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    be_slow(atomic_fetch_add(*(atomic_uint **)ctx, 1));
    return 0;
}

static int nested_scope_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < NESTED_RUNS; i++) {
        err |= filch_spawn(w, scope, nested_task, &ctx, sizeof ctx);
        if (i == NESTED_RUNS / 2)
            err |= filch_sync(w, scope);
    }
    return err;
}

static int nested_scope(filch_worker *w, atomic_uint *runs)
{
    return filch_scope(nested_scope_body, runs, .worker = w);
}

struct branch {
    unsigned leaves;
    atomic_uint *runs;
};

static int nested_branch(filch_worker *w, void *ctx)
{
    struct branch *branch = ctx, half = {branch->leaves / 2, branch->runs};

    if (branch->leaves > 1)
        return filch_join(w, nested_branch, &half, nested_branch, &half);
    be_slow(atomic_fetch_add(branch->runs, 1));
    return 0;
}

static int nested_joins(filch_worker *w, atomic_uint *runs)
{
    struct branch branch = {NESTED_RUNS, runs};

    return nested_branch(w, &branch);
}

static nested_call *const nested_calls[] = {nested_loop, nested_reduction, nested_scope,
                                            nested_joins};

/* --- outer calls ------------------------------------------------------------------ */

static _Thread_local unsigned pieces_here;

/* Much longer than waking somebody takes. */
#define A_LITTLE_NS 200000u

static void hold_lock(struct outer *outer)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(PATIENCE_NS / 1000000000u);
    if (pthread_mutex_timedlock(outer->lock, &until)) {
        /* By its own thread, or for ever: nothing here can be waited for. */
        print_error("the lock is held by who waits for it\n");
        abort();
    }
}

static void wait_a_little(atomic_uint *count, unsigned least)
{
    uint64_t since = now_ns();

    while (atomic_load(count) < least && now_ns() - since < A_LITTLE_NS)
        sched_yield();
}

static void piece(filch_worker *w, struct outer *outer)
{
    atomic_uint runs = 0;
    unsigned stamp = atomic_fetch_add(&outer->stamp, 1) + 1, i;
    unsigned *scratch = outer->scratch ? outer->scratch[filch_lane(w)] : NULL;

    if (pieces_here++ > 0)
        atomic_fetch_add(&outer->strangers, 1);
    /* All workers go in together, if they come: a loop may be its caller's alone. */
    if (atomic_fetch_add(&outer->arrived, 1) < outer->company)
        wait_a_little(&outer->arrived, outer->company);
    for (i = 0; scratch && i < 16; i++)
        scratch[i] = stamp + i;
    if (outer->lock)
        hold_lock(outer);
    if (outer->nested(w, &runs) || atomic_load(&runs) != NESTED_RUNS)
        atomic_fetch_add(&outer->wrong, 1);
    if (outer->lock)
        pthread_mutex_unlock(outer->lock);
    for (i = 0; scratch && i < 16; i++)
        if (scratch[i] != stamp + i)
            atomic_fetch_add(&outer->changed, 1);
    pieces_here--;
    atomic_fetch_add(&outer->runs, 1);
}

static int outer_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    for (; begin < end; begin++)
        piece(w, ctx);
    return 0;
}

static int outer_loop(filch_pool *pool, struct outer *outer)
{
    return filch_for(0, outer->pieces, outer_body, outer, .pool = pool, .grain = 1);
}

static int outer_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)scope;
    piece(w, ctx);
    return 0;
}

static int outer_scope_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct outer *outer = ctx;
    unsigned i;
    int err = 0;

    for (i = 0; i < outer->pieces; i++)
        err |= filch_spawn(w, scope, outer_task, outer, 0);
    return err;
}

static int outer_scope(filch_pool *pool, struct outer *outer)
{
    return filch_scope(outer_scope_body, outer, .pool = pool);
}

struct outer_branch {
    struct outer *outer;
    unsigned pieces;
};

static int outer_branch(filch_worker *w, void *ctx)
{
    struct outer_branch *branch = ctx;
    struct outer_branch left = {branch->outer, branch->pieces / 2};
    struct outer_branch right = {branch->outer, branch->pieces - branch->pieces / 2};

    if (branch->pieces > 1)
        return filch_join(w, outer_branch, &left, outer_branch, &right);
    piece(w, branch->outer);
    return 0;
}

static int outer_joins(filch_pool *pool, struct outer *outer)
{
    struct outer_branch branch = {outer, outer->pieces};

    return filch_run(outer_branch, &branch, .pool = pool);
}

typedef int outer_call(filch_pool *pool, struct outer *outer);

static outer_call *const outer_calls[] = {outer_loop, outer_scope, outer_joins};

/* --- tests ------------------------------------------------------------------------ */

static void check_outer(struct outer *outer)
{
    assert_int_equal(atomic_load(&outer->runs), outer->pieces);
    assert_int_equal(atomic_load(&outer->wrong), 0);
    assert_int_equal(atomic_load(&outer->strangers), 0);
    assert_int_equal(atomic_load(&outer->changed), 0);
}

/* 1,000 times, with every outer call around every nested one. */
static void a_lock_may_be_held_across_a_nested_call(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    pthread_mutexattr_t attributes;
    pthread_mutex_t lock;
    int round;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&lock, &attributes);
    for (round = 0; round < (IS_TSAN ? 200 : 1000); round++) {
        struct outer outer = {.nested = nested_calls[round % 4],
                              .lock = &lock,
                              .pieces = workers,
                              .company = workers};

        assert_int_equal(outer_calls[round % 3](*state, &outer), 0);
        check_outer(&outer);
    }
    pthread_mutex_destroy(&lock);
    pthread_mutexattr_destroy(&attributes);
}

struct caller {
    filch_pool *pool;
    pthread_mutex_t *lock;
    atomic_uint wrong;
};

static int caller_body(filch_worker *w, void *ctx)
{
    piece(w, ctx);
    return 0;
}

static void *caller_thread(void *arg)
{
    struct caller *caller = arg;
    int round;

    for (round = 0; round < 100; round++) {
        struct outer outer = {
            .nested = nested_calls[round % 4], .lock = caller->lock, .pieces = 1};

        if (filch_run(caller_body, &outer, .pool = caller->pool) ||
            atomic_load(&outer.runs) != 1 || atomic_load(&outer.wrong) ||
            atomic_load(&outer.strangers))
            atomic_fetch_add(&caller->wrong, 1);
    }
    return NULL;
}

static void callers_from_outside_may_share_a_lock(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct caller caller = {.pool = *state, .lock = &lock};

    run_threads(6, caller_thread, &caller);
    assert_int_equal(atomic_load(&caller.wrong), 0);
}

static void who_waits_in_a_nested_call_runs_no_piece_of_the_outer_one(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    size_t kind, nested;
    int round;

    for (kind = 0; kind < COUNT_OF(outer_calls); kind++)
        for (nested = 0; nested < COUNT_OF(nested_calls); nested++)
            for (round = 0; round < 20; round++) {
                struct outer outer = {.nested = nested_calls[nested],
                                      .pieces = 4 * workers + 3,
                                      .company = workers};

                assert_int_equal(outer_calls[kind](*state, &outer), 0);
                check_outer(&outer);
            }
}

static void scratch_of_a_lane_is_left_alone_while_its_body_waits(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    unsigned scratch[8][16] = {{0}};
    size_t nested;
    int round;

    assert_true(workers <= COUNT_OF(scratch));
    for (nested = 0; nested < COUNT_OF(nested_calls); nested++)
        for (round = 0; round < 50; round++) {
            struct outer outer = {.nested = nested_calls[nested],
                                  .scratch = scratch,
                                  .pieces = 4 * workers,
                                  .company = workers};

            assert_int_equal(outer_loop(*state, &outer), 0);
            check_outer(&outer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_lock_may_be_held_across_a_nested_call),
        ON_POOLS(callers_from_outside_may_share_a_lock),
        ON_POOLS(who_waits_in_a_nested_call_runs_no_piece_of_the_outer_one),
        ON_POOLS(scratch_of_a_lane_is_left_alone_while_its_body_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
