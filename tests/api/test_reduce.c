/* test_reduce.c - what reduce.h promises: one bracket, the order of the items, who owns
 * the accumulators. */
#include "pools.h"

static const unsigned worker_counts[] = {1, 2, 3, 4, 8};

/* --- the same bits ---------------------------------------------------------------- */

#define NUMBERS 100000

static double doubles[NUMBERS];
static float floats[NUMBERS];

/* Large and small ones of both signs: any other order gives other bits. */
static void fill_numbers(uint64_t seed)
{
    size_t i;

    for (i = 0; i < NUMBERS; i++) {
        double number = (double)(int64_t)random_next(&seed) * 1e-19;
        int shift = (int)random_below(&seed, 40);

        doubles[i] = number * (double)(UINT64_C(1) << shift);
        floats[i] = (float)doubles[i];
    }
}

static int add_doubles(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    double sum = *(double *)acc;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = begin; i < end; i++)
        sum += doubles[i];
    *(double *)acc = sum;
    return 0;
}

static void add_double(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(double *)left += *(double *)right;
}

static int add_floats(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    float sum = *(float *)acc;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = begin; i < end; i++)
        sum += floats[i];
    *(float *)acc = sum;
    return 0;
}

static void add_float(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(float *)left += *(float *)right;
}

static void a_sum_has_the_same_bits_on_any_number_of_workers(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 127, 128, 129, 1000, 8193, NUMBERS};
    static const size_t grains[] = {0, 1, 7, 64, 1000, NUMBERS + 5};
    filch_pool *pool[COUNT_OF(worker_counts)];
    size_t p, s, g;
    int round;

    (void)state;
    fill_numbers(seed_print());
    for (p = 0; p < COUNT_OF(worker_counts); p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = worker_counts[p])),
            0);
    for (s = 0; s < COUNT_OF(sizes); s++)
        for (g = 0; g < COUNT_OF(grains); g++) {
            double sum = 0;
            float float_sum = 0;

            if (sizes[s] == NUMBERS && grains[g] == 1)
                continue; /* takes long, and shows nothing new */
            assert_int_equal(filch_reduce(0, sizes[s], &sum, sizeof sum, add_doubles,
                                          add_double, NULL, .pool = pool[0],
                                          .grain = grains[g]),
                             0);
            assert_int_equal(filch_reduce(0, sizes[s], &float_sum, sizeof float_sum,
                                          add_floats, add_float, NULL, .pool = pool[0],
                                          .grain = grains[g]),
                             0);
            for (p = 0; p < COUNT_OF(worker_counts); p++)
                for (round = 0; round < 4; round++) {
                    double again = 0;
                    float float_again = 0;

                    assert_int_equal(filch_reduce(0, sizes[s], &again, sizeof again,
                                                  add_doubles, add_double, NULL,
                                                  .pool = pool[p], .grain = grains[g],
                                                  .max_workers = (uint32_t)round),
                                     0);
                    if (memcmp(&sum, &again, sizeof sum) != 0)
                        fail_msg("%zu items, grain %zu, %u workers: %a, not %a", sizes[s],
                                 grains[g], worker_counts[p], again, sum);
                    assert_int_equal(filch_reduce(0, sizes[s], &float_again,
                                                  sizeof float_again, add_floats,
                                                  add_float, NULL, .pool = pool[p],
                                                  .grain = grains[g]),
                                     0);
                    if (memcmp(&float_sum, &float_again, sizeof float_sum) != 0)
                        fail_msg("%zu items, grain %zu, %u workers: %a, not %a", sizes[s],
                                 grains[g], worker_counts[p], (double)float_again,
                                 (double)float_sum);
                }
        }
    for (p = 0; p < COUNT_OF(worker_counts); p++)
        filch_pool_destroy(pool[p]);
}

struct moved_sum {
    size_t by;
};

static int add_moved(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    const struct moved_sum *moved = ctx;

    return add_doubles(w, begin - moved->by, end - moved->by, acc, NULL);
}

