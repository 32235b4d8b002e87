//! flatfoot top: processes by growth.

use std::io::IsTerminal as _;

use anyhow::Result;
use model::Pid;
use probe::{DescriptorDepth, Parts, ThreadDepth};

use crate::analyse::{Analyser, Tracked};
use crate::board::{self, Growing, Memory};
use crate::cli::{self, TopOrder};
use crate::failure::Code;
use crate::interrupt;
use crate::present::top::{JvmRow, TopDocument, TopRow};
use crate::present::{self, Term};
use crate::recorder;
use crate::source::{Ask, Source};
use crate::target::{self, Chosen};
use crate::tui;

/// Threads are read of processes with at least so many: one look at births shows whether they become more.
const THREADS_FROM: u64 = 16;

/// The command.
pub(crate) fn run(args: &cli::Top, term: Term) -> Result<Code> {
    if !args.once && !term.json && is_at_a_terminal() {
        return view(args, term);
    }
    interrupt::listen();
    let Chosen { mut source, pids } = target::choose(&args.targets)?;
    let mut analyser = Analyser::default();
    let (candidates, found) = candidates(source.as_mut(), pids, &mut analyser)?;
    let total = candidates.len() as u64;
    let mut order: Vec<Pid> = ordered(candidates, &found, args.by);
    if args.rows > 0 {
        order.truncate(args.rows);
    }
    if source.is_live() && !order.is_empty() {
        // Names and limits cost several files each; only those that are shown are asked for them.
        let parts = Parts {
            status: true,
            cmdline: true,
            cgroups: true,
            rlimits: true,
            descriptors: DescriptorDepth::Total,
            jvm: true,
            ..Parts::overview()
        };
        let _ = source.looks(&Ask::once(order.clone(), parts), &mut |look| {
            analyser.push(look);
            Ok(())
        });
    }
    let document = TopDocument {
        schema: "flatfoot.top/1",
        origin: source.origin(),
        host: analyser.host_summary(),
        total,
        processes: order
            .iter()
            .filter_map(|pid| analyser.by_pid(*pid))
            .map(|t| row(&analyser, t, &found))
            .collect(),
        impact: analyser.impact(),
    };
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term))?;
    }
    Ok(Code::Clean)
}

/// Is there somebody to look, and to press keys? Keys are read from the terminal itself where stdin is none.
fn is_at_a_terminal() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let keys = || std::io::stdin().is_terminal() || std::fs::File::open("/dev/tty").is_ok();
    std::io::stdout().is_terminal() && !dumb && keys()
}

/// The live view. Ctrl-C is a key there, and signals are the view's own.
fn view(args: &cli::Top, term: Term) -> Result<Code> {
    let only = target::choose(&args.targets)?.pids;
    let place = match target::place(&args.targets)? {
        target::Place::Live => {
            tui::Place::Live { store: Some(recorder::store_to_read()).filter(|path| path.exists()) }
        }
        target::Place::Recorded(path, span) => {
            // Asked for as it was then, it is judged by the time before; without that, by all there is.
            let from_s = span.map(|span| span.from).filter(|_| args.targets.past.at.is_none());
            tui::Place::Store { path, from_s, to_s: span.map(|span| span.to) }
        }
        target::Place::Case(path) => tui::Place::Case { path },
    };
    tui::run(tui::Plan {
        place,
        only,
        order: args.by,
        interval_s: args.interval,
        look: tui::Look {
            glyphs: tui::Glyphs::choose(args.ascii, |name| std::env::var(name).ok()),
            palette: tui::Palette { colors: term.has_color() },
        },
    })
}

/// What the order is made of.
struct Candidate {
    pid: Pid,
    threads: u64,
    memory: Memory,
}

/// Everybody that may be shown, and what grows. The live host is first seen at a glance, and looked at only where there are
/// enough threads for a finding.
fn candidates(
    source: &mut dyn Source,
    pids: Vec<Pid>,
    analyser: &mut Analyser,
) -> Result<(Vec<Candidate>, Growing)> {
    let glances = if pids.is_empty() { source.glance()? } else { None };
    let whom = match &glances {
        Some(glances) => glances.iter().filter(|g| g.threads >= THREADS_FROM).map(|g| g.pid).collect(),
        None => pids,
    };
    if glances.is_none() || !whom.is_empty() {
        let overview = Parts { threads: ThreadDepth::Basic, ..Parts::overview() };
        let ask = Ask { threads_from: THREADS_FROM, ..Ask::once(whom, overview) };
        let seen = source.looks(&ask, &mut |look| {
            analyser.push(look);
            Ok(())
        });
        analyser.take_past(source.past(&ask)?);
        // Who was seen at a glance may have ended since.
        if glances.is_none() {
            seen?;
        }
        analyser.group_threads();
    }
    let found = board::surest(analyser.judge().findings);
    let candidates = match glances {
        Some(glances) => glances
            .iter()
            .map(|g| Candidate { pid: g.pid, threads: g.threads, memory: Memory::of(Some(&g.statm)) })
            .collect(),
        None => analyser
            .processes
            .values()
            .filter(|t| !t.reading.stat.is_kernel_thread())
            .map(|t| Candidate {
                pid: t.reading.key.pid,
                threads: t.reading.stat.threads,
                memory: Memory::of(t.reading.statm.value()),
            })
            .collect(),
    };
    Ok((candidates, found))
}

fn ordered(candidates: Vec<Candidate>, growing: &Growing, by: TopOrder) -> Vec<Pid> {
    let mut rows: Vec<(f64, f64, Pid)> = candidates
        .into_iter()
        .map(|Candidate { pid, threads, memory }| {
            let first = match by {
                TopOrder::Growth => growing.get(&pid).map_or(0.0, board::weight),
                TopOrder::Commit => memory.committed.0 as f64,
                TopOrder::Rss => memory.resident.0 as f64,
                TopOrder::Untouched => memory.untouched.0 as f64,
                TopOrder::Threads => threads as f64,
            };
            (first, memory.untouched.0 as f64, pid)
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    rows.into_iter().map(|(_, _, pid)| pid).collect()
}

fn row(analyser: &Analyser, tracked: &Tracked, found: &Growing) -> TopRow {
    let finding = found.get(&tracked.reading.key.pid);
    let limits = analyser.limits_at(tracked, board::threads_per_s(finding));
    TopRow {
        jvm: tracked.reading.jvm.value().map(JvmRow::of),
        ..board::row(
            analyser.process_ref(tracked),
            Memory::of(tracked.reading.statm.value()),
            tracked.reading.stat.threads,
            finding,
            board::next_limit(&limits),
        )
    }
}
