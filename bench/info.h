/* info.h - what a benchmark program is, for run.py. */
#ifndef BENCH_INFO_H
#define BENCH_INFO_H

/** info_print - a JSON object: how the program was built, its works and candidates, and on
 * which CPUs the workers of a pool of filch's run. */
void info_print(void);

#endif
