//! JRuby's own backtrace of the running thread, for frames that its interpreter runs: they are not on the Java stack.
//!
//! Its `ThreadContext` hangs on the Java thread as a thread-local value (in JRuby 9 behind a SoftReference). It keeps
//! an array of `BacktraceElement { String method; String filename; int line }` and the index of the innermost. Only
//! fields are read, on the very thread that would change them.

use crate::jni::{Jni, Obj};
use crate::jvmti::Ti;
use crate::origin::follow;

/// Frames that are read, innermost first.
const DEPTH: i32 = 24;
/// Thread-local values that are looked at.
const LOCALS: i32 = 512;

const CONTEXT: &[u8] = b"Lorg/jruby/runtime/ThreadContext;";
const ELEMENTS: &core::ffi::CStr = c"[Lorg/jruby/runtime/backtrace/BacktraceElement;";
const STRING: &core::ffi::CStr = c"Ljava/lang/String;";

pub struct RubyFrame<'a> {
    pub method: &'a [u8],
    pub file: &'a [u8],
    pub line: u32,
}

/// Gives each frame, with its index, to `see`; none where JRuby keeps them in another way.
pub fn backtrace(jni: Jni, ti: Ti, thread: Obj, mut see: impl FnMut(u32, RubyFrame)) {
    jni.frame(64, || {
        let context = context(jni, ti, thread);
        let class = jni.class_of(context);
        let elements = jni.get(context, jni.field(class, c"backtrace", ELEMENTS));
        let index = jni.get_int(context, jni.field(class, c"backtraceIndex", c"I")).unwrap_or(-1);
        let last = index.min(jni.array_length(elements).wrapping_sub(1));
        for back in 0..DEPTH.min(last.saturating_add(1)) {
            let element = jni.element(elements, last - back);
            let class = jni.class_of(element);
            let method = jni.get(element, jni.field(class, c"method", STRING));
            let file = jni.get(element, jni.field(class, c"filename", STRING));
            let line = jni.get_int(element, jni.field(class, c"line", c"I")).unwrap_or(-1);
            let (mut method_space, mut file_space) = ([0; 128], [0; 384]);
            let (method_text, file_text) =
                (jni.text(method, &mut method_space), jni.text(file, &mut file_space));
            if !method_text.is_empty() || !file_text.is_empty() {
                // JRuby counts lines from 0.
                let line = line.saturating_add(1).max(0) as u32;
                see(back as u32, RubyFrame { method: method_text, file: file_text, line });
            }
            for object in [element, class, method, file] {
                jni.release(object);
            }
        }
    });
}

fn context(jni: Jni, ti: Ti, thread: Obj) -> Obj {
    let locals = follow(jni, thread, c"threadLocals", c"Ljava/lang/ThreadLocal$ThreadLocalMap;");
    let table = follow(jni, locals, c"table", c"[Ljava/lang/ThreadLocal$ThreadLocalMap$Entry;");
    for at in 0..jni.array_length(table).min(LOCALS) {
        let entry = jni.element(table, at);
        if entry.is_null() {
            continue;
        }
        let value = follow(jni, entry, c"value", c"Ljava/lang/Object;");
        jni.release(entry);
        let class = jni.class_of(value);
        let signature = ti.signature(class);
        jni.release(class);
        if signature.text() == CONTEXT {
            return value;
        }
        if signature.text() == b"Ljava/lang/ref/SoftReference;" {
            let referent = follow(jni, value, c"referent", c"Ljava/lang/Object;");
            let class = jni.class_of(referent);
            let found = ti.signature(class).text() == CONTEXT;
            jni.release(class);
            if found {
                return referent;
            }
            jni.release(referent);
        }
        jni.release(value);
    }
    Obj::NULL
}
