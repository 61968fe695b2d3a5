/* index_bench.c - does a map-reduce scale whose result is as large as its input?
 *
 * An inverted index: for each word of a text the documents in which it occurs, in
 * ascending order. The text is cut into documents of about equal size. Whoever works makes
 * an index of the documents that it takes (map); every index lies in parts by the hash of
 * the word, so that afterwards each part of the result is made of the same parts of all,
 * by somebody alone (reduce). Serial makes one index and merges nothing. filch is
 * filch_group, with the list of documents as a word's value; as its table hashes words by
 * itself, they are found by examples/wordcount/words.h, not by a loop that hashes them.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "index.h"
#include "postings.h"
#include "team.h"
#include "words.h"

#define DOCUMENT_BYTES ((size_t)16 << 10)

static struct text text;
static struct index_set set; /* of the last run; its first index is the result; or */
static filch_groups *groups; /* filch's, with a list for each word; */
static struct arena *arenas; /* where postings lie: one for each lane */
static size_t lanes;

static void forget(void)
{
    index_set_free(&set);
    filch_groups_destroy(groups);
    groups = NULL;
    for (size_t lane = 0; lane < lanes; lane++)
        arena_free(&arenas[lane]);
    free(arenas);
    arenas = NULL;
    lanes = 0;
}

static void release(void)
{
    forget();
    text_free(&text);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t most_bytes[] = {
        [BENCH_TINY] = SIZE_MAX, [BENCH_QUICK] = 4000000, [BENCH_FULL] = 32000000};
    int err = text_read(request, most_bytes[request->scale], &text);

    if (err)
        return err;
    text.piece_bytes = request->scale == BENCH_TINY ? 128 : DOCUMENT_BYTES;
    snprintf(input->title, sizeof input->title, "inverted index");
    snprintf(input->size, sizeof input->size, "%.1f MB, %zu documents",
             (double)text.count / 1e6, text_pieces(&text));
    return 0;
}

/* As index_checksum; NAN when there is no memory. */
static double groups_checksum(void)
{
    filch_group_item *item;
    uint64_t sum = 0;
    uint32_t hash;

    if (filch_groups_items(groups, FILCH_GROUP_ANY, &item, NULL))
        return NAN;
    for (size_t i = 0; i < filch_groups_count(groups); i++) {
        const char *at = item[i].key;

        text_word(&at, at + item[i].key_bytes, &hash);
        sum += postings_checksum(item[i].value, hash, item[i].key_bytes);
    }
    return (double)(sum >> 12);
}

/* Frees the index. */
static double take_result(void)
{
    double sum = NAN;

    if (groups)
        sum = groups_checksum();
    else if (set.indexes)
        sum = (double)(index_checksum(&set) >> 12);
    forget();
    return sum;
}

