//! JNI: the functions that are used, by their index in the table (JNI specification, chapter 4).
//!
//! An [`Obj`] can only be made by the functions here and in `jvmti.rs`, and each function answers null for null, so
//! that a missing object ends in "nothing found" and never in a crash of the target.

use core::ffi::{CStr, c_char, c_void};
use core::ptr::{null, null_mut};

/// A reference to a Java object, or null.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Obj(*mut c_void);

impl Obj {
    pub const NULL: Self = Self(null_mut());

    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// For what the JVM hands to a native method.
    pub fn raw(self) -> *mut c_void {
        self.0
    }

    /// # Safety
    /// It must be what the JVM handed over, or null.
    pub unsafe fn of(raw: *mut c_void) -> Self {
        Self(raw)
    }
}

/// jfieldID.
pub type Field = *mut c_void;
/// jmethodID.
pub type Method = *mut c_void;

/// What RegisterNatives takes.
#[repr(C)]
struct Native {
    name: *const c_char,
    signature: *const c_char,
    function: *mut c_void,
}

/// JNIEnv of the thread that runs.
#[derive(Clone, Copy)]
pub struct Jni(*mut c_void);

const GET_SUPERCLASS: usize = 10;
const DEFINE_CLASS: usize = 5;
const FIND_CLASS: usize = 6;
const EXCEPTION_CLEAR: usize = 17;
const PUSH_LOCAL_FRAME: usize = 19;
const POP_LOCAL_FRAME: usize = 20;
const NEW_GLOBAL_REF: usize = 21;
const DELETE_LOCAL_REF: usize = 23;
const IS_ASSIGNABLE_FROM: usize = 11;
const IS_SAME_OBJECT: usize = 24;
const GET_OBJECT_CLASS: usize = 31;
const GET_METHOD_ID: usize = 33;
const CALL_OBJECT_METHOD_A: usize = 36;
const GET_FIELD_ID: usize = 94;
const GET_OBJECT_FIELD: usize = 95;
const GET_BOOLEAN_FIELD: usize = 96;
const GET_INT_FIELD: usize = 100;
const GET_LONG_FIELD: usize = 101;
const GET_STATIC_METHOD_ID: usize = 113;
const CALL_STATIC_VOID_METHOD_A: usize = 143;
const GET_STATIC_OBJECT_FIELD: usize = 145;
const GET_STATIC_LONG_FIELD: usize = 151;
const GET_STRING_LENGTH: usize = 164;
const GET_STRING_UTF_LENGTH: usize = 168;
const GET_ARRAY_LENGTH: usize = 171;
const GET_OBJECT_ARRAY_ELEMENT: usize = 173;
const REGISTER_NATIVES: usize = 215;
const GET_STRING_UTF_REGION: usize = 221;
const NEW_WEAK_GLOBAL_REF: usize = 226;
const EXCEPTION_CHECK: usize = 228;

/// Calls entry `$index` of the function table that `$env` points to.
macro_rules! entry {
    ($env:expr, $index:expr, ($($argument:expr => $kind:ty),*) -> $result:ty) => {{
        // SAFETY: `$env` is a valid environment (promise of its constructor), whose first word points to the table
        // that the specification lays out; the entry's C signature is the one given. Objects are the JVM's or null.
        unsafe {
            let table = *$env.cast::<*const *const core::ffi::c_void>();
            let function: unsafe extern "system" fn(*mut core::ffi::c_void $(, $kind)*) -> $result =
                core::mem::transmute(*table.add($index));
            function($env $(, $argument)*)
        }
    }};
}
pub(crate) use entry;

impl Jni {
    /// # Safety
    /// `env` must be the JNIEnv of the thread that runs, and be used by it only.
    pub unsafe fn new(env: *mut c_void) -> Self {
        Self(env)
    }

    pub fn define_boot_class(self, name: &CStr, bytes: &[u8]) -> Obj {
        let length = bytes.len() as i32;
        entry!(self.0, DEFINE_CLASS, (name.as_ptr() => *const c_char, Obj::NULL => Obj, bytes.as_ptr() => *const u8, length => i32) -> Obj)
    }

    pub fn find_class(self, name: &CStr) -> Obj {
        entry!(self.0, FIND_CLASS, (name.as_ptr() => *const c_char) -> Obj)
    }

