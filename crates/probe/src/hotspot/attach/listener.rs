//! The socket that HotSpot listens on once it was asked to: `/tmp/.java_pidPID` in its own file system.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use super::patience::Deadline;
use super::{Refusal, TargetView};
use crate::Clock;
use crate::proc::host::ticks_per_second;
use crate::sys::place::point_at;
use crate::sys::unix_socket::Stream;

const PREFIX: &str = ".java_pid";

/// The socket's file when there is one, and nobody but the target (or root) can have made it.
pub(super) fn find(target: &TargetView) -> Result<Option<OwnedFd>, Refusal> {
    let name = target.name(PREFIX);
    let path = || target.tmp_path(&name.to_string_lossy());
    let file = match point_at(target.tmp_dir(), &name) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Refusal::system(path(), error)),
    };
    let stat = fstat(&file).map_err(|error| Refusal::system(path(), error))?;
    let planted = |what: String| Err(Refusal::Planted { path: path(), what });
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Socket if stat.st_uid == target.user().uid || stat.st_uid == 0 => Ok(Some(file)),
        FileType::Socket => planted(format!("belongs to user {}, not to the target", stat.st_uid)),
        FileType::Symlink => planted("is a link".to_owned()),
        _ => planted("is no socket".to_owned()),
    }
}

/// Is there a socket that is not older than the process? To connect would tell for sure, and wake the listener.
pub(super) fn seems_up(target: &TargetView) -> Result<bool, Refusal> {
    /// Clocks are set; a process that was killed and replaced takes longer than that to listen.
    const MARGIN_S: f64 = 1.0;
    let Some(file) = find(target)? else { return Ok(false) };
    let stat = fstat(&file).map_err(|error| Refusal::system("its socket", error))?;
    let booted = Clock::wall() - Clock::boot();
    let born = booted + target.key().start.seconds(ticks_per_second());
    Ok(stat.st_mtime as f64 >= born - MARGIN_S)
}

/// Connects as the target's user, and makes sure that it is the target that listens. `None` when nobody does: a file
/// that an earlier process left.
pub(super) fn connect(
    target: &TargetView,
    file: &OwnedFd,
    deadline: &Deadline<'_>,
) -> Result<Option<Stream>, Refusal> {
    let path = || target.tmp_path(&target.name(PREFIX).to_string_lossy());
    loop {
        let wait = deadline.slice("connecting to it")?;
        match target.as_user(|| Stream::connect(target.proc_path(), file))? {
            Ok(stream) => {
                let peer = stream.peer().map_err(|error| Refusal::system(path(), error))?;
                if peer.pid == target.pid().0 {
                    return Ok(Some(stream));
                }
                let what = format!("is served by process {} of user {}", peer.pid, peer.uid);
                return Err(Refusal::Planted { path: path(), what });
            }
            // As many wait as it lets wait: it answers one at a time.
            Err(Errno::AGAIN) => {
                target.still_there()?;
                Clock::sleep(wait.min(0.005));
            }
            Err(Errno::CONNREFUSED | Errno::NOENT) => return Ok(None),
            Err(error) => return Err(Refusal::system(path(), error)),
        }
    }
}
