/* test_platform.c - time, futex, fences, memory, threads and CPU sets of this system.
 *
 * Relies on a Linux kernel; what the kernel or the sandbox does not give is skipped. The
 * affinity of this process can be replaced by a made-up one: see sched_getaffinity below.
 */
#define _GNU_SOURCE
#include "platform.h"
#include "atomics.h"
#include "base.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    EXIT_SKIP = 77,
};

#ifdef __has_feature
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define IS_IN_TSAN true
#else
#define IS_IN_TSAN false
#endif

/* It runs one thread at a time, and touches what it gives out. */
static bool is_in_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* --- a made-up kernel ------------------------------------------------------------- */

static struct {
    size_t mask_bytes; /* shorter masks get EINVAL, as where there are more CPUs */
    int highest_cpu;   /* -1: as the real one says */
    int error;         /* 0: none */
} kernel;

static int real_kernel(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    kernel.highest_cpu = -1;
    return 0;
}

/* The program's own definition comes before that of the C library. */
int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *mask)
{
    if (kernel.error || bytes < kernel.mask_bytes) {
        errno = kernel.error ? kernel.error : EINVAL;
        return -1;
    }
    memset(mask, 0, bytes);
    if (kernel.highest_cpu < 0)
        return syscall(SYS_sched_getaffinity, pid, bytes, mask) < 0 ? -1 : 0;
    CPU_SET_S((size_t)kernel.highest_cpu, bytes, mask);
    return 0;
}

/* --- time ------------------------------------------------------------------------- */

static void the_clock_counts_nanoseconds_and_never_goes_back(void **state)
{
    uint64_t start = fl_now_ns();
    uint64_t last = start;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++) {
        uint64_t now = fl_now_ns();

        assert_in_range(now, last, UINT64_MAX);
        last = now;
    }
    start = fl_now_ns();
    sleep_ms(20);
    assert_in_range(fl_now_ns() - start, 20 * 1000000, UINT64_C(60) * 1000000000);
}

/* --- waiting ---------------------------------------------------------------------- */

struct sleeper {
    uint32_t word;
    uint32_t rounds;
};

static void *sleep_until_changed(void *arg)
{
    struct sleeper *sleeper = arg;

    while (fl_load_acquire(&sleeper->word) == 0) {
        fl_add_relaxed(&sleeper->rounds, 1);
        fl_futex_wait(&sleeper->word, 0);
    }
    return NULL;
}

static void a_wait_for_another_value_returns_at_once(void **state)
{
    uint32_t word = 1;

    (void)state;
    fl_futex_wait(&word, 2); /* else hangs until the alarm */
    assert_int_equal(word, 1);
}

static void a_waiter_sleeps_until_it_is_woken(void **state)
{
    struct sleeper sleeper = {0};
    fl_thread thread;

    (void)state;
    assert_int_equal(fl_thread_start(&thread, 0, sleep_until_changed, &sleeper), 0);
    sleep_ms(50);
    fl_store_release(&sleeper.word, 1);
    fl_futex_wake(&sleeper.word, 1);
    fl_thread_join(thread);
    assert_in_range(sleeper.rounds, 0,
                    10); /* early returns are allowed, spinning is not */
}

static void one_wake_can_wake_everybody(void **state)
{
    struct sleeper sleeper = {0};
    fl_thread thread[3];
    int i;

    (void)state;
    for (i = 0; i < 3; i++)
        assert_int_equal(fl_thread_start(&thread[i], 0, sleep_until_changed, &sleeper),
                         0);
    sleep_ms(50);
    fl_store_release(&sleeper.word, 1);
    fl_futex_wake(&sleeper.word, INT_MAX);
    for (i = 0; i < 3; i++)
        fl_thread_join(thread[i]);
}

static void a_wake_on_memory_that_is_gone_does_no_harm(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *gone = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (is_in_valgrind())
        skip(); /* it reports the address */
    assert_ptr_not_equal(gone, MAP_FAILED);
    munmap(gone, page);
    fl_futex_wake(gone, 1);
}

/* --- fences across threads -------------------------------------------------------- */

/* Runs the body in a child, so that what it does to the process ends with it. */
static int wait_status_of_child(int (*body)(void))
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
        skip();
    return status;
}

