/* numbers.c - numbers that are handed out: each has one holder, who sees what the last one
 * left.
 *
 * Job: takes and returns of bits, as lanes, parts and guest slots are handed out
 * ("held twice"; "left": a data race on what the holders of a number leave behind).
 * Compiled with the real bits.h.
 */
#include "checker_atomics.h"
#include "bits.h"

enum { MOST = 66 };

static uint64_t taken[2];
static uint32_t count, from;
static int left[MOST]; /* plain: the holder's */
static bool is_held[MOST];

static void setup_count(uint32_t numbers, uint32_t first)
{
    uint32_t i;

    count = numbers;
    from = first;
    taken[0] = taken[1] = 0;
    model_name(&taken[0], "taken");
    model_name(&taken[1], "taken, from 64");
    for (i = 0; i < MOST; i++) {
        left[i] = 0;
        is_held[i] = false;
        model_name(&left[i], "left %u", i);
    }
}

static void setup_one(void)
{
    setup_count(1, 0);
}

static void setup_two(void)
{
    setup_count(2, 1);
}

/* All but the last of the first word and the last of all are taken. */
static void setup_two_words(void)
{
    setup_count(MOST, 64);
    taken[0] = UINT64_MAX >> 1;
    taken[1] = 1;
}

static void hold(uint32_t number)
{
    MODEL_ASSERT(!is_held[number], "held twice");
    is_held[number] = true;
    MODEL_WRITE(left[number], MODEL_READ(left[number]) + 1);
    is_held[number] = false;
}

/* False: all were taken. */
static bool hold_any(void)
{
    uint32_t number = bit_take(taken, count, from);

    if (number == count)
        return false;
    hold(number);
    bit_give(taken, number);
    return true;
}

static void hold_twice(void)
{
    while (!hold_any())
        fl_yield();
    while (!hold_any())
        fl_yield();
}

static void hold_once(void)
{
    while (!hold_any())
        fl_yield();
}

/* As many numbers as takers: nobody goes without. */
static void keep_one(void)
{
    uint32_t number = bit_take(taken, count, from);

    MODEL_ASSERT(number < count, "none is left");
    MODEL_ASSERT(!is_held[number], "held twice");
    is_held[number] = true;
}

static void check_kept(void)
{
    MODEL_ASSERT(bit_take(taken, count, from) == count, "held twice");
}

static void check_given(void)
{
    int uses = 0;
    uint32_t i;

    for (i = 0; i < count; i++)
        uses += left[i];
    MODEL_ASSERT(taken[0] == 0, "not given back");
    model_outcome("%d", uses);
}

#define CASE(name, setup, check, outcomes, ...)                     \
    {                                                               \
        name, setup, {__VA_ARGS__}, check, outcomes, 0, 0, 0, false \
    }

static const struct model_case cases[] = {
    CASE("one number, in turn", setup_one, check_given, "3", hold_twice, hold_once),
    CASE("one number, three holders", setup_one, check_given, "3", hold_once, hold_once,
         hold_once),
    CASE("two numbers, three holders", setup_two, check_given, "3", hold_once, hold_once,
         hold_once),
    CASE("as many as takers", setup_two, check_kept, NULL, keep_one, keep_one),
    CASE("as many as takers, in two words", setup_two_words, check_kept, NULL, keep_one,
         keep_one),
};

int main(int argc, char **argv)
{
    return model_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
