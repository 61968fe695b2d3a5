/* test_sort_calls.c - what calls of sort.h promise beside an order: without memory, with
 * options, cancelled, inside a body.
 *
 * aligned_alloc is replaced, to have no memory; and the steps of a sort of many keys, to
 * cancel it in the middle of each.
 */
#include "pools.h"

/* --- what is replaced --------------------------------------------------------------- */

static atomic_int allocations, failing; /* the failing-th of them; 0: none */

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    if (atomic_fetch_add(&allocations, 1) + 1 == atomic_load(&failing))
        return NULL;
    return __real_aligned_alloc(align, bytes);
}

static filch_cancel *_Atomic cancelled_by_step;
static atomic_int steps;

static void step(void)
{
    filch_cancel *token = atomic_load(&cancelled_by_step);

    if (token && atomic_fetch_sub(&steps, 1) == 1)
        filch_cancel_set(token);
}

#define STEP(name)                                                          \
    filch_body __real_##name, __wrap_##name;                                \
    int __wrap_##name(filch_worker *w, size_t begin, size_t end, void *ctx) \
    {                                                                       \
        step();                                                             \
        return __real_##name(w, begin, end, ctx);                           \
    }

STEP(fl_sort_count)
STEP(fl_sort_spread)
STEP(fl_sort_buckets)

/* --- keys --------------------------------------------------------------------------- */

/* Two quarters of them are more than a bucket may hold. */
#define MANY ((size_t)150000)

static uint64_t many[MANY], sorted[MANY];

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Half of them in two small ranges, so that there are buckets to be spread again. */
static int fill(void **state)
{
    uint64_t random = seed_print();
    size_t i;

    (void)state;
    for (i = 0; i < MANY; i++) {
        many[i] = random_next(&random);
        if (i % 2)
            many[i] = (UINT64_C(1) << (i % 4 == 1 ? 40 : 60)) + many[i] % 100000;
    }
    memcpy(sorted, many, sizeof many);
    qsort(sorted, MANY, sizeof *sorted, by_value);
    return 0;
}

static uint64_t sum_of(const uint64_t *x)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < MANY; i++) {
        uint64_t mixed = x[i];

        sum += random_next(&mixed);
    }
    return sum;
}

/* In order, or each item as often as it was. */
static void check(const uint64_t *x, bool is_sorted)
{
    if (is_sorted)
        assert_memory_equal(x, sorted, sizeof sorted);
    else
        assert_int_equal(sum_of(x), sum_of(many));
}

/* Each allocation in turn, until all succeed. */
static void without_memory_nothing_is_changed(void **state)
{
    uint64_t *x = malloc(sizeof many);
    uint64_t *values = malloc(sizeof many), *index = malloc(sizeof many);
    int at, err = -ENOMEM, failures = 0;
    size_t i;

    for (at = 1; err; at++) {
        memcpy(x, many, sizeof many);
        for (i = 0; i < MANY; i++)
            values[i] = ~many[i];
        atomic_store(&allocations, 0);
        atomic_store(&failing, at);
        err = filch_sort_pairs(x, values, MANY, .pool = *state);
        atomic_store(&failing, 0);
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_memory_equal(x, many, sizeof many);
            failures++;
        }
        for (i = 0; i < MANY; i++)
            assert_int_equal(values[i], ~x[i]);
    }
    assert_memory_equal(x, sorted, sizeof sorted);
    assert_int_equal(failures, 3); /* the third is for what is spread again */
    memcpy(x, many, sizeof many);
    atomic_store(&allocations, 0);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort_keys(x, MANY, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_keys(x, 10000, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_argsort(x, 10000, (size_t *)index, .pool = *state), -ENOMEM);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_range(x, MANY, 0, 10, .pool = *state), -ENOMEM);
    assert_memory_equal(x, many, sizeof many);
    atomic_store(&allocations, 0);
    assert_int_equal(filch_sort_keys(x, 1000, .pool = *state), 0); /* needs none */
    atomic_store(&failing, 0);
    free(x);
    free(values);
    free(index);
}

struct stop {
    filch_cancel cancel;
    size_t after, calls;
};

static int stop_progress(size_t done, size_t total, void *ctx)
{
    struct stop *stop = ctx;

    (void)done;
    (void)total;
    return ++stop->calls > stop->after ? 7 : 0;
}

