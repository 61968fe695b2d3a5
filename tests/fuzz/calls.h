/* calls.h - bytes as a sequence of calls of filch, each checked against what the headers
 * promise.
 *
 * Job: run_calls reads bytes as calls with options, sizes, errors and calls nested in
 * their bodies. Any bytes will do; those that are missing are 0. Fed by the fuzzer
 * (fuzz_calls.c) and by a generator (tests/api/test_properties.c).
 *
 * A new operation of the library: write one function of the type operation, and add one
 * line to the table in calls.c.
 *
 * An operation reads what it is about to do from run->input, does it, and complains when
 * something is not as promised. What its bodies use it allocates by call_new, so that it
 * stays until all is over: bodies that run after their call's return are seen.
 */
#ifndef TESTS_FUZZ_CALLS_H
#define TESTS_FUZZ_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <filch/filch.h>

#define MOST_WORKERS  8
#define MOST_FAILURES 3
#define MOST_DEPTH    3

struct input {
    const uint8_t *at, *end;
};

/* Where calls are made. */
struct run {
    struct input input;
    filch_worker *w;  /* NULL outside of a body */
    filch_pool *pool; /* of the body around; NULL outside */
    unsigned depth;
};

typedef void operation(struct run *run);

/* --- the whole -------------------------------------------------------------------- */

/* NULL, or the first thing that was wrong; static storage. Not from two threads at once. */
const char *run_calls(const uint8_t *bytes, size_t size);

/* Destroy the pools that are kept from one run to the next. */
void end_calls(void);

/* Say what is wrong; from any thread. The first one counts. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* --- reading ---------------------------------------------------------------------- */

uint8_t read_byte(struct run *run);
/* In [0, below), below at most 65536. */
size_t read_below(struct run *run, size_t below);
/* True one time in so many; 0 bytes: false. */
bool read_chance(struct run *run, unsigned of);
/* A number of items for a call at that depth, at most most. */
size_t read_count(struct run *run, size_t most);

/* One of the pools that are kept. */
filch_pool *read_pool(struct run *run);
/* Make one anew. Only outside of all calls. */
void renew_pool(struct run *run);

/* --- a call ----------------------------------------------------------------------- */

/* A call whose bodies run items. First member of what an operation needs besides. */
struct call {
    struct call *next; /* all of the run */
    const char *name;
    unsigned depth;
    /* The options, and what they amount to. */
    filch_opts opts;
    filch_pool *pool; /* NULL: the default one */
    unsigned workers; /* most that may take part */
    bool is_bad;      /* the options are refused */
    const char *caller;
    /* The items: count of them, of which seen tells how often each was run. base: the
     * index of the first. */
    size_t count, base;
    uint8_t *seen;
    size_t next_item;               /* of a serial call */
    size_t fails_at[MOST_FAILURES]; /* SIZE_MAX: none */
    int fails_with;                 /* the value of item 0; never 0 for any other */
    size_t cancels_at;
    filch_cancel token;
    bool is_cancelled_before;
    unsigned work;
    /* Calls inside of two of the items. */
    struct input nested;
    size_t nested_at[2];
    /* Progress; on the caller's thread. */
    unsigned progress_calls, progress_ends_at;
    size_t progress_done;
    bool is_ended; /* by progress */
    bool has_more; /* to run than the items that are counted: a huge loop */
    /* What is seen. */
    _Atomic uint32_t bodies, inside;
    uint32_t bodies_at_end;
    atomic_bool is_over;
    atomic_uchar lane_is_taken[64];
};

/* Its address tells threads apart. */
extern _Thread_local char this_thread;

#define PROGRESS_VALUE 77

/* Zeroed, and there until the end of the run; opts.ctx is the call itself. name: for
 * complaints. Reads the options. */
void *call_new(struct run *run, size_t bytes, const char *name);
/* Memory that is there as long; zeroed. */
void *run_alloc(size_t bytes);

/* Reads how many items, which of them fail, cancel, have calls nested. */
void read_items(struct run *run, struct call *call, size_t most, bool can_cancel);

/* Around each body. Returns its lane, for the end. in_lane: the body of a loop. */
unsigned body_begin(struct call *call, filch_worker *w, bool in_lane);
void body_end(struct call *call, filch_worker *w, unsigned lane, bool in_lane);
/* Run an item. Returns not 0 when it is one that fails. */
int run_item(struct call *call, filch_worker *w, size_t item);
/* Items [begin, end), as far as they are counted, up to one that fails. */
int run_items(struct call *call, filch_worker *w, size_t begin, size_t end);

/* After the call returned: nothing of it runs any more. */
void call_end(struct call *call);
/* And: the value is that of the lowest failing item, all below it were run once, those
 * above at most once; or it is one of the other ends that were asked for.
 * is_before: the order of items that counts; NULL: that of their numbers. */
typedef bool item_order(const struct call *call, size_t a, size_t b);
void check_items(struct call *call, int value, item_order *is_before);
/* The call was refused: with that value, and nothing was run. */
void check_refused(struct call *call, int value);

/* The item, of those that fail, that comes first; SIZE_MAX: none. */
size_t first_failing(const struct call *call, item_order *is_before);
int value_of(const struct call *call, size_t item);

/* Once, before all typed calls, and before all of calls_pack.c. */
void typed_begin(void);
void pack_begin(void);

/* Do the nested calls, in a body. */
void run_nested(const struct call *call, filch_worker *w);

/* --- operations ------------------------------------------------------------------- */

operation call_for, call_for_huge, call_map, call_for_2d, call_for_3d;
operation call_reduce, call_sum_bits, call_typed, call_pack, call_sort;
operation call_sort_by, call_keyed;
operation call_scope, call_spawn_tree, call_join, call_fork, call_run_pool, call_local;
operation call_pool, call_callers;

#endif
