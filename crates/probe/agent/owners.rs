//! Owners: whom the threads work for that exist already. From each thread over its task, worker, pool, queue and factory
//! to objects of the application, by reading fields; threads that look alike make one record.
//!
//! No safepoint (but for a walk over the heap that was asked for, see `holding`): the threads run on, so that what is read
//! may be a moment's mixture. Each walk is bounded, and so is the
//! whole (`Report::until`). Objects that were visited and classes that are known carry JVMTI tags, which end with
//! the environment at the command's end.

use crate::Call;
use crate::arena::{List, Piece};
use crate::fields::{ClassInfo, Classes};
use crate::holders::Heap;
use crate::holding::Holding;
use crate::jni::{Jni, Obj};
use crate::jvmti::Ti;
use crate::layout::{NO_MEMORY, OWNER, UNKNOWN};
use crate::names::{Kind, SEED, hash, mix, wraps_tasks};
use crate::origin;
use crate::pools::{Pool, Pools};
use crate::report::Report;
use crate::schedules;

/// Indices into `layout::ROLES`.
pub const TASK: u32 = 0;
pub const WORKER: u32 = 1;
pub const POOL: u32 = 2;
pub const QUEUE: u32 = 3;
pub const FACTORY: u32 = 4;
pub const TIMER: u32 = 5;
pub const CAPTURED: u32 = 6;

const LINKS: usize = 12;
const EXAMPLES: u32 = 5;
const GROUPS: usize = 512;
const IDS: u32 = 8192;
/// Objects on one walk.
pub const BUDGET: usize = 64;
const DEEPEST: u8 = 10;
/// Application objects that are looked through one behind another.
const CAPTURES: u8 = 2;

/// A list of encoded things, and how many they are.
pub struct Counted {
    pub bytes: List<u8>,
    pub count: u32,
}

impl Counted {
    const fn new() -> Self {
        Self { bytes: List::new(), count: 0 }
    }

    fn clear(&mut self) {
        self.bytes.truncate(0);
        self.count = 0;
    }

    pub fn append(&mut self, bytes: &[u8], count: u32) {
        if self.bytes.extend(bytes) {
            self.count = self.count.wrapping_add(count);
        }
    }
}

/// What a walk found so far.
pub struct Look {
    pub links: Counted,
    pub schedules: Counted,
    sources: Counted,
    /// Numbers of the classes that have a link.
    linked: List<u32>,
    pub pool: Option<usize>,
}

impl Look {
    fn new() -> Self {
        Self {
            links: Counted::new(),
            schedules: Counted::new(),
            sources: Counted::new(),
            linked: List::new(),
            pool: None,
        }
    }

    fn clear(&mut self) {
        self.links.clear();
        self.schedules.clear();
        self.sources.clear();
        self.linked.truncate(0);
        self.pool = None;
    }

    /// Adds a link, one for each class.
    pub fn link(&mut self, role: u32, class: u32, path: &[u8]) {
        if self.linked.as_slice().contains(&class) || self.linked.len() >= LINKS || !self.linked.push(class) {
            return;
        }
        self.links.bytes.u32(role);
        self.links.bytes.u32(class);
        self.links.bytes.text(path);
        self.links.count = self.links.count.wrapping_add(1);
    }
}

/// Something to look at.
#[derive(Clone, Copy)]
struct Item {
    object: Obj,
    path: Piece,
    role: u32,
    depth: u8,
    captures: u8,
}

/// Threads that look alike.
#[derive(Clone, Copy)]
struct Group {
    key: u64,
    head: [u32; 5],
    links: (Piece, u32),
    sources: (Piece, u32),
    schedules: (Piece, u32),
    count: u32,
    pools: u32,
    shut_down: u32,
    queued: u64,
    examples: u32,
    ids: u32,
}

