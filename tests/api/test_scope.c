/* test_scope.c - what scope.h promises: every task once, contexts copied, errors in the
 * order of spawning, stacks that do not grow. */
#include "marks.h"

/* --- every task once -------------------------------------------------------------- */

struct spawn_call {
    struct marks marks;
    size_t count;
    int value;
};

static int spawn_marks(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct spawn_call *call = ctx;
    struct mark mark = {&call->marks, 0};

    /* One and the same memory for all: it is copied. */
    for (mark.at = 0; mark.at < call->count; mark.at++)
        if (filch_spawn(w, scope, mark_task, &mark, sizeof mark))
            atomic_fetch_add(&call->marks.wrong, 1);
    memset(&mark, 0xff, sizeof mark);
    return 0;
}

static void every_task_runs_once_with_its_own_copy_of_the_context(void **state)
{
    static const size_t counts[] = {0, 1, 2, 3, 10, 255, TASKS};
    size_t i;
    int round;

    for (round = 0; round < 20; round++)
        for (i = 0; i < COUNT_OF(counts); i++) {
            struct spawn_call call = {.count = counts[i]};

            assert_int_equal(filch_scope(spawn_marks, &call, .pool = *state), 0);
            check_marks(&call.marks, counts[i]);
        }
}

struct sums {
    atomic_size_t sum, tasks;
    atomic_uint wrong;
    size_t bytes;
};

struct block {
    struct sums *sums;
    size_t number;
    unsigned char fill[];
};

static int block_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct block *block = ctx;
    size_t i;

    (void)w;
    (void)scope;
    if ((uintptr_t)ctx % _Alignof(max_align_t))
        atomic_fetch_add(&block->sums->wrong, 1);
    for (i = 0; i < block->sums->bytes - sizeof *block; i++)
        if (block->fill[i] != (unsigned char)(block->number + i))
            atomic_fetch_add(&block->sums->wrong, 1);
    atomic_fetch_add(&block->sums->sum, block->number);
    return 0;
}

static int spawn_blocks(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct sums *sums = ctx;
    struct block *block = malloc(sums->bytes);
    size_t i, number;

    if (!block)
        return -ENOMEM;
    block->sums = sums;
    for (number = 0; number < 50; number++) {
        block->number = number;
        for (i = 0; i < sums->bytes - sizeof *block; i++)
            block->fill[i] = (unsigned char)(number + i);
        if (filch_spawn(w, scope, block_task, block, sums->bytes))
            atomic_fetch_add(&sums->wrong, 1);
    }
    free(block);
    return 0;
}

static void contexts_of_any_size_are_copied_and_aligned(void **state)
{
    static const size_t sizes[] = {sizeof(struct block), 17, 63, 64, 65, 1000, 100000};
    size_t i;

    for (i = 0; i < COUNT_OF(sizes); i++) {
        struct sums sums = {
            .bytes = sizes[i] > sizeof(struct block) ? sizes[i] : sizeof(struct block)};

        assert_int_equal(filch_scope(spawn_blocks, &sums, .pool = *state), 0);
        assert_int_equal(atomic_load(&sums.wrong), 0);
        assert_int_equal(atomic_load(&sums.sum), 1225);
    }
}

static int add_to_ctx(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static int spawn_without_copy(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < 100 && !err; i++)
        err = filch_spawn(w, scope, add_to_ctx, ctx, 0);
    return err;
}

static void of_size_0_the_context_itself_is_handed_on(void **state)
{
    atomic_uint tasks = 0;

    assert_int_equal(filch_scope(spawn_without_copy, &tasks, .pool = *state), 0);
    assert_int_equal(atomic_load(&tasks), 100);
}

/* --- tasks that spawn ------------------------------------------------------------- */

struct tree {
    atomic_uint *tasks;
    int depth;
};

/* Two more of itself, for which it does not wait. */
static int tree_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct tree tree = *(struct tree *)ctx;
    int err = 0;

    atomic_fetch_add(tree.tasks, 1);
    if (tree.depth-- > 0) {
        err = filch_spawn(w, scope, tree_task, &tree, sizeof tree);
        err = err ? err : filch_spawn(w, scope, tree_task, &tree, sizeof tree);
    }
    memset(&tree, 0xff, sizeof tree);
    return err;
}

static void tasks_may_outlive_the_tasks_that_spawned_them(void **state)
{
    int depth;

    for (depth = 0; depth <= 13; depth++) {
        atomic_uint tasks = 0;
        struct tree tree = {&tasks, depth};

        assert_int_equal(filch_scope(tree_task, &tree, .pool = *state), 0);
        assert_int_equal(atomic_load(&tasks), (2u << depth) - 1);
    }
}

/* Each level opens a scope of its own, spawns into it and into the one around. */
struct nested {
    atomic_uint *tasks;
    atomic_uint *wrong;
    filch_scope *outer;
    int depth;
};

static int nested_body(filch_worker *w, filch_scope *scope, void *ctx);

