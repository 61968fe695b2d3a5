/* test_sort_by_errors.c - sorts that are refused, that end early, or by a comparison that
 * talks nonsense; see sort_by.h.
 *
 * aligned_alloc is replaced, to have no memory.
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

static int by_number(const void *left, const void *right, void *ctx)
{
    const uint32_t *a = left, *b = right;

    (void)ctx;
    return (*a > *b) - (*a < *b);
}

/* --- nonsense ----------------------------------------------------------------------- */

struct tagged {
    uint32_t key, tag;
    uint64_t check; /* says whether this is an item at all */
};

enum nonsense { LESS, MORE, SAME, OTHERWISE, IN_A_CIRCLE, OR_EQUAL, BY_ADDRESS, KINDS };

struct liar {
    enum nonsense nonsense;
    size_t bytes;
    atomic_uint calls, wrong;
    unsigned stop_after; /* comparisons; 0: never */
    filch_cancel cancel;
};

static uint64_t check_of(uint32_t tag)
{
    return (tag + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
}

static int lie(const void *left, const void *right, void *ctx)
{
    struct liar *liar = ctx;
    unsigned calls = atomic_fetch_add(&liar->calls, 1) + 1;
    struct tagged a, b;

    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (a.check != check_of(a.tag) || b.check != check_of(b.tag))
        atomic_fetch_add(&liar->wrong, 1);
    if (calls == liar->stop_after)
        filch_cancel_set(&liar->cancel);
    switch (liar->nonsense) {
    case LESS:
        return -1;
    case MORE:
        return 1;
    case SAME:
        return 0;
    case OTHERWISE:
        return (int)(calls * 2654435761u >> 30) - 1;
    case IN_A_CIRCLE:
        return (int)((a.key % 3 + 4 - b.key % 3) % 3) - 1;
    case OR_EQUAL:
        return a.key <= b.key ? -1 : 1;
    case BY_ADDRESS:
        return left < right ? 1 : -1;
    default:
        return (a.key > b.key) - (a.key < b.key);
    }
}

static void make_tagged(char *x, size_t n, size_t bytes, uint64_t *random)
{
    size_t i;

    memset(x, 0, n * bytes);
    for (i = 0; i < n; i++) {
        struct tagged item = {(uint32_t)random_below(random, n), (uint32_t)i,
                              check_of((uint32_t)i)};

        memcpy(x + i * bytes, &item, sizeof item);
    }
}

/* Are all items there, each once? */
static void check_tagged(const char *x, size_t n, size_t bytes)
{
    char *seen = calloc(n + 1, 1);
    size_t i;

    for (i = 0; i < n; i++) {
        struct tagged item;

        memcpy(&item, x + i * bytes, sizeof item);
        assert_int_equal(item.check, check_of(item.tag));
        assert_in_range(item.tag, 0, n - 1);
        assert_int_equal(seen[item.tag], 0);
        seen[item.tag] = 1;
    }
    free(seen);
}

static void a_comparison_that_contradicts_itself_loses_no_item(void **state)
{
    static const size_t sizes[] = {16, 24, 32, 40};
    static const size_t counts[] = {2,  3,  4,    5,    6,    7,    8,     9,
                                    20, 63, 1000, 2048, 2049, 9000, 40000, 0};
    uint64_t random = seed_print();
    size_t s, c, i;
    int kind;

    for (kind = 0; kind < KINDS; kind++)
        for (s = 0; s < COUNT_OF(sizes); s++)
            for (c = 0; counts[c] <= (IS_TSAN || s ? 9000u : 40000u) && counts[c]; c++) {
                size_t n = counts[c], bytes = sizes[s];
                struct liar liar = {.nonsense = (enum nonsense)kind, .bytes = bytes};
                char *x = malloc(n * bytes), *seen = calloc(n, 1);
                size_t *index = malloc(n * sizeof *index);

                make_tagged(x, n, bytes, &random);
                assert_int_equal(filch_sort(x, n, bytes, lie, &liar, .pool = *state), 0);
                assert_int_equal(liar.wrong, 0);
                check_tagged(x, n, bytes);
                assert_int_equal(
                    filch_argsort_by(x, n, bytes, index, lie, &liar, .pool = *state), 0);
                assert_int_equal(liar.wrong, 0);
                for (i = 0; i < n; i++) {
                    assert_in_range(index[i], 0, n - 1);
                    assert_int_equal(seen[index[i]]++, 0);
                }
                free(index);
                free(seen);
                free(x);
            }
}

/* --- ending early ------------------------------------------------------------------- */

static void a_cancelled_sort_keeps_each_item(void **state)
{
    static const size_t counts[] = {100, 2000, 2500, 30000};
    uint64_t random = seed_print();
    size_t c, round, ended = 0, whole = 0;

    for (c = 0; c < COUNT_OF(counts); c++)
        for (round = 0; round < 30; round++) {
            size_t n = counts[c], bytes = 16 + 8 * (round % 3);
            struct liar liar = {.nonsense = KINDS, .bytes = bytes};
            char *x = malloc(n * bytes);
            int err;

            liar.stop_after = (unsigned)(random_below(&random, n * 16) + 1);
            make_tagged(x, n, bytes, &random);
            err = filch_sort(x, n, bytes, lie, &liar, .pool = *state,
                             .cancel = &liar.cancel);
            assert_true(err == 0 || err == -ECANCELED);
            ended += err != 0;
            whole += err == 0;
            if (liar.calls >= liar.stop_after)
                assert_int_equal(err, -ECANCELED);
            check_tagged(x, n, bytes);
            liar.nonsense = KINDS;
            liar.stop_after = 0;
            filch_cancel_clear(&liar.cancel);
            if (!err) { /* then it is sorted */
                atomic_store(&liar.calls, 0);
                assert_int_equal(filch_sort(x, n, bytes, lie, &liar, .max_workers = 1),
                                 0);
                assert_in_range(liar.calls, 0, 2 * n);
            }
            free(x);
        }
    print_message("%zu ended early, %zu did not\n", ended, whole);
    assert_true(ended > 0 && whole > 0);
}

struct watch {
    size_t calls, most, last, total;
    int value;
};

static int note_progress(size_t done, size_t total, void *ctx)
{
    struct watch *watch = ctx;

    if (done < watch->last || done > total || (watch->total && watch->total != total))
        watch->value = 9;
    watch->last = done;
    watch->total = total;
    return ++watch->calls > watch->most ? 7 : watch->value;
}

/* Slow enough for a millisecond to pass. */
static int compare_slowly(const void *left, const void *right, void *ctx)
{
    const struct tagged *a = left, *b = right;
    volatile int i;

    (void)ctx;
    for (i = 0; i < 20; i++)
        continue;
    return (a->key > b->key) - (a->key < b->key);
}

static void progress_is_told_and_ends_a_sort(void **state)
{
    static struct tagged x[60000];
    uint64_t random = seed_print();
    size_t most;

    for (most = 0; most < 4; most++) {
        struct watch watch = {.most = most == 3 ? SIZE_MAX : most};
        int err;

        make_tagged((char *)x, COUNT_OF(x), sizeof *x, &random);
        err = filch_sort(x, COUNT_OF(x), sizeof *x, compare_slowly, &watch,
                         .pool = *state, .progress = note_progress, .progress_ms = 1);
        assert_true(watch.calls > watch.most || most == 3 || err == 0);
        assert_int_equal(err, watch.calls > watch.most ? 7 : 0);
        assert_int_equal(watch.value, 0);
        check_tagged((char *)x, COUNT_OF(x), sizeof *x);
    }
}

static void without_memory_nothing_is_changed(void **state)
{
    static uint32_t x[5000], y[5000];
    static size_t index[COUNT_OF(x)];
    uint64_t random = seed_print();
    const uint32_t *places[20];
    size_t i;

    for (i = 0; i < COUNT_OF(x); i++)
        x[i] = y[i] = (uint32_t)random_next(&random);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort(x, 5000, 4, by_number, NULL, .pool = *state), -ENOMEM);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort(x, 625, 32, by_number, NULL, .pool = *state), -ENOMEM);
    atomic_store(&failing, 1);
    assert_int_equal(filch_argsort_by(x, 5000, 4, index, by_number, NULL, .pool = *state),
                     -ENOMEM);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort(x, SIZE_MAX / 8, 4, by_number, NULL, .pool = *state),
                     -ENOMEM);
    for (i = 0; i < COUNT_OF(places); i++)
        places[i] = &x[i];
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort(places, SIZE_MAX / 32, sizeof *places, by_number, NULL,
                                .pool = *state),
                     -ENOMEM);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(filch_sort(x, 1, SIZE_MAX / 2, by_number, NULL), 0);
    atomic_store(&failing, 1);
    assert_int_equal(filch_sort(x, 2048, 4, by_number, NULL, .pool = *state), 0);
    atomic_store(&failing, 0);
}

