/* test_lanes.c - who takes part in a loop: max_workers, lanes, isolation, cancelling. */
#include "pools.h"

/* --- max_workers ------------------------------------------------------------------ */

struct crowd {
    atomic_uint inside, most;
};

static int crowd_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct crowd *crowd = ctx;

    (void)w;
    (void)begin;
    (void)end;
    raise_to(&crowd->most, atomic_fetch_add(&crowd->inside, 1) + 1);
    sched_yield();
    atomic_fetch_sub(&crowd->inside, 1);
    return 0;
}

static void never_more_than_max_workers_bodies_run_at_once(void **state)
{
    unsigned workers = filch_pool_workers(*state), limit;
    int round;

    for (limit = 1; limit <= workers + 1; limit++)
        for (round = 0; round < 10; round++) {
            struct crowd crowd = {0};

            assert_int_equal(filch_for(0, 200, crowd_body, &crowd, .pool = *state,
                                       .grain = 1, .max_workers = limit),
                             0);
            assert_int_equal(atomic_load(&crowd.inside), 0);
            assert_in_range(atomic_load(&crowd.most), 1,
                            limit < workers ? limit : workers);
        }
}

static void all_workers_come_to_a_loop_of_long_calls(void **state)
{
    int round;

    for (round = 0; round < 20; round++) {
        struct meeting meeting = {.company = filch_pool_workers(*state)};

        assert_int_equal(
            filch_for(0, meeting.company, meet, &meeting, .pool = *state, .grain = 1), 0);
        assert_int_equal(atomic_load(&meeting.wrong), 0);
    }
}

static void as_many_as_max_workers_come(void **state)
{
    unsigned workers = filch_pool_workers(*state), limit;

    for (limit = 2; limit < workers; limit++) {
        struct meeting meeting = {.company = limit};

        assert_int_equal(filch_for(0, limit, meet, &meeting, .pool = *state, .grain = 1,
                                   .max_workers = limit),
                         0);
        assert_int_equal(atomic_load(&meeting.wrong), 0);
    }
}

/* --- lanes ------------------------------------------------------------------------ */

struct lanes {
    unsigned limit;
    filch_pool *pool;
    bool is_nested;
    atomic_uint taken[64];
    atomic_uint out_of_range, not_exclusive, changed, wrong_limit, not_isolated;
    unsigned char *hits;
};

/* Bodies of the outer loop that are running on this thread. */
static _Thread_local unsigned bodies_here;

static int lane_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct lanes *lanes = ctx;
    unsigned lane = filch_lane(w);
    size_t i;

    if (filch_lanes(w) != lanes->limit)
        atomic_fetch_add(&lanes->wrong_limit, 1);
    if (lane >= lanes->limit) {
        atomic_fetch_add(&lanes->out_of_range, 1);
        return 0;
    }
    if (atomic_exchange(&lanes->taken[lane], 1))
        atomic_fetch_add(&lanes->not_exclusive, 1);
    if (bodies_here++)
        atomic_fetch_add(&lanes->not_isolated, 1);
    for (i = begin; i < end; i++)
        lanes->hits[i]++;
    if (lanes->is_nested) {
        struct crowd crowd = {0};

        if (filch_for(0, 30, crowd_body, &crowd, .worker = w, .grain = 1))
            atomic_fetch_add(&lanes->changed, 1);
    } else {
        sched_yield();
    }
    if (filch_lane(w) != lane || filch_lanes(w) != lanes->limit)
        atomic_fetch_add(&lanes->changed, 1);
    bodies_here--;
    atomic_store(&lanes->taken[lane], 0);
    return 0;
}

static void check_lanes(filch_pool *pool, unsigned max_workers, bool is_nested)
{
    unsigned char hits[100] = {0};
    unsigned workers = filch_pool_workers(pool);
    struct lanes lanes = {.pool = pool, .is_nested = is_nested, .hits = hits};
    size_t i;

    lanes.limit = max_workers && max_workers < workers ? max_workers : workers;
    assert_int_equal(filch_lane_limit(.pool = pool, .max_workers = max_workers),
                     lanes.limit);
    assert_int_equal(filch_for(0, sizeof hits, lane_body, &lanes, .pool = pool,
                               .grain = 1, .max_workers = max_workers),
                     0);
    assert_int_equal(atomic_load(&lanes.wrong_limit), 0);
    assert_int_equal(atomic_load(&lanes.out_of_range), 0);
    assert_int_equal(atomic_load(&lanes.not_exclusive), 0);
    assert_int_equal(atomic_load(&lanes.not_isolated), 0);
    assert_int_equal(atomic_load(&lanes.changed), 0);
    for (i = 0; i < sizeof hits; i++)
        assert_int_equal(hits[i], 1);
}

static void a_lane_belongs_to_one_body_at_a_time(void **state)
{
    unsigned limit;
    int round;

    for (limit = 0; limit <= filch_pool_workers(*state) + 1; limit++)
        for (round = 0; round < 10; round++)
            check_lanes(*state, limit, false);
}

static void a_lane_stays_taken_while_its_body_waits_in_a_nested_loop(void **state)
{
    unsigned limit;
    int round;

    for (limit = 0; limit <= filch_pool_workers(*state) + 1; limit++)
        for (round = 0; round < 10; round++)
            check_lanes(*state, limit, true);
}

