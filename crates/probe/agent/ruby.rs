//! JRuby's own backtrace of the running thread, for frames that its interpreter runs: they are not on the Java stack.
//!
//! Its `ThreadContext` hangs on the Java thread as a thread-local value (in JRuby 9 behind a SoftReference). It keeps
//! an array of `BacktraceElement { String method; String filename; int line }` and the index of the innermost. Only
//! fields are read, on the very thread that would change them.

//!
//! This runs at each start below the interpreter, so fields are looked up once: those of the JDK for good, those of
//! JRuby's classes as long as a weak reference says that it is the same class.

use core::ffi::{CStr, c_void};
use core::ptr::null_mut;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{Acquire, Release};

use crate::jni::{Field, Jni, Obj};
use crate::jvmti::Ti;

/// Frames that are read, innermost first.
const DEPTH: i32 = 16;
/// Thread-local values that are looked at.
const LOCALS: i32 = 512;

const CONTEXT: &[u8] = b"Lorg/jruby/runtime/ThreadContext;";
const SOFT: &[u8] = b"Ljava/lang/ref/SoftReference;";
const STRING: &CStr = c"Ljava/lang/String;";

/// A field that is looked up once.
struct Slot {
    id: AtomicPtr<c_void>,
    name: &'static CStr,
    signature: &'static CStr,
}

impl Slot {
    const fn new(name: &'static CStr, signature: &'static CStr) -> Self {
        Self { id: AtomicPtr::new(null_mut()), name, signature }
    }

    /// For this class, or, when it is `known`, as it was found before.
    fn id(&self, jni: Jni, object: Obj, known: bool) -> Field {
        let id = self.id.load(Acquire);
        if known && !id.is_null() {
            return id;
        }
        let class = jni.class_of(object);
        let id = jni.field(class, self.name, self.signature);
        jni.release(class);
        if known {
            self.id.store(id, Release);
        }
        id
    }

    fn get(&self, jni: Jni, object: Obj, known: bool) -> Obj {
        if object.is_null() { object } else { jni.get(object, self.id(jni, object, known)) }
    }

    fn int(&self, jni: Jni, object: Obj, known: bool) -> Option<i32> {
        if object.is_null() { None } else { jni.get_int(object, self.id(jni, object, known)) }
    }
}

// The JDK's, of the boot loader: there is one of each class.
static THREAD_LOCALS: Slot = Slot::new(c"threadLocals", c"Ljava/lang/ThreadLocal$ThreadLocalMap;");
static TABLE: Slot = Slot::new(c"table", c"[Ljava/lang/ThreadLocal$ThreadLocalMap$Entry;");
static VALUE: Slot = Slot::new(c"value", c"Ljava/lang/Object;");
static REFERENT: Slot = Slot::new(c"referent", c"Ljava/lang/Object;");
static SOFT_CLASS: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

// JRuby's: of the first JRuby that was met.
static CONTEXT_CLASS: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static BACKTRACE: Slot = Slot::new(c"backtrace", c"[Lorg/jruby/runtime/backtrace/BacktraceElement;");
static INDEX: Slot = Slot::new(c"backtraceIndex", c"I");
static METHOD: Slot = Slot::new(c"method", STRING);
static FILE: Slot = Slot::new(c"filename", STRING);
static LINE: Slot = Slot::new(c"line", c"I");

pub struct RubyFrame<'a> {
    pub method: &'a [u8],
    pub file: &'a [u8],
    pub line: u32,
}

/// Gives each frame, with its index, to `see`; none where JRuby keeps them in another way.
pub fn backtrace(jni: Jni, ti: Ti, thread: Obj, mut see: impl FnMut(u32, RubyFrame)) {
    jni.frame(64, || {
        let Some((context, known)) = context(jni, ti, thread) else { return };
        let elements = BACKTRACE.get(jni, context, known);
        let index = INDEX.int(jni, context, known).unwrap_or(-1);
        let last = index.min(jni.array_length(elements).wrapping_sub(1));
        for back in 0..DEPTH.min(last.saturating_add(1)) {
            let element = jni.element(elements, last - back);
            let method = METHOD.get(jni, element, known);
            let file = FILE.get(jni, element, known);
            let line = LINE.int(jni, element, known).unwrap_or(-1);
            let (mut method_space, mut file_space) = ([0; 128], [0; 384]);
            let (method_text, file_text) =
                (jni.text(method, &mut method_space), jni.text(file, &mut file_space));
            if !method_text.is_empty() || !file_text.is_empty() {
                // JRuby counts lines from 0.
                let line = line.saturating_add(1).max(0) as u32;
                see(back as u32, RubyFrame { method: method_text, file: file_text, line });
            }
            for object in [element, method, file] {
                jni.release(object);
            }
        }
    });
}

/// Is it an object of this class, which is remembered by `weak` or by its name?
fn is_of(jni: Jni, ti: Ti, class: Obj, remembered: &AtomicPtr<c_void>, name: &[u8]) -> bool {
    // SAFETY: null, or a weak global reference that is never deleted.
    let known = unsafe { Obj::of(remembered.load(Acquire)) };
    if !known.is_null() {
        return jni.is_same(class, known);
    }
    if ti.signature(class).text() != name {
        return false;
    }
    remembered.store(jni.weak(class).raw(), Release);
    true
}

/// The thread's context, and whether it is of the JRuby whose fields are known.
fn context(jni: Jni, ti: Ti, thread: Obj) -> Option<(Obj, bool)> {
    let locals = THREAD_LOCALS.get(jni, thread, true);
    let table = TABLE.get(jni, locals, true);
    let length = jni.array_length(table).min(LOCALS);
    // A second look by name is for a second JRuby in the same process.
    [true, false].into_iter().find_map(|known| {
        let found = (0..length).find_map(|at| context_in(jni, ti, table, at, known))?;
        Some((found, known))
    })
}

fn context_in(jni: Jni, ti: Ti, table: Obj, at: i32, known: bool) -> Option<Obj> {
    let entry = jni.element(table, at);
    let mut value = VALUE.get(jni, entry, true);
    jni.release(entry);
    let mut class = jni.class_of(value);
    if !class.is_null() && is_of(jni, ti, class, &SOFT_CLASS, SOFT) {
        let referent = REFERENT.get(jni, value, true);
        jni.release(class);
        jni.release(value);
        (value, class) = (referent, jni.class_of(referent));
    }
    let found = !class.is_null()
        && if known {
            is_of(jni, ti, class, &CONTEXT_CLASS, CONTEXT)
        } else {
            ti.signature(class).text() == CONTEXT
        };
    jni.release(class);
    if found {
        return Some(value);
    }
    jni.release(value);
    None
}
