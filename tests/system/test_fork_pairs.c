/* test_fork_pairs.c - each way of a pool's life against each other, at every point.
 *
 * One thread makes a call, creates or destroys a pool, forks or ends the process, and is
 * held before one of its calls to the system (the linker's --wrap); meanwhile another
 * thread does one of these things, or waits for the first one to go on. Each case is a
 * process of its own, in which no pool was made, or the default pool runs, or which was
 * forked from such a one and has yet to start its pools again.
 *
 * Not built with TSan, and skipped with ASan, as in test_fork.c.
 */
#include "process.h"

#include <stdio.h>
#include <sys/mman.h>

/* Has ended: by exit(), or after all was found right. */
#define ENDED 7
/* For the other thread, which may have to wait for the one that is held. */
#define MOST_HELD_NS UINT64_C(2000000)
/* Where a way has no end of system calls (sleeping and waking), no further points. */
#define MOST_POINTS 80

enum way { CALL, CREATE, DESTROY, FORK, EXIT, WAYS };
enum before { NOTHING, POOLS, POOLS_BEFORE_FORK, BEFORES };

static const char *const way_names[WAYS] = {"call", "create", "destroy", "fork", "exit"};
static const char *const before_names[BEFORES] = {"no pool", "pools",
                                                  "pools of the parent"};

/* --- a thread that is held ------------------------------------------------------------ */

static _Thread_local unsigned points_left; /* 0: the thread is not to be held */
static struct {
    atomic_uint held, may_go;
    pid_t process; /* its children have nobody who lets them go */
} seam;
static atomic_uint *was_held; /* shared with the parent of all cases */

static void hold(void)
{
    if (points_left == 0 || --points_left || getpid() != seam.process)
        return;
    atomic_store(was_held, 1);
    atomic_store(&seam.held, 1);
    wait_for(&seam.may_go, 1);
}

#define HELD(type, name, parameters, arguments) \
    type __real_##name parameters;              \
    type __wrap_##name parameters;              \
    type __wrap_##name parameters               \
    {                                           \
        hold();                                 \
        return __real_##name arguments;         \
    }

HELD(void *, calloc, (size_t count, size_t bytes), (count, bytes))
HELD(FILE *, fopen, (const char *path, const char *mode), (path, mode))
HELD(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*body)(void *),
      void *arg),
     (thread, attributes, body, arg))
HELD(int, pthread_join, (pthread_t thread, void **value), (thread, value))
HELD(int, pthread_sigmask, (int how, const sigset_t *set, sigset_t *before),
     (how, set, before))
