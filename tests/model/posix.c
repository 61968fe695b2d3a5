/* posix.c - see checker_posix.h.
 *
 * A mutex is a word that is swapped with 1 to lock it and set to 0 to unlock it; who
 * waits for it tries no more often than it can succeed. That a mutex or a condition is
 * made and destroyed counts as writing it, all other uses as reading it: so a use that
 * is not ordered against its end is a data race.
 *
 * A condition keeps nothing but those who sleep on it. A signal wakes any one of them; it
 * orders no memory (the mutex does), and is lost when nobody sleeps. Waits may return for
 * no reason, as often as the case says.
 */
#include <string.h>
#include "checker_posix.h"
#include "ops.h"
#include "race.h"
#include "sched.h"
#include "search.h"

enum { FREE = 0, HELD = 1, DESTROYED = 2 };

static unsigned word_of(const pthread_mutex_t *mutex)
{
    return memory_word(mutex, sizeof(uint32_t));
}

static uint64_t newest(unsigned word)
{
    return memory_peek(word, 0)->value;
}

static bool is_held_by(int thread, unsigned word)
{
    return newest(word) == HELD && memory_peek(word, 0)->thread == thread;
}

static void set(struct trace_step *step, const pthread_mutex_t *mutex, uint64_t value,
                int order)
{
    unsigned word = word_of(mutex);

    step->address = mutex;
    step->is = value;
    step->is_written = true;
    memory_write(model_self(), word, 0, value, order);
    ops_finish(step, 1000u + word);
}

/* --- the mutex -------------------------------------------------------------------- */

int model_mutex_init(pthread_mutex_t *mutex, const char *file, int line)
{
    struct trace_step step = {
        .what = "make mutex", .order = -1, .file = file, .line = line};

    if (model_self() < 0) {
        memset(mutex, 0, sizeof(pthread_mutex_t));
        return 0;
    }
    race_access(mutex, true, file, line);
    set(&step, mutex, FREE, MODEL_RELAXED);
    return 0;
}

int model_mutex_destroy(pthread_mutex_t *mutex, const char *file, int line)
{
    struct trace_step step = {
        .what = "end mutex", .order = -1, .file = file, .line = line};

    if (model_self() < 0)
        return 0;
    race_access(mutex, true, file, line);
    if (newest(word_of(mutex)) != FREE)
        model_fail("a mutex is destroyed that is held, or was destroyed", file, line);
    set(&step, mutex, DESTROYED, MODEL_RELAXED);
    return 0;
}

int model_mutex_lock(pthread_mutex_t *mutex, const char *file, int line)
{
    struct trace_step step = {
        .what = "lock", .order = MODEL_ACQUIRE, .file = file, .line = line};
    uint8_t places[MEMORY_STORES];
    unsigned word, count, place;
    int self = model_self();

    if (self < 0)
        return 0;
    word = word_of(mutex);
    race_access(mutex, false, file, line);
    if (newest(word) == DESTROYED)
        model_fail("a mutex is locked that was destroyed", file, line);
    sched_lock(word);
    count = memory_free_places(self, word, places);
    place = places[search_choose(count)];
    step.address = mutex;
    step.is = HELD;
    step.is_written = true;
    ops_note_read(&step, word, memory_update(self, word, place, HELD, MODEL_ACQUIRE),
                  place);
    ops_finish(&step, 1100u + word);
    return 0;
}

int model_mutex_unlock(pthread_mutex_t *mutex, const char *file, int line)
{
    struct trace_step step = {
        .what = "unlock", .order = MODEL_RELEASE, .file = file, .line = line};

    if (model_self() < 0)
        return 0;
    /* As any store: who waits may as well come after what this thread does next. */
    if (!search_is_reduced())
        sched_point();
    race_access(mutex, false, file, line);
    if (!is_held_by(model_self(), word_of(mutex)))
        model_fail("a mutex is unlocked by a thread that does not hold it", file, line);
    set(&step, mutex, FREE, MODEL_RELEASE);
    return 0;
}

/* --- the condition ---------------------------------------------------------------- */

static void use_condition(const char *what, pthread_cond_t *condition, bool is_end,
                          const char *file, int line)
{
    struct trace_step step = {
        .what = what, .order = -1, .address = condition, .file = file, .line = line};

    race_access(condition, true, file, line);
    if (is_end && sched_sleepers(condition))
        model_fail("a condition is destroyed that somebody sleeps on", file, line);
    ops_finish(&step, 1200u);
}

int model_cond_init(pthread_cond_t *condition, const char *file, int line)
{
    if (model_self() < 0)
        memset(condition, 0, sizeof(pthread_cond_t));
    else
        use_condition("make condition", condition, false, file, line);
    return 0;
}

int model_cond_destroy(pthread_cond_t *condition, const char *file, int line)
{
    if (model_self() >= 0)
        use_condition("end condition", condition, true, file, line);
    return 0;
}

int model_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const char *file,
                    int line)
{
    struct trace_step step = {
        .what = "cond wait", .order = MODEL_RELEASE, .file = file, .line = line};
    struct trace_step woken = {.order = -1, .file = file, .line = line};

    if (model_self() < 0)
        model_fail("set-up and check cannot wait", file, line);
    sched_point();
    race_access(condition, false, file, line);
    race_access(mutex, false, file, line);
    if (!is_held_by(model_self(), word_of(mutex)))
        model_fail("a wait without the mutex", file, line);
    /* Unlocked and asleep in one: nobody else has a turn in between. */
    set(&step, mutex, FREE, MODEL_RELEASE);
    sched_note((uintptr_t)condition);
    woken.what = sched_sleep(condition) ? "woken" : "woken spuriously";
    woken.address = condition;
    ops_finish(&woken, 800u);
    return model_mutex_lock(mutex, file, line);
}

int model_cond_wake(pthread_cond_t *condition, int count, const char *file, int line)
{
    struct trace_step step = {.what = count == 1 ? "signal" : "broadcast",
                              .order = -1,
                              .address = condition,
                              .file = file,
                              .line = line};

    if (model_self() < 0)
        return 0;
    sched_point();
    race_access(condition, false, file, line);
    step.is = (uint64_t)sched_wake(condition, count);
    step.is_written = true;
    ops_finish(&step, 1300u + (step.is << 8));
    return 0;
}
