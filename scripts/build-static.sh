#!/bin/bash
# Builds target/static/flatfoot, which needs no library and no loader: against musl when its target is
# installed (rustup target add x86_64-unknown-linux-musl, and musl-gcc), else against glibc linked statically.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=$PWD/target/static
mkdir -p "$out"
host=$(rustc -vV | sed -n 's/^host: //p')
musl=${host%-gnu}-musl

if [[ -d $(rustc --print sysroot)/lib/rustlib/$musl ]] && command -v musl-gcc >/dev/null; then
    triple=$musl
    export CC_${musl//-/_}=musl-gcc
else
    # --target, although it is the host's: build scripts and macros must not be linked statically.
    triple=$host
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi
cargo build --release --locked -p flatfoot --target "$triple" --target-dir "$out"
install -m 0755 "$out/$triple/release/flatfoot" "$out/flatfoot"
echo "built $out/flatfoot for $triple, $(stat -c %s "$out/flatfoot") bytes" >&2
