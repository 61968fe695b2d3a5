/* memory.c - see memory.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "memory_inside.h"

struct word memory_words[MEMORY_WORDS];
unsigned memory_word_count;
unsigned long memory_run;
struct thread_memory memory_threads[MODEL_THREADS];
struct view memory_at_seq_cst;
struct view memory_at_heavy;

enum { BUCKETS = 256 };
static uint8_t bucket[BUCKETS]; /* word number + 1 */

/* --- views ------------------------------------------------------------------------ */

static bool is_newer(unsigned word, unsigned a, unsigned b)
{
    return memory_words[word].position[a] > memory_words[word].position[b];
}

static void view_join(struct view *into, const struct view *from)
{
    unsigned w;

    for (w = 0; w < memory_word_count; w++)
        if (from->oldest[w] != into->oldest[w] &&
            is_newer(w, from->oldest[w], into->oldest[w]))
            into->oldest[w] = from->oldest[w];
}

static void knowledge_join(struct knowledge *into, const struct knowledge *from)
{
    int t;

    view_join(&into->view, &from->view);
    for (t = 0; t < MODEL_THREADS; t++)
        if (from->clock.at[t] > into->clock.at[t])
            into->clock.at[t] = from->clock.at[t];
}

/* --- words ------------------------------------------------------------------------ */

void memory_reset(void)
{
    unsigned w;
    int t;

    memory_run++;
    for (w = 0; w < memory_word_count; w++) {
        memory_words[w].sole_writer = -1;
        memory_words[w].is_lock = false;
    }
    memset(memory_threads, 0, sizeof memory_threads);
    memset(&memory_at_seq_cst, 0, sizeof memory_at_seq_cst);
    memset(&memory_at_heavy, 0, sizeof memory_at_heavy);
    for (t = 0; t < MODEL_THREADS; t++)
        memory_threads[t].now.clock.at[t] = 1;
}

static uint64_t raw_read(const struct word *word)
{
    uint64_t value = 0;

    /* Little endian, as everything that filch runs on. */
    memcpy(&value, word->address, word->bytes);
    return value;
}

static void word_start(struct word *word)
{
    struct store *initial = &word->store[0];

    memset(&initial->message, 0, sizeof initial->message);
    initial->value = raw_read(word);
    initial->thread = -1;
    initial->step = 0;
    initial->is_rmw = false;
    word->order[0] = word->position[0] = 0;
    word->count = 1;
    word->woken_from = 0;
    word->run = memory_run;
}

static unsigned hash_address(const void *address)
{
    return (unsigned)(((uintptr_t)address * 0x9E3779B1u) >> 20) % BUCKETS;
}

unsigned memory_word(const void *address, unsigned bytes)
{
    unsigned b = hash_address(address);
    struct word *word;

    for (; bucket[b]; b = (b + 1) % BUCKETS)
        if (memory_words[bucket[b] - 1].address == address)
            break;
    if (!bucket[b]) {
        if (memory_word_count == MEMORY_WORDS)
            model_fail("more words than the checker has room for", __FILE__, __LINE__);
        word = &memory_words[memory_word_count++];
        word->address = (void *)(uintptr_t)address;
        word->bytes = bytes;
        word->sole_writer = -1;
        word->is_lock = false;
        word->run = 0;
        bucket[b] = (uint8_t)memory_word_count;
    }
    word = &memory_words[bucket[b] - 1];
    if (word->run != memory_run) {
        word->bytes = bytes; /* in another execution another object may have been there */
        word_start(word);
    }
    if (word->bytes != bytes) {
        fprintf(stderr, "model: a word is used with two sizes\n");
        abort();
    }
    return bucket[b] - 1u;
}

bool memory_was_stored(const void *address)
{
    unsigned b = hash_address(address);

    for (; bucket[b]; b = (b + 1) % BUCKETS)
        if (memory_words[bucket[b] - 1].address == address)
            return memory_words[bucket[b] - 1].run == memory_run &&
                   memory_words[bucket[b] - 1].count > 1;
    return false;
}

const struct word *memory_get(unsigned word)
{
    return &memory_words[word];
}

void model_sole_writer(const void *address, unsigned bytes, int thread)
{
    struct word *word = &memory_words[memory_word(address, bytes)];

    word->sole_writer = thread;
    word->run = 0; /* set-up may go on to write it */
}

void model_spin_lock(const void *address)
{
    struct word *word = &memory_words[memory_word(address, sizeof(uint32_t))];

    word->is_lock = true;
    word->run = 0; /* as above */
}

void memory_write_back(void)
{
    unsigned w;

    for (w = 0; w < memory_word_count; w++) {
        struct word *word = &memory_words[w];

        if (word->run == memory_run && word->count > 1)
            memcpy(word->address, &word->store[word->order[word->count - 1]].value,
                   word->bytes);
    }
}

/* --- reading and writing ---------------------------------------------------------- */

unsigned memory_readable(int thread, unsigned word)
{
    return memory_words[word].count - memory_position_seen(thread, word);
}

static struct store *store_at(unsigned word, unsigned from_newest)
{
    struct word *w = &memory_words[word];

    return &w->store[w->order[w->count - 1 - from_newest]];
}

const struct store *memory_peek(unsigned word, unsigned from_newest)
{
    return store_at(word, from_newest);
}

static void see(int thread, unsigned word, const struct store *store, int order)
{
    struct thread_memory *t = &memory_threads[thread];

    t->now.view.oldest[word] = (uint8_t)(store - memory_words[word].store);
    knowledge_join(order & MODEL_ACQUIRE ? &t->now : &t->acquired, &store->message);
}

