/* join.c - what is out of line in fork-join: a raised gate, a full ring, a stolen branch.
 */
#include <errno.h>
#include <filch/join.h>
#include "enter.h"
#include "escape.h"

int64_t filch_fork_slow(filch_worker *w, filch_job *job, int64_t index)
{
    struct fl_worker *worker = worker_of(w);

    (void)job;
    if (worker->index == FL_SOLO) {
        worker->has_forked = true;
        fl_store_relaxed(&w->tail, index); /* nobody looks */
        return FILCH_NOT_PUSHED;
    }
    if (!deque_has_room(&worker->deque, index)) {
        fl_count(&worker->counters.overflows);
        if (filch_reclaim(w, job, index))
            return FILCH_NOT_PUSHED;
        return index; /* stolen meanwhile, so there is room */
    }
    fl_worker_share(worker);
    return index;
}

int filch_reclaim_slow(filch_worker *w, filch_job *job, int64_t index)
{
    struct fl_worker *worker = worker_of(w);
    int64_t tail = fl_load_relaxed(&w->tail); /* the owner's own */

    (void)job;
    if (index == FILCH_NOT_PUSHED)
        return 1;
    if (tail != index) {
        /* Tasks spawned into a scope around the job lie above it. Newest first: if one of
         * them is gone, then so is the job. */
        FL_ASSERT(tail > index);
        if (!fl_worker_drain(worker, index + 1))
            return 0;
        /* ORDER(deque-retract), ORDER(pop-dekker): as in filch_reclaim. */
        fl_store_release(&w->tail, index);
        fl_fence_light();
        if (index >= fl_load_relaxed(&w->limit)) /* ordered by the fence */
            return 1;
    }
    if (deque_pop_slow(&worker->deque, index))
        return 1;
    worker->was_stolen_from = true;
    return 0;
}

void filch_await(filch_worker *w, filch_job *job)
{
    fl_worker_wait(worker_of(w), (fl_served)job, 0);
}

void filch_join_run(filch_worker *w, filch_job *job)
{
    struct filch_join_branch *branch =
        FL_CONTAINER_OF(job, struct filch_join_branch, job);

    branch->err = branch->task(w, branch->ctx);
}

int filch_join_slow(filch_worker *w, struct filch_join_branch *right, int64_t place,
                    int err)
{
    if (filch_reclaim_slow(w, &right->job, place))
        return err ? err : right->task(w, right->ctx);
    filch_await(w, &right->job);
    return err ? err : right->err;
}

struct outside {
    filch_task *a, *b;
    void *actx, *bctx;
};

static int join_inside(struct fl_worker *worker, void *arg)
{
    struct outside *call = arg;
    int value;

    FL_CALL_USER(worker, value = filch_join(worker_hot(worker), call->a, call->actx,
                                            call->b, call->bctx));
    return value;
}

int filch_join_outside(filch_task *a, void *actx, filch_task *b, void *bctx)
{
    struct outside call = {a, b, actx, bctx};

    FL_CHECK_ESCAPES();
    return fl_enter(NULL, join_inside, &call);
}
