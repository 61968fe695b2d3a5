/* checker_atomics.h - filch's atomics, run by the model checker.
 *
 * Job: stands in for the atomics of hot.h and atomics.h (FILCH_ATOMICS_HEADER names it),
 * with the same names and a few weaker ones, which only mutants use. Relies on ops.c for
 * all. Never touches the words itself.
 */
#ifndef CHECKER_ATOMICS_H
#define CHECKER_ATOMICS_H

#include "model.h"

enum model_update { MODEL_SWAP, MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_AND };

uint64_t model_load(const void *word, unsigned bytes, int order, const char *file,
                    int line);
void model_store(void *word, unsigned bytes, uint64_t value, int order, const char *file,
                 int line);
uint64_t model_update(void *word, unsigned bytes, enum model_update how, uint64_t value,
                      int order, const char *file, int line);
bool model_cas(void *word, unsigned bytes, void *expected, uint64_t value, int order,
               bool is_weak, const char *file, int line);

enum model_fence {
    MODEL_FENCE_ACQUIRE,
    MODEL_FENCE_RELEASE,
    MODEL_FENCE_SEQ_CST,
    MODEL_FENCE_LIGHT,
    MODEL_FENCE_HEAVY
};
void model_fence(enum model_fence which, const char *file, int line);

/* The thread has looked in vain: it goes on when something that it read has changed. */
void model_spin(const char *file, int line);
/* The same for long rounds: a round that brought something new is followed by another
 * one. */
void model_pause(const char *file, int line);
void model_futex_wait(const void *word, uint32_t expected, const char *file, int line);
void model_futex_wake(const void *word, int count, const char *file, int line);

/* The comma makes an unqualified value of the word. */
#define MODEL_TYPE(word)           __typeof__(((void)0, *(word)))
#define MODEL_AS_BITS(word, value) ((uint64_t)(MODEL_TYPE(word))(value))
#define MODEL_LOAD(word, order) \
    ((MODEL_TYPE(word))model_load((word), sizeof *(word), (order), __FILE__, __LINE__))
#define MODEL_STORE(word, value, order)                                                \
    model_store((word), sizeof *(word), MODEL_AS_BITS(word, value), (order), __FILE__, \
                __LINE__)
/* A statement expression, because its value may be left unused without a warning. */
#define MODEL_UPDATE(word, how, value, order)                                       \
    __extension__({                                                                 \
        uint64_t model_was =                                                        \
            model_update((word), sizeof *(word), (how), MODEL_AS_BITS(word, value), \
                         (order), __FILE__, __LINE__);                              \
        (MODEL_TYPE(word)) model_was;                                               \
    })
#define MODEL_CAS(word, expected, value, order)                                        \
    model_cas((word), sizeof *(word), (expected), MODEL_AS_BITS(word, value), (order), \
              false, __FILE__, __LINE__)
/* The library has strong ones only; litmus.c shows what a weak one would do. */
#define MODEL_CAS_WEAK(word, expected, value, order)                                   \
    model_cas((word), sizeof *(word), (expected), MODEL_AS_BITS(word, value), (order), \
              true, __FILE__, __LINE__)

#define FILCH_LOAD_RELAXED(word)         MODEL_LOAD(word, MODEL_RELAXED)
#define FILCH_STORE_RELAXED(word, value) MODEL_STORE(word, value, MODEL_RELAXED)
#define FILCH_STORE_RELEASE(word, value) MODEL_STORE(word, value, MODEL_RELEASE)
#define FILCH_FENCE_LIGHT()              model_fence(MODEL_FENCE_LIGHT, __FILE__, __LINE__)

#define fl_load_relaxed(word)         MODEL_LOAD(word, MODEL_RELAXED)
#define fl_load_acquire(word)         MODEL_LOAD(word, MODEL_ACQUIRE)
#define fl_store_relaxed(word, value) MODEL_STORE(word, value, MODEL_RELAXED)
#define fl_store_release(word, value) MODEL_STORE(word, value, MODEL_RELEASE)

