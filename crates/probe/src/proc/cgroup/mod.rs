//! /proc/PID/cgroup, and what the process's groups and all their ancestors allow and use (cgroups(7)).
//!
//! ```text
//! 4:memory:/system.slice/torquebox.service          v1: hierarchy, controllers, path
//! 1:name=systemd:/system.slice/torquebox.service
//! 0::/system.slice/torquebox.service                v2
//! ```
//!
//! Hosts have v1, v2, or both at once (with the controllers in either). A limit of any ancestor stops a process,
//! so each directory up to the mount's root is read. Processes share most of these: what was read is kept for the
//! rest of the look.

mod level;
mod names;

use std::collections::HashMap;

use model::{CgroupLevel, Cgroups, Reading, Text};

use super::mountinfo::{self, CgroupMount};
use super::{Absence, PidDir, ProcRoot, scan};

/// The most that is read of /proc/PID/cgroup: some 14 lines with paths of at most 4 KiB.
const LIMIT: usize = 64 * 1024;

/// The most ancestors that are looked at: deeper trees are somebody's attempt to keep us busy.
const DEPTH: usize = 64;

/// One line of /proc/PID/cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership<'a> {
    /// Controllers between commas; empty for v2.
    pub controllers: &'a [u8],
    /// The group, from the root of the hierarchy that the reader's cgroup namespace shows.
    pub path: &'a [u8],
}

impl Membership<'_> {
    fn is_v2(&self) -> bool {
        self.controllers.is_empty()
    }

    fn has(&self, controller: &[u8]) -> bool {
        self.controllers.split(|byte| *byte == b',').any(|one| one == controller)
    }
}

/// Parses /proc/PID/cgroup.
pub fn parse(bytes: &[u8]) -> Result<Vec<Membership<'_>>, Absence> {
    scan::lines(scan::complete("cgroup", bytes)?)
        .enumerate()
        .map(|(index, line)| {
            let wrong = |field| Absence::malformed("cgroup", index + 1, field);
            let mut fields = line.splitn(3, |byte| *byte == b':');
            fields.next().and_then(scan::number).ok_or_else(|| wrong("hierarchy"))?;
            let controllers = fields.next().ok_or_else(|| wrong("controllers"))?;
            let path = fields.next().filter(|path| path.starts_with(b"/")).ok_or_else(|| wrong("path"))?;
            // A group that was removed while a process (a zombie) is in it.
            let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
            Ok(Membership { controllers, path })
        })
        .collect()
}

/// The path that tells most about the process: v2's, else v1's systemd, memory or pids path; the first that is
/// not the root.
fn naming_path<'a>(memberships: &[Membership<'a>]) -> &'a [u8] {
    let ranked = [b"".as_slice(), b"name=systemd", b"memory", b"pids"];
    let path_of = |controller: &&[u8]| memberships.iter().find(|one| one.has(controller)).map(|one| one.path);
    ranked.iter().filter_map(path_of).find(|path| *path != b"/").unwrap_or(b"/")
}

/// The unit and the container in the content of /proc/PID/cgroup, without a look at the groups.
pub(crate) fn unit_and_container(content: &[u8]) -> (Option<Text>, Option<Text>) {
    let Ok(memberships) = parse(content) else { return (None, None) };
    let path = naming_path(&memberships);
    (names::unit(path), names::container(path))
}

/// What is known of the host's cgroups: where they are mounted, and the directories read in this look.
#[derive(Debug, Default)]
pub struct CgroupTree {
    mounts: Option<Result<Vec<CgroupMount>, Absence>>,
    levels: HashMap<Vec<u8>, Option<CgroupLevel>>,
}

impl CgroupTree {
    /// Forgets what was read: a new look has new figures.
    pub fn forget(&mut self) {
        self.mounts = None;
        self.levels.clear();
    }

    /// Is v2 mounted, alone or beside v1?
    pub fn has_v2(&mut self, root: &ProcRoot) -> bool {
        self.mounts(root).is_ok_and(|mounts| mounts.iter().any(|mount| mount.controllers.is_none()))
    }

