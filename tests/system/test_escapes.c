/* test_escapes.c - bodies, tasks and branches that are left by longjmp or with their thread.
 *
 * Each escape happens in a process of its own: this program again, in a role. The library
 * finds it in builds with assertions only (escape.h); elsewhere those tests are skipped. What jumps
 * about inside a body is allowed in every build. exceptions.cc has C++ exceptions.
 */
#include "process.h"

#include <setjmp.h>
#include <sys/resource.h>
#include <ucontext.h>

#ifdef FL_ASSERTIONS
#define IS_FOUND 1
#else
#define IS_FOUND 0
#endif

static jmp_buf way_out;
static pthread_t caller;

/* --- escapes ---------------------------------------------------------------------- */

static int jump_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    (void)begin;
    (void)end;
    (void)ctx;
    if (pthread_equal(pthread_self(), caller))
        longjmp(way_out, 1);
    return 0;
}

/* Both workers are inside, and the other one stays there: it would go on in frames that are
 * gone. */
static int meet_and_jump(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    static atomic_uint arrived;

    atomic_fetch_add(&arrived, 1);
    wait_for(&arrived, 2);
    jump_range(w, begin, end, ctx);
    for (;;)
        pause();
    return 0;
}

static int jump_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)scope;
    return jump_range(w, 0, 1, ctx);
}

static int jump_branch(filch_worker *w, void *ctx)
{
    return jump_range(w, 0, 1, ctx);
}

static int other_branch(filch_worker *w, void *ctx)
{
    (void)w;
    (void)ctx;
    return 0;
}

static void jump_out_of_loop(filch_pool *pool)
{
    if (setjmp(way_out) == 0)
        filch_for(0, 2, meet_and_jump, NULL, .pool = pool, .grain = 1);
}

/* The next loop finds it, */
static void out_of_a_loop(filch_pool *pool)
{
    jump_out_of_loop(pool);
    sum_wrongly(pool);
}

/* or that of another pool, */
static void out_of_a_loop_of_another_pool(filch_pool *pool)
{
    jump_out_of_loop(pool);
    sum_wrongly(NULL);
}

/* or the end of the pool. */
static void out_of_the_last_loop(filch_pool *pool)
{
    jump_out_of_loop(pool);
    filch_pool_destroy(pool);
}

static void out_of_a_loop_alone(filch_pool *pool)
{
    if (setjmp(way_out) == 0)
        filch_for(0, 1000, jump_range, NULL, .pool = pool, .max_workers = 1);
    sum_wrongly(pool);
}

static int fold_and_jump(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)acc;
    return jump_range(w, begin, end, ctx);
}

static void out_of_a_reduction(filch_pool *pool)
{
    size_t sum = 0;

    if (setjmp(way_out) == 0)
        filch_reduce(0, 1000, &sum, sizeof sum, fold_and_jump, sum_add, NULL,
                     .pool = pool, .grain = 10);
    sum_wrongly(pool);
}

/* To a body around it, whose own end is then too soon. */
static int loop_and_land(filch_worker *w, void *ctx)
{
    (void)ctx;
    if (setjmp(way_out) == 0)
        filch_for(0, 2, meet_and_jump, NULL, .worker = w, .grain = 1);
    return 0;
}

static void out_of_a_loop_in_a_body(filch_pool *pool)
{
    filch_run(loop_and_land, NULL, .pool = pool);
}

static int sync_and_land(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)ctx;
    filch_spawn(w, scope, jump_task, NULL, 0);
    if (setjmp(way_out) == 0)
        filch_sync(w, scope);
    return 0;
}

static void out_of_a_task_that_sync_runs(filch_pool *pool)
{
    filch_scope(sync_and_land, NULL, .pool = pool);
}

static int join_and_land(filch_worker *w, void *ctx)
{
    (void)ctx;
    if (setjmp(way_out) == 0)
        filch_join(w, jump_branch, NULL, other_branch, NULL);
    return 0;
}

/* To the body that joins: the other branch is left behind. */
static void out_of_a_branch(filch_pool *pool)
{
    filch_run(join_and_land, NULL, .pool = pool);
}

