/* test_local.c - what local.h promises: a slot for each worker, made on first use. */
#include "pools.h"

/* What the slots of these tests hold. */
struct slot {
    uint64_t magic;
    size_t items;
    char rest[41]; /* an odd size: what follows is padding */
};

#define MAGIC UINT64_C(0x1234567890abcdef)

struct counts {
    atomic_uint inits, visits, destroys, wrong;
    size_t items;
    char *slot[64];
};

static void init_slot(void *slot, void *ctx)
{
    struct counts *counts = ctx;

    ((struct slot *)slot)->magic = MAGIC;
    atomic_fetch_add(&counts->inits, 1);
}

static int visit_slot(void *slot, void *ctx)
{
    struct counts *counts = ctx;
    unsigned number = atomic_fetch_add(&counts->visits, 1);

    if (((struct slot *)slot)->magic != MAGIC)
        atomic_fetch_add(&counts->wrong, 1);
    if (number < COUNT_OF(counts->slot))
        counts->slot[number] = slot;
    counts->items += ((struct slot *)slot)->items;
    return 0;
}

static void destroy_slot(void *slot, void *ctx)
{
    struct counts *counts = ctx;

    if (((struct slot *)slot)->magic != MAGIC)
        atomic_fetch_add(&counts->wrong, 1);
    ((struct slot *)slot)->magic = 0;
    atomic_fetch_add(&counts->destroys, 1);
}

/* --- each worker its slot --------------------------------------------------------- */

struct use {
    filch_local *local;
    atomic_uint arrived, wrong;
    unsigned company;
};

static int count_items(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct use *use = ctx;
    struct slot *slot = filch_local_get(use->local, w);

    if (!slot || slot->magic != MAGIC || filch_local_get(use->local, w) != slot)
        atomic_fetch_add(&use->wrong, 1);
    else
        slot->items += end - begin;
    /* The first ones wait for each other, so that every worker has used its slot. */
    if (atomic_fetch_add(&use->arrived, 1) < use->company &&
        !wait_for(&use->arrived, use->company))
        atomic_fetch_add(&use->wrong, 1);
    return 0;
}

static void every_worker_has_a_slot_that_is_made_once(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    struct counts counts = {0};
    struct use use = {.company = workers};
    int round;

    assert_int_equal(
        filch_local_create(&use.local, *state, sizeof(struct slot), init_slot, &counts),
        0);
    assert_int_equal(atomic_load(&counts.inits), 0);
    for (round = 0; round < 20; round++) {
        atomic_store(&use.arrived, 0);
        assert_int_equal(filch_for(0, 1000, count_items, &use, .pool = *state,
                                   .grain = 1000 / workers),
                         0);
    }
    assert_int_equal(atomic_load(&use.wrong), 0);
    assert_int_equal(atomic_load(&counts.inits), workers);
    assert_int_equal(filch_local_each(use.local, visit_slot, &counts), 0);
    assert_int_equal(atomic_load(&counts.visits), workers);
    assert_int_equal(counts.items, 20 * 1000);
    filch_local_destroy(use.local, destroy_slot, &counts);
    assert_int_equal(atomic_load(&counts.destroys), workers);
    assert_int_equal(atomic_load(&counts.inits), workers);
    assert_int_equal(atomic_load(&counts.wrong), 0);
}

static int use_slot(filch_worker *w, void *ctx)
{
    return filch_local_get(ctx, w) == NULL;
}

static void slots_that_nobody_used_are_not_visited(void **state)
{
    struct counts counts = {0};
    filch_local *local;

    assert_int_equal(
        filch_local_create(&local, *state, sizeof(struct slot), init_slot, &counts), 0);
    assert_int_equal(filch_local_each(local, visit_slot, &counts), 0);
    assert_int_equal(atomic_load(&counts.visits), 0);
    assert_int_equal(filch_run(use_slot, local, .pool = *state), 0);
    assert_int_equal(filch_local_each(local, visit_slot, &counts), 0);
    assert_int_equal(atomic_load(&counts.visits), 1);
    filch_local_destroy(local, destroy_slot, &counts);
    assert_int_equal(atomic_load(&counts.inits), 1);
    assert_int_equal(atomic_load(&counts.destroys), 1);

    assert_int_equal(
        filch_local_create(&local, *state, sizeof(struct slot), init_slot, &counts), 0);
    filch_local_destroy(local, destroy_slot, &counts);
    assert_int_equal(atomic_load(&counts.destroys), 1);
}

