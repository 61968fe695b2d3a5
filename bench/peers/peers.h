/* peers.h - other libraries that can run a loop, or fork and join, behind one C face.
 *
 * A peer gets the body of filch's candidate, to be called on sub-ranges of the peer's
 * choice: only the scheduling differs. Each is used as its own users would: TBB with the
 * automatic partitioner, Rayon with a parallel iterator. Where a fork and a join are what
 * is measured, a call through this face would cost more than they do: so the recursion is
 * the peer's own, in its own language.
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

struct bench_peer {
    /* Threads that work together, workers of them with the caller or without, as the
     * library has it. NULL: they could not be made. */
    void *(*create)(unsigned workers);
    void (*destroy)(void *team);

    /* part over all of [0, count); from any thread, and inside enter. */
    void (*loop)(void *team, size_t count, bench_part *part, void *ctx);

    /* Run inside(ctx) as one of the team, so that loops in it need not enter. */
    void (*enter)(void *team, void (*inside)(void *ctx), void *ctx);

    /* The n-th number of Fibonacci, by two branches at every call. */
    uint64_t (*fib)(void *team, unsigned n);
};

extern const struct bench_peer bench_peer_tbb;
extern const struct bench_peer bench_peer_rayon;

#ifdef __cplusplus
}
#endif
#endif