static int nested_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct nested nested = *(struct nested *)ctx;

    atomic_fetch_add(nested.tasks, 1);
    if (nested.depth == 0)
        return 0;
    nested.outer = scope;
    nested.depth--;
    return filch_scope(nested_body, &nested, .worker = w);
}

static int nested_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct nested *nested = ctx;
    atomic_uint *tasks = nested->tasks;
    int i;

    for (i = 0; i < 3; i++)
        if (filch_spawn(w, scope, nested_task, nested, sizeof *nested) ||
            (nested->outer &&
             filch_spawn(w, nested->outer, add_to_ctx, (void *)tasks, 0)))
            atomic_fetch_add(nested->wrong, 1);
    if (nested->depth % 2 && filch_sync(w, scope))
        atomic_fetch_add(nested->wrong, 1);
    return 0;
}

static void scopes_nest_and_spawn_into_the_ones_around_them(void **state)
{
    int round;

    for (round = 0; round < 20; round++) {
        atomic_uint tasks = 0, wrong = 0;
        struct nested nested = {&tasks, &wrong, NULL, 4};

        assert_int_equal(filch_scope(nested_body, &nested, .pool = *state), 0);
        assert_int_equal(atomic_load(&wrong), 0);
        /* 3 + 9 + 27 + 81 + 243 nested ones; 3 for every scope but the outermost. */
        assert_int_equal(atomic_load(&tasks), 363 + 3 * (3 + 9 + 27 + 81));
    }
}

struct chain {
    atomic_size_t *links;
    size_t left;
};

static int chain_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct chain chain = *(struct chain *)ctx;

    atomic_fetch_add(chain.links, 1);
    if (chain.left-- == 0)
        return 0;
    return filch_spawn(w, scope, chain_task, &chain, sizeof chain);
}

static void a_chain_of_100000_tasks_needs_no_more_stack_than_one(void **state)
{
    int round;

    for (round = 0; round < 3; round++) {
        atomic_size_t links = 0;
        struct chain chain = {&links, 100000};

        assert_int_equal(filch_scope(chain_task, &chain, .pool = *state), 0);
        assert_int_equal(atomic_load(&links), 100001);
    }
}

static int spawn_100000(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < 100000 && !err; i++)
        err = filch_spawn(w, scope, add_to_ctx, ctx, 0);
    return err;
}

static void a_body_may_spawn_100000_tasks(void **state)
{
    atomic_uint tasks = 0;

    assert_int_equal(filch_scope(spawn_100000, &tasks, .pool = *state), 0);
    assert_int_equal(atomic_load(&tasks), 100000);
}

struct spawner {
    filch_scope *scope;
    struct marks *marks;
};

static int spawn_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct spawner *spawner = ctx;
    struct mark mark = {spawner->marks, begin};

    for (; mark.at < end; mark.at++)
        if (filch_spawn(w, spawner->scope, mark_task, &mark, sizeof mark))
            atomic_fetch_add(&spawner->marks->wrong, 1);
    return 0;
}

static int spawn_from_loop(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct spawner spawner = {scope, ctx};

    return filch_for(0, TASKS, spawn_range, &spawner, .worker = w, .grain = 1);
}

static void the_bodies_of_a_loop_may_spawn_into_the_scope_around_it(void **state)
{
    int round;

    for (round = 0; round < 30; round++) {
        struct marks marks = {{0}, 0};

        assert_int_equal(filch_scope(spawn_from_loop, &marks, .pool = *state), 0);
        check_marks(&marks, TASKS);
    }
}

/* --- errors ----------------------------------------------------------------------- */

struct errors {
    int value[TASKS];
    size_t count;
    int body_value;
    unsigned char ran[TASKS];
};

struct error {
    struct errors *errors;
    size_t at;
};

static int error_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct error *error = ctx;

    (void)w;
    (void)scope;
    error->errors->ran[error->at]++;
    return error->errors->value[error->at];
}

static int spawn_errors(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct errors *errors = ctx;
    struct error error = {errors, 0};

    for (error.at = 0; error.at < errors->count; error.at++)
        if (filch_spawn(w, scope, error_task, &error, sizeof error))
            return -1000000;
    return errors->body_value;
}

static void the_error_is_that_of_the_first_failing_task_spawned(void **state)
{
    static struct errors errors;
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 300; round++) {
        size_t first, i;

        memset(&errors, 0, sizeof errors);
        errors.count = 1 + random_below(&random, TASKS);
        first = errors.count;
        for (i = 0; i < (size_t)round % 6; i++) {
            size_t at = random_below(&random, errors.count);

            errors.value[at] = (int)random_next(&random) | 1;
            first = at < first ? at : first;
        }
        assert_int_equal(filch_scope(spawn_errors, &errors, .pool = *state),
                         first < errors.count ? errors.value[first] : 0);
        for (i = 0; i < errors.count; i++)
            if (errors.ran[i] > 1 || (i <= first && errors.ran[i] == 0))
                fail_msg("task %zu was run %u times, the first to fail was %zu", i,
                         errors.ran[i], first);
    }
}

