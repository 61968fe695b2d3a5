#!/usr/bin/env bash
# The command line of examples/lines, from outside: what it prints is what sort does.
#
#   tests/examples/lines.sh PATH_OF_LINES
set -euo pipefail
lines=$(realpath "$1")
corpus=$(cd "$(dirname "$0")/../../bench" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export LC_ALL=C
failures=0

failed()
{
    printf 'FAILED: %s\n  errors   %s\n' "$*" "$(tail -c 500 stderr)"
    failures=$((failures + 1))
}

# expect STATUS ARGUMENT...
expect()
{
    local status=$1 got=0
    shift
    "$lines" "$@" >stdout 2>stderr || got=$?
    [[ $got == "$status" ]] || failed "lines $*: status $got, expected $status"
}

says()
{
    grep -qF -- "$1" stderr || failed "standard error lacks \"$1\""
}

# same FILE...: with each option, on several numbers of workers, as sort and uniq.
same()
{
    local workers first
    sort -- "$@" >sorted
    uniq -c sorted >counted
    sort -u -- "$@" >unique
    for workers in 1 3; do
        expect 0 -j $workers "$@"
        cmp -s sorted stdout || failed "$*, $workers workers"
        expect 0 -j $workers -u "$@"
        cmp -s unique stdout || failed "-u $*, $workers workers"
        expect 0 -j $workers -c "$@"
        cmp -s counted stdout || failed "-c $*, $workers workers"
        for first in 0 10 1000; do
            expect 0 -j $workers -k $first "$@"
            head -n $first sorted | cmp -s - stdout || failed "-k $first $*, $workers workers"
        done
        expect 0 -j $workers -uk 7 "$@"
        head -n 7 unique | cmp -s - stdout || failed "-u -k 7 $*, $workers workers"
        expect 0 -j $workers -ck 7 "$@"
        head -n 7 counted | cmp -s - stdout || failed "-c -k 7 $*, $workers workers"
    done
}

: >empty
printf '\n' >blank
printf '\n\n\n\n\n' >blanks
printf 'one' >unended
printf 'b\na\nb\nab\n\na' >short
printf 'b\0a\nb\n\0\n\0\0\nb\0\n\1\n\nb\377\n\na\0b' >zeros
printf '\377\n\200\n\177\nz\n\303\244\n\t\n\r\n' >bytes
head -c 1000000 /dev/zero | tr '\0' x >long
{ cat long; echo; cat long; echo y; cat long; echo; } >longs
for ((i = 0; i < 3000; i++)); do echo same; done >equal
awk 'BEGIN { srand(1)
             for (i = 0; i < 60000; i++)
                 printf "%s%d\n", rand() < 0.5 ? "a prefix of many characters " : "", rand() * 9000 }' >mixed
sort mixed >ascending
sort -r mixed >descending
{ cat mixed; printf 'a\0b'; } >mixed-zeros
# Newlines at and around the ends of blocks, of 256 KiB.
for bytes in 262142 262143 262144 262145; do
    { head -c $bytes /dev/zero | tr '\0' x; printf '\n\nb\n'; } >"edge-$bytes"
done
python3 -B -c 'import sys
sys.path.insert(0, sys.argv[1])
import corpus
print(corpus.make("text", 8000000))' "$corpus" >/dev/null
(($(wc -l <text) > 1000)) || failed "there is no text on this machine"

for file in empty blank blanks unended short zeros bytes long longs equal mixed ascending \
    descending mixed-zeros edge-*; do
    same "$file"
done
same unended short empty unended zeros blanks
sort text >sorted
for workers in 1 2 4; do
    expect 0 -j $workers text
    cmp -s sorted stdout || failed "text, $workers workers"
    expect 0 -j $workers -u text
    sort -u text | cmp -s - stdout || failed "-u text, $workers workers"
    expect 0 -j $workers -c text
    uniq -c sorted | cmp -s - stdout || failed "-c text, $workers workers"
done

sort short >sorted
"$lines" <short | cmp -s - sorted || failed "standard input"
# shellcheck disable=SC2002 # a pipe is what is tested
cat mixed | "$lines" - | cmp -s - ascending || failed "a pipe"
"$lines" short - <mixed >stdout
sort short mixed | cmp -s - stdout || failed "a file, and standard input"
expect 0 -v short
says '6 lines sorted in'

expect 1 short missing
says 'lines: missing: No such file or directory'
[[ ! -s stdout ]] || failed "some lines are printed all the same"
mkdir directory
expect 1 directory
says 'lines: directory: Is a directory'
expect 2 -j 0 short
says 'Usage: lines'
expect 2 -k none short
expect 2 -k -1 short
expect 2 --unknown short
status=0
"$lines" short >&- 2>stderr || status=$?
((status == 1)) || failed "a closed standard output: status $status"
says 'lines: standard output: Bad file descriptor'
status=0
"$lines" - <&- >stdout 2>stderr || status=$?
((status == 1)) || failed "a closed standard input: status $status"
says 'lines: -: Bad file descriptor'
if [[ -w /dev/full ]]; then
    status=0
    "$lines" short >/dev/full 2>stderr || status=$?
    ((status == 1)) || failed "a full disk: status $status"
    says 'lines: standard output: No space left on device'
fi

if ((failures)); then
    echo "$failures failed"
    exit 1
fi
echo "all as expected"
