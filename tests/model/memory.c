/* memory.c - see memory.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "memory.h"

struct thread_memory {
    struct knowledge now;
    struct knowledge acquired; /* by relaxed reads: counts after an acquire fence */
    struct knowledge released; /* by the last release fence: relaxed stores carry it */
    struct view at_light;      /* what a heavy fence of another makes global */
};

static struct word words[MEMORY_WORDS];
static unsigned word_count;
static unsigned long run;
static struct thread_memory threads[MODEL_THREADS];
static struct view at_seq_cst; /* joined by every seq_cst fence */
static struct view at_heavy;   /* at_seq_cst at the last heavy fence: for light ones */

enum { BUCKETS = 256 };
static uint8_t bucket[BUCKETS]; /* word number + 1 */

/* --- views ------------------------------------------------------------------------ */

static bool is_newer(unsigned word, unsigned a, unsigned b)
{
    return words[word].position[a] > words[word].position[b];
}

static void view_join(struct view *into, const struct view *from)
{
    unsigned w;

    for (w = 0; w < word_count; w++)
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

    run++;
    for (w = 0; w < word_count; w++) {
        words[w].sole_writer = -1;
        words[w].is_lock = false;
    }
    memset(threads, 0, sizeof threads);
    memset(&at_seq_cst, 0, sizeof at_seq_cst);
    memset(&at_heavy, 0, sizeof at_heavy);
    for (t = 0; t < MODEL_THREADS; t++)
        threads[t].now.clock.at[t] = 1;
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
    word->run = run;
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
        if (words[bucket[b] - 1].address == address)
            break;
    if (!bucket[b]) {
        if (word_count == MEMORY_WORDS)
            model_fail("more words than the checker has room for", __FILE__, __LINE__);
        word = &words[word_count++];
        word->address = (void *)(uintptr_t)address;
        word->bytes = bytes;
        word->sole_writer = -1;
        word->is_lock = false;
        word->run = 0;
        bucket[b] = (uint8_t)word_count;
    }
    word = &words[bucket[b] - 1];
    if (word->run != run) {
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
        if (words[bucket[b] - 1].address == address)
            return words[bucket[b] - 1].run == run && words[bucket[b] - 1].count > 1;
    return false;
}

const struct word *memory_get(unsigned word)
{
    return &words[word];
}

void model_sole_writer(const void *address, unsigned bytes, int thread)
{
    struct word *word = &words[memory_word(address, bytes)];

    word->sole_writer = thread;
    word->run = 0; /* set-up may go on to write it */
}

void model_spin_lock(const void *address)
{
    struct word *word = &words[memory_word(address, sizeof(uint32_t))];

    word->is_lock = true;
    word->run = 0; /* as above */
}

void memory_write_back(void)
{
    unsigned w;

    for (w = 0; w < word_count; w++) {
        struct word *word = &words[w];

        if (word->run == run && word->count > 1)
            memcpy(word->address, &word->store[word->order[word->count - 1]].value,
                   word->bytes);
    }
}

/* --- reading and writing ---------------------------------------------------------- */

static unsigned position_seen(int thread, unsigned word)
{
    return words[word].position[threads[thread].now.view.oldest[word]];
}

unsigned memory_readable(int thread, unsigned word)
{
    return words[word].count - position_seen(thread, word);
}

static struct store *store_at(unsigned word, unsigned from_newest)
{
    struct word *w = &words[word];

    return &w->store[w->order[w->count - 1 - from_newest]];
}

const struct store *memory_peek(unsigned word, unsigned from_newest)
{
    return store_at(word, from_newest);
}

static void see(int thread, unsigned word, const struct store *store, int order)
{
    struct thread_memory *t = &threads[thread];

    t->now.view.oldest[word] = (uint8_t)(store - words[word].store);
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
    const struct word *w = &words[word];
    unsigned oldest = position_seen(thread, word);
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
    struct word *w = &words[word];
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
    store->step = threads[thread].now.clock.at[thread];
    store->is_rmw = false;
    return store;
}

static void sign(int thread, unsigned word, struct store *store, int order)
{
    struct thread_memory *t = &threads[thread];
    uint8_t index = (uint8_t)(store - words[word].store);

    t->now.view.oldest[word] = index;
    store->message = order & MODEL_RELEASE ? t->now : t->released;
    store->message.view.oldest[word] = index;
    /* A seq_cst access takes part in the order of the fences with its own word only. */
    if (order & MODEL_SC)
        at_seq_cst.oldest[word] = index;
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
    uint8_t *seen = &threads[thread].now.view.oldest[word];

    if (is_newer(word, at_seq_cst.oldest[word], *seen))
        *seen = at_seq_cst.oldest[word];
}

/* --- fences ----------------------------------------------------------------------- */

void memory_fence_acquire(int thread)
{
    knowledge_join(&threads[thread].now, &threads[thread].acquired);
}

void memory_fence_release(int thread)
{
    threads[thread].released = threads[thread].now;
}

void memory_fence_seq_cst(int thread)
{
    struct thread_memory *t = &threads[thread];

    memory_fence_acquire(thread);
    /* The view only: fences in a row do not make things happen before each other. */
    view_join(&t->now.view, &at_seq_cst);
    at_seq_cst = t->now.view;
    t->at_light = t->now.view;
    memory_fence_release(thread);
}

void memory_fence_light(int thread)
{
    view_join(&threads[thread].now.view, &at_heavy);
    threads[thread].at_light = threads[thread].now.view;
}

void memory_fence_heavy(int thread)
{
    int t;

    for (t = 0; t < MODEL_THREADS; t++)
        view_join(&at_seq_cst, &threads[t].at_light);
    memory_fence_seq_cst(thread);
    at_heavy = at_seq_cst;
}

/* --- waiting ---------------------------------------------------------------------- */

void memory_futex_wake(int thread, unsigned word)
{
    unsigned seen = position_seen(thread, word);

    if (seen > words[word].woken_from)
        words[word].woken_from = seen;
}

void memory_futex_wait(int thread, unsigned word)
{
    if (words[word].woken_from > position_seen(thread, word))
        threads[thread].now.view.oldest[word] = words[word].order[words[word].woken_from];
}

bool memory_has_news(int thread, unsigned word)
{
    return memory_readable(thread, word) > 1;
}

void memory_take_news(int thread, unsigned word)
{
    threads[thread].now.view.oldest[word] =
        words[word].order[position_seen(thread, word) + 1];
}

/* --- steps and states ------------------------------------------------------------- */

unsigned memory_step(int thread)
{
    return threads[thread].now.clock.at[thread];
}

void memory_end_step(int thread)
{
    threads[thread].now.clock.at[thread]++;
}

const struct clock *memory_clock(int thread)
{
    return &threads[thread].now.clock;
}

/* What follows leaves out all that nobody can come to see any more, so that executions
 * that differ in it only are taken for the same. */
struct horizon {
    unsigned words; /* that somebody may still read an older store of */
    uint8_t word[MEMORY_WORDS];
    uint8_t position[MEMORY_WORDS];
    const struct clock *clock;
};

static uint64_t hash_view(uint64_t hash, const struct horizon *h, const struct view *view)
{
    unsigned i;

    for (i = 0; i < h->words; i++) {
        unsigned position = words[h->word[i]].position[view->oldest[h->word[i]]];

        hash = hash_mix(hash, position > h->position[i] ? position - h->position[i] : 0u);
    }
    return hash;
}

static uint64_t hash_knowledge(uint64_t hash, const struct horizon *h,
                               const struct knowledge *k)
{
    int t;

    hash = hash_view(hash, h, &k->view);
    for (t = 0; t < MODEL_THREADS; t++)
        hash = hash_mix(hash, k->clock.at[t] > h->clock->at[t] ? k->clock.at[t] : 0u);
    return hash;
}

uint64_t memory_hash(uint64_t hash, unsigned live, struct clock *least)
{
    struct horizon h = {0};
    unsigned w, p, first[MEMORY_WORDS];
    int t, u;

    memset(least, 0xff, sizeof *least);
    for (t = 0; t < MODEL_THREADS; t++)
        for (u = 0; u < MODEL_THREADS; u++)
            if (live >> t & 1 && threads[t].now.clock.at[u] < least->at[u])
                least->at[u] = threads[t].now.clock.at[u];
    h.clock = least;
    for (w = 0; w < word_count; w++) {
        if (words[w].run != run || words[w].count == 1)
            continue;
        first[w] = words[w].count - 1;
        for (t = 0; t < MODEL_THREADS; t++)
            if (live >> t & 1 && position_seen(t, w) < first[w])
                first[w] = position_seen(t, w);
        if (first[w] + 1 < words[w].count) {
            h.word[h.words] = (uint8_t)w;
            h.position[h.words++] = (uint8_t)first[w];
        }
    }
    for (w = 0; w < word_count; w++) {
        const struct word *word = &words[w];

        if (word->run != run || word->count == 1)
            continue;
        hash = hash_mix(hash, w + 1000u);
        hash =
            hash_mix(hash, word->woken_from > first[w] ? word->woken_from - first[w] : 0);
        for (p = first[w]; p < word->count; p++) {
            const struct store *s = &word->store[word->order[p]];

            hash = hash_mix(hash, s->value);
            hash = hash_mix(hash, (uint64_t)(s->thread + 1) << 32 | s->step << 1 |
                                      (s->is_rmw && p > first[w]));
            hash = hash_knowledge(hash, &h, &s->message);
        }
    }
    for (t = 0; t < MODEL_THREADS; t++) {
        if (!(live >> t & 1))
            continue;
        hash = hash_knowledge(hash, &h, &threads[t].now);
        hash = hash_knowledge(hash, &h, &threads[t].acquired);
        hash = hash_knowledge(hash, &h, &threads[t].released);
    }
    /* A heavy fence hears of those who are gone, too. */
    for (t = 0; t < MODEL_THREADS; t++)
        hash = hash_view(hash, &h, &threads[t].at_light);
    hash = hash_view(hash, &h, &at_seq_cst);
    return hash_view(hash, &h, &at_heavy);
}
