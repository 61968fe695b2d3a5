/* platform_salt.c - numbers that nobody outside of the process can foresee, for hashes and
 * samples: see fl_salt in platform.h.
 *
 * They are made of the 16 random bytes that the kernel gives every program. No system call
 * is needed and nothing can fail. These bytes guard the program's stack, too: they are not
 * to be guessed from what a salt does, so Philox and the clock stand in between.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <filch/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "atomics.h"
#include "base.h"
#include "platform.h"

/* 0: to be made. Two threads may make one each, and use either. */
static uint64_t secret;

static uint64_t calls;

static uint64_t make_secret(void)
{
    uint64_t number[2] = {0, (uint64_t)getpid()}, given[2] = {0, 0};
    struct timespec now = {0};
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    uint32_t word[4];

    /* Not fl_now_ns, which the first pool prepares: there may be none yet. */
    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    number[0] = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
    if (random)
        memcpy(given, random, sizeof given);
    number[1] = number[1] << 32 ^ (uintptr_t)&secret ^ (uintptr_t)&number >> 4;
    number[1] ^= given[1];
    memcpy(word, number, sizeof word);
    filch_philox(word, (uint32_t)given[0], (uint32_t)(given[0] >> 32));
    return ((uint64_t)word[1] << 32 | word[0]) | 1;
}

uint64_t fl_salt(void)
{
    /* Relaxed: numbers that nothing else depends on. */
    uint64_t number[2] = {fl_add_relaxed(&calls, 1), 0};
    uint64_t seed = fl_load_relaxed(&secret);

    if (FILCH_UNLIKELY(seed == 0)) {
        seed = make_secret();
        fl_store_relaxed(&secret, seed);
    }
    return XXH3_64bits_withSeed(number, sizeof number, seed);
}

void fl_salt_forget(void)
{
    fl_store_relaxed(&secret, UINT64_C(0));
}
