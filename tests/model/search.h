/* search.h - which executions are run.
 *
 * Job: every decision of an execution (who goes on, what is read, where a store goes) is
 * asked for here and answered from the path of the depth-first search, from a seed, or
 * from a path to replay. Remembers the states that were seen. Knows nothing of what the
 * choices are about.
 */
#ifndef MODEL_SEARCH_H
#define MODEL_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

enum search_mode {
    SEARCH_REDUCED, /* every state once */
    SEARCH_PLAIN,   /* every execution */
    SEARCH_RANDOM,
    SEARCH_REPLAY
};

struct search_options {
    enum search_mode mode;
    int preemptions; /* -1: no bound */
    uint64_t runs;   /* random: so many */
    uint64_t seed;
    uint64_t limit;   /* of executions; the search then gives up */
    const char *path; /* replay */
};

void search_begin(const struct search_options *options);

/* Before each execution. */
void search_start(void);

/* After it; false: that was the last. */
bool search_next(void);

/* 0 to count - 1; count of at least 1. */
unsigned search_choose(unsigned count);

/* Whether the state is new, where the search has come to new ground; replaying the way to
 * it, every state is. */
bool search_is_new(void);
bool search_visit(uint64_t state);

enum search_mode search_mode(void);
/* Whether what need not be interleaved is not; a path is replayed as it was found. */
bool search_is_reduced(void);
int search_preemptions(void);
bool search_gave_up(void);
uint64_t search_states(void);
uint64_t search_executions(void);

/* The choices of this execution, for search_options.path: r or a (reduced, all), then a
 * digit each. The caller frees. */
char *search_path(void);

#endif
