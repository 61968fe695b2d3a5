/* test_sort_map.c - which keys make a bucket (lib/sort_map.c), whatever the sample is: an
 * array may hold its other keys where no sample is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sort.h"

#define MOST  1024 /* buckets that are asked for */
#define PROBE ((size_t)4096)

enum { LEFT, RIGHT, ENDS, MIDDLE, STEPS, POWERS, RANDOM, SAMPLES };

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Keys of [0, span], in order. */
static void fill(uint64_t *sample, size_t n, uint64_t span, int kind)
{
    size_t i;

    for (i = 0; i < n; i++) {
        uint64_t random = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ i << 40;

        switch (kind) {
        case LEFT:
            sample[i] = 0;
            break;
        case RIGHT:
            sample[i] = span;
            break;
        case ENDS:
            sample[i] = i < n / 2 ? 0 : span;
            break;
        case MIDDLE:
            sample[i] = span / 2;
            break;
        case STEPS:
            sample[i] = span / n * i;
            break;
        case POWERS:
            sample[i] = span >> random % 64;
            break;
        default:
            sample[i] = span == UINT64_MAX ? random : random % (span + 1);
        }
    }
    qsort(sample, n, sizeof *sample, by_value);
}

/* How many of some keys that lie evenly in [0, span] go to each bucket. */
static void count_evenly(const struct fl_map *map, uint64_t span, size_t *count)
{
    uint64_t probe[PROBE];
    size_t i, bucket, sum = 0;

    for (i = 0; i < PROBE; i++)
        probe[i] = i == PROBE - 1 ? span : span / PROBE * i + span % PROBE * i / PROBE;
    memset(count, 0, FL_MAP_BUCKETS(MOST) * sizeof *count);
    fl_records_64.count(probe, PROBE, 0, map, count);
    for (bucket = 0; bucket < map->buckets; bucket++)
        sum += count[bucket];
    assert_int_equal(sum, PROBE);
    /* They are in the buckets' order. */
    for (i = bucket = 0; i < PROBE; i++) {
        size_t one[FL_MAP_BUCKETS(MOST)] = {0}, next = bucket;

        if (i % 61)
            continue;
        fl_records_64.count(&probe[i], 1, 0, map, one);
        while (!one[next] && next < map->buckets)
            next++;
        assert_in_range(next, bucket, map->buckets - 1);
        bucket = next;
    }
}

static void each_map(void (*check)(const struct fl_map *map, uint64_t span,
                                   size_t buckets))
{
    static const uint64_t spans[] = {
        1, 2, 511, 512, 513, 100000, UINT32_MAX, UINT64_MAX / 3, UINT64_MAX};
    static uint64_t sample[MOST * FL_MAP_SAMPLES];
    struct fl_map map;
    size_t buckets, i;
    int kind;

    for (buckets = 16; buckets <= MOST; buckets *= 4)
        for (i = 0; i < sizeof spans / sizeof *spans; i++)
            for (kind = 0; kind < SAMPLES; kind++) {
                uint64_t extent[2] = {0, spans[i]};

                fill(sample, buckets * FL_MAP_SAMPLES, spans[i], kind);
                fl_map_make(&map, sample, buckets, extent);
                check(&map, spans[i], buckets);
            }
}

static void check_number(const struct fl_map *map, uint64_t span, size_t buckets)
{
    (void)span;
    assert_in_range(map->buckets, 2, FL_MAP_BUCKETS(buckets));
}

static void there_are_two_buckets_and_no_more_than_fit(void **state)
{
    (void)state;
    each_map(check_number);
}

static void check_width(const struct fl_map *map, uint64_t span, size_t buckets)
{
    size_t count[FL_MAP_BUCKETS(MOST)], bucket, most = 0;

    (void)buckets;
    count_evenly(map, span, count);
    for (bucket = 0; bucket < map->buckets; bucket++)
        most = FL_MAX(most, count[bucket]);
    /* Of a few keys, each has a bucket; and both ends may count. */
    assert_in_range(most, 1, PROBE / FL_MIN(span, 8) + 2);
}

/* Else a pass might leave nearly all keys in one bucket, and so might the next ones. */
static void no_bucket_is_wider_than_an_eighth_of_the_keys_extent(void **state)
{
    (void)state;
    each_map(check_width);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_two_buckets_and_no_more_than_fit),
        cmocka_unit_test(no_bucket_is_wider_than_an_eighth_of_the_keys_extent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
