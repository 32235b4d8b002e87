//! Who starts threads, by Java's own flight recorder: for JVMs that refuse agents. Everything goes through
//! [`Attachment`].
//!
//! A recording that runs already and keeps the stacks of thread starts is used as it is, and left so. Otherwise one of
//! our own is started, with that event alone; it is stopped on every way out, and one that was left by a flatfoot that
//! was killed is stopped by the next.
//!
//! What it does to the target: JFR's first start in a JVM takes it a third of a second or more and some 30 MB, and some
//! of its threads stay until it ends, so JFR's own room is asked for first. It writes into a directory of its own where
//! the JVM keeps temporary files (`/tmp/2026_11_23_10_29_48_4711`), which it empties when the recording stops, and removes
//! when the JVM ends. Not in memory (`disk=false`): there JDK 17 and 25 keep 10 kB for each thread that was started,
//! 250 MB after 25,000 of them. Dumps are written by the JVM into a folder of ours in its /tmp and removed at once.

mod bytes;
mod folder;
mod listing;
mod starts;
#[cfg(test)]
mod tests;
mod types;
mod values;

use model::SpawnStack;

use super::answers::properties;
use super::attach::{self, Attachment, Patience, Refusal};
use crate::{Clock, ProcRoot};
use folder::{DUMP, Folder, SETTINGS};
use listing::Listed;
use starts::Starts;

/// How our recordings are called.
const NAME: &str = "flatfoot";
/// Bytes of a dump that are read; one of our own has some 100 kB.
const MOST_BYTES: usize = 64 << 20;
/// What is dumped of a recording that was there, at first: it may hold days.
const OF_ANOTHERS: &str = "maxage=10m maxsize=32m";
/// What a recording of ours keeps on disk beside what it is writing: some 50,000 thread starts. Whoever finds it after a
/// flatfoot that was killed finds no more than that.
const OF_OURS: &str = "disk=true maxsize=8m";
/// JFR starts several threads at once: as many times what a listener needs must be free.
const ROOM: u64 = 3;
/// Seconds for each command that cleans up, whatever was asked for.
const CLEANUP_S: f64 = 20.0;

/// The one event, from Java 8 on. JDK 11 takes settings from files only.
const JFC: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<configuration version="2.0">
  <event name="jdk.ThreadStart"><setting name="enabled">true</setting><setting name="stackTrace">true</setting></event>
</configuration>
"#;

/// A flight recording that thread starts are read from. Stopped when it goes, if it is ours.
#[derive(Debug)]
pub struct Recording<'a> {
    attachment: &'a mut Attachment,
    patience: Patience<'a>,
    folder: Folder,
    /// Where it keeps temporary files, JFR's too, if that is not /tmp.
    temporary: Option<Vec<u8>>,
    /// Somebody else's, by its number.
    found: Option<Listed>,
    starts: Starts,
    /// When it was dumped last.
    dumped: Option<f64>,
    stopped: bool,
}

impl<'a> Recording<'a> {
    /// Finds a recording that has what is needed, or starts one.
    ///
    /// `NoHeadroom` when JFR's threads might not fit, `TmpNotWritable` when its files might not; `Command` when this
    /// Java has no JFR.
    pub fn start(
        root: &ProcRoot,
        attachment: &'a mut Attachment,
        patience: &Patience<'a>,
    ) -> Result<Self, Refusal> {
        // Even JFR.check begins JFR, threads and all.
        has_headroom(root, attachment)?;
        let temporary = temporary(attachment, patience)?;
        folder::has_room(attachment.target(), temporary.as_deref())?;
        let mut listed = list(attachment, patience)?;
        if listed.iter().any(|one| one.name == NAME) {
            attachment.jcmd(&format!("JFR.stop name={NAME}"), patience)?;
            listed.retain(|one| one.name != NAME);
        }
        let found = listed.into_iter().find(|one| one.running && one.has_starts);
        let folder = Folder::create(attachment.target())?;
        let is_found = found.is_some();
        // From here on it cleans up when it goes.
        let mut recording = Self {
            attachment,
            patience: *patience,
            folder,
            temporary,
            found,
            starts: Starts::default(),
            dumped: None,
            stopped: false,
        };
        if !is_found {
            recording.begin()?;
        }
        Ok(recording)
    }

    /// Did it run already: is it somebody else's?
    #[must_use]
    pub fn was_running(&self) -> bool {
        self.found.is_some()
    }

