//! Whose children there are: from the parents in all records, without reading anything more.

use super::slot::Slot;

/// Slots by pid.
#[derive(Debug, Default)]
pub(super) struct Family {
    by_pid: Vec<(u32, u32)>,
}

impl Family {
    /// Is this pid one of the slots'?
    pub(super) fn has(&self, pid: u32) -> bool {
        self.by_pid.binary_search_by_key(&pid, |(pid, _)| *pid).is_ok()
    }

    /// Orders the slots by pid anew: when some came or went.
    pub(super) fn rebuild(&mut self, slots: &[Slot]) {
        self.by_pid.clear();
        self.by_pid.extend(slots.iter().enumerate().map(|(at, slot)| (slot.pid, at as u32)));
        self.by_pid.sort_unstable();
    }

    /// Counts everybody's children. Needs [`Self::rebuild`] when slots came or went.
    pub(super) fn count(&self, slots: &mut [Slot]) {
        for slot in slots.iter_mut() {
            slot.children = (0, 0);
        }
        for at in 0..slots.len() {
            let Some(child) = slots.get(at) else { continue };
            // Dead, but its other threads run on: not a zombie yet.
            let dead = child.sample.is_dead() && child.sample.threads < 2;
            let Ok(found) = self.by_pid.binary_search_by_key(&child.sample.parent, |(pid, _)| *pid) else {
                continue;
            };
            let place = self.by_pid.get(found).map_or(usize::MAX, |(_, at)| *at as usize);
            if let Some(parent) = slots.get_mut(place) {
                if dead {
                    parent.children.1 += 1;
                } else {
                    parent.children.0 += 1;
                }
            }
        }
    }
}
