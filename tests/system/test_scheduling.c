/* test_scheduling.c - the scheduling class and the nice value of a pool's threads: those of
 * the process, whoever makes the pool, or those of who does.
 *
 * What a thread has given away it may not get back, so each case is a process of its own (a
 * role). It returns 0, what is wrong, or NOT_PERMITTED.
 */
#include "process.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#define WORKERS 4

/* --- what a thread has ------------------------------------------------------------ */

struct class
{
    int policy, nice;
};

static struct class class_of_self(void)
{
    return (struct class){sched_getscheduler(0), getpriority(PRIO_PROCESS, 0)};
}

/* Both are the thread's own, on Linux. */
static bool take_class(struct class class)
{
    int policy = class.policy & ~SCHED_RESET_ON_FORK;
    struct sched_param param = {policy == SCHED_FIFO};

    return setpriority(PRIO_PROCESS, 0, class.nice) == 0 &&
           sched_setscheduler(0, class.policy, &param) == 0;
}

/* Whether a thread may leave this class for the usual one. */
static void *try_and_return(void *class)
{
    struct class usual = class_of_self();

    if (!take_class(*(struct class *)class) || !take_class(usual))
        return class;
    return NULL;
}

static bool may_return_from(struct class class)
{
    pthread_t thread;
    void *failed;

    if (pthread_create(&thread, NULL, try_and_return, &class))
        return false;
    pthread_join(thread, &failed);
    return !failed;
}

/* --- a pool made by one thread ---------------------------------------------------- */

struct making {
    struct class makers, threads[WORKERS];
    bool inherit;
    atomic_uint arrived, known;
    pthread_t caller;
    int value;
};

static int tell_class(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct making *making = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&making->arrived, 1);
    if (!wait_for(&making->arrived, WORKERS))
        return -1;
    if (!pthread_equal(pthread_self(), making->caller))
        making->threads[atomic_fetch_add(&making->known, 1)] = class_of_self();
    return 0;
}

static void *make_pool_and_ask(void *arg)
{
    struct making *making = arg;
    filch_pool *pool;

    making->value = NOT_PERMITTED;
    if (!take_class(making->makers))
        return NULL;
    making->value = 90;
    if (filch_pool_create(&pool,
                          FILCH_POOL_OPTIONS(.workers = WORKERS,
                                             .inherit_scheduling = making->inherit)))
        return NULL;
    making->caller = pthread_self();
    making->value =
        filch_for(0, WORKERS, tell_class, making, .pool = pool, .grain = 1) ? 91 : 0;
    if (!making->value && sum_wrongly(pool))
        making->value = 92;
    filch_pool_destroy(pool);
    return NULL;
}

/* The pool's threads of a process of one class, made by a thread of another one. */
static int threads_differ(struct class process, struct class maker, bool inherit,
                          struct class expected)
{
    struct making making = {.makers = maker, .inherit = inherit};
    pthread_t thread;
    int i;

    if (!take_class(process))
        return NOT_PERMITTED;
    if (pthread_create(&thread, NULL, make_pool_and_ask, &making))
        return 93;
    pthread_join(thread, NULL);
    for (i = 0; !making.value && i < WORKERS - 1; i++)
        if (making.threads[i].policy != expected.policy ||
            making.threads[i].nice != expected.nice) {
            fprintf(stderr, "class %d, nice %d; expected %d, %d\n",
                    making.threads[i].policy, making.threads[i].nice, expected.policy,
                    expected.nice);
            return 1;
        }
    return making.value;
}

/* --- roles ------------------------------------------------------------------------ */

static const struct class usual = {SCHED_OTHER, 0}, batch = {SCHED_BATCH, 0},
                          idle = {SCHED_IDLE, 0}, nicer = {SCHED_OTHER, 5},
                          urgent = {SCHED_FIFO, 0},
                          resetting = {SCHED_FIFO | SCHED_RESET_ON_FORK, 3};

/* What a process without rights may not do at all. */
static int as_process(struct class process, struct class maker)
{
    if (!may_return_from(maker))
        return NOT_PERMITTED;
    return threads_differ(process, maker, false,
                          process.policy == SCHED_FIFO ? usual : process);
}

static int made_by_batch(void)
{
    return threads_differ(usual, batch, false, usual); /* anybody may leave that */
}

static int made_by_idle(void)
{
    return as_process(usual, idle);
}

static int made_by_nicer(void)
{
    return as_process(usual, nicer);
}

static int made_by_urgent(void)
{
    return as_process(usual, urgent);
}

static int made_by_resetting(void)
{
    return as_process((struct class){SCHED_OTHER, -2}, resetting);
}

