//! References between classes, counted: which field of which class refers to objects of which class, and how often. It
//! stays small however large the heap is.

use crate::arena::List;

/// Kinds of steps: indices into `layout::STEPS`.
pub const STATIC: u32 = 0;
pub const FIELD: u32 = 1;
pub const ELEMENT: u32 = 2;
pub const THREAD: u32 = 3;
pub const LOCAL: u32 = 4;
pub const NATIVE: u32 = 5;
pub const JVM: u32 = 6;

/// No class, or one beyond what is counted.
pub const NOBODY: usize = 0xf_ffff;
/// A class that leads nowhere.
pub const FAR: u8 = u8::MAX;

const ROOM: usize = 1 << 16;
const PROBES: usize = 64;

/// From a class by a field to a class.
#[derive(Clone, Copy)]
pub struct Edge {
    key: u64,
    pub count: u64,
}

impl Edge {
    const NONE: Self = Self { key: 0, count: 0 };

    /// The referring class; `NOBODY` for a root.
    pub fn from(self) -> usize {
        (self.key >> 40) as usize & NOBODY
    }

    pub fn kind(self) -> u32 {
        (self.key >> 36) as u32 & 0xf
    }

    /// JVMTI's index of the field.
    pub fn field(self) -> usize {
        (self.key >> 20) as usize & 0xffff
    }

    pub fn to(self) -> usize {
        self.key as usize & NOBODY
    }

    pub fn is_root(self) -> bool {
        !matches!(self.kind(), STATIC | FIELD | ELEMENT)
    }
}

/// All of them: a hash table in memory of our own.
pub struct Graph {
    edges: List<Edge>,
    /// There were more.
    pub full: bool,
}

impl Graph {
    pub fn new() -> Option<Self> {
        let mut edges = List::new();
        for _ in 0..ROOM {
            if !edges.push(Edge::NONE) {
                return None;
            }
        }
        Some(Self { edges, full: false })
    }

    /// Counts one; its place, unless there is none left.
    pub fn count(&mut self, from: usize, kind: u32, field: usize, to: usize) -> Option<usize> {
        let key = (1 << 63)
            | (from.min(NOBODY) as u64) << 40
            | u64::from(kind & 0xf) << 36
            | (field.min(0xffff) as u64) << 20
            | to.min(NOBODY) as u64;
        let hash = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize;
        let edges = self.edges.as_mut_slice();
        for probe in 0..PROBES {
            let at = hash.wrapping_add(probe) & (ROOM - 1);
            let Some(edge) = edges.get_mut(at) else { break };
            if edge.key == 0 {
                *edge = Edge { key, count: 0 };
            }
            if edge.key == key {
                edge.count = edge.count.wrapping_add(1);
                return Some(at);
            }
        }
        self.full = true;
        None
    }

    pub fn get(&self, at: usize) -> Option<Edge> {
        self.edges.as_slice().get(at).copied().filter(|edge| edge.key != 0)
    }

    /// What is at a place, perhaps nothing; `None` beyond the last.
    pub fn place(&self, at: usize) -> Option<Option<Edge>> {
        (at < ROOM).then(|| self.get(at))
    }

    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.edges.as_slice().iter().copied().filter(|edge| edge.key != 0)
    }

    /// For each class how many steps, at least, lead from its objects to those of `target`.
    pub fn distances(&self, classes: usize, target: usize, into: &mut List<u8>) {
        into.truncate(0);
        for class in 0..classes {
            if !into.push(if class == target { 0 } else { FAR }) {
                return;
            }
        }
        for round in 0..FAREST {
            let mut nearer = false;
            for edge in self.edges().filter(|edge| !edge.is_root() && edge.kind() != STATIC) {
                if into.as_slice().get(edge.to()).copied() == Some(round)
                    && let Some(from) = into.as_mut_slice().get_mut(edge.from())
                    && *from > round.wrapping_add(1)
                {
                    *from = round.wrapping_add(1);
                    nearer = true;
                }
            }
            if !nearer {
                return;
            }
        }
    }
}

/// Paths are no longer.
pub const FAREST: u8 = 16;
