//! Memory by class, or mapping by mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{
    AddressSpace, Amounts, Bytes, Impact, MemoryClass, MemoryMap, ProcessReading, ProcessRef, TouchedFrom,
    show,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Align, Table, Term};
use crate::cli::MapOrder;

/// `flatfoot map --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MapDocument {
    /// `flatfoot.map/1`.
    pub(crate) schema: &'static str,
    /// Where the readings came from.
    pub(crate) origin: String,
    /// The process.
    pub(crate) process: ProcessRef,
    /// A row for each class.
    pub(crate) classes: Vec<ClassRow>,
    /// Their sum: the process's totals.
    pub(crate) total: ClassRow,
    /// Is `committed_bytes` exact (from the kernel's VmFlags), or derived from permissions?
    pub(crate) committed_exact: bool,
    /// How touched bytes were counted.
    pub(crate) touched_from: TouchedFrom,
    /// What could not be read or told, a sentence each.
    pub(crate) remarks: Vec<String>,
    /// The mappings, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mappings: Option<Vec<MappingRow>>,
    /// What was done to the target.
    pub(crate) impact: Impact,
}

/// Memory of one class.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ClassRow {
    /// The class: `thread stack`.
    pub(crate) class: &'static str,
    /// Mappings.
    pub(crate) maps: u64,
    /// Address space.
    pub(crate) reserved_bytes: u64,
    /// Charged to the commit limit.
    pub(crate) committed_bytes: u64,
    /// Present or swapped, the zero page left out; null when not read.
    pub(crate) touched_bytes: Option<u64>,
    /// Proportional set size; null when not read.
    pub(crate) pss_bytes: Option<u64>,
    /// Private and dirty; null when not read.
    pub(crate) dirty_bytes: Option<u64>,
    /// Swapped out; null when not read.
    pub(crate) swap_bytes: Option<u64>,
}

/// One mapping.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MappingRow {
    /// First address, in hexadecimal.
    pub(crate) start: String,
    /// One past the last address.
    pub(crate) end: String,
    /// `rw-p`.
    pub(crate) perms: String,
    /// Size.
    pub(crate) size_bytes: u64,
    /// Touched; null when not read.
    pub(crate) touched_bytes: Option<u64>,
    /// Its class.
    pub(crate) class: &'static str,
    /// Path or kernel name; empty for anonymous memory.
    pub(crate) name: String,
}

impl MapDocument {
    /// The document of a process whose mappings were read.
    pub(crate) fn new(
        origin: String,
        process: ProcessRef,
        reading: &ProcessReading,
        space: &AddressSpace,
        memory: &MemoryMap,
        impact: Impact,
    ) -> Self {
        let mut remarks = Vec::new();
        if let Some((missing, why)) = &memory.stacks_missing {
            remarks.push(format!("{} thread stacks were not found: {why}", show::count(*missing)));
        }
        for (what, absence) in [
            ("touched bytes", space.touched.absence()),
            ("committed, proportional and dirty bytes", space.details.absence()),
            ("threads", reading.threads.absence()),
        ] {
            remarks.extend(absence.map(|why| format!("{what}: {why}")));
        }
        Self {
            schema: "flatfoot.map/1",
            origin,
            process,
            classes: memory
                .classes
                .iter()
                .map(|(class, amounts)| ClassRow::new(class.label(), amounts))
                .collect(),
            total: ClassRow::new("total", &memory.total),
            committed_exact: memory.committed_exact,
            touched_from: space.touched_from,
            remarks,
            mappings: None,
            impact,
        }
    }

    /// As a table.
    pub(crate) fn text(&self, term: Term) -> String {
        let mark = if self.committed_exact { "" } else { "~" };
        let full = self.total.pss_bytes.is_some();
        let swapped = self.total.swap_bytes.is_some_and(|b| b > 0);
        let mut columns = vec![
            ("CLASS", Align::Left),
            ("MAPS", Align::Right),
            ("RESERVED", Align::Right),
            ("COMMITTED", Align::Right),
            ("TOUCHED", Align::Right),
        ];
        if full {
            columns.extend([("PSS", Align::Right), ("DIRTY", Align::Right)]);
        }
        if swapped {
            columns.push(("SWAP", Align::Right));
        }
        let mut table = Table::new(&columns);
        for row in self.classes.iter().chain([&self.total]) {
            let optional = |b: Option<u64>| b.map_or_else(|| "?".to_owned(), |b| show::bytes(Bytes(b)));
            let mut cells = vec![
                row.class.to_owned(),
                show::count(row.maps),
                show::bytes(Bytes(row.reserved_bytes)),
                format!("{mark}{}", show::bytes(Bytes(row.committed_bytes))),
                optional(row.touched_bytes),
            ];
            if full {
                cells.extend([optional(row.pss_bytes), optional(row.dirty_bytes)]);
            }
            if swapped {
                cells.push(optional(row.swap_bytes));
            }
            table.row(cells);
        }
        let mut out = table.text();
        if !self.committed_exact {
            let _ = writeln!(
                out,
                "{}",
                term.dim("~ committed is derived from permissions; --detail full reads it")
            );
        }
        for remark in &self.remarks {
            if !term.quiet {
                let _ = writeln!(out, "{}", term.dim(remark));
            }
        }
        out
    }
}

