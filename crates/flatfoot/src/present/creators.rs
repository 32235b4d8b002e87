//! CREATED BY and what belongs to it: stacks with only the frames that tell something.

use std::fmt::Write as _;

use model::{CreatedBy, Finding, Frame, LibraryShare, ScheduleMatch, Text, show};

use super::Term;
use super::diagnosis::labelled;

/// Lines of one stack; collapsed runs count as one.
const MOST_LINES: usize = 9;
/// Where the column of jars begins.
const ORIGIN: usize = 66;

/// Everything about who made what leaks; nothing when nobody was asked.
pub(super) fn write(finding: &Finding, term: Term, out: &mut String) {
    let of = |source: &'static str| finding.created_by.iter().filter(move |by| by.source == source);
    let seen: Vec<&CreatedBy> =
        finding.created_by.iter().filter(|by| !matches!(by.source.as_str(), "owner" | "site")).collect();
    let owners: Vec<&CreatedBy> = of("owner").collect();
    if !seen.is_empty() {
        labelled(out, term, "CREATED BY", &headline(&seen, &owners));
        for by in &seen {
            stack(by, seen.len() > 1, term, out);
        }
    }
    if !owners.is_empty() {
        let label = if seen.is_empty() { "CREATED FOR" } else { "OWNERS" };
        for by in &owners {
            labelled(out, term, label, &owner(by));
        }
    }
    // Once births were seen, who else could have made them is of little interest.
    let most = if seen.is_empty() { usize::MAX } else { 0 };
    for by in of("site").take(most) {
        if let Some(frame) = by.frames.first() {
            let line = format!("{}{}        {}", place(frame), origin(frame), by.sure);
            labelled(out, term, "SUSPECT", &line);
        }
    }
    for job in finding.schedules.iter().filter(|job| job.in_process) {
        labelled(out, term, "JOB", &job_line(job));
    }
    if !finding.faults.is_empty() {
        let count = if finding.faults.len() == 2 { "TWO FAULTS" } else { "FAULTS" };
        let faults: Vec<String> =
            finding.faults.iter().enumerate().map(|(at, fault)| format!("{} {fault}", at + 1)).collect();
        labelled(out, term, count, &faults.join("   "));
    }
    if !finding.libraries.is_empty() {
        let shares: Vec<String> = finding.libraries.iter().map(share).collect();
        labelled(out, term, "LIBRARIES", &shares.join(" · "));
    }
}

/// `hourly_report, "0 * * * * ?": fires each minute. An hourly field would be "0 0 * * * ?"`.
pub(super) fn job_line(job: &ScheduleMatch) -> String {
    let what = job.what.as_ref().map_or_else(String::new, |what| format!("{what}, "));
    let near = job.near_miss.as_ref().map_or_else(String::new, |near| format!(". {}", capital(near)));
    format!("{what}\"{}\": {}{near}", Text::from(job.expression.as_str()), job.meaning)
}

/// `polyglot-jobs in 1 of 1 births`.
pub(super) fn share(library: &LibraryShare) -> String {
    format!("{} in {} of {} births", library.name, show::count(library.births), show::count(library.of))
}

/// `1 of 1 births seen; 1,549 older ones hold the same task class`.
pub(super) fn headline(seen: &[&CreatedBy], owners: &[&CreatedBy]) -> String {
    let births: u64 = seen.iter().map(|by| by.births).sum();
    let stacks = match seen.len() {
        1 => "one stack".to_owned(),
        n => format!("{n} stacks"),
    };
    let older = owners.first().filter(|by| same_class(seen, by)).map_or_else(String::new, |by| {
        format!(
            "; {} of {} threads hold a task of the same class",
            show::count(by.births),
            show::count(by.of)
        )
    });
    let births = if births == 1 { "1 birth".to_owned() } else { format!("{} births", show::count(births)) };
    format!("{births} seen, from {stacks}{older}")
}

/// Is the owner's class the creator's, or one written within it?
fn same_class(seen: &[&CreatedBy], owner: &CreatedBy) -> bool {
    let outer = |symbol: &str| symbol.split('$').next().unwrap_or_default().to_owned();
    let creator = seen.first().and_then(|by| detect::creators::creator(&by.frames));
    match (creator, owner.frames.first()) {
        (Some(creator), Some(owner)) => {
            let class = creator.symbol.rsplit_once('.').map_or("", |(class, _)| class);
            outer(class) == outer(&owner.symbol)
        }
        _ => false,
    }
}

/// A stack, a line each, from the creator outwards.
pub(super) fn stack(by: &CreatedBy, several: bool, term: Term, out: &mut String) {
    if several {
        let _ = writeln!(out, "  {} of {} births:", show::count(by.births), show::count(by.of));
    }
    // What leads from the creator to the JDK's start of a thread is everybody's.
    let creator = detect::creators::creator(&by.frames);
    let is_creator = |frame: &Frame| creator.is_some_and(|creator| std::ptr::eq(creator, frame));
    let first = by.frames.iter().position(is_creator).unwrap_or(0);
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut rest = &by.frames[first..];
    while let Some(frame) = rest.first() {
        let run = rest.iter().take_while(|other| machinery(other).is_some() && !is_creator(other)).count();
        if run > 0 {
            lines.push(collapsed(&rest[..run]));
            rest = &rest[run..];
            continue;
        }
        let origin = frame.origin.clone().unwrap_or_default();
        let note = if is_creator(frame) { format!("{origin}     ← {}", whose(frame)) } else { origin };
        lines.push((place(frame), note));
        rest = &rest[1..];
    }
    let hidden = lines.len().saturating_sub(MOST_LINES);
    for (what, origin) in lines.iter().take(MOST_LINES) {
        let pad = ORIGIN.saturating_sub(what.chars().count()).max(1);
        let line = format!("  {what}{:pad$} {}", "", term.dim(origin));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if hidden > 0 {
        let _ = writeln!(out, "  … {hidden} more");
    }
    if let Some(thread) = &by.thread {
        let _ = writeln!(out, "  {}", term.dim(&format!("on thread {thread}")));
    }
}

/// `… 9 frames of JRuby, the JDK and Quartz`.
fn collapsed(frames: &[Frame]) -> (String, String) {
    let mut names: Vec<&str> = Vec::new();
    for name in frames.iter().filter_map(machinery) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    };
    let word = if frames.len() == 1 { "frame" } else { "frames" };
    let origin = if names.len() == 1 { frames[0].origin.clone().unwrap_or_default() } else { String::new() };
    (format!("… {} {word} of {of}", frames.len()), origin)
}

