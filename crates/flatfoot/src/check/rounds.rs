//! Work, again and again, and what is more after each round.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::Stdio;

use anyhow::Result;
use model::{Impact, Text};
use probe::sys::family::{End, adopt_orphans};
use probe::{Clock, Prober};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::creators::{self, Told, Witness};
use super::document::{Document, Failed, Process, Verdict, Way};
use super::keeper::{Kept, Launch};
use super::mark::{Depth, Mark, Scope};
use super::output::{Output, To};
use super::plan::{Plan, Ready};
use super::ready::{self, Waited};
use super::signals::Signals;
use super::{FAILED, LEAK, failed, prober, tree, verdict};
use crate::commands::VERSION;
use crate::interrupt;

/// Between two looks while it is waited for what ends late; longer where a look costs more.
const STEP_S: f64 = 0.1;
/// Of the time between looks that a look may take.
const SHARE: f64 = 0.005;
/// After work, at least so long: what it set going may be just about to start.
const LEAST_LINGER_S: f64 = 0.3;
/// How much time what is left of the work gets to end.
const WORK_GRACE_S: f64 = 1.0;

/// Why the rounds ended early.
enum Stop {
    /// The work failed.
    Work(End, String),
    /// The server ended.
    Server(Option<End>),
    Interrupted,
}

/// The command.
pub(super) fn run(plan: &Plan) -> Result<Document> {
    interrupt::listen();
    // Should the guard be killed, those below come here.
    let _ = adopt_orphans();
    let (began, cpu) = (Clock::monotonic(), Clock::cpu());
    let mut document = Document {
        schema: "flatfoot.check/1",
        version: VERSION,
        way: if plan.by_hand() { Way::Marks } else { Way::Rounds },
        command: plan.shown(),
        work: plan.work.as_deref().map(Text::from),
        rounds_asked: plan.rounds,
        warm_up: plan.warm_up,
        linger_s: plan.linger_s,
        ..Document::default()
    };
    let mut rounds = Rounds::start(plan)?;
    let stop = rounds.get_ready().and_then(|ready| match ready {
        Some(stop) => Ok(Some(stop)),
        None => rounds.all(&mut document),
    });
    rounds.end(&mut document);
    let stop = stop?;
    rounds.conclude(stop, &mut document);
    document.took_s = Clock::monotonic() - began;
    document.impact.own_cpu_s = Clock::cpu() - cpu;
    Ok(document)
}

struct Rounds<'a> {
    plan: &'a Plan,
    prober: Prober,
    server: Option<Kept>,
    output: Output,
    scope: Scope,
    marks: Vec<Mark>,
    told: Told,
    notes: Vec<String>,
    marked: Option<Signals>,
}

impl<'a> Rounds<'a> {
    fn start(plan: &'a Plan) -> Result<Self> {
        let prober = prober()?;
        let wanted = if let Ready::Log(text) = &plan.ready { Some(text.as_str()) } else { None };
        let mut output = Output::looking_for(wanted);
        let (server, scope) = if let Some(pid) = plan.pid {
            if !prober.is_there(pid) {
                return Err(failed(format!("no process {pid}"), "flatfoot top shows the processes"));
            }
            (None, Scope { root: pid, below: pid })
        } else {
            let mut server = Kept::start(Launch {
                command: &plan.command,
                own_group: true,
                stdout: Stdio::piped(),
                stderr: Stdio::piped(),
                env: Vec::new(),
                grace_s: plan.grace_s,
            })?;
            let (stdout, stderr) = server.outputs();
            if let Some(stdout) = stdout {
                output.pass_on(stdout, if plan.term.json { To::Stderr } else { To::Stdout })?;
            }
            if let Some(stderr) = stderr {
                output.pass_on(stderr, To::Stderr)?;
            }
            let scope = Scope { root: server.pid(), below: server.guard() };
            (Some(server), scope)
        };
        let marked = plan.by_hand().then(|| Signals::listen(&[signal_hook::consts::SIGUSR1]));
        Ok(Self {
            plan,
            prober,
            server,
            output,
            scope,
            marks: Vec::new(),
            told: Told::default(),
            notes: Vec::new(),
            marked,
        })
    }

