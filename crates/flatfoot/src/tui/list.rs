//! A cursor in a list that is longer than the screen.

/// Where the cursor and the screen are in a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct List {
    at: usize,
    first: usize,
    room: usize,
    len: usize,
}

impl List {
    /// The row of the cursor.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The first row that is shown.
    pub(crate) const fn first(&self) -> usize {
        self.first
    }

    /// The list has so many rows now, with the cursor there.
    pub(crate) fn set(&mut self, len: usize, at: usize) {
        self.len = len;
        self.at = at.min(len.saturating_sub(1));
        self.reveal();
    }

    /// Moves the cursor by so many rows.
    pub(crate) fn step(&mut self, by: isize) {
        self.set(self.len, self.at.saturating_add_signed(by));
    }

    /// Moves it by whole screens, less a row to go on from.
    pub(crate) fn page(&mut self, by: isize) {
        self.step(by * self.room.saturating_sub(1).max(1) as isize);
    }

    /// There is room for so many rows.
    pub(crate) fn fit(&mut self, room: usize) {
        self.room = room;
        self.reveal();
    }

    fn reveal(&mut self) {
        let room = self.room.max(1);
        // Room that is left below the last row is not wasted.
        self.first = self.first.min(self.len.saturating_sub(room));
        self.first = self.first.clamp((self.at + 1).saturating_sub(room), self.at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cursor_is_always_seen(steps in proptest::collection::vec((0..4u8, -40isize..40), 0..60)) {
            let mut list = List::default();
            for (what, by) in steps {
                let some = by.unsigned_abs();
                match what {
                    0 => list.set(some, some / 2),
                    1 => list.step(by),
                    2 => list.page(by.signum()),
                    _ => list.fit(some),
                }
                let List { at, first, room, len } = list;
                prop_assert!(at < len || (at == 0 && len == 0), "{list:?}");
                prop_assert!(first <= at && at < first + room.max(1), "{list:?}");
            }
        }
    }
}
