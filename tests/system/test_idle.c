/* test_idle.c - a pool at rest uses no CPU. */
#include "process.h"

#include <sys/resource.h>

/* The bound is the promise itself. What the system charges to a process that sleeps is
 * for it to say, so the best of a few tries counts. */
#define REST_US  2000000
#define BOUND_US 2000
#define TRIES    3

static uint64_t cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void a_pool_at_rest_uses_no_cpu(void **state)
{
    uint64_t best = UINT64_MAX, used;
    int i;

    for (i = 0; i < TRIES && best >= BOUND_US; i++) {
        assert_int_equal(sum_wrongly(*state), 0);
        sleep_us(100000);
        used = cpu_us();
        sleep_us(REST_US);
        used = cpu_us() - used;
        best = used < best ? used : best;
    }
    assert_in_range(best, 0, BOUND_US - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOL(a_pool_at_rest_uses_no_cpu, 2),
        ON_POOL(a_pool_at_rest_uses_no_cpu, 4),
        ON_POOL(a_pool_at_rest_uses_no_cpu, 8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