static void no_two_slots_share_a_cache_line(void **state)
{
    static const size_t sizes[] = {1, 8, 63, 64, 65, 200};
    unsigned workers = filch_pool_workers(*state), i, k;
    size_t size;

    for (size = 0; size < COUNT_OF(sizes); size++) {
        size_t bytes = sizeof(struct slot) + sizes[size];
        struct counts counts = {0};
        struct use use = {.company = workers};

        assert_int_equal(
            filch_local_create(&use.local, *state, bytes, init_slot, &counts), 0);
        assert_int_equal(
            filch_for(0, 100, count_items, &use, .pool = *state, .grain = 100 / workers),
            0);
        assert_int_equal(filch_local_each(use.local, visit_slot, &counts), 0);
        assert_int_equal(atomic_load(&counts.visits), workers);
        for (i = 0; i < workers; i++) {
            assert_int_equal((uintptr_t)counts.slot[i] % 64, 0);
            /* All of it can be written: the sanitizers see a slot that is too short. */
            memset(counts.slot[i], 0xff, bytes);
            for (k = 0; k < i; k++)
                assert_true(counts.slot[i] + bytes <= counts.slot[k] ||
                            counts.slot[k] + bytes <= counts.slot[i]);
        }
        filch_local_destroy(use.local, NULL, NULL);
    }
}

static int check_zero(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct use *use = ctx;
    char *slot = filch_local_get(use->local, w);
    size_t i;

    (void)begin;
    (void)end;
    /* The last byte says whether this is the first use. */
    for (i = 0; slot && slot[99] == 0 && i < 99; i++)
        if (slot[i])
            atomic_fetch_add(&use->wrong, 1);
    if (slot)
        memset(slot, 1, 100);
    else
        atomic_fetch_add(&use->wrong, 1);
    return 0;
}

static void without_init_a_slot_is_zero(void **state)
{
    struct use use = {0};

    assert_int_equal(filch_local_create(&use.local, *state, 100, NULL, NULL), 0);
    assert_int_equal(filch_for(0, 1000, check_zero, &use, .pool = *state, .grain = 1), 0);
    assert_int_equal(atomic_load(&use.wrong), 0);
    filch_local_destroy(use.local, NULL, NULL);
}

struct nest {
    filch_local *local;
    void *slot;
    atomic_uint wrong;
};

static int same_slot(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest *nest = ctx;

    (void)begin;
    (void)end;
    if (filch_local_get(nest->local, w) != nest->slot)
        atomic_fetch_add(&nest->wrong, 1);
    return 0;
}

static int nest_body(filch_worker *w, void *ctx)
{
    struct nest *nest = ctx;

    nest->slot = filch_local_get(nest->local, w);
    return filch_for(0, 10, same_slot, nest, .worker = w, .max_workers = 1);
}

static void nested_calls_on_a_worker_see_its_slot(void **state)
{
    struct nest nest = {0};

    assert_int_equal(filch_local_create(&nest.local, *state, 8, NULL, NULL), 0);
    assert_int_equal(filch_run(nest_body, &nest, .pool = *state), 0);
    assert_non_null(nest.slot);
    assert_int_equal(atomic_load(&nest.wrong), 0);
    filch_local_destroy(nest.local, NULL, NULL);
}

/* --- more callers than slots ------------------------------------------------------ */

#define CALLERS 40

struct crowd {
    filch_pool *pool;
    filch_local *local;
    pthread_barrier_t all_in;
    atomic_uint alone, wrong;
};

static int crowd_body(filch_worker *w, void *ctx)
{
    struct crowd *crowd = ctx;
    struct slot *slot = filch_local_get(crowd->local, w);

    /* Nobody leaves before all have come: so many slots are in use at once. */
    pthread_barrier_wait(&crowd->all_in);
    if (!slot || slot->magic != MAGIC || filch_local_get(crowd->local, w) != slot)
        atomic_fetch_add(&crowd->wrong, 1);
    else
        slot->items++;
    if (filch_lane_limit(.worker = w) < filch_pool_workers(crowd->pool))
        atomic_fetch_add(&crowd->alone, 1);
    pthread_barrier_wait(&crowd->all_in);
    return 0;
}

