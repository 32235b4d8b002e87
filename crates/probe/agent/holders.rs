//! Who holds what: a walk over everything that is reachable, reference by reference, while the JVM stands still.
//!
//! It ends by itself when its time is over (`pause=` in ms), so that nobody waits longer than was granted. What is seen is
//! only counted, class by class (`graph`); tags are put on few objects: classes, pools, threads, what roots refer to and
//! direct buffers. Weak, phantom and final references hold nothing, and lead nowhere here; soft ones do.

use core::ffi::c_void;

use crate::arena::{List, Piece};
use crate::graph::{ELEMENT, FIELD, Graph, JVM, LOCAL, NATIVE, NOBODY, STATIC, THREAD};
use crate::jni::{Field, Jni, Method, Obj};
use crate::jvmti::{CAN_TAG_OBJECTS, ReferenceInfo, Ti};
use crate::layout::{NO_JVMTI, NO_MEMORY, NO_WALK, UNKNOWN};
use crate::names::{is_jdk, without_lambda};
use crate::report::Report;
use crate::{Call, sys};

/// Sorts of tags; what is below is a number.
pub const CLASSES: i64 = 1 << 40;
pub const POOLS: i64 = 2 << 40;
pub const THREADS: i64 = 3 << 40;
pub const ROOTS: i64 = 4 << 40;
pub const BUFFERS: i64 = 5 << 40;
const SORT: i64 = -1 << 40;

/// The listener's thread, which this runs on: what it refers to is ours.
const OURS: usize = usize::MAX >> 24;
/// Objects that roots refer to and that are tagged.
const MOST_ROOTS: usize = 1024;

/// Nothing in it refers to anything of interest.
const LEAF: u8 = 1;
/// Its `referent` is no strong reference.
pub const WEAK: u8 = 2;
/// What a pool is made of: it may refer to the pool, but isn't who holds it.
const INNER: u8 = 4;
/// What would clean up after a pool or timer that is gone.
const CLEANER: u8 = 8;
const DIRECT: u8 = 16;
pub const ARRAY: u8 = 32;
pub const JDK: u8 = 64;

/// The number in a tag of this sort.
pub fn number(tag: i64, sort: i64) -> Option<usize> {
    (tag & SORT == sort).then_some((tag & !SORT) as usize)
}

/// A class, by its number: the index in `Heap::classes`.
#[derive(Clone, Copy)]
pub struct Class {
    pub signature: Piece,
    pub flags: u8,
    /// JVMTI's index of the field `referent`, of weak references.
    referent: u32,
    /// Its number in the report, once it has one.
    reported: u32,
}

/// An object that a root refers to.
#[derive(Clone, Copy)]
pub struct Root {
    pub kind: u32,
    pub thread: usize,
    pub method: Method,
}

/// Who refers to a pool.
#[derive(Clone, Copy, Default)]
pub struct Held {
    /// Place of the edge in the graph and 1; 0: nobody.
    pub by: usize,
    /// When it is a variable, or JNI.
    pub root: Option<Root>,
    rank: u8,
}

/// The heap as far as a walk tells.
pub struct Heap {
    pub ti: Ti,
    pub graph: Graph,
    pub classes: List<Class>,
    mirrors: crate::jvmti::Given<Obj>,
    text: List<u8>,
    pub roots: List<Root>,
    pools: List<Held>,
    /// Threads whose references don't count.
    closed: List<bool>,
    until: u64,
    seen: u64,
    aborted: bool,
    ns: u64,
    budget_ns: u64,
}

