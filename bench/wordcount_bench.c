/* wordcount_bench.c - how much of a map-reduce does the reduction eat?
 *
 * Count the words of a text: its pieces, cut at word boundaries, into a hash table for each
 * worker (map), then these tables into one (reduce). Words are found by the kernels of
 * examples/wordcount/words.h and counted in the table of lib/group.h, the fastest of those
 * that were tried, by all candidates: what differs is who counts what, and how tables are
 * merged. filch has filch_group; the others merge each table into the first, as it comes.
 * Serial counts the text as one piece, and merges nothing.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "count.h"
#include "group.h"
#include "team.h"
#include "text.h"
#include "words.h"

#define PIECE_BYTES ((size_t)128 << 10)

static struct text text;
static struct fl_shape shape;
static filch_emitter *result; /* of all candidates but */
static filch_groups *groups;  /* filch */

static void add_counts(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static const filch_group_by *by_count(void)
{
    static const filch_group_by by = {.struct_size = sizeof(filch_group_by),
                                      .abi = FILCH_HOT_ABI,
                                      .value_bytes = sizeof(uint64_t),
                                      .combine = add_counts};

    return &by;
}

static void forget(void)
{
    if (result)
        fl_emitter_free(result);
    result = NULL;
    filch_groups_destroy(groups);
    groups = NULL;
}

static void release(void)
{
    forget();
    text_free(&text);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    int err = text_read(request, SIZE_MAX, &text);

    if (err)
        return err;
    fl_shape_init(&shape, by_count(), NULL);
    text.piece_bytes = request->scale == BENCH_TINY ? 64 : PIECE_BYTES;
    snprintf(input->title, sizeof input->title, "word count");
    snprintf(input->size, sizeof input->size, "%.1f MB", (double)text.count / 1e6);
    return 0;
}

/* ---- kernels --------------------------------------------------------------------- */

struct emitting {
    filch_emitter *out;
    size_t piece;
};

static int emit_word(const unsigned char *word, size_t bytes, void *ctx)
{
    struct emitting *emitting = ctx;
    uint64_t *count = filch_emit(emitting->out, emitting->piece, word, bytes);

    if (!count)
        return -ENOMEM;
    ++*count;
    return 0;
}

static int count_piece(filch_emitter *out, size_t piece)
{
    struct emitting emitting = {out, piece};
    size_t bytes;
    const char *at = text_piece(&text, piece, &bytes);

    return words_each(at, bytes, WORDS_IN_LOWER_CASE, emit_word, &emitting);
}

/* Count one more piece into a worker's table, which is made for the first. */
static int count_into(filch_emitter **table, size_t piece)
{
    if (!*table)
        *table = fl_emitter_make(&shape);
    return *table ? count_piece(*table, piece) : -ENOMEM;
}

/* into and from in one table; either may be NULL. NULL, if there is no memory. */
static filch_emitter *merged(filch_emitter *into, filch_emitter *from)
{
    struct fl_block **end;
    int err;

    if (!into || !from)
        return into ? into : from;
    err = fl_table_merge(&into->table, &from->table, 0, 0, &shape);
    for (end = &into->blocks; *end; end = &(*end)->next)
        continue;
    *end = from->blocks;
    from->blocks = NULL;
    fl_emitter_free(from);
    if (!err)
        return into;
    fl_emitter_free(into);
    return NULL;
}

/* ---- results --------------------------------------------------------------------- */

static uint64_t sum_of(const void *key, size_t bytes, const void *count)
{
    struct wc_word word = {key, bytes, *(const uint64_t *)count};

    return wc_word_checksum(&word);
}

/* The checksum, cut to what a double holds. */
static double take_result(void)
{
    filch_group_item *items;
    uint64_t sum = 0;
    double taken = NAN;

    if (result) {
        for (size_t i = 0; i < (size_t)1 << result->table.log2; i++) {
            const struct fl_entry *entry = result->table.slots[i].entry;

            if (entry)
                sum +=
                    sum_of(fl_entry_key(entry, &shape), fl_entry_key_bytes(entry, &shape),
                           fl_entry_value(entry, &shape));
        }
        taken = (double)(sum >> 12) + (double)result->table.count;
    } else if (groups && !filch_groups_items(groups, FILCH_GROUP_ANY, &items, NULL)) {
        for (size_t i = 0; i < filch_groups_count(groups); i++)
            sum += sum_of(items[i].key, items[i].key_bytes, items[i].value);
        taken = (double)(sum >> 12) + (double)filch_groups_count(groups);
    }
    forget();
    return taken;
}

static int run_serial(const struct bench_team *team)
{
    struct emitting emitting = {.out = fl_emitter_make(&shape)};

    (void)team;
    result = emitting.out;
    return result ? words_each(text.bytes, text.count, WORDS_IN_LOWER_CASE, emit_word,
                               &emitting)
                  : -ENOMEM;
}

/* ---- channel pool: counters that receive pieces, and reply with their tables ----- */

struct counter {
    struct channel_job job;
    struct channel *pieces; /* numbers, from 1 */
    struct oneshot done;
    filch_emitter *table;
    int err;
};

static void counter_run(struct channel_job *job)
{
    struct counter *counter = (struct counter *)job;
    void *piece;

    while (channel_receive(counter->pieces, &piece) == 0)
        if (!counter->err)
            counter->err = count_into(&counter->table, (size_t)(uintptr_t)piece - 1);
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

#pragma omp declare reduction(merge_groups : filch_emitter * : omp_out =           \
                                  merged(omp_out, omp_in)) initializer(omp_priv = NULL)

static int run_openmp(const struct bench_team *team)
{
    size_t pieces = text_pieces(&text);
    filch_emitter *total = NULL;
    int failed = 0;

#pragma omp parallel for num_threads(team->workers) schedule(dynamic)     \
    reduction(merge_groups : total) reduction(+ : failed)
    for (size_t i = 0; i < pieces; i++)
        failed += count_into(&total, i) != 0;
    result = total;
    return failed ? -ENOMEM : 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int count_body(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                      void *ctx)
{
    int err = 0;

    (void)w, (void)ctx;
    for (size_t i = begin; i < end && !err; i++)
        err = count_piece(out, i);
    return err;
}

static int run_filch(const struct bench_team *team)
{
    return filch_group(&groups, 0, text_pieces(&text), count_body, by_count(), NULL,
                       .grain = 1, .pool = team->filch);
}

/* ---- peers: a table for each thread ---------------------------------------------- */

static int count_fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    int err = 0;

    (void)w, (void)ctx;
    for (size_t i = begin; i < end && !err; i++)
        err = count_into(acc, i);
    return err;
}

static void combine(void *left, void *right, void *ctx)
{
    filch_emitter **into = left;

    (void)ctx;
    *into = merged(*into, *(filch_emitter **)right);
}

static int run_peer(const struct bench_team *team)
{
    return team_reduce(team, text_pieces(&text), &result, sizeof(filch_emitter *),
                       count_fold, combine, NULL);
}

const struct bench_work bench_wordcount = {
    .name = "wordcount",
    .reads_text = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