static void *crowd_thread(void *arg)
{
    struct crowd *crowd = arg;

    filch_run(crowd_body, crowd, .pool = crowd->pool);
    return NULL;
}

static void callers_without_a_worker_slot_get_one_more_each(void **state)
{
    struct counts counts = {0};
    struct crowd crowd = {.pool = *state};

    assert_int_equal(pthread_barrier_init(&crowd.all_in, NULL, CALLERS), 0);
    assert_int_equal(
        filch_local_create(&crowd.local, *state, sizeof(struct slot), init_slot, &counts),
        0);
    run_threads(CALLERS, crowd_thread, &crowd);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    if (filch_pool_workers(*state) > 1)
        assert_in_range(atomic_load(&crowd.alone), 1, CALLERS);
    assert_int_equal(atomic_load(&counts.inits), CALLERS);
    assert_int_equal(filch_local_each(crowd.local, visit_slot, &counts), 0);
    assert_int_equal(atomic_load(&counts.visits), CALLERS);
    assert_int_equal(counts.items, CALLERS);
    assert_int_equal(atomic_load(&counts.wrong), 0);
    filch_local_destroy(crowd.local, destroy_slot, &counts);
    assert_int_equal(atomic_load(&counts.destroys), CALLERS);
    pthread_barrier_destroy(&crowd.all_in);
}

/* --- workers of other pools, and none --------------------------------------------- */

struct foreign {
    filch_local *local;
    filch_pool *other;
    char *own, *others, *own_again, *without;
};

static int get_from_other(filch_worker *w, void *ctx)
{
    struct foreign *foreign = ctx;

    foreign->others = filch_local_get(foreign->local, w);
    return 0;
}

/* The first guest of either pool: with as many workers, they have the same number. */
static int get_from_both(filch_worker *w, void *ctx)
{
    struct foreign *foreign = ctx;
    int err;

    foreign->own = filch_local_get(foreign->local, w);
    err = filch_run(get_from_other, foreign, .pool = foreign->other);
    foreign->own_again = filch_local_get(foreign->local, w);
    foreign->without = filch_local_get(foreign->local, NULL);
    return err;
}

static void workers_of_two_pools_never_share_a_slot(void **state)
{
    struct counts counts = {0};
    struct foreign foreign = {0};
    size_t i;

    assert_int_equal(
        filch_pool_create(&foreign.other,
                          FILCH_POOL_OPTIONS(.workers = filch_pool_workers(*state))),
        0);
    assert_int_equal(filch_local_create(&foreign.local, *state, sizeof(struct slot),
                                        init_slot, &counts),
                     0);
    assert_int_equal(filch_run(get_from_both, &foreign, .pool = *state), 0);
    assert_non_null(foreign.own);
    assert_non_null(foreign.others);
    assert_ptr_equal(foreign.own_again, foreign.own);
    assert_ptr_not_equal(foreign.others, foreign.own);
    /* The thread's: the worker of the other pool and NULL are one and the same to it. */
    assert_ptr_equal(foreign.without, foreign.others);
    assert_ptr_equal(filch_local_get(foreign.local, NULL), foreign.others);
    assert_int_equal(atomic_load(&counts.inits), 2);
    assert_int_equal(filch_local_each(foreign.local, visit_slot, &counts), 0);
    assert_int_equal(atomic_load(&counts.visits), 2);
    for (i = 0; i < 2; i++)
        assert_int_equal((uintptr_t)counts.slot[i] % 64, 0);
    assert_int_equal(atomic_load(&counts.wrong), 0);
    filch_local_destroy(foreign.local, destroy_slot, &counts);
    assert_int_equal(atomic_load(&counts.destroys), 2);
    filch_pool_destroy(foreign.other);
}

static void *get_without_worker(void *arg)
{
    struct nest *nest = arg;
    char *slot = filch_local_get(nest->local, NULL);

    if (!slot || slot == nest->slot || filch_local_get(nest->local, NULL) != slot)
        atomic_fetch_add(&nest->wrong, 1);
    return NULL;
}

