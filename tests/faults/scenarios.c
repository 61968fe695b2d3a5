/* scenarios.c - see scenarios.h. */
#define _GNU_SOURCE /* usleep, SCHED_BATCH */
#include "scenarios.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filch/filch.h>

#define COUNT 20000

/* In scenarios: leave with the line, unless it holds. */
#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

/* A pool of so many workers, or NULL and the error of the system's, which is allowed. */
static filch_pool *make(unsigned workers, int *err)
{
    filch_pool *pool = NULL;

    *err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = workers));
    return pool;
}

/* --- loops ------------------------------------------------------------------------ */

static int add_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    size_t sum = 0;

    (void)w;
    for (; begin < end; begin++)
        sum += begin;
    atomic_fetch_add((atomic_size_t *)ctx, sum);
    return 0;
}

static int nested_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    for (; begin < end; begin++)
        if (filch_for(0, 100, add_range, ctx, .grain = 5))
            return 1;
    return 0;
}

static int square(filch_worker *w, const void *in, void *out, size_t count, void *ctx)
{
    const uint32_t *from = in;
    uint64_t *to = out;
    size_t i;

    (void)w;
    (void)ctx;
    for (i = 0; i < count; i++)
        to[i] = (uint64_t)from[i] * from[i];
    return 0;
}

static int add_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    size_t rows = tile->row_end - tile->row_begin;

    (void)w;
    atomic_fetch_add((atomic_size_t *)ctx,
                     rows * (tile->column_end - tile->column_begin));
    return 0;
}

static int go_on(size_t done, size_t total, void *ctx)
{
    (void)done;
    (void)total;
    (void)ctx;
    return 0;
}

/* All loops; pool: NULL for the default one. */
static int check_loops(filch_pool *pool)
{
    static filch_cancel never;
    static uint32_t in[COUNT];
    static uint64_t out[COUNT];
    atomic_size_t sum = 0;
    size_t i;

    CHECK(filch_for(0, COUNT, add_range, &sum, .pool = pool, .grain = 10) == 0);
    CHECK(atomic_load(&sum) == (size_t)COUNT * (COUNT - 1) / 2);
    usleep(2000); /* the workers fall asleep */
    atomic_store(&sum, 0);
    CHECK(filch_for(0, 50, nested_range, &sum, .pool = pool, .max_chunk = 1,
                    .cancel = &never, .progress = go_on, .progress_ms = 1) == 0);
    CHECK(atomic_load(&sum) == (size_t)50 * 4950);
    for (i = 0; i < COUNT; i++)
        in[i] = (uint32_t)i;
    CHECK(filch_map(in, sizeof *in, out, sizeof *out, COUNT, square, NULL,
                    .pool = pool) == 0);
    for (i = 0; i < COUNT; i++)
        CHECK(out[i] == (uint64_t)i * i);
    atomic_store(&sum, 0);
    CHECK(filch_for_2d(0, 100, 0, 200, add_tile, &sum, .pool = pool) == 0);
    CHECK(atomic_load(&sum) == 20000);
    return 0;
}

static int loops(void)
{
    int err, line;
    filch_pool *pool = make(3, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    line = check_loops(pool);
    filch_pool_destroy(pool);
    return line;
}

static int loops_of_the_default_pool(void)
{
    filch_stats stats = {.struct_size = sizeof stats};
    int line = check_loops(NULL);

    CHECK(line == 0);
    CHECK(filch_pool_workers(NULL) >= 1);
    CHECK(filch_stats_get(NULL, &stats) == 0);
    return 0;
}

/* --- reductions ------------------------------------------------------------------- */

struct large {
    uint64_t sum, filler[20000];
};

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++)
        *(uint64_t *)acc += begin;
    return 0;
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static int check_reduce(filch_pool *pool, uint32_t limit)
{
    static struct large large;
    uint64_t sum = 0, expected = (uint64_t)COUNT * (COUNT - 1) / 2;
    int err;

    CHECK(filch_reduce(0, COUNT, &sum, sizeof sum, fold, add, NULL, .pool = pool,
                       .max_workers = limit) == 0);
    CHECK(sum == expected);
    memset(&large, 0, sizeof large);
    err = filch_reduce(0, COUNT, &large, sizeof large, fold, add, NULL, .pool = pool,
                       .max_workers = limit);
    CHECK(err == 0 || err == -ENOMEM);
    CHECK(large.sum == (err ? 0 : expected)); /* "and nothing run" */
    return 0;
}

