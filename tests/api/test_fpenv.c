/* test_fpenv.c - the floating-point environment of the caller goes with the work, and no
 * other one comes back.
 *
 * Each environment stands for a kind: rounding up and down, and denormals taken for zero.
 * What the emulator or valgrind does not keep is left out, with a word. */
#include "pools.h"
#include <fenv.h>
#include <float.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* The control words, as a test can read them without the library. */
static uint64_t control(void)
{
#if defined(__x86_64__)
    uint16_t x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (_mm_getcsr() & 0xffc0u) | (uint64_t)x87 << 32;
#elif defined(__aarch64__)
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
#else
    return (uint64_t)fegetround();
#endif
}

static void flush_denormals(bool is_on)
{
#if defined(__x86_64__)
    _mm_setcsr(is_on ? _mm_getcsr() | 0x8040u : _mm_getcsr() & ~0x8040u);
#elif defined(__aarch64__)
    uint64_t fpcr = control(), bit = UINT64_C(1) << 24;

    fpcr = is_on ? fpcr | bit : fpcr & ~bit;
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
#else
    (void)is_on;
#endif
}

enum { NEAREST, UPWARD, DOWNWARD, FLUSHED, KINDS };

static const char *const kind_name[KINDS] = {"nearest", "upward", "downward", "flushed"};

/* False: this cannot be had here. */
static bool go_to(int kind)
{
    uint64_t before;

    fesetround(FE_TONEAREST);
    flush_denormals(false);
    if (kind == UPWARD)
        return fesetround(FE_UPWARD) == 0;
    if (kind == DOWNWARD)
        return fesetround(FE_DOWNWARD) == 0;
    if (kind != FLUSHED)
        return true;
    before = control();
    flush_denormals(true);
    return control() != before;
}

/* Sums of doubles that differ with each of them. */
static double items[200000], denormals[200000], written[200000];

static int fill(void **state)
{
    uint64_t seed = 7;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(items); i++) {
        items[i] = 1.0 / (double)(3 + random_below(&seed, 1000));
        denormals[i] = DBL_MIN / (double)(1 + random_below(&seed, 7));
    }
    return 0;
}

/* --- who works, in which environment ---------------------------------------------- */

struct look {
    uint64_t expected; /* control words */
    atomic_uint wrong, arrived;
    unsigned company; /* bodies at the same time; 0: nobody waits */
};

static void look(struct look *look)
{
    if (control() != look->expected)
        atomic_fetch_add(&look->wrong, 1);
    atomic_fetch_add(&look->arrived, 1);
    if (look->company && !wait_for(&look->arrived, look->company))
        atomic_fetch_add(&look->wrong, 1000);
    if (control() != look->expected)
        atomic_fetch_add(&look->wrong, 1);
}

static int look_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)begin, (void)end;
    look(ctx);
    return 0;
}

static int look_task(filch_worker *w, void *ctx)
{
    (void)w;
    look(ctx);
    return 0;
}

static int look_spawned(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)scope;
    return look_task(w, ctx);
}

/* One item for each worker, all at the same time: so each of them has a look. */
static unsigned wrong_in_loop(filch_pool *pool)
{
    struct look it = {.expected = control(), .company = filch_pool_workers(pool)};

    assert_int_equal(filch_for(0, it.company, look_body, &it, .pool = pool, .grain = 1,
                               .max_chunk = 1),
                     0);
    return it.wrong;
}

/* Call test(pool) in each environment, and see that it comes back in that one. */
static void in_each(void **state, void (*test)(filch_pool *pool))
{
    int kind;

    for (kind = 0; kind < KINDS; kind++) {
        uint64_t before;

        if (!go_to(kind)) {
            print_message("there is no rounding \"%s\" here\n", kind_name[kind]);
            continue;
        }
        before = control();
        test(*state);
        assert_int_equal(control(), before);
        go_to(NEAREST);
        /* And nothing of it stays behind. */
        assert_int_equal(wrong_in_loop(*state), 0);
    }
}

static void loop_in(filch_pool *pool)
{
    assert_int_equal(wrong_in_loop(pool), 0);
}

static void test_bodies_of_a_loop_run_in_the_environment_of_its_caller(void **state)
{
    in_each(state, loop_in);
}

/* The second branch is stolen: the first waits for it. */
static int join_body(filch_worker *w, void *ctx)
{
    return filch_join(w, look_task, ctx, look_task, ctx);
}

static void join_in(filch_pool *pool)
{
    struct look it = {.expected = control(),
                      .company = filch_pool_workers(pool) > 1 ? 2 : 0};

    assert_int_equal(filch_run(join_body, &it, .pool = pool), 0);
    assert_int_equal(it.wrong, 0);
}

static void
test_branches_of_a_join_run_in_the_environment_of_who_entered_the_pool(void **state)
{
    in_each(state, join_in);
}

