/* hot.h - the part of a worker that inline fork-join code touches.
 *
 * Job: the layout shared by the inline functions of join.h and the deque in the library.
 * It is frozen: code compiled against one FILCH_HOT_ABI runs only with a library of the
 * same number; every call that takes options checks it (-EINVAL otherwise).
 * Nothing here is for direct use; fork and reclaim in join.h are.
 *
 * No _Atomic: the header must compile as C++17. The words are reached through the
 * builtins below, which the library's own atomics are made of too. A checker that wants
 * to run this code under its own memory model defines FILCH_ATOMICS_HEADER.
 */
#ifndef FILCH_HOT_H
#define FILCH_HOT_H

#include <stdint.h>
#include <stddef.h>

#if UINTPTR_MAX < UINT64_MAX
#error "filch needs a 64-bit system"
#endif

#ifdef FILCH_ATOMICS_HEADER
#include FILCH_ATOMICS_HEADER
#else
#define FILCH_LOAD_RELAXED(word) __atomic_load_n((word), __ATOMIC_RELAXED)
#define FILCH_STORE_RELAXED(word, value) \
    __atomic_store_n((word), (value), __ATOMIC_RELAXED)
#define FILCH_STORE_RELEASE(word, value) \
    __atomic_store_n((word), (value), __ATOMIC_RELEASE)
/* Orders the compiler only; its partner is the heavy fence of whoever looks
 * (membarrier). */
#define FILCH_FENCE_LIGHT() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

#ifdef FILCH_CAPACITY /* a model test wants a ring that wraps after a few pushes */
#define FILCH_RING_SLOTS FILCH_CAPACITY
#else
#define FILCH_RING_SLOTS \
    4096 /* a power of two; 32 KiB a worker. Full: forks run inline */
#endif
#define FILCH_HOT_ABI     1u
#define FILCH_NOT_PUSHED  ((int64_t)-2) /* no index, and next to none */
#define FILCH_GATE_RAISED INT64_MIN

#if defined(__GNUC__)
#define FILCH_API         __attribute__((visibility("default")))
#define FILCH_COLD        __attribute__((cold))
#define FILCH_LIKELY(x)   __builtin_expect(!!(x), 1)
#define FILCH_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#error "filch needs GCC or Clang"
#endif

/* address = &job, for a job in the caller's frame, such that the compiler does not keep
 * it in a register until the branch ends, when few need it: on x86-64 a push and a pop
 * less in each caller, a tenth of what fork and reclaim cost. */
#ifdef __x86_64__
#define FILCH_FRAME_ADDRESS(address, job) \
    __asm__("lea %1, %0" : "=r"(address) : "m"(*(job)))
#else
#define FILCH_FRAME_ADDRESS(address, job) ((address) = (job))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_worker filch_worker;
typedef struct filch_job filch_job;
typedef void filch_job_fn(filch_worker *w, filch_job *job);

/* A job lives in its forker's frame. The forker writes run; from the fork until reclaim
 * or await returns, the word belongs to the library, which keeps the job's progress in
 * it. */
struct filch_job {
    union {
        filch_job_fn *run;
        uintptr_t state;
    };
    filch_job *next; /* the library's, for a job that changes hands; not to be set */
};

struct filch_worker {
    /* Written by the owner at each fork and reclaim. */
    int64_t tail;  /* next free index; [bottom, tail) is private */
    int64_t limit; /* below it a pop must ask the deque; equals bottom but in a forced
                      publish */
    char pad_tail[48];
    /* Read by the owner at each fork, written by hungry workers: a line of its own. At or
     * above it, a fork calls the library: someone is hungry (FILCH_GATE_RAISED), or the
     * ring is nearly full. */
    int64_t gate;
    char pad_gate[56];
    filch_job *slot[FILCH_RING_SLOTS];
};

#ifdef __cplusplus
}
#endif
#endif
