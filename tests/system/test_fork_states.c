/* test_fork_states.c - fork(), vfork(), posix_spawn() and exec in whatever state a pool is.
 *
 * Pools are made and ended by another thread meanwhile. Linked with --wrap for
 * pthread_create and pthread_join, which hold that thread in the middle of filch's making
 * and ending until the process has begun to fork. test_fork.c has the children of calls
 * that are running.
 *
 * A program that is started is this one again, in a role. It is told what it must find:
 * the open files, blocked signals and CPUs of who started it, from before there was a
 * pool.
 *
 * Not built with TSan, and children of fork() make no pools with ASan, as in test_fork.c.
 */
#include "process.h"

#include <fcntl.h>
#include <spawn.h>

#define FORKS 200
#define FILES 256

/* --- a thread that makes or ends a pool, and is held in the middle ------------------- */

enum seam { NOWHERE, IN_CREATE, IN_DESTROY };

static _Thread_local enum seam held_in; /* who is to be held, and where */
static _Thread_local unsigned calls_left;
static struct {
    atomic_uint held; /* has arrived there */
    atomic_bool may_go;
    atomic_int phase;     /* what the maker of pools is about: an enum seam */
    atomic_uint forks[3]; /* that have begun then */
} seam;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg);
int __real_pthread_join(pthread_t thread, void **value);
int __wrap_pthread_join(pthread_t thread, void **value);

/* At the second thread of the pool: one is there already, or is gone. */
static void hold(enum seam where)
{
    uint64_t since = now_ns();

    if (held_in != where || --calls_left)
        return;
    atomic_fetch_add(&seam.held, 1);
    while (!atomic_load(&seam.may_go) && now_ns() - since < PATIENCE_NS)
        sched_yield();
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*body)(void *), void *arg)
{
    hold(IN_CREATE);
    return __real_pthread_create(thread, attributes, body, arg);
}

int __wrap_pthread_join(pthread_t thread, void **value)
{
    hold(IN_DESTROY);
    return __real_pthread_join(thread, value);
}

/* Runs before filch's own handler, which was there first: in that one a fork waits until
 * the pool is complete. */
static void note_fork(void)
{
    atomic_fetch_add(&seam.forks[atomic_load(&seam.phase)], 1);
    if (atomic_load(&seam.phase) == IN_CREATE)
        atomic_store(&seam.may_go, true);
}

static void *make_and_end(void *arg)
{
    filch_pool *pool;
    atomic_uint *wrong = arg;

    calls_left = 2;
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 4)))
        atomic_fetch_add(wrong, 1);
    if (filch_pool_workers(pool) != 4 || sum_wrongly(pool))
        atomic_fetch_add(wrong, 1);
    filch_pool_destroy(pool);
    return NULL;
}

static void *make_slowly(void *arg)
{
    held_in = IN_CREATE;
    return make_and_end(arg);
}

static void *end_slowly(void *arg)
{
    held_in = IN_DESTROY;
    return make_and_end(arg);
}

static void *make_default_slowly(void *arg)
{
    held_in = IN_CREATE;
    calls_left = 2;
    if (sum_wrongly(NULL))
        atomic_fetch_add((atomic_uint *)arg, 1);
    return NULL;
}

/* --- what runs there ------------------------------------------------------------------ */

/* Pools old and new work, and only theirs are the threads. */
static int work_in_child(void)
{
    filch_pool *fresh;
    int wrong = sum_wrongly(NULL);

    if (filch_pool_create(&fresh, FILCH_POOL_OPTIONS(.workers = 3)))
        return wrong + 1;
    wrong += filch_pool_workers(fresh) != 3;
    wrong += sum_wrongly(fresh) + sum_wrongly(NULL);
    filch_pool_destroy(fresh);
    return wrong + !are_threads_gone(filch_pool_workers(NULL));
}

static int fork_and_work(void)
{
    pid_t child = fork();

    if (child == 0) {
        limit_own_time();
        _exit(work_in_child());
    }
    return value_of_child(child) != 0;
}

