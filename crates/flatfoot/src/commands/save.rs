//! flatfoot save, and the case files that diagnose keeps.

use std::path::{Path, PathBuf};

use anyhow::Result;
use model::{AccessLevel, Look, Pid, Text, show};
use probe::{Clock, Parts};
use store::CaseWriter;

use super::{VERSION, heap};
use crate::analyse::SavedCase;
use crate::cli;
use crate::failure::{Code, Failure};
use crate::interrupt;
use crate::present::{self, Term, time};
use crate::source::{Ask, OfHost, Source, parts_of_everybody};
use crate::target::{self, Chosen};

/// Case files that are kept in the state directory.
const KEEP: usize = 50;

/// What a case file says about itself.
pub(crate) struct About {
    target: String,
}

impl About {
    /// Of a look at these processes; at everybody when there are none.
    pub(crate) fn of(pids: &[Pid]) -> Self {
        let list: Vec<String> = pids.iter().map(Pid::to_string).collect();
        Self { target: if list.is_empty() { "host".to_owned() } else { list.join(",") } }
    }

    /// Begins a case file at a path.
    pub(crate) fn create(&self, path: &Path) -> Result<CaseWriter, store::Error> {
        CaseWriter::create(path, &self.stored())
    }

    /// As a case file has it.
    pub(crate) fn stored(&self) -> store::About {
        let args: Vec<String> = std::env::args().skip(1).collect();
        store::About {
            version: VERSION.into(),
            created: time::rfc3339(Clock::wall()).into(),
            command: Text::from(format!("flatfoot {}", args.join(" "))),
            target: Text::from(self.target.as_str()),
        }
    }
}

/// A case file being written into the state directory; its name is known when the finding is.
pub(crate) struct CaseFile {
    writer: CaseWriter,
    dir: PathBuf,
}

impl CaseFile {
    /// Begins one; nothing is visible before [`Self::finish`].
    pub(crate) fn begin(about: &About) -> Result<Self, store::Error> {
        let env = |name| std::env::var_os(name);
        let dir = store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref())?;
        let name =
            format!("{}-{:.0}{}", about.target.replace(',', "-"), Clock::wall() * 1e3, store::CASE_SUFFIX);
        let writer = CaseWriter::create(&dir.join(name), &about.stored())?;
        Ok(Self { writer, dir })
    }

    /// Adds a look.
    pub(crate) fn add(&mut self, look: &Look) -> Result<(), store::Error> {
        self.writer.add(look)
    }

    /// Finishes it under a finding's id; an older one of the same id is replaced.
    pub(crate) fn finish(self, id: &str) -> Result<SavedCase> {
        let saved = self.writer.finish()?;
        let path = self.dir.join(format!("{id}{}", store::CASE_SUFFIX));
        std::fs::rename(&saved.path, &path)?;
        let _ = store::prune(&self.dir, KEEP);
        Ok(SavedCase { path: path.display().to_string(), bytes: saved.bytes })
    }
}

/// Keeps all that is known of a process in the state directory.
pub(crate) fn keep(source: &mut dyn Source, pid: Pid) -> Result<SavedCase> {
    let about = About::of(&[pid]);
    let path = default_path(&about)?;
    let shown = path.display().to_string();
    if source.is_live() {
        let mut writer = about.create(&path)?;
        let ask = Ask { host: OfHost::Surroundings, ..Ask::once(vec![pid], Parts::everything()) };
        source.looks(&ask, &mut |look| Ok(writer.add(&look)?))?;
        return Ok(SavedCase { path: shown, bytes: writer.finish()?.bytes });
    }
    match source.export(&[pid], false, &path, &about.stored()) {
        Some(bytes) => Ok(SavedCase { path: shown, bytes: bytes? }),
        None => Err(Failure::usage("that is a case file already", "copy it: cp FILE ELSEWHERE").into()),
    }
}

