#!/usr/bin/env bash
# The first program of README.md is short, compiles with the command that stands there, and
# runs.
#
#   readme.sh README PREFIX WORK
#
# The program is the first ```c block with main( in it. The command is the first line after
# it that calls pkg-config for filch and names a .c file, which the program is written to.
# Environment: LIBDIR.
set -euo pipefail

readme=$1 prefix=$2 work=$3
most_lines=20

fail()
{
    echo "$*" >&2
    exit 1
}

[[ -f $readme ]] || fail "there is no $(basename "$readme")"
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# The block goes to one file, what follows it to another.
awk '
    !found && /^```c[[:space:]]*$/ { inside = 1; block = ""; next }
    inside && /^```/ { inside = 0; if (block ~ /main\(/) { found = 1; printf "%s", block > "block.c" } next }
    inside { block = block $0 "\n"; next }
    found { print > "rest" }
' "$readme"
[[ -f block.c ]] || fail "README.md has no \`\`\`c block with main( in it"

lines=$(wc -l <block.c)
((lines <= most_lines)) || fail "the first program has $lines lines, more than $most_lines"

[[ -f rest ]] || fail "nothing follows the first program"
command=$(grep -m 1 -E 'pkg-config .*filch' rest | sed -E 's/^[[:space:]]*([$] )?//' || true)
source=$(grep -oE '[A-Za-z0-9_.-]+\.c\b' <<<"$command" | head -n 1 || true)
[[ -n $source ]] || fail "no command with pkg-config and a .c file follows the first program"
[[ $source == block.c ]] || mv block.c "$source"
program=$(sed -nE 's/.* -o ([^ ]+).*/\1/p' <<<"${command%%&&*}")

export PKG_CONFIG_PATH=$prefix/$LIBDIR/pkgconfig LD_LIBRARY_PATH=$prefix/$LIBDIR
echo "$command"
bash -euo pipefail -c "$command"
"./${program:-a.out}"
