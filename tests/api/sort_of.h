/* sort_of.h - the tests of filch/sort.h for one type of keys; a part of test_sort.c.
 *
 *     ELEMENT      the type
 *     NAME(f)      f with the suffix of the type
 *     IS_FLOATING  1 for float and double
 *     BITS         an unsigned integer of that size
 */

struct NAME(item) {
    ELEMENT key;
    size_t at;
};

static BITS NAME(bits)(ELEMENT key)
{
    BITS bits;

    memcpy(&bits, &key, sizeof bits);
    return bits;
}

/* The order that sort.h states, said in another way than the library does. */
static bool NAME(is_before)(ELEMENT a, ELEMENT b)
{
#if IS_FLOATING
    bool a_signed = signbit(a) != 0, b_signed = signbit(b) != 0;

    if (isnan(a) && isnan(b)) {
        if (a_signed != b_signed)
            return b_signed;
        return a_signed ? NAME(bits)(a) > NAME(bits)(b) : NAME(bits)(a) < NAME(bits)(b);
    }
    if (isnan(a) || isnan(b))
        return isnan(b);
    if (a < b || a > b)
        return a < b;
    return a_signed && !b_signed;
#else
    return a < b;
#endif
}

static int NAME(compare)(const void *left, const void *right)
{
    const struct NAME(item) *a = left, *b = right;

    if (NAME(is_before)(a->key, b->key))
        return -1;
    if (NAME(is_before)(b->key, a->key))
        return 1;
    return (a->at > b->at) - (a->at < b->at);
}

static ELEMENT NAME(from)(uint64_t bits)
{
    BITS cut = (BITS)bits;
    ELEMENT key;

    memcpy(&key, &cut, sizeof key);
    return key;
}

static void NAME(fill)(ELEMENT *x, size_t n, enum pattern pattern, uint64_t *random)
{
    static const uint64_t edges[] = {0, 1, 2, UINT64_MAX, UINT64_MAX - 1};
    const unsigned width = 8 * sizeof(ELEMENT);
    size_t i;

    for (i = 0; i < n; i++) {
        uint64_t r = random_next(random), value = r;

        switch (pattern) {
        case BITS_OF_ALL_KINDS:
            x[i] = NAME(from)(r >> (64 - width));
            continue;
        case EDGES:
            /* Of integers the ends; of floats zeros, infinities, denormals, NaNs. */
            value = edges[r % COUNT_OF(edges)] >> (64 - width);
            if (r & 1024)
                value ^= UINT64_C(1) << (width - 1);
            if (r & 2048)
                value ^= width == 32 ? UINT64_C(0xff) << 23 : UINT64_C(0x7ff) << 52;
            x[i] = NAME(from)(value);
            continue;
        case ASCENDING:
            value = i;
            break;
        case ALMOST_ASCENDING:
            value = i + 1 == n ? 0 : i + 5;
            break;
        case DESCENDING:
            value = n - i;
            break;
        case DESCENDING_TWICE:
            value = (n - i) / 2;
            break;
        case ALMOST_DESCENDING:
            value = i + 1 == n ? n : n - i;
            break;
        case EQUAL:
            value = 7;
            break;
        case TWO:
            value = r % 2;
            break;
        case SIXTEEN:
            value = r % 16 * 1000;
            break;
        case ORGAN_PIPE:
            value = i < n / 2 ? i : n - i;
            break;
        case SAWTOOTH:
            value = i % 512; /* where the library begins to look anew */
            break;
        case KILLER: /* of a quicksort with a median of three: Musser, 1997 */
            value = i % 2 == 0 && i < n / 2 ? i + 1
                    : i < n / 2             ? n / 2 + i
                                            : 2 * (i - n / 2);
            break;
        case POWERS:
            value = UINT64_C(1) << r % (width - 1);
            break;
        case CLUSTERS: /* most keys in a small range, others anywhere */
            value = r % 32 ? (UINT64_C(1) << 20) + (r >> 20) % 500 : r >> (65 - width);
            break;
        case CLUSTERS_IN_CLUSTERS: /* half of the keys, each time, in a 64th */
            value = (r >> 40) >> 6 * ((unsigned)__builtin_ctzll(r | 1 << 3));
            break;
        case SPREAD:
            value = r >> (65 - width);
            break;
        case PATTERNS:
            break;
        }
        x[i] = (ELEMENT)value;
        if (pattern == SPREAD)
            x[i] = r & 1 ? x[i] : (ELEMENT)(0 - x[i]);
    }
}

/* What a call did with these keys, n of them, and these values. */
struct NAME(work) {
    ELEMENT *x, *y;
    struct NAME(item) * item; /* what is expected */
    uint32_t *value_32;
    uint64_t *value_64;
    size_t *index;
};

static uint64_t NAME(sum)(const ELEMENT *x, size_t n)
{
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        uint64_t mixed = NAME(bits)(x[i]);

        sum += random_next(&mixed);
    }
    return sum;
}

