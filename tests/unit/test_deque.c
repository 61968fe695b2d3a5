/* test_deque.c - the deque by one thread: every step, in both modes, against a model.
 * What happens between threads is the model checker's and the stress tests' business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "deque.h"
#include "worker.h"

#define SLOTS FILCH_RING_SLOTS

/* A worker in a pool without threads: what the slow paths of fork and reclaim look at. */
struct fixture {
    struct filch_pool *pool;
    struct fl_worker *worker;
    struct fl_deque *deque;
    filch_worker *hot;
    filch_job job[2 * SLOTS];
};

static void job_run(filch_worker *w, filch_job *job)
{
    (void)w;
    (void)job;
}

static int make_fixture(void **state)
{
    bool is_asymmetric = *state != NULL;
    struct fixture *fixture = fl_zalloc(sizeof *fixture);
    size_t i;

    if (!fixture || (is_asymmetric && !fl_heavy_fence_init()))
        return -1;
    fixture->pool = fl_zalloc(sizeof *fixture->pool);
    fixture->worker = fl_zalloc(sizeof *fixture->worker);
    if (!fixture->pool || !fixture->worker)
        return -1;
    fixture->worker->pool = fixture->pool;
    fixture->deque = &fixture->worker->deque;
    fixture->hot = &fixture->deque->hot;
    deque_init(fixture->deque, is_asymmetric);
    for (i = 0; i < 2 * SLOTS; i++)
        fixture->job[i].run = job_run;
    *state = fixture;
    return 0;
}

static int free_fixture(void **state)
{
    struct fixture *fixture = *state;

    fl_free(fixture->worker);
    fl_free(fixture->pool);
    fl_free(fixture);
    return 0;
}

#define CLASSIC(test)                                             \
    {                                                             \
#test ", classic", test, make_fixture, free_fixture, NULL \
    }
#define ASYMMETRIC(test)                                                  \
    {                                                                     \
#test ", asymmetric", test, make_fixture, free_fixture, (void *)1 \
    }
#define BOTH(test) CLASSIC(test), ASYMMETRIC(test)

static int64_t push(struct fixture *fixture, size_t number)
{
    return filch_fork(fixture->hot, &fixture->job[number]);
}

static void check_steal(struct fixture *fixture, enum fl_steal expected, size_t number)
{
    filch_job *job = NULL;

    assert_int_equal(deque_steal(fixture->deque, &job), expected);
    if (expected == FL_STEAL_GOT)
        assert_int_equal(job - fixture->job, number);
}

/* --- push and pop ----------------------------------------------------------------- */

static void the_owner_gets_back_what_it_pushed_newest_first(void **state)
{
    struct fixture *fixture = *state;
    int64_t place[100];
    size_t i, round;

    for (round = 0; round < 3; round++) {
        for (i = 0; i < 100; i++)
            place[i] = push(fixture, i);
        while (i-- > 0)
            assert_true(filch_reclaim(fixture->hot, &fixture->job[i], place[i]));
        assert_false(deque_has_public(fixture->deque));
        assert_false(deque_has_private(fixture->deque));
        check_steal(fixture, FL_STEAL_EMPTY, 0);
    }
}

static void thieves_get_the_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    size_t i;

    for (i = 0; i < 10; i++)
        push(fixture, i);
    deque_publish(fixture->deque);
    for (i = 0; i < 10; i++)
        check_steal(fixture, FL_STEAL_GOT, i);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
}

static void what_was_stolen_is_not_given_back(void **state)
{
    struct fixture *fixture = *state;
    int64_t place[3];
    size_t i;

    for (i = 0; i < 3; i++)
        place[i] = push(fixture, i);
    deque_publish(fixture->deque);
    check_steal(fixture, FL_STEAL_GOT, 0);
    assert_true(filch_reclaim(fixture->hot, &fixture->job[2], place[2]));
    check_steal(fixture, FL_STEAL_GOT, 1);
    assert_false(filch_reclaim(fixture->hot, &fixture->job[1], place[1]));
    assert_false(filch_reclaim(fixture->hot, &fixture->job[0], place[0]));
    /* The deque goes on as an empty one. */
    place[0] = push(fixture, 5);
    deque_publish(fixture->deque);
    check_steal(fixture, FL_STEAL_GOT, 5);
    assert_false(filch_reclaim(fixture->hot, &fixture->job[5], place[0]));
    place[0] = push(fixture, 6);
    assert_true(filch_reclaim(fixture->hot, &fixture->job[6], place[0]));
}

/* --- private and public ----------------------------------------------------------- */

static void behind_a_lowered_gate_pushes_stay_private(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 0); /* publishes, and lowers the gate */
    assert_true(deque_has_public(fixture->deque));
    push(fixture, 1);
    push(fixture, 2);
    assert_true(deque_has_private(fixture->deque));
    check_steal(fixture, FL_STEAL_GOT, 0);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
    assert_true(deque_publish(fixture->deque));
    assert_false(deque_publish(fixture->deque));
    assert_false(deque_has_private(fixture->deque));
    check_steal(fixture, FL_STEAL_GOT, 1);
    check_steal(fixture, FL_STEAL_GOT, 2);
}

