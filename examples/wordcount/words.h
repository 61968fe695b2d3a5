/* words.h - the words of a text, one after the other, in lower case or as they are written.
 *
 * Job: what counts as a word (see count.h), found quickly: a piece of the text is
 * copied at once, by vector code, with zero for what separates; then words end at the first zero among eight bytes.
 */
#ifndef WORDCOUNT_WORDS_H
#define WORDCOUNT_WORDS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Text that is folded at a time: it stays in the nearest cache. */
#define WORDS_PIECE 4096

/* Takes a word, which is gone when it returns. Non-zero: an error. */
typedef int words_taker(const unsigned char *word, size_t bytes, void *ctx);

enum words_case { WORDS_IN_LOWER_CASE, WORDS_AS_WRITTEN };

static inline void words_fold(const unsigned char *text, unsigned char *folded,
                              size_t bytes, enum words_case letters)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = text[i];
        unsigned char is_upper = (unsigned char)(byte - 'A') < 26;
        unsigned char lower = (unsigned char)(byte | is_upper << 5);
        unsigned char kept = letters == WORDS_AS_WRITTEN ? byte : lower;
        unsigned char is_letter = ((unsigned char)(lower - 'a') < 26) |
                                  ((unsigned char)(byte - '0') < 10) | (byte >> 7);

        folded[i] = is_letter ? kept : 0;
    }
}

/* How many bytes there are before the first zero. It reads up to 7 more. */
static inline size_t words_length(const unsigned char *word)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t unit, zeros;
    size_t length = 0;

    for (;; length += sizeof unit) {
        memcpy(&unit, word + length, sizeof unit);
        zeros = ~(((unit & low) + low) | unit | low); /* 0x80 for each byte that is 0 */
        if (zeros)
            break;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return length + (size_t)__builtin_ctzll(zeros) / 8;
#else
    return length + (size_t)__builtin_clzll(zeros) / 8;
#endif
}

/* A word that is longer than a piece: where it ends. */
static inline int words_take_long(const unsigned char **at, const unsigned char *end,
                                  enum words_case letters, words_taker *take, void *ctx)
{
    size_t room = (size_t)2 * WORDS_PIECE, length = 0, bytes;
    unsigned char *word = NULL, *longer;
    int err = -ENOMEM;

    for (;; room *= 2) {
        bytes = (size_t)(end - *at) < room ? (size_t)(end - *at) : room;
        longer = realloc(word, bytes + sizeof(uint64_t));
        if (!longer)
            break;
        word = longer;
        words_fold(*at + length, word + length, bytes - length, letters);
        memset(word + bytes, 0, sizeof(uint64_t));
        length = words_length(word);
        if (length < bytes || bytes == (size_t)(end - *at)) {
            err = take(word, length, ctx);
            *at += length;
            break;
        }
    }
    free(word);
    return err;
}

/* Every word of the text. Returns 0, the first error of take, or -ENOMEM for a word
 * longer than a piece. */
static inline int words_each(const char *text, size_t bytes, enum words_case letters,
                             words_taker *take, void *ctx)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
    unsigned char folded[WORDS_PIECE + sizeof(uint64_t)];
    int err = 0;

    while (at < end && !err) {
        size_t piece =
            (size_t)(end - at) < WORDS_PIECE ? (size_t)(end - at) : WORDS_PIECE;
        size_t word = 0, length = 0;

        words_fold(at, folded, piece, letters);
        memset(folded + piece, 0, sizeof(uint64_t));
        for (;; word += length) {
            while (word < piece && !folded[word])
                word++;
            if (word == piece)
                break;
            length = words_length(folded + word);
            if (word + length == piece && at + piece < end)
                break; /* perhaps it goes on */
            err = take(folded + word, length, ctx);
            if (err)
                return err;
        }
        at += word;
        if (word == 0 && length == piece && at + piece < end)
            err = words_take_long(&at, end, letters, take, ctx);
    }
    return err;
}

#endif
