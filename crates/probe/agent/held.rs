//! Who holds the objects of some classes (`classes=` of names, with `,` between), and the direct buffers: by class and
//! field, and by paths from roots.

use crate::arena::List;
use crate::graph::{Edge, FIELD, NOBODY, STATIC};
use crate::holders::{BUFFERS, Heap, number};
use crate::jni::{Jni, Obj};
use crate::jvmti::Ti;
use crate::layout::{self, HOLDER, NO_MEMORY, PATH};
use crate::paths::{Path, Paths, Wanted};
use crate::report::Report;
use crate::{Call, layout::UNKNOWN};

/// Holders that are told of a class.
const HOLDERS: usize = 8;
/// Direct buffers that are looked at.
const MOST_BUFFERS: usize = 30_000;
const ROOM: i32 = 65_535;

/// Walks the heap, and writes who holds what.
pub fn report(call: Call, ti: Ti, report: &mut Report) -> Result<(), i32> {
    let jni = call.jni;
    let wanted = call.options.get(b"classes").unwrap_or(&[]);
    let walked = jni.frame(ROOM, || {
        let mut heap = Heap::open(call)?;
        let threads = ti.threads();
        for (at, thread) in threads.as_slice().iter().enumerate() {
            heap.thread(*thread, at, false);
        }
        let walked = heap.walk();
        if walked.is_ok() {
            heap.tell(report);
            report.seen = heap.classes.len() as u32;
            // The time that it may take begins after the walk.
            report.until = ti.now().saturating_add(report.budget);
            let name = thread_name(jni, ti);
            let mut paths = Paths::new(jni, threads.as_slice(), name);
            for class in 0..heap.classes.len() {
                if is_named(heap.signature(class), wanted) {
                    holders(jni, &mut heap, report, class);
                    let found = Wanted { class, pools: None };
                    tell_paths(&mut heap, &mut paths, found, report);
                }
            }
            buffers(jni, &mut heap, report);
        }
        heap.close();
        walked
    });
    walked.unwrap_or(Err(NO_MEMORY))
}

/// java.lang.Thread's field.
pub fn thread_name(jni: Jni, ti: Ti) -> crate::jni::Field {
    let thread = ti.current_thread();
    let class = jni.class_of(thread);
    jni.field(class, c"name", c"Ljava/lang/String;")
}

/// Is `Lleakcase/Memory$Session;` among `leakcase.Memory$Session,…`?
fn is_named(signature: &[u8], names: &[u8]) -> bool {
    let Some(own) = signature.strip_prefix(b"L").and_then(|rest| rest.strip_suffix(b";")) else {
        return false;
    };
    let same = |name: &[u8]| {
        name.len() == own.len() && name.iter().zip(own).all(|(a, b)| a == b || (*a == b'.' && *b == b'/'))
    };
    names.split(|byte| *byte == b',').any(same)
}

/// The places in the graph that refer to a class, most references first.
fn most(heap: &Heap, class: usize) -> [Option<Edge>; HOLDERS] {
    let mut found: [Option<Edge>; HOLDERS] = [None; HOLDERS];
    for edge in heap.graph.edges().filter(|edge| edge.to() == class) {
        let mut edge = Some(edge);
        for place in &mut found {
            let count = |edge: &Option<Edge>| edge.map_or(0, |edge| edge.count);
            if count(&edge) > count(place) {
                core::mem::swap(place, &mut edge);
            }
        }
    }
    found
}

fn holders(jni: Jni, heap: &mut Heap, report: &mut Report, class: usize) {
    for edge in most(heap, class).into_iter().flatten() {
        holder(jni, heap, report, class, edge, edge.count, 0);
    }
}

fn holder(jni: Jni, heap: &mut Heap, report: &mut Report, class: usize, edge: Edge, count: u64, bytes: u64) {
    let held = heap.report(jni, report, class);
    let mut text = List::new();
    write_holder(jni, heap, report, edge, &mut text);
    report.record(HOLDER, |out| {
        out.u32(held);
        out.extend(text.as_slice());
        out.u64(count);
        out.u64(bytes);
    });
}

/// Kind, class and field of who refers.
pub fn write_holder(jni: Jni, heap: &mut Heap, report: &mut Report, edge: Edge, out: &mut List<u8>) {
    let from = edge.from();
    out.u32(edge.kind());
    out.u32(if from == NOBODY { UNKNOWN } else { heap.report(jni, report, from) });
    let named = jni.frame(64, || {
        let mirror = heap.mirror(from);
        let (declaring, field) = heap.field(jni, mirror, edge.field())?;
        let (name, ..) = heap.ti.describe_field(declaring, field)?;
        Some(name)
    });
    let has_name = matches!(edge.kind(), FIELD | STATIC);
    match named.flatten().filter(|_| has_name) {
        Some(name) => out.text(name.text()),
        None => out.text(&[]),
    }
}