static void without_a_worker_each_thread_has_a_slot(void **state)
{
    struct counts counts = {0};
    struct nest nest = {0};

    assert_int_equal(
        filch_local_create(&nest.local, *state, sizeof(struct slot), init_slot, &counts),
        0);
    nest.slot = filch_local_get(nest.local, NULL);
    assert_non_null(nest.slot);
    run_threads(3, get_without_worker, &nest);
    assert_int_equal(atomic_load(&nest.wrong), 0);
    /* A thread that comes when another one is over may be given the number of that. */
    assert_in_range(atomic_load(&counts.inits), 2, 4);
    filch_local_destroy(nest.local, NULL, NULL);
}

/* --- the walk, and errors --------------------------------------------------------- */

static int stop_at_third(void *slot, void *ctx)
{
    (void)slot;
    return ++*(int *)ctx == 3 ? 17 : 0;
}

static void the_first_value_ends_the_walk(void **state)
{
    unsigned workers = filch_pool_workers(*state);
    struct counts counts = {0};
    struct use use = {.company = workers};
    int visits = 0;

    assert_int_equal(
        filch_local_create(&use.local, *state, sizeof(struct slot), init_slot, &counts),
        0);
    assert_int_equal(filch_for(0, 100, count_items, &use, .pool = *state, .grain = 1), 0);
    assert_int_equal(filch_local_each(use.local, stop_at_third, &visits),
                     workers < 3 ? 0 : 17);
    assert_int_equal(visits, workers < 3 ? workers : 3);
    filch_local_destroy(use.local, NULL, NULL);
}

static void wrong_arguments_are_refused(void **state)
{
    filch_local *const untouched = (filch_local *)(uintptr_t)64;
    filch_local *local = untouched;

    assert_int_equal(filch_local_create(NULL, *state, 8, NULL, NULL), -EINVAL);
    assert_int_equal(filch_local_create(&local, *state, 0, NULL, NULL), -EINVAL);
    assert_null(local);
    filch_local_destroy(NULL, NULL, NULL);
    filch_local_destroy(NULL, destroy_slot, NULL);
}

/* The allocators of the sanitizers abort on such a size, unless they are told not to. */
static void sizes_that_no_memory_has_are_reported(void **state)
{
    static const size_t sizes[] = {SIZE_MAX / 4, SIZE_MAX / 2 - 100, SIZE_MAX / 2 + 1,
                                   SIZE_MAX - 63, SIZE_MAX};
    filch_local *local;
    size_t i;
    int err;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        local = (filch_local *)(uintptr_t)64;
        err = filch_local_create(&local, *state, sizes[i], NULL, NULL);
        assert_int_equal(err, -ENOMEM);
        assert_null(local);
    }
}

static void without_a_pool_the_default_one_is_meant(void **state)
{
    struct counts counts = {0};
    struct use use = {.company = 1};

    (void)state;
    assert_int_equal(
        filch_local_create(&use.local, NULL, sizeof(struct slot), init_slot, &counts), 0);
    assert_int_equal(filch_for(0, 5000, count_items, &use), 0);
    assert_int_equal(atomic_load(&use.wrong), 0);
    assert_int_equal(filch_local_each(use.local, visit_slot, &counts), 0);
    assert_in_range(atomic_load(&counts.visits), 1, filch_pool_workers(NULL));
    assert_int_equal(counts.items, 5000);
    filch_local_destroy(use.local, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(every_worker_has_a_slot_that_is_made_once),
        ON_POOLS(slots_that_nobody_used_are_not_visited),
        ON_POOLS(no_two_slots_share_a_cache_line),
        ON_POOLS(without_init_a_slot_is_zero),
        ON_POOLS(nested_calls_on_a_worker_see_its_slot),
        ON_POOLS(callers_without_a_worker_slot_get_one_more_each),
        ON_POOLS(workers_of_two_pools_never_share_a_slot),
        ON_POOLS(without_a_worker_each_thread_has_a_slot),
        ON_POOLS(the_first_value_ends_the_walk),
        ON_POOLS(wrong_arguments_are_refused),
        ON_POOLS(sizes_that_no_memory_has_are_reported),
        cmocka_unit_test(without_a_pool_the_default_one_is_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
