/* order.c - finding and sorting lines; see order.h.
 *
 * A line is known by where it begins, and ends with a byte that is nowhere else in it.
 * As long as the text has no zero byte, that becomes a zero: then lines are strings, and
 * filch_sort_strings looks at eight characters at a time. Otherwise they go on ending
 * with '\n', and filch_sort asks a comparison.
 *
 * Two passes over blocks of the text find them: the first counts; a running sum of the
 * counts says where the lines of each block go, and the second puts them there.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)256 << 10)

/* Below that share of all lines, the first ones are picked before they are sorted. */
#define SHARE 4

/* --- finding ---------------------------------------------------------------------- */

static size_t block_bytes(const struct lines *lines, size_t block)
{
    size_t left = lines->bytes - block * BLOCK_BYTES;

    return left < BLOCK_BYTES ? left : BLOCK_BYTES;
}

static int count_lines(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct lines *lines = ctx;

    (void)w;
    for (size_t block = begin; block < end; block++) {
        const char *text = lines->text + block * BLOCK_BYTES;
        size_t bytes = block_bytes(lines, block), count = 0;

        for (size_t i = 0; i < bytes; i++)
            count += text[i] == '\n';
        lines->place[block] = count;
        if (memchr(text, '\0', bytes))
            atomic_store_explicit(&lines->has_nul, true, memory_order_relaxed);
    }
    return 0;
}

/* The line behind each '\n' begins there. */
static int find_lines(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct lines *lines = ctx;

    (void)w;
    for (size_t block = begin; block < end; block++) {
        char *at = lines->text + block * BLOCK_BYTES;
        const char *stop = at + block_bytes(lines, block);
        size_t place = lines->place[block];

        while ((at = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
            *at++ = lines->end;
            lines->line[++place] = at;
        }
    }
    return 0;
}

static int split(struct lines *lines)
{
    size_t blocks = (lines->bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
    uint64_t count = 0;
    int err;

    lines->place = malloc((blocks + 1) * sizeof *lines->place);
    if (!lines->place)
        return -ENOMEM;
    err = filch_for(0, blocks, count_lines, lines, .pool = lines->pool);
    if (!err)
        err = filch_exscan_sum(lines->place, blocks, lines->place, &count,
                               .pool = lines->pool);
    if (err)
        return err;
    lines->count = count;
    lines->end = '\n';
    if (!atomic_load_explicit(&lines->has_nul, memory_order_relaxed))
        lines->end = '\0';
    /* And one that would begin behind the last. */
    lines->line = malloc((lines->count + 1) * sizeof *lines->line);
    if (!lines->line)
        return -ENOMEM;
    lines->line[0] = lines->text;
    return filch_for(0, blocks, find_lines, lines, .pool = lines->pool);
}

/* --- order ------------------------------------------------------------------------ */

/* As strcmp, of lines that end with '\n': a zero byte comes before all but an end. */
static int compare_bytes(const char *a, const char *b)
{
    while (*a == *b && *a != '\n') {
        a++;
        b++;
    }
    if (*a == '\n' || *b == '\n')
        return (*b == '\n') - (*a == '\n');
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_lines(const void *a, const void *b, void *ctx)
{
    const struct lines *lines = ctx;
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    return lines->end ? compare_bytes(x, y) : strcmp(x, y);
}

static int is_equal(const void *a, const void *b, void *ctx)
{
    return compare_lines(a, b, ctx) == 0;
}

static int is_first(const void *item, void *ctx)
{
    const struct lines *lines = ctx;
    const char *const *line = item;

    return line == lines->line || !is_equal(line - 1, line, ctx);
}

static int sort(struct lines *lines, size_t most)
{
    if (most < lines->count / SHARE)
        return filch_sort_range_by(lines->line, lines->count, sizeof *lines->line, 0,
                                   most, compare_lines, lines, .pool = lines->pool);
    if (lines->end)
        return filch_sort(lines->line, lines->count, sizeof *lines->line, compare_lines,
                          lines, .pool = lines->pool);
    return filch_sort_strings(lines->line, lines->count, .pool = lines->pool);
}

/* Equal lines are one; how many there are of each is the distance to the next first. */
static int count_equal(struct lines *lines)
{
    int err;

    lines->first = malloc((lines->count + 1) * sizeof *lines->first);
    if (!lines->first)
        return -ENOMEM;
    err = filch_where(lines->line, lines->first, lines->count, sizeof *lines->line,
                      &lines->shown, is_first, lines, .pool = lines->pool);
    if (!err)
        lines->first[lines->shown] = lines->count;
    return err;
}

int lines_order(struct lines *lines, const struct choice *choice)
{
    bool is_merged = choice->is_unique || choice->is_counted;
    int err = split(lines);

    /* How many lines make so many different ones is not known before they are sorted. */
    if (!err)
        err = sort(lines, is_merged ? SIZE_MAX : choice->most);
    lines->shown = lines->count;
    if (!err && choice->is_counted)
        err = count_equal(lines);
    else if (!err && choice->is_unique)
        err = filch_unique(lines->line, lines->line, lines->count, sizeof *lines->line,
                           &lines->shown, is_equal, lines, .pool = lines->pool);
    if (lines->shown > choice->most)
        lines->shown = choice->most;
    return err;
}

void lines_end(struct lines *lines)
{
    free(lines->place);
    free(lines->line);
    free(lines->first);
}
