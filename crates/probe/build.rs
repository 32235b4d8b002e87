//! Builds the JVMTI agent (`agent/`) and leaves it in `OUT_DIR/agent.so`, to be embedded.
//!
//! `rustc` is called directly: the agent has no dependencies, and a package nested in this one would be left out when
//! this one is packaged. It is built for the target of this build whatever its flags are (a static flatfoot has a shared
//! agent), always optimised: only then does the linker see that nothing in it can panic.
//! On a processor that the agent has no system calls for, the file is empty, and loading it is a typed refusal.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // how build scripts speak and fail

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=agent");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let library = PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("agent.so");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_OS", "linux") {
        build(&library);
    } else {
        fs::write(&library, b"").unwrap();
    }
}

fn build(library: &PathBuf) {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap());
    rustc
        .args(["--edition=2024", "--crate-type=cdylib", "--crate-name=flatfoot_agent"])
        .arg(format!("--target={}", env::var("TARGET").unwrap()))
        .args(["-Cpanic=abort", "-Copt-level=s", "-Clto=fat", "-Cembed-bitcode=yes", "-Ccodegen-units=1"])
        .args(["-Cstrip=symbols", "-Crelocation-model=pic", "-Ctarget-feature=-crt-static"])
        // No library at all, nothing unresolved, never unloaded; both hash tables, for old and new loaders.
        .args(["-Clink-arg=-nostdlib", "-Clink-arg=-nostartfiles"])
        .arg("-Clink-arg=-Wl,-Bsymbolic,-z,defs,-z,nodelete,--hash-style=both")
        .args(["-Dwarnings", "agent/lib.rs", "-o"])
        .arg(library);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg({
            let mut option = std::ffi::OsString::from("linker=");
            option.push(linker);
            option
        });
    }
    // The flags of this build are for flatfoot: a static libc, sanitizers and coverage have no place in the agent.
    rustc.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let output = rustc.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the agent does not build:\n{errors}");
}
