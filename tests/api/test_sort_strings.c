/* test_sort_strings.c - what sort_by.h promises of filch_sort_strings.
 *
 * The oracle is qsort, of pointers to the pointers, by strcmp and then by place. Strings
 * that are equal are copies, so that it shows when they change places. aligned_alloc is
 * replaced, to have no memory.
 */
#include "pools.h"

static atomic_int failing; /* so many allocations from now on; 0: none */

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    if (atomic_load(&failing) && atomic_fetch_sub(&failing, 1) == 1)
        return NULL;
    return __real_aligned_alloc(align, bytes);
}

/* --- strings ------------------------------------------------------------------------ */

enum kind {
    SHORT,        /* of few letters: many are equal, or begin others */
    BYTES,        /* any but '\0' */
    PREFIX,       /* 30 letters that all share, then some */
    EIGHTS,       /* their length is 7, 8, 9, 15, 16 or 17 */
    ALL_EQUAL,    /* and longer than eight */
    FEW_AND_LONG, /* five beginnings of 20 letters, half of them with an end */
    STAIRS,       /* each a letter longer than the one before */
    IN_ORDER,
    IN_REVERSE,
    KINDS
};

#define LONGEST 64

/* A copy of its own, so that a read behind its end shows. */
static const char *copy_of(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static const char *make_string(enum kind kind, size_t i, size_t n, uint64_t *random)
{
    static const size_t lengths[] = {7, 8, 9, 15, 16, 17};
    uint64_t r = random_next(random);
    char text[LONGEST + 1] = "";
    size_t length = 0, from = 0, j;
    unsigned letters = 3;

    switch (kind) {
    case SHORT:
        length = r % 12;
        break;
    case BYTES:
        length = r % 20;
        letters = 255;
        break;
    case PREFIX:
        from = 30;
        length = 30 + r % 25;
        break;
    case EIGHTS:
        length = lengths[r % COUNT_OF(lengths)];
        letters = 2;
        break;
    case ALL_EQUAL:
        from = length = 40;
        break;
    case FEW_AND_LONG:
        from = 20;
        length = from + (r >> 8 & 1) * (r % 20);
        text[0] = (char)('a' + r % 5);
        break;
    case STAIRS:
        from = length = i % LONGEST;
        break;
    case IN_ORDER:
    case IN_REVERSE:
    case KINDS:
        length =
            (size_t)snprintf(text, sizeof text, "%012zu", kind == IN_ORDER ? i : n - i);
        return copy_of(text, length);
    }
    for (j = 0; j < length; j++) {
        unsigned letter = 1 + (unsigned)(random_next(random) >> 32) % letters;

        if (!text[j])
            text[j] = (char)(j < from ? 'x' : letter);
    }
    return copy_of(text, length);
}

static int by_strcmp_and_place(const void *left, const void *right)
{
    const char **const *a = left, **const *b = right;
    int order = strcmp(**a, **b);

    return order ? order : (*a > *b) - (*a < *b);
}

static void check_kind(size_t n, enum kind kind, filch_pool **pools, size_t pool_count,
                       uint64_t *random)
{
    const char **x = malloc((n + 1) * sizeof *x), **y = malloc((n + 1) * sizeof *y);
    const char ***sorted = malloc((n + 1) * sizeof *sorted);
    size_t i, p;

    for (i = 0; i < n; i++) {
        x[i] = make_string(kind, i, n, random);
        sorted[i] = &x[i];
    }
    qsort(sorted, n, sizeof *sorted, by_strcmp_and_place);
    for (p = 0; p < pool_count; p++) {
        memcpy(y, x, n * sizeof *x);
        assert_int_equal(filch_sort_strings(y, n, .pool = pools[p]), 0);
        for (i = 0; i < n; i++)
            assert_ptr_equal(y[i], *sorted[i]);
    }
    for (i = 0; i < n; i++)
        free((void *)(uintptr_t)x[i]);
    free(x);
    free(y);
    free(sorted);
}

/* --- sorting ------------------------------------------------------------------------ */

static void few_strings_are_sorted(void **state)
{
    uint64_t random = seed_print();
    filch_pool *pool = NULL;
    size_t n;
    int kind;

    (void)state;
    for (kind = 0; kind < KINDS; kind++)
        for (n = 0; n <= 2048; n += n < 40 ? 1 : n / 4)
            check_kind(n, (enum kind)kind, &pool, 1, &random);
}

static void many_strings_are_sorted_in_the_same_way_by_any_number_of_workers(void **state)
{
    static const unsigned workers[] = {1, 2, 3, 8};
    uint64_t random = seed_print();
    filch_pool *pool[COUNT_OF(workers)];
    size_t p, count = IS_TSAN ? 2 : COUNT_OF(workers);
    int kind;

    (void)state;
    for (p = 0; p < count; p++)
        assert_int_equal(
            filch_pool_create(&pool[p], FILCH_POOL_OPTIONS(.workers = workers[p])), 0);
    for (kind = 0; kind < KINDS; kind++) {
        check_kind(2049, (enum kind)kind, pool, count, &random);
        check_kind(50000 + random_below(&random, 10000), (enum kind)kind, pool, count,
                   &random);
    }
    for (p = 0; p < count; p++)
        filch_pool_destroy(pool[p]);
}

#define STEPS 3000

/* Every eight characters another eight strings drop out. */
static void each_string_begins_the_next_one(void **state)
{
    char *text = malloc(STEPS);
    const char **x = malloc(STEPS * sizeof *x);
    size_t i;

    memset(text, 'y', STEPS);
    for (i = 0; i < STEPS; i++) /* in an order that is none */
        x[i * 7 % STEPS] = copy_of(text, (i * 1001 + 5) % STEPS);
    assert_int_equal(filch_sort_strings(x, STEPS, .pool = *state), 0);
    for (i = 0; i < STEPS; i++) {
        assert_int_equal(strlen(x[i]), i);
        free((void *)(uintptr_t)x[i]);
    }
    free(text);
    free(x);
}

/* --- errors ------------------------------------------------------------------------- */

static void without_memory_nothing_is_changed(void **state)
{
    static const char *x[5000], *y[5000];
    static char text[5000][8];
    int at, err = -ENOMEM;
    size_t i;

    for (i = 0; i < 5000; i++) {
        snprintf(text[i], sizeof text[i], "%zu", 5000 - i);
        x[i] = y[i] = text[i];
    }
    for (at = 1; err; at++) {
        atomic_store(&failing, at);
        err = filch_sort_strings(x, 5000, .pool = *state);
        assert_true(err == 0 || err == -ENOMEM);
        if (err)
            assert_memory_equal(x, y, sizeof x);
    }
    assert_in_range(at, 4, 20);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort_strings(x, 300, .pool = *state), -ENOMEM);
    atomic_store(&failing, 0);
    assert_int_equal(filch_sort_strings(x, SIZE_MAX / 20, .pool = *state), -ENOMEM);
    for (i = 1; i < 5000; i++)
        assert_true(strcmp(x[i - 1], x[i]) < 0);
}

