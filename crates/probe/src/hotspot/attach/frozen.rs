//! Is the target's cgroup frozen? v2 says so in `cgroup.events` (`frozen 1`), v1 in `freezer.state` (`FROZEN`).

use super::TargetView;
use crate::proc::{cgroup, mountinfo};
use crate::{ProcRoot, sys::file};

/// The most that is read of one of these files.
const LIMIT: usize = 64 * 1024;

/// The directory of the group that is frozen, if one is.
pub(super) fn by(root: &ProcRoot, target: &TargetView) -> Option<String> {
    let (mut own, mut mounts) = (Vec::new(), Vec::new());
    target.proc_dir().read(c"cgroup", &mut own, LIMIT).ok()?;
    root.read(c"self/mountinfo", &mut mounts, mountinfo::LIMIT).ok()?;
    let mounts = mountinfo::cgroup_mounts(&mounts).ok()?;
    cgroup::parse(&own).ok()?.iter().find_map(|group| {
        let v2 = group.controllers.is_empty();
        if !v2 && group.controllers != b"freezer" {
            return None;
        }
        let mount = mounts.iter().find(|mount| match &mount.controllers {
            None => v2,
            Some(options) => !v2 && options.iter().any(|one| one == b"freezer"),
        })?;
        let path = [mount.point.as_slice(), mount.below(group.path)?].concat();
        let (name, frozen): (_, &[&[u8]]) =
            if v2 { ("cgroup.events", &[b"frozen 1"]) } else { ("freezer.state", &[b"FROZEN", b"FREEZING"]) };
        let file = std::fs::File::open(root.outside(&path).join(name)).ok()?;
        let mut content = Vec::new();
        file::read(file, &mut content, LIMIT).ok()?;
        let is_frozen = content.split(|byte| *byte == b'\n').any(|line| frozen.contains(&line));
        is_frozen.then(|| String::from_utf8_lossy(&path).into_owned())
    })
}