impl Heap {
    /// Looks at the classes, and puts tags on them; nothing is walked yet.
    pub fn open(call: Call) -> Result<Self, i32> {
        let (jni, options) = (call.jni, call.options);
        let budget_ms = options.number(b"pause", 10).unwrap_or(1_000).min(600_000);
        let graph = Graph::new().ok_or(NO_MEMORY)?;
        // SAFETY: the JVM's.
        let ti = unsafe { Ti::open(call.vm, CAN_TAG_OBJECTS) }.ok_or(NO_JVMTI)?;
        let mut heap = Self {
            ti,
            graph,
            classes: List::new(),
            mirrors: ti.classes(),
            text: List::new(),
            roots: List::new(),
            pools: List::new(),
            closed: List::new(),
            until: 0,
            seen: 0,
            aborted: false,
            ns: 0,
            budget_ns: budget_ms * 1_000_000,
        };
        heap.note_classes(jni);
        let thread = ti.current_thread();
        ti.set_tag(thread, THREADS + OURS as i64);
        jni.release(thread);
        Ok(heap)
    }

    fn note_classes(&mut self, jni: Jni) {
        const WEAKS: [&[u8]; 3] = [
            b"Ljava/lang/ref/WeakReference;",
            b"Ljava/lang/ref/PhantomReference;",
            b"Ljava/lang/ref/FinalReference;",
        ];
        let mut weaks = [Obj::NULL; 3];
        for at in 0..self.mirrors.as_slice().len().min(NOBODY) {
            let mirror = self.mirror(at);
            let signature = self.ti.signature(mirror);
            let flags = flags(signature.text());
            if let Some(weak) = WEAKS.iter().position(|name| *name == signature.text())
                && let Some(place) = weaks.get_mut(weak)
            {
                *place = mirror;
            }
            let signature = self.text.keep(without_lambda(signature.text()));
            if !self.classes.push(Class { signature, flags, referent: UNKNOWN, reported: UNKNOWN }) {
                return;
            }
            self.ti.set_tag(mirror, CLASSES + at as i64);
        }
        for at in 0..self.classes.len() {
            let mirror = self.mirror(at);
            if weaks.iter().any(|weak| jni.is_assignable(mirror, *weak)) {
                let referent = self.index_of(jni, mirror, b"referent");
                if let Some(class) = self.classes.as_mut_slice().get_mut(at) {
                    class.flags |= WEAK;
                    class.referent = referent;
                }
            }
        }
    }

    /// The class of this number as an object.
    pub fn mirror(&self, class: usize) -> Obj {
        self.mirrors.as_slice().get(class).copied().unwrap_or(Obj::NULL)
    }

    pub fn signature(&self, class: usize) -> &[u8] {
        self.classes.as_slice().get(class).map_or(&[], |class| self.text.piece(class.signature))
    }

    pub fn flags(&self, class: usize) -> u8 {
        self.classes.as_slice().get(class).map_or(0, |class| class.flags)
    }

    /// The number of an object's class.
    pub fn class_of(&self, jni: Jni, object: Obj) -> usize {
        let class = jni.class_of(object);
        let found = number(self.ti.tag(class), CLASSES).unwrap_or(NOBODY);
        jni.release(class);
        found
    }

    /// A class's number in the report, which gets the class if it hasn't.
    pub fn report(&mut self, jni: Jni, report: &mut Report, class: usize) -> u32 {
        let Some(known) = self.classes.as_slice().get(class).copied() else { return UNKNOWN };
        if known.reported != UNKNOWN {
            return known.reported;
        }
        let number = report.class(jni, self.ti, self.mirror(class), self.text.piece(known.signature));
        if let Some(class) = self.classes.as_mut_slice().get_mut(class) {
            class.reported = number;
        }
        number
    }

    /// A pool: its references are told apart from others'.
    pub fn pool(&mut self, object: Obj, pool: usize) {
        while self.pools.len() <= pool {
            if !self.pools.push(Held::default()) {
                return;
            }
        }
        self.ti.set_tag(object, POOLS + pool as i64);
    }

    /// A thread; of one that is `closed` nothing counts that it refers to.
    pub fn thread(&mut self, object: Obj, thread: usize, closed: bool) {
        while self.closed.len() <= thread {
            if !self.closed.push(false) {
                return;
            }
        }
        if let Some(place) = self.closed.as_mut_slice().get_mut(thread) {
            *place = closed;
        }
        if number(self.ti.tag(object), THREADS) != Some(OURS) {
            self.ti.set_tag(object, THREADS + thread as i64);
        }
    }

