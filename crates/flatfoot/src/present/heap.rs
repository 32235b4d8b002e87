//! What a JVM's heap holds, and what of it grows.

use std::fmt::Write as _;

use detect::heap::ClassGrowth;
use model::{
    BufferPool, Bytes, ClassCount, ClassLoaderStats, Finding, HeldClass, Impact, NmtCategory, ProcessRef,
    Text, show,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::diagnosis::labelled;
use super::{Align, Table, Term};
use crate::analyse::SavedCase;

/// Rows of each table, unless all are wanted.
const ROWS: usize = 12;

/// `flatfoot heap --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct HeapDocument {
    /// `flatfoot.heap/1`.
    pub(crate) schema: &'static str,
    /// Where the readings came from.
    pub(crate) origin: String,
    /// The process.
    pub(crate) process: ProcessRef,
    /// The JVM; null when it keeps no counters.
    pub(crate) jvm: Option<JvmSummary>,
    /// Histograms that were taken.
    pub(crate) looks: u64,
    /// Seconds from the first to the last.
    pub(crate) watched_s: f64,
    /// Collections that ran between them; null when the JVM doesn't tell.
    pub(crate) collections: Option<u64>,
    /// Classes, suspects first, then by bytes.
    pub(crate) types: Vec<TypeRow>,
    /// Class loaders by kind, most classes first.
    pub(crate) loaders: Vec<ClassLoaderStats>,
    /// NIO buffers by kind.
    pub(crate) buffers: Vec<BufferPool>,
    /// Who holds what grows, and direct buffers; empty without a walk over the heap.
    pub(crate) held: Vec<HeldClass>,
    /// The JVM's own account of its memory, when it was started with it; largest first.
    pub(crate) native_memory: Vec<NativeRow>,
    /// Flags that are not at their default.
    pub(crate) flags: Vec<Text>,
    /// Bytes of all objects that were counted, the dead ones that no collection has swept yet included.
    pub(crate) walked_bytes: u64,
    /// Bytes of the heap that are committed; null when the JVM doesn't tell.
    pub(crate) system_bytes: Option<u64>,
    /// What leaks.
    pub(crate) findings: Vec<Finding>,
    /// What could not be judged or read, a sentence each.
    pub(crate) not_judged: Vec<String>,
    /// The case file that was kept.
    pub(crate) saved: Option<SavedCase>,
    /// What was done to the target.
    pub(crate) impact: Impact,
}

/// The JVM in figures.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct JvmSummary {
    /// `17.0.15+6-Debian-1deb12u1`.
    pub(crate) version: Text,
    /// Main class or jar, without arguments.
    pub(crate) command: Text,
    /// Bytes in use in the heap, as of its last collection.
    pub(crate) heap_used_bytes: u64,
    /// The most it may become.
    pub(crate) heap_limit_bytes: Option<u64>,
    /// In use in the generation of long-lived objects after its last collection.
    pub(crate) tenured_bytes: Option<u64>,
    /// Metaspace in use.
    pub(crate) metaspace_bytes: Option<u64>,
    /// Classes that are loaded.
    pub(crate) classes: Option<u64>,
}

/// A category of native memory tracking.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NativeRow {
    /// `Thread`, `Class`, `Code` …
    pub(crate) name: Text,
    /// Reserved.
    pub(crate) reserved_bytes: u64,
    /// Committed.
    pub(crate) committed_bytes: u64,
}

impl From<&NmtCategory> for NativeRow {
    fn from(category: &NmtCategory) -> Self {
        Self {
            name: category.name.clone(),
            reserved_bytes: category.reserved.0,
            committed_bytes: category.committed.0,
        }
    }
}

/// A class.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct TypeRow {
    /// Its name.
    pub(crate) name: Text,
    /// Bytes of its objects themselves, without what they refer to.
    pub(crate) size_bytes: u64,
    /// Objects, the dead ones that no collection has swept yet included.
    pub(crate) live: u64,
    /// Of them, how many nobody refers to; null: a histogram doesn't tell.
    pub(crate) unreachable: Option<u64>,
    /// What keeps them, from a root on; null: a histogram doesn't tell, a walk does.
    pub(crate) retained_by: Option<String>,
    /// Objects more per second; null for what doesn't grow from look to look.
    pub(crate) live_per_s: Option<f64>,
    /// Bytes more per second.
    pub(crate) bytes_per_s: Option<f64>,
    /// Does it grow although collections ran, and is it not the JDK's?
    pub(crate) suspect: bool,
}

