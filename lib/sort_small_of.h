/* sort_small_of.h - sorting what fits a cache, for one kind of records; a part of
 * sort_records.c.
 *
 *     RECORD    the type
 *     WORD      the type of its key
 *     KEY(r)    its key; may use low
 *     NAME(f)   f with the suffix of the type
 *
 * Radix sort of as many upper bits as tell most of the keys apart, which are few when
 * there are few keys, from the lowest digit on. A look at neighbours then finds keys that
 * agree in all of these bits and are not in order; such a run is sorted by the same
 * function, by the bits that are left. Bits that all keys share cost nothing. So the work
 * is at most n times the bits of a key, whatever the keys are.
 */

static void NAME(insert)(RECORD *a, size_t n, unsigned low)
{
    size_t i, j;

    (void)low;
    for (i = 1; i < n; i++) {
        RECORD record = a[i];
        WORD key = KEY(record);

        for (j = i; j > 0 && KEY(a[j - 1]) > key; j--)
            a[j] = a[j - 1];
        a[j] = record;
    }
}

/* The bits in which keys differ. */
static WORD NAME(difference)(const RECORD *a, size_t n, unsigned low)
{
    WORD any = 0, all = (WORD)-1;
    size_t i;

    (void)low;
    for (i = 0; i < n; i++) {
        any |= KEY(a[i]);
        all &= KEY(a[i]);
    }
    return any ^ all;
}

/* One digit: from a to b; at: where the next of each value goes. */
static void NAME(move)(const RECORD *a, RECORD *b, size_t n, unsigned low, unsigned shift,
                       WORD mask, uint32_t *at)
{
    size_t i;

    (void)low;
    for (i = 0; i < n; i++)
        b[at[(KEY(a[i]) >> shift) & mask]++] = a[i];
}

/* Sort by the bits [bottom, top) of keys. Returns a or b. Not inlined: its counters are
 * not to be on the stack while a run is mended. */
__attribute__((noinline)) static RECORD *
NAME(radix)(RECORD *a, RECORD *b, size_t n, unsigned low, unsigned bottom, unsigned top)
{
    uint32_t counts[PASSES << DIGIT_MOST];
    unsigned passes = passes_for(n, top - bottom), pass;
    unsigned width = (top - bottom + passes - 1) / passes;
    WORD mask = ((WORD)1 << width) - 1;
    size_t values = (size_t)1 << width, i;

    memset(counts, 0, passes * values * sizeof *counts);
    if (passes == 1)
        for (i = 0; i < n; i++)
            counts[(KEY(a[i]) >> bottom) & mask]++;
    else if (passes == 2)
        for (i = 0; i < n; i++) {
            WORD key = KEY(a[i]) >> bottom;

            counts[key & mask]++;
            counts[values + (key >> width & mask)]++;
        }
    else
        for (i = 0; i < n; i++) {
            WORD key = KEY(a[i]) >> bottom;

            for (pass = 0; pass < passes; pass++, key >>= width)
                counts[pass * values + (key & mask)]++;
        }
    for (pass = 0; pass < passes; pass++) {
        uint32_t *at = counts + pass * values, sum = 0;
        unsigned shift = bottom + pass * width;
        RECORD *kept = a;

        if (at[(KEY(a[0]) >> shift) & mask] == n)
            continue; /* all have the same digit */
        for (i = 0; i < values; i++) {
            uint32_t count = at[i];

            at[i] = sum;
            sum += count;
        }
        NAME(move)(a, b, n, low, shift, mask, at);
        a = b;
        b = kept;
    }
    return a;
}

static void *NAME(sort)(void *records, void *room, size_t n, unsigned low);

