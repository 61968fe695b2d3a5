/* test_faults.c - a fault in a body on a pool's thread runs the program's own handler
 * there. */
#include "process.h"

#include <sys/mman.h>

/* --- roles ------------------------------------------------------------------------ */

#define HANDLED 33

static volatile char *forbidden; /* a page that nobody may touch */
static _Thread_local sigjmp_buf back;

static void leave(int number)
{
    (void)number;
    _exit(HANDLED);
}

static void jump_back(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

struct fault {
    pthread_t caller;
    atomic_uint arrived, faults, returns;
};

/* Two threads are here: the one that is not the caller's is the pool's. */
static int touch(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct fault *fault = ctx;

    (void)w;
    (void)begin;
    (void)end;
    atomic_fetch_add(&fault->arrived, 1);
    if (!wait_for(&fault->arrived, 2))
        return -1;
    if (pthread_equal(pthread_self(), fault->caller))
        return 0;
    atomic_fetch_add(&fault->faults, 1);
    if (sigsetjmp(back, 1)) {
        atomic_fetch_add(&fault->returns, 1);
        return 0;
    }
    *forbidden = 1;
    return -2;
}

static int fault_on_pool(void (*handler)(int number), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct fault fault = {.caller = pthread_self()};
    filch_pool *pool;
    int value;

    forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (forbidden == MAP_FAILED ||
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2)))
        return 90;
    sigaction(SIGSEGV, &action, NULL);
    value = filch_for(0, 2, touch, &fault, .pool = pool, .grain = 1);
    /* The pool goes on as before. */
    value += sum_wrongly(pool);
    filch_pool_destroy(pool);
    if (value)
        return 91;
    return atomic_load(&fault.faults) == 1 && atomic_load(&fault.returns) == 1 ? 0 : 92;
}

/* --- tests ------------------------------------------------------------------------ */

static char text[8192];

static void a_handler_of_a_fault_in_a_body_may_end_the_process(void **state)
{
    (void)state;
    assert_int_equal(run_role("leave", NULL, text, sizeof text), HANDLED);
    assert_int_equal(run_role("leave on stack", NULL, text, sizeof text), HANDLED);
}

static void a_handler_of_a_fault_in_a_body_may_jump_back_into_it(void **state)
{
    (void)state;
    assert_int_equal(run_role("jump", NULL, text, sizeof text), 0);
    assert_int_equal(run_role("jump on stack", NULL, text, sizeof text), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_of_a_fault_in_a_body_may_end_the_process),
        cmocka_unit_test(a_handler_of_a_fault_in_a_body_may_jump_back_into_it),
    };

    if (argc > 1) {
        int flags = strstr(argv[1], "on stack") ? SA_ONSTACK : 0;

        return fault_on_pool(strstr(argv[1], "leave") ? leave : jump_back, flags);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
