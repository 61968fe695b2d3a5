/* clock.h - a clock that costs a few nanoseconds, for what is timed often.
 *
 * Job: ticks of the processor's own counter where it runs at a constant rate in all
 * states (x86-64: the invariant TSC; aarch64: the generic timer), else of CLOCK_MONOTONIC
 * in nanoseconds. Ticks are compared with ticks of the same thread, or of another one
 * where a wrong answer costs only time: counters of different sockets may differ a little.
 */
#ifndef FL_CLOCK_H
#define FL_CLOCK_H

#include "base.h"
#include "platform.h"

struct fl_clock {
    bool is_calibrated;
    bool is_counter;
    bool may_call_vdso;  /* what reads the system's clock without a system call */
    double ticks_per_ns; /* plausible, whatever the system's clock says */
};

/* Written before the first pool is there, and constant from then on. */
extern struct fl_clock fl_clock __attribute__((visibility("hidden")));

/* Measure the counter's rate against the system's clock, once in a process; takes 50 us,
 * and a few milliseconds where that clock stands still or jumps. Pre: one thread at a
 * time. */
void fl_clock_calibrate(void);

static inline uint64_t fl_ticks(void)
{
#if defined(__x86_64__)
    if (__builtin_expect(fl_clock.is_counter, 1))
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    if (__builtin_expect(fl_clock.is_counter, 1)) {
        uint64_t ticks;

        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return fl_now_ns();
}

static inline uint64_t fl_ticks_of_ns(uint64_t ns)
{
    return (uint64_t)((double)ns * fl_clock.ticks_per_ns);
}

static inline uint64_t fl_ns_of_ticks(uint64_t ticks)
{
    return (uint64_t)((double)ticks / fl_clock.ticks_per_ns);
}

/* What has passed; 0 when the thread went to a processor whose counter is behind. */
static inline uint64_t fl_ticks_since(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}

/* What has passed since a moment of fl_now_ns; 0 when that clock went back. */
static inline uint64_t fl_ns_since(uint64_t then)
{
    return fl_ticks_since(then, fl_now_ns());
}

#endif
