/* test_wordcount.c - the kernels of examples/wordcount against a naive count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../examples/wordcount/count.h"
#include "../../examples/wordcount/words.h"

static const char text[] = "The cat, the dog; THE end.\n\0"
                           "x9 caf\xc3\xa9 caf\xc3\xa9 "
                           "don't\n";
#define TEXT_BYTES (sizeof text - 1)

static struct wc_table *count(const char *bytes, size_t size)
{
    struct wc_table *table = NULL;

    assert_int_equal(wc_add(&table, bytes, size), 0);
    return table;
}

/* Count a text in chunks of about so many bytes, cut where no word is split: each into a
 * table of its own, or all into one. */
static struct wc_table *count_in_chunks(const char *bytes, size_t size, size_t chunk,
                                        bool is_merged)
{
    struct wc_table *table = count(bytes, 0);
    size_t begin = 0, end;

    for (; begin < size; begin = end) {
        end = size - begin > chunk ? wc_next_cut(bytes, size, begin + chunk) : size;
        assert_true(end > begin);
        if (is_merged)
            assert_int_equal(wc_merge(table, count(bytes + begin, end - begin)), 0);
        else
            assert_int_equal(wc_add(&table, bytes + begin, end - begin), 0);
    }
    return table;
}

/* How often a word occurs, by the table's own ranking. */
static uint64_t count_of(const struct wc_table *table, const char *word)
{
    struct wc_word top[64];
    size_t i, count = wc_top(table, top, 64);

    for (i = 0; i < count; i++)
        if (top[i].length == strlen(word) && !memcmp(top[i].bytes, word, top[i].length))
            return top[i].count;
    return 0;
}

static void words_are_letters_digits_and_high_bytes_in_lower_case(void **state)
{
    struct wc_table *table = count(text, TEXT_BYTES);

    (void)state;
    assert_int_equal(wc_words(table), 11);
    assert_int_equal(wc_distinct(table), 8);
    assert_int_equal(count_of(table, "the"), 3);
    assert_int_equal(count_of(table, "caf\xc3\xa9"), 2);
    assert_int_equal(count_of(table, "x9"), 1);
    assert_int_equal(count_of(table, "don"), 1);
    assert_int_equal(count_of(table, "t"), 1);
    wc_free(table);
}

static void any_chunk_size_gives_the_same_table(void **state)
{
    struct wc_table *whole = count(text, TEXT_BYTES), *table;
    size_t chunk;

    (void)state;
    for (chunk = 2; chunk < 2 * 64; chunk++) {
        table = count_in_chunks(text, TEXT_BYTES, chunk / 2, chunk % 2);
        assert_int_equal(wc_checksum(table), wc_checksum(whole));
        assert_int_equal(wc_words(table), wc_words(whole));
        assert_int_equal(wc_distinct(table), wc_distinct(whole));
        assert_true(wc_is_complete(table));
        wc_free(table);
    }
    wc_free(whole);
}

static void a_cut_never_splits_a_word(void **state)
{
    (void)state;
    assert_int_equal(wc_next_cut("aaaa bb", 7, 0), 0);
    assert_int_equal(wc_next_cut("aaaa bb", 7, 2), 4);
    assert_int_equal(wc_next_cut("aaaa bb", 7, 4), 4);
    assert_int_equal(wc_next_cut("aaaa bb", 7, 6), 7);
    assert_int_equal(wc_next_cut("aaaa", 4, 1), 4);
}

static void text_without_words_is_an_empty_table(void **state)
{
    struct wc_table *table = count(" \n.;\0", 5);
    struct wc_word top[1];

    (void)state;
    assert_non_null(table);
    assert_int_equal(wc_words(table), 0);
    assert_int_equal(wc_distinct(table), 0);
    assert_int_equal(wc_top(table, top, 1), 0);
    wc_free(table);
    wc_free(NULL);
}

static void the_checksum_tells_counts_and_words_apart(void **state)
{
    struct wc_table *a = count("a a b", 5), *b = count("a b b", 5),
                    *c = count("b a a", 5);

    (void)state;
    assert_int_not_equal(wc_checksum(a), wc_checksum(b));
    assert_int_equal(wc_checksum(a), wc_checksum(c));
    wc_free(a);
    wc_free(b);
    wc_free(c);
}

static void equally_frequent_words_rank_by_their_bytes(void **state)
{
    struct wc_table *table = count("d c c b b a", 11);
    struct wc_word top[3];

    (void)state;
    assert_int_equal(wc_top(table, top, 3), 3);
    assert_memory_equal(top[0].bytes, "b", 1);
    assert_memory_equal(top[1].bytes, "c", 1);
    assert_memory_equal(top[2].bytes, "a", 1);
    wc_free(table);
}

