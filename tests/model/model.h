/* model.h - what a model test says and calls.
 *
 * Job: the checker's face. A test is a table of cases; each has a set-up, up to four
 * thread bodies, and a final check. The checker runs the bodies in every order, and lets
 * every read return every store, that the memory model allows.
 *
 * Bodies are deterministic but for what atomics return. Plain variables may count and
 * record; what one thread writes and another reads must be said with MODEL_WRITE and
 * MODEL_READ, and is then checked for data races. Plain data must not be how a thread
 * waits.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_THREADS 4

enum {
    MODEL_RELAXED = 0,
    MODEL_ACQUIRE = 1,
    MODEL_RELEASE = 2,
    MODEL_ACQ_REL = 3,
    MODEL_SC = 4
};

struct model_case {
    const char *name;
    void (*setup)(void);
    void (*threads[MODEL_THREADS])(void);
    void (*check)(void); /* after all threads; reads the words as plain memory */
    /* Exactly these outcomes (model_outcome) must be seen, in the order of their text and
     * with " | " between them; NULL: not asked. Where the case must fail: words of its
     * failure. */
    const char *outcomes;
    unsigned spurious;    /* waits that may return, and weak compare-and-swaps that may
                             fail, for no reason, per execution */
    int preemptions;      /* 0: no bound */
    unsigned random_runs; /* instead of all executions */
    bool must_fail;       /* the case shows that the checker sees this mistake */
};

/* The whole of main(). */
int model_main(int argc, char **argv, const struct model_case *cases, size_t count);

/* Which thread of the case this is; -1 in set-up and check. */
int model_self(void);

/* Names for traces; a value that is a named address is printed by that name, too. */
void model_name(const void *address, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Only this thread writes the word (checked): its own loads of it need no interleaving. */
void model_sole_writer(const void *address, unsigned bytes, int thread);

/* The word is emptied by a thread that reads it and then succeeds in a compare-and-swap
 * (any), and may be stored to again only by who knows of that: a store that the read did
 * not happen before fails. No value would show it, as this model has no load buffering. */
void model_recycled(const void *word);

/* The word is a spin lock: 0 is free, and a swap with 1 that finds 1 is tried again, with
 * no other effect. Then the failed attempts, of which there are very many, need not be
 * run: the reduced search waits at the swap until it can succeed. A try that may give up
 * is waited for as well. */
void model_spin_lock(const void *word);

/* Accesses by code that was compiled with -fsanitize=thread are checked for races, too,
 * if they fall into a watched object. */
void model_watch(const void *object, size_t bytes);

/* --- memory that comes and goes ---------------------------------------------------- *
 * What is allocated through replaced/stdlib.h, or fl_zalloc, is looked after by itself:
 * use after free, freeing twice, freeing what others may still use, leaks. The same for an
 * object that a test has in a frame, from model_lives to model_dies. */
void model_lives(const void *object, size_t bytes);
void model_dies(const void *object, const char *file, int line);
#define MODEL_DIES(object) model_dies((object), __FILE__, __LINE__)

/* So many allocations of this execution may fail; from set-up. */
void model_may_run_out(unsigned times);

/* The outcome of this execution, as text. */
void model_outcome(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* End the execution as failed. From threads and from check. */
_Noreturn void model_fail(const char *what, const char *file, int line);

#define MODEL_ASSERT(condition, what) \
    ((condition) ? (void)0 : model_fail((what), __FILE__, __LINE__))

void model_plain(const void *address, bool is_write, const char *file, int line);

/* For plain variables: the access, checked. */
#define MODEL_READ(variable) \
    (model_plain(&(variable), false, __FILE__, __LINE__), (variable))
#define MODEL_WRITE(variable, value) \
    (model_plain(&(variable), true, __FILE__, __LINE__), (void)((variable) = (value)))

#endif