static void the_bracket_depends_on_the_length_and_not_on_where_it_begins(void **state)
{
    static const size_t begins[] = {1, 63, 1000000007, SIZE_MAX - NUMBERS};
    double sum = 0;
    size_t b;

    fill_numbers(seed_print());
    assert_int_equal(filch_reduce(0, NUMBERS, &sum, sizeof sum, add_doubles, add_double,
                                  NULL, .pool = *state),
                     0);
    for (b = 0; b < COUNT_OF(begins); b++) {
        struct moved_sum moved = {begins[b]};
        double again = 0;

        assert_int_equal(filch_reduce(begins[b], begins[b] + NUMBERS, &again,
                                      sizeof again, add_moved, add_double, &moved,
                                      .pool = *state),
                         0);
        assert_memory_equal(&again, &sum, sizeof sum);
    }
}

/* --- order ------------------------------------------------------------------------ */

/* 2 by 2 matrices over the integers modulo 2^64: associative, and not commutative. */
struct matrix {
    uint64_t at[2][2];
};

static struct matrix matrix_product(struct matrix a, struct matrix b)
{
    struct matrix product;
    int i, k;

    for (i = 0; i < 2; i++)
        for (k = 0; k < 2; k++)
            product.at[i][k] = a.at[i][0] * b.at[0][k] + a.at[i][1] * b.at[1][k];
    return product;
}

static int multiply(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct matrix *matrix = acc;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = begin; i < end; i++) {
        struct matrix item = {{{i * 3 + 1, i ^ 5}, {i + 7, i * i + 2}}};

        *matrix = matrix_product(*matrix, item);
    }
    return 0;
}

static void multiply_two(void *left, void *right, void *ctx)
{
    struct matrix *matrix = left;

    (void)ctx;
    *matrix = matrix_product(*matrix, *(struct matrix *)right);
}

static void the_items_keep_their_order(void **state)
{
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 150; round++) {
        size_t begin = random_below(&random, 1000);
        size_t end = begin + random_below(&random, round % 2 ? 200 : 5000);
        size_t grain = random_below(&random, 2) ? random_below(&random, 70) : 0;
        struct matrix serial = {{{1, 0}, {0, 1}}}, parallel = serial;

        multiply(NULL, begin, end, &serial, NULL);
        assert_int_equal(filch_reduce(begin, end, &parallel, sizeof parallel, multiply,
                                      multiply_two, NULL, .pool = *state, .grain = grain),
                         0);
        if (memcmp(&serial, &parallel, sizeof serial) != 0)
            fail_msg("[%zu, %zu) grain %zu: corner %llx, not %llx", begin, end, grain,
                     (unsigned long long)parallel.at[0][0],
                     (unsigned long long)serial.at[0][0]);
    }
}

/* --- accumulators ----------------------------------------------------------------- */

static int add_bytes(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    unsigned char *byte = acc;
    size_t bytes = *(size_t *)ctx, i, k;

    (void)w;
    for (i = begin; i < end; i++)
        for (k = 0; k < bytes; k++)
            byte[k] = (unsigned char)(byte[k] + i * (k + 1));
    return 0;
}

static void combine_bytes(void *left, void *right, void *ctx)
{
    unsigned char *to = left;
    const unsigned char *from = right;
    size_t bytes = *(size_t *)ctx, k;

    for (k = 0; k < bytes; k++)
        to[k] = (unsigned char)(to[k] + from[k]);
}

static void an_accumulator_may_have_any_size(void **state)
{
    static const size_t counts[] = {1, 2, 37, 300};
    size_t bytes, n;

    for (bytes = 1; bytes <= 5000; bytes += bytes < 70     ? 1
                                            : bytes < 1020 ? 95
                                            : bytes < 1030 ? 1
                                                           : 397)
        for (n = 0; n < COUNT_OF(counts); n++) {
            /* Exactly as large, so that a checker sees a byte too many. */
            unsigned char *serial = calloc(1, bytes), *parallel = calloc(1, bytes);

            assert_true(serial && parallel);
            add_bytes(NULL, 0, counts[n], serial, &bytes);
            assert_int_equal(filch_reduce(0, counts[n], parallel, bytes, add_bytes,
                                          combine_bytes, &bytes, .pool = *state,
                                          .grain = n % 2 * 3),
                             0);
            assert_memory_equal(parallel, serial, bytes);
            free(serial);
            free(parallel);
        }
}

