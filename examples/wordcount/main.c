/* main.c - wordcount: the most frequent words of any number of files, counted in
 * parallel.
 *
 * The files are cut into chunks, where no word is split. filch_group runs over the
 * chunks: each word of one is a key, and its value the number of times that it was
 * emitted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <filch/filch.h>
#include "count.h"
#include "words.h"

enum { EXIT_FILE = 1, EXIT_USAGE = 2, EXIT_CHECK = 3 };

/* A millisecond of work: small enough to even out the workers at the end, large enough
 * for what a chunk costs not to matter. */
#define CHUNK_BYTES_DEFAULT ((size_t)256 << 10)

struct text {
    const char *bytes;
    size_t size;
    bool is_mapped;
};

struct chunk {
    const char *bytes;
    size_t size;
};

struct job {
    struct text *texts;
    size_t text_count;
    struct chunk *chunks;
    size_t chunk_count;
};

/* --- reading ---------------------------------------------------------------------- */

/* For what cannot be mapped: pipes, terminals. */
static int read_all(int fd, struct text *text)
{
    size_t room = 0, size = 0;
    char *bytes = NULL, *longer;
    ssize_t got;

    do {
        if (room - size < 65536) {
            room = room ? 2 * room : 1 << 20;
            longer = realloc(bytes, room);
            if (!longer) {
                free(bytes);
                return -ENOMEM;
            }
            bytes = longer;
        }
        do
            got = read(fd, bytes + size, room - size);
        while (got < 0 && errno == EINTR);
        if (got < 0) {
            free(bytes);
            return -errno;
        }
        size += (size_t)got;
    } while (got > 0);
    *text = (struct text){bytes, size, false};
    return 0;
}

static int open_text(const char *name, struct text *text)
{
    bool is_stdin = strcmp(name, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *bytes;
    int err = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &info)) {
        err = -errno;
    } else if (S_ISDIR(info.st_mode)) {
        err = -EISDIR;
    } else if (S_ISREG(info.st_mode) && info.st_size > 0 && !is_stdin) {
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            err = read_all(fd, text);
        else
            *text = (struct text){bytes, (size_t)info.st_size, true};
    } else {
        err = read_all(fd, text);
    }
    if (!is_stdin)
        close(fd);
    return err;
}

static void close_texts(struct job *job)
{
    for (size_t i = 0; i < job->text_count; i++) {
        if (job->texts[i].is_mapped)
            munmap((void *)(uintptr_t)job->texts[i].bytes, job->texts[i].size);
        else
            free((void *)(uintptr_t)job->texts[i].bytes);
    }
    free(job->texts);
    free(job->chunks);
}

/* --- chunks ----------------------------------------------------------------------- */

static int add_chunk(struct job *job, size_t *room, const char *bytes, size_t size)
{
    if (job->chunk_count == *room) {
        struct chunk *longer;

        *room = *room ? 2 * *room : 64;
        longer = realloc(job->chunks, *room * sizeof *longer);
        if (!longer)
            return -ENOMEM;
        job->chunks = longer;
    }
    job->chunks[job->chunk_count++] = (struct chunk){bytes, size};
    return 0;
}

/* Cut every text into chunks of about chunk_bytes. */
static int cut_chunks(struct job *job, size_t chunk_bytes)
{
    size_t room = 0;

    for (size_t i = 0; i < job->text_count; i++) {
        const struct text *text = &job->texts[i];
        size_t begin = 0, end;

        for (; begin < text->size; begin = end) {
            end = text->size;
            if (text->size - begin > chunk_bytes)
                end = wc_next_cut(text->bytes, text->size, begin + chunk_bytes);
            if (add_chunk(job, &room, text->bytes + begin, end - begin))
                return -ENOMEM;
        }
    }
    return 0;
}

/* --- counting --------------------------------------------------------------------- */

struct emitting {
    filch_emitter *out;
    size_t chunk;
};

static int emit_word(const unsigned char *word, size_t bytes, void *ctx)
{
    struct emitting *emitting = ctx;
    uint64_t *count = filch_emit(emitting->out, emitting->chunk, word, bytes);

    if (!count)
        return -ENOMEM;
    ++*count;
    return 0;
}

static int count_chunks(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                        void *ctx)
{
    const struct job *job = ctx;
    int err = 0;

    (void)w;
    for (size_t i = begin; i < end && !err; i++)
        err = words_each(job->chunks[i].bytes, job->chunks[i].size, WORDS_IN_LOWER_CASE,
                         emit_word, &(struct emitting){out, i});
    return err;
}

static void add_counts(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static struct wc_word word_of(const filch_group_item *item)
{
    return (struct wc_word){item->key, item->key_bytes, *(uint64_t *)item->value};
}

static int count_serially(const struct job *job, struct wc_table **table)
{
    int err = 0;

    for (size_t i = 0; i < job->text_count && !err; i++)
        err = wc_add(table, job->texts[i].bytes, job->texts[i].size);
    return err;
}

/* --- the program ------------------------------------------------------------------ */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void usage(FILE *out)
{
    fprintf(out,
            "Usage: wordcount [-j WORKERS] [-n TOP] [-c CHUNK_BYTES] [--check] FILE...\n"
            "Print the most frequent words of the files (- is standard input).\n\n"
            "  -j, --workers=N      threads at work (default: all that may be used)\n"
            "  -n, --top=N          words to print (default: 10)\n"
            "  -c, --chunk=BYTES    size of the pieces (default: 262144)\n"
            "      --check          count serially too, and compare\n"
            "      --help           print this\n");
}

static bool parse_count(const char *text, size_t least, size_t most, size_t *value)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > most)
        return false;
    *value = (size_t)number;
    return true;
}

