/* litmus_heap.c - the checker against small programs whose memory ends, right and wrong.
 *
 * Job: allocation that is handed from thread to thread and freed by the last one, frames
 * that end when nobody needs them any more; and each mistake that the checker claims to
 * see: use after free, free during use, twice, of something else; beyond the end; leaks;
 * a frame that dies too early. Compiled as the library's own code is when it is watched
 * (-fsanitize=thread), so that plain accesses need no MODEL_READ.
 */
#include <stdlib.h>
#include "checker_atomics.h"

struct thing {
    uint32_t owners; /* atomic */
    int value;       /* plain */
};

static uint32_t *owners(struct thing *thing)
{
    return &thing->owners;
}

static struct thing *shared; /* atomic */
static uint32_t flag;
static int64_t sum;

static void setup(void)
{
    shared = NULL;
    flag = 0;
    sum = 0;
    model_name(&shared, "shared");
    model_name(&flag, "flag");
}

static struct thing *make(uint32_t owners)
{
    struct thing *thing = calloc(1, sizeof *thing);

    if (thing) {
        thing->value = 7;
        fl_store_relaxed(&thing->owners, owners);
    }
    return thing;
}

static struct thing *await(void)
{
    struct thing *thing;

    while (!(thing = fl_load_acquire(&shared)))
        fl_yield();
    return thing;
}

#define BODY(name, ...)    \
    static void name(void) \
    {                      \
        __VA_ARGS__;       \
    }

/* --- one to another --------------------------------------------------------------- */

BODY(give, fl_store_release(&shared, make(1)))
BODY(take, struct thing *thing = await(); MODEL_ASSERT(thing->value == 7, "not made");
     free(thing))
BODY(take_and_keep, MODEL_ASSERT(await()->value == 7, "not made"))
BODY(take_and_free_twice, struct thing *thing = await(); free(thing); free(thing))
BODY(take_and_free_middle, free(&await()->value))
BODY(take_and_look_behind, struct thing *thing = await();
     MODEL_ASSERT(thing[1].value != 1, "not made"); free(thing))
BODY(give_and_look, struct thing *thing = make(1); fl_store_release(&shared, thing);
     MODEL_ASSERT(thing->value == 7, "not made"))
static void give_and_load(void)
{
    struct thing *thing = make(1);

    fl_store_release(&shared, thing);
    sum = fl_load_relaxed(owners(thing));
}
BODY(give_and_free, struct thing *thing = make(1); fl_store_release(&shared, thing);
     free(thing))
BODY(free_static, free(&flag))

BODY(give_and_peek, struct thing *thing = make(1); fl_store_release(&shared, thing);
     MODEL_ASSERT(*(volatile uint32_t *)&thing->owners == 1, "not made"))

/* --- counted ---------------------------------------------------------------------- */

#define RELEASE(thing, order)                         \
    do {                                              \
        if (fl_sub_##order(&(thing)->owners, 1) == 1) \
            free(thing);                              \
    } while (0)
BODY(give_to_two, struct thing *thing = make(2); fl_store_release(&shared, thing);
     thing->value == 7 ? (void)0 : abort(); RELEASE(thing, acq_rel))
BODY(take_counted, struct thing *thing = await(); thing->value == 7 ? (void)0 : abort();
     RELEASE(thing, acq_rel))
BODY(take_counted_relaxed, struct thing *thing = await();
     thing->value == 7 ? (void)0 : abort(); RELEASE(thing, relaxed))

/* --- no memory -------------------------------------------------------------------- */

static void setup_short(void)
{
    setup();
    model_may_run_out(1);
}
BODY(make_or_not, struct thing *thing = make(1); sum = thing != NULL; free(thing))
BODY(make_for_sure, struct thing *thing = calloc(1, sizeof *thing); thing->value = 1;
     free(thing))
static void print_sum(void)
{
    model_outcome("%d", (int)sum);
}

/* --- frames ----------------------------------------------------------------------- */

static struct thing frame; /* as it were: of thread 0 */

static void setup_frame(void)
{
    setup();
    frame = (struct thing){.owners = 1};
    model_name(&frame.owners, "frame's owners");
    model_name(&frame.value, "frame's value");
}
BODY(live, model_lives(&frame, sizeof frame); fl_store_release(&shared, &frame);
     while (fl_load_acquire(owners(&frame))) fl_yield();
     MODEL_ASSERT(frame.value == 9, "not there"); MODEL_DIES(&frame))
BODY(set, struct thing *thing = await(); thing->value = 9;
     fl_store_release(&thing->owners, 0))
BODY(set_and_look_again, set(); sum = fl_load_relaxed(owners(&frame)))
BODY(set_and_wake, set(); fl_futex_wake(&frame.owners, 1))
BODY(live_twice, live(); model_lives(&frame, sizeof frame);
     fl_store_relaxed(&frame.owners, 1); frame.value = 1; MODEL_DIES(&frame))
BODY(live_once_more, live(); frame.value = 1)

#define ALLOWS(name, setup, print, outcomes, ...)                   \
    {                                                               \
        name, setup, {__VA_ARGS__}, print, outcomes, 0, 0, 0, false \
    }
#define FAILS(name, setup, words, ...)                         \
    {                                                          \
        name, setup, {__VA_ARGS__}, NULL, words, 0, 0, 0, true \
    }

static const struct model_case cases[] = {
    ALLOWS("heap: made by one, freed by another", setup, NULL, NULL, give, take),
    ALLOWS("heap: freed by the last of two", setup, NULL, NULL, give_to_two,
           take_counted),
    ALLOWS("heap: may be used up", setup_short, print_sum, "0 | 1", make_or_not),
    FAILS("heap: the count of owners without release", setup, "ends while it may be in",
          give_to_two, take_counted_relaxed),
    FAILS("heap: used after it was given away", setup, "T0's block 0", give_and_look,
          take),
    FAILS("heap: loaded after it was given away", setup, "T0's block 0", give_and_load,
          take),
    FAILS("heap: a plain read of an atomic word", setup, "a plain access to a word",
          give_and_peek, take),
    FAILS("heap: freed by both", setup, "T0's block 0", give_and_free, take),
    FAILS("heap: freed twice", setup, "ended twice", give, take_and_free_twice),
    FAILS("heap: freed in the middle", setup, "never allocated", give,
          take_and_free_middle),
    FAILS("heap: not from there", setup, "never allocated", free_static),
    FAILS("heap: beyond the end", setup, "in no block", give, take_and_look_behind),
    FAILS("heap: leaked", setup, "leaked: T0's block 0 + 0 (litmus_heap.c", give,
          take_and_keep),
    FAILS("heap: nothing to write to", setup_short, "near NULL", make_for_sure),

    ALLOWS("frame: dies when it is not needed", setup_frame, NULL, NULL, live, set),
    ALLOWS("frame: a wake by address only may be late", setup_frame, NULL, NULL, live,
           set_and_wake),
    ALLOWS("frame: another in its place", setup_frame, NULL, NULL, live_twice, set),
    FAILS("frame: a look after the last touch", setup_frame, "frame's owners", live,
          set_and_look_again),
    FAILS("frame: used by its own thread after its end", setup_frame, "frame's value",
          live_once_more, set),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
