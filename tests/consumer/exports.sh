#!/usr/bin/env bash
# The shared library exports the functions that its headers declare, and nothing else; the static
# one has no names that could be the program's own; and main.cc calls all algorithms over arrays.
#
#   exports.sh LIBRARY INCLUDE_FOLDER STATIC_LIBRARY
set -euo pipefail

library=$1 include=$2 static=$3

exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u)

# declared_in HEADER...: a declaration runs from FILCH_API to its semicolon; the function is the
# first name that an opening parenthesis follows.
declared_in()
{
    cat "$@" | sed -e '/^#define/d' | tr '\n' ' ' | grep -oE 'FILCH_API [^;]*;' |
        grep -oE '^[^(]*\(' | grep -oE 'filch_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}
declared=$(declared_in "$include"/filch/*.h)

if [[ -z $exported || -z $declared ]]; then
    echo "no symbol found in $library, or no declaration in $include"
    exit 1
fi
foreign=$(grep -v '^filch_' <<<"$exported" || true)
undeclared=$(comm -23 <(echo "$exported") <(echo "$declared"))
missing=$(comm -13 <(echo "$exported") <(echo "$declared"))
if [[ -n $foreign$undeclared$missing ]]; then
    printf '%s\n%s\n\n' "exported without the prefix:" "$foreign" \
        "exported, but in no header:" "$undeclared" \
        "declared, but not exported:" "$missing"
    exit 1
fi

plain=$(nm --defined-only --extern-only "$static" | awk 'NF == 3 { print $3 }' |
    grep -vE '^(filch|fl)_|^DW\.ref\.' || true) # DW.ref.*: the compiler's own, no C name
if [[ -n $plain ]]; then
    printf 'in the static library, without a prefix:\n%s\n' "$plain"
    exit 1
fi

# Some by their overloads: without the type, or _with.
called=" $(grep -oE 'filch_[a-z0-9_]+' "$(dirname "$0")/main.cc" | sort -u | tr '\n' ' ') "
uncalled=0
for name in $(cd "$include"/filch &&
    declared_in scan.h pack.h search.h sort.h sort_by.h group.h histogram.h random.h); do
    overload=$(sed -E 's/_(float|double|u?int[0-9]+|with)$//' <<<"$name")
    if [[ $called != *" $name "* && $called != *" $overload "* ]]; then
        echo "$name is not called from C++"
        uncalled=1
    fi
done
exit $uncalled
