#!/usr/bin/env bash
# The names of filch/typed.h for all element types, with every compiler at hand and all warnings
# as errors; and that a wrong type of result is found.
#
#   typed.sh INCLUDE SOURCE
set -euo pipefail

include=$1 source=$2
compiled=0
flags=(-I"$include" -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only)

for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c11 gnu17; do
        "$compiler" -std="$standard" "${flags[@]}" "$source"
        compiled=$((compiled + 1))
    done
    if printf '#include <filch/typed.h>\nint f(double *x, float *out);\n%s\n' \
        'int f(double *x, float *out) { return filch_sum(x, 1, out); }' |
        "$compiler" -std=c11 "${flags[@]}" -x c - 2>/dev/null; then
        echo "$compiler takes a float for the sum of doubles" >&2
        exit 1
    fi
done
echo "$compiled compilations"
((compiled > 0))
