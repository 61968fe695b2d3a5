/* neighbour.h - a process that keeps a CPU busy while something is measured, as others on
 * a shared machine do. */
#ifndef BENCH_NEIGHBOUR_H
#define BENCH_NEIGHBOUR_H

enum neighbour {
    NEIGHBOUR_NONE,
    NEIGHBOUR_PINNED,  /* to the last CPU that this process may use */
    NEIGHBOUR_FLOATING /* where the system puts it */
};

/** neighbour_start - start it; once, and before there are threads. It dies with this
 * process, however that ends. Returns 0 or a negative errno. */
int neighbour_start(enum neighbour kind);

/** neighbour_stop - end it, if there is one, and wait until it has ended: so its time
 * counts as a child's. */
void neighbour_stop(void);

#endif
