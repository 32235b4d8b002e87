//! flatfoot watch: diagnose over time, in the foreground, a line per event.
//!
//! The recorder without its store, for one process: births and ends of its threads summed up, judgements that change,
//! findings of closer looks, and its end.

use anyhow::Result;
use model::{Column, Confidence, EventKind, Finding, ProcessNo, State, Tick, show};
use probe::{Clock, ProcRoot, Sampler, SamplerOptions};

use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::Term;
use crate::recorder::{Change, Closer, Pace, Reporter, Watch, WatchEvent};
use crate::target;

/// Births and ends are told together, so often at most.
const TOLD_APART_S: f64 = 5.0;
/// Without a reason, a closer look is taken so often.
const LOOKS_APART_S: f64 = 60.0;

/// The command.
pub(crate) fn run(args: &cli::Watching, term: Term) -> Result<Code> {
    interrupt::listen();
    let (source, pid) = target::choose_one(&args.targets, "watch")?;
    if !source.is_live() {
        let hint = "flatfoot diagnose FILE judges what was saved";
        return Err(Failure::usage("watch needs a running process, and that is a case file", hint).into());
    }
    let failed = |error: std::io::Error| {
        Failure::new(
            Code::Failed,
            format!("/proc: {error}"),
            "flatfoot needs /proc: mount -t proc proc /proc",
        )
    };
    let root = ProcRoot::open("/proc").map_err(failed)?;
    let options = SamplerOptions { interval_s: args.interval, ..SamplerOptions::default() };
    let mut sampler = Sampler::new(root, options).map_err(failed)?;
    let mut session = Session {
        reporter: Reporter::new(term, "flatfoot.watch/1"),
        watch: Watch::closely(args.interval),
        closer: Closer::new()?,
        term,
        threads: Threads::default(),
        worst: Code::Clean,
        looked_s: f64::NEG_INFINITY,
    };
    let mut pace = Pace::new(args.interval, Clock::monotonic());
    let began = Clock::monotonic();
    let until = args.for_s.map(|for_s| began + for_s);
    let (mut tick, mut number) = (Tick::default(), None);
    loop {
        sampler.tick(&mut tick).map_err(failed)?;
        if number.is_none() {
            number = tick.events.iter().find_map(|event| match &event.what {
                EventKind::ProcessSeen(who) if who.key.pid == pid => Some(event.process),
                _ => None,
            });
            let Some(number) = number.filter(|number| !is_dead(&tick, *number)) else {
                let hint = "flatfoot top shows the processes";
                return Err(Failure::new(Code::Ended, format!("{pid} has ended"), hint).into());
            };
            sampler.suspects(&[number]);
            session.started(pid, args.interval)?;
        }
        let Some(number) = number else { continue };
        reduce(&mut tick, number);
        let ended = session.take(&tick, pid)?;
        let over = interrupt::asked() || until.is_some_and(|until| Clock::monotonic() >= until);
        if ended || over {
            return session.finish(pid, ended, Clock::monotonic() - began);
        }
        pace.next(Clock::monotonic());
        let due = until.map_or(pace.due(), |until| pace.due().min(until));
        interrupt::sleep(due - Clock::monotonic());
    }
}

/// Leaves only one process, and what happened to time, in a tick.
fn reduce(tick: &mut Tick, number: ProcessNo) {
    let own = tick.by_process().find(|(process, _)| *process == number).map(|(_, values)| values.to_vec());
    tick.values = own.unwrap_or_default();
    tick.rows.retain(|row| row.process == number);
    tick.events.retain(|event| event.process == number || event.process == ProcessNo::HOST);
}

/// Has it ended, and was not waited for yet? Then it has a record, and no memory.
fn is_dead(tick: &Tick, number: ProcessNo) -> bool {
    let row = tick.by_process().find(|(process, _)| *process == number);
    let Some((_, values)) = row else { return false };
    let has = |column| values.iter().any(|(one, _)| *one == column);
    has(Column::Cpu) && !has(Column::Virtual)
}

struct Session {
    reporter: Reporter,
    watch: Watch,
    closer: Closer,
    term: Term,
    threads: Threads,
    worst: Code,
    looked_s: f64,
}

/// Births and ends since they were told.
#[derive(Debug, Default)]
struct Threads {
    born: u64,
    ended: u64,
    all_born: u64,
    all_ended: u64,
    example: Option<model::Text>,
    told_s: f64,
}

