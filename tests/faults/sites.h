/* sites.h - calls of the library to the system that can be made to fail.
 *
 * A site is a function that stands in the place of one of the system's (the linker's --wrap),
 * or one command of syscall(2). While it is armed, its calls are counted, on all threads, and
 * one of them, or that one and all later ones, fails as the real one would. Not among them:
 * what cannot fail on Linux, as mutexes without attributes, and pthread_atfork, which is
 * called when the library is loaded.
 */
#ifndef SITES_H
#define SITES_H

#include <stdbool.h>

enum site {
    SITE_MALLOC,
    SITE_CALLOC,
    SITE_ALIGNED_ALLOC,
    SITE_THREAD_CREATE,
    SITE_ATTR_INIT,
    SITE_ATTR_STACK,
    SITE_FOPEN,
    SITE_GETLINE,
    SITE_FGETS,
    SITE_GET_AFFINITY,
    SITE_SET_AFFINITY,
    SITE_GET_CPU,
    SITE_SYSCONF,
    SITE_GETRLIMIT,
    SITE_GETRUSAGE,
    SITE_GET_CLASS,
    SITE_SET_CLASS,
    SITE_GET_NICE,
    SITE_SET_NICE,
    SITE_FUTEX_WAIT,
    SITE_FUTEX_WAKE,
    SITE_MEMBARRIER_REGISTER,
    SITE_MEMBARRIER,
    SITE_HWLOC_INIT,
    SITE_HWLOC_FILTER,
    SITE_HWLOC_FILTER_ALL,
    SITE_HWLOC_FLAGS,
    SITE_HWLOC_LOAD,
    SITE_HWLOC_BITMAP,
    SITE_HWLOC_DEPTH,
    SITE_HWLOC_COUNT,
    SITE_HWLOC_KINDS,
    SITE_HWLOC_KIND,
    SITE_HWLOC_SYSTEM,
    SITES
};

const char *site_name(enum site site);

/* From now on call number `at` of the site fails (the first one is 0; -1: none), and all
 * after it if is_forever. Counts from 0 again. */
void sites_arm(enum site site, long at, bool is_forever);
void sites_disarm(void);

/* How many there were since sites_arm, of a site or all. */
long site_calls(enum site site);
long sites_failed(void); /* of those that were armed */

/* Blocks of memory that the library holds. */
long sites_blocks(void);

#endif
