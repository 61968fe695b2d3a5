/* peers.h - other libraries that can run a loop, or fork and join, behind one C face.
 *
 * A peer gets the kernels of the other candidates, as parts of a loop or as tasks; what
 * differs besides the scheduling (n queens: the peers copy the board for each branch) says
 * its work. Each is used as its own users would: TBB with the automatic
 * partitioner, parallel_invoke and a task_group; Rayon with a parallel iterator, join and
 * a scope. Where a fork and a join are all that is measured, a call through this face
 * would cost more than they do: so that recursion is the peer's own, in its own language.
 */
#ifndef BENCH_PEERS_PEERS_H
#define BENCH_PEERS_PEERS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Part of a loop. Called concurrently. */
typedef void bench_part(size_t begin, size_t end, void *ctx);

typedef void bench_task(void *ctx);

/* Gets a scope, to spawn tasks in. */
typedef void bench_spawner(void *scope, void *ctx);

struct bench_peer {
    /* Threads that work together, workers of them with the caller or without, as the
     * library has it. NULL: they could not be made. */
    void *(*create)(unsigned workers);
    void (*destroy)(void *team);

    /* part over all of [0, count), of most items at most; 0: as many as the library
     * chooses. From any thread; inside enter team is NULL. */
    void (*loop)(void *team, size_t count, size_t most, bench_part *part, void *ctx);

    /* Run inside(ctx) as one of the team. */
    void (*enter)(void *team, bench_task *inside, void *ctx);

    /* Only inside enter: f(a) and g(b), at the same time where a thread is free. */
    void (*join)(bench_task *f, void *a, bench_task *g, void *b);

    /* Only inside enter: run inside(scope, ctx), and wait for all that it spawns. */
    void (*scope)(bench_spawner *inside, void *ctx);
    void (*spawn)(void *scope, bench_task *task, void *ctx);

    /* Only inside enter or a part: which of the team's threads calls, below workers. */
    size_t (*thread)(void);

    /* The n-th number of Fibonacci, by two branches at every call. */
    uint64_t (*fib)(void *team, unsigned n);

    /* What the library has to sort numbers, where order among equal ones does not matter. */
    void (*sort_uint32)(void *team, uint32_t *x, size_t n);
    void (*sort_double)(void *team, double *x, size_t n);

    /* Running sums of x. NULL: the library has none. */
    void (*scan_int64)(void *team, const int64_t *x, int64_t *out, size_t n);
};

extern const struct bench_peer bench_peer_tbb;

extern const struct bench_peer bench_peer_rayon;

#ifdef __cplusplus
}
#endif
#endif
