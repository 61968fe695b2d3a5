/* test_copies.c - two copies of the library in one process know nothing of each other.
 *
 * One is linked in, with all its symbols exported as a plug-in's host may do; the other
 * one is the shared library, loaded at run time.
 */
#include "process.h"

#include <dlfcn.h>

static struct {
    void *library;
    int (*loop)(size_t begin, size_t end, filch_body *body, const filch_opts *opts);
    filch_pool *(*pool_default)(void);
    unsigned (*pool_workers)(filch_pool *pool);
    int (*pool_create)(filch_pool **out, const filch_pool_options *options);
    void (*pool_destroy)(filch_pool *pool);
    int (*stats_get)(filch_pool *pool, filch_stats *stats);
    filch_worker *(*worker_current)(void);
} other;

static void *find(const char *name)
{
    void *function = dlsym(other.library, name);

    assert_non_null(function);
    return function;
}

static int load_other(void **state)
{
    (void)state;
    setenv("FILCH_NUM_THREADS", "3", 1);
    other.library = dlopen(FILCH_SHARED, RTLD_NOW | RTLD_LOCAL);
    if (!other.library)
        return -1;
    *(void **)&other.loop = find("filch_for_with");
    *(void **)&other.pool_default = find("filch_pool_default");
    *(void **)&other.pool_workers = find("filch_pool_workers");
    *(void **)&other.pool_create = find("filch_pool_create");
    *(void **)&other.pool_destroy = find("filch_pool_destroy");
    *(void **)&other.stats_get = find("filch_stats_get");
    *(void **)&other.worker_current = find("filch_worker_current");
    return 0;
}

static int unload_other(void **state)
{
    (void)state;
    return dlclose(other.library);
}

static uint64_t tasks_of(int (*stats_get)(filch_pool *pool, filch_stats *stats))
{
    filch_stats stats = {.struct_size = sizeof stats};

    assert_int_equal(stats_get(NULL, &stats), 0);
    return stats.steals_got + stats.publishes + stats.busy_ns;
}

/* --- tests ------------------------------------------------------------------------ */

static void each_copy_has_its_own_default_pool(void **state)
{
    uint64_t here, there;
    atomic_size_t sum = 0;

    (void)state;
    assert_int_equal(sum_wrongly(NULL), 0);
    assert_ptr_not_equal((void *)(uintptr_t)other.pool_default,
                         (void *)(uintptr_t)filch_pool_default);
    assert_ptr_not_equal(other.pool_default(), filch_pool_default());
    assert_int_equal(other.pool_workers(NULL), 3);

    here = tasks_of(filch_stats_get);
    there = tasks_of(other.stats_get);
    assert_int_equal(other.loop(0, 1000, sum_range, FILCH_OPTS(&sum, .grain = 1)), 0);
    assert_int_equal(atomic_load(&sum), 499500);
    assert_int_equal(tasks_of(filch_stats_get), here);
    assert_true(tasks_of(other.stats_get) > there);

    there = tasks_of(other.stats_get);
    assert_int_equal(sum_wrongly(NULL), 0);
    assert_int_equal(tasks_of(other.stats_get), there);
    assert_true(tasks_of(filch_stats_get) > here);
}

struct mix {
    atomic_size_t sum;
    atomic_uint wrong;
};

/* In a body of the other copy the thread is no worker of this one. */
static int body_of_other(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct mix *mix = ctx;

    if (filch_worker_current() || other.worker_current() != w || sum_wrongly(NULL) ||
        other.worker_current() != w)
        atomic_fetch_add(&mix->wrong, 1);
    return sum_range(w, begin, end, &mix->sum);
}

static int body_of_this(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct mix *mix = ctx;
    atomic_size_t sum = 0;

    if (other.worker_current() || filch_worker_current() != w ||
        other.loop(0, 1000, sum_range, FILCH_OPTS(&sum, .grain = 1)) ||
        atomic_load(&sum) != 499500 || filch_worker_current() != w)
        atomic_fetch_add(&mix->wrong, 1);
    return sum_range(w, begin, end, &mix->sum);
}

static void calls_of_one_copy_nest_in_those_of_the_other(void **state)
{
    struct mix mix = {0};

    (void)state;
    assert_int_equal(other.loop(0, 200, body_of_other, FILCH_OPTS(&mix, .grain = 1)), 0);
    assert_int_equal(atomic_load(&mix.sum), 19900);
    assert_int_equal(filch_for(0, 200, body_of_this, &mix, .grain = 1), 0);
    assert_int_equal(atomic_load(&mix.sum), 2 * 19900);
    assert_int_equal(atomic_load(&mix.wrong), 0);
}

static void both_copies_survive_a_fork(void **state)
{
    atomic_size_t sum = 0;
    pid_t child;

    (void)state;
    if (IS_TSAN)
        skip(); /* it allows no threads after the fork of a process that has some */
    assert_int_equal(sum_wrongly(NULL), 0);
    child = fork();
    if (child == 0) {
        limit_own_time();
        _exit(sum_wrongly(NULL) +
              (other.loop(0, 1000, sum_range, FILCH_OPTS(&sum, .grain = 1)) ||
               atomic_load(&sum) != 499500));
    }
    assert_int_equal(value_of_child(child), 0);
}

static void each_copy_makes_pools_of_ones_own(void **state)
{
    filch_pool *mine, *theirs;
    atomic_size_t sum = 0;

    (void)state;
    assert_int_equal(filch_pool_create(&mine, FILCH_POOL_OPTIONS(.workers = 2)), 0);
    assert_int_equal(other.pool_create(&theirs, FILCH_POOL_OPTIONS(.workers = 4)), 0);
    assert_int_equal(filch_pool_workers(mine), 2);
    assert_int_equal(other.pool_workers(theirs), 4);
    assert_int_equal(sum_wrongly(mine), 0);
    assert_int_equal(
        other.loop(0, 1000, sum_range, FILCH_OPTS(&sum, .pool = theirs, .grain = 1)), 0);
    assert_int_equal(atomic_load(&sum), 499500);
    other.pool_destroy(theirs);
    assert_int_equal(sum_wrongly(mine), 0);
    filch_pool_destroy(mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_copy_has_its_own_default_pool),
        cmocka_unit_test(calls_of_one_copy_nest_in_those_of_the_other),
        cmocka_unit_test(both_copies_survive_a_fork),
        cmocka_unit_test(each_copy_makes_pools_of_ones_own),
    };

    return cmocka_run_group_tests(tests, load_other, unload_other);
}