static bool forbid_membarrier(int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = (unsigned short)(sizeof filter / sizeof *filter),
                                 .filter = filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int init_where_forbidden(int error)
{
    if (!forbid_membarrier(error))
        return EXIT_SKIP;
    return fl_heavy_fence_init() ? 1 : 0;
}

static int init_with_eperm(void)
{
    return init_where_forbidden(EPERM);
}

static int init_with_enosys(void)
{
    return init_where_forbidden(ENOSYS);
}

static void heavy_fences_are_off_where_membarrier_is_refused(void **state)
{
    (void)state;
    assert_int_equal(wait_status_of_child(init_with_eperm), 0);
    assert_int_equal(wait_status_of_child(init_with_enosys), 0);
}

static int fence_refused_after_init(void)
{
    struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    if (!fl_heavy_fence_init() || !forbid_membarrier(EPERM))
        return EXIT_SKIP;
    fl_heavy_fence();
    return 0;
}

static void a_fence_that_is_refused_later_aborts_instead_of_passing(void **state)
{
    int status;

    (void)state;
    status = wait_status_of_child(fence_refused_after_init);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* As after a registration that was lost: in a process that has none yet. */
static int fence_unregistered(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0 ||
        errno != EPERM)
        return EXIT_SKIP;
    fl_heavy_fence();
    return 0;
}

static void a_fence_whose_registration_was_lost_registers_again(void **state)
{
    int status;

    (void)state;
    status = wait_status_of_child(fence_unregistered);
    if (status == EXIT_SKIP << 8)
        skip(); /* no membarrier, or an emulated one */
    assert_int_equal(status, 0);
}

static int fence_without_init(void)
{
    fl_heavy_fence();
    return 0;
}

static void heavy_fences_survive_a_fork(void **state)
{
    (void)state;
    if (!fl_heavy_fence_init())
        skip();
    assert_int_equal(wait_status_of_child(fence_without_init), 0);
}

/* Dekker: each side writes its word and reads the other's. Without fences both may read
 * 0, as a write waits in the store buffer while the read goes ahead. Both sides begin
 * together, and each round shifts one side a little against the other. */
struct dekker {
    uint32_t round; /* written by the heavy side, the light side follows */
    uint32_t followed;
    char apart_1[FL_CACHE_LINE];
    uint32_t light_word;
    char apart_2[FL_CACHE_LINE];
    uint32_t heavy_word;
    char apart_3[FL_CACHE_LINE];
    uint32_t light_saw;
    uint32_t rounds;
};

static void wait_for_round(uint32_t *word, uint32_t round)
{
    unsigned spins = 0;

    while (fl_load_acquire(word) != round)
        if (++spins % 1000 == 0)
            fl_yield();
        else
            fl_spin_hint();
}

static void shift(uint32_t steps)
{
    volatile uint32_t i;

    for (i = 0; i < steps; i++)
        ;
}

static void *light_side(void *arg)
{
    struct dekker *d = arg;
    uint32_t round;

    for (round = 1; round <= d->rounds; round++) {
        wait_for_round(&d->round, round);
        shift(round % 61);
        fl_store_relaxed(&d->light_word, 1);
        fl_fence_light();
        d->light_saw = fl_load_relaxed(&d->heavy_word);
        fl_store_release(&d->followed, round);
    }
    return NULL;
}

static void a_heavy_fence_makes_light_fences_full_ones(void **state)
{
    struct dekker d = {.rounds = is_in_valgrind() ? 100 : 50000};
    uint32_t neither_saw = 0;
    uint32_t round;
    fl_thread thread;

    (void)state;
    if (!fl_heavy_fence_init())
        skip();
    assert_int_equal(fl_thread_start(&thread, 0, light_side, &d), 0);
    for (round = 1; round <= d.rounds; round++) {
        uint32_t heavy_saw;

        fl_store_relaxed(&d.light_word, 0);
        fl_store_relaxed(&d.heavy_word, 0);
        fl_store_release(&d.round, round);
        shift(round % 59);
        fl_store_relaxed(&d.heavy_word, 1);
        fl_fence_heavy();
        heavy_saw = fl_load_relaxed(&d.light_word);
        wait_for_round(&d.followed, round);
        neither_saw += heavy_saw == 0 && d.light_saw == 0;
    }
    fl_thread_join(thread);
    assert_int_equal(neither_saw, 0);
}

/* --- memory ----------------------------------------------------------------------- */

static void memory_is_zero_and_on_a_cache_line(void **state)
{
    const size_t sizes[] = {0, 1, 7, 63, 64, 65, 1000, 4096, 5 * MIB};
    size_t i;
    int again;

    (void)state;
    /* Twice, so that used memory comes back. */
    for (again = 0; again < 2; again++)
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *block = fl_zalloc(sizes[i]);
            size_t at;

            assert_non_null(block);
            assert_int_equal((uintptr_t)block % FL_CACHE_LINE, 0);
            for (at = 0; at < sizes[i]; at++)
                if (block[at] != 0)
                    fail_msg("byte %zu of %zu is %d, not 0", at, sizes[i], block[at]);
            memset(block, 0xa5, sizes[i]);
            fl_free(block);
        }
}

