/* test_sort_strings.c - what sort_by.h promises of filch_sort_strings.
 *
 * The oracle is qsort, of pointers to the pointers, by strcmp and then by place. Strings
 * that are equal are copies, so that it shows when they change places. aligned_alloc is
 * replaced, to have no memory; and fl_order_together, to count how often all strings are
 * looked at.
 */
#include "pools.h"
#include <sys/mman.h>
#include <unistd.h>
#include "../../lib/order.h"

static atomic_int failing; /* so many allocations from now on; 0: none */

void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
    if (atomic_load(&failing) && atomic_fetch_sub(&failing, 1) == 1)
        return NULL;
    return __real_aligned_alloc(align, bytes);
}

static atomic_int rounds;

int __real_fl_order_together(struct fl_worker *worker, const struct fl_order *order,
                             char *at, char *room, size_t n, const filch_opts *opts);
int __wrap_fl_order_together(struct fl_worker *worker, const struct fl_order *order,
                             char *at, char *room, size_t n, const filch_opts *opts);
int __wrap_fl_order_together(struct fl_worker *worker, const struct fl_order *order,
                             char *at, char *room, size_t n, const filch_opts *opts)
{
    atomic_fetch_add(&rounds, 1);
    return __real_fl_order_together(worker, order, at, room, n, opts);
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

static void check_sort(const char **x, size_t n, filch_pool **pools, size_t pool_count)
{
    const char **y = malloc((n + 1) * sizeof *y);
    const char ***sorted = malloc((n + 1) * sizeof *sorted);
    size_t i, p;

    for (i = 0; i < n; i++)
        sorted[i] = &x[i];
    qsort(sorted, n, sizeof *sorted, by_strcmp_and_place);
    for (p = 0; p < pool_count; p++) {
        memcpy(y, x, n * sizeof *x);
        assert_int_equal(filch_sort_strings(y, n, .pool = pools[p]), 0);
        for (i = 0; i < n; i++)
            assert_ptr_equal(y[i], *sorted[i]);
    }
    free(y);
    free(sorted);
}

static void free_strings(const char **x, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        free((void *)(uintptr_t)x[i]);
    free(x);
}

static void check_kind(size_t n, enum kind kind, filch_pool **pools, size_t pool_count,
                       uint64_t *random)
{
    const char **x = malloc((n + 1) * sizeof *x);
    size_t i;

    for (i = 0; i < n; i++)
        x[i] = make_string(kind, i, n, random);
    check_sort(x, n, pools, pool_count);
    free_strings(x, n);
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

/* --- long beginnings ---------------------------------------------------------------- */

/* Of so many letters that all share, with another end each, or none. */
static const char *with_beginning(size_t length, uint64_t *random)
{
    static const unsigned char ends[] = {1, 'a', 0x7f, 0x80, 0xff};
    uint64_t r = random_next(random);
    size_t more = r % 3 == 0 ? r / 8 % 40 : r % 3, i;
    char *text = malloc(length + more + 1);

    memset(text, 'x', length);
    for (i = 0; i < more; i++)
        text[length + i] = (char)ends[random_below(random, COUNT_OF(ends))];
    text[length + more] = '\0';
    return text;
}

static void strings_with_long_beginnings_are_sorted(void **state)
{
    static const size_t lengths[] = {7,  8,    9,    31,   32,   33,   39,   40,  41,
                                     64, 1022, 1023, 1024, 1025, 1055, 1056, 1057};
    static const size_t counts[] = {7, 100, IS_EMULATED ? 300 : 6000};
    filch_pool *pool = *state;
    uint64_t random = seed_print();
    size_t l, c, i;

    for (l = 0; l < COUNT_OF(lengths); l++) {
        for (c = 0; c < COUNT_OF(counts); c++) {
            size_t n = counts[c];
            const char **x = malloc(n * sizeof *x);

            for (i = 0; i < n; i++)
                x[i] = with_beginning(lengths[l], &random);
            check_sort(x, n, &pool, 1);
            free_strings(x, n);
        }
    }
}

#define WIDE 5000 /* strings: enough for all workers */

static int count_rounds(const char **x, filch_pool *pool)
{
    atomic_store(&rounds, 0);
    check_sort(x, WIDE, &pool, 1);
    return atomic_load(&rounds);
}

/* A round for each eight characters would make 126 of the first two, and 113 of the last:
 * until 904 strings have ended, eight in each round. */
static void long_beginnings_are_skipped_at_once(void **state)
{
    static const char *x[WIDE], *same[WIDE];
    uint64_t random = seed_print();
    char *text = malloc(WIDE);
    size_t i;

    for (i = 0; i < WIDE; i++) {
        x[i] = with_beginning(1000, &random);
        same[i] = x[0];
    }
    assert_in_range(count_rounds(x, *state), 1, 4);
    assert_in_range(count_rounds(same, *state), 1, 3);
    memset(text, 'y', WIDE);
    for (i = 0; i < WIDE; i++) { /* each begins another one */
        free((void *)(uintptr_t)x[i]);
        x[i] = copy_of(text, i * 1001 % WIDE);
    }
    /* Two rounds, and one with a pivot. One pivot in three or less leaves as many strings
     * to be sorted together: 20 in a row are one case in 10^9. */
    assert_in_range(count_rounds(x, *state), 3, 61);
    for (i = 0; i < WIDE; i++)
        free((void *)(uintptr_t)x[i]);
    free(text);
}

static void equal_pointers_stay_beside_each_other(void **state)
{
    const char *x[100];
    char *text[3];
    filch_pool *pool = *state;
    size_t i;

    for (i = 0; i < 3; i++) {
        text[i] = malloc(5000);
        memset(text[i], 'z', 4999);
        text[i][4999] = '\0';
    }
    text[2][4998] = 'a';
    for (i = 0; i < 100; i++)
        x[i] = text[i % 3];
    assert_int_equal(filch_sort_strings(x, 100, .pool = pool), 0);
    for (i = 0; i < 100; i++) /* the others in their order */
        assert_ptr_equal(x[i], i < 33 ? text[2] : text[(i - 33) % 2]);
    for (i = 0; i < 3; i++)
        free(text[i]);
}

/* Each string ends with a page behind which nobody may read. */
static void nothing_is_read_behind_the_end_of_a_string(void **state)
{
    enum { STRINGS = 24 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
    char *memory = mmap(NULL, 2 * STRINGS * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char *x[STRINGS];
    filch_pool *pool = *state;

    assert_true(memory != MAP_FAILED);
    for (i = 0; i < STRINGS; i++) {
        size_t length = i < 8 ? page - 1 - i : 1200 - 3 * i;
        char *end = memory + (2 * i + 1) * page;

        memset(end - 1 - length, 'x', length);
        end[-1] = '\0';
        x[i] = end - 1 - length;
        assert_int_equal(mprotect(end, page, PROT_NONE), 0);
    }
    check_sort(x, STRINGS, &pool, 1);
    munmap(memory, 2 * STRINGS * page);
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
    assert_int_equal(filch_sort_strings((const char **)(void *)((char *)x + 1), 0), 0);
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
        ON_POOLS(strings_with_long_beginnings_are_sorted),
        ON_POOLS(long_beginnings_are_skipped_at_once),
        ON_POOLS(equal_pointers_stay_beside_each_other),
        ON_POOLS(nothing_is_read_behind_the_end_of_a_string),
        ON_POOLS(without_memory_nothing_is_changed),
        ON_POOLS(a_sort_that_ends_early_changes_nothing),
        ON_POOLS(refused_sorts_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
