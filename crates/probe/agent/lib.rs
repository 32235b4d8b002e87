//! The agent: loaded into a HotSpot JVM for a while (`JVMTI.agent_load`), it records who starts threads, and tells
//! whom existing threads work for and which code makes threads.
//!
//! It runs inside somebody's production JVM, so:
//! - No C library, no Rust runtime: one file for glibc and musl, with nothing to resolve (`sys`).
//! - No panic: the panic handler calls a function that doesn't exist, so that code which could panic doesn't link.
//!   Indexing is `get`, memory is asked for and may be refused, numbers wrap or saturate.
//! - Between commands nothing of it runs, except the hook in `Thread.start0`, which never waits (`hook`).
//! - What it maps and allocates in a command is given back at the command's end. The library itself stays mapped: HotSpot
//!   never unloads an agent.
//!
//! flatfoot's build script compiles this with `rustc` itself, as a nested package would be left out of ours. Commands
//! come as the options `cmd=start;ring=PATH;orig=HEX`, see [`run`].

#![no_std]
#![allow(unsafe_code, reason = "each function of the JVM and the kernel is called through a raw pointer")]

mod arena;
mod bridge;
mod bytecode;
mod fields;
mod graph;
mod held;
mod holders;
mod holding;
mod hook;
mod jni;
mod jvmti;
#[allow(dead_code, reason = "the reader's half of it is not used here")]
mod layout;
mod names;
mod options;
mod origin;
mod owners;
mod paths;
mod pools;
mod report;
mod ring;
mod ruby;
mod schedules;
mod sites;
mod stacks;
mod sys;

use core::ffi::{CStr, c_char, c_void};

use jni::Jni;

const JNI_1_6: i32 = 0x0001_0006;

/// What the JVM hands to a command.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// JavaVM.
    pub vm: *mut c_void,
    pub jni: Jni,
    pub options: options::Options<'a>,
}

/// `cmd=start` hooks Thread.start0 and records into `ring=`, calling `orig=` (JVM_StartThread) from there; `cmd=stop`
/// undoes it; `cmd=owners`, `cmd=sites` and `cmd=buffers` write a report to `out=` within about `ms=`, without stopping
/// anybody. `cmd=holders`, and `cmd=owners` with `walk=1`, walk the heap: the JVM stands still for up to `pause=` ms.
fn run(call: Call) -> Result<(), i32> {
    match call.options.get(b"cmd") {
        Some(b"start") => hook::start(call),
        Some(b"stop") => hook::stop(call),
        Some(b"owners") => report::write(call, owners::report),
        Some(b"holders") => report::write(call, held::report),
        Some(b"buffers") => report::write(call, held::account),
        Some(b"sites") => report::write(call, sites::report),
        _ => Err(layout::BAD_OPTIONS),
    }
}

/// Called by the JVM for each `load`, on its attach listener thread.
///
/// # Safety
/// As the JVMTI specification says.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn Agent_OnAttach(vm: *mut c_void, text: *const c_char, _: *mut c_void) -> i32 {
    // SAFETY: the JVM hands over a string, or null.
    let text = if text.is_null() { c"" } else { unsafe { CStr::from_ptr(text) } };
    // SAFETY: `vm` is the JavaVM, and the environment is that of this thread.
    let Some(jni) = (unsafe { jni::environment(vm, JNI_1_6).map(|env| Jni::new(env)) }) else {
        return layout::NO_JNI;
    };
    let call = Call { vm, jni, options: options::Options::new(text.to_bytes()) };
    match run(call) {
        Ok(()) => layout::OK,
        Err(code) => code,
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe extern "C" {
        /// Exists nowhere: if the linker misses it, something in here can panic.
        safe fn flatfoot_agent_can_panic() -> !;
    }
    flatfoot_agent_can_panic()
}
