/* command.h - the command line of the benchmark programs. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "bench.h"
#include "neighbour.h"
#include "shim.h"

struct options {
    enum bench_scale scale;
    bool *works; /* of bench_works: which are asked for */
    bool candidates[BENCH_CANDIDATES];
    unsigned workers; /* 0: all */
    size_t factor;    /* of the inputs' sizes */
    struct bench_plan plan;
    double warm_seconds;
    const char **texts;
    size_t text_count;
    const char *image;
    const char *image_out;
    enum neighbour neighbour;
    bool is_affinity; /* measure that instead */
    bool is_latency;  /* likewise */
    int broken;       /* the candidate whose results are falsified, or -1 */
};

/** command_parse - fill in the options, or print what they ask for, or what is wrong with
 * them, and exit. Returns 0 or -ENOMEM. */
int command_parse(struct options *options, int argc, char **argv);

/** command_free - free what command_parse allocated. */
void command_free(struct options *options);

#endif
