//! Paths from a root to an object: `static leakcase.Memory.SESSIONS → java.util.HashMap.table → …`. The graph of a walk
//! tells which classes lead to which; along it real objects are read, field by field, while the JVM runs on.

use crate::arena::{List, Piece};
use crate::graph::{ELEMENT, Edge, FAR, FAREST, FIELD, LOCAL, NATIVE, NOBODY, STATIC, THREAD};
use crate::holders::{ARRAY, CLASSES, Heap, JDK, POOLS, ROOTS, Root, THREADS, WEAK, number};
use crate::jni::{Field, Jni, Obj};
use crate::layout::UNKNOWN;
use crate::report::Report;

/// Objects that are looked into from one root.
const BUDGET: usize = 256;
/// Objects that are remembered meanwhile.
const NODES: usize = 1024;
/// Roots that are tried.
const TRIES: u32 = 1500;
/// Of an array so many places are looked at, and so many objects taken.
const PLACES: i32 = 256;
const TAKEN: u32 = 8;
/// Steps that lead no nearer.
const SLACK: u8 = 2;
/// Paths that are kept.
pub const PATHS: usize = 3;

/// What to find: an object of a class, or some of the pools.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub class: usize,
    pub pools: Option<&'a [usize]>,
}

/// A step, as it is told.
#[derive(Clone, Copy)]
pub struct Step {
    kind: u32,
    class: usize,
    text: Piece,
}

/// A way that was found.
#[derive(Clone, Copy)]
pub struct Path {
    /// How many of what is wanted may be on it; 0: not known.
    pub holds: u64,
    steps: (u32, u32),
}

#[derive(Clone, Copy)]
struct Node {
    object: Obj,
    class: usize,
    parent: usize,
    step: Step,
    slack: u8,
    done: bool,
    factor: u64,
    /// Of a collection, when it has a field that tells.
    size: u64,
}

#[derive(Clone, Copy)]
struct Row {
    id: Field,
    name: Piece,
    is_size: bool,
}

/// Finds paths, one after the other, in one heap.
pub struct Paths<'a> {
    jni: Jni,
    threads: &'a [Obj],
    /// Of the threads' names.
    name: Field,
    distances: List<u8>,
    nodes: List<Node>,
    /// Fields by class.
    rows: List<Row>,
    known: List<(usize, u32, u32)>,
    text: List<u8>,
    steps: List<Step>,
    pub found: List<Path>,
}

impl<'a> Paths<'a> {
    pub fn new(jni: Jni, threads: &'a [Obj], name: Field) -> Self {
        Self {
            jni,
            threads,
            name,
            distances: List::new(),
            nodes: List::new(),
            rows: List::new(),
            known: List::new(),
            text: List::new(),
            steps: List::new(),
            found: List::new(),
        }
    }

    pub fn jni(&self) -> Jni {
        self.jni
    }

    /// Looks for paths from all roots, the nearest first; they are in `found` then.
    pub fn find(&mut self, heap: &Heap, wanted: Wanted, report: &mut Report) {
        self.found.truncate(0);
        heap.graph.distances(heap.classes.len(), wanted.class, &mut self.distances);
        let all: u64 =
            heap.graph.edges().filter(|edge| edge.to() == wanted.class).map(|edge| edge.count).sum();
        let mut tries = 0;
        let is_jdk = |class| heap.flags(class) & JDK != 0;
        for distance in 0..=FAREST {
            // The application's own first: the JDK's registries lead to nearly everything.
            for of_jdk in [false, true] {
                for edge in heap.graph.edges() {
                    if edge.kind() == STATIC
                        && self.distance(edge.to()) == distance
                        && is_jdk(edge.from()) == of_jdk
                    {
                        tries += 1;
                        self.from_static(heap, wanted, edge);
                    }
                    if self.is_enough(wanted, all) || tries > TRIES || report.is_over(heap.ti) {
                        return;
                    }
                }
                if of_jdk {
                    continue;
                }
                self.from_threads(heap, wanted, distance);
                self.from_locals(heap, wanted, distance);
            }
        }
    }

