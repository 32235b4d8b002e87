//! Spawn stacks: told apart by a table in the agent, written to the ring once each, with the methods on them.
//!
//! What a thread start costs is mostly reading the stack. Deep ones are read whole [`SURE`] times; when all that begin
//! alike were the same stack, later ones are taken to be, too, and each [`CHECKED`]th is read whole to see whether they
//! still are. How many were not read whole is counted, and told.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use crate::jni::{Jni, Method};
use crate::jvmti::{Frame, Ti};
use crate::layout::{BOOT, CUT, H_ASSUMED, METHOD, NO_SLOT, RUBY, SLOTS, STACK};
use crate::names::{SEED, hash, mix};
use crate::origin;
use crate::ring::{Ring, length, short};
use crate::ruby;

/// Frames that are kept, innermost first.
pub const DEPTH: usize = 64;
/// Of a deep stack that was seen often so many are read: each frame costs up to a microsecond.
const TOP: usize = 20;
/// Often: so many times in full first,
const SURE: u32 = 32;
/// and each time this often after that.
const CHECKED: u32 = 64;
/// Beginnings of deep stacks that are told apart.
const MOST_TOPS: usize = 256;
const METHODS: usize = 4096;
const PROBES: usize = 32;

static STACKS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
/// For each of them: is JRuby's interpreter on it?
static WITH_RUBY: [AtomicU8; SLOTS] = [const { AtomicU8::new(UNKNOWN) }; SLOTS];
static SEEN: [AtomicU64; METHODS] = [const { AtomicU64::new(0) }; METHODS];

/// Deep stacks by how they begin: keys, the place of the one stack that begins so and 1 (or `VARIES`), how many there were.
static TOPS: [AtomicU64; MOST_TOPS] = [const { AtomicU64::new(0) }; MOST_TOPS];
static DEEP: [AtomicU32; MOST_TOPS] = [const { AtomicU32::new(0) }; MOST_TOPS];
static TIMES: [AtomicU32; MOST_TOPS] = [const { AtomicU32::new(0) }; MOST_TOPS];
const VARIES: u32 = u32::MAX;

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// Forgets all, for a new ring. Nobody may be in the hook.
pub fn reset() {
    for key in STACKS.iter().chain(&SEEN).chain(&TOPS) {
        key.store(0, Relaxed);
    }
    for number in DEEP.iter().chain(&TIMES) {
        number.store(0, Relaxed);
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

fn hash_of(frames: &[Frame]) -> u64 {
    frames.iter().fold(SEED, |key, frame| mix(mix(key, frame.method as u64), frame.location as u64))
}

/// The running thread's stack, as far as it was read.
struct Read {
    frames: [Frame; DEPTH],
    count: usize,
    whole: bool,
}

impl Read {
    fn innermost(ti: Ti) -> Self {
        let mut read = Self { frames: [Frame::NONE; DEPTH], count: 0, whole: false };
        read.count = ti.stack(read.frames.get_mut(..TOP).unwrap_or(&mut []));
        read.whole = read.count < TOP;
        read
    }

    fn frames(&self) -> &[Frame] {
        self.frames.get(..self.count).unwrap_or(&[])
    }

    /// All of it, or as much as is kept.
    fn whole(&mut self, ti: Ti) -> &[Frame] {
        if !self.whole {
            self.count = ti.stack(&mut self.frames);
            self.whole = true;
        }
        self.frames()
    }
}

/// The place of a stack's Java frames, and whether it is new.
fn java(ti: Ti, ring: Ring, read: &mut Read) -> Option<(usize, bool)> {
    let deep = if read.whole { None } else { deep(hash_of(read.frames())) };
    if let Some((deep, times)) = deep {
        let known = deep.load(Acquire);
        let is_sure = known != 0 && known != VARIES && times >= SURE && !times.is_multiple_of(CHECKED);
        if is_sure {
            ring.word(H_ASSUMED).fetch_add(1, Relaxed);
            return Some(((known as usize).wrapping_sub(1), false));
        }
    }
    let found = match place(&STACKS, hash_of(read.whole(ti))) {
        Place::New(at) => (at, true),
        Place::Known(at) => (at, false),
        Place::Full => return None,
    };
    if let Some((deep, _)) = deep {
        let mark = found.0 as u32 + 1;
        if let Err(other) = deep.compare_exchange(0, mark, AcqRel, Acquire)
            && other != mark
        {
            // Some come from elsewhere further out: from now on all are read whole.
            deep.store(VARIES, Release);
        }
    }
    Some(found)
}

/// What is known of stacks that begin so, and how many there were before this one.
fn deep(key: u64) -> Option<(&'static AtomicU32, u32)> {
    let at = match place(&TOPS, key) {
        Place::New(at) | Place::Known(at) => at,
        Place::Full => return None,
    };
    Some((DEEP.get(at)?, TIMES.get(at)?.fetch_add(1, Relaxed)))
}

/// The slot of the running thread's stack, which is written to the ring when it is new.
pub fn slot(jni: Jni, ti: Ti, ring: Ring) -> u32 {
    let mut read = Read::innermost(ti);
    let Some((at, new)) = java(ti, ring, &mut read) else { return NO_SLOT };
    if !has_ruby(jni, ti, at, read.frames()) {
        if new {
            write(jni, ti, ring, at as u32, read.whole(ti));
        }
        return at as u32;
    }
    // Interpreted Ruby has the same Java frames whatever it runs: what tells it apart is JRuby's own backtrace.
    let mut key = STACKS.get(at).map_or(0, |key| key.load(Acquire));
    let starter = ti.current_thread();
    ruby::backtrace(jni, ti, starter, |_, frame| {
        key = mix(hash(hash(key, frame.method), frame.file), u64::from(frame.line));
    });
    let slot = match place(&STACKS, mix(key, 1)) {
        Place::Known(at) => at as u32,
        Place::Full => NO_SLOT,
        Place::New(at) => {
            write(jni, ti, ring, at as u32, read.whole(ti));
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
