//! Which classes grow: from class histograms taken one after the other.
//!
//! A histogram counts every object, the dead ones that no collection has swept yet included (asking for the living alone
//! forces a full collection). So a class that an application makes and drops all the time rises, too, until the next
//! collection takes it back. What tells a leak from that: it rises from look to look although collections ran in between.

use std::collections::HashMap;

use model::{BufferPool, ClassCount, ClassLoaderStats};

use crate::creators::{Role, role_of_class};
use crate::stats::theil_sen;

/// A class must have grown by so many instances,
const MIN_INSTANCES: u64 = 16;
/// and by this share of what it was.
const MIN_SHARE: f64 = 0.01;
/// Classes in the result, of each kind.
const MOST: usize = 20;

/// A histogram, and when it was taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// Seconds since boot.
    pub at_boot_s: f64,
    /// Collections since the JVM's start, when it tells.
    pub collections: Option<u64>,
    /// Its lines.
    pub classes: Vec<ClassCount>,
    /// Class loaders by kind, when they were asked for.
    pub loaders: Vec<ClassLoaderStats>,
    /// NIO buffers by kind, when they could be counted.
    pub buffers: Vec<BufferPool>,
}

/// A class over several looks.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassGrowth {
    /// Its name.
    pub class: String,
    /// Instances in the last look.
    pub instances: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Instances more per second.
    pub instances_per_s: f64,
    /// Bytes more per second.
    pub bytes_per_s: f64,
    /// Whose class it is.
    pub role: Role,
}

/// What several looks say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeapGrowth {
    /// Classes of the application and its libraries that grow, most bytes (their own and those of the JDK's classes that
    /// grow with them in step) first: the suspects.
    pub suspects: Vec<ClassGrowth>,
    /// Classes of the JDK that grow: what suspects are made of.
    pub others: Vec<ClassGrowth>,
    /// Collections between the first look and the last.
    pub collections: Option<u64>,
}

/// Compares the looks. Nothing is suspected before a collection ran between them.
#[must_use]
pub fn growth(looks: &[Census]) -> HeapGrowth {
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return HeapGrowth::default() };
    let collections = first.collections.zip(last.collections).map(|(from, to)| to.saturating_sub(from));
    let mut found = HeapGrowth { collections, ..HeapGrowth::default() };
    if looks.len() < 2 || collections == Some(0) {
        return found;
    }
    let by_name: Vec<HashMap<&str, &ClassCount>> = looks
        .iter()
        .map(|look| look.classes.iter().map(|line| (line.class.as_str(), line)).collect())
        .collect();
    let mut all: Vec<ClassGrowth> =
        last.classes.iter().filter_map(|line| class_growth(line, looks, &by_name)).collect();
    all.sort_by(|a, b| b.bytes_per_s.total_cmp(&a.bytes_per_s));
    let (others, mut suspects): (Vec<_>, Vec<_>) = all.into_iter().partition(|class| class.role == Role::Jdk);
    let held = |class: &ClassGrowth| in_step(class, &others);
    suspects.sort_by(|a, b| held(b).total_cmp(&held(a)).then_with(|| a.class.cmp(&b.class)));
    suspects.truncate(MOST);
    found.suspects = suspects;
    found.others = others;
    found.others.truncate(MOST);
    found
}

