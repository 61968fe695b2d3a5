/* plugin.c - what a plug-in with a filch of its own looks like: linked with the static
 * library, all of it hidden but the functions here. test_plugins.c loads two of them.
 * Hidden by --exclude-libs: filch's functions are marked as visible, and a plug-in loaded
 * with RTLD_GLOBAL would lend them to the next one.
 */
#include "plugin.h"

#define EXPORTED __attribute__((visibility("default")))

static int add_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w;
    __atomic_fetch_add((size_t *)ctx, end - begin, __ATOMIC_RELAXED);
    return 0;
}

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w;
    (void)ctx;
    for (; begin < end; begin++)
        *(size_t *)acc += begin;
    return 0;
}

static void add(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(size_t *)left += *(size_t *)right;
}

/* Not the exported one, which both plug-ins have: that might be the other one's. */
static int run(size_t count)
{
    size_t items = 0, sum = 0;
    int wrong = filch_for(0, count, add_range, &items, .grain = 1) != 0;

    wrong += items != count;
    wrong += filch_reduce(0, count, &sum, sizeof sum, fold, add, NULL, .grain = 10) != 0;
    return wrong + (sum != count * (count - 1) / 2);
}

EXPORTED int plugin_run(size_t count)
{
    return run(count);
}

struct nested {
    plugin_run_function *other;
    unsigned wrong;
};

static int run_other(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct nested *nested = ctx;
    int wrong = 0;

    for (; begin < end; begin++)
        wrong += nested->other(300) + run(100);
    wrong += filch_worker_current() != w;
    __atomic_fetch_add(&nested->wrong, (unsigned)wrong, __ATOMIC_RELAXED);
    return 0;
}

EXPORTED int plugin_run_around(plugin_run_function *other)
{
    struct nested nested = {other, 0};

    if (filch_for(0, 50, run_other, &nested, .grain = 1))
        return 1;
    return (int)nested.wrong;
}

EXPORTED void *plugin_default_pool(void)
{
    return filch_pool_default();
}
