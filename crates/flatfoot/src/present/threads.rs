//! Threads by name pattern.

use std::collections::HashMap;
use std::fmt::Write as _;

use model::{
    BirthKind, Bytes, Cadence, HostReading, Impact, JavaFrame, JavaThread, PoolShape, ProcessRef, Text,
    Thread, ThreadGroup, show,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::owners::{self, OwnerRow};
use super::{Align, Table, Term, time};

/// Frames of a stack that are kept.
const MOST_FRAMES: usize = 32;

/// `flatfoot threads --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ThreadsDocument {
    /// `flatfoot.threads/1`.
    pub(crate) schema: &'static str,
    /// Where the readings came from.
    pub(crate) origin: String,
    /// The process.
    pub(crate) process: ProcessRef,
    /// Threads in all.
    pub(crate) threads: u64,
    /// A row for each pattern, most threads first.
    pub(crate) groups: Vec<GroupRow>,
    /// With --owners: whom the threads work for, most threads first.
    pub(crate) owners: Vec<OwnerRow>,
    /// What could not be read or told, a sentence each.
    pub(crate) remarks: Vec<String>,
    /// What was done to the target.
    pub(crate) impact: Impact,
}

/// Threads of one pattern.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct GroupRow {
    /// `pool-*-thread-1`.
    pub(crate) pattern: String,
    /// Set when part of the pattern was inferred: how.
    pub(crate) inferred: Option<String>,
    /// What split threads of equal names.
    pub(crate) split_by: Option<String>,
    /// How many.
    pub(crate) count: u64,
    /// What the names say about pools.
    pub(crate) pool_shape: PoolShape,
    /// Births per second at present; null when there are none or they cannot be told.
    pub(crate) births_per_s: Option<f64>,
    /// Rhythms of the births.
    pub(crate) cadence: Vec<Cadence>,
    /// What kind of births these are.
    pub(crate) births: BirthKind,
    /// Age of the oldest, in seconds: births that reach back no further than this may be renewals.
    pub(crate) oldest_age_s: Option<f64>,
    /// First birth: RFC 3339, UTC.
    pub(crate) first_birth: Option<String>,
    /// Last birth.
    pub(crate) last_birth: Option<String>,
    /// How many are in each state: `S` 12.
    pub(crate) states: Vec<(char, u64)>,
    /// The size that most stacks have; null when none was found.
    pub(crate) stack_bytes_each: Option<u64>,
    /// Address space of all their stacks.
    pub(crate) stack_reserved_bytes: u64,
    /// In use of it; null when not read.
    pub(crate) stack_touched_bytes: Option<u64>,
    /// Where most of them stand in their Java code; null unless the JVM was asked (--access attach).
    pub(crate) java_stack: Option<JavaStackRow>,
}

/// A stack that several threads have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct JavaStackRow {
    /// How many of the group stand there.
    pub(crate) count: u64,
    /// `WAITING (parking)`.
    pub(crate) state: Text,
    /// Innermost first, at most thirty-two.
    pub(crate) frames: Vec<String>,
}

impl JavaStackRow {
    /// The most frequent stack among the members of a group.
    pub(crate) fn of(group: &ThreadGroup, dump: &[JavaThread]) -> Option<Self> {
        let mut members = group.members.clone();
        members.sort_unstable();
        let is_member =
            |thread: &&JavaThread| thread.native_id.is_some_and(|id| members.binary_search(&id).is_ok());
        let mut counts: HashMap<&[JavaFrame], (u64, &Text)> = HashMap::new();
        for thread in dump.iter().filter(is_member).filter(|thread| !thread.stack.is_empty()) {
            counts.entry(thread.stack.as_slice()).or_insert((0, &thread.state)).0 += 1;
        }
        let (stack, (count, state)) =
            counts.into_iter().max_by_key(|(stack, (count, _))| (*count, stack.len()))?;
        let frame = |frame: &JavaFrame| {
            let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
            format!("{}.{}{line}", frame.class, frame.method)
        };
        Some(Self {
            count,
            state: state.clone(),
            frames: stack.iter().take(MOST_FRAMES).map(frame).collect(),
        })
    }
}

impl GroupRow {
    /// The row of a group, seen `now_boot_s` seconds after boot; `births_per_s` as its births go on now.
    pub(crate) fn new(
        group: &ThreadGroup,
        host: &HostReading,
        now_boot_s: f64,
        births_per_s: Option<f64>,
    ) -> Self {
        let moment = |s: Option<&f64>| s.map(|s| time::rfc3339(host.unix_from_boot(*s)));
        Self {
            pattern: group.pattern.as_str().to_owned(),
            inferred: group.inferred.as_ref().map(ToString::to_string),
            split_by: group.split_by.as_ref().map(ToString::to_string),
            count: group.count() as u64,
            pool_shape: group.shape,
            births_per_s,
            cadence: group.cadence.cadences.clone(),
            births: group.cadence.kind,
            oldest_age_s: group.births.first().map(|first| (now_boot_s - first).max(0.0)),
            first_birth: moment(group.births.first()),
            last_birth: moment(group.births.last()),
            states: group.states.clone(),
            stack_bytes_each: (group.stacks.found > 0).then_some(group.stacks.each.0),
            stack_reserved_bytes: group.stacks.reserved.0,
            stack_touched_bytes: group.stacks.touched.map(|b| b.0),
            java_stack: None,
        }
    }
}

