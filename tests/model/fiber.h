/* fiber.h - user-level threads for the model checker.
 *
 * Job: stacks that can be switched between, and started again from the top for every
 * execution. Relies on ucontext to make a stack and on setjmp to switch (ucontext alone
 * enters the kernel at each switch). Never pre-empts; knows nothing of scheduling.
 */
#ifndef MODEL_FIBER_H
#define MODEL_FIBER_H

#include <setjmp.h>
#include <ucontext.h>

struct fiber {
    jmp_buf at;   /* where to go on */
    jmp_buf base; /* where to start */
    ucontext_t context;
    void (*entry)(void); /* must not return */
    char *stack;
};

/* Make a fiber that will run entry(). The caller's own context needs no making. */
void fiber_create(struct fiber *fiber, void (*entry)(void));

/* Forget what the fiber was doing: the next switch to it enters entry() again. */
void fiber_restart(struct fiber *fiber);

void fiber_switch(struct fiber *from, struct fiber *to);

#endif
