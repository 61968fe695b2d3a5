/* wordcount_bench.c - how much of a map-reduce does the reduction eat?
 *
 * Count the words of a text: the pieces of it, cut at word boundaries, into a hash table
 * for each worker (map), then these tables into one (reduce). Serial counts the text as
 * one piece and merges nothing. The kernels are those of examples/wordcount.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "count.h"
#include "team.h"
#include "text.h"

/* About half a millisecond each, so that the last one to end leaves the others idle for
 * less than that. */
#define PIECE_BYTES ((size_t)128 << 10)

static struct text text;
static struct wc_table *result;

static void release(void)
{
    wc_free(result);
    result = NULL;
    text_free(&text);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = text_read(request, SIZE_MAX, &text);

    if (err)
        return err;
    /* A test of the results wants several pieces of a small text, too. */
    text.piece_bytes = request->scale == BENCH_TINY ? 64 : PIECE_BYTES;
    snprintf(input->title, sizeof input->title, "word count");
    snprintf(input->size, sizeof input->size, "%.1f MB", (double)text.count / 1e6);
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
    return wc_add(&result, text.bytes, text.count);
}

/* ---- what the parallel candidates share ------------------------------------------ */

/* Count one more piece into a worker's table. */
static int count_piece(struct wc_table **table, size_t piece)
{
    size_t bytes;
    const char *at = text_piece(&text, piece, &bytes);

    return wc_add(table, at, bytes);
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

/* ---- channel pool: counters that receive pieces, and reply with their tables ------- */

struct counter {
    struct channel_job job;
    struct channel *pieces; /* numbers, from 1 */
    struct oneshot done;
    struct wc_table *table;
    int err;
};

static void counter_run(struct channel_job *job)
{
    struct counter *counter = (struct counter *)job;
    void *piece;

    while (channel_receive(counter->pieces, &piece) == 0)
        if (!counter->err)
            counter->err = count_piece(&counter->table, (size_t)(uintptr_t)piece - 1);
    oneshot_send(&counter->done, counter->table);
}

static int run_channel(const struct bench_team *team)
{
    size_t pieces = text_pieces(&text);
    struct counter *counter = calloc(team->workers, sizeof *counter);
    struct channel *channel = NULL;
    unsigned started;
    int err = counter ? channel_create(&channel, 0) : -ENOMEM;

    if (err)
        goto free_counter;
    for (size_t i = 1; i <= pieces && !err; i++)
        err = channel_send(channel, (void *)(uintptr_t)i);
    channel_close(channel);
    for (started = 0; started < team->workers && !err; started++) {
        counter[started].job.run = counter_run;
        counter[started].pieces = channel;
        oneshot_init(&counter[started].done);
        err = channel_pool_send(team->channel, &counter[started].job);
    }
    for (unsigned i = 0; i < started; i++) {
        result = merged(result, oneshot_receive(&counter[i].done));
        err = err ? err : counter[i].err;
    }
    channel_destroy(channel);
free_counter:
    free(counter);
    return err;
}

/* ---- OpenMP: a reduction of one's own, a table for each thread ------------------- */

#pragma omp declare reduction(merge : struct wc_table * : omp_out = merged(omp_out, omp_in)) \
    initializer(omp_priv = NULL)

static int run_openmp(const struct bench_team *team)
{
    size_t pieces = text_pieces(&text);
    struct wc_table *total = NULL;
    int failed = 0;

#pragma omp parallel for num_threads(team->workers) schedule(dynamic)                         \
    reduction(merge : total) reduction(+ : failed)
    for (size_t i = 0; i < pieces; i++)
        failed += count_piece(&total, i) != 0;
    result = total;
    return failed ? -ENOMEM : 0;
}

/* ---- filch: a table for each lane, and a reduction over the lanes ----------------- */

static int count_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct wc_table **tables = ctx;
    int err = 0;

    for (size_t i = begin; i < end && !err; i++)
        err = count_piece(&tables[filch_lane(w)], i);
    return err;
}

static int collect(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    struct wc_table **total = acc, **tables = ctx;

    (void)w;
    for (size_t lane = begin; lane < end; lane++)
        *total = merged(*total, tables[lane]);
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
    size_t lanes = filch_lane_limit(.pool = team->filch);
    struct wc_table **tables = calloc(lanes, sizeof(struct wc_table *));
    int err, collected;

    if (!tables)
        return -ENOMEM;
    err = filch_for(0, text_pieces(&text), count_body, tables, .grain = 1,
                    .pool = team->filch);
    collected = filch_reduce(0, lanes, &result, sizeof(struct wc_table *), collect,
                             merge_tables, tables, .grain = 1, .pool = team->filch);
    free(tables);
    return err ? err : collected;
}

/* ---- peers: a table for each thread --------------------------------------------- */

static int count_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    int err = 0;

    (void)w, (void)ctx;
    for (size_t i = begin; i < end && !err; i++)
        err = count_piece(acc, i);
    return err;
}

static int run_peer(const struct bench_team *team)
{
    return team_reduce(team, text_pieces(&text), &result, sizeof(struct wc_table *),
                       count_fold, merge_tables, NULL);
}

const struct bench_work bench_wordcount = {
    .name = "wordcount",
    .reads_text = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