fn tell_paths(heap: &mut Heap, paths: &mut Paths, wanted: Wanted, report: &mut Report) {
    paths.find(heap, wanted, report);
    let mut found = [None::<Path>; crate::paths::PATHS];
    found.iter_mut().zip(paths.found.as_slice()).for_each(|(to, from)| *to = Some(*from));
    for path in found.into_iter().flatten() {
        let held = heap.report(paths.jni(), report, wanted.class);
        let mut text = List::new();
        paths.write(heap, path, report, &mut text);
        report.record(PATH, |out| {
            out.u32(held);
            out.u64(path.holds);
            out.extend(text.as_slice());
        });
    }
}

/// Direct buffers with memory of their own, and their bytes, by who refers to them.
fn buffers(jni: Jni, heap: &mut Heap, report: &mut Report) {
    let mut tags: List<i64> = List::new();
    let is_direct = |heap: &Heap, class: usize| {
        matches!(heap.signature(class), b"Ljava/nio/DirectByteBuffer;" | b"Ljava/nio/DirectByteBufferR;")
    };
    for at in 0.. {
        let Some(place) = heap.graph.place(at) else { break };
        if place.is_some_and(|edge| is_direct(heap, edge.to())) {
            tags.push(BUFFERS + at as i64);
        }
    }
    let (objects, found) = heap.ti.tagged(tags.as_slice());
    let mut sums: List<(usize, u64, u64)> = List::new();
    for (object, tag) in objects.as_slice().iter().zip(found.as_slice()).take(MOST_BUFFERS) {
        let (Some(at), Some(bytes)) = (number(*tag, BUFFERS), capacity(jni, *object)) else { continue };
        match sums.as_mut_slice().iter_mut().find(|(of, ..)| *of == at) {
            Some((_, count, sum)) => {
                *count += 1;
                *sum = sum.wrapping_add(bytes);
            }
            None => {
                sums.push((at, 1, bytes));
            }
        }
    }
    report.cut |= objects.as_slice().len() > MOST_BUFFERS;
    for place in 0..sums.len().min(64) {
        let Some((at, count, bytes)) = sums.as_slice().get(place).copied() else { return };
        if let Some(edge) = heap.graph.get(at) {
            holder(jni, heap, report, edge.to(), edge, count, bytes);
        }
    }
}

/// Bytes of a buffer; `None` when another one has them, or native code (the JVM's counters).
fn capacity(jni: Jni, buffer: Obj) -> Option<u64> {
    jni.frame(16, || {
        let class = jni.class_of(buffer);
        let other = jni.get(buffer, jni.field(class, c"att", c"Ljava/lang/Object;"));
        let bytes = jni.get_int(buffer, jni.field(class, c"capacity", c"I"))?;
        let mut freed = jni.field(class, c"cleaner", c"Ljdk/internal/ref/Cleaner;");
        if freed.is_null() {
            freed = jni.field(class, c"cleaner", c"Lsun/misc/Cleaner;");
        }
        // Where that has changed, all are counted that are no views.
        let is_own = other.is_null() && (freed.is_null() || !jni.get(buffer, freed).is_null());
        is_own.then_some(bytes.max(0) as u64)
    })?
}

/// How much direct memory there is, by java.nio.Bits' own account; nothing when it was never used. Without a walk.
pub fn account(call: Call, ti: Ti, report: &mut Report) -> Result<(), i32> {
    let jni = call.jni;
    jni.frame(ROOM, || {
        for class in ti.classes().as_slice() {
            if ti.signature(*class).text() == b"Ljava/nio/Bits;" && ti.is_initialized(*class) {
                let mut numbers = [0; 4];
                let names = [
                    [&b"COUNT"[..], b"count"],
                    [b"TOTAL_CAPACITY", b"totalCapacity"],
                    [b"RESERVED_MEMORY", b"reservedMemory"],
                    [b"MAX_MEMORY", b"maxMemory"],
                ];
                for (number, names) in numbers.iter_mut().zip(names) {
                    *number = long(jni, ti, *class, &names).unwrap_or(0).max(0) as u64;
                }
                report.record(layout::BUFFERS, |out| numbers.iter().for_each(|number| out.u64(*number)));
            }
            jni.release(*class);
        }
    })
    .ok_or(NO_MEMORY)
}

/// A static number: a long, or an AtomicLong's value. JDK 8 to 10 wrote their names otherwise.
fn long(jni: Jni, ti: Ti, class: Obj, names: &[&[u8]]) -> Option<i64> {
    for field in ti.fields(class).as_slice() {
        let Some((name, signature, true)) = ti.describe_field(class, *field) else { continue };
        if !names.contains(&name.text()) {
            continue;
        }
        if signature.text() == b"J" {
            return jni.get_static_long(class, *field);
        }
        let object = jni.get_static(class, *field);
        let atomic = jni.class_of(object);
        let value = jni.get_long(object, jni.field(atomic, c"value", c"J"));
        jni.release(atomic);
        jni.release(object);
        return value;
    }
    None
}