struct alignment {
    size_t align;
    atomic_uint looks, misaligned;
};

static void look_at(struct alignment *alignment, const void *acc)
{
    atomic_fetch_add(&alignment->looks, 1);
    if ((uintptr_t)acc % alignment->align)
        atomic_fetch_add(&alignment->misaligned, 1);
}

static int check_alignment(filch_worker *w, size_t begin, size_t end, void *acc,
                           void *ctx)
{
    (void)w;
    (void)begin;
    (void)end;
    look_at(ctx, acc);
    return 0;
}

static void combine_nothing(void *left, void *right, void *ctx)
{
    look_at(ctx, left);
    look_at(ctx, right);
}

/* A type of that size may ask for the largest power of two that divides it. */
static void accumulators_are_aligned_as_their_size_asks_for(void **state)
{
    static const size_t sizes[] = {8,   16,  32,   48,   64,   96,   128,  192,
                                   256, 320, 1024, 1040, 1088, 2048, 4096, 16384};
    static _Alignas(64) char acc[16384];
    size_t s;
    uint32_t most;

    for (s = 0; s < COUNT_OF(sizes); s++)
        for (most = 0; most < 2; most++) {
            size_t divides = sizes[s] & -sizes[s];
            struct alignment alignment = {.align = divides < 64 ? divides : 64};

            assert_int_equal(filch_reduce(0, 100, acc, sizes[s], check_alignment,
                                          combine_nothing, &alignment, .pool = *state,
                                          .grain = 1, .max_workers = most),
                             0);
            assert_in_range(atomic_load(&alignment.looks), 100, 1000);
            if (atomic_load(&alignment.misaligned))
                fail_msg("of %zu bytes, %u of %u accumulators are not aligned to %zu",
                         sizes[s], atomic_load(&alignment.misaligned),
                         atomic_load(&alignment.looks), alignment.align);
        }
}

/* A list of the items folded, in memory of its own. */
struct list {
    size_t *item;
    size_t count;
};

struct lists {
    atomic_size_t live;
    atomic_uint wrong;
    size_t count;
    const int *value; /* of each item: non-zero fails */
};

static void list_append(struct list *list, const size_t *item, size_t count,
                        struct lists *lists)
{
    size_t *grown = realloc(list->item, (list->count + count) * sizeof *grown);

    if (!grown) {
        atomic_fetch_add(&lists->wrong, 1);
        return;
    }
    if (!list->item)
        atomic_fetch_add(&lists->live, 1);
    list->item = grown;
    memcpy(list->item + list->count, item, count * sizeof *item);
    list->count += count;
}

static void list_free(struct list *list, struct lists *lists)
{
    if (list->item)
        atomic_fetch_sub(&lists->live, 1);
    free(list->item);
    *list = (struct list){0};
}

static int list_items(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct lists *lists = ctx;
    size_t i;

    (void)w;
    for (i = begin; i < end; i++) {
        if (lists->value && lists->value[i])
            return lists->value[i];
        list_append(acc, &i, 1, lists);
    }
    return 0;
}

static void list_concatenate(void *left, void *right, void *ctx)
{
    struct list *tail = right;

    if (tail->count)
        list_append(left, tail->item, tail->count, ctx);
    list_free(tail, ctx);
}

