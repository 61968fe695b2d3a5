/* test_vectors.c - what a wait leaves in the vector registers: nothing.
 *
 * Asks the processor which parts of its state are in use (XGETBV), where it can tell.
 */
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#if defined(__x86_64__)
#include <cpuid.h>

#define UPPER_HALVES 4u /* of the registers of 256 bits, in XGETBV's answer */

static bool can_tell(void)
{
    unsigned a, b, c, d;

    return __builtin_cpu_supports("avx") && __get_cpuid_count(0xd, 1, &a, &b, &c, &d) &&
           (a & 4u) != 0;
}

static unsigned parts_in_use(void)
{
    unsigned low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return low;
}

static void use_an_upper_half(void)
{
    __asm__ volatile("vcmptrueps %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
}

static void a_wait_frees_the_upper_halves(void **state)
{
    uint32_t word = 1;

    (void)state;
    if (!can_tell())
        skip();
    use_an_upper_half();
    assert_int_equal(parts_in_use() & UPPER_HALVES, UPPER_HALVES);
    fl_futex_wait(&word, 2);
    assert_int_equal(parts_in_use() & UPPER_HALVES, 0);

    use_an_upper_half();
    assert_true(fl_futex_wait_until(&word, 1, fl_now_ns() + 1000000));
    assert_int_equal(parts_in_use() & UPPER_HALVES, 0);
}
#else
static void a_wait_frees_the_upper_halves(void **state)
{
    (void)state;
    skip(); /* this processor has no such halves */
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_frees_the_upper_halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
