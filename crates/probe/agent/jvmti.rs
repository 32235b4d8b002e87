//! JVMTI: the functions that are used, by their index in the table (number in the specification, less one).

use core::ffi::{CStr, c_char, c_void};
use core::ptr::null_mut;

use crate::jni::{Field, Method, Obj, entry, environment};

const JVMTI_1_2: i32 = 0x3001_0200;

const GET_ALL_THREADS: usize = 3;
const GET_CURRENT_THREAD: usize = 17;
const DEALLOCATE: usize = 46;
const GET_CLASS_SIGNATURE: usize = 47;
const GET_SOURCE_FILE_NAME: usize = 49;
const GET_CLASS_STATUS: usize = 48;
const GET_CLASS_METHODS: usize = 51;
const GET_CLASS_FIELDS: usize = 52;
const GET_IMPLEMENTED_INTERFACES: usize = 53;
const GET_CLASS_LOADER: usize = 56;
const GET_FIELD_NAME: usize = 59;
const GET_FIELD_MODIFIERS: usize = 61;
const GET_METHOD_NAME: usize = 63;
const GET_METHOD_DECLARING_CLASS: usize = 64;
const GET_LINE_NUMBER_TABLE: usize = 69;
const GET_BYTECODES: usize = 74;
const GET_LOADED_CLASSES: usize = 77;
const GET_STACK_TRACE: usize = 103;
const GET_TAG: usize = 105;
const SET_TAG: usize = 106;
const GET_OBJECTS_WITH_TAGS: usize = 113;
const FOLLOW_REFERENCES: usize = 114;
const DISPOSE_ENVIRONMENT: usize = 126;
const GET_TIME: usize = 138;
const GET_POTENTIAL_CAPABILITIES: usize = 139;
const ADD_CAPABILITIES: usize = 141;
const GET_CONSTANT_POOL: usize = 145;

/// Bits of jvmtiCapabilities' first word.
pub const CAN_TAG_OBJECTS: u64 = 1;
pub const CAN_GET_BYTECODES: u64 = 1 << 3;
pub const CAN_GET_SOURCE_FILE_NAME: u64 = 1 << 11;
pub const CAN_GET_LINE_NUMBERS: u64 = 1 << 12;
pub const CAN_GET_CONSTANT_POOL: u64 = 1 << 35;

/// jvmtiHeapReferenceInfo, as far as it is used: a field's index is the low half of the first word; of a local it is
/// the tag of its thread, and `method` its method.
#[repr(C)]
pub struct ReferenceInfo {
    pub first: i64,
    _thread_id: i64,
    _depth: i64,
    pub method: Method,
}

/// jvmtiHeapReferenceCallback: kind, details, tag of the object's class, tag of the referrer's class, size, the object's
/// tag, the referrer's tag (null for a root), length of an array, what was handed over.
pub type OnReference =
    extern "system" fn(i32, *const ReferenceInfo, i64, i64, i64, *mut i64, *mut i64, i32, *mut c_void) -> i32;

/// jvmtiHeapCallbacks.
#[repr(C)]
struct HeapCallbacks {
    iteration: *mut c_void,
    reference: OnReference,
    others: [*mut c_void; 14],
}

/// jvmtiFrameInfo.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    pub method: Method,
    pub location: i64,
}

impl Frame {
    pub const NONE: Self = Self { method: null_mut(), location: 0 };
}

/// jvmtiLineNumberEntry.
#[repr(C)]
#[derive(Clone, Copy)]
struct Line {
    start: i64,
    line: i32,
}

/// A JVMTI environment.
#[derive(Clone, Copy)]
pub struct Ti(*mut c_void);

/// Memory that JVMTI allocated: given back when dropped.
pub struct Given<T> {
    ti: Ti,
    at: *mut T,
    count: usize,
}

impl<T: Copy> Given<T> {
    fn new(ti: Ti, at: *mut T, count: i32) -> Self {
        Self { ti, at, count: if at.is_null() { 0 } else { count.max(0) as usize } }
    }

    pub fn as_slice(&self) -> &[T] {
        if self.at.is_null() {
            return &[];
        }
        // SAFETY: JVMTI allocated `count` values there for us, until `drop`.
        unsafe { core::slice::from_raw_parts(self.at, self.count) }
    }
}

impl Given<c_char> {
    /// A C string, without its 0.
    pub fn text(&self) -> &[u8] {
        if self.at.is_null() {
            return &[];
        }
        // SAFETY: JVMTI allocated a string that ends with 0, ours until `drop`.
        unsafe { CStr::from_ptr(self.at) }.to_bytes()
    }
}

impl<T> Drop for Given<T> {
    fn drop(&mut self) {
        if !self.at.is_null() {
            entry!(self.ti.0, DEALLOCATE, (self.at.cast() => *mut u8) -> i32);
        }
    }
}

