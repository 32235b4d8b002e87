//! Names that the kernel cut off at 15 bytes join the pattern they were cut from, where that is known.
//!
//! `pool-12-thread-` and `pool-1234-threa` are beginnings of the skeleton of `pool-1-thread-1`. A cut that
//! fits two longer skeletons, or none, stays what it is.

use super::known::{KNOWN, Known, OPEN_BEGINNING};
use super::token::NUMBER;
use super::{Class, Item};

/// By what the ends of a class's cut names were completed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Completion {
    /// Nothing was completed.
    None,
    /// By siblings that were read whole.
    Sibling,
    /// By a default name.
    Known(&'static Known),
    /// By the longest cut of the same open default name; the end stays unknown.
    LongestCut,
}

/// Where a class's cut names go.
enum Target {
    Class(usize, Completion),
    Known(&'static Known),
}

/// Lets cut names join what they were cut from. `classes` are sorted by skeleton.
pub(super) fn join(mut classes: Vec<Class<'_>>) -> Vec<Class<'_>> {
    let whole: Vec<usize> = (0..classes.len()).filter(|&i| is_whole(&classes[i])).collect();
    let known: Vec<(Vec<u8>, &'static Known)> = KNOWN.iter().map(|k| (k.skeleton(), k)).collect();
    let targets: Vec<Option<Target>> =
        (0..classes.len()).map(|i| target(i, &classes, &whole, &known)).collect();

    for from in 0..targets.len() {
        // A target may itself have been cut: `Thread-123 (wor` → `Thread-12 (work` → `Thread-1 (worke`.
        // Targets lie behind what they complete, so this ends.
        let (mut to, mut by) = (from, Completion::None);
        while let Some(target) = &targets[to] {
            match target {
                Target::Class(next, how) => (to, by) = (*next, *how),
                Target::Known(k) => {
                    by = Completion::Known(k);
                    let skeleton = k.skeleton();
                    to = classes.iter().position(|c| c.skeleton == skeleton).unwrap_or(classes.len());
                    break;
                }
            }
        }
        if let (Completion::Known(k), true) = (by, to == classes.len()) {
            classes.push(Class { skeleton: k.skeleton(), items: Vec::new(), completed_by: by });
        }
        if to != from {
            let moved = std::mem::take(&mut classes[from].items);
            classes[to].items.extend(moved);
            classes[to].completed_by = by;
        }
    }
    classes.retain(|class| !class.items.is_empty());
    classes
}

/// Has the class a name that surely, or by ending in its number, was read whole?
fn is_whole(class: &Class<'_>) -> bool {
    class.skeleton.last() == Some(&NUMBER) || class.items.iter().any(|item| !item.name.full)
}

fn target(
    at: usize,
    classes: &[Class<'_>],
    whole: &[usize],
    known: &[(Vec<u8>, &'static Known)],
) -> Option<Target> {
    let class = &classes[at];
    // A short sibling with the same skeleton says that this is how the name ends.
    if class.items.iter().any(|item: &Item<'_>| !item.name.full) {
        return None;
    }
    // Sorted, so those that begin like this one follow it directly.
    let longer = classes[at + 1..].partition_point(|c| c.skeleton.starts_with(&class.skeleton));
    let end = at + 1 + longer;
    let (low, high) = (whole.partition_point(|&i| i <= at), whole.partition_point(|&i| i < end));
    match high - low {
        0 => {}
        1 => return Some(Target::Class(whole[low], Completion::Sibling)),
        _ => return None,
    }
    let mut fitting = known.iter().filter(|(skeleton, k)| {
        class.skeleton.len() >= k.least
            && *skeleton != class.skeleton
            && skeleton.starts_with(&class.skeleton)
    });
    if let (Some((_, k)), None) = (fitting.next(), fitting.next()) {
        return Some(Target::Known(k));
    }
    if longer > 0 && class.skeleton.starts_with(OPEN_BEGINNING) {
        // One chain: each cut one digit longer is one letter shorter. Two functions' names make two.
        let next = &classes[at + 1].skeleton;
        let chain = classes[at + 1..end].iter().all(|c| c.skeleton.starts_with(next));
        return chain.then_some(Target::Class(at + 1, Completion::LongestCut));
    }
    None
}
