/* heap.c - see heap.h.
 *
 * That a block ends counts as writing all of it: whoever has used it must have done so
 * before (in the sense of C11, whatever order they ran in), and nobody may after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "heap.h"
#include "search.h"
#include "trace.h"

enum { BLOCKS = 64, ARENA_BYTES = 1 << 16, GAP = 64, OUTSIDE = MODEL_THREADS };

static struct block {
    uintptr_t begin, end;
    bool is_frame; /* need not end */
    bool is_gone;
    int made_by, number;          /* for its name */
    uint16_t used[MODEL_THREADS]; /* step of the thread's last use; 0: none */
    int ended_by;
    unsigned ended_at;
    const char *file;
    int line;
} blocks[BLOCKS];
static unsigned count, may_run_out;
/* One for each thread, so that addresses do not depend on who came first; the last for
 * set-up and check. */
static _Alignas(64) char arena[MODEL_THREADS + 1][ARENA_BYTES];
static size_t arena_used[MODEL_THREADS + 1];
static int blocks_made[MODEL_THREADS + 1];

void *fl_zalloc(size_t bytes);
void fl_free(void *block);
void *model_malloc(size_t bytes, const char *file, int line);
void *model_zalloc(size_t bytes, const char *file, int line);
void model_free(void *address, const char *file, int line);

void heap_reset(void)
{
    count = may_run_out = 0;
    memset(arena_used, 0, sizeof arena_used);
    memset(blocks_made, 0, sizeof blocks_made);
}

void model_may_run_out(unsigned times)
{
    may_run_out = times;
}

/* --- blocks ----------------------------------------------------------------------- */

static struct block *find(const void *address)
{
    unsigned i;

    for (i = 0; i < count; i++)
        if ((uintptr_t)address >= blocks[i].begin && (uintptr_t)address < blocks[i].end)
            return &blocks[i];
    return NULL;
}

static bool is_in_arena(const void *address)
{
    return (uintptr_t)address >= (uintptr_t)arena &&
           (uintptr_t)address < (uintptr_t)arena + sizeof arena;
}

bool heap_has(const void *address)
{
    return is_in_arena(address) || (count && find(address));
}

bool heap_name(const void *address, char *text, size_t bytes)
{
    const struct block *block = find(address);
    char maker[16] = "set-up";

    if (!block && is_in_arena(address))
        return snprintf(text, bytes, "between two blocks") > 0;
    if (!block || block->is_frame)
        return false;
    if (block->made_by >= 0)
        snprintf(maker, sizeof maker, "T%d", block->made_by);
    snprintf(text, bytes, "%s's block %d + %u", maker, block->number,
             (unsigned)((uintptr_t)address - block->begin));
    return true;
}

static struct block *add(const void *begin, size_t bytes, const char *file, int line)
{
    if (count == BLOCKS)
        model_fail("more blocks than the checker has room for", file, line);
    blocks[count] = (struct block){.begin = (uintptr_t)begin,
                                   .end = (uintptr_t)begin + bytes,
                                   .made_by = model_self(),
                                   .file = file,
                                   .line = line};
    return &blocks[count++];
}

void heap_use(const void *address, const char *file, int line)
{
    struct block *block;
    char text[160];

    if (!count)
        return;
    block = find(address);
    if (!block && is_in_arena(address))
        model_fail("used, but in no block: before or beyond one", file, line);
    if (!block)
        return;
    if (block->is_gone) {
        snprintf(text, sizeof text, "%s used after its end at T%d.%u",
                 trace_name(address), block->ended_by, block->ended_at);
        model_fail(text, file, line);
    }
    if (model_self() >= 0)
        block->used[model_self()] = (uint16_t)memory_step(model_self());
}

static void end(struct block *block, const char *what, const char *file, int line)
{
    int self = model_self(), t;
    char text[160];

    if (block->is_gone) {
        snprintf(text, sizeof text, "%s ended twice, before at T%d.%u",
                 trace_name((void *)block->begin), block->ended_by, block->ended_at);
        model_fail(text, file, line);
    }
    block->is_gone = true;
    block->ended_by = self;
    if (self < 0)
        return;
    block->ended_at = memory_step(self);
    trace_add(&(struct trace_step){.thread = self,
                                   .what = what,
                                   .order = -1,
                                   .address = (void *)block->begin,
                                   .step = memory_step(self),
                                   .file = file,
                                   .line = line});
    for (t = 0; t < MODEL_THREADS; t++)
        if (block->used[t] > memory_clock(self)->at[t]) {
            snprintf(text, sizeof text, "%s ends while it may be in use: T%d.%u",
                     trace_name((void *)block->begin), t, (unsigned)block->used[t]);
            model_fail(text, file, line);
        }
}

uint64_t heap_hash(uint64_t hash, const struct clock *least)
{
    unsigned i;
    int t;

    for (i = 0; i < count; i++) {
        hash = hash_mix(hash, blocks[i].begin << 1 | blocks[i].is_gone);
        for (t = 0; t < MODEL_THREADS; t++)
            if (blocks[i].used[t] > least->at[t])
                hash = hash_mix(hash, (uint64_t)t << 16 | blocks[i].used[t]);
    }
    return hash;
}

/* --- the heap --------------------------------------------------------------------- */

static void *allocate(size_t bytes, int fill, const char *file, int line)
{
    int self = model_self(), of = self < 0 ? OUTSIDE : self;
    struct block *block;
    char *begin;

    if (self >= 0 && may_run_out && search_choose(2)) {
        may_run_out--;
        return NULL;
    }
    arena_used[of] = (arena_used[of] + GAP + 63) / 64 * 64;
    if (bytes > ARENA_BYTES - arena_used[of])
        model_fail("more memory than the checker has", file, line);
    begin = arena[of] + arena_used[of];
    arena_used[of] += bytes;
    block = add(begin, bytes ? bytes : 1, file, line);
    block->number = blocks_made[of]++;
    return memset(begin, fill, bytes);
}

void *model_malloc(size_t bytes, const char *file, int line)
{
    return allocate(bytes, 0xA5, file, line);
}

void *model_zalloc(size_t bytes, const char *file, int line)
{
    return allocate(bytes, 0, file, line);
}

void model_free(void *address, const char *file, int line)
{
    struct block *block = find(address);

    if (!address)
        return;
    if (block && !block->is_frame && block->begin == (uintptr_t)address)
        end(block, "free", file, line);
    else
        model_fail("freed, but was never allocated", file, line);
}

void *fl_zalloc(size_t bytes)
{
    return model_zalloc(bytes, "fl_zalloc", 0);
}

void fl_free(void *block)
{
    model_free(block, "fl_free", 0);
}

void heap_check_leaks(void)
{
    unsigned i;
    char text[160];

    for (i = 0; i < count; i++)
        if (!blocks[i].is_frame && !blocks[i].is_gone) {
            snprintf(text, sizeof text, "leaked: %s",
                     trace_name((void *)blocks[i].begin));
            model_fail(text, blocks[i].file, blocks[i].line);
        }
}

/* --- frames ----------------------------------------------------------------------- */

void model_lives(const void *object, size_t bytes)
{
    struct block *block = find(object);

    if (block && block->is_frame && block->is_gone)
        *block = (struct block){.is_frame = true}; /* the same place, in use again */
    add(object, bytes, "a frame", 0)->is_frame = true;
}

void model_dies(const void *object, const char *file, int line)
{
    struct block *block = find(object);

    if (block && block->is_frame)
        end(block, "dies", file, line);
    else
        model_fail("a frame dies that never lived", file, line);
}
