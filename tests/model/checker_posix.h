/* checker_posix.h - POSIX mutexes and condition variables, run by the model checker.
 *
 * Job: stands in for those of <pthread.h>, which replaced/pthread.h includes first: code
 * that is compiled with the folder replaced/ in its path is run as it is. Relies on
 * posix.c for all. A lock is a word, 1 while it is held; the rest of the real object is
 * not used. No attributes, no timed waits, no tries.
 */
#ifndef CHECKER_POSIX_H
#define CHECKER_POSIX_H

#include <pthread.h>
#include "model.h"

int model_mutex_init(pthread_mutex_t *mutex, const char *file, int line);
int model_mutex_destroy(pthread_mutex_t *mutex, const char *file, int line);
int model_mutex_lock(pthread_mutex_t *mutex, const char *file, int line);
int model_mutex_unlock(pthread_mutex_t *mutex, const char *file, int line);

int model_cond_init(pthread_cond_t *condition, const char *file, int line);
int model_cond_destroy(pthread_cond_t *condition, const char *file, int line);
int model_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, const char *file,
                    int line);
/* count: 1, or MODEL_THREADS for all. */
int model_cond_wake(pthread_cond_t *condition, int count, const char *file, int line);

/* The model's threads are one of the system's. */
#define pthread_self() ((pthread_t)(model_self() + 2)) /* -1: set-up and check */

#define pthread_mutex_init(mutex, attributes) \
    ((void)(attributes), model_mutex_init((mutex), __FILE__, __LINE__))
#define pthread_mutex_destroy(mutex) model_mutex_destroy((mutex), __FILE__, __LINE__)
#define pthread_mutex_lock(mutex)    model_mutex_lock((mutex), __FILE__, __LINE__)
#define pthread_mutex_unlock(mutex)  model_mutex_unlock((mutex), __FILE__, __LINE__)
#define pthread_cond_init(condition, attributes) \
    ((void)(attributes), model_cond_init((condition), __FILE__, __LINE__))
#define pthread_cond_destroy(condition) \
    model_cond_destroy((condition), __FILE__, __LINE__)
#define pthread_cond_wait(condition, mutex) \
    model_cond_wait((condition), (mutex), __FILE__, __LINE__)
#define pthread_cond_signal(condition) model_cond_wake((condition), 1, __FILE__, __LINE__)
#define pthread_cond_broadcast(condition) \
    model_cond_wake((condition), MODEL_THREADS, __FILE__, __LINE__)

#endif
