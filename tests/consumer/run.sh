#!/usr/bin/env bash
# Build a small program against an installed filch, and run it.
#
#   run.sh pkg-config|find_package shared|static c|cxx PREFIX WORK
#
# Environment: CC, CXX, CMAKE, LIBDIR, VERSION, SOVERSION.
set -euo pipefail

way=$1 kind=$2 language=$3 prefix=$4 work=$5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail()
{
    echo "$*" >&2
    exit 1
}

build_with_pkg_config()
{
    local source=$here/main.c compiler=("$CC" -std=c11)
    local flags query=(--cflags --libs)

    if [[ $language == cxx ]]; then
        source=$here/main.cc compiler=("$CXX" -std=c++17)
    fi
    if [[ $kind == static ]]; then
        # With both libraries in a folder the linker takes the shared one.
        cp -r "$prefix" prefix
        rm prefix/"$LIBDIR"/libfilch.so*
        prefix=$PWD/prefix
        query+=(--static)
    fi
    export PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig LD_LIBRARY_PATH=$prefix/$LIBDIR
    [[ $(pkg-config --modversion filch) == "$VERSION" ]] || fail "filch.pc has another version"
    read -ra flags <<<"$(pkg-config "${query[@]}" filch)"
    if [[ $kind == shared && " ${flags[*]} " == *hwloc* ]]; then
        fail "a program that links the shared library is told to link hwloc: ${flags[*]}"
    fi
    echo "${compiler[*]} -Wall -Wextra -Wpedantic -Werror $source -o program ${flags[*]}"
    "${compiler[@]}" -Wall -Wextra -Wpedantic -Werror "$source" -o program "${flags[@]}"
}

build_with_find_package()
{
    "$CMAKE" -S "$here/project" -B . -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
        -DKIND="$kind" -DLANGUAGE="$language" -DEXPECTED_VERSION="$VERSION"
    "$CMAKE" --build .
}

rm -rf "$work"
mkdir -p "$work"
cd "$work"
case $way in
pkg-config) build_with_pkg_config ;;
find_package) build_with_find_package ;;
*) fail "no such way: $way" ;;
esac

needed=$(readelf -d program | grep NEEDED || true)
if [[ $kind == shared ]]; then
    [[ $needed == *\[libfilch.so."$SOVERSION"\]* ]] ||
        fail "the program does not need libfilch.so.$SOVERSION: $needed"
else
    [[ $needed != *libfilch* ]] || fail "the program needs a shared libfilch: $needed"
fi
./program
