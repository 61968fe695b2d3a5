/* main.c - transpose: a matrix of doubles in a file, transposed or multiplied by
 * itself, in tiles.
 *
 * A file is the rows of a matrix, one after the other, as this machine keeps doubles.
 * Loops over tiles (filch_for_2d) read and write pieces that fit a core's cache: of a
 * transposed matrix, where each row that is read is a column that is written; and of
 * the product of the transposed matrix with the matrix (--gram), the sums of products
 * of all pairs of columns, whose terms are added in the order of rows, so that its bits
 * depend on nothing else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <filch/filch.h>

enum { EXIT_FILE = 1, EXIT_USAGE = 2, EXIT_CHECK = 3 };

/* Elements of a side: two tiles of doubles, or one and some rows, are in the nearest
 * cache. */
#define TRANSPOSE_TILE 32
#define GRAM_TILE      48

struct matrix {
    size_t rows, columns;
    const double *in; /* rows x columns */
    double *out;      /* columns x rows; or columns x columns */
};

/* --- the loops -------------------------------------------------------------------- */

/* A tile of the result. */
static int transpose_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    const struct matrix *m = ctx;

    (void)w;
    for (size_t row = tile->row_begin; row < tile->row_end; row++)
        for (size_t column = tile->column_begin; column < tile->column_end; column++)
            m->out[row * m->rows + column] = m->in[column * m->columns + row];
    return 0;
}

static int gram_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    const struct matrix *m = ctx;
    double sum[GRAM_TILE][GRAM_TILE] = {{0}};
    size_t height = tile->row_end - tile->row_begin;
    size_t width = tile->column_end - tile->column_begin;

    (void)w;
    for (size_t k = 0; k < m->rows; k++) {
        const double *left = m->in + k * m->columns + tile->row_begin;
        const double *right = m->in + k * m->columns + tile->column_begin;

        for (size_t i = 0; i < height; i++)
            for (size_t j = 0; j < width; j++)
                sum[i][j] += left[i] * right[j];
    }
    for (size_t i = 0; i < height; i++)
        memcpy(m->out + (tile->row_begin + i) * m->columns + tile->column_begin, sum[i],
               width * sizeof(double));
    return 0;
}

static int run_loop(struct matrix *m, bool is_gram, filch_pool *pool)
{
    if (is_gram)
        return filch_for_2d(0, m->columns, 0, m->columns, gram_tile, m, .pool = pool,
                            .tile = {GRAM_TILE, GRAM_TILE});
    return filch_for_2d(0, m->columns, 0, m->rows, transpose_tile, m, .pool = pool,
                        .tile = {TRANSPOSE_TILE, TRANSPOSE_TILE});
}

/* The same bits, also where they are no number. */
static bool is_same(double left, double right)
{
    uint64_t a, b;

    memcpy(&a, &left, sizeof a);
    memcpy(&b, &right, sizeof b);
    return a == b;
}

/* The definition, element by element. */
static bool is_right(const struct matrix *m, bool is_gram)
{
    size_t width = is_gram ? m->columns : m->rows;

    for (size_t i = 0; i < m->columns; i++)
        for (size_t j = 0; j < width; j++) {
            double expected = 0;

            if (!is_gram)
                expected = m->in[j * m->columns + i];
            for (size_t k = 0; k < m->rows && is_gram; k++)
                expected += m->in[k * m->columns + i] * m->in[k * m->columns + j];
            if (!is_same(expected, m->out[i * width + j]))
                return false;
        }
    return true;
}

/* --- files ------------------------------------------------------------------------ */

static int map_in(const char *name, size_t bytes, const double **in)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC), err = 0;
    struct stat info;
    void *memory;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &info)) {
        err = -errno;
    } else if ((uint64_t)info.st_size != bytes) {
        err = -EMSGSIZE;
    } else {
        memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (memory == MAP_FAILED)
            err = -errno;
        else
            *in = memory;
    }
    close(fd);
    return err;
}

static int write_out(const char *name, const double *out, size_t count)
{
    FILE *file = fopen(name, "wb");
    int err = 0;

    if (!file)
        return -errno;
    errno = EIO;
    if (fwrite(out, sizeof *out, count, file) != count)
        err = -errno;
    if (fclose(file) && !err)
        err = -errno;
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
    fprintf(out, "Usage: transpose [-j WORKERS] [--gram] [--check] ROWS COLUMNS IN OUT\n"
                 "Transpose the matrix of doubles in IN, row by row, to OUT.\n\n"
                 "  -j, --workers=N  threads at work (default: all that may be used)\n"
                 "      --gram       the transposed matrix times the matrix instead\n"
                 "      --check      compare with the definition, serially\n"
                 "      --help       print this\n");
}

static bool parse_count(const char *text, size_t most, size_t *value)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < 1 || number > most)
        return false;
    *value = (size_t)number;
    return true;
}

static int fail(const char *what, int err)
{
    if (err == -EMSGSIZE)
        fprintf(stderr, "transpose: %s: not of ROWS x COLUMNS doubles\n", what);
    else
        fprintf(stderr, "transpose: %s: %s\n", what, strerror(-err));
    return EXIT_FILE;
}

static int run(struct matrix *m, const char *in, const char *out, size_t workers,
               bool is_gram, bool is_checked)
{
    size_t in_bytes = m->rows * m->columns * sizeof(double);
    size_t count = m->columns * (is_gram ? m->columns : m->rows);
    filch_pool *pool = NULL;
    double seconds;
    int status = EXIT_SUCCESS, err = map_in(in, in_bytes, &m->in);

    if (err)
        return fail(in, err);
    m->out = malloc(count * sizeof(double));
    if (!m->out)
        err = -ENOMEM;
    if (!err && workers)
        err = filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = (uint32_t)workers));
    seconds = seconds_now();
    if (!err)
        err = run_loop(m, is_gram, pool);
    seconds = seconds_now() - seconds;
    if (err) {
        status = fail(is_gram ? "multiplying" : "transposing", err);
    } else {
        fprintf(stderr, "%zu x %zu in %.3f s, %u workers\n", m->rows, m->columns, seconds,
                filch_pool_workers(pool));
        err = write_out(out, m->out, count);
        if (err) {
            status = fail(out, err);
        } else if (is_checked && !is_right(m, is_gram)) {
            fprintf(stderr, "transpose: the result is wrong\n");
            status = EXIT_CHECK;
        } else if (is_checked) {
            puts("check: as defined");
        }
    }
    filch_pool_destroy(pool);
    free(m->out);
    munmap((void *)(uintptr_t)m->in, in_bytes);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"workers", required_argument, NULL, 'j'},
        {"gram", no_argument, NULL, 'g'},
        {"check", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    bool is_gram = false, is_checked = false, is_good = true;
    struct matrix m = {0};
    size_t workers = 0;
    int option;

    while ((option = getopt_long(argc, argv, "j:", long_options, NULL)) != -1) {
        switch (option) {
        case 'j':
            is_good &= parse_count(optarg, FILCH_MAX_WORKERS, &workers);
            break;
        case 'g':
            is_gram = true;
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
    /* So that no product overflows. */
    if (!is_good || argc - optind != 4 ||
        !parse_count(argv[optind], UINT32_MAX / 16, &m.rows) ||
        !parse_count(argv[optind + 1], UINT32_MAX / 16, &m.columns)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return run(&m, argv[optind + 2], argv[optind + 3], workers, is_gram, is_checked);
}