    /// Until the server is ready.
    fn get_ready(&mut self) -> Result<Option<Stop>> {
        let Some(server) = &mut self.server else { return Ok(None) };
        let began = Clock::monotonic();
        Ok(match ready::wait(self.plan, server, &self.output, &mut self.prober)? {
            Waited::Ready(how) => {
                let time = model::show::duration(Clock::monotonic() - began);
                self.plan.say(&format!("flatfoot: the server is ready after {time}: {how}"));
                None
            }
            Waited::Ended => Some(Stop::Server(server.wait(0.0)?)),
            Waited::Interrupted => Some(Stop::Interrupted),
            Waited::Never => {
                server.finish();
                let mut message = format!(
                    "the server was not ready within {}",
                    model::show::duration(self.plan.ready_timeout_s)
                );
                for line in self.output.last_lines() {
                    let _ = write!(message, "\n  {line}");
                }
                let hint = "--ready 'CMD', --ready-port P or --ready-log TEXT tell when it is, --ready-timeout waits longer";
                return Err(failed(message, hint));
            }
        })
    }

    /// Warm-up, baseline, rounds.
    fn all(&mut self, document: &mut Document) -> Result<Option<Stop>> {
        let mut nobody = Witness::default();
        for run in 0..self.plan.warm_up {
            if let Some(stop) = self.work(&mut nobody, &format!("warm-up run {}", run + 1))? {
                return Ok(Some(stop));
            }
        }
        let Some(first) = Mark::take(&mut self.prober, self.scope, Depth::All) else { return self.gone() };
        let mut told = Told::default();
        let mut jvm = creators::attach(self.plan, &self.prober, &first, self.scope.root, &mut told);
        let reading = jvm.as_ref().map(|jvm| jvm.reading().clone());
        let mut witness = Witness::load(jvm.as_mut(), &mut told);
        let stop = self.counted(&mut witness, document);
        witness.finish(&mut told);
        if let Some(reading) = reading {
            told.name(&self.prober, &reading);
        }
        self.told = told;
        stop
    }

    fn counted(&mut self, witness: &mut Witness<'_>, document: &mut Document) -> Result<Option<Stop>> {
        if let Some(stop) = self.mark(witness)? {
            return Ok(Some(stop));
        }
        for round in 0..self.plan.rounds {
            let stop = if self.plan.by_hand() {
                self.wait_for_mark(witness, round)?
            } else {
                self.work(witness, &format!("round {}", round + 1))?
            };
            if let Some(stop) = stop {
                return Ok(Some(stop));
            }
            if let Some(stop) = self.mark(witness)? {
                return Ok(Some(stop));
            }
            document.rounds_done = round + 1;
        }
        Ok(None)
    }