static int check_typed(filch_pool *pool)
{
    static double x[COUNT];
    struct filch_moments moments;
    double sum = 0;
    size_t least = 0, i;

    for (i = 0; i < COUNT; i++)
        x[i] = i == 12345 ? -1 : (double)(i % 100);
    CHECK(filch_sum(x, COUNT, &sum, .pool = pool) == 0);
    CHECK(sum == 990000 - 1 - 45);
    CHECK(filch_argmin(x, COUNT, &least, .pool = pool) == 0 && least == 12345);
    CHECK(filch_moments(x, COUNT, &moments, .pool = pool) == 0);
    CHECK(moments.count == COUNT && moments.mean * COUNT > 989953);
    return 0;
}

static int reductions(void)
{
    int err, line;
    filch_pool *pool = make(2, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    line = check_reduce(pool, 0);
    line = line ? line : check_reduce(pool, 1);
    line = line ? line : check_typed(pool);
    filch_pool_destroy(pool);
    return line;
}

/* --- algorithms with memory of their own -------------------------------------------- */

static int check_sort(filch_pool *pool)
{
    static uint64_t x[4 * COUNT];
    size_t i;
    int err;

    for (i = 0; i < 4 * COUNT; i++) /* half of them close to one another */
        x[i] = i % 2 ? i * UINT64_C(0x9e3779b97f4a7c15) : 4 * COUNT - i;
    err = filch_sort_keys(x, 4 * COUNT, .pool = pool);
    CHECK(err == 0 || err == -ENOMEM);
    if (err) {
        for (i = 0; i < 4 * COUNT; i++)
            CHECK(x[i] == (i % 2 ? i * UINT64_C(0x9e3779b97f4a7c15) : 4 * COUNT - i));
        return 0;
    }
    for (i = 1; i < 4 * COUNT; i++)
        CHECK(x[i - 1] < x[i]);
    return 0;
}

static int by_remainder(const void *left, const void *right, void *ctx)
{
    uint32_t a = *(const uint32_t *)left % 1000, b = *(const uint32_t *)right % 1000;

    (void)ctx;
    return (a > b) - (a < b);
}

static int check_sort_by(filch_pool *pool)
{
    static uint32_t x[COUNT];
    uint32_t i;
    int err;

    for (i = 0; i < COUNT; i++)
        x[i] = i * 7919;
    err = filch_sort(x, COUNT, sizeof *x, by_remainder, NULL, .pool = pool);
    CHECK(err == 0 || err == -ENOMEM);
    for (i = 0; i < COUNT && err; i++)
        CHECK(x[i] == i * 7919);
    for (i = 1; i < COUNT && !err; i++)
        CHECK(x[i - 1] % 1000 <= x[i] % 1000);
    return 0;
}

static int emit_remainders(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                           void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++) {
        uint64_t key = begin % 5000, *sum = filch_emit(out, begin, &key, sizeof key);

        if (!sum)
            return -ENOMEM;
        *sum += begin;
    }
    return 0;
}

