/* order_of.h - sorting and merging items of one kind; a template, see order.h.
 *
 *     NAME(f)                the names of its functions
 *     SIZE                   bytes of an item: a number, or a member of *order
 *     MOVE(to, from)         copy an item
 *     IS_LESS(order, x, y)   does the item at x go before that at y?
 *     FETCH(order, x)        fetch what a comparison of the item at x reads elsewhere;
 *                            need not be there
 *
 * What costs most in a merge is a branch on the outcome of a comparison: every other one
 * is foretold wrongly. So there is none: the outcome is a mask, and chooses an address.
 * Then each item waits for the outcome before it; so runs are merged from both ends at
 * once, which do not wait for each other. Nor is anything read before it is known that it
 * will be compared, as a branch would have it by guessing: what items point to is fetched
 * ahead.
 *
 * Sizes and places inside a run are in bytes.
 */

#ifndef FETCH
#define FETCH(order, x) ((void)(order), (void)(x))
#endif

/* All ones if the item at x goes before that at y; else 0. */
ALWAYS_INLINE size_t NAME(less)(const struct fl_order *order, const char *x,
                                const char *y)
{
    return -(size_t)(IS_LESS(order, x, y));
}

static bool NAME(is_less)(const struct fl_order *order, const char *x, const char *y)
{
    return IS_LESS(order, x, y);
}

ALWAYS_INLINE void NAME(fetch)(const struct fl_order *order, const char *at, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        FETCH(order, at + i * SIZE);
}

/* The addresses of four items, in order. They are all there, whatever is said. */
ALWAYS_INLINE void NAME(order_4)(const struct fl_order *order, const char *at,
                                 const char **from)
{
    size_t first = NAME(less)(order, at + SIZE, at);
    size_t second = NAME(less)(order, at + 3 * SIZE, at + 2 * SIZE);
    const char *a = at + (SIZE & first), *b = at + (SIZE & ~first);
    const char *c = at + 2 * SIZE + (SIZE & second),
               *d = at + 2 * SIZE + (SIZE & ~second);
    size_t low = NAME(less)(order, c, a), high = NAME(less)(order, d, b), middle;
    const char *left = pick(low, a, pick(high, c, b));
    const char *right = pick(high, d, pick(low, b, c));

    from[0] = pick(low, c, a);
    from[3] = pick(high, b, d);
    middle = NAME(less)(order, right, left);
    from[1] = pick(middle, right, left);
    from[2] = pick(middle, left, right);
}

/* Up to four items. */
ALWAYS_INLINE void NAME(sort_4)(const struct fl_order *order, const char *at, char *to,
                                size_t n)
{
    const char *from[4];
    size_t i, j;

    if (n == 4) {
        NAME(order_4)(order, at, from);
    } else {
        for (i = 0; i < n; i++) {
            const char *item = at + i * SIZE;

            for (j = i; j > 0 && IS_LESS(order, item, from[j - 1]); j--)
                from[j] = from[j - 1];
            from[j] = item;
        }
    }
    for (i = 0; i < n; i++)
        MOVE(to + i * SIZE, from[i]);
}

/* From the front, with a look at all that can go wrong. */
static void NAME(merge_safely)(const struct fl_order *order, const char *a,
                               size_t a_bytes, const char *b, size_t b_bytes, char *to)
{
    const char *a_end = a + a_bytes, *b_end = b + b_bytes;

    while (a < a_end && b < b_end) {
        if (IS_LESS(order, b, a)) {
            MOVE(to, b);
            b += SIZE;
        } else {
            MOVE(to, a);
            a += SIZE;
        }
        to += SIZE;
    }
    memcpy(to, a, (size_t)(a_end - a));
    memcpy(to + (a_end - a), b, (size_t)(b_end - b));
}

/* Merge `bytes` from the front, and as many from the back, of two runs that have so many
 * at least. How much of that was a's: *front, *back. All that is looked at lies in the
 * runs, since no more is taken than they have. */
