/* sort_strings.c - filch_sort_strings: each string beside its next eight characters.
 *
 * Eight characters are an integer, the first one on top, so that they compare as strcmp
 * does; after the end of a string they are 0. Strings are sorted by it (order.h, where a
 * comparison is one of integers, and looks at no string). Those that have the same eight
 * characters, and go on behind them, are a group: it gets its next eight, and so on.
 *
 * Eight characters at a time are slow where many strings share hundreds: each string comes
 * from memory for each eight. So when most strings of a group had the same eight twice in a
 * row, they are compared with one of them, the pivot, as far as they agree with it. Of the
 * strings below the pivot those come first that agree least with it; of those above it they
 * come last. So the key is the number of characters in which a string agrees, and strings
 * with the same key are a group that begins behind these. The pivot is chosen at random:
 * strings of which each begins the next one take a few rounds, in whatever order they come.
 * The result does not depend on the choice.
 *
 * Large groups are sorted by all workers, one after the other; what is left of the array
 * in small ones is shared out.
 */
#define _POSIX_C_SOURCE 200809L /* strnlen */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "enter.h"
#include "loop.h"
#include "options.h"
#include "platform.h"
#include "sort.h"
#include "sort_by.h"

#define CHARACTERS 8

/* Strings that are compared one with another. */
#define FEW 6

/* Of a group that one worker sorts. */
#define GROUP_MOST ((size_t)4096)

/* Fewest items that are worth a worker's while. */
#define GRAIN ((size_t)256)

/* Strings whose groups are sorted by one worker at least. */
#define PIECE ((size_t)1024)

/* Steps of eight characters in which most strings agreed, before a pivot is taken: many
 * agree in two (in paths, say), and then differ. */
#define AGREED 2

/* Strings that are fetched ahead. */
#define AHEAD 8

/* Words on the stack, and as much room. */
#define STACK_WORDS ((size_t)256)

/* A pivot is looked at so far in advance: strings may be long, and differ early. */
#define KNOWN_MOST ((size_t)4096)

/* Strings [begin, end), which agree in `depth` characters. agreed: see choose_keys. */
struct group {
    size_t begin, end, depth;
    unsigned agreed;
};

/* What the keys of strings say, which agree in `depth` characters. */
struct keys {
    size_t depth;
    const char *pivot; /* from there on; NULL: eight characters */
    size_t known;      /* characters of the pivot that are there */
};

/* A string with this key is the pivot's equal. Others have the number of characters that
 * they share with it if they are less; that number below UINT64_MAX if they are greater. */
#define SAME (UINT64_C(1) << 63)

struct strings {
    const char **x;
    size_t n;
    const filch_opts *opts;
    struct fl_order order;
    struct fl_word *at, *room;
    struct fl_worker *worker;
    struct group *groups; /* large ones that are not sorted yet */
    size_t group_count;
    size_t *firsts; /* for each piece */
    struct group now;
    struct keys keys; /* of these */
};

static uint64_t characters(const char *string)
{
    uint64_t key = 0;
    int i;

    for (i = 0; i < CHARACTERS && string[i]; i++)
        key |= (uint64_t)(unsigned char)string[i] << (64 - 8 * (i + 1));
    return key;
}

/* Whether n characters of two strings agree, and are that many. */
static bool agree_in(const char *string, const char *other, size_t n)
{
    return strncmp(string, other, n) == 0 && strnlen(other, n) == n;
}

/* Characters in which a string agrees with another one, which has n at least. strncmp reads
 * many at a time, and nothing behind the end of either. */
static size_t agreement(const char *string, const char *other, size_t n)
{
    size_t count = 0;

    while (n - count >= 1024 && strncmp(string + count, other + count, 1024) == 0)
        count += 1024;
    while (n - count >= 32 && strncmp(string + count, other + count, 32) == 0)
        count += 32;
    while (count < n && string[count] == other[count])
        count++;
    if (count < n)
        return count;
    while (agree_in(string + count, other + count, 1024))
        count += 1024;
    while (agree_in(string + count, other + count, 32))
        count += 32;
    while (string[count] && string[count] == other[count])
        count++;
    return count;
}

