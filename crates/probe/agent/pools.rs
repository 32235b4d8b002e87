//! Pools and timers: looked at once each, whichever of their threads leads there first.

use crate::arena::{List, Piece};
use crate::fields::ClassInfo;
use crate::jni::Obj;
use crate::layout::UNKNOWN;
use crate::names::Kind;
use crate::owners::{FACTORY, Look, POOL, QUEUE, TASK, TIMER, Walk};
use crate::schedules;

/// Tags of pools: above those of classes.
const TAG: i64 = 1 << 32;
/// Tasks of a queue that are looked at.
const TASKS: i32 = 4;
const MOST: usize = 50_000;

/// What is told of a pool.
#[derive(Clone, Copy)]
pub struct Pool {
    pub class: u32,
    pub core: u32,
    pub maximum: u32,
    pub queued: u32,
    pub shut_down: bool,
    /// What was found around it: links and schedules, and how many.
    links: (Piece, u32),
    schedules: (Piece, u32),
    /// Groups that have counted it.
    met: [u32; 4],
}

/// All that were met.
pub struct Pools {
    list: List<Pool>,
    text: List<u8>,
}

impl Pools {
    pub const fn new() -> Self {
        Self { list: List::new(), text: List::new() }
    }

    pub fn get(&self, at: usize) -> Option<Pool> {
        self.list.as_slice().get(at).copied()
    }

    /// The pools that a group has counted.
    pub fn of_group(&self, group: u32) -> impl Iterator<Item = usize> {
        let all = self.list.as_slice().iter().enumerate();
        all.filter(move |(_, pool)| pool.met.contains(&group)).map(|(at, _)| at)
    }

    /// The pool, if this group meets it for the first time.
    pub fn meet(&mut self, at: usize, group: u32) -> Option<Pool> {
        let pool = self.list.as_mut_slice().get_mut(at)?;
        if pool.met.contains(&group) {
            return None;
        }
        let free = pool.met.iter_mut().find(|met| **met == UNKNOWN)?;
        *free = group;
        Some(*pool)
    }

    /// A pool that was looked at before: what was found then goes into `look`.
    fn known(walk: &Walk, object: Obj, look: &mut Look) -> Option<usize> {
        let at = usize::try_from(walk.ti.tag(object).checked_sub(TAG)?).ok()?;
        let pool = walk.pools.get(at)?;
        look.links.append(walk.pools.text.piece(pool.links.0), pool.links.1);
        look.schedules.append(walk.pools.text.piece(pool.schedules.0), pool.schedules.1);
        Some(at)
    }

    /// Keeps a pool with what `look` has got since `links` and `schedules`.
    fn keep(walk: &mut Walk, object: Obj, mut pool: Pool, since: &Since, look: &Look) -> Option<usize> {
        let links = look.links.bytes.as_slice().get(since.links.0..).unwrap_or(&[]);
        let schedules = look.schedules.bytes.as_slice().get(since.schedules.0..).unwrap_or(&[]);
        pool.links = (walk.pools.text.keep(links), look.links.count - since.links.1);
        pool.schedules = (walk.pools.text.keep(schedules), look.schedules.count - since.schedules.1);
        let at = walk.pools.list.len();
        if at >= MOST || !walk.pools.list.push(pool) {
            walk.report.cut = true;
            return None;
        }
        walk.ti.set_tag(object, TAG + at as i64);
        if let Some(heap) = &mut walk.heap {
            heap.pool(object, at);
        }
        Some(at)
    }

    /// A ThreadPoolExecutor or ForkJoinPool, or of a subclass.
    pub fn pool(
        walk: &mut Walk,
        object: Obj,
        info: ClassInfo,
        path: Piece,
        look: &mut Look,
    ) -> Option<usize> {
        if let Some(at) = Self::known(walk, object, look) {
            return Some(at);
        }
        let since = Since::of(look);
        let class = walk.number(object);
        look.link(POOL, class, walk.path_text(path));
        let mut pool = Pool { class, ..NONE };
        if info.kind == Kind::ForkJoinPool {
            pool.core = fork_join_size(walk, object, info);
        } else {
            let number = |walk: &Walk, name| walk.jni.get_int(object, walk.classes.field(info, name, b'I'));
            pool.core = number(walk, b"corePoolSize").map_or(UNKNOWN, |core| core.max(0) as u32);
            pool.maximum = number(walk, b"maximumPoolSize").map_or(UNKNOWN, |most| most.max(0) as u32);
            let control = walk.jni.get(object, walk.classes.field(info, b"ctl", b'L'));
            // The sign bit is set while it runs; SHUTDOWN is 0.
            pool.shut_down = value(walk, control).is_some_and(|control| control >= 0);
            walk.jni.release(control);
            let queue = walk.jni.get(object, walk.classes.field(info, b"workQueue", b'L'));
            let at = walk.path_to(path, b"workQueue");
            pool.queued = Self::queue(walk, queue, at, QUEUE, look);
            walk.jni.release(queue);
        }
        for name in [&b"threadFactory"[..], b"factory"] {
            let factory = walk.jni.get(object, walk.classes.field(info, name, b'L'));
            if !factory.is_null() {
                let at = walk.path_to(path, name);
                let class = walk.number(factory);
                look.link(FACTORY, class, walk.path_text(at));
                Self::captured(walk, factory, at, FACTORY, look);
                walk.jni.release(factory);
            }
        }
        Self::keep(walk, object, pool, &since, look)
    }