static int check_group(filch_pool *pool)
{
    uint64_t key = 4321;
    filch_group_item *items;
    filch_groups *groups;
    const uint64_t *sum;
    bool is_found;
    int err = filch_group(&groups, 0, COUNT, emit_remainders,
                          FILCH_GROUP_BY(.value_bytes = sizeof *sum, .combine = add,
                                         .key_bytes = sizeof key),
                          NULL, .pool = pool, .grain = COUNT / 2);

    CHECK(err == 0 || (err == -ENOMEM && !groups));
    if (err)
        return 0;
    sum = filch_groups_find(groups, &key, sizeof key);
    is_found = sum && *sum == 4 * key + 5000 * 6 && filch_groups_count(groups) == 5000;
    err = filch_groups_items(groups, FILCH_GROUP_BY_FIRST, &items, NULL, .pool = pool);
    is_found = is_found && (err == -ENOMEM || (err == 0 && items[4321].first == 4321));
    filch_groups_destroy(groups);
    CHECK(is_found);
    return 0;
}

static int check_numbers(filch_pool *pool)
{
    static uint32_t numbers[3 * COUNT];
    static uint64_t counts[COUNT];
    uint64_t sum = 0;
    uint32_t i;
    int err;

    memset(counts, 0, sizeof counts);
    for (i = 0; i < 3 * COUNT; i++)
        numbers[i] = i / 3;
    err = filch_shuffle(numbers, 3 * COUNT, sizeof *numbers, 1, .pool = pool);
    CHECK(err == -ENOMEM || (err == 0 && numbers[0] + numbers[1] + numbers[2] > 0));
    err = filch_histogram_uint32(numbers, 3 * COUNT, counts, COUNT,
                                 FILCH_OPTS(NULL, .pool = pool));
    CHECK(err == 0 || err == -ENOMEM);
    for (i = 0; i < COUNT; i++) {
        CHECK(counts[i] == (err ? 0 : 3));
        sum += counts[i];
    }
    CHECK(sum == (err ? 0 : 3 * COUNT));
    return 0;
}

