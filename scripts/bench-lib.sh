# Shared by scripts/bench and scripts/scaling, which source it after lib.sh.
# shellcheck shell=bash

: "${invoked_from:?the folder from which the script was called}"

# absolute PATH: as seen from where the script was called (invoked_from)
absolute()
{
    case $1 in
    /*) echo "$1" ;;
    *) echo "$invoked_from/$1" ;;
    esac
}

# find_python: sets python. Some machines have another one before that of Debian's packages.
find_python()
{
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import matplotlib, scipy" 2>/dev/null; then
            return
        fi
    done
    die "no Python with matplotlib and scipy (Debian: python3-matplotlib python3-scipy)"
}

# build_bench: set up and build the benchmark programs; sets programs, their folder.
build_bench()
{
    local folder=build/release
    local log=$folder.log targets=(filch_bench)
    heading "set-up" >&2
    scripts/setup --bench >&2
    heading "build" >&2
    mkdir -p build
    : >"$log" 2>/dev/null || die "cannot write build/: made by another user?"
    # The columns are named after the compilers, so no CC or CFLAGS chooses others.
    if ! grep -qsE '^CMAKE_C_COMPILER:.*gcc$' "$folder/CMakeCache.txt"; then
        rm -rf "$folder"
    fi
    if ! env -u CFLAGS -u CXXFLAGS -u LDFLAGS CC=gcc CXX=g++ \
        cmake -B "$folder" -DCMAKE_BUILD_TYPE=Release -DFILCH_BENCH=ON -DFILCH_TESTS=OFF \
        >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the build failed; all of it is in $log"
    fi
    # The clang program exists as a target only where clang was found.
    [[ -e $folder/bench/filch_bench_clang.missing ]] || targets+=(filch_bench_clang)
    if ! cmake --build "$folder" --parallel "$(nproc)" --target "${targets[@]}" >>"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the build failed; all of it is in $log"
    fi
    # For whoever sources this.
    # shellcheck disable=SC2034
    programs=$folder/bench
}
