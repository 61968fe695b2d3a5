#!/usr/bin/env bash
# The command line of examples/transpose, from outside: results, messages, exit codes.
#
#   tests/examples/transpose.sh PATH_OF_TRANSPOSE
set -euo pipefail
transpose=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
failures=0

# expect STATUS OUTPUT ARGUMENT...: run it and compare exit status and standard output.
expect()
{
    local status=$1 output=$2 got got_status=0
    shift 2
    got=$("$transpose" "$@" 2>stderr) || got_status=$?
    if [[ $got_status != "$status" || $got != "$output" ]]; then
        printf 'FAILED: transpose %s\n  status %s, expected %s\n  output   %q\n  errors   %s\n' \
            "$*" "$got_status" "$status" "$got" "$(cat stderr)"
        failures=$((failures + 1))
    fi
}

failed()
{
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# 2 x 3, by hand: 1 2 3 / 4 5 6.
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("6d", 1, 2, 3, 4, 5, 6))' >small
expect 0 '' 2 3 small out
[[ $(od -An -t f8 -v -w8 out | tr -d ' \n') == 142536 ]] || failed "2 x 3 transposed: $(od -An -t f8 out)"
expect 0 '' --gram 2 3 small out
[[ $(od -An -t f8 -v -w8 out | tr -s ' \n' ' ') == ' 17 22 27 22 29 36 27 36 45 ' ]] ||
    failed "gram of 2 x 3: $(od -An -t f8 out)"

# Sizes at and around the tiles, and long and flat ones; transposed twice it is what it was.
python3 -c 'import random, struct, sys
random.seed(1)
sys.stdout.buffer.write(struct.pack("120000d", *(random.gauss(0, 1) for _ in range(120000))))' >numbers
for size in "1 1" "1 1000" "1000 1" "32 32" "33 31" "64 65" "300 400" "7 5000"; do
    read -r rows columns <<<"$size"
    head -c $((rows * columns * 8)) numbers >in
    for workers in 1 2 4; do
        expect 0 'check: as defined' -j $workers --check "$rows" "$columns" in out
        expect 0 '' -j $workers "$columns" "$rows" out back
        cmp -s in back || failed "$size transposed twice, $workers workers"
    done
    if ((columns <= 400)); then
        expect 0 'check: as defined' -j 2 --gram --check "$rows" "$columns" in out
    fi
done

expect 1 '' 3 3 small out
grep -q 'small: not of ROWS x COLUMNS doubles' stderr || failed "$(cat stderr)"
expect 1 '' 2 3 missing out
grep -q 'missing: No such file' stderr || failed "$(cat stderr)"
expect 1 '' 2 3 small folder/out
expect 2 '' 2 3 small
expect 2 '' 0 3 small out
expect 2 '' -j 0 2 3 small out
expect 2 '' --unknown 2 3 small out

if ((failures)); then
    echo "$failures failed"
    exit 1
fi
echo "all as expected"
