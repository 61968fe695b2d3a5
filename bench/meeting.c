/* meeting.c - see meeting.h. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "meeting.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define PATIENCE_NS INT64_C(10000000000)

/* A thread that waits longer may be keeping the other one from its CPU. */
#define LOOKS_BEFORE_YIELD 10000

/* The word goes there and back so often. */
#define EXCHANGES 4

struct meeting {
    bool is_alone; /* nobody to wait for */
    atomic_size_t here;
    atomic_size_t exchanged;
    _Atomic int64_t both_ns;
    atomic_bool is_missed;
};

int64_t meeting_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Until the word is at least value. False: in vain. */
static bool await(struct meeting *meeting, const atomic_size_t *word, size_t value)
{
    int64_t since = meeting_clock_ns();

    for (unsigned look = 1; atomic_load(word) < value; look++) {
        if (look % LOOKS_BEFORE_YIELD)
            continue;
        sched_yield();
        if (meeting_clock_ns() - since > PATIENCE_NS) {
            atomic_store(&meeting->is_missed, true);
            return false;
        }
    }
    return true;
}

static void attend(struct meeting *meeting, size_t items)
{
    size_t first = atomic_fetch_add(&meeting->here, items), turn;

    if (meeting->is_alone)
        return;
    if (items > 1) { /* one thread has both */
        atomic_store(&meeting->is_missed, true);
        return;
    }
    if (!await(meeting, &meeting->here, 2))
        return;
    for (turn = first; turn < (size_t)2 * EXCHANGES; turn += 2) {
        if (!await(meeting, &meeting->exchanged, turn))
            return;
        atomic_store(&meeting->exchanged, turn + 1);
    }
    if (first == 1) /* the word's last change was its */
        atomic_store(&meeting->both_ns, meeting_clock_ns());
}

static int attend_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    attend(ctx, end - begin);
    return 0;
}

static int call_together(const struct bench_team *team, struct meeting *meeting)
{
    /* Without a grain filch might find the loop too short to share. */
    if (team->candidate == BENCH_FILCH)
        return filch_for(0, 2, attend_body, meeting, .pool = team->filch, .grain = 1);
    if (team->candidate != BENCH_OPENMP)
        return team_loop(team, 2, attend_body, meeting);
#pragma omp parallel for num_threads(team->workers) schedule(static)
    for (int i = 0; i < 2; i++)
        attend(meeting, 1);
    return 0;
}

int meeting_hold(const struct bench_team *team, int64_t *both_ns)
{
    struct meeting meeting = {.is_alone = team->workers < 2};
    int err = call_together(team, &meeting);

    if (both_ns)
        *both_ns = atomic_load(&meeting.both_ns);
    return !err && atomic_load(&meeting.is_missed) ? -ETIMEDOUT : err;
}
