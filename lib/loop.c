/* loop.c - splitting, lanes and the end of loops; see loop.h.
 *
 * A range is halved as it is run: the upper half goes on offer, the lower one is halved
 * again, down to the grain. So the owner runs in ascending order, and thieves take the
 * largest part that is left. A thief copies its piece and frees the splitter's slot, so
 * nobody waits for anybody but the caller, at the end, for the items to be counted down.
 *
 * Source: lazy binary splitting: Tzannes, Caragea, Barua, Vishkin, PPoPP 2010; here
 * halves are cheap enough (a private push) to be put on offer always.
 */
#include "loop.h"
#include <string.h>

/* Shares per worker when the grain is chosen: enough to even out what is not too
 * unbalanced. */
#define CHUNKS_PER_WORKER 64

/* A range is halved at most this often, and so has at most this many halves on offer. */
#define HALVES 64

static size_t loop_grain(const struct fl_worker *worker, const struct fl_loop_call *call)
{
    size_t chunks = (size_t)worker_parallelism(worker) * CHUNKS_PER_WORKER;

    if (call->grain)
        return call->grain;
    return FL_MAX((call->end - call->begin) / chunks, 1);
}

uint32_t fl_loop_lanes(const struct fl_worker *worker, const filch_opts *opts)
{
    uint32_t workers = worker_parallelism(worker);

    return opts && opts->max_workers ? FL_MIN(opts->max_workers, workers) : workers;
}

/* --- lanes ------------------------------------------------------------------------ */

/* A free lane, or loop->lanes when there is none. */
static uint32_t lane_take(struct fl_loop *loop)
{
    uint32_t word, words = (loop->lanes + 63) / 64, lane;
    uint64_t taken, bit;

    for (word = 0; word < words; word++) {
        while ((taken = fl_load_relaxed(&loop->lanes_taken[word])) != UINT64_MAX) {
            lane = word * 64 + (uint32_t)__builtin_ctzll(~taken);
            if (lane >= loop->lanes)
                break;
            bit = UINT64_C(1) << lane % 64;
            /* ORDER(lane): pairs with the release in lane_give: what the body before left
             * in the lane's scratch is seen. */
            if (!(fl_or_acq_rel(&loop->lanes_taken[word], bit) & bit))
                return lane;
        }
    }
    return loop->lanes;
}

static void lane_give(struct fl_worker *worker, struct fl_loop *loop, uint32_t lane)
{
    struct filch_pool *pool = worker->pool;
    uint32_t i;

    /* ORDER(lane): pairs with the acquire in lane_take. */
    fl_and_acq_rel(&loop->lanes_taken[lane / 64], ~(UINT64_C(1) << lane % 64));
    if (!loop->is_limited)
        return;
    /* Those inside may sit in long bodies, with halves on offer that somebody may have
     * now. Who is closed on another loop's account closes again at its next chunk. */
    for (i = 0; i < pool->slots; i++)
        if (fl_load_relaxed(&pool->slot[i].is_closed)) /* a hint, here and below */
            fl_store_relaxed(&pool->slot[i].is_closed, 0u);
}

static bool lanes_are_full(const struct fl_loop *loop)
{
    uint32_t word, words = (loop->lanes + 63) / 64;

    for (word = 0; word < words; word++) {
        uint32_t here = FL_MIN(loop->lanes - word * 64, 64u);
        uint64_t all = here == 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1;

        if (fl_load_relaxed(&loop->lanes_taken[word]) != all) /* a hint: see is_closed */
            return false;
    }
    return true;
}

/* --- pieces ----------------------------------------------------------------------- */

static void piece_run(filch_worker *hot, filch_job *job);

/* A piece of the worker's that nobody is using, or NULL. Most are freed newest first. */
static struct fl_piece *piece_take(struct fl_worker *worker)
{
    struct fl_piece *piece = &worker->pieces[worker->piece_next % FL_PIECES];

    if (worker->index == FL_SOLO)
        return NULL;
    /* ORDER(piece): pairs with the release in piece_run: the thief has copied the
     * range. */
    if (fl_load_acquire(&piece->is_busy))
        return NULL;
    worker->piece_next++;
    return piece;
}