static int print_top(const filch_group_item *items, size_t distinct, size_t limit)
{
    struct wc_word *top;
    size_t count = 0;

    if (limit > distinct)
        limit = distinct;
    top = malloc((limit ? limit : 1) * sizeof *top);
    if (!top)
        return -ENOMEM;
    for (size_t i = 0; i < distinct; i++)
        count = wc_rank(top, count, limit, word_of(&items[i]));
    wc_rank_end(top, count);
    for (size_t i = 0; i < count; i++) {
        printf("%12" PRIu64 "  ", top[i].count);
        fwrite(top[i].bytes, 1, top[i].length, stdout);
        putchar('\n');
    }
    free(top);
    return 0;
}

/* Whether the items are the words of the table. */
static bool agree(const filch_group_item *items, size_t distinct,
                  const struct wc_table *table)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < distinct; i++) {
        struct wc_word word = word_of(&items[i]);

        sum += wc_word_checksum(&word);
    }
    return sum == wc_checksum(table) && distinct == wc_distinct(table);
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "wordcount: %s: %s\n", what, strerror(-err));
    return EXIT_FILE;
}

/* Count, print, and compare if asked. Returns the exit status. */
static int run(struct job *job, size_t workers, size_t top, size_t chunk_bytes,
               bool is_checked)
{
    struct wc_table *serial = NULL;
    filch_pool *pool = NULL;
    filch_groups *counts = NULL;
    filch_group_item *items = NULL;
    size_t bytes = 0, distinct = 0;
    uint64_t words = 0;
    double seconds;
    int err, status = EXIT_SUCCESS;

    err = cut_chunks(job, chunk_bytes);
    if (!err && workers)
        err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = (uint32_t)workers));
    if (err)
        return fail("setting up", err);
    seconds = seconds_now();
    err = filch_group(
        &counts, 0, job->chunk_count, count_chunks,
        FILCH_GROUP_BY(.value_bytes = sizeof(uint64_t), .combine = add_counts), job,
        .grain = 1, .pool = pool);
    seconds = seconds_now() - seconds;
    if (!err) {
        distinct = filch_groups_count(counts);
        err = filch_groups_items(counts, FILCH_GROUP_ANY, &items, NULL, .pool = pool);
    }
    if (!err)
        err = print_top(items, distinct, top);
    if (err) {
        status = fail("counting", err);
        goto free_counts;
    }
    for (size_t i = 0; i < job->text_count; i++)
        bytes += job->texts[i].size;
    for (size_t i = 0; i < distinct; i++)
        words += word_of(&items[i]).count;
    printf("%12" PRIu64 "  words, %zu different\n", words, distinct);
    fprintf(stderr, "%zu bytes in %.3f s, %.0f MB/s, %u workers, %.0f MB for counts\n",
            bytes, seconds, seconds > 0 ? (double)bytes / seconds * 1e-6 : 0,
            filch_pool_workers(pool), (double)filch_groups_bytes(counts, NULL) * 1e-6);
    if (is_checked) {
        err = count_serially(job, &serial);
        if (err) {
            status = fail("counting serially", err);
        } else if (wc_words(serial) != words || !agree(items, distinct, serial)) {
            fprintf(stderr, "wordcount: parallel and serial counts differ\n");
            status = EXIT_CHECK;
        } else {
            puts("check: parallel and serial agree");
        }
    }

free_counts:
    filch_groups_destroy(counts);
    wc_free(serial);
    filch_pool_destroy(pool);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"workers", required_argument, NULL, 'j'}, {"top", required_argument, NULL, 'n'},
        {"chunk", required_argument, NULL, 'c'},   {"check", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    size_t workers = 0, top = 10, chunk_bytes = CHUNK_BYTES_DEFAULT;
    bool is_checked = false, is_good = true;
    struct job job = {0};
    int option, err, status;

    while ((option = getopt_long(argc, argv, "j:n:c:", long_options, NULL)) != -1) {
        switch (option) {
        case 'j':
            is_good &= parse_count(optarg, 1, FILCH_MAX_WORKERS, &workers);
            break;
        case 'n':
            is_good &= parse_count(optarg, 0, SIZE_MAX / sizeof(struct wc_word), &top);
            break;
        case 'c':
            is_good &= parse_count(optarg, 1, SIZE_MAX / 2, &chunk_bytes);
            break;
        case 'k':
            is_checked = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        default:
            is_good = false;
        }
    }
    if (!is_good || optind == argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    job.texts = calloc((size_t)(argc - optind), sizeof *job.texts);
    if (!job.texts)
        return fail("setting up", -ENOMEM);
    for (; optind < argc; optind++) {
        err = open_text(argv[optind], &job.texts[job.text_count]);
        if (err) {
            status = fail(argv[optind], err);
            close_texts(&job);
            return status;
        }
        job.text_count++;
    }
    status = run(&job, workers, top, chunk_bytes, is_checked);
    close_texts(&job);
    errno = EIO; /* of an earlier write, which has kept no other */
    if (fflush(stdout) || ferror(stdout))
        return fail("standard output", -errno);
    return status;
}
