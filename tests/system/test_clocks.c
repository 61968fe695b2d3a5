/* test_clocks.c - clocks that stand still, go back, jump or are coarse, and a processor whose
 * counter may not be read: pools are made and end, results are right, threads sleep.
 *
 * The system's clock is replaced in this program and in the library (the linker's --wrap). Each
 * clock has a process of its own (a role), because the counter is measured once in a process.
 * It returns how many things were wrong, or NOT_PERMITTED; when it hangs it is killed.
 */
#include "process.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include "clock.h"
#include "worker.h"

#define WORKERS 3
#define HOUR_NS (INT64_C(3600) * 1000000000)

/* --- the clock -------------------------------------------------------------------- */

static struct {
    enum { REAL, STANDING, BACKWARD, COARSE, JUMPING, FORBIDDEN } kind;
    int64_t jump_ns;
    long at; /* the call from which on it has jumped; a negative one: at each of them */
    atomic_long calls;
} made_up;

static int64_t real_ns(clockid_t id)
{
    struct timespec now = {0};

    syscall(SYS_clock_gettime, id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t made_up_ns(clockid_t id)
{
    const int64_t start = INT64_C(1000000) * 1000000000;
    long call = atomic_fetch_add(&made_up.calls, 1);

    switch (made_up.kind) {
    case STANDING:
        return start;
    case BACKWARD:
        return start - call * 1000;
    case COARSE:
        return real_ns(id) / 10000000 * 10000000;
    case JUMPING:
        if (made_up.at < 0)
            return start + call / -made_up.at % 2 * made_up.jump_ns + real_ns(id) % start;
        return 2 * HOUR_NS * 24 + real_ns(id) +
               (call >= made_up.at ? made_up.jump_ns : 0);
    default:
        return real_ns(id);
    }
}

int __real_clock_gettime(clockid_t id, struct timespec *time);
int __wrap_clock_gettime(clockid_t id, struct timespec *time);
int __wrap_clock_gettime(clockid_t id, struct timespec *time)
{
    int64_t ns;

    if (made_up.kind == FORBIDDEN) { /* as the vDSO's, where that reads the counter */
#ifdef __x86_64__
        __builtin_ia32_rdtsc();
#endif
        return __real_clock_gettime(id, time);
    }
    ns = made_up_ns(id);
    *time = (struct timespec){ns / 1000000000, ns % 1000000000};
    return 0;
}

/* --- what must work --------------------------------------------------------------- */

/* Until it has looked so often, a millisecond apart; no clock. */
static bool will_be(bool (*condition)(filch_pool *pool), filch_pool *pool)
{
    int looks;

    for (looks = 0; looks < 20000 && !condition(pool); looks++)
        sleep_us(1000);
    return condition(pool);
}

static bool are_all_asleep(filch_pool *pool)
{
    return lot_sleeping(fl_load_relaxed(&pool->lot.hungry)) == WORKERS - 1;
}

static atomic_uint begun;

static int begin(filch_worker *w, void *ctx)
{
    (void)w;
    (void)ctx;
    atomic_store(&begun, 1);
    return 0;
}

/* Ends only when a thread takes the other branch, which is private. */
static int wait_for_begin(filch_worker *w, void *ctx)
{
    (void)w;
    (void)ctx;
    while (!atomic_load(&begun))
        sched_yield();
    return 0;
}

static int join_both(filch_worker *w, void *ctx)
{
    return filch_join(w, wait_for_begin, ctx, begin, ctx);
}

/* All are here at once; else the process is killed, for there is no clock to give up by. */
static int gather(filch_worker *w, size_t first, size_t end, void *ctx)
{
    (void)w;
    atomic_fetch_add((atomic_uint *)ctx, (unsigned)(end - first));
    while (atomic_load((atomic_uint *)ctx) < WORKERS)
        sched_yield();
    return 0;
}

static bool is_sane(uint64_t ns)
{
    return ns < (uint64_t)1 << 62;
}

static int stats_wrongly(filch_pool *pool)
{
    filch_stats stats = {.struct_size = sizeof stats};

    return filch_stats_get(pool, &stats) || !is_sane(stats.busy_ns) ||
           !is_sane(stats.idle_ns);
}

static int report(const char *what, int wrong)
{
    if (wrong)
        fprintf(stderr, "wrong: %s\n", what);
    return wrong;
}

/* Both clocks at about the same moment: the closest pair of a few, for this thread may lose its
 * CPU in between. */
static int64_t read_both(uint64_t *ticks)
{
    uint64_t before, after, gap = UINT64_MAX;
    int64_t ns = 0, now;
    int tries;

    for (tries = 0; tries < 20; tries++) {
        before = fl_ticks();
        now = real_ns(CLOCK_MONOTONIC);
        after = fl_ticks();
        if (after - before < gap) {
            gap = after - before;
            *ticks = before;
            ns = now;
        }
    }
    return ns;
}

/* Within a factor of four, by a clock that nobody has made up. */
static bool is_rate_wrong(void)
{
    uint64_t first = 0, last = 0;
    int64_t since = read_both(&first);
    double rate = fl_clock.ticks_per_ns;

    if (!fl_clock.is_counter)
        return rate < 1 || rate > 1;
    sleep_us(2000);
    rate *= (double)(read_both(&last) - since) / (double)fl_ticks_since(first, last);
    return !(rate > 0.25 && rate < 4);
}

static int works_wrongly(void)
{
    atomic_uint gathered = 0;
    uint32_t nothing = 0;
    filch_pool *pool;
    int wrong = 0, round;

    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = WORKERS)))
        return 90;
    wrong += report("the counter's rate", is_rate_wrong());
    wrong += report("prices", pool->launch.spinning == 0 || pool->launch.sleeping == 0 ||
                                  !is_sane(pool->launch.spinning));
    wrong += report("a thread that does not sleep", !will_be(are_all_asleep, pool));
    for (round = 0; round < 20; round++)
        wrong += report("a result", sum_wrongly(pool));
    wrong += report("a gathering",
                    filch_for(0, WORKERS, gather, &gathered, .pool = pool, .grain = 1));
    atomic_store(&begun, 0);
    wrong += report("a branch", filch_run(join_both, NULL, .pool = pool));
    wrong += report("the default pool", sum_wrongly(NULL));
    wrong += report("sleep again", !will_be(are_all_asleep, pool));
    (void)fl_futex_wait_until(&nothing, 0, fl_now_ns() + 1000000);
    wrong += report("the times in the statistics", stats_wrongly(pool));
    filch_pool_destroy(pool);
    return wrong;
}

