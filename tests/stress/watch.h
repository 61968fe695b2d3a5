/* watch.h - what every thread of test_nests.c is doing: for the watchdog, and to see that
 * who waits runs only what descends from what it waits for.
 */
#ifndef TESTS_STRESS_WATCH_H
#define TESTS_STRESS_WATCH_H

#include <filch/filch.h>
#include "plan.h"

struct call {
    const struct call *parent;
    enum kind kind;
    unsigned depth;
    uint64_t seed;
};

/* The run, and its pool of the moment. */
extern filch_pool *pool;
extern unsigned pool_workers;
extern bool pool_is_classic;
extern uint64_t run_seed;

/* The innermost call that this thread runs, or waits for. */
extern _Thread_local const struct call *innermost;

/* Say what is wrong, and how to repeat it, and abort. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

/* This thread runs, or waits for, a call, or nothing (NULL). */
void tell(const struct call *call, int is_waiting);

/* A body of call begins on this thread, which must have been waiting for an ancestor of
 * it, if for anything. */
const struct call *body_begin(const struct call *call, bool is_far);

/* Back to the call around, or into the wait for it. */
void body_end(const struct call *outer);

/* On stderr. */
void print_doing(void);

#endif
