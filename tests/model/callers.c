/* callers.c - how callers find the default pool, its guest slots, and its end.
 *
 * Job: the default pool is made once, and complete when it is seen ("made": a data race on
 * it); after a fork it is started again once ("started"); its end comes when no guest is
 * inside, and then no guest gets in and nobody starts it any more ("slots": a data race on
 * them, "after the end"). The same while a thread forks (the parent's side), and its
 * handlers make calls. Compiled with the real process.c and enter.c.
 */
#include "stand_ins.h"

#include <string.h>
/* Nothing of this happens when the test itself begins and ends. */
#define constructor(priority) used
#define destructor            used
#include "process.c"
#undef constructor
#undef destructor
#include "enter.c"

enum { GUESTS = 2 };

static struct fl_worker guests[GUESTS];
static int made, started; /* plain: times, as the pool's makers count them */
static int slots;         /* plain: uses of the guest slots; -1 when they have gone */

/* --- stand-ins -------------------------------------------------------------------- */

_Thread_local struct fl_worker *fl_current;

static void make(struct filch_pool *pool)
{
    unsigned i;

    pool->slot = guests;
    pool->slots = GUESTS;
    for (i = 0; i < GUESTS; i++)
        guests[i] = (struct fl_worker){.pool = pool, .index = i};
}

int fl_pool_begin(struct filch_pool *pool, const filch_pool_options *options)
{
    (void)options;
    make(pool);
    MODEL_WRITE(made, MODEL_READ(made) + 1);
    return 0;
}

bool fl_pool_may_begin(const struct filch_pool *failed)
{
    (void)failed;
    return true;
}

void fl_pool_start(struct filch_pool *pool)
{
    MODEL_ASSERT(!pool->is_over, "started after the end");
    MODEL_WRITE(slots, MODEL_READ(slots) + 1);
    MODEL_WRITE(started, MODEL_READ(started) + 1);
    fl_store_relaxed(&pool->guests_in, UINT64_C(0));
}

void fl_pool_end(struct filch_pool *pool)
{
    MODEL_ASSERT(pool == &default_storage, "another pool");
    /* Whether there are threads to join. */
    MODEL_ASSERT(MODEL_READ(started) == (fl_load_relaxed(&pool->generation) == 1),
                 "half started");
    MODEL_WRITE(slots, -1);
}

int fl_cancel_hold(void)
{
    return 0;
}

void fl_cancel_release(int before)
{
    (void)before;
}

void fl_signals_set(const fl_signals *blocked)
{
    (void)blocked;
}

void fl_salt_forget(void)
{
}

void fl_bind_undo(const struct fl_worker *worker)
{
    (void)worker;
}

void fl_inject_init(struct fl_inject *queue)
{
    (void)queue;
}

bool fl_worker_drain(struct fl_worker *worker, int64_t floor)
{
    (void)worker, (void)floor;
    return true;
}

void fl_worker_free_memory(struct fl_worker *worker)
{
    (void)worker;
}

unsigned filch_pool_workers(filch_pool *of)
{
    return of->workers;
}

/* --- set-up ----------------------------------------------------------------------- */

static void setup(void)
{
    pthread_mutex_init(&life_mutex, NULL);
    memset(&default_storage, 0, sizeof default_storage);
    memset(guests, 0, sizeof guests);
    default_pool = NULL;
    has_failed = false;
    fork_generation = 0;
    made = started = slots = 0;
    memset(&life, 0, sizeof life);
    model_name(&life_mutex, "life mutex");
    model_name(&life.owner, "life's owner");
    model_name(&default_pool, "default pool");
    model_name(&default_storage.generation, "pool's generation");
    model_name(&fork_generation, "generation");
    model_name(&default_storage.guests_in, "guests in");
    model_name(&default_storage.slot, "pool's slots");
    model_name(&made, "made");
    model_name(&started, "started");
    model_name(&slots, "slots");
}

static void setup_made(void)
{
    setup();
    default_pool = &default_storage;
    make(&default_storage);
}

static void setup_forked(void)
{
    setup_made();
    fork_generation = 1;
}

/* --- bodies ----------------------------------------------------------------------- */

static void find_pool(void)
{
    MODEL_ASSERT(filch_pool_default() == &default_storage, "another pool");
    MODEL_ASSERT(MODEL_READ(made) == 1, "made twice, or not yet");
}

static void find_pool_again(void)
{
    find_pool();
    find_pool();
}

static void find_started(void)
{
    fl_pool_revive(&default_storage);
    MODEL_ASSERT(MODEL_READ(started) == 1, "started twice, or not yet");
}

static void be_guest(void)
{
    struct fl_worker *guest = guest_enter(&default_storage);

    if (!guest)
        return;
    MODEL_ASSERT(MODEL_READ(slots) >= 0, "a guest after the end");
    guest_leave(guest);
}

static void be_guest_again(void)
{
    be_guest();
    be_guest();
}

static void end_process(void)
{
    destroy_default_pool();
}

/* A call. */
static void revive_and_enter(void)
{
    fl_pool_revive(&default_storage);
    be_guest();
}

/* What the older handlers do, which run in the thread that forks. */
static void fork_process(void)
{
    before_fork();
    fl_pool_revive(&default_storage);
    be_guest();
    after_fork_parent();
}

static void fork_process_early(void)
{
    before_fork();
    MODEL_ASSERT(filch_pool_default() == &default_storage, "another pool");
    after_fork_parent();
}

static void fork_only(void)
{
    before_fork();
    after_fork_parent();
}

static void be_guest_of_live_pool(void)
{
    fl_pool_revive(&default_storage);
    MODEL_ASSERT(MODEL_READ(started) == 0, "started again without a fork");
    be_guest();
}

static void look(void)
{
    if (!fl_pool_look_begin(&default_storage))
        return;
    MODEL_ASSERT(MODEL_READ(slots) >= 0, "a look after the end");
    fl_pool_look_end(&default_storage);
}

#define CASE(name, setup, ...)                                 \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, NULL, 0, 0, 0, false \
    }

#define BOUNDED(name, setup, ...)                              \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, NULL, 0, 1, 0, false \
    }

static const struct model_case cases[] = {
    CASE("the first call, of two", setup, find_pool_again, find_pool),
    CASE("the first call, of three", setup, find_pool, find_pool, find_pool),
    CASE("after a fork, two callers", setup_forked, find_started, find_started),
    CASE("after a fork, three callers", setup_forked, find_started, find_started,
         find_started),
    CASE("a guest at the end", setup_made, be_guest_again, end_process),
    CASE("two guests at the end", setup_made, be_guest, be_guest, end_process),
    CASE("started again at the end", setup_forked, revive_and_enter, end_process),
    BOUNDED("started again by two at the end", setup_forked, revive_and_enter,
            revive_and_enter, end_process),
    CASE("a look at the end", setup_made, look, end_process),
    CASE("a look at the end of what is started again", setup_forked, look,
         revive_and_enter, end_process),
    CASE("a call while a thread forks", setup_made, be_guest_of_live_pool, fork_process),
    CASE("the first call while a thread forks", setup, find_pool, fork_process_early),
    CASE("the end while a thread forks", setup_made, end_process, fork_process),
    CASE("started again while a thread forks", setup_forked, revive_and_enter,
         fork_process_early),
    BOUNDED("started again by two while a thread forks", setup_forked, find_started,
            find_started, fork_only),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