/* --- roles ------------------------------------------------------------------------ */

static int standing(void)
{
    made_up.kind = STANDING;
    return works_wrongly();
}

static int backward(void)
{
    made_up.kind = BACKWARD;
    return works_wrongly();
}

static int child_works_wrongly(void)
{
    pid_t child = fork();

    if (child == 0) {
        limit_own_time();
        _exit(works_wrongly());
    }
    return child > 0 ? value_of_child(child) : 99;
}

/* Whenever the next step comes. */
static int coarse(void)
{
    int value = 0, times;

    made_up.kind = COARSE;
    for (times = 0; times < 20 && !value; times++) {
        sleep_us(1700 * times);
        value = child_works_wrongly();
    }
    return value;
}

/* One process for each call that may find another time, the first ones in the making of a
 * pool; the later ones wider apart. */
static int jumping(int64_t jump_ns)
{
    long at;
    int value;

    made_up.kind = JUMPING;
    made_up.jump_ns = jump_ns;
    for (at = 1; at < 20000; at += at < 12 ? 1 : at / 4) {
        made_up.at = at;
        value = child_works_wrongly();
        if (value) {
            fprintf(stderr, "the clock jumped at call %ld\n", at);
            return value;
        }
    }
    return 0;
}

static int jumping_ahead(void)
{
    return jumping(24 * HOUR_NS);
}

static int jumping_back(void)
{
    return jumping(-HOUR_NS);
}

/* To and fro, every few calls: no two threads agree. */
static int jumping_often(void)
{
    made_up.kind = JUMPING;
    made_up.jump_ns = HOUR_NS;
    made_up.at = -7;
    return works_wrongly();
}

/* As libfaketime does. The kernel knows nothing of it, and sleeps by its own clock. */
static int far_ahead_of_the_kernels(void)
{
    made_up.kind = JUMPING;
    made_up.jump_ns = 0;
    return works_wrongly();
}

static int forbidden(void)
{
#if defined(__x86_64__) && defined(PR_SET_TSC)
    filch_pool *pool;
    int wrong;

    /* The sanitizers read it themselves. */
    if (IS_TSAN || IS_ASAN || prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0))
        return NOT_PERMITTED;
    made_up.kind = FORBIDDEN;
    if (filch_pool_create(&pool, FILCH_POOL_OPTIONS(.workers = WORKERS)))
        return 90;
    wrong = sum_wrongly(pool) + sum_wrongly(NULL);
    filch_pool_destroy(pool);
    return wrong;
#else
    return NOT_PERMITTED;
#endif
}

static const struct {
    const char *name;
    int (*run)(void);
} roles[] = {
    {"standing", standing},
    {"backward", backward},
    {"coarse", coarse},
    {"ahead", jumping_ahead},
    {"back", jumping_back},
    {"often", jumping_often},
    {"far", far_ahead_of_the_kernels},
    {"forbidden", forbidden},
};

/* --- tests ------------------------------------------------------------------------ */

#define IN_ROLE(name, role)                                   \
    static void name(void **state)                            \
    {                                                         \
        (void)state;                                          \
        check_role(role, "no counter that can be forbidden"); \
    }

IN_ROLE(a_clock_that_stands_still_does_no_harm, "standing")
IN_ROLE(a_clock_that_goes_back_does_no_harm, "backward")
IN_ROLE(a_coarse_clock_does_no_harm, "coarse")
IN_ROLE(a_clock_that_jumps_ahead_by_a_day_does_no_harm, "ahead")
IN_ROLE(a_clock_that_jumps_back_by_an_hour_does_no_harm, "back")
IN_ROLE(a_clock_that_jumps_to_and_fro_does_no_harm, "often")
IN_ROLE(a_clock_that_is_far_ahead_of_the_kernels_does_no_harm, "far")
IN_ROLE(a_counter_that_may_not_be_read_is_not_read, "forbidden")

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_stands_still_does_no_harm),
        cmocka_unit_test(a_clock_that_goes_back_does_no_harm),
        cmocka_unit_test(a_coarse_clock_does_no_harm),
        cmocka_unit_test(a_clock_that_jumps_ahead_by_a_day_does_no_harm),
        cmocka_unit_test(a_clock_that_jumps_back_by_an_hour_does_no_harm),
        cmocka_unit_test(a_clock_that_jumps_to_and_fro_does_no_harm),
        cmocka_unit_test(a_clock_that_is_far_ahead_of_the_kernels_does_no_harm),
        cmocka_unit_test(a_counter_that_may_not_be_read_is_not_read),
    };
    size_t i;

    for (i = 0; argc > 1 && i < COUNT_OF(roles); i++)
        if (strcmp(argv[1], roles[i].name) == 0)
            return roles[i].run();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