impl TypeRow {
    /// A class that grows.
    pub(crate) fn growing(class: &ClassGrowth, suspect: bool) -> Self {
        Self {
            name: class.class.as_str().into(),
            size_bytes: class.bytes,
            live: class.instances,
            unreachable: None,
            retained_by: None,
            live_per_s: Some(class.instances_per_s),
            bytes_per_s: Some(class.bytes_per_s),
            suspect,
        }
    }
}

impl TypeRow {
    /// A class that doesn't.
    pub(crate) fn still(line: &ClassCount) -> Self {
        Self {
            name: line.class.clone(),
            size_bytes: line.bytes,
            live: line.instances,
            unreachable: None,
            retained_by: None,
            live_per_s: None,
            bytes_per_s: None,
            suspect: false,
        }
    }
}

impl HeapDocument {
    /// As text: suspects, what grows with them, the largest, loaders and buffers.
    pub(crate) fn text(&self, term: Term, all: bool) -> String {
        let mut out = String::new();
        let most = if all { usize::MAX } else { ROWS };
        self.head(&mut out);
        for finding in &self.findings {
            let line = format!("{}  {}", finding.kind.title(), super::diagnosis::headline(finding));
            let _ = writeln!(out, "{}      {}", term.red(&line), finding.confidence.label());
            for item in &finding.evidence {
                let _ = writeln!(out, "  {}", item.claim);
            }
            if let Some(why) = &finding.confidence_why {
                labelled(&mut out, term, "NOT SURER", why);
            }
        }
        let (growing, rest): (Vec<&TypeRow>, Vec<&TypeRow>) =
            self.types.iter().partition(|row| row.live_per_s.is_some());
        let (suspects, others): (Vec<&TypeRow>, Vec<&TypeRow>) =
            growing.into_iter().partition(|row| row.suspect);
        types(&mut out, term, "SUSPECTS", "grow from look to look, whatever was collected", &suspects, most);
        types(&mut out, term, "WITH THEM", "classes of the JDK that grow, too", &others, most);
        types(&mut out, term, "LARGEST", "", &rest, most);
        if !self.loaders.is_empty() {
            loaders(&mut out, term, &self.loaders, most);
        }
        for pool in &self.buffers {
            let limit = pool
                .limit
                .map_or_else(String::new, |limit| format!(" of {} allowed", show::bytes(Bytes(limit))));
            let bytes = match pool.source.as_str() {
                "histogram" => "bytes not known".to_owned(),
                _ => show::bytes(Bytes(pool.bytes)),
            };
            let text = format!("{} {}, {bytes}{limit}", show::count(pool.count), pool.kind);
            labelled(&mut out, term, "BUFFERS", &text);
        }
        held(&mut out, term, &self.held);
        native(&mut out, term, &self.native_memory, most);
        for line in &self.not_judged {
            labelled(&mut out, term, "NOT JUDGED", line);
        }
        if let Some(saved) = &self.saved {
            labelled(
                &mut out,
                term,
                "SAVED",
                &format!("{} ({})", saved.path, show::bytes(Bytes(saved.bytes))),
            );
        }
        labelled(&mut out, term, "IMPACT", &super::diagnosis::impact(&self.impact, &self.origin));
        out
    }

    fn head(&self, out: &mut String) {
        let _ = write!(out, "{}[{}]", self.process.name, self.process.pid);
        if let Some(jvm) = &self.jvm {
            let _ = write!(out, " {}, JVM {}", jvm.command, jvm.version);
            let limit = jvm
                .heap_limit_bytes
                .map_or_else(String::new, |limit| format!(" of at most {}", show::bytes(Bytes(limit))));
            let _ = write!(out, ": heap {}{limit}", show::bytes(Bytes(jvm.heap_used_bytes)));
            if let Some(tenured) = jvm.tenured_bytes {
                let _ = write!(out, ", {} of it long-lived", show::bytes(Bytes(tenured)));
            }
            if let Some(metaspace) = jvm.metaspace_bytes {
                let _ = write!(out, "; metaspace {}", show::bytes(Bytes(metaspace)));
            }
        }
        let objects = show::bytes(Bytes(self.walked_bytes));
        match (self.looks, self.collections) {
            (0, _) => {}
            (1, _) => {
                let _ = write!(
                    out,
                    "\n{objects} of objects, dead ones that no collection has swept yet included"
                );
            }
            (looks, collections) => {
                let ran = match collections {
                    None => String::new(),
                    Some(1) => ", 1 collection between them".to_owned(),
                    Some(n) => format!(", {} collections between them", show::count(n)),
                };
                let watched = show::duration(self.watched_s);
                let _ = write!(out, "\n{objects} of objects; {looks} looks over {watched}{ran}");
            }
        }
        out.push('\n');
    }
}

