/* stats.c - the counters, read side. */
#include <errno.h>
#include <filch/stats.h>
#include "pool_life.h"

int filch_stats_get(filch_pool *pool, filch_stats *stats)
{
    uint64_t now, since;
    uint32_t i;

    if (!stats || stats->struct_size != sizeof *stats)
        return -EINVAL;
    *stats = (filch_stats){.struct_size = sizeof *stats};
    if (!pool)
        pool = filch_pool_default();
    if (!pool || !fl_pool_look_begin(pool)) /* the process is ending */
        return 0;
    now = fl_now_ns();
    for (i = 0; i < pool->slots; i++) {
        const struct fl_counters *counters = &pool->slot[i].counters;

        /* Each word is its writer's; a snapshot needs no order among them. */
        stats->tasks += fl_load_relaxed(&counters->tasks);
        stats->steals_got += fl_load_relaxed(&counters->steals_got);
        stats->steals_empty += fl_load_relaxed(&counters->steals_empty);
        stats->steals_lost += fl_load_relaxed(&counters->steals_lost);
        stats->strangers += fl_load_relaxed(&counters->strangers);
        stats->publishes += fl_load_relaxed(&counters->publishes);
        stats->forced += fl_load_relaxed(&counters->forced);
        stats->parks += fl_load_relaxed(&counters->parks);
        stats->wakes += fl_load_relaxed(&counters->wakes);
        stats->overflows += fl_load_relaxed(&counters->overflows);
        stats->masks_changed += fl_load_relaxed(&counters->masks_changed);
        stats->busy_ns += fl_load_relaxed(&counters->busy_ns);
        stats->idle_ns += fl_load_relaxed(&counters->idle_ns);
        since = fl_load_relaxed(&counters->idle_since_ns);
        if (since && since < now)
            stats->idle_ns += now - since;
    }
    fl_pool_look_end(pool);
    return 0;
}
