//! The board at a moment of what was recorded.

use anyhow::Result;
use model::{Identity, Incarnation, ProcessNo, ProcessReading, Text, Tick};
use store::history::{HistoryReader, Window};

use super::Board;
use super::figures::{Figures, HostFigures};

/// What rests is read each minute at least: so much before a moment tells everything about it.
const REPLAYED_MS: i64 = 130_000;

/// As it was at a moment, with what led to it.
pub(crate) fn at(reader: &HistoryReader, unix_ms: i64) -> Result<Board> {
    let mut board = Board::default();
    let window = Window::new(unix_ms.saturating_sub(REPLAYED_MS), unix_ms.saturating_add(1));
    let found = reader.incarnations(window)?;
    // Of two boots the later.
    let boot = found.iter().max_by_key(|one| one.first_unix_ms).map(|one| one.known.incarnation.key.boot);
    for one in found.iter().filter(|one| Some(one.known.incarnation.key.boot) == boot) {
        board.meet(one.known.process, &one.known.incarnation);
    }
    let mut ticks = reader.ticks(window)?;
    let mut tick = Tick::default();
    while ticks.read(&mut tick)? {
        board.take(&tick);
    }
    board.fill(reader, Window::new(i64::MIN, unix_ms.saturating_add(1)))?;
    // Recorded long ago, of which only sums are left: the moment itself is what is shown.
    if board.at_unix_ms == 0 {
        board.at_unix_ms = unix_ms;
    }
    // Who ended before the stretch, or in it, is not there at its end.
    let ended =
        |one: &&store::history::Found| one.known.ended_boot_ms.is_some() && one.last_unix_ms <= unix_ms;
    for one in found.iter().filter(ended) {
        board.members.remove(&one.known.process);
    }
    Ok(board)
}

impl Board {
    /// What the stretch did not tell: figures that were recorded before it.
    fn fill(&mut self, reader: &HistoryReader, before: Window) -> Result<()> {
        let partial: Vec<ProcessNo> = self
            .members
            .iter()
            .filter(|(_, member)| member.figures.is_partial())
            .map(|(no, _)| *no)
            .collect();
        for no in partial {
            let last = reader.last(no, &Figures::COLUMNS, before)?;
            let values: Vec<_> = Figures::COLUMNS
                .into_iter()
                .zip(last)
                .filter_map(|(column, last)| Some((column, last?.1)))
                .collect();
            if let Some(member) = self.members.get_mut(&no) {
                member.figures.take(&values);
            }
        }
        if self.host.committed.is_none() {
            let last = reader.last(ProcessNo::HOST, &HostFigures::COLUMNS, before)?;
            let values: Vec<_> = HostFigures::COLUMNS
                .into_iter()
                .zip(last)
                .filter_map(|(column, last)| Some((column, last?.1)))
                .collect();
            self.host.take(&values);
        }
        Ok(())
    }
}

/// Who a process of a look is, as a recorder would have put it down.
pub(super) fn incarnation(reading: &ProcessReading, started_unix_s: f64) -> Incarnation {
    let cgroups = reading.cgroups.value();
    let words = reading.cmdline.value().map_or(&[][..], Vec::as_slice);
    let command: Vec<&str> = words.iter().map(Text::as_str).collect();
    Incarnation {
        key: reading.key,
        name: reading.stat.name.clone(),
        started_unix_s,
        identity: Identity {
            unit: cgroups.and_then(|groups| groups.unit.clone()),
            container: cgroups.and_then(|groups| groups.container.clone()),
            command: command.join(" ").into(),
        },
        uid: 0,
        parent: reading.stat.parent,
        denied: Vec::new(),
    }
}