/* Put the upper half [middle, end) on offer. False: there is no room for it. */
static bool offer(struct fl_worker *worker, struct fl_loop *loop, size_t middle,
                  size_t end, struct fl_piece **piece, int64_t *place)
{
    *piece = piece_take(worker);
    if (!*piece) {
        fl_count(&worker->counters.overflows);
        return false;
    }
    (*piece)->task.job.run = piece_run;
    (*piece)->task.latch = &loop->latch;
    (*piece)->task.is_bound = false;
    (*piece)->loop = loop;
    (*piece)->begin = middle;
    (*piece)->end = end;
    fl_store_relaxed(&(*piece)->is_busy, 1u); /* the push releases it */
    *place = filch_fork(worker_hot(worker), entry_of_task(&(*piece)->task));
    if (*place != FILCH_NOT_PUSHED)
        return true;
    fl_store_relaxed(&(*piece)->is_busy, 0u);
    worker->piece_next--;
    return false;
}

/* Where to cut a range of at least two grains: in the middle, at a multiple of
 * FL_SPLIT_ALIGN if that leaves a grain on either side. */
static size_t middle_of(const struct fl_loop *loop, size_t begin, size_t end)
{
    size_t middle = begin + (end - begin) / 2;
    size_t off = (middle - loop->origin) % FL_SPLIT_ALIGN;

    if (middle - begin >= loop->grain + off)
        return middle - off;
    return middle;
}

/* --- running ---------------------------------------------------------------------- */

/* One call of the body, unless a lower range has failed. */
static void run_chunk(struct fl_worker *worker, struct fl_loop *loop, size_t begin,
                      size_t end)
{
    int value;

    if (failure_is_below(&loop->failure, begin))
        return;
    worker->context.at = begin;
    value = loop->body(worker_hot(worker), begin, end, loop->ctx);
    if (value)
        fl_failure_record(&loop->failure, begin, value);
}

/* Run what is left of [begin, end) when thieves have had their share of it. Returns how
 * many items that was. */
static uint64_t run_range(struct fl_worker *worker, struct fl_loop *loop, size_t begin,
                          size_t end)
{
    struct {
        struct fl_piece *piece;
        int64_t place;
    } half[HALVES];
    int halves = 0;
    uint64_t done = 0;

    for (;;) {
        while (halves < HALVES && (end - begin) / 2 >= loop->grain) {
            size_t middle = middle_of(loop, begin, end);

            if (!offer(worker, loop, middle, end, &half[halves].piece,
                       &half[halves].place))
                break;
            halves++;
            end = middle;
        }
        if (loop->is_limited)
            fl_worker_set_closed(worker, halves > 0 && lanes_are_full(loop));
        run_chunk(worker, loop, begin, end);
        done += end - begin;
        if (halves == 0)
            return done;
        halves--;
        /* Stolen: then so were the older ones, which are larger. */
        if (!filch_reclaim(worker_hot(worker), entry_of_task(&half[halves].piece->task),
                           half[halves].place))
            return done;
        begin = half[halves].piece->begin;
        end = half[halves].piece->end;
        fl_store_relaxed(&half[halves].piece->is_busy, 0u); /* it was never shown */
        worker->piece_next--;
    }
}

/* Enter the loop on a lane. False: it has all the workers it may have. The caller of the
 * loop, while it waits, is in it already. */
static bool loop_enter(struct fl_worker *worker, struct fl_loop *loop, bool *was_in)
{
    *was_in = worker->context.loop == loop;
    if (*was_in)
        return true;
    worker->context.lane = lane_take(loop);
    if (worker->context.lane == loop->lanes)
        return false;
    worker->context.loop = loop;
    worker->context.lanes = loop->lanes;
    worker->context.failure = &loop->failure;
    return true;
}

/* Copy a piece out of its splitter's slot, which is free then. */
static void piece_copy(struct fl_piece *piece, size_t *begin, size_t *end)
{
    *begin = piece->begin;
    *end = piece->end;
    /* ORDER(piece): pairs with the acquire in piece_take. */
    fl_store_release(&piece->is_busy, 0u);
}

