//! /proc/self/mountinfo: where the cgroup hierarchies are mounted, and which part of each is to be seen there
//! (proc_pid_mountinfo(5)).
//!
//! ```text
//! 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
//! 41 31 0:38 /docker/8a811bc8 /sys/fs/cgroup/unified ro shared:9 - cgroup2 cgroup2 rw
//! ```
//!
//! The fourth field is the group that is the mount's root: not `/` in a container that has the host's cgroup
//! namespace.

use super::{Absence, scan};

/// The most that is read: a host of many containers has thousands of mounts.
pub(crate) const LIMIT: usize = 8 << 20;

/// One mounted hierarchy, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupMount {
    /// The group that is shown at `point`, as /proc/PID/cgroup would give it.
    pub root: Vec<u8>,
    /// Where.
    pub point: Vec<u8>,
    /// Controllers of a v1 hierarchy (and `name=systemd`); `None` for v2.
    pub controllers: Option<Vec<Vec<u8>>>,
}

impl CgroupMount {
    /// What of a group's path lies below this mount's root: empty for the root itself; `None` when the group is
    /// not to be seen here.
    #[must_use]
    pub fn below<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let rest = match self.root.as_slice() {
            b"/" => path,
            root => path.strip_prefix(root)?,
        };
        if !rest.is_empty() && !rest.starts_with(b"/") {
            return None;
        }
        // `/..` leads out of the cgroup namespace: the directory is not below any mount of ours.
        let outside = rest.split(|byte| *byte == b'/').any(|part| part == b"..");
        (!outside).then(|| rest.strip_suffix(b"/").unwrap_or(rest))
    }
}

/// The cgroup mounts among all mounts, in the order of the file.
pub fn cgroup_mounts(bytes: &[u8]) -> Result<Vec<CgroupMount>, Absence> {
    let mut mounts = Vec::new();
    for (index, line) in scan::lines(scan::complete("mountinfo", bytes)?).enumerate() {
        let wrong = |field| Absence::malformed("mountinfo", index + 1, field);
        let dash = memchr::memmem::find(line, b" - ").ok_or_else(|| wrong("separator"))?;
        let mut after = line[dash + 3..].split(|byte| *byte == b' ');
        let kind = after.next().unwrap_or_default();
        if kind != b"cgroup" && kind != b"cgroup2" {
            continue;
        }
        let options = after.nth(1).ok_or_else(|| wrong("super options"))?;
        let mut before = line[..dash].split(|byte| *byte == b' ').skip(3);
        let root = before.next().ok_or_else(|| wrong("root"))?;
        let point = before.next().ok_or_else(|| wrong("mount point"))?;
        let controllers =
            (kind == b"cgroup").then(|| options.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect());
        mounts.push(CgroupMount { root: unescape(root), point: unescape(point), controllers });
    }
    Ok(mounts)
}

/// Blanks, tabs, newlines and backslashes come as `\040` and the like.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let code = match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if byte == b'\\' => {
                Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            _ => None,
        };
        out.push(code.unwrap_or(byte));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 /docker/8a /mnt/a\\040b\\134 ro - cgroup2 cgroup2 rw,nsdelegate
";

    #[test]
    fn the_cgroup_mounts() {
        let list = |words: &[&str]| Some(words.iter().map(|word| word.as_bytes().to_vec()).collect());
        let expected = [
            CgroupMount {
                root: b"/".to_vec(),
                point: b"/sys/fs/cgroup/cpu,cpuacct".to_vec(),
                controllers: list(&["rw", "cpu", "cpuacct"]),
            },
            CgroupMount { root: b"/docker/8a".to_vec(), point: b"/mnt/a b\\".to_vec(), controllers: None },
        ];
        assert_eq!(cgroup_mounts(SAMPLE.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_below_a_mount() {
        let mount = |root: &str| CgroupMount { root: root.into(), ..CgroupMount::default() };
        assert_eq!(mount("/").below(b"/"), Some(&b""[..]));
        assert_eq!(mount("/").below(b"/a/b"), Some(&b"/a/b"[..]));
        assert_eq!(mount("/docker/8a").below(b"/docker/8a/x"), Some(&b"/x"[..]));
        assert_eq!(mount("/docker/8a").below(b"/docker/8a"), Some(&b""[..]));
        assert_eq!(mount("/docker/8a").below(b"/docker/8ab"), None);
        assert_eq!(mount("/").below(b"/../sibling"), None);
        assert_eq!(mount("/..").below(b"/../sibling"), Some(&b"/sibling"[..]));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(cgroup_mounts(b"").unwrap_err(), Absence::Malformed("mountinfo: empty".into()));
        assert_eq!(
            cgroup_mounts(b"1 2 0:3 / /x rw\n").unwrap_err(),
            Absence::Malformed("mountinfo: line 1: separator".into())
        );
        assert!(cgroup_mounts(b"1 2 0:3 / /x rw - cgroup cgroup\n").is_err());
        assert!(cgroup_mounts(b"1 - cgroup cgroup rw\n").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(at in 0..SAMPLE.len(), byte in any::<u8>(), path in "[/.a]{0,12}") {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            for mount in cgroup_mounts(&bytes).unwrap_or_default() {
                let _ = mount.below(path.as_bytes());
            }
        }
    }
}
