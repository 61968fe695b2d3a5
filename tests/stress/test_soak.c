/* test_soak.c - a great many tasks of all shapes, from threads and in pools that come and
 * go: each runs exactly once, and memory stays as it was.
 *
 * A task is a leaf of a tree of joins, an item of a loop of single items, or a spawned
 * task. Rounds of four new threads, eight pools in turn (four sizes, both kinds of
 * fences); after each pool nothing of filch is left, and memory is looked at. Ends after
 * a third of FILCH_STRESS_SECONDS (3), or after FILCH_SOAK_TASKS tasks where that is set.
 * FILCH_STRESS_VERBOSE prints the figures.
 */
#include "system/process.h"
#include "watchdog.h"

#define CALLERS     4
#define POOLS       8
#define ITEMS       8192
#define TREE_DEPTH  13
#define TASKS       1000
#define ROUNDS      (IS_EMULATED || IS_TSAN || IS_ASAN ? 2 : 20)
#define MOST_GROWTH (UINT64_C(4) << 20) /* stacks are touched more, or less */

static filch_pool *pool;
static atomic_uint wrong;
static atomic_ullong tasks_run;

/* --- shapes, each of which returns its tasks, or adds to what is wrong ------------- */

struct tree {
    unsigned depth;
    size_t leaves;
};

static int count_leaves(filch_worker *w, void *ctx)
{
    struct tree *tree = ctx;
    struct tree left = {tree->depth - 1, 0}, right = left;
    int err;

    if (tree->depth == 0) {
        tree->leaves = 1;
        return 0;
    }
    err = filch_join(w, count_leaves, &left, count_leaves, &right);
    tree->leaves = left.leaves + right.leaves;
    return err;
}

static size_t run_tree(filch_worker *w)
{
    struct tree tree = {TREE_DEPTH, 0};
    int err = w ? count_leaves(w, &tree) : filch_run(count_leaves, &tree, .pool = pool);

    if (err || tree.leaves != (size_t)1 << TREE_DEPTH)
        atomic_fetch_add(&wrong, 1);
    return tree.leaves;
}

struct marks {
    unsigned char times[ITEMS];
    filch_cancel stop;
    size_t stop_at;
};

static int mark(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct marks *marks = ctx;

    (void)w;
    for (; begin < end; begin++) {
        marks->times[begin]++;
        if (begin == marks->stop_at)
            filch_cancel_set(&marks->stop);
    }
    return 0;
}

/* Returns how many items were run; more than once is wrong. */
static size_t count_marks(const struct marks *marks, size_t items)
{
    size_t i, ran = 0;

    for (i = 0; i < items; i++) {
        if (marks->times[i] > 1)
            atomic_fetch_add(&wrong, 1);
        ran += marks->times[i];
    }
    return ran;
}

static size_t run_loop(struct marks *marks, size_t items)
{
    size_t ran;

    memset(marks, 0, sizeof *marks);
    marks->stop_at = SIZE_MAX;
    if (filch_for(0, items, mark, marks, .pool = pool, .max_chunk = 1))
        atomic_fetch_add(&wrong, 1);
    ran = count_marks(marks, items);
    if (ran != items)
        atomic_fetch_add(&wrong, 1);
    return ran;
}

static size_t run_cancelled(struct marks *marks, size_t stop_at)
{
    size_t ran;
    int err;

    memset(marks, 0, sizeof *marks);
    marks->stop_at = stop_at;
    err = filch_for(0, ITEMS, mark, marks, .pool = pool, .max_chunk = 1,
                    .cancel = &marks->stop);
    ran = count_marks(marks, ITEMS);
    /* All of them may have begun before it was cancelled. */
    if (err != (ran == ITEMS ? 0 : -ECANCELED) || marks->times[stop_at] != 1)
        atomic_fetch_add(&wrong, 1);
    return ran;
}

static int count_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    (void)w;
    (void)scope;
    atomic_fetch_add_explicit(*(atomic_size_t **)ctx, 1, memory_order_relaxed);
    return 0;
}

static int spawn_tasks(filch_worker *w, filch_scope *scope, void *ctx)
{
    int i, err = 0;

    for (i = 0; i < TASKS; i++)
        err |= filch_spawn(w, scope, count_task, &ctx, sizeof ctx);
    return err;
}