    fn is_enough(&self, wanted: Wanted, all: u64) -> bool {
        let found = self.found.as_slice();
        let held: u64 = found.iter().map(|path| path.holds).sum();
        found.len() >= PATHS
            || (wanted.pools.is_some() && found.len() > 0)
            || (held > 0 && held.saturating_mul(2) > all)
    }

    fn distance(&self, class: usize) -> u8 {
        self.distances.as_slice().get(class).copied().unwrap_or(FAR)
    }

    fn from_static(&mut self, heap: &Heap, wanted: Wanted, edge: Edge) {
        let jni = self.jni;
        let mirror = heap.mirror(edge.from());
        jni.frame(64, || {
            let Some((declaring, field)) = heap.field(jni, mirror, edge.field()) else { return };
            let Some((name, _, true)) = heap.ti.describe_field(declaring, field) else { return };
            let text = self.text.keep(name.text());
            let object = jni.get_static(mirror, field);
            self.search(heap, wanted, object, Step { kind: STATIC, class: edge.from(), text });
        });
    }

    fn from_threads(&mut self, heap: &Heap, wanted: Wanted, distance: u8) {
        for (at, thread) in self.threads.iter().enumerate() {
            let class = heap.class_of(self.jni, *thread);
            if self.distance(class) != distance || heap.is_closed(at) || self.found.len() >= PATHS {
                continue;
            }
            let text = self.thread_name(at);
            self.search(heap, wanted, *thread, Step { kind: THREAD, class, text });
        }
    }

    fn thread_name(&mut self, thread: usize) -> Piece {
        let Some(thread) = self.threads.get(thread) else { return Piece::default() };
        let mut space = [0; 256];
        let text = self.jni.get(*thread, self.name);
        let kept = self.text.keep(self.jni.text(text, &mut space));
        self.jni.release(text);
        kept
    }

    fn from_locals(&mut self, heap: &Heap, wanted: Wanted, distance: u8) {
        let jni = self.jni;
        for at in 0..heap.roots.len() {
            let Some(root) = heap.roots.as_slice().get(at).copied() else { return };
            if self.found.len() >= PATHS {
                return;
            }
            jni.frame(64, || {
                let (objects, _) = heap.ti.tagged(&[ROOTS + at as i64]);
                for object in objects.as_slice() {
                    let class = heap.class_of(jni, *object);
                    if self.distance(class) != distance {
                        continue;
                    }
                    let step = self.root_step(heap, root);
                    self.search(heap, wanted, *object, step);
                }
            });
        }
    }

    fn root_step(&mut self, heap: &Heap, root: Root) -> Step {
        if root.kind != LOCAL {
            return Step { kind: NATIVE, class: NOBODY, text: Piece::default() };
        }
        let declaring = heap.ti.declaring_class(root.method);
        if declaring.is_null() {
            return Step { kind: LOCAL, class: NOBODY, text: self.thread_name(root.thread) };
        }
        let class = number(heap.ti.tag(declaring), CLASSES).unwrap_or(NOBODY);
        self.jni.release(declaring);
        Step { kind: LOCAL, class, text: self.text.keep(heap.ti.method_name(root.method).text()) }
    }

    /// The path of what a root itself refers to.
    pub fn of_root(&mut self, heap: &Heap, root: Root) {
        self.found.truncate(0);
        let step = self.root_step(heap, root);
        let start = self.steps.len() as u32;
        self.steps.push(step);
        self.found.push(Path { holds: 0, steps: (start, self.steps.len() as u32) });
    }