impl Ti {
    /// A new environment with those of the capabilities that can be had.
    ///
    /// # Safety
    /// `vm` must be the JavaVM that was handed to the agent.
    pub unsafe fn open(vm: *mut c_void, capabilities: u64) -> Option<Self> {
        // SAFETY: the caller's promise.
        let ti = Self(unsafe { environment(vm, JVMTI_1_2) }?);
        let mut potential = [0_u64; 2];
        let result = entry!(ti.0, GET_POTENTIAL_CAPABILITIES, (potential.as_mut_ptr() => *mut u64) -> i32);
        let wanted = [potential[0] & capabilities, 0];
        if result != 0 || entry!(ti.0, ADD_CAPABILITIES, (wanted.as_ptr() => *const u64) -> i32) != 0 {
            ti.dispose();
            return None;
        }
        Some(ti)
    }

    pub fn raw(self) -> *mut c_void {
        self.0
    }

    /// # Safety
    /// It must be what `raw` answered for an environment that was not disposed of.
    pub unsafe fn of(raw: *mut c_void) -> Self {
        Self(raw)
    }

    /// Nobody may use it, or a copy of it, after this.
    pub fn dispose(self) {
        entry!(self.0, DISPOSE_ENVIRONMENT, () -> i32);
    }

    /// CLOCK_MONOTONIC as the target sees it, ns.
    pub fn now(self) -> u64 {
        let mut time = 0_i64;
        entry!(self.0, GET_TIME, (&raw mut time => *mut i64) -> i32);
        time.max(0) as u64
    }

    /// Of the thread that runs; how many frames were written. An error is no frame at all.
    pub fn stack(self, frames: &mut [Frame]) -> usize {
        let mut count = 0;
        let most = frames.len() as i32;
        let result = entry!(self.0, GET_STACK_TRACE, (Obj::NULL => Obj, 0 => i32, most => i32, frames.as_mut_ptr() => *mut Frame, &raw mut count => *mut i32) -> i32);
        if result == 0 { count.clamp(0, most) as usize } else { 0 }
    }

    pub fn current_thread(self) -> Obj {
        let mut thread = Obj::NULL;
        let result = entry!(self.0, GET_CURRENT_THREAD, (&raw mut thread => *mut Obj) -> i32);
        if result == 0 { thread } else { Obj::NULL }
    }

    pub fn threads(self) -> Given<Obj> {
        let (mut count, mut list) = (0, null_mut());
        entry!(self.0, GET_ALL_THREADS, (&raw mut count => *mut i32, &raw mut list => *mut *mut Obj) -> i32);
        Given::new(self, list, count)
    }

    pub fn classes(self) -> Given<Obj> {
        let (mut count, mut list) = (0, null_mut());
        entry!(self.0, GET_LOADED_CLASSES, (&raw mut count => *mut i32, &raw mut list => *mut *mut Obj) -> i32);
        Given::new(self, list, count)
    }

    /// `Ljava/lang/String;`
    pub fn signature(self, class: Obj) -> Given<c_char> {
        let mut text = null_mut();
        if !class.is_null() {
            entry!(self.0, GET_CLASS_SIGNATURE, (class => Obj, &raw mut text => *mut *mut c_char, null_mut() => *mut *mut c_char) -> i32);
        }
        Given::new(self, text, 1)
    }

    pub fn source_file(self, class: Obj) -> Given<c_char> {
        let mut text = null_mut();
        if !class.is_null() {
            entry!(self.0, GET_SOURCE_FILE_NAME, (class => Obj, &raw mut text => *mut *mut c_char) -> i32);
        }
        Given::new(self, text, 1)
    }

    pub fn loader(self, class: Obj) -> Obj {
        let mut loader = Obj::NULL;
        if !class.is_null() {
            entry!(self.0, GET_CLASS_LOADER, (class => Obj, &raw mut loader => *mut Obj) -> i32);
        }
        loader
    }

    pub fn fields(self, class: Obj) -> Given<Field> {
        let (mut count, mut list) = (0, null_mut());
        if !class.is_null() {
            entry!(self.0, GET_CLASS_FIELDS, (class => Obj, &raw mut count => *mut i32, &raw mut list => *mut *mut Field) -> i32);
        }
        Given::new(self, list, count)
    }

    pub fn methods(self, class: Obj) -> Given<Method> {
        let (mut count, mut list) = (0, null_mut());
        if !class.is_null() {
            entry!(self.0, GET_CLASS_METHODS, (class => Obj, &raw mut count => *mut i32, &raw mut list => *mut *mut Method) -> i32);
        }
        Given::new(self, list, count)
    }

    /// Name, signature, and whether it is static. The field must be of this class.
    pub fn describe_field(self, class: Obj, field: Field) -> Option<(Given<c_char>, Given<c_char>, bool)> {
        const STATIC: i32 = 8;
        let (mut name, mut signature, mut modifiers) = (null_mut(), null_mut(), 0);
        let result = entry!(self.0, GET_FIELD_NAME, (class => Obj, field => Field, &raw mut name => *mut *mut c_char, &raw mut signature => *mut *mut c_char, null_mut() => *mut *mut c_char) -> i32);
        let (name, signature) = (Given::new(self, name, 1), Given::new(self, signature, 1));
        if result != 0 {
            return None;
        }
        entry!(self.0, GET_FIELD_MODIFIERS, (class => Obj, field => Field, &raw mut modifiers => *mut i32) -> i32);
        Some((name, signature, modifiers & STATIC != 0))
    }

