//! Binding `Thread.start0` from a class of the boot loader, as the JDK logs a warning when anybody else does it.

use core::ffi::c_void;
use core::ptr::null_mut;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{Acquire, Release};

use crate::jni::{Jni, Obj};
use crate::layout::{NO_BINDING, NO_BRIDGE, NO_THREAD_CLASS};
use crate::names::THREAD;

const CLASS: &[u8] = include_bytes!("bridge/flatfoot/Bridge.class");

/// Global references to classes of the boot loader, which are never unloaded: they keep nothing alive.
static BRIDGE: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
static THREAD_CLASS: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// What `bind` is to bind; null when it has done so.
static FUNCTION: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

/// Remembers java.lang.Thread, found from a thread object.
pub fn find_thread_class(jni: Jni, ti: crate::jvmti::Ti, thread: Obj) -> Result<Obj, i32> {
    let mut class = jni.class_of(thread);
    while !class.is_null() {
        if ti.signature(class).text() == THREAD {
            let global = jni.global(class);
            THREAD_CLASS.store(global.raw(), Release);
            return if global.is_null() { Err(NO_THREAD_CLASS) } else { Ok(global) };
        }
        class = jni.superclass(class);
    }
    Err(NO_THREAD_CLASS)
}

/// java.lang.Thread, when it was found.
pub fn thread_class() -> Obj {
    // SAFETY: null, or a global reference that is never deleted.
    unsafe { Obj::of(THREAD_CLASS.load(Acquire)) }
}

/// `static native void bind()` of the bridge.
extern "system" fn bind(env: *mut c_void, _: *mut c_void) {
    // SAFETY: the JVM hands its environment to a native method.
    let jni = unsafe { Jni::new(env) };
    if jni.register(thread_class(), c"start0", c"()V", FUNCTION.load(Acquire)) {
        FUNCTION.store(null_mut(), Release);
    }
}

fn bridge(jni: Jni) -> Result<Obj, i32> {
    // SAFETY: null, or a global reference that is never deleted.
    let known = unsafe { Obj::of(BRIDGE.load(Acquire)) };
    if !known.is_null() {
        return Ok(known);
    }
    let mut class = jni.define_boot_class(c"flatfoot/Bridge", CLASS);
    if jni.clear() || class.is_null() {
        // Another version of this agent has defined it, and is idle by now.
        class = jni.find_class(c"flatfoot/Bridge");
        if jni.clear() {
            return Err(NO_BRIDGE);
        }
    }
    let global = jni.global(class);
    jni.release(class);
    if !jni.register(global, c"bind", c"()V", bind as *mut c_void) {
        return Err(NO_BRIDGE);
    }
    BRIDGE.store(global.raw(), Release);
    Ok(global)
}

/// Binds Thread.start0 to a function. One thread at a time.
pub fn rebind(jni: Jni, function: *mut c_void) -> Result<(), i32> {
    let bridge = bridge(jni)?;
    FUNCTION.store(function, Release);
    let method = jni.static_method(bridge, c"call", c"()V");
    jni.call_static(bridge, method);
    // Another version of this agent was here since, and has bound the bridge to itself.
    if !FUNCTION.load(Acquire).is_null() && jni.register(bridge, c"bind", c"()V", bind as *mut c_void) {
        jni.call_static(bridge, method);
    }
    // Taken by `bind` once it is done, whatever came after.
    if FUNCTION.load(Acquire).is_null() { Ok(()) } else { Err(NO_BINDING) }
}
