/* fpenv.h - the floating-point environment of a thread: how its arithmetic rounds.
 *
 * Job: read and write the control words, so that work that goes to another thread computes
 * the same bits there: rounding, flushing of denormals, x87 precision, which exceptions
 * trap. Reading costs about a nanosecond. The flags of exceptions that have occurred
 * belong to the thread and stay as they are.
 *
 * fenv.h is no substitute: fegetenv has no FTZ and DAZ everywhere, saves the flags too,
 * costs some 20 ns, and feholdexcept changes what it reads.
 */
#ifndef FL_FPENV_H
#define FL_FPENV_H

#include <stdint.h>

/* All control words in one number: equal if and only if the environments are. Always 0 on
 * a processor that is not known here; the environment then stays the thread's own. */
typedef uint64_t fl_fpenv;

#if defined(__x86_64__)

#define FL_MXCSR_CONTROL 0xffc0u /* DAZ, masks, rounding, FTZ */
#define FL_X87_FLAGS     0x3fu   /* of the status word; the masks of the control word */

static inline uint32_t fl_mxcsr_read(void)
{
    uint32_t mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return mxcsr;
}

static inline fl_fpenv fl_fpenv_read(void)
{
    uint16_t x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (fl_mxcsr_read() & FL_MXCSR_CONTROL) | (fl_fpenv)x87 << 32;
}

static inline void fl_fpenv_write(fl_fpenv fpenv)
{
    uint32_t mxcsr = (fl_mxcsr_read() & ~FL_MXCSR_CONTROL) | (uint32_t)fpenv;
    uint16_t x87 = (uint16_t)(fpenv >> 32), status;

    /* With a flag that is up and unmasked, the next x87 instruction would trap. */
    __asm__ volatile("fnstsw %0" : "=m"(status));
    if (status & ~x87 & FL_X87_FLAGS)
        __asm__ volatile("fnclex");
    __asm__ volatile("fldcw %0" : : "m"(x87) : "memory");
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
}

#elif defined(__aarch64__)

static inline fl_fpenv fl_fpenv_read(void)
{
    fl_fpenv fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}

static inline void fl_fpenv_write(fl_fpenv fpcr)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr) : "memory");
}

#elif defined(__riscv) && defined(__riscv_flen)

static inline fl_fpenv fl_fpenv_read(void)
{
    fl_fpenv rounding;

    __asm__ volatile("frrm %0" : "=r"(rounding));
    return rounding;
}

static inline void fl_fpenv_write(fl_fpenv rounding)
{
    __asm__ volatile("fsrm %0" : : "r"(rounding) : "memory");
}

#else

static inline fl_fpenv fl_fpenv_read(void)
{
    return 0;
}

static inline void fl_fpenv_write(fl_fpenv fpenv)
{
    (void)fpenv;
}

#endif

/* Go to an environment; costs a comparison when it is the thread's already. Returns the
 * one before, to go back to. */
static inline fl_fpenv fl_fpenv_switch(fl_fpenv fpenv)
{
    fl_fpenv before = fl_fpenv_read();

    if (__builtin_expect(before != fpenv, 0))
        fl_fpenv_write(fpenv);
    return before;
}

#endif
