//! Sums: each piece of each mapping added to its class, the classes to the total.

use model::{AddressSpace, Amounts, Bytes, MemoryClass, MemoryMap, ProcessReading};

use super::charge::Charge;
use super::pieces::{Piece, Pieces};

/// Sums up in plain numbers: the optional ones of [`Amounts`] would cost more than the rest.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    maps: u64,
    reserved: u64,
    committed: u64,
    touched: u64,
    pss: u64,
    dirty: u64,
    swap: u64,
}

/// What is known of a mapping beyond its size.
#[derive(Clone, Copy, Debug, Default)]
struct Contents {
    touched: u64,
    pss: u64,
    dirty: u64,
    swap: u64,
}

pub(super) fn sum(
    process: &ProcessReading,
    space: &AddressSpace,
    charge: &Charge<'_>,
    pieces: Pieces<'_>,
) -> MemoryMap {
    let (class_of, split) = pieces.finish();
    let touched = space.touched.value().filter(|touched| touched.len() == space.mappings.len());
    let mut sums = [Sum::default(); MemoryClass::ALL.len()];
    let mut split = split.as_slice();
    for (index, mapping) in space.mappings.iter().enumerate() {
        let is_split = split.first().is_some_and(|piece| piece.index == index);
        if !is_split && touched.is_none() && !charge.is_exact() {
            let class = class_of[index];
            sums[place(class)].add_size(mapping.size().0, charge.is_charged(index, class));
            continue;
        }
        let mut contents =
            Contents { touched: touched.map_or(0, |touched| touched[index]), ..Contents::default() };
        if let Some(detail) = charge.detail(index) {
            contents.pss = detail.pss.0;
            contents.dirty = detail.private_dirty.0;
            contents.swap = detail.swap.0;
        }
        if is_split {
            let count = split.iter().take_while(|piece| piece.index == index).count();
            let (own, rest) = split.split_at(count);
            split = rest;
            for (piece, share) in own.iter().zip(shares(space, own, contents)) {
                let charged = charge.is_charged(index, piece.class);
                sums[place(piece.class)].add(piece.end - piece.start, charged, share);
            }
        } else {
            let class = class_of[index];
            sums[place(class)].add(mapping.size().0, charge.is_charged(index, class), contents);
        }
    }
    let mut map = MemoryMap { committed_exact: charge.is_exact(), class_of, ..MemoryMap::default() };
    let listed: u64 = sums.iter().map(|sum| sum.reserved).fold(0, u64::saturating_add);
    let unexplained = size(process).saturating_sub(listed.saturating_sub(of_no_process(space)));
    sums[place(MemoryClass::Unexplained)].reserved = unexplained;
    let with_details = charge.is_exact();
    for (class, sum) in MemoryClass::ALL.into_iter().zip(&sums) {
        if sum.reserved > 0 {
            let read = class != MemoryClass::Unexplained;
            let amounts = sum.amounts(read && touched.is_some(), read && with_details);
            map.total.add(&amounts);
            map.classes.push((class, amounts));
        }
    }
    map
}

/// VmSize.
fn size(process: &ProcessReading) -> u64 {
    process.statm.value().map_or(process.stat.virtual_size, |statm| statm.size).0
}

/// What is listed and not counted in VmSize: the vsyscall page, which belongs to the kernel's half.
fn of_no_process(space: &AddressSpace) -> u64 {
    let kernels = space.mappings.iter().rev().take_while(|mapping| mapping.start >= 1 << 63);
    kernels.map(|mapping| mapping.size().0).fold(0, u64::saturating_add)
}

fn place(class: MemoryClass) -> usize {
    // The order of ALL is the order of declaration.
    class as usize
}

/// How the contents of a split mapping fall on its pieces. Touched bytes were counted piece by piece where that is
/// possible (stretches); otherwise, and for what smaps says, they are shared out: by touched bytes where these are
/// known, else by size, nothing to guards. The shares always sum to the whole.
fn shares(space: &AddressSpace, pieces: &[Piece], contents: Contents) -> Vec<Contents> {
    let sizes: Vec<u64> = pieces
        .iter()
        .map(|piece| if piece.class == MemoryClass::Guard { 0 } else { piece.end - piece.start })
        .collect();
    let counted: Option<Vec<u64>> = pieces
        .iter()
        .map(|piece| match piece.class {
            MemoryClass::Guard => Some(0),
            _ => counted(space, piece.start, piece.end),
        })
        .collect();
    let counted = counted.filter(|counted| counted.iter().sum::<u64>() == contents.touched);
    let touched = counted.unwrap_or_else(|| share_out(contents.touched, &sizes));
    let by = if touched.iter().any(|touched| *touched > 0) { &touched } else { &sizes };
    let (pss, dirty, swap) =
        (share_out(contents.pss, by), share_out(contents.dirty, by), share_out(contents.swap, by));
    (0..pieces.len())
        .map(|at| Contents { touched: touched[at], pss: pss[at], dirty: dirty[at], swap: swap[at] })
        .collect()
}

/// Touched bytes of a range that consists of whole stretches.
pub(super) fn counted(space: &AddressSpace, start: u64, end: u64) -> Option<u64> {
    let first = space.stretches.partition_point(|stretch| stretch.start < start);
    let mut at = start;
    let mut touched = 0_u64;
    for stretch in space.stretches.get(first..)? {
        if at >= end {
            break;
        }
        // A gap between two stretches is a guard, or not of this mapping.
        let gap_is_guard = || space.guards.iter().any(|guard| guard.0 <= at && stretch.start <= guard.1);
        if stretch.end > end || (stretch.start != at && !gap_is_guard()) {
            return None;
        }
        touched = touched.saturating_add(stretch.touched);
        at = stretch.end;
    }
    (at == end).then_some(touched)
}

/// Splits a whole in proportion to weights; what rounding leaves goes to the heaviest.
fn share_out(whole: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|weight| (u128::from(whole) * u128::from(*weight)).checked_div(sum).unwrap_or(0) as u64)
        .collect();
    let left = whole - shares.iter().sum::<u64>();
    let heaviest = (0..weights.len()).max_by_key(|at| weights[*at]);
    if let Some(place) = heaviest.and_then(|at| shares.get_mut(at)) {
        *place += left;
    }
    shares
}

impl Sum {
    #[inline]
    fn add_size(&mut self, size: u64, charged: bool) {
        self.maps += 1;
        self.reserved = self.reserved.saturating_add(size);
        self.committed = self.committed.saturating_add(if charged { size } else { 0 });
    }

    #[inline]
    fn add(&mut self, size: u64, charged: bool, contents: Contents) {
        self.add_size(size, charged);
        self.touched = self.touched.saturating_add(contents.touched);
        self.pss = self.pss.saturating_add(contents.pss);
        self.dirty = self.dirty.saturating_add(contents.dirty);
        self.swap = self.swap.saturating_add(contents.swap);
    }

    fn amounts(&self, touched: bool, details: bool) -> Amounts {
        Amounts {
            maps: self.maps,
            reserved: Bytes(self.reserved),
            committed: Bytes(self.committed),
            touched: touched.then_some(Bytes(self.touched)),
            pss: details.then_some(Bytes(self.pss)),
            dirty: details.then_some(Bytes(self.dirty)),
            swap: details.then_some(Bytes(self.swap)),
        }
    }
}
