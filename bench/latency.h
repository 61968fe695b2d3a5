/* latency.h - how long a thread takes to come that has slept, and what threads cost while
 * there is nothing to do. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include "bench.h"

/** latency_print - a line of JSON for each candidate asked for: percentiles of the time
 * from a call, after 5 ms of rest, until two threads are at work (meeting.h); and the
 * CPU time that the process uses in a second of nothing, as a share of that. Returns the
 * exit status. */
int latency_print(const bool candidates[BENCH_CANDIDATES], unsigned workers,
                  enum bench_scale scale);

#endif
