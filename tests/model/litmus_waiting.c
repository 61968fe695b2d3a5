/* litmus_waiting.c - the checker against small programs that wait, right and wrong.
 *
 * Job: spins, futexes, mutexes and condition variables that do what they should, and each
 * mistake that the checker claims to see: a spin that nobody ends, a livelock, a lost
 * wake-up, a deadlock, a mutex used by whom it does not belong to, or after its end.
 */
#include "checker_atomics.h"
#include "checker_posix.h"

static int64_t x, y;
static int64_t r[2];
static int plain, parts[2];
static uint32_t word;
static pthread_mutex_t lock, other_lock;
static pthread_cond_t condition;

static void setup(void)
{
    x = y = 0;
    r[0] = r[1] = -1;
    plain = parts[0] = parts[1] = 0;
    word = 0;
    pthread_mutex_init(&lock, NULL);
    pthread_mutex_init(&other_lock, NULL);
    pthread_cond_init(&condition, NULL);
    model_name(&x, "x");
    model_name(&y, "y");
    model_name(&plain, "plain");
    model_name(&word, "word");
    model_name(&lock, "lock");
    model_name(&other_lock, "other lock");
    model_name(&condition, "condition");
}

static void print(void)
{
    model_outcome("%d%d", (int)r[0], (int)r[1]);
}

static void print_plain(void)
{
    model_outcome("%d", plain);
}

#define BODY(name, ...)    \
    static void name(void) \
    {                      \
        __VA_ARGS__;       \
    }

/* --- spins ------------------------------------------------------------------------ */

BODY(set_y, MODEL_WRITE(plain, 1); fl_store_release(&y, 1))
BODY(spin_until, while (!fl_load_acquire(&y)) fl_spin_hint(); r[1] = MODEL_READ(plain);
     r[0] = 1)
BODY(nobody, (void)fl_load_relaxed(&x))

/* Each wants to be alone, and takes its wish back when the other one has the same. */
static void give_way(int64_t *mine, int64_t *theirs)
{
    for (;;) {
        fl_store_relaxed(mine, 1);
        fl_fence_seq_cst();
        if (!fl_load_relaxed(theirs))
            break;
        fl_store_relaxed(mine, 0);
        fl_yield();
    }
    fl_store_relaxed(mine, 0);
}
BODY(give_way_x, give_way(&x, &y))
BODY(give_way_y, give_way(&y, &x))

/* As above, but the second one insists: it waits instead. */
BODY(insist_y, fl_store_relaxed(&y, 1); fl_fence_seq_cst();
     while (fl_load_relaxed(&x)) fl_yield(); fl_store_relaxed(&y, 0))

/* A yield that goes on without waiting for news would be no end here. */
BODY(take_turns_a, while (fl_load_relaxed(&x) != 2) fl_yield(); fl_store_relaxed(&x, 3))
BODY(take_turns_b, fl_store_relaxed(&x, 1); fl_store_relaxed(&x, 2);
     while (fl_load_relaxed(&x) != 3) fl_yield())

BODY(forget_to_yield, while (!fl_load_relaxed(&y)) continue)

/* --- the futex -------------------------------------------------------------------- */

BODY(sleep_until, while (!fl_load_acquire(&word)) fl_futex_wait(&word, 0u); r[0] = 1)
BODY(sleep_once, fl_futex_wait(&word, 0u); r[0] = (int)fl_load_relaxed(&word))
BODY(wake, fl_store_release(&word, 1u); fl_futex_wake(&word, 1))
BODY(wake_too_early, fl_futex_wake(&word, 1); fl_store_release(&word, 1u))

/* --- mutexes ---------------------------------------------------------------------- */

BODY(add_locked, pthread_mutex_lock(&lock); MODEL_WRITE(plain, MODEL_READ(plain) + 1);
     pthread_mutex_unlock(&lock))
BODY(add_unlocked, MODEL_WRITE(plain, MODEL_READ(plain) + 1))
BODY(add_under_another, pthread_mutex_lock(&other_lock);
     MODEL_WRITE(plain, MODEL_READ(plain) + 1); pthread_mutex_unlock(&other_lock))
BODY(one_then_other, pthread_mutex_lock(&lock); pthread_mutex_lock(&other_lock);
     pthread_mutex_unlock(&other_lock); pthread_mutex_unlock(&lock))
BODY(other_then_one, pthread_mutex_lock(&other_lock); pthread_mutex_lock(&lock);
     pthread_mutex_unlock(&lock); pthread_mutex_unlock(&other_lock))
BODY(lock_twice, pthread_mutex_lock(&lock); pthread_mutex_lock(&lock))
BODY(forget_to_unlock, pthread_mutex_lock(&lock))
BODY(unlock_only, pthread_mutex_unlock(&lock))
BODY(lock_and_destroy, pthread_mutex_lock(&lock); pthread_mutex_unlock(&lock);
     pthread_mutex_destroy(&lock))
BODY(destroy, pthread_mutex_destroy(&lock))

/* The last touch of the mutex is the unlock: the other one may end it then. */
BODY(set_and_unlock, pthread_mutex_lock(&lock); MODEL_WRITE(plain, 1);
     pthread_mutex_unlock(&lock))
static void wait_and_destroy(void)
{
    bool is_set = false;

    while (!is_set) {
        pthread_mutex_lock(&lock);
        is_set = MODEL_READ(plain);
        pthread_mutex_unlock(&lock);
        if (!is_set)
            fl_yield();
    }
    pthread_mutex_destroy(&lock);
}