static size_t run_scope(filch_worker *w)
{
    atomic_size_t ran = 0;
    int err = w ? filch_scope(spawn_tasks, &ran, .worker = w)
                : filch_scope(spawn_tasks, &ran, .pool = pool);

    if (err || atomic_load(&ran) != TASKS)
        atomic_fetch_add(&wrong, 1);
    return atomic_load(&ran);
}

/* A tree and a scope in each item of a loop. */
static int nest(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    for (; begin < end; begin++)
        atomic_fetch_add((atomic_size_t *)ctx, begin % 2 ? run_tree(w) : run_scope(w));
    return 0;
}

static size_t run_nested(void)
{
    atomic_size_t ran = 0;

    if (filch_for(0, 4, nest, &ran, .pool = pool, .grain = 1) ||
        atomic_load(&ran) != 2 * TASKS + ((size_t)2 << TREE_DEPTH))
        atomic_fetch_add(&wrong, 1);
    return atomic_load(&ran);
}

/* --- the run ---------------------------------------------------------------------- */

static void *call_all(void *arg)
{
    struct marks *marks = malloc(sizeof *marks);
    size_t ran = 0, i;

    (void)arg;
    if (!marks) {
        atomic_fetch_add(&wrong, 1);
        return NULL;
    }
    for (i = 0; i < 4; i++)
        ran += run_tree(NULL) + run_loop(marks, ITEMS);
    for (i = 0; i < 20; i++)
        ran += run_loop(marks, 10);
    ran += run_scope(NULL) + run_nested() + run_cancelled(marks, ITEMS / 3);
    atomic_fetch_add(&wrong, (unsigned)sum_wrongly(pool));
    free(marks);
    atomic_fetch_add(&tasks_run, ran);
    return NULL;
}

static void run_pool(unsigned nth)
{
    static const unsigned sizes[] = {1, 2, 3, 8};
    static char classic[] = "FILCH_FENCES=classic", best[] = "FILCH_FENCES=";
    int round;

    putenv(nth / 4 % 2 ? classic : best);
    assert_int_equal(
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = sizes[nth % 4])), 0);
    for (round = 0; round < ROUNDS; round++) {
        run_threads(CALLERS, call_all, NULL);
        watchdog_restart(60);
    }
    filch_pool_destroy(pool);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(are_threads_gone(1));
}

static void run_all_pools(void)
{
    unsigned i;

    for (i = 0; i < POOLS; i++)
        run_pool(i);
}

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void tasks_run_exactly_once_and_memory_stays_as_it_was(void **state)
{
    const char *length = getenv("FILCH_STRESS_SECONDS"),
               *text = getenv("FILCH_SOAK_TASKS");
    double seconds = (length && atof(length) > 0 ? atof(length) : 3.0) / 3.0;
    unsigned long long most = text ? strtoull(text, NULL, 10) : 0;
    uint64_t since = now_ns(), resident_before, resident;
    size_t in_use_before, in_use;
    unsigned cycles = 1;

    (void)state;
    run_all_pools();
    in_use_before = bytes_in_use();
    resident_before = resident_bytes();
    do {
        run_all_pools();
        cycles++;
        in_use = bytes_in_use();
        resident = resident_bytes();
    } while (most ? atomic_load(&tasks_run) < most
                  : (double)(now_ns() - since) < seconds * 1e9);
    if (getenv("FILCH_STRESS_VERBOSE"))
        fprintf(stderr,
                "%llu tasks, %u threads, %u pools, %.1f s; resident %.2f MB, at first"
                " %.2f; allocated %zu bytes, at first %zu\n",
                atomic_load(&tasks_run), cycles * POOLS * (unsigned)ROUNDS * CALLERS,
                cycles * POOLS, (double)(now_ns() - since) / 1e9, (double)resident / 1e6,
                (double)resident_before / 1e6, in_use, in_use_before);
    assert_int_equal(in_use, in_use_before);
    if (IS_ASAN + IS_TSAN == 0) /* they keep what was freed */
        assert_true(resident <= resident_before + MOST_GROWTH);
}

/* What malloc keeps for each thread counts as in use, and differs from run to run. */
static void want_plain_malloc(char **argv)
{
    if (getenv("GLIBC_TUNABLES"))
        return;
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_exactly_once_and_memory_stays_as_it_was),
    };

    (void)argc;
    want_plain_malloc(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
