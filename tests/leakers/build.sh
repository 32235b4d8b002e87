#!/bin/bash
# build.sh [OUT_DIR]: builds the test programs that are out of date, prints OUT_DIR
# (default: target/leakers). Safe to call from several tests at once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/../../target/leakers}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here"

exec 9>"$out/.lock"
flock 9

# A program is out of date when a source is newer, or this script with its flags.
outdated() {
    local made=$1 source
    shift
    [[ -e $made ]] || return 0
    for source in build.sh "$@"; do
        [[ $source -nt $made ]] && return 0
    done
    return 1
}

jobs=()

# compile NAME SOURCES -- COMMAND…: runs COMMAND -o NEW in the background. The new
# file takes the old one's place at once, as the old one may be running.
compile() {
    local made=$out/$1 sources=()
    shift
    while [[ $1 != -- ]]; do
        sources+=("$1")
        shift
    done
    shift
    outdated "$made" "${sources[@]}" c/leaker.h c/shape.h || return 0
    command -v "$1" >/dev/null || { echo "build.sh: $1 is missing; run scripts/install-test-deps.sh" >&2; exit 1; }
    { "$@" -o "$made.new" && mv "$made.new" "$made"; } >&2 &
    jobs+=($!)
    ((${#jobs[@]} % $(nproc))) || wait_for_jobs
}

wait_for_jobs() {
    local job
    for job in "${jobs[@]}"; do
        wait "$job"
    done
    jobs=()
}

# -g and a frame-pointer-less -O2, as a distribution builds what it ships.
warnings=(-Wall -Wextra -Wshadow -Wstrict-prototypes)
c=(-std=gnu11 -O2 -g "${warnings[@]}" -pthread)

compile tether c/tether.c -- gcc "${c[@]}" c/tether.c
compile mmap-latency mmap-latency.c -- gcc "${c[@]}" mmap-latency.c
compile proc-floor proc-floor.c -- gcc "${c[@]}" -D_GNU_SOURCE proc-floor.c
leak=(c/leak.c c/leaker.c)
healthy=(c/healthy.c c/leaker.c)
shape=(c/shape.c c/stacks.c c/classes.c c/leaker.c)
for program in leak healthy shape; do
    declare -n sources=$program
    compile "$program" "${sources[@]}" -- gcc "${c[@]}" "${sources[@]}" -lm
    compile "$program-musl" "${sources[@]}" -- musl-gcc "${c[@]}" "${sources[@]}" -lm
    compile "$program-musl-static" "${sources[@]}" -- musl-gcc -static "${c[@]}" "${sources[@]}" -lm
done
compile server c/server.c -- gcc "${c[@]}" c/server.c
compile cpp-threads cpp/threads.cc -- g++ -std=c++17 -O2 -g -Wall -Wextra -pthread cpp/threads.cc
compile rust-threads rust/threads.rs -- \
    rustc --edition 2024 -O -g --crate-name rust_threads rust/threads.rs
wait_for_jobs

jar=$out/leakcase.jar
java=(java/src/leakcase/*.java)
if outdated "$jar" "${java[@]}"; then
    quartz=/usr/share/java/quartz2.jar
    if [[ ! -e $quartz ]] || ! command -v javac >/dev/null; then
        echo "build.sh: javac or $quartz is missing; run scripts/install-test-deps.sh" >&2
        exit 1
    fi
    rm -rf "$out/classes"
    # Release 8, so that one jar runs on every JDK; -options: javac finds that old.
    javac -Xlint:all,-options -g --release 8 -d "$out/classes" -cp "$quartz" "${java[@]}" >&2
    # A name and a version, as a library has them.
    printf '%s\n' 'Implementation-Title: leakcase' 'Implementation-Version: 1.4.0' >"$out/leakcase.mf"
    jar --create --file "$jar.new" --manifest "$out/leakcase.mf" -C "$out/classes" .
    mv "$jar.new" "$jar"
fi

echo "$out"
