/* deque_bench.c - what does an operation of filch's deque cost, next to a plain stack?
 *
 *   deque-pop    64 jobs are pushed and popped again, all private: fork and reclaim
 *   deque-steal  64 jobs are pushed, published at once, and stolen one by one
 *
 * By one thread, so nothing waits for another cache: this is the least that it costs. The
 * serial candidate is an array and an index. Times are for a job, in and out.
 */
#include "bench.h"

#include <stdio.h>

#include "deque.h"

#define DEPTH 64

static struct fl_deque deque;
static filch_job jobs[DEPTH];
static filch_job *stack[DEPTH];
static size_t height;
static size_t rounds;

/* A compiler must not see through a push and the pop after it. */
#define FORGET() __asm__ volatile("" ::: "memory")

static int prepare(const struct bench_request *request, struct bench_input *input)
{
    static const size_t counts[] = {
        [BENCH_TINY] = 3, [BENCH_QUICK] = 10000, [BENCH_FULL] = 100000};
    bool is_steal = request->work->variant == 1;

    rounds = counts[request->scale];
    deque_init(&deque, true);
    deque_lower_gate(&deque);
    snprintf(input->title, sizeof input->title,
             is_steal ? "deque, push and steal" : "deque, push and pop");
    snprintf(input->size, sizeof input->size, "%d deep", DEPTH);
    input->note = "serial is an array used as a stack; one thread";
    input->item = "job";
    input->items = (double)rounds * DEPTH;
    return 0;
}

static int run_stack(const struct bench_team *team)
{
    size_t got = 0;

    (void)team;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < DEPTH; i++) {
            stack[height++] = &jobs[i];
            FORGET();
        }
        for (size_t i = DEPTH; i-- > 0;) {
            got += stack[--height] == &jobs[i];
            FORGET();
        }
    }
    bench_result = (double)got;
    return 0;
}

static int run_pop(const struct bench_team *team)
{
    size_t got = 0;

    (void)team;
    for (size_t round = 0; round < rounds; round++) {
        int64_t places[DEPTH];

        for (size_t i = 0; i < DEPTH; i++)
            places[i] = filch_fork(&deque.hot, &jobs[i]);
        for (size_t i = DEPTH; i-- > 0;)
            got += filch_reclaim_fast(&deque.hot, places[i]) != 0;
    }
    bench_result = (double)got;
    return 0;
}

static int run_steal(const struct bench_team *team)
{
    size_t got = 0;

    (void)team;
    for (size_t round = 0; round < rounds; round++) {
        filch_job *job;

        deque_lower_gate(&deque);
        for (size_t i = 0; i < DEPTH; i++)
            filch_fork(&deque.hot, &jobs[i]);
        deque_publish(&deque);
        for (size_t i = 0; deque_steal(&deque, &job) == FL_STEAL_GOT; i++)
            got += job == &jobs[i];
    }
    bench_result = (double)got;
    return 0;
}

const struct bench_work bench_deque[BENCH_DEQUE_WORKS] = {
    {.name = "deque-pop",
     .is_extra = true,
     .prepare = prepare,
     .run = {[BENCH_SERIAL] = run_stack, [BENCH_FILCH] = run_pop}},
    {.name = "deque-steal",
     .variant = 1,
     .is_extra = true,
     .prepare = prepare,
     .run = {[BENCH_SERIAL] = run_stack, [BENCH_FILCH] = run_steal}},
};
