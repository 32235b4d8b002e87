#!/bin/bash
# test-static.sh BINARY: runs a static flatfoot where there is nothing else: an empty directory with /proc for
# its root, no environment, no home, no /etc, no /tmp.
set -euo pipefail

# In a mount namespace of its own, so that /proc goes with its last process; without root in a user's one, which
# the process that is looked at must share.
if [[ ${1:-} != --inside ]]; then
    alone=(unshare --mount)
    ((EUID)) && alone=(unshare --user --map-root-user --mount)
    exec "${alone[@]}" "$0" --inside "$(realpath "$1")"
fi

binary=$2
root=$(mktemp -d)
sleep 600 &
target=$!
trap 'kill $target; umount -l "$root/box/proc"; rm -rf --one-file-system "$root"' EXIT
mkdir -p "$root/box/proc"
mount --rbind /proc "$root/box/proc"
install -m 0755 "$binary" "$root/box/flatfoot"

# inside EXPECTED ARGUMENTS…: EXPECTED is a list of exit codes.
inside() {
    local expected=$1 code=0
    shift
    env -i "$(command -v chroot)" "$root/box" /flatfoot "$@" </dev/null >"$root/out" 2>"$root/err" || code=$?
    if [[ " $expected " != *" $code "* || ! -s $root/out ]]; then
        echo "test-static: flatfoot $*: exit code $code, expected one of: $expected, and something said" >&2
        cat "$root/out" "$root/err" >&2
        exit 1
    fi
    printf 'ok  %-24s exit %d, %d lines\n' "flatfoot $*" "$code" "$(wc -l <"$root/out")"
}

inside 0 --version
inside 0 doctor
# 1 and 3 are findings: a leaking host is no fault of the binary's.
inside "0 1 3" diagnose $target
inside "0 1 3" diagnose
inside 0 map $target
inside 0 save $target -o /case.flatfoot
inside "0 1 3" diagnose /case.flatfoot
