//! Questions about one process that only a pass over all of them answers: whose children are there, how many tasks
//! does a user have. A pass is made when the first such question comes, and serves the rest of the look.

use model::{Child, Pid, Reading};

use super::root::NumberPath;
use super::{ProcRoot, children, status};
use crate::Clock;
use crate::sys::dents::Listing;
use crate::sys::file;

/// How long a pass is good for, in seconds: as long as a look at a large host takes.
const GOOD_FOR_S: f64 = 1.0;

/// What the last passes found.
#[derive(Debug, Default)]
pub struct Census {
    /// Sorted by parent, then by pid.
    families: Option<(f64, Vec<(Pid, Child)>)>,
    /// How many processes' children were asked for since the first one of them.
    asked: Option<(f64, u32)>,
    /// Tasks of each real user, sorted by user.
    users: Option<(f64, Vec<(u32, u64)>)>,
}

impl Census {
    /// Forgets the passes: a new look has new figures.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Is a look at many processes under way? A pass costs some 5 µs for each process of the host, reading what a
    /// process itself tells of its children some 15 µs for each one that is asked for.
    pub(crate) fn is_worth_a_pass(&mut self) -> bool {
        const FEW: u32 = 16;
        let (since, count) =
            self.asked.filter(|_| fresh(self.asked.as_ref())).unwrap_or((Clock::monotonic(), 0));
        self.asked = Some((since, count.saturating_add(1)));
        count >= FEW
    }

    /// The children of a process, in the order of their pids.
    pub(crate) fn children_of(
        &mut self,
        root: &ProcRoot,
        parent: Pid,
        listing: &mut Listing,
        numbers: &mut Vec<u32>,
    ) -> Reading<Vec<Child>> {
        if !fresh(self.families.as_ref()) {
            let now = Clock::monotonic();
            if listing.restart(root, numbers).is_err() {
                return Reading::Unsupported;
            }
            let mut families: Vec<_> =
                numbers.iter().filter_map(|pid| children::child(root, Pid(*pid))).collect();
            families.sort_unstable_by_key(|(parent, child)| (*parent, child.pid));
            self.families = Some((now, families));
        }
        let families = self.families.as_ref().map_or(&[][..], |(_, families)| families);
        let first = families.partition_point(|(one, _)| *one < parent);
        let own = families[first..].iter().take_while(|(one, _)| *one == parent);
        Reading::Value(own.map(|(_, child)| child.clone()).collect())
    }

    /// How many tasks (processes and threads) a real user has, as far as /proc shows them: what RLIMIT_NPROC is
    /// compared with. `None` when /proc cannot be listed.
    pub(crate) fn tasks_of(
        &mut self,
        root: &ProcRoot,
        user: u32,
        listing: &mut Listing,
        numbers: &mut Vec<u32>,
    ) -> Option<u64> {
        if !fresh(self.users.as_ref()) {
            let now = Clock::monotonic();
            listing.restart(root, numbers).ok()?;
            let mut users: Vec<(u32, u64)> = Vec::new();
            let (mut path, mut space, mut buffer) = (NumberPath::default(), [0_u8; 4096], Vec::new());
            for pid in numbers.iter() {
                let name = path.set(*pid, b"/status");
                let found = match file::read_record(root, name, &mut space) {
                    Ok(Some(record)) => status::user_and_threads(record),
                    // A process of many groups.
                    Ok(None) => file::read_at(root, name, &mut buffer, status::LIMIT)
                        .ok()
                        .and_then(|_| status::user_and_threads(&buffer)),
                    Err(_) => None,
                };
                let Some((uid, threads)) = found else { continue };
                match users.binary_search_by_key(&uid, |(uid, _)| *uid) {
                    Ok(at) => users[at].1 = users[at].1.saturating_add(threads),
                    Err(at) => users.insert(at, (uid, threads)),
                }
            }
            self.users = Some((now, users));
        }
        let (_, users) = self.users.as_ref()?;
        Some(users.binary_search_by_key(&user, |(uid, _)| *uid).map_or(0, |at| users[at].1))
    }
}

fn fresh<T>(pass: Option<&(f64, T)>) -> bool {
    pass.is_some_and(|(at, _)| Clock::monotonic() - at < GOOD_FOR_S)
}
