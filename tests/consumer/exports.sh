#!/usr/bin/env bash
# The shared library exports the functions that its headers declare, and nothing else.
#
#   exports.sh LIBRARY INCLUDE_FOLDER
set -euo pipefail

library=$1 include=$2

exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u)
# A declaration runs from FILCH_API to its semicolon; the function is the first name that an
# opening parenthesis follows.
declared=$(cat "$include"/filch/*.h | sed -e '/^#define/d' | tr '\n' ' ' |
    grep -oE 'FILCH_API [^;]*;' | grep -oE '^[^(]*\(' | grep -oE 'filch_[a-z0-9_]+ ?\(' |
    tr -d ' (' | sort -u)

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