static void a_size_beyond_the_address_space_gives_null(void **state)
{
    (void)state;
    assert_null(fl_zalloc(SIZE_MAX));
    assert_null(fl_zalloc(SIZE_MAX - FL_CACHE_LINE + 1));
}

static void freeing_null_does_nothing(void **state)
{
    (void)state;
    fl_free(NULL);
}

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long total;
    unsigned long resident;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_large_block_costs_nothing_until_it_is_used(void **state)
{
    size_t before = resident_bytes();
    size_t after;
    void *block;

    (void)state;
    if (is_in_valgrind() || IS_IN_TSAN)
        skip(); /* their own books on the block are as large as the block */
    block = fl_zalloc(512 * (size_t)MIB);
    assert_non_null(block);
    after = resident_bytes();
    fl_free(block);
    /* An eighth of it is what the address sanitizer keeps beside it. */
    assert_in_range(after, 0, before + 128 * (size_t)MIB);
}

/* --- threads ---------------------------------------------------------------------- */

struct self {
    sigset_t blocked;
    char name[32];
    size_t stack_bytes;
};

static void *describe_self(void *arg)
{
    struct self *self = arg;
    pthread_attr_t attributes;
    void *stack;

    pthread_sigmask(SIG_SETMASK, NULL, &self->blocked);
    if (self->name[0])
        fl_thread_name(self->name);
    pthread_getname_np(pthread_self(), self->name, sizeof self->name);
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &stack, &self->stack_bytes);
        pthread_attr_destroy(&attributes);
    }
    return arg;
}

static struct self start_and_describe(size_t stack_bytes, const char *name)
{
    struct self self = {0};
    fl_thread thread;

    snprintf(self.name, sizeof self.name, "%s", name);
    assert_int_equal(fl_thread_start(&thread, stack_bytes, describe_self, &self), 0);
    fl_thread_join(thread);
    return self;
}

static bool can_be_blocked(int signal)
{
    /* Those between are the C library's own. */
    return signal != SIGKILL && signal != SIGSTOP && (signal < 32 || signal >= SIGRTMIN);
}

/* A fault kills the process when its signal is blocked, handler or not. */
static bool is_for_every_thread(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
           signal == SIGILL || signal == SIGTRAP || signal == SIGSYS || signal == SIGPROF;
}

/* Boehm's collector sends these to threads. */
static bool is_for_stopping(int signal)
{
    return signal == SIGPWR || signal == SIGXCPU;
}

static void
a_thread_starts_with_signals_blocked_but_for_faults_and_collectors(void **state)
{
    struct self self = start_and_describe(0, "");
    int signal;

    (void)state;
    if (IS_EMULATED)
        skip(); /* the emulator has signals for itself */
    for (signal = 1; signal <= SIGRTMAX; signal++)
        if (can_be_blocked(signal) &&
            sigismember(&self.blocked, signal) ==
                (is_for_every_thread(signal) || is_for_stopping(signal)))
            fail_msg("signal %d is %sblocked", signal,
                     sigismember(&self.blocked, signal) ? "" : "not ");
}

static void a_collectors_signals_are_blocked_where_the_starter_blocks_them(void **state)
{
    sigset_t xcpu, before;
    struct self self;

    (void)state;
    if (IS_EMULATED)
        skip(); /* the emulator has signals for itself */
    sigemptyset(&xcpu);
    sigaddset(&xcpu, SIGXCPU);
    pthread_sigmask(SIG_BLOCK, &xcpu, &before);
    self = start_and_describe(0, "");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_true(sigismember(&self.blocked, SIGXCPU));
    assert_false(sigismember(&self.blocked, SIGPWR));
}

