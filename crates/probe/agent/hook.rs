//! The hook in `Thread.start0`: notes who starts a thread, then lets the JVM start it.
//!
//! States: `ACTIVE` while it records, `INSTALLED` while start0 is bound to it. A thread in the hook counts itself in
//! `INSIDE` before it looks at `ACTIVE`; whoever takes the ring away clears `ACTIVE` first and then waits for `INSIDE`
//! to become 0. It is not held while the JVM starts the thread, which may take long. `BUSY` is held by who installs or
//! removes; the hook itself only ever tries it.

use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32};

use crate::jni::{Field, Jni, Obj};
use crate::jvmti::{CAN_GET_LINE_NUMBERS, CAN_GET_SOURCE_FILE_NAME, Ti};
use crate::layout::{self, BIRTH, BIRTHS, FAILED, H_CLOCK, H_FAILED, H_LEASE, H_NS, H_STARTS, H_STATE};
use crate::options::Path;
use crate::{Call, bridge, ring, stacks, sys};

static ACTIVE: AtomicBool = AtomicBool::new(false);
static INSTALLED: AtomicBool = AtomicBool::new(false);
static BUSY: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicU32 = AtomicU32::new(0);
/// Counts rings: a start that began with one must not end in the next.
static RINGS: AtomicU32 = AtomicU32::new(0);

/// JVM_StartThread of libjvm, which flatfoot found in its symbol table.
static START: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static TI: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// java.lang.Thread's fields tid and name.
static TID: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static NAME: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Proof that the ring and the environment stay until it is dropped.
struct Inside {
    ring: ring::Ring,
    ti: Ti,
}

fn enter() -> Option<Inside> {
    INSIDE.fetch_add(1, SeqCst);
    // First of all: while it was on after counting, nobody takes away what is loaded next.
    if ACTIVE.load(SeqCst)
        && let Some(ring) = ring::current()
    {
        // SAFETY: of `start`, which has set it before ACTIVE; it is disposed of only when INSIDE is 0.
        let ti = unsafe { Ti::of(TI.load(SeqCst)) };
        return Some(Inside { ring, ti });
    }
    INSIDE.fetch_sub(1, SeqCst);
    None
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, SeqCst);
    }
}

/// What was noted before a thread was started.
struct Note {
    ring: u32,
    slot: u32,
    time: u64,
    spent: u64,
    java_id: u64,
    name: [u8; 256],
    starter: [u8; 128],
}

enum Before {
    Noted(Note),
    /// Nobody has renewed the lease.
    Expired,
    Off,
}

fn before(jni: Jni, thread: Obj) -> Before {
    let Some(inside) = enter() else { return Before::Off };
    let (ti, ring) = (inside.ti, inside.ring);
    let time = ti.now();
    if time > ring.lease() {
        return Before::Expired;
    }
    let slot = stacks::slot(jni, ti, ring);
    let mut note = Note {
        ring: RINGS.load(Relaxed),
        slot,
        time,
        spent: 0,
        java_id: 0,
        name: [0; 256],
        starter: [0; 128],
    };
    // Nobody asks for the names of those that are only counted.
    if ring.slot(slot).is_none_or(|(starts, _)| starts.load(Relaxed) < BIRTHS) {
        note.java_id = jni.get_long(thread, TID.load(Relaxed)).unwrap_or(0) as u64;
        let name: Field = NAME.load(Relaxed);
        let text = jni.get(thread, name);
        jni.text(text, &mut note.name);
        jni.release(text);
        let starter = ti.current_thread();
        let text = jni.get(starter, name);
        jni.text(text, &mut note.starter);
        jni.release(text);
        jni.release(starter);
    }
    note.spent = ti.now().saturating_sub(time);
    Before::Noted(note)
}

/// Makes no call that an exception must not be pending for.
fn after(note: &Note, failed: bool) {
    let Some(inside) = enter() else { return };
    if RINGS.load(Relaxed) != note.ring {
        return;
    }
    let ring = inside.ring;
    let began = inside.ti.now();
    ring.word(H_STARTS).fetch_add(1, Relaxed);
    if failed {
        ring.word(H_FAILED).fetch_add(1, Relaxed);
    }
    let earlier = ring.slot(note.slot).map_or(0, |(starts, failures)| {
        if failed {
            failures.fetch_add(1, Relaxed);
        }
        starts.fetch_add(1, Relaxed)
    });
    if earlier < BIRTHS {
        let name = note.name.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let starter = note.starter.split(|byte| *byte == 0).next().unwrap_or(&[]);
        let numbers = [note.slot, if failed { FAILED } else { 0 }].map(u32::to_ne_bytes);
        let longs = [note.time, note.java_id].map(u64::to_ne_bytes);
        let parts: [&[u8]; 6] = [
            numbers.as_flattened(),
            longs.as_flattened(),
            &ring::length(name),
            name,
            &ring::length(starter),
            starter,
        ];
        // Births leave a quarter of the ring to stacks that are yet to come.
        ring.append(BIRTH, 12, &parts);
    }
    let spent = note.spent.saturating_add(inside.ti.now().saturating_sub(began));
    ring.word(H_NS).fetch_add(spent, Relaxed);
}

