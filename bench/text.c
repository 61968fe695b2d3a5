/* text.c - see text.h. */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"

/* Append a file to the text. */
static int read_file(const char *path, size_t most_bytes, struct text *text)
{
    FILE *file = fopen(path, "rb");
    char *longer;
    long length;
    size_t bytes;
    int err = -EIO;

    if (!file)
        return -errno;
    if (fseek(file, 0, SEEK_END) || (length = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET))
        goto close_file;
    bytes = (size_t)length < most_bytes - text->count ? (size_t)length
                                                      : most_bytes - text->count;
    longer = realloc(text->bytes, text->count + bytes + 1);
    if (!longer) {
        err = -ENOMEM;
        goto close_file;
    }
    text->bytes = longer;
    if (fread(text->bytes + text->count, 1, bytes, file) != bytes)
        goto close_file;
    text->count += bytes;
    text->bytes[text->count++] = '\n'; /* the next file starts a new word */
    err = 0;

close_file:
    fclose(file);
    return err;
}

int text_read(const struct bench_request *request, size_t most_bytes, struct text *text)
{
    int err = 0;

    *text = (struct text){.piece_bytes = 1};
    for (size_t i = 0; i < request->text_count && text->count < most_bytes && !err; i++) {
        err = read_file(request->texts[i], most_bytes, text);
        if (err)
            fprintf(stderr, "%s: %s\n", request->texts[i], strerror(-err));
    }
    if (!err && text->count == 0) {
        fprintf(stderr, "%s: no text; name one with --text=FILE\n", request->work->name);
        err = -ENODATA;
    }
    if (err)
        text_free(text);
    return err;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){.piece_bytes = 1};
}

size_t text_pieces(const struct text *text)
{
    return (text->count + text->piece_bytes - 1) / text->piece_bytes;
}

static size_t cut_before(const struct text *text, size_t piece)
{
    size_t at = piece * text->piece_bytes;

    return at < text->count ? wc_next_cut(text->bytes, text->count, at) : text->count;
}

const char *text_piece(const struct text *text, size_t piece, size_t *bytes)
{
    size_t begin = cut_before(text, piece);

    *bytes = cut_before(text, piece + 1) - begin;
    return text->bytes + begin;
}
