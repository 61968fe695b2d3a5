/* numbers.c - see numbers.h. */
#include "numbers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t *numbers;
uint32_t *numbers_room;
size_t numbers_count;
bool numbers_are_sorted;

static uint32_t *unsorted;

void numbers_sort_small(uint32_t *at, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t number = at[i];
        size_t to = i;

        for (; to > 0 && at[to - 1] > number; to--)
            at[to] = at[to - 1];
        at[to] = number;
    }
}

static void start_anew(void)
{
    memcpy(numbers, unsorted, numbers_count * sizeof *numbers);
    memset(numbers_room, 0, numbers_count * sizeof *numbers_room);
}

void numbers_release(void)
{
    free(unsorted);
    free(numbers);
    free(numbers_room);
    unsorted = numbers = numbers_room = NULL;
}

int numbers_prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 20000, [BENCH_QUICK] = 500000, [BENCH_FULL] = 4000000};
    uint32_t seed = 1;

    numbers_count = counts[request->scale];
    unsorted = malloc(numbers_count * sizeof *unsorted);
    numbers = malloc(numbers_count * sizeof *numbers);
    numbers_room = malloc(numbers_count * sizeof *numbers_room);
    if (!unsorted || !numbers || !numbers_room) {
        numbers_release();
        return -ENOMEM;
    }
    for (size_t i = 0; i < numbers_count; i++) {
        seed = bench_step(seed);
        unsorted[i] = seed;
    }
    start_anew();
    snprintf(input->size, sizeof input->size, "%.2g numbers", (double)numbers_count);
    return 0;
}

double numbers_take_result(void)
{
    double sum;

    if (!numbers_are_sorted)
        return NAN;
    numbers_are_sorted = false;
    sum = bench_checksum(numbers, numbers_count * sizeof *numbers);
    start_anew();
    return sum;
}
