/* platform_clock.c - which counter there is, and how fast it runs; see clock.h. */
#include "clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

struct fl_clock fl_clock;

/* Against a clock that is read to some 20 ns, good to a thousandth. */
#define CALIBRATE_NS 50000u

#if defined(__x86_64__)
static bool has_counter(void)
{
    unsigned a, b, c, d;

    /* Advanced power management: bit 8 of edx is the invariant TSC. */
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d >> 8 & 1);
}
#elif defined(__aarch64__)
static bool has_counter(void)
{
    return true;
}
#else
static bool has_counter(void)
{
    return false;
}
#endif

/* Both clocks at about the same moment. */
static uint64_t read_both(uint64_t *ns)
{
    uint64_t before, after, closest = 0, gap = UINT64_MAX;
    int tries;

    /* The closest pair of a few: between two reads the thread may lose its CPU. */
    for (tries = 0; tries < 4; tries++) {
        uint64_t now;

        before = fl_ticks();
        now = fl_now_ns();
        after = fl_ticks();
        if (after - before < gap) {
            gap = after - before;
            closest = before + gap / 2;
            *ns = now;
        }
    }
    return closest;
}

void fl_clock_calibrate(void)
{
    uint64_t first_ns = 0, last_ns = 0, first, last;

    if (fl_clock.ticks_per_ns > 0)
        return;
    fl_clock.is_counter = has_counter();
    if (!fl_clock.is_counter) {
        fl_clock.ticks_per_ns = 1;
        return;
    }
    first = read_both(&first_ns);
    while (fl_now_ns() - first_ns < CALIBRATE_NS)
        continue;
    last = read_both(&last_ns);
    fl_clock.ticks_per_ns = (double)(last - first) / (double)(last_ns - first_ns);
}
