/* test_stacks.c - how deep filch goes: every kind of call, on threads with the smallest stacks
 * that a pool gives, and on stacks that are painted before and looked at afterwards.
 *
 * A sanitizer's frames are larger, and so is what it keeps of a thread: those builds leave this
 * out. The bodies here need next to nothing.
 */
#include "process.h"

#include "base.h"
#include "platform.h"

#define WORKERS     4
#define ITEMS       300000u
#define FEW         3000u
#define PAINT       UINT64_C(0x5bd1e995a5a5a5a5)
#define LARGE_STACK (512u * 1024)

/* --- calls ------------------------------------------------------------------------ */

static struct {
    double x[ITEMS], y[ITEMS];
    uint64_t keys[ITEMS], counts[ITEMS], sorted[ITEMS];
    uint32_t bins[ITEMS];
    size_t places[ITEMS];
    const char *strings[ITEMS];
    char text[ITEMS][8];
} data;

static void fill(void)
{
    uint64_t random = 1;
    size_t i;

    for (i = 0; i < ITEMS; i++) {
        data.keys[i] = random_next(&random) % 4 ? random_next(&random) : 7 * i;
        data.x[i] = (double)(int64_t)data.keys[i];
        data.bins[i] = (uint32_t)(data.keys[i] >> 40) % ITEMS;
        data.sorted[i] = 2 * i;
        snprintf(data.text[i], sizeof data.text[i], "%06x",
                 (unsigned)(data.keys[i] >> 44));
        data.strings[i] = data.text[i];
    }
}

static int is_odd(const void *item, void *ctx)
{
    (void)ctx;
    return (int)(*(const uint64_t *)item & 1);
}

static int are_equal(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static int compare(const void *a, const void *b, void *ctx)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    (void)ctx;
    return (left > right) - (left < right);
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static void add_item(void *left, const void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(const uint64_t *)right;
}

static int add_range(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    (void)ctx;
    *(uint64_t *)acc += end - begin;
    return 0;
}

static int nothing_2d(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    (void)w;
    (void)tile;
    (void)ctx;
    return 0;
}

static int nothing_3d(filch_worker *w, const filch_tile_3d *tile, void *ctx)
{
    (void)w;
    (void)tile;
    (void)ctx;
    return 0;
}

static int copy(filch_worker *w, const void *in, void *out, size_t count, void *ctx)
{
    (void)w;
    (void)ctx;
    memcpy(out, in, count * sizeof(uint64_t));
    return 0;
}

static int find_bins(filch_worker *w, size_t begin, size_t end, uint32_t *bin,
                     double *weight, void *ctx)
{
    (void)w;
    for (; begin < end; begin++, bin++) {
        *bin = data.bins[begin] % (uint32_t)(uintptr_t)ctx;
        if (weight)
            *weight++ = 1;
    }
    return 0;
}

static int emit(filch_worker *w, size_t begin, size_t end, filch_emitter *out, void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++) {
        uint64_t key = data.bins[begin] % 5000;
        uint64_t *sum = filch_emit(out, begin, &key, sizeof key);

        if (!sum)
            return -ENOMEM;
        *sum += 1;
    }
    return 0;
}

static int loops(size_t n)
{
    atomic_size_t sum = 0;
    uint64_t folded = 0;

    return filch_for(0, n, sum_range, &sum, .grain = 10) |
           filch_for_2d(0, n / 100, 0, 100, nothing_2d, NULL) |
           filch_for_3d(0, n / 1000, 0, 10, 0, 100, nothing_3d, NULL) |
           filch_map(data.keys, 8, data.counts, 8, n, copy, NULL) |
           filch_reduce(0, n, &folded, sizeof folded, add_range, add, NULL, .grain = 7);
}

static int tasks(size_t n)
{
    (void)n;
    return sum_wrongly(filch_pool_default()) != 0;
}

