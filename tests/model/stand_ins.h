/* stand_ins.h - what files of the library need beside them when a model test includes
 * them: a clock, counters that nobody counts, options that are right, control words of
 * floating point.
 *
 * Job: for tests that include lib/worker.c or what is above it; included first, before
 * the checker's names for some of platform.h.
 */
#ifndef STAND_INS_H
#define STAND_INS_H

#include "platform.h"

#include "counters.h"
/* Counts concern nobody here, and would be words to search through. */
#define fl_count(counter)             ((void)(counter))
#define fl_count_add(counter, amount) ((void)(counter), (void)(amount))

/* In place of fpenv.h: the checker's threads are coroutines, so each has a word for it. */
#define FL_FPENV_H

typedef uint64_t fl_fpenv;

static fl_fpenv fpenv_of[MODEL_THREADS];

static inline fl_fpenv fl_fpenv_read(void)
{
    return model_self() < 0 ? 0 : fpenv_of[model_self()];
}

static inline void fl_fpenv_write(fl_fpenv fpenv)
{
    fpenv_of[model_self()] = fpenv;
}

static inline fl_fpenv fl_fpenv_switch(fl_fpenv fpenv)
{
    fl_fpenv before = fl_fpenv_read();

    fl_fpenv_write(fpenv);
    return before;
}

#include "clock.h"

struct fl_clock fl_clock = {.is_counter = false, .ticks_per_ns = 1};

/* A clock of its own for each thread, which stands still unless a test lets each look at
 * it take some time. Set both anew in set-up. */
static uint64_t clock_tick, clock_now[MODEL_THREADS];

uint64_t fl_now_ns(void)
{
    return model_self() < 0 ? 1 : 1 + (clock_now[model_self()] += clock_tick);
}

void fl_heavy_fence(void)
{
}

int fl_current_cpu(void)
{
    return -1;
}

#include "options.h"

int fl_opts_check(const filch_opts *opts)
{
    (void)opts;
    return 0;
}

int filch_cancel_is_set(const filch_cancel *cancel)
{
    (void)cancel;
    return 0;
}

#endif
