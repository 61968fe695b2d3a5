/* atomics.h - atomic operations with the memory order in their name, and every fence.
 *
 * Job: the one place where the library says __atomic. Words are plain integers or
 * pointers (public headers must compile as C++17) that are reached through these names
 * only. A load or store without an order in its name does not exist; a read-modify-write
 * neither.
 *
 * Fences come in three weights. fl_fence_seq_cst orders this thread against others that
 * do the same. fl_fence_light orders the compiler only, and is as good as a full fence
 * against a thread that executes fl_fence_heavy (membarrier: everybody passes a fence),
 * which costs microseconds and belongs on paths that are about to sleep or have idled for
 * long.
 *
 * A model checker defines FILCH_ATOMICS_HEADER (see hot.h) and gives all of these itself.
 */
#ifndef FL_ATOMICS_H
#define FL_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>
#include <filch/hot.h>

#ifndef FILCH_ATOMICS_HEADER

#include "platform.h"

#define fl_load_relaxed(word)         FILCH_LOAD_RELAXED(word)
#define fl_load_acquire(word)         __atomic_load_n((word), __ATOMIC_ACQUIRE)
#define fl_store_relaxed(word, value) FILCH_STORE_RELAXED(word, value)
#define fl_store_release(word, value) FILCH_STORE_RELEASE(word, value)

#define fl_swap_relaxed(word, value) \
    __atomic_exchange_n((word), (value), __ATOMIC_RELAXED)
#define fl_swap_acquire(word, value) \
    __atomic_exchange_n((word), (value), __ATOMIC_ACQUIRE)
#define fl_swap_release(word, value) \
    __atomic_exchange_n((word), (value), __ATOMIC_RELEASE)
#define fl_swap_acq_rel(word, value) \
    __atomic_exchange_n((word), (value), __ATOMIC_ACQ_REL)

#define fl_add_relaxed(word, value) __atomic_fetch_add((word), (value), __ATOMIC_RELAXED)
#define fl_add_acq_rel(word, value) __atomic_fetch_add((word), (value), __ATOMIC_ACQ_REL)
#define fl_sub_acq_rel(word, value) __atomic_fetch_sub((word), (value), __ATOMIC_ACQ_REL)
#define fl_or_acq_rel(word, value)  __atomic_fetch_or((word), (value), __ATOMIC_ACQ_REL)
#define fl_and_acq_rel(word, value) __atomic_fetch_and((word), (value), __ATOMIC_ACQ_REL)

/* Strong compare-and-swap; *expected is updated on failure, read relaxed. */
#define fl_cas_acquire(word, expected, value)                                         \
    __atomic_compare_exchange_n((word), (expected), (value), false, __ATOMIC_ACQUIRE, \
                                __ATOMIC_RELAXED)
#define fl_cas_acq_rel(word, expected, value)                                         \
    __atomic_compare_exchange_n((word), (expected), (value), false, __ATOMIC_ACQ_REL, \
                                __ATOMIC_RELAXED)
#define fl_cas_seq_cst(word, expected, value)                                         \
    __atomic_compare_exchange_n((word), (expected), (value), false, __ATOMIC_SEQ_CST, \
                                __ATOMIC_RELAXED)

#define fl_fence_light() FILCH_FENCE_LIGHT()
#define fl_fence_heavy() fl_heavy_fence()

static inline void fl_fence_seq_cst(void)
{
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
    /* GCC warns that its TSan does not see fences. What travels over filch's words
     * travels by release stores and acquire loads as well, so TSan's verdicts hold
     * without them. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#pragma GCC diagnostic pop
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* A hint to the core that this thread spins. */
static inline void fl_spin_hint(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

#endif
#endif