static void lists_are_concatenated_in_order_and_none_is_lost(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 5, 127, 128, 1000, 3001};
    static const size_t grains[] = {0, 1, 2, 64, 5000};
    size_t s, g, i;

    for (s = 0; s < COUNT_OF(sizes); s++)
        for (g = 0; g < COUNT_OF(grains); g++) {
            struct lists lists = {0};
            struct list list = {0};

            assert_int_equal(filch_reduce(0, sizes[s], &list, sizeof list, list_items,
                                          list_concatenate, &lists, .pool = *state,
                                          .grain = grains[g]),
                             0);
            assert_int_equal(list.count, sizes[s]);
            for (i = 0; i < list.count; i++)
                assert_int_equal(list.item[i], i);
            list_free(&list, &lists);
            assert_int_equal(atomic_load(&lists.live), 0);
            assert_int_equal(atomic_load(&lists.wrong), 0);
        }
}

static void after_an_error_the_caller_owns_all_that_was_started(void **state)
{
    static int value[2000];
    uint64_t random = seed_print();
    int round;

    for (round = 0; round < 300; round++) {
        size_t count = 1 + random_below(&random, COUNT_OF(value)), lowest = count, i;
        size_t grain = random_below(&random, 2) ? 1 + random_below(&random, 40) : 0;
        struct lists lists = {.value = value};
        struct list list = {0};

        memset(value, 0, sizeof value);
        for (i = 0; i < 1 + (size_t)round % 5; i++) {
            size_t at = random_below(&random, count);

            value[at] = (int)random_next(&random) | 1;
            lowest = at < lowest ? at : lowest;
        }
        assert_int_equal(filch_reduce(0, count, &list, sizeof list, list_items,
                                      list_concatenate, &lists, .pool = *state,
                                      .grain = grain),
                         value[lowest]);
        /* All below the failing item was folded, and comes first. */
        assert_true(list.count >= lowest);
        for (i = 0; i < lowest; i++)
            assert_int_equal(list.item[i], i);
        for (i = 1; i < list.count; i++)
            assert_true(list.item[i - 1] < list.item[i]);
        list_free(&list, &lists);
        assert_int_equal(atomic_load(&lists.live), 0);
        assert_int_equal(atomic_load(&lists.wrong), 0);
    }
}

/* --- the rest --------------------------------------------------------------------- */

