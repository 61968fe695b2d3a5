/* text.h - the user's text, whole or in pieces, for the works that read some. */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"

struct text {
    char *bytes;
    size_t count;
    size_t piece_bytes; /* about; the user of the text sets it */
};

/** text_read - the first most_bytes of the request's files together. Returns 0, or a
 * negative errno after saying why on stderr; then there is nothing to free. */
int text_read(const struct bench_request *request, size_t most_bytes, struct text *text);

/** text_free - and forget; also when there is none. */
void text_free(struct text *text);

/** text_pieces - how many pieces of piece_bytes there are. */
size_t text_pieces(const struct text *text);

/** text_piece - where a piece begins, and how long it is: pieces split no word, and some
 * may be empty. */
const char *text_piece(const struct text *text, size_t piece, size_t *bytes);

/* What words consist of; the same as in examples/wordcount/count.h. */
static inline bool text_is_letter(char at)
{
    unsigned byte = (unsigned char)at;

    return byte >= 0x80 || (byte | 0x20) - 'a' < 26 || byte - '0' < 10;
}

#define TEXT_FNV_BASIS UINT32_C(2166136261)

/** text_word - the next word before end, from *at on, which goes to its end; NULL when
 * there is none. hash: FNV-1a of the word as it is written. */
static inline const char *text_word(const char **at, const char *end, uint32_t *hash)
{
    const char *begin = *at;
    const char *stop;
    uint32_t sum = TEXT_FNV_BASIS;

    while (begin < end && !text_is_letter(*begin))
        begin++;
    for (stop = begin; stop < end && text_is_letter(*stop); stop++)
        sum = (sum ^ (unsigned char)*stop) * UINT32_C(16777619);
    *at = stop;
    *hash = sum;
    return begin < end ? begin : NULL;
}

#endif