static uint64_t compare_with_pivot(const struct keys *keys, const char *string)
{
    size_t count;

    if (string == keys->pivot)
        return SAME;
    count = agreement(string, keys->pivot, keys->known);
    if ((unsigned char)string[count] < (unsigned char)keys->pivot[count])
        return count;
    return string[count] ? UINT64_MAX - count : SAME;
}

/* Whether strings with that key are equal. */
static bool has_ended(const struct keys *keys, uint64_t key)
{
    return keys->pivot ? key == SAME : (key & 0xff) == 0;
}

/* In how many characters strings with that key agree. */
static size_t depth_behind(const struct keys *keys, uint64_t key)
{
    if (!keys->pivot)
        return keys->depth + CHARACTERS;
    return keys->depth + (size_t)(key < SAME ? key : UINT64_MAX - key);
}

/* agreed: in how many steps of eight characters in a row, up to here, most strings did. */
static void choose_keys(struct keys *keys, const struct fl_word *at, size_t n,
                        size_t depth, unsigned agreed)
{
    *keys = (struct keys){.depth = depth};
    if (agreed >= AGREED) {
        keys->pivot = at[fl_salt() % n].string + depth;
        keys->known = strnlen(keys->pivot, KNOWN_MOST);
    }
}

static void load_keys(const struct strings *strings, const struct keys *keys,
                      struct fl_word *at, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const char *string = at[i].string + keys->depth;

        if (i + AHEAD < n)
            __builtin_prefetch(at[i + AHEAD].string + keys->depth);
        if (!keys->pivot)
            at[i].key = characters(string);
        else if (!fl_opts_are_cancelled(strings->opts))
            at[i].key = compare_with_pivot(keys, string);
        else
            at[i].key = SAME; /* nobody is going to look at the string again */
    }
}

static void sort_keys(const struct strings *strings, struct fl_word *at,
                      struct fl_word *room, size_t n)
{
    strings->order.kind->sort(&strings->order, (char *)at, (char *)room, n, false);
}

/* --- by one worker ---------------------------------------------------------------- */

static bool is_less(const char *a, const char *b, size_t depth)
{
    return a != b && strcmp(a + depth, b + depth) < 0;
}

static void sort_few(struct fl_word *at, size_t n, size_t depth)
{
    size_t i, j;

    for (i = 1; i < n; i++) {
        struct fl_word word = at[i];

        for (j = i; j > 0 && is_less(word.string, at[j - 1].string, depth); j--)
            at[j] = at[j - 1];
        at[j] = word;
    }
}

/* That for a group of so many out of n strings, which had these keys. After a pivot from 0
 * on: one that was chosen badly may not get any further. */
static unsigned agreed_by(const struct keys *keys, size_t count, size_t n,
                          unsigned agreed)
{
    return !keys->pivot && count > n / 2 ? agreed + 1 : 0;
}

/* n strings that agree in `depth` characters, and are that long. The largest of the
 * groups among them is next here; others have half as many at most, so this does not go
 * deep. */
static void sort_group(const struct strings *strings, struct fl_word *at,
                       struct fl_word *room, size_t n, size_t depth, unsigned agreed)
{
    while (n > FEW && !fl_opts_are_cancelled(strings->opts)) {
        size_t i, end, largest = 0, most = 0;
        struct keys keys;

        choose_keys(&keys, at, n, depth, agreed);
        load_keys(strings, &keys, at, n);
        sort_keys(strings, at, room, n);
        for (i = 0; i < n; i = end) {
            size_t group = i, count;

            for (end = i + 1; end < n && at[end].key == at[i].key;)
                end++;
            count = end - i;
            if (count < 2 || has_ended(&keys, at[i].key))
                continue;
            if (count > most) {
                size_t larger = count;

                group = largest;
                count = most;
                largest = i;
                most = larger;
            }
            if (count > 1)
                sort_group(strings, at + group, room + group, count,
                           depth_behind(&keys, at[group].key), 0);
        }
        depth = depth_behind(&keys, at[largest].key);
        agreed = agreed_by(&keys, most, n, agreed);
        at += largest;
        room += largest;
        n = most;
    }
    if (n > 1 && n <= FEW)
        sort_few(at, n, depth);
}