/// Everything that a walk needs.
pub struct Walk<'a> {
    pub jni: Jni,
    pub ti: Ti,
    pub report: &'a mut Report,
    pub classes: Classes,
    pub pools: Pools,
    /// When the heap is to be walked.
    pub heap: Option<Heap>,
    items: List<Item>,
    paths: List<u8>,
    epoch: i64,
}

/// Writes the owners of all threads.
pub fn report(call: Call, ti: Ti, report: &mut Report) -> Result<(), i32> {
    const ROOM: i32 = 65_535;
    let jni = call.jni;
    let done = jni.frame(ROOM, || {
        let walks = call.options.get(b"walk").is_some();
        let heap = if walks { Some(Heap::open(call)?) } else { None };
        let walk = Walk {
            jni,
            ti,
            report,
            classes: Classes::new(),
            pools: Pools::new(),
            heap,
            items: List::new(),
            paths: List::new(),
            epoch: 0,
        };
        groups(walk)
    });
    done.unwrap_or(Err(NO_MEMORY))
}

fn groups(mut walk: Walk) -> Result<(), i32> {
    let (jni, ti) = (walk.jni, walk.ti);
    let mut look = Look::new();
    let mut groups: List<Group> = List::new();
    let mut kept: List<u8> = List::new();
    let mut examples: List<(u32, Piece)> = List::new();
    let mut ids: List<(u32, u64)> = List::new();
    let threads = ti.threads();
    let (class, tid, name) = thread_fields(jni, ti);
    for (number, thread) in threads.as_slice().iter().enumerate() {
        if walk.report.is_late(ti) {
            break;
        }
        walk.report.seen = walk.report.seen.wrapping_add(1);
        look.clear();
        let head = jni.frame(256, || walk.thread(*thread, &mut look));
        let Some(head) = head else { break };
        if let Some(heap) = &mut walk.heap {
            heap.thread(*thread, number, look.pool.is_some());
        }
        let key = key(&look, head);
        let known = groups.as_slice().iter().position(|group| group.key == key);
        let at = known.unwrap_or(groups.len());
        if known.is_none() {
            let mut keep = |list: &Counted| (kept.keep(list.bytes.as_slice()), list.count);
            let (links, sources) = (keep(&look.links), keep(&look.sources));
            let schedules = keep(&look.schedules);
            let group = Group {
                key,
                head,
                links,
                sources,
                schedules,
                count: 0,
                pools: 0,
                shut_down: 0,
                queued: 0,
                examples: 0,
                ids: 0,
            };
            if groups.len() >= GROUPS || !groups.push(group) {
                walk.report.cut = true;
                continue;
            }
        }
        let pool = look.pool.and_then(|pool| walk.pools.meet(pool, at as u32));
        let Some(group) = groups.as_mut_slice().get_mut(at) else { continue };
        group.count += 1;
        if let Some(Pool { queued, shut_down, .. }) = pool {
            group.pools += 1;
            group.queued = group.queued.wrapping_add(u64::from(queued));
            group.shut_down += u32::from(shut_down);
        }
        if group.examples < EXAMPLES {
            let text = jni.get(*thread, name);
            let mut space = [0; 256];
            group.examples += u32::from(examples.push((at as u32, kept.keep(jni.text(text, &mut space)))));
            jni.release(text);
        }
        if let Some(id) = jni.get_long(*thread, tid).filter(|_| group.ids < IDS) {
            group.ids += u32::from(ids.push((at as u32, id as u64)));
        }
        if walk.heap.is_none() {
            jni.release(*thread);
        }
    }
    jni.release(class);
    let mut holding = Holding::of(&mut walk, threads.as_slice(), groups.len())?;
    for (at, group) in groups.as_slice().iter().enumerate() {
        walk.report.record(OWNER, |out| {
            for number in group.head.iter().chain(&[group.count, group.pools, group.shut_down]) {
                out.u32(*number);
            }
            out.u64(group.queued);
            for (piece, count) in [group.links, group.sources, group.schedules] {
                out.u32(count);
                out.extend(kept.piece(piece));
            }
            out.u32(group.examples);
            for (_, name) in examples.as_slice().iter().filter(|(of, _)| *of as usize == at) {
                out.text(kept.piece(*name));
            }
            out.u32(group.ids);
            for (_, id) in ids.as_slice().iter().filter(|(of, _)| *of as usize == at) {
                out.u64(*id);
            }
            holding.write(at, out);
        });
    }
    if let Some(heap) = walk.heap {
        heap.close();
    }
    Ok(())
}