static void assert_only_sigusr1_is_blocked(void)
{
    sigset_t blocked;
    int signal;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (signal = 1; signal <= SIGRTMAX; signal++)
        if (can_be_blocked(signal))
            assert_int_equal(sigismember(&blocked, signal), signal == SIGUSR1);
}

static void the_starter_keeps_its_own_signal_mask(void **state)
{
    sigset_t usr1;
    sigset_t before;
    fl_thread thread;

    (void)state;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &usr1, &before);
    start_and_describe(0, "");
    assert_only_sigusr1_is_blocked();
    assert_in_range(-fl_thread_start(&thread, SIZE_MAX, describe_self, NULL), 1, 4095);
    assert_only_sigusr1_is_blocked();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The C library keeps the stacks of threads that ended, and gives them to later threads
 * that ask for less. So these ask for more than any before. */

static void a_stack_is_as_large_as_asked(void **state)
{
    (void)state;
    assert_in_range(start_and_describe(20 * MIB + 1, "").stack_bytes, 20 * MIB + 1,
                    20 * MIB + 256 * KIB);
}

static void a_stack_too_small_for_a_call_is_raised(void **state)
{
    (void)state;
    assert_in_range(start_and_describe(1, "").stack_bytes,
                    FL_CALL_STACK_BYTES + FL_BODY_STACK_BYTES, 64 * MIB);
}

static void the_default_stack_follows_the_soft_limit(void **state)
{
    struct rlimit before;
    struct rlimit limit;
    struct self self;

    (void)state;
    getrlimit(RLIMIT_STACK, &before);
    limit = before;
    limit.rlim_cur = 24 * MIB;
    if (IS_EMULATED || setrlimit(RLIMIT_STACK, &limit) != 0)
        skip();
    self = start_and_describe(0, "");
    setrlimit(RLIMIT_STACK, &before);
    assert_in_range(self.stack_bytes, 24 * MIB, 24 * MIB + 256 * KIB);
}

static void without_a_limit_the_stack_is_the_systems_default(void **state)
{
    struct rlimit before;
    struct rlimit limit;
    struct self self;

    (void)state;
    getrlimit(RLIMIT_STACK, &before);
    limit = before;
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_STACK, &limit) != 0)
        skip();
    self = start_and_describe(0, "");
    setrlimit(RLIMIT_STACK, &before);
    assert_in_range(self.stack_bytes, 16 * KIB, SIZE_MAX / 2);
}

static void a_name_is_cut_to_what_the_kernel_takes(void **state)
{
    (void)state;
    assert_string_equal(start_and_describe(0, "short").name, "short");
    assert_string_equal(start_and_describe(0, "0123456789abcdefgh").name,
                        "0123456789abcde");
}

/* --- CPUs ------------------------------------------------------------------------- */

static void a_set_holds_what_was_added(void **state)
{
    struct fl_cpuset set;
    unsigned cpu;

    (void)state;
    assert_int_equal(fl_cpuset_init(&set, 3000), 0);
    assert_in_range(fl_cpuset_limit(&set), 3001, 3064);
    assert_int_equal(fl_cpuset_count(&set), 0);
    fl_cpuset_add(&set, 0);
    fl_cpuset_add(&set, 3000);
    fl_cpuset_add(&set, 3000);
    assert_int_equal(fl_cpuset_count(&set), 2);
    for (cpu = 0; cpu < 4000; cpu++)
        assert_int_equal(fl_cpuset_has(&set, cpu), cpu == 0 || cpu == 3000);
    fl_cpuset_free(&set);
    fl_cpuset_free(&set);
}

static void the_affinity_mask_grows_to_what_the_kernel_has(void **state)
{
    struct fl_cpuset set;

    (void)state;
    kernel.mask_bytes = 5000 / 8;
    kernel.highest_cpu = 4998;
    assert_int_equal(fl_cpuset_allowed(&set), 0);
    assert_int_equal(fl_cpuset_count(&set), 1);
    assert_true(fl_cpuset_has(&set, 4998));
    fl_cpuset_free(&set);
}

