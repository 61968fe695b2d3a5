/* marks.h - tasks of a scope that leave a mark, for tests that none is lost or run twice. */
#ifndef TESTS_API_MARKS_H
#define TESTS_API_MARKS_H

#include "pools.h"

#define TASKS 1000

struct marks {
    unsigned char hits[TASKS];
    atomic_uint wrong;
};

struct mark {
    struct marks *marks;
    size_t at;
};

/* A plain increment: a second run would also be a race. */
static inline int mark_task(filch_worker *w, filch_scope *scope, void *ctx)
{
    const struct mark *mark = ctx;

    (void)scope;
    if (filch_worker_current() != w)
        atomic_fetch_add(&mark->marks->wrong, 1);
    mark->marks->hits[mark->at]++;
    return 0;
}

static inline void check_marks(struct marks *marks, size_t count)
{
    size_t i;

    for (i = 0; i < TASKS; i++)
        if (marks->hits[i] != (i < count))
            fail_msg("task %zu of %zu was run %u times", i, count, marks->hits[i]);
    assert_int_equal(atomic_load(&marks->wrong), 0);
}

#endif
