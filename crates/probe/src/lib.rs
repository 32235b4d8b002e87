//! Everything of flatfoot that touches the operating system: clocks, /proc, cgroup files, the kernel's
//! page tables. The only crate with unsafe code (in `sys`) and the only one that needs privileges.
//!
//! [`Prober`] reads the host and its processes into the model's readings; what could not be read says why.
//! Nothing here concludes anything: that is the work of the crate `detect`.

pub mod budget;
pub mod classify;
mod clock;
pub mod hotspot;
mod parts;
mod prober;
pub mod proc;
pub mod remains;
pub mod sampler;
pub mod schedules;
pub mod sys;

pub use clock::Clock;
pub use parts::{DescriptorDepth, Parts, SpaceDepth, ThreadDepth};
pub use prober::{Glance, Prober};
pub use proc::{Absence, PidDir, ProcRoot};
pub use sampler::{Sampler, SamplerOptions};
