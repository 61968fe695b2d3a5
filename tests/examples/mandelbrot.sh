#!/usr/bin/env bash
# The command line of examples/mandelbrot, from outside: pictures, progress, Ctrl-C.
#
#   tests/examples/mandelbrot.sh PATH_OF_MANDELBROT
set -euo pipefail
mandelbrot=$(realpath "$1")
folder=$(mktemp -d)
pid=
trap '[[ -z $pid ]] || kill -KILL $pid 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
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
    "$mandelbrot" "$@" >stdout 2>stderr || got=$?
    [[ $got == "$status" ]] || failed "mandelbrot $*: status $got, expected $status"
}

says()
{
    grep -qF -- "$1" stderr || failed "standard error lacks \"$1\""
}

absent()
{
    [[ ! -e $1 ]] || failed "$1 is there"
}

# wait_until COMMAND...: false after 20 seconds.
wait_until()
{
    for ((tries = 0; tries < 200; tries++)); do
        if "$@"; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}

is_gone()
{
    ! kill -0 "$pid" 2>/dev/null
}

# The picture is as the serial one, for any number of workers.
expect 0 -j 1 --check -s 201x97 -n 300 one.ppm
says ', as drawn serially'
[[ $(head -n 2 one.ppm) == $'P6\n201 97' ]] || failed "the head of the picture"
(($(wc -c <one.ppm) == 14 + 3 * 201 * 97)) || failed "the size of the picture"
for workers in 2 3 4; do
    expect 0 -j $workers --check --quiet -s 201x97 -n 300 more.ppm
    cmp one.ppm more.ppm || failed "the picture by $workers workers"
done
absent more.ppm.part
expect 0 -q -s 201x97 -n 300 -
cmp one.ppm stdout || failed "the picture on standard output"
expect 0 --check -q -s 1x1 tiny.ppm
expect 0 --check -q -s 40x30 -c -0.743,0.131 -v 0.01 -n 2000 deep.ppm

expect 1 -s 2x2 missing/out.ppm
says 'No such file or directory'
expect 2
expect 2 -s 10 out.ppm
expect 2 -s 0x10 out.ppm
expect 2 -n none out.ppm
expect 2 -c 1 out.ppm
expect 2 -v 0 out.ppm
expect 2 one two
absent out.ppm
absent out.ppm.part
if [[ -w /dev/full ]]; then
    status=0
    "$mandelbrot" -q -s 200x200 - >/dev/full 2>stderr || status=$?
    ((status == 1)) || failed "a full disk: status $status"
    says 'No space left on device'
fi

# Ctrl-C in the middle of a picture that takes minutes.
for workers in 1 2 4; do
    echo old >out.ppm
    : >stderr
    "$mandelbrot" -j $workers -s 1000x1000 -n 1000000 out.ppm 2>stderr &
    pid=$!
    # The first line comes with the first call of progress.
    wait_until grep -q '%' stderr || failed "no progress with $workers workers"
    [[ -e out.ppm.part ]] || failed "there is no part of a picture"
    kill -INT $pid
    if ! wait_until is_gone; then
        failed "Ctrl-C did not end $workers workers"
        kill -KILL $pid
    fi
    status=0
    wait $pid || status=$?
    pid=
    ((status == 130)) || failed "Ctrl-C with $workers workers: status $status"
    says 'mandelbrot: drawing: interrupted'
    absent out.ppm.part
    [[ $(cat out.ppm) == old ]] || failed "the old picture is lost"
done

if ((failures)); then
    echo "$failures failed"
    exit 1
fi
echo "all as expected"
