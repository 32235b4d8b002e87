//! Attaching to a HotSpot JVM: the protocol of jcmd and jstack, spoken to a process in its own namespaces and as its own
//! user, with no JDK.
//!
//! A JVM listens on a socket in its /tmp once it was asked to by a file there and SIGQUIT. The signal would end a process
//! that doesn't catch it, and the listener's thread may end a JVM that has no room for it, so much is looked at first
//! ([`preview`]); what speaks against it is a [`Refusal`] with a hint.
//!
//! What it does to the target: the first attach ever makes it start one thread, which stays; each command is answered
//! by that thread, many of them at a safepoint. Nothing is left in its file system but the socket, which is its own.

mod checks;
mod frozen;
mod headroom;
mod listener;
mod options;
mod patience;
mod protocol;
mod refusal;
mod target;
mod trigger;

use std::os::fd::OwnedFd;

use model::{ProcessKey, Status, Text};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

pub use headroom::Headroom;
pub use patience::Patience;
pub use protocol::Reply;
pub use refusal::{Refusal, Seconds};
pub use target::TargetView;

use crate::ProcRoot;
use crate::sys::unix_socket::Stream;
use patience::Deadline;

/// What attaching would meet, found by reading alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// There is a socket already: no signal is needed, and no thread is started.
    pub listener_up: bool,
    /// Room for the listener's thread.
    pub headroom: Vec<Headroom>,
    /// Effective uid of the target.
    pub uid: u32,
    /// Its pid in its own namespace.
    pub inner_pid: u32,
}

/// What would happen, without sending anything: is it HotSpot, may it be attached to, has it room for the listener, does
/// it listen already. The refusal that attaching would end in is the one that this ends in.
pub fn preview(root: &ProcRoot, key: &ProcessKey) -> Result<Preview, Refusal> {
    let examined = Examined::of(root, key)?;
    let listener_up = listener::seems_up(&examined.target)?;
    if !listener_up {
        examined.is_safe_to_signal()?;
    }
    let headroom = examined.headroom(root);
    if !listener_up {
        headroom::check(&headroom)?;
    }
    let (uid, inner_pid) = (examined.target.user().uid, examined.target.inner_pid());
    Ok(Preview { listener_up, headroom, uid, inner_pid })
}

/// A target, and what was seen of it.
struct Examined {
    target: TargetView,
    status: Status,
    options: Vec<Text>,
    mappings: u64,
}

impl Examined {
    fn of(root: &ProcRoot, key: &ProcessKey) -> Result<Self, Refusal> {
        let (target, status) = TargetView::open(root, key)?;
        let space = checks::is_hotspot(&target)?;
        let options = checks::is_attach_allowed(&target, &space)?;
        checks::is_running(root, &target)?;
        // It answers only to its own user: can flatfoot be that?
        target.as_user(|| ())?;
        let mappings = space.mappings.len() as u64;
        Ok(Self { target, status, options, mappings })
    }

    fn is_safe_to_signal(&self) -> Result<(), Refusal> {
        checks::takes_signal(&self.status, &self.options)?;
        if checks::blocked_by_all(&self.target) { Err(Refusal::SignalBlocked) } else { Ok(()) }
    }

    fn headroom(&self, root: &ProcRoot) -> Vec<Headroom> {
        headroom::all(root, &self.target, &self.status, self.mappings)
    }
}

/// A JVM that listens. One flatfoot at a time has it.
#[derive(Debug)]
pub struct Attachment {
    target: TargetView,
    // Held by an open file of /proc/PID, so that the lock needs no file of its own and ends with us.
    _lock: OwnedFd,
    was_cold: bool,
    /// What showed that it listens: the first command goes this way. The listener reads from one after the other, and
    /// to let it find this one empty would cost as much as a command.
    first: Option<Stream>,
}

impl Attachment {
    /// Makes sure that it listens: all checks, then the trigger and SIGQUIT when it doesn't yet.
    pub fn open(root: &ProcRoot, key: &ProcessKey, patience: &Patience<'_>) -> Result<Self, Refusal> {
        let examined = Examined::of(root, key)?;
        let lock = lock(&examined.target)?;
        let deadline = patience.deadline(patience.attach_s);
        let first = match listener::find(&examined.target)? {
            Some(file) => listener::connect(&examined.target, &file, &deadline)?,
            None => None,
        };
        let is_up = first.is_some();
        if is_up {
            trigger::remove_leftover(&examined.target)?;
        } else {
            examined.is_safe_to_signal()?;
            headroom::check(&examined.headroom(root))?;
            trigger::start_listener(&examined.target, &deadline, || {
                checks::is_running(root, &examined.target)?;
                // A process that became another program keeps its pid and its birth, and not its handlers.
                let status = examined.target.status()?;
                checks::takes_signal(&status, &examined.options)
            })?;
        }
        Ok(Self { target: examined.target, _lock: lock, was_cold: !is_up, first })
    }

