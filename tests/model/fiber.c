/* fiber.c - see fiber.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "fiber.h"

#define STACK_BYTES ((size_t)64 << 10)

/* makecontext passes ints only. */
static struct fiber *being_made;
static ucontext_t maker;

static void fiber_main(void)
{
    struct fiber *volatile self = being_made;

    /* This frame stays for ever, so that the jump can be taken once per execution. */
    if (!_setjmp(self->base))
        setcontext(&maker);
    self->entry();
    abort();
}

void fiber_create(struct fiber *fiber, void (*entry)(void))
{
    fiber->stack = malloc(STACK_BYTES);
    if (!fiber->stack || getcontext(&fiber->context))
        abort();
    fiber->entry = entry;
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, fiber_main, 0);
    being_made = fiber;
    if (swapcontext(&maker, &fiber->context))
        abort();
    fiber_restart(fiber);
}

void fiber_restart(struct fiber *fiber)
{
    memcpy(&fiber->at, &fiber->base, sizeof fiber->at);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    if (!_setjmp(from->at))
        _longjmp(to->at, 1);
}
