/* main.c - mandelbrot: a picture of the Mandelbrot set, with a progress bar and Ctrl-C.
 *
 * filch_for_2d draws tiles of the picture, whose points differ in cost by a factor of
 * thousands. The handler of SIGINT sets the loop's token (.cancel), and the loop tells how
 * far it is (.progress).
 *
 * The picture goes to OUT.part, which becomes OUT when it is complete. After Ctrl-C there
 * is neither a part nor a new OUT, an older OUT is what it was, and the exit status is
 * 130. A second Ctrl-C ends the program at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <filch/filch.h>

enum { EXIT_FILE = 1, EXIT_USAGE = 2, EXIT_CHECK = 3, EXIT_INTERRUPTED = 130 };

#define SIDE_MOST       65536
#define ITERATIONS_MOST 2000000000

struct picture {
    size_t width, height;
    size_t iterations; /* after which a point counts as inside */
    double left, top;  /* where pixel (0, 0) lies in the plane, */
    double step;       /* and how far it is to the next */
    unsigned char *rgb;
};

static filch_cancel interrupted;

static void on_interrupt(int number)
{
    (void)number;
    filch_cancel_set(&interrupted);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* --- drawing ---------------------------------------------------------------------- */

/* How long the point takes to leave the set, with a fraction that makes neighbouring
 * bands run into each other; negative: it does not. */
static double escape_time(double cr, double ci, size_t iterations)
{
    double r = 0, i = 0, rr = 0, ii = 0;

    for (size_t n = 0; n < iterations; n++) {
        i = 2 * r * i + ci;
        r = rr - ii + cr;
        rr = r * r;
        ii = i * i;
        if (rr + ii > 256)
            return (double)n + 1 - log2(log2(rr + ii) / 2);
    }
    return -1;
}

static void draw_point(const struct picture *picture, size_t row, size_t column)
{
    double time =
        escape_time(picture->left + (double)column * picture->step,
                    picture->top - (double)row * picture->step, picture->iterations);
    unsigned char *rgb = picture->rgb + 3 * (row * picture->width + column);

    for (int channel = 0; channel < 3; channel++) {
        double light = 0.5 - 0.5 * cos(sqrt(fmax(time, 0)) * 0.9 + 0.6 * channel);

        rgb[channel] = (unsigned char)(time < 0 ? 0 : 255 * light);
    }
}

static int draw_tile(filch_worker *w, const filch_tile_2d *tile, void *ctx)
{
    const struct picture *picture = *(struct picture **)ctx;

    for (size_t row = tile->row_begin; row < tile->row_end; row++) {
        for (size_t column = tile->column_begin; column < tile->column_end; column++)
            draw_point(picture, row, column);
        /* Points of a deep picture take milliseconds: no need to end the tile. */
        if (filch_cancelled(w))
            return -ECANCELED;
    }
    return 0;
}

/* --- progress --------------------------------------------------------------------- */

#define BAR_WIDTH 40

/* The loop's context: bodies look at the picture, progress at the rest. */
struct drawing {
    struct picture *picture; /* first, for draw_tile */
    double since;
    bool is_quiet, is_terminal;
    int tenths; /* printed last, where there is no terminal */
};

static void print_time_left(double seconds)
{
    unsigned long left = (unsigned long)fmin(seconds + 0.5, 1e9);

    fprintf(stderr, "%lu:%02lu:%02lu left", left / 3600, left / 60 % 60, left % 60);
}

/* Called on the main thread, so there is nothing to lock. */
static int show_progress(size_t done, size_t total, void *ctx)
{
    struct drawing *drawing = ctx;
    double share = (double)done / (double)total;
    double elapsed = seconds_now() - drawing->since;
    int filled = (int)(share * BAR_WIDTH);

    if (drawing->is_terminal) {
        fprintf(stderr, "\r[");
        for (int i = 0; i < BAR_WIDTH; i++)
            fputc(i < filled ? '#' : '.', stderr);
        fprintf(stderr, "] %3d %%  ", (int)(share * 100));
    } else if ((int)(share * 10) > drawing->tenths) {
        drawing->tenths = (int)(share * 10);
        fprintf(stderr, "%3d %%  ", (int)(share * 100));
    } else {
        return 0;
    }
    if (done > 0)
        print_time_left(elapsed * (1 - share) / share);
    fputs(drawing->is_terminal ? "\033[K" : "\n", stderr); /* to the end of the line */
    return 0;
}

static int draw(struct drawing *drawing, filch_pool *pool)
{
    struct picture *picture = drawing->picture;
    int value;

    drawing->since = seconds_now();
    drawing->tenths = -1;
    value = filch_for_2d(0, picture->height, 0, picture->width, draw_tile, drawing,
                         .pool = pool, .cancel = &interrupted,
                         .progress = drawing->is_quiet ? NULL : show_progress,
                         .progress_ms = 100);
    if (drawing->is_terminal && !drawing->is_quiet)
        fputs("\r\033[K", stderr);
    return value;
}

/* --- output ----------------------------------------------------------------------- */

static int write_picture(FILE *file, const struct picture *picture)
{
    errno = EIO; /* of a write that says nothing else */
    if (fprintf(file, "P6\n%zu %zu\n255\n", picture->width, picture->height) < 0)
        return -errno;
    for (size_t row = 0; row < picture->height; row++) {
        if (filch_cancel_is_set(&interrupted))
            return -ECANCELED;
        if (fwrite(picture->rgb + 3 * row * picture->width, 3, picture->width, file) !=
            picture->width)
            return -errno;
    }
    return fflush(file) ? -errno : 0;
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "mandelbrot: %s: %s\n", what,
            err == -ECANCELED ? "interrupted" : strerror(-err));
    return err == -ECANCELED ? EXIT_INTERRUPTED : EXIT_FILE;
}

