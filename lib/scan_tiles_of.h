/* scan_tiles_of.h - the tiles of a typed scan, for one type of elements and one operation;
 * a part of scan_sum_of.h and scan_extreme_of.h.
 *
 * From these: COMBINE(carry, fold); IDENTITY; TOTAL and CARRY, the types of a carry inside
 * and outside; and the kernels fold, scan_in, scan_ex, stream_in and stream_ex.
 */

FL_ALWAYS_INLINE TOTAL NAME(scan_tile)(const struct fl_scan *scan, size_t begin,
                                       size_t end, TOTAL carry)
{
    const ELEMENT *x = (const ELEMENT *)scan->x + begin;
    ELEMENT *out = (ELEMENT *)scan->out + begin;

    if (scan->is_streamed)
        return scan->is_exclusive ? NAME(stream_ex)(x, out, end - begin, carry)
                                  : NAME(stream_in)(x, out, end - begin, carry);
    return scan->is_exclusive ? NAME(scan_ex)(x, out, end - begin, carry)
                              : NAME(scan_in)(x, out, end - begin, carry);
}

static void NAME(one_tile)(const struct fl_scan *scan)
{
    struct fl_chain *chain = scan->chain;
    size_t tile = fl_chain_claim(chain), begin = tile * FL_SCAN_TILE;
    size_t end = fl_scan_tile_end(scan, begin);
    TOTAL carry, next;

    if (fl_chain_is_alone(chain, tile)) {
        memcpy(&carry, fl_chain_carry(chain, tile), sizeof carry);
        next = NAME(scan_tile)(scan, begin, end, carry);
        memcpy(fl_chain_carry(chain, tile + 1), &next, sizeof next);
        fl_chain_pass(chain, tile);
        return;
    }
    next = NAME(fold)((const ELEMENT *)scan->x + begin, end - begin);
    fl_chain_wait(chain, tile); /* nothing fails */
    memcpy(&carry, fl_chain_carry(chain, tile), sizeof carry);
    next = COMBINE(carry, next);
    memcpy(fl_chain_carry(chain, tile + 1), &next, sizeof next);
    fl_chain_pass(chain, tile);
    NAME(scan_tile)(scan, begin, end, carry);
}

static int NAME(tiles)(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct fl_scan *scan = ctx;

    (void)w;
    fl_chain_enter(scan->chain);
    for (; begin < end; begin++)
        NAME(one_tile)(scan);
    fl_chain_leave(scan->chain);
    return 0;
}

/* Out of line, for the sake of those that take one tile. */
__attribute__((noinline)) static int NAME(scan_many)(const ELEMENT *x, size_t n,
                                                     ELEMENT *out, TOTAL *carry,
                                                     bool is_exclusive,
                                                     const filch_opts *opts)
{
    struct fl_scan scan = {
        .x = x,
        .out = out,
        .count = n,
        .is_exclusive = is_exclusive,
        .is_streamed = x != out && fl_is_streamed(out, n * sizeof *x),
        .opts = opts,
    };

    return fl_scan_run(&scan, NAME(tiles), carry, sizeof *carry);
}

FL_ALWAYS_INLINE int NAME(scan)(const ELEMENT *x, size_t n, ELEMENT *out, CARRY *carry,
                                bool is_exclusive, const filch_opts *opts)
{
    TOTAL total = carry ? (TOTAL)*carry : IDENTITY;
    int err = fl_scan_check(x, n, out, sizeof *x, opts);

    if (err || n == 0)
        return err;
    if (n > FL_SCAN_TILE)
        err = NAME(scan_many)(x, n, out, &total, is_exclusive, opts);
    else if (FILCH_UNLIKELY(fl_opts_are_cancelled(opts)))
        return -ECANCELED;
    else
        total = is_exclusive ? NAME(scan_ex)(x, out, n, total)
                             : NAME(scan_in)(x, out, n, total);
    if (!err && carry)
        *carry = (CARRY)total;
    return err;
}
