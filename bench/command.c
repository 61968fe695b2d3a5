/* command.c - see command.h. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "team.h"

static const char *const scale_names[] = {
    [BENCH_TINY] = "tiny", [BENCH_QUICK] = "quick", [BENCH_FULL] = "full"};

static const char *const neighbour_names[] = {[NEIGHBOUR_NONE] = "none",
                                              [NEIGHBOUR_PINNED] = "pinned",
                                              [NEIGHBOUR_FLOATING] = "floating"};

static const char usage[] =
    "Usage: %s [OPTION...]\n"
    "Measure parallel candidates beside their serial form; a line of JSON for each.\n\n"
    "  --work=NAME         only this one (may be repeated; default: all)\n"
    "  --candidate=NAME    only this one (likewise): serial, channel, openmp, filch,\n"
    "                      tbb, rayon\n"
    "  --workers=N         threads at work (default: all that may be used)\n"
    "  --scale=SCALE       input size: tiny, quick, full (default: quick)\n"
    "  --factor=N          so many times as much, for works that can grow\n"
    "  --min-time=SECONDS  of each repetition (default: 0.1)\n"
    "  --warm-up=SECONDS   of untimed runs before (default: 0.1)\n"
    "  --iterations=N      exactly so many in a repetition\n"
    "  --repetitions=N     (default: 1)\n"
    "  --text=FILE         text for the works that read some (may be repeated)\n"
    "  --image=FILE        PNG or JPEG, for the blur and the histogram\n"
    "                      (default: a picture is made)\n"
    "  --image-out=FILE    the blurred picture, as PNG\n"
    "  --neighbour=KIND    a process that keeps a CPU busy meanwhile: pinned (to the "
    "last\n"
    "                      CPU), floating, none (default)\n"
    "  --affinity          print instead how many indices of a loop move to another "
    "thread\n"
    "                      when it is run again\n"
    "  --latency           print instead how long a sleeping thread takes to come, and "
    "the\n"
    "                      CPU time of threads that have nothing to do\n"
    "  --list              print the works and end\n"
    "  --info              print how this program was built, as JSON, and end\n"
    "  --help              print this and end\n";

/* The place of name in names, or exit: a user who errs gets no measurement. */
static int find_name(const char *name, const char *what, const char *const *names,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    }
    fprintf(stderr, "unknown %s: %s\n", what, name);
    exit(2);
}

static double parse_number(const char *option, const char *text, double least,
                           double most)
{
    char *end;
    double number = strtod(text, &end);

    if (end == text || *end || !(number >= least && number <= most)) {
        fprintf(stderr, "--%s: not a number in [%g, %g]: %s\n", option, least, most,
                text);
        exit(2);
    }
    return number;
}

static void print_list(void)
{
    size_t count;
    const struct bench_work *const *works = bench_works(&count);

    for (size_t i = 0; i < count; i++)
        printf("%s%s\n", works[i]->name, works[i]->is_extra ? " (extra)" : "");
}

static size_t find_candidate(const char *name)
{
    int candidate = find_name(name, "candidate", team_candidate_names, BENCH_CANDIDATES);

    if (!team_is_built((enum bench_candidate)candidate)) {
        fprintf(stderr, "not built into this program: %s\n", name);
        exit(2);
    }
    return (size_t)candidate;
}

static size_t find_work(const char *name)
{
    size_t count;
    const struct bench_work *const *works = bench_works(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, works[i]->name) == 0)
            return i;
    }
    fprintf(stderr, "unknown work: %s\n", name);
    exit(2);
}

