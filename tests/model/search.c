/* search.c - see search.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "search.h"

enum { CHOICES = 4096 };

static struct search_options options;
static struct {
    uint8_t chosen;
    uint8_t count;
} path[CHOICES];
static unsigned path_length, cursor;
static uint64_t executions, states, random_state;
static bool gave_up;

static uint64_t *table; /* open addressing; 0 is free */
static uint64_t table_mask;

static const char digits[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

void search_begin(const struct search_options *wanted)
{
    options = *wanted;
    path_length = cursor = 0;
    executions = states = 0;
    gave_up = false;
    random_state = options.seed;
    free(table);
    table_mask = (1u << 16) - 1;
    table = calloc(table_mask + 1, sizeof *table);
    if (!table)
        abort();
}

void search_start(void)
{
    cursor = 0;
    executions++;
    if (options.mode == SEARCH_RANDOM)
        path_length = 0;
}

bool search_next(void)
{
    if (options.mode == SEARCH_REPLAY)
        return false;
    if (options.mode == SEARCH_RANDOM)
        return executions < options.runs;
    while (path_length && path[path_length - 1].chosen + 1 == path[path_length - 1].count)
        path_length--;
    if (!path_length)
        return false;
    path[path_length - 1].chosen++;
    gave_up = executions >= options.limit;
    return !gave_up;
}

static uint64_t random_next(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15u; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static unsigned first_choice(unsigned count)
{
    const char *digit;

    if (options.mode ==
        SEARCH_RANDOM) /* half the time the plain choice, or few runs get far */
        return random_next() % 2 ? 0 : (unsigned)(random_next() % count);
    if (options.mode != SEARCH_REPLAY || cursor + 1 >= strlen(options.path))
        return 0;
    digit = strchr(digits, options.path[cursor + 1]);
    if (!digit || (unsigned)(digit - digits) >= count) {
        fprintf(stderr, "model: this path is of another program\n");
        exit(2);
    }
    return (unsigned)(digit - digits);
}

unsigned search_choose(unsigned count)
{
    if (count == 1)
        return 0;
    if (cursor == CHOICES || count > sizeof digits - 1) {
        fprintf(stderr, "model: too many choices\n");
        abort();
    }
    if (cursor == path_length) {
        path[cursor].chosen = (uint8_t)first_choice(count);
        path[cursor].count = (uint8_t)count;
        path_length++;
    } else if (path[cursor].count != count) {
        fprintf(stderr, "model: the test does not do the same thing twice\n");
        abort();
    }
    return path[cursor++].chosen;
}

static bool table_insert(uint64_t state)
{
    uint64_t at;

    for (at = state & table_mask; table[at]; at = (at + 1) & table_mask)
        if (table[at] == state)
            return false;
    table[at] = state;
    return true;
}

static void table_grow(void)
{
    uint64_t *old = table, size = table_mask + 1, i;

    table = calloc(size * 2, sizeof *table);
    if (!table)
        abort();
    table_mask = size * 2 - 1;
    for (i = 0; i < size; i++)
        if (old[i])
            table_insert(old[i]);
    free(old);
}

bool search_is_new(void)
{
    return options.mode == SEARCH_REDUCED && cursor == path_length;
}

bool search_visit(uint64_t state)
{
    if (!table_insert(state ? state : 1))
        return false;
    states++;
    if (states * 2 > table_mask)
        table_grow();
    return true;
}

enum search_mode search_mode(void)
{
    return options.mode;
}

bool search_is_reduced(void)
{
    return options.mode == SEARCH_REDUCED ||
           (options.mode == SEARCH_REPLAY && options.path[0] == 'r');
}

int search_preemptions(void)
{
    return options.preemptions;
}

bool search_gave_up(void)
{
    return gave_up;
}

uint64_t search_states(void)
{
    return states;
}

uint64_t search_executions(void)
{
    return executions;
}

char *search_path(void)
{
    char *text = malloc(cursor + 2);
    unsigned i;

    if (!text)
        abort();
    text[0] = search_is_reduced() ? 'r' : 'a';
    for (i = 0; i < cursor; i++)
        text[i + 1] = digits[path[i].chosen];
    text[cursor + 1] = '\0';
    return text;
}