    /// Does nothing count that this thread refers to?
    pub fn is_closed(&self, thread: usize) -> bool {
        thread == OURS || self.closed.as_slice().get(thread).copied().unwrap_or(false)
    }

    /// Walks. The JVM stands still meanwhile.
    pub fn walk(&mut self) -> Result<(), i32> {
        let began = sys::now();
        self.until = began.saturating_add(self.budget_ns);
        let data = (&raw mut *self).cast::<c_void>();
        // SAFETY: the callback uses this heap alone, which nobody else does meanwhile, and no function of the JVM.
        let done = unsafe { self.ti.follow_references(on_reference, data) };
        self.ns = sys::now().saturating_sub(began);
        if done { Ok(()) } else { Err(NO_WALK) }
    }

    /// Was everything seen?
    pub fn is_whole(&self) -> bool {
        !self.aborted
    }

    /// Who holds a pool: nobody, when its own workers are left out.
    pub fn held(&self, pool: usize) -> Held {
        self.pools.as_slice().get(pool).copied().unwrap_or_default()
    }

    /// The number of a pool's class.
    pub fn pool_class(&self, jni: Jni, pool: usize) -> Option<usize> {
        let (objects, _) = self.ti.tagged(&[POOLS + pool as i64]);
        let object = objects.as_slice().first().copied()?;
        let class = self.class_of(jni, object);
        jni.release(object);
        Some(class)
    }

    /// Says what the walk was.
    pub fn tell(&self, report: &mut Report) {
        let cut = self.aborted || self.graph.full;
        report.record(crate::layout::WALK, |out| {
            out.u32(if cut { crate::layout::CUT } else { 0 });
            out.u32(0);
            out.u64(self.ns);
            out.u64(self.seen);
        });
    }

    fn on(&mut self, reference: &Reference) -> i32 {
        const VISIT: i32 = 0x100;
        const ABORT: i32 = 0x8000;
        self.seen = self.seen.wrapping_add(1);
        if self.seen & 0x1fff == 0 && sys::now() > self.until {
            self.aborted = true;
            return ABORT;
        }
        // Of these each object has one.
        if reference.kind == OF_CLASS {
            return VISIT;
        }
        let to = number(reference.class_tag, CLASSES).unwrap_or(NOBODY);
        let flags = self.flags(to);
        let (mut from, mut kind, mut field, mut thread) = (NOBODY, JVM, 0, usize::MAX);
        match reference.kind {
            OF_FIELD => {
                (from, kind, field) =
                    (number(reference.referrer_class_tag, CLASSES).unwrap_or(NOBODY), FIELD, reference.index);
                if let Some(class) = self.classes.as_slice().get(from)
                    && (class.flags & CLEANER != 0
                        || (class.flags & WEAK != 0 && field == class.referent as usize))
                {
                    return 0;
                }
            }
            OF_ELEMENT => {
                (from, kind) = (number(reference.referrer_class_tag, CLASSES).unwrap_or(NOBODY), ELEMENT);
            }
            // The referrer is the class itself, as an object.
            OF_STATIC => {
                (from, kind, field) =
                    (number(reference.referrer_tag, CLASSES).unwrap_or(NOBODY), STATIC, reference.index);
            }
            STACK_LOCAL | JNI_LOCAL => {
                // Threads that have ended since, or began, have no tag: they count.
                thread = number(reference.first, THREADS).unwrap_or(usize::MAX);
                if self.is_closed(thread) {
                    return 0;
                }
                kind = LOCAL;
            }
            OF_THREAD => kind = THREAD,
            JNI_GLOBAL => kind = NATIVE,
            // Who waits for it has it on its stack as well.
            MONITOR => return 0,
            OTHER => {}
            // From class to class, loader or constant.
            _ => return VISIT,
        }
        if let Some(thread) = number(reference.tag, THREADS)
            && self.is_closed(thread)
        {
            return 0;
        }
        let place = self.graph.count(from, kind, field, to);
        if let (Some(pool), Some(place)) = (number(reference.tag, POOLS), place) {
            let inner = self.flags(from) & INNER != 0;
            let rank = match kind {
                FIELD if inner => 1,
                FIELD | ELEMENT if self.flags(from) & JDK != 0 => 2,
                FIELD | ELEMENT => 3,
                _ => 4,
            };
            if let Some(held) = self.pools.as_mut_slice().get_mut(pool)
                && held.rank < rank
            {
                let root = Root { kind, thread, method: reference.method };
                let root = matches!(kind, LOCAL | NATIVE).then_some(root);
                *held = Held { by: place.wrapping_add(1), root, rank };
            }
        }
        if reference.tag == 0 && flags & LEAF == 0 {
            let is_root = matches!(kind, LOCAL | NATIVE);
            if flags & DIRECT != 0 {
                let of_its_own = self.flags(from) & DIRECT != 0;
                reference.set_tag(place.filter(|_| !of_its_own).map(|place| BUFFERS + place as i64));
            } else if is_root && self.roots.len() < MOST_ROOTS {
                let tag = ROOTS + self.roots.len() as i64;
                let root = Root { kind, thread, method: reference.method };
                reference.set_tag(self.roots.push(root).then_some(tag));
            }
        }
        if flags & LEAF != 0 { 0 } else { VISIT }
    }