    pub fn exception_check(self) -> bool {
        entry!(self.0, EXCEPTION_CHECK, () -> u8) != 0
    }

    /// Clears an exception that a call of ours has made; true if there was one. Nobody's else: callers see to it that
    /// none is pending before.
    pub fn clear(self) -> bool {
        let pending = self.exception_check();
        if pending {
            entry!(self.0, EXCEPTION_CLEAR, () -> ());
        }
        pending
    }

    /// Everything that is made within is released at the end; without memory for it, nothing is done.
    pub fn frame<T>(self, capacity: i32, work: impl FnOnce() -> T) -> Option<T> {
        if entry!(self.0, PUSH_LOCAL_FRAME, (capacity => i32) -> i32) != 0 {
            self.clear();
            return None;
        }
        let result = work();
        entry!(self.0, POP_LOCAL_FRAME, (Obj::NULL => Obj) -> Obj);
        Some(result)
    }

    pub fn global(self, object: Obj) -> Obj {
        entry!(self.0, NEW_GLOBAL_REF, (object => Obj) -> Obj)
    }

    /// Keeps nothing alive; null once its object is gone.
    pub fn weak(self, object: Obj) -> Obj {
        if object.is_null() { object } else { entry!(self.0, NEW_WEAK_GLOBAL_REF, (object => Obj) -> Obj) }
    }

    pub fn is_same(self, one: Obj, other: Obj) -> bool {
        entry!(self.0, IS_SAME_OBJECT, (one => Obj, other => Obj) -> u8) != 0
    }

    pub fn release(self, object: Obj) {
        if !object.is_null() {
            entry!(self.0, DELETE_LOCAL_REF, (object => Obj) -> ());
        }
    }

    pub fn superclass(self, class: Obj) -> Obj {
        if class.is_null() { class } else { entry!(self.0, GET_SUPERCLASS, (class => Obj) -> Obj) }
    }

    pub fn class_of(self, object: Obj) -> Obj {
        if object.is_null() { object } else { entry!(self.0, GET_OBJECT_CLASS, (object => Obj) -> Obj) }
    }

    /// Null when the class has no such field. Only for classes that are initialised: JNI would initialise others.
    pub fn field(self, class: Obj, name: &CStr, signature: &CStr) -> Field {
        if class.is_null() {
            return null_mut();
        }
        let found = entry!(self.0, GET_FIELD_ID, (class => Obj, name.as_ptr() => *const c_char, signature.as_ptr() => *const c_char) -> Field);
        if self.clear() { null_mut() } else { found }
    }

    pub fn method(self, class: Obj, name: &CStr, signature: &CStr) -> Method {
        if class.is_null() {
            return null_mut();
        }
        let found = entry!(self.0, GET_METHOD_ID, (class => Obj, name.as_ptr() => *const c_char, signature.as_ptr() => *const c_char) -> Method);
        if self.clear() { null_mut() } else { found }
    }

    pub fn static_method(self, class: Obj, name: &CStr, signature: &CStr) -> Method {
        if class.is_null() {
            return null_mut();
        }
        let found = entry!(self.0, GET_STATIC_METHOD_ID, (class => Obj, name.as_ptr() => *const c_char, signature.as_ptr() => *const c_char) -> Method);
        if self.clear() { null_mut() } else { found }
    }

    /// Calls a method without arguments. `method` must be one of the object's class.
    pub fn call(self, object: Obj, method: Method) -> Obj {
        if object.is_null() || method.is_null() {
            return Obj::NULL;
        }
        let found = entry!(self.0, CALL_OBJECT_METHOD_A, (object => Obj, method => Method, null() => *const u64) -> Obj);
        if self.clear() { Obj::NULL } else { found }
    }

    /// Calls a static method without arguments, and clears what it threw.
    pub fn call_static(self, class: Obj, method: Method) {
        if class.is_null() || method.is_null() {
            return;
        }
        entry!(self.0, CALL_STATIC_VOID_METHOD_A, (class => Obj, method => Method, null() => *const u64) -> ());
        self.clear();
    }

    /// The field must be an object's, of this object's class.
    pub fn get(self, object: Obj, field: Field) -> Obj {
        if object.is_null() || field.is_null() {
            return Obj::NULL;
        }
        entry!(self.0, GET_OBJECT_FIELD, (object => Obj, field => Field) -> Obj)
    }

