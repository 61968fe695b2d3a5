/* group.h - map and reduce by key: what belongs to the same key, put together. */
#ifndef FILCH_GROUP_H
#define FILCH_GROUP_H

#include <filch/pool.h>
#include <filch/reduce.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The keys, and a value for each. */
typedef struct filch_groups filch_groups;

/* Where a body's pairs go. */
typedef struct filch_emitter filch_emitter;

/* Emit the pairs of items [begin, end) into out (filch_emit). 0 goes on; anything else
 * is an error that ends the call. Must not be left by longjmp or a C++ exception, and
 * neither may the functions of a filch_group_by. */
typedef int filch_group_body(filch_worker *w, size_t begin, size_t end,
                             filch_emitter *out, void *ctx);

/**
 * filch_group_by - what keys and values are; 0 means none or chosen, for each.
 *
 * value_bytes  of a value: a count, a sum, the head of a list. 0: keys alone
 * identity     what a new key's value is; NULL: zero bytes. It must not own anything
 * combine      left = left op right, for values of one key that came from different
 *              workers. What right owns goes over to left or is freed: right is not
 *              looked at again. Called concurrently, for different keys. Not needed for
 *              keys alone
 * destroy      frees what a value owns, in filch_groups_destroy and after an error; that of
 *              the identity is nothing
 * key_bytes    of every key; 0: each has its own length
 * hash         of a key. NULL: XXH3 of the xxHash library. Equal keys must have equal
 *              hashes; nothing else is asked of them, for they are mixed with the salt (see
 *              filch_group). When many keys have equal hashes, the call goes on with XXH3
 *              and does not ask for hashes again. Called concurrently, by
 *              filch_groups_find too
 * most_bytes   of memory, besides less than 1 KiB; 0: any. A call that needs more at any
 *              time ends with -ENOMEM
 *
 * ctx of these functions is that of filch_group, which has to stay as long as the groups.
 */
typedef struct filch_group_by {
    size_t struct_size;
    uint32_t abi;
    size_t value_bytes;
    const void *identity;
    filch_combine *combine;
    void (*destroy)(void *value, void *ctx);
    size_t key_bytes;
    uint64_t (*hash)(const void *key, size_t key_bytes, void *ctx);
    size_t most_bytes;
} filch_group_by;

#define FILCH_GROUP_BY(...)   \
    (&(const filch_group_by){ \
        .struct_size = sizeof(filch_group_by), .abi = FILCH_HOT_ABI, __VA_ARGS__})

/**
 * filch_group - run body over [begin, end), and put the values of equal keys together.
 *
 *     static int count_words(filch_worker *w, size_t begin, size_t end,
 *                            filch_emitter *out, void *ctx)
 *     {
 *         const struct word *words = ctx;
 *
 *         for (size_t i = begin; i < end; i++) {
 *             uint64_t *count = filch_emit(out, i, words[i].bytes, words[i].length);
 *
 *             if (!count)
 *                 return -ENOMEM;
 *             ++*count;
 *         }
 *         return (void)w, 0;
 *     }
 *     err = filch_group(&counts, 0, n, count_words,
 *                       FILCH_GROUP_BY(.value_bytes = 8, .combine = add), words);
 *
 * Serial meaning:  for each pair that body emits, in the order of items:
 *                  value[key] = value[key] op what the body adds, where value[key] is the
 *                  identity at first
 *
 * Each worker has a table of its own, into which the body combines at once. Afterwards
 * the tables are merged, each part of the keys by one worker, without a lock.
 *
 * body         called concurrently
 * by           see filch_group_by
 * .grain       items, as in filch_for; .max_chunk too
 *
 * Result    keys, and the place of the first item of each (filch_group_item): the same
 *           on any number of workers. Values too, if the body's way of adding and
 *           combine are one associative and commutative operation. For others, what one
 *           value is made of is everything that was emitted for its key, each once; on
 *           one worker in the order of items, on several in any (sums of floating-point
 *           numbers are rounded differently; of lists, sort what is in them).
 *
 * Returns   0; -EINVAL, and nothing run, for a NULL argument that is needed (combine is
 *           with a value), begin > end, or a filch_group_by or options that are
 *           refused; -EINVAL also for a key that is not of key_bytes; -ENOMEM; the
 *           body's value for the lowest range that returned non-zero; -ECANCELED and
 *           .progress (which counts items) as in filch_for. *out is NULL after an
 *           error: all values were destroyed, all memory is free.
 * Threads   any, also from inside a body.
 * Cost      a call that took less than help costs before is its caller's alone, as a whole.
 *           O(1) for a pair on average: a hash of the key, a comparison, and a copy of
 *           the key if it is the worker's first. O(keys) for merging those of a worker.
 *           Both are shared: O(pairs / p + keys) deep on p workers.
 *           That holds for any keys in any order, also for keys that somebody chose to
 *           be slow, and for a hash of yours that is equal for all keys (then a pair may
 *           take O(p)): hashes depend on a salt, which is another one in each call and
 *           cannot be foreseen.
 * Memory    for each key that a worker has met: 16 bytes, the value, and the key (with
 *           8 bytes more where keys have different lengths), up to a multiple of 8, or
 *           of the value's alignment; and of table 26 to 51 bytes, and 77 while it
 *           grows. The former are in blocks, each twice as large as the one before it, up
 *           to 1 MiB; the last one may be almost empty. While tables of several workers
 *           are merged, 64 bytes more for each key of the result. And 8 KiB for each
 *           worker. filch_groups_bytes says what it was.
 * Source    tables for each worker, merged by parts: Cieslewicz, Ross, VLDB 2007.
 */
