/* main.c - measures the works of this folder, checks every result against serial, and
 * prints one line of JSON for each measurement.
 *
 * Compiled twice from the same sources, with gcc (libgomp) and with clang (libomp): two
 * OpenMP runtimes in one process would share its cores. run.py runs a process for each
 * measurement, so that no candidate meets the threads or the heap of another.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "shim.h"

static const struct bench_work *const works[] = {
    &bench_wordcount, &bench_sum,      &bench_dot,    &bench_mandelbrot,
    &bench_fib,       &bench_fib_join, &bench_cutoff, &bench_nqueens,
};
#define WORKS (sizeof works / sizeof works[0])

static const char *const candidate_names[BENCH_CANDIDATES] = {
    [BENCH_SERIAL] = "serial",
    [BENCH_CHANNEL] = "channel",
    [BENCH_OPENMP] = "openmp",
    [BENCH_FILCH] = "filch",
};

static const char *const scale_names[] = {
    [BENCH_TINY] = "tiny", [BENCH_QUICK] = "quick", [BENCH_FULL] = "full"};

#define STRING_OF(text) #text
#define STRING(macro)   STRING_OF(macro)
#ifdef __clang__
#define COMPILER "clang " STRING(__clang_major__) "." STRING(__clang_minor__)
#define OPENMP   "libomp"
#else
#define COMPILER "gcc " __VERSION__
#define OPENMP   "libgomp"
#endif

struct options {
    enum bench_scale scale;
    bool works[WORKS];
    bool candidates[BENCH_CANDIDATES];
    unsigned workers; /* 0: all */
    struct bench_plan plan;
    double warm_seconds;
    const char **texts;
    size_t text_count;
    int broken; /* the candidate whose results are falsified, or -1 */
};

/* One candidate of one work under measurement. */
struct trial {
    const struct bench_work *work;
    enum bench_candidate candidate;
    struct bench_team team;
    struct bench_input input;
    double expected;
    bool is_broken;
    char error[120]; /* empty: none */
};

double bench_result;

/* ---- one measurement ------------------------------------------------------------- */

static double take_result(const struct bench_work *work)
{
    double taken = bench_result;

    bench_result = NAN; /* so that a run that computes nothing shows */
    return work->take_result ? work->take_result() : taken;
}

static bool is_same(double got, double expected, double tolerance)
{
    return got == expected || fabs(got - expected) <= tolerance * fabs(expected);
}

/* One run, and whether its result is right. */
static void run_once(struct trial *trial, struct bench_state *state)
{
    double got;
    int err = trial->work->run[trial->candidate](&trial->team);

    if (state)
        bench_pause(state);
    got = take_result(trial->work);
    if (trial->is_broken)
        got = -1 - got;
    if (err)
        snprintf(trial->error, sizeof trial->error, "%s", strerror(-err));
    else if (!is_same(got, trial->expected, trial->work->tolerance))
        snprintf(trial->error, sizeof trial->error, "result %.17g, serial has %.17g", got,
                 trial->expected);
    if (state)
        bench_resume(state);
}

/* Untimed runs, at least one: memory gets touched, and the system has time to spread
 * threads that it started on one CPU (up to 70 ms were seen). */