    /// From one object, nearest first.
    fn search(&mut self, heap: &Heap, wanted: Wanted, start: Obj, step: Step) {
        const ROOM: i32 = 4096;
        let jni = self.jni;
        let class = heap.class_of(jni, start);
        if start.is_null() || class == NOBODY || self.distance(class) == FAR {
            return;
        }
        jni.frame(ROOM, || {
            self.nodes.truncate(0);
            let node = Node {
                object: start,
                class,
                parent: usize::MAX,
                step,
                slack: 0,
                done: false,
                factor: 1,
                size: 0,
            };
            if is_wanted(heap, wanted, start, class) {
                self.keep(node);
                return;
            }
            self.nodes.push(node);
            for _ in 0..BUDGET {
                let nodes = self.nodes.as_slice().iter().enumerate();
                let next =
                    nodes.filter(|(_, node)| !node.done).min_by_key(|(_, node)| self.distance(node.class));
                let Some(at) = next.map(|(at, _)| at) else { return };
                if let Some(node) = self.nodes.as_mut_slice().get_mut(at) {
                    node.done = true;
                }
                if self.look_into(heap, wanted, at) {
                    return;
                }
            }
        });
    }

    /// Looks at what an object refers to; true when it is what is wanted.
    fn look_into(&mut self, heap: &Heap, wanted: Wanted, at: usize) -> bool {
        let jni = self.jni;
        let Some(node) = self.nodes.as_slice().get(at).copied() else { return true };
        if heap.flags(node.class) & ARRAY != 0 {
            return self.look_into_array(heap, wanted, at, node);
        }
        let (first, end) = self.fields(heap, node.class);
        let mut size = 0;
        for row in first..end {
            let Some(row) = self.rows.as_slice().get(row as usize).copied() else { break };
            if row.is_size {
                size = jni.get_int(node.object, row.id).unwrap_or(0).max(0) as u64;
                continue;
            }
            let child = jni.get(node.object, row.id);
            let step = Step { kind: FIELD, class: node.class, text: row.name };
            // A set is a map with other names: its size is that of the map.
            let inherited = if size > 0 { size } else { node.size };
            if self.take(heap, wanted, at, node, child, step, node.factor, inherited) {
                return true;
            }
        }
        false
    }

    fn look_into_array(&mut self, heap: &Heap, wanted: Wanted, at: usize, node: Node) -> bool {
        let jni = self.jni;
        let length = jni.array_length(node.object);
        let places = length.min(PLACES);
        let (mut there, mut taken) = (0_u64, [Obj::NULL; TAKEN as usize]);
        let mut free = taken.iter_mut();
        for place in 0..places {
            // Evenly over all of it.
            let place = (place as u64).wrapping_mul(length as u64).checked_div(places as u64).unwrap_or(0);
            let child = jni.element(node.object, place as i32);
            if child.is_null() {
                continue;
            }
            there += 1;
            match free.next() {
                Some(free) => *free = child,
                None => jni.release(child),
            }
        }
        let share = there.saturating_mul(length.max(0) as u64).checked_div(places.max(1) as u64).unwrap_or(0);
        let holds = if node.size > 0 { node.size } else { share };
        let step = Step { kind: ELEMENT, class: node.class, text: Piece::default() };
        let factor = node.factor.saturating_mul(holds.max(1));
        taken.into_iter().any(|child| self.take(heap, wanted, at, node, child, step, factor, 0))
    }

    #[allow(clippy::too_many_arguments, reason = "one place that all of them are for")]
    fn take(
        &mut self,
        heap: &Heap,
        wanted: Wanted,
        parent: usize,
        from: Node,
        child: Obj,
        step: Step,
        factor: u64,
        size: u64,
    ) -> bool {
        let jni = self.jni;
        if child.is_null() {
            return false;
        }
        let class = heap.class_of(jni, child);
        let (here, there) = (self.distance(from.class), self.distance(class));
        let slack = from.slack + u8::from(there >= here);
        let node = Node { object: child, class, parent, step, slack, done: false, factor, size };
        if is_wanted(heap, wanted, child, class) {
            self.keep(node);
            return true;
        }
        // Other threads and classes are roots of their own.
        let tag = heap.ti.tag(child);
        let is_root = number(tag, THREADS).is_some() || number(tag, CLASSES).is_some();
        if there == FAR || slack > SLACK || is_root || self.nodes.len() >= NODES || !self.nodes.push(node) {
            jni.release(child);
        }
        false
    }

