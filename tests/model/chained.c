/* chained.c - pieces that pass a carry on, each to the next.
 *
 * Job: whoever claims which piece, each gets the carry of the one before ("wrong carry",
 * "data race on carry"), also in a link that was in use before; and those behind a piece
 * that failed know of it, while those before it do not. Compiled with the real chain.c, and
 * instrumented, so that its plain fields are looked at; with two links instead of 16.
 */
#include "stand_ins.h"

#include <string.h>

#define FL_CHAIN_LINKS ((size_t)2)
#include "chain.h"
#include "chain.c"

enum { PIECES = 5 };

static struct fl_chain chain;
static size_t failing;                       /* that piece fails */
static int comings[PIECES], skipped[PIECES]; /* for the check */

static void setup(void)
{
    memset(&chain, 0, sizeof chain);
    fl_chain_init(&chain);
    memset(comings, 0, sizeof comings);
    memset(skipped, 0, sizeof skipped);
    failing = PIECES;
    *(int *)fl_chain_carry(&chain, 0) = 0;
    model_watch(&chain.has_failed, sizeof chain.has_failed);
    model_name(&chain.next, "next");
    model_name(&chain.company, "company");
    model_name(&chain.has_failed, "failed");
    model_name(&chain.link[0].passed, "passed 0");
    model_name(&chain.link[1].passed, "passed 1");
    model_name(chain.link[0].carry, "carry 0");
    model_name(chain.link[1].carry, "carry 1");
}

static void setup_failing(void)
{
    setup();
    failing = 1;
}

/* As in one_tile of pack.c. */
static void run_piece(void)
{
    size_t piece = fl_chain_claim(&chain);
    int *carry = fl_chain_carry(&chain, piece), *next = fl_chain_carry(&chain, piece + 1);
    int value;

    comings[piece]++;
    if (!fl_chain_wait(&chain, piece)) {
        skipped[piece]++;
        fl_chain_pass(&chain, piece);
        return;
    }
    value = MODEL_READ(*carry);
    MODEL_ASSERT(value == (int)piece, "wrong carry");
    if (piece == failing) {
        fl_chain_fail(&chain, piece);
        return;
    }
    MODEL_WRITE(*next, value + 1);
    fl_chain_pass(&chain, piece);
}

static void run_one(void)
{
    run_piece();
}

static void run_two(void)
{
    run_piece();
    run_piece();
}

static void run_three(void)
{
    run_two();
    run_piece();
}

/* At once, when nobody else is about: what it finds must be there all the same. */
static void run_alone(void)
{
    int piece;

    fl_chain_enter(&chain);
    for (piece = 0; piece < 2; piece++) {
        size_t at = fl_chain_claim(&chain);

        comings[at]++;
        if (!fl_chain_is_alone(&chain, at))
            fl_chain_wait(&chain, at);
        MODEL_ASSERT(MODEL_READ(*(int *)fl_chain_carry(&chain, at)) == (int)at,
                     "wrong carry");
        MODEL_WRITE(*(int *)fl_chain_carry(&chain, at + 1), (int)at + 1);
        fl_chain_pass(&chain, at);
    }
    fl_chain_leave(&chain);
}

static void check(void)
{
    size_t piece, pieces = (size_t)chain.next;

    for (piece = 0; piece < pieces; piece++) {
        MODEL_ASSERT(comings[piece] == 1, "a piece came twice, or never");
        MODEL_ASSERT(skipped[piece] == (piece > failing), "who knows of the failure?");
    }
    if (failing == PIECES)
        MODEL_ASSERT(*(int *)fl_chain_carry(&chain, pieces) == (int)pieces,
                     "wrong carry");
}

#define CASE(name, setup, ...)                                  \
    {                                                           \
        name, setup, {__VA_ARGS__}, check, NULL, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("two threads, four pieces", setup, run_two, run_two),
    CASE("two threads, links used again", setup, run_three, run_two),
    CASE("three threads", setup, run_one, run_two, run_one),
    CASE("alone, as far as it knows", setup, run_alone, run_alone),
    CASE("the second piece fails", setup_failing, run_two, run_two),
    CASE("the second piece fails, three threads", setup_failing, run_two, run_one,
         run_one),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