    /// The thread starts seen so far, by stack, most births first. The frames of java.lang.Thread itself are not
    /// among a stack's: JFR leaves them out. Files of sources are not recorded, nor where a class came from.
    pub fn spawns(&mut self) -> Result<Vec<SpawnStack>, Refusal> {
        folder::has_room(self.attachment.target(), self.temporary.as_deref())?;
        let which = self.found.as_ref().map_or_else(|| NAME.to_owned(), |found| found.number.to_string());
        let now = Clock::monotonic();
        // What was read before need not be read again; each dump ends a chunk, and chunks are dumped whole.
        let limit = match (self.dumped, &self.found) {
            (Some(before), _) => format!("maxage={}s maxsize=32m", (now - before).ceil() + 5.0),
            (None, Some(_)) => OF_ANOTHERS.to_owned(),
            (None, None) => String::new(),
        };
        let line = format!("JFR.dump name={which} filename={} {limit}", self.folder.path(DUMP));
        let answer = self.attachment.jcmd(line.trim_end(), &self.patience);
        let file = self.folder.take(self.attachment.target(), DUMP, MOST_BYTES);
        let answer = answer?;
        let file = file.map_err(|refusal| match refusal {
            // JFR.dump says in words what went wrong.
            Refusal::System { error: rustix::io::Errno::NOENT, .. } => unexpected("JFR.dump", &answer),
            other => other,
        })?;
        self.dumped = Some(now);
        let back = Clock::wall() - Clock::boot();
        self.starts
            .add(&file, |wall| wall - back)
            .map_err(|broken| Refusal::Protocol(format!("the flight recording: {}", broken.0)))?;
        Ok(self.starts.stacks())
    }

    /// Thread starts that were counted only, as their stacks were too many to keep.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.starts.left_out()
    }

    /// Stops it, if it is ours, and removes what was made for it; tells when that did not succeed.
    pub fn stop(mut self) -> Result<(), Refusal> {
        self.end()
    }

    fn begin(&mut self) -> Result<(), Refusal> {
        self.folder.write(self.attachment.target(), SETTINGS, JFC)?;
        let settings = self.folder.path(SETTINGS);
        let line = format!("JFR.start name={NAME} settings={settings} {OF_OURS}");
        let answer = self.attachment.jcmd(&line, &self.patience);
        self.folder.remove(self.attachment.target(), SETTINGS);
        let answer = answer?;
        let is_on = |one: &Listed| one.name == NAME && one.running && one.has_starts;
        if list(self.attachment, &self.patience)?.iter().any(is_on) {
            return Ok(());
        }
        Err(unexpected("JFR.start", &answer))
    }

    fn end(&mut self) -> Result<(), Refusal> {
        if self.stopped {
            return Ok(());
        }
        self.stopped = true;
        let mut result = Ok(());
        if self.found.is_none() {
            // Whoever ends the wait for births does not end this.
            let patience = Patience { command_s: CLEANUP_S, cancel: None, ..self.patience };
            let answer = self.attachment.jcmd(&format!("JFR.stop name={NAME}"), &patience);
            result = answer.and_then(|answer| {
                let left = list(self.attachment, &patience)?;
                if left.iter().any(|one| one.name == NAME) {
                    Err(unexpected("JFR.stop", &answer))
                } else {
                    Ok(())
                }
            });
        }
        self.folder.close(self.attachment.target());
        result
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn list(attachment: &mut Attachment, patience: &Patience<'_>) -> Result<Vec<Listed>, Refusal> {
    attachment.jcmd("JFR.check verbose=true", patience).map(|text| listing::parse(&text))
}

/// Where it keeps temporary files, if that is not /tmp: a recording's data go there while they are dumped. (Options that
/// name another place for them are rare, and not looked for.)
fn temporary(attachment: &mut Attachment, patience: &Patience<'_>) -> Result<Option<Vec<u8>>, Refusal> {
    let text = attachment.jcmd("VM.system_properties", patience)?;
    let property = properties::parse(&text).into_iter().find(|one| one.key.as_str() == "java.io.tmpdir");
    let path = property.and_then(|one| one.value);
    Ok(path
        .map(|path| path.as_str().as_bytes().to_vec())
        .filter(|path| path.starts_with(b"/") && path != b"/tmp"))
}

/// JFR's first start makes four threads, or as many as its release pleases.
fn has_headroom(root: &ProcRoot, attachment: &Attachment) -> Result<(), Refusal> {
    let preview = attach::preview(root, attachment.target().key())?;
    match preview.headroom.into_iter().find(|one| one.free() < one.needed.saturating_mul(ROOM)) {
        Some(short) => {
            Err(Refusal::NoHeadroom { what: short.what, current: short.current, limit: short.limit })
        }
        None => Ok(()),
    }
}

/// JFR's commands say in words that they failed.
fn unexpected(command: &str, answer: &str) -> Refusal {
    let first = answer.lines().find(|line| !line.trim().is_empty()).unwrap_or("no answer");
    let text = model::Text::from(first.chars().take(300).collect::<String>()).to_string();
    Refusal::Command { command: command.to_owned(), code: 0, text }
}
