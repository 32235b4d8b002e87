#!/bin/bash
# fuzz.sh [TARGET…]: builds the fuzz targets and runs each for its share of FUZZ_SECONDS (48). Fails when one finds
# something, and keeps the input in fuzz/artifacts.
#
# Seeds are real files: those of this very shell, of init where it may be read, and the tests' case files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/target/tools/bin:$PATH
# Case files are written and synced thousands of times.
[[ -w /dev/shm ]] && export TMPDIR=/dev/shm
sanitizer=${FUZZ_SANITIZER:-none}
mapfile -t all < <(sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | tail -n +2)
(($#)) && all=("$@")
each=$((${FUZZ_SECONDS:-48} / ${#all[@]}))

# Without a sanitizer nothing here needs a nightly compiler.
cargo fuzz build -s "$sanitizer" >/dev/null

seed() {
    local target=$1
    shift
    local file at=0
    mkdir -p "fuzz/corpus/$target"
    for file in "$@"; do
        # Not every one may be read, and not every one is there.
        head -c 60000 "$file" >"fuzz/corpus/$target/seed-$((at++))" 2>/dev/null || true
    done
}
seed maps /proc/{self,$$,1}/maps
seed smaps /proc/{self,$$,1}/{smaps,smaps_rollup}
seed stat /proc/{self,$$,1,2}/{stat,statm}
seed status /proc/{self,$$,1,2}/status /proc/{meminfo,vmstat} /proc/pressure/{memory,cpu,io}
seed cgroup_limits /proc/{self,1}/{cgroup,limits,mountinfo}
seed names_schedules /etc/crontab /etc/cron.d/* /proc/{1,2}/comm
seed jvm crates/probe/src/hotspot/answers/fixtures/* /tmp/hsperfdata_*/[0-9]*
seed case_file crates/store/tests/*.flatfoot
seed history_store crates/store/tests/schema-*.flatfoot
mkdir -p fuzz/corpus/case_part
printf '0{"host":{"name":"a","memory":{"value":{"total":1}}},"processes":1}' >fuzz/corpus/case_part/seed-0
printf '1{"process":{"key":{"boot":1,"pid":2,"start":3},"stat":{"name":"a","state":"S"},"cmdline":{"value":["a"]}},"threads":true}' \
    >fuzz/corpus/case_part/seed-1
printf '2{"tid":[7,3],"name":["a","b"],"state":"SR","start":[5,5],"stack_from":"r-","stack":[4096]}' \
    >fuzz/corpus/case_part/seed-2
printf '3{"size":[4096,8192],"gap":[4096,0],"perms":[3,0],"names":[""],"touched":{"value":[1,2]},"details":{"value":{"rss":[1,2]}}}' \
    >fuzz/corpus/case_part/seed-3

for target in "${all[@]}"; do
    log=$(mktemp)
    # Large inputs find little in a short run; a case file needs its pages.
    length=4096
    [[ $target == case_file || $target == history_store ]] && length=65536
    if ! cargo fuzz run -s "$sanitizer" "$target" -- -max_total_time="$each" -max_len=$length -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1 </dev/null; then
        tail -n 60 "$log" >&2
        echo "fuzz.sh: $target found something; the input is in fuzz/artifacts/$target" >&2
        rm -f "$log"
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf 'fuzz  %-16s %9d inputs in %d s, nothing found\n' "$target" "${runs:-0}" "$each"
    rm -f "$log"
done
rm -f "${TMPDIR:-/tmp}"/flatfoot-fuzz-*.flatfoot