fn thread_fields(jni: Jni, ti: Ti) -> (Obj, crate::jni::Field, crate::jni::Field) {
    let thread = ti.current_thread();
    let class = jni.class_of(thread);
    jni.release(thread);
    (class, jni.field(class, c"tid", c"J"), jni.field(class, c"name", c"Ljava/lang/String;"))
}

fn key(look: &Look, head: [u32; 5]) -> u64 {
    let lists = [&look.links, &look.sources, &look.schedules];
    let key =
        lists.iter().fold(SEED, |key, list| mix(hash(key, list.bytes.as_slice()), u64::from(list.count)));
    head.iter().fold(key, |key, number| mix(key, u64::from(*number)))
}

impl Walk<'_> {
    /// Numbers of the classes of thread, context class loader and pool; core size and most threads.
    fn thread(&mut self, thread: Obj, look: &mut Look) -> [u32; 5] {
        let (jni, ti) = (self.jni, self.ti);
        self.epoch -= 1;
        self.items.truncate(0);
        self.paths.truncate(0);
        let class = self.number(thread);
        let mut loader_class = UNKNOWN;
        if let Some((_, info)) = self.classes.of(jni, ti, thread) {
            let loader = jni.get(thread, self.classes.field(info, b"contextClassLoader", b'L'));
            if !loader.is_null() {
                loader_class = self.number(loader);
            }
            let context = jni.get(thread, self.classes.field(info, b"inheritedAccessControlContext", b'L'));
            self.sources(context, look);
        }
        self.walk(thread, TASK, b"", look);
        let pool = look.pool.and_then(|at| self.pools.get(at));
        let none = [class, loader_class, UNKNOWN, UNKNOWN, UNKNOWN];
        pool.map_or(none, |pool| [class, loader_class, pool.class, pool.core, pool.maximum])
    }

    pub fn number(&mut self, object: Obj) -> u32 {
        self.classes.number(self.jni, self.ti, self.report, object)
    }

    /// Code sources of the protection domains on the stack that made the thread.
    fn sources(&mut self, context: Obj, look: &mut Look) {
        const MOST: i32 = 6;
        let jni = self.jni;
        let domains = origin::follow(jni, context, c"context", c"[Ljava/security/ProtectionDomain;");
        for at in 0..jni.array_length(domains).min(MOST) {
            let domain = jni.element(domains, at);
            let source = origin::of_domain(jni, domain);
            jni.release(domain);
            if !source.text().is_empty() {
                look.sources.bytes.text(source.text());
                look.sources.count += 1;
            }
        }
    }

    /// Breadth first from an object. What is found goes into `look`.
    pub fn walk(&mut self, start: Obj, role: u32, path: &[u8], look: &mut Look) {
        let base = self.items.len();
        let path = self.paths.keep(path);
        self.items.push(Item { object: start, path, role, depth: 0, captures: 0 });
        let mut at = base;
        while let Some(item) = self.items.as_slice().get(at).copied() {
            at += 1;
            self.look_at(item, look, base + BUDGET);
        }
        self.items.truncate(base);
    }

    fn look_at(&mut self, item: Item, look: &mut Look, most: usize) {
        let (jni, ti) = (self.jni, self.ti);
        let Some((_, info)) = self.classes.of(jni, ti, item.object) else { return };
        let (role, captures) = match info.kind {
            Kind::Closed => return,
            Kind::Thread | Kind::Timer if item.depth > 0 => return,
            Kind::Pool | Kind::ForkJoinPool => {
                if look.pool.is_none() {
                    look.pool = Pools::pool(self, item.object, info, item.path, look);
                }
                return;
            }
            Kind::Timer => {
                look.pool = Pools::timer(self, item.object, info, look);
                return;
            }
            Kind::Quartz => return schedules::quartz(self, item.object, info, look),
            Kind::SpringCron => return schedules::spring(self, item.object, look),
            Kind::Worker => (WORKER, item.captures),
            Kind::TimerTask => (TIMER, item.captures),
            _ => (item.role, item.captures),
        };
        let is_linked = info.application || info.kind == Kind::Worker;
        if is_linked && item.depth > 0 {
            let class = self.number(item.object);
            let path = self.paths.piece(item.path);
            look.link(role, class, path);
        }
        let passes = info.application || item.depth == 0 || info.kind != Kind::Plain;
        if !(passes || wraps_tasks(self.classes.text.piece(info.signature))) || item.depth >= DEEPEST {
            return;
        }
        let is_captor = info.application && item.depth > 0;
        if is_captor && captures >= CAPTURES {
            return;
        }
        let captures = captures + u8::from(is_captor);
        self.push_fields(item, info, if is_captor { CAPTURED } else { role }, captures, most);
    }

    fn push_fields(&mut self, item: Item, info: ClassInfo, role: u32, captures: u8, most: usize) {
        let (jni, ti) = (self.jni, self.ti);
        for number in 0.. {
            let Some(field) = self.classes.fields_of(info).get(number).copied() else { return };
            if self.items.len() >= most {
                return;
            }
            // A worker's own thread is where the walk came from.
            if !field.leads {
                continue;
            }
            let object = jni.get(item.object, field.id);
            if object.is_null() || ti.tag(object) == self.epoch {
                jni.release(object);
                continue;
            }
            let closed = self.classes.of(jni, ti, object).is_none_or(|(_, info)| {
                info.kind == Kind::Closed
                    || (info.kind == Kind::Plain
                        && !info.application
                        && !wraps_tasks(self.classes.text.piece(info.signature)))
            });
            if closed {
                jni.release(object);
                continue;
            }
            // Pools and schedulers carry a tag of their own.
            if ti.tag(object) <= 0 {
                ti.set_tag(object, self.epoch);
            }
            let path = self.path(item.path, field.name);
            // What the worker runs first is its task.
            let role = if role == WORKER { TASK } else { role };
            self.items.push(Item { object, path, role, depth: item.depth + 1, captures });
        }
    }

    /// `holder.task` and `this$0` → `holder.task.this$0`.
    pub fn path(&mut self, path: Piece, name: Piece) -> Piece {
        let start = self.paths.len() as u32;
        for from in 0..path.length as usize {
            let byte = self.paths.as_slice().get(path.start as usize + from).copied();
            self.paths.push(byte.unwrap_or(b'?'));
        }
        if path.length > 0 {
            self.paths.push(b'.');
        }
        self.paths.extend(self.classes.text.piece(name));
        Piece { start, length: self.paths.len() as u32 - start }
    }

    /// A path and a fixed name, as bytes of their own.
    pub fn path_to(&mut self, path: Piece, name: &[u8]) -> Piece {
        let name = self.classes.text.keep(name);
        self.path(path, name)
    }

    pub fn path_text(&self, path: Piece) -> &[u8] {
        self.paths.piece(path)
    }
}

impl Walk<'_> {
    /// Was this object visited in this walk? It is from now on. Those with a tag of their own never count as visited.
    pub fn visited(&mut self, object: Obj) -> bool {
        let tag = self.ti.tag(object);
        if tag == self.epoch {
            return true;
        }
        if tag <= 0 {
            self.ti.set_tag(object, self.epoch);
        }
        false
    }
}
