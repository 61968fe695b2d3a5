/* test_cancel.c - what cancel.h promises: tokens end loops, progress is called where and as
 * often as it should be.
 *
 * No check depends on how fast the machine is: bodies go on until what they wait for has
 * happened, and give up after PATIENCE_NS. */
#include "pools.h"

#include <signal.h>
#include <unistd.h>

#define MANY 100000 /* items that take a loop seconds */

/* --- tokens ----------------------------------------------------------------------- */

struct cancelled {
    filch_cancel token;
    atomic_size_t ran;
    size_t set_at; /* the item, in the order of running, that sets the token */
    void (*set)(struct cancelled *cancelled);
    uint64_t since_ns;
};

static void set_directly(struct cancelled *cancelled)
{
    filch_cancel_set(&cancelled->token);
}

/* 100 us for each item, as long as anybody has patience. */
static int slow_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct cancelled *cancelled = ctx;

    (void)w;
    for (; begin < end; begin++) {
        if (now_ns() - cancelled->since_ns < PATIENCE_NS)
            sleep_us(100);
        if (atomic_fetch_add(&cancelled->ran, 1) + 1 == cancelled->set_at)
            cancelled->set(cancelled);
    }
    return 0;
}

static int slow_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    *(size_t *)acc += end - begin;
    return slow_body(w, begin, end, ctx);
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

static int slow_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    return slow_body(
        w, 0, (tile->row_end - tile->row_begin) * (tile->column_end - tile->column_begin),
        ctx);
}

static int slow_map(filch_worker *w, const void *in, void *out, size_t count, void *ctx)
{
    (void)in;
    (void)out;
    return slow_body(w, 0, count, ctx);
}

static int slow_box(filch_worker *w, const filch_tile_3d *box, void *ctx)
{
    return slow_body(w, box->plane_begin, box->plane_end, ctx);
}

