//! Memory by class, or mapping by mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use model::{
    AddressSpace, Amounts, Bytes, Impact, MemoryClass, MemoryMap, Perms, ProcessReading, ProcessRef, Reading,
    TouchedFrom, show,
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
            // Not asked where the mappings show the stacks by themselves.
            ("threads", reading.threads.absence().filter(|_| !matches!(reading.threads, Reading::Skipped))),
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

/// The places of the mappings, in the order asked for.
pub(crate) fn order_of(space: &AddressSpace, order: MapOrder) -> Vec<usize> {
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

/// What the mapping at a place is for.
pub(crate) fn class_of(memory: &MemoryMap, index: usize) -> MemoryClass {
    memory.class_of.get(index).copied().unwrap_or(MemoryClass::Unexplained)
}

/// The mapping at a place; there must be one.
pub(crate) fn row(space: &AddressSpace, memory: &MemoryMap, index: usize) -> MappingRow {
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

/// `map --mappings` as text, written in portions. There may be sixty thousand lines: formatting them by `write!` took as
/// long as reading them, and all of them at once more memory than everything else.
pub(crate) fn write_mappings(
    out: &mut dyn io::Write,
    space: &AddressSpace,
    memory: &MemoryMap,
    order: MapOrder,
) -> io::Result<()> {
    const PORTION: usize = 32 * 1024;
    let to = out;
    let mut out = Vec::with_capacity(PORTION + 8 * 1024);
    out.extend_from_slice(b"ADDRESS                SIZE K  TOUCHED K  PERM  CLASS              NAME\n");
    let touched = space.touched.value();
    for index in order_of(space, order) {
        let mapping = &space.mappings[index];
        hexadecimal(&mut out, mapping.start);
        out.push(b' ');
        decimal(&mut out, mapping.size().0 / 1024, 12);
        out.extend_from_slice(b"  ");
        match touched.and_then(|t| t.get(index)) {
            Some(bytes) => decimal(&mut out, bytes / 1024, 9),
            None => out.extend_from_slice(b"        ?"),
        }
        out.extend_from_slice(b"  ");
        out.extend_from_slice(&letters(mapping.perms));
        out.extend_from_slice(b"  ");
        let class = class_of(memory, index).label();
        out.extend_from_slice(class.as_bytes());
        if let Some(name) = space.names.get(mapping.name as usize).filter(|n| !n.is_empty()) {
            out.extend(std::iter::repeat_n(b' ', 17usize.saturating_sub(class.len()) + 2));
            write!(out, "{name}")?;
        }
        out.push(b'\n');
        if out.len() >= PORTION {
            to.write_all(&out)?;
            out.clear();
        }
    }
    to.write_all(&out)
}

/// Sixteen digits.
fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    let digits: [u8; 16] =
        std::array::from_fn(|place| b"0123456789abcdef"[(number >> (60 - 4 * place) & 15) as usize]);
    out.extend_from_slice(&digits);
}

/// To the right of a column of at most twenty.
fn decimal(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut space = [b' '; 20];
    let mut first = space.len();
    loop {
        first -= 1;
        space[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&space[first.min(space.len() - width)..]);
}

/// `rw-p`.
fn letters(perms: Perms) -> [u8; 4] {
    let letter = |set: bool, letter: u8| if set { letter } else { b'-' };
    let shared = if perms.shared() { b's' } else { b'p' };
    [letter(perms.read(), b'r'), letter(perms.write(), b'w'), letter(perms.exec(), b'x'), shared]
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

#[cfg(test)]
mod tests {
    use model::Mapping;

    use super::*;

    #[test]
    fn mappings_are_written_as_the_format_strings_would() {
        let mappings = vec![
            Mapping {
                start: 0x1000,
                end: 0x3000,
                perms: Perms(Perms::READ | Perms::WRITE),
                ..Mapping::default()
            },
            Mapping {
                start: 0x7f00_0000_0000,
                end: 0x7f40_0000_0000,
                perms: Perms(Perms::READ | Perms::EXEC | Perms::SHARED),
                name: 1,
                ..Mapping::default()
            },
        ];
        let names = vec![model::Text::default(), model::Text::from("/lib/a b\u{1b}[2J")];
        let touched = Reading::Value(vec![4096, 0]);
        let space = AddressSpace { mappings, names, touched, ..AddressSpace::default() };
        let class_of = vec![MemoryClass::Anonymous, MemoryClass::FilePrivate];
        let memory = MemoryMap { class_of, ..MemoryMap::default() };
        let mut out = Vec::new();
        write_mappings(&mut out, &space, &memory, MapOrder::Address).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut expected =
            String::from("ADDRESS                SIZE K  TOUCHED K  PERM  CLASS              NAME\n");
        for (index, mapping) in space.mappings.iter().enumerate() {
            let touched = space.touched.value().map_or(0, |touched| touched[index]) / 1024;
            let class = class_of_name(&memory, index);
            let line = format!(
                "{:016x} {:>12}  {touched:>9}  {}  {class:<17}  {}",
                mapping.start,
                mapping.size().0 / 1024,
                mapping.perms.letters(),
                space.names[mapping.name as usize]
            );
            expected.push_str(line.trim_end());
            expected.push('\n');
        }
        assert_eq!(text, expected);
        assert!(!text.contains('\u{1b}'), "a name drives no terminal");
    }

    fn class_of_name(memory: &MemoryMap, index: usize) -> &'static str {
        class_of(memory, index).label()
    }

    #[test]
    fn numbers_of_any_length() {
        for number in [0, 9, 10, 123_456_789_012, u64::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, number, 12);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{number:>12}"));
            let mut out = Vec::new();
            hexadecimal(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{number:016x}"));
        }
    }
}
