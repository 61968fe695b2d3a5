/* main.c - measures the works of this folder, checks every result against serial, and
 * prints one line of JSON for each measurement.
 *
 * Compiled twice from the same sources, with gcc (libgomp) and with clang (libomp): two
 * OpenMP runtimes in one process would share its cores. run.py runs a process for each
 * measurement, so that no candidate meets the threads or the heap of another.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "affinity.h"
#include "bench.h"
#include "command.h"
#include "latency.h"
#include "neighbour.h"
#include "shim.h"
#include "team.h"

/* One candidate of one work under measurement. */
struct trial {
    const struct bench_work *work;
    enum bench_candidate candidate;
    struct bench_team team;
    struct bench_input input;
    unsigned workers; /* as asked for; the team may have more threads */
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

static void rest(struct bench_state *state, unsigned rest_us)
{
    struct timespec time = {.tv_sec = rest_us / 1000000,
                            .tv_nsec = rest_us % 1000000 * 1000L};

    if (rest_us == 0)
        return;
    if (state)
        bench_pause(state);
    nanosleep(&time, NULL);
    if (state)
        bench_resume(state);
}

/* One run, and whether its result is right. */
static void run_once(struct trial *trial, struct bench_state *state)
{
    double got;
    int err;

    rest(state, trial->work->rest_us);
    err = trial->work->run[trial->candidate](&trial->team);
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

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    timespec_get(&now, TIME_UTC);
    return difftime(now.tv_sec, start->tv_sec) +
           (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Untimed runs, at least one: memory gets touched, and the system has time to spread
 * threads that it started on one CPU (up to 70 ms were seen). Returns the seconds that a
 * run took. */
static double warm_up(struct trial *trial, double seconds)
{
    struct timespec start;
    double passed;
    int runs = 0;

    timespec_get(&start, TIME_UTC);
    do {
        run_once(trial, NULL);
        runs++;
        passed = seconds_since(&start);
    } while (!trial->error[0] && passed < seconds);
    return passed / runs;
}

/* Of a run that takes longer than all repetitions are to take, one is enough. */
static struct bench_plan plan_for(const struct bench_plan *asked, double run_seconds)
{
    struct bench_plan plan = *asked;

    if (plan.repetitions > 1 && run_seconds > plan.min_seconds * plan.repetitions)
        plan.repetitions = 1;
    return plan;
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
                team_candidate_names[trial->candidate], trial->workers, figures->error);
        return;
    }
    printf("{\"work\": \"%s\", \"candidate\": \"%s\", \"workers\": %u, ",
           trial->work->name, team_candidate_names[trial->candidate], trial->workers);
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

static unsigned threads_for(const struct bench_work *work, enum bench_candidate candidate,
                            unsigned workers)
{
    if (candidate == BENCH_SERIAL || work->threads_per_worker == 0)
        return workers;
    workers *= work->threads_per_worker;
    return workers < FILCH_MAX_WORKERS ? workers : FILCH_MAX_WORKERS;
}

/* Returns whether it was measured and every result was right. */
static bool try_candidate(const struct options *options, const struct bench_work *work,
                          enum bench_candidate candidate, unsigned workers)
{
    const struct bench_team alone = {.candidate = BENCH_SERIAL, .workers = 1};
    struct bench_request request = {.work = work,
                                    .scale = options->scale,
                                    .factor = options->factor,
                                    .candidate = candidate,
                                    .texts = options->texts,
                                    .text_count = options->text_count,
                                    .image = options->image,
                                    .image_out = options->image_out};
    struct trial trial = {.work = work,
                          .candidate = candidate,
                          .workers = workers,
                          .is_broken = options->broken == (int)candidate};
    int err = options->factor > 1 && !work->has_factor
                  ? -ENOTSUP
                  : work->prepare(&request, &trial.input);

    if (err) {
        fprintf(stderr, "%s: %s%s\n", work->name, strerror(-err),
                options->image ? ": is the image a PNG or JPEG file?" : "");
        return false;
    }
    err = team_create(&trial.team, candidate, threads_for(work, candidate, workers),
                      work->spin_us);
    if (!err)
        err = work->run[BENCH_SERIAL](&alone);
    if (err) {
        fprintf(stderr, "%s, %s: %s\n", work->name, team_candidate_names[candidate],
                strerror(-err));
    } else {
        struct bench_plan plan;

        trial.expected = take_result(work);
        plan = plan_for(&options->plan, warm_up(&trial, options->warm_seconds));
        bench_register(work->name, measure, &trial, &plan);
        err = bench_run(print_figures, &trial) > 0;
    }
    team_destroy(&trial.team);
    if (work->release)
        work->release();
    return !err;
}

/* Returns the exit status. */
static int try_all(const struct options *options, unsigned all_workers)
{
    size_t count;
    const struct bench_work *const *works = bench_works(&count);
    bool is_right = true;
    bool is_tried = false;

    for (size_t i = 0; i < count; i++) {
        for (size_t candidate = 0; candidate < BENCH_CANDIDATES; candidate++) {
            unsigned workers = candidate == BENCH_SERIAL ? 1 : all_workers;

            if (!options->works[i] || !options->candidates[candidate] ||
                !works[i]->run[candidate])
                continue;
            is_right &= try_candidate(options, works[i], (enum bench_candidate)candidate,
                                      workers);
            is_tried = true;
        }
    }
    if (!is_tried) {
        fputs("the work has no such candidate\n", stderr);
        return 2;
    }
    return is_right ? 0 : 1;
}

/* Keep what was freed for the next run. Otherwise glibc gives memory back to the system and
 * takes it again, or not, by which block happens to lie at the end of a thread's heap:
 * a third of the time of a map-reduce, in which a candidate has no say. */
static void keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the most it takes */
#endif
}

int main(int argc, char **argv)
{
    struct options options;
    unsigned workers;
    int status;
    int err = command_parse(&options, argc, argv);

    keep_memory();
    if (!err) /* before there are threads */
        err = neighbour_start(options.neighbour);
    if (err) {
        fprintf(stderr, "%s: %s\n", argv[0], strerror(-err));
        return 1;
    }
    workers = options.workers ? options.workers : filch_pool_workers(NULL);
    if (options.is_affinity)
        status = affinity_print(options.candidates, workers);
    else if (options.is_latency)
        status = latency_print(options.candidates, workers, options.scale);
    else
        status = try_all(&options, workers);
    neighbour_stop();
    command_free(&options);
    return status;
}
