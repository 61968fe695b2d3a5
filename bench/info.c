/* info.c - see info.h. */
#define _GNU_SOURCE /* sched_getcpu */
#include "info.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "image.h"
#include "team.h"

#define STRING_OF(text) #text
#define STRING(macro)   STRING_OF(macro)
#ifdef __clang__
#define COMPILER "clang " STRING(__clang_major__) "." STRING(__clang_minor__)
#define OPENMP   "libomp"
#else
#define COMPILER "gcc " __VERSION__
#define OPENMP   "libgomp"
#endif

/* --- where workers run --------------------------------------------------------------- */

struct meeting {
    unsigned workers;
    atomic_uint arrived;
    int cpus[FILCH_MAX_WORKERS];
};

/* Waits for the others, so that each worker has one. */
static int note_cpu(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct meeting *meeting = ctx;

    (void)w, (void)end;
    atomic_fetch_add(&meeting->arrived, 1);
    while (atomic_load(&meeting->arrived) < meeting->workers)
        sched_yield();
    meeting->cpus[begin] = sched_getcpu();
    return 0;
}

static void print_cpus(void)
{
    static struct meeting meeting;

    meeting.workers = filch_pool_workers(NULL);
    if (filch_for(0, meeting.workers, note_cpu, &meeting, .grain = 1))
        meeting.workers = 0;
    printf("\"cpus\": [");
    for (unsigned i = 0; i < meeting.workers; i++)
        printf("%s%d", i ? ", " : "", meeting.cpus[i]);
    printf("]");
}

/* --- what it has ---------------------------------------------------------------------- */

static void print_candidates(const struct bench_work *work)
{
    const char *comma = "";

    for (size_t i = 0; i < BENCH_CANDIDATES; i++) {
        if (work ? !work->run[i] : !team_is_built((enum bench_candidate)i))
            continue;
        printf("%s\"%s\"", comma, team_candidate_names[i]);
        comma = ", ";
    }
}

void info_print(void)
{
    size_t count;
    const struct bench_work *const *works = bench_works(&count);

    printf("{\"filch\": \"%s\", \"compiler\": \"%s\", \"openmp\": \"%s\", "
           "\"openmp_version\": %d, \"workers\": %u, \"reason\": \"%s\", "
           "\"images\": \"%s\", ",
           filch_version(), COMPILER, OPENMP, _OPENMP, filch_pool_workers(NULL),
           filch_pool_reason(NULL), image_formats());
    print_cpus();
    printf(", \"built\": [");
    print_candidates(NULL);
    printf("], \"works\": [");
    for (size_t i = 0; i < count; i++) {
        printf("%s{\"name\": \"%s\", \"is_extra\": %s, \"reads_text\": %s, "
               "\"has_factor\": %s, \"is_together\": %s, "
               "\"candidates\": [",
               i ? ", " : "", works[i]->name, works[i]->is_extra ? "true" : "false",
               works[i]->reads_text ? "true" : "false",
               works[i]->has_factor ? "true" : "false",
               works[i]->is_together ? "true" : "false");
        print_candidates(works[i]);
        printf("]}");
    }
    printf("]}\n");
}
