/* affinity.c - see affinity.h.
 *
 * The items cost the same, about 5 ns each, so that a worker's share lasts milliseconds:
 * long enough for every worker to arrive, and for what it reads to be in its cache.
 */
#include "affinity.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

#define ITEMS ((size_t)1000000)
#define PAIRS 51 /* of loops; odd: the median is one of them */

struct record {
    uint32_t *thread; /* by index: who ran it */
    uint32_t *value;  /* by index, so that there is something to compute */
};

/* The number of the calling thread; numbers are never used again. */
static uint32_t this_thread(void)
{
    static _Atomic uint32_t threads;
    static _Thread_local uint32_t number;

    if (number == 0)
        number = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);
    return number;
}

static int record_body(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct record *record = ctx;
    uint32_t thread = this_thread();

    (void)w;
    for (size_t i = begin; i < end; i++) {
        uint32_t value = record->value[i];

        for (int step = 0; step < 3; step++)
            value = bench_step(value);
        record->value[i] = value;
        record->thread[i] = thread;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The shares, in [0, 1], sorted; and how many threads there were in the last loop. */
static int measure(const struct bench_team *team, struct record records[2],
                   double moved[PAIRS])
{
    for (int pair = -1; pair < PAIRS; pair++) { /* the first one warms up */
        size_t others = 0;

        for (int i = 0; i < 2; i++) {
            int err = team_loop(team, ITEMS, record_body, &records[i]);

            if (err)
                return err;
        }
        for (size_t i = 0; i < ITEMS; i++)
            others += records[0].thread[i] != records[1].thread[i];
        if (pair >= 0)
            moved[pair] = (double)others / (double)ITEMS;
    }
    qsort(moved, PAIRS, sizeof moved[0], compare);
    return 0;
}

int affinity_print(const bool candidates[BENCH_CANDIDATES], unsigned workers)
{
    struct record records[2];
    double moved[PAIRS];
    int err = 0;

    records[0].thread = calloc(ITEMS, sizeof(uint32_t));
    records[1].thread = calloc(ITEMS, sizeof(uint32_t));
    records[0].value = calloc(ITEMS, sizeof(uint32_t));
    records[1].value = records[0].value;
    if (!records[0].thread || !records[1].thread || !records[0].value)
        err = -ENOMEM;
    for (int i = BENCH_SERIAL + 1; !err && i < BENCH_CANDIDATES; i++) {
        struct bench_team team;

        if (!candidates[i])
            continue;
        err = team_create(&team, (enum bench_candidate)i, workers, 0);
        if (!err) {
            err = measure(&team, records, moved);
            team_destroy(&team);
        }
        if (!err)
            printf("{\"work\": \"affinity\", \"candidate\": \"%s\", \"workers\": %u, "
                   "\"items\": %zu, \"pairs\": %d, \"moved_median\": %.4g, "
                   "\"moved_min\": %.4g, \"moved_max\": %.4g}\n",
                   team_candidate_names[i], workers, ITEMS, PAIRS, moved[PAIRS / 2],
                   moved[0], moved[PAIRS - 1]);
    }
    if (err)
        fprintf(stderr, "affinity: %s\n", strerror(-err));
    free(records[0].thread);
    free(records[1].thread);
    free(records[0].value);
    return err ? 1 : 0;
}