static void random_texts_count_as_word_by_word(void **state)
{
    unsigned seed = 20261124, round, i, j;
    char *bytes = malloc(20000);
    uint64_t naive[26 * 26];
    char word[3] = "";

    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    for (round = 0; round < 20; round++) {
        size_t size = 0;
        struct wc_table *table;

        memset(naive, 0, sizeof naive);
        while (size + 3 < 20000) {
            i = (unsigned)rand() % 26;
            j = (unsigned)rand() % 2;
            naive[26 * i + j]++;
            bytes[size++] = (char)((rand() % 2 ? 'a' : 'A') + (int)i);
            bytes[size++] = (char)('a' + (int)j);
            bytes[size++] = " \n\t,"[rand() % 4];
        }
        table = count_in_chunks(bytes, size, 1 + (size_t)rand() % 3000, round % 2);
        for (i = 0; i < 26; i++)
            for (j = 0; j < 2; j++) {
                word[0] = (char)('a' + (int)i);
                word[1] = (char)('a' + (int)j);
                assert_int_equal(count_of(table, word), naive[26 * i + j]);
            }
        wc_free(table);
    }
    free(bytes);
}

static int count_word(const unsigned char *word, size_t bytes, void *ctx)
{
    assert_true(bytes > 0);
    return wc_add(ctx, (const char *)word, bytes);
}

/* examples/wordcount/words.h has its own way to find words, in pieces: here with words
 * of all lengths, and with ends everywhere in a piece. */
static void words_in_pieces_are_the_words_of_the_table(void **state)
{
    static const size_t lengths[] = {1,  3,   7,    8,    9,    15,   16,
                                     17, 100, 4095, 4096, 4097, 9000, 20000};
    static char long_text[200000];
    unsigned round;

    (void)state;
    srand(1);
    for (round = 0; round < 300; round++) {
        size_t size = (size_t)rand() % (round % 10 ? 10000 : sizeof long_text), at = 0;
        struct wc_table *expected, *table = NULL;

        while (at < size) {
            size_t length = lengths[(size_t)rand() % (round % 3 ? 9 : 14)];
            size_t gap = 1 + (size_t)(rand() % 4 ? 0 : rand() % 20);

            for (; length > 0 && at < size; length--)
                long_text[at++] = "abcXYZ019\xc3\xa9\xff"[rand() % 12];
            for (; gap > 0 && at < size; gap--)
                long_text[at++] = " .\n@[`{/:\0\x7f"[rand() % 11];
        }
        expected = count(long_text, size);
        assert_int_equal(
            words_each(long_text, size, WORDS_IN_LOWER_CASE, count_word, &table), 0);
        assert_true(wc_words(table) == wc_words(expected));
        assert_true(wc_checksum(table) == wc_checksum(expected));
        wc_free(table);
        wc_free(expected);
    }
}

static int refuse_word(const unsigned char *word, size_t bytes, void *ctx)
{
    (void)word, (void)bytes;
    return ++*(int *)ctx == 3 ? 42 : 0;
}

static void an_error_of_the_taker_ends_the_text(void **state)
{
    int words = 0;

    (void)state;
    assert_int_equal(words_each("a b c d e", 9, WORDS_AS_WRITTEN, refuse_word, &words),
                     42);
    assert_int_equal(words, 3);
}

static int join_words(const unsigned char *word, size_t bytes, void *ctx)
{
    strncat(ctx, (const char *)word, bytes);
    strcat(ctx, ",");
    return 0;
}

static void words_keep_their_case_or_lose_it(void **state)
{
    const char *written = "One-TWO three4, \xc3\x89t\xc3\xa9";
    char words[40] = "";

    (void)state;
    assert_int_equal(
        words_each(written, strlen(written), WORDS_AS_WRITTEN, join_words, words), 0);
    assert_string_equal(words, "One,TWO,three4,\xc3\x89t\xc3\xa9,");
    words[0] = 0;
    assert_int_equal(
        words_each(written, strlen(written), WORDS_IN_LOWER_CASE, join_words, words), 0);
    assert_string_equal(words, "one,two,three4,\xc3\x89t\xc3\xa9,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_letters_digits_and_high_bytes_in_lower_case),
        cmocka_unit_test(any_chunk_size_gives_the_same_table),
        cmocka_unit_test(a_cut_never_splits_a_word),
        cmocka_unit_test(text_without_words_is_an_empty_table),
        cmocka_unit_test(the_checksum_tells_counts_and_words_apart),
        cmocka_unit_test(equally_frequent_words_rank_by_their_bytes),
        cmocka_unit_test(random_texts_count_as_word_by_word),
        cmocka_unit_test(words_in_pieces_are_the_words_of_the_table),
        cmocka_unit_test(words_keep_their_case_or_lose_it),
        cmocka_unit_test(an_error_of_the_taker_ends_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
