/* inject.c - the queue for jobs that change hands; see inject.h. */
#include "inject.h"

static filch_job *entry_job(filch_job *entry)
{
    return entry_is_task(entry) ? &entry_task(entry)->job : entry_unmarked(entry);
}

static bool is_open(filch_job *entry)
{
    return !entry_is_bound(entry);
}

void fl_inject_init(struct fl_inject *queue)
{
    queue->count = queue->open_count = 0;
    queue->first = NULL;
    queue->last = &queue->first;
    pthread_mutex_init(&queue->mutex, NULL);
}

void fl_inject_destroy(struct fl_inject *queue)
{
    pthread_mutex_destroy(&queue->mutex);
}

/* Pre: the mutex is held, so there is no other writer. Those who look without it see the
 * old count or the new one. */
static void add(uint32_t *counter, uint32_t amount)
{
    fl_store_relaxed(counter, fl_load_relaxed(counter) + amount);
}

void fl_inject_put(struct fl_inject *queue, filch_job *entry)
{
    pthread_mutex_lock(&queue->mutex);
    entry_job(entry)->next = NULL;
    *queue->last = entry;
    queue->last = &entry_job(entry)->next;
    add(&queue->count, 1u);
    if (is_open(entry))
        add(&queue->open_count, 1u);
    pthread_mutex_unlock(&queue->mutex);
}

/* The link to the oldest entry for a latch, or for 0 the oldest open one; to NULL if
 * none. Pre: the mutex is held. */
static filch_job **find(struct fl_inject *queue, fl_served served)
{
    filch_job **link;

    for (link = &queue->first; *link; link = &entry_job(*link)->next)
        if (served ? served_by_entry(entry_unmarked(*link)) == served : is_open(*link))
            break;
    return link;
}

static filch_job *take(struct fl_inject *queue, fl_served served)
{
    filch_job *entry, **link;

    pthread_mutex_lock(&queue->mutex);
    link = find(queue, served);
    entry = *link;
    if (entry) {
        *link = entry_job(entry)->next;
        if (!*link)
            queue->last = link;
        add(&queue->count, -1u);
        if (is_open(entry))
            add(&queue->open_count, -1u);
    }
    pthread_mutex_unlock(&queue->mutex);
    return entry_unmarked(entry);
}

filch_job *fl_inject_take_any(struct fl_inject *queue)
{
    if (fl_load_relaxed(&queue->open_count) == 0) /* a hint: the mutex decides */
        return NULL;
    return take(queue, 0);
}

filch_job *fl_inject_take_for(struct fl_inject *queue, fl_served served)
{
    if (fl_load_relaxed(&queue->count) == 0) /* a hint: the mutex decides */
        return NULL;
    return take(queue, served);
}

bool fl_inject_has_for(struct fl_inject *queue, fl_served served)
{
    bool has;

    if (fl_load_relaxed(&queue->count) == 0) /* ordered by the caller's fence */
        return false;
    pthread_mutex_lock(&queue->mutex);
    has = *find(queue, served) != NULL;
    pthread_mutex_unlock(&queue->mutex);
    return has;
}
