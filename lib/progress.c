/* progress.c - telling the user how far a loop has come; see progress.h. */
#include "progress.h"
#include "escape.h"

#define USUAL_MS 100u

int fl_progress_tell(struct fl_progress *progress, size_t done)
{
    uint64_t now_ns = fl_now_ns();
    int value;

    if (now_ns < progress->watch.next_ns)
        return 0;
    progress->watch.next_ns = now_ns + progress->every_ns;
    FL_CALL_USER(NULL, value = progress->function(done, progress->total, progress->ctx));
    if (value)
        progress->watch.next_ns = UINT64_MAX;
    return value;
}

static void look(struct fl_watch *watch)
{
    struct fl_progress *progress = FL_CONTAINER_OF(watch, struct fl_progress, watch);
    size_t left = (size_t)fl_load_relaxed(&progress->latch->remaining); /* to show */
    int value = fl_progress_tell(progress, progress->total - left);

    if (value)
        fl_failure_record(progress->failure, progress->origin, value);
}

void fl_progress_init(struct fl_progress *progress, const filch_opts *opts, size_t total)
{
    uint32_t ms = opts->progress_ms ? opts->progress_ms : USUAL_MS;

    progress->function = opts->progress;
    progress->ctx = opts->ctx;
    progress->every_ns = (uint64_t)ms * 1000000u;
    progress->total = total;
    progress->watch.look = look;
    progress->watch.next_ns = fl_now_ns() + progress->every_ns;
}

void fl_progress_share(struct fl_progress *progress, struct fl_latch *latch,
                       struct fl_failure *failure, uint64_t origin)
{
    progress->latch = latch;
    progress->failure = failure;
    progress->origin = origin;
}