/* A thief's side; runs in a context of its own (fl_worker_run). */
static void piece_run(filch_worker *hot, filch_job *job)
{
    struct fl_worker *worker = worker_of(hot);
    struct fl_piece *piece = FL_CONTAINER_OF(job, struct fl_piece, task.job);
    struct fl_loop *loop = piece->loop;
    struct fl_parker *waiter = loop->latch.waiter;
    bool was_closed = fl_load_relaxed(&worker->is_closed), was_in; /* its own */
    int64_t floor = fl_load_relaxed(&hot->tail);                   /* the owner's own */
    uint64_t done = 0;
    size_t begin, end;
    filch_job *entry;

    if (!loop_enter(worker, loop, &was_in)) {
        /* For those who are in the loop; its caller is woken for it. */
        piece->task.is_bound = true;
        fl_worker_hand_over(worker, worker->pool, entry_of_task(&piece->task));
        return;
    }
    for (;;) {
        piece_copy(piece, &begin, &end);
        done += run_range(worker, loop, begin, end);
        entry = loop->is_limited ? inject_take_for(&worker->pool->inject,
                                                   served_by_latch(&loop->latch))
                                 : NULL;
        if (!entry)
            break;
        piece = FL_CONTAINER_OF(entry_task(entry), struct fl_piece, task);
    }
    /* Tasks that the last body spawned into a scope around the loop. */
    fl_worker_drain(worker, floor);
    if (!was_in)
        lane_give(worker, loop, worker->context.lane);
    fl_worker_set_closed(worker, was_closed);
    /* The last touch of the loop. */
    if (latch_count_down(&loop->latch, done) == 0 && waiter != &worker->parker &&
        parker_notify(waiter))
        fl_count(&worker->counters.wakes);
}

/* The caller's side, when others may take part. */
static int run_shared(struct fl_worker *worker, struct fl_loop *loop, size_t begin,
                      size_t end)
{
    struct fl_context context = worker->context;
    bool was_closed = fl_load_relaxed(&worker->is_closed);    /* its own */
    int64_t floor = fl_load_relaxed(&worker->deque.hot.tail); /* the owner's own */
    uint64_t done;

    loop->latch.remaining = end - begin;
    loop->latch.is_hungry = 0;
    loop->latch.waiter = &worker->parker;
    memset(loop->lanes_taken, 0, (loop->lanes + 63) / 64 * sizeof *loop->lanes_taken);
    loop->lanes_taken[0] = 1;
    if (!loop->is_limited)
        fl_worker_set_closed(worker, false); /* whatever the loop around it is */
    worker->context.loop = loop;
    worker->context.lane = 0;
    worker->context.lanes = loop->lanes;
    worker->context.scope = NULL;
    worker->context.failure = &loop->failure;
    done = run_range(worker, loop, begin, end);
    /* Tasks that the last body spawned into a scope around the loop: a waiter's deque is
     * empty. */
    fl_worker_drain(worker, floor);
    if (latch_count_down(&loop->latch, done) > 0)
        fl_worker_wait(worker, served_by_latch(&loop->latch), 0);
    fl_worker_set_closed(worker, was_closed);
    worker->context = context;
    return loop->failure.value;
}

/* One call of the body, as the loop's only worker. */
static int run_alone(struct fl_worker *worker, size_t begin, size_t end, filch_body *body,
                     void *ctx)
{
    struct fl_context context = worker->context;
    int value;

    worker->context.loop = NULL;
    worker->context.lane = 0;
    worker->context.lanes = 1;
    worker->context.scope = NULL;
    worker->context.failure = NULL;
    value = body(worker_hot(worker), begin, end, ctx);
    worker->context = context;
    return value;
}

int fl_loop_in(struct fl_worker *worker, const struct fl_loop_call *call)
{
    uint32_t lanes = fl_loop_lanes(worker, call->opts);
    size_t begin = call->begin, end = call->end;
    struct fl_loop loop;

    if (begin == end)
        return 0;
    loop.grain = loop_grain(worker, call);
    if (lanes == 1 || (end - begin) / 2 < loop.grain)
        return run_alone(worker, begin, end, call->body, call->ctx);
    failure_init(&loop.failure);
    loop.body = call->body;
    loop.ctx = call->ctx;
    loop.origin = begin;
    loop.lanes = lanes;
    loop.is_limited = lanes < worker_parallelism(worker);
    return run_shared(worker, &loop, begin, end);
}

static int loop_inside(struct fl_worker *worker, void *arg)
{
    return fl_loop_in(worker, arg);
}

int fl_loop(const struct fl_loop_call *call)
{
    struct fl_loop_call inside = *call;

    return fl_enter(call->opts, loop_inside, &inside);
}
