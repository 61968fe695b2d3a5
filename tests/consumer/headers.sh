#!/usr/bin/env bash
# Compile each public header alone, as C11 and as C++17, with every compiler at hand.
#
#   headers.sh INCLUDE_FOLDER
set -euo pipefail

include=$1
flags=(-I"$include" -Wall -Wextra -Wpedantic -Werror -fsyntax-only)
compiled=0 failed=0

# try COMPILER STANDARD LANGUAGE HEADER
try()
{
    command -v "$1" >/dev/null || return 0
    compiled=$((compiled + 1))
    # Twice: the second inclusion must add nothing.
    if ! printf '#include <%s>\n#include <%s>\n' "$4" "$4" |
        "$1" -std="$2" "${flags[@]}" -x "$3" -; then
        echo "$4 does not stand alone as $2 with $1"
        failed=1
    fi
}

cd "$include"
for header in filch/*.h filch/*.hpp; do
    [[ -e $header ]] || continue
    if [[ $header == *.h ]]; then
        try gcc c11 c "$header"
        try clang c11 c "$header"
    fi
    try g++ c++17 c++ "$header"
    try clang++ c++17 c++ "$header"
done

echo "$compiled compilations"
if ((compiled == 0)); then
    echo "no compiler or no header found"
    exit 1
fi
exit "$failed"
