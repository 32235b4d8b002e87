//! Whom threads work for, as the JVM's own objects tell.

use std::fmt::Write as _;

use model::{FoundSchedule, HeapHolder, HeapPath, PoolState, Text, ThreadOwner, show};
use schemars::JsonSchema;
use serde::Serialize;

use super::Term;

/// Names that are shown of those that look alike.
const EXAMPLES: usize = 2;

/// Threads that look alike from inside.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct OwnerRow {
    /// How many.
    pub(crate) count: u64,
    /// Whole names of a few of them.
    pub(crate) examples: Vec<Text>,
    /// Class of the thread object.
    pub(crate) thread_class: Text,
    /// From the thread outwards: task, worker, pool, queue, factory, timer.
    pub(crate) links: Vec<LinkRow>,
    /// The pool, when there is one.
    pub(crate) pool: Option<PoolRow>,
    /// Class of the context class loader.
    pub(crate) context_loader: Option<Text>,
    /// Jars whose code was on the stack when they were made; JDKs up to 23 keep that.
    pub(crate) made_by: Vec<Text>,
    /// Schedules found on the way: `hourly_report: 0 * * * * ?`.
    pub(crate) schedules: Vec<String>,
}

/// One object on the way.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct LinkRow {
    /// `task`, `worker`, `pool`, `queue`, `factory`, `timer`, `captured`.
    pub(crate) role: Text,
    /// The fields that lead there.
    pub(crate) path: Text,
    /// Its class.
    pub(crate) class: Text,
    /// Jar or directory of the class.
    pub(crate) origin: Option<Text>,
    /// Not of the JDK?
    pub(crate) application: bool,
}

/// A pool, or several that are alike.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PoolRow {
    /// Its class.
    pub(crate) class: Text,
    /// How many there are.
    pub(crate) pools: u64,
    /// Core size.
    pub(crate) core: Option<u64>,
    /// Most threads.
    pub(crate) maximum: Option<u64>,
    /// Tasks waiting, in all of them.
    pub(crate) queued: u64,
    /// Of the pools, how many were shut down.
    pub(crate) shut_down: u64,
    /// Of the pools, how many nothing but their own workers holds; null: not looked for, as that stops the JVM.
    pub(crate) unheld: Option<u64>,
    /// Who holds the others.
    pub(crate) holders: Vec<HeapHolder>,
    /// A way from a root to one of those.
    pub(crate) path: Option<HeapPath>,
}

impl From<&ThreadOwner> for OwnerRow {
    fn from(owner: &ThreadOwner) -> Self {
        Self {
            count: owner.count,
            examples: owner.examples.clone(),
            thread_class: owner.thread_class.clone(),
            links: owner
                .links
                .iter()
                .map(|link| LinkRow {
                    role: link.role.clone(),
                    path: link.path.clone(),
                    class: link.class.clone(),
                    origin: link.origin.clone(),
                    application: link.application,
                })
                .collect(),
            pool: owner.pool.as_ref().map(PoolRow::from),
            context_loader: owner.context_loader.clone(),
            made_by: owner.inherited_sources.clone(),
            schedules: owner.schedules.iter().map(schedule).collect(),
        }
    }
}

impl From<&PoolState> for PoolRow {
    fn from(pool: &PoolState) -> Self {
        let PoolState { class, pools, core, maximum, queued, shut_down, unheld, holders, path } =
            pool.clone();
        Self { class, pools, core, maximum, queued, shut_down, unheld, holders, path }
    }
}

fn schedule(found: &FoundSchedule) -> String {
    let when = match (&found.expression, found.period_s) {
        (Some(expression), _) => format!("\"{expression}\""),
        (None, Some(period)) => format!("each {}", show::period(period)),
        (None, None) => "not known when".to_owned(),
    };
    format!("{}: {when} ({})", found.what, found.kind)
}

/// As text, a paragraph for each.
pub(super) fn text(rows: &[OwnerRow], term: Term, out: &mut String) {
    for row in rows {
        let names: Vec<String> = row.examples.iter().take(EXAMPLES).map(ToString::to_string).collect();
        let more = if row.count > names.len() as u64 { " …" } else { "" };
        let count = if row.count == 1 { String::new() } else { format!("{} × ", show::count(row.count)) };
        let _ = writeln!(out, "{}", term.bold(&format!("{count}{}{more}", names.join(", "))));
        let mut line = |label: &str, text: &str| {
            let _ = writeln!(out, "  {label:<10} {text}");
        };
        if row.thread_class.as_str() != "java.lang.Thread" {
            line("class", &row.thread_class.to_string());
        }
        for link in &row.links {
            let origin = link.origin.as_ref().map_or_else(String::new, |origin| format!("   {origin}"));
            line(
                link.role.as_str(),
                &format!("{}{}", link.class, term.dim(&format!("   .{}{origin}", link.path))),
            );
        }
        if let Some(pool) = &row.pool {
            line("pools", &pool_words(pool));
            for holder in &pool.holders {
                line("held by", &format!("{} ({} of them)", holder.by, show::count(holder.count)));
            }
            if let Some(path) = &pool.path {
                line("path", &path.to_string());
            }
        }
        if !row.made_by.is_empty() {
            let jars: Vec<String> = row.made_by.iter().map(ToString::to_string).collect();
            line("made by", &format!("code of {}", jars.join(", ")));
        }
        for schedule in &row.schedules {
            line("schedule", schedule);
        }
    }
}

/// `all`, `none`, `3`.
fn of(some: u64, all: u64) -> String {
    match some {
        0 => "none".to_owned(),
        n if n == all => "all".to_owned(),
        n => show::count(n),
    }
}

fn pool_words(pool: &PoolRow) -> String {
    let size = match (pool.core, pool.maximum) {
        (Some(core), Some(most)) if most >= i32::MAX as u64 => format!(" of {core} or more"),
        (Some(core), Some(most)) if core == most => format!(" of {core}"),
        (Some(core), Some(most)) => format!(" of {core} to {most}"),
        _ => String::new(),
    };
    let down = match pool.shut_down {
        0 => "none shut down".to_owned(),
        n => format!("{} shut down", show::count(n)),
    };
    let held = pool.unheld.map_or_else(String::new, |n| {
        format!(", {} held by nothing but their own workers", of(n, pool.pools))
    });
    format!(
        "{} × {}{size}, {} tasks queued, {down}{held}",
        show::count(pool.pools),
        pool.class,
        show::count(pool.queued)
    )
}