fn types(out: &mut String, term: Term, label: &str, note: &str, rows: &[&TypeRow], most: usize) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}  {}", term.bold(label), term.dim(note));
    let growing = rows.iter().any(|row| row.live_per_s.is_some());
    let mut columns = vec![("  CLASS", Align::Left), ("OBJECTS", Align::Right), ("BYTES", Align::Right)];
    if growing {
        columns.extend([("MORE OBJECTS", Align::Right), ("MORE BYTES", Align::Right)]);
    }
    let mut table = Table::new(&columns);
    for row in rows.iter().take(most) {
        let mut cells =
            vec![format!("  {}", row.name), show::count(row.live), show::bytes(Bytes(row.size_bytes))];
        if growing {
            cells.push(row.live_per_s.map_or_else(String::new, |rate| format!("+{}", show::rate(rate))));
            cells
                .push(row.bytes_per_s.map_or_else(String::new, |rate| format!("+{}", show::byte_rate(rate))));
        }
        table.row(cells);
    }
    out.push_str(&table.text());
    if rows.len() > most {
        let _ = writeln!(out, "  ({} more: --all)", show::count((rows.len() - most) as u64));
    }
}

/// Who refers to what, and the ways there.
fn held(out: &mut String, term: Term, classes: &[HeldClass]) {
    const HOLDERS: usize = 4;
    for class in classes {
        let _ = writeln!(out, "{}  {}", term.bold("HELD"), class.class);
        for path in &class.paths {
            let holds = path.holds.map_or_else(String::new, |n| format!("   (some {})", show::count(n)));
            let _ = writeln!(out, "  {path}{}", term.dim(&holds));
        }
        for holder in class.holders.iter().take(HOLDERS) {
            let bytes = match holder.bytes {
                0 => String::new(),
                bytes => format!(", {}", show::bytes(Bytes(bytes))),
            };
            let _ = writeln!(out, "  {} × by {}{bytes}", show::count(holder.count), holder.by);
        }
    }
}

fn native(out: &mut String, term: Term, rows: &[NativeRow], most: usize) {
    if rows.is_empty() {
        return;
    }
    let _ =
        writeln!(out, "{}  {}", term.bold("NATIVE MEMORY"), term.dim("as the JVM itself accounts for it"));
    let mut table =
        Table::new(&[("  CATEGORY", Align::Left), ("RESERVED", Align::Right), ("COMMITTED", Align::Right)]);
    for row in rows.iter().take(most) {
        table.row(vec![
            format!("  {}", row.name),
            show::bytes(Bytes(row.reserved_bytes)),
            show::bytes(Bytes(row.committed_bytes)),
        ]);
    }
    out.push_str(&table.text());
    if rows.len() > most {
        let _ = writeln!(out, "  ({} more: --all)", show::count((rows.len() - most) as u64));
    }
}

fn loaders(out: &mut String, term: Term, loaders: &[ClassLoaderStats], most: usize) {
    let _ = writeln!(out, "{}", term.bold("CLASS LOADERS"));
    let mut table = Table::new(&[
        ("  LOADER", Align::Left),
        ("LOADERS", Align::Right),
        ("CLASSES", Align::Right),
        ("METASPACE", Align::Right),
    ]);
    for line in loaders.iter().take(most) {
        table.row(vec![
            format!("  {}", line.loader),
            show::count(line.loaders),
            show::count(line.classes),
            show::bytes(Bytes(line.bytes)),
        ]);
    }
    out.push_str(&table.text());
    if loaders.len() > most {
        let _ = writeln!(out, "  ({} more: --all)", show::count((loaders.len() - most) as u64));
    }
}
