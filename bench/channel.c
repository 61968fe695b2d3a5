/* channel.c - a channel over a ring, a mutex and two condition variables; see channel.h.
 */
#include "channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* ---- channel --------------------------------------------------------------------- */

struct channel {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_item;
    pthread_cond_t has_room;
    void **ring;
    size_t slots;
    size_t head; /* the oldest item's slot */
    size_t items;
    size_t senders_waiting;
    size_t receivers_waiting;
    bool is_bounded;
    bool is_closed;
};

/* Of an unbounded channel: a loop's jobs on a few cores. A model test has it grow. */
#ifndef CHANNEL_FIRST_SLOTS
#define CHANNEL_FIRST_SLOTS 64
#endif

int channel_create(struct channel **out, size_t capacity)
{
    struct channel *channel;

    *out = NULL;
    channel = calloc(1, sizeof *channel);
    if (!channel)
        return -ENOMEM;
    channel->is_bounded = capacity > 0;
    channel->slots = capacity > 0 ? capacity : CHANNEL_FIRST_SLOTS;
    channel->ring = calloc(channel->slots, sizeof *channel->ring);
    if (!channel->ring) {
        free(channel);
        return -ENOMEM;
    }
    /* With default attributes Linux never fails these. */
    pthread_mutex_init(&channel->lock, NULL);
    pthread_cond_init(&channel->has_item, NULL);
    pthread_cond_init(&channel->has_room, NULL);
    *out = channel;
    return 0;
}

void channel_destroy(struct channel *channel)
{
    if (!channel)
        return;
    pthread_cond_destroy(&channel->has_room);
    pthread_cond_destroy(&channel->has_item);
    pthread_mutex_destroy(&channel->lock);
    free(channel->ring);
    free(channel);
}

/* Double the full ring of an unbounded channel. */
static int channel_grow(struct channel *channel)
{
    size_t slots = channel->slots;
    void **ring;

    if (slots > SIZE_MAX / 2 / sizeof *ring)
        return -ENOMEM;
    ring = malloc(2 * slots * sizeof *ring);
    if (!ring)
        return -ENOMEM;
    for (size_t i = 0; i < channel->items; i++)
        ring[i] = channel->ring[(channel->head + i) % slots];
    free(channel->ring);
    channel->ring = ring;
    channel->slots = 2 * slots;
    channel->head = 0;
    return 0;
}

int channel_send(struct channel *channel, void *item)
{
    size_t slot;
    bool is_awaited;
    int err = 0;

    pthread_mutex_lock(&channel->lock);
    while (channel->is_bounded && channel->items == channel->slots &&
           !channel->is_closed) {
        channel->senders_waiting++;
        pthread_cond_wait(&channel->has_room, &channel->lock);
        channel->senders_waiting--;
    }
    if (channel->is_closed)
        err = -EPIPE;
    else if (channel->items == channel->slots)
        err = channel_grow(channel);
    if (err) {
        pthread_mutex_unlock(&channel->lock);
        return err;
    }
    slot = channel->head + channel->items;
    channel->ring[slot < channel->slots ? slot : slot - channel->slots] = item;
    channel->items++;
    is_awaited = channel->receivers_waiting > 0;
    pthread_mutex_unlock(&channel->lock);
    /* After the unlock: whoever wakes does not run into the lock at once. */
    if (is_awaited)
        pthread_cond_signal(&channel->has_item);
    return 0;
}

int channel_receive(struct channel *channel, void **item)
{
    bool is_awaited;

    *item = NULL;
    pthread_mutex_lock(&channel->lock);
    while (channel->items == 0 && !channel->is_closed) {
        channel->receivers_waiting++;
        pthread_cond_wait(&channel->has_item, &channel->lock);
        channel->receivers_waiting--;
    }
    if (channel->items == 0) {
        pthread_mutex_unlock(&channel->lock);
        return -EPIPE;
    }
    *item = channel->ring[channel->head];
    channel->head = channel->head + 1 < channel->slots ? channel->head + 1 : 0;
    channel->items--;
    is_awaited = channel->senders_waiting > 0;
    pthread_mutex_unlock(&channel->lock);
    if (is_awaited)
        pthread_cond_signal(&channel->has_room);
    return 0;
}

void channel_close(struct channel *channel)
{
    pthread_mutex_lock(&channel->lock);
    channel->is_closed = true;
    pthread_cond_broadcast(&channel->has_item);
    pthread_cond_broadcast(&channel->has_room);
    pthread_mutex_unlock(&channel->lock);
}

struct channel_look channel_look(struct channel *channel)
{
    struct channel_look look;