static int scope_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    unsigned i;

    for (i = 0; i < 4; i++)
        filch_spawn(w, scope, look_spawned, ctx, 0);
    return 0;
}

static void scope_in(filch_pool *pool)
{
    struct look it = {.expected = control(),
                      .company = filch_pool_workers(pool) > 1 ? 2 : 0};

    assert_int_equal(filch_scope(scope_body, &it, .pool = pool), 0);
    assert_int_equal(it.wrong, 0);
    assert_int_equal(it.arrived, 4);
}

static void test_tasks_run_in_the_environment_of_their_scopes_caller(void **state)
{
    in_each(state, scope_in);
}

/* --- environments in each other --------------------------------------------------- */

/* Bodies that change theirs and then make a call: that one's is handed on, and lasts until
 * they have changed it back. */
struct nest {
    filch_pool *pool;
    atomic_uint wrong;
};

static int nested_scope(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct look *it = ctx;

    (void)w;
    go_to(NEAREST); /* which is its own affair */
    scope_body(w, scope, ctx);
    fesetround(FE_DOWNWARD);
    atomic_fetch_add(&it->wrong, control() != it->expected);
    return 0;
}

static int nest_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest *nest = ctx;
    uint64_t before = control();
    struct look it = {.company = 0};
    struct look loop = {.company = 0};

    (void)w, (void)end;
    fesetround(begin % 2 ? FE_DOWNWARD : FE_UPWARD);
    loop.expected = control();
    filch_for(0, 100, look_body, &loop, .grain = 1, .max_chunk = 1);
    filch_run(join_body, &loop);
    fesetround(FE_DOWNWARD);
    it.expected = control();
    filch_scope(nested_scope, &it);
    fesetround(FE_TONEAREST);
    atomic_fetch_add(&nest->wrong, it.wrong + loop.wrong + (it.arrived != 4) +
                                       (loop.arrived != 102) + (control() != before));
    return 0;
}

static void test_a_nested_call_hands_on_what_the_body_has_changed_to(void **state)
{
    struct nest nest = {.pool = *state};

    go_to(NEAREST);
    assert_int_equal(filch_for(0, 200, nest_body, &nest, .pool = nest.pool, .grain = 1,
                               .max_chunk = 1),
                     0);
    assert_int_equal(nest.wrong, 0);
    assert_int_equal(wrong_in_loop(nest.pool), 0);
}

/* The same with other workers, who are idle and so have a look. */
static int nest_once(filch_worker *w, void *ctx)
{
    struct nest *nest = ctx;
    unsigned company = filch_pool_workers(nest->pool);
    struct look loop = {.company = company};
    struct look join = {.company = company > 1 ? 2 : 0};
    struct look scope = {.company = company > 1 ? 2 : 0};

    (void)w;
    fesetround(FE_DOWNWARD);
    loop.expected = join.expected = scope.expected = control();
    filch_for(0, company, look_body, &loop, .grain = 1, .max_chunk = 1);
    filch_run(join_body, &join);
    filch_scope(scope_body, &scope);
    fesetround(FE_TONEAREST);
    nest->wrong = loop.wrong + join.wrong + scope.wrong;
    return 0;
}

static void test_a_nested_call_hands_it_on_to_idle_workers(void **state)
{
    struct nest nest = {.pool = *state};

    go_to(NEAREST);
    assert_int_equal(filch_run(nest_once, &nest, .pool = nest.pool), 0);
    assert_int_equal(nest.wrong, 0);
}

/* A task for the scope around a nested call in another environment. */
struct outer {
    struct look look;
    filch_scope *scope;
};

static int spawn_outward(filch_worker *w, void *ctx)
{
    struct outer *outer = ctx;
    unsigned i;

    for (i = 0; i < 50; i++)
        filch_spawn(w, outer->scope, look_spawned, &outer->look, 0);
    return 0;
}

static int outer_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct outer *outer = ctx;
    int value;

    (void)w;
    outer->scope = scope;
    fesetround(FE_UPWARD);
    value = filch_run(spawn_outward, outer);
    fesetround(FE_TONEAREST);
    return value;
}

static void
test_a_task_for_a_scope_further_out_runs_in_that_ones_environment(void **state)
{
    struct outer outer = {.look = {.company = 0}};

    go_to(NEAREST);
    outer.look.expected = control();
    assert_int_equal(filch_scope(outer_body, &outer, .pool = *state), 0);
    assert_int_equal(outer.look.wrong, 0);
    assert_int_equal(outer.look.arrived, 50);
}

/* --- what bodies leave behind ----------------------------------------------------- */

static int leave_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct meeting *meeting = ctx;

    fesetround(FE_UPWARD);
    return meet(w, begin, end, meeting);
}

