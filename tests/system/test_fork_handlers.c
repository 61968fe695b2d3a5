/* test_fork_handlers.c - handlers of pthread_atfork() that call filch.
 *
 * Those that were registered after filch's run while it does not know of the fork yet, or
 * any more. Those before it run in the middle: before the fork and in the parent while
 * the forking thread holds filch's mutex, in the child before filch has seen that it is
 * one. This program's are registered by a constructor that comes before filch's. Each
 * test is a process of its own: this program again, in a role.
 *
 * Not built with TSan, and skipped with ASan, as in test_fork.c.
 */
#include "process.h"

#define VALUE 7

/* --- handlers that are older than filch's --------------------------------------------- */

static int (*at_prepare)(void), (*at_parent)(void), (*at_child)(void);
static atomic_uint wrong_in_handlers, calls_of_handlers;
static filch_pool *own_pool;

static void run_handler(int (*handler)(void))
{
    if (!handler)
        return;
    atomic_fetch_add(&calls_of_handlers, 1);
    atomic_fetch_add(&wrong_in_handlers, (unsigned)handler());
}

static void older_prepare(void)
{
    run_handler(at_prepare);
}

static void older_parent(void)
{
    run_handler(at_parent);
}

static void older_child(void)
{
    run_handler(at_child);
}

/* The pool has threads for that many. */
static int meet_wrongly(filch_pool *pool, unsigned company)
{
    struct meeting meeting = {.company = company};

    return filch_for(0, company, meet, &meeting, .pool = pool, .grain = 1) ||
           atomic_load(&meeting.wrong);
}

static int use_default(void)
{
    return sum_wrongly(NULL) + meet_wrongly(NULL, 3);
}

static int use_both(void)
{
    return use_default() + sum_wrongly(own_pool) + meet_wrongly(own_pool, 3);
}

static int create(void)
{
    return filch_pool_create(&own_pool, FILCH_POOL_OPTIONS(.workers = 3)) ||
           sum_wrongly(own_pool);
}

static int destroy(void)
{
    filch_pool_destroy(own_pool);
    own_pool = NULL;
    return 0;
}

static int look(void)
{
    filch_stats stats = {.struct_size = sizeof stats};

    return filch_stats_get(NULL, &stats) || stats.struct_size != sizeof stats;
}

static int end_process(void)
{
    exit(VALUE);
}

/* --- a fork before all constructors of the library ------------------------------------- */

static int early_value = -1;

__attribute__((constructor(101))) static void begin_early(void)
{
    pthread_atfork(older_prepare, older_parent, older_child);
}

/* The program's own constructors come after the library's. */
__attribute__((constructor)) static void fork_early(void)
{
    pid_t child;

    if (!getenv("FORK_EARLY"))
        return;
    if (use_default())
        return;
    child = fork();
    if (child == 0) {
        limit_own_time();
        _exit(use_default());
    }
    early_value = value_of_child(child);
}

/* --- roles ---------------------------------------------------------------------------- */

/* Fork with these handlers; afterwards parent and child are right. */
static int fork_and_use(int value)
{
    pid_t child = fork();
    int wrong;

    if (child == 0) {
        limit_own_time();
        wrong = (int)atomic_load(&wrong_in_handlers) + use_default();
        if (own_pool)
            wrong += use_both();
        wrong += !are_threads_gone(3 + (own_pool ? 2 : 0));
        exit(wrong ? 1 : VALUE);
    }
    wrong = value_of_child(child) != value;
    wrong += (int)atomic_load(&wrong_in_handlers) + use_default();
    if (own_pool)
        wrong += use_both();
    return wrong;
}

static const struct {
    const char *name;
    int (*before)(void), (*prepare)(void), (*parent)(void), (*child)(void);
} roles[] = {
    {"the first call before the fork", NULL, use_default, NULL, NULL},
    {"the first call in the parent", NULL, NULL, use_default, NULL},
    {"the first call in the child", NULL, NULL, NULL, use_default},
    {"calls before the fork", create, use_both, NULL, NULL},
    {"calls in the parent", create, NULL, use_both, NULL},
    {"calls in the child", create, NULL, NULL, use_both},
    {"calls everywhere", create, use_both, use_both, use_both},
    {"a pool made before the fork", NULL, create, NULL, NULL},
    {"a pool made in the child", NULL, NULL, NULL, create},
    {"a pool destroyed before the fork", create, destroy, NULL, NULL},
    {"a pool destroyed in the parent", create, NULL, destroy, NULL},
    {"a pool destroyed in the child", create, NULL, NULL, destroy},
    {"counters looked at", use_default, look, look, look},
    {"the end of the child", use_default, NULL, NULL, end_process},
};

static int run(const char *role)
{
    size_t i;

    if (strcmp(role, "early") == 0)
        return early_value;
    for (i = 0; i < COUNT_OF(roles); i++) {
        if (strcmp(role, roles[i].name) != 0)
            continue;
        if (roles[i].before && roles[i].before())
            return 90;
        at_prepare = roles[i].prepare;
        at_parent = roles[i].parent;
        at_child = roles[i].child;
        return fork_and_use(VALUE);
    }
    return 91;
}

/* --- tests ---------------------------------------------------------------------------- */

static char text[8192];
static const char *const variables[] = {"FILCH_NUM_THREADS=3", NULL};

static void handlers_older_than_filchs_may_make_calls(void **state)
{
    size_t i;
    int value;

    (void)state;
    if (IS_ASAN)
        skip();
    for (i = 0; i < COUNT_OF(roles); i++) {
        value = run_role(roles[i].name, variables, text, sizeof text);
        if (value)
            fail_msg("%s: value %d, \"%s\"", roles[i].name, value, text);
    }
}

static void a_constructor_may_make_calls_and_fork(void **state)
{
    static const char *const early[] = {"FILCH_NUM_THREADS=3", "FORK_EARLY=1", NULL};

    (void)state;
    if (IS_ASAN)
        skip();
    assert_int_equal(run_role("early", early, text, sizeof text), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_older_than_filchs_may_make_calls),
        cmocka_unit_test(a_constructor_may_make_calls_and_fork),
    };

    if (argc > 1)
        return run(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
