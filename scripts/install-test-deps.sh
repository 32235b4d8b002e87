#!/bin/bash
# Installs what `make test` and `make bench` need beside the Rust toolchain: the
# tools flatfoot is compared with, and what the test programs are built with.
#
# Everything is looked for first; when nothing is missing this takes no time and
# no network. Needs root for apt-get only, and says what to install otherwise.
set -euo pipefail

# What is looked for (a command, or a file when it has a slash), and the Debian
# package that has it.
needed=(
    # builds tests/leakers
    "gcc gcc"
    "/usr/include/stdio.h libc6-dev"
    "g++ g++"
    "musl-gcc musl-tools"
    "javac openjdk-17-jdk-headless"
    "jruby jruby"
    "/usr/share/java/quartz2.jar libquartz2-java"
    "/usr/share/java/slf4j-api.jar libslf4j-java"
    "/usr/share/java/slf4j-nop.jar libslf4j-java"
    "/usr/bin/python3 python3"
    "make make"
    # what flatfoot is compared with, and the commands its evidence names
    "ps procps"
    "pmap procps"
    "top procps"
    "smem smem"
    "jcmd openjdk-17-jdk-headless"
    # the page's tests in a real browser; another node and npm than Debian's are well
    "chromium chromium"
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core"
    "node nodejs"
    "npm npm"
    # instruction counts of the benches
    "valgrind valgrind"
    # a terminal for the live view
    "tmux tmux"
    # other users, namespaces, locks
    "setpriv util-linux"
    "unshare util-linux"
    "nsenter util-linux"
    "flock util-linux"
)

missing=()
for line in "${needed[@]}"; do
    read -r what package <<<"$line"
    if [[ $what == */* ]]; then
        [[ -e $what ]] && continue
    else
        command -v "$what" >/dev/null && continue
    fi
    [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
done

if ((${#missing[@]})); then
    install="apt-get install -y --no-install-recommends ${missing[*]}"
    if ((EUID)) || ! command -v apt-get >/dev/null; then
        echo "install-test-deps: the tests need packages that only root can install:" >&2
        echo "    $install" >&2
        echo "(names of Debian 12; elsewhere, what has the same commands and jars)" >&2
        exit 1
    fi
    echo "install-test-deps: $install" >&2
    export DEBIAN_FRONTEND=noninteractive
    # Another apt-get may be at work, as on a machine that has just started.
    wait=(-o DPkg::Lock::Timeout=300)
    apt-get "${wait[@]}" -qq update
    apt-get "${wait[@]}" -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v cargo-nextest >/dev/null && [[ ! -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo-nextest ]]; then
    echo "install-test-deps: cargo install cargo-nextest --locked" >&2
    cargo install cargo-nextest --locked --quiet
fi

# Other releases of Java: none of them is required.
scripts/install-jdks.sh