static int fold_arrays(size_t n)
{
    struct filch_moments moments;
    double value;
    size_t at;

    return filch_sum(data.x, n, &value) | filch_dot(data.x, data.x, n, &value) |
           filch_min(data.x, n, &value) | filch_argmax(data.x, n, &at) |
           filch_moments(data.x, n, &moments);
}

static int scans(size_t n)
{
    uint64_t carry = 0;

    return filch_scan_sum(data.x, n, data.y) | filch_scan_min(data.x, n, data.y) |
           filch_scan(data.keys, data.counts, n, 8, &carry, add_item, NULL);
}

static int packs(size_t n)
{
    size_t kept;

    return filch_filter(data.keys, data.counts, n, 8, &kept, is_odd, NULL) |
           filch_partition(data.keys, data.counts, n, 8, &kept, is_odd, NULL) |
           filch_unique(data.keys, data.counts, n, 8, &kept, are_equal, NULL) |
           filch_where(data.keys, data.places, n, 8, &kept, is_odd, NULL) |
           filch_count_if(data.keys, n, 8, &kept, is_odd, NULL);
}

static int searches(size_t n)
{
    size_t at;
    int answer;

    return filch_find(data.keys, n, 8, &at, is_odd, NULL) |
           filch_all(data.keys, n, 8, &answer, is_odd, NULL) |
           filch_argmin_by(data.keys, n, 8, &at, compare, NULL) |
           filch_lower_bounds(data.sorted, n, 8, data.keys, n, 8, data.places, compare,
                              NULL) |
           filch_merge(data.sorted, n / 2, data.sorted, n / 2, data.counts, 8, compare,
                       NULL);
}

static int sorts_of_numbers(size_t n)
{
    uint32_t *half = (uint32_t *)data.y;
    int err;

    memcpy(data.counts, data.keys, n * 8);
    err = filch_sort_keys(data.counts, n);
    memcpy(data.counts, data.keys, n * 8);
    err |= filch_sort_pairs(data.counts, data.places, n);
    memcpy(half, data.bins, n * 4);
    err |= filch_sort_pairs(half, data.bins, n);
    memcpy(half, data.bins, n * 4);
    err |= filch_sort_keys(half, n);
    memcpy(data.y, data.x, n * 8);
    err |= filch_sort_keys(data.y, n) | filch_argsort(data.keys, n, data.places);
    memcpy(data.counts, data.keys, n * 8);
    return err | filch_sort_range(data.counts, n, n / 3, n / 2);
}

static int sorts_by_comparison(size_t n)
{
    int err;

    memcpy(data.counts, data.keys, n * 8);
    err = filch_sort(data.counts, n, 8, compare, NULL) |
          filch_argsort_by(data.keys, n, 8, data.places, compare, NULL);
    memcpy(data.counts, data.keys, n * 8);
    return err | filch_sort_range_by(data.counts, n, 8, n / 3, n / 2, compare, NULL) |
           filch_sort_strings(data.strings, n);
}

static int groups_and_bins(size_t n)
{
    filch_groups *groups;
    filch_group_item *items;
    int err =
        filch_group(&groups, 0, n, emit,
                    FILCH_GROUP_BY(.value_bytes = 8, .combine = add, .key_bytes = 8),
                    NULL, .grain = n / 8);

    if (!err)
        err = filch_groups_items(groups, FILCH_GROUP_BY_KEY, &items, NULL);
    filch_groups_destroy(groups);
    return err | filch_histogram_uint32(data.bins, n, data.counts, ITEMS, NULL) |
           filch_histogram(0, n, data.counts, 100, find_bins, (void *)100) |
           filch_histogram(0, n, data.counts, ITEMS, find_bins, (void *)ITEMS) |
           filch_histogram_sums(0, n, data.y, 100, find_bins, (void *)100) |
           filch_histogram_sums(0, n, data.y, ITEMS, find_bins, (void *)ITEMS) |
           filch_shuffle(data.places, n, 8, 1);
}