static void a_raised_gate_makes_the_next_push_publish(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 0);
    push(fixture, 1);
    check_steal(fixture, FL_STEAL_GOT, 0);
    deque_raise_gate(fixture->deque);
    deque_raise_gate(fixture->deque);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
    push(fixture, 2);
    check_steal(fixture, FL_STEAL_GOT, 1);
    check_steal(fixture, FL_STEAL_GOT, 2);
    /* Nobody was hungry, so the gate is down again. */
    push(fixture, 3);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
}

static void the_gate_stays_up_for_who_sleeps(void **state)
{
    struct fixture *fixture = *state;
    struct fl_parker sleeper = {0};

    fl_lot_search_begin(&fixture->pool->lot);
    fl_lot_sleep_begin(&fixture->pool->lot, &sleeper);
    push(fixture, 0);
    assert_int_equal(sleeper.state, FL_PARKER_NOTIFIED);
    push(fixture, 1);
    check_steal(fixture, FL_STEAL_GOT, 0);
    check_steal(fixture, FL_STEAL_GOT, 1);
}

static void the_gate_stays_up_for_who_searches_when_something_was_stolen(void **state)
{
    struct fixture *fixture = *state;
    int64_t place;

    fl_lot_search_begin(&fixture->pool->lot);
    place = push(fixture, 0);
    check_steal(fixture, FL_STEAL_GOT, 0);
    assert_false(filch_reclaim(fixture->hot, &fixture->job[0], place));
    deque_raise_gate(fixture->deque);
    push(fixture, 1);
    push(fixture, 2);
    check_steal(fixture, FL_STEAL_GOT, 1);
    check_steal(fixture, FL_STEAL_GOT, 2);
}

/* Its jobs are shorter than the way to them. */
static void the_gate_comes_down_for_who_searches_when_nothing_was_stolen(void **state)
{
    struct fixture *fixture = *state;
    int64_t place;

    fl_lot_search_begin(&fixture->pool->lot);
    place = push(fixture, 0);
    assert_true(filch_reclaim(fixture->hot, &fixture->job[0], place));
    push(fixture, 1);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
    assert_true(deque_has_private(fixture->deque));
}

static void every_push_is_public_in_classic_mode(void **state)
{
    struct fixture *fixture = *state;
    size_t i;

    for (i = 0; i < 100; i++) {
        push(fixture, i);
        assert_false(deque_has_private(fixture->deque));
        if (i % 2 == 0)
            check_steal(fixture, FL_STEAL_GOT, i / 2);
    }
}

static void a_forced_publish_shows_what_the_owner_kept_private(void **state)
{
    struct fixture *fixture = *state;
    int64_t place[4];
    size_t i;

    assert_false(deque_force_publish(fixture->deque));
    for (i = 0; i < 4; i++)
        place[i] = push(fixture, i);
    check_steal(fixture, FL_STEAL_GOT, 0);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
    assert_true(deque_force_publish(fixture->deque));
    assert_false(deque_force_publish(fixture->deque));
    check_steal(fixture, FL_STEAL_GOT, 1);
    assert_true(filch_reclaim(fixture->hot, &fixture->job[3], place[3]));
    assert_true(filch_reclaim(fixture->hot, &fixture->job[2], place[2]));
    assert_false(filch_reclaim(fixture->hot, &fixture->job[1], place[1]));
}

static void a_forced_publish_keeps_off_while_the_lock_is_held(void **state)
{
    struct fixture *fixture = *state;

    deque_lower_gate(fixture->deque);
    push(fixture, 0);
    assert_true(deque_try_lock(fixture->deque));
    assert_false(deque_try_lock(fixture->deque));
    assert_false(deque_force_publish(fixture->deque));
    check_steal(fixture, FL_STEAL_EMPTY, 0);
    deque_unlock(fixture->deque);
    assert_true(deque_force_publish(fixture->deque));
    check_steal(fixture, FL_STEAL_GOT, 0);
}

/* --- a full ring ------------------------------------------------------------------ */

static void a_full_ring_takes_no_more_until_something_leaves_it(void **state)
{
    struct fixture *fixture = *state;
    static int64_t place[SLOTS];
    size_t i;

    for (i = 0; i < SLOTS - 1; i++) {
        assert_true(deque_has_room(fixture->deque, (int64_t)i));
        place[i] = push(fixture, i);
        assert_int_equal(place[i], i);
    }
    assert_false(deque_has_room(fixture->deque, SLOTS - 1));
    assert_int_equal(push(fixture, SLOTS), FILCH_NOT_PUSHED);
    assert_int_equal(push(fixture, SLOTS + 1), FILCH_NOT_PUSHED);
    assert_int_equal(fixture->worker->counters.overflows, 2);
    assert_true(filch_reclaim(fixture->hot, &fixture->job[SLOTS + 1], FILCH_NOT_PUSHED));
    assert_true(filch_reclaim(fixture->hot, &fixture->job[SLOTS], FILCH_NOT_PUSHED));
    /* A pop makes room for one, a steal too. */
    i = SLOTS - 2;
    assert_true(filch_reclaim(fixture->hot, &fixture->job[i], place[i]));
    assert_int_equal(push(fixture, i), i);
    assert_int_equal(push(fixture, SLOTS), FILCH_NOT_PUSHED);
    deque_publish(fixture->deque);
    check_steal(fixture, FL_STEAL_GOT, 0);
    assert_int_equal(push(fixture, SLOTS), SLOTS - 1);
    assert_int_equal(push(fixture, SLOTS + 1), FILCH_NOT_PUSHED);
    /* None was overwritten. */
    deque_publish(fixture->deque);
    for (i = 1; i < SLOTS - 1; i++)
        check_steal(fixture, FL_STEAL_GOT, i);
    check_steal(fixture, FL_STEAL_GOT, SLOTS);
    check_steal(fixture, FL_STEAL_EMPTY, 0);
}