/* --- condition variables ---------------------------------------------------------- */

BODY(await, pthread_mutex_lock(&lock);
     while (!MODEL_READ(plain)) pthread_cond_wait(&condition, &lock);
     pthread_mutex_unlock(&lock); r[0] = 1)
BODY(await_with_if, pthread_mutex_lock(&lock);
     if (!MODEL_READ(plain)) pthread_cond_wait(&condition, &lock);
     MODEL_ASSERT(MODEL_READ(plain), "woken too early"); pthread_mutex_unlock(&lock))
BODY(
    await_unlocked, if (!fl_load_acquire(&y)) {
        pthread_mutex_lock(&lock);
        pthread_cond_wait(&condition, &lock);
        pthread_mutex_unlock(&lock);
    })
BODY(wait_without_lock, pthread_cond_wait(&condition, &lock))
BODY(set_and_signal, pthread_mutex_lock(&lock); MODEL_WRITE(plain, 1);
     pthread_cond_signal(&condition); pthread_mutex_unlock(&lock))
BODY(set_then_signal, pthread_mutex_lock(&lock); MODEL_WRITE(plain, 1);
     pthread_mutex_unlock(&lock); pthread_cond_signal(&condition))
BODY(signal_then_set, pthread_cond_signal(&condition); pthread_mutex_lock(&lock);
     MODEL_WRITE(plain, 1); pthread_mutex_unlock(&lock))
BODY(set_y_and_signal, fl_store_release(&y, 1); pthread_cond_signal(&condition))
BODY(set_and_broadcast, pthread_mutex_lock(&lock); MODEL_WRITE(plain, 1);
     pthread_cond_broadcast(&condition); pthread_mutex_unlock(&lock))
BODY(await_and_end, await(); pthread_cond_destroy(&condition))

/* --- the cases -------------------------------------------------------------------- */

/* Up to one wait returns for no reason. */
#define ALLOWS(name, print, outcomes, ...)                          \
    {                                                               \
        name, setup, {__VA_ARGS__}, print, outcomes, 1, 0, 0, false \
    }
#define FAILS(name, words, ...)                                \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, words, 1, 0, 0, true \
    }
/* Nothing happens for no reason. */
#define FAILS_ALWAYS(name, words, ...)                         \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, words, 0, 0, 0, true \
    }

static const struct model_case cases[] = {
    ALLOWS("spin: ends, and has acquired", print, "11", set_y, spin_until),
    ALLOWS("spin: two take turns", NULL, NULL, take_turns_a, take_turns_b),
    ALLOWS("spin: one gives way, the other insists", NULL, NULL, give_way_x, insist_y),
    FAILS("spin: nobody ends it", "waits for what nobody writes", nobody, spin_until),
    FAILS("spin: two give way to each other for ever", "livelock", give_way_x,
          give_way_y),
    FAILS("spin: without a yield it does not end", "livelock", forget_to_yield, set_y),

    ALLOWS("futex: woken", print, "1-1", wake, sleep_until),
    ALLOWS("futex: may return for no reason", print, "0-1 | 1-1", nobody, sleep_once,
           wake),
    FAILS("futex: a wake before the store is lost", "T1 sleeps on word (lost wake-up)",
          wake_too_early, sleep_until),

    ALLOWS("mutex: none of three additions is lost", print_plain, "3", add_locked,
           add_locked, add_locked),
    ALLOWS("mutex: the unlock is the last touch", print_plain, "1", set_and_unlock,
           wait_and_destroy),
    FAILS("mutex: who does not take it races", "data race on plain", add_locked,
          add_unlocked),
    FAILS("mutex: who takes another one races", "data race on plain", add_locked,
          add_under_another),
    FAILS("mutex: two, in either order", "T0 waits for the lock other lock",
          one_then_other, other_then_one),
    FAILS("mutex: twice by the same thread", "T0 waits for the lock lock", lock_twice),
    FAILS("mutex: never unlocked", "T1 waits for the lock lock", forget_to_unlock,
          add_locked),
    FAILS("mutex: unlocked by another", "does not hold it", forget_to_unlock,
          unlock_only),
    FAILS("mutex: destroyed while somebody comes", "data race on lock", lock_and_destroy,
          add_locked),
    FAILS("mutex: destroyed without a look", "data race on lock", add_locked, destroy),

    ALLOWS("condition: a signal under the mutex", print, "1-1", await, set_and_signal),
    ALLOWS("condition: a signal after the mutex", print, "1-1", await, set_then_signal),
    ALLOWS("condition: a broadcast to two", NULL, NULL, await, await, set_and_broadcast),
    ALLOWS("condition: a signal each", NULL, NULL, await, await, set_and_signal,
           set_and_signal),
    FAILS("condition: a signal before the change", "sleeps on condition (lost wake-up)",
          await, signal_then_set),
    FAILS("condition: the change without the mutex", "sleeps on condition (lost wake-up)",
          await_unlocked, set_y_and_signal),
    FAILS_ALWAYS("condition: one signal for two", "sleeps on condition (lost wake-up)",
                 await, await, set_and_signal),
    FAILS("condition: if instead of while", "woken too early", await_with_if,
          set_and_signal),
    FAILS("condition: a wait without the mutex", "without the mutex", wait_without_lock),
    FAILS("condition: ends before a late signal", "data race on condition", await_and_end,
          set_then_signal),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
