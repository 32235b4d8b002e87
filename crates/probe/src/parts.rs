//! What to read of a process. Reading costs flatfoot and, for some files, the target: a look names what it
//! needs, and everything else stays `Skipped`.

/// What to read of each process. The stat file is always read: without it there is no reading.
///
/// `Parts::default()` reads nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // one switch per file of /proc/PID: they don't depend on each other
pub struct Parts {
    /// CPU times and page faults of the whole process, which the kernel sums over its threads (0.3 ms for 2,000 of them);
    /// else they are its first thread's.
    pub times: bool,
    /// statm: sizes.
    pub statm: bool,
    /// status: peaks, kinds of resident memory, capabilities.
    pub status: bool,
    /// The command line.
    pub cmdline: bool,
    /// Which program it runs.
    pub exe: bool,
    /// Its cgroups with the limits of all their ancestors.
    pub cgroups: bool,
    /// Resource limits, with the number of tasks that its user has.
    pub rlimits: bool,
    /// Open descriptors.
    pub descriptors: DescriptorDepth,
    /// Child processes.
    pub children: bool,
    /// Threads.
    pub threads: ThreadDepth,
    /// Mappings.
    pub space: SpaceDepth,
    /// The sums of smaps.
    pub rollup: bool,
    /// Marks that an earlier instance died.
    pub remains: bool,
    /// What a JVM shares in its hsperfdata file.
    pub jvm: bool,
}

/// How much to read of the open descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DescriptorDepth {
    /// Nothing.
    #[default]
    No,
    /// How many: one call on recent kernels.
    Total,
    /// How many of each kind: one call or more for each descriptor.
    Kinds,
}

/// How much to read of the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThreadDepth {
    /// Nothing.
    #[default]
    No,
    /// Only what the mappings need to be told apart: ids, and an address in each thread's stack; names, states and births
    /// stay empty. Not even that where the mappings alone show as many stacks as there are threads: then the threads
    /// are `Skipped`.
    StacksOnly,
    /// Names, states, births and CPU times: one file for each thread.
    Basic,
    /// The same, and an address in each thread's stack.
    WithStacks,
}

/// How much to read of the address space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpaceDepth {
    /// Nothing.
    #[default]
    No,
    /// The list of mappings.
    Maps,
    /// The list, and what of each mapping is in use.
    Touched,
    /// All of that, and proportional, dirty and swapped bytes with the VmFlags (paced smaps: the slowest).
    Details,
}

impl Parts {
    /// What a table of all processes is made of: stat and statm, two small files.
    #[must_use]
    pub const fn overview() -> Self {
        Self {
            times: true,
            statm: true,
            status: false,
            cmdline: false,
            exe: false,
            cgroups: false,
            rlimits: false,
            descriptors: DescriptorDepth::No,
            children: false,
            threads: ThreadDepth::No,
            space: SpaceDepth::No,
            rollup: false,
            remains: false,
            jvm: false,
        }
    }

    /// The overview, who the process is, and its threads with their births: no right is needed for any of it.
    #[must_use]
    pub const fn threads() -> Self {
        Self { status: true, cmdline: true, cgroups: true, threads: ThreadDepth::Basic, ..Self::overview() }
    }

    /// All that reading alone can tell, smaps included.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            times: true,
            statm: true,
            status: true,
            cmdline: true,
            exe: true,
            cgroups: true,
            rlimits: true,
            descriptors: DescriptorDepth::Kinds,
            children: true,
            threads: ThreadDepth::WithStacks,
            space: SpaceDepth::Details,
            rollup: true,
            remains: true,
            jvm: true,
        }
    }

    /// Is anything asked for besides stat and statm?
    #[must_use]
    pub fn is_more_than_overview(&self) -> bool {
        *self != Self { times: self.times, statm: self.statm, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_includes_the_smaller_one() {
        assert!(!Parts::default().is_more_than_overview());
        assert!(!Parts::overview().is_more_than_overview());
        assert!(Parts::threads().is_more_than_overview() && Parts::threads().statm);
        assert!(Parts { exe: true, ..Parts::default() }.is_more_than_overview());
        assert_eq!(Parts::everything().space, SpaceDepth::Details);
    }
}