struct lane_meeting {
    struct meeting meeting;
    atomic_uint seen[64];
};

static int lane_meet(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct lane_meeting *lanes = ctx;

    atomic_fetch_add(&lanes->seen[filch_lane(w) % 64], 1);
    return meet(w, begin, end, &lanes->meeting);
}

static void lanes_of_bodies_that_run_together_are_dense(void **state)
{
    unsigned workers = filch_pool_workers(*state), lane;
    struct lane_meeting lanes = {.meeting = {.company = workers}};

    assert_int_equal(filch_for(0, workers, lane_meet, &lanes, .pool = *state, .grain = 1),
                     0);
    assert_int_equal(atomic_load(&lanes.meeting.wrong), 0);
    for (lane = 0; lane < 64; lane++)
        assert_int_equal(atomic_load(&lanes.seen[lane]), lane < workers);
}

static int ask_limits(filch_worker *w, void *ctx)
{
    unsigned *limit = ctx;

    limit[0] = filch_lane_limit(.worker = w);
    limit[1] = filch_lane_limit(.max_workers = 2);
    limit[2] = filch_lanes(w);
    limit[3] = filch_lane(w);
    return 0;
}

static void the_lane_limit_is_known_before_the_call(void **state)
{
    unsigned workers = filch_pool_workers(*state), limit[4];

    assert_int_equal(filch_lane_limit(.pool = *state), workers);
    assert_int_equal(filch_lane_limit(.pool = *state, .max_workers = 1), 1);
    assert_int_equal(filch_lane_limit(.pool = *state, .max_workers = 1000), workers);
    assert_int_equal(filch_lane_limit_with(NULL), filch_pool_workers(NULL));
    assert_int_equal(filch_run(ask_limits, limit, .pool = *state), 0);
    assert_int_equal(limit[0], workers);
    assert_int_equal(limit[1], workers < 2 ? workers : 2);
    assert_int_equal(limit[2], 1);
    assert_int_equal(limit[3], 0);
    assert_int_equal(filch_lane(NULL), 0);
    assert_int_equal(filch_lanes(NULL), 1);
    assert_int_equal(filch_cancelled(NULL), 0);
}

static void no_lane_is_promised_to_options_that_a_call_refuses(void **state)
{
    filch_opts opts = *FILCH_OPTS(NULL, .pool = *state);

    opts.struct_size -= 8;
    assert_int_equal(filch_lane_limit_with(&opts), 0);
    opts.struct_size += 8;
    opts.abi++;
    assert_int_equal(filch_lane_limit_with(&opts), 0);
    opts.abi--;
    assert_int_equal(filch_lane_limit_with(&opts), filch_pool_workers(*state));
    assert_int_equal(filch_lane_limit(.pool = *state, .grain = 2, .max_chunk = 1), 0);
}

/* --- cancelling ------------------------------------------------------------------- */

struct cancel {
    size_t failing;
    atomic_uint has_failed, wrong;
};

/* The failing item's call ends at once. Those above it go on until they are told, those
 * below must not be told. */
static int cancel_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct cancel *cancel = ctx;
    uint64_t since = now_ns();

    if (begin <= cancel->failing && cancel->failing < end) {
        atomic_store(&cancel->has_failed, 1);
        return -5;
    }
    if (begin < cancel->failing) {
        if (filch_cancelled(w))
            atomic_fetch_add(&cancel->wrong, 1);
        return 0;
    }
    while (!filch_cancelled(w)) {
        if (now_ns() - since > PATIENCE_NS) {
            atomic_fetch_add(&cancel->wrong, 1);
            return -6;
        }
        sched_yield();
    }
    return -7;
}

static void calls_above_a_failure_are_told_and_those_below_are_not(void **state)
{
    int round;

    for (round = 0; round < 30; round++) {
        /* Far down: with one call for each worker waiting above it, the failing one must
         * still be run, and the lowest ones are the first of all. */
        struct cancel cancel = {.failing = (size_t)round % 3};

        assert_int_equal(
            filch_for(0, 64, cancel_body, &cancel, .pool = *state, .grain = 1), -5);
        assert_int_equal(atomic_load(&cancel.wrong), 0);
    }
}

static int not_told_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    if (filch_cancelled(w))
        atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static void without_a_failure_nobody_is_cancelled(void **state)
{
    atomic_uint wrong = 0;

    assert_int_equal(
        filch_for(0, 1000, not_told_body, &wrong, .pool = *state, .grain = 1), 0);
    assert_int_equal(
        filch_for(0, 1000, not_told_body, &wrong, .pool = *state, .max_workers = 1), 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(never_more_than_max_workers_bodies_run_at_once),
        ON_POOLS(all_workers_come_to_a_loop_of_long_calls),
        ON_POOLS(as_many_as_max_workers_come),
        ON_POOLS(a_lane_belongs_to_one_body_at_a_time),
        ON_POOLS(a_lane_stays_taken_while_its_body_waits_in_a_nested_loop),
        ON_POOLS(lanes_of_bodies_that_run_together_are_dense),
        ON_POOLS(the_lane_limit_is_known_before_the_call),
        ON_POOLS(no_lane_is_promised_to_options_that_a_call_refuses),
        ON_POOLS(calls_above_a_failure_are_told_and_those_below_are_not),
        ON_POOLS(without_a_failure_nobody_is_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