/* Fork with work, and what else is tried, while a thread is held. Returns what was wrong. */
static int while_held(void *(*thread_body)(void *), enum seam where, int (*act)(void))
{
    atomic_uint wrong = 0;
    pthread_t thread;
    int value;

    atomic_store(&seam.held, 0);
    atomic_store(&seam.may_go, false);
    atomic_store(&seam.forks[where], 0);
    if (__real_pthread_create(&thread, NULL, thread_body, &wrong))
        return 1;
    if (!wait_for(&seam.held, 1))
        atomic_fetch_add(&wrong, 1);
    atomic_store(&seam.phase, where);
    value = act();
    atomic_store(&seam.phase, NOWHERE);
    atomic_store(&seam.may_go, true);
    __real_pthread_join(thread, NULL);
    return value + (int)atomic_load(&wrong);
}

/* --- children of fork() -------------------------------------------------------------- */

static void a_child_of_an_idle_parent_has_pools_that_work(void **state)
{
    (void)state;
    if (IS_ASAN)
        skip();
    assert_int_equal(sum_wrongly(NULL), 0);
    sleep_us(20000); /* all threads asleep */
    assert_int_equal(fork_and_work(), 0);
    assert_int_equal(sum_wrongly(NULL), 0);
}

static void
a_child_forked_in_the_middle_of_making_a_pool_has_pools_that_work(void **state)
{
    int round;

    (void)state;
    if (IS_ASAN)
        skip();
    for (round = 0; round < 10; round++) {
        assert_int_equal(while_held(make_slowly, IN_CREATE, fork_and_work), 0);
        assert_int_equal(atomic_load(&seam.forks[IN_CREATE]), 1);
    }
}

static void
a_child_forked_in_the_middle_of_ending_a_pool_has_pools_that_work(void **state)
{
    int round;

    (void)state;
    if (IS_ASAN)
        skip();
    for (round = 0; round < 10; round++) {
        assert_int_equal(while_held(end_slowly, IN_DESTROY, fork_and_work), 0);
        assert_int_equal(atomic_load(&seam.forks[IN_DESTROY]), 1);
    }
}

static void the_same_in_the_middle_of_making_the_default_pool(void **state)
{
    static const char *const variables[] = {"FILCH_NUM_THREADS=3", NULL};
    char text[4096];

    (void)state;
    if (IS_ASAN)
        skip();
    /* In a process that has none yet. */
    assert_int_equal(run_role("default", variables, text, sizeof text), 0);
}

struct maker {
    atomic_bool is_over;
    atomic_uint wrong;
};

static void *make_and_end_often(void *arg)
{
    struct maker *maker = arg;
    filch_pool *pool;

    while (!atomic_load(&maker->is_over)) {
        atomic_store(&seam.phase, IN_CREATE);
        if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)))
            atomic_fetch_add(&maker->wrong, 1);
        atomic_store(&seam.phase, NOWHERE);
        if (sum_wrongly(pool))
            atomic_fetch_add(&maker->wrong, 1);
        atomic_store(&seam.phase, IN_DESTROY);
        filch_pool_destroy(pool);
        atomic_store(&seam.phase, NOWHERE);
    }
    return NULL;
}

/* Wherever in the two it happens to be. */
static void children_forked_while_pools_come_and_go_have_pools_that_work(void **state)
{
    struct maker maker = {0};
    uint64_t since = now_ns();
    pthread_t thread;
    unsigned forks, i, wrong = 0;

    (void)state;
    if (IS_ASAN)
        skip();
    assert_int_equal(sum_wrongly(NULL), 0);
    for (i = 0; i < COUNT_OF(seam.forks); i++)
        atomic_store(&seam.forks[i], 0);
    assert_int_equal(__real_pthread_create(&thread, NULL, make_and_end_often, &maker), 0);
    for (forks = 0; forks < FORKS || ((atomic_load(&seam.forks[IN_CREATE]) < 10 ||
                                       atomic_load(&seam.forks[IN_DESTROY]) < 10) &&
                                      now_ns() - since < PATIENCE_NS);
         forks++) {
        wrong += fork_and_work() != 0;
        /* Not in step with the other thread. */
        sleep_us((long)(forks % 7) * 30);
    }
    atomic_store(&maker.is_over, true);
    __real_pthread_join(thread, NULL);
    print_message("%u forks: %u while a pool was made, %u while one was ended\n", forks,
                  atomic_load(&seam.forks[IN_CREATE]),
                  atomic_load(&seam.forks[IN_DESTROY]));
    assert_int_equal(wrong, 0);
    assert_int_equal(atomic_load(&maker.wrong), 0);
    assert_in_range(atomic_load(&seam.forks[IN_CREATE]), 10, UINT32_MAX);
    assert_in_range(atomic_load(&seam.forks[IN_DESTROY]), 10, UINT32_MAX);
}

