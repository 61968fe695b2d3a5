/* sort_spread_of.h - spreading records to buckets, for one kind of records; a part of
 * sort_records.c. Parameters as in sort_small_of.h.
 *
 * Records of a bucket gather in a line of the cache, which is written when it is full: a
 * record at a time, to a thousand places in turn, each would need its page's address
 * translated and its line fetched. Lines are those of `to`, so that they are whole ones.
 */
#define PER_LINE (LINE_BYTES / sizeof(RECORD))

FL_ALWAYS_INLINE size_t NAME(bucket)(const struct fl_map *map, WORD key, bool is_even)
{
    WORD least = (WORD)map->least, span = (WORD)map->span;
    uint32_t cell;

    key = FL_MAX(key, least) - least;
    key = FL_MIN(key, span);
    if (is_even)
        return (size_t)(key >> map->even_shift);
    cell = map->cell[key >> map->shift];
    return (cell >> 6) + (size_t)((key & (((WORD)1 << map->shift) - 1)) >> (cell & 63));
}

FL_ALWAYS_INLINE void NAME(count_in)(const RECORD *a, size_t n, unsigned low,
                                     const struct fl_map *map, size_t *count,
                                     bool is_even)
{
    size_t i;

    (void)low;
    for (i = 0; i < n; i++)
        count[NAME(bucket)(map, KEY(a[i]), is_even)]++;
}

static void NAME(count)(const void *a, size_t n, unsigned low, const struct fl_map *map,
                        size_t *count)
{
    if (map->even_shift < 64)
        NAME(count_in)(a, n, low, map, count, true);
    else
        NAME(count_in)(a, n, low, map, count, false);
}

FL_ALWAYS_INLINE void NAME(spread_in)(const RECORD *a, size_t n, unsigned low,
                                      const struct fl_map *map, RECORD *to, size_t *at,
                                      const size_t *begin, RECORD *lines, bool is_large,
                                      bool is_even)
{
    size_t i;

    (void)low;
    for (i = 0; i < n; i++) {
        size_t bucket = NAME(bucket)(map, KEY(a[i]), is_even);
        size_t place = at[bucket]++;
        RECORD *line = lines + bucket * PER_LINE;

        line[place % PER_LINE] = a[i];
        if (place % PER_LINE == PER_LINE - 1) {
            size_t first = place + 1 - PER_LINE;

            if (FILCH_LIKELY(first >= begin[bucket])) {
                write_line(to + first, line, is_large);
            } else {
                size_t skip = begin[bucket] - first;

                memcpy(to + first + skip, line + skip, (PER_LINE - skip) * sizeof *to);
            }
        }
    }
}

static void NAME(spread)(const void *a, size_t n, unsigned low, const struct fl_map *map,
                         void *to, size_t *at, const size_t *begin, void *lines,
                         bool is_large)
{
    if (map->even_shift < 64)
        NAME(spread_in)(a, n, low, map, to, at, begin, lines, is_large, true);
    else
        NAME(spread_in)(a, n, low, map, to, at, begin, lines, is_large, false);
}

static void NAME(flush)(size_t buckets, void *to, const size_t *at, const size_t *begin,
                        const void *lines)
{
    const RECORD *line = lines;
    size_t bucket;

    for (bucket = 0; bucket < buckets; bucket++, line += PER_LINE) {
        size_t end = at[bucket], first = end - end % PER_LINE;

        first = FL_MAX(first, begin[bucket]);
        if (first < end)
            memcpy((RECORD *)to + first, line + first % PER_LINE,
                   (end - first) * sizeof *line);
    }
    written_lines();
}

const struct fl_records NAME(fl_records) = {
    .bytes = sizeof(RECORD),
    .sort = NAME(sort),
    .order = NAME(order),
    .reverse = NAME(reverse),
    .key = NAME(key),
    .extent = NAME(extent),
    .count = NAME(count),
    .spread = NAME(spread),
    .flush = NAME(flush),
};

#undef PER_LINE
