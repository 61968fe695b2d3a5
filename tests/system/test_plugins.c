/* test_plugins.c - two plug-ins, each with a static filch inside, in one process.
 *
 * Linked with nothing of filch. Loaded with RTLD_LOCAL, and once more with RTLD_GLOBAL,
 * where the loader would let one of them use what the other one exports.
 */
#include "process.h"

#include "plugin.h"

#include <dlfcn.h>

static struct plugin {
    void *library;
    plugin_run_function *run;
    int (*run_around)(plugin_run_function *other);
    void *(*default_pool)(void);
} a, b;

static void *find(void *library, const char *name)
{
    void *function = dlsym(library, name);

    if (!function)
        print_error("%s\n", dlerror());
    assert_non_null(function);
    return function;
}

static void load(struct plugin *plugin, const char *file, int scope)
{
    plugin->library = dlopen(file, RTLD_NOW | scope);
    if (!plugin->library)
        fail_msg("%s", dlerror());
    *(void **)&plugin->run = find(plugin->library, "plugin_run");
    *(void **)&plugin->run_around = find(plugin->library, "plugin_run_around");
    *(void **)&plugin->default_pool = find(plugin->library, "plugin_default_pool");
}

static int load_both(void **state)
{
    int scope = *(int *)*state;

    setenv("FILCH_NUM_THREADS", "3", 1);
    load(&a, PLUGIN_A, scope);
    load(&b, PLUGIN_B, scope);
    return 0;
}

/* It has gone, and its threads too; the other one goes on. */
static void unload(struct plugin *plugin, const char *file, unsigned threads_left)
{
    assert_int_equal(dlclose(plugin->library), 0);
    assert_null(dlopen(file, RTLD_NOW | RTLD_NOLOAD));
    assert_true(are_threads_gone(threads_left));
}

static unsigned threads_before;

static int unload_both(void **state)
{
    (void)state;
    if (dlopen(PLUGIN_A, RTLD_NOW | RTLD_NOLOAD))
        dlclose(a.library), dlclose(a.library);
    if (dlopen(PLUGIN_B, RTLD_NOW | RTLD_NOLOAD))
        dlclose(b.library), dlclose(b.library);
    return are_threads_gone(threads_before) ? 0 : -1;
}

/* --- tests -------------------------------------------------------------------------- */

static void they_export_nothing_of_filch(void **state)
{
    (void)state;
    assert_null(dlsym(a.library, "filch_for_with"));
    assert_null(dlsym(b.library, "filch_pool_default"));
    assert_null(dlsym(RTLD_DEFAULT, "filch_for_with"));
}

static void they_run_in_turn_on_pools_of_their_own(void **state)
{
    int round;

    (void)state;
    for (round = 0; round < 100; round++) {
        assert_int_equal(a.run(1000), 0);
        assert_int_equal(b.run(1000), 0);
    }
    assert_non_null(a.default_pool());
    assert_non_null(b.default_pool());
    assert_ptr_not_equal(a.default_pool(), b.default_pool());
    /* Each with its two threads; the sanitizer may have one of its own. */
    assert_in_range(count_threads(), threads_before + 4, threads_before + 4 + IS_TSAN);
}

struct runner {
    plugin_run_function *run;
    int wrong;
};

static void *run_often(void *arg)
{
    struct runner *runner = arg;
    int round;

    for (round = 0; round < 300; round++)
        runner->wrong += runner->run(1000);
    return NULL;
}

static void they_run_at_the_same_time(void **state)
{
    struct runner runner[] = {{a.run, 0}, {b.run, 0}};
    pthread_t thread[2];
    int i;

    (void)state;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_often, &runner[i]), 0);
    for (i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(runner[0].wrong, 0);
    assert_int_equal(runner[1].wrong, 0);
}

static void one_runs_in_the_bodies_of_the_other(void **state)
{
    (void)state;
    assert_int_equal(a.run_around(b.run), 0);
    assert_int_equal(b.run_around(a.run), 0);
}

static void the_first_one_may_be_unloaded_first(void **state)
{
    (void)state;
    assert_int_equal(a.run(1000) + b.run(1000), 0);
    unload(&a, PLUGIN_A, threads_before + 2);
    assert_int_equal(b.run(1000), 0);
    unload(&b, PLUGIN_B, threads_before);
}

static void the_second_one_may_be_unloaded_first(void **state)
{
    (void)state;
    assert_int_equal(a.run(1000) + b.run(1000), 0);
    unload(&b, PLUGIN_B, threads_before + 2);
    assert_int_equal(a.run(1000), 0);
    unload(&a, PLUGIN_A, threads_before);
}

static int local = RTLD_LOCAL, global = RTLD_GLOBAL;

#define TEST(test)                                                   \
    {#test ", RTLD_LOCAL", test, load_both, unload_both, &local},    \
    {                                                                \
#test ", RTLD_GLOBAL", test, load_both, unload_both, &global \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_export_nothing_of_filch),
        TEST(they_run_in_turn_on_pools_of_their_own),
        TEST(they_run_at_the_same_time),
        TEST(one_runs_in_the_bodies_of_the_other),
        TEST(the_first_one_may_be_unloaded_first),
        TEST(the_second_one_may_be_unloaded_first),
    };

    threads_before = count_threads();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
