/* hwloc_plugin.c - what hwloc loads from HWLOC_PLUGINS_PATH: it says that it was loaded
 * (test_privileged.c), and is no plug-in otherwise. */
#define _DEFAULT_SOURCE /* setenv */
#include <stdlib.h>

__attribute__((constructor)) static void say_so(void)
{
    setenv("FILCH_TEST_PLUGIN_IS_LOADED", "1", 1);
}