static void warm_up(struct trial *trial, double seconds)
{
    struct timespec start;
    struct timespec now;

    timespec_get(&start, TIME_UTC);
    do {
        run_once(trial, NULL);
        timespec_get(&now, TIME_UTC);
    } while (!trial->error[0] && difftime(now.tv_sec, start.tv_sec) +
                                         (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
                                     seconds);
}

static double steals_so_far(const struct trial *trial)
{
    filch_stats stats = {.struct_size = sizeof stats};

    return filch_stats_get(trial->team.filch, &stats) ? NAN : (double)stats.steals_got;
}

static void measure(struct bench_state *state, void *arg)
{
    struct trial *trial = arg;
    bool is_filch = trial->candidate == BENCH_FILCH;
    double steals = is_filch ? steals_so_far(trial) : 0;
    double runs;

    while (bench_keep_running(state)) {
        run_once(trial, state);
        if (trial->error[0])
            bench_skip_with_error(state, trial->error);
    }
    if (trial->error[0])
        return;
    runs = (double)bench_iterations(state);
    if (trial->input.item)
        bench_set_items(state, (int64_t)(runs * trial->input.items));
    if (is_filch)
        bench_set_counter(state, "steals_per_run",
                          (steals_so_far(trial) - steals) / runs);
}

static void print_figures(const struct bench_figures *figures, void *arg)
{
    const struct trial *trial = arg;
    const struct bench_input *input = &trial->input;

    if (figures->error) {
        fprintf(stderr, "%s, %s, %u workers: %s\n", trial->work->name,
                candidate_names[trial->candidate], trial->team.workers, figures->error);
        return;
    }
    printf("{\"work\": \"%s\", \"candidate\": \"%s\", \"workers\": %u, ",
           trial->work->name, candidate_names[trial->candidate], trial->team.workers);
    printf("\"title\": \"%s\", \"size\": \"%s\", \"note\": \"%s\", ", input->title,
           input->size, input->note ? input->note : "");
    printf("\"item\": \"%s\", \"items\": %.0f, ", input->item ? input->item : "",
           input->item ? input->items : 1.0);
    printf("\"seconds_median\": %.9g, \"seconds_min\": %.9g, \"iterations\": %" PRId64
           ", \"repetitions\": %d, \"counters\": {",
           figures->median_seconds, figures->min_seconds, figures->iterations,
           figures->repetitions);
    for (size_t i = 0; i < figures->counter_count; i++)
        printf("%s\"%s\": %.9g", i ? ", " : "", figures->counters[i].name,
               figures->counters[i].value);
    printf("}}\n");
    fflush(stdout);
}

static int team_create(struct bench_team *team, enum bench_candidate candidate,
                       unsigned workers)
{
    *team = (struct bench_team){.workers = workers};
    if (candidate == BENCH_CHANNEL)
        return channel_pool_create(&team->channel, workers);
    if (candidate == BENCH_FILCH)
        return filch_pool_create(&team->filch, FILCH_POOL_OPTIONS(.workers = workers));
    return 0;
}

static void team_destroy(struct bench_team *team)
{
    channel_pool_destroy(team->channel);
    filch_pool_destroy(team->filch);
}

/* Returns whether it was measured and every result was right. */
static bool try_candidate(const struct options *options, const struct bench_work *work,
                          enum bench_candidate candidate, unsigned workers)
{
    struct bench_request request = {.scale = options->scale,
                                    .candidate = candidate,
                                    .texts = options->texts,
                                    .text_count = options->text_count};
    struct trial trial = {.work = work,
                          .candidate = candidate,
                          .is_broken = options->broken == (int)candidate};
    int err = work->prepare(&request, &trial.input);

    if (err) {
        fprintf(stderr, "%s: %s\n", work->name, strerror(-err));
        return false;
    }
    err = team_create(&trial.team, candidate, workers);
    if (!err)
        err = work->run[BENCH_SERIAL](&trial.team);
    if (err) {
        fprintf(stderr, "%s, %s: %s\n", work->name, candidate_names[candidate],
                strerror(-err));
    } else {
        trial.expected = take_result(work);
        warm_up(&trial, options->warm_seconds);
        bench_register(work->name, measure, &trial, &options->plan);
        err = bench_run(print_figures, &trial) > 0;
    }
    team_destroy(&trial.team);
    if (work->release)
        work->release();
    return !err;
}

/* ---- command line ---------------------------------------------------------------- */

static const char usage[] =
    "Usage: %s [OPTION...]\n"
    "Measure parallel candidates beside their serial form; a line of JSON for each.\n\n"
    "  --work=NAME         only this one (may be repeated; default: all)\n"
    "  --candidate=NAME    only this one (likewise): serial, channel, openmp, filch\n"
    "  --workers=N         threads at work (default: all that may be used)\n"
    "  --scale=SCALE       input size: tiny, quick, full (default: quick)\n"
    "  --min-time=SECONDS  of each repetition (default: 0.1)\n"
    "  --warm-up=SECONDS   of untimed runs before (default: 0.1)\n"
    "  --iterations=N      exactly so many in a repetition\n"
    "  --repetitions=N     (default: 1)\n"
    "  --text=FILE         text for the word count (may be repeated)\n"
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
    for (size_t i = 0; i < WORKS; i++)
        puts(works[i]->name);
}