    pub fn get_boolean(self, object: Obj, field: Field) -> Option<bool> {
        (!object.is_null() && !field.is_null())
            .then(|| entry!(self.0, GET_BOOLEAN_FIELD, (object => Obj, field => Field) -> u8) != 0)
    }

    pub fn get_int(self, object: Obj, field: Field) -> Option<i32> {
        (!object.is_null() && !field.is_null())
            .then(|| entry!(self.0, GET_INT_FIELD, (object => Obj, field => Field) -> i32))
    }

    pub fn get_long(self, object: Obj, field: Field) -> Option<i64> {
        (!object.is_null() && !field.is_null())
            .then(|| entry!(self.0, GET_LONG_FIELD, (object => Obj, field => Field) -> i64))
    }

    /// The field must be a static one of this class, which must be initialised.
    pub fn get_static(self, class: Obj, field: Field) -> Obj {
        if class.is_null() || field.is_null() {
            return Obj::NULL;
        }
        entry!(self.0, GET_STATIC_OBJECT_FIELD, (class => Obj, field => Field) -> Obj)
    }

    /// The same for a long.
    pub fn get_static_long(self, class: Obj, field: Field) -> Option<i64> {
        (!class.is_null() && !field.is_null())
            .then(|| entry!(self.0, GET_STATIC_LONG_FIELD, (class => Obj, field => Field) -> i64))
    }

    /// Is every object of the one class one of the other, too?
    pub fn is_assignable(self, class: Obj, to: Obj) -> bool {
        !class.is_null()
            && !to.is_null()
            && entry!(self.0, IS_ASSIGNABLE_FROM, (class => Obj, to => Obj) -> u8) != 0
    }

    pub fn array_length(self, array: Obj) -> i32 {
        if array.is_null() { 0 } else { entry!(self.0, GET_ARRAY_LENGTH, (array => Obj) -> i32) }
    }

    /// `at` must be below its length: arrays don't shrink.
    pub fn element(self, array: Obj, at: i32) -> Obj {
        entry!(self.0, GET_OBJECT_ARRAY_ELEMENT, (array => Obj, at => i32) -> Obj)
    }

    /// A string as modified UTF-8 (which has no byte 0), cut when it doesn't fit.
    pub fn text<const N: usize>(self, string: Obj, space: &mut [u8; N]) -> &[u8] {
        *space = [0; N];
        let room = N as i32 - 1;
        if string.is_null() || room < 3 {
            return &[];
        }
        let length = entry!(self.0, GET_STRING_LENGTH, (string => Obj) -> i32);
        // A character has three bytes at most; measuring is only worth it, and only cheap, when it may fit or not.
        let fits = length <= room / 3
            || (length <= room && entry!(self.0, GET_STRING_UTF_LENGTH, (string => Obj) -> i32) <= room);
        let length = if fits { length } else { length.clamp(0, room / 3) };
        entry!(self.0, GET_STRING_UTF_REGION, (string => Obj, 0 => i32, length => i32, space.as_mut_ptr() => *mut u8) -> ());
        if self.clear() {
            return &[];
        }
        space.split(|byte| *byte == 0).next().unwrap_or(&[])
    }

    /// Binds a native method. `function` must have the C signature that `signature` asks for.
    pub fn register(self, class: Obj, name: &CStr, signature: &CStr, function: *mut c_void) -> bool {
        if class.is_null() || function.is_null() {
            return false;
        }
        let native = Native { name: name.as_ptr(), signature: signature.as_ptr(), function };
        let result = entry!(self.0, REGISTER_NATIVES, (class => Obj, &raw const native => *const Native, 1 => i32) -> i32);
        !self.clear() && result == 0
    }
}

const GET_ENV: usize = 6;

/// An environment of the running thread from the JavaVM: JNI's or JVMTI's, by version number.
///
/// # Safety
/// `vm` must be the JavaVM that was handed to the agent.
pub unsafe fn environment(vm: *mut c_void, version: i32) -> Option<*mut c_void> {
    let mut env = null_mut();
    let result = entry!(vm, GET_ENV, (&raw mut env => *mut *mut c_void, version => i32) -> i32);
    (result == 0 && !env.is_null()).then_some(env)
}
