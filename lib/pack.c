/* pack.c - filch_filter and its like; see filch/pack.h.
 *
 * Tiles in a chain (chain.h), whose carry is how many items are kept so far. Of a tile,
 * flags are made and counted; it is packed when it is known where to. In place, and to
 * partition, it is packed into a room of its worker's first, and copied from there. In
 * place, that overwrites nothing that is still to be read: who knows where it goes knows
 * that all tiles before have been packed into a room, and it writes no further than its own
 * end. A worker that is alone packs straight to where the items go.
 */
#include <stdlib.h>
#include "loop.h"
#include "pack.h"

/* Of a tile: what a second-level cache holds beside its room, twice as much without one; and
 * items, for their flags. A tile costs about a microsecond besides. */
#define TILE_BYTES ((size_t)131072)
#define TILE_MOST  ((size_t)32768)
#define TILE_LEAST ((size_t)1024)

/* As many tiles at least, if these are not too small. */
#define TILES 32

/* --- tiles ------------------------------------------------------------------------ */

static char *room_of(const struct fl_pack *pack, filch_worker *w)
{
    return pack->rooms + filch_lane(w) * pack->room_bytes;
}

/* Where a tile that begins there, behind so many kept items, packs to. */
static struct fl_packed destination(const struct fl_pack *pack, size_t begin, size_t kept)
{
    return (struct fl_packed){.front = pack->out + kept * pack->out_bytes,
                              .stop = pack->out + pack->count * pack->out_bytes,
                              .back = pack->out +
                                      (pack->count - (begin - kept)) * pack->out_bytes};
}

static bool is_in_place(const struct fl_pack *pack)
{
    return pack->in == pack->out;
}

/* A tile of count items, packed into room, goes to where it belongs. */
static void copy_out(const struct fl_pack *pack, size_t begin, size_t count,
                     size_t before, const struct fl_packed *packed, const char *room)
{
    struct fl_packed to = destination(pack, begin, before);
    size_t bytes = packed->kept * pack->out_bytes;

    /* Then it is there already; and another may just be comparing its last item. */
    if (is_in_place(pack) && before == begin && packed->kept == count)
        return;
    memcpy(to.front, room, bytes);
    if (pack->kind == FL_PARTITION) {
        bytes = (count - packed->kept) * pack->out_bytes;
        memcpy(to.back - bytes, packed->back, bytes);
    }
}

static void pass(struct fl_chain *chain, size_t tile, size_t kept)
{
    memcpy(fl_chain_carry(chain, tile + 1), &kept, sizeof kept);
    fl_chain_pass(chain, tile);
}

/* What can be done with a tile before it is known where it goes. */
static int pack_early(const struct fl_pack *pack, size_t begin, size_t count, char *room,
                      struct fl_packed *packed)
{
    char *end = room + count * pack->out_bytes;

    if (pack->has_flags)
        return fl_pack_flags(pack, begin, begin + count, (bool *)room, &packed->kept);
    *packed = (struct fl_packed){.front = room, .stop = end, .back = end};
    return fl_pack_items(pack, begin, begin + count, packed);
}

/* And then, the rest. Others write before and behind: not an item too many. */
static void pack_late(const struct fl_pack *pack, size_t begin, size_t count, char *room,
                      size_t before, const struct fl_packed *packed)
{
    struct fl_packed to;

    if (!pack->has_flags) {
        copy_out(pack, begin, count, before, packed, room);
        return;
    }
    to = destination(pack, begin, before);
    to.stop = to.front + packed->kept * pack->out_bytes;
    to.is_far = true;
    fl_pack_flagged(pack, begin, count, (const bool *)room, &to);
}

/* The next tile, whatever its number. */
static int one_tile(struct fl_pack *pack, filch_worker *w)
{
    struct fl_chain *chain = &pack->chain;
    size_t tile = fl_chain_claim(chain), begin = tile * pack->tile, before;
    size_t count = FL_MIN(pack->tile, pack->count - begin);
    struct fl_packed packed = {0};
    char *room = NULL;
    int value = 0;

    if (pack->rooms && (is_in_place(pack) || !fl_chain_is_alone(chain, tile))) {
        room = room_of(pack, w);
        value = pack_early(pack, begin, count, room, &packed);
    }
    if (!fl_chain_wait(chain, tile)) {
        fl_chain_pass(chain, tile); /* an earlier one failed */
        return 0;
    }
    memcpy(&before, fl_chain_carry(chain, tile), sizeof before);
    if (!room) {
        packed = destination(pack, begin, before);
        value = fl_pack_items(pack, begin, begin + count, &packed);
    }
    if (value) {
        fl_chain_fail(chain, tile);
        fl_failure_record(&pack->failure, tile, value);
        return value;
    }
    pass(chain, tile, before + packed.kept);
    if (room)
        pack_late(pack, begin, count, room, before, &packed);
    return 0;
}

