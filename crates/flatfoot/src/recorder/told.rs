//! What was told of a cause already: a judgement of its series and a finding of a closer look are two ways to see one
//! leak, and one line is enough until more is known.

use std::collections::HashMap;

use model::{Column, Confidence, Finding, FindingKind, State};

use super::watch::Change;

/// So many processes are remembered.
const MOST: usize = 4_096;

/// What a cause is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cause {
    Threads,
    Descriptors,
    Children,
    JavaHeap,
    Metaspace,
    Memory,
}

/// How sure it was said to be: 1 it grows, 2 likely a leak, 3 surely one.
type Sureness = u8;

/// Remembers.
#[derive(Debug, Default)]
pub(crate) struct Told {
    causes: HashMap<(u32, Cause), Sureness>,
}

impl Told {
    /// Does this change say more than what was told? It is remembered.
    pub(crate) fn is_news(&mut self, change: &Change) -> bool {
        let cause = (change.who.pid, cause_of(change.column));
        let sureness = match (change.verdict.state, change.verdict.confirmed) {
            (State::Leak, true) => 3,
            (State::Leak, false) => 2,
            (State::Growing, _) => 1,
            _ => {
                // It is over, and would be news again.
                self.causes.remove(&cause);
                return true;
            }
        };
        self.note(cause, sureness)
    }

    /// The same of a finding.
    pub(crate) fn is_new_finding(&mut self, finding: &Finding) -> bool {
        let sureness = match finding.confidence {
            Confidence::Possible => 1,
            Confidence::Likely => 2,
            Confidence::Confirmed => 3,
        };
        self.note((finding.process.pid.0, cause_of_finding(finding.kind)), sureness)
    }

    fn note(&mut self, cause: (u32, Cause), sureness: Sureness) -> bool {
        if self.causes.len() >= MOST {
            self.causes.clear();
        }
        let before = self.causes.entry(cause).or_insert(0);
        let is_more = sureness > *before;
        *before = (*before).max(sureness);
        is_more
    }
}

fn cause_of(column: Column) -> Cause {
    match column {
        Column::Threads => Cause::Threads,
        Column::Descriptors => Cause::Descriptors,
        Column::Children | Column::Zombies => Cause::Children,
        Column::HeapLive => Cause::JavaHeap,
        Column::Metaspace => Cause::Metaspace,
        _ => Cause::Memory,
    }
}

fn cause_of_finding(kind: FindingKind) -> Cause {
    match kind {
        FindingKind::ThreadLeak => Cause::Threads,
        FindingKind::DescriptorLeak => Cause::Descriptors,
        FindingKind::ChildProcessLeak => Cause::Children,
        FindingKind::JavaHeapLeak => Cause::JavaHeap,
        FindingKind::MetaspaceLeak => Cause::Metaspace,
        _ => Cause::Memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Verdict;

    fn change(column: Column, state: State, confirmed: bool) -> Change {
        Change {
            at_unix_s: 0.0,
            process: model::ProcessNo(1),
            who: super::super::watch::Who { pid: 7, ..Default::default() },
            column,
            verdict: Verdict { state, confirmed, ..Verdict::default() },
            with: Vec::new(),
            before: State::Flat,
        }
    }

    #[test]
    fn one_line_for_a_cause_until_more_is_known() {
        let mut told = Told::default();
        let threads = (7, cause_of_finding(FindingKind::ThreadLeak));
        assert!(told.note(threads, 2), "a look finds it likely");
        assert!(!told.is_news(&change(Column::Threads, State::Growing, false)));
        assert!(!told.is_news(&change(Column::Threads, State::Leak, false)));
        assert!(told.is_news(&change(Column::Threads, State::Leak, true)));
        assert!(!told.note(threads, 3), "and the next look has nothing to add");
        assert!(told.is_news(&change(Column::Descriptors, State::Growing, false)), "another cause");
        assert!(told.is_news(&change(Column::Threads, State::Stopped, false)));
        assert!(told.is_news(&change(Column::Threads, State::Growing, false)), "it began again");
    }
}