static void parse_options(struct options *options, int argc, char **argv)
{
    enum which {
        WORK = 1,
        CANDIDATE,
        WORKERS,
        SCALE,
        FACTOR,
        MIN_TIME,
        WARM_UP,
        ITERATIONS,
        REPETITIONS,
        TEXT,
        IMAGE,
        IMAGE_OUT,
        NEIGHBOUR,
        AFFINITY,
        LATENCY,
        LIST,
        INFO,
        HELP,
        BREAK
    };
    static const struct option known[] = {
        {"work", required_argument, NULL, WORK},
        {"candidate", required_argument, NULL, CANDIDATE},
        {"workers", required_argument, NULL, WORKERS},
        {"scale", required_argument, NULL, SCALE},
        {"factor", required_argument, NULL, FACTOR},
        {"min-time", required_argument, NULL, MIN_TIME},
        {"warm-up", required_argument, NULL, WARM_UP},
        {"iterations", required_argument, NULL, ITERATIONS},
        {"repetitions", required_argument, NULL, REPETITIONS},
        {"text", required_argument, NULL, TEXT},
        {"image", required_argument, NULL, IMAGE},
        {"image-out", required_argument, NULL, IMAGE_OUT},
        {"neighbour", required_argument, NULL, NEIGHBOUR},
        {"affinity", no_argument, NULL, AFFINITY},
        {"latency", no_argument, NULL, LATENCY},
        {"list", no_argument, NULL, LIST},
        {"info", no_argument, NULL, INFO},
        {"help", no_argument, NULL, HELP},
        {"break", required_argument, NULL, BREAK}, /* tests the check of the results */
        {NULL, 0, NULL, 0},
    };
    size_t work_count;
    bool has_work = false;
    bool has_candidate = false;
    int which;
    int index;

    bench_works(&work_count);
    while ((which = getopt_long(argc, argv, "", known, &index)) != -1) {
        switch (which) {
        case WORK:
            options->works[find_work(optarg)] = true;
            has_work = true;
            break;
        case CANDIDATE:
            options->candidates[find_candidate(optarg)] = true;
            has_candidate = true;
            break;
        case WORKERS:
            options->workers =
                (unsigned)parse_number("workers", optarg, 1, FILCH_MAX_WORKERS);
            break;
        case SCALE:
            options->scale = (enum bench_scale)find_name(
                optarg, "scale", scale_names, sizeof scale_names / sizeof scale_names[0]);
            break;
        case MIN_TIME:
            options->plan.min_seconds = parse_number("min-time", optarg, 1e-3, 3600);
            break;
        case WARM_UP:
            options->warm_seconds = parse_number("warm-up", optarg, 0, 3600);
            break;
        case FACTOR:
            options->factor = (size_t)parse_number("factor", optarg, 1, 1e6);
            break;
        case ITERATIONS:
            options->plan.iterations =
                (int64_t)parse_number("iterations", optarg, 1, 1e9);
            break;
        case REPETITIONS:
            options->plan.repetitions = (int)parse_number("repetitions", optarg, 1, 1e6);
            break;
        case TEXT:
            options->texts[options->text_count++] = optarg;
            break;
        case IMAGE:
            options->image = optarg;
            break;
        case IMAGE_OUT:
            options->image_out = optarg;
            break;
        case NEIGHBOUR:
            options->neighbour = (enum neighbour)find_name(
                optarg, "neighbour", neighbour_names,
                sizeof neighbour_names / sizeof neighbour_names[0]);
            break;
        case AFFINITY:
            options->is_affinity = true;
            break;
        case LATENCY:
            options->is_latency = true;
            break;
        case BREAK:
            options->broken = (int)find_candidate(optarg);
            break;
        case LIST:
            print_list();
            exit(0);
        case INFO:
            info_print();
            exit(0);
        case HELP:
            printf(usage, argv[0]);
            exit(0);
        default:
            exit(2); /* getopt_long has said why */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected: %s\n", argv[0], argv[optind]);
        exit(2);
    }
    for (size_t i = 0; i < work_count; i++)
        options->works[i] |= !has_work;
    for (size_t i = 0; i < BENCH_CANDIDATES; i++)
        options->candidates[i] |=
            !has_candidate && team_is_built((enum bench_candidate)i);
}

int command_parse(struct options *options, int argc, char **argv)
{
    size_t work_count;

    bench_works(&work_count);
    *options = (struct options){.scale = BENCH_QUICK,
                                .factor = 1,
                                .plan.min_seconds = 0.1,
                                .warm_seconds = 0.1,
                                .broken = -1};
    options->works = calloc(work_count, sizeof *options->works);
    options->texts = calloc((size_t)argc, sizeof *options->texts);
    if (!options->works || !options->texts) {
        command_free(options);
        return -ENOMEM;
    }
    parse_options(options, argc, argv);
    return 0;
}

void command_free(struct options *options)
{
    free(options->works);
    free(options->texts);
}
