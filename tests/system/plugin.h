/* plugin.h - the functions of a plug-in; see plugin.c. Each returns how much was wrong. */
#ifndef TESTS_SYSTEM_PLUGIN_H
#define TESTS_SYSTEM_PLUGIN_H

#include <filch/filch.h>

typedef int plugin_run_function(size_t count);

/* A loop and a reduction, on the plug-in's default pool. */
int plugin_run(size_t count);

/* A loop in whose bodies another plug-in runs. */
int plugin_run_around(plugin_run_function *other);

void *plugin_default_pool(void);

#endif
