//! flatfoot map: what a process's memory is for.

use anyhow::Result;
use probe::{Parts, SpaceDepth};

use crate::cli::{self, MapDetail};
use crate::failure::Code;
use crate::interrupt;
use crate::present::map::{rows, sizes_text, write_mappings};
use crate::present::{self, Term};
use crate::source::OfHost;
use crate::target;
use crate::views;

/// The command.
pub(crate) fn run(args: &cli::Map, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "map")?;
    let depth = match args.detail {
        MapDetail::Sizes => SpaceDepth::Maps,
        MapDetail::Touched => SpaceDepth::Touched,
        MapDetail::Full => SpaceDepth::Details,
    };
    // Cgroups are for the process's label, which only the document has.
    let parts = Parts { cgroups: term.json, ..views::parts_of_map(depth) };
    let analyser = views::look_at(source.as_mut(), pid, parts, OfHost::Boot)?;
    let mut document = views::map_of(&analyser, pid, source.origin())?;
    let tracked = analyser.by_pid(pid).ok_or_else(|| views::gone(pid))?;
    let (Some(space), Some(memory)) = (tracked.reading.space.value(), tracked.memory.as_ref()) else {
        return Err(views::gone(pid).into());
    };
    if !term.json && (args.mappings || args.by.is_some()) {
        present::print_by(|out| write_mappings(out, space, memory, args.by.unwrap_or_default()))?;
        return Ok(Code::Clean);
    }
    if !term.json && args.sizes {
        present::print(&sizes_text(space, memory))?;
        return Ok(Code::Clean);
    }
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