    pthread_mutex_lock(&channel->lock);
    look.items = channel->items;
    look.senders_waiting = channel->senders_waiting;
    look.receivers_waiting = channel->receivers_waiting;
    pthread_mutex_unlock(&channel->lock);
    return look;
}

/* ---- one-shot -------------------------------------------------------------------- */

void oneshot_init(struct oneshot *oneshot)
{
    pthread_mutex_init(&oneshot->lock, NULL);
    pthread_cond_init(&oneshot->is_there, NULL);
    oneshot->value = NULL;
    oneshot->has_value = false;
    oneshot->is_awaited = false;
}

void oneshot_send(struct oneshot *oneshot, void *value)
{
    pthread_mutex_lock(&oneshot->lock);
    oneshot->value = value;
    oneshot->has_value = true;
    /* Under the lock, unlike the channel's: the receiver cannot return, and free the
     * one-shot under our hands, before the unlock, which POSIX makes the sender's last
     * touch. */
    if (oneshot->is_awaited)
        pthread_cond_signal(&oneshot->is_there);
    pthread_mutex_unlock(&oneshot->lock);
}

void *oneshot_receive(struct oneshot *oneshot)
{
    void *value;

    pthread_mutex_lock(&oneshot->lock);
    oneshot->is_awaited = true;
    while (!oneshot->has_value)
        pthread_cond_wait(&oneshot->is_there, &oneshot->lock);
    value = oneshot->value;
    pthread_mutex_unlock(&oneshot->lock);
    pthread_cond_destroy(&oneshot->is_there);
    pthread_mutex_destroy(&oneshot->lock);
    return value;
}

/* ---- pool ------------------------------------------------------------------------ */

struct channel_pool {
    struct channel *jobs;
    unsigned workers; /* started */
    pthread_t threads[];
};

static void *worker_main(void *arg)
{
    struct channel_pool *pool = arg;
    void *item;

    while (channel_receive(pool->jobs, &item) == 0) {
        struct channel_job *job = item;

        job->run(job);
    }
    return NULL;
}

int channel_pool_create(struct channel_pool **out, unsigned workers)
{
    struct channel_pool *pool;
    int err;

    *out = NULL;
    pool = calloc(1, sizeof *pool + workers * sizeof pool->threads[0]);
    if (!pool)
        return -ENOMEM;
    err = channel_create(&pool->jobs, 0);
    for (; !err && pool->workers < workers; pool->workers += !err)
        err = -pthread_create(&pool->threads[pool->workers], NULL, worker_main, pool);
    if (err) {
        channel_pool_destroy(pool);
        return err;
    }
    *out = pool;
    return 0;
}

void channel_pool_destroy(struct channel_pool *pool)
{
    if (!pool)
        return;
    if (pool->jobs)
        channel_close(pool->jobs);
    for (unsigned i = 0; i < pool->workers; i++)
        pthread_join(pool->threads[i], NULL);
    channel_destroy(pool->jobs);
    free(pool);
}

int channel_pool_send(struct channel_pool *pool, struct channel_job *job)
{
    return channel_send(pool->jobs, job);
}

size_t channel_pool_pieces(const struct channel_pool *pool)
{
    return (size_t)pool->workers * CHANNEL_PIECES_PER_WORKER;
}

/* ---- loop ------------------------------------------------------------------------ */

struct piece {
    struct channel_job job;
    struct oneshot done;
    size_t number;
    size_t begin;
    size_t end;
    channel_body *body;
    void *ctx;
};

static void piece_run(struct channel_job *job)
{
    struct piece *piece = (struct piece *)job;

    piece->body(piece->number, piece->begin, piece->end, piece->ctx);
    oneshot_send(&piece->done, NULL);
}

int channel_pool_for(struct channel_pool *pool, size_t begin, size_t end,
                     channel_body *body, void *ctx)
{
    size_t items = end - begin;
    size_t pieces = channel_pool_pieces(pool) < items ? channel_pool_pieces(pool) : items;
    struct piece *piece;
    size_t sent;
    int err = 0;

    if (pieces == 0)
        return 0;
    piece = malloc(pieces * sizeof *piece);
    if (!piece)
        return -ENOMEM;
    for (sent = 0; sent < pieces; sent++) {
        size_t share = items / (pieces - sent); /* of what is left: sizes differ by one */

        piece[sent] = (struct piece){.job.run = piece_run,
                                     .number = sent,
                                     .begin = end - items,
                                     .end = end - items + share,
                                     .body = body,
                                     .ctx = ctx};
        oneshot_init(&piece[sent].done);
        items -= share;
        err = channel_pool_send(pool, &piece[sent].job);
        if (err)
            break;
    }
    for (size_t i = 0; i < sent; i++)
        oneshot_receive(&piece[i].done);
    free(piece);
    return err;
}