/// `private native void start0()` of java.lang.Thread, while the hook is on.
extern "system" fn start0(env: *mut c_void, thread: *mut c_void) {
    // SAFETY: START was set before this function was bound, to the function that is bound otherwise.
    let original: extern "system" fn(*mut c_void, *mut c_void) =
        unsafe { core::mem::transmute(START.load(Acquire)) };
    // SAFETY: what the JVM hands to a native method.
    let (jni, object) = unsafe { (Jni::new(env), Obj::of(thread)) };
    match before(jni, object) {
        Before::Noted(note) => {
            original(env, thread);
            after(&note, jni.exception_check());
        }
        Before::Expired => {
            expire(jni);
            original(env, thread);
        }
        Before::Off => original(env, thread),
    }
}

/// flatfoot is gone: this thread start removes the hook. What can't be removed now is left to the next.
#[cold]
fn expire(jni: Jni) {
    if BUSY.swap(true, SeqCst) {
        return;
    }
    let _ = remove(jni, layout::EXPIRED, 0);
    BUSY.store(false, SeqCst);
}

/// Binds start0 to the JVM again and gives everything back; again and again does no harm. Threads that are in the hook
/// get some turns to leave it, and then as many milliseconds: a safepoint may hold them.
fn remove(jni: Jni, state: u64, patience_ms: u32) -> Result<(), i32> {
    ACTIVE.store(false, SeqCst);
    if INSTALLED.load(SeqCst) {
        bridge::rebind(jni, START.load(Acquire))?;
        INSTALLED.store(false, SeqCst);
    }
    let mut turns = 0;
    while INSIDE.load(SeqCst) != 0 {
        if turns < TURNS {
            sys::give_way();
        } else if turns < TURNS.saturating_add(patience_ms) {
            sys::sleep_ms();
        } else {
            return Err(layout::STILL_USED);
        }
        turns += 1;
    }
    // SAFETY: ACTIVE is off and nobody is inside: who comes now is turned away by `enter`.
    unsafe { ring::close(state) };
    let ti = TI.swap(null_mut(), SeqCst);
    if !ti.is_null() {
        // SAFETY: of `start`, and not disposed of before, as it was still in TI.
        unsafe { Ti::of(ti) }.dispose();
    }
    Ok(())
}

const TURNS: u32 = 1_000;
const PATIENCE_MS: u32 = 2_000;
const LONGEST_LEASE_MS: u64 = 600_000;

/// Holds BUSY; a lease that ends holds it for microseconds.
struct Work;

impl Work {
    fn begin() -> Result<Self, i32> {
        for turn in 0..TURNS + PATIENCE_MS {
            if !BUSY.swap(true, SeqCst) {
                return Ok(Self);
            }
            if turn < TURNS { sys::give_way() } else { sys::sleep_ms() }
        }
        Err(layout::AT_WORK)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        BUSY.store(false, SeqCst);
    }
}

/// Starts recording into a ring. One that records already hands over: the new ring is the only one then.
pub fn start(call: Call) -> Result<(), i32> {
    let path = call.options.path(b"ring").ok_or(layout::BAD_OPTIONS)?;
    let original =
        call.options.number(b"orig", 16).filter(|address| *address != 0).ok_or(layout::BAD_OPTIONS)?;
    let lease = call.options.number(b"lease", 10).ok_or(layout::BAD_OPTIONS)?.min(LONGEST_LEASE_MS);
    let _work = Work::begin()?;
    remove(call.jni, layout::STOPPED, PATIENCE_MS)?;
    // SAFETY: the JVM's.
    let ti = unsafe { Ti::open(call.vm, CAN_GET_LINE_NUMBERS | CAN_GET_SOURCE_FILE_NAME) };
    let ti = ti.ok_or(layout::NO_JVMTI)?;
    TI.store(ti.raw(), SeqCst);
    let started = prepare(call, ti, &path, original, lease);
    if started.is_err() {
        let _ = remove(call.jni, layout::STOPPED, PATIENCE_MS);
    }
    started
}

fn prepare(call: Call, ti: Ti, path: &Path, original: u64, lease_ms: u64) -> Result<(), i32> {
    let jni = call.jni;
    let mut class = bridge::thread_class();
    if class.is_null() {
        let thread = ti.current_thread();
        class = bridge::find_thread_class(jni, ti, thread)?;
        jni.release(thread);
    }
    let (tid, name) = (jni.field(class, c"tid", c"J"), jni.field(class, c"name", c"Ljava/lang/String;"));
    if tid.is_null() || name.is_null() {
        return Err(layout::NO_THREAD_CLASS);
    }
    TID.store(tid, Relaxed);
    NAME.store(name, Relaxed);
    START.store(original as usize as *mut c_void, Release);
    ring::open(path)?;
    stacks::reset();
    RINGS.fetch_add(1, Relaxed);
    if let Some(ring) = ring::current() {
        let now = ti.now();
        ring.word(H_CLOCK).store(now, Relaxed);
        ring.word(H_LEASE).store(now.saturating_add(lease_ms * 1_000_000), Relaxed);
        ring.word(H_STATE).store(layout::ON, Release);
    }
    bridge::rebind(jni, start0 as *mut c_void)?;
    INSTALLED.store(true, SeqCst);
    ACTIVE.store(true, SeqCst);
    Ok(())
}

/// Stops recording. Without a hook there is nothing to do, and it says so by success.
pub fn stop(call: Call) -> Result<(), i32> {
    let _work = Work::begin()?;
    remove(call.jni, layout::STOPPED, PATIENCE_MS)
}
