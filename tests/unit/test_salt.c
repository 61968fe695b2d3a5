/* test_salt.c - salts (lib/platform_salt.c): nobody can foresee the next one, and no two
 * calls have the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "platform.h"

#define SALTS 10000

static const char *program;

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static void salts_differ_from_call_to_call(void **state)
{
    static uint64_t salts[SALTS];
    size_t i, ones = 0;

    (void)state;
    for (i = 0; i < SALTS; i++)
        salts[i] = fl_salt();
    for (i = 0; i < SALTS; i++)
        ones += (size_t)__builtin_popcountll(salts[i]);
    assert_in_range(ones, SALTS * 31, SALTS * 33);
    qsort(salts, SALTS, sizeof *salts, by_value);
    for (i = 1; i < SALTS; i++)
        assert_true(salts[i] != salts[i - 1]);
}

/* The next salt of a child, which is forked, or runs this program anew. */
static uint64_t salt_of_child(const char *path)
{
    uint64_t salt = 0;
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (path) {
            dup2(ends[1], STDOUT_FILENO);
            execl(path, path, "salt", (char *)NULL);
            _exit(1);
        }
        salt = fl_salt();
        _exit(write(ends[1], &salt, sizeof salt) != sizeof salt);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &salt, sizeof salt), sizeof salt);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return salt;
}

/* They go on from the same memory, and may group what another one has in its order. */
static void salts_differ_between_a_process_and_its_children(void **state)
{
    uint64_t first, second, own;

    (void)state;
    (void)fl_salt();
    first = salt_of_child(NULL);
    second = salt_of_child(NULL);
    own = fl_salt();
    assert_true(first != second);
    assert_true(first != own && second != own);
}

static void salts_differ_from_run_to_run(void **state)
{
    (void)state;
#if IS_EMULATED
    skip(); /* a program that an emulator runs cannot be started by itself */
#endif
    assert_true(salt_of_child(program) != salt_of_child(program));
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(salts_differ_from_call_to_call),
        cmocka_unit_test(salts_differ_between_a_process_and_its_children),
        cmocka_unit_test(salts_differ_from_run_to_run),
    };

    program = arguments[0];
    if (count > 1) {
        uint64_t salt = fl_salt();

        return fwrite(&salt, sizeof salt, 1, stdout) != 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