    /// Keeps the way to a node, in the order of what they hold.
    fn keep(&mut self, last: Node) {
        let start = self.steps.len();
        let mut current = Some(last);
        let mut length = 0_usize;
        while let Some(node) = current {
            self.steps.push(node.step);
            length += 1;
            if length > 64 {
                break;
            }
            current = self.nodes.as_slice().get(node.parent).copied();
        }
        if let Some(steps) = self.steps.as_mut_slice().get_mut(start..) {
            steps.reverse();
        }
        let holds = if last.factor > 1 { last.factor } else { 0 };
        let path = Path { holds, steps: (start as u32, self.steps.len() as u32) };
        self.found.push(path);
        // Few: the largest moves to the front.
        let mut rest = self.found.as_mut_slice();
        while let Some((last, before)) = rest.split_last_mut() {
            if let Some(one) = before.last_mut()
                && one.holds < last.holds
            {
                core::mem::swap(one, last);
            }
            rest = before;
        }
    }

    /// References and size of a class, those of its superclasses, too.
    fn fields(&mut self, heap: &Heap, class: usize) -> (u32, u32) {
        if let Some((_, first, end)) = self.known.as_slice().iter().find(|(known, ..)| *known == class) {
            return (*first, *end);
        }
        let (jni, ti) = (self.jni, heap.ti);
        let first = self.rows.len() as u32;
        let weak = heap.flags(class) & WEAK != 0;
        let mut current = heap.mirror(class);
        let mut depth = 0;
        while !current.is_null() && depth < 32 {
            depth += 1;
            for id in ti.fields(current).as_slice() {
                let Some((name, signature, false)) = ti.describe_field(current, *id) else { continue };
                let name = name.text();
                let is_size =
                    signature.text() == b"I" && matches!(name, b"size" | b"count" | b"elementCount");
                let leads = matches!(signature.text().first(), Some(b'L' | b'['));
                if is_size || (leads && !(weak && name == b"referent")) {
                    let name = self.text.keep(name);
                    self.rows.push(Row { id: *id, name, is_size });
                }
            }
            current = jni.superclass(current);
        }
        // Sizes are read before what they are of.
        let mut rest = self.rows.as_mut_slice().get_mut(first as usize..).unwrap_or(&mut []);
        while let Some((row, others)) = rest.split_first_mut() {
            if !row.is_size
                && let Some(size) = others.iter_mut().find(|other| other.is_size)
            {
                core::mem::swap(row, size);
            }
            rest = others;
        }
        let end = self.rows.len() as u32;
        self.known.push((class, first, end));
        (first, end)
    }

    /// Writes a path's steps: their number, and each.
    pub fn write(&self, heap: &mut Heap, path: Path, report: &mut Report, out: &mut List<u8>) {
        let steps = self.steps.as_slice().get(path.steps.0 as usize..path.steps.1 as usize).unwrap_or(&[]);
        out.u32(steps.len() as u32);
        for step in steps {
            let class =
                if step.class == NOBODY { UNKNOWN } else { heap.report(self.jni, report, step.class) };
            out.u32(step.kind);
            out.u32(class);
            out.text(self.text.piece(step.text));
        }
    }
}

fn is_wanted(heap: &Heap, wanted: Wanted, object: Obj, class: usize) -> bool {
    class == wanted.class
        && wanted
            .pools
            .is_none_or(|pools| number(heap.ti.tag(object), POOLS).is_some_and(|pool| pools.contains(&pool)))
}
