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

# Each file has a browser and often a JVM of its own: few at once.
limit=${BROWSER_SECONDS:-1500}
code=0
timeout --kill-after=20 "$limit" node --test --test-concurrency=2 --test-reporter=spec "${tests[@]}" </dev/null || code=$?
if ((code == 124 || code == 137)); then
    echo "browser tests: stopped after $limit s (BROWSER_SECONDS)" >&2
fi
exit "$code"