#define filch_group(out, begin, end, body, by, ...) \
    filch_group_with(out, begin, end, body, by, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_group_with(filch_groups **out, size_t begin, size_t end,
                               filch_group_body *body, const filch_group_by *by,
                               const filch_opts *opts);

/**
 * filch_emit - the value of a key, to add to.
 *
 * out    the body's, in that call of it and on its thread
 * item   for which item of the loop: what the order of keys is made of
 * key    any bytes, which are copied: at any address; may be NULL when there are none
 *
 * Returns  the value, in memory aligned for a type of its size, up to 64; it stays there,
 *          and is the body's until it returns. With values of no bytes, some place. NULL
 *          when there is no memory for the key, or key_bytes is not that of
 *          filch_group_by: then filch_group fails with what its comment says, unless
 *          the body returns something else
 */
FILCH_API void *filch_emit(filch_emitter *out, size_t item, const void *key,
                           size_t key_bytes);

/** filch_groups_count - how many keys there are. */
FILCH_API size_t filch_groups_count(const filch_groups *groups);

/**
 * filch_groups_find - the value of a key; NULL when it was not emitted.
 *
 * Threads  any number at once.
 */
FILCH_API void *filch_groups_find(const filch_groups *groups, const void *key,
                                  size_t key_bytes);

/* A key and its value, which is the groups' own and may be changed. */
typedef struct filch_group_item {
    const void *key; /* aligned for a type of its size, up to 8 */
    size_t key_bytes;
    void *value;
    size_t first; /* the lowest item that emitted it */
} filch_group_item;

enum filch_group_order {
    FILCH_GROUP_ANY,      /* the quickest; another one in each call of filch_group */
    FILCH_GROUP_BY_FIRST, /* as they were emitted by the serial loop */
    FILCH_GROUP_BY_KEY    /* by bytes, as memcmp compares; then shorter ones first */
};

/**
 * filch_groups_items - all keys with their values, in an order.
 *
 *     err = filch_groups_items(counts, FILCH_GROUP_BY_KEY, &item, NULL);
 *     for (i = 0; i < filch_groups_count(counts) && !err; i++)
 *         print(item[i].key, item[i].key_bytes, item[i].value);
 *
 * items  an array of filch_groups_count; the groups' own, until the next call of this
 *        function. Values of the same address as those of filch_groups_find
 * opts   the context is not used
 *
 * Returns  0; -EINVAL for a NULL argument, an order that there is not or options that are
 *          refused; -ENOMEM; -ECANCELED. Then *items is NULL, and the groups are as
 *          before, without the array of an earlier call.
 * Threads  one at a time for the same groups; several workers make the array.
 * Cost     O(keys), and O(keys log keys) comparisons in an order
 * Memory   32 bytes for each key; while they are sorted, a little more than 32 more.
 *          most_bytes holds here too
 */
#define filch_groups_items(groups, order, items, ...) \
    filch_groups_items_with(groups, order, items, FILCH_OPTS(__VA_ARGS__))
FILCH_API int filch_groups_items_with(filch_groups *groups, enum filch_group_order order,
                                      filch_group_item **items, const filch_opts *opts);

/** filch_groups_bytes - the memory that the groups take. most: NULL, or where the most
 * goes that they have taken at any time. */
FILCH_API size_t filch_groups_bytes(const filch_groups *groups, size_t *most);

/** filch_groups_destroy - destroy all values and free the groups. NULL is allowed. ctx
 * for destroy: that of filch_group. */
FILCH_API void filch_groups_destroy(filch_groups *groups);

#ifdef __cplusplus
}
#endif
#endif
