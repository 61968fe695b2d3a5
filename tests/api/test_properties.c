/* test_properties.c - random sequences of calls, of which each is checked against what
 * the headers promise (tests/fuzz/calls.h).
 *
 * A seed is a sequence. FILCH_PROPERTY_SEEDS says how many (as many as take a few
 * seconds); FILCH_SEED=N runs that one only.
 */
#include "pools.h"
#include <signal.h>
#include <unistd.h>
#include "../fuzz/calls.h"

#define MOST_BYTES 400

#if IS_EMULATED
#define USUAL_SEEDS 60
#elif IS_TSAN || IS_ASAN
#define USUAL_SEEDS 600
#else
#define USUAL_SEEDS 3000
#endif

static char repeat[80]; /* for who reads of a crash, too */

static void on_abort(int signal)
{
    (void)signal;
    if (write(STDERR_FILENO, repeat, strlen(repeat)) < 0)
        _exit(1);
}

static const char *run_seed(uint64_t seed)
{
    uint64_t random = seed;
    uint8_t bytes[MOST_BYTES];
    size_t size = 1 + random_below(&random, MOST_BYTES), i;

    snprintf(repeat, sizeof repeat, "repeat with FILCH_SEED=%llu\n",
             (unsigned long long)seed);
    for (i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(&random);
    return run_calls(bytes, size);
}

static void random_calls_do_what_the_headers_promise(void **state)
{
    const char *only = getenv("FILCH_SEED"), *count = getenv("FILCH_PROPERTY_SEEDS");
    uint64_t seed = only ? strtoull(only, NULL, 10) : 0;
    uint64_t end = only ? seed + 1 : count ? strtoull(count, NULL, 10) : USUAL_SEEDS;

    (void)state;
    for (; seed < end; seed++) {
        const char *wrong = run_seed(seed);

        if (wrong)
            fail_msg("%s; %s", wrong, repeat);
    }
}

static int end_pools(void **state)
{
    (void)state;
    end_calls();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_do_what_the_headers_promise),
    };

    signal(SIGABRT, on_abort);
    return cmocka_run_group_tests(tests, NULL, end_pools);
}
