/* few_bench.c - groups by key and shuffles of few items: are they slower than what one
 * writes for them?
 *
 * How often each of 10, 100 and 1,000 numbers occurs, half of which are there twice: with
 * uthash's table of elements from malloc, and with filch_group. And that many elements in
 * a random order: with the loop of the textbooks and rand(), and with filch_shuffle.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* uthash, as its users have it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

static const struct size {
    size_t items;
    size_t rounds; /* in a run: the clock is read twice a run */
} sizes[] = {{10, 10000}, {100, 2000}, {1000, 200}};

static uint64_t *keys;
static size_t count, rounds;
static uint64_t result;
static bool is_shuffle, has_result;

static void release(void)
{
    free(keys);
}

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    const struct size *size = &sizes[request->work->variant % 3];
    uint32_t random = 3;

    is_shuffle = request->work->variant >= 3;
    count = size->items;
    rounds = request->scale == BENCH_TINY ? 3 : size->rounds;
    keys = malloc(count * sizeof *keys);
    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        keys[i] =
            i < (count + 1) / 2 ? (random = bench_step(random)) : keys[i - count / 2];
    snprintf(input->title, sizeof input->title, "%s %zu numbers",
             is_shuffle ? "shuffle of" : "counts of", count);
    snprintf(input->size, sizeof input->size, "%zu uint64", count);
    input->item = is_shuffle ? "shuffle" : "group";
    input->items = (double)rounds;
    return 0;
}

/* The same in any order. */
static uint64_t hash_of(uint64_t key, uint64_t times)
{
    return (key + times) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static double take_result(void)
{
    double sum = has_result ? (double)result : NAN;

    has_result = false;
    result = 0;
    return sum;
}

/* The last run's result: of a shuffle, what is in the array. */
static void finish(void)
{
    for (size_t i = 0; i < count && is_shuffle; i++)
        result += hash_of(keys[i], 1);
    has_result = true;
}

/* ---- serial ---------------------------------------------------------------------- */

struct seen {
    uint64_t key, times;
    UT_hash_handle hh;
};

static int group_by_uthash(void)
{
    struct seen *table = NULL, *seen, *next;
    int err = 0;

    result = 0;
    for (size_t i = 0; i < count && !err; i++) {
        HASH_FIND(hh, table, &keys[i], sizeof keys[i], seen);
        if (!seen) {
            seen = calloc(1, sizeof *seen);
            if (!seen) {
                err = -ENOMEM;
                break;
            }
            seen->key = keys[i];
            HASH_ADD(hh, table, key, sizeof seen->key, seen);
        }
        seen->times++;
    }
    seen = table;
    HASH_CLEAR(hh, table); /* of the table alone */
    for (; seen; seen = next) {
        next = seen->hh.next;
        result += hash_of(seen->key, seen->times);
        free(seen);
    }
    return err;
}

static void shuffle_by_rand(void)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = (size_t)rand() % (i + 1);
        uint64_t moved = keys[i];

        keys[i] = keys[j];
        keys[j] = moved;
    }
}

static int run_serial(const struct bench_team *team)
{
    int err = 0;

    (void)team;
    for (size_t i = 0; i < rounds && !err; i++)
        if (is_shuffle)
            shuffle_by_rand();
        else
            err = group_by_uthash();
    finish();
    return err;
}

/* ---- filch ----------------------------------------------------------------------- */

static int emit_keys(filch_worker *w, size_t begin, size_t end, filch_emitter *out,
                     void *ctx)
{
    (void)w, (void)ctx;
    for (size_t i = begin; i < end; i++) {
        uint64_t *times = filch_emit(out, i, &keys[i], sizeof keys[i]);

        if (!times)
            return -ENOMEM;
        ++*times;
    }
    return 0;
}

static void add_times(void *left, void *right, void *ctx)
{
    (void)ctx;
    *(uint64_t *)left += *(uint64_t *)right;
}

static int group_by_filch(const struct bench_team *team)
{
    filch_groups *groups;
    filch_group_item *item;
    int err;

    result = 0;
    err =
        filch_group(&groups, 0, count, emit_keys,
                    FILCH_GROUP_BY(.key_bytes = sizeof(uint64_t),
                                   .value_bytes = sizeof(uint64_t), .combine = add_times),
                    NULL, .pool = team->filch);
    if (!err)
        err =
            filch_groups_items(groups, FILCH_GROUP_ANY, &item, NULL, .pool = team->filch);
    for (size_t i = 0; !err && i < filch_groups_count(groups); i++)
        result += hash_of(*(const uint64_t *)item[i].key, *(uint64_t *)item[i].value);
    filch_groups_destroy(groups);
    return err;
}

static int run_filch(const struct bench_team *team)
{
    int err = 0;

    for (size_t i = 0; i < rounds && !err; i++)
        err = is_shuffle
                  ? filch_shuffle(keys, count, sizeof *keys, i, .pool = team->filch)
                  : group_by_filch(team);
    finish();
    return err;
}

#define FEW_WORK(number, title)                                                       \
    {                                                                                 \
        .name = (title), .variant = (number), .prepare = prepare, .release = release, \
        .is_extra = true,                                                             \
        .run = {[BENCH_SERIAL] = run_serial, [BENCH_FILCH] = run_filch},              \
        .take_result = take_result,                                                   \
    }

const struct bench_work bench_few[BENCH_FEW_WORKS] = {
    FEW_WORK(0, "group-10"),   FEW_WORK(1, "group-100"),   FEW_WORK(2, "group-1e3"),
    FEW_WORK(3, "shuffle-10"), FEW_WORK(4, "shuffle-100"), FEW_WORK(5, "shuffle-1e3"),
};
