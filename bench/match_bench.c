/* match_bench.c - does a scan of a text scale, whose result is a few counts?
 *
 * How often each of some keys occurs among the words of a text: every word is hashed, and
 * looked at again only when the hash is that of a key. Words count as they are written.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"
#include "text.h"

/* As in the word count, whose pieces take longer. */
#define PIECE_BYTES ((size_t)128 << 10)

static const char *const keys[] = {"the",       "license",  "int", "warranty",
                                   "Copyright", "parallel", "if",  "zyzzyva"};

#define KEYS (sizeof keys / sizeof keys[0])

struct counts {
    uint64_t of[KEYS];
};

static struct text text;
static uint32_t hashes[KEYS];
static struct counts result;
static bool has_result;

static void match(struct counts *counts, const char *word, size_t bytes, uint32_t hash)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (hash == hashes[i] && strlen(keys[i]) == bytes &&
            memcmp(keys[i], word, bytes) == 0)
            counts->of[i]++;
    }
}

static void match_text(struct counts *counts, const char *at, size_t bytes)
{
    const char *end = at + bytes;
    const char *word;
    uint32_t hash;

    while ((word = text_word(&at, end, &hash)))
        match(counts, word, (size_t)(at - word), hash);
}

static void match_piece(struct counts *counts, size_t piece)
{
    size_t bytes;
    const char *at = text_piece(&text, piece, &bytes);

    match_text(counts, at, bytes);
}

static void match_pieces(struct counts *counts, size_t begin, size_t end)
{
    for (size_t piece = begin; piece < end; piece++)
        match_piece(counts, piece);
}

static void add(struct counts *left, const struct counts *right)
{
    for (size_t i = 0; i < KEYS; i++)
        left->of[i] += right->of[i];
}

static void release(void)
{
    text_free(&text);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t most_bytes[] = {
        [BENCH_TINY] = SIZE_MAX, [BENCH_QUICK] = 4000000, [BENCH_FULL] = 64000000};
    int err = text_read(request, most_bytes[request->scale], &text);

    if (err)
        return err;
    text.piece_bytes = request->scale == BENCH_TINY ? 64 : PIECE_BYTES;
    for (size_t i = 0; i < KEYS; i++) {
        const char *at = keys[i];

        text_word(&at, at + strlen(at), &hashes[i]);
    }
    snprintf(input->title, sizeof input->title, "string match");
    snprintf(input->size, sizeof input->size, "%.1f MB, %zu keys",
             (double)text.count / 1e6, KEYS);
    return 0;
}

static double take_result(void)
{
    double sum = has_result ? bench_checksum(&result, sizeof result) : NAN;

    has_result = false;
    result = (struct counts){{0}};
    return sum;
}

/* ---- serial ---------------------------------------------------------------------- */

static int run_serial(const struct bench_team *team)
{
    (void)team;
    match_text(&result, text.bytes, text.count);
    has_result = true;
    return 0;
}

/* ---- channel pool: counts for each piece of the loop ----------------------------- */

static void match_share(size_t share, size_t begin, size_t end, void *ctx)
{
    struct counts counts = {{0}}; /* not in the array: neighbours share its cache lines */

    match_pieces(&counts, begin, end);
    ((struct counts *)ctx)[share] = counts;
}

static int run_channel(const struct bench_team *team)
{
    size_t shares = channel_pool_pieces(team->channel);
    struct counts *partial = calloc(shares, sizeof *partial);
    int err;

    if (!partial)
        return -ENOMEM;
    err = channel_pool_for(team->channel, 0, text_pieces(&text), match_share, partial);
    for (size_t i = 0; i < shares; i++)
        add(&result, &partial[i]);
    free(partial);
    has_result = true;
    return err;
}

/* ---- OpenMP: a reduction of a struct --------------------------------------------- */

#pragma omp declare reduction(add                       \
                              : struct counts           \
                              : add(&omp_out, &omp_in)) \
    initializer(omp_priv = (struct counts){{0}})

static int run_openmp(const struct bench_team *team)
{
    size_t pieces = text_pieces(&text);
    struct counts counts = {{0}};

#pragma omp parallel for num_threads(team->workers) reduction(add       \
                                                              : counts) \
    schedule(dynamic)
    for (size_t piece = 0; piece < pieces; piece++)
        match_piece(&counts, piece);
    result = counts;
    has_result = true;
    return 0;
}

/* ---- filch ----------------------------------------------------------------------- */

static int fold(filch_worker *w, size_t begin, size_t end, void *acc, void *ctx)
{
    (void)w, (void)ctx;
    match_pieces(acc, begin, end);
    return 0;
}

static void combine(void *left, void *right, void *ctx)
{
    (void)ctx;
    add(left, right);
}

static int run_filch(const struct bench_team *team)
{
    int err = filch_reduce(0, text_pieces(&text), &result, sizeof result, fold, combine,
                           NULL, .pool = team->filch);

    has_result = true;
    return err;
}

static int run_peer(const struct bench_team *team)
{
    has_result = true;
    return team_reduce(team, text_pieces(&text), &result, sizeof result, fold, combine,
                       NULL);
}

const struct bench_work bench_match = {
    .name = "string-match",
    .reads_text = true,
    .prepare = prepare,
    .release = release,
    .run = {run_serial, run_channel, run_openmp, run_filch, run_peer, run_peer},
    .take_result = take_result,
};