/* --- arguments ---------------------------------------------------------------------- */

static void refused_sorts_change_nothing(void **state)
{
    uint32_t x[3] = {3, 2, 1};
    filch_opts foreign = {.struct_size = 1},
               good = {.struct_size = sizeof good, .abi = FILCH_HOT_ABI, .pool = *state};
    filch_cancel cancel = {0};

    assert_int_equal(filch_sort(NULL, 3, 4, by_number, NULL), -EINVAL);
    assert_int_equal(filch_sort(x, 3, 0, by_number, NULL), -EINVAL);
    assert_int_equal(filch_sort(x, 3, 4, NULL, NULL), -EINVAL);
    assert_int_equal(filch_sort(x, SIZE_MAX / 4 + 1, 4, by_number, NULL), -EINVAL);
    assert_int_equal(filch_sort(x, 2, SIZE_MAX / 2, by_number, NULL), -EINVAL);
    assert_int_equal(filch_sort_with(x, 3, 4, by_number, &foreign), -EINVAL);
    assert_int_equal(filch_sort(x, 3, 4, by_number, NULL, .grain = 2, .max_chunk = 1),
                     -EINVAL);
    filch_cancel_set(&cancel);
    assert_int_equal(filch_sort(x, 3, 4, by_number, NULL, .cancel = &cancel), -ECANCELED);
    assert_int_equal(x[0], 3);
    assert_int_equal(filch_sort(NULL, 0, 4, by_number, NULL), 0);
    assert_int_equal(filch_sort_with(x, 3, 4, by_number, &good), 0);
    assert_int_equal(x[0], 1);
    assert_int_equal(filch_sort_with(x, 3, 4, by_number, NULL), 0);
}

