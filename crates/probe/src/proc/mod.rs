//! One file of /proc per module: how it is opened, its sample line, its parser.

pub mod census;
pub mod cgroup;
pub mod children;
pub mod cmdline;
pub mod fd;
pub mod host;
pub mod limits;
pub mod listen;
pub mod maps;
pub mod meminfo;
pub mod mountinfo;
pub mod pagemap;
pub mod peer;
pub mod rollup;
pub(crate) mod scan;
pub mod smaps;
pub mod space;
pub mod stat;
pub mod statm;
pub mod status;
pub mod task;
pub mod vmstat;

mod root;

pub(crate) use root::NumberPath;
pub use root::{Absence, PidDir, ProcRoot};