static void print_info(void)
{
    printf("{\"filch\": \"%s\", \"compiler\": \"%s\", \"openmp\": \"%s\", "
           "\"openmp_version\": %d, \"workers\": %u, \"reason\": \"%s\"}\n",
           filch_version(), COMPILER, OPENMP, _OPENMP, filch_pool_workers(NULL),
           filch_pool_reason(NULL));
}

static void parse_options(struct options *options, int argc, char **argv)
{
    enum which {
        WORK = 1,
        CANDIDATE,
        WORKERS,
        SCALE,
        MIN_TIME,
        WARM_UP,
        ITERATIONS,
        REPETITIONS,
        TEXT,
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
        {"min-time", required_argument, NULL, MIN_TIME},
        {"warm-up", required_argument, NULL, WARM_UP},
        {"iterations", required_argument, NULL, ITERATIONS},
        {"repetitions", required_argument, NULL, REPETITIONS},
        {"text", required_argument, NULL, TEXT},
        {"list", no_argument, NULL, LIST},
        {"info", no_argument, NULL, INFO},
        {"help", no_argument, NULL, HELP},
        {"break", required_argument, NULL, BREAK}, /* tests the check of the results */
        {NULL, 0, NULL, 0},
    };
    const char *work_names[WORKS];
    bool has_work = false;
    bool has_candidate = false;
    int which;
    int index;

    for (size_t i = 0; i < WORKS; i++)
        work_names[i] = works[i]->name;
    while ((which = getopt_long(argc, argv, "", known, &index)) != -1) {
        switch (which) {
        case WORK:
            options->works[find_name(optarg, "work", work_names, WORKS)] = true;
            has_work = true;
            break;
        case CANDIDATE:
            options->candidates[find_name(optarg, "candidate", candidate_names,
                                          BENCH_CANDIDATES)] = true;
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
        case BREAK:
            options->broken =
                find_name(optarg, "candidate", candidate_names, BENCH_CANDIDATES);
            break;
        case LIST:
            print_list();
            exit(0);
        case INFO:
            print_info();
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
    for (size_t i = 0; i < WORKS; i++)
        options->works[i] |= !has_work;
    for (size_t i = 0; i < BENCH_CANDIDATES; i++)
        options->candidates[i] |= !has_candidate;
}

int main(int argc, char **argv)
{
    struct options options = {
        .scale = BENCH_QUICK, .plan.min_seconds = 0.1, .warm_seconds = 0.1, .broken = -1};
    bool is_right = true;

    options.texts = calloc((size_t)argc, sizeof *options.texts);
    if (!options.texts)
        return 1;
    parse_options(&options, argc, argv);
    for (size_t i = 0; i < WORKS; i++) {
        for (size_t candidate = 0; candidate < BENCH_CANDIDATES; candidate++) {
            unsigned workers = candidate == BENCH_SERIAL ? 1
                               : options.workers         ? options.workers
                                                         : filch_pool_workers(NULL);

            if (options.works[i] && options.candidates[candidate])
                is_right &= try_candidate(&options, works[i],
                                          (enum bench_candidate)candidate, workers);
        }
    }
    free(options.texts);
    return is_right ? 0 : 1;
}
