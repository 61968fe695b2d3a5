/* A C program that uses an installed filch: a loop, a reduction, a join,
 * algorithms over arrays, its own pool. */
#include <filch/filch.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 100000 };

static int square(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    long *value = ctx;

    (void)w;
    for (size_t i = begin; i < end; i++)
        value[i] *= value[i];
    return 0;
}

static const long *summed;

static int add_items(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    long *sum = acc;

    (void)w;
    (void)ctx;
    for (size_t i = begin; i < end; i++)
        *sum += summed[i];
    return 0;
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(long *)left += *(long *)right;
}

struct fib {
    int n;
    long result;
};

static int fib(filch_worker *w, void *ctx)
{
    struct fib *f = ctx, left = {f->n - 1, 0}, right = {f->n - 2, 0};
    int err = 0;

    if (f->n < 2) {
        f->result = f->n;
        return 0;
    }
    err = filch_join(w, fib, &left, fib, &right);
    f->result = left.result + right.result;
    return err;
}

static int check(const char *what, long got, long expected)
{
    if (got == expected)
        return 0;
    fprintf(stderr, "%s: %ld instead of %ld\n", what, got, expected);
    return 1;
}

static int is_even(const void *item, void *ctx)
{
    return (void)ctx, *(const int64_t *)item % 2 == 0;
}

static int by_number(const void *left, const void *right, void *ctx)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (void)ctx, (a > b) - (a < b);
}

static int emit_rests(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                      void *ctx)
{
    (void)w;
    (void)ctx;
    for (size_t i = begin; i < end; i++) {
        uint64_t key = i % 10;

        if (!filch_emit(out, i, &key, sizeof key))
            return -1;
    }
    return 0;
}

/* One of each kind of macro, with options and without. */
static int algorithms(filch_pool *pool)
{
    int64_t x[] = {3, 1, 2}, out[3], carry = 0;
    uint64_t counts[4] = {0};
    const uint32_t bins[] = {3, 1, 3};
    char *name[] = {"b", "a"};
    filch_groups *groups;
    size_t kept = 0, at = 0;
    int failed = 0;

    failed |= check("scan", filch_scan_sum(x, 3, out), 0);
    failed |= check("last", (long)out[2], 6);
    failed |= check("exscan", filch_exscan_sum(x, 3, out, &carry, .pool = pool), 0);
    failed |= check("carry", (long)carry, 6);
    failed |=
        check("filter",
              filch_filter(x, out, 3, sizeof *x, &kept, is_even, NULL, .pool = pool), 0);
    failed |= check("kept", kept == 1 && out[0] == 2, 1);
    failed |= check("find", filch_find(x, 3, sizeof *x, &at, is_even, NULL), 0);
    failed |= check("at", (long)at, 2);
    failed |= check("shuffle", filch_shuffle(x, 3, sizeof *x, 1), 0);
    failed |= check("shuffle", filch_shuffle(x, 3, sizeof *x, 1, .pool = pool), 0);
    failed |= check("sort", filch_sort(x, 3, sizeof *x, by_number, NULL), 0);
    failed |= check("sorted", x[0] == 1 && x[2] == 3, 1);
    failed |= check("sort_keys", filch_sort_keys(x, 3), 0);
    failed |= check("sort_pairs", filch_sort_pairs(x, out, 3, .pool = pool), 0);
    failed |= check("strings", filch_sort_strings(name, 2, .pool = pool), 0);
    failed |= check("first", name[0][0], 'a');
    failed |= check("histogram", filch_histogram_uint32(bins, 3, counts, 4, NULL), 0);
    failed |= check("threes", (long)counts[3], 2);
    failed |= check("group",
                    filch_group(&groups, 0, 25, emit_rests,
                                FILCH_GROUP_BY(.key_bytes = 8), NULL, .pool = pool),
                    0);
    if (groups)
        failed |= check("keys", (long)filch_groups_count(groups), 10);
    filch_groups_destroy(groups);
    return failed;
}

int main(void)
{
    static const double measured[] = {1.5, 2, 1};
    static long value[COUNT];
    double total = 0;
    char version[32];
    filch_pool *pool;
    struct fib f = {20, 0};
    long sum = 0, expected = 0;
    int failed = 0;

    for (long i = 0; i < COUNT; i++) {
        value[i] = i % 1000;
        expected += (i % 1000) * (i % 1000);
    }
    summed = value;
    failed |=
        check("create", filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = 3)), 0);
    failed |=
        check("for", filch_for(0, COUNT, square, value, .pool = pool, .grain = 100), 0);
    failed |= check("reduce",
                    filch_reduce(0, COUNT, &sum, sizeof sum, add_items, add, NULL), 0);
    failed |= check("sum", sum, expected);
    failed |= check("typed", filch_sum(measured, 3, &total), 0);
    failed |= check("total", (long)(2 * total), 9);
    failed |= check("join", fib(NULL, &f), 0);
    failed |= check("fib(20)", f.result, 6765);
    failed |= algorithms(pool);
    filch_pool_destroy(pool);

    snprintf(version, sizeof version, "%d.%d.%d", FILCH_VERSION_MAJOR,
             FILCH_VERSION_MINOR, FILCH_VERSION_PATCH);
    failed |= check("library and header have the same version",
                    strcmp(version, filch_version()), 0);
    return failed;
}
