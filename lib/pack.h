/* pack.h - packing a stretch of an array by a test on its items; see pack.c.
 *
 * Job: what is serial of it, in pack_items.c: flags for a few items, then those that are
 * wanted one behind the other.
 */
#ifndef FL_PACK_H
#define FL_PACK_H

#include "chain.h"
#include "items.h"
#include "worker.h"

/* What is packed so far. */
struct fl_packed {
    char *front; /* where the next wanted item goes, */
    char *stop;  /* from where on nothing is written (not to partition), */
    char *back;  /* and, to partition, behind where the next other one does */
    size_t kept; /* wanted ones */
    bool is_far; /* packing waits for memory, not for tests: fetch ahead */
};

enum fl_pack_kind { FL_FILTER, FL_PARTITION, FL_UNIQUE, FL_WHERE };

struct fl_pack {
    const char *in;
    char *out;
    size_t count, bytes, out_bytes;
    enum fl_pack_kind kind;
    struct fl_test test;
    filch_equal *equal;
    size_t tile;
    /* For each lane, for a tile and an item; or, if wanted items go straight to out when it
     * is known where to, for the flags of a tile. NULL: the caller is alone. */
    char *rooms;
    size_t room_bytes;
    bool has_flags;
    struct fl_chain chain;
    struct fl_failure failure;
};

/* Items begin to end, from packed on. Returns the test's own value. In place, packed->front
 * is not behind the items. */
int fl_pack_items(const struct fl_pack *pack, size_t begin, size_t end,
                  struct fl_packed *packed);

/* The same in two steps: first the flags, and in *kept how many are wanted; then the items.
 * Not to partition. */
int fl_pack_flags(const struct fl_pack *pack, size_t begin, size_t end, bool *flags,
                  size_t *kept);
void fl_pack_flagged(const struct fl_pack *pack, size_t begin, size_t count,
                     const bool *flags, struct fl_packed *packed);

#endif