/* Keys are in order but for the bits below shift: put runs in order that are not. */
static void NAME(mend)(RECORD *a, RECORD *b, size_t n, unsigned low, unsigned shift)
{
    size_t begin, end, i;

    for (i = 1; i < n; i++) {
        if (FILCH_LIKELY(KEY(a[i - 1]) <= KEY(a[i])))
            continue;
        for (begin = i - 1; begin > 0; begin--)
            if ((KEY(a[begin - 1]) ^ KEY(a[i])) >> shift)
                break;
        for (end = i + 1; end < n; end++)
            if ((KEY(a[end]) ^ KEY(a[i])) >> shift)
                break;
        if (end - begin <= INSERT_MOST) {
            NAME(insert)(a + begin, end - begin, low);
        } else {
            RECORD *sorted = NAME(sort)(a + begin, b + begin, end - begin, low);

            if (sorted != a + begin)
                memcpy(a + begin, sorted, (end - begin) * sizeof *a);
        }
        i = end - 1;
    }
}

/* In b, if the processor has the instructions. */
static bool NAME(rank)(const RECORD *a, RECORD *b, size_t n, unsigned low);

static void *NAME(sort)(void *records, void *room, size_t n, unsigned low)
{
    RECORD *a = records, *b = room, *sorted;
    unsigned top, bottom, bits, most;
    WORD difference;

    if (n <= RANK_MOST && n > 2 && NAME(rank)(a, b, n, low))
        return b;
    if (n <= INSERT_MOST) {
        NAME(insert)(a, n, low);
        return a;
    }
    difference = NAME(difference)(a, n, low);
    if (difference == 0)
        return a;
    top = 64 - (unsigned)__builtin_clzll(difference);
    bottom = (unsigned)__builtin_ctzll(difference);
    bits = top - bottom;
    /* So many that a run of keys which agree in them is rare: of n random ones, about n /
     * 32. A little more do not cost a further pass. */
    most = 64 - (unsigned)__builtin_clzll(n) + 6;
    most = FL_MIN(most, PASSES * DIGIT_MOST);
    if (bits > most)
        bottom = top - most;
    sorted = NAME(radix)(a, b, n, low, bottom, top);
    if (bits > most)
        NAME(mend)(sorted, sorted == a ? b : a, n, low, bottom);
    return sorted;
}

static unsigned NAME(order)(const void *records, size_t n, unsigned low)
{
    const RECORD *a = records;
    unsigned order = FL_SORT_UP | FL_SORT_DOWN | FL_SORT_DOWN_STRICT;
    size_t i, j, end;

    (void)low;
    /* In pieces, without a branch: vector code, that ends early all the same. */
    for (i = 1; i < n && order; i = end) {
        unsigned ups = 0, downs = 0, equals = 0;

        end = FL_MIN(n, i + 64);
        for (j = i; j < end; j++) {
            ups |= KEY(a[j - 1]) < KEY(a[j]);
            downs |= KEY(a[j - 1]) > KEY(a[j]);
            equals |= KEY(a[j - 1]) == KEY(a[j]);
        }
        if (ups)
            order &= ~(unsigned)(FL_SORT_DOWN | FL_SORT_DOWN_STRICT);
        if (downs)
            order &= ~(unsigned)FL_SORT_UP;
        if (equals)
            order &= ~(unsigned)FL_SORT_DOWN_STRICT;
    }
    return order;
}

static void NAME(reverse)(void *records, size_t n)
{
    RECORD *a = records;
    size_t i;

    for (i = 0; i < n / 2; i++) {
        RECORD kept = a[i];

        a[i] = a[n - 1 - i];
        a[n - 1 - i] = kept;
    }
}

static uint64_t NAME(key)(const void *records, size_t i, unsigned low)
{
    (void)low;
    return KEY(((const RECORD *)records)[i]);
}

static void NAME(extent)(const void *records, size_t n, unsigned low, uint64_t *least,
                         uint64_t *most)
{
    const RECORD *a = records;
    WORD min = (WORD)*least, max = (WORD)*most;
    size_t i;

    (void)low;
    for (i = 0; i < n; i++) {
        min = FL_MIN(min, KEY(a[i]));
        max = FL_MAX(max, KEY(a[i]));
    }
    *least = min;
    *most = max;
}
