#!/usr/bin/env bash
# Install a build, move the result elsewhere, and look for what would not survive the move.
#
#   install.sh BUILD SOURCE STAGE PREFIX
#
# Environment: CMAKE, LIBDIR, SOVERSION.
set -euo pipefail

build=$1 source=$2 stage=$3 prefix=$4

rm -rf "$stage" "$prefix"
"$CMAKE" --install "$build" --prefix "$stage" >/dev/null
mv "$stage" "$prefix"

for file in lib/libfilch.a lib/libfilch.so "lib/libfilch.so.$SOVERSION" lib/pkgconfig/filch.pc \
    lib/cmake/filch/filch-config.cmake include/filch/filch.h; do
    if [[ ! -e $prefix/${file/#lib\//$LIBDIR/} ]]; then
        echo "not installed: $file"
        exit 1
    fi
done

if grep -rnF -e "$build" -e "$source" -e "$stage" "$prefix/$LIBDIR/pkgconfig" \
    "$prefix/$LIBDIR/cmake"; then
    echo "the lines above name a folder of the build"
    exit 1
fi

dynamic=$(readelf -d "$prefix/$LIBDIR/libfilch.so")
if grep -E 'RPATH|RUNPATH' <<<"$dynamic"; then
    echo "the shared library has a run path"
    exit 1
fi
if ! grep -qF "[libfilch.so.$SOVERSION]" <<<"$(grep SONAME <<<"$dynamic")"; then
    echo "the soname is not libfilch.so.$SOVERSION:"
    echo "$dynamic"
    exit 1
fi
