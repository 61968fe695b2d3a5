/* split.c - see split.h. */
#include <errno.h>
#include <string.h>
#include "bits.h"
#include "escape.h"
#include "split.h"

/* A range is halved at most this often, and so has at most this many halves on offer. */
#define HALVES 64

/* Indices, or rights to a part of the loop (then begin and end only count them). */
struct span {
    size_t begin, end;
    bool is_rights;
};

/* What a worker knows while it runs a span: what is on offer, and how fast it is. */
struct run {
    struct fl_worker *worker;
    struct fl_loop *loop;
    size_t chunk;          /* items in the next chunk */
    double ticks_per_item; /* of the last one; 0: not known */
    uint64_t now;          /* ticks, when the last one ended */
    uint64_t spent;        /* ticks, in all */
    uint64_t uncounted;    /* items done that the latch does not know of */
    int halves;
    struct {
        struct fl_piece *piece;
        int64_t place;
    } half[HALVES];
};

/* --- lanes and parts -------------------------------------------------------------- */

static void lane_give(struct fl_worker *worker, struct fl_loop *loop, uint32_t lane)
{
    struct filch_pool *pool = worker->pool;
    uint32_t i;

    bit_give(loop->lanes_taken, lane);
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

/* Where part i begins. */
static size_t part_begin(const struct fl_loop *loop, uint32_t i)
{
    /* The caller, whose part is the first, begins while the others are on their way. */
    size_t count = loop->end - loop->begin - loop->head_start,
           share = count / loop->parts;
    size_t at =
        loop->begin + loop->head_start + i * share + FL_MIN(i, count % loop->parts);
    size_t off = (at - loop->origin) % FL_SPLIT_ALIGN;

    if (i == 0)
        return loop->begin;
    if (i == loop->parts)
        return loop->end;
    return share >= loop->grain + FL_SPLIT_ALIGN ? at - off : at;
}

static bool is_caller(const struct fl_worker *worker, const struct fl_loop *loop)
{
    return loop->latch.waiter == &worker->parker;
}

/* A right becomes a part: the worker's own, if it is free. There are as many parts as
 * rights. The caller, wherever it stands in the pool, has the first one, unless a thief
 * was faster: so it comes to an early item that fails about as soon as a serial loop. */
static struct span part_claim(struct fl_worker *worker, struct fl_loop *loop)
{
    uint32_t place = is_caller(worker, loop) ? 0 : worker->index + 1;
    uint32_t part = bit_take(loop->parts_taken, loop->parts, place % loop->parts);

    FL_ASSERT(part < loop->parts);
    return (struct span){.begin = part_begin(loop, part),
                         .end = part_begin(loop, part + 1)};
}

/* --- pieces ----------------------------------------------------------------------- */

static void piece_run(filch_worker *hot, filch_job *job);

/* A piece of the worker's that nobody is using, or NULL. Most are freed newest first. */
static struct fl_piece *piece_take(struct fl_worker *worker)
{
    struct fl_piece *piece = &worker->pieces[worker->piece_next % FL_PIECES];

    /* ORDER(piece): pairs with the release in piece_copy: the thief has copied the
     * range. */
    if (fl_load_acquire(&piece->is_busy))
        return NULL;
    worker->piece_next++;
    return piece;
}

static void piece_untake(struct fl_worker *worker, struct fl_piece *piece)
{
    fl_store_relaxed(&piece->is_busy, 0u); /* it was never shown */
    worker->piece_next--;
}

/* Copy a piece out of its splitter's slot, which is free then. */
static struct span piece_copy(struct fl_piece *piece)
{
    struct span span = {piece->begin, piece->end, piece->is_rights};

    /* ORDER(piece): pairs with the acquire in piece_take. */
    fl_store_release(&piece->is_busy, 0u);
    return span;
}

/* Put a span on offer, privately. False: there is no room for it. */
static bool offer(struct run *run, struct span span)
{
    struct fl_worker *worker = run->worker;
    filch_worker *hot = worker_hot(worker);
    struct fl_piece *piece = piece_take(worker);
    int64_t place;

    if (!piece)
        goto no_room;
    piece->task.job.run = piece_run;
    piece->task.latch = &run->loop->latch;
    piece->task.is_bound = false;
    piece->loop = run->loop;
    piece->begin = span.begin;
    piece->end = span.end;
    piece->is_rights = span.is_rights;
    fl_store_relaxed(&piece->is_busy, 1u); /* the push releases it */
    place = filch_push(hot, entry_of_task(&piece->task));
    if (FILCH_UNLIKELY(place >= fl_load_relaxed(&hot->gate)) && /* see the push */
        !deque_has_room(&worker->deque, place) &&
        filch_reclaim(hot, entry_of_task(&piece->task), place)) {
        piece_untake(worker, piece);
        goto no_room;
    }
    run->half[run->halves].piece = piece;
    run->half[run->halves++].place = place;
    return true;

no_room:
    fl_count(&worker->counters.overflows);
    return false;
}

/* The newest span on offer again. False: it was stolen, and then so were the older ones,
 * which are larger. */
static bool take_back(struct run *run, struct span *span)
{
    struct fl_piece *piece = run->half[--run->halves].piece;

    if (!filch_reclaim(worker_hot(run->worker), entry_of_task(&piece->task),
                       run->half[run->halves].place))
        return false;
    *span = (struct span){piece->begin, piece->end, piece->is_rights};
    piece_untake(run->worker, piece);
    return true;
}

/* --- sharing ---------------------------------------------------------------------- */

/* Somebody is hungry. Does what is on offer pay for what sharing it costs? Nothing is
 * lost if not: who looks on takes it all the same when nobody does for long, and those who
 * sleep are asked again at the next chunk. */
__attribute__((noinline)) static void share_if_worth_it(struct run *run)
{
    struct filch_pool *pool = run->worker->pool;
    struct fl_deque *deque = &run->worker->deque;
    int64_t top = fl_load_relaxed(&deque->top); /* hints, and below */
    const struct fl_piece *oldest;
    int i = 0;
    double ticks;

    while (i < run->halves && run->half[i].place < top)
        i++; /* stolen */
    if (i == run->halves)
        return;
    if (run->half[i].place < fl_load_relaxed(&deque->bottom)) {
        /* There is something for the hungry already. */
        if (!deque->is_asymmetric)
            deque_publish(deque); /* and the rest too, where nobody can ask for it */
        return;
    }
    oldest = run->half[i].piece;
    /* With the other half. Rights have been paid for; see parts_for in together.c. */
    ticks = 2 * (double)(oldest->end - oldest->begin) * run->ticks_per_item;
    if (oldest->is_rights || run->ticks_per_item <= 0 ||
        (ticks >= (double)launch_price(&pool->launch, &pool->lot) &&
         !launch_is_backing_off(&pool->launch, ticks)))
        fl_worker_share(run->worker);
    else if (!deque->is_asymmetric)
        deque_publish(deque); /* where nobody can do it for an owner in a long body */
}

static void share(struct run *run)
{
    const filch_worker *hot = worker_hot(run->worker);

    if (run->halves > 0 && FILCH_UNLIKELY(fl_load_relaxed(&hot->gate) ==
                                          FILCH_GATE_RAISED)) /* see the push */
        share_if_worth_it(run);
}

/* --- one chunk -------------------------------------------------------------------- */

/* For the watch: all but one item, so that the latch stays up until the span is through. */
static void count_some(struct run *run)
{
    if (run->uncounted > 1) {
        latch_count_down(&run->loop->latch, run->uncounted - 1);
        run->uncounted = 1;
    }
}

/* What a chunk took, without the time in which somebody else had the CPU. */
static uint64_t worked(struct run *run, size_t items, uint64_t ticks)
{
    uint64_t lost;

    if (ticks <= fl_ticks_of_ns(FL_SUSPICIOUS_NS))
        return ticks;
    lost = fl_preempted_ticks(ticks, run->ticks_per_item * (double)items);
    fl_launch_was_preempted(&run->worker->pool->launch, lost);
    return ticks - lost;
}

/* So many items took so long: how many are to follow. */
static void set_pace(struct run *run, size_t items, uint64_t ticks)
{
    struct fl_loop *loop = run->loop;
    size_t chunk = run->chunk;

    run->ticks_per_item = (double)FL_MAX(ticks, 1) / (double)items;
    if (ticks > 2 * loop->chunk_time)
        chunk = (size_t)((double)loop->chunk_time / run->ticks_per_item);
    else if (items >= chunk / 2 && ticks < loop->chunk_time / 2 && items < loop->most)
        chunk = chunk <= SIZE_MAX / 4 && ticks < loop->chunk_time / 16 ? chunk * 4
                                                                       : chunk * 2;
    chunk = FL_MAX(FL_MIN(chunk, loop->most), 1);
    if (chunk != run->chunk) {
        run->chunk = chunk;
        fl_store_relaxed(&loop->chunk, chunk); /* a hint for thieves */
    }
}

/* The body, for a chunk; unless a lower range has failed, or somebody has cancelled. */
static void run_chunk(struct run *run, size_t begin, size_t end)
{
    struct fl_loop *loop = run->loop;
    struct fl_worker *worker = run->worker;
    size_t at, next;
    uint64_t then = run->now;
    int value;

    for (at = begin; at < end; at = next) {
        next = fl_call_end(at, end, loop->grain, loop->max_chunk);
        if (failure_is_below(&loop->failure, at))
            break;
        if (loop->cancel && filch_cancel_is_set(loop->cancel)) {
            fl_failure_record(&loop->failure, loop->origin, -ECANCELED);
            break;
        }
        worker->context.at = at;
        FL_CALL_USER(worker, value = loop->body(worker_hot(worker), at, next, loop->ctx));
        if (value) {
            fl_failure_record(&loop->failure, at, value);
            break;
        }
    }
    run->now = fl_ticks();
    then = worked(run, end - begin, fl_ticks_since(then, run->now));
    run->spent += then;
    run->uncounted += end - begin;
    set_pace(run, end - begin, then);
    if (FILCH_UNLIKELY(loop->watch != NULL)) {
        count_some(run);
        if (is_caller(run->worker, loop))
            loop->watch->look(loop->watch);
    }
}

/* --- a span ----------------------------------------------------------------------- */

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

/* Put upper halves on offer until one right, or one chunk, is left. False: there is no
 * room for them. */
static bool split(struct run *run, struct span *span)
{
    const struct fl_loop *loop = run->loop;
    size_t least = span->is_rights ? 1 : FL_MAX(run->chunk, 1);
    size_t grain = span->is_rights ? 1 : loop->grain, middle;

    while (span->end - span->begin > least && (span->end - span->begin) / 2 >= grain) {
        middle = span->is_rights ? span->begin + (span->end - span->begin + 1) / 2
                                 : middle_of(loop, span->begin, span->end);
        if (run->halves == HALVES ||
            !offer(run, (struct span){middle, span->end, span->is_rights}))
            return false;
        span->end = middle;
    }
    return true;
}

/* Run what is left of a span when thieves have had their share of it. */
static void run_span(struct run *run, struct span span)
{
    struct fl_worker *worker = run->worker;
    struct fl_loop *loop = run->loop;
    size_t rights = 0; /* that could not be put on offer */

    for (;;) {
        if (span.is_rights) {
            split(run, &span);
            rights += span.end - span.begin - 1;
            span = part_claim(worker, loop);
            share(run); /* before the part's own halves, which so stay private */
        }
        split(run, &span);
        share(run);
        if (loop->is_limited)
            fl_worker_set_closed(worker, run->halves > 0 && lanes_are_full(loop));
        run_chunk(run, span.begin, span.end);
        if (rights > 0) {
            rights--;
            span = part_claim(worker, loop);
        } else if (run->halves == 0 || !take_back(run, &span)) {
            return;
        }
    }
}

static void run_begin(struct run *run, struct fl_worker *worker, struct fl_loop *loop)
{
    run->worker = worker;
    run->loop = loop;
    run->spent = run->uncounted = 0;
    run->halves = 0;
    run->chunk = fl_load_relaxed(&loop->chunk); /* a hint */
    run->ticks_per_item = loop->ticks_per_item > 0 ? loop->ticks_per_item
                          : run->chunk > 1 ? (double)loop->chunk_time / (double)run->chunk
                                           : 0;
    run->now = fl_ticks();
    fl_preempted_begin(run->now);
}

/* --- thieves ---------------------------------------------------------------------- */

/* Enter the loop on a lane. False: it has all the workers it may have. The caller of the
 * loop, while it waits, is in it already. */
static bool loop_enter(struct fl_worker *worker, struct fl_loop *loop, bool *was_in)
{
    *was_in = worker->context.loop == loop;
    if (*was_in)
        return true;
    worker->context.lane = bit_take(loop->lanes_taken, loop->lanes, 0);
    if (worker->context.lane == loop->lanes)
        return false;
    worker->context.loop = loop;
    worker->context.lanes = loop->lanes;
    worker->context.failure = &loop->failure;
    worker->context.cancel = loop->cancel;
    return true;
}

/* Runs in a context of its own (fl_worker_run). */
static void piece_run(filch_worker *hot, filch_job *job)
{
    struct fl_worker *worker = worker_of(hot);
    struct fl_piece *piece = FL_CONTAINER_OF(job, struct fl_piece, task.job);
    struct fl_loop *loop = piece->loop;
    struct fl_parker *waiter = loop->latch.waiter;
    bool was_closed = fl_load_relaxed(&worker->is_closed), was_in; /* its own */
    int64_t floor = fl_load_relaxed(&hot->tail);                   /* the owner's own */
    filch_job *entry;
    struct run run;

    if (!loop_enter(worker, loop, &was_in)) {
        /* For those who are in the loop; its caller is woken for it. */
        piece->task.is_bound = true;
        fl_worker_hand_over(worker, worker->pool, entry_of_task(&piece->task));
        return;
    }
    worker->was_invited = true;
    run_begin(&run, worker, loop);
    for (;;) {
        /* What is cheap where others are may be expensive here: start small again. */
        run.chunk = FL_MAX(run.chunk / 2, 1);
        run_span(&run, piece_copy(piece));
        entry = loop->is_limited ? fl_inject_take_for(&worker->pool->inject,
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
    fl_add_relaxed(&loop->spent, run.spent); /* read after the latch */
    /* The last touch of the loop. */
    if (latch_count_down(&loop->latch, run.uncounted) == 0 && waiter != &worker->parker &&
        fl_parker_notify(waiter))
        fl_count(&worker->counters.wakes);
}

/* --- the caller ------------------------------------------------------------------- */

static void loop_begin(struct fl_worker *worker, struct fl_loop *loop)
{
    size_t lane_bytes = (loop->lanes + 63) / 64 * sizeof *loop->lanes_taken;

    failure_init(&loop->failure);
    loop->latch.remaining = loop->end - loop->begin;
    loop->latch.is_hungry = 0;
    loop->latch.waiter = &worker->parker;
    loop->latch.fpenv = worker_fpenv(worker);
    loop->spent = 0;
    memset(loop->lanes_taken, 0, lane_bytes);
    memset(loop->parts_taken, 0, lane_bytes);
    loop->lanes_taken[0] = 1;
}

int fl_split_run(struct fl_worker *worker, struct fl_loop *loop)
{
    struct fl_context context = worker->context;
    bool was_closed = fl_load_relaxed(&worker->is_closed);    /* its own */
    int64_t floor = fl_load_relaxed(&worker->deque.hot.tail); /* the owner's own */
    struct run run;

    FL_ASSERT(loop->parts <= loop->lanes);
    loop_begin(worker, loop);
    if (!loop->is_limited)
        fl_worker_set_closed(worker, false); /* whatever the loop around it is */
    worker->context.loop = loop;
    worker->context.lane = 0;
    worker->context.lanes = loop->lanes;
    worker->context.scope = NULL;
    worker->context.failure = &loop->failure;
    worker->context.cancel = loop->cancel;
    worker->context.watch = NULL;
    run_begin(&run, worker, loop);
    run_span(&run, (struct span){0, loop->parts, true});
    /* Tasks that the last body spawned into a scope around the loop: a waiter's deque is
     * empty. */
    fl_worker_drain(worker, floor);
    fl_add_relaxed(&loop->spent, run.spent); /* with the others' */
    if (latch_count_down(&loop->latch, run.uncounted) > 0) {
        worker->context.watch = loop->watch;
        fl_worker_wait(worker, served_by_latch(&loop->latch), 0);
    }
    fl_worker_set_closed(worker, was_closed);
    worker->context = context;
    return loop->failure.value;
}
