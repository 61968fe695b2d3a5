/* sort.h - how sorting by key (filch/sort.h) is done, whatever the keys are.
 *
 * Job: keys of all types become records: unsigned integers in the order wanted, with their
 * values beside them. There are three kinds of them. Their functions (fl_records) are made
 * of templates: sort_small_of.h and sort_rank_of.h for what one worker sorts in its cache,
 * sort_spread_of.h for spreading many records to buckets. sort.c and sort_many.c do the
 * rest, and know records by these functions only. sort_load.c turns arrays into records
 * and back.
 *
 * Every step is stable, so the result is a function of the input alone.
 */
#ifndef FL_SORT_H
#define FL_SORT_H

#include <filch/sort.h>
#include "base.h"

/* Records that are loaded at a time, to stay in the nearest cache. */
#define FL_SORT_BATCH ((size_t)512)

/* A key with more bits than the two other kinds of records hold. */
struct fl_pair {
    uint64_t key, value;
};

/* Which bucket a key goes to: the order of keys is that of the buckets. Keys are brought
 * between least and most, which lie in as many equal cells as there may be. A cell is
 * divided into equal buckets, as many as its share of a sample asks for; and neighbours
 * that few keys fall into are one bucket. */
#define FL_MAP_CELLS ((size_t)512)

struct fl_map {
    uint64_t least, span; /* most - least */
    unsigned shift;       /* log2 of the size of a cell */
    unsigned even_shift;  /* of a bucket, where all have one size; else 64 */
    size_t buckets;
    uint32_t cell[FL_MAP_CELLS]; /* its first bucket, times 64, and log2 of their size */
};

/* Keys in a sample, for each bucket that is asked for; and how many may come out. */
#define FL_MAP_SAMPLES          8
#define FL_MAP_BUCKETS(buckets) (4 * (buckets))

/* Make a map of about so many buckets from a sample in ascending order. extent: the least
 * and the greatest of all keys; or NULL, and the first and the last bucket get what lies
 * outside. Buckets are at least two unless these are equal, and none is wider than an
 * eighth of what lies between them: so there are few passes, whatever the sample says. */
void fl_map_make(struct fl_map *map, const uint64_t *sample, size_t buckets,
                 const uint64_t *extent);

/* The functions of one kind of record. low: the bits of a word below its key, which holds
 * a value there; 0 for other kinds. */
struct fl_records {
    size_t bytes;
    /* n records, stably; b: room for as many. Returns which of the two holds them. */
    void *(*sort)(void *a, void *b, size_t n, unsigned low);
    /* Do keys ascend, or descend? FL_SORT_UP, _DOWN, _DOWN_STRICT, or more of them. */
    unsigned (*order)(const void *a, size_t n, unsigned low);
    void (*reverse)(void *a, size_t n);
    uint64_t (*key)(const void *a, size_t i, unsigned low);
    /* The least and the greatest of the keys and what is there already. */
    void (*extent)(const void *a, size_t n, unsigned low, uint64_t *least,
                   uint64_t *most);
    void (*count)(const void *a, size_t n, unsigned low, const struct fl_map *map,
                  size_t *count);
    /* Spread n records over `to`. at: where the next of each bucket goes, in records.
     * lines: 64 bytes for each bucket, where they gather; begin: as at was at first. */
    void (*spread)(const void *a, size_t n, unsigned low, const struct fl_map *map,
                   void *to, size_t *at, const size_t *begin, void *lines, bool is_large);
    /* Write what has gathered and not been written. */
    void (*flush)(size_t buckets, void *to, const size_t *at, const size_t *begin,
                  const void *lines);
};

enum { FL_SORT_UP = 1, FL_SORT_DOWN = 2, FL_SORT_DOWN_STRICT = 4 };

extern const struct fl_records fl_records_32;   /* a key of 32 bits */
extern const struct fl_records fl_records_64;   /* of 64; or of 32 above a value of 32 */
extern const struct fl_records fl_records_pair; /* a key, and a value of 64 bits */

/* Whether the processor has AVX2. A function, in another file than its callers, so that a
 * test can deny it. */
bool fl_has_avx2(void);

/* How unsigned integers in the order of a type are made of its bits, and back. */
struct fl_code {
    uint64_t flip_negative, flip, bias;
};

struct fl_sort {
    void *keys;
    void *values;  /* beside them: NULL, or sorted with them */
    size_t *index; /* NULL, or where the keys' places go; then they stay as they are */
    size_t key_bytes, value_bytes; /* 4 or 8 */
    struct fl_code code;
    size_t n;
    size_t first, end; /* places that have to be right; others hold what sorts there */
    const filch_opts *opts;
    /* Chosen by fl_sort_run: */
    const struct fl_records *records;
    unsigned low;
    const void *(*load)(const struct fl_sort *sort, size_t begin, size_t n, void *batch);
    void (*store)(const struct fl_sort *sort, const void *records, size_t begin,
                  size_t n);
};

/* Choose records and how they are loaded and stored. */
void fl_sort_choose(struct fl_sort *sort);

/* All of it. Pre: the arguments were checked. */
int fl_sort_run(struct fl_sort *sort);

/* Scratch memory: aligned to a cache line, and not cleared. NULL: there is none. Free it
 * with free(). */
void *fl_sort_memory(size_t count, size_t bytes);

#endif