#define ROUNDS 10

static void *set_token(void *arg)
{
    struct stop *stop = arg;

    sleep_us((long)stop->after);
    filch_cancel_set(&stop->cancel);
    return NULL;
}

static void a_cancelled_sort_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    size_t round, ended = 0;

    for (round = 0; round < ROUNDS; round++) {
        struct stop stop = {.after = round * (IS_TSAN || IS_ASAN ? 4000 : 400)};
        pthread_t thread;
        int err;

        memcpy(x, many, sizeof many);
        assert_int_equal(pthread_create(&thread, NULL, set_token, &stop), 0);
        err = filch_sort_keys(x, MANY, .pool = *state, .cancel = &stop.cancel);
        pthread_join(thread, NULL);
        assert_true(err == 0 || err == -ECANCELED);
        ended += err != 0;
        check(x, err == 0);
    }
    print_message("%zu of %d ended early\n", ended, ROUNDS);
    free(x);
}

/* In the middle of any step, in the first pass and in later ones. */
static void a_sort_that_is_cancelled_in_any_pass_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    int step, err = -ECANCELED;

    for (step = 1; err; step += 1 + step / 8) {
        filch_cancel token = {0};

        memcpy(x, many, sizeof many);
        atomic_store(&steps, step);
        atomic_store(&cancelled_by_step, &token);
        err = filch_sort_keys(x, MANY, .pool = *state, .cancel = &token);
        atomic_store(&cancelled_by_step, NULL);
        assert_true(err == 0 || err == -ECANCELED);
        check(x, err == 0);
    }
    assert_true(step > 9); /* three passes of three steps, or more */
    free(x);
}

static void a_sort_that_progress_ends_keeps_all_items(void **state)
{
    uint64_t *x = malloc(sizeof many);
    size_t round;

    for (round = 0; round < 5; round++) {
        struct stop stop = {.after = round};
        int err;

        memcpy(x, many, sizeof many);
        err = filch_sort_keys(x, MANY, .pool = *state, .progress = stop_progress,
                              .progress_ms = 1, .ctx = &stop);
        assert_true(err == (stop.calls > stop.after ? 7 : 0));
        check(x, err == 0);
    }
    free(x);
}

static int sort_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    uint64_t *x = malloc(sizeof many);
    int err;

    (void)begin;
    (void)end;
    memcpy(x, ctx, sizeof many);
    err = filch_sort_keys(x, MANY, .worker = w) || memcmp(x, sorted, sizeof sorted) != 0;
    free(x);
    return err;
}

static void a_sort_runs_inside_a_body(void **state)
{
    assert_int_equal(filch_for(0, 4, sort_inside, many, .pool = *state, .max_chunk = 1),
                     0);
}

static void a_limit_of_workers_changes_nothing(void **state)
{
    uint64_t *x = malloc(sizeof many);
    uint32_t limit;

    for (limit = 0; limit < 4; limit++) {
        memcpy(x, many, sizeof many);
        assert_int_equal(filch_sort_keys(x, MANY, .pool = *state, .max_workers = limit,
                                         .grain = 3, .max_chunk = 5),
                         0);
        assert_memory_equal(x, sorted, sizeof sorted);
    }
    free(x);
}

/* What a range leaves outside is the same every time. */
static void a_range_leaves_the_same_on_any_pool(void **state)
{
    uint64_t *x = malloc(sizeof many), *y = malloc(sizeof many);

    memcpy(x, many, sizeof many);
    memcpy(y, many, sizeof many);
    assert_int_equal(filch_sort_range(x, MANY, 1000, 2000, .max_workers = 1), 0);
    assert_int_equal(filch_sort_range(y, MANY, 1000, 2000, .pool = *state), 0);
    assert_memory_equal(x, y, sizeof many);
    free(x);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(without_memory_nothing_is_changed),
        ON_POOLS(a_cancelled_sort_keeps_all_items),
        ON_POOLS(a_sort_that_is_cancelled_in_any_pass_keeps_all_items),
        ON_POOLS(a_sort_that_progress_ends_keeps_all_items),
        ON_POOLS(a_sort_runs_inside_a_body),
        ON_POOLS(a_limit_of_workers_changes_nothing),
        ON_POOLS(a_range_leaves_the_same_on_any_pool),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