/* --- by all ----------------------------------------------------------------------- */

static int load_words(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct strings *strings = ctx;
    struct fl_word *at = strings->at + strings->now.begin;
    size_t i;

    (void)w;
    if (strings->now.depth == 0) {
        for (i = begin; i < end; i++)
            at[i].string = strings->x[i];
    }
    load_keys(strings, &strings->keys, at + begin, end - begin);
    return 0;
}

/* Where the strings with that key begin, or end, among sorted ones. */
static size_t bound_of(const struct fl_word *at, size_t n, uint64_t key, bool is_end)
{
    size_t low = 0;

    while (low < n) {
        size_t half = low + (n - low) / 2;

        if (at[half].key < key || (is_end && at[half].key == key))
            low = half + 1;
        else
            n = half;
    }
    return low;
}

/* Where the first group of each piece begins: before any is sorted, which changes keys.
 */
static int find_firsts(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct strings *strings = ctx;
    const struct fl_word *at = strings->at + strings->now.begin;
    size_t n = strings->now.end - strings->now.begin;

    (void)w;
    for (; begin < end; begin++) {
        size_t i = begin * PIECE;

        if (i > 0 && at[i].key == at[i - 1].key)
            i += bound_of(at + i, n - i, at[i].key, true);
        strings->firsts[begin] = i;
    }
    return 0;
}

/* Pieces of the group at hand: the small groups that begin there. */
static int sort_groups(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct strings *strings = ctx;
    struct fl_word *at = strings->at + strings->now.begin;
    struct fl_word *room = strings->room + strings->now.begin;
    size_t i, next, last = strings->firsts[end];
    size_t n = strings->now.end - strings->now.begin;

    (void)w;
    for (i = strings->firsts[begin]; i < last; i = next) {
        for (next = i + 1; next < last && at[next].key == at[i].key;) {
            if (++next - i > GROUP_MOST)
                next += bound_of(at + next, last - next, at[i].key, true);
        }
        if (next - i > 1 && next - i <= GROUP_MOST &&
            !has_ended(&strings->keys, at[i].key))
            sort_group(strings, at + i, room + i, next - i,
                       depth_behind(&strings->keys, at[i].key),
                       agreed_by(&strings->keys, next - i, n, strings->now.agreed));
    }
    return 0;
}

static int store_strings(filch_worker *w, size_t begin, size_t end, void *ctx)
{
    const struct strings *strings = ctx;

    (void)w;
    for (; begin < end; begin++)
        strings->x[begin] = strings->at[begin].string;
    return 0;
}

/* Call body for count strings or pieces, some at a time. */
static int each(struct strings *strings, filch_body *body, size_t count, size_t grain,
                bool is_told)
{
    filch_opts opts = {.struct_size = sizeof opts, .abi = FILCH_HOT_ABI};
    struct fl_loop_call call = {
        .end = count, .body = body, .ctx = strings, .grain = grain, .opts = &opts};
    int err;

    if (strings->opts) {
        opts.max_workers = strings->opts->max_workers;
        opts.cancel = is_told ? strings->opts->cancel : NULL;
    }
    err = fl_loop_in(strings->worker, &call);
    return !err && is_told && fl_opts_are_cancelled(&opts) ? -ECANCELED : err;
}

/* Note the large groups in the one at hand, which was sorted. Each has a string at a
 * multiple of GROUP_MOST, and another one half as far from there. */
static void note_groups(struct strings *strings)
{
    const struct group *now = &strings->now;
    const struct fl_word *at = strings->at + now->begin;
    size_t n = now->end - now->begin, half = GROUP_MOST / 2, i;

    for (i = 0; i < n; i += GROUP_MOST) {
        uint64_t key = at[i].key;
        size_t begin, end;

        if (has_ended(&strings->keys, key) ||
            !((i >= half && at[i - half].key == key) ||
              (i + half < n && at[i + half].key == key)))
            continue;
        begin = bound_of(at, n, key, false);
        end = bound_of(at, n, key, true);
        if (end - begin <= GROUP_MOST)
            continue;
        strings->groups[strings->group_count++] = (struct group){
            now->begin + begin, now->begin + end, depth_behind(&strings->keys, key),
            agreed_by(&strings->keys, end - begin, n, now->agreed)};
        i = (end - 1) / GROUP_MOST * GROUP_MOST; /* the last one in this group */
    }
}