static int add_documents(size_t index, size_t begin, size_t end)
{
    int err = 0;

    for (size_t i = begin; i < end && !err; i++)
        err = index_add_document(&set, index, i);
    return err;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(const struct bench_team *team)
{
    int err = index_set_create(&set, &text, 1);

    (void)team;
    return err ? err : add_documents(0, 0, text_pieces(&text));
}

/* ---- channel pool: indexers that receive documents, then a loop over the parts ----- */

struct indexer {
    struct channel_job job;
    struct channel *documents; /* numbers, from 1 */
    struct oneshot done;
    size_t index;
    int err;
};

static void indexer_run(struct channel_job *job)
{
    struct indexer *indexer = (struct indexer *)job;
    void *document;

    while (channel_receive(indexer->documents, &document) == 0)
        if (!indexer->err)
            indexer->err =
                index_add_document(&set, indexer->index, (size_t)(uintptr_t)document - 1);
    oneshot_send(&indexer->done, indexer);
}

static void merge_piece(size_t piece, size_t begin, size_t end, void *ctx)
{
    int *errs = ctx;

    for (size_t part = begin; part < end && !errs[piece]; part++)
        errs[piece] = index_merge_part(&set, part);
}

static int merge_channel(struct channel_pool *pool)
{
    size_t pieces = channel_pool_pieces(pool);
    int *errs = calloc(pieces, sizeof *errs);
    int err = errs ? channel_pool_for(pool, 0, INDEX_PARTS, merge_piece, errs) : -ENOMEM;

    for (size_t i = 0; i < pieces && !err; i++)
        err = errs[i];
    free(errs);
    return err;
}

static int run_channel(const struct bench_team *team)
{
    struct indexer *indexer = calloc(team->workers, sizeof *indexer);
    struct channel *channel = NULL;
    unsigned started;
    int err = indexer ? index_set_create(&set, &text, team->workers) : -ENOMEM;

    if (!err)
        err = channel_create(&channel, 0);
    if (err)
        goto free_indexer;
    for (size_t i = 1; i <= text_pieces(&text) && !err; i++)
        err = channel_send(channel, (void *)(uintptr_t)i);
    channel_close(channel);
    for (started = 0; started < team->workers && !err; started++) {
        indexer[started].job.run = indexer_run;
        indexer[started].documents = channel;
        indexer[started].index = started;
        oneshot_init(&indexer[started].done);
        err = channel_pool_send(team->channel, &indexer[started].job);
    }
    for (unsigned i = 0; i < started; i++) {
        oneshot_receive(&indexer[i].done);
        err = err ? err : indexer[i].err;
    }
    channel_destroy(channel);
    if (!err)
        err = merge_channel(team->channel);
free_indexer:
    free(indexer);
    return err;
}

/* ---- OpenMP: an index for each thread --------------------------------------------- */

static int run_openmp(const struct bench_team *team)
{
    size_t documents = text_pieces(&text);
    int err = index_set_create(&set, &text, team->workers);
    int failed = 0;

    if (err)
        return err;
#pragma omp parallel num_threads(team->workers) reduction(+ : failed)
    {
        size_t mine = (size_t)omp_get_thread_num();

#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < documents; i++)
            failed += index_add_document(&set, mine, i) != 0;
#pragma omp for schedule(dynamic)
        for (size_t part = 0; part < INDEX_PARTS; part++)
            failed += index_merge_part(&set, part) != 0;
    }
    return failed ? -ENOMEM : 0;
}

/* ---- filch: lists by word ---------------------------------------------------------- */

struct emitting {
    filch_emitter *out;
    struct arena *arena;
    size_t document;
};

static int emit_word(const unsigned char *word, size_t bytes, void *ctx)
{
    struct emitting *emitting = ctx;
    struct postings *list = filch_emit(emitting->out, emitting->document, word, bytes);

    return list ? postings_add(list, emitting->arena, emitting->document) : -ENOMEM;
}

static int emit_documents(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                          void *ctx)
{
    struct emitting emitting = {out, &arenas[filch_lane(w)], begin};
    int err = 0;

    (void)ctx;
    for (; emitting.document < end && !err; emitting.document++) {
        size_t bytes;
        const char *at = text_piece(&text, emitting.document, &bytes);

        err = words_each(at, bytes, WORDS_AS_WRITTEN, emit_word, &emitting);
    }
    return err;
}

static void append(void *left, void *right, void *ctx)
{
    (void)ctx;
    postings_append(left, right);
}

static int sort_lists(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const filch_group_item *item = ctx;

    (void)w;
    for (size_t i = begin; i < end; i++)
        postings_sort(item[i].value);
    return 0;
}

static int run_filch(const struct bench_team *team)
{
    filch_group_item *item;
    int err;

    lanes = filch_lane_limit(.pool = team->filch);
    arenas = calloc(lanes, sizeof *arenas);
    if (!arenas)
        return -ENOMEM;
    err = filch_group(
        &groups, 0, text_pieces(&text), emit_documents,
        FILCH_GROUP_BY(.value_bytes = sizeof(struct postings), .combine = append), NULL,
        .pool = team->filch);
    if (!err)
        err =
            filch_groups_items(groups, FILCH_GROUP_ANY, &item, NULL, .pool = team->filch);
    return err ? err
               : filch_for(0, filch_groups_count(groups), sort_lists, item,
                           .pool = team->filch);
}

static int merge_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    int err = 0;

    (void)w, (void)ctx;
    for (size_t part = begin; part < end && !err; part++)
        err = index_merge_part(&set, part);
    return err;
}

/* ---- peers: an index for each thread -------------------------------------------- */

static int add_peer(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    (void)w, (void)ctx;
    return add_documents(team_peer->thread(), begin, end);
}

static int inside_peer(const struct bench_team *team)
{
    int err = team_loop(team, text_pieces(&text), add_peer, NULL);

    return err ? err : team_loop(team, INDEX_PARTS, merge_body, NULL);
}

static int run_peer(const struct bench_team *team)
{
    int err = index_set_create(&set, &text, team->workers);

    return err ? err : team_enter(team, inside_peer);
}

const struct bench_work bench_index = {
    .name = "inverted-index",
    .reads_text = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
