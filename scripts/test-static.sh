#!/bin/bash
# test-static.sh BINARY: runs a static flatfoot where there is nothing else: an empty directory with /proc for
# its root, no environment, no home, no /etc, no /tmp.
set -euo pipefail
binary=$(realpath "$1")
root=$(mktemp -d)
sleep 600 &
target=$!
trap 'kill $target 2>/dev/null; rm -rf "$root"' EXIT
mkdir "$root/proc"
install -m 0755 "$binary" "$root/flatfoot"

# A mount namespace of its own, so that /proc goes with the last process in it; without root a user's one.
alone=(unshare --mount)
((EUID)) && alone=(unshare --user --map-root-user --mount)

# inside EXPECTED ARGUMENTS…: EXPECTED is a list of exit codes.
inside() {
    local expected=$1 code=0
    shift
    "${alone[@]}" env -i sh -c '
        mount --rbind /proc "$0/proc" && exec chroot "$0" /flatfoot "$@"
    ' "$root" "$@" </dev/null >"$root.out" 2>"$root.err" || code=$?
    if [[ " $expected " != *" $code "* ]]; then
        echo "test-static: flatfoot $*: exit code $code, expected one of: $expected" >&2
        cat "$root.out" "$root.err" >&2
        rm -f "$root.out" "$root.err"
        exit 1
    fi
    printf 'ok  %-24s exit %d, %d lines\n' "flatfoot $*" "$code" "$(wc -l <"$root.out")"
    [[ -s $root.out ]] || { echo "test-static: flatfoot $*: said nothing" >&2; exit 1; }
    rm -f "$root.out" "$root.err"
}

# env -i leaves sh without a PATH of its own: what it needs is found in the default one.
inside 0 --version
inside 0 doctor
# 1 and 3 are findings: a leaking host is no fault of the binary's.
inside "0 1 3" diagnose $target
inside 0 map $target