static int stop_progress(size_t done, size_t total, void *ctx)
{
    (void)done;
    (void)total;
    return ++*(size_t *)ctx >= 2 ? 7 : 0;
}

static void *set_token(void *token)
{
    sleep_us(IS_TSAN ? 4000 : 700);
    filch_cancel_set(token);
    return NULL;
}

#define MANY 100000

static void a_sort_that_ends_early_changes_nothing(void **state)
{
    const char **x = malloc(MANY * sizeof *x), **y = malloc(MANY * sizeof *y);
    filch_cancel cancel = {0};
    uint64_t random = seed_print();
    size_t calls = 0, i;
    pthread_t thread;
    int err;

    for (i = 0; i < MANY; i++)
        x[i] = y[i] = make_string(PREFIX, i, MANY, &random);
    assert_int_equal(pthread_create(&thread, NULL, set_token, &cancel), 0);
    err = filch_sort_strings(x, MANY, .pool = *state, .cancel = &cancel);
    pthread_join(thread, NULL);
    assert_true(err == 0 || err == -ECANCELED);
    if (err)
        assert_memory_equal(x, y, MANY * sizeof *x);
    memcpy(x, y, MANY * sizeof *x);
    err = filch_sort_strings(x, MANY, .pool = *state, .progress = stop_progress,
                             .progress_ms = 1, .ctx = &calls);
    assert_int_equal(err, calls >= 2 ? 7 : 0);
    if (err)
        assert_memory_equal(x, y, MANY * sizeof *x);
    for (i = 0; i < MANY; i++)
        free((void *)(uintptr_t)y[i]);
    free(x);
    free(y);
}

static void refused_sorts_change_nothing(void **state)
{
    const char *x[3] = {"c", "b", "a"}, **nowhere = NULL;
    char c[] = "c", d[] = "a", *y[2] = {c, d};
    filch_opts foreign = {.struct_size = 1};
    filch_cancel cancel = {0};

    assert_int_equal(filch_sort_strings(nowhere, 3), -EINVAL);
    assert_int_equal(filch_sort_strings(x, SIZE_MAX / 8), -EINVAL);
    assert_int_equal(
        filch_sort_strings((const char **)(void *)((char *)x + 1), 2, .pool = *state),
        -EINVAL);
    assert_int_equal(filch_sort_strings_with(x, 3, &foreign), -EINVAL);
    filch_cancel_set(&cancel);
    assert_int_equal(filch_sort_strings(x, 3, .cancel = &cancel), -ECANCELED);
    assert_string_equal(x[0], "c");
    assert_int_equal(filch_sort_strings(nowhere, 0), 0);
    assert_int_equal(filch_sort_strings_with(x, 3, NULL), 0);
    assert_string_equal(x[0], "a");
    assert_string_equal(x[2], "c");
    assert_int_equal(filch_sort_strings(y, 2, .pool = *state), 0);
    assert_string_equal(y[0], "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_strings_are_sorted),
        cmocka_unit_test(
            many_strings_are_sorted_in_the_same_way_by_any_number_of_workers),
        ON_POOLS(each_string_begins_the_next_one),
        ON_POOLS(without_memory_nothing_is_changed),
        ON_POOLS(a_sort_that_ends_early_changes_nothing),
        ON_POOLS(refused_sorts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
