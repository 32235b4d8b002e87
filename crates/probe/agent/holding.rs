//! Which pools nothing but workers holds, and who holds the others: told by a walk over the heap in which the threads of
//! pools lead nowhere. What it reaches is held by somebody else.

use crate::arena::{List, Piece};
use crate::graph::NOBODY;
use crate::held::{thread_name, write_holder};
use crate::jni::Obj;
use crate::layout::UNKNOWN;
use crate::owners::Walk;
use crate::paths::{Paths, Wanted};

/// Holders that are told of a group.
const HOLDERS: usize = 4;
/// Groups for whose pools a path is looked for.
const GROUPS: usize = 32;

/// What is told of a group.
#[derive(Clone, Copy)]
struct Told {
    unheld: u32,
    holders: (Piece, u32),
    path: Piece,
}

/// What is told of all groups; nothing without a walk.
pub struct Holding {
    told: List<Told>,
    text: List<u8>,
}

impl Holding {
    /// Walks the heap, if one was opened.
    pub fn of(walk: &mut Walk, threads: &[Obj], groups: usize) -> Result<Self, i32> {
        let mut holding = Self { told: List::new(), text: List::new() };
        let Some(mut heap) = walk.heap.take() else { return Ok(holding) };
        if let Err(code) = heap.walk() {
            heap.close();
            return Err(code);
        }
        heap.tell(walk.report);
        let (jni, ti) = (walk.jni, walk.ti);
        walk.report.until = ti.now().saturating_add(walk.report.budget);
        let mut paths = Paths::new(jni, threads, thread_name(jni, ti));
        for group in 0..groups {
            let mut told = Told { unheld: 0, holders: (Piece::default(), 0), path: Piece::default() };
            let mut held: List<usize> = List::new();
            let mut by: List<(usize, u64)> = List::new();
            for pool in walk.pools.of_group(group as u32) {
                match heap.held(pool).by.checked_sub(1) {
                    None => told.unheld += 1,
                    Some(edge) => {
                        held.push(pool);
                        match by.as_mut_slice().iter_mut().find(|(known, _)| *known == edge) {
                            Some((_, count)) => *count += 1,
                            None => {
                                by.push((edge, 1));
                            }
                        }
                    }
                }
            }
            // Of what was not reached nothing is known when not all was seen.
            if !heap.is_whole() {
                told.unheld = UNKNOWN;
            }
            let mut out = List::new();
            for (edge, count) in by.as_slice().iter().take(HOLDERS) {
                let Some(edge) = heap.graph.get(*edge) else { continue };
                write_holder(jni, &mut heap, walk.report, edge, &mut out);
                out.u64(*count);
                out.u64(0);
                told.holders.1 += 1;
            }
            told.holders.0 = holding.text.keep(out.as_slice());
            let class = held.as_slice().first().and_then(|pool| heap.pool_class(jni, *pool));
            if let Some(class) = class.filter(|class| *class != NOBODY && group < GROUPS) {
                match held.as_slice().first().and_then(|pool| heap.held(*pool).root) {
                    Some(root) => paths.of_root(&heap, root),
                    None => paths.find(&heap, Wanted { class, pools: Some(held.as_slice()) }, walk.report),
                }
                if let Some(path) = paths.found.as_slice().first().copied() {
                    let mut out = List::new();
                    paths.write(&mut heap, path, walk.report, &mut out);
                    told.path = holding.text.keep(out.as_slice());
                }
            }
            holding.told.push(told);
        }
        walk.heap = Some(heap);
        Ok(holding)
    }

    /// Writes what is told of a group, to the end of its record.
    pub fn write(&mut self, group: usize, out: &mut List<u8>) {
        let Some(told) = self.told.as_slice().get(group).copied() else {
            out.u32(UNKNOWN);
            out.u32(0);
            out.u32(0);
            return;
        };
        out.u32(told.unheld);
        out.u32(told.holders.1);
        out.extend(self.text.piece(told.holders.0));
        if told.path.length > 0 {
            out.extend(self.text.piece(told.path))
        } else {
            out.extend(&[0; 4])
        };
    }
}
