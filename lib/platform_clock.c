/* platform_clock.c - which counter there is, and how fast it runs; see clock.h. */
#include "clock.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Before it is known, as it is right everywhere. */
struct fl_clock fl_clock = {.ticks_per_ns = 1};

/* Twice this, against a clock that is read to some 20 ns: good to a thousandth. */
#define CALIBRATE_NS 25000u

/* Where the clock stands still. The fastest takes several nanoseconds to read. */
#define MOST_LOOKS 20000

/* Again, where the two halves disagree: a virtual machine may lose its CPU. */
#define TRIES 3

/* What counters run at, with a margin: below and above, the system's clock is wrong. */
#if defined(__x86_64__)
#define LEAST_TICKS_PER_NS   0.1
#define MOST_TICKS_PER_NS    20.0
#define GUESSED_TICKS_PER_NS 2.5

static bool has_counter(void)
{
    unsigned a, b, c, d;

    /* Advanced power management: bit 8 of edx is the invariant TSC. */
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d >> 8 & 1);
}
#else
#define LEAST_TICKS_PER_NS   0.0005
#define MOST_TICKS_PER_NS    10.0
#define GUESSED_TICKS_PER_NS 0.025

static bool has_counter(void)
{
#ifdef __aarch64__
    return true;
#else
    return false;
#endif
}
#endif

/* Where the system's clock does not tell. */
static double guessed_rate(void)
{
#ifdef __aarch64__
    uint64_t hz; /* as the firmware has set it, right or wrong */

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    if ((double)hz >= LEAST_TICKS_PER_NS * 1e9 && (double)hz <= MOST_TICKS_PER_NS * 1e9)
        return (double)hz / 1e9;
#endif
    return GUESSED_TICKS_PER_NS;
}

/* A thread may forbid itself, and those that it starts, the counter (PR_SET_TSC), and with it
 * the vDSO's clock, which reads it. */
static bool is_counter_forbidden(void)
{
#ifdef PR_GET_TSC
    int mode = PR_TSC_ENABLE; /* valgrind does not know that prctl writes it */

    return prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode == PR_TSC_SIGSEGV;
#else
    return false;
#endif
}

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

/* One half, from a pair of readings to the next one. 0: the system's clock stood still, or
 * went back. */
static double rate_from(uint64_t *ticks, uint64_t *ns)
{
    uint64_t first = *ticks, first_ns = *ns;
    int looks;

    for (looks = 0; looks < MOST_LOOKS && fl_ns_since(first_ns) < CALIBRATE_NS; looks++)
        continue;
    *ticks = read_both(ns);
    if (*ns <= first_ns || *ticks <= first)
        return 0;
    return (double)(*ticks - first) / (double)(*ns - first_ns);
}

/* A clock that jumped in one half, or is coarse, gives another rate in the other one. */
static bool measure_rate(double *rate)
{
    uint64_t ns = 0, ticks = read_both(&ns);
    double first = rate_from(&ticks, &ns);
    double second = first > 0 ? rate_from(&ticks, &ns) : 0;

    *rate = (first + second) / 2;
    return *rate >= LEAST_TICKS_PER_NS && *rate <= MOST_TICKS_PER_NS &&
           first > second * 0.8 && second > first * 0.8;
}

void fl_clock_calibrate(void)
{
    double rate = 1;
    int tries;

    if (fl_clock.is_calibrated)
        return;
    fl_clock.is_calibrated = true;
    if (is_counter_forbidden())
        return;
    fl_clock.may_call_vdso = true;
    fl_clock.is_counter = has_counter();
    if (!fl_clock.is_counter)
        return;
    for (tries = 0; tries < TRIES && !measure_rate(&rate); tries++)
        continue;
    /* Made-up clocks (libfaketime) must not change what is shared. */
    fl_clock.ticks_per_ns = tries < TRIES ? rate : guessed_rate();
}