impl ThreadsDocument {
    /// As a table; patterns of one thread are summed up in the last line unless `all`.
    pub(crate) fn text(&self, term: Term, all: bool) -> String {
        let mut table = Table::new(&[
            ("PATTERN", Align::Left),
            ("COUNT", Align::Right),
            ("BIRTHS", Align::Left),
            ("CADENCE", Align::Left),
            ("OLDEST", Align::Right),
            ("STATE", Align::Left),
            ("STACK", Align::Right),
            ("TOUCHED", Align::Right),
            ("", Align::Left),
        ]);
        let shown = |row: &&GroupRow| all || row.count > 1;
        for row in self.groups.iter().filter(shown) {
            table.row(vec![
                shown_pattern(row),
                show::count(row.count),
                births(row),
                cadence(row),
                row.oldest_age_s.map_or_else(|| "-".to_owned(), show::duration_short),
                state(&row.states),
                row.stack_bytes_each.map_or_else(|| "?".to_owned(), |b| show::bytes(Bytes(b))),
                row.stack_touched_bytes.map_or_else(|| "?".to_owned(), |b| show::bytes(Bytes(b))),
                pool(row.pool_shape).to_owned(),
            ]);
        }
        let rest: Vec<&GroupRow> = self.groups.iter().filter(|r| !shown(r)).collect();
        let mut out = table.text();
        if !rest.is_empty() {
            let _ = writeln!(out, "({} more with one thread each: --all)", rest.len());
        }
        for row in self.groups.iter().filter(shown) {
            java_stack(row, term, &mut out);
        }
        owners::text(&self.owners, term, &mut out);
        if !term.quiet {
            let notes = self.groups.iter().filter(shown);
            for row in notes {
                for note in [&row.inferred, &row.split_by].into_iter().flatten() {
                    let _ = writeln!(out, "{}", term.dim(&format!("{}: {note}", shown_pattern(row))));
                }
            }
            for remark in &self.remarks {
                let _ = writeln!(out, "{}", term.dim(remark));
            }
        }
        out
    }
}

/// The stack that most have: its top, and where it leaves the JDK.
fn java_stack(row: &GroupRow, term: Term, out: &mut String) {
    let Some(stack) = &row.java_stack else { return };
    let is_jdk = |frame: &&String| {
        frame.starts_with("java.") || frame.starts_with("jdk.") || frame.starts_with("sun.")
    };
    let jdk = stack.frames.iter().take_while(is_jdk).count();
    let head = format!(
        "{}: {} of {} at the same place, {}",
        shown_pattern(row),
        stack.count,
        row.count,
        stack.state
    );
    let _ = writeln!(out, "{}", term.bold(&head));
    let shown = stack.frames.iter().take(2).chain(stack.frames.iter().skip(jdk.max(2)).take(4));
    for frame in shown {
        let _ = writeln!(out, "  {frame}");
    }
}

/// `threads --list`: one line for each thread, oldest first.
pub(crate) fn list_text(threads: &[Thread], host: &HostReading) -> String {
    let mut sorted: Vec<&Thread> = threads.iter().collect();
    sorted.sort_by_key(|t| (t.start, t.tid));
    let mut out = String::with_capacity((sorted.len() + 1) * 64);
    out.push_str("    TID  STATE  BORN                    CPU s  NAME\n");
    // Many are born in the same second, and the calendar is slow.
    let (mut second, mut shown) = (f64::NAN, String::new());
    for thread in sorted {
        let born = host.unix_from_boot(thread.start.seconds(host.ticks_per_second));
        if born.floor() != second {
            second = born.floor();
            shown = time::local(second);
        }
        let cpu = model::Ticks(thread.utime.0 + thread.stime.0).seconds(host.ticks_per_second);
        let hundredths = (born.fract() * 100.0) as u64;
        let _ = writeln!(
            out,
            "{:>7}  {:<5}  {shown}.{hundredths:02}  {cpu:>7.2}  {}",
            thread.tid, thread.state, thread.name
        );
    }
    out
}

pub(crate) fn shown_pattern(row: &GroupRow) -> String {
    if row.pattern.is_empty() { "(no name)".to_owned() } else { Text::from(row.pattern.as_str()).to_string() }
}

pub(crate) fn births(row: &GroupRow) -> String {
    match row.births_per_s {
        Some(rate) if rate > 0.0 => format!("+{}", show::rate(rate)),
        _ => "steady".to_owned(),
    }
}

pub(crate) fn cadence(row: &GroupRow) -> String {
    match (row.births, row.cadence.as_slice()) {
        (BirthKind::Regular, trains) if !trains.is_empty() => {
            trains.iter().map(|c| show::period(c.period_s)).collect::<Vec<_>>().join(" + ")
        }
        (BirthKind::Irregular, _) => "none".to_owned(),
        (BirthKind::Burst, _) => "at once".to_owned(),
        _ => "-".to_owned(),
    }
}

fn state(states: &[(char, u64)]) -> String {
    let word = |state: char| match state {
        'S' => "waiting",
        'R' => "running",
        'D' => "in I/O",
        'T' | 't' => "stopped",
        'Z' | 'X' => "dead",
        'I' => "idle",
        _ => "other",
    };
    match states {
        [] => "-".to_owned(),
        [(one, _)] => word(*one).to_owned(),
        _ => "mixed".to_owned(),
    }
}

fn pool(shape: PoolShape) -> &'static str {
    match shape {
        PoolShape::OneThreadPools => "one-thread pools",
        PoolShape::OnePool => "one pool",
        PoolShape::SeveralPools => "several pools",
        PoolShape::Unknown => "",
    }
}