static const struct {
    const char *name;
    int (*call)(size_t n);
} calls[] = {
    {"loops", loops},
    {"tasks", tasks},
    {"sums and moments", fold_arrays},
    {"scans", scans},
    {"packs", packs},
    {"searches", searches},
    {"sorts of numbers", sorts_of_numbers},
    {"sorts by comparison", sorts_by_comparison},
    {"groups and histograms", groups_and_bins},
};

/* Lies on the stack of each thread, where the C library puts it. */
static _Thread_local volatile char thread_local_memory[200000];

/* --- painted stacks --------------------------------------------------------------- */

/* Of the caller, and of each of the pool's threads. */
static struct stack {
    volatile uint64_t *low;
    char *top; /* where the caller's call begins; else the end of the stack */
    size_t bytes;
} stacks[WORKERS];
static atomic_uint painted;

__attribute__((noinline)) static void paint_below(struct stack *stack)
{
    volatile uint64_t *word;

    /* Not the frames of this function and of what it has called. */
    for (word = stack->low; (char *)word < (char *)__builtin_frame_address(0) - 1024;
         word++)
        *word = PAINT;
}

static void paint_own(struct stack *stack)
{
    pthread_attr_t attributes;
    void *low;
    size_t bytes;

    if (pthread_getattr_np(pthread_self(), &attributes))
        abort();
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    thread_local_memory[0] = 1;
    *stack = (struct stack){low, (char *)low + bytes, bytes};
    paint_below(stack);
}

static size_t used(const struct stack *stack)
{
    volatile uint64_t *word = stack->low;

    while (*word == PAINT)
        word++;
    return (size_t)(stack->top - (char *)word);
}

static int paint_here(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    pthread_t *caller = ctx;

    (void)w;
    (void)begin;
    (void)end;
    if (!pthread_equal(pthread_self(), *caller))
        paint_own(&stacks[1 + atomic_fetch_add(&painted, 1) % (WORKERS - 1)]);
    else
        atomic_fetch_add(&painted, WORKERS);
    while (atomic_load(&painted) < 2 * WORKERS - 1)
        sched_yield();
    return 0;
}

struct measure {
    filch_pool *pool;
    pthread_t caller;
    int (*call)(size_t n);
    atomic_uint inside;
    int err;
    size_t on_caller, on_threads;
};

static int call_both(int (*call)(size_t n))
{
    return call(FEW) | call(ITEMS);
}

static int run_calls_of(filch_worker *w, void *ctx)
{
    struct measure *measure = ctx;

    (void)w;
    return call_both(measure->call);
}

/* One after the other, as they share their data; each on a thread of its own. */
static int call_inside(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct measure *measure = ctx;
    unsigned place = atomic_fetch_add(&measure->inside, 1);
    int err = 0;

    (void)w;
    (void)begin;
    (void)end;
    while (atomic_load(&measure->inside) < WORKERS)
        sched_yield();
    while (atomic_load(&measure->inside) != WORKERS + place)
        sched_yield();
    if (!pthread_equal(pthread_self(), measure->caller))
        err = call_both(measure->call);
    atomic_fetch_add(&measure->inside, 1);
    return err;
}

static void *measure_call(void *arg)
{
    struct measure *measure = arg;
    int i;

    measure->caller = pthread_self();
    atomic_store(&painted, 0);
    measure->err = filch_for(0, WORKERS, paint_here, &measure->caller,
                             .pool = measure->pool, .grain = 1);
    paint_own(&stacks[0]);
    stacks[0].top = __builtin_frame_address(0);
    measure->err |= filch_run(run_calls_of, measure, .pool = measure->pool);
    measure->on_caller = used(&stacks[0]);
    atomic_store(&measure->inside, 0);
    measure->err |=
        filch_for(0, WORKERS, call_inside, measure, .pool = measure->pool, .grain = 1);
    for (i = 1; i < WORKERS; i++)
        measure->on_threads = FL_MAX(measure->on_threads, used(&stacks[i]));
    return NULL;
}

static void on_large_stack(void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LARGE_STACK);
    assert_int_equal(pthread_create(&thread, &attributes, run, arg), 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
}

/* --- tests ------------------------------------------------------------------------ */