/* --- programs that are started -------------------------------------------------------- */

/* What a program gets from who starts it. */
struct inheritance {
    uint8_t is_file[FILES];
    uint8_t is_blocked[65];
    cpu_set_t cpus;
};

static struct inheritance expected;
static char expected_text[2 * sizeof expected + 1];

static void look_at_oneself(struct inheritance *found)
{
    sigset_t blocked;
    int i;

    memset(found, 0, sizeof *found);
    for (i = 0; i < FILES; i++) {
        int flags = fcntl(i, F_GETFD);

        found->is_file[i] = flags >= 0 && !(flags & FD_CLOEXEC);
    }
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (i = 1; i <= 64; i++)
        found->is_blocked[i] = sigismember(&blocked, i) == 1;
    sched_getaffinity(0, sizeof found->cpus, &found->cpus);
}

static void write_expected(void)
{
    const unsigned char *bytes = (const unsigned char *)&expected;
    size_t i;

    for (i = 0; i < sizeof expected; i++)
        snprintf(expected_text + 2 * i, 3, "%02x", bytes[i]);
}

/* In the program: how much of it is another than expected, and whether filch works. */
static int work_as_program(const char *expectation)
{
    struct inheritance found;
    unsigned char *bytes = (unsigned char *)&expected;
    int wrong = 0;
    size_t i;

    limit_own_time();
    if (strlen(expectation) != 2 * sizeof expected)
        return 98;
    for (i = 0; i < sizeof expected; i++) {
        const char pair[] = {expectation[2 * i], expectation[2 * i + 1], '\0'};

        bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    look_at_oneself(&found);
    wrong += memcmp(found.is_file, expected.is_file, sizeof found.is_file) ? 1 : 0;
    wrong +=
        memcmp(found.is_blocked, expected.is_blocked, sizeof found.is_blocked) ? 2 : 0;
    wrong += !CPU_EQUAL(&found.cpus, &expected.cpus) ? 4 : 0;
    wrong += count_threads() != 1 + IS_TSAN ? 8 : 0;
    wrong += work_in_child() ? 16 : 0;
    return wrong;
}

static char *const *program_arguments(void)
{
    static char *arguments[4];

    arguments[0] = (char *)(uintptr_t) "program";
    arguments[1] = (char *)(uintptr_t) "exec";
    arguments[2] = expected_text;
    return arguments;
}

static int fork_and_exec(void)
{
    char *const *arguments = program_arguments();
    pid_t child = fork();

    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(99);
    }
    return value_of_child(child);
}

static int vfork_and_exec(void)
{
    char *const *arguments = program_arguments();
    pid_t child = vfork();

    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(99);
    }
    return value_of_child(child);
}

static int spawn_program(void)
{
    pid_t child;

    if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, program_arguments(), environ))
        return 97;
    return value_of_child(child);
}

static int (*const starts[])(void) = {spawn_program, vfork_and_exec, fork_and_exec};

static void a_program_started_while_pools_are_idle_inherits_nothing_of_them(void **state)
{
    size_t i;

    (void)state;
    assert_int_equal(sum_wrongly(NULL), 0);
    for (i = 0; i < COUNT_OF(starts); i++)
        assert_int_equal(starts[i](), 0);
}

