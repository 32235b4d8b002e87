//! flatfoot map: what a process's memory is for.

use anyhow::Result;
use probe::{Parts, SpaceDepth, ThreadDepth};

use crate::cli::{self, MapDetail};
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::map::{MapDocument, rows, sizes_text, write_mappings};
use crate::present::{self, Term};
use crate::source::OfHost;
use crate::target;

/// The command.
pub(crate) fn run(args: &cli::Map, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "map")?;
    let parts = Parts {
        times: false,
        cmdline: true,
        // For the process's label, which only the document has.
        cgroups: term.json,
        threads: ThreadDepth::StacksOnly,
        space: match args.detail {
            MapDetail::Sizes => SpaceDepth::Maps,
            MapDetail::Touched => SpaceDepth::Touched,
            MapDetail::Full => SpaceDepth::Details,
        },
        ..Parts::overview()
    };
    let analyser = super::look_at(source.as_mut(), pid, parts, OfHost::Boot)?;
    let tracked = analyser.by_pid(pid).ok_or_else(|| gone(pid))?;
    let (Some(space), Some(memory)) = (tracked.reading.space.value(), tracked.memory.as_ref()) else {
        let why = tracked.reading.space.absence().unwrap_or_default();
        let kernel = tracked.reading.stat.is_kernel_thread();
        let (message, hint) = if kernel {
            (
                format!("{pid} is a thread of the kernel and has no memory of its own"),
                "flatfoot top shows processes".into(),
            )
        } else {
            (format!("/proc/{pid}/maps: {why}"), hint_for(&why))
        };
        return Err(Failure { code: Code::Failed, message, hint: Some(hint) }.into());
    };
    if !term.json && (args.mappings || args.by.is_some()) {
        present::print_by(|out| write_mappings(out, space, memory, args.by.unwrap_or_default()))?;
        return Ok(Code::Clean);
    }
    if !term.json && args.sizes {
        present::print(&sizes_text(space, memory))?;
        return Ok(Code::Clean);
    }
    let process = analyser.process_ref(tracked);
    let mut document =
        MapDocument::new(source.origin(), process, &tracked.reading, space, memory, analyser.impact());
    if term.json {
        if args.mappings || args.by.is_some() {
            document.mappings = Some(rows(space, memory, args.by.unwrap_or_default()));
        }
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term))?;
    }
    Ok(Code::Clean)
}

fn hint_for(why: &str) -> String {
    if why.starts_with("denied") {
        "run flatfoot with sudo, or as the process's user".to_owned()
    } else {
        "flatfoot doctor shows what can be read here".to_owned()
    }
}

pub(super) fn gone(pid: model::Pid) -> Failure {
    Failure::new(
        Code::Ended,
        format!("process {pid} ended while it was read"),
        "flatfoot top shows the processes that run",
    )
}
