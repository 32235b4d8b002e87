//! Thread names to patterns: `pool-1-thread-1` … `pool-1350-threa` are 1,350 threads of `pool-*-thread-1`.
//!
//! Two things stand between a process's threads and that sentence. Names differ in numbers and ids, of which
//! some count (workers, pools) and some are part of the name (a port, `C1`): a number becomes `*` only where
//! siblings differ in it. And the kernel keeps 15 bytes of a name, so that one pool's names end in different
//! places; a name that fills the 15 bytes joins a longer pattern only by a sibling that was read whole, or by
//! a default name of a runtime, and the group says so.

mod cut;
mod known;
mod shape;
mod token;

use model::PoolShape;
use token::Parsed;

/// Names that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameGroup {
    /// `pool-*-thread-1`; the name itself where there is nothing to fold.
    pub pattern: String,
    /// How the part of the pattern was inferred that is in no name, as a sentence without a full stop.
    pub inferred: Option<String>,
    /// What the names say about pools.
    pub shape: PoolShape,
    /// Indexes into the names that were given, ascending.
    pub members: Vec<usize>,
    /// The one number that varies, of each member in which it was read whole: (index, number). Empty when
    /// none or several vary.
    pub numbers: Vec<(usize, u64)>,
    /// Are all names the same, so that they tell nothing apart?
    pub equal: bool,
}

/// A name that occurs, and where.
#[derive(Clone, Debug)]
struct Item<'a> {
    name: Parsed<'a>,
    members: Vec<usize>,
}

/// Names of one skeleton, after cut ones have joined it.
#[derive(Debug)]
struct Class<'a> {
    skeleton: Vec<u8>,
    items: Vec<Item<'a>>,
    /// Whose end completed those items whose own skeleton is shorter.
    completed_by: cut::Completion,
}

/// Folds names into groups; each name is in exactly one. Does not depend on the order of the names (only
/// `members` and `numbers`, which are indexes, do). O(n log n).
#[must_use]
pub fn fold(names: &[&str]) -> Vec<NameGroup> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by(|&a, &b| names[a].cmp(names[b]).then(a.cmp(&b)));
    let mut items: Vec<Item<'_>> = order
        .chunk_by(|&a, &b| names[a] == names[b])
        .map(|run| Item { name: Parsed::new(names[run[0]]), members: run.to_vec() })
        .collect();
    // Stable, so that a class's items stay sorted by name.
    items.sort_by(|a, b| a.name.skeleton.cmp(&b.name.skeleton));
    let mut classes: Vec<Class<'_>> = Vec::new();
    for item in items {
        match classes.last_mut() {
            Some(class) if class.skeleton == item.name.skeleton => class.items.push(item),
            _ => classes.push(Class {
                skeleton: item.name.skeleton.clone(),
                items: vec![item],
                completed_by: cut::Completion::None,
            }),
        }
    }
    cut::join(classes).into_iter().flat_map(shape::groups).collect()
}

#[cfg(test)]
mod tests;