    /// Runs the work once. What it leaves behind is ended: it is not the server's.
    fn work(&mut self, witness: &mut Witness<'_>, when: &str) -> Result<Option<Stop>> {
        let Some(work) = &self.plan.work else { return Ok(None) };
        let command = ["sh", "-c", work.as_str()].map(Into::into);
        let mut running = Kept::start(Launch {
            command: &command,
            own_group: true,
            stdout: stdout(self.plan)?,
            stderr: Stdio::inherit(),
            env: vec![("FLATFOOT_PID", self.scope.root.to_string())],
            grace_s: WORK_GRACE_S,
        })?;
        let end = loop {
            // The server first: when it dies, its work fails, too, and that is no news.
            if let Some(stop) = self.stopped()? {
                return Ok(Some(stop));
            }
            if let Some(end) = running.wait(0.25)? {
                break end;
            }
            witness.tick();
        };
        if end != End::Exited(0) {
            // A server that ended in that very moment is the cause.
            Clock::sleep(0.05);
            if let Some(stop) = self.stopped()? {
                return Ok(Some(stop));
            }
            return Ok(Some(Stop::Work(end, when.to_owned())));
        }
        let left = running.finish();
        if left > 0 {
            let note = format!("the work left {left} processes behind, which were ended");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok(None)
    }

    /// Ctrl-C, or the server's end.
    fn stopped(&mut self) -> Result<Option<Stop>> {
        if interrupt::asked() {
            return Ok(Some(Stop::Interrupted));
        }
        let Some(server) = &mut self.server else { return Ok(None) };
        Ok(server.wait(0.0)?.map(|end| Stop::Server(Some(end))))
    }

    fn gone(&mut self) -> Result<Option<Stop>> {
        // The guard knows in a moment how it ended.
        let end = self.server.as_mut().map(|server| server.wait(2.0)).transpose()?.flatten();
        Ok(Some(Stop::Server(end)))
    }

    /// Waits until what ends late has ended, as long as there is more than at the mark before, then takes a mark.
    fn mark(&mut self, witness: &mut Witness<'_>) -> Result<Option<Stop>> {
        let began = Clock::monotonic();
        let mut before: Option<Mark> = None;
        loop {
            if let Some(stop) = self.stopped()? {
                return Ok(Some(stop));
            }
            witness.tick();
            let cpu = Clock::cpu();
            let Some(now) = Mark::take(&mut self.prober, self.scope, Depth::Counts) else {
                return self.gone();
            };
            let cost = Clock::cpu() - cpu;
            let elapsed = Clock::monotonic() - began;
            let settled = match (self.marks.last(), &before) {
                (Some(mark), _) => now.is_no_more_than(mark),
                // The baseline: nothing starts or ends any more.
                (None, Some(before)) => now.is_no_more_than(before) && before.is_no_more_than(&now),
                (None, None) => false,
            };
            let enough = elapsed >= LEAST_LINGER_S.min(self.plan.linger_s);
            if elapsed >= self.plan.linger_s || (settled && enough) {
                break;
            }
            // For a baseline, looks that are too close see no change.
            if elapsed >= LEAST_LINGER_S || before.is_none() {
                before = Some(now);
            }
            let step = (cost / SHARE).clamp(STEP_S, 5.0).min((self.plan.linger_s - elapsed).max(0.01));
            interrupt::sleep(step);
        }
        match Mark::take(&mut self.prober, self.scope, Depth::All) {
            Some(mark) => self.marks.push(mark),
            None => return self.gone(),
        }
        Ok(None)
    }

    /// Until Enter, SIGUSR1 or the time is over.
    fn wait_for_mark(&mut self, witness: &mut Witness<'_>, round: u32) -> Result<Option<Stop>> {
        let until = self.plan.between_s.map(|time_s| Clock::monotonic() + time_s);
        let mut stdin_open = until.is_none();
        let how = match self.plan.between_s {
            Some(time_s) => format!("in {}", model::show::duration(time_s)),
            None if std::io::stdin().is_terminal() => {
                format!("at Enter, or kill -USR1 {}", std::process::id())
            }
            None => format!("at a line on stdin, or kill -USR1 {}", std::process::id()),
        };
        let of = if self.plan.rounds > 1 {
            format!(" {} of {}", round + 1, self.plan.rounds)
        } else {
            String::new()
        };
        self.plan.say(&format!("flatfoot: mark taken; the next{of} {how}"));
        loop {
            if let Some(stop) = self.stopped()? {
                return Ok(Some(stop));
            }
            if !self.prober.is_there(self.scope.root) {
                return self.gone();
            }
            witness.tick();
            if until.is_some_and(|until| Clock::monotonic() >= until)
                || self.marked.as_ref().is_some_and(|marked| !marked.take().is_empty())
            {
                return Ok(None);
            }
            let wait = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
            let stdin = std::io::stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            let fds = if stdin_open { &mut fds[..] } else { &mut fds[..0] };
            if matches!(poll(fds, Some(&wait)), Ok(ready) if ready > 0) {
                let mut line = [0; 1_024];
                match rustix::io::read(&stdin, &mut line[..]) {
                    Ok(read) if read > 0 => return Ok(None),
                    // Nobody there: only the signal marks.
                    _ => stdin_open = false,
                }
            }
        }
    }

    /// Ends what was started.
    fn end(&mut self, document: &mut Document) {
        if let Some(mut server) = self.server.take() {
            let ran = server.wait(0.0).ok().flatten().is_none();
            let ended = server.finish();
            if !ran && ended > 0 {
                self.notes.push(format!("{ended} processes outlived the server, and were ended"));
            }
        }
        tree::end_orphans(&mut self.prober);
        document.notes.append(&mut self.notes);
    }

    /// What it comes to.
    fn conclude(&mut self, stop: Option<Stop>, document: &mut Document) {
        let plan = self.plan;
        let mut allow = plan.allow.clone();
        let mut judged = verdict::judge(&self.marks, self.scope.root, plan.by_hand(), &mut allow);
        let ticks_per_second = self.prober.clocks(false).ticks_per_second;
        for (place, (key, threads)) in &judged.threads {
            if self.told.key == Some(*key)
                && let Some(leak) = judged.leaks.get_mut(*place)
            {
                leak.created_by = self.told.creators(leak.subject.as_str(), threads, ticks_per_second);
            }
        }
        document.findings = judged.leaks;
        document.allowed = judged.allowed;
        document.table = judged.rows;
        document.rules_not_judged = judged.rules_not_judged;
        document.unused_allowances = if stop.is_none() { allow.unused() } else { Vec::new() };
        document.not_judged.append(&mut self.told.missing);
        document.not_judged.append(&mut judged.not_judged);
        document.impact.add(std::mem::take::<Impact>(&mut self.told.impact));
        let first = self.marks.first();
        let root = first.and_then(|mark| mark.processes.iter().find(|((pid, _), _)| *pid == self.scope.root));
        document.process = Some(Process {
            pid: self.scope.root,
            name: root.map_or_else(|| plan.name(), |(_, seen)| seen.reading.stat.name.clone()),
        });
        document.watched = self.watched(document);
        let leaks = !document.findings.is_empty();
        (document.verdict, document.exit_code) =
            if leaks { (Verdict::Leak, LEAK) } else { (Verdict::Pass, 0) };
        match stop {
            None => {}
            Some(Stop::Interrupted) => (document.verdict, document.exit_code) = (Verdict::Interrupted, 130),
            Some(Stop::Work(end, when)) => {
                fail(document, end.code(), format!("the work failed in {when}: {}", shown(end)), Vec::new());
            }
            Some(Stop::Server(end)) => {
                let what = match end {
                    Some(end) => format!("the server ended while it was checked: {}", shown(end)),
                    None => format!("process {} ended while it was checked", self.scope.root),
                };
                // A server that says all is well and goes is a failure all the same.
                let code = end.map(End::code).filter(|code| *code != 0).unwrap_or(FAILED);
                let lines = self.output.last_lines();
                fail(document, code, what, lines);
            }
        }
    }

    /// `server[4711] and 2 processes below it, over 5 rounds of ./smoke.sh, after 2 of warm-up`.
    fn watched(&self, document: &Document) -> String {
        let Process { pid, name } = document.process.clone().unwrap_or_default();
        let mut words = format!("{name}[{pid}]");
        match self.marks.last().map_or(0, |mark| mark.below.len()) {
            0 => {}
            1 => words.push_str(" and a process below it"),
            more => drop(write!(words, " and {more} processes below it")),
        }
        let plural = if document.rounds_done == 1 { "" } else { "s" };
        match &document.work {
            Some(work) => drop(write!(
                words,
                ", over {} round{plural} of {work}, after {} of warm-up",
                document.rounds_done, document.warm_up
            )),
            None => drop(write!(words, ", at {} marks", self.marks.len())),
        }
        words
    }
}

fn fail(document: &mut Document, exit_code: u8, what: String, last_lines: Vec<Text>) {
    document.verdict = Verdict::Failed;
    document.exit_code = exit_code;
    document.failure = Some(Failed { what, exit_code, last_lines });
}

/// `it ended with status 3`, `signal 9 ended it`.
pub(super) fn shown(end: End) -> String {
    match end {
        End::Exited(status) => format!("it ended with status {status}"),
        End::Killed(signal) => format!("signal {signal} ended it"),
    }
}

/// Where the output of what is started goes: to where flatfoot's own goes, but for JSON.
pub(super) fn stdout(plan: &Plan) -> Result<Stdio> {
    use std::os::fd::AsFd as _;
    Ok(if plan.term.json {
        Stdio::from(std::io::stderr().as_fd().try_clone_to_owned()?)
    } else {
        Stdio::inherit()
    })
}