/* The same picture without filch. */
static bool is_as_drawn_serially(const struct picture *picture)
{
    struct picture serial = *picture;
    bool is_same;

    serial.rgb = malloc(3 * picture->width * picture->height);
    if (!serial.rgb)
        return false;
    for (size_t row = 0; row < serial.height; row++)
        for (size_t column = 0; column < serial.width; column++)
            draw_point(&serial, row, column);
    is_same = memcmp(serial.rgb, picture->rgb, 3 * serial.width * serial.height) == 0;
    free(serial.rgb);
    return is_same;
}

/* Draw, write to part, and call it out. Returns the exit status. */
static int run(struct drawing *drawing, size_t workers, bool is_checked, const char *out,
               const char *part)
{
    struct picture *picture = drawing->picture;
    filch_pool *pool = NULL;
    FILE *file = NULL;
    double seconds;
    int err, status = EXIT_SUCCESS;

    /* First of all, so that nobody waits an hour for a folder that is not there. */
    file = part ? fopen(part, "wb") : stdout;
    if (!file)
        return fail(part, -errno);
    err = workers
              ? filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = (uint32_t)workers))
              : 0;
    picture->rgb = malloc(3 * picture->width * picture->height);
    if (!err && !picture->rgb)
        err = -ENOMEM;
    seconds = seconds_now();
    if (!err)
        err = draw(drawing, pool);
    seconds = seconds_now() - seconds;
    if (err) {
        status = fail("drawing", err);
        goto end;
    }
    if (is_checked && !is_as_drawn_serially(picture)) {
        fprintf(stderr, "mandelbrot: parallel and serial pictures differ\n");
        status = EXIT_CHECK;
        goto end;
    }
    err = write_picture(file, picture);
    if (part && fclose(file) && !err)
        err = -errno;
    file = NULL;
    if (!err && part && rename(part, out))
        err = -errno;
    if (err)
        status = fail(part ? out : "standard output", err);
    else if (!drawing->is_quiet)
        fprintf(stderr, "%zu points in %.3f s, %u workers%s\n",
                picture->width * picture->height, seconds, filch_pool_workers(pool),
                is_checked ? ", as drawn serially" : "");

