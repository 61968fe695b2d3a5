/* Every typed reduction and sort, for every element type, const and not, with and without options;
 * compiled with all warnings as errors by typed.sh. */
#include <filch/filch.h>

#define USE(suffix, element, wide)                                               \
    int use_##suffix(const element *c, element *x, size_t n, filch_pool *pool);  \
    int use_##suffix(const element *c, element *x, size_t n, filch_pool *pool)   \
    {                                                                            \
        element array[3] = {1, 2, 3}, extreme;                                   \
        wide sum;                                                                \
        size_t at;                                                               \
        struct filch_moments m;                                                  \
        int err = 0;                                                             \
                                                                                 \
        err |= filch_sum(c, n, &sum);                                            \
        err |= filch_sum(x, n, &sum, .pool = pool, .max_workers = 2);            \
        err |= filch_sum(array, 3, &sum);                                        \
        err |= filch_dot(c, x, n, &sum);                                         \
        err |= filch_dot(x, c, n, &sum, .pool = pool);                           \
        err |= filch_min(c, n, &extreme);                                        \
        err |= filch_min(x, n, &extreme, .grain = 4096);                         \
        err |= filch_max(c, n, &extreme);                                        \
        err |= filch_max(x + 1, n - 1, &extreme, .pool = pool);                  \
        err |= filch_argmin(c, n, &at);                                          \
        err |= filch_argmin(x, n, &at, .pool = pool);                            \
        err |= filch_argmax(c, n, &at);                                          \
        err |= filch_argmax(x, n, &at, .pool = pool);                            \
        err |= filch_moments(c, n, &m);                                          \
        err |= filch_moments(x, n, &m, .pool = pool, .ctx = x);                  \
        err |= filch_sum_##suffix(x, n, &sum, NULL);                             \
        return err | (filch_variance(&m) < 0) | (filch_variance_sample(&m) < 0); \
    }

USE(float, float, double)
USE(double, double, double)
USE(int32, int32_t, int64_t)
USE(int64, int64_t, int64_t)
USE(uint64, uint64_t, uint64_t)

#define SORT(suffix, element)                                                      \
    int sort_##suffix(const element *c, element *x, size_t n, filch_pool *pool);   \
    int sort_##suffix(const element *c, element *x, size_t n, filch_pool *pool)    \
    {                                                                              \
        element array[3] = {3, 2, 1};                                              \
        size_t index[3];                                                           \
        const char *name[3] = {"c", "b", "a"};                                     \
        float weight[3] = {1, 2, 3};                                               \
        int err = 0;                                                               \
                                                                                   \
        err |= filch_sort_keys(x, n);                                              \
        err |= filch_sort_keys(array, 3, .pool = pool);                            \
        err |= filch_sort_pairs(x, name, 3);                                       \
        err |= filch_sort_pairs(array, weight, 3, .pool = pool, .max_workers = 2); \
        err |= filch_argsort(c, 3, index);                                         \
        err |= filch_argsort(x, 3, index, .pool = pool);                           \
        err |= filch_sort_range(x, n, 0, n / 2);                                   \
        err |= filch_sort_range(array, 3, 1, 2, .pool = pool);                     \
        return err | filch_sort_keys_##suffix(x, n, NULL);                         \
    }

SORT(float, float)
SORT(double, double)
SORT(int32, int32_t)
SORT(int64, int64_t)
SORT(uint32, uint32_t)
SORT(uint64, uint64_t)
static int by_size(const void *left, const void *right, void *ctx)
{
    const size_t *a = left, *b = right;

    (void)ctx;
    return (*a > *b) - (*a < *b);
}

int sort_by(size_t *x, size_t n, char **lines, filch_pool *pool);
int sort_by(size_t *x, size_t n, char **lines, filch_pool *pool)
{
    const char *words[2] = {"b", "a"};
    size_t index[3];
    int err = 0;

    err |= filch_sort(x, n, sizeof *x, by_size, NULL);
    err |= filch_sort(x, n, sizeof *x, by_size, pool, .pool = pool, .max_workers = 2);
    err |= filch_argsort_by(x, 3, sizeof *x, index, by_size, NULL, .pool = pool);
    err |= filch_sort_strings(words, 2);
    err |= filch_sort_strings(lines, n, .pool = pool);
    return err;
}