impl ClassRow {
    fn new(class: &'static str, amounts: &Amounts) -> Self {
        let plain = |b: Option<Bytes>| b.map(|b| b.0);
        Self {
            class,
            maps: amounts.maps,
            reserved_bytes: amounts.reserved.0,
            committed_bytes: amounts.committed.0,
            touched_bytes: plain(amounts.touched),
            pss_bytes: plain(amounts.pss),
            dirty_bytes: plain(amounts.dirty),
            swap_bytes: plain(amounts.swap),
        }
    }
}

/// The rows of `map --mappings`, in the order asked for.
pub(crate) fn rows(space: &AddressSpace, memory: &MemoryMap, order: MapOrder) -> Vec<MappingRow> {
    order_of(space, order).into_iter().map(|index| row(space, memory, index)).collect()
}

fn order_of(space: &AddressSpace, order: MapOrder) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..space.mappings.len()).collect();
    let touched = space.touched.value();
    match order {
        MapOrder::Address => {}
        MapOrder::Size => indices.sort_by_key(|i| std::cmp::Reverse(space.mappings[*i].size())),
        MapOrder::Touched => {
            indices.sort_by_key(|i| std::cmp::Reverse(touched.and_then(|t| t.get(*i)).copied().unwrap_or(0)));
        }
    }
    indices
}

fn class_of(memory: &MemoryMap, index: usize) -> MemoryClass {
    memory.class_of.get(index).copied().unwrap_or(MemoryClass::Unexplained)
}

fn row(space: &AddressSpace, memory: &MemoryMap, index: usize) -> MappingRow {
    let mapping = &space.mappings[index];
    MappingRow {
        start: format!("{:x}", mapping.start),
        end: format!("{:x}", mapping.end),
        perms: mapping.perms.letters(),
        size_bytes: mapping.size().0,
        touched_bytes: space.touched.value().and_then(|t| t.get(index)).copied(),
        class: class_of(memory, index).label(),
        name: space.name(mapping).to_owned(),
    }
}

/// `map --mappings` as text. Written by hand: there may be sixty thousand lines.
pub(crate) fn mappings_text(space: &AddressSpace, memory: &MemoryMap, order: MapOrder) -> String {
    let mut out = String::with_capacity(space.mappings.len() * 80);
    out.push_str("ADDRESS                SIZE K  TOUCHED K  PERM  CLASS              NAME\n");
    let touched = space.touched.value();
    for index in order_of(space, order) {
        let mapping = &space.mappings[index];
        let _ = write!(out, "{:016x} {:>12}  ", mapping.start, mapping.size().0 / 1024);
        match touched.and_then(|t| t.get(index)) {
            Some(bytes) => {
                let _ = write!(out, "{:>9}", bytes / 1024);
            }
            None => out.push_str("        ?"),
        }
        out.push_str("  ");
        out.push_str(&mapping.perms.letters());
        out.push_str("  ");
        let name = space.names.get(mapping.name as usize).filter(|n| !n.is_empty());
        match name {
            None => out.push_str(class_of(memory, index).label()),
            Some(name) => {
                let _ = write!(out, "{:<17}  {name}", class_of(memory, index).label());
            }
        }
        out.push('\n');
    }
    out
}

/// `map --sizes`: mappings of equal size and class as one row, the largest sum first.
pub(crate) fn sizes_text(space: &AddressSpace, memory: &MemoryMap) -> String {
    let mut groups: BTreeMap<(MemoryClass, u64), (u64, u64)> = BTreeMap::new();
    for (index, mapping) in space.mappings.iter().enumerate() {
        let entry = groups.entry((class_of(memory, index), mapping.size().0)).or_default();
        entry.0 += 1;
        entry.1 += space.touched.value().and_then(|t| t.get(index)).copied().unwrap_or(0);
    }
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_by_key(|((_, size), (count, _))| std::cmp::Reverse(size * count));
    let mut table = Table::new(&[
        ("COUNT", Align::Right),
        ("SIZE EACH", Align::Right),
        ("RESERVED", Align::Right),
        ("TOUCHED", Align::Right),
        ("CLASS", Align::Left),
    ]);
    for ((class, size), (count, touched)) in rows.into_iter().take(40) {
        let known = space.touched.value().is_some();
        table.row(vec![
            show::count(count),
            format!("{}K", show::count(size / 1024)),
            show::bytes(Bytes(size * count)),
            if known { show::bytes(Bytes(touched)) } else { "?".to_owned() },
            class.label().to_owned(),
        ]);
    }
    table.text()
}
