/* sort_rank_of.h - sorting a few records by counting, for each, those that go before it;
 * a part of sort_records.c. Parameters as in sort_small_of.h, and
 *
 *     LANES     32 bytes of signed words of the size of keys, as a vector
 *     LANE      one of them
 *
 * n^2 comparisons, eight or four at a time, and no branch that could be foretold wrongly:
 * faster than insertion while records are few, and stable.
 */
#ifdef __x86_64__

#define LANE_COUNT (sizeof(LANES) / sizeof(LANE))

__attribute__((target("avx2"))) static void NAME(rank_avx2)(const RECORD *a, RECORD *b,
                                                            size_t n, unsigned low)
{
    LANE key[RANK_MOST + LANE_COUNT], rank[RANK_MOST + LANE_COUNT];
    LANES number = {0}, own, before;
    size_t i, j, k;

    (void)low;
    /* Unsigned words compare as signed ones do when the upper bit is flipped. */
    for (i = 0; i < n; i++)
        key[i] = (LANE)(KEY(a[i]) ^ (WORD)1 << (8 * sizeof(WORD) - 1));
    for (k = 0; k < LANE_COUNT; k++) {
        key[n + k] = 0; /* compared, and then not looked at */
        number[k] = (LANE)k;
    }
    for (j = 0; j < n; j += LANE_COUNT) {
        memcpy(&own, key + j, sizeof own);
        before = (LANES){0} + (LANE)j;
        for (i = 0; i < j; i++) /* less the greater ones: equal ones go before */
            before += key[i] > own;
        for (; i < FL_MIN(n, j + LANE_COUNT); i++)
            before -= (key[i] < own) | ((key[i] == own) & ((LANE)(i - j) < number));
        for (; i < n; i++)
            before -= key[i] < own;
        memcpy(rank + j, &before, sizeof before);
    }
    for (i = 0; i < n; i++)
        b[rank[i]] = a[i];
}

static bool NAME(rank)(const RECORD *a, RECORD *b, size_t n, unsigned low)
{
    if (!fl_has_avx2())
        return false;
    NAME(rank_avx2)(a, b, n, low);
    return true;
}

#undef LANE_COUNT

#else

static bool NAME(rank)(const RECORD *a, RECORD *b, size_t n, unsigned low)
{
    (void)a;
    (void)b;
    (void)n;
    (void)low;
    return false;
}

#endif