static void the_error_of_the_body_wins(void **state)
{
    static struct errors errors;
    int round;

    for (round = 0; round < 50; round++) {
        memset(&errors, 0, sizeof errors);
        errors.count = 20;
        errors.value[0] = 4;
        errors.body_value = round % 2 ? -round : round + 1;
        assert_int_equal(filch_scope(spawn_errors, &errors, .pool = *state),
                         errors.body_value);
    }
}

struct cancel {
    atomic_uint wrong, started;
};

static int wait_for_cancel(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct cancel *cancel = ctx;
    uint64_t since = now_ns();

    (void)scope;
    atomic_fetch_add(&cancel->started, 1);
    while (!filch_cancelled(w))
        if (now_ns() - since > PATIENCE_NS) {
            atomic_fetch_add(&cancel->wrong, 1);
            break;
        }
    return -2;
}

static int fail_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct cancel *cancel = ctx;

    (void)scope;
    if (filch_cancelled(w))
        atomic_fetch_add(&cancel->wrong, 1);
    if (!wait_for(&cancel->started, 1))
        atomic_fetch_add(&cancel->wrong, 1);
    return -1;
}

static int spawn_cancel(filch_worker *w, filch_scope *scope, void *ctx)
{
    int err;

    if (filch_cancelled(w))
        return -3;
    err = filch_spawn(w, scope, fail_task, ctx, 0);
    return err ? err : filch_spawn(w, scope, wait_for_cancel, ctx, 0);
}

static void a_task_is_told_when_one_spawned_before_has_failed(void **state)
{
    int round;

    for (round = 0; round < 20; round++) {
        struct cancel cancel = {0};

        assert_int_equal(filch_scope(spawn_cancel, &cancel, .pool = *state), -1);
        assert_int_equal(atomic_load(&cancel.wrong), 0);
    }
}

static int value_body(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    return ++*(int *)ctx;
}

static int wrong_spawns(filch_worker *w, filch_scope *scope, void *ctx)
{
    atomic_uint *wrong = ctx;

    atomic_fetch_add(wrong, filch_spawn(NULL, scope, add_to_ctx, ctx, 0) != -EINVAL);
    atomic_fetch_add(wrong, filch_spawn(w, NULL, add_to_ctx, ctx, 0) != -EINVAL);
    atomic_fetch_add(wrong, filch_spawn(w, scope, NULL, ctx, 0) != -EINVAL);
    atomic_fetch_add(wrong, filch_spawn(w, scope, add_to_ctx, NULL, 1) != -EINVAL);
    atomic_fetch_add(wrong, filch_sync(NULL, scope) != -EINVAL);
    atomic_fetch_add(wrong, filch_sync(w, NULL) != -EINVAL);
    return 0;
}

static void wrong_arguments_run_nothing(void **state)
{
    atomic_uint wrong = 0;
    int value = 0;
    filch_opts opts = *FILCH_OPTS(&value, .pool = *state);

    assert_int_equal(filch_scope(NULL, &value, .pool = *state), -EINVAL);
    opts.struct_size = 0;
    assert_int_equal(filch_scope_with(value_body, &opts), -EINVAL);
    opts.struct_size = sizeof opts;
    opts.abi = 0;
    assert_int_equal(filch_scope_with(value_body, &opts), -EINVAL);
    opts.abi = FILCH_HOT_ABI;
    for (opts.max_workers = 2; opts.max_workers < filch_pool_workers(*state);
         opts.max_workers++)
        assert_int_equal(filch_scope_with(value_body, &opts), -EINVAL);
    assert_int_equal(value, 0);
    assert_int_equal(filch_scope_with(value_body, &opts), 1);
    assert_int_equal(filch_scope(wrong_spawns, &wrong, .pool = *state), 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(every_task_runs_once_with_its_own_copy_of_the_context),
        ON_POOLS(contexts_of_any_size_are_copied_and_aligned),
        ON_POOLS(of_size_0_the_context_itself_is_handed_on),
        ON_POOLS(tasks_may_outlive_the_tasks_that_spawned_them),
        ON_POOLS(scopes_nest_and_spawn_into_the_ones_around_them),
        ON_POOLS(a_chain_of_100000_tasks_needs_no_more_stack_than_one),
        ON_POOLS(a_body_may_spawn_100000_tasks),
        ON_POOLS(the_bodies_of_a_loop_may_spawn_into_the_scope_around_it),
        ON_POOLS(the_error_is_that_of_the_first_failing_task_spawned),
        ON_POOLS(the_error_of_the_body_wins),
        /* Two tasks must run at the same time. */
        ON_POOL(a_task_is_told_when_one_spawned_before_has_failed, 2),
        ON_POOL(a_task_is_told_when_one_spawned_before_has_failed, 3),
        ON_POOL(a_task_is_told_when_one_spawned_before_has_failed, 4),
        ON_POOL(a_task_is_told_when_one_spawned_before_has_failed, 8),
        ON_POOLS(wrong_arguments_run_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
