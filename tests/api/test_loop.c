/* test_loop.c - what loop.h promises of ranges, grain, errors and arrays. Lanes and
 * limits are test_lanes.c's. */
#include "pools.h"

#define NOT_FOUND SIZE_MAX
#define GUARD     100 /* items looked at behind the last one */

/* --- coverage --------------------------------------------------------------------- */

struct cover {
    size_t begin;
    unsigned char *hits;
};

/* Plain increments: a second call for an index is also a race. */
static int cover_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct cover *cover = ctx;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++)
        cover->hits[i - cover->begin]++;
    return 0;
}

static size_t find_other_than(const unsigned char *hits, size_t count, unsigned char what)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (hits[i] != what)
            return i;
    return NOT_FOUND;
}

static void every_index_is_run_exactly_once(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 127, 1000, 4097, 1000000};
    static const size_t begins[] = {0, 1, 63, 1000003, SIZE_MAX - 1000000};
    static const size_t grains[] = {0, 1, 7, 64, 1000, SIZE_MAX};
    unsigned char *hits = malloc(1000000 + GUARD);
    size_t s, b, g;

    assert_non_null(hits);
    for (s = 0; s < COUNT_OF(sizes); s++)
        for (b = 0; b < COUNT_OF(begins); b++)
            for (g = 0; g < COUNT_OF(grains); g++) {
                struct cover cover = {begins[b], hits};
                size_t wrong;

                if (sizes[s] == 1000000 && (b > 0 || (g > 0 && g < 3)))
                    continue; /* long enough as it is */
                memset(hits, 0, sizes[s] + GUARD);
                assert_int_equal(filch_for(begins[b], begins[b] + sizes[s], cover_body,
                                           &cover, .pool = *state, .grain = grains[g]),
                                 0);
                wrong = find_other_than(hits, sizes[s], 1);
                if (wrong != NOT_FOUND)
                    fail_msg("[%zu, +%zu) grain %zu: index %zu was run %u times",
                             begins[b], sizes[s], grains[g], wrong, hits[wrong]);
                wrong = find_other_than(hits + sizes[s], GUARD, 0);
                assert_int_equal(wrong, NOT_FOUND);
            }
    free(hits);
}

struct ranges {
    atomic_uint count;
    struct range {
        size_t begin, end;
    } range[1 << 21]; /* many: how many calls there are is a matter of time and theft */
};

static int ranges_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct ranges *ranges = ctx;
    unsigned i = atomic_fetch_add(&ranges->count, 1);

    (void)w;
    if (i < COUNT_OF(ranges->range))
        ranges->range[i] = (struct range){begin, end};
    return 0;
}

static int range_compare(const void *a, const void *b)
{
    const struct range *left = a, *right = b;

    return (left->begin > right->begin) - (left->begin < right->begin);
}

/* Run a loop that only records its calls; they are sorted and follow on each other. */
static void record(filch_pool *pool, struct ranges *ranges, size_t begin, size_t end,
                   size_t grain)
{
    size_t at = begin;
    unsigned i, count;

    atomic_store(&ranges->count, 0);
    assert_int_equal(
        filch_for(begin, end, ranges_body, ranges, .pool = pool, .grain = grain), 0);
    count = atomic_load(&ranges->count);
    assert_in_range(count, 1, COUNT_OF(ranges->range));
    qsort(ranges->range, count, sizeof ranges->range[0], range_compare);
    for (i = 0; i < count; i++) {
        assert_int_equal(ranges->range[i].begin, at);
        assert_true(ranges->range[i].end > at);
        at = ranges->range[i].end;
    }
    assert_int_equal(at, end);
}

static void ranges_up_to_size_max_are_covered(void **state)
{
    static struct ranges ranges;
    static const size_t begins[] = {0, 1, 12345, SIZE_MAX / 2, SIZE_MAX / 2 + 1};
    size_t b;

    for (b = 0; b < COUNT_OF(begins); b++) {
        record(*state, &ranges, begins[b], SIZE_MAX, SIZE_MAX / 1000);
        record(*state, &ranges, begins[b], SIZE_MAX, SIZE_MAX / 3);
        record(*state, &ranges, begins[b], SIZE_MAX, SIZE_MAX);
        record(*state, &ranges, begins[b], SIZE_MAX, 0);
    }
    record(*state, &ranges, SIZE_MAX - 1, SIZE_MAX, 1);
    record(*state, &ranges, SIZE_MAX - 1000, SIZE_MAX, 1);
}

