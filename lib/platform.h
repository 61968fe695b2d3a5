/* platform.h - the operating system behind one contract.
 *
 * Job: threads, futex, clock, fences across threads, memory, affinity, CPU quota,
 * environment variables.
 * Every function returns 0 or a negative errno unless it says otherwise; none but
 * fl_heavy_fence prints or exits. Another system means another platform_*.c.
 */
#ifndef FL_PLATFORM_H
#define FL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

/* --- time ------------------------------------------------------------------------- */

/* Nanoseconds of a clock that should never go back. It may stand still, go back, jump and be
 * coarse, where somebody puts another clock_gettime before the system's: nothing may wait
 * for it alone. */
uint64_t fl_now_ns(void);

/* --- waiting ---------------------------------------------------------------------- */

/* Sleep while *word == expected. May return early for any reason: the caller looks
 * again. */
void fl_futex_wait(uint32_t *word, uint32_t expected);

/* The same until a moment of fl_now_ns at most; UINT64_MAX never comes. True when it has
 * come. */
bool fl_futex_wait_until(uint32_t *word, uint32_t expected, uint64_t deadline_ns);

/* Wake up to count sleepers on word. The memory may be gone already (it is an address
 * only). */
void fl_futex_wake(uint32_t *word, int count);

/* Give the CPU to another runnable thread, if there is one. */
void fl_yield(void);

/* What the calling thread has got from the system, and lost to it. */
struct fl_usage {
    uint64_t preemptions; /* how often it had to give its CPU to another thread */
    uint64_t sleeps;      /* and how often it gave it up itself */
    uint64_t cpu_ns;      /* CPU time since it began */
};
struct fl_usage fl_thread_usage(void); /* all 0: not known */

/* --- fences across threads -------------------------------------------------------- */

/* Make fl_heavy_fence usable in this process. True when it is; the answer does not change
 * in a process, and survives fork. */
bool fl_heavy_fence_init(void);

/* Pre: fl_heavy_fence_init() was true. Every running thread of the process passes a full
 * fence between the call and the return; the caller does so too. Ends the process when
 * the system refuses, for without the fence jobs would run twice or never. */
void fl_heavy_fence(void);

/* --- memory ----------------------------------------------------------------------- */

#define FL_CACHE_LINE 64

/* Zeroed memory, aligned to a cache line; NULL when there is none. Large blocks are not
 * touched until used. Free with fl_free(). */
void *fl_zalloc(size_t bytes);
void fl_free(void *block);

/* Ask for large pages under that memory, as far as whole ones lie in it. A hint. */
void fl_hint_large(void *block, size_t bytes);

/* --- what nobody can foresee ------------------------------------------------------ */

/* Another number at every call, which nobody outside of the process can foresee: so that
 * nobody can choose keys that are slow. Not for secrets. Cannot fail. In a file of its own,
 * so that a test can choose it. */
uint64_t fl_salt(void);

/* In a child of fork(): go on with other numbers than the parent and its other children. */
void fl_salt_forget(void);

/* --- threads ---------------------------------------------------------------------- */

typedef pthread_t fl_thread;

/* The most that a call of filch takes of its caller's stack, and what a pool's thread has at
 * least for bodies and for handlers of signals, besides a call that one of them makes.
 * tests/system/test_stacks.c looks at painted stacks. */
#define FL_CALL_STACK_BYTES ((size_t)64 * 1024)
#define FL_BODY_STACK_BYTES ((size_t)32 * 1024)

/* Start a thread with signals blocked, so that handlers run on the program's own threads;
 * but for faults, a profiler's, and those by which collectors stop threads.
 * stack_bytes 0: the soft stack limit of the process where it is finite, else the
 * system's default. Raised to what the system needs (the program's static thread-local
 * memory included), and a body, and a call that it makes. */
int fl_thread_start(fl_thread *thread, size_t stack_bytes, void *(*main)(void *),
                    void *arg);
void fl_thread_join(fl_thread thread);

/* Give the calling thread the scheduling class and the nice value of the process's main
 * thread, but no real-time class. As far as that is permitted. */
void fl_thread_schedule_as_process(void);

/* Keep the calling thread from being cancelled, until fl_cancel_release with what this
 * returns. */
int fl_cancel_hold(void);
void fl_cancel_release(int before);

/* Which signals the calling thread has blocked. */
typedef struct fl_signals {
    _Alignas(8) unsigned char bytes[128]; /* a sigset_t */
} fl_signals;
void fl_signals_get(fl_signals *blocked);
void fl_signals_set(const fl_signals *blocked);

/* Names show in debuggers and top; at most 15 characters, longer ones are cut. */
void fl_thread_name(const char *name);

/* --- the environment -------------------------------------------------------------- */

/* Does the process run with more rights than whoever started it (set-user-ID, set-group-ID,
 * file capabilities)? Then the environment is that of somebody who must not gain them. */
bool fl_is_privileged(void);

/* A variable of the environment; NULL when it is unset, or the process is privileged. The
 * library reads the environment by this function only. */
const char *fl_getenv(const char *name);

/* --- CPUs ------------------------------------------------------------------------- */

/* A set of operating system CPU numbers, as large as the machine needs. */
struct fl_cpuset {
    size_t bytes;
    void *bits; /* a cpu_set_t of that many bytes */
};

/* The calling thread's affinity mask. Post: on success *set owns memory, free it with
 * fl_cpuset_free (which allows a set that is all zero). */
int fl_cpuset_allowed(struct fl_cpuset *set);
int fl_cpuset_init(struct fl_cpuset *set, unsigned highest_cpu); /* an empty set */
void fl_cpuset_free(struct fl_cpuset *set);
void fl_cpuset_add(struct fl_cpuset *set, unsigned cpu);
bool fl_cpuset_has(const struct fl_cpuset *set, unsigned cpu);
unsigned fl_cpuset_count(const struct fl_cpuset *set);
/* One past the highest CPU number that the set can hold. */
unsigned fl_cpuset_limit(const struct fl_cpuset *set);

/* The memory of a set that is not allocated, of as many CPUs as Linux can be built for. */
#define FL_MOST_CPUS 8192
struct fl_mask {
    uint64_t bits[FL_MOST_CPUS / 64];
};

static inline struct fl_cpuset fl_cpuset_in(struct fl_mask *mask)
{
    return (struct fl_cpuset){sizeof mask->bits, mask->bits};
}

/* Whose mask: the calling thread's, the main thread's, or that of the main thread of the
 * process that forked this one. */
enum fl_whose { FL_OWN, FL_MAIN_THREADS, FL_PARENTS };

/* Read a mask into a set whose memory the caller has. Allocates nothing: a child of fork()
 * may not. -EINVAL where the system's masks are longer. */
int fl_cpuset_read(struct fl_cpuset *set, enum fl_whose whose);

/* Bind the calling thread. */
int fl_bind_self(const struct fl_cpuset *set);

/* How many CPUs the machine has online; at least 1. For who may not ask for its mask. */
unsigned fl_cpus_online(void);

/* The CPU the caller is on now, or -1. */
int fl_current_cpu(void);

/* CPU time that the control groups (v1 and v2) around this process allow, in thousandths
 * of a CPU: the smallest along the path to the root; 0 where nothing limits it or nothing
 * can be read. root: "" for the real system; tests put a directory here under which proc/
 * and sys/ are looked for. */
uint64_t fl_cpu_quota_milli(const char *root);

#endif