ALWAYS_INLINE void NAME(merge_ends)(const struct fl_order *order, const char *a,
                                    size_t a_bytes, const char *b, size_t b_bytes,
                                    char *to, size_t bytes, size_t *front, size_t *back)
{
    const char *a_last = a + a_bytes - SIZE, *b_last = b + b_bytes - SIZE;
    const char *x = a, *y = b, *x_last = a_last, *y_last = b_last;
    char *to_last = to + a_bytes + b_bytes - SIZE;
    size_t i, mask, step, far = FL_ORDER_AHEAD * SIZE;
    const char *from;

    if (bytes > far) {
        NAME(fetch)(order, a, FL_ORDER_AHEAD);
        NAME(fetch)(order, b, FL_ORDER_AHEAD);
        NAME(fetch)(order, a_last + SIZE - far, FL_ORDER_AHEAD);
        NAME(fetch)(order, b_last + SIZE - far, FL_ORDER_AHEAD);
    }
    for (i = 0; i < bytes; i += SIZE) {
        mask = NAME(less)(order, y, x);
        step = SIZE & mask;
        from = pick(mask, y, x);
        MOVE(to + i, from);
        FETCH(order, from + FL_MIN(far, (size_t)(pick(mask, b_last, a_last) - from)));
        y += step;
        x += SIZE - step;
        mask = NAME(less)(order, y_last, x_last);
        step = SIZE & mask;
        from = pick(mask, x_last, y_last);
        MOVE(to_last - i, from);
        FETCH(order, from - FL_MIN(far, (size_t)(from - pick(mask, a, b))));
        x_last -= step;
        y_last -= SIZE - step;
    }
    *front = (size_t)(x - a);
    *back = (size_t)(a_last - x_last);
}

static void NAME(merge)(const struct fl_order *order, const char *a, size_t a_bytes,
                        const char *b, size_t b_bytes, char *to)
{
    const char *a_left = a, *b_left = b;
    size_t a_more = a_bytes, b_more = b_bytes, front, back;
    char *out = to;

    if (a_bytes >= 16 * SIZE && b_bytes >= 16 * SIZE) {
        bool is_stopped = order->cancel && filch_cancel_is_set(order->cancel);

        if (is_stopped || !IS_LESS(order, b, a + a_bytes - SIZE)) {
            memcpy(to, a, a_bytes);
            memcpy(to + a_bytes, b, b_bytes);
            return;
        }
        if (IS_LESS(order, b + b_bytes - SIZE, a)) {
            memcpy(to, b, b_bytes);
            memcpy(to + b_bytes, a, a_bytes);
            return;
        }
    }
    while (a_more > 0 && b_more > 0) {
        size_t bytes = FL_MIN(a_more, b_more);

        NAME(merge_ends)
        (order, a_left, a_more, b_left, b_more, out, bytes, &front, &back);
        if (front + back > a_more || 2 * bytes - front - back > b_more) {
            /* Both ends took the same: nonsense was said. The runs are still there. */
            NAME(merge_safely)(order, a, a_bytes, b, b_bytes, to);
            return;
        }
        a_left += front;
        b_left += bytes - front;
        a_more -= front + back;
        b_more -= 2 * bytes - front - back;
        out += bytes;
    }
    memcpy(out, a_left, a_more);
    memcpy(out + a_more, b_left, b_more);
}

/* Are n items in order, or strictly in reverse order? Then they go where they belong. */
static bool NAME(sort_run)(const struct fl_order *order, char *at, char *room, size_t n,
                           bool to_room)
{
    size_t i = 1;

    if (!IS_LESS(order, at + SIZE, at)) {
        while (i < n && !IS_LESS(order, at + i * SIZE, at + (i - 1) * SIZE))
            i++;
        if (i < n)
            return false;
        if (to_room)
            memcpy(room, at, n * SIZE);
        return true;
    }
    while (i < n && IS_LESS(order, at + i * SIZE, at + (i - 1) * SIZE))
        i++;
    if (i < n)
        return false;
    for (i = 0; i < n; i++)
        MOVE(room + i * SIZE, at + (n - 1 - i) * SIZE);
    if (!to_room)
        memcpy(at, room, n * SIZE);
    return true;
}

static void NAME(sort)(const struct fl_order *order, char *at, char *room, size_t n,
                       bool to_room)
{
    size_t half, bytes;

    if (n <= 4) {
        NAME(sort_4)(order, at, room, n);
        if (!to_room)
            memcpy(at, room, n * SIZE);
        return;
    }
    if (n >= FL_ORDER_AHEAD && n < 2 * FL_ORDER_AHEAD)
        NAME(fetch)(order, at, n);
    if (n >= 32 && NAME(sort_run)(order, at, room, n, to_room))
        return;
    /* Fours, and halves of the same length, as far as they go. */
    half = (n / 2 + 3) & ~(size_t)3;
    bytes = half * SIZE;
    NAME(sort)(order, at, room, half, !to_room);
    NAME(sort)(order, at + bytes, room + bytes, n - half, !to_room);
    if (to_room)
        NAME(merge)(order, at, bytes, at + bytes, (n - half) * SIZE, room);
    else
        NAME(merge)(order, room, bytes, room + bytes, (n - half) * SIZE, at);
}

#undef NAME
#undef SIZE
#undef MOVE
#undef IS_LESS
#undef FETCH
