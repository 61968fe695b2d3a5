#!/usr/bin/env bash
# Fork and reclaim, as a user's program compiles them: no fence, no locked instruction, and few
# instructions at all.
#
#   hot_path.sh INCLUDE SOURCE WORK
#
# x86-64 only; elsewhere it ends with 77, which ctest takes for "skipped". Environment: CC.
set -euo pipefail

include=$1 source=$2 work=$3
# 55 with gcc 12 and with clang 14 when this was written, prologue and rare paths included.
most_instructions=60

[[ $(uname -m) == x86_64 ]] || exit 77
mkdir -p "$work"
"${CC:-cc}" -std=c11 -O3 -I"$include" -c "$source" -o "$work/hot_path.o"
objdump -d --no-show-raw-insn "$work/hot_path.o" |
    grep -E '^ +[0-9a-f]+:' | cut -f 2- >"$work/hot_path.s"
cat "$work/hot_path.s"

count=$(wc -l <"$work/hot_path.s")
((count >= 20)) || { echo "only $count instructions: was it disassembled?" >&2; exit 1; }
((count <= most_instructions)) || { echo "$count instructions" >&2; exit 1; }
# xchg with memory is locked without saying so; xchg %ax,%ax is a nop.
if grep -E '\b(lock|[lms]fence|cpuid)\b|\bxchg\b.*\(' "$work/hot_path.s"; then
    echo "a fence or a locked instruction on the path of fork and reclaim" >&2
    exit 1
fi
echo "$count instructions, none of them a fence or locked"
