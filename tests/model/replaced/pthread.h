/* pthread.h - the system's, with the checker's mutexes and condition variables. */
#ifndef MODEL_REPLACED_PTHREAD_H
#define MODEL_REPLACED_PTHREAD_H

#pragma GCC system_header
#include_next <pthread.h>
#include "checker_posix.h"

#endif
