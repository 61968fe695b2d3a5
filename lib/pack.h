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
    char *back;  /* and, to partition, behind where the next other one does */
    size_t kept; /* wanted ones */
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
    char *rooms; /* for a tile and an item, for each lane; NULL: the caller is alone */
    bool is_streamed;
    struct fl_chain chain;
    struct fl_failure failure;
};

/* Items begin to end, from packed on. Returns the test's own value. In place, packed->front
 * is not behind the items. */
int fl_pack_items(const struct fl_pack *pack, size_t begin, size_t end,
                  struct fl_packed *packed);

#endif