static void no_call_gets_fewer_items_than_the_grain(void **state)
{
    static struct ranges ranges;
    uint64_t random = seed_print();
    unsigned i, round;

    for (round = 0; round < 200; round++) {
        size_t size = 1 + random_below(&random, 4000);
        size_t grain = 1 + random_below(&random, 300);
        size_t begin = random_below(&random, 1000);

        record(*state, &ranges, begin, begin + size, grain);
        for (i = 0; i < atomic_load(&ranges.count); i++) {
            size_t items = ranges.range[i].end - ranges.range[i].begin;

            if (items < (grain < size ? grain : size))
                fail_msg("%zu items from %zu, grain %zu: a call got %zu", size, begin,
                         grain, items);
        }
    }
}

static void a_serial_loop_is_one_call(void **state)
{
    static struct ranges ranges;

    if (filch_pool_workers(*state) == 1) {
        record(*state, &ranges, 5, 100005, 1);
        assert_int_equal(atomic_load(&ranges.count), 1);
    }
    atomic_store(&ranges.count, 0);
    assert_int_equal(filch_for(5, 100005, ranges_body, &ranges, .pool = *state,
                               .max_workers = 1, .grain = 1),
                     0);
    assert_int_equal(atomic_load(&ranges.count), 1);
    assert_int_equal(ranges.range[0].begin, 5);
    assert_int_equal(ranges.range[0].end, 100005);
}

static void a_range_shorter_than_two_grains_is_one_call(void **state)
{
    static struct ranges ranges;

    record(*state, &ranges, 7, 7 + 199, 100);
    assert_int_equal(atomic_load(&ranges.count), 1);
    record(*state, &ranges, 7, 8, 0);
    assert_int_equal(atomic_load(&ranges.count), 1);
}

/* --- errors ----------------------------------------------------------------------- */

#define ITEMS 3000

struct failing {
    size_t begin;
    int value[ITEMS]; /* of the item; 0: it does not fail */
    unsigned char ran[ITEMS];
};

static int failing_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct failing *failing = ctx;
    size_t i;

    (void)w;
    for (i = begin - failing->begin; i < end - failing->begin; i++) {
        failing->ran[i]++;
        if (failing->value[i])
            return failing->value[i];
    }
    return 0;
}

static void the_error_is_that_of_the_lowest_failing_index(void **state)
{
    static struct failing failing;
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 400; round++) {
        size_t begin = random_below(&random, 100000), lowest = ITEMS, i, wrong;
        size_t failures = random_below(&random, 6);
        size_t grain = random_below(&random, 3) ? 1 + random_below(&random, 50) : 0;
        int expected;

        failing.begin = begin;
        memset(failing.ran, 0, sizeof failing.ran);
        memset(failing.value, 0, sizeof failing.value);
        for (i = 0; i < failures; i++) {
            size_t at = random_below(&random, ITEMS);

            /* Negative and positive ones, INT_MIN among them. */
            failing.value[at] = (int)(random_next(&random) >> 32) | 1;
            if (random_below(&random, 8) == 0)
                failing.value[at] = INT32_MIN;
            lowest = at < lowest ? at : lowest;
        }
        expected = lowest < ITEMS ? failing.value[lowest] : 0;
        assert_int_equal(filch_for(begin, begin + ITEMS, failing_body, &failing,
                                   .pool = *state, .grain = grain),
                         expected);
        wrong = find_other_than(failing.ran, lowest, 1);
        if (wrong != NOT_FOUND)
            fail_msg("item %zu below the failing one, %zu, was run %u times", wrong,
                     lowest, failing.ran[wrong]);
        for (i = lowest; i < ITEMS; i++)
            assert_in_range(failing.ran[i], 0, 1);
    }
}

static void when_every_call_fails_the_first_one_counts(void **state)
{
    static struct failing failing;
    int round;
    size_t i;

    for (round = 0; round < 60; round++) {
        failing.begin = 0;
        memset(failing.ran, 0, sizeof failing.ran);
        for (i = 0; i < ITEMS; i++)
            failing.value[i] = -(int)i - 1;
        assert_int_equal(
            filch_for(0, ITEMS, failing_body, &failing, .pool = *state, .grain = 1), -1);
    }
}

