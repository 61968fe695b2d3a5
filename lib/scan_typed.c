/* scan_typed.c - what all typed scans have in common; see scan_typed.h. */
#include "scan_typed.h"

int fl_scan_run(struct fl_scan *scan, filch_body *body, void *carry, size_t carry_bytes)
{
    struct fl_chain chain;
    struct fl_loop_call call = {
        .end = (scan->count - 1) / FL_SCAN_TILE + 1, .body = body, .ctx = scan};
    int value;

    call.opts = scan->opts;
    fl_chain_init(&chain);
    memcpy(fl_chain_carry(&chain, 0), carry, carry_bytes);
    scan->chain = &chain;
    value = fl_loop(&call);
    if (value == 0)
        memcpy(carry, fl_chain_carry(&chain, call.end), carry_bytes);
    return value;
}
