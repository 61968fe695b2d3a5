/* ops.c - the atomic operations that code under test calls.
 *
 * Job: for each: let others go first, choose what is read or where the store goes, do it
 * in memory.h, note it in the thread's history and in the trace. In set-up and check,
 * where one thread runs alone, the real memory is used.
 *
 * Two kinds of operation need no interleaving of their own in a reduced search, because
 * all that others do before them they may as well do after them. A plain store: others
 * need not read it yet, and may put their own stores before it. A load by a word's sole
 * writer: it reads its own last store. litmus.c compares with the search that interleaves
 * everything.
 */
#include <string.h>
#include "checker_atomics.h"
#include "heap.h"
#include "memory.h"
#include "ops.h"
#include "race.h"
#include "sched.h"
#include "search.h"
#include "trace.h"

static uint64_t mask(unsigned bytes)
{
    return bytes == 8 ? ~(uint64_t)0 : ((uint64_t)1 << 8 * bytes) - 1;
}

static uint64_t peek(const void *word, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, word, bytes);
    return value;
}

static uint64_t updated(enum model_update how, uint64_t was, uint64_t value)
{
    switch (how) {
    case MODEL_ADD:
        return was + value;
    case MODEL_SUB:
        return was - value;
    case MODEL_OR:
        return was | value;
    case MODEL_AND:
        return was & value;
    case MODEL_SWAP:
        break;
    }
    return value;
}

/* --- what all operations do ------------------------------------------------------- */

void ops_finish(struct trace_step *step, uint64_t kind)
{
    int self = model_self();

    step->thread = self;
    step->step = memory_step(self);
    trace_add(step);
    sched_note(kind);
    if (step->is_read)
        sched_note((uint64_t)(step->from_thread + 1) << 32 | step->from_step);
    memory_end_step(self);
}

void ops_note_read(struct trace_step *step, unsigned word, const struct store *store,
                   unsigned newer)
{
    sched_note_read(word, (uint64_t)(store->thread + 2) << 32 | store->step);
    step->is_read = true;
    step->was = store->value;
    step->from_thread = store->thread;
    step->from_step = store->step;
    step->newer = newer;
}

static void check_writer(unsigned word, const char *file, int line)
{
    int writer = memory_get(word)->sole_writer;

    if (writer >= 0 && writer != model_self())
        model_fail("written by another than the sole writer that the test named", file,
                   line);
}

/* Whether the failed attempts to take it are left out. */
static bool is_lock(unsigned word)
{
    return search_is_reduced() && memory_get(word)->is_lock;
}

/* --- loads, stores, updates ------------------------------------------------------- */

uint64_t model_load(const void *address, unsigned bytes, int order, const char *file,
                    int line)
{
    struct trace_step step = {.what = "load", .order = order, .file = file, .line = line};
    unsigned word, newer;
    int self = model_self();

    if (self < 0)
        return peek(address, bytes);
    heap_use(address, file, line);
    word = memory_word(address, bytes);
    if (is_lock(word))
        return 0; /* the swap that follows decides */
    if (!search_is_reduced() || memory_get(word)->sole_writer != self)
        sched_point();
    if (order & MODEL_SC)
        memory_join_seq_cst(self, word);
    newer = search_choose(memory_readable(self, word));
    ops_note_read(&step, word, memory_read(self, word, newer, order), newer);
    race_load(address);
    step.address = address;
    ops_finish(&step, word);
    return step.was;
}

void model_store(void *address, unsigned bytes, uint64_t value, int order,
                 const char *file, int line)
{
    struct trace_step step = {
        .what = "store", .order = order, .file = file, .line = line};
    uint8_t places[MEMORY_STORES];
    unsigned word, count, place;
    int self = model_self();

    if (self < 0) {
        memcpy(address, &value, bytes);
        return;
    }
    heap_use(address, file, line);
    word = memory_word(address, bytes);
    check_writer(word, file, line);
    if (!search_is_reduced() || order & MODEL_SC)
        sched_point();
    if (order & MODEL_SC)
        memory_join_seq_cst(self, word);
    count = memory_places(self, word, places);
    place = places[search_choose(count)];
    step.is = value & mask(bytes);
    step.is_written = true;
    step.newer = place;
    step.address = address;
    race_refill(address, file, line);
    memory_write(self, word, place, step.is, order);
    ops_finish(&step, 100u + word);
}

uint64_t model_update(void *address, unsigned bytes, enum model_update how,
                      uint64_t value, int order, const char *file, int line)
{
    static const char *const names[] = {"swap", "add", "sub", "or", "and"};
    struct trace_step step = {
        .what = names[how], .order = order, .file = file, .line = line};
    uint8_t places[MEMORY_STORES];
    unsigned word, count, place;
    int self = model_self();

    if (self < 0) {
        step.was = peek(address, bytes);
        value = updated(how, step.was, value);
        memcpy(address, &value, bytes);
        return step.was;
    }
    heap_use(address, file, line);
    word = memory_word(address, bytes);
    check_writer(word, file, line);
    if (is_lock(word))
        sched_lock(word);
    else
        sched_point();
    if (order & MODEL_SC)
        memory_join_seq_cst(self, word);
    count = is_lock(word) ? memory_free_places(self, word, places)
                          : memory_places(self, word, places);
    place = places[search_choose(count)];
    step.is = updated(how, memory_peek(word, place)->value, value) & mask(bytes);
    ops_note_read(&step, word, memory_update(self, word, place, step.is, order), place);
    step.is_written = true;
    step.address = address;
    ops_finish(&step, 200u + word);
    return step.was;
}