static void test_what_a_body_leaves_behind_is_gone_with_the_next_call(void **state)
{
    struct meeting meeting = {.company = filch_pool_workers(*state)};
    uint64_t before;

    go_to(NEAREST);
    before = control();
    assert_int_equal(filch_for(0, meeting.company, leave_body, &meeting, .pool = *state,
                               .grain = 1, .max_chunk = 1),
                     0);
    assert_int_equal(meeting.wrong, 0);
    /* The caller ran one of them, as a serial loop would. */
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    assert_int_equal(control(), before);
    assert_int_equal(wrong_in_loop(*state), 0);
}

/* --- the same bits ---------------------------------------------------------------- */

static int sum_body(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    double sum = *(double *)acc;

    (void)w, (void)ctx;
    for (; begin < end; begin++)
        sum += items[begin] * 0.1 + denormals[begin];
    *(double *)acc = sum;
    return 0;
}

static void sum_combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(double *)right;
}

static int divide_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    for (; begin < end; begin++)
        written[begin] = items[begin] / 3 + denormals[begin] / 3;
    return 0;
}

static double digest(void)
{
    double all = 0;
    size_t i;

    for (i = 0; i < COUNT_OF(written); i++)
        all = all * 0.75 + written[i];
    return all;
}

enum { RESULTS = 10 };

/* Every algorithm that adds, on so many workers; 0: all. */
static void compute(filch_pool *pool, unsigned workers, double *result)
{
    struct filch_moments moments;
    double reduced = 0;
    size_t n = COUNT_OF(items);
    int err = 0;

#define CALL(name, ...) err |= name(__VA_ARGS__, .pool = pool, .max_workers = workers)
    CALL(filch_sum, items, n, &result[0]);
    CALL(filch_sum, denormals, n, &result[1]);
    CALL(filch_dot, items, denormals, n, &result[2]);
    CALL(filch_dot, items, items, n, &result[3]);
    CALL(filch_moments, items, n, &moments);
    result[4] = moments.mean;
    result[5] = moments.m2;
    CALL(filch_reduce, 0, n, &reduced, sizeof reduced, sum_body, sum_combine, NULL);
    result[6] = reduced;
    CALL(filch_for, 0, n, divide_body, NULL);
    result[7] = digest();
    CALL(filch_scan_sum, items, n, written);
    result[8] = digest();
    CALL(filch_scan_sum, denormals, n, written);
    result[9] = digest();
#undef CALL
    assert_int_equal(err, 0);
}

/* Valgrind keeps the rounding mode, and computes to nearest all the same. */
static bool rounds_as_told(void)
{
    static volatile double one = 1, three = 3;
    volatile double up, down; /* computed where they stand */

    fesetround(FE_UPWARD);
    up = one / three;
    fesetround(FE_DOWNWARD);
    down = one / three;
    fesetround(FE_TONEAREST);
    return up > down;
}

static void test_sums_have_the_bits_of_one_worker_in_each_environment(void **state)
{
    double alone[KINDS][RESULTS], together[RESULTS];
    int kind, other, round, i;
    bool is_there[KINDS];

    for (kind = 0; kind < KINDS; kind++) {
        is_there[kind] = go_to(kind);
        if (!is_there[kind]) {
            print_message("there is no rounding \"%s\" here\n", kind_name[kind]);
            continue;
        }
        compute(*state, 1, alone[kind]);
        for (round = 0; round < 3; round++) {
            compute(*state, 0, together);
            for (i = 0; i < RESULTS; i++)
                if (memcmp(&together[i], &alone[kind][i], sizeof together[i]) != 0) {
                    go_to(NEAREST);
                    fail_msg("result %d, %s: %a alone, %a together", i, kind_name[kind],
                             alone[kind][i], together[i]);
                }
        }
        go_to(NEAREST);
    }
    if (!rounds_as_told()) {
        print_message("arithmetic does not round as told here\n");
        return;
    }
    /* They are different environments for these items. */
    for (kind = 1; kind < KINDS; kind++)
        for (other = 0; other < kind; other++)
            if (is_there[kind] && is_there[other])
                assert_memory_not_equal(alone[kind], alone[other], sizeof alone[kind]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(test_bodies_of_a_loop_run_in_the_environment_of_its_caller),
        ON_POOLS(test_branches_of_a_join_run_in_the_environment_of_who_entered_the_pool),
        ON_POOLS(test_tasks_run_in_the_environment_of_their_scopes_caller),
        ON_POOLS(test_a_nested_call_hands_on_what_the_body_has_changed_to),
        ON_POOLS(test_a_nested_call_hands_it_on_to_idle_workers),
        ON_POOLS(test_a_task_for_a_scope_further_out_runs_in_that_ones_environment),
        ON_POOLS(test_what_a_body_leaves_behind_is_gone_with_the_next_call),
        ON_POOLS(test_sums_have_the_bits_of_one_worker_in_each_environment),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
