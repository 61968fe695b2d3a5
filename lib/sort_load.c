/* sort_load.c - arrays as records, and records as arrays; see sort.h.
 *
 * Keys become unsigned integers in their order. Of signed ones the upper bit is flipped.
 * Floating-point ones are in order as sign and magnitude: negative ones are inverted, of
 * others the upper bit is flipped. That would leave negative NaNs first; so what lies
 * below minus infinity is taken around to the end, by a subtraction.
 */
#include "sort.h"

#include <string.h>

/* Arrays of any type of that size. */
typedef uint32_t word32 __attribute__((may_alias));
typedef uint64_t word64 __attribute__((may_alias));

/* Values may be pairs of halves, or bytes: they lie at any address. */
typedef uint32_t value32 __attribute__((may_alias, aligned(1)));
typedef uint64_t value64 __attribute__((may_alias, aligned(1)));

static inline uint32_t encode32(uint32_t bits, const struct fl_code *code)
{
    uint32_t negative = -(bits >> 31) & (uint32_t)code->flip_negative;

    return (bits ^ negative ^ (uint32_t)code->flip) - (uint32_t)code->bias;
}

static inline uint64_t encode64(uint64_t bits, const struct fl_code *code)
{
    return (bits ^ (-(bits >> 63) & code->flip_negative) ^ code->flip) - code->bias;
}

static inline uint32_t decode32(uint32_t key, const struct fl_code *code)
{
    uint32_t bits = key + (uint32_t)code->bias;

    return bits ^ (-(~bits >> 31) & (uint32_t)code->flip_negative) ^ (uint32_t)code->flip;
}

static inline uint64_t decode64(uint64_t key, const struct fl_code *code)
{
    uint64_t bits = key + code->bias;

    return bits ^ (-(~bits >> 63) & code->flip_negative) ^ code->flip;
}

/* --- keys alone ------------------------------------------------------------------- */

static const void *load_same(const struct fl_sort *sort, size_t begin, size_t n,
                             void *batch)
{
    (void)n;
    (void)batch;
    return (const char *)sort->keys + begin * sort->key_bytes;
}

static void store_same(const struct fl_sort *sort, const void *records, size_t begin,
                       size_t n)
{
    char *keys = (char *)sort->keys + begin * sort->key_bytes;

    if (keys != records)
        memcpy(keys, records, n * sort->key_bytes);
}

static const void *load_32(const struct fl_sort *sort, size_t begin, size_t n,
                           void *batch)
{
    const word32 *keys = (const word32 *)sort->keys + begin;
    struct fl_code code = sort->code;
    uint32_t *records = batch;
    size_t i;

    for (i = 0; i < n; i++)
        records[i] = encode32(keys[i], &code);
    return batch;
}

static void store_32(const struct fl_sort *sort, const void *records, size_t begin,
                     size_t n)
{
    word32 *keys = (word32 *)sort->keys + begin;
    const uint32_t *record = records;
    struct fl_code code = sort->code;
    size_t i;

    for (i = 0; i < n; i++)
        keys[i] = decode32(record[i], &code);
}

static const void *load_64(const struct fl_sort *sort, size_t begin, size_t n,
                           void *batch)
{
    const word64 *keys = (const word64 *)sort->keys + begin;
    struct fl_code code = sort->code;
    uint64_t *records = batch;
    size_t i;

    for (i = 0; i < n; i++)
        records[i] = encode64(keys[i], &code);
    return batch;
}

static void store_64(const struct fl_sort *sort, const void *records, size_t begin,
                     size_t n)
{
    word64 *keys = (word64 *)sort->keys + begin;
    const uint64_t *record = records;
    struct fl_code code = sort->code;
    size_t i;

    for (i = 0; i < n; i++)
        keys[i] = decode64(record[i], &code);
}

/* --- a key of 32 bits above a value of 32 ----------------------------------------- */