    /// Whom it is attached to.
    #[must_use]
    pub fn target(&self) -> &TargetView {
        &self.target
    }

    /// Did it not listen before: was the signal sent, and the listener's thread started?
    #[must_use]
    pub fn was_cold(&self) -> bool {
        self.was_cold
    }

    /// Sends a command of the protocol (`jcmd`, `load`, `properties` …) and waits for the whole answer.
    pub fn command(
        &mut self,
        name: &str,
        arguments: &[&str],
        patience: &Patience<'_>,
    ) -> Result<Reply, Refusal> {
        let v2 = protocol::needs_v2(arguments);
        if v2 && !self.speaks_v2(patience)? {
            return Err(Refusal::Command {
                command: name.to_owned(),
                code: -1,
                text: "arguments of this length need JDK 24 or later".to_owned(),
            });
        }
        let request = protocol::request(name, arguments, v2)?;
        self.exchange(&request, name, patience)
    }

    /// Sends a diagnostic command (`Thread.print`, `VM.flags` …), as jcmd would; a refusal of the JVM's is an error.
    pub fn jcmd(&mut self, line: &str, patience: &Patience<'_>) -> Result<String, Refusal> {
        let Reply { code, text } = self.command("jcmd", &[line], patience)?;
        let text = String::from_utf8(text)
            .unwrap_or_else(|error| Text::from_bytes(error.as_bytes()).as_str().to_owned());
        if code == 0 {
            return Ok(text);
        }
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let text = Text::from(first.chars().take(300).collect::<String>()).to_string();
        Err(Refusal::Command { command: line.to_owned(), code, text })
    }

    /// Version 2 is asked about by a command that older JVMs refuse.
    fn speaks_v2(&mut self, patience: &Patience<'_>) -> Result<bool, Refusal> {
        let request = protocol::request("getversion", &[], false)?;
        let reply = self.exchange(&request, "getversion", patience)?;
        Ok(reply.code == 0 && reply.text.first() == Some(&b'2'))
    }

    fn exchange(&mut self, request: &[u8], name: &str, patience: &Patience<'_>) -> Result<Reply, Refusal> {
        let deadline = patience.deadline(patience.command_s);
        let result = self.talk(request, name, patience, &deadline).and_then(protocol::reply);
        match result {
            // The end of the stream may be the end of the process.
            Err(refusal @ (Refusal::Protocol(_) | Refusal::System { .. })) => {
                self.target.still_there()?;
                Err(refusal)
            }
            other => other,
        }
    }

    fn talk(
        &mut self,
        mut request: &[u8],
        name: &str,
        patience: &Patience<'_>,
        deadline: &Deadline<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let what = || format!("the answer to {name}");
        let failed = |error: Errno| Refusal::system(what(), error);
        let stream = self.stream(deadline)?;
        while !request.is_empty() {
            let sent = stream.send(request).map_err(failed)?;
            request = request.get(sent..).unwrap_or_default();
            if sent == 0 {
                stream.wait(true, deadline.slice(&what())?);
            }
        }
        let mut answer = Vec::new();
        loop {
            // One more than is allowed tells that there is more.
            let most = patience.most_bytes.saturating_add(1).saturating_sub(answer.len());
            match stream.receive(&mut answer, most).map_err(failed)? {
                Some(0) => return Ok(answer),
                Some(_) if answer.len() > patience.most_bytes => {
                    let most = patience.most_bytes;
                    return Err(Refusal::Protocol(format!("{} has more than {most} bytes", what())));
                }
                Some(_) => {
                    deadline.slice(&what())?;
                }
                None => {
                    let wait = deadline.slice(&what())?;
                    stream.wait(false, wait);
                }
            }
        }
    }

    fn stream(&mut self, deadline: &Deadline<'_>) -> Result<Stream, Refusal> {
        if let Some(stream) = self.first.take() {
            return Ok(stream);
        }
        let stream = match listener::find(&self.target)? {
            Some(file) => listener::connect(&self.target, &file, deadline)?,
            None => None,
        };
        if let Some(stream) = stream {
            return Ok(stream);
        }
        self.target.still_there()?;
        Err(Refusal::Protocol("its socket is gone".to_owned()))
    }
}

/// One flatfoot at a time: a lock on a file of /proc/PID that only those may open who may look into the process.
fn lock(target: &TargetView) -> Result<OwnedFd, Refusal> {
    let file =
        target.proc_dir().open_file(c"maps").map_err(|absence| Refusal::absent("/proc/PID/maps", absence))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::AGAIN) => Err(Refusal::Busy("another flatfoot".to_owned())),
        Err(error) => Err(Refusal::system("the lock on /proc/PID/maps", error)),
    }
}
