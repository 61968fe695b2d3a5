/* sched.c - see sched.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fiber.h"
#include "heap.h"
#include "memory.h"
#include "race.h"
#include "sched.h"
#include "search.h"
#include "trace.h"

/* Bodies are short: who takes more steps goes in circles without saying so by a spin. */
enum { STEPS_AT_MOST = 3000 };

enum status { ABSENT, RUNNABLE, SPINNING, LOCKING, ASLEEP, FINISHED };

static struct thread {
    struct fiber fiber;
    enum status status;
    bool is_launched; /* has come to its first operation */
    bool was_woken;
    bool has_learnt;     /* since its last pause */
    const void *address; /* asleep on */
    uint64_t words_read; /* a bit each */
    unsigned lock;       /* the word */
    uint64_t last_read[MEMORY_WORDS];
    uint64_t history;
} threads[MODEL_THREADS];
static struct fiber home;
static struct fiber starter; /* decides who is first */
static const struct model_case *running;
static int self = -1;
static int preemptions;
static unsigned spurious_left, steps;
static enum sched_end how_ended;
static char failure[512];

static _Noreturn void leave(enum sched_end how)
{
    struct fiber nowhere;

    how_ended = how;
    self = -1;
    fiber_switch(&nowhere, &home);
    abort();
}

void model_fail(const char *what, const char *file, int line)
{
    const char *base = file ? strrchr(file, '/') : NULL;

    snprintf(failure, sizeof failure, file ? "%s (%s:%d)" : "%s", what,
             base ? base + 1 : file, line);
    if (!running) {
        fprintf(stderr, "model: %s, outside a case\n", failure);
        abort();
    }
    leave(SCHED_FAILED);
}

/* --- who can go on ---------------------------------------------------------------- */

static bool has_news(int t)
{
    unsigned w;

    for (w = 0; threads[t].words_read >> w; w++)
        if (threads[t].words_read >> w & 1 && memory_has_news(t, w))
            return true;
    return false;
}

static bool is_enabled(int t)
{
    return threads[t].status == RUNNABLE ||
           (threads[t].status == SPINNING && has_news(t)) ||
           (threads[t].status == LOCKING &&
            memory_free_places(t, threads[t].lock, NULL) > 0);
}

static void fail_stuck(void)
{
    char text[512] = "nobody can go on:";
    int t;

    for (t = 0; t < MODEL_THREADS; t++) {
        size_t used = strlen(text);

        if (threads[t].status == ASLEEP)
            snprintf(text + used, sizeof text - used, " T%d sleeps on %s (lost wake-up);",
                     t, trace_name(threads[t].address));
        else if (threads[t].status == LOCKING)
            snprintf(text + used, sizeof text - used, " T%d waits for the lock %s;", t,
                     trace_name(memory_get(threads[t].lock)->address));
        else if (threads[t].status == SPINNING)
            snprintf(text + used, sizeof text - used,
                     " T%d waits for what nobody writes;", t);
    }
    model_fail(text, NULL, 0);
}

static uint64_t state_hash(void)
{
    struct clock least;
    unsigned live = 0;
    uint64_t hash = 1;
    int t;

    for (t = 0; t < MODEL_THREADS; t++)
        if (threads[t].status != ABSENT) {
            /* Finished ones, too: what they did may be in plain memory. */
            hash = hash_mix(hash, threads[t].history);
            hash = hash_mix(hash, threads[t].status * 4u + threads[t].has_learnt * 2u +
                                      threads[t].was_woken);
            if (threads[t].status != FINISHED)
                live |= 1u << t;
        }
    hash = hash_mix(hash, spurious_left);
    if (search_preemptions() >= 0)
        hash = hash_mix(hash, (uint64_t)preemptions << 8 | (unsigned)self);
    hash = memory_hash(hash, live, &least);
    hash = heap_hash(hash, &least);
    return race_hash(hash, &least);
}

/* Decide who goes on, and switch. The caller is thread `before`, or -1. */
static void next_thread(int before)
{
    int option[2 * MODEL_THREADS], t, chosen;
    unsigned options = 0, waking, finished = 0, present = 0;
    bool can_stay = before >= 0 && is_enabled(before);
    bool is_preempted = can_stay && threads[before].status != SPINNING;

    if (++steps > STEPS_AT_MOST)
        model_fail("no end: a livelock, or a loop without fl_spin_hint or fl_yield", NULL,
                   0);
    if (search_is_new() && !search_visit(state_hash()))
        leave(SCHED_SEEN_BEFORE);
    if (can_stay)
        option[options++] = before;
    for (t = 0; t < MODEL_THREADS; t++) {
        finished += threads[t].status == FINISHED;
        present += threads[t].status != ABSENT;
        if (t != before && is_enabled(t))
            option[options++] = t;
    }
    if (finished == present)
        leave(SCHED_DONE);
    if (!options)
        fail_stuck();
    if (is_preempted && search_preemptions() >= 0 && preemptions >= search_preemptions())
        options = 1;
    waking = options;
    if (spurious_left)
        for (t = 0; t < MODEL_THREADS; t++)
            if (threads[t].status == ASLEEP)
                option[options++] = t;
    chosen = (int)search_choose(options);
    if ((unsigned)chosen >= waking) {
        spurious_left--;
        threads[option[chosen]].was_woken = false;
    }
    if (is_preempted && chosen)
        preemptions++;
    chosen = option[chosen];
    threads[chosen].status = RUNNABLE;
    self = chosen;
    if (chosen == before)
        return;
    fiber_switch(before < 0 ? &starter : &threads[before].fiber, &threads[chosen].fiber);
}

