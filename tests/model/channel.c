/* channel.c - the channel of the benchmarks' thread pool: no item is lost, nobody sleeps
 * for ever.
 *
 * Job: sends against receives, bounded to one item and unbounded with a ring of one slot
 * that grows; closing against both; no memory to grow; the one-shot against the end of
 * the frame it lies in. Every item that a send took is received once or still inside at
 * the end ("received twice", "lost"), in order, with what its sender wrote ("payload": a
 * data race on it); who sleeps for ever shows as a lost wake-up. Compiled with the real
 * bench/channel.c, its mutex, conditions and heap run by the checker.
 */
#include <errno.h>
#include "../../bench/channel.h"
#include "checker_atomics.h"
#include "checker_posix.h"

enum { ITEMS = 3 };

static struct channel *channel;
static int items[ITEMS]; /* plain: the sender's, then the receiver's */
static int sent[ITEMS];  /* counts for the check */
static int received[ITEMS], receivers[ITEMS]; /* the same */
static struct oneshot oneshot;

static void setup_capacity(size_t capacity)
{
    int i;

    for (i = 0; i < ITEMS; i++) {
        items[i] = sent[i] = received[i] = receivers[i] = 0;
        model_name(&items[i], "payload %d", i);
    }
    channel_create(&channel, capacity);
}

static void setup_bounded(void)
{
    setup_capacity(1);
}

static void setup_unbounded(void)
{
    setup_capacity(0);
}

static void setup_unbounded_short(void)
{
    setup_unbounded();
    model_may_run_out(1);
}

/* --- a send, a receive ------------------------------------------------------------ */

static int send(int i)
{
    int err;

    MODEL_WRITE(items[i], 10 + i);
    err = channel_send(channel, &items[i]);
    sent[i] = err == 0;
    return err;
}

/* Returns which item; negative: it is closed. */
static int receive(void)
{
    void *item;
    int err = channel_receive(channel, &item), i;

    if (err) {
        MODEL_ASSERT(err == -EPIPE && !item, "a wrong error");
        return err;
    }
    i = (int)((int *)item - items);
    MODEL_ASSERT(i >= 0 && i < ITEMS, "not an item");
    MODEL_ASSERT(received[i]++ == 0, "received twice");
    receivers[i] = model_self();
    MODEL_ASSERT(MODEL_READ(items[i]) == 10 + i, "wrong payload");
    return i;
}

/* --- senders ---------------------------------------------------------------------- */

static void send_0(void)
{
    MODEL_ASSERT(send(0) == 0, "a send failed");
}

static void send_1(void)
{
    MODEL_ASSERT(send(1) == 0, "a send failed");
}

static void send_0_1(void)
{
    send_0();
    send_1();
}

static void send_0_1_2(void)
{
    send_0_1();
    MODEL_ASSERT(send(2) == 0, "a send failed");
}

/* What comes after the close fails, and is not received. */
static void send_0_1_until_closed(void)
{
    int err = send(0);

    MODEL_ASSERT(err == 0 || err == -EPIPE, "a wrong error");
    if (err)
        MODEL_ASSERT(send(1) == -EPIPE, "open again");
    else
        send(1);
}

static void send_2_until_closed(void)
{
    int err = send(2);

    MODEL_ASSERT(err == 0 || err == -EPIPE, "a wrong error");
}

static void send_0_1_2_without_memory(void)
{
    int i, err, failed = 0;

    for (i = 0; i < ITEMS; i++) {
        err = send(i);
        MODEL_ASSERT(err == 0 || err == -ENOMEM, "a wrong error");
        failed += err != 0;
    }
    MODEL_ASSERT(failed <= 1, "failed with memory");
    channel_close(channel);
}

static void send_and_close(void)
{
    send_0_1();
    channel_close(channel);
}

static void close(void)
{
    channel_close(channel);
}

/* --- receivers -------------------------------------------------------------------- */

static void receive_1(void)
{
    MODEL_ASSERT(receive() >= 0, "closed");
}

static void receive_2(void)
{
    receive_1();
    receive_1();
}

static void receive_2_in_order(void)
{
    MODEL_ASSERT(receive() == 0, "not the oldest");
    MODEL_ASSERT(receive() == 1, "not the oldest");
}

static void receive_3_in_order(void)
{
    receive_2_in_order();
    MODEL_ASSERT(receive() == 2, "not the oldest");
}

static void receive_until_closed(void)
{
    while (receive() >= 0)
        continue;
    MODEL_ASSERT(receive() == -EPIPE, "open again");
}

/* --- the end ---------------------------------------------------------------------- */

static void check(void)
{
    struct channel_look look = channel_look(channel);
    int i;

    MODEL_ASSERT(look.senders_waiting == 0 && look.receivers_waiting == 0,
                 "somebody is counted as waiting");
    channel_close(channel);
    while (receive() >= 0)
        look.items--;
    MODEL_ASSERT(look.items == 0, "the count is wrong");
    for (i = 0; i < ITEMS; i++)
        MODEL_ASSERT(received[i] == sent[i], sent[i] ? "lost" : "never sent");
    channel_destroy(channel);
    model_outcome("%d %d %d", receivers[0], receivers[1], receivers[2]);
}

/* --- the one-shot ----------------------------------------------------------------- */

static void setup_oneshot(void)
{
    channel = NULL;
    items[0] = 0;
    oneshot_init(&oneshot);
    model_lives(&oneshot, sizeof oneshot);
    model_name(&oneshot.lock, "one-shot's lock");
    model_name(&oneshot.is_there, "one-shot's condition");
    model_name(&oneshot.value, "one-shot's value");
    model_name(&items[0], "payload 0");
}

static void reply(void)
{
    MODEL_WRITE(items[0], 10);
    oneshot_send(&oneshot, &items[0]);
}

static void await_reply(void)
{
    int *item = oneshot_receive(&oneshot);

    MODEL_DIES(&oneshot);
    MODEL_ASSERT(MODEL_READ(*item) == 10, "wrong payload");
}

/* One wait may return for no reason. */
#define CASE(name, kind, ...)                                                     \
    {                                                                             \
        name ": " #kind, setup_##kind, {__VA_ARGS__}, check, NULL, 1, 0, 0, false \
    }
#define BOTH(name, ...) \
    CASE(name, bounded, __VA_ARGS__), CASE(name, unbounded, __VA_ARGS__)

static const struct model_case cases[] = {
    BOTH("one sender, one receiver", send_0_1, receive_2_in_order),
    BOTH("around the ring", send_0_1_2, receive_3_in_order),
    BOTH("two senders, one receiver", send_0, send_1, receive_2),
    BOTH("one sender, two receivers", send_0_1, receive_1, receive_1),
    BOTH("two senders, two receivers", send_0, send_1, receive_1, receive_1),
    BOTH("closed by the sender", send_and_close, receive_until_closed),
    BOTH("closed by the sender, two receivers", send_and_close, receive_until_closed,
         receive_until_closed),
    BOTH("closed by a third", send_0_1_until_closed, receive_until_closed, close),
    BOTH("closed by a third, nobody sends", close, receive_until_closed,
         receive_until_closed),
    CASE("closed, nobody receives", bounded, send_0_1_until_closed, send_2_until_closed,
         close),
    CASE("no memory to grow", unbounded_short, send_0_1_2_without_memory,
         receive_until_closed),
    {"a one-shot and the end of its frame",
     setup_oneshot,
     {reply, await_reply},
     NULL,
     NULL,
     1,
     0,
     0,
     false},
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