    /// The field that a reference of JVMTI's index goes through: the class that has it, and it. The fields of all
    /// interfaces come first, then those of the superclasses, then its own.
    pub fn field(&self, jni: Jni, class: Obj, index: usize) -> Option<(Obj, Field)> {
        let mut rest = index.checked_sub(self.interface_fields(jni, class))?;
        for part in ancestry(jni, class).iter().rev().filter(|part| !part.is_null()) {
            let fields = self.ti.fields(*part);
            match fields.as_slice().get(rest) {
                Some(field) => return Some((*part, *field)),
                None => rest = rest.checked_sub(fields.as_slice().len())?,
            }
        }
        None
    }

    fn index_of(&self, jni: Jni, class: Obj, name: &[u8]) -> u32 {
        let mut index = self.interface_fields(jni, class);
        for part in ancestry(jni, class).iter().rev().filter(|part| !part.is_null()) {
            for field in self.ti.fields(*part).as_slice() {
                if self.ti.describe_field(*part, *field).is_some_and(|(found, _, _)| found.text() == name) {
                    return index as u32;
                }
                index = index.wrapping_add(1);
            }
        }
        UNKNOWN
    }

    /// How many fields all interfaces of a class have, each counted once.
    fn interface_fields(&self, jni: Jni, class: Obj) -> usize {
        const MOST: usize = 256;
        let mut all: List<Obj> = List::new();
        let add = |all: &mut List<Obj>, of: Obj| {
            for interface in self.ti.interfaces(of).as_slice() {
                let known = all.as_slice().iter().any(|one| jni.is_same(*one, *interface));
                if !known && all.len() < MOST {
                    all.push(*interface);
                }
            }
        };
        for part in ancestry(jni, class).iter().filter(|part| !part.is_null()) {
            add(&mut all, *part);
        }
        let (mut at, mut fields) = (0, 0_usize);
        while let Some(interface) = all.as_slice().get(at).copied() {
            at += 1;
            fields = fields.wrapping_add(self.ti.fields(interface).as_slice().len());
            add(&mut all, interface);
        }
        fields
    }

    /// Ends it: no tag stays.
    pub fn close(self) {
        let Self { ti, mirrors, .. } = self;
        // It is given back to the environment that is about to go.
        drop(mirrors);
        ti.dispose();
    }
}

