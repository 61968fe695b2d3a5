/* cancel.c - the token that ends loops early; see filch/cancel.h. */
#include <filch/cancel.h>
#include "atomics.h"

/* Relaxed: the token carries nothing but itself. */

void filch_cancel_set(filch_cancel *token)
{
    fl_store_relaxed(&token->is_set, 1u);
}

void filch_cancel_clear(filch_cancel *token)
{
    fl_store_relaxed(&token->is_set, 0u);
}

int filch_cancel_is_set(const filch_cancel *token)
{
    return fl_load_relaxed(&token->is_set) != 0;
}
