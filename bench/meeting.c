/* meeting.c - see meeting.h. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "meeting.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define PATIENCE_NS INT64_C(10000000000)

/* A thread that waits longer may be keeping the other one from its CPU. */
#define TURNS_BEFORE_YIELD 10000

struct meeting {
    bool is_alone; /* nobody to wait for */
    atomic_size_t here;
    _Atomic int64_t begun_ns;
    atomic_bool is_missed;
};

int64_t meeting_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void attend(struct meeting *meeting, size_t items)
{
    int64_t now = meeting_clock_ns();
    int64_t last = atomic_load(&meeting->begun_ns);

    while (last < now && !atomic_compare_exchange_weak(&meeting->begun_ns, &last, now))
        ;
    atomic_fetch_add(&meeting->here, items);
    for (unsigned turn = 1; !meeting->is_alone && atomic_load(&meeting->here) < 2;
         turn++) {
        if (turn % TURNS_BEFORE_YIELD)
            continue;
        sched_yield();
        if (meeting_clock_ns() - now > PATIENCE_NS) {
            atomic_store(&meeting->is_missed, true);
            return;
        }
    }
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

int meeting_hold(const struct bench_team *team, int64_t *begun_ns)
{
    struct meeting meeting = {.is_alone = team->workers < 2};
    int err = call_together(team, &meeting);

    if (begun_ns)
        *begun_ns = atomic_load(&meeting.begun_ns);
    return !err && atomic_load(&meeting.is_missed) ? -ETIMEDOUT : err;
}