static void a_token_set_before_a_loop_runs_nothing(void **state)
{
    struct cancelled cancelled = {.set_at = SIZE_MAX, .since_ns = now_ns()};
    static char bytes[1000];
    size_t sum = 5;

    filch_cancel_set(&cancelled.token);
    assert_true(filch_cancel_is_set(&cancelled.token));
    assert_int_equal(filch_for(0, 1000, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(filch_for(0, 1, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(filch_for(0, 1000, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token, .max_workers = 1),
                     -ECANCELED);
    assert_int_equal(filch_map(bytes, 1, bytes, 1, 1000, slow_map, &cancelled,
                               .pool = *state, .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(filch_for_2d(0, 10, 0, 100, slow_tile, &cancelled, .pool = *state,
                                  .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(filch_for_3d(0, 10, 0, 10, 0, 10, slow_box, &cancelled,
                                  .pool = *state, .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(filch_reduce(0, 1000, &sum, sizeof sum, slow_fold, add, &cancelled,
                                  .pool = *state, .cancel = &cancelled.token),
                     -ECANCELED);
    assert_int_equal(atomic_load(&cancelled.ran), 0);
    assert_int_equal(sum, 5);
}

/* The token is set at the 20th item: what was on its way then is run, not much else. */
static void check_cut_short(struct cancelled *cancelled, int value)
{
    assert_int_equal(value, -ECANCELED);
    assert_in_range(atomic_load(&cancelled->ran), 20, MANY / 10);
    filch_cancel_clear(&cancelled->token);
    assert_false(filch_cancel_is_set(&cancelled->token));
    atomic_store(&cancelled->ran, 0);
}

static void a_token_set_by_a_body_ends_the_loop(void **state)
{
    struct cancelled cancelled = {
        .set_at = 20, .set = set_directly, .since_ns = now_ns()};
    uint32_t limit;
    size_t sum;

    for (limit = 0; limit <= 2; limit++) {
        check_cut_short(&cancelled,
                        filch_for(0, MANY, slow_body, &cancelled, .pool = *state,
                                  .cancel = &cancelled.token, .max_workers = limit));
        check_cut_short(&cancelled, filch_for(0, MANY, slow_body, &cancelled,
                                              .pool = *state, .cancel = &cancelled.token,
                                              .max_workers = limit, .max_chunk = 1));
        check_cut_short(&cancelled,
                        filch_for_2d(0, 100, 0, MANY / 100, slow_tile, &cancelled,
                                     .pool = *state, .cancel = &cancelled.token,
                                     .max_workers = limit));
        /* What was folded is there, so that the caller can free what it owns. */
        sum = 0;
        check_cut_short(&cancelled,
                        filch_reduce(0, MANY, &sum, sizeof sum, slow_fold, add,
                                     &cancelled, .pool = *state, .grain = 5,
                                     .cancel = &cancelled.token, .max_workers = limit));
        assert_in_range(sum, 20, MANY / 10);
    }
}

/* Of the signal test, whose handler has no other way to it. */
static filch_cancel *signalled;

static void on_signal(int number)
{
    (void)number;
    filch_cancel_set(signalled);
}

/* The token is set by the thread that the system chooses, which may take a while. */
static void set_by_signal(struct cancelled *cancelled)
{
    kill(getpid(), SIGUSR1);
    while (!filch_cancel_is_set(&cancelled->token) &&
           now_ns() - cancelled->since_ns < PATIENCE_NS)
        sched_yield();
}

static int slow_until_signalled(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct cancelled *cancelled = ctx;
    int value = slow_body(w, begin, end, ctx);

    while (atomic_load(&cancelled->ran) >= cancelled->set_at &&
           !filch_cancel_is_set(&cancelled->token) &&
           now_ns() - cancelled->since_ns < PATIENCE_NS)
        sched_yield();
    return value;
}

static void a_token_set_by_a_signal_handler_ends_the_loop(void **state)
{
    struct cancelled cancelled = {
        .set_at = 20, .set = set_by_signal, .since_ns = now_ns()};
    struct sigaction action = {.sa_handler = on_signal}, before;

    signalled = &cancelled.token;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    check_cut_short(&cancelled, filch_for(0, MANY, slow_until_signalled, &cancelled,
                                          .pool = *state, .cancel = &cancelled.token));
    sigaction(SIGUSR1, &before, NULL);
}

static void a_token_set_by_the_last_item_comes_too_late(void **state)
{
    struct cancelled cancelled = {.set_at = 50, .set = set_directly};

    assert_int_equal(filch_for(0, 50, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token),
                     0);
    assert_int_equal(atomic_load(&cancelled.ran), 50);
    assert_true(filch_cancel_is_set(&cancelled.token));
    /* The next one ends at once, and after a clear none does. */
    assert_int_equal(filch_for(0, 50, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token),
                     -ECANCELED);
    filch_cancel_clear(&cancelled.token);
    assert_int_equal(filch_for(0, 50, slow_body, &cancelled, .pool = *state,
                               .cancel = &cancelled.token),
                     0);
    assert_int_equal(atomic_load(&cancelled.ran), 100);
}

struct asking {
    filch_cancel token;
    atomic_uint bodies, wrong;
};

static int ask_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct asking *asking = ctx;
    uint64_t since = now_ns();

    (void)begin;
    (void)end;
    if (atomic_fetch_add(&asking->bodies, 1) == 0) {
        if (filch_cancelled(w))
            atomic_fetch_add(&asking->wrong, 1);
        filch_cancel_set(&asking->token);
    }
    while (!filch_cancelled(w)) {
        if (now_ns() - since > PATIENCE_NS) {
            atomic_fetch_add(&asking->wrong, 1);
            break;
        }
        sched_yield();
    }
    return 0;
}

static void a_long_body_is_told_by_filch_cancelled(void **state)
{
    uint32_t limit;

    for (limit = 0; limit <= 1; limit++) {
        struct asking asking = {.wrong = 0};

        assert_int_equal(filch_for(0, 1000, ask_body, &asking, .pool = *state,
                                   .max_chunk = 1, .max_workers = limit,
                                   .cancel = &asking.token),
                         -ECANCELED);
        assert_int_equal(atomic_load(&asking.wrong), 0);
    }
}

static int nested_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct cancelled *cancelled = ctx;

    (void)begin;
    (void)end;
    return filch_for(0, MANY, slow_body, cancelled, .worker = w,
                     .cancel = &cancelled->token);
}

static void one_token_ends_all_loops_that_have_it(void **state)
{
    struct cancelled cancelled = {
        .set_at = 20, .set = set_directly, .since_ns = now_ns()};

    check_cut_short(&cancelled, filch_for(0, 10, nested_body, &cancelled, .pool = *state,
                                          .grain = 1, .cancel = &cancelled.token));
    check_cut_short(&cancelled,
                    filch_for(0, 10, nested_body, &cancelled, .pool = *state));
}

/* --- progress --------------------------------------------------------------------- */

#define PERIOD_MS 2

struct watch {
    pthread_t caller;
    uint64_t since_ns;
    atomic_uint calls, wrong, arrived;
    unsigned until; /* bodies take their time until there were so many calls */
    int value;      /* of the last of them; not 0: bodies take their time until the end */
    size_t done, total;
    atomic_size_t ran;
};

static int watch_progress(size_t done, size_t total, void *ctx)
{
    struct watch *watch = ctx;
    unsigned calls = atomic_fetch_add(&watch->calls, 1) + 1;
    uint64_t elapsed_ms = (now_ns() - watch->since_ns) / 1000000;

    if (!pthread_equal(pthread_self(), watch->caller) || done < watch->done ||
        done > total || (calls > 1 && total != watch->total) ||
        calls > elapsed_ms / PERIOD_MS + 1)
        atomic_fetch_add(&watch->wrong, 1);
    watch->done = done;
    watch->total = total;
    return calls == watch->until ? watch->value : 0;
}

static int watched_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct watch *watch = ctx;

    (void)w;
    for (; begin < end; begin++) {
        if ((watch->value || atomic_load(&watch->calls) < watch->until) &&
            now_ns() - watch->since_ns < PATIENCE_NS)
            sleep_us(100);
        atomic_fetch_add(&watch->ran, 1);
    }
    return 0;
}

static int watched_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    return watched_body(
        w, 0, (tile->row_end - tile->row_begin) * (tile->column_end - tile->column_begin),
        ctx);
}

static int watched_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    *(size_t *)acc += end - begin;
    return watched_body(w, begin, end, ctx);
}

static struct watch watch_start(unsigned until, int value)
{
    return (struct watch){
        .caller = pthread_self(), .since_ns = now_ns(), .until = until, .value = value};
}

static void check_watch(struct watch *watch, size_t total)
{
    assert_int_equal(atomic_load(&watch->wrong), 0);
    assert_true(atomic_load(&watch->calls) >= watch->until);
    assert_int_equal(watch->total, total);
}

/* Long enough for five calls, whatever the machine. */
static void progress_is_called_on_the_caller_and_never_goes_back(void **state)
{
    uint32_t limit;

    for (limit = 0; limit <= 1; limit++) {
        struct watch watch = watch_start(5, 0);

        assert_int_equal(filch_for(7, 7 + 20 * MANY, watched_body, &watch, .pool = *state,
                                   .progress = watch_progress, .progress_ms = PERIOD_MS,
                                   .max_workers = limit),
                         0);
        assert_int_equal(atomic_load(&watch.ran), 20 * MANY);
        check_watch(&watch, 20 * MANY);
    }
}

static void progress_counts_tiles_and_blocks(void **state)
{
    struct watch watch = watch_start(3, 0);
    size_t sum = 0;

    assert_int_equal(filch_for_2d(0, 20 * MANY, 0, 10, watched_tile, &watch,
                                  .pool = *state, .progress = watch_progress,
                                  .progress_ms = PERIOD_MS, .tile = {1, 10}),
                     0);
    check_watch(&watch, 20 * MANY);
    watch = watch_start(3, 0);
    assert_int_equal(filch_reduce(0, 200 * MANY, &sum, sizeof sum, watched_fold, add,
                                  &watch, .pool = *state, .progress = watch_progress,
                                  .progress_ms = PERIOD_MS, .grain = 100),
                     0);
    assert_int_equal(sum, 200 * MANY);
    check_watch(&watch, 2 * MANY);
}

/* The caller's item ends once another worker has the other one, which lasts until
 * progress was called. */
static int wait_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct watch *watch = ctx;

    (void)w;
    (void)begin;
    (void)end;
    if (pthread_equal(pthread_self(), watch->caller)) {
        if (!wait_for(&watch->arrived, 1))
            atomic_fetch_add(&watch->wrong, 1);
        return 0;
    }
    atomic_fetch_add(&watch->arrived, 1);
    if (!wait_for(&watch->calls, watch->until))
        atomic_fetch_add(&watch->wrong, 1);
    if (watch->value)
        sleep_us(5 * PERIOD_MS * 1000);
    return 0;
}

static void progress_is_called_while_the_caller_waits(void **state)
{
    struct watch watch = watch_start(3, 0);

    if (filch_pool_workers(*state) == 1)
        return;
    assert_int_equal(filch_for(0, 2, wait_body, &watch, .pool = *state, .grain = 1,
                               .max_chunk = 1, .progress = watch_progress,
                               .progress_ms = PERIOD_MS),
                     0);
    check_watch(&watch, 2);
}

static void progress_is_not_called_after_its_value(void **state)
{
    struct watch watch = watch_start(2, 77);

    if (filch_pool_workers(*state) == 1)
        return;
    assert_int_equal(filch_for(0, 2, wait_body, &watch, .pool = *state, .grain = 1,
                               .max_chunk = 1, .progress = watch_progress,
                               .progress_ms = PERIOD_MS),
                     77);
    check_watch(&watch, 2);
    assert_int_equal(atomic_load(&watch.calls), 2);
}

static void a_value_of_progress_cancels_the_loop_and_is_returned(void **state)
{
    struct watch watch = watch_start(3, 77);
    size_t sum = 0;

    assert_int_equal(filch_for(0, 20 * MANY, watched_body, &watch, .pool = *state,
                               .progress = watch_progress, .progress_ms = PERIOD_MS,
                               .max_chunk = 100),
                     77);
    check_watch(&watch, 20 * MANY);
    assert_int_equal(atomic_load(&watch.calls), 3);
    assert_true(atomic_load(&watch.ran) < 20 * MANY);
    watch = watch_start(2, -ENOSPC);
    assert_int_equal(filch_reduce(0, 20 * MANY, &sum, sizeof sum, watched_fold, add,
                                  &watch, .pool = *state, .progress = watch_progress,
                                  .progress_ms = PERIOD_MS, .grain = 10),
                     -ENOSPC);
    check_watch(&watch, 2 * MANY);
    assert_true(atomic_load(&watch.ran) < 20 * MANY);
    assert_int_equal(sum, atomic_load(&watch.ran));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_token_set_before_a_loop_runs_nothing),
        ON_POOLS(a_token_set_by_a_body_ends_the_loop),
        ON_POOLS(a_token_set_by_a_signal_handler_ends_the_loop),
        ON_POOLS(a_token_set_by_the_last_item_comes_too_late),
        ON_POOLS(a_long_body_is_told_by_filch_cancelled),
        ON_POOLS(one_token_ends_all_loops_that_have_it),
        ON_POOLS(progress_is_called_on_the_caller_and_never_goes_back),
        ON_POOLS(progress_counts_tiles_and_blocks),
        ON_POOLS(progress_is_called_while_the_caller_waits),
        ON_POOLS(progress_is_not_called_after_its_value),
        ON_POOLS(a_value_of_progress_cancels_the_loop_and_is_returned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