    /// A TimerThread: its queue of tasks is what makes it.
    pub fn timer(walk: &mut Walk, thread: Obj, info: ClassInfo, look: &mut Look) -> Option<usize> {
        let queue = walk.jni.get(thread, walk.classes.field(info, b"queue", b'L'));
        if queue.is_null() {
            return None;
        }
        let since = Since::of(look);
        let class = walk.number(thread);
        let mut pool = Pool { class, core: 1, maximum: 1, ..NONE };
        let field = walk.classes.field(info, b"newTasksMayBeScheduled", b'Z');
        pool.shut_down = walk.jni.get_boolean(thread, field) == Some(false);
        let path = walk.path_to(Piece::default(), b"queue");
        pool.queued = Self::queue(walk, queue, path, TIMER, look);
        Self::keep(walk, queue, pool, &since, look)
    }

    /// A queue: how many tasks wait in it, and whose the first of them are.
    fn queue(walk: &mut Walk, queue: Obj, path: Piece, role: u32, look: &mut Look) -> u32 {
        let (jni, ti) = (walk.jni, walk.ti);
        let Some((_, info)) = walk.classes.of(jni, ti, queue) else { return 0 };
        if role == QUEUE {
            let class = walk.number(queue);
            look.link(QUEUE, class, walk.path_text(path));
        }
        let size = |name| jni.get_int(queue, walk.classes.field(info, name, b'I'));
        let mut waiting = size(b"size").or_else(|| size(b"count"));
        if waiting.is_none() {
            let counter = jni.get(queue, walk.classes.field(info, b"count", b'L'));
            waiting = value(walk, counter);
            jni.release(counter);
        }
        let mut left = TASKS;
        for name in [&b"queue"[..], b"items"] {
            // Heaps of tasks, in arrays; a Timer's begins at 1.
            let array = jni.get(queue, walk.classes.field(info, name, b'['));
            for at in 0..jni.array_length(array).min(32) {
                let task = jni.element(array, at);
                if !task.is_null() && left > 0 {
                    left -= 1;
                    let at = walk.path_to(path, b"queue[]");
                    Self::task(walk, task, at, look);
                }
                jni.release(task);
            }
            jni.release(array);
        }
        // A list of nodes: the first is empty in LinkedBlockingQueue.
        let mut node = jni.get(queue, walk.classes.field(info, b"head", b'L'));
        for _ in 0..=TASKS {
            let Some((_, class)) = walk.classes.of(jni, ti, node) else { break };
            let task = jni.get(node, walk.classes.field(class, b"item", b'L'));
            if !task.is_null() {
                let at = walk.path_to(path, b"item");
                Self::task(walk, task, at, look);
            }
            jni.release(task);
            let next = jni.get(node, walk.classes.field(class, b"next", b'L'));
            jni.release(node);
            node = next;
        }
        jni.release(node);
        waiting.unwrap_or(0).max(0) as u32
    }

    fn task(walk: &mut Walk, task: Obj, path: Piece, look: &mut Look) {
        let Some((_, info)) = walk.classes.of(walk.jni, walk.ti, task) else { return };
        schedules::of_task(walk, task, info, look);
        let role = if info.kind == Kind::TimerTask { TIMER } else { TASK };
        if info.application {
            let class = walk.number(task);
            look.link(role, class, walk.path_text(path));
        }
        Self::captured(walk, task, path, role, look);
    }

    /// What an object leads to; it has its own link already.
    fn captured(walk: &mut Walk, object: Obj, path: Piece, role: u32, look: &mut Look) {
        let mut space = [0_u8; 256];
        let text = walk.path_text(path);
        let length = text.len().min(space.len());
        space.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        walk.walk(object, role, space.get(..length).unwrap_or(&[]), look);
    }
}

const NONE: Pool = Pool {
    class: UNKNOWN,
    core: UNKNOWN,
    maximum: UNKNOWN,
    queued: 0,
    shut_down: false,
    links: (Piece { start: 0, length: 0 }, 0),
    schedules: (Piece { start: 0, length: 0 }, 0),
    met: [UNKNOWN; 4],
};

/// How much a look had.
struct Since {
    links: (usize, u32),
    schedules: (usize, u32),
}

impl Since {
    fn of(look: &Look) -> Self {
        Self {
            links: (look.links.bytes.len(), look.links.count),
            schedules: (look.schedules.bytes.len(), look.schedules.count),
        }
    }
}

/// An AtomicInteger's value.
fn value(walk: &mut Walk, number: Obj) -> Option<i32> {
    let (_, info) = walk.classes.of(walk.jni, walk.ti, number)?;
    walk.jni.get_int(number, walk.classes.field(info, b"value", b'I'))
}

/// How many threads a ForkJoinPool aims at; where it is kept has changed with the JDK.
fn fork_join_size(walk: &Walk, pool: Obj, info: ClassInfo) -> u32 {
    const SIZE: u32 = 0xffff;
    let number = |name| walk.jni.get_int(pool, walk.classes.field(info, name, b'I'));
    let long = |name| walk.jni.get_long(pool, walk.classes.field(info, name, b'J'));
    if let Some(size) = number(b"parallelism") {
        return size.max(0) as u32;
    }
    let size = number(b"mode").or_else(|| number(b"config")).map(|mode| mode as u32 & SIZE);
    size.or_else(|| long(b"config").map(|config| config as u32 & SIZE)).unwrap_or(UNKNOWN)
}
