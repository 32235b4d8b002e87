//! What a JVM counts itself, read from the file that it maps: found once, then read every ten seconds.

use model::{Collector, Column, JvmCounters, Pid};

use crate::hotspot::perfdata::{Candidates, Counters};
use crate::{PidDir, ProcRoot};

/// A JVM that has just begun has no counters yet: so often it is looked for again.
const TRIES: u8 = 3;

/// Is a process a JVM?
#[derive(Debug, Default)]
pub(super) enum Jvm {
    /// To be found out.
    #[default]
    Unknown,
    /// It looks like one, but has shown no counters; how often it was tried.
    Silent(u8),
    No,
    Yes(Box<Counters>),
}

impl Jvm {
    /// Finds out, if that is not known; reads the counters; in ascending order of column.
    pub(super) fn read(
        &mut self,
        root: &ProcRoot,
        pid: u32,
        name: &[u8],
        candidates: &mut Candidates,
        values: &mut Vec<(Column, u64)>,
    ) {
        let tried = match self {
            Self::No => return,
            Self::Yes(counters) => {
                match counters.read() {
                    Ok(counters) => take(counters, values),
                    // It was cut off, or is written just now.
                    Err(_) => *self = Self::Silent(0),
                }
                return;
            }
            Self::Unknown => 0,
            Self::Silent(tried) => *tried,
        };
        let name = model::Text::from_bytes(name);
        if !candidates.may_be(root, Pid(pid), &name, None) {
            *self = Self::No;
            return;
        }
        *self = match PidDir::open(root, Pid(pid)).and_then(|dir| Counters::open(&dir, None)) {
            Ok(counters) => {
                take(counters.last(), values);
                Self::Yes(Box::new(counters))
            }
            Err(_) if tried < TRIES => Self::Silent(tried + 1),
            Err(_) => Self::No,
        };
    }
}

fn take(jvm: &JvmCounters, values: &mut Vec<(Column, u64)>) {
    let tenured = jvm.generations.iter().rfind(|generation| generation.tenured);
    let all: u64 = jvm.collectors.iter().map(|collector| collector.collections).sum();
    let threads = jvm.threads;
    let classes = jvm.classes_loaded.map(|loaded| loaded.saturating_sub(jvm.classes_unloaded.unwrap_or(0)));
    let found = [
        (Column::HeapLive, tenured.map(|generation| generation.space.used.0)),
        (Column::HeapUsed, (!jvm.generations.is_empty()).then(|| jvm.heap_used().0)),
        (Column::HeapLimit, jvm.heap_limit().map(|bytes| bytes.0)),
        (Column::Metaspace, jvm.metaspace.map(|space| space.used.0)),
        (Column::Classes, classes),
        (Column::Collections, Some(all)),
        (Column::MajorCollections, Some(major(jvm, all))),
        (Column::ThreadsStarted, threads.map(|threads| threads.started)),
    ];
    values.extend(found.into_iter().filter_map(|(column, value)| Some((column, value?))));
}

/// Collections that empty the old generation: not the first collector's, which empties the young one, and not those that
/// only mark. Collectors without generations empty the whole heap each time.
fn major(jvm: &JvmCounters, all: u64) -> u64 {
    if jvm.generations.len() < 2 {
        return all;
    }
    let empties = |collector: &&Collector| {
        let name = collector.name.as_str();
        !name.contains("phases") && !name.contains("concurrent")
    };
    jvm.collectors.iter().skip(1).filter(empties).map(|collector| collector.collections).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Bytes, HeapGeneration, JvmSpace};

    #[test]
    fn counters_become_columns_in_their_order() {
        let generation = |tenured, used| HeapGeneration {
            tenured,
            space: JvmSpace { used: Bytes(used), limit: Some(Bytes(8192)), ..JvmSpace::default() },
            ..HeapGeneration::default()
        };
        let collector =
            |name: &str, collections| Collector { name: name.into(), collections, ..Collector::default() };
        let jvm = JvmCounters {
            generations: vec![generation(false, 100), generation(true, 50)],
            collectors: vec![collector("young", 9), collector("full", 2), collector("concurrent phases", 4)],
            classes_loaded: Some(12),
            classes_unloaded: Some(2),
            ..JvmCounters::default()
        };
        let mut values = Vec::new();
        take(&jvm, &mut values);
        assert!(values.is_sorted());
        let of = |column| values.iter().find(|(c, _)| *c == column).map(|(_, value)| *value);
        assert_eq!((of(Column::HeapLive), of(Column::HeapUsed)), (Some(50), Some(150)));
        assert_eq!((of(Column::Collections), of(Column::MajorCollections)), (Some(15), Some(2)));
        assert_eq!((of(Column::Classes), of(Column::Metaspace)), (Some(10), None));
    }
}
