/* memory_state.c - what of the memory can still influence the future, as a hash.
 *
 * Job: two executions that differ only in what nobody can come to see any more must be
 * taken for the same, or the search would go through both.
 */
#include <string.h>
#include "memory_inside.h"

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
        unsigned position = memory_words[h->word[i]].position[view->oldest[h->word[i]]];

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
            if (live >> t & 1 && memory_threads[t].now.clock.at[u] < least->at[u])
                least->at[u] = memory_threads[t].now.clock.at[u];
    h.clock = least;
    for (w = 0; w < memory_word_count; w++) {
        if (memory_words[w].run != memory_run || memory_words[w].count == 1)
            continue;
        first[w] = memory_words[w].count - 1;
        for (t = 0; t < MODEL_THREADS; t++)
            if (live >> t & 1 && memory_position_seen(t, w) < first[w])
                first[w] = memory_position_seen(t, w);
        if (first[w] + 1 < memory_words[w].count) {
            h.word[h.words] = (uint8_t)w;
            h.position[h.words++] = (uint8_t)first[w];
        }
    }
    for (w = 0; w < memory_word_count; w++) {
        const struct word *word = &memory_words[w];

        if (word->run != memory_run || word->count == 1)
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
        hash = hash_knowledge(hash, &h, &memory_threads[t].now);
        hash = hash_knowledge(hash, &h, &memory_threads[t].acquired);
        hash = hash_knowledge(hash, &h, &memory_threads[t].released);
    }
    /* A heavy fence hears of those who are gone, too. */
    for (t = 0; t < MODEL_THREADS; t++)
        hash = hash_view(hash, &h, &memory_threads[t].at_light);
    hash = hash_view(hash, &h, &memory_at_seq_cst);
    return hash_view(hash, &h, &memory_at_heavy);
}
