# Shared by the bash scripts here, which source it. Leaves them in the root of the project.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

heading()
{
    printf '\n== %s\n' "$*"
}

die()
{
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

# print_usage: the comment at the top of the calling script, without the first line and the
# comment signs.
print_usage()
{
    sed -n '2,/^[^#]/{ s/^# \{0,1\}//p }' "$0"
}

wrong_usage()
{
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    print_usage >&2
    exit 2
}

# Ninja, where it is there and nothing else was asked for.
if have ninja; then
    export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
fi
