/* race.c - see race.h.
 *
 * Code that is compiled as is has no MODEL_READ. It is compiled with -fsanitize=thread,
 * and the hooks that the compiler then calls are defined here instead of linking the
 * sanitizer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "heap.h"
#include "race.h"
#include "trace.h"

enum { VARIABLES = 256, WATCHED = 16, RECYCLED = 8 };

static struct variable {
    const void *address;
    unsigned long run;
    uint16_t written[MODEL_THREADS]; /* step of the thread's last write; 0: none */
    uint16_t read[MODEL_THREADS];
} variables[VARIABLES];
static unsigned count;
static unsigned long run;
static struct {
    uintptr_t begin, end;
} watched[WATCHED];
static unsigned watched_count;

static struct variable *find(const void *address)
{
    struct variable *v;
    unsigned i;

    for (i = 0; i < count; i++)
        if (variables[i].address == address)
            break;
    if (i == VARIABLES) {
        fprintf(stderr, "model: too many plain variables\n");
        abort();
    }
    if (i == count)
        count++;
    v = &variables[i];
    if (v->run != run)
        *v = (struct variable){.address = address, .run = run};
    return v;
}

static bool is_near_null(const void *address)
{
    return (uintptr_t)address < 4096;
}

void race_access(const void *address, bool is_write, const char *file, int line)
{
    int self = model_self(), t;
    const struct clock *now;
    struct variable *v;
    char text[128];

    if (is_near_null(address))
        model_fail("an access near NULL", file, line);
    heap_use(address, file, line);
    if (self < 0)
        return;
    v = find(address);
    now = memory_clock(self);
    for (t = 0; t < MODEL_THREADS; t++) {
        bool is_late = v->written[t] > now->at[t];

        if (is_late || (is_write && v->read[t] > now->at[t])) {
            snprintf(text, sizeof text, "data race on %s with the %s at T%d.%u",
                     trace_name(address), is_late ? "write" : "read", t,
                     (unsigned)(is_late ? v->written[t] : v->read[t]));
            model_fail(text, file, line);
        }
    }
    (is_write ? v->written : v->read)[self] = now->at[self];
}

void model_plain(const void *address, bool is_write, const char *file, int line)
{
    if (model_self() >= 0)
        trace_add(&(struct trace_step){.thread = model_self(),
                                       .what = is_write ? "plain write" : "plain read",
                                       .order = -1,
                                       .address = address,
                                       .step = memory_step(model_self()),
                                       .file = file,
                                       .line = line});
    race_access(address, is_write, file, line);
}

uint64_t race_hash(uint64_t hash, const struct clock *least)
{
    unsigned i;
    int t;

    for (i = 0; i < count; i++) {
        const struct variable *v = &variables[i];

        if (v->run != run)
            continue;
        for (t = 0; t < MODEL_THREADS; t++) {
            if (v->written[t] > least->at[t])
                hash =
                    hash_mix(hash, (uint64_t)i << 24 | (uint64_t)t << 16 | v->written[t]);
            if (v->read[t] > least->at[t])
                hash = hash_mix(hash, (uint64_t)1 << 40 | (uint64_t)i << 24 |
                                          (uint64_t)t << 16 | v->read[t]);
        }
    }
    return hash;
}

/* --- words that are emptied and filled again --------------------------------------- */

static const void *recycled[RECYCLED];
static unsigned recycled_count;
static struct {
    const void *address; /* the last that was loaded, or NULL */
    unsigned step;
} looked_at[MODEL_THREADS];

void model_recycled(const void *word)
{
    unsigned i;

    for (i = 0; i < recycled_count; i++)
        if (recycled[i] == word)
            return;
    if (recycled_count == RECYCLED)
        abort();
    recycled[recycled_count++] = word;
}

static bool is_recycled(const void *address)
{
    unsigned i;

    for (i = 0; i < recycled_count; i++)
        if (recycled[i] == address)
            return true;
    return false;
}

void race_load(const void *address)
{
    int self = model_self();

    if (!is_recycled(address))
        return;
    looked_at[self].address = address;
    looked_at[self].step = memory_step(self);
}

void race_take(void)
{
    int self = model_self();

    if (looked_at[self].address)
        find(looked_at[self].address)->read[self] = (uint16_t)looked_at[self].step;
    looked_at[self].address = NULL;
}

void race_refill(const void *address, const char *file, int line)
{
    int self = model_self(), t;
    char text[128];

    if (!is_recycled(address))
        return;
    for (t = 0; t < MODEL_THREADS; t++)
        if (find(address)->read[t] > memory_clock(self)->at[t]) {
            snprintf(text, sizeof text, "%s filled again before the read at T%d.%u",
                     trace_name(address), t, (unsigned)find(address)->read[t]);
            model_fail(text, file, line);
        }
}

void race_reset(void)
{
    memset(looked_at, 0, sizeof looked_at);
    run++;
}

/* --- code compiled as is ---------------------------------------------------------- */

void model_watch(const void *object, size_t bytes)
{
    unsigned i;

    for (i = 0; i < watched_count; i++)
        if (watched[i].begin == (uintptr_t)object)
            return;
    if (watched_count == WATCHED)
        abort();
    watched[watched_count].begin = (uintptr_t)object;
    watched[watched_count++].end = (uintptr_t)object + bytes;
}

static void hook(const void *address, bool is_write)
{
    unsigned i;

    for (i = 0; i < watched_count; i++)
        if ((uintptr_t)address >= watched[i].begin && (uintptr_t)address < watched[i].end)
            break;
    if (i < watched_count || heap_has(address) || is_near_null(address))
        model_plain(address, is_write, "(compiled as is)", 0);
    /* Its value would be that of before the execution; the check at the end has the last. */
    if (model_self() >= 0 && memory_was_stored(address))
        model_fail("a plain access to a word that atomic operations write", NULL, 0);
}

#define HOOK(bytes)                          \
    void __tsan_read##bytes(void *address);  \
    void __tsan_write##bytes(void *address); \
    void __tsan_read##bytes(void *address)   \
    {                                        \
        hook(address, false);                \
    }                                        \
    void __tsan_write##bytes(void *address)  \
    {                                        \
        hook(address, true);                 \
    }
HOOK(1)
HOOK(2)
HOOK(4)
HOOK(8)
HOOK(16)

/* Structs that are copied or cleared as a whole: in words. */
void __tsan_read_range(void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes);
void __tsan_read_range(void *address, unsigned long bytes)
{
    unsigned long at;

    for (at = 0; at < bytes; at += 8)
        hook((char *)address + at, false);
}
void __tsan_write_range(void *address, unsigned long bytes)
{
    unsigned long at;

    for (at = 0; at < bytes; at += 8)
        hook((char *)address + at, true);
}

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *caller)
{
    (void)caller;
}
void __tsan_func_exit(void)
{
}
