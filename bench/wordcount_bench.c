/* wordcount_bench.c - how much of a map-reduce does the reduction eat?
 *
 * Count the words of a text: each piece of it, cut at a word boundary, into a hash table
 * of its own (map), then the tables into one (reduce). Serial counts the text as one
 * piece and merges nothing; the others do the same piecework. The kernels are those of
 * examples/wordcount.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"

/* Pieces of a text: 16 for each of two workers, so that the last one to end leaves the
 * other idle for a few per cent at most; but no shorter than 256 KiB, or merging the
 * common words again and again costs more than counting. */
#define MOST_PIECES    32
#define SHORTEST_BYTES ((size_t)256 << 10)

static char *text;
static size_t text_bytes;
static size_t piece_bytes;
static struct wc_table *result;

/* Append a file to the text. */
static int read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *longer;
    long bytes;
    int err = -EIO;

    if (!file)
        return -errno;
    if (fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
        goto close_file;
    longer = realloc(text, text_bytes + (size_t)bytes + 1);
    if (!longer) {
        err = -ENOMEM;
        goto close_file;
    }
    text = longer;
    if (fread(text + text_bytes, 1, (size_t)bytes, file) != (size_t)bytes)
        goto close_file;
    text_bytes += (size_t)bytes;
    text[text_bytes++] = '\n'; /* the next file starts a new word */
    err = 0;

close_file:
    fclose(file);
    return err;
}

static void release(void)
{
    wc_free(result);
    result = NULL;
    free(text);
    text = NULL;
    text_bytes = 0;
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = 0;

    for (size_t i = 0; i < request->text_count && !err; i++) {
        err = read_file(request->texts[i]);
        if (err)
            fprintf(stderr, "%s: %s\n", request->texts[i], strerror(-err));
    }
    if (!err && text_bytes == 0) {
        fprintf(stderr, "wordcount: no text; name one with --text=FILE\n");
        err = -ENODATA;
    }
    if (err) {
        release();
        return err;
    }
    piece_bytes = (text_bytes + MOST_PIECES - 1) / MOST_PIECES;
    /* A test of the results wants several pieces of a small text, too. */
    if (piece_bytes < SHORTEST_BYTES && request->scale != BENCH_TINY)
        piece_bytes = SHORTEST_BYTES;
    snprintf(input->title, sizeof input->title, "word count");
    snprintf(input->size, sizeof input->size, "%.1f MB", (double)text_bytes / 1e6);
    return 0;
}

/* The checksum, cut to what a double holds. Frees the table. */
static double take_result(void)
{
    double taken = NAN;

    if (result)
        taken = (double)(wc_checksum(result) >> 12) + (double)wc_words(result);
    wc_free(result);
    result = NULL;
    return taken;
}

static int run_serial(const struct bench_team *team)
{
    (void)team;
    result = wc_count(text, text_bytes);
    return result ? 0 : -ENOMEM;
}

/* ---- what the parallel candidates share ------------------------------------------ */

static size_t count_pieces(void)
{
    return (text_bytes + piece_bytes - 1) / piece_bytes;
}

static size_t cut_before(size_t piece)
{
    size_t at = piece * piece_bytes;

    return at < text_bytes ? wc_next_cut(text, text_bytes, at) : text_bytes;
}

static struct wc_table *count_piece(size_t piece)
{
    size_t begin = cut_before(piece);

    return wc_count(text + begin, cut_before(piece + 1) - begin);
}

/* into and from in one table; either may be NULL, for no words. A merge that finds no
 * memory shows in the result. */
static struct wc_table *merged(struct wc_table *into, struct wc_table *from)
{
    if (!into)
        return from;
    wc_merge(into, from);
    return into;
}

/* ---- channel pool: the caller merges the replies while the workers go on counting  */

struct piece {
    struct channel_job job;
    struct oneshot table;
    size_t number;
};

static void piece_run(struct channel_job *job)
{
    struct piece *piece = (struct piece *)job;

    oneshot_send(&piece->table, count_piece(piece->number));
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = count_pieces();
    struct piece *piece = malloc(pieces * sizeof *piece);
    size_t sent;
    int err = 0;

    if (!piece)
        return -ENOMEM;
    for (sent = 0; sent < pieces; sent++) {
        piece[sent].job.run = piece_run;
        piece[sent].number = sent;
        oneshot_init(&piece[sent].table);
        err = channel_pool_send(team->channel, &piece[sent].job);
        if (err)
            break;
    }
    for (size_t i = 0; i < sent; i++) {
        struct wc_table *table = oneshot_receive(&piece[i].table);

        if (!table)
            err = -ENOMEM;
        result = merged(result, table);
    }
    free(piece);
    return err;
}

/* ---- OpenMP: a reduction of one's own, a table for each thread ------------------- */

#pragma omp declare reduction(merge : struct wc_table * : omp_out = merged(omp_out, omp_in)) \
    initializer(omp_priv = NULL)

static int run_openmp(const struct bench_team *team)
{
    size_t pieces = count_pieces();
    struct wc_table *total = NULL;
    int failed = 0;

#pragma omp parallel for num_threads(team->workers) schedule(dynamic)                         \
    reduction(merge : total) reduction(+ : failed)
    for (size_t i = 0; i < pieces; i++) {
        struct wc_table *table = count_piece(i);

        failed += !table;
        total = merged(total, table);
    }
    result = total;
    return failed ? -ENOMEM : 0;
}

/* ---- filch: a reduction over the pieces ------------------------------------------ */

static int count_body(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct wc_table **total = acc;

    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        struct wc_table *table = count_piece(i);

        if (!table)
            return -ENOMEM;
        *total = merged(*total, table);
    }
    return 0;
}

static void merge_tables(void *left, void *right, void *ctx)
{
    struct wc_table **into = left;

    (void)ctx;
    *into = merged(*into, *(struct wc_table **)right);
}

static int run_filch(const struct bench_team *team)
{
    return filch_reduce(0, count_pieces(), &result, sizeof(struct wc_table *), count_body,
                        merge_tables, NULL, .pool = team->filch);
}

const struct bench_work bench_wordcount = {
    .name = "wordcount",
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch},
    .take_result = take_result,
};