#define fl_swap_relaxed(word, value) MODEL_UPDATE(word, MODEL_SWAP, value, MODEL_RELAXED)
#define fl_swap_acquire(word, value) MODEL_UPDATE(word, MODEL_SWAP, value, MODEL_ACQUIRE)
#define fl_swap_release(word, value) MODEL_UPDATE(word, MODEL_SWAP, value, MODEL_RELEASE)
#define fl_swap_acq_rel(word, value) MODEL_UPDATE(word, MODEL_SWAP, value, MODEL_ACQ_REL)

#define fl_add_relaxed(word, value) MODEL_UPDATE(word, MODEL_ADD, value, MODEL_RELAXED)
#define fl_add_acquire(word, value) MODEL_UPDATE(word, MODEL_ADD, value, MODEL_ACQUIRE)
#define fl_add_release(word, value) MODEL_UPDATE(word, MODEL_ADD, value, MODEL_RELEASE)
#define fl_add_acq_rel(word, value) MODEL_UPDATE(word, MODEL_ADD, value, MODEL_ACQ_REL)
#define fl_sub_relaxed(word, value) MODEL_UPDATE(word, MODEL_SUB, value, MODEL_RELAXED)
#define fl_sub_acquire(word, value) MODEL_UPDATE(word, MODEL_SUB, value, MODEL_ACQUIRE)
#define fl_sub_release(word, value) MODEL_UPDATE(word, MODEL_SUB, value, MODEL_RELEASE)
#define fl_sub_acq_rel(word, value) MODEL_UPDATE(word, MODEL_SUB, value, MODEL_ACQ_REL)
#define fl_or_acquire(word, value)  MODEL_UPDATE(word, MODEL_OR, value, MODEL_ACQUIRE)
#define fl_or_release(word, value)  MODEL_UPDATE(word, MODEL_OR, value, MODEL_RELEASE)
#define fl_or_acq_rel(word, value)  MODEL_UPDATE(word, MODEL_OR, value, MODEL_ACQ_REL)
#define fl_and_acquire(word, value) MODEL_UPDATE(word, MODEL_AND, value, MODEL_ACQUIRE)
#define fl_and_release(word, value) MODEL_UPDATE(word, MODEL_AND, value, MODEL_RELEASE)
#define fl_and_acq_rel(word, value) MODEL_UPDATE(word, MODEL_AND, value, MODEL_ACQ_REL)

#define fl_cas_relaxed(word, expected, value) \
    MODEL_CAS(word, expected, value, MODEL_RELAXED)
#define fl_cas_acquire(word, expected, value) \
    MODEL_CAS(word, expected, value, MODEL_ACQUIRE)
#define fl_cas_release(word, expected, value) \
    MODEL_CAS(word, expected, value, MODEL_RELEASE)
#define fl_cas_acq_rel(word, expected, value) \
    MODEL_CAS(word, expected, value, MODEL_ACQ_REL)
#define fl_cas_seq_cst(word, expected, value) \
    MODEL_CAS(word, expected, value, MODEL_ACQ_REL | MODEL_SC)

#define fl_cas_weak_relaxed(word, expected, value) \
    MODEL_CAS_WEAK(word, expected, value, MODEL_RELAXED)

#define fl_fence_acquire() model_fence(MODEL_FENCE_ACQUIRE, __FILE__, __LINE__)
#define fl_fence_release() model_fence(MODEL_FENCE_RELEASE, __FILE__, __LINE__)
#define fl_fence_seq_cst() model_fence(MODEL_FENCE_SEQ_CST, __FILE__, __LINE__)
#define fl_fence_light()   FILCH_FENCE_LIGHT()
#define fl_fence_heavy()   model_fence(MODEL_FENCE_HEAVY, __FILE__, __LINE__)

#define fl_spin_hint() model_spin(__FILE__, __LINE__)
#define fl_yield()     model_spin(__FILE__, __LINE__)
#define fl_futex_wait(word, expected) \
    model_futex_wait((word), (expected), __FILE__, __LINE__)
/* Deadlines do not exist here. */
#define fl_futex_wait_until(word, expected, deadline) \
    (fl_futex_wait((word), (expected)), (void)(deadline), false)
#define fl_futex_wake(word, count) model_futex_wake((word), (count), __FILE__, __LINE__)

#endif
