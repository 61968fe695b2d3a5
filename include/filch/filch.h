/* filch.h - all of filch. A tour, in reading order:
 *
 *   loop.h    filch_for, filch_map: a loop over a range or an array
 *   tiles.h   filch_for_2d, filch_for_3d: the same over the tiles of a rectangle or a box
 *   reduce.h  filch_reduce: fold a range to one value, the same bits every time
 *   typed.h   filch_sum, filch_dot, filch_min, ...: reductions of arrays of numbers
 *   scan.h    filch_scan_sum, filch_scan, ...: running sums and the like
 *   pack.h    filch_filter, filch_partition, filch_unique, ...: keeping some of the items
 *   search.h  filch_find, filch_any, filch_merge, ...: finding items, merging sorted ones
 *   sort.h    filch_sort_keys, filch_argsort, ...: arrays of numbers, in order
 *   sort_by.h filch_sort, filch_sort_strings, ...: sorting by a comparison, and strings
 *   group.h   filch_group: map and reduce by key
 *   histogram.h  filch_histogram: how many items there are in each bin
 *   random.h  random numbers by their index, filch_shuffle
 *   join.h    filch_join, and filch_fork/filch_reclaim for the last nanoseconds
 *   scope.h   filch_scope, filch_spawn, filch_sync: any number of tasks
 *   local.h   filch_local: scratch memory for each worker
 *   cancel.h  ending loops early from outside (.cancel), and watching them (.progress)
 *   pool.h    options, pools of one's own, lanes, filch_run
 *   stats.h   what the workers did
 *   hot.h     not for reading: the frozen layout under the inline functions
 *
 * Conventions: functions return 0 or a negative errno, and loops the body's own value.
 * Options stand by name at the end of a call: filch_for(0, n, body, ctx, .grain = 64).
 * Sizes count items unless the name says _bytes.
 *
 * No function of the user's that filch calls (bodies, tasks, branches, jobs, combine,
 * tests, comparisons, the functions of filch_local, filch_group_by and .progress) may be
 * left by longjmp, a C++ exception, or the end of its thread. Jumps and exceptions that
 * stay inside are fine. Builds of the library with assertions (FILCH_ASSERTIONS; Debug
 * builds have them) look for others, as well as they can and but in the functions of
 * filch_local, and abort with one line on stderr. In other builds what happens is
 * undefined; an exception that nobody on its thread catches ends the program.
 *
 * No function of filch is a cancellation point (pthread_cancel): a call that has begun
 * returns, and the thread is cancelled later. But a thread that is cancelled at a
 * cancellation point in a function of the user's (read(), say) leaves it with the end of
 * its thread. A caller that may be cancelled disables that around the call, or in what it
 * calls (pthread_setcancelstate). Asynchronous cancellation must not be on during a call.
 *
 * Coroutines (ucontext) may make calls in a body, as long as the calls of a thread end in
 * the reverse order of their beginning. Builds with assertions do not support stacks of
 * coroutines that are arrays in a frame around the body's call.
 *
 * From C++17 the headers compile as they are, but for these macros, whose compound
 * literals are C: there, fill in a filch_opts (struct_size, abi = FILCH_HOT_ABI, ctx,
 * ...) and call the function behind the macro, filch_for_with and so on.
 */
#ifndef FILCH_FILCH_H
#define FILCH_FILCH_H

#define FILCH_VERSION_MAJOR 0
#define FILCH_VERSION_MINOR 1
#define FILCH_VERSION_PATCH 0

#include <filch/pool.h>
#include <filch/join.h>
#include <filch/scope.h>
#include <filch/loop.h>
#include <filch/tiles.h>
#include <filch/reduce.h>
#include <filch/typed.h>
#include <filch/scan.h>
#include <filch/pack.h>
#include <filch/search.h>
#include <filch/sort.h>
#include <filch/sort_by.h>
#include <filch/group.h>
#include <filch/histogram.h>
#include <filch/random.h>
#include <filch/local.h>
#include <filch/stats.h>

#endif
