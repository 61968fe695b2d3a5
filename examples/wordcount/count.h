/* count.h - counting the words of a text serially, with the table of uthash: what the
 * example and the tests compare themselves with.
 *
 * Job: a table of words and how often each occurs; the counts of two texts merge into
 * those of both. One thread at a time for each table; different tables never share
 * anything.
 *
 * A word is a maximal run of ASCII letters, ASCII digits and bytes from 0x80 up (so a
 * letter in UTF-8 stays in its word). Letters count in lower case. Every other byte
 * separates.
 *
 * The hash table inside is uthash.
 */
#ifndef WORDCOUNT_COUNT_H
#define WORDCOUNT_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wc_table;

struct wc_word {
    const char *bytes; /* in lower case, not terminated; the table's own */
    size_t length;
    uint64_t count;
};

/* Add the words of a text to the counts of *table; NULL there stands for no words, and
 * becomes a table. The table does not refer to the text. Returns 0, or -ENOMEM when there
 * is no memory (or a word is about 4 GiB long): then words are missing, and
 * wc_is_complete says so. */
int wc_add(struct wc_table **table, const char *text, size_t bytes);

/* Add the counts of from to those of into. from is gone in every case; NULL adds nothing.
 * Returns 0, or -ENOMEM: then words are missing from into, and wc_is_complete says so. */
int wc_merge(struct wc_table *into, struct wc_table *from);

/* Whether everything that was to be added to the table, and to the tables merged into it,
 * was. */
bool wc_is_complete(const struct wc_table *table);

/* NULL is allowed. */
void wc_free(struct wc_table *table);

/* The first position >= at that does not split a word of the text: the text may be cut
 * there. bytes, when there is none before. */
size_t wc_next_cut(const char *text, size_t bytes, size_t at);

/* Words in all, and different words. NULL is an empty table, here and below. */
uint64_t wc_words(const struct wc_table *table);
uint64_t wc_distinct(const struct wc_table *table);

/* A hash of all words and their counts, the same whatever the order of counting and
 * merging. */
uint64_t wc_checksum(const struct wc_table *table);

/* What each word adds to that. */
uint64_t wc_word_checksum(const struct wc_word *word);

/* The limit most frequent words, most frequent first, equally frequent ones in the order
 * of their bytes. Returns how many there are in top: min(limit, distinct words). They
 * live as long as the table, unmerged. */
size_t wc_top(const struct wc_table *table, struct wc_word *top, size_t limit);

/* The same of words from elsewhere: offer each to a top that has count words, and room
 * for limit. Returns how many it has then. In the end wc_rank_end brings them into
 * order. */
size_t wc_rank(struct wc_word *top, size_t count, size_t limit, struct wc_word word);
void wc_rank_end(struct wc_word *top, size_t count);

#endif
