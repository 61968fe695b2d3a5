/* channel.h - what a careful programmer builds by hand when there is no library: a
 * channel, a one-shot reply, and a pool of threads that receive jobs from a channel.
 *
 * The benchmarks measure filch against it, so it is meant to be good: one mutex a
 * channel, signals only when somebody waits, jobs that need no allocation. Nothing here
 * spins.
 *
 * Relies on POSIX threads and C11 only; knows nothing of filch or of the benchmarks.
 */
#ifndef BENCH_CHANNEL_H
#define BENCH_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- channel: any number of senders and receivers, first in, first out ----------- */

struct channel;

/**
 * channel_create - an open channel of pointers.
 *
 * capacity  most items inside; a sender waits while it is full. 0: no bound, the ring
 * grows.
 *
 * Returns   0 or -ENOMEM; *out is NULL on failure.
 */
int channel_create(struct channel **out, size_t capacity);

/** channel_destroy - free the channel. Nobody may be inside a call on it; items still in
 * it are forgotten, not freed. NULL is allowed. */
void channel_destroy(struct channel *channel);

/**
 * channel_send - append an item; waits while a bounded channel is full.
 *
 * Returns  0; -EPIPE, and the item is still the caller's, if the channel is closed or
 * gets closed while waiting; -ENOMEM if an unbounded channel cannot grow.
 */
int channel_send(struct channel *channel, void *item);

/**
 * channel_receive - take the oldest item; waits while the channel is empty and open.
 *
 * Returns  0; -EPIPE, with *item NULL, when the channel is closed and nothing is left in
 * it.
 */
int channel_receive(struct channel *channel, void **item);

/** channel_close - no more items. Waiting senders return -EPIPE; receivers get what is
 * left, then -EPIPE. Closing twice is allowed. */
void channel_close(struct channel *channel);

/* A snapshot, for tests. */
struct channel_look {
    size_t items;
    size_t senders_waiting;
    size_t receivers_waiting;
};

struct channel_look channel_look(struct channel *channel);

/* ---- one-shot: a channel for one value, one sender and one receiver -------------- */

struct oneshot {
    pthread_mutex_t lock;
    pthread_cond_t is_there;
    void *value;
    bool has_value;
    bool is_awaited;
};

/** oneshot_init - make it ready for one send. It may live in the receiver's frame. */
void oneshot_init(struct oneshot *oneshot);

/** oneshot_send - hand over the value. The sender does not touch the one-shot, nor what
 * it lies in, after the receiver may have returned. */
void oneshot_send(struct oneshot *oneshot, void *value);

/** oneshot_receive - wait for the value, and release what oneshot_init took. All that the
 *  sender wrote before sending is visible. */
void *oneshot_receive(struct oneshot *oneshot);

/* ---- pool: threads that receive jobs --------------------------------------------- */

/* A job lies in memory of whoever sends it, first in a struct with its arguments, and
 * stays there until it has told its sender that it is done. */
struct channel_job {
    void (*run)(struct channel_job *job);
};

struct channel_pool;

/** channel_pool_create - start workers threads on one unbounded channel.
 *
 *  Returns 0; -ENOMEM, or what pthread_create said, negated; *out is NULL on failure. */
int channel_pool_create(struct channel_pool **out, unsigned workers);

/** channel_pool_destroy - close the channel, run what is left in it, join the threads. */
void channel_pool_destroy(struct channel_pool *pool);

/** channel_pool_send - queue a job. A job may send others, but must not wait for them:
 * the thread that it waits on is the one that would have run them. Returns as
 * channel_send. */
int channel_pool_send(struct channel_pool *pool, struct channel_job *job);

/* Pieces of a loop for each worker. With one, the slowest piece decides; with many, the
 * channel costs. 8 leaves at most about 1/8 of a worker's share to wait for at the
 * end. */
#define CHANNEL_PIECES_PER_WORKER 8

/** channel_pool_pieces - how many pieces channel_pool_for makes of a long enough loop. */
size_t channel_pool_pieces(const struct channel_pool *pool);

/* One piece of a loop; piece is its number, in [0, channel_pool_pieces). */
typedef void channel_body(size_t piece, size_t begin, size_t end, void *ctx);

/**
 * channel_pool_for - cut [begin, end) into equal pieces, a job each, and wait for all.
 *
 * Returns  0; -ENOMEM when there was no memory for the jobs, and nothing was run, or none
 *          for the channel to grow, and some pieces were not run.
 */
int channel_pool_for(struct channel_pool *pool, size_t begin, size_t end,
                     channel_body *body, void *ctx);

#endif
