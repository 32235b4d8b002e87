//! From names of one skeleton to groups: which numbers vary, and what kind of pools they speak of.
//!
//! The last number of a name counts workers, those before it count pools (or are part of the name, like a
//! port).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::PoolShape;

use super::cut::Completion;
use super::known::KNOWN;
use super::token::NUMBER;
use super::{Class, Item, NameGroup};

/// So few different numbers, each of four digits or more and each in several names, are ports or the like.
const MOST_PORTS: usize = 4;
/// Below this, single-thread pools beside others are not worth a group of their own.
const FEWEST_SINGLES: usize = 3;

/// The groups of a class.
pub(super) fn groups(class: Class<'_>) -> Vec<NameGroup> {
    let Class { skeleton, mut items, completed_by } = class;
    if let [_] = items.as_slice()
        && count(&items) == 1
    {
        return items.pop().map(plain).into_iter().collect();
    }
    let frame = Frame {
        positions: skeleton.split(|&b| b == NUMBER).count() - 1,
        given: KNOWN.iter().find(|k| k.shape.is_some() && k.is(&skeleton)).and_then(|k| k.shape),
        example: items
            .iter()
            .filter(|i| i.name.skeleton == skeleton)
            .map(|i| i.name.text)
            .min_by_key(|t| (t.len(), *t)),
        skeleton,
        completed_by,
    };
    let mut out = Vec::new();
    frame.split_ports(items, &mut out);
    out
}

/// What the items of a class have in common.
struct Frame<'a> {
    skeleton: Vec<u8>,
    positions: usize,
    /// The shape that the default name of this skeleton is known to have.
    given: Option<PoolShape>,
    /// A name that was read whole.
    example: Option<&'a str>,
    completed_by: Completion,
}

/// The values of one position.
struct Column<'a> {
    first: Option<&'a str>,
    /// Is there another than the first?
    varies: bool,
    /// Is one cut off?
    hidden: bool,
}

