/* chain.h - pieces of an array that pass something on, each to the next.
 *
 * Job: for loops whose items are pieces 0, 1, 2, ... of an array, where what piece i
 * writes depends on something small about all pieces before it (their sum, how many items
 * they keep). Whoever runs an item of the loop claims the next piece, whatever the item's
 * number is; does what can be done without the others; takes the carry that the piece
 * before has passed on; passes on its own; and finishes the piece while it is in the cache.
 * So the array travels once between memory and caches.
 *
 * Why nobody waits forever. A piece waits only for the one before it. That one was claimed
 * earlier, by a thread that is in the body of the loop now and that waits for nothing but
 * a still earlier piece; and piece 0 waits for nobody. What that thread may have to do in
 * between, in a function of the user's, never runs a body of the same loop on top of it
 * (waiting is isolated). A body that fails passes its turn on all the same, so that those
 * behind it end; and who stops early for a failure or a token has claimed nothing more. A
 * thread that has lost its CPU is waited for as at the end of any loop: those behind it
 * spin a little, then give their CPU away.
 *
 * Source: Merrill, Garland, Single-pass parallel prefix scan with decoupled look-back,
 * NVIDIA NVR-2016-002. Here without the look-back: a piece passes on what it has before it
 * writes, so the chain is far ahead of the writing.
 */
#ifndef FL_CHAIN_H
#define FL_CHAIN_H

#include "atomics.h"
#include "base.h"

/* Carries that are kept: two would do, but those who wait for different pieces are to look
 * at different cache lines. */
#ifndef FL_CHAIN_LINKS
#define FL_CHAIN_LINKS ((size_t)16)
#endif

/* Largest carry that lies in its link. */
#define FL_CARRY_BYTES 48

struct fl_link {
    _Alignas(64) size_t passed; /* the piece that wrote the carry, plus 1 */
    _Alignas(16) unsigned char carry[FL_CARRY_BYTES];
};

struct fl_chain {
    _Alignas(64) size_t next; /* piece to be claimed */
    uint32_t company;         /* bodies that run */
    bool has_failed; /* written by the lowest piece that failed, before it passes on */
    struct fl_link link[FL_CHAIN_LINKS];
};

/* Its first carry is what the caller writes to fl_chain_carry(chain, 0). */
void fl_chain_init(struct fl_chain *chain);

/* Around a body's pieces. */
static inline void fl_chain_enter(struct fl_chain *chain)
{
    fl_add_relaxed(&chain->company, 1u); /* a hint for fl_chain_is_alone */
}

static inline void fl_chain_leave(struct fl_chain *chain)
{
    fl_add_relaxed(&chain->company, UINT32_MAX); /* minus 1 */
}

/* The next piece is the caller's; it must pass its turn on. */
static inline size_t fl_chain_claim(struct fl_chain *chain)
{
    return fl_add_relaxed(&chain->next, 1); /* what it is about travels by the links */
}

static inline struct fl_link *fl_chain_link(struct fl_chain *chain, size_t piece)
{
    return &chain->link[piece % FL_CHAIN_LINKS];
}

/* Where the carry into a piece lies: from fl_chain_wait until the piece passes on. Also
 * the number of a place for a larger one, kept elsewhere. */
static inline void *fl_chain_carry(struct fl_chain *chain, size_t piece)
{
    return fl_chain_link(chain, piece)->carry;
}

static inline size_t fl_chain_place(size_t piece)
{
    return piece % FL_CHAIN_LINKS;
}

/* Whether the carry into the piece is there, and nobody else is about: then there is no
 * hurry to pass on. */
bool fl_chain_is_alone(struct fl_chain *chain, size_t piece);

/* Wait for the carry into a piece. False: a piece before it failed; pass on and end. */
bool fl_chain_wait(struct fl_chain *chain, size_t piece);

/* The carry into the next piece has been written. Pre: this one's was waited for, and is
 * not read any more. */
void fl_chain_pass(struct fl_chain *chain, size_t piece);

/* Instead, when the piece failed: those behind it need not do anything. */
void fl_chain_fail(struct fl_chain *chain, size_t piece);

#endif
