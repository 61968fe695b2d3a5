/* chain.c - waiting for the piece before, and passing on; see chain.h. */
#include "chain.h"

/* Looks at the link before the CPU is given to others: some 20 us. Passing on takes less
 * than one, unless that thread has lost its CPU. */
#define SPINS 1000

/* After so many times, they are not coming from that: sleep, so that a thread of lower
 * priority gets the CPU too. */
#define YIELDS   1000
#define SLEEP_NS 50000u

void fl_chain_init(struct fl_chain *chain)
{
    size_t i;

    chain->next = 0;
    chain->company = 0;
    chain->has_failed = false;
    for (i = 0; i < FL_CHAIN_LINKS; i++)
        chain->link[i].passed = 0;
}

/* The carry into piece i was passed on by piece i - 1, as number i. A later one does not
 * get there before i has passed on too. */
static bool has_come(struct fl_chain *chain, size_t piece)
{
    /* ORDER(chain): pairs with the release in fl_chain_pass: the carry, and has_failed.
     * Weakened: tests/model/chained.c, "data race on carry". */
    return fl_load_acquire(&fl_chain_link(chain, piece)->passed) == piece;
}

bool fl_chain_is_alone(struct fl_chain *chain, size_t piece)
{
    return fl_load_relaxed(&chain->company) == 1 && /* a hint */
           has_come(chain, piece);
}

bool fl_chain_wait(struct fl_chain *chain, size_t piece)
{
    uint32_t nothing = 0;
    unsigned looks;

    for (looks = 0; !has_come(chain, piece); looks++)
        if (looks < SPINS)
            fl_spin_hint();
        else if (looks < SPINS + YIELDS)
            fl_yield();
        else
            (void)fl_futex_wait_until(&nothing, 0, fl_now_ns() + SLEEP_NS);
    return !chain->has_failed;
}

void fl_chain_pass(struct fl_chain *chain, size_t piece)
{
    /* ORDER(chain): pairs with the acquire in has_come. It also says that the carry into
     * this piece has been read: what overwrites it comes FL_CHAIN_LINKS pieces later.
     * Weakened: tests/model/chained.c, "data race on carry". */
    fl_store_release(&fl_chain_link(chain, piece + 1)->passed, piece + 1);
}

void fl_chain_fail(struct fl_chain *chain, size_t piece)
{
    chain->has_failed = true;
    fl_chain_pass(chain, piece);
}
