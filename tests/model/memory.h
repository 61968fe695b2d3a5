/* memory.h - the memory model: what each thread may still read.
 *
 * Job: for every word the stores in modification order; for every thread, and for every
 * store that may synchronise, the oldest store of each word that can still be read (a
 * view) and a vector clock (what happens before). This is RC11 (Lahav, Vafeiadis, Kang,
 * Hur and Dreyer, PLDI 2017) run forwards: C++20's release sequences, and no load
 * buffering. The two asymmetric fences are those of the C++ Concurrency TS 2: a light and
 * a heavy fence are ordered as two seq_cst fences would be, two light ones are not.
 * Relies on search.h for each choice. Never decides which thread runs.
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include "model.h"

enum { MEMORY_WORDS = 48, MEMORY_STORES = 120 };

/* By word: which of its stores is the oldest that may be read. */
struct view {
    uint8_t oldest[MEMORY_WORDS];
};

/* By thread: how many of its steps happened before. */
struct clock {
    uint16_t at[MODEL_THREADS];
};

struct knowledge {
    struct view view;
    struct clock clock;
};

struct store {
    uint64_t value;
    struct knowledge message; /* for whoever acquires it */
    int thread;               /* -1: the initial value */
    unsigned step;            /* of the thread; names the store in traces and hashes */
    bool is_rmw;              /* glued to its predecessor in modification order */
};

struct word {
    void *address;
    unsigned bytes;
    int sole_writer; /* -1: anyone may write */
    bool is_lock;
    unsigned long run;
    unsigned count;
    struct store store[MEMORY_STORES];
    uint8_t order[MEMORY_STORES];    /* by position: the store's index */
    uint8_t position[MEMORY_STORES]; /* by index: its place in modification order */
    unsigned woken_from;             /* position that a futex wait sees at least */
};

/* Forget all stores; words keep their numbers, so that states compare across executions. */
void memory_reset(void);

/* The number of a word, whose initial value is whatever its memory holds when an
 * execution first touches it. */
unsigned memory_word(const void *address, unsigned bytes);
const struct word *memory_get(unsigned word);

/* Whether a thread has stored to it in this execution. */
bool memory_was_stored(const void *address);

/* Newest values into the real memory, for the final check. */
void memory_write_back(void);

/* How many stores the thread may read, counted from the newest. */
unsigned memory_readable(int thread, unsigned word);

/* The store that is so far from the newest; and read it. */
const struct store *memory_peek(unsigned word, unsigned from_newest);
const struct store *memory_read(int thread, unsigned word, unsigned from_newest,
                                int order);

/* Places for a store, 0 being the newest; the same for the stores that a
 * read-modify-write may read: those without another one glued to them. They return how
 * many there are, and fill from_newest (which may be NULL). */
unsigned memory_places(int thread, unsigned word, uint8_t *from_newest);

/* The same for a lock: only where it is free. */
unsigned memory_free_places(int thread, unsigned word, uint8_t *from_newest);

const struct store *memory_write(int thread, unsigned word, unsigned from_newest,
                                 uint64_t value, int order);
const struct store *memory_update(int thread, unsigned word, unsigned from_newest,
                                  uint64_t value, int order);

void memory_fence_seq_cst(int thread);
void memory_fence_acquire(int thread);
void memory_fence_release(int thread);
void memory_fence_light(int thread);
void memory_fence_heavy(int thread);

/* A seq_cst access sees what earlier ones, and earlier seq_cst fences, know of its word. */
void memory_join_seq_cst(int thread, unsigned word);

/* A wait that begins after this sees what the thread has seen of the word; no more is
 * promised by a futex. */
void memory_futex_wake(int thread, unsigned word);
void memory_futex_wait(int thread, unsigned word);

/* Whether the thread could read a newer store than its last; and make it do so. */
bool memory_has_news(int thread, unsigned word);
void memory_take_news(int thread, unsigned word);

/* The step that the thread is at (a step ends with each operation). */
unsigned memory_step(int thread);
void memory_end_step(int thread);
const struct clock *memory_clock(int thread);

/* What can influence the future of the threads in the mask, folded into a hash; least
 * becomes what all of them know happened. */
uint64_t memory_hash(uint64_t hash, unsigned live_threads, struct clock *least);

static inline uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

#endif
