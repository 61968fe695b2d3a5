/* sort_by.c - filch_sort and filch_argsort_by: arguments and memory, over order.h. */
#include "sort_by.h"

#include <errno.h>
#include <stdlib.h>
#include "enter.h"
#include "options.h"
#include "overlap.h"
#include "sort.h"

/* So many bytes of room are on the stack. */
#define STACK_BYTES ((size_t)8 * 1024)

/* Items that are looked at to guess what they are. */
#define LOOKS 16

/* Could these be pointers, by the looks of some? A wrong guess costs time only. Most
 * numbers are below 2^32, or as far up as a double or a hash; most memory of a process is
 * between. */
static bool is_like_pointers(const char *base, size_t n)
{
    size_t i, stride = n / LOOKS + 1;

    for (i = 0; i < n; i += stride) {
        uint64_t value;

        memcpy(&value, base + i * sizeof value, sizeof value);
        if (value >> 47 != 0 || value >> 32 == 0)
            return false;
    }
    return true;
}

/* Pointers inside larger items are not looked for: there are more gaps in these, to which
 * nobody has written. */
void fl_sort_by_look(struct fl_order *order, const void *base, size_t n)
{
    if (sizeof(char *) == sizeof(uint64_t) && order->bytes == sizeof(uint64_t) &&
        !order->base && is_like_pointers(base, n))
        order->kind = &fl_order_pointers;
}

/* --- few ---------------------------------------------------------------------------- */

static int sort_few(struct fl_order *order, char *at, size_t n)
{
    _Alignas(FL_CACHE_LINE) char on_stack[STACK_BYTES];
    char *room = on_stack;

    if (n == 1 && !order->base)
        return 0;
    if (n * order->bytes > STACK_BYTES) {
        room = fl_sort_memory(n, order->bytes);
        if (!room)
            return -ENOMEM;
    }
    if (order->base) {
        for (size_t i = 0; i < n; i++)
            memcpy(at + i * sizeof i, &i, sizeof i);
    }
    fl_sort_by_look(order, at, n);
    order->kind->sort(order, at, room, n, false);
    if (room != on_stack)
        free(room);
    return 0;
}

/* --- many --------------------------------------------------------------------------- */

struct sort {
    const struct fl_order *order;
    char *at, *room;
    size_t n;
    const filch_opts *opts;
};

static int sort_inside(struct fl_worker *worker, void *arg)
{
    const struct sort *sort = arg;

    return fl_order_together(worker, sort->order, sort->at, sort->room, sort->n,
                             sort->opts);
}

static int sort_many(struct fl_order *order, char *at, size_t n, const filch_opts *opts)
{
    char *room = fl_sort_memory(1, fl_order_room(n, order->bytes));
    struct sort sort = {order, at, room, n, opts};
    int err;

    if (!room)
        return -ENOMEM;
    fl_sort_by_look(order, at, n);
    err = fl_enter(opts, sort_inside, &sort);
    free(room);
    return err;
}

static int run(struct fl_order *order, void *at, size_t n, const filch_opts *opts)
{
    int err;

    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    if (n > FL_ORDER_FEW)
        err = sort_many(order, at, n, opts);
    else
        err = sort_few(order, at, n);
    if (!err && fl_opts_are_cancelled(opts)) /* perhaps they were moved only */
        err = -ECANCELED;
    return err;
}

/* --- calls -------------------------------------------------------------------------- */

int fl_sort_by_check(struct fl_order *order, const void *base, size_t n, size_t bytes,
                     filch_compare *compare, const filch_opts *opts)
{
    if (!compare || bytes == 0 || n > SIZE_MAX / 2 / bytes || (n > 0 && !base) ||
        fl_opts_check(opts))
        return -EINVAL;
    *order = (struct fl_order){.kind = fl_order_kind_of(bytes),
                               .bytes = bytes,
                               .compare = compare,
                               .ctx = opts ? opts->ctx : NULL,
                               .cancel = opts ? opts->cancel : NULL};
    return 0;
}

int filch_sort_with(void *base, size_t n, size_t bytes, filch_compare *compare,
                    const filch_opts *opts)
{
    struct fl_order order;
    int err = fl_sort_by_check(&order, base, n, bytes, compare, opts);

    if (err || n == 0)
        return err;
    return run(&order, base, n, opts);
}

int filch_argsort_by_with(const void *base, size_t n, size_t bytes, size_t *index,
                          filch_compare *compare, const filch_opts *opts)
{
    struct fl_order order;
    int err = fl_sort_by_check(&order, base, n, bytes, compare, opts);

    if (err || n == 0)
        return err;
    if (n > SIZE_MAX / 2 / sizeof *index || !index || (uintptr_t)index % _Alignof(size_t))
        return -EINVAL;
    if (fl_overlap(base, index, n * bytes, n * sizeof *index))
        return -EINVAL;
    order.kind = &fl_order_places;
    order.bytes = sizeof *index;
    order.base = base;
    order.base_bytes = bytes;
    return run(&order, index, n, opts);
}