static void NAME(expect)(const struct NAME(work) * work, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        work->item[i] = (struct NAME(item)){work->x[i], i};
    qsort(work->item, n, sizeof *work->item, NAME(compare));
}

static void NAME(check_keys)(const struct NAME(work) * work, const char *what,
                             size_t begin, size_t end)
{
    size_t i;

    for (i = begin; i < end; i++)
        if (NAME(bits)(work->y[i]) != NAME(bits)(work->item[i].key))
            fail_msg("%s: key %zu is %llx, not %llx", what, i,
                     (unsigned long long)NAME(bits)(work->y[i]),
                     (unsigned long long)NAME(bits)(work->item[i].key));
}

static void NAME(check_range)(const struct NAME(work) * work, size_t n, size_t begin,
                              size_t end, const filch_opts *opts)
{
    size_t i;

    memcpy(work->y, work->x, n * sizeof *work->y);
    assert_int_equal(NAME(filch_sort_range)(work->y, n, begin, end, opts), 0);
    if (begin == end) {
        assert_true(n == 0 || memcmp(work->y, work->x, n * sizeof *work->y) == 0);
        return;
    }
    NAME(check_keys)(work, "filch_sort_range", begin, end);
    for (i = 0; i < begin; i++)
        assert_false(NAME(is_before)(work->item[begin].key, work->y[i]));
    for (i = end; i < n; i++)
        assert_false(NAME(is_before)(work->y[i], work->item[end - 1].key));
    assert_int_equal(NAME(sum)(work->y, n), NAME(sum)(work->x, n)); /* none is lost */
}

static void NAME(check)(const struct NAME(work) * work, size_t n, const filch_opts *opts)
{
    size_t i;

    memcpy(work->y, work->x, n * sizeof *work->y);
    assert_int_equal(NAME(filch_sort_keys)(work->y, n, opts), 0);
    NAME(check_keys)(work, "filch_sort_keys", 0, n);

    memcpy(work->y, work->x, n * sizeof *work->y);
    for (i = 0; i < n; i++)
        work->value_32[i] = (uint32_t)~i;
    assert_int_equal(NAME(filch_sort_pairs)(work->y, work->value_32, 4, n, opts), 0);
    NAME(check_keys)(work, "filch_sort_pairs", 0, n);
    for (i = 0; i < n; i++)
        assert_int_equal(work->value_32[i], (uint32_t)~work->item[i].at);

    memcpy(work->y, work->x, n * sizeof *work->y);
    for (i = 0; i < n; i++)
        work->value_64[i] = ~(uint64_t)i;
    assert_int_equal(NAME(filch_sort_pairs)(work->y, work->value_64, 8, n, opts), 0);
    NAME(check_keys)(work, "filch_sort_pairs", 0, n);
    for (i = 0; i < n; i++)
        assert_int_equal(work->value_64[i], ~(uint64_t)work->item[i].at);

    memset(work->index, 0x5a, n * sizeof *work->index);
    memcpy(work->y, work->x, n * sizeof *work->y);
    assert_int_equal(NAME(filch_argsort)(work->y, n, work->index, opts), 0);
    assert_true(n == 0 || memcmp(work->y, work->x, n * sizeof *work->y) == 0);
    for (i = 0; i < n; i++)
        assert_int_equal(work->index[i], work->item[i].at);

    NAME(check_range)(work, n, 0, FL_LEAST(n, 10), opts);
    NAME(check_range)(work, n, n / 2, n / 2 + (n > 0), opts);
    NAME(check_range)(work, n, n / 3, n / 3, opts);
    NAME(check_range)(work, n, n - n / 4, n, opts);
}

/* Keys of all patterns, so many of them each time. */
static void NAME(check_all)(const size_t *sizes, size_t count, filch_pool **pools,
                            size_t pool_count)
{
    const size_t most = sizes[count - 1];
    struct NAME(work) work = {
        malloc((most + 1) * sizeof(ELEMENT)),   malloc((most + 1) * sizeof(ELEMENT)),
        malloc((most + 1) * sizeof *work.item), malloc((most + 1) * sizeof(uint32_t)),
        malloc((most + 1) * sizeof(uint64_t)),  malloc((most + 1) * sizeof(size_t))};
    uint64_t random = seed_print();
    filch_opts opts = *FILCH_OPTS(NULL);
    size_t i;
    int pattern;

    for (pattern = 0; pattern < PATTERNS; pattern++)
        for (i = 0; i < count; i++) {
            NAME(fill)(work.x, sizes[i], (enum pattern)pattern, &random);
            NAME(expect)(&work, sizes[i]);
            /* The pools in turn: their number has no divisor with that of the patterns. */
            opts.pool = pools[turn++ % pool_count];
            NAME(check)(&work, sizes[i], &opts);
        }
    free(work.x);
    free(work.y);
    free(work.item);
    free(work.value_32);
    free(work.value_64);
    free(work.index);
}

#undef ELEMENT
#undef NAME
#undef BITS