static void out_of_a_join_from_outside(filch_pool *pool)
{
    if (setjmp(way_out) == 0)
        filch_join(NULL, jump_branch, NULL, other_branch, NULL);
    sum_wrongly(pool);
}

static int end_thread(filch_worker *w, void *ctx)
{
    (void)w;
    (void)ctx;
    pthread_exit(NULL);
    return 0;
}

static void *end_in_body(void *pool)
{
    filch_run(end_thread, NULL, .pool = pool);
    return NULL;
}

static void with_the_end_of_the_thread(filch_pool *pool)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, end_in_body, pool) == 0)
        pthread_join(thread, NULL);
}

/* At a cancellation point in a body, which does not keep it off. */
static int end_cancelled(filch_worker *w, void *ctx)
{
    (void)w;
    (void)ctx;
    pthread_cancel(pthread_self());
    pthread_testcancel();
    return 0;
}

static void *be_cancelled_in_body(void *pool)
{
    filch_run(end_cancelled, NULL, .pool = pool);
    return NULL;
}

static void with_the_cancelled_thread(filch_pool *pool)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, be_cancelled_in_body, pool) == 0)
        pthread_join(thread, NULL);
}

static const struct {
    const char *name;
    void (*escape)(filch_pool *pool);
    unsigned workers;
} escapes[] = {
    {"loop", out_of_a_loop, 2},
    {"loop, then another pool", out_of_a_loop_of_another_pool, 2},
    {"loop, then the pool's end", out_of_the_last_loop, 2},
    {"loop alone", out_of_a_loop_alone, 2},
    {"reduction", out_of_a_reduction, 1},
    {"loop in a body", out_of_a_loop_in_a_body, 2},
    {"task", out_of_a_task_that_sync_runs, 1},
    {"branch", out_of_a_branch, 1},
    {"join from outside", out_of_a_join_from_outside, 1},
    {"thread", with_the_end_of_the_thread, 1},
    {"cancelled thread", with_the_cancelled_thread, 1},
};

/* --- bodies that destroy their pool --------------------------------------------------- */

static int destroy_in_run(filch_worker *w, void *pool)
{
    (void)w;
    filch_pool_destroy(pool);
    return 0;
}

static int destroy_in_range(filch_worker *w, size_t begin, size_t end, void *pool)
{
    (void)begin;
    (void)end;
    return destroy_in_run(w, pool);
}

static int destroy_in_nested_run(filch_worker *w, void *pool)
{
    (void)w;
    return filch_run(destroy_in_run, pool, .pool = filch_pool_default());
}

static void in_a_run(filch_pool *pool)
{
    filch_run(destroy_in_run, pool, .pool = pool);
}

/* Which runs in no slot. */
static void in_a_loop_alone(filch_pool *pool)
{
    filch_for(0, 1, destroy_in_range, pool, .pool = pool);
}

static void in_a_run_of_another_pool(filch_pool *pool)
{
    filch_run(destroy_in_nested_run, pool, .pool = pool);
}

static const struct {
    const char *name;
    void (*destroy)(filch_pool *pool);
} destructions[] = {
    {"destroyed in a run", in_a_run},
    {"destroyed in a loop alone", in_a_loop_alone},
    {"destroyed in a run of another pool", in_a_run_of_another_pool},
};

static int run(const char *role)
{
    struct rlimit none = {0, 0};
    filch_pool *pool;
    size_t i;

    setrlimit(RLIMIT_CORE, &none);
    setenv("FILCH_NUM_THREADS", "1", 1); /* the default pool */
    caller = pthread_self();
    for (i = 0; i < COUNT_OF(escapes); i++) {
        if (strcmp(role, escapes[i].name) != 0)
            continue;
        if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = escapes[i].workers)))
            return 98;
        escapes[i].escape(pool);
        filch_pool_destroy(pool); /* finds it at the latest: from a frame further up */
    }
    for (i = 0; i < COUNT_OF(destructions); i++)
        if (strcmp(role, destructions[i].name) == 0 &&
            filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)) == 0)
            destructions[i].destroy(pool);
    return 97; /* not found */
}

/* --- tests ------------------------------------------------------------------------ */

