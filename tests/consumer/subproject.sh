#!/usr/bin/env bash
# filch inside another project: which builds have assertions and optimised code, and what the other
# project installs.
#
#   subproject.sh SOURCE WORK
#
# Compiles no more than the file that has both an assertion and the search for escapes. Environment:
# CC, CXX, CMAKE, HWLOC, XXHASH.
set -euo pipefail

source=$1 work=$2
failed=0

fail()
{
    echo "$*" >&2
    failed=1
}

# configure ARGUMENT...: a project that adds filch, in "$work/build".
configure()
{
    rm -rf "$work/build"
    "$CMAKE" -S "$work/parent" -B "$work/build" -G "Unix Makefiles" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DFILCH_HWLOC="$HWLOC" \
        -DFILCH_XXHASH_INCLUDE_DIR="$XXHASH" "$@" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
}

# compiled FILE: the compiler's command for lib/FILE.
compiled()
{
    sed -nE 's/^ *"command": "(.*)",$/\1/p' "$work/build/compile_commands.json" |
        sed 's/\\"/"/g' | grep -F -- "-c $source/lib/$1"
}

# builds YES|NO ASSERTIONS OPTIMISED ARGUMENT...
builds()
{
    local assertions=$1 optimised=$2 command found=no
    shift 2
    configure "$@"
    command=$(compiled worker.c)
    (cd "$work/build/filch/lib" && mkdir -p CMakeFiles/filch_objects.dir && eval "$command")
    nm "$work/build/filch/lib/CMakeFiles/filch_objects.dir/worker.c.o" >"$work/symbols"
    grep -qE ' U (__assert_fail|__assert|fl_mark_begin)$' "$work/symbols" && found=yes
    [[ $found == "$assertions" ]] || fail "assertions: $found, not $assertions, with: $*"
    found=no
    [[ $command =~ [[:space:]]-O[123][[:space:]] ]] && found=yes
    [[ $found == "$optimised" ]] || fail "optimised: $found, not $optimised, with: $*"
    echo "assertions $assertions, optimised $optimised: ${*:-no arguments}"
}

rm -rf "$work"
mkdir -p "$work/parent"
cat >"$work/parent/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.21)
project(parent LANGUAGES C)
add_subdirectory($source filch)
file(WRITE \${CMAKE_CURRENT_BINARY_DIR}/own.txt "")
install(FILES \${CMAKE_CURRENT_BINARY_DIR}/own.txt DESTINATION share)
END

unset CFLAGS
# The last of several -O counts: the parent's own stays.
builds no yes
builds no yes -DCMAKE_BUILD_TYPE=None
builds no yes -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=-g -O1"
builds no no -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O0
builds no yes -DCMAKE_BUILD_TYPE=Release
builds yes yes -DCMAKE_BUILD_TYPE=Release -DFILCH_ASSERTIONS=ON
builds yes no -DCMAKE_BUILD_TYPE=Debug
builds no no -DCMAKE_BUILD_TYPE=Debug -DFILCH_ASSERTIONS=OFF

# Nothing is built: filch's own files would be missed.
configure
"$CMAKE" --install "$work/build" --prefix "$work/prefix" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "the parent installs filch, too"; }
[[ -e $work/prefix/share/own.txt ]] || fail "the parent's own file is not installed"
files=$(cd "$work/prefix" && find . -type f)
[[ $files == ./share/own.txt ]] || fail "installed besides the parent's own file: $files"
configure -DFILCH_INSTALL=ON
grep -q 'libfilch\.a' "$work/build/filch/lib/cmake_install.cmake" ||
    fail "FILCH_INSTALL=ON installs nothing"
exit "$failed"
