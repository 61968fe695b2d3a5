/* watchdog.c - a test that hangs says what for, and ends; see watchdog.h.
 *
 * A timer and its signal, and no thread: tests count threads, fork, and run with limits.
 * Pools are known from their threads, whose main function goes through here (the linker's
 * --wrap); those without threads, and those of a library in a shared object, show in the
 * threads only. Reads what the workers write with no more care than it takes to print it,
 * and prints from the handler: the program is lost anyway.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "watchdog.h"

/* On stderr. No dprintf, which calls free; nobody is there to tell when it fails. */
#define say(...)                                          \
    do {                                                  \
        char said[512];                                   \
                                                          \
        snprintf(said, sizeof said, __VA_ARGS__);         \
        if (write(STDERR_FILENO, said, strlen(said)) < 0) \
            break;                                        \
    } while (0)

/* --- pools ------------------------------------------------------------------------ */

#if WATCHDOG_SEES_POOLS
#include "job.h"
#include "serving.h"
#include "worker.h"

#define MOST_THREADS 4096

static _Atomic(struct fl_worker *) threads[MOST_THREADS];

void *__real_fl_worker_main(void *arg);
void *__wrap_fl_worker_main(void *arg);

void *__wrap_fl_worker_main(void *arg)
{
    void *result;
    int i;

    for (i = 0; i < MOST_THREADS; i++) {
        struct fl_worker *nobody = NULL;

        if (atomic_compare_exchange_strong(&threads[i], &nobody, arg))
            break;
    }
    result = __real_fl_worker_main(arg);
    if (i < MOST_THREADS)
        atomic_store(&threads[i], NULL);
    return result;
}

static void print_served(fl_served served)
{
    const struct fl_latch *latch = served_latch(served);

    if (!served)
        say("anything");
    else if (latch)
        say("latch %p (%" PRIu64 " remaining%s)", (const void *)latch,
            fl_load_relaxed(&latch->remaining),
            fl_load_relaxed(&latch->is_hungry) ? ", its waiter is hungry" : "");
    else
        say("join %p (state %#" PRIxPTR ")", (const void *)served_join(served),
            fl_load_relaxed(&served_join(served)->state));
}

/* What a worker serves is in the frame of a call that has not ended: it hangs. */
static void print_worker(const struct fl_worker *worker)
{
    static const char *const states[] = {"awake", "has a permit", "asleep"};
    uint32_t state = fl_load_relaxed(&worker->parker.state);
    const struct fl_deque *deque = &worker->deque;

    say("  worker %u%s: %s", worker->index, worker->has_thread ? "" : " (a caller's)",
        state < 3 ? states[state] : "?");
    if (state == FL_PARKER_ASLEEP) {
        say(", waits for ");
        print_served(fl_load_relaxed(&worker->parker.sleeps_for));
    }
    say("; serves ");
    print_served(serving_whom(fl_load_relaxed(&worker->serving)));
    say("; deque: %" PRId64 " public, %" PRId64 " private\n",
        fl_load_relaxed(&deque->bottom) - fl_load_relaxed(&deque->top),
        fl_load_relaxed(&deque->hot.tail) - fl_load_relaxed(&deque->bottom));
}

static void print_pool(const struct filch_pool *pool)
{
    uint64_t hungry = fl_load_relaxed(&pool->lot.hungry);
    uint64_t guests = fl_load_relaxed(&pool->guests_in);
    uint32_t i;

    say("pool %p: %u workers, %u search, %u sleep%s\n", (const void *)pool, pool->workers,
        lot_searching(hungry), lot_sleeping(hungry),
        fl_load_relaxed(&pool->is_stopping) ? ", it is stopping" : "");
    for (i = 0; i < pool->slots; i++) {
        bool is_guest = i >= pool->thread_slots;

        if (is_guest ? guests >> (i - pool->thread_slots) & 1 : pool->slot[i].has_thread)
            print_worker(&pool->slot[i]);
    }
}

static void print_pools(void)
{
    int i, j;

    for (i = 0; i < MOST_THREADS; i++) {
        const struct fl_worker *worker = atomic_load(&threads[i]);
        bool is_new = worker != NULL;

        for (j = 0; j < i && is_new; j++) {
            const struct fl_worker *other = atomic_load(&threads[j]);

            is_new = !other || other->pool != worker->pool;
        }
        if (is_new)
            print_pool(worker->pool);
    }
}
#else
static void print_pools(void)
{
}
#endif

/* --- threads ---------------------------------------------------------------------- */

static void print_file(const char *thread, const char *name)
{
    char path[320], text[128];
    ssize_t got = 0;
    int file;

    snprintf(path, sizeof path, "/proc/self/task/%s/%s", thread, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        got = read(file, text, sizeof text);
        close(file);
    }
    while (got > 0 && text[got - 1] == '\n')
        got--;
    say(", %s %.*s", name, got > 0 ? (int)got : 0, text);
}

/* Name, where in the kernel, and the system call. Without opendir, which allocates: what
 * hangs may hold malloc's lock. */
static void print_threads(void)
{
    int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _Alignas(struct dirent64) char entries[4096];
    ssize_t got, at;

    while (folder >= 0 && (got = getdents64(folder, entries, sizeof entries)) > 0) {
        const struct dirent64 *entry;

        for (at = 0; at < got; at += entry->d_reclen) {
            entry = (const struct dirent64 *)(const void *)(entries + at);
            if (entry->d_name[0] == '.')
                continue;
            say("thread %s", entry->d_name);
            print_file(entry->d_name, "comm");
            print_file(entry->d_name, "wchan");
            print_file(entry->d_name, "syscall");
            say("\n");
        }
    }
}

/* --- the timer -------------------------------------------------------------------- */

static timer_t timer;
static bool has_timer;
static unsigned patience;

static void on_time_up(int signal)
{
    (void)signal;
    say("watchdog: no end after %u s\n", patience);
    print_pools();
    print_threads();
    abort();
}

void watchdog_restart(unsigned seconds)
{
    struct itimerspec time = {{0, 0}, {(time_t)seconds, 0}};

    patience = seconds;
    if (has_timer)
        timer_settime(timer, 0, &time, NULL);
}

/* Before main, and before there is any other thread. */
__attribute__((constructor)) static void watchdog_begin(void)
{
    const char *text = getenv("FILCH_TEST_PATIENCE");
    struct sigaction action = {.sa_handler = on_time_up};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX - 2};

    if (!text || atoi(text) <= 0)
        return;
    if (sigaction(SIGRTMAX - 2, &action, NULL) ||
        timer_create(CLOCK_MONOTONIC, &event, &timer))
        return;
    has_timer = true;
    watchdog_restart((unsigned)atoi(text));
}