/// The command.
pub(crate) fn run(args: &cli::Save, term: Term) -> Result<Code> {
    interrupt::listen();
    let Chosen { mut source, pids } = target::choose(&args.targets)?;
    if !source.is_live() {
        let about = About::of(&pids);
        let path = match &args.output {
            Some(path) => path.clone(),
            None => default_path(&about)?,
        };
        if let Some(bytes) = source.export(&pids, args.redact, &path, &about.stored()) {
            return report(&path, bytes?, 0, pids.len(), term);
        }
        let hint = "copy it: cp FILE ELSEWHERE";
        return Err(Failure::usage("that is a case file already", hint).into());
    }
    let about = About::of(&pids);
    let path = match &args.output {
        Some(path) => path.clone(),
        None => default_path(&about)?,
    };
    if args.heap {
        return with_heap(args, source.as_mut(), &pids, about.create(&path)?, term);
    }
    if args.access.access.level() > AccessLevel::Read {
        let hint = "add --heap; diagnose --access keeps what it was told in a case file by itself";
        return Err(Failure::usage("save asks a JVM only what is on its heap", hint).into());
    }
    let mut writer = about.create(&path)?;
    let everybody = pids.is_empty();
    let watch_s = args.watch_s.unwrap_or(0.0);
    let ask = Ask {
        parts: if everybody { parts_of_everybody() } else { Parts::everything() },
        threads_from: if everybody { 2 } else { 0 },
        host: OfHost::Surroundings,
        watch_s,
        interval_s: (watch_s / 63.0).max(0.1),
        pids,
    };
    let mut looks = 0u64;
    let mut processes = 0;
    source.looks(&ask, &mut |look| {
        looks += 1;
        processes = processes.max(look.processes.len());
        writer.add(&look)?;
        Ok(())
    })?;
    let saved = writer.finish()?;
    report(&saved.path, saved.bytes, looks, processes, term)
}

/// With what is on a JVM's heap.
fn with_heap(
    args: &cli::Save,
    source: &mut dyn Source,
    pids: &[Pid],
    writer: CaseWriter,
    term: Term,
) -> Result<Code> {
    const LOOKS: u32 = 4;
    let [pid] = pids else {
        let hint = "flatfoot save 3248 --access attach --heap";
        return Err(Failure::usage("--heap is of one process", hint).into());
    };
    if args.access.access.level() < AccessLevel::Attach {
        let hint = format!("flatfoot save {pid} --access attach --heap asks it as jcmd does");
        return Err(Failure::usage("--heap needs to ask the JVM itself", hint).into());
    }
    let how = heap::How {
        watch_s: args.watch_s.unwrap_or(0.0),
        looks: LOOKS,
        pause_s: args.pause,
        agent: args.access.access.level() >= AccessLevel::Agent,
        walks: false,
        parts: Parts::everything(),
    };
    let (writer, looks, missing) = heap::record(source, *pid, how, writer, term)?;
    for sentence in missing.iter().filter(|_| !term.quiet && !term.json) {
        eprintln!("not known: {sentence}");
    }
    let saved = writer.finish()?;
    report(&saved.path, saved.bytes, looks, 1, term)
}

fn report(path: &Path, bytes: u64, looks: u64, processes: usize, term: Term) -> Result<Code> {
    let shown = path.display().to_string();
    if term.json {
        present::print_json(&SavedDocument {
            schema: "flatfoot.saved/1",
            path: shown,
            bytes,
            looks,
            processes: processes as u64,
        })?;
    } else {
        let what = match (looks, processes) {
            (0, 0) => "what was recorded of the host".to_owned(),
            (0, 1) => "what was recorded of one process".to_owned(),
            (0, n) => format!("what was recorded of {n} processes"),
            (1, 1) => "one look at one process".to_owned(),
            (1, n) => format!("one look at {n} processes"),
            (looks, 1) => format!("{looks} looks at one process"),
            (looks, n) => format!("{looks} looks at {n} processes"),
        };
        present::print(&format!("{shown}\n"))?;
        if !term.quiet {
            eprintln!(
                "{what}, {}; it holds command lines and file names. Open it anywhere: flatfoot diagnose {shown}",
                show::bytes(model::Bytes(bytes))
            );
        }
    }
    Ok(Code::Clean)
}

fn default_path(about: &About) -> Result<PathBuf> {
    let env = |name| std::env::var_os(name);
    let dir = store::cases_dir(env("XDG_STATE_HOME").as_deref(), env("HOME").as_deref())?;
    let stamp = time::rfc3339(Clock::wall()).replace([':', '-'], "");
    Ok(dir.join(format!("{}-{stamp}{}", about.target.replace(',', "-"), store::CASE_SUFFIX)))
}

/// `flatfoot save --json`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(crate) struct SavedDocument {
    /// `flatfoot.saved/1`.
    pub(crate) schema: &'static str,
    /// Where the case file lies.
    pub(crate) path: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Looks in it.
    pub(crate) looks: u64,
    /// Processes in the widest look.
    pub(crate) processes: u64,
}
