//! What a reader gives back: series with their gaps, and the same reduced for a chart.

use model::{BootId, Column, Event, ProcessNo};

/// One column of one process over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Of which process; 0 is the host.
    pub process: ProcessNo,
    /// Which figure; `None` only in a default.
    pub column: Option<Column>,
    /// In ascending order of time.
    pub points: Vec<Point>,
    /// Where points are missing, in ascending order.
    pub gaps: Vec<Gap>,
}

/// A figure at a moment, or over the time since the point before where old ticks were reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// When: milliseconds since 1970, as the clock stood at the end of that boot: time goes forward by what passed, also
    /// where the clock was set.
    pub at_unix_ms: i64,
    /// The last value.
    pub value: u64,
    /// The least; the value itself in a tick as it was recorded.
    pub low: u64,
    /// The greatest.
    pub high: u64,
}

/// No points from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The place in `points` of the first point after it.
    pub before: usize,
    /// The last moment before it that something is known of.
    pub from_unix_ms: i64,
    /// The first after it.
    pub until_unix_ms: i64,
    /// Why.
    pub why: GapKind,
}

/// Why points are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// The host was started anew; cumulative figures begin again.
    Reboot,
    /// Nothing was recorded: no recorder ran, or the host slept.
    NotRecorded,
    /// Ticks were recorded without this figure for so long that it is no longer its pace.
    Absent,
    /// It was recorded, and is damaged in the file.
    Damaged,
}

/// A series as a chart shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    /// Which figure.
    pub column: Column,
    /// Least, greatest and last value of each pixel; `None` where there is no point.
    pub pixels: Vec<Option<Pixel>>,
    /// Where points are missing.
    pub gaps: Vec<Gap>,
}

/// What a pixel stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixel {
    /// The least value.
    pub low: u64,
    /// The greatest.
    pub high: u64,
    /// The last.
    pub last: u64,
}

/// An event with its moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// As [`Point::at_unix_ms`].
    pub at_unix_ms: i64,
    /// The boot that the event's own time counts from.
    pub boot: BootId,
    /// What happened.
    pub event: Event,
}

/// A process that was there.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What is known of it.
    pub known: super::Known,
    /// When it was first seen.
    pub first_unix_ms: i64,
    /// When it ended, or the last moment recorded of its boot.
    pub last_unix_ms: i64,
}

/// A deep look of a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LookAt {
    /// For [`look`](super::HistoryReader::look).
    pub id: u64,
    /// When it was, in milliseconds since 1970.
    pub at_unix_ms: i64,
    /// How many processes were looked at.
    pub processes: u64,
}

/// A stretch of ticks that were recorded one after another, as [`coverage`](super::HistoryReader::coverage) tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The boot.
    pub boot: BootId,
    /// Its first tick.
    pub first_unix_ms: i64,
    /// Its last tick.
    pub last_unix_ms: i64,
    /// How many ticks were recorded.
    pub ticks: u64,
    /// 0 when they are as recorded, else the time that each point stands for.
    pub step_ms: u64,
}
