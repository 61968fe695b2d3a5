/* scenarios.h - what a program does with the library, with its result checked. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

struct scenario {
    const char *name;
    /* 0: every result was right, or an error that the headers name for the case. Else the
     * line that was wrong. */
    int (*run)(void);
    bool leaves_default_pool; /* which has threads until the process ends */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
