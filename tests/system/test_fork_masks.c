/* test_fork_masks.c - in children of fork() threads run on the CPUs that the child has now,
 * not on those that the pool was made for.
 */
#include "masks.h"

static cpu_set_t all; /* what the process may use */

static int restore_all(void **state)
{
    (void)state;
    return set_all_masks(&all) ? 0 : -1;
}

static void skip_on_one_cpu(void)
{
    if (CPU_COUNT(&all) < 2) {
        print_message("one CPU: there is nothing to change\n");
        skip();
    }
}

static filch_pool *make_bound(unsigned workers, int bind)
{
    filch_pool *pool;

    assert_int_equal(
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers, .bind = bind)),
        0);
    assert_int_equal(gather_wrongly(pool, NULL, NULL), 0);
    return pool;
}

/* --- forked in a body --------------------------------------------------------------- */

/* On a pool's thread. arg: what the child's mask is to be. */
static void fork_and_look(struct gathering *gathering)
{
    pid_t child = fork();

    if (child == 0) {
        limit_own_time();
        _exit(has_mask(0, gathering->arg) ? 0 : 1);
    }
    if (value_of_child(child) != 0)
        atomic_fetch_add(&gathering->wrong, 1);
}

static void a_child_of_a_body_has_the_cpus_that_somebody_gave_the_process(void **state)
{
    static const int binds[] = {FILCH_BIND_CORE, FILCH_BIND_NODE, FILCH_BIND_NONE};
    size_t bind;
    int nth;

    (void)state;
    skip_on_one_cpu();
    for (bind = 0; bind < COUNT_OF(binds); bind++)
        for (nth = 0; nth < 2; nth++) {
            filch_pool *pool = make_bound((unsigned)CPU_COUNT(&all), binds[bind]);
            cpu_set_t one = nth_of(&all, nth);

            assert_int_equal(gather_wrongly(pool, fork_and_look, &all),
                             0); /* its maker's */
            assert_true(set_all_masks(&one));
            assert_int_equal(gather_wrongly(pool, fork_and_look, &one), 0);
            assert_true(set_all_masks(&all));
            destroy_wholly(pool);
        }
}

/* --- pools that are started again --------------------------------------------------- */

/* In a child with that mask: how much is wrong with a pool that its first call starts
 * again. */
static int start_again_wrongly(filch_pool *pool, const cpu_set_t *mask)
{
    uint64_t threads = filch_pool_workers(pool) - 1;

    if (gather_wrongly(pool, NULL, NULL) || sum_wrongly(pool))
        return 1;
    if (threads_outside(mask) != 0)
        return 2;
    return masks_changed(pool) == threads ? 0 : 3;
}

static void check_child_with(filch_pool *pool, const cpu_set_t *mask)
{
    pid_t child = fork();

    if (child == 0) {
        limit_own_time();
        _exit(set_mask(0, mask) ? start_again_wrongly(pool, mask) : 4);
    }
    assert_int_equal(value_of_child(child), 0);
}

static void started_again_on_fewer_cpus_threads_stay_inside_them(void **state)
{
    static const int binds[] = {FILCH_BIND_CORE, FILCH_BIND_NODE, FILCH_BIND_NONE};
    size_t bind;
    int nth;

    (void)state;
    skip_on_one_cpu();
    for (bind = 0; bind < COUNT_OF(binds); bind++)
        for (nth = 0; nth < 2; nth++) {
            filch_pool *pool = make_bound((unsigned)CPU_COUNT(&all), binds[bind]);
            cpu_set_t one = nth_of(&all, nth);

            check_child_with(pool, &one);
            assert_int_equal(masks_changed(pool), 0);
            destroy_wholly(pool);
        }
}

static void started_again_on_more_cpus_a_pool_goes_on_and_says_so(void **state)
{
    cpu_set_t one = nth_of(&all, 0);
    filch_pool *pool;

    (void)state;
    skip_on_one_cpu();
    assert_true(set_mask(0, &one));
    pool = make_bound(3, FILCH_BIND_AUTO);
    check_child_with(pool, &all);
    destroy_wholly(pool);
}

/* On a thread of one pool, which has one CPU: start another one again, whose threads have
 * all CPUs all the same. */
static void start_other_again(struct gathering *gathering)
{
    filch_pool *pool = gathering->arg;

    if (gather_wrongly(pool, NULL, NULL))
        atomic_fetch_add(&gathering->wrong, 1);
}

static void a_pool_that_a_bound_thread_starts_again_is_not_kept_to_its_cpu(void **state)
{
    filch_pool *bound, *free;
    pid_t child;

    (void)state;
    skip_on_one_cpu();
    bound = make_bound((unsigned)CPU_COUNT(&all), FILCH_BIND_CORE);
    free = make_bound(3, FILCH_BIND_NONE);
    child = fork();
    if (child == 0) {
        limit_own_time();
        if (gather_wrongly(bound, start_other_again, free))
            _exit(1);
        /* All but those on cores, one each, have everything. */
        _exit(threads_without(&all) == CPU_COUNT(&all) - 1 ? 0 : 2);
    }
    assert_int_equal(value_of_child(child), 0);
    filch_pool_destroy(bound);
    destroy_wholly(free);
}

#define TEST(test) cmocka_unit_test_teardown(test, restore_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_child_of_a_body_has_the_cpus_that_somebody_gave_the_process),
        TEST(started_again_on_fewer_cpus_threads_stay_inside_them),
        TEST(started_again_on_more_cpus_a_pool_goes_on_and_says_so),
        TEST(a_pool_that_a_bound_thread_starts_again_is_not_kept_to_its_cpu),
    };

    all = mask_of(0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