static int idle_process(void)
{
    return threads_differ(idle, idle, false, idle);
}

static int nice_process(void)
{
    return threads_differ(nicer, nicer, false, nicer);
}

static int nicer_process_made_by_less(void)
{
    /* The maker's thread is there before the process is nicer. */
    return as_process((struct class){SCHED_BATCH, 7}, (struct class){SCHED_OTHER, 5});
}

static int urgent_process(void)
{
    return as_process(urgent, urgent);
}

static int inherited(void)
{
    return threads_differ(usual, (struct class){SCHED_BATCH, 5}, true,
                          (struct class){SCHED_BATCH, 5});
}

static int inherited_urgent(void)
{
    return threads_differ(usual, urgent, true, urgent);
}

/* Nobody may leave the idle class then, and the pool works all the same. */
static int without_rights(void)
{
    const struct class low = {SCHED_IDLE, 5};
    struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_NICE, &none))
        return 99;
    if (getuid() == 0 && (syscall(SYS_setresgid, 65534, 65534, 65534) ||
                          syscall(SYS_setresuid, 65534, 65534, 65534)))
        return NOT_PERMITTED;
    if (may_return_from(idle))
        return NOT_PERMITTED;
    return threads_differ(usual, low, false, low);
}

static const struct {
    const char *name;
    int (*run)(void);
} roles[] = {
    {"made by batch", made_by_batch},
    {"made by idle", made_by_idle},
    {"made by nicer", made_by_nicer},
    {"made by urgent", made_by_urgent},
    {"made by resetting", made_by_resetting},
    {"idle process", idle_process},
    {"nice process", nice_process},
    {"nicer process made by less", nicer_process_made_by_less},
    {"urgent process", urgent_process},
    {"inherited", inherited},
    {"inherited urgent", inherited_urgent},
    {"without rights", without_rights},
};

/* --- tests ------------------------------------------------------------------------ */

#define IN_ROLE(name, role)                                           \
    static void name(void **state)                                    \
    {                                                                 \
        (void)state;                                                  \
        check_role(role, "this process may not change its class so"); \
    }

IN_ROLE(a_pool_made_by_a_batch_thread_has_the_class_of_the_process, "made by batch")
IN_ROLE(a_pool_made_by_an_idle_thread_has_the_class_of_the_process, "made by idle")
IN_ROLE(a_pool_made_by_a_nicer_thread_has_the_class_of_the_process, "made by nicer")
IN_ROLE(a_pool_made_by_a_real_time_thread_has_the_class_of_the_process, "made by urgent")
IN_ROLE(a_maker_whose_class_is_reset_in_its_threads_does_not_matter, "made by resetting")
IN_ROLE(threads_of_an_idle_process_are_idle, "idle process")
IN_ROLE(threads_of_a_nice_process_are_nice, "nice process")
IN_ROLE(threads_are_nicer_than_their_maker_where_the_process_is,
        "nicer process made by less")
IN_ROLE(threads_of_a_real_time_process_are_ordinary_ones, "urgent process")
IN_ROLE(threads_inherit_class_and_nice_value_where_asked_to, "inherited")
IN_ROLE(threads_inherit_a_real_time_class_where_asked_to, "inherited urgent")
IN_ROLE(a_pool_works_where_its_class_may_not_be_changed, "without rights")

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_made_by_a_batch_thread_has_the_class_of_the_process),
        cmocka_unit_test(a_pool_made_by_an_idle_thread_has_the_class_of_the_process),
        cmocka_unit_test(a_pool_made_by_a_nicer_thread_has_the_class_of_the_process),
        cmocka_unit_test(a_pool_made_by_a_real_time_thread_has_the_class_of_the_process),
        cmocka_unit_test(a_maker_whose_class_is_reset_in_its_threads_does_not_matter),
        cmocka_unit_test(threads_of_an_idle_process_are_idle),
        cmocka_unit_test(threads_of_a_nice_process_are_nice),
        cmocka_unit_test(threads_are_nicer_than_their_maker_where_the_process_is),
        cmocka_unit_test(threads_of_a_real_time_process_are_ordinary_ones),
        cmocka_unit_test(threads_inherit_class_and_nice_value_where_asked_to),
        cmocka_unit_test(threads_inherit_a_real_time_class_where_asked_to),
        cmocka_unit_test(a_pool_works_where_its_class_may_not_be_changed),
    };
    size_t i;

    for (i = 0; argc > 1 && i < COUNT_OF(roles); i++)
        if (strcmp(argv[1], roles[i].name) == 0)
            return roles[i].run();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
