/* test_unload.c - the shared library comes and goes at run time, and leaves nothing
 * behind.
 *
 * Linked with nothing of filch: all functions come by dlsym.
 */
#include "process.h"

#include <dlfcn.h>

#define ROUNDS  1000
#define WARM_UP 50

/* Far less than one pool, or one object file, a round. */
#define SLACK_BYTES 16384

static void *find(void *library, const char *name)
{
    void *function = dlsym(library, name);

    if (!function)
        print_error("%s\n", dlerror());
    assert_non_null(function);
    return function;
}

static void use_library(void)
{
    int (*loop)(size_t begin, size_t end, filch_body * body, const filch_opts *opts);
    void *library = dlopen(FILCH_SHARED, RTLD_NOW | RTLD_LOCAL);
    atomic_size_t sum = 0;

    if (!library) {
        fail_msg("%s", dlerror());
        return;
    }
    *(void **)&loop = find(library, "filch_for_with");
    assert_int_equal(loop(0, 1000, sum_range, FILCH_OPTS(&sum, .grain = 1)), 0);
    assert_int_equal(atomic_load(&sum), 499500);
    assert_int_equal(dlclose(library), 0);
}

static void a_thousand_loads_leave_no_thread_and_no_memory(void **state)
{
    unsigned threads = count_threads();
    size_t before = 0;
    int round, rounds = IS_TSAN ? 100 : ROUNDS;

    (void)state;
    setenv("FILCH_NUM_THREADS", "3", 1);
    for (round = 0; round < rounds; round++) {
        if (round == WARM_UP)
            before = bytes_in_use();
        use_library();
        assert_true(are_threads_gone(threads));
        /* It has gone, and did not just close its eyes. */
        assert_null(dlopen(FILCH_SHARED, RTLD_NOW | RTLD_NOLOAD));
    }
    assert_in_range(bytes_in_use(), 0, before + SLACK_BYTES);
}

static void the_process_may_fork_after_the_library_has_gone(void **state)
{
    pid_t child;

    (void)state;
    use_library();
    /* Handlers of the fork that were still registered would be in memory that is gone. */
    child = fork();
    if (child == 0)
        _exit(5);
    assert_int_equal(value_of_child(child), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_loads_leave_no_thread_and_no_memory),
        cmocka_unit_test(the_process_may_fork_after_the_library_has_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