static int algorithms(void)
{
    int err, line;
    filch_pool *pool = make(2, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    line = check_group(pool);
    line = line ? line : check_numbers(pool);
    line = line ? line : check_sort(pool);
    line = line ? line : check_sort_by(pool);
    filch_pool_destroy(pool);
    return line;
}

/* --- fork-join -------------------------------------------------------------------- */

struct spawn {
    char text[200]; /* too long for what workers keep */
    atomic_uint *ran;
};

static int spawned(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct spawn *spawn = ctx;

    (void)w;
    (void)scope;
    if (strcmp(spawn->text, "as it was copied") != 0)
        return 1;
    atomic_fetch_add(spawn->ran, 1);
    return 0;
}

static int spawn_many(filch_worker *w, filch_scope *scope, void *ctx)
{
    struct spawn spawn = {.text = "as it was copied", .ran = ctx};
    int i, err = 0;

    for (i = 0; i < 600; i++) {
        err |= filch_spawn(w, scope, spawned, &spawn, sizeof spawn);
        if (i == 300)
            err |= filch_sync(w, scope) || atomic_load(spawn.ran) != 301;
    }
    strcpy(spawn.text, "changed afterwards");
    return err;
}

struct node {
    int n;
    long result;
};

static int fib(filch_worker *w, void *ctx)
{
    struct node *node = ctx, left = {node->n - 1, 0}, right = {node->n - 2, 0};
    int err;

    if (node->n < 2) {
        node->result = node->n;
        return 0;
    }
    err = filch_join(w, fib, &left, fib, &right);
    node->result = left.result + right.result;
    return err;
}

static int fork_join(void)
{
    atomic_uint ran = 0;
    struct node root = {16, 0};
    int err;
    filch_pool *pool = make(3, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    err = filch_scope(spawn_many, &ran, .pool = pool);
    if (!err && atomic_load(&ran) == 600)
        err = filch_run(fib, &root, .pool = pool);
    filch_pool_destroy(pool);
    CHECK(err == 0);
    CHECK(root.result == 987);
    return 0;
}

/* --- worker-local slots ----------------------------------------------------------- */

static int count_in_slot(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    size_t *slot = filch_local_get(ctx, w);

    if (!slot)
        return -ENOMEM;
    *slot += end - begin;
    return 0;
}

static int add_slot(void *slot, void *ctx)
{
    *(size_t *)ctx += *(size_t *)slot;
    return 0;
}

static int slots(void)
{
    size_t sum = 0;
    filch_local *local = NULL;
    int err;
    filch_pool *pool = make(3, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    err = filch_local_create(&local, pool, sizeof(size_t), NULL, NULL);
    if (!err) {
        err = filch_for(0, COUNT, count_in_slot, local, .pool = pool, .grain = 10);
        if (!err)
            err = filch_local_each(local, add_slot, &sum);
    }
    filch_local_destroy(local, NULL, NULL);
    filch_pool_destroy(pool);
    CHECK(err == -ENOMEM || (err == 0 && sum == COUNT));
    return 0;
}

/* --- threads and processes ---------------------------------------------------------- */

#define CALLERS 12

static void *call(void *arg)
{
    atomic_size_t sum = 0;
    int i;

    for (i = 0; i < 20; i++) {
        atomic_store(&sum, 0);
        if (filch_for(0, COUNT, add_range, &sum, .pool = arg, .grain = 50) ||
            atomic_load(&sum) != (size_t)COUNT * (COUNT - 1) / 2)
            return "wrong";
    }
    return NULL;
}

/* More than there are slots for. */
static int callers(void)
{
    pthread_t thread[CALLERS];
    int err, count, i, wrong = 0;
    void *result;
    filch_pool *pool = make(2, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    for (count = 0; count < CALLERS; count++)
        if (pthread_create(&thread[count], NULL, call, pool))
            break;
    for (i = 0; i < count; i++) {
        pthread_join(thread[i], &result);
        wrong += result != NULL;
    }
    filch_pool_destroy(pool);
    CHECK(wrong == 0);
    return 0;
}

/* Of another scheduling class than the process, and of less priority. */
static void *make_and_call(void *arg)
{
    static const struct sched_param no_priority;
    int err, *line = arg;
    filch_pool *pool;

    (void)sched_setscheduler(0, SCHED_BATCH, &no_priority);
    (void)syscall(SYS_setpriority, PRIO_PROCESS, 0, 5); /* not the one that may fail */
    pool = make(3, &err);
    if (!pool) {
        *line = err < 0 ? 0 : __LINE__;
        return NULL;
    }
    *line = check_loops(pool);
    filch_pool_destroy(pool);
    return NULL;
}

static int a_caller_of_another_class(void)
{
    pthread_t thread;
    int line = 0;

    if (pthread_create(&thread, NULL, make_and_call, &line))
        return 0;
    pthread_join(thread, NULL);
    return line;
}

static int a_fork_in_between(void)
{
    int err, line, status = 0;
    pid_t child;
    filch_pool *pool = make(3, &err);

    if (!pool)
        return err < 0 ? 0 : __LINE__;
    line = check_loops(pool);
    child = line ? 0 : fork();
    if (!line && child == 0) {
        line = check_loops(pool);
        filch_pool_destroy(pool);
        _exit(line ? 1 : 0);
    }
    if (!line && (child < 0 || waitpid(child, &status, 0) != child || status != 0))
        line = __LINE__;
    line = line ? line : check_loops(pool);
    filch_pool_destroy(pool);
    return line;
}

const struct scenario scenarios[] = {
    {"loops", loops, false},
    {"loops of the default pool", loops_of_the_default_pool, true},
    {"reductions", reductions, false},
    {"algorithms", algorithms, false},
    {"fork-join", fork_join, false},
    {"worker-local slots", slots, false},
    {"callers", callers, false},
    {"a caller of another class", a_caller_of_another_class, false},
    {"a fork in between", a_fork_in_between, false},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