end:
    if (file && part)
        fclose(file);
    if (status && part)
        unlink(part);
    free(picture->rgb);
    filch_pool_destroy(pool);
    return status;
}

/* --- the command line --------------------------------------------------------------- */

static void usage(FILE *out)
{
    fprintf(out,
            "Usage: mandelbrot [-s WIDTHxHEIGHT] [-n ITERATIONS] [-c X,Y] [-v WIDTH]\n"
            "                  [-j WORKERS] [--check] [--quiet] OUT.ppm\n"
            "Draw the Mandelbrot set (- is standard output). Ctrl-C leaves no file.\n\n"
            "  -s, --size=WxH       pixels (default: 1200x900)\n"
            "  -n, --iterations=N   after which a point is inside (default: 1000)\n"
            "  -c, --centre=X,Y     of the view (default: -0.65,0)\n"
            "  -v, --view=WIDTH     of the view (default: 3.2)\n"
            "  -j, --workers=N      threads at work (default: all that may be used)\n"
            "      --check          draw serially too, and compare\n"
            "  -q, --quiet          no progress\n"
            "      --help           print this\n");
}

/* A number at text, and behind it the character stop. */
static bool parse_count(const char *text, char stop, size_t most, size_t *value,
                        const char **behind)
{
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != stop || errno || number < 1 ||
        number > most)
        return false;
    *value = (size_t)number;
    if (behind)
        *behind = end + 1;
    return true;
}

static bool parse_real(const char *text, char stop, double *value, const char **behind)
{
    char *end;

    *value = strtod(text, &end);
    if (end == text || *end != stop || !isfinite(*value))
        return false;
    if (behind)
        *behind = end + 1;
    return true;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"size", required_argument, NULL, 's'},
        {"iterations", required_argument, NULL, 'n'},
        {"centre", required_argument, NULL, 'c'},
        {"view", required_argument, NULL, 'v'},
        {"workers", required_argument, NULL, 'j'},
        {"check", no_argument, NULL, 'k'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    /* Once: a second Ctrl-C does what it always does. */
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    struct picture picture = {.width = 1200, .height = 900, .iterations = 1000};
    struct drawing drawing = {.picture = &picture,
                              .is_terminal = isatty(STDERR_FILENO) == 1};
    double x = -0.65, y = 0, view = 3.2;
    size_t workers = 0;
    bool is_checked = false, is_good = true;
    const char *rest;
    char *part = NULL;
    int option, status;

    while ((option = getopt_long(argc, argv, "s:n:c:v:j:q", long_options, NULL)) != -1) {
        switch (option) {
        case 's':
            is_good = is_good &&
                      parse_count(optarg, 'x', SIDE_MOST, &picture.width, &rest) &&
                      parse_count(rest, '\0', SIDE_MOST, &picture.height, NULL);
            break;
        case 'n':
            is_good &=
                parse_count(optarg, '\0', ITERATIONS_MOST, &picture.iterations, NULL);
            break;
        case 'c':
            is_good = is_good && parse_real(optarg, ',', &x, &rest) &&
                      parse_real(rest, '\0', &y, NULL);
            break;
        case 'v':
            is_good = is_good && parse_real(optarg, '\0', &view, NULL) && view > 0;
            break;
        case 'j':
            is_good &= parse_count(optarg, '\0', FILCH_MAX_WORKERS, &workers, NULL);
            break;
        case 'k':
            is_checked = true;
            break;
        case 'q':
            drawing.is_quiet = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        default:
            is_good = false;
        }
    }
    if (!is_good || optind + 1 != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    picture.step = view / (double)picture.width;
    picture.left = x - 0.5 * view;
    picture.top = y + 0.5 * picture.step * (double)picture.height;
    if (strcmp(argv[optind], "-") != 0 && asprintf(&part, "%s.part", argv[optind]) < 0)
        return fail("setting up", -ENOMEM);
    sigaction(SIGINT, &action, NULL);
    status = run(&drawing, workers, is_checked, argv[optind], part);
    free(part);
    return status;
}