static int some_tiles(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    struct fl_pack *pack = ctx;
    int value = 0;

    fl_chain_enter(&pack->chain);
    for (; begin < end && value == 0; begin++)
        value = one_tile(pack, w);
    fl_chain_leave(&pack->chain);
    return value;
}

static size_t tile_items(const struct fl_pack *pack, const filch_opts *opts)
{
    size_t bytes = pack->has_flags ? 2 * TILE_BYTES : TILE_BYTES;
    size_t most = FL_MAX(bytes / FL_MAX(pack->bytes, pack->out_bytes), 1);
    size_t tile = FL_MAX(pack->count / TILES, TILE_LEAST);

    if (opts && opts->grain)
        tile = opts->grain;
    return FL_MIN(FL_MIN(tile, FL_MIN(most, TILE_MOST)), pack->count);
}

/* The loop over tiles; *kept when it returns 0. */
static int pack_tiles(struct fl_pack *pack, uintptr_t identity, size_t *kept,
                      const filch_opts *opts)
{
    struct fl_loop_call call = {.body = some_tiles, .ctx = pack, .identity = identity};
    filch_opts alone = {.struct_size = sizeof alone, .abi = FILCH_HOT_ABI};
    unsigned lanes = filch_lane_limit_with(opts);
    size_t bytes;
    int value;

    pack->has_flags = !is_in_place(pack) && pack->kind != FL_PARTITION;
    pack->tile = tile_items(pack, opts);
    bytes = pack->has_flags ? 1 : pack->out_bytes;
    if (lanes > 1 && bytes <= SIZE_MAX / lanes / (pack->tile + 1)) {
        pack->room_bytes = (pack->tile + 1) * bytes;
        pack->rooms = malloc(lanes * pack->room_bytes);
    }
    if (!pack->rooms) {
        if (opts)
            alone = *opts;
        alone.max_workers = 1;
        opts = &alone;
    }
    fl_chain_init(&pack->chain);
    memset(fl_chain_carry(&pack->chain, 0), 0, sizeof *kept);
    failure_init(&pack->failure);
    call.end = (pack->count - 1) / pack->tile + 1;
    call.grain = opts && opts->grain ? 1 : 0;
    call.opts = opts;
    value = fl_loop(&call);
    if (pack->failure.at != UINT64_MAX)
        value = pack->failure.value;
    else if (value == 0)
        memcpy(kept, fl_chain_carry(&pack->chain, call.end), sizeof *kept);
    free(pack->rooms);
    return value;
}

/* --- the other items, last to first ------------------------------------------------ */

struct reversal {
    char *first, *last; /* items */
    size_t bytes;
};

static void swap_bytes(char *a, char *b, size_t bytes)
{
    char some[256];

    for (; bytes > 0; bytes -= FL_MIN(bytes, sizeof some)) {
        size_t now = FL_MIN(bytes, sizeof some);

        memcpy(some, a, now);
        memcpy(a, b, now);
        memcpy(b, some, now);
        a += now;
        b += now;
    }
}

static inline __attribute__((always_inline)) void
reverse_items(const struct reversal *reversal, size_t begin, size_t end, size_t bytes)
{
    size_t i;

    for (i = begin; i < end; i++)
        swap_bytes(reversal->first + i * bytes, reversal->last - i * bytes, bytes);
}

static int reverse_range(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct reversal *reversal = ctx;

    (void)w;
    switch (reversal->bytes) {
    case 4:
        reverse_items(reversal, begin, end, 4);
        break;
    case 8:
        reverse_items(reversal, begin, end, 8);
        break;
    case 16:
        reverse_items(reversal, begin, end, 16);
        break;
    default:
        reverse_items(reversal, begin, end, reversal->bytes);
    }
    return 0;
}

/* few: without a pool. */
static int reverse_others(const struct fl_pack *pack, size_t kept, bool is_few,
                          const filch_opts *opts)
{
    struct reversal reversal = {.first = pack->out + kept * pack->bytes,
                                .last = pack->out + (pack->count - 1) * pack->bytes,
                                .bytes = pack->bytes};
    struct fl_loop_call call = {
        .end = (pack->count - kept) / 2, .body = reverse_range, .ctx = &reversal};
    filch_opts quiet = {.struct_size = sizeof quiet, .abi = FILCH_HOT_ABI};

    if (is_few || call.end == 0)
        return reverse_range(NULL, 0, call.end, &reversal);
    if (opts)
        quiet = *opts;
    quiet.progress = NULL; /* of the tiles it has been told */
    call.opts = &quiet;
    return fl_loop(&call);
}