impl Session {
    fn started(&self, pid: model::Pid, interval_s: f64) -> Result<()> {
        if self.term.json {
            return self.reporter.own(WatchEvent::Started { pid, interval_s });
        }
        self.reporter.remark(&format!("Watching {pid}, each {}. Ctrl-C ends it.", show::period(interval_s)));
        Ok(())
    }

    /// Says what a tick brings; whether the process ended with it.
    fn take(&mut self, tick: &Tick, pid: model::Pid) -> Result<bool> {
        let changes = self.watch.take(tick);
        for change in &changes {
            self.reporter.change(change)?;
            self.weigh_change(change);
        }
        self.reporter.events(tick)?;
        let mut ended = tick.rows.first().is_some_and(|row| is_dead(tick, row.process));
        for event in &tick.events {
            match &event.what {
                EventKind::ThreadBorn { name, .. } => {
                    self.threads.born += 1;
                    self.threads.example = Some(name.clone());
                }
                EventKind::ThreadEnded { .. } => self.threads.ended += 1,
                EventKind::ThreadsMissed { born, ended } => {
                    self.threads.born += born;
                    self.threads.ended += ended;
                }
                EventKind::ProcessEnded => ended = true,
                _ => {}
            }
        }
        let now = Clock::monotonic();
        if ended || now - self.threads.told_s >= TOLD_APART_S {
            self.tell_threads(now)?;
        }
        let many = !self.watch.take_suspicious(&changes).is_empty();
        if !ended && (many || now - self.looked_s >= LOOKS_APART_S) {
            self.looked_s = now;
            self.look(pid)?;
        }
        Ok(ended)
    }

    fn look(&mut self, pid: model::Pid) -> Result<()> {
        let Some(look) = self.closer.process(pid) else { return Ok(()) };
        for finding in self.closer.news(look).1 {
            self.reporter.finding(&finding)?;
            self.weigh(&finding);
        }
        Ok(())
    }

    fn tell_threads(&mut self, now: f64) -> Result<()> {
        let threads = &mut self.threads;
        let (born, ended) = (std::mem::take(&mut threads.born), std::mem::take(&mut threads.ended));
        if born + ended == 0 {
            return Ok(());
        }
        threads.told_s = now;
        threads.all_born += born;
        threads.all_ended += ended;
        let example = threads.example.take();
        if self.term.json {
            return self.reporter.own(WatchEvent::Threads { born, ended, example });
        }
        let example = example.map(|name| format!(", such as {name}")).unwrap_or_default();
        let at = crate::present::time::rfc3339(Clock::wall());
        crate::present::print(&format!("{at}  threads  {born} born, {ended} ended{example}\n"))
    }

    fn weigh(&mut self, finding: &Finding) {
        let code = if finding.confidence > Confidence::Possible { Code::Found } else { Code::Possible };
        self.worse(code);
    }

    fn weigh_change(&mut self, change: &Change) {
        match change.verdict.state {
            State::Leak => self.worse(Code::Found),
            State::Growing => self.worse(Code::Possible),
            _ => {}
        }
    }

    fn worse(&mut self, code: Code) {
        if self.worst != Code::Found {
            self.worst = code;
        }
    }

    fn finish(mut self, pid: model::Pid, ended: bool, seconds: f64) -> Result<Code> {
        self.tell_threads(Clock::monotonic())?;
        if !ended {
            self.look(pid)?;
        }
        let learning = self.watch.is_learning();
        let Threads { all_born, all_ended, .. } = self.threads;
        if self.term.json {
            self.reporter.own(WatchEvent::Stopped {
                target_ended: ended,
                seconds,
                born: all_born,
                ended: all_ended,
                judged: !learning,
            })?;
        } else {
            let how = if ended { "has ended" } else { "was watched" };
            self.reporter.remark(&format!(
                "{pid} {how}, for {}: {all_born} threads born, {all_ended} ended",
                show::duration(seconds)
            ));
            if learning {
                self.reporter.remark(
                    "NOT JUDGED  slow growth of memory, descriptors and children: that needs 64 looks",
                );
            }
        }
        Ok(if ended && self.worst == Code::Clean { Code::Ended } else { self.worst })
    }
}