static const void *load_packed(const struct fl_sort *sort, size_t begin, size_t n,
                               void *batch)
{
    const word32 *keys = (const word32 *)sort->keys + begin;
    const value32 *values = sort->values;
    struct fl_code code = sort->code;
    uint64_t *records = batch;
    size_t i;

    if (values)
        for (i = 0; i < n; i++)
            records[i] = (uint64_t)encode32(keys[i], &code) << 32 | values[begin + i];
    else
        for (i = 0; i < n; i++)
            records[i] = (uint64_t)encode32(keys[i], &code) << 32 | (begin + i);
    return batch;
}

static void store_packed(const struct fl_sort *sort, const void *records, size_t begin,
                         size_t n)
{
    word32 *keys = (word32 *)sort->keys + begin;
    value32 *values = (value32 *)sort->values + begin;
    const uint64_t *record = records;
    struct fl_code code = sort->code;
    size_t i;

    for (i = 0; i < n; i++) {
        keys[i] = decode32((uint32_t)(record[i] >> 32), &code);
        values[i] = (uint32_t)record[i];
    }
}

static void store_packed_index(const struct fl_sort *sort, const void *records,
                               size_t begin, size_t n)
{
    size_t *index = sort->index + begin;
    const uint64_t *record = records;
    size_t i;

    for (i = 0; i < n; i++)
        index[i] = (uint32_t)record[i];
}

/* --- a key, and a value beside it ------------------------------------------------- */

static const void *load_pair(const struct fl_sort *sort, size_t begin, size_t n,
                             void *batch)
{
    struct fl_code code = sort->code;
    struct fl_pair *records = batch;
    size_t i;

    if (sort->key_bytes == 4)
        for (i = 0; i < n; i++)
            records[i].key = encode32(((const word32 *)sort->keys)[begin + i], &code);
    else
        for (i = 0; i < n; i++)
            records[i].key = encode64(((const word64 *)sort->keys)[begin + i], &code);
    if (!sort->values)
        for (i = 0; i < n; i++)
            records[i].value = begin + i;
    else if (sort->value_bytes == 4)
        for (i = 0; i < n; i++)
            records[i].value = ((const value32 *)sort->values)[begin + i];
    else
        for (i = 0; i < n; i++)
            records[i].value = ((const value64 *)sort->values)[begin + i];
    return batch;
}

static void store_pair(const struct fl_sort *sort, const void *records, size_t begin,
                       size_t n)
{
    const struct fl_pair *record = records;
    struct fl_code code = sort->code;
    size_t i;

    if (sort->key_bytes == 4)
        for (i = 0; i < n; i++)
            ((word32 *)sort->keys)[begin + i] = decode32((uint32_t)record[i].key, &code);
    else
        for (i = 0; i < n; i++)
            ((word64 *)sort->keys)[begin + i] = decode64(record[i].key, &code);
    if (sort->value_bytes == 4)
        for (i = 0; i < n; i++)
            ((value32 *)sort->values)[begin + i] = (uint32_t)record[i].value;
    else
        for (i = 0; i < n; i++)
            ((value64 *)sort->values)[begin + i] = record[i].value;
}

static void store_pair_index(const struct fl_sort *sort, const void *records,
                             size_t begin, size_t n)
{
    size_t *index = sort->index + begin;
    const struct fl_pair *record = records;
    size_t i;

    for (i = 0; i < n; i++)
        index[i] = (size_t)record[i].value;
}

/* --- which ------------------------------------------------------------------------ */

void fl_sort_choose(struct fl_sort *sort)
{
    sort->low = 0;
    if (!sort->values && !sort->index) {
        bool is_same = !sort->code.flip;

        sort->records = sort->key_bytes == 4 ? &fl_records_32 : &fl_records_64;
        sort->load = is_same ? load_same : sort->key_bytes == 4 ? load_32 : load_64;
        sort->store = is_same ? store_same : sort->key_bytes == 4 ? store_32 : store_64;
    } else if (sort->key_bytes == 4 &&
               (sort->values ? sort->value_bytes == 4 : sort->n - 1 <= UINT32_MAX)) {
        sort->records = &fl_records_64;
        sort->low = 32;
        sort->load = load_packed;
        sort->store = sort->values ? store_packed : store_packed_index;
    } else {
        sort->records = &fl_records_pair;
        sort->load = load_pair;
        sort->store = sort->values ? store_pair : store_pair_index;
    }
}