static int count_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    atomic_size_t *items = ctx;

    (void)w;
    atomic_fetch_add(items, end - begin);
    return 0;
}

static void wrong_arguments_run_nothing(void **state)
{
    atomic_size_t items = 0;
    filch_opts opts = *FILCH_OPTS(&items, .pool = *state);

    assert_int_equal(filch_for(0, 10, NULL, &items, .pool = *state), -EINVAL);
    assert_int_equal(filch_for(10, 9, count_body, &items, .pool = *state), -EINVAL);
    assert_int_equal(filch_for(SIZE_MAX, 0, count_body, &items, .pool = *state), -EINVAL);
    opts.struct_size--;
    assert_int_equal(filch_for_with(0, 10, count_body, &opts), -EINVAL);
    opts.struct_size += 9;
    assert_int_equal(filch_for_with(0, 10, count_body, &opts), -EINVAL);
    opts.struct_size = sizeof opts;
    opts.abi++;
    assert_int_equal(filch_for_with(0, 10, count_body, &opts), -EINVAL);
    assert_int_equal(atomic_load(&items), 0);
    opts.abi--;
    assert_int_equal(filch_for_with(0, 10, count_body, &opts), 0);
    assert_int_equal(atomic_load(&items), 10);
}

static atomic_size_t items_without_ctx;

static int null_ctx_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    if (w && !ctx)
        atomic_fetch_add(&items_without_ctx, end - begin);
    return 0;
}

static void without_options_the_default_pool_runs_the_loop(void **state)
{
    (void)state;
    atomic_store(&items_without_ctx, 0);
    assert_int_equal(filch_for_with(3, 1003, null_ctx_body, NULL), 0);
    assert_int_equal(atomic_load(&items_without_ctx), 1000);
    assert_int_equal(filch_for(3, 1003, null_ctx_body, NULL), 0);
    assert_int_equal(atomic_load(&items_without_ctx), 2000);
}

/* --- loops in loops --------------------------------------------------------------- */

struct nest {
    unsigned char hits[20][30][40];
    size_t i, j;
    atomic_uint wrong;
};

struct nest_level {
    struct nest *nest;
    size_t i, j;
};

static int inner_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest_level *level = ctx;
    size_t k;

    (void)w;
    for (k = begin; k < end; k++)
        level->nest->hits[level->i][level->j][k]++;
    return 0;
}

static int middle_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest_level level = *(struct nest_level *)ctx;

    for (level.j = begin; level.j < end; level.j++)
        if (filch_for(0, 40, inner_body, &level, .worker = w, .grain = 1))
            atomic_fetch_add(&level.nest->wrong, 1);
    return 0;
}

static int outer_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nest_level level = {.nest = ctx};

    (void)w; /* the thread's worker is found without it */
    for (level.i = begin; level.i < end; level.i++)
        if (filch_for(0, 30, middle_body, &level, .grain = 1))
            atomic_fetch_add(&level.nest->wrong, 1);
    return 0;
}

static void loops_in_loops_run_every_index_once(void **state)
{
    static struct nest nest;
    int round;

    for (round = 0; round < 5; round++) {
        memset(nest.hits, 0, sizeof nest.hits);
        atomic_store(&nest.wrong, 0);
        assert_int_equal(filch_for(0, 20, outer_body, &nest, .pool = *state, .grain = 1),
                         0);
        assert_int_equal(atomic_load(&nest.wrong), 0);
        assert_int_equal(find_other_than(&nest.hits[0][0][0], sizeof nest.hits, 1),
                         NOT_FOUND);
    }
}

static int fail_at_7(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    (void)ctx;
    return begin <= 7 && 7 < end ? 77 : 0;
}

static int pass_on(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)begin;
    (void)end;
    return filch_for(0, 100, fail_at_7, ctx, .worker = w, .grain = 1);
}

static void an_error_comes_out_through_all_levels(void **state)
{
    assert_int_equal(filch_for(0, 50, pass_on, NULL, .pool = *state, .grain = 1), 77);
}

/* --- several callers, several pools ----------------------------------------------- */

struct callers {
    filch_pool *pool;
    atomic_uint wrong;
};