static int sort_inside(struct fl_worker *worker, void *arg)
{
    struct strings *strings = arg;
    int err = 0;

    strings->worker = worker;
    strings->groups[strings->group_count++] = (struct group){0, strings->n, 0, 0};
    while (strings->group_count > 0 && !err) {
        size_t n, pieces;

        strings->now = strings->groups[--strings->group_count];
        n = strings->now.end - strings->now.begin;
        pieces = n / PIECE + (n % PIECE != 0);
        choose_keys(&strings->keys, strings->at + strings->now.begin, n,
                    strings->now.depth, strings->now.agreed);
        err = each(strings, load_words, n, GRAIN, true);
        if (!err)
            err = fl_order_together(worker, &strings->order,
                                    (char *)(strings->at + strings->now.begin),
                                    (char *)strings->room, n, strings->opts);
        if (!err) {
            note_groups(strings);
            each(strings, find_firsts, pieces, 0, false);
            strings->firsts[pieces] = n;
            err = each(strings, sort_groups, pieces, 0, true);
        }
    }
    if (!err)
        each(strings, store_strings, strings->n, GRAIN, false);
    return err;
}

/* --- calls ------------------------------------------------------------------------ */

static int sort_small(struct strings *strings)
{
    struct fl_word on_stack[2 * STACK_WORDS];
    size_t i, n = strings->n;
    int err = 0;

    strings->at = on_stack;
    if (n > STACK_WORDS) {
        strings->at = fl_sort_memory(2 * n, sizeof *strings->at);
        if (!strings->at)
            return -ENOMEM;
    }
    for (i = 0; i < n; i++)
        strings->at[i].string = strings->x[i];
    sort_group(strings, strings->at, strings->at + n, n, 0, 0);
    if (fl_opts_are_cancelled(strings->opts))
        err = -ECANCELED;
    for (i = 0; i < n && !err; i++)
        strings->x[i] = strings->at[i].string;
    if (strings->at != on_stack)
        free(strings->at);
    strings->at = NULL;
    return err;
}

static int sort_large(struct strings *strings)
{
    int err = -ENOMEM;

    strings->at = fl_sort_memory(strings->n, sizeof *strings->at);
    if (!strings->at)
        return -ENOMEM;
    strings->room = fl_sort_memory(1, fl_order_room(strings->n, sizeof *strings->room));
    if (!strings->room)
        goto free_words;
    strings->groups =
        fl_sort_memory(1, (strings->n / GROUP_MOST + 1) * sizeof *strings->groups +
                              (strings->n / PIECE + 2) * sizeof *strings->firsts);
    if (!strings->groups)
        goto free_room;
    strings->firsts = (size_t *)(strings->groups + strings->n / GROUP_MOST + 1);
    err = fl_enter(strings->opts, sort_inside, strings);
    free(strings->groups);
free_room:
    free(strings->room);
free_words:
    free(strings->at);
    return err;
}

int filch_sort_strings_with(const char **x, size_t n, const filch_opts *opts)
{
    struct strings strings = {.x = x, .n = n, .opts = opts};

    if ((n > 0 && (!x || (uintptr_t)x % _Alignof(char *))) ||
        n > SIZE_MAX / 2 / sizeof *x || fl_opts_check(opts))
        return -EINVAL;
    if (n > SIZE_MAX / 4 / sizeof *strings.at)
        return -ENOMEM;
    if (n == 0)
        return 0;
    if (fl_opts_are_cancelled(opts))
        return -ECANCELED;
    strings.order = (struct fl_order){.kind = &fl_order_words,
                                      .bytes = sizeof *strings.at,
                                      .cancel = opts ? opts->cancel : NULL};
    return n > FL_ORDER_FEW ? sort_large(&strings) : sort_small(&strings);
}