static void the_search_for_a_long_enough_mask_ends(void **state)
{
    struct fl_cpuset set;

    (void)state;
    kernel.mask_bytes = SIZE_MAX;
    assert_int_equal(fl_cpuset_allowed(&set), -EINVAL);
    kernel.mask_bytes = 0;
    kernel.error = ESRCH;
    assert_int_equal(fl_cpuset_allowed(&set), -ESRCH);
}

static void a_bound_thread_runs_on_its_cpu_only(void **state)
{
    struct fl_cpuset before;
    struct fl_cpuset one;
    struct fl_cpuset now;
    unsigned cpu;

    (void)state;
    assert_int_equal(fl_cpuset_allowed(&before), 0);
    assert_in_range(fl_cpuset_count(&before), 1, UINT_MAX);
    for (cpu = 0; cpu < fl_cpuset_limit(&before); cpu++) {
        if (!fl_cpuset_has(&before, cpu))
            continue;
        assert_int_equal(fl_cpuset_init(&one, cpu), 0);
        fl_cpuset_add(&one, cpu);
        assert_int_equal(fl_bind_self(&one), 0);
        assert_int_equal(fl_cpuset_allowed(&now), 0);
        assert_int_equal(fl_cpuset_count(&now), 1);
        assert_true(fl_cpuset_has(&now, cpu));
        assert_int_equal(fl_current_cpu(), cpu);
        fl_cpuset_free(&now);
        fl_cpuset_free(&one);
    }
    assert_int_equal(fl_bind_self(&before), 0);
    fl_cpuset_free(&before);
}

static void binding_to_no_cpu_is_an_error(void **state)
{
    struct fl_cpuset none;

    (void)state;
    assert_int_equal(fl_cpuset_init(&none, 1023), 0);
    assert_int_equal(fl_bind_self(&none), -EINVAL);
    fl_cpuset_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Those that fork, before any thread: in a child, valgrind takes what the C
         * library keeps of ended threads for leaks. */
        cmocka_unit_test(a_fence_whose_registration_was_lost_registers_again),
        cmocka_unit_test(heavy_fences_are_off_where_membarrier_is_refused),
        cmocka_unit_test(a_fence_that_is_refused_later_aborts_instead_of_passing),
        cmocka_unit_test(heavy_fences_survive_a_fork),
        cmocka_unit_test(the_clock_counts_nanoseconds_and_never_goes_back),
        cmocka_unit_test(a_wait_for_another_value_returns_at_once),
        cmocka_unit_test(a_waiter_sleeps_until_it_is_woken),
        cmocka_unit_test(one_wake_can_wake_everybody),
        cmocka_unit_test(a_wake_on_memory_that_is_gone_does_no_harm),
        cmocka_unit_test(a_heavy_fence_makes_light_fences_full_ones),
        cmocka_unit_test(memory_is_zero_and_on_a_cache_line),
        cmocka_unit_test(a_size_beyond_the_address_space_gives_null),
        cmocka_unit_test(freeing_null_does_nothing),
        cmocka_unit_test(a_large_block_costs_nothing_until_it_is_used),
        cmocka_unit_test(
            a_thread_starts_with_signals_blocked_but_for_faults_and_collectors),
        cmocka_unit_test(a_collectors_signals_are_blocked_where_the_starter_blocks_them),
        cmocka_unit_test(the_starter_keeps_its_own_signal_mask),
        cmocka_unit_test(a_stack_is_as_large_as_asked),
        cmocka_unit_test(a_stack_too_small_for_a_call_is_raised),
        cmocka_unit_test(the_default_stack_follows_the_soft_limit),
        cmocka_unit_test(without_a_limit_the_stack_is_the_systems_default),
        cmocka_unit_test(a_name_is_cut_to_what_the_kernel_takes),
        cmocka_unit_test(a_set_holds_what_was_added),
        cmocka_unit_test_setup_teardown(the_affinity_mask_grows_to_what_the_kernel_has,
                                        real_kernel, real_kernel),
        cmocka_unit_test_setup_teardown(the_search_for_a_long_enough_mask_ends,
                                        real_kernel, real_kernel),
        cmocka_unit_test(a_bound_thread_runs_on_its_cpu_only),
        cmocka_unit_test(binding_to_no_cpu_is_an_error),
    };

    kernel.highest_cpu = -1;
    alarm(100); /* a lost wake-up must not hang the whole run */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
