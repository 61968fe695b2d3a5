/* platform_posix.c - time, futex, fences, memory and threads on Linux with POSIX threads.
 *
 * Job: everything of platform.h but CPU sets (platform_cpuset.c), the quota of the control
 * groups (platform_quota.c) and salts (platform_salt.c). Relies on futex(2) and, where the
 * kernel has and allows it, membarrier(2). Keeps no state of its own: what must be
 * remembered, the kernel remembers. Never handles a signal.
 */
#define _GNU_SOURCE
#include "platform.h"
#include "base.h"
#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#else
#error \
    "platform_posix.c waits on Linux futexes: give this system fl_futex_wait/_wake first"
#endif

/* --- time ------------------------------------------------------------------------- */

uint64_t fl_now_ns(void)
{
    struct timespec now = {0};

    /* The vDSO's reads the counter of the processor, which may be forbidden. */
    if (fl_clock.may_call_vdso)
        clock_gettime(CLOCK_MONOTONIC, &now);
    else
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- waiting ---------------------------------------------------------------------- */

/* When a thread goes on after it slept, the kernel has loaded its vector registers from
 * memory, and the processor takes their upper halves for used, zero as they are. Code for
 * 128 bits, all plain floating point, then waits for them at every instruction: a
 * Mandelbrot row took 1.5 times as long, for as long as nothing said that they are free.
 * No caller of a function expects anything in them. */
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx"))) static void free_upper_halves(void)
{
    __builtin_ia32_vzeroupper();
}

static void forget_vectors(void)
{
    if (__builtin_cpu_supports("avx"))
        free_upper_halves();
}
#else
static void forget_vectors(void)
{
}
#endif

/* Private: the kernel then takes the address itself for the key and never looks behind it
 * on a wake, which is what lets a waker touch a word whose owner has already left. */
void fl_futex_wait(uint32_t *word, uint32_t expected)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
    forget_vectors();
}

bool fl_futex_wait_until(uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
    uint64_t left_ns = fl_ticks_since(fl_now_ns(), deadline_ns);
    struct timespec left = {.tv_sec = 1};
    bool is_over;

    if (left_ns == 0)
        return true;
    if (left_ns < 1000000000u)
        left = (struct timespec){.tv_nsec = (long)left_ns};
    /* A length, and no long one, not a moment: the program may have made up its clock, which
     * the kernel does not know, and set it back meanwhile. */
    is_over = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected,
                      deadline_ns == UINT64_MAX ? NULL : &left, NULL, 0) != 0 &&
              errno == ETIMEDOUT && left_ns < 1000000000u;
    forget_vectors();
    return is_over;
}

void fl_futex_wake(uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void fl_yield(void)
{
    sched_yield();
}

static uint64_t ns_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

struct fl_usage fl_thread_usage(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return (struct fl_usage){0};
    return (struct fl_usage){.preemptions = (uint64_t)usage.ru_nivcsw,
                             .sleeps = (uint64_t)usage.ru_nvcsw,
                             .cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime)};
}

/* --- fences across threads -------------------------------------------------------- */

#if defined(__linux__) && defined(SYS_membarrier)

/* The kernel keeps the registration with the address space, so asking again costs a
 * system call and no answer has to be cached; fork copies it with the address space. */
bool fl_heavy_fence_init(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void die_without_fence(int error)
{
    char line[80];
    int length =
        snprintf(line, sizeof line,
                 "filch: membarrier worked, and now fails with errno %d\n", error);
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);

    (void)written;
    abort();
}

void fl_heavy_fence(void)
{
    bool was_registered_again = false;

    while (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
        /* Kernels that keep their CPU masks off the stack allocate one here, and may be
         * out of memory for a moment. */
        if (errno == ENOMEM) {
            fl_yield();
            continue;
        }
        /* EPERM: not registered. A process that was restored from a checkpoint, or a
         * sandbox's kernel after fork(), may have lost that. Anything else, and EPERM
         * once more, means that the process forbade the call to itself (seccomp). */
        if (errno != EPERM || was_registered_again || !fl_heavy_fence_init())
            die_without_fence(errno);
        was_registered_again = true;
    }
}

#else

bool fl_heavy_fence_init(void)
{
    return false;
}

void fl_heavy_fence(void)
{
    FL_ASSERT(!"fl_heavy_fence without fl_heavy_fence_init");
}

#endif

/* --- memory ----------------------------------------------------------------------- */

_Static_assert(FL_CACHE_LINE >= sizeof(void *) && _Alignof(max_align_t) >= sizeof(void *),
               "the gap before an aligned block holds a pointer");

/* calloc and not aligned_alloc with memset: calloc knows that fresh pages are zero
 * already and leaves them untouched. calloc and not mmap: leak checkers follow it. */
void *fl_zalloc(size_t bytes)
{
    char *start;
    char *block;

    if (bytes > SIZE_MAX - FL_CACHE_LINE)
        return NULL;
    start = calloc(1, bytes + FL_CACHE_LINE);
    if (!start)
        return NULL;
    /* Up to the next line, a whole one where start is on a line already: never a gap of
     * 0. */
    block = start + (FL_CACHE_LINE - (uintptr_t)start % FL_CACHE_LINE);
    ((void **)(void *)block)[-1] = start;
    return block;
}

void fl_free(void *block)
{
    if (block)
        free(((void **)block)[-1]);
}

void fl_hint_large(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t large = (uintptr_t)2 * 1024 * 1024; /* on most processors */
    uintptr_t begin = ((uintptr_t)block + large - 1) / large * large;
    uintptr_t end = ((uintptr_t)block + bytes) / large * large;

    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)block;
    (void)bytes;