static void *call_loops(void *arg)
{
    struct callers *callers = arg;
    int round;

    for (round = 0; round < 200; round++) {
        atomic_size_t items = 0;
        unsigned char hits[100] = {0};
        struct cover cover = {0, hits};

        if (filch_for(0, 1000, count_body, &items, .pool = callers->pool, .grain = 10) ||
            atomic_load(&items) != 1000 ||
            filch_for(0, 100, cover_body, &cover, .pool = callers->pool, .grain = 1) ||
            find_other_than(hits, sizeof hits, 1) != NOT_FOUND)
            atomic_fetch_add(&callers->wrong, 1);
    }
    return NULL;
}

static void eight_threads_call_loops_at_once(void **state)
{
    struct callers callers = {.pool = *state};

    run_threads(8, call_loops, &callers);
    assert_int_equal(atomic_load(&callers.wrong), 0);
}

struct pools {
    filch_pool *first, *second;
    atomic_size_t items;
    atomic_uint wrong;
    int depth;
};

static int count_back_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct pools *pools = ctx;
    atomic_size_t items = 0;

    if (filch_worker_current() != w)
        atomic_fetch_add(&pools->wrong, 1);
    /* Back into the pool that waits for this one. */
    if (filch_for(begin, end, count_body, &items, .pool = pools->first, .grain = 1) ||
        atomic_load(&items) != end - begin || filch_worker_current() != w)
        atomic_fetch_add(&pools->wrong, 1);
    atomic_fetch_add(&pools->items, end - begin);
    return 0;
}

static int other_pool_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct pools *pools = ctx;
    size_t i;

    for (i = begin; i < end; i++)
        if (filch_for(0, 20, count_back_body, pools, .pool = pools->second, .grain = 1) ||
            filch_worker_current() != w)
            atomic_fetch_add(&pools->wrong, 1);
    return 0;
}

static void a_body_may_call_a_loop_in_another_pool(void **state)
{
    struct pools pools = {.first = *state};
    int err = filch_pool_create(&pools.second, FILCH_POOL_OPTIONS(.workers = 3));

    assert_int_equal(err, 0);
    assert_int_equal(
        filch_for(0, 30, other_pool_body, &pools, .pool = pools.first, .grain = 1), 0);
    assert_null(filch_worker_current());
    filch_pool_destroy(pools.second);
    assert_int_equal(atomic_load(&pools.wrong), 0);
    assert_int_equal(atomic_load(&pools.items), 600);
}

/* --- maps ------------------------------------------------------------------------- */

static int half_body(filch_worker *w, const void *in, void *out, size_t count, void *ctx)
{
    const short *from = in;
    double *to = out;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = 0; i < count; i++)
        to[i] = from[i] / 2.0;
    return 0;
}

static void a_map_writes_elements_of_another_size(void **state)
{
    static short in[10000];
    static double out[10001];
    size_t size, i;

    for (i = 0; i < 10000; i++)
        in[i] = (short)(i - 5000);
    for (size = 0; size <= 10000; size = size * 3 + 1) {
        memset(out, 0, sizeof out);
        assert_int_equal(filch_map(in, sizeof *in, out, sizeof *out, size, half_body,
                                   NULL, .pool = *state, .grain = 1),
                         0);
        for (i = 0; i < size; i++)
            if (out[i] != ((double)i - 5000) / 2) /* exact */
                fail_msg("out[%zu] is %g, not %g", i, out[i], ((double)i - 5000) / 2);
        assert_true(out[size] == 0);
    }
}

/* One more to every element; ctx: the address of an element that fails, or NULL. */
static int add_one_body(filch_worker *w, const void *in, void *out, size_t count,
                        void *ctx)
{
    const int *from = in;
    int *to = out;
    size_t i;

    (void)w;
    for (i = 0; i < count; i++) {
        if (ctx && from + i >= (int *)ctx)
            return 1000 + from[i];
        to[i] = from[i] + 1;
    }
    return 0;
}

static void a_map_works_in_place(void **state)
{
    static int items[5000];
    int i;

    for (i = 0; i < 5000; i++)
        items[i] = i;
    assert_int_equal(filch_map(items, sizeof *items, items, sizeof *items, 5000,
                               add_one_body, NULL, .pool = *state),
                     0);
    for (i = 0; i < 5000; i++)
        assert_int_equal(items[i], i + 1);
}