const struct store *memory_read(int thread, unsigned word, unsigned from_newest,
                                int order)
{
    struct store *store = store_at(word, from_newest);

    see(thread, word, store, order);
    return store;
}

unsigned memory_places(int thread, unsigned word, uint8_t *from_newest)
{
    const struct word *w = &memory_words[word];
    unsigned oldest = memory_position_seen(thread, word);
    unsigned position = w->count, count = 0;

    while (position-- > oldest) {
        if (position + 1 < w->count && w->store[w->order[position + 1]].is_rmw)
            continue;
        if (from_newest)
            from_newest[count] = (uint8_t)(w->count - 1 - position);
        count++;
    }
    return count;
}

unsigned memory_free_places(int thread, unsigned word, uint8_t *from_newest)
{
    uint8_t places[MEMORY_STORES];
    unsigned all = memory_places(thread, word, places), i, count = 0;

    for (i = 0; i < all; i++)
        if (memory_peek(word, places[i])->value == 0) {
            if (from_newest)
                from_newest[count] = places[i];
            count++;
        }
    return count;
}

static struct store *insert(int thread, unsigned word, unsigned from_newest,
                            uint64_t value)
{
    struct word *w = &memory_words[word];
    unsigned index = w->count;
    unsigned position = w->count - from_newest;
    unsigned p;
    struct store *store = &w->store[index];

    if (index == MEMORY_STORES)
        model_fail("no end: a livelock, one word is stored to again and again", __FILE__,
                   __LINE__);
    for (p = index; p > position; p--) {
        w->order[p] = w->order[p - 1];
        w->position[w->order[p]] = (uint8_t)p;
    }
    w->order[position] = (uint8_t)index;
    w->position[index] = (uint8_t)position;
    w->count++;
    if (w->woken_from >= position)
        w->woken_from++;
    store->value = value;
    store->thread = thread;
    store->step = memory_threads[thread].now.clock.at[thread];
    store->is_rmw = false;
    return store;
}

static void sign(int thread, unsigned word, struct store *store, int order)
{
    struct thread_memory *t = &memory_threads[thread];
    uint8_t index = (uint8_t)(store - memory_words[word].store);

    t->now.view.oldest[word] = index;
    store->message = order & MODEL_RELEASE ? t->now : t->released;
    store->message.view.oldest[word] = index;
    /* A seq_cst access takes part in the order of the fences with its own word only. */
    if (order & MODEL_SC)
        memory_at_seq_cst.oldest[word] = index;
}

const struct store *memory_write(int thread, unsigned word, unsigned from_newest,
                                 uint64_t value, int order)
{
    struct store *store = insert(thread, word, from_newest, value);

    sign(thread, word, store, order);
    return store;
}

const struct store *memory_update(int thread, unsigned word, unsigned from_newest,
                                  uint64_t value, int order)
{
    const struct store *before = store_at(word, from_newest);
    struct store *store;

    see(thread, word, before, order);
    store = insert(thread, word, from_newest, value);
    store->is_rmw = true;
    sign(thread, word, store, order);
    /* The release sequence goes on. */
    knowledge_join(&store->message, &before->message);
    return before;
}

void memory_join_seq_cst(int thread, unsigned word)
{
    uint8_t *seen = &memory_threads[thread].now.view.oldest[word];

    if (is_newer(word, memory_at_seq_cst.oldest[word], *seen))
        *seen = memory_at_seq_cst.oldest[word];
}

/* --- fences ----------------------------------------------------------------------- */

void memory_fence_acquire(int thread)
{
    knowledge_join(&memory_threads[thread].now, &memory_threads[thread].acquired);
}

void memory_fence_release(int thread)
{
    memory_threads[thread].released = memory_threads[thread].now;
}

void memory_fence_seq_cst(int thread)
{
    struct thread_memory *t = &memory_threads[thread];

    memory_fence_acquire(thread);
    /* The view only: fences in a row do not make things happen before each other. */
    view_join(&t->now.view, &memory_at_seq_cst);
    memory_at_seq_cst = t->now.view;
    t->at_light = t->now.view;
    memory_fence_release(thread);
}

void memory_fence_light(int thread)
{
    view_join(&memory_threads[thread].now.view, &memory_at_heavy);
    memory_threads[thread].at_light = memory_threads[thread].now.view;
}

void memory_fence_heavy(int thread)
{
    int t;

    for (t = 0; t < MODEL_THREADS; t++)
        view_join(&memory_at_seq_cst, &memory_threads[t].at_light);
    memory_fence_seq_cst(thread);
    memory_at_heavy = memory_at_seq_cst;
}

/* --- waiting ---------------------------------------------------------------------- */

void memory_futex_wake(int thread, unsigned word)
{
    unsigned seen = memory_position_seen(thread, word);

    if (seen > memory_words[word].woken_from)
        memory_words[word].woken_from = seen;
}

void memory_futex_wait(int thread, unsigned word)
{
    if (memory_words[word].woken_from > memory_position_seen(thread, word))
        memory_threads[thread].now.view.oldest[word] =
            memory_words[word].order[memory_words[word].woken_from];
}

bool memory_has_news(int thread, unsigned word)
{
    return memory_readable(thread, word) > 1;
}

void memory_take_news(int thread, unsigned word)
{
    memory_threads[thread].now.view.oldest[word] =
        memory_words[word].order[memory_position_seen(thread, word) + 1];
}

/* --- steps and states ------------------------------------------------------------- */

unsigned memory_step(int thread)
{
    return memory_threads[thread].now.clock.at[thread];
}

void memory_end_step(int thread)
{
    memory_threads[thread].now.clock.at[thread]++;
}

const struct clock *memory_clock(int thread)
{
    return &memory_threads[thread].now.clock;
}
