/* watch.c - what every thread is doing; see watch.h. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "watch.h"

struct doing {
    _Atomic uint64_t seed; /* of the innermost call */
    _Atomic int kind;
    _Atomic unsigned depth;
    _Atomic int is_waiting;
    _Atomic long thread;
};

#define MOST_DOING 4096

static struct doing doing[MOST_DOING];
static _Atomic unsigned doing_count;

static _Thread_local struct doing *mine;
_Thread_local const struct call *innermost;

filch_pool *pool;
unsigned pool_workers;
bool pool_is_classic;
uint64_t run_seed;

static void report(const char *format, va_list args)
{
    flockfile(stderr);
    fprintf(stderr, "stress: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n  repeat with --seed %" PRIu64 " (%u workers, %s fences)\n",
            run_seed, pool_workers, pool_is_classic ? "classic" : "default");
    funlockfile(stderr);
}

void fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(format, args);
    va_end(args);
    abort();
}

void tell(const struct call *call, int is_waiting)
{
    if (!mine) {
        unsigned i = atomic_fetch_add(&doing_count, 1);

        mine = &doing[i % MOST_DOING];
        atomic_store(&mine->thread, (long)gettid());
    }
    atomic_store_explicit(&mine->seed, call ? call->seed : 0, memory_order_relaxed);
    atomic_store_explicit(&mine->kind, call ? (int)call->kind : -1, memory_order_relaxed);
    atomic_store_explicit(&mine->depth, call ? call->depth : 0, memory_order_relaxed);
    atomic_store_explicit(&mine->is_waiting, is_waiting, memory_order_relaxed);
}

static bool descends(const struct call *call, const struct call *from)
{
    for (; call; call = call->parent)
        if (call == from)
            return true;
    return false;
}

const struct call *body_begin(const struct call *call, bool is_far)
{
    const struct call *outer = innermost;

    if (outer && !is_far && !descends(call, outer))
        fail("isolation: a %s (nest %" PRIu64 ") runs on a thread that waits for a %s"
             " (%" PRIu64 ")",
             kind_names[call->kind], call->seed, kind_names[outer->kind], outer->seed);
    innermost = call;
    tell(call, 0);
    return outer;
}

void body_end(const struct call *outer)
{
    innermost = outer;
    tell(outer, outer != NULL);
}

void print_doing(void)
{
    unsigned i, count = atomic_load(&doing_count);

    for (i = 0; i < count && i < MOST_DOING; i++) {
        int kind = atomic_load(&doing[i].kind);

        if (kind >= 0)
            fprintf(stderr, "  thread %ld: %s a %s, depth %u, nest %" PRIu64 "\n",
                    atomic_load(&doing[i].thread),
                    atomic_load(&doing[i].is_waiting) ? "waits for" : "runs",
                    kind_names[kind], atomic_load(&doing[i].depth),
                    (uint64_t)atomic_load(&doing[i].seed));
    }
}
