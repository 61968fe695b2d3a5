#!/usr/bin/env bash
# The command line of examples/wordcount, from outside: output, messages, exit codes.
#
#   tests/examples/wordcount.sh PATH_OF_WORDCOUNT
set -euo pipefail
wordcount=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

# expect STATUS OUTPUT COMMAND...: run it and compare exit status and standard output.
expect()
{
    local status=$1 output=$2 got got_status=0
    shift 2
    got=$("$@" 2>stderr) || got_status=$?
    if [[ $got_status != "$status" || $got != "$output" ]]; then
        printf 'FAILED: %s\n  status %s, expected %s\n  output   %q\n  expected %q\n  errors   %s\n' \
            "$*" "$got_status" "$status" "$got" "$output" "$(cat stderr)"
        failures=$((failures + 1))
    fi
}

# says TEXT: the last command's standard error has it.
says()
{
    if ! grep -qF -- "$1" stderr; then
        printf 'FAILED: standard error lacks "%s": %s\n' "$1" "$(cat stderr)"
        failures=$((failures + 1))
    fi
}

three=$'           3  b\n           2  a\n           1  c\n           6  words, 3 different'

printf 'b A b\na c b\n' >plain
expect 0 "$three" "$wordcount" plain

printf 'b A b\na c b' >unended
expect 0 "$three" "$wordcount" unended

printf 'b\0A\1b\na\xff\n' >binary
expect 0 $'           2  b\n           1  a\n           1  a\xff\n           4  words, 3 different' \
    "$wordcount" binary

: >empty
expect 0 '           0  words, 0 different' "$wordcount" empty
printf ' \n.,;\n' >blank
expect 0 '           0  words, 0 different' "$wordcount" blank
expect 0 "$three" "$wordcount" empty plain blank

# A word does not run on from one file into the next.
printf 'x' >x
printf 'y' >y
expect 0 $'           1  x\n           1  y\n           2  words, 2 different' "$wordcount" x y

expect 0 "$three" bash -c "cat plain | '$wordcount' -"
expect 0 "$three" "$wordcount" - <plain

expect 1 '' "$wordcount" plain missing
says 'wordcount: missing: No such file or directory'
mkdir folder
expect 1 '' "$wordcount" folder
says 'wordcount: folder: Is a directory'
expect 2 '' "$wordcount"
says 'Usage: wordcount'
expect 2 '' "$wordcount" -j 0 plain
expect 2 '' "$wordcount" -c many plain
expect 2 '' "$wordcount" --unknown plain

expect 0 "$three" "$wordcount" -n 1000000000000 plain
if [[ -w /dev/full ]]; then
    expect 1 '' bash -c "'$wordcount' plain >/dev/full"
    says 'wordcount: standard output: No space left on device'
fi

# A long text, with a word far longer than a chunk: the same for any workers and chunks.
awk 'BEGIN { srand(1); for (i = 0; i < 20000; i++) printf "w%d%s", rand() * 500, i % 9 ? " " : "\n"
             for (i = 0; i < 5000; i++) printf "long"; print "" }' >long
reference=$("$wordcount" -j 1 -n 50 long 2>/dev/null)
for workers in 1 2 4; do
    for chunk in 7 100 4096 100000000; do
        expect 0 "$reference"$'\ncheck: parallel and serial agree' \
            "$wordcount" -j $workers -c $chunk -n 50 --check long
    done
done

if ((failures)); then
    echo "$failures failed"
    exit 1
fi
echo "all as expected"
