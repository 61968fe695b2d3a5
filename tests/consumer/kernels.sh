#!/usr/bin/env bash
# The inner loops of the typed reductions and scans are vector code: in the library of this build, and with
# every compiler at hand.
#
#   kernels.sh LIBRARY BUILD_TYPE LIB_FOLDER INCLUDE WORK
#
# x86-64 only, and not for builds to debug: elsewhere it ends with 77, which ctest takes for
# "skipped".
set -euo pipefail

library=$1 build_type=$2 lib=$3 include=$4 work=$5
failed=0 kernels=0

if [[ $(uname -m) != x86_64 ]]; then
    echo "skipped: not on x86-64"
    exit 77
fi
mkdir -p "$work"

# kernel NAME PATTERN: the function has an instruction of that kind.
kernel()
{
    kernels=$((kernels + 1))
    awk -v name="$1" '/^[0-9a-f]+ <.*>:$/ { inside = $2 ~ "^<" name "([.][a-z0-9.]+)?>:$" } inside' \
        "$work/all.s" >"$work/kernel.s"
    if [[ ! -s $work/kernel.s ]]; then
        echo "$what: there is no $1"
        failed=1
    elif ! grep -qE "[[:space:]]v?($2)[[:space:]]" "$work/kernel.s"; then
        echo "$what: no packed instruction ($2) in $1:"
        cat "$work/kernel.s"
        failed=1
    fi
}

# look WHAT FILE...
look()
{
    what=$1
    shift
    objdump -d --no-show-raw-insn "$@" >"$work/all.s"
    kernel sum_base_float addpd
    kernel sum_base_double addpd
    kernel sum_base_int32 paddq
    kernel sum_base_int64 paddq
    kernel sum_base_uint64 paddq
    kernel dot_base_float mulpd
    kernel dot_base_double mulpd
    # Not the products of integers, and no extremes of 64-bit ones: SSE2 has no such instruction.
    for extreme in min max; do
        kernel base_${extreme}_float 'cmp(n?l[te])?ps|(min|max)ps'
        kernel base_${extreme}_double 'cmp(n?l[te])?pd|(min|max)pd'
        kernel base_${extreme}_int32 pcmpgtd
    done
    for type in float double int32 int64 uint64; do
        kernel moments_base_$type mulpd
    done
    # Scans, and those that write past the caches.
    for type in float double int32 int64 uint64; do
        case $type in
        float | double) add=addpd ;;
        int32) add=paddd ;;
        *) add=paddq ;;
        esac
        for kind in in ex; do
            kernel scan_${kind}_$type $add
            kernel stream_${kind}_$type 'movnt(dq|ps|pd)'
            kernel stream_${kind}_min_$type 'movnt(dq|ps|pd)'
            kernel stream_${kind}_max_$type 'movnt(dq|ps|pd)'
        done
    done
}

if [[ $build_type == Debug ]]; then
    echo "skipped: a build to debug"
    exit 77
fi
look "$library" "$library"
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    objects=()
    for source in typed_sum typed_extreme typed_moments scan_sum scan_extreme; do
        "$compiler" -std=c11 -O3 -fPIC -ffp-contract=off -I"$include" -c "$lib/$source.c" \
            -o "$work/$compiler-$source.o"
        objects+=("$work/$compiler-$source.o")
    done
    look "$compiler" "${objects[@]}"
done
((failed == 0)) && echo "$kernels kernels, all of them with packed instructions"
exit "$failed"