static void *loop_often(void *arg)
{
    struct maker *maker = arg;

    while (!atomic_load(&maker->is_over))
        if (sum_wrongly(NULL))
            atomic_fetch_add(&maker->wrong, 1);
    return NULL;
}

static void a_program_started_while_loops_run_inherits_nothing_of_them(void **state)
{
    struct maker maker = {0};
    pthread_t thread;
    int wrong = 0, round;

    (void)state;
    assert_int_equal(__real_pthread_create(&thread, NULL, loop_often, &maker), 0);
    for (round = 0; round < 12; round++)
        wrong += starts[round % 3]();
    atomic_store(&maker.is_over, true);
    __real_pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(atomic_load(&maker.wrong), 0);
}

static void a_program_started_while_a_pool_is_made_inherits_nothing_of_it(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(starts); i++)
        assert_int_equal(while_held(make_slowly, IN_CREATE, starts[i]), 0);
}

static void a_program_started_while_a_pool_is_ended_inherits_nothing_of_it(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(starts); i++)
        assert_int_equal(while_held(end_slowly, IN_DESTROY, starts[i]), 0);
}

/* --- from a body ---------------------------------------------------------------------- */

struct body_start {
    atomic_uint arrived, on_threads;
    atomic_int wrong;
    pthread_t caller;
};

/* On threads that are bound to a CPU, and have nearly all signals blocked. */
static int exec_in_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct body_start *call = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&call->arrived, 1);
    if (!wait_for(&call->arrived, 2))
        return -1;
    if (pthread_equal(pthread_self(), call->caller))
        return 0;
    atomic_fetch_add(&call->on_threads, 1);
    atomic_fetch_add(&call->wrong, fork_and_exec());
    return 0;
}

static void
a_program_started_by_fork_in_a_body_has_the_makers_cpus_and_signals(void **state)
{
    static const enum filch_bind binds[] = {FILCH_BIND_CORE, FILCH_BIND_NODE,
                                            FILCH_BIND_NONE};
    filch_pool *pool;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(binds); i++) {
        struct body_start call = {.caller = pthread_self()};

        assert_int_equal(
            filch_pool_create(
                &pool, FILCH_POOL_OPTIONS(.workers = 2, .bind = (int32_t)binds[i])),
            0);
        assert_int_equal(filch_for(0, 2, exec_in_body, &call, .pool = pool, .grain = 1),
                         0);
        filch_pool_destroy(pool);
        assert_int_equal(atomic_load(&call.on_threads), 1);
        assert_int_equal(atomic_load(&call.wrong), 0);
    }
}

/* --- roles ---------------------------------------------------------------------------- */

static int run(int count, char **arguments)
{
    if (count > 2 && strcmp(arguments[1], "exec") == 0)
        return work_as_program(arguments[2]);
    pthread_atfork(note_fork, NULL, NULL);
    return while_held(make_default_slowly, IN_CREATE, fork_and_work) +
           (atomic_load(&seam.forks[IN_CREATE]) != 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_an_idle_parent_has_pools_that_work),
        cmocka_unit_test(
            a_child_forked_in_the_middle_of_making_a_pool_has_pools_that_work),
        cmocka_unit_test(
            a_child_forked_in_the_middle_of_ending_a_pool_has_pools_that_work),
        cmocka_unit_test(the_same_in_the_middle_of_making_the_default_pool),
        cmocka_unit_test(children_forked_while_pools_come_and_go_have_pools_that_work),
        cmocka_unit_test(a_program_started_while_pools_are_idle_inherits_nothing_of_them),
        cmocka_unit_test(a_program_started_while_loops_run_inherits_nothing_of_them),
        cmocka_unit_test(a_program_started_while_a_pool_is_made_inherits_nothing_of_it),
        cmocka_unit_test(a_program_started_while_a_pool_is_ended_inherits_nothing_of_it),
        cmocka_unit_test(
            a_program_started_by_fork_in_a_body_has_the_makers_cpus_and_signals),
    };
    sigset_t usr1;

    if (argc > 1)
        return run(argc, argv);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    look_at_oneself(&expected);
    write_expected();
    pthread_atfork(note_fork, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
