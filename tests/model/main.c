/* main.c - runs the cases of a model test and reports.
 *
 * Job: options, one line per case, the trace of a failure and how to run it again.
 * Exit status: 0 all as expected, 1 a case failed, 2 wrong usage or a search given up.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "model.h"
#include "sched.h"
#include "search.h"
#include "trace.h"

enum { OUTCOMES = 256, OUTCOME_BYTES = 96 };

static char outcomes[OUTCOMES][OUTCOME_BYTES];
static unsigned outcome_count;
static char outcome_list[OUTCOMES * OUTCOME_BYTES];

static struct {
    const char *only; /* part of a name */
    const char *path;
    enum search_mode mode;
    int preemptions, compare_preemptions; /* the latter: -1 for no bound */
    uint64_t runs, seed, limit;
    bool is_quiet, is_shown, is_compared;
} wanted = {
    .mode = SEARCH_REDUCED, .seed = 1, .limit = 50000000, .compare_preemptions = -1};

static double now(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- outcomes --------------------------------------------------------------------- */

void model_outcome(const char *format, ...)
{
    char text[OUTCOME_BYTES];
    va_list args;
    unsigned i;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (i = 0; i < outcome_count; i++)
        if (!strcmp(outcomes[i], text))
            return;
    if (i == OUTCOMES)
        abort();
    strcpy(outcomes[outcome_count++], text);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

static const char *list_outcomes(void)
{
    unsigned i;

    qsort(outcomes, outcome_count, sizeof outcomes[0], compare_texts);
    outcome_list[0] = '\0';
    for (i = 0; i < outcome_count; i++) {
        if (i)
            strcat(outcome_list, " | ");
        strcat(outcome_list, outcomes[i]);
    }
    return outcome_list;
}

/* --- a case ----------------------------------------------------------------------- */

static struct search_options search_for(const struct model_case *test)
{
    struct search_options options = {
        .mode = wanted.mode,
        .preemptions = wanted.preemptions ? wanted.preemptions : test->preemptions,
        .runs = wanted.runs,
        .seed = wanted.seed,
        .limit = wanted.limit,
        .path = wanted.path};

    if (options.mode == SEARCH_REDUCED && test->random_runs) {
        options.mode = SEARCH_RANDOM;
        options.runs = test->random_runs;
    }
    if (options.preemptions <= 0 || options.mode == SEARCH_RANDOM)
        options.preemptions = -1;
    return options;
}

static enum sched_end explore(const struct model_case *test,
                              const struct search_options *options)
{
    enum sched_end end;

    outcome_count = 0;
    search_begin(options);
    do {
        end = sched_run(test);
    } while (end != SCHED_FAILED && search_next());
    return end;
}

static const char *mode_name(const struct search_options *options)
{
    static const char *const names[] = {"all states", "all executions", "random",
                                        "replay"};
    static char text[32];

    if (options->preemptions < 0)
        return names[options->mode];
    snprintf(text, sizeof text, "preemptions <= %d", options->preemptions);
    return text;
}

static void print_failure(const char *program, const struct model_case *test,
                          const char *what)
{
    char *path = search_path();

    printf("  FAILED: %s\n", what);
    if (!wanted.is_quiet) {
        printf(
            "  Tn.s is step s of thread n; (2 newer): two stores were newer than this\n");
        trace_print(stdout);
        if (wanted.mode == SEARCH_RANDOM || test->random_runs)
            printf("  run %" PRIu64 " of seed %" PRIu64 "\n", search_executions(),
                   wanted.seed);
        printf("  again: %s --case='%s' --path=%s", program, test->name, path);
        if (wanted.preemptions)
            printf(" --preemptions=%d", wanted.preemptions);
        printf("\n");
    }
    free(path);
}

static bool ends_as_it_must(const struct model_case *test, enum sched_end end)
{
    if (!test->must_fail)
        return end != SCHED_FAILED;
    return end == SCHED_FAILED &&
           (!test->outcomes || strstr(sched_failure(), test->outcomes));
}

static struct {
    char outcomes[OUTCOMES][OUTCOME_BYTES];
    unsigned count;
} reduced;

static bool has_seen_more(void)
{
    unsigned i, j;

    for (i = 0; i < outcome_count; i++) {
        for (j = 0; j < reduced.count; j++)
            if (!strcmp(outcomes[i], reduced.outcomes[j]))
                break;
        if (j == reduced.count)
            return true;
    }
    return false;
}

/* The reduced search must see the outcomes that plain enumeration sees, and fail where it
 * fails. With a bound, enumeration may see fewer. */
static bool agrees_with_plain(const struct model_case *test)
{
    struct search_options options = search_for(test);
    enum sched_end end;
    const char *verdict;

    memcpy(reduced.outcomes, outcomes, sizeof outcomes);
    reduced.count = outcome_count;
    options.mode = SEARCH_PLAIN;
    options.preemptions = wanted.compare_preemptions;
    end = explore(test, &options);
    verdict = search_gave_up()                 ? "GAVE UP"
              : !ends_as_it_must(test, end)    ? "ENDS DIFFERENTLY"
              : test->must_fail                ? "fails, too"
              : has_seen_more()                ? "OTHER OUTCOMES"
              : outcome_count == reduced.count ? "the same outcomes"
              : options.preemptions >= 0       ? "some of the outcomes"
                                               : "FEWER OUTCOMES";
    printf("%-60s %9" PRIu64 " executions, enumerated, %s: %s (%u)\n", "",
           search_executions(), mode_name(&options), verdict, outcome_count);
    if (verdict[0] == 'O')
        printf("  enumerated: %s\n", list_outcomes());
    return verdict[0] >= 'a';
}

static bool has_expected_outcomes(const struct model_case *test)
{
    const char *seen = list_outcomes();

    if (!test->outcomes || test->must_fail || !strcmp(seen, test->outcomes))
        return true;
    printf("  FAILED: outcomes %s\n        expected %s\n", seen, test->outcomes);
    return false;
}

static int run_case(const char *program, const struct model_case *test)
{
    struct search_options options = search_for(test);
    double begin = now();
    enum sched_end end = explore(test, &options);
    bool is_wrong = !ends_as_it_must(test, end);
    const char *verdict = is_wrong          ? "FAILED"
                          : test->must_fail ? "fails as it must"
                                            : "ok";

    if (search_gave_up()) {
        verdict = "GAVE UP";
        if (!wanted.is_quiet) /* what it was busy with */
            trace_print(stdout);
    }
    printf("%-60s %9" PRIu64 " executions %9" PRIu64 " states %6.2f s  %s: %s\n",
           test->name, search_executions(), search_states(), now() - begin,
           mode_name(&options), verdict);
    if (is_wrong || (wanted.is_shown && end == SCHED_FAILED))
        print_failure(program, test,
                      end == SCHED_FAILED ? sched_failure() : "no execution failed");
    if (is_wrong)
        return 1;
    if (search_gave_up())
        return 2;
    if (options.mode != SEARCH_REDUCED || options.preemptions >= 0)
        return 0;
    return !has_expected_outcomes(test) ||
           (wanted.is_compared && !agrees_with_plain(test));
}

/* --- options ---------------------------------------------------------------------- */

static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);

    return strncmp(argument, name, length) ? NULL : argument + length;
}

