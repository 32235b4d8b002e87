//! A JVM as in a container: another pid namespace, another user, mounts and a /tmp of its own.

use crate::support::{Leaker, wait_until};

/// A leaking one, with enough births for a finding. It ends with the container.
pub(crate) struct Contained {
    _container: Leaker,
    /// Outside.
    pub(crate) pid: String,
}

impl Contained {
    /// `None`, said aloud, without the rights for it.
    #[track_caller]
    pub(crate) fn start() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can make a container");
            return None;
        }
        let container = Leaker::start("run-contained.sh", &["run-java.sh", "new-thread", "300"]);
        let children = format!("/proc/{0}/task/{0}/children", container.pid());
        let inside = std::fs::read_to_string(children).expect("its children");
        let pid = inside.split_whitespace().next().expect("a child").to_owned();
        let contained = Self { _container: container, pid };
        wait_until("births", 90.0, || contained.tasks() >= 34);
        Some(contained)
    }

    pub(crate) fn tasks(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("its threads").count()
    }

    /// What flatfoot left in its /tmp.
    pub(crate) fn left(&self) -> Vec<String> {
        std::fs::read_dir(format!("/proc/{}/root/tmp", self.pid))
            .expect("its /tmp")
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .filter(|name| name.starts_with(".flatfoot") || name.starts_with(".attach"))
            .collect()
    }
}
