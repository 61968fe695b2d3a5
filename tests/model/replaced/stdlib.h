/* stdlib.h - the system's, with the checker's allocation. */
#ifndef MODEL_REPLACED_STDLIB_H
#define MODEL_REPLACED_STDLIB_H

#pragma GCC system_header
#include_next <stdlib.h>
#include "checker_heap.h"

#endif