/// The class and its superclasses, as far as 32 of them.
fn ancestry(jni: Jni, class: Obj) -> [Obj; 32] {
    let mut all = [Obj::NULL; 32];
    let mut current = class;
    for place in &mut all {
        if current.is_null() {
            break;
        }
        *place = current;
        current = jni.superclass(current);
    }
    all
}

fn flags(signature: &[u8]) -> u8 {
    let own = match signature {
        b"Ljava/lang/String;"
        | b"Ljava/lang/Long;"
        | b"Ljava/lang/Integer;"
        | b"Ljava/lang/Double;"
        | b"Ljava/lang/Boolean;"
        | b"Ljava/lang/Character;"
        | b"[B"
        | b"[C"
        | b"[D"
        | b"[F"
        | b"[I"
        | b"[J"
        | b"[S"
        | b"[Z" => LEAF,
        b"Ljava/util/concurrent/ThreadPoolExecutor$Worker;"
        | b"Ljava/util/concurrent/ScheduledThreadPoolExecutor$ScheduledFutureTask;"
        | b"Ljava/util/concurrent/ForkJoinPool$WorkQueue;"
        | b"Ljava/util/concurrent/ForkJoinWorkerThread;" => INNER,
        b"Ljava/util/Timer$ThreadReaper;" => CLEANER,
        b"Ljava/nio/DirectByteBuffer;" | b"Ljava/nio/DirectByteBufferR;" => DIRECT,
        // JDK 21 and later.
        _ if signature
            .starts_with(b"Ljava/util/concurrent/Executors$AutoShutdownDelegatedExecutorService$$Lambda") =>
        {
            CLEANER
        }
        _ if signature.starts_with(b"[") => ARRAY,
        _ => 0,
    };
    own | if is_jdk(signature) { JDK } else { 0 }
}

const OF_CLASS: i32 = 1;
const OF_FIELD: i32 = 2;
const OF_ELEMENT: i32 = 3;
const OF_STATIC: i32 = 8;
const JNI_GLOBAL: i32 = 21;
const MONITOR: i32 = 23;
const STACK_LOCAL: i32 = 24;
const JNI_LOCAL: i32 = 25;
const OF_THREAD: i32 = 26;
const OTHER: i32 = 27;

/// What JVMTI tells of a reference.
struct Reference {
    kind: i32,
    class_tag: i64,
    referrer_class_tag: i64,
    tag: i64,
    referrer_tag: i64,
    /// Of a field.
    index: usize,
    /// Of a local: the tag of its thread.
    first: i64,
    method: Method,
    place: *mut i64,
}

impl Reference {
    fn set_tag(&self, tag: Option<i64>) {
        if let Some(tag) = tag {
            // SAFETY: JVMTI's place for the object's tag, ours until the callback returns.
            unsafe { *self.place = tag };
        }
    }
}

extern "system" fn on_reference(
    kind: i32,
    info: *const ReferenceInfo,
    class_tag: i64,
    referrer_class_tag: i64,
    _: i64,
    tag: *mut i64,
    referrer_tag: *mut i64,
    _: i32,
    heap: *mut c_void,
) -> i32 {
    // SAFETY: `walk` has handed over its heap, and waits. The tags are JVMTI's, the referrer's null for roots. `info` is
    // there for the kinds that are asked for what is in it.
    unsafe {
        let heap = &mut *heap.cast::<Heap>();
        let (mut first, mut method) = (0, core::ptr::null_mut());
        if !info.is_null() {
            match kind {
                OF_FIELD | OF_STATIC => first = i64::from((&raw const (*info).first).cast::<i32>().read()),
                STACK_LOCAL | JNI_LOCAL => (first, method) = ((*info).first, (*info).method),
                _ => {}
            }
        }
        heap.on(&Reference {
            kind,
            class_tag,
            referrer_class_tag,
            tag: if tag.is_null() { -1 } else { *tag },
            referrer_tag: if referrer_tag.is_null() { 0 } else { *referrer_tag },
            index: first as usize,
            first,
            method,
            place: tag,
        })
    }
}