static void usage(const char *program)
{
    printf(
        "%s [option...]\n"
        "  --case=TEXT      only the cases whose names contain it\n"
        "  --preemptions=N  only executions that take a running thread's turn N times\n"
        "  --random=N       N random executions; --seed=S\n"
        "  --path=PATH      one execution again\n"
        "  --plain          every execution\n"
        "  --compare        both, and see the same; --compare=N: those with N "
        "preemptions\n"
        "  --limit=N        give up after so many executions\n"
        "  --quiet          no traces; --show: also of what fails as it must\n"
        "  --list           the names\n",
        program);
    exit(2);
}

static bool parse(const char *argument)
{
    const char *value;

    if ((value = value_of(argument, "--case="))) {
        wanted.only = value;
    } else if ((value = value_of(argument, "--preemptions="))) {
        wanted.preemptions = atoi(value);
    } else if ((value = value_of(argument, "--random="))) {
        wanted.mode = SEARCH_RANDOM;
        wanted.runs = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "--seed="))) {
        wanted.seed = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "--limit="))) {
        wanted.limit = strtoull(value, NULL, 10);
    } else if ((value = value_of(argument, "--path="))) {
        wanted.mode = SEARCH_REPLAY;
        wanted.path = value;
        return value[0] == 'r' || value[0] == 'a';
    } else if (!strcmp(argument, "--plain")) {
        wanted.mode = SEARCH_PLAIN;
    } else if (!strcmp(argument, "--compare")) {
        wanted.is_compared = true;
    } else if ((value = value_of(argument, "--compare="))) {
        wanted.is_compared = true;
        wanted.compare_preemptions = atoi(value);
    } else if (!strcmp(argument, "--show")) {
        wanted.is_shown = true;
    } else if (!strcmp(argument, "--quiet")) {
        wanted.is_quiet = true;
    } else {
        return false;
    }
    return true;
}

int model_main(int argc, char **argv, const struct model_case *cases, size_t count)
{
    int status = 0, i;
    size_t c;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--list")) {
            for (c = 0; c < count; c++)
                printf("%s\n", cases[c].name);
            return 0;
        }
        if (!parse(argv[i]))
            usage(argv[0]);
    }
    for (c = 0; c < count; c++) {
        int result;

        if (wanted.only && !strstr(cases[c].name, wanted.only))
            continue;
        result = run_case(argv[0], &cases[c]);
        if (result > status)
            status = result;
        if (status == 1 && wanted.is_quiet)
            break;
    }
    return status;
}