/* --- from threads ----------------------------------------------------------------- */

int model_self(void)
{
    return self;
}

/* The thread's turn is over. What it does before its first operation concerns nobody, so
 * that is not a state of its own. */
static void end_turn(int me)
{
    if (threads[me].is_launched) {
        next_thread(me);
        return;
    }
    threads[me].is_launched = true;
    fiber_switch(&threads[me].fiber, &home);
}

void sched_point(void)
{
    end_turn(self);
}

void sched_note(uint64_t what)
{
    threads[self].history = hash_mix(threads[self].history, what);
}

void sched_note_read(unsigned word, uint64_t store)
{
    if (threads[self].last_read[word] != store)
        threads[self].has_learnt = true;
    threads[self].last_read[word] = store;
    threads[self].words_read |= (uint64_t)1 << word;
}

void sched_spin(void)
{
    int me = self;
    unsigned w, news[64], count = 0;

    if (!threads[me].words_read)
        return;
    threads[me].status = SPINNING;
    end_turn(me);
    /* Looking again at nothing new is what a thread does while it waits: it counts as a
     * look only if one of the words, any, shows something newer. */
    for (w = 0; threads[me].words_read >> w; w++)
        if (threads[me].words_read >> w & 1 && memory_has_news(me, w))
            news[count++] = w;
    w = news[search_choose(count)];
    memory_take_news(me, w);
    threads[me].words_read = 0;
    sched_note(w);
}

void sched_pause(void)
{
    if (threads[self].has_learnt)
        threads[self].words_read = 0;
    else
        sched_spin();
    threads[self].has_learnt = false;
}

void sched_lock(unsigned word)
{
    threads[self].status = LOCKING;
    threads[self].lock = word;
    end_turn(self);
}

bool sched_sleep(const void *address)
{
    int me = self;

    threads[me].status = ASLEEP;
    threads[me].address = address;
    threads[me].was_woken = true;
    end_turn(me);
    return threads[me].was_woken;
}

int sched_wake(const void *address, int count)
{
    int t, sleeper[MODEL_THREADS], woken = 0;
    unsigned sleepers = 0, i;

    for (t = 0; t < MODEL_THREADS; t++)
        if (threads[t].status == ASLEEP && threads[t].address == address)
            sleeper[sleepers++] = t;
    for (; sleepers && woken < count; woken++) {
        i = sleepers <= (unsigned)(count - woken) ? 0 : search_choose(sleepers);
        threads[sleeper[i]].status = RUNNABLE;
        sleeper[i] = sleeper[--sleepers];
    }
    return woken;
}

bool sched_has_spurious(void)
{
    return spurious_left > 0;
}

void sched_use_spurious(void)
{
    spurious_left--;
}

unsigned sched_sleepers(const void *address)
{
    unsigned sleepers = 0;
    int t;

    for (t = 0; t < MODEL_THREADS; t++)
        sleepers += threads[t].status == ASLEEP && threads[t].address == address;
    return sleepers;
}

static void thread_main(void)
{
    running->threads[self]();
    threads[self].status = FINISHED;
    end_turn(self);
    abort();
}

/* --- an execution ----------------------------------------------------------------- */

const char *sched_failure(void)
{
    return failure;
}

static void start_checking(void)
{
    if (running->check)
        running->check();
    heap_check_leaks();
    leave(SCHED_DONE);
}

/* On a fiber, so that it can be left from anywhere. */
static void check(void)
{
    static struct fiber checker;

    if (!checker.stack)
        fiber_create(&checker, start_checking);
    fiber_restart(&checker);
    fiber_switch(&home, &checker);
}

static void launch(int t)
{
    fiber_switch(&home, &threads[t].fiber);
    if (how_ended == SCHED_DONE)
        self = t;
}

static void start_first(void)
{
    next_thread(-1);
    abort();
}

/* On a fiber, as check(): all may be over before the first turn. */
static void start(void)
{
    if (!starter.stack)
        fiber_create(&starter, start_first);
    fiber_restart(&starter);
    fiber_switch(&home, &starter);
}

enum sched_end sched_run(const struct model_case *test)
{
    int t;

    running = test;
    self = -1;
    memory_reset();
    race_reset();
    heap_reset();
    trace_reset();
    preemptions = 0;
    steps = 0;
    spurious_left = test->spurious;
    test->setup();
    for (t = 0; t < MODEL_THREADS; t++) {
        struct thread *thread = &threads[t];

        if (!thread->fiber.stack)
            fiber_create(&thread->fiber, thread_main);
        fiber_restart(&thread->fiber);
        thread->status = test->threads[t] ? RUNNABLE : ABSENT;
        thread->is_launched = thread->was_woken = thread->has_learnt = false;
        thread->words_read = 0;
        memset(thread->last_read, 0, sizeof thread->last_read);
        thread->history = (uint64_t)t + 1;
    }
    search_start();
    how_ended = SCHED_DONE;
    for (self = 0; self < MODEL_THREADS && how_ended == SCHED_DONE; self++)
        if (threads[self].status != ABSENT)
            launch(self);
    if (how_ended == SCHED_DONE)
        start();
    self = -1;
    if (how_ended == SCHED_DONE) {
        memory_write_back();
        check();
    }
    running = NULL;
    return how_ended;
}