/* --- against a model -------------------------------------------------------------- */

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t seed_print(void)
{
    const char *text = getenv("FILCH_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

    print_message("FILCH_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* The forks that have not been reclaimed, oldest first: [0, stolen) are with thieves,
 * [stolen, public) public, and the rest is private. */
struct model {
    size_t forks, stolen, public;
    int64_t place[SLOTS];
    size_t number[SLOTS];
};

static void model_push(struct fixture *fixture, struct model *model, size_t number)
{
    bool is_gate_up = fixture->hot->gate == FILCH_GATE_RAISED;
    int64_t place = push(fixture, number);

    if (model->forks - model->stolen == SLOTS - 1) {
        assert_int_equal(place, FILCH_NOT_PUSHED);
        return;
    }
    assert_int_not_equal(place, FILCH_NOT_PUSHED);
    model->place[model->forks] = place;
    model->number[model->forks] = number;
    model->forks++;
    if (is_gate_up)
        model->public = model->forks;
    /* The ring is nearly full by the bound that was taken when the gate came down. */
    else if (!deque_has_private(fixture->deque))
        model->public = model->forks;
}

static void model_reclaim(struct fixture *fixture, struct model *model)
{
    size_t last = model->forks - 1;
    int got = filch_reclaim(fixture->hot, &fixture->job[model->number[last]],
                            model->place[last]);

    assert_int_equal(got != 0, last >= model->stolen);
    model->forks = last;
    if (model->stolen > last)
        model->stolen = last;
    if (model->public > last)
        model->public = last;
}

static void model_steal(struct fixture *fixture, struct model *model)
{
    if (model->stolen == model->public) {
        check_steal(fixture, FL_STEAL_EMPTY, 0);
        return;
    }
    check_steal(fixture, FL_STEAL_GOT, model->number[model->stolen]);
    model->stolen++;
}

static void random_steps_do_what_the_model_does(void **state)
{
    struct fixture *fixture = *state;
    static struct model model;
    uint64_t random = seed_print();
    int step;

    model = (struct model){0};
    for (step = 0; step < 300000; step++) {
        /* Long stretches of mostly pushing, so that the ring is full at times. */
        uint64_t number = random_next(&random) % 100;
        uint64_t pushes = step / 10000 % 2 ? 80 : 40;

        if (number < pushes && model.forks < SLOTS) {
            model_push(fixture, &model, (size_t)(random_next(&random) % (2 * SLOTS)));
        } else if (number < 88) {
            if (model.forks)
                model_reclaim(fixture, &model);
        } else if (number < 92) {
            model_steal(fixture, &model);
        } else if (number < 94) {
            deque_raise_gate(fixture->deque);
        } else if (number < 96) {
            assert_int_equal(deque_publish(fixture->deque), model.forks > model.public);
            model.public = model.forks;
        } else if (number < 98 && fixture->deque->is_asymmetric) {
            assert_int_equal(deque_force_publish(fixture->deque),
                             model.forks > model.public);
            model.public = model.forks;
        } else {
            assert_int_equal(deque_has_public(fixture->deque),
                             model.public > model.stolen);
            assert_int_equal(deque_has_private(fixture->deque),
                             model.forks > model.public);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_owner_gets_back_what_it_pushed_newest_first),
        BOTH(thieves_get_the_oldest_first),
        BOTH(what_was_stolen_is_not_given_back),
        ASYMMETRIC(behind_a_lowered_gate_pushes_stay_private),
        ASYMMETRIC(a_raised_gate_makes_the_next_push_publish),
        BOTH(the_gate_stays_up_for_who_sleeps),
        BOTH(the_gate_stays_up_for_who_searches_when_something_was_stolen),
        ASYMMETRIC(the_gate_comes_down_for_who_searches_when_nothing_was_stolen),
        CLASSIC(every_push_is_public_in_classic_mode),
        ASYMMETRIC(a_forced_publish_shows_what_the_owner_kept_private),
        ASYMMETRIC(a_forced_publish_keeps_off_while_the_lock_is_held),
        BOTH(a_full_ring_takes_no_more_until_something_leaves_it),
        BOTH(random_steps_do_what_the_model_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