/* What a compare-and-swap may read: a store with another value, or one with the expected
 * value that no other read-modify-write has taken; any, if it may fail for no reason. */
static unsigned cas_candidates(int self, unsigned word, uint64_t expected, bool may_fail,
                               uint8_t *from_newest)
{
    uint8_t places[MEMORY_STORES];
    unsigned place_count = memory_places(self, word, places);
    unsigned readable = memory_readable(self, word);
    unsigned newer, p = 0, count = 0;

    for (newer = 0; newer < readable; newer++) {
        bool is_place;

        while (p < place_count && places[p] < newer)
            p++;
        is_place = p < place_count && places[p] == newer;
        if (may_fail || is_place || memory_peek(word, newer)->value != expected)
            from_newest[count++] = (uint8_t)newer;
    }
    return count;
}

/* Whether a weak compare-and-swap that reads the expected value fails all the same. */
static bool fails_spuriously(int self, unsigned word, unsigned chosen)
{
    uint8_t places[MEMORY_STORES];
    unsigned place_count = memory_places(self, word, places), p;

    for (p = 0; p < place_count && places[p] != chosen; p++)
        continue;
    if (p < place_count && !search_choose(2))
        return false;
    sched_use_spurious();
    return true;
}

bool model_cas(void *address, unsigned bytes, void *expected, uint64_t value, int order,
               bool is_weak, const char *file, int line)
{
    struct trace_step step = {.what = "cas", .order = order, .file = file, .line = line};
    uint64_t wanted = peek(expected, bytes);
    uint8_t candidates[MEMORY_STORES];
    unsigned word, count, chosen;
    int self = model_self();
    bool may_fail, has_failed;

    if (self < 0) {
        if (peek(address, bytes) != wanted) {
            memcpy(expected, address, bytes);
            return false;
        }
        memcpy(address, &value, bytes);
        return true;
    }
    heap_use(address, file, line);
    word = memory_word(address, bytes);
    check_writer(word, file, line);
    sched_point();
    if (order & MODEL_SC)
        memory_join_seq_cst(self, word);
    may_fail = is_weak && sched_has_spurious();
    count = cas_candidates(self, word, wanted, may_fail, candidates);
    chosen = candidates[search_choose(count)];
    step.address = address;
    has_failed = memory_peek(word, chosen)->value != wanted;
    if (has_failed || (may_fail && fails_spuriously(self, word, chosen))) {
        step.what = has_failed ? "cas failed" : "cas failed spuriously";
        step.order = MODEL_RELAXED;
        ops_note_read(&step, word, memory_read(self, word, chosen, MODEL_RELAXED),
                      chosen);
        memcpy(expected, &step.was, bytes);
        ops_finish(&step, (has_failed ? 300u : 350u) + word);
        return false;
    }
    race_take();
    step.is = value & mask(bytes);
    ops_note_read(&step, word, memory_update(self, word, chosen, step.is, order), chosen);
    step.is_written = true;
    ops_finish(&step, 400u + word);
    return true;
}

/* --- fences and waiting ----------------------------------------------------------- */

void model_fence(enum model_fence which, const char *file, int line)
{
    static const char *const names[] = {"fence acquire", "fence release", "fence seq_cst",
                                        "fence light", "fence heavy"};
    static void (*const fences[])(int) = {memory_fence_acquire, memory_fence_release,
                                          memory_fence_seq_cst, memory_fence_light,
                                          memory_fence_heavy};
    struct trace_step step = {
        .what = names[which], .order = -1, .file = file, .line = line};

    if (model_self() < 0)
        return;
    if (!search_is_reduced() || which >= MODEL_FENCE_SEQ_CST)
        sched_point();
    fences[which](model_self());
    ops_finish(&step, 500u + which);
}

void model_spin(const char *file, int line)
{
    struct trace_step step = {.what = "spin", .order = -1, .file = file, .line = line};

    if (model_self() < 0)
        return;
    sched_spin();
    ops_finish(&step, 600u);
}

void model_pause(const char *file, int line)
{
    struct trace_step step = {.what = "pause", .order = -1, .file = file, .line = line};

    if (model_self() < 0)
        return;
    sched_pause();
    ops_finish(&step, 601u);
}

void model_futex_wait(const void *address, uint32_t expected, const char *file, int line)
{
    struct trace_step step = {
        .what = "futex wait", .order = -1, .file = file, .line = line};
    unsigned word, newer;
    int self = model_self();

    if (self < 0)
        return;
    heap_use(address, file, line);
    word = memory_word(address, sizeof expected);
    sched_point();
    memory_futex_wait(self, word);
    newer = search_choose(memory_readable(self, word));
    ops_note_read(&step, word, memory_read(self, word, newer, MODEL_RELAXED), newer);
    step.address = address;
    ops_finish(&step, 700u + word);
    if (step.was == expected) {
        step.what = sched_sleep(address) ? "woken" : "woken spuriously";
        step.is_read = false;
        ops_finish(&step, 800u);
    }
}

void model_futex_wake(const void *address, int count, const char *file, int line)
{
    struct trace_step step = {
        .what = "futex wake", .order = -1, .file = file, .line = line};
    unsigned word;

    if (model_self() < 0)
        return;
    word = memory_word(address, sizeof(uint32_t));
    sched_point();
    memory_futex_wake(model_self(), word);
    step.is = (uint64_t)sched_wake(address, count);
    step.is_written = true;
    step.address = address;
    ops_finish(&step, 900u + (step.is << 8));
}
