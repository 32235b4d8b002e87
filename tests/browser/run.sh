#!/bin/bash
# run.sh [FOLDER|FILE]…  runs the browser tests, all or those named (`run.sh report`): flatfoot's page and report in a real
# Chromium, with node's own test runner. Fetches what package-lock.json names (two packages, their sums are checked; no
# script of theirs is run) and builds flatfoot and the leaking programs when they are missing or older than their source.
#
# CHROMIUM: the browser. FLATFOOT: the binary. LEAKERS: the built programs. BROWSER_SECONDS: the whole run's limit (1500).
# FLATFOOT_SHOTS: a folder for pictures.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

missing() {
    echo "browser tests: $1; run scripts/install-test-deps.sh" >&2
    exit 1
}

command -v node >/dev/null || missing "node is missing"
node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || missing "node $(node --version) is too old, 18 is needed"
if [[ -z ${CHROMIUM:-} ]]; then
    for browser in chromium chromium-browser google-chrome-stable google-chrome; do
        CHROMIUM=$(command -v "$browser") && break
    done
    [[ -n $CHROMIUM ]] || missing "Chromium is missing (CHROMIUM=/path says where it is)"
    export CHROMIUM
fi
[[ -x $CHROMIUM ]] || missing "CHROMIUM=$CHROMIUM is no program"

# Two runs at once must not fetch into one folder.
modules() (
    exec 9>"$here/.lock"
    flock 9
    cmp -s "$here/package-lock.json" "$here/node_modules/.installed" && return
    command -v npm >/dev/null || missing "npm is missing"
    cd "$here"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null || {
        echo "browser tests: npm could not fetch playwright-core and axe-core (npm config get registry: $(npm config get registry 2>/dev/null))" >&2
        exit 1
    }
    cp package-lock.json node_modules/.installed
)
modules

if [[ -z ${FLATFOOT:-} ]]; then
    (cd "$root" && cargo build --locked --quiet -p flatfoot)
    FLATFOOT=$(realpath "${CARGO_TARGET_DIR:-$root/target}")/debug/flatfoot
fi
[[ -n ${LEAKERS:-} ]] || LEAKERS=$("$root/tests/leakers/build.sh")
export FLATFOOT LEAKERS

if (($# == 0)); then
    set -- .
fi
tests=()
for what in "$@"; do
    # From here, or from where it was called.
    [[ ! -e $here/$what ]] || what=$here/$what
    while IFS= read -r file; do
        tests+=("$file")
    done < <(find "$(realpath "$what")" -name node_modules -prune -o -name '*.test.mjs' -print | sort)
done
cd "$here"
((${#tests[@]})) || { echo "browser tests: none in: $*" >&2; exit 2; }

# Profiles and state of whatever is killed on the way go too.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
if [[ -n ${FLATFOOT_SHOTS:-} ]]; then
    mkdir -p "$FLATFOOT_SHOTS"
fi

# Each file has a browser and often a JVM of its own: few at once. Real programs on a machine that others use, too: what
# passes at the second try is named as flaky, and mended.
limit=${BROWSER_SECONDS:-1500}
one() {
    local log code=0
    log=$(mktemp)
    node --test --test-reporter=spec "$1" </dev/null >"$log" 2>&1 || code=$?
    ((code == 0)) || printf '%s\n' "$1" >>"$TMPDIR/failed"
    flock "$TMPDIR/print" cat "$log"
}
export -f one
all() {
    printf '%s\0' "$@" | xargs -0 -P 2 -I{} bash -c 'one "$1"' - {}
}
export -f all
started=$SECONDS
code=0
timeout --kill-after=20 "$limit" bash -c 'all "$@"' - "${tests[@]}" || code=$?
if ((code == 124 || code == 137)); then
    echo "browser tests: stopped after $limit s (BROWSER_SECONDS)" >&2
    exit "$code"
fi
failed=()
[[ ! -s $TMPDIR/failed ]] || mapfile -t failed <"$TMPDIR/failed"
for file in "${failed[@]}"; do
    name=${file#"$here"/}
    echo "browser tests: once more: $name"
    rm -f "$TMPDIR/failed"
    timeout --kill-after=20 $((limit - (SECONDS - started) + 1)) bash -c 'one "$1"' - "$file" || code=$?
    if [[ -s $TMPDIR/failed ]]; then
        echo "browser tests: FAILED: $name" >&2
        code=1
    else
        echo "browser tests: FLAKY, passed at its second try: $name"
    fi
done
exit "$code"
