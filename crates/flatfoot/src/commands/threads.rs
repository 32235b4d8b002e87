//! flatfoot threads: who is there, and since when.

use anyhow::Result;
use model::{AccessLevel, Pid};
use probe::{Parts, ThreadDepth};

use crate::analyse::Analyser;
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::threads::{JavaStackRow, list_text};
use crate::present::{self, Term};
use crate::source::{OfHost, Source};
use crate::target;
use crate::views;
use crate::visit::{self, Plan, Told};

/// The command.
pub(crate) fn run(args: &cli::Threads, term: Term) -> Result<Code> {
    interrupt::listen();
    let (mut source, pid) = target::choose_one(&args.targets, "threads")?;
    let parts = if args.list && !term.json {
        Parts { threads: ThreadDepth::Basic, ..Parts::overview() }
    } else {
        views::parts_of_threads()
    };
    if args.owners && source.is_live() && args.access.access.level() < AccessLevel::Agent {
        let hint = format!(
            "flatfoot threads {pid} --owners --access agent loads a small agent into the JVM for a moment"
        );
        return Err(Failure::usage("--owners needs to ask the JVM itself", hint).into());
    }
    if args.walk.wanted && !(args.owners && args.access.access.level() >= AccessLevel::Agent) {
        let hint = format!("flatfoot threads {pid} --owners --access agent --heap-walk");
        return Err(Failure::usage("--heap-walk tells who holds the pools of owners", hint).into());
    }
    let mut analyser = views::look_at(source.as_mut(), pid, parts, OfHost::Clocks)?;
    let level =
        if args.owners { AccessLevel::Agent } else { args.access.access.level().min(AccessLevel::Attach) };
    let asks = source.is_live() && !args.list && level > AccessLevel::Read;
    let told =
        asks.then(|| ask(&analyser, source.as_ref(), pid, level, args.walk.budget_s(), term)).flatten();
    let tracked = analyser.by_pid(pid).ok_or_else(|| views::gone(pid))?;
    let Some(threads) = tracked.reading.threads.value() else {
        return Err(views::no_threads(tracked).into());
    };
    if args.list && !term.json {
        present::print(&list_text(threads, &analyser.host))?;
        return Ok(Code::Clean);
    }
    let count = threads.len() as u64;
    let stored = || Told {
        inside: tracked.reading.inside.value().cloned().unwrap_or_default(),
        impact: analyser.impact(),
    };
    let told = told.unwrap_or_else(stored);
    analyser.take_java_names(pid, &told.inside.threads);
    analyser.group_threads();
    let tracked = analyser.by_pid(pid).ok_or_else(|| views::gone(pid))?;
    let mut document = views::threads_of(&analyser, tracked, count, source.origin());
    for (row, group) in document.groups.iter_mut().zip(&tracked.groups) {
        row.java_stack = JavaStackRow::of(group, &told.inside.threads);
    }
    if asks && !args.owners {
        document.remarks.extend(told.inside.missing.iter().cloned());
        document.impact = told.impact.clone();
    }
    if args.owners {
        document.owners = told.inside.owners.iter().map(Into::into).collect();
        document.owners.sort_by_key(|row| std::cmp::Reverse(row.count));
        document.remarks.extend(told.inside.missing);
        if document.owners.is_empty() && document.remarks.is_empty() {
            document.remarks.push("owners: nothing was asked of the JVM when this was recorded".to_owned());
        }
        document.impact = told.impact;
    }
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(term, args.all))?;
    }
    Ok(Code::Clean)
}

/// Asks the JVM, without waiting for anything.
fn ask(
    analyser: &Analyser,
    source: &dyn Source,
    pid: Pid,
    level: AccessLevel,
    walk_s: Option<f64>,
    term: Term,
) -> Option<Told> {
    let tracked = analyser.by_pid(pid)?;
    let plan =
        Plan { root: source.root()?, reading: &tracked.reading, level, waits: Vec::new(), walk_s, term };
    Some(visit::visit(&plan))
}
