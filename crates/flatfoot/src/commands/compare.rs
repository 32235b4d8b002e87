//! flatfoot compare: before and after; and is it fixed?

use anyhow::Result;
use detect::compare::Proof;

use crate::cli::{self, Targets};
use crate::compare::{Side, compare, proof};
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::compare::{CompareDocument, ProofDocument};
use crate::present::{self, Term};
use crate::target;

/// The command.
pub(crate) fn run(args: &cli::Compare, term: Term) -> Result<Code> {
    interrupt::listen();
    match &args.finding {
        Some(id) => is_fixed(id, args, term),
        None => both(args, term),
    }
}

fn is_fixed(id: &str, args: &cli::Compare, term: Term) -> Result<Code> {
    let env = |name| std::env::var_os(name);
    let cases = store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref()).ok();
    let path = proof::find_case(id, cases)?;
    let leak = proof::leak(&path, id)?;
    let chosen = target::choose(&Targets {
        named: args.sides.clone(),
        past: args.past.clone(),
        ..Targets::default()
    })?;
    let mut source = chosen.source;
    let pids = proof::processes(&leak, source.as_mut(), chosen.pids)?;
    let how = proof::How {
        watch_s: args.watch.and_then(cli::Watch::seconds),
        level: args.access.access.level(),
        term,
    };
    let answer = proof::answer(&leak, source.as_mut(), pids, how)?;
    let document = ProofDocument::new(&leak, &answer);
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(&leak, &answer, term))?;
    }
    Ok(match answer.proof {
        Proof::Fixed { .. } => Code::Clean,
        Proof::NotFixed { .. } => Code::Found,
        Proof::NotProven { .. } => Code::Possible,
    })
}

/// An observation as it is named: a time of the store, a file, or a process.
fn observed(name: &str, args: &cli::Compare) -> Targets {
    let mut targets = Targets { named: args.only.clone(), ..Targets::default() };
    if name.contains("..") && !std::path::Path::new(name).exists() {
        targets.past = cli::Past { since: Some(name.to_owned()), store: args.past.store.clone(), at: None };
    } else {
        targets.named.push(name.to_owned());
    }
    targets
}

fn both(args: &cli::Compare, term: Term) -> Result<Code> {
    let [before, after] = args.sides.as_slice() else {
        let hint = "flatfoot compare monday.flatfoot friday.flatfoot; or --finding ID: is it fixed?";
        return Err(Failure::usage("compare needs two observations", hint).into());
    };
    let watch_s = args.watch.and_then(cli::Watch::seconds).unwrap_or(0.0);
    let side =
        |name: &String| -> Result<Side> { Side::look(name, target::choose(&observed(name, args))?, watch_s) };
    let (before, after) = (side(before)?, side(after)?);
    let (processes, findings) = compare(&before, &after);
    let document = CompareDocument::new(&before, &after, &processes, &findings);
    if term.json {
        present::print_json(&document)?;
    } else {
        present::print(&document.text(&processes, &findings, args.all, term))?;
    }
    let comparable = processes.iter().any(|one| one.members.0 > 0 && one.members.1 > 0);
    Ok(match (comparable, findings.iter().any(crate::compare::FindingChange::is_new)) {
        (_, true) => Code::Found,
        (false, false) => Code::Possible,
        (true, false) => Code::Clean,
    })
}
