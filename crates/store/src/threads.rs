//! The part `threads`: a column per field of [`Thread`].

use model::{Pid, StackHint, Text, Thread, Ticks};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::blob::BlobError;
use crate::columns::{self, Column, steps, sums};

/// Threads, ready to be written.
pub(crate) struct ThreadTable<'a>(pub(crate) &'a [Thread]);

impl Serialize for ThreadTable<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = || self.0.iter();
        let mut map = serializer.serialize_map(None)?;
        columns::write(&mut map, "tid", steps(rows().map(|t| u64::from(t.tid.0))))?;
        columns::write(&mut map, "name", rows().map(|t| &t.name))?;
        map.serialize_entry("state", &rows().map(|t| t.state).collect::<String>())?;
        columns::write_unless_zero(&mut map, "start", steps(rows().map(|t| t.start.0)))?;
        columns::write_unless_zero(&mut map, "utime", rows().map(|t| t.utime.0))?;
        columns::write_unless_zero(&mut map, "stime", rows().map(|t| t.stime.0))?;
        map.serialize_entry("stack_from", &rows().map(|t| hint_letter(t.stack)).collect::<String>())?;
        let addresses = rows().filter_map(|t| t.stack).map(StackHint::address);
        columns::write(&mut map, "stack", steps(addresses))?;
        map.end()
    }
}

/// How a hint is written: `r` and `s` have an address in the column `stack`, `-` has none.
fn hint_letter(hint: Option<StackHint>) -> char {
    match hint {
        Some(StackHint::RobustList(_)) => 'r',
        Some(StackHint::StackPointer(_)) => 's',
        None => '-',
    }
}

/// Threads as they were stored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredThreads {
    tid: Column<i64>,
    name: Column<Text>,
    state: String,
    start: Column<i64>,
    utime: Column<u64>,
    stime: Column<u64>,
    stack_from: String,
    stack: Column<i64>,
}

impl StoredThreads {
    pub(crate) fn rows(&self) -> usize {
        self.tid.0.len()
    }

    pub(crate) fn into_threads(self) -> Result<Vec<Thread>, BlobError> {
        let rows = self.rows();
        let contradiction = |what: &str| BlobError::Columns(format!("column {what} does not fit the others"));
        let mut names = self.name.cells(rows, "name")?;
        let mut states = self.state.chars();
        let mut starts = sums(self.start.cells(rows, "start")?);
        let mut utimes = self.utime.cells(rows, "utime")?;
        let mut stimes = self.stime.cells(rows, "stime")?;
        let mut hints = self.stack_from.chars();
        let mut addresses = sums(self.stack.0.into_iter());
        let mut threads = Vec::with_capacity(rows);
        for tid in sums(self.tid.0.into_iter()) {
            let stack = match hints.next() {
                Some('r') => addresses.next().map(StackHint::RobustList),
                Some('s') => addresses.next().map(StackHint::StackPointer),
                Some(_) | None => None,
            };
            threads.push(Thread {
                tid: Pid(u32::try_from(tid).map_err(|_| contradiction("tid"))?),
                name: names.next().unwrap_or_default(),
                state: states.next().ok_or_else(|| contradiction("state"))?,
                start: Ticks(starts.next().unwrap_or_default()),
                utime: Ticks(utimes.next().unwrap_or_default()),
                stime: Ticks(stimes.next().unwrap_or_default()),
                stack,
            });
        }
        Ok(threads)
    }
}
