/* test_launch.c - who runs a loop, and in which portions: small ones their caller, parts
 * by position, single items when asked for. */
#include "pools.h"

/* --- loops that are not worth sharing --------------------------------------------- */

struct visits {
    pthread_t caller;
    atomic_uint calls, elsewhere;
    long sleep_us; /* for each item */
};

static int visit(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct visits *visits = ctx;

    (void)w;
    atomic_fetch_add(&visits->calls, 1);
    if (!pthread_equal(pthread_self(), visits->caller))
        atomic_fetch_add(&visits->elsewhere, 1);
    for (; visits->sleep_us && begin < end; begin++)
        sleep_us(visits->sleep_us);
    return 0;
}

static uint64_t publishes(filch_pool *pool)
{
    filch_stats stats = {.struct_size = sizeof stats};

    assert_int_equal(filch_stats_get(pool, &stats), 0);
    return stats.publishes;
}

/* Until it is known what the body costs. */
static void get_to_know(filch_pool *pool, size_t grain, struct visits *visits)
{
    int loops;

    for (loops = 0; loops < 200; loops++)
        assert_int_equal(filch_for(0, 1000, visit, visits, .pool = pool, .grain = grain),
                         0);
}

/* How many of a thousand small loops were published. */
static uint64_t published_loops(filch_pool *pool, struct visits *visits)
{
    uint64_t before = publishes(pool);
    unsigned calls, loops, most = 0;

    for (loops = 0; loops < 1000; loops++) {
        calls = atomic_load(&visits->calls);
        assert_int_equal(filch_for(0, 1000, visit, visits, .pool = pool), 0);
        calls = atomic_load(&visits->calls) - calls;
        most = calls > most ? calls : most;
    }
    assert_true(filch_pool_workers(pool) > 1 || most == 1);
    return publishes(pool) - before;
}

static void a_small_loop_is_its_callers_alone_in_a_few_calls(void **state)
{
    struct visits visits = {.caller = pthread_self()};
    uint64_t published = UINT64_MAX;
    unsigned elsewhere = 0;
    int tries;

    if (IS_TSAN || IS_ASAN || IS_EMULATED)
        skip(); /* no loop is small with them */
    get_to_know(*state, 0, &visits);
    /* An interrupt in the middle of one makes it look long: not many of them, when other
     * processes leave the CPUs alone for a moment. */
    for (tries = 0; tries < 50 && published > 50; tries++) {
        elsewhere = atomic_load(&visits.elsewhere);
        published = published_loops(*state, &visits);
        elsewhere = atomic_load(&visits.elsewhere) - elsewhere;
    }
    assert_in_range(published, 0, 50);
    assert_in_range(elsewhere, 0, 1000);
}

static void a_body_that_turns_expensive_is_shared(void **state)
{
    struct visits visits = {.caller = pthread_self()};

    if (filch_pool_workers(*state) == 1)
        return;
    get_to_know(*state, 1, &visits);
    atomic_store(&visits.elsewhere, 0);
    visits.sleep_us = 200;
    assert_int_equal(filch_for(0, 1000, visit, &visits, .pool = *state, .grain = 1), 0);
    assert_true(atomic_load(&visits.elsewhere) > 0);
}

static int loop_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    return filch_for(0, 1000, visit, ctx, .worker = w, .grain = 1);
}

/* The body of a loop that took no slot calls one that others are to help with. */
static void a_loop_nested_in_a_small_one_is_shared(void **state)
{
    struct visits visits = {.caller = pthread_self()};
    int loops;

    if (filch_pool_workers(*state) == 1)
        return;
    for (loops = 0; loops < 200; loops++)
        assert_int_equal(filch_for(0, 1, loop_inside, &visits, .pool = *state), 0);
    atomic_store(&visits.elsewhere, 0);
    visits.sleep_us = 200;
    assert_int_equal(filch_for(0, 1, loop_inside, &visits, .pool = *state), 0);
    assert_true(atomic_load(&visits.elsewhere) > 0);
}

struct lane_limits {
    unsigned plain, by_worker;
    atomic_uint in_nested_loop;
};

static int ask_lanes(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    atomic_store((atomic_uint *)ctx, filch_lanes(w));
    return 0;
}

static int ask_limits(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct lane_limits *limits = ctx;

    (void)begin;
    (void)end;
    limits->plain = filch_lane_limit();
    limits->by_worker = filch_lane_limit(.worker = w);
    return filch_for(0, 2, ask_lanes, &limits->in_nested_loop, .worker = w);
}

