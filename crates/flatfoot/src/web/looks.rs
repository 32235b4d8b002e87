//! Looks at one process: of the living one read now, though never more often than it can bear; else of what was recorded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use model::{Pid, ProcessKey};
use probe::Clock;

use super::answer::{Problem, Result};
use crate::analyse::Analyser;
use crate::source::{LiveSource, OfHost, Source};
use crate::views;

/// Between two readings of one process.
const APART_S: f64 = 2.0;
/// Reading takes no more than this share of the time.
const SHARE: f64 = 20.0;
/// So long one is waited for that is read for somebody else.
const PATIENCE_S: f64 = 5.0;
/// Processes whose looks are kept: their mappings may be many.
const MOST: usize = 4;

/// Who was looked at a moment ago.
#[derive(Default)]
pub(super) struct Looks(Mutex<Vec<Looked>>);

struct Looked {
    key: ProcessKey,
    until_s: f64,
    seen: Arc<Analyser>,
}

impl Looks {
    /// A living process, with threads and mappings. While one is read others wait: of all pages together one process at
    /// a time is read. Not for ever: the kernel may hold up who reads one that hangs, and all else is still to be answered.
    pub(super) fn live(&self, key: ProcessKey) -> Result<Arc<Analyser>> {
        let mut all = self.wait(PATIENCE_S).ok_or_else(Problem::busy)?;
        let now_s = Clock::monotonic();
        all.retain(|looked| looked.until_s > now_s);
        if let Some(looked) = all.iter().find(|looked| looked.key == key) {
            return Ok(Arc::clone(&looked.seen));
        }
        let seen = Arc::new(look(&mut LiveSource::open()?, key.pid)?);
        let took_s = Clock::monotonic() - now_s;
        let until_s = Clock::monotonic() + APART_S.max(SHARE * took_s);
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Looked { key, until_s, seen: Arc::clone(&seen) });
        Ok(seen)
    }

    fn wait(&self, patience_s: f64) -> Option<MutexGuard<'_, Vec<Looked>>> {
        let until_s = Clock::monotonic() + patience_s;
        loop {
            match self.0.try_lock() {
                Ok(all) => return Some(all),
                Err(TryLockError::Poisoned(all)) => return Some(PoisonError::into_inner(all)),
                Err(TryLockError::WouldBlock) if Clock::monotonic() >= until_s => return None,
                Err(TryLockError::WouldBlock) => Clock::sleep(0.01),
            }
        }
    }
}

/// One look that threads and map are made of.
pub(super) fn look(source: &mut dyn Source, pid: Pid) -> anyhow::Result<Analyser> {
    let mut analyser = views::look_at(source, pid, views::parts_of_threads(), OfHost::Clocks)?;
    analyser.group_threads();
    Ok(analyser)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_hangs_holds_up_nobody_for_ever() {
        let looks = Looks::default();
        let reading = looks.wait(0.0).unwrap();
        assert!(looks.wait(0.05).is_none());
        drop(reading);
        assert!(looks.wait(0.0).is_some());
    }
}