static void an_escape_ends_a_debug_build_with_one_clear_line(void **state)
{
    static const char line[] = "filch: a body, task or branch was left by longjmp, an "
                               "exception or the end of its thread\n";
    static char text[8192];
    size_t i;

    (void)state;
    if (!IS_FOUND)
        skip();
    for (i = 0; i < COUNT_OF(escapes); i++) {
        int value = run_role(escapes[i].name, NULL, text, sizeof text);

        if (value != -1 || strcmp(text, line) != 0)
            fail_msg("%s: value %d, \"%s\"", escapes[i].name, value, text);
    }
}

static void
a_body_that_destroys_its_pool_ends_a_debug_build_with_one_clear_line(void **state)
{
    static const char line[] =
        "filch: a body, task or branch destroys the pool that it runs on\n";
    static char text[8192];
    size_t i;

    (void)state;
    if (!IS_FOUND)
        skip();
    for (i = 0; i < COUNT_OF(destructions); i++) {
        int value = run_role(destructions[i].name, NULL, text, sizeof text);

        if (value != -1 || strcmp(text, line) != 0)
            fail_msg("%s: value %d, \"%s\"", destructions[i].name, value, text);
    }
}

struct jumps {
    atomic_uint landed;
    filch_pool *pool;
};

/* Out of frames of the user's only, or together with whole loops. */
static int jump_and_land(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct jumps *jumps = ctx;
    jmp_buf here;

    (void)begin;
    (void)end;
    if (setjmp(here) == 0)
        longjmp(here, 1);
    atomic_fetch_add(&jumps->landed, 1);
    return filch_worker_current() != w || sum_wrongly(jumps->pool) != 0;
}

static void jumps_inside_a_body_are_allowed(void **state)
{
    struct jumps jumps = {.pool = *state};

    assert_int_equal(
        filch_for(0, 100, jump_and_land, &jumps, .pool = *state, .max_chunk = 1), 0);
    assert_int_equal(atomic_load(&jumps.landed), 100);
    assert_int_equal(sum_wrongly(*state), 0);
}

/* --- coroutines in a body ------------------------------------------------------------- */

#define STACK_BYTES 262144

struct coroutine {
    filch_pool *pool;
    ucontext_t body, own;
    int wrong;
};

static _Thread_local struct coroutine *running; /* makecontext hands on no pointers */

/* Calls, back in the middle to the body, which makes calls too, and calls again. */
static void run_coroutine(void)
{
    struct coroutine *self = running;

    self->wrong += sum_wrongly(self->pool);
    swapcontext(&self->own, &self->body);
    self->wrong += sum_wrongly(self->pool);
}

static int switch_in_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct jumps *jumps = ctx;
    struct coroutine self = {.pool = jumps->pool};
    void *stack = malloc(STACK_BYTES);
    int i;

    (void)begin;
    (void)end;
    if (!stack || getcontext(&self.own)) {
        free(stack);
        return 1;
    }
    self.own.uc_stack.ss_sp = stack;
    self.own.uc_stack.ss_size = STACK_BYTES;
    self.own.uc_link = &self.body;
    makecontext(&self.own, run_coroutine, 0);
    for (i = 0; i < 2; i++) {
        running = &self;
        swapcontext(&self.body, &self.own);
        self.wrong += sum_wrongly(jumps->pool);
    }
    free(stack);
    atomic_fetch_add(&jumps->landed, 1);
    return self.wrong + (filch_worker_current() != w);
}

static void coroutines_in_a_body_may_make_calls(void **state)
{
    struct jumps jumps = {.pool = *state};

    if (IS_TSAN || IS_ASAN)
        skip(); /* they know of one stack for each thread */
    assert_int_equal(
        filch_for(0, 20, switch_in_body, &jumps, .pool = *state, .max_chunk = 1), 0);
    assert_int_equal(atomic_load(&jumps.landed), 20);
    assert_int_equal(sum_wrongly(*state), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_escape_ends_a_debug_build_with_one_clear_line),
        cmocka_unit_test(
            a_body_that_destroys_its_pool_ends_a_debug_build_with_one_clear_line),
        ON_POOLS(jumps_inside_a_body_are_allowed),
        ON_POOLS(coroutines_in_a_body_may_make_calls),
    };

    if (argc > 1)
        return run(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