fn class_growth(
    now: &ClassCount,
    looks: &[Census],
    by_name: &[HashMap<&str, &ClassCount>],
) -> Option<ClassGrowth> {
    let name = now.class.as_str();
    let counts: Vec<(f64, f64, f64)> = looks
        .iter()
        .zip(by_name)
        .map(|(look, lines)| {
            let line = lines.get(name);
            (look.at_boot_s, line.map_or(0.0, |l| l.instances as f64), line.map_or(0.0, |l| l.bytes as f64))
        })
        .collect();
    // A single fall is a collection that took some back: then it is not held, or not all of it.
    if counts.windows(2).any(|pair| pair[1].1 < pair[0].1) {
        return None;
    }
    let (first, last) = (counts.first()?, counts.last()?);
    let more = last.1 - first.1;
    if more < MIN_INSTANCES as f64 || more < MIN_SHARE * first.1 {
        return None;
    }
    // A step in one interval alone is a load, not a growth.
    let rises = counts.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    if rises * 4 < (counts.len() - 1) * 3 {
        return None;
    }
    let slope = |pick: fn(&(f64, f64, f64)) -> f64| {
        let points: Vec<(f64, f64)> = counts.iter().map(|point| (point.0, pick(point))).collect();
        match theil_sen(&points) {
            Some(slope) => slope.slope,
            None => (pick(last) - pick(first)) / (last.0 - first.0).max(1e-3),
        }
    };
    Some(ClassGrowth {
        class: name.to_owned(),
        instances: now.instances,
        bytes: now.bytes,
        instances_per_s: slope(|point| point.1),
        bytes_per_s: slope(|point| point.2),
        role: role_of_class(name),
    })
}

/// Bytes per second of a class and of those others of which as many, or a small multiple, appear in the same time.
fn in_step(class: &ClassGrowth, others: &[ClassGrowth]) -> f64 {
    let own = class.instances_per_s.max(1e-9);
    let held: f64 = others
        .iter()
        .filter(|other| {
            let ratio = other.instances_per_s / own;
            let nearest = ratio.round().clamp(1.0, 8.0);
            (ratio - nearest).abs() <= 0.1 * nearest
        })
        .map(|other| other.bytes_per_s)
        .sum();
    class.bytes_per_s + held
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks ten seconds apart, a collection between each; a class's counts by look.
    fn looks(classes: &[(&str, u64, &[u64])]) -> Vec<Census> {
        let count = classes[0].2.len();
        (0..count)
            .map(|at| Census {
                at_boot_s: 100.0 + 10.0 * at as f64,
                collections: Some(at as u64),
                classes: classes
                    .iter()
                    .map(|(name, size, counts)| ClassCount {
                        class: (*name).into(),
                        instances: counts[at],
                        bytes: counts[at] * size,
                    })
                    .collect(),
                ..Census::default()
            })
            .collect()
    }

    fn names(classes: &[ClassGrowth]) -> Vec<&str> {
        classes.iter().map(|class| class.class.as_str()).collect()
    }

    #[test]
    fn what_is_held_grows_and_what_is_dropped_does_not() {
        let found = growth(&looks(&[
            ("byte[]", 1024, &[1_000, 2_000, 3_000, 4_000]),
            ("leak.Session", 32, &[500, 1_500, 2_500, 3_500]),
            ("java.util.HashMap$Node", 32, &[900, 1_900, 2_900, 3_900]),
            ("app.Request", 64, &[800, 90, 700, 20]),
            ("app.Config", 64, &[40, 40, 40, 40]),
            ("app.Loaded", 64, &[0, 400, 400, 400]),
        ]));
        assert_eq!(names(&found.suspects), ["leak.Session"]);
        assert_eq!(names(&found.others), ["byte[]", "java.util.HashMap$Node"]);
        assert_eq!(found.suspects[0].instances_per_s, 100.0);
        assert_eq!(found.collections, Some(3));
    }

    #[test]
    fn nothing_is_suspected_before_a_collection() {
        let mut looks = looks(&[("app.Request", 64, &[100, 200, 300, 400])]);
        assert_eq!(growth(&looks).suspects.len(), 1);
        for look in &mut looks {
            look.collections = Some(7);
        }
        assert_eq!(growth(&looks).suspects, []);
    }

    #[test]
    fn the_class_that_holds_the_bytes_comes_first() {
        let found = growth(&looks(&[
            ("app.Small", 900, &[0, 30, 60]),
            ("leak.Session", 16, &[0, 1_000, 2_000]),
            ("byte[]", 1024, &[0, 1_000, 2_000]),
        ]));
        assert_eq!(names(&found.suspects), ["leak.Session", "app.Small"]);
    }

    #[test]
    fn one_look_says_nothing() {
        assert_eq!(growth(&looks(&[("leak.Session", 16, &[5])])).suspects, []);
        assert_eq!(growth(&[]), HeapGrowth::default());
    }
}