static int count_items(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    *(uint64_t *)acc += end - begin;
    if (ctx)
        atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static void add_counts(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static void wrong_arguments_run_nothing(void **state)
{
    uint64_t acc = 42;
    atomic_uint calls = 0;
    filch_opts opts = *FILCH_OPTS(&calls, .pool = *state);

    assert_int_equal(
        filch_reduce(0, 9, NULL, 8, count_items, add_counts, &calls, .pool = *state),
        -EINVAL);
    assert_int_equal(
        filch_reduce(0, 9, &acc, 0, count_items, add_counts, &calls, .pool = *state),
        -EINVAL);
    assert_int_equal(
        filch_reduce(0, 9, &acc, 8, NULL, add_counts, &calls, .pool = *state), -EINVAL);
    assert_int_equal(
        filch_reduce(0, 9, &acc, 8, count_items, NULL, &calls, .pool = *state), -EINVAL);
    assert_int_equal(
        filch_reduce(9, 8, &acc, 8, count_items, add_counts, &calls, .pool = *state),
        -EINVAL);
    opts.struct_size -= 8;
    assert_int_equal(filch_reduce_with(0, 9, &acc, 8, count_items, add_counts, &opts),
                     -EINVAL);
    opts.struct_size += 8;
    opts.abi++;
    assert_int_equal(filch_reduce_with(0, 9, &acc, 8, count_items, add_counts, &opts),
                     -EINVAL);
    assert_int_equal(atomic_load(&calls), 0);
    assert_int_equal(acc, 42);
}

/* From a petabyte on. The allocators of the sanitizers abort on such a size. */
static void accumulators_that_no_memory_has_run_nothing(void **state)
{
    static const size_t sizes[] = {(size_t)1 << 50, SIZE_MAX / 128, SIZE_MAX / 128 + 1,
                                   SIZE_MAX / 2, SIZE_MAX};
    uint64_t acc = 42;
    atomic_uint calls = 0;
    uint32_t limit;
    size_t i;

    if (IS_ASAN || IS_TSAN)
        skip();
    for (i = 0; i < COUNT_OF(sizes); i++)
        for (limit = 0; limit <= 1; limit++)
            assert_int_equal(filch_reduce(0, 9, &acc, sizes[i], count_items, add_counts,
                                          &calls, .pool = *state, .max_workers = limit),
                             -ENOMEM);
    assert_int_equal(atomic_load(&calls), 0);
    assert_int_equal(acc, 42);
}

static void an_empty_range_leaves_the_identity(void **state)
{
    uint64_t acc = 42;

    assert_int_equal(filch_reduce(7, 7, &acc, sizeof acc, count_items, add_counts, NULL,
                                  .pool = *state),
                     0);
    assert_int_equal(acc, 42);
    acc = 0;
    assert_int_equal(
        filch_reduce_with(7, 1007, &acc, sizeof acc, count_items, add_counts, NULL), 0);
    assert_int_equal(acc, 1000);
}

static void long_ranges_have_at_most_so_many_blocks(void **state)
{
    static const size_t sizes[] = {10000000, SIZE_MAX / 1000, SIZE_MAX};
    size_t s;

    for (s = 0; s < COUNT_OF(sizes); s++) {
        atomic_uint calls = 0;
        uint64_t items = 0;

        assert_int_equal(filch_reduce(0, sizes[s], &items, sizeof items, count_items,
                                      add_counts, &calls, .pool = *state),
                         0);
        assert_int_equal(items, sizes[s]);
        assert_in_range(atomic_load(&calls), 1, FILCH_REDUCE_BLOCKS);
    }
}

static int sum_of_sums(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    size_t i;
    int err = 0;

    for (i = begin; i < end && !err; i++) {
        uint64_t items = 0;

        err = filch_reduce(0, 300, &items, sizeof items, count_items, add_counts, ctx,
                           .worker = w, .grain = 10);
        *(uint64_t *)acc += items;
    }
    return err;
}

static void a_reduction_runs_inside_the_body_of_another(void **state)
{
    int round;

    for (round = 0; round < 10; round++) {
        uint64_t items = 0;

        assert_int_equal(filch_reduce(0, 100, &items, sizeof items, sum_of_sums,
                                      add_counts, NULL, .pool = *state, .grain = 1),
                         0);
        assert_int_equal(items, 30000);
    }
}

struct callers {
    filch_pool *pool;
    atomic_uint wrong;
};

static void *call_reductions(void *arg)
{
    struct callers *callers = arg;
    int round;

    for (round = 0; round < 100; round++) {
        uint64_t items = 0;

        if (filch_reduce(0, 5000, &items, sizeof items, count_items, add_counts, NULL,
                         .pool = callers->pool) ||
            items != 5000)
            atomic_fetch_add(&callers->wrong, 1);
    }
    return NULL;
}

static void eight_threads_reduce_at_once(void **state)
{
    struct callers callers = {.pool = *state};

    run_threads(8, call_reductions, &callers);
    assert_int_equal(atomic_load(&callers.wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_has_the_same_bits_on_any_number_of_workers),
        ON_POOLS(the_bracket_depends_on_the_length_and_not_on_where_it_begins),
        ON_POOLS(the_items_keep_their_order),
        ON_POOLS(an_accumulator_may_have_any_size),
        ON_POOLS(accumulators_are_aligned_as_their_size_asks_for),
        ON_POOLS(lists_are_concatenated_in_order_and_none_is_lost),
        ON_POOLS(after_an_error_the_caller_owns_all_that_was_started),
        ON_POOLS(wrong_arguments_run_nothing),
        ON_POOLS(accumulators_that_no_memory_has_run_nothing),
        ON_POOLS(an_empty_range_leaves_the_identity),
        ON_POOLS(long_ranges_have_at_most_so_many_blocks),
        ON_POOLS(a_reduction_runs_inside_the_body_of_another),
        ON_POOLS(eight_threads_reduce_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
