/* A C program that uses an installed filch: a loop, a reduction, a join, its own pool. */
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
    filch_pool_destroy(pool);

    snprintf(version, sizeof version, "%d.%d.%d", FILCH_VERSION_MAJOR,
             FILCH_VERSION_MINOR, FILCH_VERSION_PATCH);
    failed |= check("library and header have the same version",
                    strcmp(version, filch_version()), 0);
    return failed;
}