static void refused_sorts_of_places_change_nothing(void **state)
{
    uint32_t x[3] = {3, 2, 1};
    _Alignas(size_t) char room[4 * sizeof(size_t)];
    size_t index[3] = {7, 7, 7}, *nowhere = NULL;
    filch_opts foreign = {.struct_size = 1};
    filch_cancel cancel = {0};

    assert_int_equal(filch_argsort_by(NULL, 3, 4, index, by_number, NULL), -EINVAL);
    assert_int_equal(filch_argsort_by(x, 3, 4, nowhere, by_number, NULL), -EINVAL);
    assert_int_equal(filch_argsort_by(x, 3, 0, index, by_number, NULL), -EINVAL);
    assert_int_equal(filch_argsort_by(x, 3, 4, index, NULL, NULL), -EINVAL);
    assert_int_equal(filch_argsort_by(x, SIZE_MAX / 8, 4, index, by_number, NULL),
                     -EINVAL);
    assert_int_equal(filch_argsort_by(index, 3, 4, index, by_number, NULL), -EINVAL);
    assert_int_equal(filch_argsort_by(index + 2, 2, 4, index, by_number, NULL), 0);
    assert_int_equal(filch_argsort_by(index + 1, 2, 4, index, by_number, NULL), -EINVAL);
    assert_int_equal(
        filch_argsort_by(x, 3, 4, (size_t *)(void *)(room + 1), by_number, NULL),
        -EINVAL);
    assert_int_equal(filch_argsort_by_with(x, 3, 4, index, by_number, &foreign), -EINVAL);
    filch_cancel_set(&cancel);
    assert_int_equal(filch_argsort_by(x, 3, 4, index, by_number, NULL, .cancel = &cancel),
                     -ECANCELED);
    assert_int_equal(index[2], 7);
    assert_int_equal(filch_argsort_by(NULL, 0, 4, nowhere, by_number, NULL), 0);
    assert_int_equal(filch_argsort_by(x, 3, 4, index, by_number, NULL, .pool = *state),
                     0);
    assert_int_equal(index[0], 2);
}

#define SOME 20000

static int sort_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    uint32_t *x = malloc(SOME * sizeof *x);
    size_t i;
    int err;

    (void)begin;
    (void)end;
    memcpy(x, ctx, SOME * sizeof *x);
    err = filch_sort(x, SOME, sizeof *x, by_number, NULL, .worker = w);
    for (i = 1; i < SOME; i++)
        err |= x[i - 1] > x[i];
    free(x);
    return err;
}

static void a_sort_runs_inside_a_body_and_with_fewer_workers(void **state)
{
    static uint32_t x[SOME], y[SOME];
    uint64_t random = seed_print();
    uint32_t limit;
    size_t i;

    for (i = 0; i < SOME; i++)
        x[i] = (uint32_t)random_next(&random);
    assert_int_equal(filch_for(0, 6, sort_inside, x, .pool = *state, .max_chunk = 1), 0);
    for (limit = 1; limit < 4; limit++) {
        memcpy(y, x, sizeof x);
        assert_int_equal(filch_sort(y, SOME, sizeof *y, by_number, NULL, .pool = *state,
                                    .max_workers = limit, .grain = 5, .max_chunk = 5),
                         0);
        for (i = 1; i < SOME; i++)
            assert_true(y[i - 1] <= y[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_POOLS(a_comparison_that_contradicts_itself_loses_no_item),
        ON_POOLS(a_cancelled_sort_keeps_each_item),
        ON_POOLS(progress_is_told_and_ends_a_sort),
        ON_POOLS(without_memory_nothing_is_changed),
        ON_POOLS(refused_sorts_change_nothing),
        ON_POOLS(refused_sorts_of_places_change_nothing),
        ON_POOLS(a_sort_runs_inside_a_body_and_with_fewer_workers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