    pub fn method_name(self, method: Method) -> Given<c_char> {
        let mut name = null_mut();
        if !method.is_null() {
            entry!(self.0, GET_METHOD_NAME, (method => Method, &raw mut name => *mut *mut c_char, null_mut() => *mut *mut c_char, null_mut() => *mut *mut c_char) -> i32);
        }
        Given::new(self, name, 1)
    }

    pub fn declaring_class(self, method: Method) -> Obj {
        let mut class = Obj::NULL;
        if method.is_null() {
            return class;
        }
        let result =
            entry!(self.0, GET_METHOD_DECLARING_CLASS, (method => Method, &raw mut class => *mut Obj) -> i32);
        if result == 0 { class } else { Obj::NULL }
    }

    /// The source line of a place in a method; -1 when it is native or was compiled without lines.
    pub fn line(self, method: Method, location: i64) -> i32 {
        let (mut count, mut list) = (0, null_mut());
        if method.is_null() || location < 0 {
            return -1;
        }
        let result = entry!(self.0, GET_LINE_NUMBER_TABLE, (method => Method, &raw mut count => *mut i32, &raw mut list => *mut *mut Line) -> i32);
        let lines = Given::new(self, list, if result == 0 { count } else { 0 });
        let before = lines.as_slice().iter().filter(|entry| entry.start <= location);
        before.max_by_key(|entry| entry.start).map_or(-1, |entry| entry.line)
    }

    pub fn bytecodes(self, method: Method) -> Given<u8> {
        let (mut count, mut list) = (0, null_mut());
        let result = entry!(self.0, GET_BYTECODES, (method => Method, &raw mut count => *mut i32, &raw mut list => *mut *mut u8) -> i32);
        Given::new(self, list, if result == 0 { count } else { 0 })
    }

    /// Number of entries, and their bytes as in a class file.
    pub fn constants(self, class: Obj) -> Option<(usize, Given<u8>)> {
        let (mut entries, mut bytes, mut list) = (0_i32, 0, null_mut());
        let result = entry!(self.0, GET_CONSTANT_POOL, (class => Obj, &raw mut entries => *mut i32, &raw mut bytes => *mut i32, &raw mut list => *mut *mut u8) -> i32);
        (result == 0).then(|| (entries.max(0) as usize, Given::new(self, list, bytes)))
    }

    pub fn tag(self, object: Obj) -> i64 {
        let mut tag = 0;
        if !object.is_null() {
            entry!(self.0, GET_TAG, (object => Obj, &raw mut tag => *mut i64) -> i32);
        }
        tag
    }

    pub fn set_tag(self, object: Obj, tag: i64) {
        if !object.is_null() {
            entry!(self.0, SET_TAG, (object => Obj, tag => i64) -> i32);
        }
    }

    /// Of this class alone.
    pub fn interfaces(self, class: Obj) -> Given<Obj> {
        let (mut count, mut list) = (0, null_mut());
        if !class.is_null() {
            entry!(self.0, GET_IMPLEMENTED_INTERFACES, (class => Obj, &raw mut count => *mut i32, &raw mut list => *mut *mut Obj) -> i32);
        }
        Given::new(self, list, count)
    }

    /// May its static fields be read without any of its code being run?
    pub fn is_initialized(self, class: Obj) -> bool {
        const INITIALIZED: i32 = 4;
        let mut status = 0;
        let result = !class.is_null()
            && entry!(self.0, GET_CLASS_STATUS, (class => Obj, &raw mut status => *mut i32) -> i32) == 0;
        result && status & INITIALIZED != 0
    }

    /// Every reference of what is reachable, one by one, while the JVM stands still.
    ///
    /// # Safety
    /// `on_reference` is called with `data` and may use both and the tags it is given, and nothing of the JVM.
    pub unsafe fn follow_references(self, on_reference: OnReference, data: *mut c_void) -> bool {
        let callbacks =
            HeapCallbacks { iteration: null_mut(), reference: on_reference, others: [null_mut(); 14] };
        entry!(self.0, FOLLOW_REFERENCES, (0 => i32, Obj::NULL => Obj, Obj::NULL => Obj, &raw const callbacks => *const HeapCallbacks, data => *mut c_void) -> i32)
            == 0
    }

    /// The objects that have one of these tags, and which.
    pub fn tagged(self, tags: &[i64]) -> (Given<Obj>, Given<i64>) {
        let (mut count, mut objects, mut found) = (0, null_mut(), null_mut());
        let wanted = tags.len() as i32;
        if wanted > 0 {
            entry!(self.0, GET_OBJECTS_WITH_TAGS, (wanted => i32, tags.as_ptr() => *const i64, &raw mut count => *mut i32, &raw mut objects => *mut *mut Obj, &raw mut found => *mut *mut i64) -> i32);
        }
        (Given::new(self, objects, count), Given::new(self, found, count))
    }
}
