/* memory_inside.h - what memory.c and memory_state.c share; see memory.h. */
#ifndef MODEL_MEMORY_INSIDE_H
#define MODEL_MEMORY_INSIDE_H

#include "memory.h"

struct thread_memory {
    struct knowledge now;
    struct knowledge acquired; /* by relaxed reads: counts after an acquire fence */
    struct knowledge released; /* by the last release fence: relaxed stores carry it */
    struct view at_light;      /* what a heavy fence of another makes global */
};

extern struct word memory_words[MEMORY_WORDS];
extern unsigned memory_word_count;
extern unsigned long memory_run; /* number of this execution; see struct word */
extern struct thread_memory memory_threads[MODEL_THREADS];
extern struct view memory_at_seq_cst; /* joined by every seq_cst fence */
extern struct view
    memory_at_heavy; /* at_seq_cst at the last heavy fence: for light ones */

/* The place, in modification order, of the oldest store that the thread may read. */
static inline unsigned memory_position_seen(int thread, unsigned word)
{
    return memory_words[word].position[memory_threads[thread].now.view.oldest[word]];
}

#endif