/// The name of what is not worth a line for each frame.
fn machinery(frame: &Frame) -> Option<&'static str> {
    match frame.role.as_str() {
        "jdk" => Some("the JDK"),
        "runtime" | "framework" => detect::creators::known_as(&frame.symbol),
        _ => None,
    }
}

pub(super) fn whose(frame: &Frame) -> &'static str {
    match frame.role.as_str() {
        "application" => "your code: the first frame outside the JDK",
        "library" => "a library, not your code: the first frame outside the JDK",
        "framework" => "the framework's own: the first frame outside the JDK",
        _ => "first frame outside the JDK and the runtime",
    }
}

/// `org.jobs.TimeoutListener.started:43`; a script's function with its file.
pub(crate) fn place(frame: &Frame) -> String {
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    match &frame.file {
        Some(file) if !file.ends_with(".java") => format!("{} ({file}{line})", frame.symbol),
        _ => format!("{}{line}", frame.symbol),
    }
}

pub(super) fn origin(frame: &Frame) -> String {
    frame.origin.as_ref().map_or_else(String::new, |origin| format!(" ({origin})"))
}

/// `1,549 of 1,550 threads: their task (holder.task) is a org.jobs.TimeoutListener$$Lambda, polyglot-jobs 1.7.2`.
pub(crate) fn owner(by: &CreatedBy) -> String {
    let classes: Vec<String> =
        by.frames.iter().take(3).map(|frame| format!("{}{}", frame.symbol, origin(frame))).collect();
    format!(
        "{} of {} threads: {}: {}",
        show::count(by.births),
        show::count(by.of),
        by.sure,
        classes.join(", ")
    )
}

/// One line of a witness: `org.jobs.TimeoutListener.started:43 (polyglot-jobs 1.7.2), seen at 3 of 3 births`.
pub(super) fn line(by: &CreatedBy) -> String {
    if by.source == "owner" {
        return owner(by);
    }
    let frame = detect::creators::creator(&by.frames);
    let at = frame.map_or_else(
        || "code of the JDK alone".to_owned(),
        |frame| format!("{}{}", place(frame), origin(frame)),
    );
    match by.source.as_str() {
        "site" => format!("{at}: a suspect, {}", by.sure),
        source => {
            format!("{at}, seen by {source} at {} of {} births", show::count(by.births), show::count(by.of))
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(symbol: &str, line: u32, origin: &str, role: &str) -> Frame {
        Frame {
            symbol: symbol.into(),
            file: Some("X.java".into()),
            line: Some(line),
            origin: (!origin.is_empty()).then(|| origin.into()),
            role: role.into(),
        }
    }

    #[test]
    fn the_founding_case() {
        let jobs = "polyglot-jobs 1.7.2";
        let finding = Finding {
            created_by: vec![
                CreatedBy {
                    source: "agent".into(),
                    births: 1,
                    of: 1,
                    sure: String::new(),
                    thread: Some("JobScheduler_Worker-1".into()),
                    frames: vec![
                        frame("java.lang.Thread.start0", 0, "", "jdk"),
                        frame("java.util.concurrent.Executors.newSingleThreadExecutor", 1, "", "jdk"),
                        frame("org.jobs.TimeoutListener.started", 43, jobs, "library"),
                        frame("org.jobs.BaseJob.notifyStarted", 97, jobs, "library"),
                        frame("org.quartz.core.JobRunShell.run", 2, "quartz 2.1.6", "framework"),
                        frame(
                            "org.quartz.simpl.SimpleThreadPool$WorkerThread.run",
                            3,
                            "quartz 2.1.6",
                            "framework",
                        ),
                    ],
                },
                CreatedBy {
                    source: "owner".into(),
                    births: 1_549,
                    of: 1_550,
                    sure: "their task (holder.task) is of this class".into(),
                    thread: None,
                    frames: vec![frame("org.jobs.TimeoutListener$$Lambda", 0, jobs, "library")],
                },
            ],
            libraries: vec![
                LibraryShare { name: jobs.into(), births: 1, of: 1 },
                LibraryShare { name: "oauth".into(), births: 0, of: 1 },
            ],
            schedules: vec![ScheduleMatch {
                source: Some("Quartz".into()),
                expression: "0 * * * * ?".into(),
                what: Some("hourly_report".into()),
                in_process: true,
                meaning: "fires each minute".into(),
                near_miss: Some("an hourly field would be \"0 0 * * * ?\"".into()),
            }],
            faults: vec!["a pool is never shut down (the leak)".into(), "it fires too often".into()],
            ..super::super::testing::finding("pool-*-thread-1")
        };
        let mut text = String::new();
        write(&finding, Term::default(), &mut text);
        insta::assert_snapshot!(text);
    }
}
