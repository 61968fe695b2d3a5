/* fuzz_calls.c - libFuzzer writes calls of filch; calls.h checks them.
 *
 *     cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_calls
 *     ctest --preset fuzz -L fuzz                  (FILCH_FUZZ_SECONDS=20)
 *     build/fuzz/tests/fuzz/fuzz_calls -max_len=400 -max_total_time=600
 *
 * An input that fails is left in the folder tests/fuzz of the build, as crash-..., hang as
 * timeout-...; it is run again by
 *
 *     build/fuzz/tests/fuzz/fuzz_calls build/fuzz/tests/fuzz/crash-...
 */
#include <stdio.h>
#include <stdlib.h>
#include "calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (run_calls(bytes, size))
        abort(); /* it has said why */
    return 0;
}
