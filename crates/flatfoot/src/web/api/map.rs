//! `GET /api/v1/processes/ID/map`: memory by class, sizes of mappings, and the mappings themselves.

use std::collections::BTreeMap;

use model::{AddressSpace, MemoryClass, MemoryMap, Pid, Reading, Text, Thread};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::MapOrder;
use crate::present::map::{MapDocument, MappingRow, class_of, order_of, row};
use crate::views;
use crate::web::answer::{Answer, Result};
use crate::web::desk::Desk;
use crate::web::pool::Work;
use crate::web::query::Query;

/// Bars of the histogram.
const MOST_SIZES: usize = 200;

/// `flatfoot.map/1`, with what the page needs besides.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct MapPage {
    /// As `flatfoot map --json` has it; its mappings are those below.
    #[serde(flatten)]
    document: Classes,
    /// When it was read, in Unix seconds.
    at: f64,
    /// Mappings of one size and class, the largest sums first.
    histogram: Vec<SameSize>,
    /// One by one.
    mappings: Mappings,
}

/// The document without its list of mappings, whose place is taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
struct Classes(#[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")] MapDocument);

/// Mappings of one size.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
struct SameSize {
    size_bytes: u64,
    count: u64,
    class: &'static str,
    sum_bytes: u64,
}

/// A part of the mappings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Mappings {
    /// All there are.
    total: u64,
    /// Those that fit.
    matching: u64,
    /// Those asked for.
    rows: Vec<Row>,
}

/// A mapping, and whose stack it holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Row {
    #[serde(flatten)]
    mapping: MappingRow,
    thread: Option<Whose>,
}

/// A thread.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Whose {
    tid: Pid,
    name: Text,
}

const ORDERS: [(&str, MapOrder); 3] =
    [("address", MapOrder::Address), ("size", MapOrder::Size), ("touched", MapOrder::Touched)];

/// Which mappings are asked for.
struct Wanted {
    order: MapOrder,
    filter: String,
    class: Option<MemoryClass>,
    size: Option<u64>,
    offset: usize,
    rows: usize,
}

pub(super) fn work(id: &str, query: &Query) -> Result<Work<Desk>> {
    let id = super::segment(id)?;
    let asked = query.times("from", "to")?;
    let classes: Vec<(&str, Option<MemoryClass>)> =
        MemoryClass::ALL.iter().map(|class| (class.label(), Some(*class))).collect();
    let wanted = Wanted {
        order: query.one_of("sort", &ORDERS, MapOrder::Address)?,
        filter: query.text("filter").unwrap_or_default().to_lowercase(),
        class: query.one_of("class", &classes, None)?,
        size: query
            .text("size")
            .map(|_| query.number("size", 0, 0, usize::MAX))
            .transpose()?
            .map(|size| size as u64),
        offset: query.number("offset", 0, 0, 1 << 24)?,
        rows: query.number("rows", 200, 0, 1_000)?,
    };
    Ok(Box::new(move |desk| {
        let stretch = desk.stretch(asked)?;
        let one = desk.process(&id, Some(&stretch))?;
        let (seen, origin) = desk.look(&one, &stretch)?;
        let key = one.known.incarnation.key;
        let document = views::map_of(&seen, key.pid, origin)?;
        let tracked = seen.processes.get(&key).ok_or_else(|| anyhow::Error::from(views::gone(key.pid)))?;
        let (Some(space), Some(memory)) = (tracked.reading.space.value(), tracked.memory.as_ref()) else {
            return Err(anyhow::Error::from(views::gone(key.pid)).into());
        };
        let page = MapPage {
            document: Classes(document),
            at: seen.host.unix_from_boot(tracked.now_boot_s),
            histogram: histogram(space, memory),
            mappings: wanted.mappings(space, memory, &tracked.reading.threads),
        };
        Answer::json(&page, if stretch.open { 2.0 } else { 30.0 })
    }))
}

fn histogram(space: &AddressSpace, memory: &MemoryMap) -> Vec<SameSize> {
    let mut sizes: BTreeMap<(u64, MemoryClass), u64> = BTreeMap::new();
    for (at, mapping) in space.mappings.iter().enumerate() {
        *sizes.entry((mapping.size().0, class_of(memory, at))).or_default() += 1;
    }
    let size = |((size_bytes, class), count): ((u64, MemoryClass), u64)| SameSize {
        size_bytes,
        count,
        class: class.label(),
        sum_bytes: size_bytes.saturating_mul(count),
    };
    let mut sizes: Vec<SameSize> = sizes.into_iter().map(size).collect();
    sizes.sort_by_key(|size| (std::cmp::Reverse(size.sum_bytes), size.size_bytes, size.class));
    sizes.truncate(MOST_SIZES);
    sizes
}

impl Wanted {
    fn mappings(&self, space: &AddressSpace, memory: &MemoryMap, threads: &Reading<Vec<Thread>>) -> Mappings {
        let fits = |at: &usize| {
            let Some(mapping) = space.mappings.get(*at) else { return false };
            self.class.is_none_or(|class| class_of(memory, *at) == class)
                && self.size.is_none_or(|size| mapping.size().0 == size)
                && (self.filter.is_empty()
                    || space.name(mapping).to_lowercase().contains(&self.filter)
                    || mapping.perms.letters().contains(&self.filter))
        };
        let matching: Vec<usize> = order_of(space, self.order).into_iter().filter(fits).collect();
        let rows = matching.iter().skip(self.offset).take(self.rows);
        let rows = rows
            .map(|at| Row { mapping: row(space, memory, *at), thread: whose(*at, space, memory, threads) });
        Mappings { total: space.mappings.len() as u64, rows: rows.collect(), matching: matching.len() as u64 }
    }
}

/// The thread whose stack begins in a mapping.
fn whose(
    at: usize,
    space: &AddressSpace,
    memory: &MemoryMap,
    threads: &Reading<Vec<Thread>>,
) -> Option<Whose> {
    let mapping = space.mappings.get(at)?;
    let of = |stack: &&model::ThreadStack| stack.start >= mapping.start && stack.start < mapping.end;
    let stack = memory.stacks.iter().find(of).filter(|stack| stack.tid != Pid(0))?;
    let thread = threads.value()?.iter().find(|thread| thread.tid == stack.tid)?;
    Some(Whose { tid: thread.tid, name: thread.name.clone() })
}