impl<'a> Frame<'a> {
    /// The number of an item; `None` when it is cut off, or equal in several names because its end is.
    fn value(item: &Item<'a>, position: usize) -> Option<&'a str> {
        if item.members.len() > 1 && item.name.touches_cut(position) {
            return None;
        }
        item.name.number(position)
    }

    /// What the items have at a position.
    fn column(items: &[Item<'a>], position: usize) -> Column<'a> {
        let mut column = Column { first: None, varies: false, hidden: false };
        for item in items {
            match (Self::value(item, position), column.first) {
                (None, _) => column.hidden = true,
                (Some(value), None) => column.first = Some(value),
                (Some(value), Some(first)) => column.varies |= value != first,
            }
        }
        column
    }

    fn is_completed(&self, item: &Item<'_>) -> bool {
        item.name.skeleton.len() < self.skeleton.len()
    }

    /// Names with different ports are different groups.
    fn split_ports(&self, items: Vec<Item<'a>>, out: &mut Vec<NameGroup>) {
        let port = (0..self.positions).find(|&position| {
            let long = |v: &str| v.len() >= 4 && v.bytes().all(|b| b.is_ascii_digit());
            if !items.iter().all(|i| Self::value(i, position).is_some_and(long)) {
                return false;
            }
            let ports: BTreeSet<&str> = items.iter().filter_map(|i| Self::value(i, position)).collect();
            (2..=MOST_PORTS).contains(&ports.len()) && count(&items) >= 2 * ports.len()
        });
        let Some(position) = port else {
            self.split_pools(items, out);
            return;
        };
        let mut by_port: BTreeMap<&str, Vec<Item<'a>>> = BTreeMap::new();
        for item in items {
            by_port.entry(Self::value(&item, position).unwrap_or_default()).or_default().push(item);
        }
        for items in by_port.into_values() {
            self.split_pools(items, out);
        }
    }

    /// One-thread pools are told from pools of several threads.
    fn split_pools(&self, items: Vec<Item<'a>>, out: &mut Vec<NameGroup>) {
        let varying: Vec<usize> = (0..self.positions).filter(|&p| Self::column(&items, p).varies).collect();
        let completed = items.iter().any(|i| self.is_completed(i));
        let few = items.len() == 2 && varying.iter().all(|&p| items[0].name.is_glued(p));
        if !completed && (items.len() == 1 || few) {
            out.extend(items.into_iter().map(plain));
            return;
        }
        let Some(worker) = self.positions.checked_sub(1) else {
            out.push(self.group(items, PoolShape::Unknown));
            return;
        };
        let Some(&pool) = varying.iter().rev().find(|&&p| p < worker) else {
            // A number with words behind it (`HikariPool-3 housekeeper`) does not count workers.
            let last = self.skeleton.iter().rposition(|&b| b == NUMBER).map_or(0, |at| at + 1);
            let counts = !self.skeleton[last..].iter().any(u8::is_ascii_alphabetic);
            let shape = if counts { PoolShape::OnePool } else { PoolShape::Unknown };
            out.push(self.group(items, shape));
            return;
        };

        // Up to the last pool number all that differs is pool numbers.
        let key = |item: &Item<'a>| item.name.up_to(pool);
        let mut sizes: HashMap<&str, usize> = HashMap::with_capacity(items.len());
        for item in &items {
            *sizes.entry(key(item)).or_default() += item.members.len();
        }
        let usual = most_frequent(&items, worker);
        let (mut singles, mut several): (Vec<Item<'a>>, Vec<Item<'a>>) = (Vec::new(), Vec::new());
        for item in items {
            let alone = sizes.get(key(&item)) == Some(&1);
            let first = Self::value(&item, worker).is_none_or(|v| Some(v) == usual);
            if alone && first { singles.push(item) } else { several.push(item) }
        }
        let big: BTreeSet<&str> = several.iter().map(key).collect();
        if several.is_empty() {
            out.push(self.group(singles, PoolShape::OneThreadPools));
        } else if singles.len() >= FEWEST_SINGLES && singles.len() > 2 * big.len() {
            out.push(self.group(singles, PoolShape::OneThreadPools));
            let shape = if big.len() == 1 { PoolShape::OnePool } else { PoolShape::SeveralPools };
            out.push(self.group(several, shape));
        } else {
            several.extend(singles);
            out.push(self.group(several, PoolShape::SeveralPools));
        }
    }

    fn group(&self, mut items: Vec<Item<'a>>, shape: PoolShape) -> NameGroup {
        if items.len() == 1 && (!self.is_completed(&items[0]) || count(&items) == 1) {
            return items.pop().map_or_else(empty, plain);
        }
        let one_thread = shape == PoolShape::OneThreadPools;
        let columns: Vec<Column<'_>> = (0..self.positions).map(|p| Self::column(&items, p)).collect();
        let shown: Vec<&str> = columns
            .iter()
            .map(|column| match column.first {
                Some(one) if !column.varies && (one_thread || !column.hidden) => one,
                // The first and only worker of each pool.
                None if one_thread => "1",
                _ => "*",
            })
            .collect();
        let varying: Vec<usize> = (0..self.positions).filter(|&p| columns[p].varies).collect();
        let guessed = one_thread && columns.last().is_some_and(|c| c.first.is_none());
        let numbers = match varying.as_slice() {
            [position] => numbers(&items, *position),
            _ => Vec::new(),
        };
        let mut members: Vec<usize> = items.iter().flat_map(|i| i.members.iter().copied()).collect();
        members.sort_unstable();
        NameGroup {
            pattern: self.pattern(&shown),
            inferred: self.inferred(&items, guessed),
            shape: self.given.unwrap_or(shape),
            members,
            numbers,
            equal: items.len() == 1,
        }
    }

    fn pattern(&self, shown: &[&str]) -> String {
        let mut shown = shown.iter();
        let mut pattern = String::new();
        for (i, literal) in self.skeleton.split(|&b| b == NUMBER).enumerate() {
            if i > 0 {
                pattern.push_str(shown.next().copied().unwrap_or("*"));
            }
            pattern.push_str(&String::from_utf8_lossy(literal));
        }
        if matches!(self.completed_by, Completion::LongestCut) {
            pattern.push('…');
        }
        pattern
    }

    fn inferred(&self, items: &[Item<'_>], guessed: bool) -> Option<String> {
        let cut: usize = items.iter().filter(|i| self.is_completed(i)).map(|i| i.members.len()).sum();
        let names = match cut {
            0 => return None,
            1 => "the end of 1 name is cut off at 15 bytes".to_owned(),
            n => format!("the end of {n} names is cut off at 15 bytes"),
        };
        let by = match (self.completed_by, self.example) {
            (Completion::Known(known), None) => {
                format!("completed from {}, {}", known.owner, known.pattern)
            }
            (Completion::LongestCut, _) => "taken together by their common beginning".to_owned(),
            (_, Some(example)) => format!("completed from {example}"),
            (_, None) => return None,
        };
        let guess = if guessed {
            "; each taken for the first of its pool, as no two share a pool's number"
        } else {
            ""
        };
        Some(format!("{names}; {by}{guess}"))
    }
}

/// A name that stands for itself.
fn plain(item: Item<'_>) -> NameGroup {
    NameGroup { pattern: item.name.text.to_owned(), members: item.members, equal: true, ..empty() }
}

fn empty() -> NameGroup {
    NameGroup {
        pattern: String::new(),
        inferred: None,
        shape: PoolShape::Unknown,
        members: Vec::new(),
        numbers: Vec::new(),
        equal: true,
    }
}

fn count(items: &[Item<'_>]) -> usize {
    items.iter().map(|i| i.members.len()).sum()
}

/// The value that most threads have at a position; the lower of two.
fn most_frequent<'a>(items: &[Item<'a>], position: usize) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        if let Some(value) = Frame::value(item, position) {
            *counts.entry(value).or_default() += item.members.len();
        }
    }
    // Reversed, because max_by_key returns the last of equals.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map(|(value, _)| value)
}

/// The numbers at a position that were read whole, with whose they are.
fn numbers(items: &[Item<'_>], position: usize) -> Vec<(usize, u64)> {
    let mut numbers: Vec<(usize, u64)> = items
        .iter()
        .filter(|i| !i.name.touches_cut(position))
        .filter_map(|i| Some((i, i.name.number(position)?.parse().ok()?)))
        .flat_map(|(i, number): (&Item<'_>, u64)| i.members.iter().map(move |&m| (m, number)))
        .collect();
    numbers.sort_unstable();
    numbers
}