/* Scratch that a body makes for a loop in it has to be large enough. */
struct firsts {
    pthread_t caller;
    size_t first; /* of the items that the caller has run; SIZE_MAX: none yet */
};

static int note_first(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct firsts *firsts = ctx;

    (void)w, (void)end;
    if (pthread_equal(pthread_self(), firsts->caller) && firsts->first == SIZE_MAX)
        firsts->first = begin;
    sleep_us(100);
    return 0;
}

static int loop_from_first(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct firsts firsts = {pthread_self(), SIZE_MAX};
    atomic_uint *others = ctx;

    (void)begin, (void)end;
    if (filch_for(0, 64, note_first, &firsts, .worker = w, .grain = 1))
        return -1;
    atomic_fetch_add(others, firsts.first != 0);
    return 0;
}

/* So that one that ends at an early item ends there as the serial one would, whoever calls
 * it, and however long it is. */
static void the_caller_of_a_nested_loop_begins_at_its_first_item(void **state)
{
    atomic_uint others = 0;

    assert_int_equal(
        filch_for(0, 16, loop_from_first, &others, .pool = *state, .grain = 1), 0);
    assert_int_equal(atomic_load(&others), 0);
}

static void the_lane_limit_in_a_small_loop_is_that_of_its_pool(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    int loops;

    for (loops = 0; loops < 200; loops++) {
        struct lane_limits limits = {0};

        assert_int_equal(filch_for(0, 1, ask_limits, &limits, .pool = *state), 0);
        assert_int_equal(limits.plain, workers);
        assert_int_equal(limits.by_worker, workers);
        assert_int_equal(atomic_load(&limits.in_nested_loop), workers);
    }
}

/* --- hand-out by position --------------------------------------------------------- */

struct parts {
    struct meeting meeting;
    pthread_t thread[64]; /* that ran part i */
};

static int note_thread(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct parts *parts = ctx;

    parts->thread[begin / 1000] = pthread_self();
    return meet(w, begin, end, &parts->meeting);
}

static void the_same_indices_go_to_the_same_workers(void **state)
{
    unsigned workers = filch_pool_workers(*state), i;
    struct parts first = {.meeting.company = workers};
    int round;

    /* A grain for each worker, who all meet: each has exactly one. */
    assert_int_equal(
        filch_for(0, workers * 1000, note_thread, &first, .pool = *state, .grain = 1000),
        0);
    assert_int_equal(atomic_load(&first.meeting.wrong), 0);
    assert_true(pthread_equal(first.thread[0], pthread_self()));
    for (round = 0; round < 50; round++) {
        struct parts parts = {.meeting.company = workers};

        assert_int_equal(filch_for(0, workers * 1000, note_thread, &parts, .pool = *state,
                                   .grain = 1000),
                         0);
        assert_int_equal(atomic_load(&parts.meeting.wrong), 0);
        for (i = 0; i < workers; i++)
            assert_true(pthread_equal(parts.thread[i], first.thread[i]));
    }
}

/* --- portions --------------------------------------------------------------------- */

struct portions {
    size_t most;
    atomic_uint too_large;
    atomic_size_t items;
};

static int measure(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct portions *portions = ctx;

    (void)w;
    if (end - begin > portions->most)
        atomic_fetch_add(&portions->too_large, 1);
    atomic_fetch_add(&portions->items, end - begin);
    return 0;
}

static void no_call_gets_more_than_max_chunk(void **state)
{
    static const size_t counts[] = {1, 2, 7, 64, 1000, 100000}, most[] = {1, 3, 64, 1000};
    size_t i, k;
    unsigned limit, round;

    for (i = 0; i < COUNT_OF(counts); i++)
        for (k = 0; k < COUNT_OF(most); k++)
            for (limit = 0; limit < 3; limit++)
                for (round = 0; round < 4; round++) {
                    struct portions portions = {.most = most[k]};

                    assert_int_equal(filch_for(0, counts[i], measure, &portions,
                                               .pool = *state, .max_chunk = most[k],
                                               .max_workers = limit),
                                     0);
                    assert_int_equal(atomic_load(&portions.too_large), 0);
                    assert_int_equal(atomic_load(&portions.items), counts[i]);
                }
}

struct least {
    size_t grain;
    atomic_uint too_small;
    _Atomic double result;
};

/* Half a microsecond or so for each item. */
static int work_and_measure(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct least *least = ctx;
    double x = 1;
    size_t i;

    (void)w;
    if (end - begin < least->grain)
        atomic_fetch_add(&least->too_small, 1);
    for (i = 0; i < (end - begin) * 200; i++)
        x = x * 0.999 + 0.001;
    atomic_store(&least->result, x);
    return 0;
}

