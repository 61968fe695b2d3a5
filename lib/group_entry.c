/* group_entry.c - entries of keys and values, and the memory of a worker that they are
 * in; see group.h.
 *
 * Entries lie one after the other in blocks, each twice as large as the one before, up
 * to a limit. They never move, and are freed by blocks.
 */
#include <errno.h>
#include <string.h>
#include "atomics.h"
#include "group.h"
#include "platform.h"

#define BLOCK_BYTES_LEAST ((size_t)512)
#define BLOCK_BYTES_MOST  ((size_t)1 << 20)

/* --- shapes ----------------------------------------------------------------------- */

/* Of a type of that size, up to most. */
static size_t align_of(size_t bytes, size_t most)
{
    size_t align = bytes & -bytes;

    return align == 0 || align > most ? most : align;
}

static size_t round_up(size_t bytes, size_t align)
{
    return (bytes + align - 1) & ~(align - 1);
}

void fl_shape_init(struct fl_shape *shape, const filch_group_by *by, void *ctx)
{
    size_t value_align = by->value_bytes ? align_of(by->value_bytes, 64) : 1;
    size_t key_align = align_of(by->key_bytes, 8);
    size_t head = sizeof(struct fl_entry) + (by->key_bytes ? 0 : sizeof(size_t));

    *shape = (struct fl_shape){.by = *by, .ctx = ctx};
    shape->align = FL_MAX(value_align, 8);
    shape->value_offset = round_up(head, value_align);
    shape->key_offset = round_up(shape->value_offset + by->value_bytes, key_align);
    shape->account.limit = by->most_bytes ? by->most_bytes : SIZE_MAX;
}

/* --- memory ----------------------------------------------------------------------- */

void *fl_account_take(struct fl_account *account, size_t bytes)
{
    /* Relaxed, here and below: sums, which say nothing of what is in the memory. */
    size_t before = fl_add_relaxed(&account->bytes, bytes);
    size_t most = before + bytes, larger;
    void *memory = NULL;

    if (bytes <= account->limit && before <= account->limit - bytes)
        memory = fl_zalloc(bytes);
    if (!memory) {
        fl_add_relaxed(&account->bytes, -bytes);
        return NULL;
    }
    /* Whoever finds that it took a larger one out puts that back. */
    while ((larger = fl_swap_relaxed(&account->most, most)) > most)
        most = larger;
    return memory;
}

void fl_account_give(struct fl_account *account, void *memory, size_t bytes)
{
    if (!memory)
        return;
    fl_free(memory);
    fl_add_relaxed(&account->bytes, -bytes);
}

/* --- emitters --------------------------------------------------------------------- */

static size_t entry_bytes(const struct fl_shape *shape, size_t key_bytes)
{
    return round_up(shape->key_offset + key_bytes, shape->align);
}

filch_emitter *fl_emitter_make(struct fl_shape *shape)
{
    filch_emitter *emitter = fl_account_take(&shape->account, sizeof *emitter);

    if (!emitter)
        return NULL;
    emitter->shape = shape;
    emitter->hash = shape->by.hash;
    if (fl_table_make(&emitter->table, shape, 1)) {
        fl_account_give(&shape->account, emitter, sizeof *emitter);
        return NULL;
    }
    return emitter;
}

static void destroy_values(const struct fl_block *block, const struct fl_shape *shape)
{
    size_t at = round_up(sizeof *block, shape->align);

    while (at < block->used) {
        struct fl_entry *entry = (struct fl_entry *)(uintptr_t)((const char *)block + at);

        if (entry->stamp != FL_MERGED)
            shape->by.destroy(fl_entry_value(entry, shape), shape->ctx);
        at += entry_bytes(shape, fl_entry_key_bytes(entry, shape));
    }
}

void fl_emitter_free(filch_emitter *emitter)
{
    struct fl_shape *shape = emitter->shape;
    struct fl_block *block;

    while ((block = emitter->blocks)) {
        emitter->blocks = block->next;
        if (shape->by.destroy && shape->by.value_bytes)
            destroy_values(block, shape);
        fl_account_give(&shape->account, block, block->bytes);
    }
    fl_table_free(&emitter->table, shape);
    fl_account_give(&shape->account, emitter, sizeof *emitter);
}

static int add_block(filch_emitter *emitter, size_t entry)
{
    const struct fl_block *last = emitter->blocks;
    size_t head = round_up(sizeof *last, emitter->shape->align), bytes;
    struct fl_block *block;

    bytes = last ? FL_MIN(2 * last->bytes, BLOCK_BYTES_MOST) : BLOCK_BYTES_LEAST;
    bytes = FL_MAX(bytes, head + entry);
    block = fl_account_take(&emitter->shape->account, bytes);
    if (!block)
        return -ENOMEM;
    *block = (struct fl_block){.next = emitter->blocks, .bytes = bytes, .used = head};
    emitter->blocks = block;
    return 0;
}

struct fl_entry *fl_entry_add(filch_emitter *emitter, const void *key, size_t key_bytes)
{
    const struct fl_shape *shape = emitter->shape;
    struct fl_block *block = emitter->blocks;
    struct fl_entry *entry;
    size_t bytes;

    if (key_bytes > SIZE_MAX / 4)
        return NULL;
    bytes = entry_bytes(shape, key_bytes);
    if (!block || block->bytes - block->used < bytes) {
        if (add_block(emitter, bytes))
            return NULL;
        block = emitter->blocks;
    }
    entry = (struct fl_entry *)(void *)((char *)block + block->used);
    block->used += bytes;
    if (!shape->by.key_bytes)
        *(size_t *)(entry + 1) = key_bytes;
    if (shape->by.identity)
        memcpy(fl_entry_value(entry, shape), shape->by.identity, shape->by.value_bytes);
    if (key_bytes)
        memcpy(fl_entry_key(entry, shape), key, key_bytes);
    return entry;
}