static int tell_stack(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct measure *measure = ctx;

    if (!pthread_equal(pthread_self(), measure->caller))
        paint_own(&stacks[1]);
    else
        while (!atomic_load(&measure->inside))
            sched_yield();
    atomic_store(&measure->inside, 1);
    (void)w;
    (void)begin;
    (void)end;
    return 0;
}

static size_t least_stack_of_a_pool(void)
{
    struct measure measure = {.caller = pthread_self()};
    filch_pool *pool;

    assert_int_equal(
        filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 2, .stack_bytes = 1)), 0);
    assert_int_equal(filch_for(0, 2, tell_stack, &measure, .pool = pool, .grain = 1), 0);
    filch_pool_destroy(pool);
    return stacks[1].bytes;
}

static void no_call_takes_more_stack_than_the_header_says(void **state)
{
    size_t least = least_stack_of_a_pool(), i;
    size_t most_on_caller = 0, most_on_threads = 0;
    filch_pool *pool;

    (void)state;
    assert_int_equal(
        filch_pool_create(
            &pool, FILCH_POOL_OPTIONS(.workers = WORKERS, .stack_bytes = LARGE_STACK)),
        0);
    for (i = 0; i < COUNT_OF(calls); i++) {
        struct measure measure = {.pool = pool, .call = calls[i].call};

        on_large_stack(measure_call, &measure);
        assert_int_equal(measure.err, 0);
        print_message("%s: %zu bytes, inside a body on a pool's thread %zu\n",
                      calls[i].name, measure.on_caller, measure.on_threads);
        most_on_caller = FL_MAX(most_on_caller, measure.on_caller);
        most_on_threads = FL_MAX(most_on_threads, measure.on_threads);
    }
    filch_pool_destroy(pool);
    print_message("the least stack is %zu bytes\n", least);
    assert_in_range(most_on_caller, 1024, FL_CALL_STACK_BYTES);
    assert_in_range(most_on_threads + FL_BODY_STACK_BYTES, 1024, least);
}

struct making {
    size_t on_maker;
    int err;
};

static void *measure_making(void *arg)
{
    struct making *making = arg;
    filch_pool *pool;

    paint_own(&stacks[0]);
    stacks[0].top = __builtin_frame_address(0);
    making->err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3));
    if (!making->err)
        filch_pool_destroy(pool);
    making->on_maker = used(&stacks[0]);
    return NULL;
}

static void making_a_pool_takes_no_more_stack_than_the_header_says(void **state)
{
    struct making making = {0};

    (void)state;
    on_large_stack(measure_making, &making);
    assert_int_equal(making.err, 0);
    print_message("making a pool: %zu bytes\n", making.on_maker);
    assert_in_range(making.on_maker, 1024, 128 * 1024);
}

struct small {
    filch_pool *pool;
    int err;
};

static void *call_all(void *arg)
{
    struct small *small = arg;
    size_t i;

    for (i = 0; i < COUNT_OF(calls); i++) {
        struct measure measure = {
            .pool = small->pool, .call = calls[i].call, .caller = pthread_self()};

        small->err |=
            filch_run(run_calls_of, &measure, .pool = small->pool) |
            filch_for(0, WORKERS, call_inside, &measure, .pool = small->pool, .grain = 1);
    }
    return NULL;
}

static void every_call_works_on_the_smallest_stacks(void **state)
{
    static const size_t sizes[] = {1, 4096, 24576, 65537};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(sizes); i++) {
        struct small small = {0};

        assert_int_equal(
            filch_pool_create(&small.pool, FILCH_POOL_OPTIONS(.workers = WORKERS,
                                                              .stack_bytes = sizes[i])),
            0);
        call_all(&small);
        filch_pool_destroy(small.pool);
        assert_int_equal(small.err, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_takes_more_stack_than_the_header_says),
        cmocka_unit_test(making_a_pool_takes_no_more_stack_than_the_header_says),
        cmocka_unit_test(every_call_works_on_the_smallest_stacks),
    };

    fill();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