#endif
}

/* --- threads ---------------------------------------------------------------------- */

/* 0: the system's default. */
static size_t soft_stack_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    return (size_t)FL_MIN(limit.rlim_cur, (rlim_t)SIZE_MAX);
}

static int add_thread_local(struct dl_phdr_info *info, size_t bytes, void *sum)
{
    int i;

    (void)bytes;
    for (i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            *(size_t *)sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
    return 0;
}

/* A thread on less than the system's least is not started at all, and thread-local memory,
 * which lies on its stack, is not always part of that. */
static size_t least_stack(void)
{
    long least = sysconf(_SC_THREAD_STACK_MIN); /* grows with the processor's registers */
    size_t local_bytes = 0;

    dl_iterate_phdr(add_thread_local, &local_bytes);
    return (size_t)FL_MAX(least, (long)PTHREAD_STACK_MIN) + local_bytes +
           FL_CALL_STACK_BYTES + FL_BODY_STACK_BYTES;
}

/* pthread_attr_setstacksize may refuse what is not whole pages. */
static size_t round_up_to_page(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t beyond = bytes % page;

    if (beyond == 0)
        return bytes;
    if (bytes > SIZE_MAX - page)
        return bytes - beyond; /* nobody has that much: pthread_create will say so */
    return bytes - beyond + page;
}

static int set_stack(pthread_attr_t *attributes, size_t stack_bytes)
{
    if (stack_bytes == 0)
        stack_bytes = soft_stack_limit();
    if (stack_bytes == 0)
        return 0;
    stack_bytes = round_up_to_page(FL_MAX(stack_bytes, least_stack()));
    return pthread_attr_setstacksize(attributes, stack_bytes);
}

/* What a thread of filch's blocks, started by one with that mask: all but
 * - faults, whose handlers must run where they happen;
 * - SIGPROF, by which profilers interrupt each thread;
 * - what garbage collectors send to a thread to stop it and to let it go on (Boehm's,
 *   Mono's), unless the program keeps it from the starter too.
 * All others come to the process as a whole, and are for the program's own threads. */
static void mask_of_thread(const sigset_t *starters, sigset_t *blocked)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPROF};
    static const int stopping[] = {SIGPWR, SIGXCPU};
    size_t i;

    sigfillset(blocked);
    for (i = 0; i < sizeof open / sizeof open[0]; i++)
        sigdelset(blocked, open[i]);
    for (i = 0; i < sizeof stopping / sizeof stopping[0]; i++)
        if (!sigismember(starters, stopping[i]))
            sigdelset(blocked, stopping[i]);
}

int fl_thread_start(fl_thread *thread, size_t stack_bytes, void *(*main)(void *),
                    void *arg)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;
    int err;

    err = pthread_attr_init(&attributes);
    if (err)
        return -err;
    err = set_stack(&attributes, stack_bytes);
    if (err)
        goto destroy_attributes;

    /* The new thread inherits the mask. Blocking from inside of it would leave a moment
     * in which a handler could run there. */
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    mask_of_thread(&before, &blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
    err = pthread_create(thread, &attributes, main, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

destroy_attributes:
    pthread_attr_destroy(&attributes);
    return -err;
}

/* Of a thread by its number, which for the main thread is the process's. False: nobody
 * says. System calls, because musl's functions for this refuse all. */
static bool class_of(pid_t id, int *policy)
{
    long got = syscall(SYS_sched_getscheduler, id);

    *policy = (int)got & ~SCHED_RESET_ON_FORK;
    return got >= 0;
}

static bool nice_of(pid_t id, int *nice)
{
    errno = 0;
    *nice = getpriority(PRIO_PROCESS, (id_t)id);
    return *nice != -1 || errno == 0;
}

void fl_thread_schedule_as_process(void)
{
    static const struct sched_param no_priority;
    int own, of_process;

    if (class_of(getpid(), &of_process) && class_of(0, &own)) {
        if (of_process == SCHED_FIFO || of_process == SCHED_RR ||
            of_process == SCHED_DEADLINE)
            of_process = SCHED_OTHER; /* who looks for work would keep all others out */
        if (own != of_process)
            (void)syscall(SYS_sched_setscheduler, 0, of_process, &no_priority);
    }
    if (nice_of(getpid(), &of_process) && nice_of(0, &own) && own != of_process)
        (void)setpriority(PRIO_PROCESS, 0, of_process);
}

int fl_cancel_hold(void)
{
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void fl_cancel_release(int before)
{
    pthread_setcancelstate(before, &before);
}

_Static_assert(sizeof(sigset_t) <= sizeof(fl_signals), "fl_signals holds a sigset_t");

void fl_signals_get(fl_signals *blocked)
{
    sigset_t set;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    memcpy(blocked, &set, sizeof set);
}

void fl_signals_set(const fl_signals *blocked)
{
    sigset_t set;

    memcpy(&set, blocked, sizeof set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

void fl_thread_join(fl_thread thread)
{
    int err = pthread_join(thread, NULL);

    FL_ASSERT(err == 0);
    (void)err;
}

void fl_thread_name(const char *name)
{
    char cut[16]; /* the kernel's limit; pthread_setname_np refuses longer names */

    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(pthread_self(), cut);
}

/* --- the environment -------------------------------------------------------------- */

bool fl_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}

const char *fl_getenv(const char *name)
{
    return secure_getenv(name);
}
