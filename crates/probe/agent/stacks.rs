//! Spawn stacks: told apart by a table in the agent, written to the ring once each, with the methods on them.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicU8, AtomicU64};

use crate::jni::{Jni, Method};
use crate::jvmti::{Frame, Ti};
use crate::layout::{BOOT, CUT, METHOD, NO_SLOT, RUBY, SLOTS, STACK};
use crate::names::{SEED, hash, mix};
use crate::origin;
use crate::ring::{Ring, length, short};
use crate::ruby;

/// Frames that are kept, innermost first.
pub const DEPTH: usize = 64;
const METHODS: usize = 4096;
const PROBES: usize = 32;

static STACKS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
/// For each of them: is JRuby's interpreter on it?
static WITH_RUBY: [AtomicU8; SLOTS] = [const { AtomicU8::new(UNKNOWN) }; SLOTS];
static SEEN: [AtomicU64; METHODS] = [const { AtomicU64::new(0) }; METHODS];

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// Forgets all, for a new ring. Nobody may be in the hook.
pub fn reset() {
    for key in STACKS.iter().chain(&SEEN) {
        key.store(0, Relaxed);
    }
    for flag in &WITH_RUBY {
        flag.store(UNKNOWN, Relaxed);
    }
}

enum Place {
    New(usize),
    Known(usize),
    Full,
}

/// Finds or takes a place for a key. The tables' sizes are powers of two.
fn place(table: &[AtomicU64], key: u64) -> Place {
    let key = key.max(1);
    for probe in 0..PROBES {
        let at = key.wrapping_add(probe as u64) as usize & table.len().wrapping_sub(1);
        let Some(entry) = table.get(at) else { return Place::Full };
        match entry.compare_exchange(0, key, AcqRel, Acquire) {
            Ok(_) => return Place::New(at),
            Err(found) if found == key => return Place::Known(at),
            Err(_) => {}
        }
    }
    Place::Full
}

/// The slot of the running thread's stack, which is written to the ring when it is new.
pub fn slot(jni: Jni, ti: Ti, ring: Ring) -> u32 {
    let mut space = [Frame::NONE; DEPTH];
    let count = ti.stack(&mut space);
    let frames = space.get(..count).unwrap_or(&[]);
    let key =
        frames.iter().fold(SEED, |key, frame| mix(mix(key, frame.method as u64), frame.location as u64));
    let (at, new) = match place(&STACKS, key) {
        Place::New(at) => (at, true),
        Place::Known(at) => (at, false),
        Place::Full => return NO_SLOT,
    };
    if !has_ruby(jni, ti, at, frames) {
        if new {
            write(jni, ti, ring, at as u32, frames);
        }
        return at as u32;
    }
    // Interpreted Ruby has the same Java frames whatever it runs: what tells it apart is JRuby's own backtrace.
    let mut key = key;
    let starter = ti.current_thread();
    ruby::backtrace(jni, ti, starter, |_, frame| {
        key = mix(hash(hash(key, frame.method), frame.file), u64::from(frame.line));
    });
    let slot = match place(&STACKS, mix(key, 1)) {
        Place::Known(at) => at as u32,
        Place::Full => NO_SLOT,
        Place::New(at) => {
            write(jni, ti, ring, at as u32, frames);
            ruby::backtrace(jni, ti, starter, |index, frame| {
                let (method, file) = (short(frame.method), short(frame.file));
                let numbers = [at as u32, index, frame.line].map(u32::to_ne_bytes);
                let parts = [numbers.as_flattened(), &length(method), method, &length(file), file];
                ring.append(RUBY, 16, &parts);
            });
            at as u32
        }
    };
    jni.release(starter);
    slot
}

fn has_ruby(jni: Jni, ti: Ti, at: usize, frames: &[Frame]) -> bool {
    let Some(flag) = WITH_RUBY.get(at) else { return false };
    match flag.load(Relaxed) {
        UNKNOWN => {
            let found = frames.iter().any(|frame| {
                let class = ti.declaring_class(frame.method);
                let found = ti.signature(class).text().starts_with(b"Lorg/jruby/ir/interpreter/");
                jni.release(class);
                found
            });
            flag.store(if found { YES } else { NO }, Relaxed);
            found
        }
        known => known == YES,
    }
}

#[cold]
fn write(jni: Jni, ti: Ti, ring: Ring, slot: u32, frames: &[Frame]) {
    let mut bytes = [[0_u8; 16]; DEPTH];
    for (frame, to) in frames.iter().zip(&mut bytes) {
        if let Place::New(_) | Place::Full = place(&SEEN, mix(SEED, frame.method as u64)) {
            describe(jni, ti, ring, frame.method);
        }
        let line = ti.line(frame.method, frame.location);
        *to = (u128::from(frame.method as u64) | (u128::from(line as u32) << 64)).to_le_bytes();
    }
    let flags = if frames.len() == DEPTH { CUT } else { 0 };
    let numbers = [slot, flags, frames.len() as u32].map(u32::to_ne_bytes);
    let frames = bytes.get(..frames.len()).unwrap_or(&[]);
    ring.append(STACK, 16, &[numbers.as_flattened(), frames.as_flattened()]);
}

fn describe(jni: Jni, ti: Ti, ring: Ring, method: Method) {
    let class = ti.declaring_class(method);
    let flags = origin::loader_flags(jni, ti, class);
    let code = (flags & BOOT == 0).then(|| origin::of_class(jni, class));
    let (signature, name, file) = (ti.signature(class), ti.method_name(method), ti.source_file(class));
    jni.release(class);
    let (signature, name, file) = (short(signature.text()), short(name.text()), short(file.text()));
    let code = code.as_ref().map_or(&[][..], origin::Origin::text);
    let parts: [&[u8]; 10] = [
        &(method as u64).to_ne_bytes(),
        &flags.to_ne_bytes(),
        &length(signature),
        signature,
        &length(name),
        name,
        &length(file),
        file,
        &length(code),
        code,
    ];
    ring.append(METHOD, 16, &parts);
}