static void a_map_returns_the_error_of_its_lowest_element(void **state)
{
    static int items[5000], out[5000];
    int i;

    for (i = 0; i < 5000; i++)
        items[i] = i;
    for (i = 0; i < 5000; i += 457)
        assert_int_equal(filch_map(items, sizeof *items, out, sizeof *out, 5000,
                                   add_one_body, &items[i], .pool = *state, .grain = 1),
                         1000 + i);
}

static void a_map_with_wrong_arguments_runs_nothing(void **state)
{
    int in[4] = {0}, out[4] = {0};
    filch_opts opts = *FILCH_OPTS(NULL, .pool = *state);

    assert_int_equal(filch_map(in, 4, out, 4, 4, NULL, NULL, .pool = *state), -EINVAL);
    assert_int_equal(filch_map(in, 0, out, 4, 4, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_map(in, 4, out, 0, 4, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_map(NULL, 4, out, 4, 4, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_map(in, 4, NULL, 4, 4, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    assert_int_equal(
        filch_map(in, 4, out, 4, SIZE_MAX / 4 + 1, add_one_body, NULL, .pool = *state),
        -EINVAL);
    assert_int_equal(
        filch_map(in, 1, out, 4, SIZE_MAX / 4 + 1, add_one_body, NULL, .pool = *state),
        -EINVAL);
    opts.struct_size = 1;
    assert_int_equal(filch_map_with(in, 4, out, 4, 4, add_one_body, &opts), -EINVAL);
    opts.struct_size = sizeof opts;
    opts.abi++;
    assert_int_equal(filch_map_with(in, 4, out, 4, 4, add_one_body, &opts), -EINVAL);
    assert_memory_equal(out, in, sizeof out);
    assert_int_equal(filch_map(NULL, 4, NULL, 4, 0, add_one_body, NULL, .pool = *state),
                     0);
}

static void a_map_between_arrays_that_overlap_runs_nothing(void **state)
{
    int items[8] = {0}, before[8] = {0};

    assert_int_equal(
        filch_map(items, 4, items + 1, 4, 4, add_one_body, NULL, .pool = *state),
        -EINVAL);
    assert_int_equal(
        filch_map(items + 3, 4, items, 4, 4, add_one_body, NULL, .pool = *state),
        -EINVAL);
    /* The same array, for items of two sizes. */
    assert_int_equal(filch_map(items, 4, items, 8, 2, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    assert_int_equal(filch_map(items, 8, items, 4, 2, add_one_body, NULL, .pool = *state),
                     -EINVAL);
    /* One byte of the last item. */
    assert_int_equal(
        filch_map(items, 1, (char *)items + 2, 4, 3, add_one_body, NULL, .pool = *state),
        -EINVAL);
    assert_int_equal(
        filch_map((char *)items + 11, 1, items, 4, 3, add_one_body, NULL, .pool = *state),
        -EINVAL);
    assert_memory_equal(items, before, sizeof items);
    /* Neighbours do not overlap, in either order. */
    assert_int_equal(
        filch_map(items, 4, items + 4, 4, 4, add_one_body, NULL, .pool = *state), 0);
    assert_int_equal(
        filch_map(items + 4, 4, items, 4, 4, add_one_body, NULL, .pool = *state), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(every_index_is_run_exactly_once),
        ON_POOLS(ranges_up_to_size_max_are_covered),
        ON_POOLS(no_call_gets_fewer_items_than_the_grain),
        ON_POOLS(a_serial_loop_is_one_call),
        ON_POOLS(a_range_shorter_than_two_grains_is_one_call),
        ON_POOLS(the_error_is_that_of_the_lowest_failing_index),
        ON_POOLS(when_every_call_fails_the_first_one_counts),
        ON_POOLS(wrong_arguments_run_nothing),
        cmocka_unit_test(without_options_the_default_pool_runs_the_loop),
        ON_POOLS(loops_in_loops_run_every_index_once),
        ON_POOLS(an_error_comes_out_through_all_levels),
        ON_POOLS(eight_threads_call_loops_at_once),
        ON_POOLS(a_body_may_call_a_loop_in_another_pool),
        ON_POOLS(a_map_writes_elements_of_another_size),
        ON_POOLS(a_map_works_in_place),
        ON_POOLS(a_map_returns_the_error_of_its_lowest_element),
        ON_POOLS(a_map_with_wrong_arguments_runs_nothing),
        ON_POOLS(a_map_between_arrays_that_overlap_runs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
