/* plan.h - a loop's call on its way: what is known of its cost, and what that decides.
 *
 * Job: whether a loop is small, and what it must take to be shared, from what loops of its
 * body took before and what help costs (launch.h); and noting what it took this time. It
 * goes to alone.c, together.c, or one after the other.
 */
#ifndef FL_PLAN_H
#define FL_PLAN_H

#include "loop.h"
#include "pool_life.h"
#include "progress.h"

struct fl_plan {
    const struct fl_loop_call *call;
    struct filch_pool *pool; /* NULL: there is no memory for one */
    uint64_t hash;           /* of the loop, among the costs */
    double ticks_per_item;   /* expected; 0: not known */
    double price;            /* in ticks: what it must take to be shared */
    uint32_t lanes;
    bool is_divisible; /* among workers */
    bool is_small;     /* its time is known not to pay for sharing */
    size_t at;         /* what lies below has been run, */
    uint64_t spent;    /* in so many ticks */
    struct fl_progress progress;
};

static inline uint32_t limit_lanes(uint32_t workers, const filch_opts *opts)
{
    return opts && opts->max_workers ? FL_MIN(opts->max_workers, workers) : workers;
}

static inline size_t grain_of(const struct fl_loop_call *call)
{
    return FL_MAX(call->grain, 1);
}

/* Whether its progress is to be told. */
static inline bool is_told(const struct fl_loop_call *call)
{
    return call->opts && call->opts->progress;
}

static inline const filch_cancel *cancel_of(const struct fl_loop_call *call)
{
    return call->opts ? call->opts->cancel : NULL;
}

static inline double expected_ticks(const struct fl_plan *plan)
{
    return plan->ticks_per_item * (double)(plan->call->end - plan->at);
}

/* The caller has chosen the grain such that there is one for each worker: these are tasks
 * rather than items, and each worker gets its own at once. */
static inline bool is_task_list(const struct fl_plan *plan)
{
    const struct fl_loop_call *call = plan->call;

    return call->grain > 0 && (call->end - call->begin) / call->grain <= plan->lanes;
}

/* What a loop costs alone is less than what it costs shared, when it is so short that
 * fetching its data counts. So what a loop that barely pays for sharing, less than so many
 * times, takes when it is shared says little. */
#define BARELY 4

static inline bool barely_pays(const struct fl_plan *plan, double ticks)
{
    return ticks < BARELY * plan->price;
}

/* Time of a chunk that may be the clock's own, and the call's. */
#define CLOCK_NS 60u

/* Every one_in-th call of a thread. */
static inline bool is_sampled(uint32_t one_in)
{
    static _Thread_local uint32_t calls __attribute__((tls_model("initial-exec")));

    return ++calls % one_in == 0;
}

/* worker: NULL for a caller in no slot. */
void fl_plan_init(struct fl_plan *plan, const struct fl_loop_call *call,
                  const struct fl_worker *worker, struct filch_pool *pool);

/* Whether what is left, after so many items that took so many ticks, has turned out to be
 * worth sharing; then its cost is known better. */
bool fl_plan_is_worth_sharing(struct fl_plan *plan, size_t items, uint64_t ticks);

/* All of it took so many ticks. */
void fl_plan_note_cost(const struct fl_plan *plan, uint64_t ticks);

/* A body that forks needs a slot, so that others can take its forks: for a while its loops
 * count as too long to go without. */
void fl_plan_note_forks(struct filch_pool *pool, const struct fl_loop_call *call);

/* alone.c: run it on the caller, as the loop's only worker so far; until the end, an error,
 * or what is left is worth sharing. Returns the body's value. */
int fl_plan_run_alone(struct fl_worker *worker, struct fl_plan *plan);

/* together.c: share what is left. Returns the value of the lowest failing range, or 0. */
int fl_plan_run_together(struct fl_worker *worker, struct fl_plan *plan);

#endif
