//! Which processes are worth a look for a JVM's counters: to read the mappings of all would cost more than all the rest.

use std::collections::HashSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;

use model::{AddressSpace, Pid, Text};

use crate::ProcRoot;
use crate::sys::dents::Listing;
use crate::sys::file;

/// The most names that are looked at in one directory.
const MOST: usize = 16 * 1024;

/// Does it map a file of such a name?
pub(crate) fn maps_library(space: &AddressSpace, is_wanted: impl Fn(&str) -> bool) -> bool {
    space.names.iter().any(|name| {
        let path = name.as_str();
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        path.rsplit_once('/').is_some_and(|(_, file)| is_wanted(file))
    })
}

/// The cheap tests.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Pids that have a file in this host's /tmp.
    files: Option<HashSet<u32>>,
}

impl Candidates {
    /// Forgets the files: JVMs come and go.
    pub(crate) fn forget(&mut self) {
        self.files = None;
    }

    /// May this be a JVM? By its mappings when they are there; else by its name, or a file with its pid (those of
    /// containers are in other places: there only the name tells).
    pub(crate) fn may_be(
        &mut self,
        root: &ProcRoot,
        pid: Pid,
        name: &Text,
        space: Option<&AddressSpace>,
    ) -> bool {
        if let Some(space) = space {
            return maps_library(space, |file| file == "libjvm.so");
        }
        name.as_str() == "java" || self.files.get_or_insert_with(|| files(root)).contains(&pid.0)
    }
}

/// The pids of `/tmp/hsperfdata_*/PID`; links are not followed.
fn files(root: &ProcRoot) -> HashSet<u32> {
    let mut pids = HashSet::new();
    let Ok(tmp) = std::fs::File::open(root.outside(b"/tmp")) else { return pids };
    let names = std::fs::read_dir(root.outside(b"/tmp")).into_iter().flatten().take(MOST).flatten();
    let (mut listing, mut numbers) = (Listing::default(), Vec::new());
    for name in names.map(|entry| entry.file_name()) {
        let bytes = name.as_bytes();
        if let Ok(name) = CString::new(bytes)
            && bytes.starts_with(b"hsperfdata_")
            && let Ok(directory) = file::open_dir(&tmp, &name)
            && listing.numbers(&directory, &mut numbers).is_ok()
        {
            pids.extend(numbers.iter().take(MOST));
        }
    }
    pids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_and_mappings_tell() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join("proc")).unwrap();
        std::fs::create_dir_all(tree.path().join("tmp/hsperfdata_me")).unwrap();
        for name in ["17", "x"] {
            std::fs::write(tree.path().join("tmp/hsperfdata_me").join(name), b"").unwrap();
        }
        let root = ProcRoot::in_tree(tree.path()).unwrap();
        let mut candidates = Candidates::default();
        assert!(candidates.may_be(&root, Pid(1), &"java".into(), None));
        assert!(candidates.may_be(&root, Pid(17), &"jsvc".into(), None));
        assert!(!candidates.may_be(&root, Pid(1), &"jsvc".into(), None));
        let space = |name: &str| AddressSpace { names: vec![name.into()], ..AddressSpace::default() };
        let jvm = space("/usr/lib/jvm/17/lib/server/libjvm.so (deleted)");
        assert!(candidates.may_be(&root, Pid(1), &"jsvc".into(), Some(&jvm)));
        assert!(!candidates.may_be(&root, Pid(17), &"java".into(), Some(&space("/lib/libjvm.so.1"))));
    }
}
