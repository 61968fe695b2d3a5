/* test_exit.c - ways in which a process ends: none hangs, and each has its own value. */
#include "process.h"

#define VALUE 7

/* --- roles ------------------------------------------------------------------------ */

static pthread_t main_thread;

/* Ends the process from the middle of a loop, on the caller or on another thread. */
struct ending {
    bool is_on_caller;
    atomic_uint arrived;
};

static int exit_in_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct ending *ending = ctx;

    (void)w;
    (void)begin;
    (void)end;
    /* Two at least are in the loop, if there are two. */
    atomic_fetch_add(&ending->arrived, 1);
    if (filch_pool_workers(NULL) > 1 && !wait_for(&ending->arrived, 2))
        return 1;
    if (pthread_equal(pthread_self(), main_thread) == ending->is_on_caller)
        exit(VALUE);
    sleep_us(1000);
    return 0;
}

static int exit_in_loop(bool is_on_caller)
{
    struct ending ending = {.is_on_caller = is_on_caller};

    filch_for(0, 1000, exit_in_body, &ending, .grain = 1);
    return 90; /* nobody did */
}

static int exit_in_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    (void)ctx;
    exit(VALUE);
}

static int spawn_exit(filch_worker *w, filch_scope *scope, void *ctx)
{
    return filch_spawn(w, scope, exit_in_task, ctx, 0);
}

static int exit_in_nested_loop(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    (void)ctx;
    return filch_scope(spawn_exit, NULL, .worker = w);
}

static void *exit_thread(void *arg)
{
    (void)arg;
    exit(VALUE);
}

static void *call_for_ever(void *arg)
{
    atomic_uint *rounds = arg;

    for (;;) {
        if (sum_wrongly(NULL))
            _exit(91);
        atomic_fetch_add(rounds, 1);
    }
    return NULL;
}

static int count_run(filch_worker *w, void *ctx)
{
    (void)w;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

/* Most of the time nobody is in a call, but always about to be. */
static void *come_and_go(void *arg)
{
    for (;;)
        if (filch_run(count_run, arg))
            _exit(91);
    return NULL;
}

/* Static: the threads still look at it when main has returned. */
static atomic_uint rounds;

static void start(void *(*body)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, arg))
        _exit(92);
    pthread_detach(thread);
}

static void loop_at_exit(void)
{
    if (sum_wrongly(NULL))
        _exit(93);
}

static bool is_late;

/* After the library's own, in which the default pool has ended. */
__attribute__((destructor(101))) static void use_after_the_end(void)
{
    filch_stats stats = {.struct_size = sizeof stats};

    if (is_late && (sum_wrongly(NULL) || filch_pool_workers(NULL) == 0 ||
                    filch_stats_get(NULL, &stats) || stats.tasks))
        _exit(97);
}

static int run(const char *role)
{
    filch_pool *pool;
    int i;

    main_thread = pthread_self();
    if (strcmp(role, "late user") == 0)
        atexit(loop_at_exit);
    is_late = strcmp(role, "late user") == 0;
    if (strcmp(role, "unused") == 0)
        return VALUE;
    if (sum_wrongly(NULL))
        return 94;
    if (strcmp(role, "body of caller") == 0)
        return exit_in_loop(true);
    if (strcmp(role, "body of thread") == 0)
        return filch_pool_workers(NULL) > 1 ? exit_in_loop(false) : VALUE;
    if (strcmp(role, "task") == 0)
        return filch_scope(spawn_exit, NULL) + 90;
    if (strcmp(role, "nested") == 0)
        return filch_for(0, 100, exit_in_nested_loop, NULL, .grain = 1) + 90;
    if (strcmp(role, "other thread") == 0) {
        start(exit_thread, NULL);
        for (;;)
            sleep_us(1000000);
    }
    if (strcmp(role, "other thread in call") == 0) {
        start(exit_thread, NULL);
        call_for_ever(&rounds);
    }
    if (strcmp(role, "others in calls") == 0) {
        start(call_for_ever, &rounds);
        start(call_for_ever, &rounds);
        if (!wait_for(&rounds, 4))
            return 95;
    }
    if (strcmp(role, "others come and go") == 0) {
        for (i = 0; i < 6; i++)
            start(come_and_go, &rounds);
        if (!wait_for(&rounds, 100))
            return 95;
    }
    if (strcmp(role, "own pool") == 0 &&
        (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 4)) || sum_wrongly(pool)))
        return 96;
    return VALUE;
}

/* --- tests ------------------------------------------------------------------------ */

static char text[8192];

static void assert_ends_well(const char *role, int times)
{
    /* What is in use at the end is no leak where the end comes in the middle of calls;
     * and TSan would wait for a second. */
#define COMMON \
    "ASAN_OPTIONS=detect_leaks=0", "TSAN_OPTIONS=halt_on_error=1:atexit_sleep_ms=0"
    static const char *const threads[][5] = {
        {"FILCH_NUM_THREADS=1", "FILCH_DISPLAY=", COMMON, NULL},
        {"FILCH_NUM_THREADS=2", "FILCH_DISPLAY=", COMMON, NULL},
        {"FILCH_NUM_THREADS=4", "FILCH_DISPLAY=", COMMON, NULL}};
    size_t i;
    int value;

    for (; times > 0; times--)
        for (i = 0; i < COUNT_OF(threads); i++) {
            value = run_role(role, threads[i], text, sizeof text);
            if (value != VALUE || *text)
                print_error("%s, %s: %d, stderr: %s\n", role, threads[i][0], value, text);
            assert_int_equal(value, VALUE);
            assert_string_equal(text, "");
        }
}

static void main_may_return_with_the_default_pool_unused(void **state)
{
    (void)state;
    assert_ends_well("unused", 3);
}

static void main_may_return_with_the_default_pool_at_rest(void **state)
{
    (void)state;
    assert_ends_well("idle", 10);
}

static void main_may_return_with_a_pool_that_was_not_destroyed(void **state)
{
    (void)state;
    assert_ends_well("own pool", 10);
}

static void main_may_return_while_other_threads_make_calls(void **state)
{
    (void)state;
    assert_ends_well("others in calls", 20);
    assert_ends_well("others come and go", 20);
}

static void a_body_may_exit(void **state)
{
    (void)state;
    assert_ends_well("body of caller", 10);
    assert_ends_well("body of thread", 10);
    assert_ends_well("task", 10);
    assert_ends_well("nested", 10);
}

static void another_thread_may_exit(void **state)
{
    (void)state;
    assert_ends_well("other thread", 10);
    assert_ends_well("other thread in call", 20);
}

static void a_handler_of_the_exit_may_make_calls(void **state)
{
    (void)state;
    assert_ends_well("late user", 10); /* a destructor as well */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(main_may_return_with_the_default_pool_unused),
        cmocka_unit_test(main_may_return_with_the_default_pool_at_rest),
        cmocka_unit_test(main_may_return_with_a_pool_that_was_not_destroyed),
        cmocka_unit_test(main_may_return_while_other_threads_make_calls),
        cmocka_unit_test(a_body_may_exit),
        cmocka_unit_test(another_thread_may_exit),
        cmocka_unit_test(a_handler_of_the_exit_may_make_calls),
    };

    if (argc > 1)
        return run(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
