/* pieces.c - pieces of a loop on offer, and the failures of those who run them.
 *
 * Job: a splitter's slots are used again when a thief has copied what was in them: each
 * range comes once, whole ("a range is wrong", a data race on a piece). Of failures the
 * lowest is kept, with its value. Compiled with the real split.c and worker.c, and
 * instrumented, so that their plain fields are looked at.
 */
#include "stand_ins.h"

#include <string.h>
#include "split.c"
#include "worker.c"
#include "no_launch.h"

enum { OWNER = 0, THIEF = 1, WORKERS = 2, ITEMS = 4 };

static struct fl_worker workers[WORKERS];
static struct fl_piece pieces[FL_PIECES]; /* the owner's */
static struct filch_pool pool;
static struct fl_loop loop;
static struct run run;
static int comings[2]; /* of the ranges, for the check */

/* --- stand-ins -------------------------------------------------------------------- */

int64_t filch_fork_slow(filch_worker *w, filch_job *job, int64_t index)
{
    (void)w, (void)job;
    return index;
}

int filch_reclaim_slow(filch_worker *w, filch_job *job, int64_t index)
{
    (void)job;
    return deque_pop_slow(&worker_of(w)->deque, index);
}

void fl_worker_wait(struct fl_worker *worker, fl_served served, uint64_t down_to)
{
    (void)worker, (void)served, (void)down_to;
    MODEL_ASSERT(false, "nobody waits here");
}

/* --- set-up ----------------------------------------------------------------------- */

static void setup_mode(bool is_asymmetric)
{
    struct fl_worker *owner = &workers[OWNER];

    memset(workers, 0, sizeof workers);
    memset(&pool, 0, sizeof pool);
    memset(pieces, 0, sizeof pieces);
    memset(&loop, 0, sizeof loop);
    memset(&run, 0, sizeof run);
    memset(comings, 0, sizeof comings);
    owner->pool = workers[THIEF].pool = &pool;
    owner->pieces = pieces;
    deque_init(&owner->deque, is_asymmetric);
    run.worker = owner;
    run.loop = &loop;
    failure_init(&loop.failure);
    /* The one slot that is used. */
    model_watch(&pieces[0], sizeof pieces[0]);
    model_watch(&loop.failure.value, sizeof loop.failure.value);
    model_name(&pieces[0].is_busy, "busy");
    model_name(&pieces[0].begin, "piece's begin");
    model_name(&pieces[0].end, "piece's end");
    model_name(&loop.failure.at, "failure's place");
    model_name(&loop.failure.lock, "failure's lock");
    model_name(&loop.failure.value, "failure's value");
    model_spin_lock(&loop.failure.lock);
    model_name(&owner->deque.top, "top");
    model_name(&owner->deque.bottom, "bottom");
    model_name(&owner->deque.hot.tail, "tail");
    model_name(&owner->deque.hot.gate, "gate");
}

static void setup_asymmetric(void)
{
    setup_mode(true);
}

static void setup_classic(void)
{
    setup_mode(false);
}

/* --- pieces ----------------------------------------------------------------------- */

static void come(struct span span)
{
    MODEL_ASSERT((span.begin == 0 || span.begin == ITEMS) &&
                     span.end == span.begin + ITEMS && !span.is_rights,
                 "a range is wrong");
    MODEL_ASSERT(comings[span.begin / ITEMS]++ == 0, "a range came twice");
}

static void offer_public(size_t begin)
{
    run.worker->piece_next = 0; /* as once around all slots */
    while (!offer(&run, (struct span){begin, begin + ITEMS, false}))
        fl_yield();
    deque_publish(&run.worker->deque);
}

static void take_what_is_left(void)
{
    struct span span;

    while (run.halves > 0 && take_back(&run, &span))
        come(span);
}

/* The same slot for both. */
static void offer_two(void)
{
    struct span span;

    offer_public(0);
    if (take_back(&run, &span)) {
        come(span);
        run.halves = 0;
    }
    offer_public(ITEMS);
    take_what_is_left();
}

static void steal_piece(void)
{
    filch_job *entry;

    if (deque_steal(&workers[OWNER].deque, &entry) == FL_STEAL_GOT)
        come(piece_copy(FL_CONTAINER_OF(entry_task(entry), struct fl_piece, task)));
}

static void steal_two(void)
{
    steal_piece();
    steal_piece();
}

static void check_all_came(void)
{
    MODEL_ASSERT(comings[0] == 1 && comings[1] == 1, "a range is lost");
}

/* --- failures --------------------------------------------------------------------- */

static void fail_at_5(void)
{
    fl_failure_record(&loop.failure, 5, -5);
}

static void fail_at_3(void)
{
    fl_failure_record(&loop.failure, 3, -3);
}

static void fail_at_9_and_1(void)
{
    fl_failure_record(&loop.failure, 9, -9);
    if (!failure_is_below(&loop.failure, 1))
        fl_failure_record(&loop.failure, 1, -1);
}

static void check_lowest(void)
{
    MODEL_ASSERT(loop.failure.value == -(int)loop.failure.at, "another one's value");
    model_outcome("%d", (int)loop.failure.at);
}

#define CASE(name, setup, check, outcomes, ...)                     \
    {                                                               \
        name, setup, {__VA_ARGS__}, check, outcomes, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("a slot is used again, one thief: classic", setup_classic, check_all_came, NULL,
         offer_two, steal_two),
    CASE("a slot is used again, one thief: asymmetric", setup_asymmetric, check_all_came,
         NULL, offer_two, steal_two),
    CASE("a slot is used again, two thieves", setup_classic, check_all_came, NULL,
         offer_two, steal_piece, steal_piece),
    CASE("two failures", setup_classic, check_lowest, "3", fail_at_5, fail_at_3),
    CASE("three failures", setup_classic, check_lowest, "1", fail_at_5, fail_at_3,
         fail_at_9_and_1),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