/* When it is known what they take, and they are handed out in parts. */
static void parts_are_not_below_the_grain(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 300; round++) {
        struct least least = {.grain = 20 + random_below(&random, 100)};
        size_t count = least.grain * (workers + 1) +
                       random_below(&random, least.grain * 2 * workers);

        assert_int_equal(filch_for(0, count, work_and_measure, &least, .pool = *state,
                                   .grain = least.grain),
                         0);
        assert_int_equal(atomic_load(&least.too_small), 0);
    }
}

struct growth {
    atomic_uint calls, jumps;
};

/* Of a loop from 0. */
static int watch_growth(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct growth *growth = ctx;

    (void)w;
    atomic_fetch_add(&growth->calls, 1);
    if (end - begin > (begin ? begin : 1))
        atomic_fetch_add(&growth->jumps, 1);
    return 0;
}

static int go_on(size_t done, size_t total, void *ctx)
{
    (void)ctx;
    return done <= total ? 0 : -1;
}

/* Cheap so far does not mean cheap: a caller alone must come back to tell and to look at
 * the token. */
static void a_watched_loop_grows_its_calls_slowly(void **state)
{
    size_t count;

    for (count = 1; count < 200000; count += count / 3 + 1) {
        struct growth growth = {0};

        assert_int_equal(filch_for(0, count, watch_growth, &growth, .pool = *state,
                                   .progress = go_on, .max_workers = 1),
                         0);
        assert_int_equal(atomic_load(&growth.jumps), 0);
        assert_true(atomic_load(&growth.calls) >= 1);
    }
}

static int measure_map(filch_worker *w, const void *in, void *out, size_t count,
                       void *ctx)
{
    (void)in;
    (void)out;
    return measure(w, 0, count, ctx);
}

static void max_chunk_below_the_grain_runs_nothing(void **state)
{
    struct portions portions = {.most = 1};
    char in = 0, out = 0;

    assert_int_equal(
        filch_for(0, 100, measure, &portions, .pool = *state, .grain = 2, .max_chunk = 1),
        -EINVAL);
    assert_int_equal(filch_map(&in, 1, &out, 1, 1, measure_map, &portions, .pool = *state,
                               .grain = 2, .max_chunk = 1),
                     -EINVAL);
    assert_int_equal(atomic_load(&portions.items), 0);
}

/* --- errors ----------------------------------------------------------------------- */

struct errors {
    const unsigned char *fails;
};

/* As a serial loop: the value of the first item that fails. */
static int fail_somewhere(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct errors *errors = ctx;

    (void)w;
    for (; begin < end; begin++)
        if (errors->fails[begin])
            return (int)begin + 1;
    return 0;
}

/* 10,000 times over all pools. */
static void the_first_failing_index_is_that_of_the_serial_loop(void **state)
{
    unsigned char fails[3000];
    struct errors errors = {fails};
    uint64_t seed = seed_print();
    int round;

    for (round = 0; round < 2000; round++) {
        size_t count = 1 + random_below(&seed, sizeof fails), k;
        size_t failing = 1 + random_below(&seed, 1 + random_below(&seed, 20));
        size_t grain = random_below(&seed, 2) ? 0 : random_below(&seed, 50);

        memset(fails, 0, sizeof fails);
        for (k = 0; k < failing; k++)
            fails[random_below(&seed, count)] = 1;
        assert_int_equal(
            filch_for(0, count, fail_somewhere, &errors, .pool = *state, .grain = grain),
            fail_somewhere(NULL, 0, count, &errors));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_small_loop_is_its_callers_alone_in_a_few_calls),
        ON_POOLS(a_body_that_turns_expensive_is_shared),
        ON_POOLS(a_loop_nested_in_a_small_one_is_shared),
        ON_POOLS(the_caller_of_a_nested_loop_begins_at_its_first_item),
        ON_POOLS(the_lane_limit_in_a_small_loop_is_that_of_its_pool),
        ON_POOLS(the_same_indices_go_to_the_same_workers),
        ON_POOLS(no_call_gets_more_than_max_chunk),
        ON_POOLS(parts_are_not_below_the_grain),
        ON_POOLS(a_watched_loop_grows_its_calls_slowly),
        ON_POOLS(max_chunk_below_the_grain_runs_nothing),
        ON_POOLS(the_first_failing_index_is_that_of_the_serial_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
