/* test_scan_calls.c - calls of scan.h: tokens and progress; calls inside each other; workers
 * that come late.
 */
#include "pools.h"

#define ITEMS ((size_t)300000) /* several tiles */

static int64_t numbers[ITEMS + 1], results[ITEMS + 1];

static void add(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(int64_t *)left += *(const int64_t *)right;
}

static int add_range(filch_worker *w, const void *in, void *out, size_t count, void *acc,
                     void *ctx)
{
    const int64_t *item = in;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = 0; i < count; i++) {
        *(int64_t *)acc += item[i];
        if (out)
            ((int64_t *)out)[i] = *(int64_t *)acc;
    }
    return 0;
}

static void fill(int64_t value)
{
    size_t i;

    for (i = 0; i < ITEMS; i++)
        numbers[i] = value;
}

static void check_sums(size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (results[i] != (int64_t)i + 1)
            fail_msg("%lld at %zu", (long long)results[i], i);
}

/* --- tokens and progress ------------------------------------------------------------ */

struct cancelling {
    filch_cancel token;
    atomic_uint calls;
};

static int add_and_cancel(filch_worker *w, const void *in, void *out, size_t count,
                          void *acc, void *ctx)
{
    struct cancelling *cancelling = ctx;

    if (atomic_fetch_add(&cancelling->calls, 1) == 50)
        filch_cancel_set(&cancelling->token);
    return add_range(w, in, out, count, acc, NULL);
}

static void a_token_ends_a_scan_that_runs(void **state)
{
    struct cancelling cancelling = {0};

    assert_int_equal(filch_scan_ranges(numbers, results, ITEMS, sizeof *numbers, NULL,
                                       add_and_cancel, &cancelling, .pool = *state,
                                       .cancel = &cancelling.token, .grain = 10),
                     -ECANCELED);
    assert_true(atomic_load(&cancelling.calls) < 60000); /* of 90000 */
}

struct telling {
    size_t done, total;
    unsigned calls;
};

static int tell(size_t done, size_t total, void *ctx)
{
    struct telling *telling = ctx;

    telling->done = done;
    telling->total = total;
    return ++telling->calls == 3 ? 42 : 0;
}

static void slow_add(void *left, const void *right, void *ctx)
{
    (void)ctx;
    sleep_us(100);
    *(int64_t *)left += *(const int64_t *)right;
}

static void progress_counts_tiles_and_may_end_the_scan(void **state)
{
    struct telling telling = {0};

    assert_int_equal(filch_scan(numbers, results, 2000, sizeof *numbers, NULL, slow_add,
                                &telling, .pool = *state, .grain = 5, .progress = tell,
                                .progress_ms = 1),
                     42);
    assert_int_equal(telling.calls, 3);
    assert_int_equal(telling.total, 400);
    assert_true(telling.done < 400);
}

/* --- who waits for whom --------------------------------------------------------------- */

/* Some are slow: those behind wait, and go on. */
static void add_unevenly(void *left, const void *right, void *ctx)
{
    atomic_uint *calls = ctx;

    if (atomic_fetch_add(calls, 1) % 1009 == 0)
        sleep_us(2000);
    *(int64_t *)left += *(const int64_t *)right;
}

static void a_slow_tile_is_waited_for(void **state)
{
    atomic_uint calls = 0;

    fill(1);
    assert_int_equal(filch_scan(numbers, results, 20000, sizeof *numbers, NULL,
                                add_unevenly, &calls, .pool = *state, .grain = 100),
                     0);
    check_sums(20000);
}

struct outer {
    filch_pool *other;
    atomic_uint wrong;
};

static int nothing(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    atomic_fetch_add((atomic_uint *)ctx, (unsigned)(end - begin));
    return 0;
}

/* Loops and scans inside, on the same pool and on another. */
static int add_with_nested_calls(filch_worker *w, const void *in, void *out, size_t count,
                                 void *acc, void *ctx)
{
    struct outer *outer = ctx;
    int64_t some[300], total = 0;
    atomic_uint sum = 0;
    size_t i;
    int err;

    for (i = 0; i < COUNT_OF(some); i++)
        some[i] = 1;
    err = filch_for(0, 64, nothing, &sum, .worker = w, .grain = 1, .max_chunk = 1);
    if (err || atomic_load(&sum) != 64)
        atomic_fetch_add(&outer->wrong, 1);
    err = filch_exscan(some, some, COUNT_OF(some), sizeof *some, &total, add, NULL,
                       .worker = w, .grain = 20);
    if (err || total != 300 || some[299] != 299)
        atomic_fetch_add(&outer->wrong, 1);
    err = filch_scan(some, some, COUNT_OF(some), sizeof *some, NULL, add, NULL,
                     .pool = outer->other, .grain = 20);
    if (err || some[299] != 300 * 299 / 2)
        atomic_fetch_add(&outer->wrong, 1);
    return add_range(w, in, out, count, acc, NULL);
}

static void scans_and_loops_may_be_nested(void **state)
{
    struct outer outer = {0};

    assert_int_equal(filch_pool_create(&outer.other, FILCH_POOL_OPTIONS(.workers = 2)),
                     0);
    fill(1);
    assert_int_equal(filch_scan_ranges(numbers, results, 5000, sizeof *numbers, NULL,
                                       add_with_nested_calls, &outer, .pool = *state,
                                       .grain = 50),
                     0);
    assert_int_equal(atomic_load(&outer.wrong), 0);
    check_sums(5000);
    filch_pool_destroy(outer.other);
}

static int scan_rows(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    size_t row;

    (void)ctx;
    for (row = begin; row < end; row++)
        if (filch_scan_sum(numbers + row * 100000, 100000, results + row * 100000,
                           .worker = w) != 0)
            return 1;
    return 0;
}

static void scans_run_in_the_bodies_of_a_loop(void **state)
{
    size_t i;

    fill(1);
    assert_int_equal(filch_for(0, 3, scan_rows, NULL, .pool = *state, .grain = 1), 0);
    for (i = 0; i < 300000; i++)
        assert_true(results[i] == (int64_t)(i % 100000) + 1);
}

static void *scan_in_thread(void *arg)
{
    struct outer *outer = arg;
    int64_t *out = malloc(ITEMS * sizeof *out);
    int round;

    for (round = 0; out && round < 20; round++)
        if (filch_scan_sum(numbers, ITEMS, out, .pool = outer->other) != 0 ||
            out[ITEMS - 1] != (int64_t)ITEMS || out[ITEMS / 2] != (int64_t)ITEMS / 2 + 1)
            atomic_fetch_add(&outer->wrong, 1);
    free(out);
    return NULL;
}

static void several_threads_scan_at_once(void **state)
{
    struct outer outer = {*state, 0};

    fill(1);
    run_threads(5, scan_in_thread, &outer);
    assert_int_equal(atomic_load(&outer.wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_token_ends_a_scan_that_runs),
        ON_POOLS(progress_counts_tiles_and_may_end_the_scan),
        ON_POOLS(a_slow_tile_is_waited_for),
        ON_POOLS(scans_and_loops_may_be_nested),
        ON_POOLS(scans_run_in_the_bodies_of_a_loop),
        ON_POOLS(several_threads_scan_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