HELD(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
HELD(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
HELD(int, pthread_setcancelstate, (int state, int *before), (state, before))
HELD(long, syscall, (long number, long a, long b, long c, long d, long e, long f),
     (number, a, b, c, d, e, f))

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
    hold();
    __real_free(block);
}

/* --- the ways ------------------------------------------------------------------------- */

struct walk {
    enum way way;
    unsigned point; /* 0: is not held */
    filch_pool *pool;
    atomic_uint is_over;
    atomic_uint wrong;
};

static filch_pool *old_pool;

static int count_run(filch_worker *w, void *ctx)
{
    (void)w;
    atomic_fetch_add((atomic_uint *)ctx, 1);
    return 0;
}

static int call_wrongly(filch_pool *pool)
{
    atomic_uint runs = 0;

    return filch_run(count_run, &runs, .pool = pool) || atomic_load(&runs) != 1;
}

static int fork_wrongly(void)
{
    pid_t child = fork();

    if (child == 0) {
        points_left = 0;
        limit_own_time();
        if (call_wrongly(NULL))
            _exit(1);
        exit(ENDED);
    }
    return value_of_child(child) != ENDED;
}

static void *walk(void *arg)
{
    struct walk *walk = arg;
    unsigned wrong = 0;

    points_left = walk->point;
    switch (walk->way) {
    case CALL:
        wrong = (unsigned)call_wrongly(NULL);
        break;
    case CREATE:
        wrong = filch_pool_create(&walk->pool, FILCH_POOL_OPTIONS(.workers = 3)) != 0;
        break;
    case DESTROY:
        filch_pool_destroy(walk->pool);
        walk->pool = NULL;
        break;
    case FORK:
        wrong = (unsigned)fork_wrongly();
        break;
    default:
        exit(ENDED);
    }
    points_left = 0;
    atomic_store(&walk->wrong, wrong);
    atomic_store(&walk->is_over, 1);
    return NULL;
}

/* --- a case --------------------------------------------------------------------------- */

static void prepare(struct walk *walk, bool has_pools)
{
    if (walk->way == DESTROY && has_pools)
        walk->pool = old_pool;
    else if (walk->way == DESTROY &&
             filch_pool_create(&walk->pool, FILCH_POOL_OPTIONS(.workers = 3)))
        _exit(50);
}

/* In a process of its own. */
static void run_case(enum before before, struct walk *first, struct walk *second)
{
    pthread_t threads[2];
    uint64_t since;

    limit_own_time();
    if (before != NOTHING && call_wrongly(NULL))
        _exit(51);
    if (before != NOTHING &&
        filch_pool_create(&old_pool, FILCH_POOL_OPTIONS(.workers = 3)))
        _exit(52);
    if (before == POOLS_BEFORE_FORK) {
        pid_t child = fork();

        if (child)
            _exit(value_of_child(child) & 255);
        limit_own_time();
    }
    seam.process = getpid();
    prepare(first, before != NOTHING);
    prepare(second, before != NOTHING && first->way != DESTROY);
    if (__real_pthread_create(&threads[0], NULL, walk, first))
        _exit(53);
    while (!atomic_load(&seam.held) && !atomic_load(&first->is_over))
        sched_yield();
    since = now_ns();
    if (__real_pthread_create(&threads[1], NULL, walk, second))
        _exit(54);
    while (!atomic_load(&second->is_over) && now_ns() - since < MOST_HELD_NS)
        sched_yield();
    atomic_store(&seam.may_go, 1);
    if (__real_pthread_join(threads[0], NULL) || __real_pthread_join(threads[1], NULL))
        _exit(55);
    filch_pool_destroy(first->pool);
    filch_pool_destroy(second->pool);
    if (atomic_load(&first->wrong) || atomic_load(&second->wrong))
        _exit(1);
    if (sum_wrongly(NULL))
        _exit(2);
    exit(ENDED);
}

/* Hold the first way at each of its points in turn. */
static unsigned run_pair(enum before before, enum way first_way, enum way second_way)
{
    unsigned point = 0;

    do {
        struct walk first = {.way = first_way, .point = ++point};
        struct walk second = {.way = second_way};
        pid_t child;
        int value;

        atomic_store(was_held, 0);
        fflush(NULL);
        child = fork();
        if (child == 0)
            run_case(before, &first, &second);
        value = value_of_child(child);
        if (value != ENDED)
            fail_msg("%s: %s, held at its call %u to the system, against %s: %d",
                     before_names[before], way_names[first_way], point,
                     way_names[second_way], value);
    } while (atomic_load(was_held) && point < MOST_POINTS);
    if (point == MOST_POINTS)
        print_message("%s: %s against %s: not held after call %u\n", before_names[before],
                      way_names[first_way], way_names[second_way], point);
    return point - 1;
}

/* --- tests ---------------------------------------------------------------------------- */

static void every_way_against_every_other(void **state)
{
    enum before before = (enum before)(uintptr_t)*state;
    unsigned points = 0, first, second;

    if (IS_ASAN)
        skip();
    for (first = 0; first < WAYS; first++)
        for (second = 0; second < WAYS; second++)
            if (first != EXIT || second != EXIT) /* which C forbids */
                points += run_pair(before, (enum way)first, (enum way)second);
    print_message("%s: held at %u points\n", before_names[before], points);
    assert_true(points > 200); /* the calls are replaced */
}

int main(void)
{
    struct CMUnitTest tests[BEFORES];
    size_t i;

    was_held = mmap(NULL, sizeof *was_held, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (was_held == MAP_FAILED)
        return 1;
    setenv("FILCH_NUM_THREADS", "3", 1);
    for (i = 0; i < BEFORES; i++)
        tests[i] = (struct CMUnitTest){.name = before_names[i],
                                       .test_func = every_way_against_every_other,
                                       .initial_state = (void *)(uintptr_t)i};
    return _cmocka_run_group_tests("ways of a pool's life", tests, BEFORES, NULL, NULL);
}