/* --- the calls -------------------------------------------------------------------- */

/* Pre: pack is filled in up to equal. */
static int run(struct fl_pack *pack, uintptr_t identity, size_t *kept,
               const filch_opts *opts)
{
    bool is_few = fl_items_are_few(pack->count, opts);
    size_t many = 0;
    int value = fl_items_check(pack->in, pack->count, pack->bytes, opts);

    if (value || !kept || !identity)
        return -EINVAL;
    if (pack->count == 0) {
        *kept = 0;
        return 0;
    }
    if (!pack->out || fl_items_are_too_many(pack->count, pack->out_bytes) ||
        (pack->kind == FL_WHERE && fl_is_misaligned(pack->out, _Alignof(size_t))))
        return -EINVAL;
    if ((pack->in != pack->out || pack->kind == FL_PARTITION || pack->kind == FL_WHERE) &&
        fl_overlap(pack->in, pack->out, pack->count * pack->bytes,
                   pack->count * pack->out_bytes))
        return -EINVAL;
    pack->test.ctx = opts ? opts->ctx : NULL;
    if (!is_few) {
        value = pack_tiles(pack, identity, &many, opts);
    } else if (fl_opts_are_cancelled(opts)) {
        return -ECANCELED;
    } else {
        struct fl_packed packed = destination(pack, 0, 0);

        value = fl_pack_items(pack, 0, pack->count, &packed);
        many = packed.kept;
    }
    if (value == 0 && pack->kind == FL_PARTITION)
        value = reverse_others(pack, many, is_few, opts);
    if (value == 0)
        *kept = many;
    return value;
}

/* Field by field: the links of the chain are cleared where there are any. */
static int run_kind(enum fl_pack_kind kind, const void *in, void *out, size_t count,
                    size_t bytes, size_t *kept, struct fl_test test,
                    const filch_opts *opts)
{
    struct fl_pack pack;

    pack.in = in;
    pack.out = out;
    pack.count = count;
    pack.bytes = bytes;
    pack.out_bytes = kind == FL_WHERE ? sizeof(size_t) : bytes;
    pack.kind = kind;
    pack.test = test;
    pack.equal = NULL;
    pack.rooms = NULL;
    return run(&pack, test.each ? (uintptr_t)test.each : (uintptr_t)test.many, kept,
               opts);
}

int filch_filter_with(const void *in, void *out, size_t count, size_t bytes, size_t *kept,
                      filch_test *test, const filch_opts *opts)
{
    return run_kind(FL_FILTER, in, out, count, bytes, kept,
                    (struct fl_test){.each = test}, opts);
}

int filch_filter_ranges_with(const void *in, void *out, size_t count, size_t bytes,
                             size_t *kept, filch_test_body *test, const filch_opts *opts)
{
    return run_kind(FL_FILTER, in, out, count, bytes, kept,
                    (struct fl_test){.many = test}, opts);
}

int filch_partition_with(const void *in, void *out, size_t count, size_t bytes,
                         size_t *kept, filch_test *test, const filch_opts *opts)
{
    return run_kind(FL_PARTITION, in, out, count, bytes, kept,
                    (struct fl_test){.each = test}, opts);
}

int filch_partition_ranges_with(const void *in, void *out, size_t count, size_t bytes,
                                size_t *kept, filch_test_body *test,
                                const filch_opts *opts)
{
    return run_kind(FL_PARTITION, in, out, count, bytes, kept,
                    (struct fl_test){.many = test}, opts);
}

int filch_where_with(const void *in, size_t *out, size_t count, size_t bytes,
                     size_t *kept, filch_test *test, const filch_opts *opts)
{
    return run_kind(FL_WHERE, in, out, count, bytes, kept, (struct fl_test){.each = test},
                    opts);
}

int filch_where_ranges_with(const void *in, size_t *out, size_t count, size_t bytes,
                            size_t *kept, filch_test_body *test, const filch_opts *opts)
{
    return run_kind(FL_WHERE, in, out, count, bytes, kept, (struct fl_test){.many = test},
                    opts);
}

int filch_unique_with(const void *in, void *out, size_t count, size_t bytes, size_t *kept,
                      filch_equal *equal, const filch_opts *opts)
{
    struct fl_pack pack;

    pack.in = in;
    pack.out = out;
    pack.count = count;
    pack.bytes = pack.out_bytes = bytes;
    pack.kind = FL_UNIQUE;
    pack.test = (struct fl_test){0};
    pack.equal = equal;
    pack.rooms = NULL;
    return run(&pack, equal ? (uintptr_t)equal : (uintptr_t)some_tiles, kept, opts);
}
