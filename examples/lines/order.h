/* order.h - the lines of a text, found and brought into their order.
 *
 * Job: what is to be shown, as an array of lines; all of it by filch.
 */
#ifndef LINES_ORDER_H
#define LINES_ORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <filch/filch.h>

struct lines {
    filch_pool *pool; /* NULL: the default one */
    char *text;       /* each line of it ends, the last one too, with: */
    char end;         /* '\n'; then '\0', if there was none in the text */
    size_t bytes;
    const char **line;
    size_t count;
    size_t *first;   /* NULL, or of all lines that are equal, the first one */
    size_t shown;    /* lines, or firsts */
    uint64_t *place; /* for each block: how many lines; then how many before it */
    atomic_bool has_nul;
};

struct choice {
    bool is_unique, is_counted;
    size_t most; /* lines to show */
};

/* Find the lines of text, and sort them by their bytes. 0 or -ENOMEM. */
int lines_order(struct lines *lines, const struct choice *choice);

static inline const char *lines_at(const struct lines *lines, size_t i)
{
    return lines->line[lines->first ? lines->first[i] : i];
}

/* How often that one occurs. Pre: is_counted. */
static inline size_t lines_times(const struct lines *lines, size_t i)
{
    return lines->first[i + 1] - lines->first[i];
}

/* Frees all but the text. */
void lines_end(struct lines *lines);

#endif