    /// Reads where a process stands and what its groups say.
    pub fn read(&mut self, root: &ProcRoot, dir: &PidDir, buffer: &mut Vec<u8>) -> Reading<Cgroups> {
        match dir.read(c"cgroup", buffer, LIMIT) {
            // A kernel with cgroups of which none is mounted.
            Ok(()) if buffer.is_empty() => Reading::Unsupported,
            Ok(()) => Absence::or_value(self.groups(root, buffer)),
            Err(absence) => absence.reading(),
        }
    }

    fn groups(&mut self, root: &ProcRoot, content: &[u8]) -> Result<Cgroups, Absence> {
        let memberships = parse(content)?;
        let mut groups = Vec::new();
        for membership in &memberships {
            if membership.is_v2() || membership.has(b"memory") || membership.has(b"pids") {
                self.climb(root, membership, &mut groups)?;
            }
        }
        let path = naming_path(&memberships);
        Ok(Cgroups {
            path: Text::from_bytes(path),
            unit: names::unit(path),
            container: names::container(path),
            groups,
        })
    }

    /// Adds the process's group and its ancestors in one hierarchy, innermost first.
    fn climb(
        &mut self,
        root: &ProcRoot,
        membership: &Membership<'_>,
        groups: &mut Vec<CgroupLevel>,
    ) -> Result<(), Absence> {
        let fits = |mount: &&CgroupMount| match &mount.controllers {
            None => membership.is_v2(),
            Some(options) => !membership.is_v2() && options.iter().any(|one| membership.has(one)),
        };
        // Of several mounts of one hierarchy, the one that shows most of it.
        let mounts = self.mounts(root)?;
        let place = mounts
            .iter()
            .filter(fits)
            .filter_map(|mount| Some((mount.below(membership.path)?, mount)))
            .max_by_key(|(below, _)| below.len());
        let Some((below, mount)) = place else { return Ok(()) };
        let top = mount.point.len();
        let mut path = [mount.point.as_slice(), below].concat();
        for _ in 0..DEPTH {
            if let Some(level) = self.level(root, &path, membership.is_v2())? {
                groups.push(level);
            }
            if path.len() <= top {
                break;
            }
            let parent = memchr::memrchr(b'/', &path).unwrap_or(0).max(top);
            path.truncate(parent);
        }
        Ok(())
    }

    fn level(&mut self, root: &ProcRoot, path: &[u8], v2: bool) -> Result<Option<CgroupLevel>, Absence> {
        if let Some(known) = self.levels.get(path) {
            return Ok(known.clone());
        }
        let level = level::read(root, path, v2)?;
        self.levels.insert(path.to_vec(), level.clone());
        Ok(level)
    }

    fn mounts(&mut self, root: &ProcRoot) -> Result<&[CgroupMount], Absence> {
        let mounts = self.mounts.get_or_insert_with(|| {
            let mut buffer = Vec::new();
            root.read(c"self/mountinfo", &mut buffer, mountinfo::LIMIT)?;
            mountinfo::cgroup_mounts(&buffer)
        });
        mounts.as_deref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let lines = parse(b"4:memory,pids:/a b:c\n1:name=systemd:/s (deleted)\n0::/\n").unwrap();
        let expected = [
            Membership { controllers: b"memory,pids", path: b"/a b:c" },
            Membership { controllers: b"name=systemd", path: b"/s" },
            Membership { controllers: b"", path: b"/" },
        ];
        assert_eq!(lines, expected);
        assert_eq!(naming_path(&lines), b"/s");
        assert!(lines[0].has(b"pids") && !lines[0].has(b"pid"));
    }

    #[test]
    fn nonsense_is_refused() {
        for (bytes, why) in [
            (&b""[..], "cgroup: empty"),
            (b"0::/a", "cgroup: line 1: cut off"),
            (b"x::/a\n", "cgroup: line 1: hierarchy"),
            (b"0::/\n1\n", "cgroup: line 2: controllers"),
            (b"0::a\n", "cgroup: line 1: path"),
        ] {
            assert_eq!(parse(bytes), Err(Absence::Malformed(why.into())));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(lines) = parse(&bytes) {
                let _ = naming_path(&lines);
            }
        }
    }
}
